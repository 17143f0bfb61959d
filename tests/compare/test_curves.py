"""The curves are the noise there is, before and after, whatever else is in the picture."""

import numpy as np
import pytest

from fadn_cli.compare.curves import measure_curves, noise_left
from fadn_cli.noise import noise_model

NOISE = noise_model(2e-4, 4e-6, source="given")
LEFT = 0.2  # of the noise's standard deviation


def scene(*, textured):
    """A (h, w) scene: a ramp over eight stops; every other strip may be textured."""
    height, width = 512, 768
    ramp = np.exp2(np.linspace(-8, -0.5, width))[None].repeat(height, axis=0)
    if textured:
        rows = np.arange(height) // 64 % 2 == 1
        ramp[rows] *= 1 + 0.2 * np.random.default_rng(1).normal(size=(rows.sum(), width))
    return ramp


def pair(clean):
    """Source and output as planes: noise, and a part of it left."""
    clean = np.stack([clean] * 4).astype(np.float32)
    std = np.sqrt(2e-4 * clean + 4e-6)
    noise = (np.random.default_rng(2).normal(size=clean.shape) * std).astype(np.float32)
    return clean + noise, clean + np.float32(LEFT) * noise


@pytest.mark.parametrize("textured", (False, True))
def test_the_noise_is_measured_at_every_brightness(textured):
    points = measure_curves(*pair(scene(textured=textured)), NOISE)

    assert len(points) >= 10
    for point in points:
        expected = np.sqrt(2e-4 * point.level + 4e-6)
        assert expected == pytest.approx(point.before, rel=0.12)
        assert LEFT * expected == pytest.approx(point.after, rel=0.12)
    assert LEFT == pytest.approx(noise_left(points), rel=0.05)


def test_points_go_from_dark_to_bright():
    levels = [point.level for point in measure_curves(*pair(scene(textured=False)), NOISE)]

    assert sorted(levels) == levels


def test_texture_alone_gives_no_points():
    rng = np.random.default_rng(3)
    textured = (0.2 * (1 + 0.3 * rng.normal(size=(4, 256, 256)))).astype(np.float32)

    assert () == measure_curves(textured, textured, NOISE)
    assert noise_left(()) is None


@pytest.mark.parametrize("size", [(4, 4), (16, 16), (24, 400)])
def test_small_frames_break_nothing(size):
    planes = np.random.default_rng(4).normal(0.1, 0.01, (4, *size)).astype(np.float32)

    measure_curves(planes, planes, NOISE)


def test_arrays_stay_float32_and_unmodified():
    before, after = pair(scene(textured=False)[:64, :64])
    copies = before.copy(), after.copy()

    measure_curves(before, after, NOISE)

    assert np.array_equal(copies[0], before)
    assert np.array_equal(copies[1], after)
