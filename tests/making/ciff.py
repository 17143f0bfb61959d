"""A CRW of records, written with `struct` alone: heaps with their tables at the end."""

import struct

IN_ENTRY = 0x4000


def as_crw(records, *, byteorder="<", depth=2):
    """Write a CRW whose records lie in heaps in heaps; return its bytes.

    Parameters
    ----------
    records : {tag: bytes}
        With `IN_ENTRY` in the tag, the content (at most 8 bytes) is in the table.
    """
    heap = _heap(records, byteorder)
    for _ in range(depth - 1):
        heap = _heap({0x300A: heap}, byteorder)
    mark = b"II" if byteorder == "<" else b"MM"
    return mark + struct.pack(byteorder + "I", 26) + b"HEAPCCDR" + bytes(12) + heap


def photograph(byteorder="<"):
    """Records as an EOS 10D writes them: {tag: bytes}."""

    def pack(kinds, *values):
        return struct.pack(byteorder + kinds, *values)

    settings = [0] * 23 + [85 * 32, 17 * 32, 32]
    return {
        0x080A: b"Canon\0Canon EOS 10D\0",
        0x080B: b"Firmware Version 1.0.1\0",
        0x0810: b"A. Photographer\0",
        0x1029: pack("4H", 2, 50 * 32, 0, 0),
        0x102A: pack("6h", 0, 64, 160, 0, 0, 0),
        0x102D: pack("26H", *settings),
        0x10B4 | IN_ENTRY: pack("H", 1),
        0x180B | IN_ENTRY: pack("I", 123456789),
        0x180E: pack("3I", 1767323045, 0, 0),  # 2026-01-02 03:04:05
        0x1810: pack("2Ifi3I", 3072, 2048, 1, 270, 8, 24, 257),
        0x1818: pack("3f", 1 / 3, 5.906891, 2.97085),
    }


def _heap(records, byteorder):
    """Write records, then their table, then where it is."""
    body, table = b"", struct.pack(byteorder + "H", len(records))
    for tag, content in records.items():
        if tag & IN_ENTRY:
            table += struct.pack(byteorder + "H", tag) + content.ljust(8, b"\0")
        else:
            table += struct.pack(byteorder + "HII", tag, len(content), len(body))
            body += content
    return body + table + struct.pack(byteorder + "I", len(body))
