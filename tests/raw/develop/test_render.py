"""Development depends on the levels alone, and is LibRaw's own in everything else."""

import io
from dataclasses import replace

import numpy as np
import pytest
import rawpy
from PIL import Image, ImageCms

from fadn_cli.errors import RawReadError
from fadn_cli.mosaic.values import Rect
from fadn_cli.raw.develop.render import develop, srgb_profile
from fadn_cli.raw.source.reader import read_raw
from fadn_cli.raw.tiff.tags import PreviewSpace
from tests.making.camera_tiff import write_camera_tiff
from tests.making.dng.fields import NEUTRAL
from tests.making.dng.write import write_dng
from tests.making.mosaics import noisy_samples


def grey(raw_image, level):
    """A mosaic that shows an even grey: every colour at `level` times its neutral."""
    mosaic = raw_image.mosaic
    height, width = mosaic.samples.shape
    black = mosaic.black_rows(0, height)
    neutral = np.empty((height, width))
    for row in (0, 1):
        for col in (0, 1):
            plane = mosaic.cfa.noise_index(row, col)
            neutral[row::2, col::2] = NEUTRAL[(0, 1, 1, 2)[plane]]
    samples = np.rint(black + level * neutral * (mosaic.white_level - black))
    return replace(mosaic, samples=samples.astype(np.uint16))


def test_a_development_of_the_source_is_libraws(tmp_path):
    y, x = np.mgrid[:200, :240]
    samples = (3000 + 2000 * np.sin(x / 30) * np.cos(y / 25)).astype(np.uint16)
    path = write_dng(tmp_path / "in.dng", samples, black=(512,))
    raw_image = read_raw(path)
    with rawpy.imread(str(path)) as raw:
        expected = raw.postprocess(
            use_camera_wb=True,
            no_auto_bright=True,
            adjust_maximum_thr=0,
            output_bps=16,
            gamma=(2.4, 12.92),
        )

    rgb = develop(raw_image, raw_image.mosaic)

    assert np.uint16 == rgb.dtype
    assert np.abs(expected.astype(int) - rgb).mean() < 20
    assert expected.mean((0, 1)) == pytest.approx(rgb.mean((0, 1)), abs=10)


@pytest.mark.parametrize("suffix", ("dng", "arw"))
def test_brightness_does_not_follow_the_maximum_of_the_data(tmp_path, suffix):
    write = write_dng if suffix == "dng" else write_camera_tiff
    raw_image = read_raw(write(tmp_path / f"in.{suffix}", noisy_samples(100, 120)))
    low = replace(raw_image.mosaic, samples=np.full((100, 120), 2000, np.uint16))
    spike = low.samples.copy()
    spike[40:60, 40:60] = 14000  # LibRaw takes a maximum of over 75 % for white, unless told

    without, with_spike = develop(raw_image, low), develop(raw_image, replace(low, samples=spike))

    assert np.array_equal(without[:20, :20], with_spike[:20, :20])


@pytest.mark.parametrize("active_area", (None, (3, 7, 180, 221), (6, 3, 200, 240)))
def test_grey_stays_grey_with_fractional_black_levels_at_any_active_area(tmp_path, active_area):
    path = write_dng(
        tmp_path / "in.dng",
        noisy_samples(200, 240),
        cfa="GBRG",
        black=(500.25, 900.5, 1300.75, 1700.0),
        black_repeat=(2, 2),
        active_area=active_area,
        color_matrix=(1, 0, 0, 0, 1, 0, 0, 0, 1),
    )
    raw_image = read_raw(path)

    dark, light = (develop(raw_image, grey(raw_image, level)) for level in (0.02, 0.3))

    for rgb in (dark, light):
        inner = rgb[8:-8, 8:-8].astype(int)
        assert np.ptp(inner) < 65535 * 0.005
    srgb = 1.055 * 0.3 ** (1 / 2.4) - 0.055  # IEC 61966-2-1
    assert srgb == pytest.approx(light[50, 50].mean() / 65535, abs=0.01)


