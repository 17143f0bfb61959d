"""A tiny network learns; a killed run resumes to the same weights."""

import dataclasses
import json
import math
import shutil
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from fadn_cli.training.network.config import StudentConfig  # noqa: E402
from fadn_cli.training.network.model import Denoiser, Student, prune  # noqa: E402
from fadn_cli.training.network.quantize import Conv, alive, firing  # noqa: E402
from fadn_cli.training.run import train as training  # noqa: E402
from fadn_cli.training.run.batches import make_batch  # noqa: E402
from fadn_cli.training.run.config import TrainConfig, load_config  # noqa: E402
from fadn_cli.training.run.keep import keep  # noqa: E402
from fadn_cli.training.run.losses import feature_loss, pixel_loss  # noqa: E402
from fadn_cli.training.run.muon import Muon, all_orthogonalized, orthogonalized  # noqa: E402
from fadn_cli.training.run.state import Run, load_denoiser, make_optimizers, schedule  # noqa: E402
from fadn_cli.training.run.train import train  # noqa: E402

TINY = StudentConfig(widths=(8, 8, 8), embedding=4)
CONFIG = TrainConfig(network=TINY, steps=60, batch=2, patch=16, bfloat16=False)
CONFIGS = Path(training.__file__).parents[1] / "configs"


def weights(checkpoint):
    return torch.load(checkpoint, weights_only=True)["average"]


def loss_after(steps, photos, run):
    """The loss on batches that are never trained on."""
    run.mkdir()
    config = TrainConfig(
        network=TINY, steps=steps, batch=4, patch=16, warmup=5, learning_rate=5e-3, bfloat16=False
    )
    model = Denoiser(Student(TINY))
    model.load_state_dict(weights(train(config, photos, run, minutes=9)))
    losses = []
    for step in range(1000, 1010):
        noisy, target, told_shot, told_read, std = make_batch(photos, config, step)
        with torch.no_grad():
            losses.append(pixel_loss(model(noisy, told_shot, told_read), target, std, 0.1).item())
    return sum(losses) / len(losses)


def test_the_loss_of_a_tiny_network_falls(photos, tmp_path):
    before = loss_after(0, photos, tmp_path / "before")

    assert loss_after(200, photos, tmp_path / "after") < 0.95 * before


def test_a_run_killed_half_way_resumes_to_the_same_weights(photos, tmp_path):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    whole.mkdir()
    parts.mkdir()
    config = TrainConfig(network=TINY, steps=6, batch=2, patch=16, bfloat16=False)

    expected, trained = (
        torch.load(train(config, photos, whole, minutes=9), weights_only=True)[part]
        for part in ("average", "model")
    )
    for _ in range(6):
        checkpoint = train(config, photos, parts, minutes=0)  # one step each

    kept = torch.load(checkpoint, weights_only=True)
    assert 6 == kept["step"]
    for part, wanted in (("average", expected), ("model", trained)):
        assert all(torch.equal(wanted[name], kept[part][name]) for name in wanted)


def test_the_log_tells_how_much_of_the_network_is_alive(photos, tmp_path):
    train(dataclasses.replace(CONFIG, steps=3), photos, tmp_path, minutes=9)

    (row,) = log_rows(tmp_path)
    assert 0 < row["firing"] < row["alive"] <= 1
    layers = dict(Denoiser(Student(TINY)).named_modules())
    assert row["least_alive"] in layers and row["least_firing"] in layers


def test_channels_that_never_fire_are_dead(photos):
    torch.manual_seed(1)
    model = Denoiser(Student(TINY))
    batch = make_batch(photos, CONFIG, 0)
    for layer in model.modules():
        if isinstance(layer, Conv) and layer.relu:
            torch.nn.init.ones_(layer.bias)
    assert set(alive(model, batch).values()) == {1}

    torch.nn.init.constant_(model.student.decode[0][0].first.bias[:2], -100)

    shares = alive(model, batch)
    assert shares.pop("student.decode.0.0.first") == 1 - 2 / 8
    assert set(shares.values()) == {1}
    fires = firing(model, batch)["student.decode.0.0.first"]
    assert (fires[:2] == 0).all() and (fires[2:] > 0).all()


