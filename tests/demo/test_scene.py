"""The drawn scene holds what denoisers trip over, and is the same every time."""

import numpy as np
import pytest

from fadn_cli.demo.scene import draw_scene


@pytest.fixture(scope="module")
def scene():
    return draw_scene(160, 240)


def test_light_is_float32_and_never_negative(scene):
    assert ((160, 240, 3), np.float32) == (scene.shape, scene.dtype)
    assert np.isfinite(scene).all()
    assert scene.min() >= 0


def test_it_is_the_same_every_time(scene):
    assert np.array_equal(scene, draw_scene(160, 240))


def test_it_is_dark_with_lamps_that_saturate(scene):
    brightness = scene.mean(axis=2)

    assert 0.05 < np.median(brightness) < 0.2
    assert 0.0005 < (brightness > 1).mean() < 0.02


def test_it_has_many_colours(scene):
    houses = scene[100:104].reshape(-1, 3)
    strongest = houses.argmax(axis=1)

    assert all((strongest == channel).mean() > 0.05 for channel in range(3))


@pytest.mark.parametrize(("height", "width"), ((16, 16), (64, 64), (50, 200), (101, 37)))
def test_any_shape_can_be_drawn(height, width):
    assert (height, width, 3) == draw_scene(height, width).shape
