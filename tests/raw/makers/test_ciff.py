"""A CRW says of its photograph what EXIF says of others', and damage only leaves things out."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fadn_cli.raw.makers.ciff import MAX_RECORDS, is_ciff, read_ciff
from fadn_cli.raw.source.metadata import read_blocks
from fadn_cli.raw.tiff.tags import Tag
from tests.making.ciff import as_crw, photograph
from tests.making.pictures import jpeg
from tests.programs.exiftool import need_exiftool, run_exiftool

SAID = {
    Tag.SOFTWARE: b"Firmware Version 1.0.1\0",
    Tag.ARTIST: b"A. Photographer\0",
    Tag.EXPOSURE_TIME: [(1, 60)],
    Tag.F_NUMBER: [(28, 10)],
    Tag.EXPOSURE_BIAS_VALUE: [(1, 3)],
    Tag.ISO_SPEED_RATINGS: (400,),
    Tag.DATE_TIME_ORIGINAL: b"2026:01:02 03:04:05\0",
    Tag.FOCAL_LENGTH: [(1600, 32)],
    Tag.LENS_SPECIFICATION: [(17 * 32, 32), (85 * 32, 32), (0, 0), (0, 0)],
    Tag.COLOR_SPACE: (1,),
    Tag.BODY_SERIAL_NUMBER: b"0123456789\0",
}
EXIF_NAMES = ("Make", "Model", "ISO", "DateTimeOriginal", "SerialNumber", "CanonFirmwareVersion")


@pytest.mark.parametrize("byteorder", ("<", ">"))
@pytest.mark.parametrize("depth", (1, 3))
def test_it_says_what_exif_says_of_other_raws(tmp_path, byteorder, depth):
    path = tmp_path / "a.crw"
    path.write_bytes(as_crw(photograph(byteorder), byteorder=byteorder, depth=depth))

    blocks = read_blocks(path)

    assert ("Canon", "Canon EOS 10D", 8) == (blocks.make, blocks.model, blocks.orientation)
    assert {tag: blocks.find(tag).values for tag in SAID} == SAID
    assert len(SAID) == len(blocks.exif) + len(blocks.shared)


def test_long_exposures_are_told_in_tenths_of_a_second(tmp_path):
    records = photograph() | {0x1818: struct.pack("<3f", 0, -1.32, 3)}
    path = tmp_path / "a.crw"
    path.write_bytes(as_crw(records))

    assert [(25, 10)] == read_blocks(path).find(Tag.EXPOSURE_TIME).values


def test_where_the_exposure_is_not_stated_the_shot_is_asked(tmp_path):
    records = photograph() | {0x102A: struct.pack("<6h", 0, 64, 160, 0, 96, 189)}
    del records[0x1818]
    path = tmp_path / "a.crw"
    path.write_bytes(as_crw(records))

    blocks = read_blocks(path)

    assert [(1, 60)] == blocks.find(Tag.EXPOSURE_TIME).values
    assert [(28, 10)] == blocks.find(Tag.F_NUMBER).values


def test_the_larger_of_its_jpegs_is_the_preview(tmp_path):
    path = tmp_path / "a.crw"
    path.write_bytes(as_crw(photograph() | {0x2008: jpeg(16), 0x2007: jpeg(48)}))

    assert jpeg(48) == read_blocks(path).preview


def test_only_of_eos_cameras_it_is_a_serial_number(tmp_path):
    path = tmp_path / "a.crw"
    path.write_bytes(as_crw(photograph() | {0x080A: b"Canon\0Canon PowerShot G2\0"}))
    assert read_blocks(path).find(Tag.BODY_SERIAL_NUMBER) is None

    path.write_bytes(as_crw(photograph() | {0x080A: b"Canon\0Canon EOS D30\0"}))
    assert b"75b-52501\0" == read_blocks(path).find(Tag.BODY_SERIAL_NUMBER).values


@given(st.data())
def test_damage_leaves_things_out_and_stops_nothing(data):
    content = bytearray(as_crw(photograph()))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(14, len(content) - 1))] = data.draw(st.integers(0, 255))
    content = content[: data.draw(st.integers(14, len(content)))]

    read_ciff(memoryview(bytes(content)))


def test_a_heap_that_holds_itself_ends():
    table = struct.pack("<H", 200) + struct.pack("<HII", 0x300A, 0, 0) * 200
    size = len(table) + 4
    entries = struct.pack("<HII", 0x300A, size, 0) * 200
    heap = struct.pack("<H", 200) + entries + struct.pack("<I", 0)
    data = b"II" + struct.pack("<I", 26) + b"HEAPCCDR" + bytes(12) + heap

    found = read_ciff(memoryview(data))

    assert len(heap) == size
    assert "" == found.model
    assert MAX_RECORDS < 200**2


def test_it_is_told_by_its_first_bytes():
    assert is_ciff(memoryview(as_crw({})))
    assert not is_ciff(memoryview(b"II*\0" + bytes(30)))


@pytest.mark.raw
@need_exiftool
def test_real_files_say_what_exiftool_reads(raws):
    files = [*sorted(raws.glob("*.crw")), raws / "awkward" / "stub_CanonRaw.crw"]
    rows = run_exiftool(files, *(f"-{name}" for name in EXIF_NAMES))

    for path, row in zip(files, rows, strict=True):
        blocks = read_blocks(path)
        stamp, serial = (
            blocks.find(tag) for tag in (Tag.DATE_TIME_ORIGINAL, Tag.BODY_SERIAL_NUMBER)
        )
        assert (row["Make"], row["Model"]) == (blocks.make, blocks.model), path.name
        assert row["ISO"] == blocks.iso, path.name
        assert row["DateTimeOriginal"] == stamp.values[:-1].decode(), path.name
        if "SerialNumber" in row:
            assert int(row["SerialNumber"]) == int(serial.values[:-1]), path.name
