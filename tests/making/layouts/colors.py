"""What is said of the camera's colours, and what is to be done to the picture."""

import struct

import numpy as np

from tests.making.dng.fields import MATRIX
from tests.making.layouts.layout import structured
from tests.making.mosaics import smooth_samples
from tests.making.tiff import (
    ASCII,
    BYTE,
    FLOAT,
    LONG,
    RATIONAL,
    SHORT,
    SRATIONAL,
    UNDEFINED,
    TiffBuilder,
    encode,
)


def layouts():
    """What is said of the camera's colours, and what is to be done to the picture."""
    other = tuple(value * 0.9 for value in MATRIX)
    forward = (0.6, 0.2, 0.164, 0.25, 0.7, 0.05, 0.02, 0.1, 0.705)
    calibration = (0.98, 0, 0, 0, 1, 0, 0, 0, 1.02)
    dual = {
        50721: (SRATIONAL, MATRIX),
        50722: (SRATIONAL, other),
        50723: (SRATIONAL, calibration),
        50724: (SRATIONAL, calibration),
        50727: (RATIONAL, (1.0, 1.0, 1.0)),
        50778: (SHORT, 17),
        50779: (SHORT, 21),
        50931: (ASCII, "com.adobe"),
        50932: (ASCII, "com.adobe"),
        50964: (SRATIONAL, forward),
        50965: (SRATIONAL, forward),
    }
    triple = {
        50706: (BYTE, bytes((1, 6, 0, 0))),
        52529: (SHORT, 23),
        52530: (SRATIONAL, calibration),
        52531: (SRATIONAL, MATRIX),
        52532: (SRATIONAL, forward),
    }
    baseline = {
        50730: (SRATIONAL, [(-1, 4)]),
        50731: (RATIONAL, [(3, 2)]),
        50732: (RATIONAL, [(4, 3)]),
        50734: (RATIONAL, [(9, 10)]),
        51109: (SRATIONAL, [(1, 3)]),
    }
    of_raw = {50733: (LONG, 120), 50737: (RATIONAL, [(1, 1)]), 50738: (RATIONAL, [(1, 2)])}
    white = {50728: (RATIONAL, None), 50729: (RATIONAL, (0.3127, 0.329))}
    return {
        "dual illuminant": structured(smooth_samples(), shared=dual),
        "triple illuminant": structured(smooth_samples(), shared=dual | triple, in_subifd=True),
        "AsShotWhiteXY": structured(smooth_samples(), shared=white),
        "baseline": structured(smooth_samples(), shared=baseline, raw=of_raw, in_subifd=True),
        "opcodes": structured(smooth_samples(), raw=opcode_lists(), in_subifd=True),
        "opcodes MM": structured(smooth_samples(), raw=opcode_lists(), byteorder=">"),
        "camera profile": structured(smooth_samples(), shared=dual | profile()),
        "extra camera profiles": structured(
            smooth_samples(),
            shared=profile() | {50933: (LONG, lambda at: (at["profile 1"], at["profile 2"]))},
            parts={"profile 1": extra_profile("<"), "profile 2": extra_profile(">")},
        ),
    }


def opcode_lists():
    """A constant that marks bad pixels, a gain map, and a lens correction."""
    gains = struct.pack(
        ">10I4dI4f", 0, 0, 96, 128, 0, 1, 1, 1, 2, 2, 1, 1, 0, 0, 1, 1, 1.1, 1.1, 1.2
    )
    warp = struct.pack(">I8d", 1, 1, 0.01, 0, 0, 0, 0, 0.5, 0.5)
    lists = {51008: (4, struct.pack(">2I", 0, 0)), 51009: (9, gains), 51022: (1, warp)}
    return {
        tag: (UNDEFINED, struct.pack(">5I", 1, opcode, 0x01030000, 1, len(data)) + data)
        for tag, (opcode, data) in lists.items()
    }


def profile():
    """The tags of a camera profile."""
    cube = np.linspace(0.9, 1.1, 2 * 2 * 2 * 3)
    return {
        50934: (ASCII, "Fadn Standard"),
        50936: (ASCII, "Fadn Standard"),
        50937: (LONG, (2, 2, 2)),
        50938: (FLOAT, cube),
        50939: (FLOAT, cube[::-1]),
        50940: (FLOAT, (0, 0, 0.25, 0.4, 1, 1)),
        50941: (LONG, 0),
        50942: (ASCII, "(c) Fadn"),
        50981: (LONG, (2, 2, 2)),
        50982: (FLOAT, cube),
        51107: (LONG, 0),
        51108: (LONG, 1),
        51110: (LONG, 1),
    }


def extra_profile(byteorder):
    """A camera profile as a file in the file, all its offsets its own."""
    tiff = TiffBuilder(byteorder)
    fields = {
        50708: (ASCII, "Fadn Synthetic"),
        50721: (SRATIONAL, MATRIX),
        50778: (SHORT, 21),
        50936: (ASCII, "Fadn Portrait"),
        50940: (FLOAT, (0, 0, 0.5, 0.6, 1, 1)),
    }
    ifd = tiff.add_ifd(fields)
    profile = tiff.close(ifd)
    return profile[:2] + encode(SHORT, 0x4352, byteorder) + profile[4:]
