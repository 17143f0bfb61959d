"""A maker note stays readable in a DNG: where it was, as it was."""

import io
import json
import struct
from dataclasses import replace

import pytest

from fadn_cli.raw.check.dng import check_dng
from fadn_cli.raw.dng import canonical
from fadn_cli.raw.dng.maker_notes import MAX_GAP, private_field, safety_field, write_in_place
from fadn_cli.raw.dng.write import write_dng
from fadn_cli.raw.source.blocks import MakerNote
from fadn_cli.raw.source.metadata import read_blocks
from fadn_cli.raw.source.reader import read_raw
from fadn_cli.raw.tiff.file import map_file, parse
from fadn_cli.raw.tiff.tags import Tag
from tests.making.camera_tiff import write_camera_tiff
from tests.making.dng.denoised import EDIT
from tests.making.mosaics import noisy_samples
from tests.programs.exiftool import exiftool, need_exiftool

NOTE = MakerNote(data=b"SONY DSC \0\0\0" + bytes(range(200)), byteorder="<", offset=1234)
STUBS = (
    "stub_CanonRaw.cr2",
    "stub_CanonRaw.cr3",
    "stub_FujiFilm.raf",
    "stub_Minolta.mrw",
    "stub_Nikon.nef",
    "stub_Panasonic.rw2",
    "stub_canon-r6.cr3",
)
OUTSIDE_THE_NOTE = ("CompressorVersion", "ThumbnailImage", "PreviewImage", "PreviewImageStart")
"""What exiftool lists with the maker notes: other parts of the container, places in the file."""


@pytest.mark.parametrize("offset", (8, 9, 1234, MAX_GAP))
def test_a_note_is_written_where_it_was(offset):
    output = io.BytesIO(b"II*\0\0\0\0\0")

    placed = write_in_place(output, replace(NOTE, offset=offset))

    written = output.getvalue()
    assert (offset, len(NOTE.data)) == (placed.offset, placed.count)
    assert NOTE.data == written[offset:]
    assert not any(written[8:offset])


@pytest.mark.parametrize("offset", (0, 7, MAX_GAP + 1, 2**31))
def test_a_note_from_too_far_away_is_not(offset):
    output = io.BytesIO()

    assert write_in_place(output, replace(NOTE, offset=offset)) is None
    assert b"" == output.getvalue()


@pytest.mark.parametrize(
    ("start", "safe"),
    ((b"Nikon\0\2\x10", 1), (b"FUJIFILM", 1), (b"OLYMPUS\0", 1), (b"SONY DSC ", 0)),
)
def test_only_notes_that_count_from_themselves_may_be_moved(start, safe):
    assert (safe,) == safety_field(replace(NOTE, data=start + bytes(50))).values


@pytest.mark.parametrize("byteorder", ("<", ">"))
@pytest.mark.parametrize("length", (50, 51))
def test_the_adobe_convention_records_size_byte_order_and_place(byteorder, length):
    note = MakerNote(data=bytes(range(length)), byteorder=byteorder, offset=700)

    wrapped = private_field(note).values

    name, size, mark, offset = struct.unpack_from(">4sI2sI", wrapped, 6)
    assert (b"Adobe\0", b"MakN") == (wrapped[:6], name)
    assert (length + 6, b"II" if byteorder == "<" else b"MM", 700) == (size, mark, offset)
    assert note.data == wrapped[20 : 20 + length]
    assert 0 == (len(wrapped) - 6) % 2


@pytest.mark.parametrize("byteorder", ("<", ">"))
@pytest.mark.parametrize("offset", (1234, MAX_GAP + 2))
def test_a_dng_holds_the_note_and_the_byte_order_it_needs(tmp_path, byteorder, offset):
    source = write_camera_tiff(
        tmp_path / "in.arw", noisy_samples(), byteorder=byteorder, maker_note=(offset, NOTE.data)
    )

    raw_image, output = read_raw(source), tmp_path / "out.dng"
    write_dng(output, raw_image, raw_image.mosaic, edit=EDIT)

    check_dng(output, raw_image.mosaic)
    tiff, note = parse(map_file(output), name="out.dng"), read_blocks(output).maker_note
    private = tiff.ifds[0].get(Tag.DNG_PRIVATE_DATA)
    assert byteorder == tiff.byteorder
    if offset <= MAX_GAP:
        assert MakerNote(data=NOTE.data, byteorder=byteorder, offset=offset) == note
        assert private is None
    else:
        assert note is None
        assert NOTE.data in bytes(private.data)


def maker_note_tags(path):
    """What exiftool reads from a file's maker note, by group and name."""
    (row,) = json.loads(exiftool(path, "-j", "-G1", "-n", "-MakerNotes:all"))
    return {
        name: value
        for name, value in row.items()
        # CR3 tracks and MRW blocks are no part of the note.
        if not name.startswith(("Track", "MinoltaRaw:", "SourceFile"))
        and not name.endswith(OUTSIDE_THE_NOTE)
    }


@pytest.mark.raw
@need_exiftool
@pytest.mark.parametrize("place", ("exif", "private"))
@pytest.mark.parametrize("name", STUBS)
def test_exiftool_reads_the_same_note_from_the_dng(tmp_path, raws, monkeypatch, name, place):
    """The stubs have no pixels, so another photograph is written with a stub's metadata."""
    stub, output = raws / "awkward" / name, tmp_path / "out.dng"
    blocks = read_blocks(stub)
    raw_image = read_raw(write_camera_tiff(tmp_path / "in.arw", noisy_samples()))
    metadata = replace(raw_image.metadata, make=blocks.make, model=blocks.model)
    monkeypatch.setattr(canonical, "read_blocks", lambda path: blocks)
    if place == "private":
        monkeypatch.setattr(canonical, "write_in_place", lambda output, note: None)

    write_dng(output, replace(raw_image, metadata=metadata), raw_image.mosaic, edit=EDIT)

    check_dng(output, raw_image.mosaic)
    expected = maker_note_tags(stub)
    assert len(expected) > 20
    assert expected == maker_note_tags(output)
