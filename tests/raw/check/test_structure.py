"""Every way in which a TIFF can be broken is seen, told apart and located; sound files are not."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fadn_cli.errors import FadnError
from fadn_cli.findings import errors_among
from fadn_cli.raw.check.image_rules import check_images
from fadn_cli.raw.check.structure import check_tiff
from fadn_cli.raw.tiff.file import parse
from fadn_cli.raw.tiff.tags import Tag
from fadn_cli.raw.tiff.tree import MAX_PIECES
from tests.making.dng.damage import (
    ifd0_entry,
    overwrite,
    parse_file,
    raw_entry,
    set_count,
    set_type,
    set_value,
)
from tests.making.dng.write import write_dng as write_source
from tests.making.mosaics import noisy_samples
from tests.making.tiff import ASCII, BYTE, LONG, RATIONAL, SHORT, UNDEFINED


def faults(path):
    """What is wrong, as (severity, kind, ifd, tag)."""
    return [(each.severity, *each.place) for each in check_tiff(parse_file(path))]


@pytest.fixture
def sound(tmp_path):
    """A DNG with its raw in a SubIFD, in four strips."""
    samples = noisy_samples()
    return write_source(tmp_path / "a.dng", samples, in_subifd=True, rows_per_strip=16)


@pytest.mark.parametrize("byteorder", "<>")
@pytest.mark.parametrize("tile", (None, (16, 16)))
@pytest.mark.parametrize("in_subifd", (False, True))
def test_a_sound_file_has_no_faults(tmp_path, byteorder, tile, in_subifd):
    path = write_source(
        tmp_path / "a.dng", noisy_samples(), byteorder=byteorder, tile=tile, in_subifd=in_subifd
    )

    assert [] == faults(path)


def test_a_vendors_magic_number_is_found(sound):
    overwrite(sound, 2, struct.pack("<H", 0x55))

    assert [("error", "magic", "", "")] == faults(sound)


def test_tags_out_of_order_are_found(sound):
    first, second = ifd0_entry(sound, Tag.IMAGE_WIDTH), ifd0_entry(sound, Tag.IMAGE_LENGTH)
    overwrite(sound, first.location, second.encoded + first.encoded)

    [fault] = check_tiff(parse_file(sound))

    assert ("order", "IFD0", "") == fault.place
    assert "ImageWidth comes too late" in fault.what
    assert second.location == fault.offset


def test_a_tag_that_occurs_twice_is_found(sound):
    first, second = ifd0_entry(sound, Tag.IMAGE_WIDTH), ifd0_entry(sound, Tag.IMAGE_LENGTH)
    overwrite(sound, second.location, first.encoded)

    assert ("error", "order", "IFD0", "ImageWidth") in faults(sound)


@pytest.mark.parametrize(
    ("tag", "kind", "severity"),
    (
        (Tag.IMAGE_WIDTH, ASCII, "error"),
        (Tag.IMAGE_WIDTH, 99, "error"),
        (Tag.COMPRESSION, LONG, "warning"),
        (Tag.NEW_SUBFILE_TYPE, SHORT, "warning"),
    ),
)
def test_a_wrong_type_is_an_error_only_if_readers_cannot_make_sense_of_it(
    sound, tag, kind, severity
):
    set_type(sound, ifd0_entry(sound, tag), kind)

    assert (severity, "type", "IFD0", tag.label) in faults(sound)


@pytest.mark.parametrize(("tag", "count"), ((Tag.DNG_VERSION, 3), (Tag.COLOR_MATRIX_1, 8)))
def test_a_wrong_count_is_found(sound, tag, count):
    set_count(sound, ifd0_entry(sound, tag), count)

    assert [("error", "count", "IFD0", tag.label)] == faults(sound)


def test_no_values_at_all_are_found(sound):
    set_count(sound, ifd0_entry(sound, Tag.ORIENTATION), 0)

    assert ("error", "count", "IFD0", "Orientation") in faults(sound)


def test_text_without_its_end_is_a_warning(tmp_path):
    path = write_source(tmp_path / "a.dng", noisy_samples(), extra={305: (ASCII, b"fadn!")})

    assert [("warning", "text", "IFD0", "Software")] == faults(path)


def test_values_beyond_the_end_are_found(sound):
    set_value(sound, ifd0_entry(sound, Tag.COLOR_MATRIX_1), len(sound.read_bytes()) - 71)

    assert [("error", "bounds", "IFD0", "ColorMatrix1")] == faults(sound)


def test_a_count_beyond_all_files_is_found(sound):
    set_count(sound, ifd0_entry(sound, Tag.COLOR_MATRIX_1), 0xFFFFFFFF)

    assert ("error", "bounds", "IFD0", "ColorMatrix1") in faults(sound)


def test_values_in_the_header_are_found(sound):
    set_value(sound, ifd0_entry(sound, Tag.COLOR_MATRIX_1), 4)

    assert ("error", "bounds", "IFD0", "ColorMatrix1") in faults(sound)


def test_strips_beyond_the_end_are_found(sound):
    entry = raw_entry(sound, Tag.STRIP_OFFSETS)
    end = len(sound.read_bytes())
    overwrite(sound, entry.value_offset + 8, struct.pack("<II", end - 1, end + 1))

    [fault] = check_tiff(parse_file(sound))

    assert ("bounds", "IFD0/SubIFD0", "StripOffsets") == fault.place
    assert "2 of 4 pieces" in fault.what


def test_byte_counts_larger_than_the_samples_hurt_nobody(sound):
    entry = raw_entry(sound, Tag.STRIP_BYTE_COUNTS)
    overwrite(sound, entry.value_offset, struct.pack("<I", 1 << 30))

    assert [] == faults(sound)


def test_strips_that_overlap_are_found(sound):
    first, second, *_ = raw_entry(sound, Tag.STRIP_OFFSETS).ints
    entry = raw_entry(sound, Tag.STRIP_OFFSETS)
    overwrite(sound, entry.value_offset + 4, struct.pack("<I", (first + second) // 2))

    assert ("error", "overlap", "IFD0/SubIFD0", "StripOffsets") in faults(sound)


def test_values_inside_an_ifd_are_found(sound):
    set_value(sound, ifd0_entry(sound, Tag.COLOR_MATRIX_1), parse_file(sound).ifds[0].offset + 2)

    assert "overlap" in [kind for _, kind, *_ in faults(sound)]
    assert errors_among(check_tiff(parse_file(sound)))


def test_values_inside_image_data_are_found(sound):
    strips = raw_entry(sound, Tag.STRIP_OFFSETS).ints
    set_value(sound, ifd0_entry(sound, Tag.COLOR_MATRIX_1), strips[0] + 10)

    assert [("error", "overlap", "IFD0", "ColorMatrix1")] == faults(sound)


def test_every_value_inside_image_data_is_found(sound):
    strips = raw_entry(sound, Tag.STRIP_OFFSETS).ints
    set_value(sound, ifd0_entry(sound, Tag.COLOR_MATRIX_1), strips[0] + 10)
    set_value(sound, ifd0_entry(sound, Tag.AS_SHOT_NEUTRAL), strips[0] + 200)

    assert ["ColorMatrix1", "AsShotNeutral"] == [tag for *_, tag in faults(sound)]


def test_image_data_in_the_header_is_found(sound):
    entry = raw_entry(sound, Tag.STRIP_OFFSETS)
    overwrite(sound, entry.value_offset, struct.pack("<I", 4))

    assert ("error", "bounds", "IFD0/SubIFD0", "StripOffsets") in faults(sound)


def test_private_data_that_reaches_into_an_ifd_is_an_error(tmp_path):
    path = write_source(tmp_path / "a.dng", noisy_samples(), extra={50740: (BYTE, bytes(64))})
    set_value(path, ifd0_entry(path, Tag.DNG_PRIVATE_DATA), parse_file(path).ifds[0].offset)

    assert {"error"} == {severity for severity, kind, *_ in faults(path) if kind == "overlap"}


def test_an_ifd_at_an_odd_offset_is_a_warning(sound):
    content = sound.read_bytes()
    ifd0 = parse_file(sound).ifds[0]
    moved = content[ifd0.offset : ifd0.offset + 2 + 12 * len(ifd0.entries) + 4]
    at = len(content) + 1 - len(content) % 2
    overwrite(sound, len(content), bytes(1))
    overwrite(sound, at, moved)
    overwrite(sound, 4, struct.pack("<I", at))

    assert [("warning", "alignment", "IFD0", "")] == faults(sound)


def test_more_strips_than_any_file_has_are_not_looked_at_one_by_one(sound):
    for tag in (Tag.STRIP_OFFSETS, Tag.STRIP_BYTE_COUNTS):
        set_count(sound, raw_entry(sound, tag), MAX_PIECES + 1)

    assert ("error", "pieces", "", "") in faults(sound)


def test_two_tags_with_one_value_are_a_warning(tmp_path):
    resolution = {282: (RATIONAL, [(72, 1)]), 283: (RATIONAL, [(72, 1)])}
    path = write_source(tmp_path / "a.dng", noisy_samples(), extra=resolution)
    set_value(
        path, ifd0_entry(path, Tag.Y_RESOLUTION), ifd0_entry(path, Tag.X_RESOLUTION).value_offset
    )

    assert [("warning", "overlap", "IFD0", "YResolution")] == faults(path)


def test_a_value_inside_private_data_is_a_warning(tmp_path):
    extra = {50740: (BYTE, bytes(64)), 33723: (UNDEFINED, bytes(16))}
    path = write_source(tmp_path / "a.dng", noisy_samples(), extra=extra)
    private = ifd0_entry(path, Tag.DNG_PRIVATE_DATA)
    set_value(path, ifd0_entry(path, Tag.IPTC), private.value_offset + 8)

    assert [("warning", "overlap", "IFD0", "IPTC")] == faults(path)


@pytest.mark.parametrize(
    ("target", "words"),
    (
        (lambda path: parse_file(path).ifds[0].offset, "a loop"),
        (lambda path: len(path.read_bytes()) + 2, "beyond the end"),
        (lambda path: raw_entry(path, Tag.STRIP_OFFSETS).ints[0], "no IFD"),
    ),
)
def test_a_pointer_that_leads_to_no_new_ifd_is_found(sound, target, words):
    set_value(sound, ifd0_entry(sound, Tag.SUB_IFDS), target(sound))

    [fault] = check_tiff(parse_file(sound))

    assert ("pointer", "IFD0", "SubIFDs") == fault.place
    assert words in fault.what


@pytest.mark.parametrize("name", ("IFD0", "IFD0/SubIFD0", "IFD0/EXIF"))
def test_a_next_ifd_that_must_not_be_is_found(sound, name):
    tiff = parse_file(sound)
    ifd0 = tiff.ifds[0]
    ifd = {"IFD0": ifd0, "IFD0/SubIFD0": ifd0.children[0], "IFD0/EXIF": ifd0.children[1]}[name]
    overwrite(sound, ifd.offset + 2 + 12 * len(ifd.entries), struct.pack("<I", ifd0.offset))

    kind = "pointer" if name == "IFD0" else "next"
    severity = "warning" if name == "IFD0/EXIF" else "error"
    assert [(severity, kind, name, "")] == faults(sound)


def test_no_finding_says_where_a_thing_is_in_words(sound):
    """Else what a file has inherited could not be recognised by its words."""
    set_value(sound, ifd0_entry(sound, Tag.COLOR_MATRIX_1), 0x12345678)

    [fault] = check_tiff(parse_file(sound))

    assert str(0x12345678) not in fault.what


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    path = tmp_path_factory.mktemp("good") / "a.dng"
    resolution = {282: (RATIONAL, [(72, 1)]), 700: (BYTE, b"<x/>")}
    samples = noisy_samples(16, 16)
    return write_source(
        path, samples, in_subifd=True, rows_per_strip=4, extra=resolution
    ).read_bytes()


@given(data=st.data())
def test_whatever_the_damage_the_checks_find_faults_and_never_fail(content, data):
    damaged = bytearray(content)
    structure = len(content) - 900  # IFDs and their values; before it are samples
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, 15) | st.integers(structure, len(content) - 4))
        patch = data.draw(st.binary(min_size=1, max_size=4))
        damaged[at : at + len(patch)] = patch
    end = data.draw(st.just(len(content)) | st.integers(8, len(content)))

    try:
        tiff = parse(bytes(damaged[:end]), name="a.dng", tolerant=True)
    except FadnError:
        return
    found = [*check_tiff(tiff), *check_images(tiff)]

    assert all(each.what and each.kind for each in found)
    assert all(each.offset is None or 0 <= each.offset <= end for each in found)
