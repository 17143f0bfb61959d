"""Without colours, a development is the curve of a colour space over the levels, and no more."""

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageCms

from fadn_cli.raw.develop.grey import GREY_PROFILE, develop_grey
from fadn_cli.raw.develop.tiff_image import read_tiff, write_tiff
from fadn_cli.raw.source.reader import read_raw
from fadn_cli.raw.tiff.tags import PreviewSpace
from tests.making.sensor_files import BLACK, WHITE, write_sensor


@pytest.fixture
def raw_image(tmp_path):
    path, _ = write_sensor(tmp_path / "a.dng", "mono", 61, 87, area=(3, 5, 60, 86))
    return read_raw(path)


def even(raw_image, x):
    level = np.uint16(round(BLACK + x * (WHITE - BLACK)))
    return replace(raw_image.mosaic, samples=np.full_like(raw_image.mosaic.samples, level))


def shade(mosaic, *, half_size=False, space=PreviewSpace.SRGB, gain=1.0):
    return develop_grey(mosaic, half_size=half_size, space=space, gain=gain)


@pytest.mark.parametrize(
    ("space", "x", "encoded"),
    [
        (PreviewSpace.SRGB, 0.0, 0),
        (PreviewSpace.SRGB, 0.002, 0.02584),
        (PreviewSpace.SRGB, 0.2140, 0.5),
        (PreviewSpace.SRGB, 1.0, 1),
        (PreviewSpace.ADOBE_RGB, 0.2140, 0.2140 ** (256 / 563)),
        (PreviewSpace.PRO_PHOTO, 0.2140, 0.2140 ** (1 / 1.8)),
    ],
)
def test_levels_become_tones_by_the_curve(raw_image, space, x, encoded):
    picture = shade(even(raw_image, x), space=space)

    assert (57, 81, 3) == picture.shape
    assert encoded == pytest.approx(picture.mean() / 65535, abs=1e-3)
    assert picture.min() == picture.max()


def test_what_lies_outside_black_and_white_is_clipped(raw_image):
    assert 0 == shade(even(raw_image, -0.02)).max()
    assert 65535 == shade(even(raw_image, 1.0), gain=2.0).min()


def test_gain_is_linear(raw_image):
    darker, brighter = shade(even(raw_image, 0.1), gain=4.0), shade(even(raw_image, 0.4))

    assert darker.mean() == pytest.approx(brighter.mean(), rel=1e-3)


def test_half_size_averages_light(raw_image):
    whole, half = shade(raw_image.mosaic), shade(raw_image.mosaic, half_size=True)

    assert (28, 40, 3) == half.shape
    assert np.abs(whole[8:10, 20:22].mean(axis=(0, 1)) - half[4, 10]).max() < 0.02 * 65535


def test_a_tiff_has_one_channel_and_a_profile_of_grey(tmp_path, raw_image):
    picture = shade(raw_image.mosaic)

    write_tiff(tmp_path / "a.tif", picture, raw_image, software="fadn")

    with Image.open(tmp_path / "a.tif") as opened:
        assert "I;16" == opened.mode
        assert GREY_PROFILE == opened.info["icc_profile"]
    assert np.array_equal(picture, read_tiff(tmp_path / "a.tif"))


def test_the_profile_is_srgb_s_curve_to_other_programs():
    profile = ImageCms.ImageCmsProfile(io.BytesIO(GREY_PROFILE))
    ramp = Image.fromarray(np.arange(256, dtype=np.uint8)[None])

    shown = ImageCms.profileToProfile(
        ramp, profile, ImageCms.createProfile("sRGB"), outputMode="RGB"
    )

    assert "GRAY" == profile.profile.xcolor_space.strip()
    difference = np.asarray(shown, int) - np.arange(256)[None, :, None]
    assert np.abs(difference).max() <= 1
