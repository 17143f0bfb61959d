"""TIFF as bytes: the types, the one encoder of fields and IFDs, and the one builder of files.

`struct` alone: nothing of the product's own TIFF code is used, so a mistake there cannot hide here.
"""

import struct
from typing import NamedTuple

import numpy as np

BYTE, ASCII, SHORT, LONG, RATIONAL, UNDEFINED, SRATIONAL, FLOAT, DOUBLE = (
    1,
    2,
    3,
    4,
    5,
    7,
    10,
    11,
    12,
)
FORMATS = dict(enumerate("BBHIIbBhiifdI", 1)) | {129: "B"}
"""How `struct` calls the parts of one value, by type: TIFF's 12, IFD, and UTF-8 of Exif 3."""
SIZES = {
    kind: struct.calcsize(letter) * (2 if kind in (RATIONAL, SRATIONAL) else 1)
    for kind, letter in FORMATS.items()
}
"""Bytes of one value, by type."""


class At(NamedTuple):
    """Values that were written before: where, and how many of a one-byte type."""

    offset: int
    count: int


def encode(kind, values, byteorder="<"):
    """Encode values; rationals are floats (to 1e-6) or a list of (numerator, denominator)."""
    if isinstance(values, str):
        return values.encode() + b"\0"
    if isinstance(values, bytes):
        return values
    flat = np.atleast_1d(np.asarray(values)).ravel()
    if kind in (RATIONAL, SRATIONAL):
        pairs = values if isinstance(values, list) else [(v * 1e6, 1e6) for v in flat]
        flat = [round(part) for pair in pairs for part in pair]
    convert = float if kind in (FLOAT, DOUBLE) else int
    return struct.pack(f"{byteorder}{len(flat)}{FORMATS[kind]}", *map(convert, flat))


def encode_ifd(entries, next_offset=0, byteorder="<"):
    """Encode an IFD of {tag: (type, count, 4 bytes: the values, or where they are)}."""
    table = struct.pack(byteorder + "H", len(entries))
    for tag, (kind, count, field) in sorted(entries.items()):
        table += struct.pack(byteorder + "HHI", tag, kind, count) + field
    return table + struct.pack(byteorder + "I", next_offset)


class TiffBuilder:
    """A TIFF that grows from front to back; the header's pointer is filled in last."""

    def __init__(self, byteorder="<"):
        self.byteorder = byteorder
        mark = b"II*\0" if byteorder == "<" else b"MM\0*"
        self.buffer = bytearray(mark + bytes(4))

    def add(self, data):
        """Append bytes at an even offset; return it."""
        self.buffer += bytes(len(self.buffer) % 2)
        offset = len(self.buffer)
        self.buffer += data
        return offset

    def add_ifd(self, fields, next_offset=0):
        """Append an IFD of {tag: (type, values)}, its values before it; return its offset."""
        entries = {
            tag: (kind, *self._place(kind, values))
            for tag, (kind, values) in sorted(fields.items())
        }
        return self.add(encode_ifd(entries, next_offset, self.byteorder))

    def _place(self, kind, values):
        """Append values too long for an entry; return their count and the entry's 4 bytes."""
        if isinstance(values, At):
            return values.count, encode(LONG, values.offset, self.byteorder)
        data = encode(kind, values, self.byteorder)
        place = data.ljust(4, b"\0")
        if len(data) > 4:
            place = encode(LONG, self.add(data), self.byteorder)
        return len(data) // SIZES[kind], place

    def close(self, ifd0):
        """Point the header at IFD0; return the file."""
        self.buffer[4:8] = encode(LONG, ifd0, self.byteorder)
        return bytes(self.buffer)