def test_no_relu_leaks_at_the_end(photos, tmp_path):
    leaks = []
    model = Denoiser(Student(TINY))
    run = Run(folder=tmp_path, config=CONFIG, model=model, optimizers=[])
    for run.step in (0, CONFIG.steps // 2, CONFIG.steps - 1):
        training.step_loss(run, make_batch(photos, CONFIG, run.step))
        leaks.append(model.student.bottom[0].first.leak)

    assert leaks[0] == CONFIG.leak > leaks[1] > 0 == leaks[2]


def test_weights_decay_by_their_rate():
    weight = torch.nn.Parameter(torch.ones(4, 4))
    weight.grad = torch.zeros(4, 4)

    Muon([weight], lr=0.5, decay=0.1).step()

    assert weight[0, 0].item() == pytest.approx(1 - 0.05)


def test_a_specialist_starts_from_another_runs_weights(photos, tmp_path):
    for name in ("general", "special"):
        (tmp_path / name).mkdir()
    general = weights(train(CONFIG, photos, tmp_path / "general", minutes=0))

    config = TrainConfig(network=TINY, steps=0, start_from="general")
    special = weights(train(config, photos, tmp_path / "special", minutes=9))

    assert all(torch.equal(general[name], special[name]) for name in general)


def test_an_int8_run_starts_from_a_float_one_and_is_calibrated(photos, tmp_path):
    for name in ("float", "int8"):
        (tmp_path / name).mkdir()
    plain = weights(train(CONFIG, photos, tmp_path / "float", minutes=0))

    config = TrainConfig(
        network=dataclasses.replace(TINY, int8=True), steps=0, patch=16, start_from="float"
    )
    rounding = weights(train(config, photos, tmp_path / "int8", minutes=9))

    assert all(torch.equal(plain[name], rounding[name]) for name in plain)
    ranges = [rounding[name] for name in rounding.keys() - plain.keys()]
    assert len(ranges) > 20
    assert all(low < high for low, high in ranges)


@pytest.fixture
def half_dead(photos, tmp_path):
    """The config of a run whose deepest block never fires; a folder for another run beside it."""
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    config = dataclasses.replace(CONFIG, network=dataclasses.replace(TINY, aligned_scales=1))
    checkpoint = train(config, photos, tmp_path / "first", minutes=0)
    state = torch.load(checkpoint, weights_only=True)
    for part in ("model", "average"):
        state[part]["student.bottom.0.first.bias"].fill_(-100)
    torch.save(state, checkpoint)
    return config


def test_a_block_that_died_starts_anew_and_changes_nothing_at_first(half_dead, photos, tmp_path):
    config = dataclasses.replace(half_dead, steps=0, start_from="first", bfloat16=False)
    train(config, photos, tmp_path / "second", minutes=9)

    first, second = (
        load_denoiser(tmp_path / name, torch.device("cpu")) for name in ("first", "second")
    )
    shares = alive(second, make_batch(photos, config, 0))
    assert shares["student.bottom.0.first"] > 0.5
    noisy, _, shot, read, _ = make_batch(photos, config, 0)
    with torch.no_grad():
        assert torch.allclose(first(noisy, shot, read), second(noisy, shot, read), atol=1e-6)
    untouched = "student.decode.1.0.first.weight"
    assert torch.equal(first.state_dict()[untouched], second.state_dict()[untouched])


def test_a_block_that_died_is_left_out_of_an_int8_network(half_dead, photos, tmp_path):
    network = dataclasses.replace(half_dead.network, int8=True)
    config = dataclasses.replace(half_dead, network=network, steps=0, start_from="first")
    train(config, photos, tmp_path / "second", minutes=9)

    second = load_denoiser(tmp_path / "second", torch.device("cpu"))
    assert second.student.bottom[0].is_constant
    assert "student.bottom.0.first" not in alive(second, make_batch(photos, config, 0))
    assert prune(second.student) == 1


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"bottom": 2}, id="aligned elsewhere"),
        pytest.param({"inputs": "bands-24"}, id="other inputs"),
        pytest.param({"widths": (8, 4, 8)}, id="narrower"),
        pytest.param({"widths": (12, 8, 8)}, id="wider"),
        pytest.param({"encode": (1, 0)}, id="shallower"),
        pytest.param({"widths": (8, 8, 8, 8), "encode": (1,) * 3, "decode": (1,) * 3}, id="scales"),
    ],
)
def test_a_run_cannot_start_from_another_network(other, photos, tmp_path):
    for name in ("small", "large"):
        (tmp_path / name).mkdir()
    train(CONFIG, photos, tmp_path / "small", minutes=0)

    config = TrainConfig(network=dataclasses.replace(TINY, **other), start_from="small")
    with pytest.raises(ValueError, match="large cannot start from small"):
        train(config, photos, tmp_path / "large", minutes=0)


