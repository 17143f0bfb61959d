"""What moved down is compared where it lies now, and what must not move is told."""

from dataclasses import replace

import pytest

from fadn_cli.raw.check.verify import verify
from fadn_cli.raw.dng.write import WriteChoices, write_dng
from fadn_cli.raw.source.reader import read_raw
from fadn_cli.raw.tiff.tags import Tag
from tests.making.dng.damage import overwrite, parse_file, set_value
from tests.making.dng.denoised import EDIT
from tests.making.dng.previewed import write_previewed
from tests.making.tiff import ASCII, BYTE

XMP = 700


@pytest.fixture
def pair(tmp_path):
    """A source whose samples come before all else but its header, and its output."""
    source = write_previewed(
        tmp_path / "in.dng",
        extra={315: (ASCII, "A. Photographer"), 50740: (BYTE, b"Adobe\0 of its own")},
    )
    raw = read_raw(source)
    samples = raw.mosaic.samples.copy()
    samples[raw.mosaic.active_area.slices] ^= 1
    output = tmp_path / "out.dng"
    mosaic = replace(raw.mosaic, samples=samples)
    write_dng(output, raw, mosaic, edit=EDIT, choices=WriteChoices(preview="keep"))
    return source, output


def picture_of(path, index):
    """Where the picture of a SubIFD lies."""
    ifd = parse_file(path).ifds[0].sub_ifds(Tag.SUB_IFDS)[index]
    return ifd.first_int(Tag.STRIP_OFFSETS, 0), ifd.first_int(Tag.STRIP_BYTE_COUNTS, 0)


def test_moved_pictures_and_values_are_no_change(pair):
    source, output = pair

    found = verify(source, output)

    assert () == found.violations
    assert picture_of(source, 1)[0] > picture_of(output, 1)[0]


@pytest.mark.parametrize("at", (0, 50, -1))
def test_a_byte_of_a_moved_picture_that_changed_is_told_where_the_source_has_it(pair, at):
    source, output = pair
    start, size = picture_of(output, 1)
    place = range(start, start + size)[at]
    content = output.read_bytes()
    overwrite(output, place, bytes([content[place] ^ 0xFF]))

    found = verify(source, output)

    assert not found.holds
    [change] = found.bytes
    assert change.offset == place - start + picture_of(source, 1)[0]


@pytest.mark.parametrize("tag", (315, 50740))
def test_a_moved_value_that_changed_is_told(pair, tag):
    source, output = pair
    entry = parse_file(output).ifds[0].get(tag)
    overwrite(output, entry.value_offset, b"X")

    assert any("Tags differ" in said for said in verify(source, output).violations)


def test_an_ifd_that_moved_keeps_the_order_of_its_tags(pair):
    source, output = pair
    ifd = parse_file(output).ifds[0].sub_ifds(Tag.SUB_IFDS)[1]
    first, second = ifd.entries[:2]
    overwrite(output, first.location, second.encoded + first.encoded)

    assert any("Bytes" in said for said in verify(source, output).violations)


def test_notes_that_may_count_from_the_file_must_not_move(tmp_path):
    private = b"Maker\0 whose offsets nobody knows"
    source = write_previewed(tmp_path / "in.dng", extra={50740: (BYTE, private)})
    raw = read_raw(source)
    output = tmp_path / "out.dng"
    write_dng(output, raw, raw.mosaic, edit=EDIT, choices=WriteChoices(preview="keep"))
    entry = parse_file(output).ifds[0].get(50740)
    assert parse_file(source).ifds[0].get(50740).value_offset == entry.value_offset
    assert verify(source, output).holds
    end = len(output.read_bytes())

    overwrite(output, entry.value_offset, bytes(len(private)))
    overwrite(output, end, private)
    set_value(output, entry, end)

    assert any("Bytes" in said for said in verify(source, output).violations)
