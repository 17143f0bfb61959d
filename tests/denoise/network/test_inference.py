"""The bundled networks do what their manifest says, alone and over a tiled frame."""

from dataclasses import replace
from textwrap import dedent
from types import SimpleNamespace

import numpy as np
import onnxruntime
import pytest

from fadn_cli.denoise import frame
from fadn_cli.denoise.frame import denoise_packed
from fadn_cli.denoise.network import specialists
from fadn_cli.denoise.network.inference import Network, make_features, on_processor
from fadn_cli.denoise.noise import stabilize
from fadn_cli.denoise.sensors.kinds import SENSORS
from fadn_cli.errors import InferenceError
from fadn_cli.noise import noise_model
from tests.making.tiles import cut_small
from tests.programs.fadn import fadn

NAMES = [specialist.name for specialist in specialists.bundled()]


def noise_for(specialist):
    """A noise in the middle of a specialist's range."""
    low, high = specialist.noise_range
    std = (max(low, 2e-3) * min(high, 0.1)) ** 0.5
    colors = SENSORS[specialist.cfa_kind].noise_colors
    return noise_model(std**2 / 0.18, 1e-7, source="test", colors=colors)


def textured(height, width, noise, seed=0):
    """A noisy packed scene of gradients and edges, and the clean one."""
    rng = np.random.default_rng(seed)
    rows, cols = np.mgrid[:height, :width]
    clean = 0.2 + 0.1 * np.sin(cols / 19) + 0.08 * ((rows // 24 + cols // 31) % 2)
    [sensor] = (each for each in SENSORS.values() if each.noise_colors == noise.colors)
    gains = [{"R": 0.6, "B": 0.7}.get(color, 1.0) for color in sensor.colors]
    clean = np.stack([clean * gain for gain in gains]).astype(np.float32)
    shot, read = sensor.noise_of_planes(noise)
    std = np.sqrt(shot * clean + read)
    return clean, (clean + std * rng.standard_normal(clean.shape)).astype(np.float32), std


@pytest.fixture(params=NAMES)
def specialist(request):
    return specialists.find(request.param)


def test_most_of_the_noise_is_removed(specialist):
    noise = noise_for(specialist)
    clean, packed, _ = textured(128, 160, noise)

    out = Network(specialist, threads=1)(packed, noise)

    assert np.mean((out - clean) ** 2) < 0.25 * np.mean((packed - clean) ** 2)


def test_results_are_float32_unclipped_and_the_input_is_kept(specialist):
    noise = noise_for(specialist)
    packed = textured(64, 64, noise)[1] - np.float32(0.3)
    before = packed.copy()

    out = Network(specialist, threads=1)(packed, noise)

    assert np.float32 == out.dtype
    assert out.min() < 0
    assert np.array_equal(before, packed)


def test_sides_that_are_no_multiple_of_the_alignment_are_refused(specialist):
    side = 5 * specialist.alignment + 2
    packed = np.zeros((SENSORS[specialist.cfa_kind].planes, side, side), np.float32)

    with pytest.raises(ValueError, match=f"multiple of {specialist.alignment}"):
        Network(specialist, threads=1)(packed, noise_for(specialist))


def test_a_failing_runtime_is_one_line_that_says_what_to_do(monkeypatch):
    specialist = specialists.bundled()[0]
    network = Network(specialist, threads=1)

    def fail(*_):
        raise RuntimeError("Failed to allocate memory\nat page 1")

    monkeypatch.setattr(network, "_session", SimpleNamespace(run=fail))
    with pytest.raises(InferenceError) as caught:
        network(np.zeros((4, 32, 48), np.float32), noise_for(specialist))

    assert f"{specialist.name} failed on a 48x32 tile: Failed to allocate memory" == str(
        caught.value
    )
    assert "--threads 1" in caught.value.advice


def test_the_receptive_field_is_no_larger_than_declared(specialist):
    noise = noise_for(specialist)
    _, packed, std = textured(176, 176, noise)
    changed = packed.copy()
    changed[:, 88, 88] += 4 * std[:, 88, 88]
    network = Network(specialist, threads=1)

    rows, cols = np.nonzero((network(packed, noise) != network(changed, noise)).any(axis=0))

    reach = specialist.receptive_field // 2
    assert np.abs(np.concatenate([rows, cols]) - 88).max() <= reach


def test_a_border_shows_as_far_as_the_reach_says_and_no_farther(specialist):
    noise = noise_for(specialist)
    _, packed, _ = textured(160, 320, noise)
    network = Network(specialist, threads=1)
    whole, side = network(packed, noise), 160

    right = network(np.ascontiguousarray(packed[..., side:]), noise) != whole[..., side:]
    left = network(np.ascontiguousarray(packed[..., :side]), noise) != whole[..., :side]

    shown = [np.flatnonzero(each.any(axis=(0, 1))) for each in (right, left[..., ::-1])]
    farthest = max(each.max() for each in shown) + 1
    # The last pixels' share is less than a step of 8 bits in a network with a long way to them.
    assert 0 <= specialist.reach - farthest < specialist.alignment


@pytest.mark.parametrize(("rounded", "most"), ((False, 0.01), (True, 0.05)))
def test_seams_do_not_show_on_flat_grey(rounded, most, specialist, monkeypatch):
    """int8 rounds elsewhere as soon as anything differs: grain among grain, and no line."""
    noise = noise_for(specialist)
    shot, read = SENSORS[specialist.cfa_kind].noise_of_planes(noise)
    small = replace(specialist, tile=specialist.overlap + 96)
    size = len(shot), 128, 2 * small.tile - small.overlap
    std = np.sqrt(shot * np.float32(0.18) + read)
    packed = np.random.default_rng(5).standard_normal(size).astype(np.float32)
    packed = np.float32(0.18) + std * packed
    part = specialist if rounded else specialist.twin
    session = on_processor(part.file, specialists.read_weights(part), 1)
    network = Network(specialist, threads=1, session=session)
    monkeypatch.setattr(frame, "load_network", lambda *_: network)

    whole, _ = denoise_packed(packed, noise, replace(specialist, tile=size[2]))
    tiled, tiles = denoise_packed(packed, noise, small)

    change = (tiled - whole) / std
    columns = np.mean(np.square(change), axis=(0, 1))
    seam = np.sqrt(np.convolve(columns, np.full(8, 1 / 8), mode="valid"))  # 8 packed px at a time
    assert 2 == tiles
    assert 0 < seam.max() < most
    assert np.abs(change.mean(axis=(0, 1))).max() < 0.01


def test_tiled_equals_untiled(specialist, monkeypatch):
    noise = noise_for(specialist)
    _, packed, _ = textured(300, 260, noise)

    whole, count = denoise_packed(packed, noise, specialist, threads=1)
    cut_small(monkeypatch, 160, exact=True)
    tiled, tiles = denoise_packed(packed, noise, specialist, threads=2)

    assert (1, True) == (count, tiles > 4)
    np.testing.assert_allclose(whole, tiled, atol=1e-5, rtol=0)


@pytest.mark.parametrize("threads", (1, 2, 3))
def test_the_number_of_threads_does_not_show(threads, monkeypatch):
    specialist = specialists.bundled()[0]
    noise = noise_for(specialist)
    _, packed, _ = textured(200, 210, noise)
    cut_small(monkeypatch, 144)

    expected, _ = denoise_packed(packed, noise, specialist, threads=1)
    actual, _ = denoise_packed(packed, noise, specialist, threads=threads)

    assert np.array_equal(expected, actual)


def test_moving_the_scene_by_the_alignment_moves_the_result(specialist):
    noise = noise_for(specialist)
    _, packed, std = textured(192, 192, noise)
    step = specialist.alignment
    network = Network(specialist, threads=1)

    moved = network(np.ascontiguousarray(packed[:, step:, : 192 - step]), noise)

    reach = specialist.receptive_field // 2 + step
    inner = (slice(None), slice(reach, 184 - reach), slice(reach, 184 - reach))
    np.testing.assert_allclose(
        network(packed, noise)[:, step:, : 192 - step][inner], moved[inner], atol=1e-5, rtol=0
    )


def test_progress_counts_every_tile(monkeypatch):
    specialist = specialists.bundled()[0]
    noise = noise_for(specialist)
    cut_small(monkeypatch, 144)
    seen = []

    _, tiles = denoise_packed(
        textured(200, 210, noise)[1],
        noise,
        specialist,
        on_tile=lambda done, total: seen.append((done, total)),
    )

    assert [(index + 1, tiles) for index in range(tiles)] == seen


@pytest.mark.parametrize("shot_noise", (0.0, 1e-9, 1e-2))
@pytest.mark.parametrize("read_noise", (0.0, 1e-3))
@pytest.mark.parametrize("inputs", stabilize.KINDS.values(), ids=lambda inputs: inputs.name)
def test_features_are_finite_for_every_sample_and_noise(shot_noise, read_noise, inputs):
    colors = inputs.sensor.noise_colors
    noise = noise_model(shot_noise, read_noise, source="test", colors=colors)
    packed = np.zeros((inputs.sensor.planes, 64, 64), np.float32)
    packed[:, ::3, ::5], packed[:, 1::7] = -0.5, 40.0

    features, std = make_features(packed, noise, inputs)

    side = 64 // inputs.unshuffle
    assert (1, int(inputs.name.split("-")[-1]), side, side) == features.shape
    assert np.isfinite(features).all()
    assert np.isfinite(std).all()
    assert (std > 0).all()
    assert {np.dtype(np.float32)} == {features.dtype, std.dtype}


@pytest.mark.parametrize(
    ("shot_noise", "read_noise"),
    ((0.0, 1e-2), (1e-5, 1e-2), (1e-6, 1e-4), (0.0, 2.5e-5), (0.2, 0.0)),
)
def test_noise_no_sensor_has_is_still_removed(shot_noise, read_noise):
    noise = noise_model(shot_noise, read_noise, source="test")
    clean, packed, _ = textured(128, 160, noise)
    specialist = specialists.choose(noise)

    out, _ = denoise_packed(packed, noise, specialist, threads=1)

    assert np.mean((out - clean) ** 2) < 0.3 * np.mean((packed - clean) ** 2)


def test_noise_has_one_scale_in_the_features_whatever_the_iso():
    rng = np.random.default_rng(3)
    stds = []
    for shot in (1e-5, 1e-3, 2e-2):
        flat = np.full((4, 128, 128), 0.3, np.float32)
        packed = flat + np.sqrt(0.3 * shot) * rng.standard_normal(flat.shape).astype(np.float32)
        noise = noise_model(shot, 0.0, source="test")
        features, _ = make_features(packed, noise, stabilize.KINDS["bands-28"])
        stds.append(features[0, :16].std())

    assert stds == pytest.approx([np.mean(stds)] * 3, rel=0.02)


def test_weights_that_memory_is_too_little_for_are_not_taken_for_unknown(monkeypatch):
    def fail(*arguments, **options):
        raise RuntimeError("[ONNXRuntimeError] : 1 : FAIL : std::bad_alloc\nand much more")

    monkeypatch.setattr(onnxruntime, "InferenceSession", fail)

    with pytest.raises(
        InferenceError, match=r"onnx: memory is too little \(.*bad_alloc\)$"
    ) as caught:
        Network(specialists.bundled()[0], threads=1)

    assert "ulimit -v" in caught.value.advice


def test_no_run_leaves_a_trace_of_the_user_or_the_machine(tmp_path):
    """onnxruntime's telemetry would: an identity in the cache, and what is to be sent."""
    code = """
        from fadn_cli.denoise.network import specialists
        from fadn_cli.denoise.network.inference import Network

        Network(specialists.bundled()[-1], threads=1)
    """
    places = ("HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "LOCALAPPDATA", "USERPROFILE")
    changes = dict.fromkeys(places, str(tmp_path))

    done = fadn(code=dedent(code), changes=changes)

    assert 0 == done.returncode, done.stderr
    assert [] == list(tmp_path.iterdir())