@pytest.mark.parametrize(
    ("space", "gamma"), ((PreviewSpace.ADOBE_RGB, 2.2), (PreviewSpace.PRO_PHOTO, 1.8))
)
def test_other_colour_spaces_have_their_own_curve(tmp_path, space, gamma):
    path = write_dng(tmp_path / "in.dng", noisy_samples(200, 240))
    raw_image = read_raw(path)

    rgb = develop(raw_image, grey(raw_image, 0.3), space=space)

    inner = rgb[8:-8, 8:-8].astype(int)
    assert np.ptp(inner) < 65535 * 0.02
    assert 0.3 ** (1 / gamma) == pytest.approx(inner.mean() / 65535, abs=0.01)


@pytest.mark.parametrize("gain", (0.5, 2))
def test_gain_is_linear(tmp_path, gain):
    raw_image = read_raw(write_dng(tmp_path / "in.dng", noisy_samples(200, 240)))

    brighter = develop(raw_image, grey(raw_image, 0.2), gain=gain)

    expected = develop(raw_image, grey(raw_image, 0.2 * gain))
    assert np.abs(brighter.astype(int) - expected)[8:-8, 8:-8].max() < 65535 * 0.005


def test_pixels_are_not_rotated(tmp_path):
    path = write_dng(tmp_path / "in.dng", noisy_samples(100, 140), orientation=6)
    raw_image = read_raw(path)

    assert (100, 140, 3) == develop(raw_image, raw_image.mosaic).shape
    assert (50, 70, 3) == develop(raw_image, raw_image.mosaic, half_size=True).shape


def test_the_area_libraw_takes_for_visible_is_developed(tmp_path):
    path = write_dng(tmp_path / "in.dng", noisy_samples(120, 140), active_area=(10, 20, 110, 130))
    raw_image = read_raw(path)

    assert Rect(top=10, left=20, height=100, width=110) == raw_image.mosaic.active_area
    assert (100, 110, 3) == develop(raw_image, raw_image.mosaic).shape


def test_without_white_balance_the_data_is_not_asked_for_one(tmp_path):
    path = write_dng(tmp_path / "in.dng", noisy_samples(100, 120), neutral=(0, 0, 0))
    raw_image = read_raw(path)
    assert raw_image.metadata.wb_gains is None
    half = raw_image.mosaic.samples.copy()
    half[50:] = 600

    whole = develop(raw_image, raw_image.mosaic)
    halved = develop(raw_image, replace(raw_image.mosaic, samples=half))

    assert np.array_equal(whole[:30], halved[:30])


def test_source_and_mosaic_are_not_modified(tmp_path):
    path = write_dng(tmp_path / "in.dng", noisy_samples(100, 120))
    raw_image = read_raw(path)
    content, samples = path.read_bytes(), raw_image.mosaic.samples.copy()

    develop(raw_image, raw_image.mosaic)

    assert content == path.read_bytes()
    assert np.array_equal(samples, raw_image.mosaic.samples)


def test_a_source_that_has_gone_is_an_error_of_ours(tmp_path):
    raw_image = read_raw(write_dng(tmp_path / "in.dng", noisy_samples()))
    raw_image.path.write_bytes(b"not a raw file any more")

    with pytest.raises(RawReadError, match=r"in\.dng: cannot be developed"):
        develop(raw_image, raw_image.mosaic)


def test_a_mosaic_of_another_size_is_refused(tmp_path):
    raw_image = read_raw(write_dng(tmp_path / "in.dng", noisy_samples()))

    with pytest.raises(ValueError, match="the source"):
        develop(raw_image, replace(raw_image.mosaic, samples=noisy_samples(32, 32)))


def test_the_profile_is_srgb_and_holds_no_time():
    profile = ImageCms.ImageCmsProfile(io.BytesIO(srgb_profile()))
    back = ImageCms.profileToProfile(
        Image.new("RGB", (1, 1), (200, 100, 50)), profile, ImageCms.createProfile("sRGB")
    )

    assert "sRGB" in ImageCms.getProfileDescription(profile)
    assert (200, 100, 50) == back.getpixel((0, 0))
    assert srgb_profile() == srgb_profile.__wrapped__()
    assert bytes((2000 // 256, 2000 % 256)) == srgb_profile()[24:26]
