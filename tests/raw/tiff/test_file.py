"""Whatever the bytes are, the walk ends soon, in IFDs or in an error of ours."""

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fadn_cli.errors import FadnError, RawReadError, UnsupportedRawError
from fadn_cli.raw.tiff.file import (
    MAX_DEPTH,
    MAX_ENTRIES,
    MAX_ENTRIES_IN_ALL,
    MAX_IFDS,
    map_file,
    parse,
)
from tests.making.camera_tiff import write_camera_tiff
from tests.making.dng.write import write_dng
from tests.making.mosaics import noisy_samples
from tests.making.tiff import (
    ASCII,
    BYTE,
    DOUBLE,
    LONG,
    RATIONAL,
    SHORT,
    SRATIONAL,
    UNDEFINED,
    TiffBuilder,
)

EXIF, GPS, SUB_IFDS = 34665, 34853, 330


def small_tiff(byteorder="<"):
    """IFD0 with two SubIFDs and an EXIF IFD, and a second IFD in the chain."""
    tiff = TiffBuilder(byteorder)
    subs = [tiff.add_ifd({256: (LONG, size)}) for size in (10, 20)]
    exif = tiff.add_ifd({34855: (SHORT, 400), 36867: (ASCII, "2026:01:02 03:04:05")})
    second = tiff.add_ifd({256: (SHORT, 7)})
    fields = {
        254: (LONG, 0),
        258: (SHORT, (8, 9, 10)),
        271: (ASCII, "Make "),
        282: (RATIONAL, [(72, 1), (0, 0)]),
        700: (BYTE, b"<x/>!"),
        50706: (BYTE, (1, 4, 0, 0)),
        50730: (SRATIONAL, [(-1, 3)]),
        51022: (UNDEFINED, b"\0\1\2"),
        51041: (DOUBLE, (1e-4, 2.5)),
        SUB_IFDS: (LONG, subs),
        EXIF: (LONG, exif),
    }
    return tiff.close(tiff.add_ifd(fields, second))


@pytest.mark.parametrize("byteorder", ("<", ">"))
def test_every_ifd_is_found_with_the_place_of_its_pointer(byteorder):
    data = small_tiff(byteorder)

    tiff = parse(data, name="a.tif")

    assert byteorder == tiff.byteorder
    assert [0, SUB_IFDS, SUB_IFDS, EXIF, 0] == [ifd.pointer_tag for ifd in tiff.walk()]
    for ifd in tiff.walk():
        pointed = struct.unpack_from(byteorder + "I", data, ifd.pointer_offset)[0]
        assert ifd.offset == pointed
    assert [10, 20] == [sub.first_int(256, 0) for sub in tiff.ifds[0].sub_ifds(SUB_IFDS)]


@pytest.mark.parametrize("byteorder", ("<", ">"))
def test_values_of_every_kind_are_decoded(byteorder):
    ifd = parse(small_tiff(byteorder), name="a.tif").ifds[0]

    assert (8, 9, 10) == ifd.get(258).values
    assert "Make" == ifd.get(271).text
    assert ((72, 1), (0, 0)) == ifd.get(282).values
    assert (-1 / 3,) == ifd.get(50730).floats
    assert (1e-4, 2.5) == ifd.get(51041).values
    assert b"\0\1\2" == ifd.get(51022).data
    assert ifd.get(999) is None
    assert 5 == ifd.first_int(999, 5)


def test_a_rational_without_denominator_is_nan():
    ifd = parse(small_tiff(), name="a.tif").ifds[0]

    first, second = ifd.get(282).floats

    assert 72 == first
    assert second != second


def test_bigtiff_is_refused_by_name():
    with pytest.raises(UnsupportedRawError, match="big.dng: is a BigTIFF"):
        parse(b"II\x2b\0" + bytes(20), name="big.dng")


@pytest.mark.parametrize("data", (b"", b"II*\0", b"II*\0\xff\xff\0\0", b"GARBAGE!" * 9, bytes(64)))
def test_what_is_no_tiff_is_a_read_error(data):
    with pytest.raises(RawReadError, match="junk.dng"):
        parse(data, name="junk.dng")


def test_a_chain_that_loops_is_refused():
    tiff = TiffBuilder()
    first = tiff.add_ifd({256: (LONG, 1)}, next_offset=8)

    with pytest.raises(RawReadError, match="loop"):
        parse(tiff.close(first), name="loop.dng")


def test_an_exif_pointer_back_to_its_parent_is_refused():
    tiff = TiffBuilder()
    data = tiff.close(tiff.add_ifd({EXIF: (LONG, 8)}))

    with pytest.raises(RawReadError, match="loop"):
        parse(data, name="loop.dng")


def test_too_many_too_deep_and_too_full_ifds_are_refused():
    chain, deep, full = TiffBuilder(), TiffBuilder(), TiffBuilder()
    at = under = 0
    for _ in range(MAX_IFDS + 1):
        at = chain.add_ifd({256: (LONG, 1)}, next_offset=at)
    for _ in range(MAX_DEPTH + 1):
        under = deep.add_ifd({SUB_IFDS: (LONG, under)} if under else {256: (LONG, 1)})
    crowded = full.add(struct.pack("<H", MAX_ENTRIES + 1) + bytes(12 * MAX_ENTRIES + 100))

    for tiff, ifd0 in ((chain, at), (deep, under), (full, crowded)):
        with pytest.raises(RawReadError, match="damaged TIFF"):
            parse(tiff.close(ifd0), name="huge.dng")


