"""Where the containers that are no TIFF keep their metadata: CR3 boxes, JPEG segments, RAF, MRW.

`metadata` calls it. The one thing to know: everything is a view of the file's bytes, damaged
structure just ends the walk, and no walk takes more than MAX_PARTS steps.

References
----------
ISO 14496-12 (boxes); ITU T.81, annex B (JPEG segments); for CR3, RAF and MRW the layouts documented
by LibRaw and ExifTool.
"""

import re
import struct
from collections.abc import Iterator
from itertools import islice

MAX_PARTS = 256
"""Boxes, blocks or segments in a row; real files have under 100."""
PHASE_ONE_NOTE = re.compile(rb"IIII.waR|MMMMRaw", re.DOTALL)
"""How the maker note of an IIQ begins; the note is the raw file itself."""
_MAX_TRACKS = 16  # of a CR3; cameras write 4 or 5
_CANON_METADATA = bytes.fromhex("85c0b687820f11e08111f4ce462b6a48")
_CANON_PREVIEW = bytes.fromhex("eaf42b5e1c984b88b9fbb7dc406e4d16")
_XMP_BOX = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")


def canon_boxes(data: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    """Yield the boxes of a CR3 that we read: CMT1-CMT4, PRVW, and XMP under its own name."""
    for kind, content in _boxes(data):
        if kind == b"moov":
            for inner, uuid_box in _boxes(content):
                if inner == b"uuid" and bytes(uuid_box[:16]) == _CANON_METADATA:
                    yield from _boxes(uuid_box[16:])
        elif kind == b"uuid" and bytes(content[:16]) == _CANON_PREVIEW:
            yield from _boxes(content[24:])  # 8 bytes of flags and count before the PRVW box
        elif kind == b"uuid" and bytes(content[:16]) == _XMP_BOX:
            yield b"XMP ", content[16:]


def canon_samples(data: memoryview) -> Iterator[memoryview]:
    """Yield the first sample of each track of a CR3: one is the full-size JPEG, others the raw."""
    movie = _descend(data, b"moov")
    tracks = (part for kind, part in _boxes(movie or data[:0]) if kind == b"trak")
    for track in islice(tracks, _MAX_TRACKS):
        table = _descend(track, b"mdia", b"minf", b"stbl")
        if table is not None:
            yield from _first_sample(data, dict(_boxes(table)))


def fuji_jpeg(data: memoryview) -> memoryview | None:
    """Return the JPEG of a RAF, which holds all its metadata; None if it is cut off."""
    if len(data) < 92:
        return None
    offset, length = struct.unpack_from(">II", data, 84)
    return data[offset : offset + length] if offset + length <= len(data) else None


def fuji_records(data: memoryview) -> dict[int, memoryview]:
    """Return the records of a RAF that describe its sensor, by tag; damaged ones left out."""
    found: dict[int, memoryview] = {}
    if len(data) < 108:
        return found
    (at,) = struct.unpack_from(">I", data, 92)
    if at + 4 > len(data):
        return found
    (count,) = struct.unpack_from(">I", data, at)
    at += 4
    for _ in range(min(count, MAX_PARTS)):
        if at + 4 > len(data):
            break
        tag, length = struct.unpack_from(">HH", data, at)
        found[tag] = data[at + 4 : at + 4 + length]
        at += 4 + length
    return found


def fuji_frames(data: memoryview) -> int:
    """Return how many frames a RAF holds: two, of a Super-CCD with two kinds of samples."""
    jpeg, second = (struct.unpack_from(">I", data, at)[0] for at in (84, 120))
    return 2 if jpeg > 120 and second else 1  # [LibRaw, identify]


def fuji_sensor_data(data: memoryview) -> memoryview:
    """Return the part of a RAF with the samples: a TIFF, or the samples alone; may be empty."""
    (offset,) = struct.unpack_from(">I", data, 100)
    return data[offset:] if offset else data[:0]


def fuji_black_levels(data: memoryview) -> tuple[int, ...]:
    """Return the black levels that a RAF's TIFF states, DN; () if it states none.

    LibRaw tells the least of them only.
    """
    part = fuji_sensor_data(data)
    order = {b"II": "<", b"MM": ">"}.get(bytes(part[:2]), "")
    if not order or len(part) < 8:
        return ()
    (ifd0,) = struct.unpack_from(order + "I", part, 4)
    for count, value in _longs(part, ifd0, 0xF000, order):
        offset = value if count == 1 else 0
        for levels, at in _longs(part, offset, 0xF00A, order):
            if 1 < levels <= 64 and at + 4 * levels <= len(part):
                return struct.unpack_from(f"{order}{levels}I", part, at)
    return ()


def _longs(data: memoryview, ifd: int, tag: int, order: str) -> Iterator[tuple[int, int]]:
    """Yield (count, value or offset) of an IFD's entry of type LONG or IFD."""
    if ifd + 2 > len(data):
        return
    (entries,) = struct.unpack_from(order + "H", data, ifd)
    for index in range(min(entries, MAX_PARTS)):
        at = ifd + 2 + 12 * index
        if at + 12 > len(data):
            return
        found, kind, count, value = struct.unpack_from(order + "HHII", data, at)
        if found == tag and kind in (4, 13):
            yield count, value


def minolta_tiff(data: memoryview) -> memoryview | None:
    """Return the TIFF in the TTW block of an MRW."""
    at = 8
    for _ in range(MAX_PARTS):
        if at + 8 > len(data):
            break
        kind, length = struct.unpack_from(">4sI", data, at)
        if kind == b"\0TTW":
            return data[at + 8 : at + 8 + length]
        at += 8 + length
    return None


def jpeg_segments(jpeg: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Yield (marker, content) of a JPEG's segments up to its image data."""
    if bytes(jpeg[:2]) != b"\xff\xd8":
        return
    at = 2
    for _ in range(MAX_PARTS):
        if at + 4 > len(jpeg):
            return
        start, marker, length = struct.unpack_from(">BBH", jpeg, at)
        if start != 0xFF or marker == 0xDA or length < 2:
            return
        yield marker, jpeg[at + 4 : at + 2 + length]
        at += 2 + length


def _first_sample(data: memoryview, tables: dict[bytes, memoryview]) -> Iterator[memoryview]:
    """Yield where a track's tables of sizes and offsets say its first sample is, if in the file."""
    sizes, offsets = tables.get(b"stsz", b""), tables.get(b"co64", b"")
    if len(sizes) < 12 or len(offsets) < 16:
        return
    # Both begin with version and flags; a size for all samples, if not 0, replaces their table.
    (length,) = struct.unpack_from(">I", sizes, 4)
    if not length and len(sizes) >= 16:
        (length,) = struct.unpack_from(">I", sizes, 12)
    (start,) = struct.unpack_from(">Q", offsets, 8)
    if length and start + length <= len(data):
        yield data[start : start + length]


def _descend(content: memoryview, *path: bytes) -> memoryview | None:
    """Return the content of the first box at the end of a path of box types."""
    for kind in path:
        inner = next((part for found, part in _boxes(content) if found == kind), None)
        if inner is None:
            return None
        content = inner
    return content


def _boxes(data: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    """Yield (type, content) of the ISO-BMFF boxes in a row."""
    at = 0
    for _ in range(MAX_PARTS):
        if at + 8 > len(data):
            return
        size, kind = struct.unpack_from(">I4s", data, at)
        header = 8
        if size == 1 and at + 16 <= len(data):
            (size,) = struct.unpack_from(">Q", data, at + 8)
            header = 16
        elif size == 0:
            size = len(data) - at
        if size < header:
            return
        yield kind, data[at + header : at + size]
        at += size
