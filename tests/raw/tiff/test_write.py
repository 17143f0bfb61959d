"""What is built parses back; what is spliced changes nothing else."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fadn_cli.raw.tiff.file import FieldType, map_file, parse
from fadn_cli.raw.tiff.tags import Tag, make_field
from fadn_cli.raw.tiff.write import (
    Field,
    PlacedField,
    append,
    build_header,
    build_ifd,
    patch_entry,
    rebuild_ifd,
    replace_ifd,
)
from tests.making.dng.write import write_dng
from tests.making.mosaics import noisy_samples
from tests.programs.exiftool import exiftool, need_exiftool

ORDERS = ("<", ">")
RANGES = {
    FieldType.BYTE: (0, 255),
    FieldType.SBYTE: (-128, 127),
    FieldType.SHORT: (0, 65535),
    FieldType.LONG: (0, 2**32 - 1),
    FieldType.SSHORT: (-(2**15), 2**15 - 1),
    FieldType.SLONG: (-(2**31), 2**31 - 1),
}


@st.composite
def fields(draw):
    """Fields of any type, with distinct tags that are no pointers."""
    made = []
    for tag in draw(st.sets(st.integers(1, 300), min_size=1, max_size=12)):
        kind = draw(st.sampled_from(FieldType))
        number = st.integers(*RANGES.get(kind, (0, 255)))
        if kind in (FieldType.RATIONAL, FieldType.SRATIONAL):
            number = st.tuples(st.integers(0, 9), st.integers(0, 9))
        elif kind in (FieldType.FLOAT, FieldType.DOUBLE):
            number = st.floats(-1e6, 1e6, width=32)
        values = tuple(draw(st.lists(number, min_size=1, max_size=5)))
        made.append(Field(tag=tag, type=kind, values=values))
    return made


def whole_file(items, byteorder, **kwargs):
    return build_header(byteorder) + build_ifd(items, byteorder=byteorder, at_offset=8, **kwargs)


@settings(max_examples=80, deadline=None)
@given(fields(), st.sampled_from(ORDERS))
def test_what_is_built_parses_back_sorted_and_aligned(items, byteorder):
    data = whole_file(items, byteorder)

    ifd = parse(data, name="a.tif").ifds[0]

    assert len(data) % 2 == 0
    assert sorted(item.tag for item in items) == [entry.tag for entry in ifd.entries]
    for item in items:
        entry = ifd.get(item.tag)
        assert (item.type, tuple(item.values)) == (entry.type, entry.values)
        assert entry.size <= 4 or entry.value_offset % 2 == 0


def test_text_ends_with_nul_and_bytes_stay_as_they_are():
    data = whole_file([make_field(Tag.MAKE, "Nikon"), make_field(Tag.XMP, b"<x/>")], "<")

    ifd = parse(data, name="a.tif").ifds[0]

    assert b"Nikon\0" == ifd.get(Tag.MAKE).data
    assert b"<x/>" == ifd.get(Tag.XMP).data


@pytest.mark.parametrize(
    "items",
    (
        [Field(tag=1, type=FieldType.SHORT, values=(70000,))],
        [Field(tag=1, type=FieldType.SHORT, values=())],
        [Field(tag=1, type=FieldType.SHORT, values=b"abc")],
        [make_field(Tag.MAKE, "a"), make_field(Tag.MAKE, "b")],
    ),
)
def test_what_cannot_be_encoded_is_a_programmers_mistake(items):
    with pytest.raises(ValueError, match=r"tag|twice"):
        build_ifd(items, byteorder="<", at_offset=8)


def test_odd_places_are_refused():
    with pytest.raises(ValueError, match="even offset"):
        build_ifd([make_field(Tag.MAKE, "a")], byteorder="<", at_offset=9)


@pytest.mark.parametrize("byteorder", ORDERS)
def test_a_placed_field_points_to_what_lies_there_already(byteorder):
    placed = PlacedField(tag=300, type=FieldType.UNDEFINED, count=5, offset=8)
    fields = [make_field(Tag.ORIENTATION, 6), placed]

    head = build_header(byteorder, ifd0_offset=14) + b"noted\0"
    data = head + build_ifd(fields, byteorder=byteorder, at_offset=14)

    ifd = parse(data, name="a").ifds[0]
    assert [274, 300] == [entry.tag for entry in ifd.entries]
    assert b"noted" == bytes(ifd.get(300).data)


@pytest.mark.parametrize("byteorder", ORDERS)
def test_a_rebuilt_ifd_keeps_the_bytes_of_every_other_entry(tmp_path, byteorder):
    path = write_dng(tmp_path / "a.dng", noisy_samples(), byteorder=byteorder)
    ifd = parse(map_file(path), name="a").ifds[0]
    replacement = make_field(Tag.NOISE_PROFILE, (1e-4, 1e-6))

    rebuilt = rebuild_ifd(
        ifd, at_offset=1000, replace={Tag.NOISE_PROFILE: replacement}, drop={Tag.MODEL}
    )

    kept = [entry for entry in ifd.entries if entry.tag != Tag.MODEL]
    assert len(kept) + 1 == struct.unpack_from(byteorder + "H", rebuilt)[0]
    assert all(entry.encoded in rebuilt for entry in kept)
    assert ifd.get(Tag.MODEL).encoded not in rebuilt


@pytest.mark.parametrize("byteorder", ORDERS)
@pytest.mark.parametrize("in_subifd", (False, True))
def test_a_splice_changes_the_chosen_tags_and_one_pointer_only(tmp_path, byteorder, in_subifd):
    path = write_dng(tmp_path / "a.dng", noisy_samples(), byteorder=byteorder, in_subifd=in_subifd)
    before = path.read_bytes() + b"\0"  # odd length: the new IFD must still be aligned
    tiff = parse(before, name="a")
    ifd0 = tiff.ifds[0]
    raw = ifd0.sub_ifds(Tag.SUB_IFDS)[0] if in_subifd else ifd0
    buffer = bytearray(before)

    offset = replace_ifd(buffer, raw, replace={Tag.WHITE_LEVEL: make_field(Tag.WHITE_LEVEL, 12345)})

    assert offset % 2 == 0
    changed = [at for at, byte in enumerate(before) if buffer[at] != byte]
    assert set(changed) <= set(range(raw.pointer_offset, raw.pointer_offset + 4))
    after = [i for i in parse(bytes(buffer), name="a").walk() if i.get(Tag.WHITE_LEVEL)]
    assert [12345] == [ifd.first_int(Tag.WHITE_LEVEL, 0) for ifd in after]
    for old, new in zip(raw.entries, after[0].entries, strict=True):
        assert old.tag == Tag.WHITE_LEVEL or old.values == new.values


def test_children_replaced_before_their_parent_stay_connected(tmp_path):
    path = write_dng(tmp_path / "a.dng", noisy_samples(), in_subifd=True)
    ifd0 = parse(map_file(path), name="a").ifds[0]
    buffer = bytearray(path.read_bytes())

    raw = ifd0.sub_ifds(Tag.SUB_IFDS)[0]
    new_raw = replace_ifd(buffer, raw, drop={Tag.CFA_LAYOUT})
    new_ifd0 = replace_ifd(buffer, ifd0, drop={Tag.MODEL})

    after = parse(bytes(buffer), name="a").ifds[0]
    assert (new_ifd0, new_raw) == (after.offset, after.sub_ifds(Tag.SUB_IFDS)[0].offset)


def test_a_value_is_patched_in_place_only_by_its_like():
    buffer = bytearray(whole_file([make_field(Tag.X_RESOLUTION, [(72, 1)])], ">"))
    entry = parse(bytes(buffer), name="a").ifds[0].get(Tag.X_RESOLUTION)

    patch_entry(buffer, entry, make_field(Tag.X_RESOLUTION, [(300, 7)]))

    after = parse(bytes(buffer), name="a").ifds[0].get(Tag.X_RESOLUTION)
    assert ((300, 7),) == after.values
    with pytest.raises(ValueError, match="same type and count"):
        patch_entry(buffer, entry, make_field(Tag.X_RESOLUTION, [(1, 1), (2, 1)]))


def test_appended_bytes_are_word_aligned():
    buffer = bytearray(b"abc")

    assert 4 == append(buffer, b"xy")
    assert b"abc\0xy" == buffer


@need_exiftool
def test_exiftool_finds_nothing_wrong_with_a_spliced_file(tmp_path):
    path = write_dng(tmp_path / "a.dng", noisy_samples(), in_subifd=True, byteorder=">")
    buffer = bytearray(path.read_bytes())
    ifd0 = parse(bytes(buffer), name="a").ifds[0]
    for ifd in (ifd0.sub_ifds(Tag.SUB_IFDS)[0], ifd0):
        replace_ifd(buffer, ifd, replace={305: make_field(Tag.SOFTWARE, "fadn")})
    path.write_bytes(buffer)

    said = exiftool(path, "-s3", "-a", "-Warning", "-Error", "-Software")

    assert ["fadn", "fadn"] == said.split()