def test_a_deeper_network_starts_where_a_shallower_one_ended(photos, tmp_path):
    for name in ("shallow", "deep"):
        (tmp_path / name).mkdir()
    train(CONFIG, photos, tmp_path / "shallow", minutes=0)

    deeper = dataclasses.replace(TINY, encode=(3, 2))
    config = TrainConfig(network=deeper, steps=0, start_from="shallow", bfloat16=False)
    train(config, photos, tmp_path / "deep", minutes=9)

    x = torch.rand(1, 4, 16, 16, generator=torch.Generator().manual_seed(1))
    noise = (torch.full((1, 4, 1, 1), 1e-3), torch.full((1, 4, 1, 1), 1e-5))
    with torch.no_grad():
        expected, actual = (
            load_denoiser(tmp_path / name, torch.device("cpu"))(x, *noise)
            for name in ("shallow", "deep")
        )
    assert torch.allclose(expected, actual, atol=1e-6)
    assert not torch.equal(x, actual)


def test_a_shallower_network_starts_from_the_blocks_that_are_left(photos, tmp_path):
    for name in ("deep", "shallow"):
        (tmp_path / name).mkdir()
    deep = dataclasses.replace(TINY, encode=(3, 1))
    train(dataclasses.replace(CONFIG, network=deep), photos, tmp_path / "deep", minutes=0)

    config = TrainConfig(
        network=TINY, steps=0, start_from="deep", left_out=("encode.0.0", "encode.0.2")
    )
    train(config, photos, tmp_path / "shallow", minutes=9)

    before, after = (weights(tmp_path / name / "checkpoint.pt") for name in ("deep", "shallow"))
    moved = {name: name.replace("encode.0.0", "encode.0.1") for name in after}
    assert all(torch.equal(values, before[moved[name]]) for name, values in after.items())


def test_only_blocks_that_are_there_can_be_left_out(photos, tmp_path):
    for name in ("deep", "shallow"):
        (tmp_path / name).mkdir()
    train(CONFIG, photos, tmp_path / "deep", minutes=0)

    config = TrainConfig(network=TINY, start_from="deep", left_out=("encode.0.7",))
    with pytest.raises(ValueError, match=r"left_out: encode\.0\.7, but it has bottom\.0, "):
        train(config, photos, tmp_path / "shallow", minutes=0)
    with pytest.raises(ValueError, match="start_from, which is missing"):
        TrainConfig(network=TINY, left_out=("encode.0.0",))


def test_blocks_that_start_at_zero_add_nothing_at_first_and_learn(photos, tmp_path):
    network = dataclasses.replace(TINY, aligned_scales=0)
    config = dataclasses.replace(CONFIG, network=network, zero_blocks=True, warmup=1, steps=3)
    run = training.start_or_resume(config, photos, tmp_path)
    block = run.model.student.bottom[0]
    features = torch.randn(1, 8, 4, 4, generator=torch.Generator().manual_seed(1))

    assert torch.equal(features, block(features, features))

    train(config, photos, tmp_path, minutes=9)
    assert weights(tmp_path / "checkpoint.pt")["student.bottom.0.second.weight"].abs().max() > 0


def test_feature_matching_changes_the_weights_but_not_the_teachers(photos, tmp_path):
    for name in ("teacher", "plain", "matched"):
        (tmp_path / name).mkdir()
    teacher = weights(train(CONFIG, photos, tmp_path / "teacher", minutes=0))
    config = TrainConfig(network=TINY, steps=3, batch=2, patch=16, seed=5)
    matching = dataclasses.replace(config, teacher="teacher", feature_weights=(1.0, 0.5))

    plain = weights(train(config, photos, tmp_path / "plain", minutes=9))
    matched = weights(train(matching, photos, tmp_path / "matched", minutes=9))

    assert not all(torch.equal(plain[name], matched[name]) for name in plain)
    after = weights(tmp_path / "teacher" / "checkpoint.pt")
    assert all(torch.equal(teacher[name], after[name]) for name in teacher)


def test_the_feature_loss_is_zero_for_a_perfect_output_and_grows_with_its_error():
    teacher = Denoiser(Student(TINY)).eval()
    target = torch.rand(1, 4, 16, 16, generator=torch.Generator().manual_seed(1))
    noise = (torch.full((1, 4, 1, 1), 1e-3), torch.full((1, 4, 1, 1), 1e-5))
    error = torch.randn(target.shape, generator=torch.Generator().manual_seed(2)) * 0.01

    losses = [
        feature_loss(teacher, target + size * error, target, noise, (1.0, 1.0)).item()
        for size in (0, 1, 2)
    ]

    assert 0 == losses[0] < losses[1] < losses[2]


