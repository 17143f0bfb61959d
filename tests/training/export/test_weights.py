"""What is exported is what was trained."""

import dataclasses

import numpy as np
import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")

from fadn_cli.denoise.network import inference as network  # noqa: E402
from fadn_cli.denoise.network import specialists  # noqa: E402
from fadn_cli.denoise.noise import stabilize  # noqa: E402
from fadn_cli.noise import noise_model  # noqa: E402
from fadn_cli.training.export import weights as export  # noqa: E402
from fadn_cli.training.export.weights import check_parity  # noqa: E402
from fadn_cli.training.network.config import StudentConfig  # noqa: E402
from fadn_cli.training.network.model import Denoiser, Student, prune  # noqa: E402
from fadn_cli.training.network.onnx_graph import build_onnx  # noqa: E402
from fadn_cli.training.network.quantize import (  # noqa: E402
    calibrate,
    convolutions,
    set_rounding,
)

TINY = StudentConfig(widths=(8, 8, 8), embedding=4)
FULL = dataclasses.replace(
    TINY, inputs="highpass-8", encode=(0, 1), decode=(2, 1), aligned_from=1, aligned_scales=1
)


@pytest.fixture(scope="module")
def trained():
    """A tiny network with weights that do something."""
    torch.manual_seed(3)
    student = Student(TINY).eval()
    torch.nn.init.normal_(student.leave.weight, std=0.2)
    return Denoiser(student)


@pytest.fixture(scope="module")
def batches():
    """Inputs as a photograph's would be: noise of half a unit."""
    rng = np.random.default_rng(1)
    return [rng.normal(0, 0.6, (1, 20, 24, 32)).astype(np.float32) for _ in range(4)]


def test_the_float_graph_is_the_module(trained, batches):
    assert check_parity(trained.student, batches) < 1e-4


@pytest.mark.parametrize("int8", [False, True])
def test_a_graph_that_differs_is_not_exported(trained, batches, int8, monkeypatch):
    torch.manual_seed(5)
    student = Student(dataclasses.replace(TINY, int8=int8)).eval()
    torch.nn.init.normal_(student.leave.weight)
    if int8:
        calibrate(student, [(torch.from_numpy(batch),) for batch in batches])
    monkeypatch.setattr(export, "build_onnx", lambda _: build_onnx(trained.student))

    with pytest.raises(ValueError, match="differs from the module by"):
        check_parity(student, batches)


def test_every_layer_keeps_its_name(trained):
    nodes = {node.name for node in build_onnx(trained.student).graph.node}
    layers = {
        name.removeprefix("student.")
        for name, layer in trained.named_modules()
        if isinstance(layer, torch.nn.Conv2d)
    }

    assert layers <= nodes
    assert len(layers) > 20


@pytest.mark.parametrize("scales", [1, 2])
def test_scales_that_are_not_aligned_need_no_view(batches, scales):
    torch.manual_seed(6)
    student = Student(dataclasses.replace(TINY, aligned_scales=scales)).eval()
    torch.nn.init.normal_(student.leave.weight)

    names = [node.name for node in build_onnx(student).graph.node]

    assert check_parity(student, batches) < 1e-4
    assert scales == len([name for name in names if name.endswith(".align.scaled")])
    assert scales - 1 == len([name for name in names if name.startswith("view.")])


def test_the_same_weights_give_the_same_bytes(trained):
    first = build_onnx(trained.student).SerializeToString(deterministic=True)

    assert first == build_onnx(trained.student).SerializeToString(deterministic=True)


def test_the_int8_graph_rounds_as_training_did(batches):
    torch.manual_seed(4)
    student = Student(dataclasses.replace(TINY, int8=True)).eval()
    torch.nn.init.normal_(student.leave.weight, std=0.2)
    calibrate(student, [(torch.from_numpy(batch),) for batch in batches])

    kernels = check_parity(student, batches)

    errors = []
    for batch in map(torch.from_numpy, batches):
        with torch.no_grad():
            expected = student(batch)
            set_rounding(student, False)
            exact = student(batch)
            set_rounding(student, True)
        errors.append((exact - expected).square().mean().sqrt() / exact.std())
    assert 0 < min(errors) and max(errors) < 0.1
    assert kernels < 0.5 * min(errors)  # the odd value on a tie between two steps


