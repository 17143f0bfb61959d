"""A small synthetic RAF, written with `struct` alone: metadata in a JPEG, samples in a TIFF.

The layout is the one LibRaw and ExifTool document: a header of offsets, a JPEG, a list of
big-endian records, and a TIFF whose IFD0 points to the raw IFD by tag 0xF000.
"""

import struct

import numpy as np

from tests.making.containers import exif_jpeg, tiff_bytes
from tests.making.mosaics import noisy_samples
from tests.making.sensors import XTRANS_CELL
from tests.making.tiff import ASCII, LONG, RATIONAL, SHORT, UNDEFINED, TiffBuilder

_UPRIGHT = 12  # the second byte of FujiLayout: no diagonal SuperCCD


def write_raf(
    path,
    samples=None,
    *,
    model="X-T2",
    x_trans=True,
    pattern=XTRANS_CELL,
    origin=(0, 0),
    note=b"",
    black=1024,
    diagonal=False,
    frames=1,
):
    """Write a 14-bit uncompressed RAF and return its path.

    Parameters
    ----------
    pattern : str
        The colours of an X-Trans sensor, from sample (0, 0).
    origin : (top, left)
        Of the visible part, which reaches to the end.
    black : int, or one for each site
    diagonal : bool
        Whether it is of a Super-CCD.
    frames : int
        How many the header claims.
    """
    samples = noisy_samples() if samples is None else samples
    height, width = samples.shape
    exif = {33434: (RATIONAL, [(1, 60)]), 34855: (SHORT, 200), 36864: (UNDEFINED, b"0230")}
    if note:
        exif[37500] = (UNDEFINED, note)
    camera = {271: (ASCII, "FUJIFILM"), 272: (ASCII, model)}
    preview = exif_jpeg(tiff_bytes(camera, exif=exif))
    visible = struct.pack(">HH", height - origin[0], width - origin[1])
    records = {0x100: struct.pack(">HH", height, width), 0x110: struct.pack(">HH", *origin)}
    records |= {0x111: visible, 0x121: visible}
    records[0x130] = bytes((0, 0 if diagonal else _UPRIGHT, 0, 0))
    if x_trans:
        records[0x131] = bytes("RGB".index(color) for color in reversed(pattern))
    listed = struct.pack(">I", len(records))
    for tag, content in records.items():
        listed += struct.pack(">HH", tag, len(content)) + content
    levels = np.broadcast_to(black, 36 if x_trans else 4)
    blocks = (preview, listed, _raw_tiff(samples, levels))
    offsets, body = [], bytearray(148)
    for block in blocks:
        body += bytes(len(body) % 2)
        offsets += [len(body), len(block)]
        body += block
    body[:28] = b"FUJIFILMCCD-RAW 0201FF129502"
    body[28 : 28 + len(model)] = model.encode()
    struct.pack_into(">6I", body, 84, *offsets)
    struct.pack_into(">I", body, 120, offsets[2] if frames == 2 else 0)
    path.write_bytes(body)
    return path


def _raw_tiff(samples, black):
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
            0xF00A: (LONG, black),
        }
    )
    return tiff.close(tiff.add_ifd({0xF000: (LONG, raw)}))