def test_the_rates_warm_up_and_end_at_zero():
    config = TrainConfig(steps=1000, warmup=100)

    shares = [schedule(config, step) for step in range(1001)]

    assert shares[0] == pytest.approx(0.01)
    assert shares[100] == max(shares) == pytest.approx(1)
    assert shares[1000] == pytest.approx(0)


def test_every_parameter_is_trained_by_one_optimizer():
    model = Denoiser(Student(TINY))

    optimizers = make_optimizers(model, CONFIG)

    groups = [group for optimizer in optimizers for group in optimizer.param_groups]
    trained = [id(weight) for group in groups for weight in group["params"]]
    assert sorted(trained) == sorted(id(weight) for weight in model.parameters())


@pytest.mark.parametrize("shape", [(6, 40), (40, 6)])
def test_an_orthogonalized_matrix_has_singular_values_near_one(shape):
    matrix = torch.randn(*shape, generator=torch.Generator().manual_seed(1))

    values = torch.linalg.svdvals(orthogonalized(matrix))

    assert 0.6 < values.min() and values.max() < 1.3


def test_small_matrices_are_orthogonalized_together_as_alone():
    generator = torch.Generator().manual_seed(1)
    shapes = [(6, 40), (40, 6), (6, 40), (6, 12), (70, 90)]
    matrices = [torch.randn(*shape, generator=generator) for shape in shapes]

    together = all_orthogonalized(matrices)

    for matrix, result in zip(matrices, together, strict=True):
        assert result.shape == matrix.shape
        assert torch.allclose(result, orthogonalized(matrix), atol=0.02)


def test_the_loss_does_not_depend_on_the_scale_of_the_noise():
    error = torch.randn(2, 4, 8, 8)
    std = torch.full((2, 4, 8, 8), 0.02)

    loss = pixel_loss(error * std, torch.zeros_like(std), std, 0.1)

    louder = pixel_loss(error * 9 * std, torch.zeros_like(std), 9 * std, 0.1)
    assert torch.allclose(loss, louder)


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.toml")), ids=lambda path: path.stem)
def test_every_config_is_understood(path):
    assert load_config(path).steps > 0


def test_a_misspelt_setting_is_an_error(tmp_path):
    (tmp_path / "x.toml").write_text("stepps = 3\n")

    with pytest.raises(TypeError, match="stepps"):
        load_config(tmp_path / "x.toml")


def test_a_kept_run_can_be_started_from(photos, tmp_path):
    (tmp_path / "general").mkdir()
    checkpoint = train(CONFIG, photos, tmp_path / "general", minutes=0)
    (tmp_path / "general" / "config.toml").write_text("seed = 1\n")

    kept = keep(tmp_path / "general", tmp_path / "kept")

    assert kept.stat().st_size < 0.4 * checkpoint.stat().st_size
    (tmp_path / "kept" / "special").mkdir()
    config = TrainConfig(network=TINY, steps=0, start_from="general")
    special = weights(train(config, photos, tmp_path / "kept" / "special", minutes=9))
    general = weights(checkpoint)
    assert all(torch.allclose(general[n], special[n], rtol=2e-3, atol=1e-6) for n in general)


@pytest.fixture
def kept_run(photos, tmp_path):
    """The folder of a run of 7 of 60 steps, kept; where it came from lies beside."""
    (tmp_path / "general").mkdir()
    config = dataclasses.replace(CONFIG, steps=7, warmup=1)
    train(config, photos, tmp_path / "general", minutes=9)
    (tmp_path / "general" / "config.toml").write_text("seed = 1\n")
    return keep(tmp_path / "general", tmp_path / "kept").parent


def log_rows(run):
    return [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]


def test_a_kept_run_goes_on_from_its_step_and_says_so(kept_run, photos):
    train(dataclasses.replace(CONFIG, steps=10), photos, kept_run, minutes=9)

    restart, row = log_rows(kept_run)
    assert restart == {"step": 7, "restarted": "without the optimizers' state"}
    assert row["step"] == 10
    assert torch.load(kept_run / "checkpoint.pt", weights_only=True)["restarted"] == 7


def test_a_kept_run_starts_from_the_average(kept_run, photos, tmp_path):
    before = load_denoiser(tmp_path / "general", torch.device("cpu")).half().float().state_dict()

    run = training.start_or_resume(CONFIG, photos, kept_run)

    assert all(torch.equal(before[name], value) for name, value in run.model.state_dict().items())


def test_a_run_that_went_on_without_optimizers_resumes_to_the_same_weights(
    kept_run, photos, tmp_path
):
    config = dataclasses.replace(CONFIG, steps=12)
    shutil.copytree(kept_run, tmp_path / "parts")
    expected = weights(train(config, photos, kept_run, minutes=9))
    for _ in range(5):
        checkpoint = train(config, photos, tmp_path / "parts", minutes=0)

    actual = weights(checkpoint)
    assert all(torch.equal(expected[name], actual[name]) for name in expected)


