"""Where samples are, how they are cut into strips and tiles, and how they are coded."""

from functools import partial

import numpy as np

from tests.making.codings import BYTES, WORDS, lossless, packed
from tests.making.layouts.layout import structured
from tests.making.mosaics import smooth_samples
from tests.making.tiff import (
    LONG,
    SHORT,
)

EIGHT_BITS = {50714: (SHORT, 8), 50717: (LONG, 234)}


def codings():
    """How many bits a sample has, and how they are packed."""
    found = {}
    for bits, height, width in ((10, 96, 128), (12, 96, 131), (14, 97, 130)):
        black, white = 1 << bits - 4, (1 << bits) - 1
        levels = {50714: (SHORT, black), 50717: (LONG, white)}
        samples = smooth_samples(height, width, black=black, white=white)
        layout = partial(structured, samples, coding=packed(bits), raw=levels)
        found[f"{bits} bits packed, II"] = layout()
        found[f"{bits} bits packed, MM"] = layout(byteorder=">")
        found[f"{bits} bits packed, strips"] = layout(rows=10)
        found[f"{bits} bits packed, tiles, MM"] = layout(byteorder=">", tile=(32, 48))
    eight = smooth_samples(black=16, white=255)
    levels = {50714: (SHORT, 16), 50717: (LONG, None)}
    found["8 bits, no WhiteLevel"] = structured(eight, coding=BYTES, raw=levels)
    found["16 bits, no WhiteLevel"] = structured(
        smooth_samples(black=2000, white=65535), raw={50714: (SHORT, 2000), 50717: (LONG, None)}
    )
    jpegs = {
        "1 component": lossless(components=1),
        "predictor 7": lossless(components=1, predictor=7),
        "predictor 6": lossless(predictor=6),
        "precision 14 of 16 bits": lossless(precision=14),
        "14 bits": lossless(precision=14, bits=14),
    }
    for name, coding in jpegs.items():
        found[f"lossless, {name}"] = structured(smooth_samples(), coding=coding)
        found[f"lossless tiles, {name}"] = structured(
            smooth_samples(97, 131), coding=coding, tile=(32, 48)
        )
    return found


def pieces():
    """Strips and tiles where some readers do not look for them."""
    samples = smooth_samples(96, 129)
    even = smooth_samples()
    return {
        "strips apart": structured(samples, rows=10, lead=b"\xaa" * 40),
        "strips in reverse": structured(
            samples,
            rows=10,
            reverse=True,
            parts={"filler": bytes(30000)},  # LibRaw reads on to there
            order=("ifd0", "data", "filler"),
        ),
        "strips at even offsets": structured(samples // 64, rows=7, coding=BYTES, raw=EIGHT_BITS),
        "samples at an odd offset": structured(samples, lead=b"\xaa"),
        "lossless strips": structured(even, rows=20, coding=lossless()),
        "lossless strips apart": structured(even, rows=20, coding=lossless(), lead=b"\xaa" * 40),
        "tiles in reverse": structured(samples, tile=(32, 48), reverse=True),
        "one tile, wider than the image": structured(samples, tile=(96, 144)),
        "one lossless tile, wider": structured(samples, tile=(96, 144), coding=lossless()),
        "lossless tiles, half as wide": structured(even, tile=(96, 64), coding=lossless()),
        "512 columns": structured(smooth_samples(32, 512), tile=(32, 256)),
        "no RowsPerStrip": structured(samples, raw={278: (LONG, None)}),
        "byte counts too large": structured(samples, raw={279: (LONG, 10**8)}),
    }


def tables():
    """A LinearizationTable, which has to be baked in: LibRaw hands out what it makes of samples."""
    found = {}
    for name, codes, coding, white in (
        ("words", 4096, WORDS, 15000),
        ("words, no WhiteLevel", 4096, WORDS, None),
        ("8 bits", 256, BYTES, 15000),
        ("12 bits packed", 4096, packed(12), 15000),
        ("lossless", 4096, lossless(precision=12, bits=12), 15000),
        ("lossless, no WhiteLevel", 4096, lossless(), None),
    ):
        table = np.rint(np.linspace(0, np.sqrt(15000), codes) ** 2).astype(np.uint16)
        stored = np.searchsorted(table, smooth_samples()).astype(np.uint16)
        raw = {50712: (SHORT, table), 50717: (LONG, white)}
        found[f"LinearizationTable, {name}"] = structured(
            table[stored], stored=stored, coding=coding, raw=raw
        )
    return found
