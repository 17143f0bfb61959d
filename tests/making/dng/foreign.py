"""DNGs by writers that are neither the product's nor ours: tifffile and exiftool."""

import subprocess

import numpy as np
import tifffile

from tests.making.codings import WORDS, cut
from tests.making.dng.fields import CAMERA, CFA, PIXELS, TIME
from tests.making.tiff import LONG, RATIONAL, SHORT, SIZES, SRATIONAL, encode
from tests.programs.exiftool import need

IFD0 = CAMERA | {306: TIME}


def write_with_tifffile(
    path, stored, *, coding=WORDS, byteorder="<", tile=None, rows=None, in_subifd=False, previews=0
):
    """Write a DNG with tifffile, which gives pointers to SubIFDs the type IFD, and chains them.

    Parameters
    ----------
    previews : int
        How many SubIFDs with a picture precede the one with the samples.
    """
    pieces = [coding.encode(piece, byteorder) for piece in cut(stored, tile, rows)]
    raw = CFA | {50714: (SHORT, 512), 50717: (LONG, 15000)}
    options = {
        "photometric": "cfa",
        "subfiletype": 0,
        "tile": tile,
        "rowsperstrip": None if tile else rows or len(stored),
        "metadata": None,
        "software": False,
    }
    if coding.compression == 1:
        data = stored
    else:
        data = iter(pieces)
        options |= {"compression": coding.compression, "bitspersample": coding.bits}
        options |= {"shape": stored.shape, "dtype": stored.dtype}
    with tifffile.TiffWriter(path, byteorder=byteorder) as writer:
        if in_subifd:
            picture = np.frombuffer(PIXELS, np.uint8).reshape(8, 8, 3)
            small = {"photometric": "rgb", "subfiletype": 1, "metadata": None, "software": False}
            shared = _extratags(IFD0, byteorder)
            writer.write(picture, subifds=1 + previews, extratags=shared, **small)
            for _ in range(previews):
                writer.write(picture, **small)
        tags = raw if in_subifd else raw | IFD0
        writer.write(data, extratags=_extratags(tags, byteorder), **options)


def _extratags(fields, byteorder):
    """Turn {tag: (type, values)} into what tifffile takes: encoded bytes, or pairs of numbers."""
    for tag, (kind, values) in fields.items():
        encoded = encode(kind, values, byteorder)
        count = len(encoded) // SIZES[kind]
        if kind in (RATIONAL, SRATIONAL):
            encoded = tuple(np.frombuffer(encoded, byteorder + "i4").tolist())
        yield tag, kind, count, encoded, True


def rewrite_with_exiftool(path, *arguments):
    """Set tags of a file; exiftool puts IFDs, values, previews and samples in its own order."""
    need("exiftool")
    command = ["exiftool", "-q", "-m", "-overwrite_original", *arguments, str(path)]
    subprocess.run(command, check=True, capture_output=True, timeout=240)