def test_rates_warm_up_once_more_where_a_run_goes_on_without_its_optimizers():
    config = TrainConfig(steps=1000, warmup=100, rewarm=50)

    shares = [schedule(config, step, 400) for step in range(400, 500)]

    assert shares[0] == pytest.approx(schedule(config, 400) / 50)
    assert shares[25] < shares[49] == pytest.approx(schedule(config, 449))
    assert shares[50:] == [schedule(config, step) for step in range(450, 500)]


def test_what_is_used_of_a_run_is_the_average_of_its_weights(photos, tmp_path):
    config = dataclasses.replace(CONFIG, steps=3, average=0.5, warmup=1)
    seen, update = [], Run.update

    def watched(run, loss):
        update(run, loss)
        seen.append({name: value.clone() for name, value in run.model.named_parameters()})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Run, "update", watched)
        run = training.start_or_resume(config, photos, tmp_path)
        first = {name: value.clone() for name, value in run.model.named_parameters()}
        train(config, photos, tmp_path, minutes=9)

    used = dict(load_denoiser(tmp_path, torch.device("cpu")).named_parameters())
    for name, start in first.items():
        expected = start.detach()
        for step, each in enumerate(seen, 1):
            decay = min(0.5, (1 + step) / (10 + step))
            expected = decay * expected + (1 - decay) * each[name]
        assert torch.allclose(expected, used[name], atol=1e-6)
        assert not torch.equal(seen[-1][name], used[name]) or not start.ndim


def test_a_network_that_is_still_in_training_leaks_as_it_did(photos, tmp_path):
    train(dataclasses.replace(CONFIG, steps=10), photos, tmp_path, minutes=0)  # one step
    leak = load_denoiser(tmp_path, torch.device("cpu")).student.bottom[0].first.leak
    assert leak == pytest.approx(CONFIG.leak * (1 - 1 / 9))

    train(dataclasses.replace(CONFIG, steps=10), photos, tmp_path, minutes=9)
    assert load_denoiser(tmp_path, torch.device("cpu")).student.bottom[0].first.leak == 0


def test_the_log_tells_of_gradients(photos, tmp_path):
    train(dataclasses.replace(CONFIG, steps=3), photos, tmp_path, minutes=9)

    (row,) = log_rows(tmp_path)
    assert 0 < row["gradient"] <= row["gradient_most"]
    assert 0 <= row["clipped"] <= 1
    assert row["clipped"] == 0 or row["gradient_most"] > 1


@pytest.mark.parametrize("lost", ["loss", "weight"])
def test_a_lost_run_stops_and_keeps_its_last_good_checkpoint(lost, photos, tmp_path, monkeypatch):
    checkpoint = train(CONFIG, photos, tmp_path, minutes=0)
    before = checkpoint.read_bytes()
    loss_of = training.step_loss

    def broken(run, batch):
        loss = loss_of(run, batch)
        if run.step < 3:
            return loss
        if lost == "loss":
            return loss * math.nan
        run.model.student.leave.bias.data.fill_(math.inf)
        return loss

    monkeypatch.setattr(training, "step_loss", broken)
    monkeypatch.setattr(training, "CHECKPOINT_SECONDS", 0)  # at every step
    with pytest.raises(FloatingPointError, match="not finite at step 3"):
        train(CONFIG, photos, tmp_path, minutes=9)

    after = torch.load(checkpoint, weights_only=True)
    assert before != checkpoint.read_bytes()
    assert after["step"] == 3
    assert all(value.isfinite().all() for value in after["model"].values())


def test_the_command_line_ends_with_one_line_where_a_run_is_lost(photos, tmp_path, monkeypatch):
    (tmp_path / "lost.toml").write_text(
        "steps = 3\nbatch = 2\npatch = 16\n[network]\nwidths = [8, 8, 8]\n"
    )
    command = ["train", str(tmp_path / "lost.toml"), "--photos", "x", "--runs", str(tmp_path / "r")]
    monkeypatch.setattr(sys, "argv", command)
    monkeypatch.setattr(training, "load_photos", lambda *_: photos)
    monkeypatch.setattr(training, "pixel_loss", lambda *_: torch.tensor(math.nan).requires_grad_())

    with pytest.raises(SystemExit, match="lost: the loss.* not finite at step 0.*Lower the rates"):
        training.main()

    assert not (tmp_path / "r" / "lost" / "checkpoint.pt").exists()
