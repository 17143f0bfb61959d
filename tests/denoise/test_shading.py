"""A gain that lifts the noise towards the corners is found; light and texture are no gain."""

import numpy as np
import pytest

from fadn_cli.denoise.sensors.sites import pack_sites as pack
from fadn_cli.denoise.shading import Shading, divide, find_shading
from tests.making.scenes import HEIGHT, WIDTH, light, mosaic

Y = (np.mgrid[:HEIGHT, :WIDTH][0] + 0.5) * 2 / HEIGHT - 1
X = (np.mgrid[:HEIGHT, :WIDTH][1] + 0.5) * 2 / WIDTH - 1
SHOT, READ = 4e-4, 2e-5


def shaded(clean, gain, noise=(SHOT, READ), seed=0):
    """A mosaic whose samples were multiplied by a gain; `clean` is what came out."""
    shot, read = noise
    grain = np.random.default_rng(seed).normal(size=clean.shape)
    x = clean + grain * np.sqrt(gain * shot * clean + gain**2 * read)
    return pack(np.minimum(x, 1).astype(np.float32))


def radial(corner):
    return 1 + (corner - 1) / 2 * (X**2 + Y**2)


GAINS = {
    "of 3": (radial(3), 3),
    "of 6": (radial(6), 6),
    "steeper": (1 + 0.75 * (X**2 + Y**2) ** 2, 4),
    "of a round lens": (1 + 3.2 * X**2 + 1.8 * Y**2, 6),
}


@pytest.mark.parametrize("noise", ((4e-4, 2e-5), (4e-4, 1e-6), (4e-5, 1e-6)))
@pytest.mark.parametrize("name", GAINS)
def test_a_gain_is_found(name, noise):
    gain, corner = GAINS[name]

    found = find_shading(shaded(mosaic(light()), gain, noise))

    assert corner == pytest.approx(found.corner, rel=0.25)


SOFT = 0.06 * np.sin(np.arange(HEIGHT)[:, None] * 1.3) * np.sin(np.arange(WIDTH) * 1.1)
SCENES = {
    "plain": light(),
    "dark": light() * 0.05,
    "bright": light() * 2,
    "darker corners": light() / radial(4),
    "bright corners": light() * radial(4) / 4,
    "black centre": light() * (X**2 + Y**2) ** 2 / 4,
    "texture at the border": light()
    * (1 + 0.3 * np.random.default_rng(2).random(X.shape) * (X**2 + Y**2)),
    "soft texture at the border": light() * (1 + SOFT * (X**2 + Y**2)),
    "texture in the corners": light()
    * (1 + 0.5 * np.random.default_rng(3).random(X.shape) * (abs(X * Y) > 0.3)),
}


@pytest.mark.parametrize("name", SCENES)
@pytest.mark.parametrize("noise", ((4e-5, 1e-8), (4e-4, 2e-5), (4e-3, 1e-4)))
def test_light_and_texture_are_no_gain(name, noise):
    assert find_shading(shaded(mosaic(SCENES[name]), 1.0, noise)) is None


@pytest.mark.parametrize("size", ((20, 30), (64, 64)))
def test_a_frame_too_small_to_tell_has_none(size):
    height, width = size

    assert find_shading(shaded(mosaic(light()), radial(6))[:, :height, :width]) is None


def test_dividing_in_two_parts_and_multiplying_give_the_frame_back():
    x = shaded(mosaic(light()) * 2, radial(6))
    shading = Shading(across=2.0, down=1.5, beyond=0.2)
    y = x.copy()

    divide(y, shading, saturated=False)
    assert np.array_equal(x[x >= 0.98], y[x >= 0.98])
    divide(y, shading, saturated=True)

    assert np.float32 == y.dtype
    assert y[:, 0, 0] == pytest.approx(x[:, 0, 0] / shading.corner, rel=0.05)
    y *= shading.rows(0, y.shape[1], y.shape[1:])  # as the stream does, strip by strip
    assert y == pytest.approx(x, abs=1e-6)