@pytest.fixture
def half_dead(batches):
    """An int8 network whose deepest block never fires."""
    torch.manual_seed(8)
    student = Student(dataclasses.replace(TINY, int8=True, aligned_scales=1)).eval()
    torch.nn.init.normal_(student.leave.weight, std=0.2)
    torch.nn.init.constant_(student.bottom[0].first.bias, -100)
    torch.nn.init.constant_(student.bottom[0].second.bias, 0.7)
    calibrate(student, [(torch.from_numpy(batch),) for batch in batches])
    return student


def test_blocks_that_never_fire_are_left_out_and_nothing_changes(half_dead, batches):
    with torch.no_grad():
        before = [half_dead(torch.from_numpy(batch)) for batch in batches]
    reach = half_dead.receptive_field

    assert prune(half_dead) == 1
    assert prune(half_dead) == 0

    with torch.no_grad():
        after = [half_dead(torch.from_numpy(batch)) for batch in batches]
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))
    assert half_dead.receptive_field == reach - 2 * 2 * 8  # two 3x3 convolutions of 8 packed pixels
    names = {node.name for node in build_onnx(half_dead).graph.node}
    assert "bottom.0.first" not in names
    assert "decode.1.0.first" in names
    check_parity(half_dead, batches)


def test_a_bias_that_does_not_fit_is_not_written(half_dead):
    with pytest.raises(ValueError, match=r"bottom\.0\.second: .* so narrow that its bias"):
        build_onnx(half_dead)


def test_blocks_that_fire_are_kept(trained, batches):
    student = Student(dataclasses.replace(TINY, int8=True, aligned_scales=1)).eval()
    calibrate(student, [(torch.from_numpy(batch),) for batch in batches])

    assert prune(student) == prune(trained.student) == 0


def test_int8_weights_keep_seven_bits(batches):
    student = Student(dataclasses.replace(TINY, int8=True)).eval()
    calibrate(student, [(torch.from_numpy(batch),) for batch in batches])

    graph = build_onnx(student).graph

    weights = [
        onnx.numpy_helper.to_array(tensor)
        for tensor in graph.initializer
        if tensor.name.endswith("weight.steps")
    ]
    assert len(weights) == len(convolutions(student))
    assert all(
        values.dtype == np.int8 and abs(values.astype(int)).max() == 63 for values in weights
    )


@pytest.mark.parametrize("inputs", stabilize.KINDS)
def test_what_is_exported_denoises_as_what_was_trained(inputs, monkeypatch, tmp_path):
    torch.manual_seed(8)
    config = dataclasses.replace(
        FULL if stabilize.KINDS[inputs].unshuffle == 1 else TINY, inputs=inputs
    )
    student = Student(dataclasses.replace(config, int8=True)).eval()
    torch.nn.init.normal_(student.leave.weight, std=0.2)
    model = Denoiser(student)
    sensor = stabilize.KINDS[inputs].sensor
    x = torch.rand(2, sensor.planes, 64, 96)
    ones = torch.ones(2, len(sensor.noise_colors), 1, 1)
    calibrate(model, [(x, 1e-2 * ones, 1e-4 * ones)])
    export.write_onnx(student, tmp_path / "tiny.onnx")
    monkeypatch.setattr(network, "read_weights", lambda _: (tmp_path / "tiny.onnx").read_bytes())
    row = specialists.bundled()[0]
    row = dataclasses.replace(row, inputs=student.config.inputs, alignment=student.alignment)

    noise = noise_model(1e-2, 1e-4, source="test", colors=sensor.noise_colors)
    result = network.Network(row, threads=1)(x[0].numpy(), noise)

    with torch.no_grad():
        expected = model(x[:1], 1e-2 * ones[:1], 1e-4 * ones[:1])[0].numpy()
    change = np.sqrt(np.mean((expected - x[0].numpy()) ** 2))
    assert np.sqrt(np.mean((result - expected) ** 2)) < 0.02 * change
