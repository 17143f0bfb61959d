"""Mosaics in JPEG XL, as DNG 1.7 has them: in strips or tiles, interleaved or not."""

from functools import partial

import imagecodecs
import numpy as np

from tests.making.codings import Coding
from tests.making.layouts.layout import structured
from tests.making.mosaics import smooth_samples
from tests.making.tiff import BYTE, LONG, SHORT

NEW = {50706: (BYTE, (1, 7, 1, 0)), 50707: (BYTE, (1, 7, 1, 0))}


def jpegxl(bits=16, *, stated=16, lossless=True):
    """Samples as JPEG XL of so many bits; BitsPerSample may say another number."""

    def encode(piece, order):
        options = {"lossless": True} if lossless else {"distance": 0.01}
        kind = np.uint8 if bits == 8 else np.uint16
        depth = {} if bits == 8 else {"bitspersample": bits}
        return imagecodecs.jpegxl_encode(
            np.ascontiguousarray(piece, kind), effort=3, numthreads=1, **depth, **options
        )

    return Coding(encode, stated, 52546)


def side_by_side(samples, rows, cols):
    """Every so many rows and columns as one part of the image."""
    parts = [[samples[row::rows, col::cols] for col in range(cols)] for row in range(rows)]
    return np.vstack([np.hstack(each) for each in parts])


def interleaved(samples, rows=2, cols=2, *, raw=None, **options):
    """A layout of interleaved samples."""
    factors = {50975: (LONG, rows), 52547: (LONG, cols)}
    stored = side_by_side(samples, rows, cols)
    return structured(samples, stored=stored, raw=factors | (raw or {}), **options)


def layouts():
    """JPEG XL in every layout, by name."""
    samples, odd = smooth_samples(), smooth_samples(97, 131)
    eight = smooth_samples(black=16, white=255)
    levels = {50714: (SHORT, 16), 50717: (LONG, None)}
    coded = partial(structured, coding=jpegxl(), shared=NEW)
    mixed = partial(interleaved, coding=jpegxl(), shared=NEW)
    return {
        "one strip": coded(samples),
        "strips": coded(samples, rows=20),
        "tiles": coded(odd, tile=(32, 48)),
        "one tile, wider": coded(odd, tile=(112, 144)),
        "tiles in reverse, MM": coded(odd, tile=(32, 48), reverse=True, byteorder=">"),
        "8 bits": structured(eight, coding=jpegxl(8, stated=8), raw=levels, shared=NEW),
        "2x2": mixed(samples, tile=(96, 128)),
        "2x2, odd sides": mixed(odd, tile=(32, 48)),
        "2x2 in a SubIFD, MM": mixed(odd, tile=(64, 64), in_subifd=True, byteorder=">"),
        "rows alone": mixed(odd, 2, 1, tile=(32, 48)),
        "3x2": mixed(odd, 3, 2, tile=(32, 48)),
    }
