"""Kodak's text says what EXIF says of other raws."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fadn_cli.errors import FadnError
from fadn_cli.raw.makers.kodak import kodak_fields
from fadn_cli.raw.source.metadata import read_blocks
from fadn_cli.raw.tiff.file import parse
from fadn_cli.raw.tiff.tags import Tag
from tests.making.containers import SHARED
from tests.making.kodak import as_dcr
from tests.making.tiff import RATIONAL
from tests.programs.exiftool import need_exiftool, run_exiftool

SAID = {
    Tag.ISO_SPEED_RATINGS: (400,),
    Tag.EXPOSURE_TIME: [(1, 125)],
    Tag.F_NUMBER: [(56, 10)],
    Tag.FOCAL_LENGTH: [(350, 10)],
    Tag.DATE_TIME_ORIGINAL: b"2004:01:02 03:04:05\0",
    Tag.LENS_MODEL: b"24.0 to 85.0 mm f/2.8-4.0\0",
    Tag.BODY_SERIAL_NUMBER: b"512-0815\0",
}


@pytest.mark.parametrize("byteorder", ("<", ">"))
def test_what_it_says_is_read(tmp_path, byteorder):
    path = tmp_path / "a.dcr"
    path.write_bytes(as_dcr(SHARED, byteorder=byteorder))

    blocks = read_blocks(path)

    assert {item.tag: item.values for item in blocks.exif} == SAID
    assert ("Maker", 400, 1 / 125) == (blocks.make, blocks.iso, blocks.exposure_time)


def test_what_exif_says_comes_first(tmp_path):
    path = tmp_path / "a.dcr"
    path.write_bytes(as_dcr(SHARED | {33434: (RATIONAL, [(1, 60)])}))

    assert 1 / 60 == read_blocks(path).exposure_time


@pytest.mark.parametrize(
    "text", ("nothing\n", "ISO: very high\nShutter: bulb\nDate: today\nTime: now", ":\n::\n")
)
def test_what_means_nothing_is_left_out(text):
    assert () == kodak_fields(parse(as_dcr({}, text=text), name="a.dcr"))


def test_whole_seconds_and_decimals_are_read():
    [field] = kodak_fields(parse(as_dcr({}, text="Shutter: 2.5 s\n"), name="a.dcr"))

    assert [(25, 10)] == field.values


@given(st.data())
def test_damage_leaves_things_out_and_stops_nothing(data):
    content = bytearray(as_dcr({}))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(8, len(content) - 1))] = data.draw(st.integers(0, 255))

    with suppress(FadnError):
        kodak_fields(parse(bytes(content), name="a.dcr", tolerant=True))


@need_exiftool
def test_exiftool_reads_the_same(tmp_path):
    path = tmp_path / "a.dcr"
    path.write_bytes(as_dcr(SHARED))

    [row] = run_exiftool([path], "-ISO", "-ShutterSpeed", "-Lens", "-SerialNumber", "-Aperture")

    assert [400, "24.0 to 85.0 mm f/2.8-4.0", "512-0815", 5.6] == [
        row[name] for name in ("ISO", "Lens", "SerialNumber", "Aperture")
    ]
