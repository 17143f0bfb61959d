"""Whatever the bytes are, the metadata reader returns or says so, in bounded time and memory."""

import struct
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fadn_cli.errors import RawReadError
from fadn_cli.raw.makers import containers
from fadn_cli.raw.source import metadata
from fadn_cli.raw.source.metadata import read_blocks
from tests.making.containers import CONTAINERS, EXIF, SHARED, box, tiff_bytes
from tests.making.pictures import jpeg
from tests.making.tiff import ASCII, BYTE, LONG, RATIONAL, SHORT, UNDEFINED

MIB = 1 << 20
HEADS = (
    b"II*\0\x08\0\0\0",
    b"MM\0*\0\0\0\x08",
    b"\0\0\0\x18ftypcrx ",
    b"FUJIFILMCCD-RAW ",
    b"\0MRM",
)
EXTREMES = (0, 1, 2, 8, 255, 256, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
OWN_LIMIT = 64 * MIB
"""What reading may allocate beyond the file's own size, whatever the counts in it say."""
MOST_READS = 20_000
"""Steps through boxes, blocks and segments; a camera's file takes a few hundred."""


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    return tmp_path_factory.mktemp("damage") / "fuzz.raw"


def read_any(path, content):
    """Read bytes that may be anything; None where the reader refuses them in its one way."""
    path.write_bytes(content)
    try:
        blocks = read_blocks(path)
    except RawReadError:
        return None
    assert blocks.orientation in (None, *range(1, 9))
    assert blocks.iso is None or blocks.iso > 0
    assert blocks.exposure_time is None or 0 < blocks.exposure_time < float("inf")
    assert blocks.maker_note is None or len(blocks.maker_note.data) <= metadata.MAX_MAKER_NOTE
    for fields in (blocks.shared, blocks.exif, blocks.gps, blocks.interoperability):
        assert len({field.tag for field in fields}) == len(fields)
        for field in fields:
            field.encode(">")  # whatever was read can be written
    return blocks


@settings(max_examples=300)
@given(head=st.sampled_from((b"", *HEADS)), rest=st.binary(max_size=600))
def test_arbitrary_bytes_are_read_or_refused(scratch, head, rest):
    read_any(scratch, head + rest)


def damage(draw, whole):
    """Overwrite single bytes and whole numbers, then cut off the end."""
    damaged = bytearray(whole)
    places = st.integers(0, len(damaged) - 4)
    for place, value in draw(st.lists(st.tuples(places, st.integers(0, 255)), max_size=8)):
        damaged[place] = value
    numbers = st.tuples(places, st.sampled_from(EXTREMES), st.sampled_from(("<I", ">I")))
    for place, value, layout in draw(st.lists(numbers, max_size=4)):
        struct.pack_into(layout, damaged, place, value)
    return bytes(damaged[: draw(st.integers(1, len(damaged)))])


@settings(max_examples=400)
@given(st.data(), st.sampled_from(sorted(CONTAINERS)))
def test_a_damaged_container_is_read_or_refused(scratch, data, suffix):
    read_any(scratch, damage(data.draw, CONTAINERS[suffix]))


@pytest.mark.raw
@settings(max_examples=300)
@given(st.data())
def test_a_damaged_stub_is_read_or_refused(scratch, raws, data):
    stubs = sorted((raws / "awkward").glob("stub_*"))
    # Most of a stub is padding or cut-off pixels: damage what its structure is made of.
    whole = data.draw(st.sampled_from(stubs)).read_bytes()[:20_000]

    read_any(scratch, damage(data.draw, whole))


def chain_of_ifds(length):
    """IFDs that each point to the next, and the last to the first."""
    offsets = [8 + 6 * index for index in range(length)]
    return b"II*\0\x08\0\0\0" + b"".join(
        struct.pack("<HI", 0, after) for after in [*offsets[1:], offsets[0]]
    )


def endless_boxes():
    """A CR3 of as many empty boxes as fit, on both levels."""
    empty = struct.pack(">I4s", 8, b"free") * 50_000
    return box(b"ftyp", b"crx ") + box(b"moov", empty + box(b"trak", empty)) + empty


def endless_tracks():
    """A CR3 of many tracks, each with what is looked for behind many empty boxes."""
    empty, track = struct.pack(">I4s", 8, b"free") * 200, b""
    for kind in (b"stbl", b"minf", b"mdia", b"trak"):
        track = box(kind, empty + track)
    return box(b"ftyp", b"crx ") + box(b"moov", track * 200)


def nested_boxes(depth):
    content = b""
    for _ in range(depth):
        content = box(b"moov", content)
    return box(b"ftyp", b"crx ") + content


def huge_fields():
    """Two thousand EXIF fields that all claim the same megabytes."""
    body = bytearray(tiff_bytes(SHARED, exif=EXIF))
    exif = len(body)
    body += struct.pack("<H", 2000)
    count = MIB // 2
    for tag in range(1000, 3000):
        body += struct.pack("<HHII", tag, SHORT, count, 8)
    body += bytes(4 + 2 * count)
    root = len(body)
    body += struct.pack("<HHHII", 1, 34665, LONG, 1, exif) + bytes(4)
    struct.pack_into("<I", body, 4, root)
    return bytes(body)


HOSTILE = {
    "ifd-loop": chain_of_ifds(3),
    "ifd-chain": chain_of_ifds(50_000),
    "exif-in-exif": tiff_bytes({34665: (LONG, 8)}),
    "huge-count": tiff_bytes(SHARED, exif={33434: (RATIONAL, [(1, 60)])}).replace(
        struct.pack("<HHI", 33434, RATIONAL, 1), struct.pack("<HHI", 33434, RATIONAL, 2**32 - 1)
    ),
    "huge-fields": huge_fields(),
    "long-make": tiff_bytes({271: (ASCII, "x" * 4 * MIB)}),
    "infinite-iso": tiff_bytes({}, exif={34855: (11, float("inf"))}),
    "nan-exposure": tiff_bytes({}, exif={33434: (12, float("nan"))}),
    "box-loop": box(b"ftyp", b"crx ") + struct.pack(">I4s", 0, b"moov") + bytes(64),
    "box-of-64-bits": box(b"ftyp", b"crx ") + struct.pack(">I4sQ", 1, b"moov", 2**64 - 1),
    "endless-boxes": endless_boxes(),
    "endless-tracks": endless_tracks(),
    "nested-boxes": nested_boxes(5000),
    "mrw-of-empty-blocks": b"\0MRM" + bytes(4 + 8 * 200_000),
    "raf-of-segments": b"FUJIFILMCCD-RAW ".ljust(84, b"0")
    + struct.pack(">II", 92, 2 + 4 * 200_000)
    + b"\xff\xd8"
    + b"\xff\xe1\0\2" * 200_000,
    "strips-of-one-jpeg": tiff_bytes(
        {259: (SHORT, 6), 273: (LONG, 8), 279: (LONG, 40), 513: (LONG, 8), 514: (LONG, 2**31)}
    ),
    "note-past-the-end": tiff_bytes({}, exif={37500: (UNDEFINED, bytes(90))})[:-60],
    "preview-bomb": tiff_bytes(
        {46: (UNDEFINED, jpeg().replace(b"\0\x10\0\x10", b"\xff\xff\xff\xff"))}
    ),
    "xmp-of-nothing": tiff_bytes({700: (BYTE, b"\0")}),
}


class CountedStruct:
    """Stands for `struct` in `containers` and counts the reads: every step of a walk is one."""

    def __init__(self):
        self.reads = 0

    def unpack_from(self, *args):
        self.reads += 1
        return struct.unpack_from(*args)


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_hostile_counts_and_loops_cost_little(tmp_path, monkeypatch, content):
    counted = CountedStruct()
    monkeypatch.setattr(containers, "struct", counted)
    tracemalloc.start()

    try:
        read_any(tmp_path / "hostile.raw", content)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < OWN_LIMIT + 2 * len(content)
    assert counted.reads < MOST_READS
