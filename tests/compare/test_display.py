"""Pictures come to the screen as they are: exposed, turned and shrunk without a shift."""

import numpy as np
import pytest
from PIL import Image, ImageOps

from fadn_cli.compare.display import jpeg, mean_light, orient, orient_place, shrink, to_8_bit


def encode(linear):
    """Linear light to 16-bit sRGB."""
    low = linear <= 0.0031308
    encoded = np.where(low, linear * 12.92, 1.055 * np.maximum(linear, 0) ** (1 / 2.4) - 0.055)
    return np.rint(np.clip(encoded, 0, 1) * 65535).astype(np.uint16)


def test_eight_bits_are_the_rounded_sixteen():
    rgb = np.arange(65536, dtype=np.uint16).repeat(3).reshape(256, 256, 3)

    assert np.array_equal(np.rint(rgb / 257.0), to_8_bit(rgb))


@pytest.mark.parametrize("stops", (1, 2, 3))
def test_a_stop_doubles_the_light(stops):
    light = np.float32([0.0, 0.001, 0.01, 0.05, 0.11])
    rgb = encode(light)[:, None, None].repeat(3, axis=2)

    expected = encode(light * 2.0**stops) / 257.0
    assert np.abs(expected - to_8_bit(rgb, stops=stops)[:, 0, 0]).max() <= 1


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_turned_as_exif_says(orientation):
    picture = np.random.default_rng(1).integers(0, 256, (5, 7, 3)).astype(np.uint8)
    tagged = Image.fromarray(picture)
    tagged.getexif()[274] = orientation

    expected = np.asarray(ImageOps.exif_transpose(tagged))
    assert np.array_equal(expected, orient(picture, orientation))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_places_turn_with_the_picture(orientation):
    picture = np.zeros((40, 60), np.uint8)
    picture[4:12, 15:45] = 1

    left, top, width, height = orient_place((15 / 60, 4 / 40, 30 / 60, 8 / 40), orientation)

    turned = orient(picture, orientation)
    rows, columns = turned.shape
    marked = np.zeros_like(turned)
    first, last = round(top * rows), round((top + height) * rows)
    marked[first:last, round(left * columns) : round((left + width) * columns)] = 1
    assert np.array_equal(marked, turned)


def test_shrinking_keeps_the_light_of_noise():
    rng = np.random.default_rng(2)
    noisy = encode(np.clip(rng.normal(0.1, 0.05, (256, 384, 3)), 0, 1).astype(np.float32))

    small = shrink(noisy, 96)

    assert (64, 96, 3) == small.shape
    assert mean_light(noisy) == pytest.approx(mean_light(small.astype(np.uint16) * 257), rel=0.01)


def test_small_pictures_are_not_enlarged():
    rgb = np.random.default_rng(3).integers(0, 65536, (20, 30, 3)).astype(np.uint16)

    assert np.array_equal(to_8_bit(rgb), shrink(rgb, 1600))


def test_jpegs_are_the_same_every_time():
    rgb = np.random.default_rng(4).integers(0, 256, (16, 16, 3)).astype(np.uint8)

    assert jpeg(rgb, quality=90) == jpeg(orient(orient(rgb, 6), 8), quality=90)
