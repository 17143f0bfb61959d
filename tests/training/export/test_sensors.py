"""Networks for X-Trans and monochrome sensors, from photographs to denoised mosaics."""

import json

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("torch")
pytest.importorskip("onnx")

import fadn_cli  # noqa: E402
from fadn_cli.denoise import frame  # noqa: E402
from fadn_cli.denoise.network import specialists  # noqa: E402
from fadn_cli.denoise.sensors.kinds import SENSORS  # noqa: E402
from fadn_cli.mosaic.cfa import CfaPattern  # noqa: E402
from fadn_cli.training.export.weights import export  # noqa: E402
from fadn_cli.training.judge.files import measure_files  # noqa: E402
from fadn_cli.training.judge.ruler import (  # noqa: E402
    LEVELS,
    colors_exactly,
    cut_mosaic,
    pattern_of,
    typical_read_noise,
)
from fadn_cli.training.run.config import load_config  # noqa: E402
from fadn_cli.training.run.train import train  # noqa: E402
from tests.making.tiles import cut_small  # noqa: E402

SHOT = 6.4e-3
READ = float(typical_read_noise(SHOT))
CONFIG = """
steps = {steps}
warmup = 10
batch = 8
patch = 24
seed = 3
{more}

[network]
inputs = "{inputs}"
widths = [16]
encode = []
bottom = 2
decode = []
int8 = {int8}

[noise]
shot_low = 2e-3
shot_high = 2e-2

[dirt]
black_error = 0.0
gain_spread = 0.0

[specialist]
name = "tiny-{kind}"
quality = "fast"
noise_range = [0.0, inf]
"""


def train_tiny(kind, inputs, photos, folder):
    """Train a tiny network for a sensor, float and then int8; return the int8 run's folder."""
    for name, steps, more in (("float", 150, ""), ("int8", 20, 'start_from = "float"')):
        run = folder / name
        run.mkdir()
        int8 = "true" if name == "int8" else "false"
        text = CONFIG.format(kind=kind, inputs=inputs, steps=steps, more=more, int8=int8)
        (run / "config.toml").write_text(text)
        train(load_config(run / "config.toml"), photos, run, minutes=2)
    return run


@pytest.fixture(scope="module")
def ruler_folder(tmp_path_factory):
    """A folder of one drawn photograph."""
    rows, cols = np.mgrid[:240, :252].astype(np.float32)
    grey = 120 + 60 * np.sin(rows / 15) * np.cos(cols / 21) + 40 * np.sign(np.sin(rows / 40))
    pixels = np.stack([grey, grey * 0.9 + 10, 230 - grey], axis=2).clip(0, 255)
    folder = tmp_path_factory.mktemp("ruler")
    Image.fromarray(pixels.astype(np.uint8)).save(folder / "drawn.png")
    return folder


@pytest.fixture(scope="module")
def weights(photos, ruler_folder, tmp_path_factory):
    """A folder of a tiny network for each new kind of sensor, in place of the bundled ones."""
    folder = tmp_path_factory.mktemp("weights")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(specialists, "folder", lambda: folder)
        specialists.bundled.cache_clear()
        for kind, inputs in (("xtrans", "xtrans-bands-16"), ("mono", "mono-bands-7")):
            run = train_tiny(kind, inputs, photos, tmp_path_factory.mktemp(kind))
            export(run, photos, ruler_folder, folder)
        yield folder
    specialists.bundled.cache_clear()


@pytest.fixture(scope="module")
def scene(ruler_folder):
    """For each sensor: a mosaic in its canonical phase, clean and noisy, and its noise's sigma."""
    with Image.open(ruler_folder / "drawn.png") as image:
        pixels = np.asarray(image)
    made = {}
    for kind, sensor in SENSORS.items():
        rng = np.random.default_rng(5)
        colors = colors_exactly(pixels, rng, sensor)
        clean = cut_mosaic(colors, sensor, 240 // sensor.cell, 252 // sensor.cell)
        clean = sensor.unpack(clean)
        std = np.sqrt(SHOT * clean + READ)
        made[kind] = clean, (clean + std * rng.normal(size=clean.shape)).astype(np.float32), std
    return made


def denoise(noisy, cfa):
    """Denoise with the noise given."""
    return fadn_cli.denoise_mosaic(noisy, cfa=cfa, shot_noise=SHOT, read_noise=READ)


def rms(x):
    return float(np.sqrt(np.mean(np.square(x))))


@pytest.mark.parametrize("kind", ["xtrans", "mono"])
def test_the_row_says_what_the_network_is(weights, kind):
    rows = json.loads((weights / "manifest.json").read_text())["specialists"]

    [row] = [each for each in rows if each["cfa_kind"] == kind]

    assert f"tiny-{kind}" == row["name"]
    assert 2 == row["alignment"]
    assert row["inputs"].startswith(kind)
    assert set(LEVELS) == set(row["psnr"])
    assert all(0 < share < 1.2 for _, share in row["residual_std"])
    assert row["residual_std"][-2][1] < 0.5


@pytest.mark.parametrize("kind", ["xtrans", "mono"])
def test_most_of_the_noise_goes(weights, scene, kind):
    clean, noisy, std = scene[kind]

    output = denoise(noisy, pattern_of(SENSORS[kind]))

    assert rms((output - clean) / std) < 0.6


def test_every_phase_is_denoised_alike(weights, scene):
    """A phase error looks like a mosaic that was hardly denoised."""
    _, noisy, std = scene["xtrans"]
    pattern = CfaPattern.parse(pattern_of(SENSORS["xtrans"]))
    whole = denoise(noisy, pattern.colors)
    inside = np.s_[60:180, 60:180]

    for top, left in [(0, 1), (1, 0), (2, 5), (3, 0), (0, 3), (3, 3), (5, 2), (4, 4)]:
        cut = denoise(noisy[top:, left:], pattern.shifted(top, left).colors)
        again = np.zeros_like(whole)
        again[top:, left:] = cut
        assert rms(((again - whole) / std)[inside]) < 0.1

    wrong = denoise(noisy, pattern.shifted(1, 0).colors)
    assert rms(((wrong - whole) / std)[inside]) > 1


@pytest.mark.parametrize("kind", ["xtrans", "mono"])
def test_tiled_is_untiled(weights, scene, kind, monkeypatch):
    _, noisy, std = scene[kind]
    pattern = pattern_of(SENSORS[kind])
    whole = denoise(noisy, pattern)

    cut_small(monkeypatch, 2, exact=True)  # raised to what the overlap needs
    counts = []
    run = frame._run_tiles
    monkeypatch.setattr(
        frame, "_run_tiles", lambda grid, *rest: counts.append(len(grid)) or run(grid, *rest)
    )
    tiled = denoise(noisy, pattern)

    assert counts[0] > 3
    assert np.abs((tiled - whole) / std).max() < 0.05
    assert rms((tiled - whole) / std) < 0.005


@pytest.mark.parametrize("kind", ["xtrans", "mono"])
def test_files_of_every_sensor_come_out_with_less_noise(weights, ruler_folder, kind):
    [(_, [score])] = measure_files(ruler_folder, only="ISO 3200", sensor=SENSORS[kind])

    assert score.source + 3 < score.file
    assert score.file == pytest.approx(score.kept_float, abs=0.1)
    assert 0.5 < score.noise < 2
