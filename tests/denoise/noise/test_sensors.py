"""Noise is measured alike on every kind of sensor."""

import numpy as np
import pytest

from fadn_cli.denoise.noise.blocks import measure_blocks
from fadn_cli.denoise.noise.estimate import estimate_noise
from fadn_cli.denoise.sensors.kinds import SENSORS, pack_mosaic
from fadn_cli.mosaic.cfa import CfaPattern
from tests.making.sensors import COLORS, filtered

HEIGHT, WIDTH = 360, 480
ROWS, COLS = np.mgrid[:HEIGHT, :WIDTH]

every_sensor = pytest.mark.parametrize("kind", SENSORS)


def scene(texture=0.2):
    """Flat patches, slopes, and red (1/f) texture on the right half."""
    rng = np.random.default_rng(3)
    spectrum = np.fft.rfft2(rng.normal(size=(HEIGHT, WIDTH)))
    radius = np.hypot(np.fft.fftfreq(HEIGHT)[:, None], np.fft.rfftfreq(WIDTH))
    red = np.fft.irfft2(spectrum / np.maximum(radius, 1 / WIDTH) ** 1.5, (HEIGHT, WIDTH))
    x = 0.05 + 0.6 * (ROWS // 60) / 6 + 0.05 * COLS / WIDTH
    return np.clip(x * (1 + texture * red / red.std() * (COLS > WIDTH // 2)), 0.002, 0.95)


def noisy(clean, shot, read, seed=8):
    rng = np.random.default_rng(seed)
    x = rng.poisson(clean / shot) * shot + rng.normal(0, np.sqrt(read), clean.shape)
    return x.astype(np.float32)


@every_sensor
@pytest.mark.parametrize("origin", [(0, 0), (1, 2), (4, 0)])
@pytest.mark.parametrize(("shot", "read"), [(1e-4, 1e-8), (1.6e-3, 2e-6), (2.5e-2, 1e-3)])
def test_noise_is_found_on_every_sensor_and_phase(kind, origin, shot, read):
    cfa = CfaPattern(colors=COLORS[kind]).shifted(*origin)
    packed, packing = pack_mosaic(noisy(filtered(scene(), cfa), shot, read), cfa)

    model = estimate_noise(packed, sensor=packing.sensor)

    assert model.colors == SENSORS[kind].noise_colors
    level = np.array([0.1, 0.4])
    found = model.shot_noise[0] * level + model.read_noise[0]
    np.testing.assert_allclose(np.sqrt(found / (shot * level + read)), 1, atol=0.1)


@every_sensor
@pytest.mark.parametrize("texture", [0.0, 0.4])
def test_the_colours_of_a_cell_are_no_texture(kind, texture):
    """Coloured light makes a pattern of the cell, which is no noise, on whole places too."""
    cfa = CfaPattern(colors=COLORS[kind])
    gains = (0.15, 1.0, 0.3)
    packed, packing = pack_mosaic(noisy(filtered(scene(texture), cfa, gains), 1e-4, 1e-8), cfa)

    model = estimate_noise(packed, sensor=packing.sensor)

    assert np.sqrt(model.shot_noise[0] / 1e-4) == pytest.approx(1, abs=0.15)


@every_sensor
def test_white_noise_has_its_variance_at_high_frequencies_of_planes_and_places(kind):
    cfa = CfaPattern(colors=COLORS[kind])
    x = np.random.default_rng(2).normal(0.5, 0.01, (600, 720)).astype(np.float32)
    packed, packing = pack_mosaic(x, cfa)

    for found in measure_blocks(packed, packing.sensor):
        assert found.high.mean() == pytest.approx(1e-4, rel=0.02)
        assert found.check.mean() == pytest.approx(1e-4, rel=0.03)
        spread = np.var(found.high) / 1e-8  # of a mean of squares: 2 / freedoms
        assert 2 / spread == pytest.approx(found.freedoms * 4, rel=0.35)


@every_sensor
def test_offsets_of_rows_are_no_noise_of_pixels(kind):
    cfa = CfaPattern(colors=COLORS[kind])
    rng = np.random.default_rng(2)
    x = rng.normal(0.5, 0.01, (600, 720)) + rng.normal(0, 0.01, (600, 1))
    packed, packing = pack_mosaic(x.astype(np.float32), cfa)

    blocks, _ = measure_blocks(packed, packing.sensor)

    # the pairs of X-Trans, two of seven planes, mix rows from cell to cell
    assert blocks.high.mean() < (1.5e-4 if kind == "xtrans" else 1.1e-4)
