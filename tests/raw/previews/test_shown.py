"""Previews are developed as large as they need to be, and quickly."""

import numpy as np
import pytest

from fadn_cli.mosaic.values import Rect
from fadn_cli.raw.previews import shown
from fadn_cli.raw.previews.match import PLAIN
from fadn_cli.raw.previews.shown import show
from fadn_cli.raw.previews.view import View
from fadn_cli.raw.source.reader import read_raw
from fadn_cli.raw.tiff.tags import PreviewSpace
from tests.making.dng.previewed import noisy_scene, write_previewed
from tests.making.pictures import encoded, light


@pytest.fixture
def raw_image(tmp_path):
    """A photograph of the drawn light, of 400 x 600 samples."""
    return read_raw(write_previewed(tmp_path / "in.dng", noisy_scene(400, 600)))


def whole(height=400, width=600, **options):
    return View(area=Rect(top=0, left=0, height=height, width=width), **options)


@pytest.mark.parametrize(
    ("side", "expected"),
    ((600, (400, 600)), (301, (400, 600)), (300, (200, 300)), (100, (66, 100)), (1, (1, 1))),
)
def test_what_fits_into_half_of_the_sensor_is_not_demosaiced(
    raw_image, monkeypatch, side, expected
):
    if side <= 300:
        monkeypatch.setattr(shown, "develop", None)

    picture = show(raw_image, raw_image.mosaic, whole(), side=side, space=PreviewSpace.SRGB)

    assert expected == picture.size == picture.picture(PLAIN).shape[:2]


def test_a_large_sensor_is_shown_at_half_of_its_size_at_most(raw_image, monkeypatch):
    monkeypatch.setattr(shown, "develop", None)
    monkeypatch.setattr(shown, "_DEMOSAICED", 1000)

    picture = show(raw_image, raw_image.mosaic, whole(), side=600, space=PreviewSpace.SRGB)

    assert (200, 300) == picture.size


@pytest.mark.parametrize("side", (600, 150))
def test_crop_pixel_shape_and_brightness_are_those_of_the_view(raw_image, side):
    view = View(area=Rect(top=40, left=60, height=300, width=480), pixel_ratio=1.5, gain=2.0)

    picture = show(raw_image, raw_image.mosaic, view, side=side, space=PreviewSpace.SRGB)

    drawn = picture.picture(PLAIN)
    assert drawn.shape[1] / drawn.shape[0] == pytest.approx(480 * 1.5 / 300, rel=0.02)
    expected = encoded(light(400, 600)[40:340, 60:540], stops=1)
    assert abs(expected.mean() - drawn.mean()) < 3


def test_a_sketch_is_small_and_the_same(raw_image):
    picture = show(raw_image, raw_image.mosaic, whole(), side=600, space=PreviewSpace.SRGB)

    sketch = picture.sketch(PLAIN)

    assert sketch.shape[0] <= 400
    assert np.abs(sketch.mean(axis=(0, 1)) - picture.picture(PLAIN).mean(axis=(0, 1))).max() < 1
