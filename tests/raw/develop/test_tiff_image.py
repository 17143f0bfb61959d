"""A TIFF holds the pixels bit for bit, what the source says of the photograph, and no time."""

from dataclasses import replace

import numpy as np
import pytest
import tifffile
from PIL import Image

from fadn_cli.errors import RawReadError, UnsupportedRawError
from fadn_cli.raw.develop import tiff_image
from fadn_cli.raw.develop.render import srgb_profile
from fadn_cli.raw.develop.tiff_image import read_tiff, write_tiff
from fadn_cli.raw.dng.marker import read_process
from fadn_cli.raw.source.metadata import read_blocks
from fadn_cli.raw.source.reader import read_raw
from fadn_cli.raw.tiff.file import map_file, parse
from fadn_cli.raw.tiff.tags import Tag, make_field
from tests.making.camera_tiff import write_camera_tiff
from tests.making.dng.write import write_dng
from tests.making.mosaics import noisy_samples

EXIF_IFD, GPS_IFD = 34665, 34853


@pytest.fixture
def rgb():
    return np.random.default_rng(3).integers(0, 65536, (150, 131, 3)).astype(np.uint16)


def write(path, rgb, source):
    write_tiff(path, rgb, read_raw(source), software="fadn 0.1.0")
    return path


@pytest.mark.parametrize("byteorder", ("<", ">"))
def test_pixels_profile_and_metadata_come_back(tmp_path, rgb, byteorder):
    source = write_camera_tiff(
        tmp_path / "in.nef", noisy_samples(100, 120), byteorder=byteorder, orientation=8
    )

    output = write(tmp_path / "out.tif", rgb, source)

    assert np.array_equal(rgb, tifffile.imread(output))
    with Image.open(output) as picture:
        exif = picture.getexif()
        details, position = exif.get_ifd(EXIF_IFD), exif.get_ifd(GPS_IFD)
        assert srgb_profile() == picture.info["icc_profile"]
    assert ("NIKON D800", 8, "fadn 0.1.0", "A. Photographer", "2026:01:02 03:04:05") == tuple(
        exif[tag] for tag in (272, 274, 305, 315, 306)
    )
    assert (800, "2026:01:02 03:04:05", 1) == tuple(details[t] for t in (34855, 36867, 40961))
    assert pytest.approx(1 / 60) == float(details[33434])
    assert ("N", (48.0, 8.0, 30.0)) == (position[1], position[2])


def test_a_source_without_gps_gives_a_tiff_without(tmp_path, rgb):
    source = write_dng(tmp_path / "in.dng", noisy_samples())

    with Image.open(write(tmp_path / "out.tif", rgb, source)) as picture:
        exif = picture.getexif()

    assert GPS_IFD not in exif
    assert EXIF_IFD in exif


def test_sizes_of_other_pixels_are_left_out(tmp_path, rgb, monkeypatch):
    source = write_dng(tmp_path / "in.dng", noisy_samples())
    size = make_field(Tag.PIXEL_X_DIMENSION, 6000)
    blocks = replace(read_blocks(source), exif=(size, make_field(Tag.F_NUMBER, [(28, 10)])))
    monkeypatch.setattr(tiff_image, "read_blocks", lambda path: blocks)

    tiff = parse(map_file(write(tmp_path / "out.tif", rgb, source)), name="out.tif")

    (exif,) = tiff.ifds[0].sub_ifds(Tag.EXIF_IFD)
    assert [Tag.F_NUMBER, Tag.COLOR_SPACE] == [entry.tag for entry in exif.entries]


def test_there_is_one_ifd_with_ascending_tags_and_nothing_of_tifffile(tmp_path, rgb):
    source = write_dng(tmp_path / "in.dng", noisy_samples())

    output = write(tmp_path / "out.tif", rgb, source)

    (ifd0,) = parse(map_file(output), name="out.tif").ifds
    tags = [entry.tag for entry in ifd0.entries]
    assert sorted(set(tags)) == tags
    assert Tag.IMAGE_DESCRIPTION not in tags
    assert b"tifffile" not in output.read_bytes()


def test_the_bytes_depend_on_nothing_but_the_input(tmp_path, rgb):
    source = write_dng(tmp_path / "in.dng", noisy_samples())

    first = write(tmp_path / "first.tif", rgb, source).read_bytes()

    assert first == write(tmp_path / "second.tif", rgb, source).read_bytes()


def test_smooth_pictures_are_compressed(tmp_path):
    source = write_dng(tmp_path / "in.dng", noisy_samples())
    steps = np.random.default_rng(1).integers(0, 4, (300, 400, 3))
    smooth = steps.cumsum(axis=1).astype(np.uint16)

    output = write(tmp_path / "out.tif", smooth, source)

    assert output.stat().st_size < smooth.size * 2 / 4


def test_pictures_are_read_back(tmp_path, rgb):
    source = write_dng(tmp_path / "in.dng", noisy_samples())
    output = write(tmp_path / "out.tif", rgb, source)
    eight = tmp_path / "eight.tif"
    tifffile.imwrite(eight, (rgb >> 8).astype(np.uint8), photometric="rgb")

    assert np.array_equal(rgb, read_tiff(output))
    assert np.array_equal((rgb >> 8) * 257, read_tiff(eight))
    assert "fadn 0.1.0" == read_process(output)
    assert read_process(eight) is None


def test_what_is_no_picture_is_refused_in_our_own_words(tmp_path, rgb, caplog):
    grey, broken, text = (tmp_path / name for name in ("grey.tif", "broken.tif", "text.tif"))
    tifffile.imwrite(grey, rgb[..., 0].astype(np.float32))
    tifffile.imwrite(broken, rgb, photometric="rgb", compression="zlib")
    broken.write_bytes(broken.read_bytes()[:-60_000])
    text.write_text("hello")

    with pytest.raises(UnsupportedRawError, match=r"grey.tif: holds float32 samples"):
        read_tiff(grey)
    for path in (broken, text, tmp_path / "missing.tif"):
        with pytest.raises(RawReadError, match=path.name):
            read_tiff(path)
    assert [] == caplog.records