def test_ifds_that_overlap_cannot_claim_more_entries_than_any_real_file_has():
    """Any even offset of the filling is an IFD of MAX_ENTRIES entries."""
    tiff = TiffBuilder()
    start = tiff.add(struct.pack("<H", MAX_ENTRIES) * (6 * MAX_ENTRIES + 300))
    offsets = [start + 2 * index for index in range(MAX_IFDS - 1)]
    data = tiff.close(tiff.add_ifd({SUB_IFDS: (LONG, offsets)}))

    found = parse(data, name="a.dng", tolerant=True)

    assert sum(len(ifd.entries) for ifd in found.walk()) <= MAX_ENTRIES_IN_ALL
    with pytest.raises(RawReadError, match=f"claims {MAX_ENTRIES} entries"):
        parse(data, name="a.dng")


def test_a_value_past_the_end_hurts_only_who_asks_for_it():
    data = bytearray(small_tiff())
    entry = parse(bytes(data), name="a.tif").ifds[0].get(51041)
    struct.pack_into("<I", data, entry.location + 8, len(data) + 1000)

    ifd = parse(bytes(data), name="a.tif").ifds[0]

    assert "Make" == ifd.get(271).text
    with pytest.raises(RawReadError, match="tag 51041 ends at byte"):
        _ = ifd.get(51041).values


def test_a_tolerant_walk_leaves_out_what_is_cut_off():
    data = bytearray(small_tiff())
    exif = parse(bytes(data), name="a.tif").ifds[0].sub_ifds(EXIF)[0]
    struct.pack_into("<I", data, exif.pointer_offset, len(data) + 10)

    with pytest.raises(RawReadError, match="beyond the file's end"):
        parse(bytes(data), name="a.tif")
    tiff = parse(bytes(data), name="a.tif", tolerant=True)

    assert [0, SUB_IFDS, SUB_IFDS, 0] == [ifd.pointer_tag for ifd in tiff.walk()]


@pytest.mark.parametrize("pointer", (0x7FFFFFFF, 1, 40, 8))
def test_a_tolerant_walk_ends_a_chain_that_leads_to_no_ifd(pointer):
    tiff = TiffBuilder()
    noise = np.random.default_rng(1).integers(0, 256, 4000, dtype=np.uint8)
    noise[32:34] = (9, 0)  # entries at byte 40 of the file
    tiff.add(noise.tobytes())
    data = tiff.close(tiff.add_ifd({256: (LONG, 1)}, next_offset=pointer))

    with pytest.raises(RawReadError):
        read_values(parse(data, name="a.tif"))
    walked = parse(data, name="a.tif", tolerant=True)

    assert 1 == len(walked.ifds)
    assert [0] == [tag for tag, _ in walked.lost]


def read_values(tiff):
    """Decode every value of a file."""
    for ifd in tiff.walk():
        for entry in ifd.entries:
            _ = entry.values


def test_a_tolerant_walk_says_which_pointers_led_nowhere():
    data = bytearray(small_tiff())
    exif = parse(bytes(data), name="a.tif").ifds[0].sub_ifds(EXIF)[0]
    struct.pack_into("<I", data, exif.pointer_offset, len(data) + 10)

    [(tag, error)] = parse(bytes(data), name="a.tif", tolerant=True).lost

    assert EXIF == tag
    assert "beyond the file's end" in str(error)
    assert () == parse(small_tiff(), name="a.tif", tolerant=True).lost


@pytest.mark.parametrize("magic", (b"IIU\0", b"IIRO", b"IIRS"))
def test_the_magic_numbers_of_panasonic_and_olympus_are_accepted(magic):
    tiff = parse(magic + small_tiff()[4:], name="a.rw2")

    assert 5 == len(list(tiff.walk()))


def read_everything(data):
    """Parse, and decode every value; our own errors are fine."""
    for tolerant in (False, True):
        try:
            tiff = parse(data, name="fuzz.dng", tolerant=tolerant)
        except FadnError:
            continue
        for ifd in tiff.walk():
            for entry in ifd.entries:
                for read in ("values", "floats", "ints", "text", "encoded"):
                    try:
                        getattr(entry, read)
                    except FadnError:
                        continue


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400), st.sampled_from((b"", b"II*\0", b"MM\0*", b"II*\0\x08\0\0\0")))
def test_arbitrary_bytes_raise_nothing_but_our_errors(data, head):
    read_everything(head + data)


@settings(max_examples=200, deadline=None)
@given(st.data(), st.sampled_from((small_tiff("<"), small_tiff(">"))))
def test_a_damaged_tiff_raises_nothing_but_our_errors(data, valid):
    damaged = bytearray(valid)
    places = st.integers(0, len(valid) - 1)
    for place, value in data.draw(
        st.lists(st.tuples(places, st.integers(0, 255)), min_size=1, max_size=12)
    ):
        damaged[place] = value

    read_everything(bytes(damaged[: data.draw(st.integers(8, len(valid)))]))


def test_a_path_that_cannot_be_read_says_why(tmp_path):
    empty = tmp_path / "empty.dng"
    empty.touch()

    for path, reason in (
        (tmp_path / "none.dng", "no such file"),
        (tmp_path, "is a folder"),
        (empty, "empty"),
    ):
        with pytest.raises(RawReadError, match=reason):
            map_file(path)


@pytest.mark.parametrize("write", (write_dng, write_camera_tiff))
def test_what_the_builders_write_parses(tmp_path, write):
    path = write(tmp_path / "a.dng", noisy_samples())

    tiff = parse(map_file(path), name=path.name)

    assert (64, 96) == (tiff.ifds[0].first_int(257, 0), tiff.ifds[0].first_int(256, 0))
