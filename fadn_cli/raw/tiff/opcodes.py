"""Opcode lists as syntax: what a DNG asks its readers to do, one entry after the other.

`raw.source` and `raw.dng` give the entries meaning. The one thing to know: a list is big-endian
whatever the file is, and every entry carries the length of its parameters, so that unknown ones
can be passed over.

References
----------
DNG 1.7.1, chapter 7 (opcode lists), tags 51008, 51009 and 51022.
"""

import struct
from collections.abc import Iterable, Iterator
from enum import IntEnum
from typing import NamedTuple

_COUNT = struct.Struct(">I")
_HEAD = struct.Struct(">IIII")  # id, DNG version, flags, length of the parameters


class OpcodeId(IntEnum):
    """The operations that DNG knows."""

    WARP_RECTILINEAR = 1
    WARP_FISHEYE = 2
    FIX_VIGNETTE_RADIAL = 3
    FIX_BAD_PIXELS_CONSTANT = 4
    FIX_BAD_PIXELS_LIST = 5
    TRIM_BOUNDS = 6
    MAP_TABLE = 7
    MAP_POLYNOMIAL = 8
    GAIN_MAP = 9
    DELTA_PER_ROW = 10
    DELTA_PER_COLUMN = 11
    SCALE_PER_ROW = 12
    SCALE_PER_COLUMN = 13
    WARP_RECTILINEAR_2 = 14


class Opcode(NamedTuple):
    """One entry of an opcode list."""

    id: int
    """What to do: an `OpcodeId`, or a number we do not know."""
    version: int
    """The DNG version that introduced it, as four bytes: 0x01030000."""
    flags: int
    """Bit 0: readers may skip it; bit 1: they may for a quick preview."""
    payload: bytes
    """Its parameters, big-endian."""


def read_opcodes(data: bytes) -> Iterator[Opcode]:
    """Yield the entries of an opcode list in their order.

    Parameters
    ----------
    data : bytes
        The tag's value; empty for a file without one.

    Raises
    ------
    ValueError
        The list lies about its length. What came before has been yielded.

    Examples
    --------
    >>> list(read_opcodes(bytes.fromhex("00000001 00000004 01030000 00000001 00000002 abcd")))
    [Opcode(id=4, version=16973824, flags=1, payload=b'\\xab\\xcd')]
    """
    if not data:
        return
    if len(data) < _COUNT.size:
        raise ValueError(f"an opcode list of {len(data)} bytes has no number of entries")
    [count] = _COUNT.unpack_from(data)
    at = _COUNT.size
    for number in range(count):
        if at + _HEAD.size > len(data):
            raise ValueError(f"opcode {number + 1} of {count} begins beyond the list's end")
        opcode, version, flags, size = _HEAD.unpack_from(data, at)
        at += _HEAD.size
        if at + size > len(data):
            raise ValueError(
                f"opcode {number + 1} of {count} says {size} bytes, {len(data) - at} are left"
            )
        yield Opcode(opcode, version, flags, bytes(data[at : at + size]))
        at += size


def build_opcodes(opcodes: Iterable[Opcode]) -> bytes:
    """Return an opcode list's bytes: the inverse of `read_opcodes`.

    Examples
    --------
    >>> build_opcodes([]).hex()
    '00000000'
    """
    entries = list(opcodes)
    parts = [_COUNT.pack(len(entries))]
    for entry in entries:
        parts += [_HEAD.pack(entry.id, entry.version, entry.flags, len(entry.payload))]
        parts += [entry.payload]
    return b"".join(parts)
