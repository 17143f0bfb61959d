"""A small synthetic IIQ, written with `struct` alone: a TIFF whose maker note is the raw file.

The layout is the one LibRaw and ExifTool document: the note lies right after the TIFF's header and
has a directory of its own, of 16-byte entries whose offsets count from the note.
"""

import struct

from tests.making.tiff import ASCII, LONG, UNDEFINED, At, TiffBuilder

MODEL = "P 45+"


def write_iiq(path, samples, *, black=1024):
    """Write an uncompressed IIQ, at least 480 x 640 for LibRaw, and return its path."""
    height, width = samples.shape
    note = bytearray(b"IIIITwaR" + bytes(4))

    def add(content):
        offset = len(note)
        note.extend(content + bytes(-len(content) % 4))
        return offset

    firmware = f"{MODEL}, Firmware: 1.0".encode().ljust(32, b"\0")
    entries = (
        (0x0102, 12, add(b"MA001055\0\0\0\0")),  # serial number
        (0x0107, 12, add(struct.pack("<3f", 1.3, 1, 1.4))),  # white balance
        *((0x0108 + 4 * part, 4, width) for part in (0, 1)),  # of the sensor, of the picture
        *((0x0109 + 4 * part, 4, height) for part in (0, 1)),
        (0x010E, 4, 0),  # plain 16-bit samples
        (0x010F, 2 * samples.size, add(samples.astype("<u2").tobytes())),
        (0x021D, 4, black),
        (0x0301, len(firmware), add(firmware)),
    )
    struct.pack_into("<I", note, 8, len(note))
    add(struct.pack("<II", len(entries), 0))
    for tag, size, value in entries:
        add(struct.pack("<IIII", tag, 4, size, value))
    tiff = TiffBuilder()
    exif = {37500: (UNDEFINED, At(tiff.add(note), len(note)))}
    camera = {271: (ASCII, "Phase One"), 272: (ASCII, MODEL), 34665: (LONG, tiff.add_ifd(exif))}
    path.write_bytes(tiff.close(tiff.add_ifd(camera)))
    return path
