"""A small synthetic RAF, written with `struct` alone: metadata in a JPEG, samples in a TIFF.

The layout is the one LibRaw and ExifTool document: a header of offsets, a JPEG, a list of
big-endian records, and a TIFF whose IFD0 points to the raw IFD by tag 0xF000.
"""

import struct

from tests.making.containers import exif_jpeg, tiff_bytes
from tests.making.mosaics import noisy_samples
from tests.making.tiff import ASCII, LONG, RATIONAL, SHORT, UNDEFINED, TiffBuilder

X_TRANS = "GBGGRGRGRBGBGBGGRGGRGGBGBGBRGRGRGGBG"
_UPRIGHT = 12  # the second byte of FujiLayout: no diagonal SuperCCD


def write_raf(
    path, samples=None, *, model="X-T2", x_trans=True, note=b"", black=1024, diagonal=False
):
    """Write a 14-bit uncompressed RAF and return its path."""
    samples = noisy_samples() if samples is None else samples
    height, width = samples.shape
    exif = {33434: (RATIONAL, [(1, 60)]), 34855: (SHORT, 200), 36864: (UNDEFINED, b"0230")}
    if note:
        exif[37500] = (UNDEFINED, note)
    camera = {271: (ASCII, "FUJIFILM"), 272: (ASCII, model)}
    preview = exif_jpeg(tiff_bytes(camera, exif=exif))
    size = struct.pack(">HH", height, width)
    records = {0x100: size, 0x110: bytes(4), 0x111: size, 0x121: size}
    records[0x130] = bytes((0, 0 if diagonal else _UPRIGHT, 0, 0))
    if x_trans:
        records[0x131] = bytes("RGB".index(color) for color in X_TRANS)
    listed = struct.pack(">I", len(records))
    for tag, content in records.items():
        listed += struct.pack(">HH", tag, len(content)) + content
    blocks, offsets, body = (
        (preview, listed, _raw_tiff(samples, x_trans, black)),
        [],
        bytearray(148),
    )
    for block in blocks:
        body += bytes(len(body) % 2)
        offsets += [len(body), len(block)]
        body += block
    body[:28] = b"FUJIFILMCCD-RAW 0201FF129502"
    body[28 : 28 + len(model)] = model.encode()
    struct.pack_into(">6I", body, 84, *offsets)
    path.write_bytes(body)
    return path


def _raw_tiff(samples, x_trans, black):
    """The TIFF with the samples."""
    tiff = TiffBuilder()
    height, width = samples.shape
    strip = tiff.add(samples.astype("<u2").tobytes())
    raw = tiff.add_ifd(
        {
            0xF001: (LONG, width),
            0xF002: (LONG, height),
            0xF003: (LONG, 14),
            0xF007: (LONG, strip),
            0xF008: (LONG, samples.size * 2),
            0xF00A: (LONG, [black] * (36 if x_trans else 4)),
        }
    )
    return tiff.close(tiff.add_ifd({0xF000: (LONG, raw)}))
