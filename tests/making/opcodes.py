"""Opcode lists for the tests, written with `struct` alone: nothing of the product's own code."""

import struct

LIST_1 = 51008
UNDEFINED = 7
VERSION = 0x01030000


def opcode(number, body, *, version=VERSION, flags=0, size=None):
    """One entry; `size` is what it says of its length, if that is to be a lie."""
    return struct.pack(">4I", number, version, flags, len(body) if size is None else size) + body


def opcode_list(*opcodes, count=None):
    """A list of entries; `count` is how many it says, if that is to be a lie."""
    return struct.pack(">I", len(opcodes) if count is None else count) + b"".join(opcodes)


def fix_constant(constant=0, phase=0, **lies):
    """FixBadPixelsConstant."""
    return opcode(4, struct.pack(">2I", constant, phase), **lies)


def fix_list(points=(), rects=(), phase=0, counts=None, **lies):
    """FixBadPixelsList of (row, column) and (top, left, bottom, right)."""
    numbers = [number for each in (*points, *rects) for number in each]
    head = (phase, *(counts or (len(points), len(rects))))
    return opcode(5, struct.pack(f">{3 + len(numbers)}I", *head, *numbers), **lies)


def in_raw(*opcodes, **lies):
    """What `builders.write_dng` takes as `extra_raw`."""
    return {LIST_1: (UNDEFINED, opcode_list(*opcodes, **lies))}
