"""What a camera trims off its preview is trimmed off the new one."""

import numpy as np
import pytest
from PIL import Image

from fadn_cli.raw.previews.align import WHOLE, cut, find_part


@pytest.fixture
def scene():
    """A picture with detail, large enough to trim."""
    coarse = np.random.default_rng(0).integers(20, 230, (24, 36, 3), dtype=np.uint8)
    large = Image.fromarray(coarse).resize((1440, 960), Image.Resampling.BICUBIC)
    return np.asarray(large)


@pytest.mark.parametrize("part", ((0.01, 0.004, 0.99, 0.996), (0.0, 0.015, 0.98, 1.0)))
def test_the_part_that_an_old_picture_shows_is_found(scene, part):
    shown = Image.fromarray(cut(scene, part)).resize((480, 320), Image.Resampling.BOX)
    noise = np.random.default_rng(1).normal(0, 12, (320, 480, 3))
    old = np.clip(np.asarray(shown) * 0.9 + noise, 0, 255).astype(np.uint8)

    found = find_part(old, (scene * 0.9).astype(np.uint8))

    assert part == pytest.approx(found, abs=1.5e-3)


def test_without_a_clear_difference_it_is_the_whole(scene):
    noisy = np.clip(scene + np.random.default_rng(1).normal(0, 20, scene.shape), 0, 255)

    assert WHOLE == find_part(noisy.astype(np.uint8), scene)
    assert WHOLE == find_part(np.full((320, 480, 3), 90, np.uint8), scene)


def test_pictures_of_other_shapes_are_not_compared(scene):
    assert WHOLE == find_part(scene[:480], scene)


def test_a_cut_leaves_one_pixel_at_least(scene):
    assert scene.shape == cut(scene, WHOLE).shape
    assert (1, 1, 3) == cut(scene[:1, :1], (0.03, 0.03, 0.97, 0.97)).shape
