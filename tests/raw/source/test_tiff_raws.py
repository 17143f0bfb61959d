"""A TIFF is a monochrome raw by its tags, or a picture, or another raw."""

import numpy as np
import pytest

from fadn_cli.errors import RawReadError, UnsupportedRawError
from fadn_cli.raw.source.reader import read_raw
from fadn_cli.raw.source.tiff_raws import find_monochrome
from fadn_cli.raw.tiff.file import map_file, parse
from tests.making.camera_tiff import CAMERAS, write_camera_tiff
from tests.making.mosaics import noisy_samples
from tests.making.sensor_files import BLACK, write_grey_tiff
from tests.making.tiff import LONG, SHORT, UNDEFINED


def test_a_monochrome_raw_is_read_from_its_tags(tmp_path):
    samples = noisy_samples()

    raw = read_raw(write_grey_tiff(tmp_path / "a.tif", samples))

    assert "mono" == raw.mosaic.cfa.kind
    assert np.array_equal(samples, raw.mosaic.samples)
    assert (BLACK, 65535) == (raw.mosaic.black_level.min(), raw.mosaic.white_level)
    assert not raw.metadata.is_dng
    assert ("MicaSense", "RedEdge") == (raw.metadata.make, raw.metadata.model)
    assert raw.metadata.wb_gains is None


@pytest.mark.raw
def test_a_real_one_is_no_bayer_mosaic(raws):
    """Though LibRaw says so."""
    mosaic = read_raw(raws / "micasense_rededge_mono.tif").mosaic

    assert ("mono", (960, 1280)) == (mosaic.cfa.kind, mosaic.samples.shape)
    assert (4800, 65535) == (mosaic.black_level.max(), mosaic.white_level)


@pytest.mark.parametrize(
    ("bits", "tags", "reason"),
    [
        (8, {}, "of 8 bits"),
        (16, {34675: (UNDEFINED, b"profile")}, "with an ICC profile"),
        (16, {291: (SHORT, (0, 1))}, "with a response curve"),
        (16, {301: (SHORT, (0, 1))}, "with a transfer function"),
        (16, {271: None, 50714: None, 50713: None}, "neither a camera nor its levels"),
    ],
)
def test_a_picture_is_refused(tmp_path, bits, tags, reason):
    path = write_grey_tiff(tmp_path / "a.tif", noisy_samples() >> (16 - bits), bits=bits, tags=tags)

    with pytest.raises(RawReadError, match=f"a.tif: is a greyscale picture .*{reason}") as caught:
        read_raw(path)

    assert caught.value.advice


@pytest.mark.parametrize(
    ("tags", "reason"),
    [
        ({259: (SHORT, 8)}, "compression 8"),
        ({258: (SHORT, 32)}, "32-bit"),
        ({339: (SHORT, 3)}, "floating-point"),
    ],
)
def test_samples_that_we_cannot_read_are_refused(tmp_path, tags, reason):
    path = write_grey_tiff(tmp_path / "a.tif", noisy_samples(), tags=tags)

    with pytest.raises(UnsupportedRawError, match=reason):
        read_raw(path)


def test_a_file_that_is_cut_off_is_a_read_error(tmp_path):
    path = write_grey_tiff(tmp_path / "a.tif", noisy_samples(), tags={273: (LONG, 10**6)})

    with pytest.raises(RawReadError, match="truncated"):
        read_raw(path)


@pytest.mark.parametrize("suffix", CAMERAS)
def test_other_raws_are_none_of_these(tmp_path, suffix):
    make, model = CAMERAS[suffix]
    path = write_camera_tiff(tmp_path / "a.raw", noisy_samples(), make=make, model=model)

    assert find_monochrome(parse(map_file(path), name="a.raw", tolerant=True)) is None


def test_a_makers_own_compression_is_left_to_libraw(tmp_path):
    path = write_grey_tiff(tmp_path / "a.raw", noisy_samples(), tags={259: (SHORT, 32767)})

    assert find_monochrome(parse(map_file(path), name="a.raw", tolerant=True)) is None


def test_a_leaf_back_is_none_of_these(tmp_path):
    """It has filters, and says so in a tag of its own."""
    path = write_grey_tiff(tmp_path / "a.mos", noisy_samples(), tags={34310: (UNDEFINED, b"PKTS")})

    assert find_monochrome(parse(map_file(path), name="a.mos", tolerant=True)) is None
