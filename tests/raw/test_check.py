"""The read-back check passes what was meant and names whatever differs."""

import struct
from dataclasses import replace

import numpy as np
import pytest

from fadn_cli.errors import WriteError
from fadn_cli.mosaic import CfaPattern, Rect
from fadn_cli.raw.check import check_dng
from fadn_cli.raw.dng import DngEdit, write_dng
from fadn_cli.raw.dng_checks import find_raw_ifd
from fadn_cli.raw.reader import read_raw
from fadn_cli.raw.tags import Tag
from fadn_cli.raw.tiff import map_file, parse
from tests.raw.builders import noisy_samples
from tests.raw.builders import write_dng as write_source

EDIT = DngEdit(noise_profile=None, strength=1, unique_id=bytes(16), description="test")


@pytest.fixture
def written(tmp_path):
    source = write_source(tmp_path / "in.dng", noisy_samples(300, 300), rows_per_strip=300)
    raw_image = read_raw(source)
    write_dng(tmp_path / "out.dng", raw_image, raw_image.mosaic, edit=EDIT)
    return tmp_path / "out.dng", raw_image.mosaic


def raw_entry(path, tag):
    return find_raw_ifd(parse(map_file(path), name=path.name)).get(tag)


def overwrite(path, offset, data):
    content = bytearray(path.read_bytes())
    content[offset : offset + len(data)] = data
    path.write_bytes(content)


def test_a_dng_as_meant_passes_whatever_its_name_ends_with(written):
    path, mosaic = written

    check_dng(path.rename(path.with_suffix(".part")), mosaic)


def test_one_differing_sample_is_found(written):
    path, mosaic = written
    samples = mosaic.samples.copy()
    samples[299, 299] ^= 1

    with pytest.raises(WriteError, match="1 samples differ") as caught:
        check_dng(path, replace(mosaic, samples=samples))

    assert "disk" in caught.value.advice


@pytest.mark.parametrize(
    ("changes", "message"),
    (
        ({"samples": np.zeros((300, 302), np.uint16)}, "size"),
        ({"cfa": CfaPattern(colors="BGGR")}, "CFA RGGB instead of BGGR"),
        ({"white_level": 15001.0}, "white level 15000"),
        ({"black_level": np.array([[512.5]], np.float32)}, "black level"),
        ({"black_delta_v": np.ones(300, np.float32)}, "black level"),
        ({"active_area": Rect(top=0, left=0, height=300, width=299)}, "active area"),
    ),
)
def test_every_differing_level_is_named(written, changes, message):
    path, mosaic = written

    with pytest.raises(WriteError, match=message):
        check_dng(path, replace(mosaic, **changes))


def test_one_black_level_may_be_written_as_several_equal_ones(written):
    path, mosaic = written

    check_dng(path, replace(mosaic, black_level=np.full((2, 2), 512, np.float32)))


def test_damaged_tiles_are_found(written):
    path, mosaic = written
    offset = raw_entry(path, Tag.TILE_OFFSETS).ints[0]
    overwrite(path, offset + 2000, bytes(500))

    with pytest.raises(WriteError, match="differ|read back"):
        check_dng(path, mosaic)


def test_a_tile_beyond_the_end_is_found(written):
    path, mosaic = written
    entry = raw_entry(path, Tag.TILE_BYTE_COUNTS)
    overwrite(path, entry.value_offset, struct.pack("<I", 1 << 30))

    with pytest.raises(WriteError, match="a tile ends at byte"):
        check_dng(path, mosaic)


def test_unsorted_tags_are_found(written):
    path, mosaic = written
    first = raw_entry(path, Tag.IMAGE_WIDTH)
    second = raw_entry(path, Tag.IMAGE_LENGTH)
    overwrite(path, first.location, second.encoded + first.encoded)

    with pytest.raises(WriteError, match="not ascending"):
        check_dng(path, mosaic)


def test_strips_beside_tiles_are_found(tmp_path, written):
    _, mosaic = written

    with pytest.raises(WriteError, match="StripOffsets is left beside the tiles"):
        check_dng(tmp_path / "in.dng", mosaic)


def test_a_file_that_is_no_dng_is_found(tmp_path, written):
    _, mosaic = written
    path = tmp_path / "other.dng"
    path.write_bytes(b"II*\0" + bytes(100))

    with pytest.raises(WriteError, match="cannot be read back"):
        check_dng(path, mosaic)
