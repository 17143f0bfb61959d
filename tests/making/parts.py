"""Three writers of DNGs that are not the product's, for `layouts`.

They are tifffile; `assemble`, which is plain `struct` and decides where every part of a file lies;
and exiftool, which lays a whole file out anew.
"""

import subprocess
from collections import defaultdict
from collections.abc import Callable
from typing import NamedTuple

import imagecodecs
import numpy as np
import tifffile

from tests.making.dng.write import (
    ASCII,
    BYTE,
    LONG,
    MATRIX,
    NEUTRAL,
    RATIONAL,
    SHORT,
    SRATIONAL,
    UNDEFINED,
    TiffBuilder,
)
from tests.programs.exiftool import need

SHARED = {
    271: (ASCII, "Fadn"),
    272: (ASCII, "Synthetic"),
    274: (SHORT, 1),
    306: (ASCII, "2026:01:02 03:04:05"),
    50706: (BYTE, bytes((1, 4, 0, 0))),
    50707: (BYTE, bytes((1, 1, 0, 0))),
    50708: (ASCII, "Fadn Synthetic"),
    50721: (SRATIONAL, MATRIX),
    50728: (RATIONAL, NEUTRAL),
    50778: (SHORT, 21),
}
"""Tags of IFD0, wherever the samples are."""
EXIF = {
    33434: (RATIONAL, [(1, 125)]),
    33437: (RATIONAL, [(28, 10)]),
    34855: (SHORT, 400),
    36864: (UNDEFINED, b"0230"),
    36867: (ASCII, "2026:01:02 03:04:05"),
}
GPS = {
    0: (BYTE, bytes((2, 3, 0, 0))),
    1: (ASCII, "N"),
    2: (RATIONAL, [(48, 1), (8, 1), (30, 1)]),
    3: (ASCII, "E"),
    4: (RATIONAL, [(11, 1), (34, 1), (31, 1)]),
}


class Coding(NamedTuple):
    """How samples become the bytes of a strip or tile."""

    encode: Callable[[np.ndarray, str], bytes]
    bits: int
    compression: int = 1


def scene(height=96, width=128, *, black=512, white=15000, seed=0):
    """A smooth noisy picture with a saturated area; `black` may be a pattern."""
    rng = np.random.default_rng(seed)
    rows, cols = np.mgrid[:height, :width]
    x = 0.3 + 0.1 * np.sin(cols / 40 + seed) + 0.05 * np.cos(rows / 30)
    x += rng.normal(0, np.sqrt(4e-4 * x + 2e-5))
    x[20:40, 40:60] = 1.2
    pattern = np.atleast_2d(np.asarray(black, float))
    repeats = (-(-height // pattern.shape[0]), -(-width // pattern.shape[1]))
    black = np.tile(pattern, repeats)[:height, :width]
    return np.clip(np.rint(black + (white - black) * x), 0, white).astype(np.uint16)


WORDS = Coding(lambda piece, order: piece.astype(order + "u2").tobytes(), 16)
BYTES = Coding(lambda piece, order: piece.astype(np.uint8).tobytes(), 8)


def packed(bits):
    """Samples of so many bits, the highest first, each row beginning with a byte."""

    def encode(piece, order):
        digits = piece[..., None] >> np.arange(bits)[::-1] & 1
        return np.packbits(digits.astype(np.uint8).reshape(len(piece), -1), axis=1).tobytes()

    return Coding(encode, bits)


def lossless(*, components=2, predictor=1, precision=16, bits=16):
    """Lossless JPEG; BitsPerSample may be more than its precision."""

    def encode(piece, order):
        lines = piece if components == 1 else piece.reshape(len(piece), -1, components)
        return imagecodecs.jpeg8_encode(
            np.ascontiguousarray(lines), lossless=True, predictor=predictor, bitspersample=precision
        )

    return Coding(encode, bits, 7)


def cut(samples, tile=None, rows=None):
    """Cut samples into tiles, the edges padded, or into strips."""
    height, width = samples.shape
    if tile is None:
        rows = rows or height
        return [samples[top : top + rows] for top in range(0, height, rows)]
    down, across = tile
    padded = np.pad(samples, ((0, -height % down), (0, -width % across)), mode="edge")
    return [
        padded[top : top + down, left : left + across]
        for top in range(0, height, down)
        for left in range(0, width, across)
    ]


def jpeg_picture(height=32, width=48, seed=0):
    """A JPEG for a preview."""
    picture = np.random.default_rng(seed).integers(0, 255, (height, width, 3)).astype(np.uint8)
    return bytes(imagecodecs.jpeg8_encode(picture, level=60))


def assemble(path, parts, *, byteorder="<"):
    """Write a TIFF of named parts in their order: bytes, or the fields of an IFD.

    A part, or the values of a field, may be a function of the offsets of all parts by name. All is
    laid out twice: sizes do not depend on offsets, so the second time the offsets are right. A
    field "next" of an IFD leads to the next one.
    """
    offsets = defaultdict(int)
    for _ in range(2):
        tiff = TiffBuilder(byteorder)
        for name, part in parts.items():
            content = part(offsets) if callable(part) else part
            if isinstance(content, bytes):
                offsets[name] = tiff.add(content)
                continue
            following = content.get("next", lambda at: 0)
            fields = {
                tag: (item[0], item[1](offsets) if callable(item[1]) else item[1])
                for tag, item in content.items()
                if tag != "next" and item[1] is not None
            }
            offsets[name] = tiff.add_ifd(fields, following(offsets))
    tiff.finish(path, offsets["ifd0"])


def raw_fields(samples, coding, *, tile=None, rows=None):
    """The tags of the raw IFD that any DNG needs, but for where its pieces are."""
    height, width = samples.shape
    pieces = (
        {278: (LONG, rows or height)}
        if tile is None
        else {322: (LONG, tile[1]), 323: (LONG, tile[0])}
    )
    return pieces | {
        254: (LONG, 0),
        256: (LONG, width),
        257: (LONG, height),
        258: (SHORT, coding.bits),
        259: (SHORT, coding.compression),
        262: (SHORT, 32803),
        277: (SHORT, 1),
        284: (SHORT, 1),
        **CFA,
    }


CFA = {33421: (SHORT, (2, 2)), 33422: (BYTE, bytes((0, 1, 1, 2)))}
THUMBNAIL = {
    254: (LONG, 1),
    256: (LONG, 8),
    257: (LONG, 8),
    258: (SHORT, (8, 8, 8)),
    259: (SHORT, 1),
    262: (SHORT, 2),
    277: (SHORT, 3),
    278: (LONG, 8),
    279: (LONG, 192),
    284: (SHORT, 1),
}


def preview_fields(jpeg, height=32, width=48):
    """The tags of a preview's IFD, but for where it is."""
    return {
        254: (LONG, 1),
        256: (LONG, width),
        257: (LONG, height),
        258: (SHORT, (8, 8, 8)),
        259: (SHORT, 7),
        262: (SHORT, 6),
        277: (SHORT, 3),
        278: (LONG, height),
        279: (LONG, len(jpeg)),
        284: (SHORT, 1),
        50970: (LONG, 2),
    }


def write_structured(
    path,
    stored,
    *,
    coding=WORDS,
    byteorder="<",
    tile=None,
    rows=None,
    in_subifd=False,
    lead=b"",
    reverse=False,
    raw=None,
    shared=None,
    exif=None,
    parts=None,
    order=("ifd0", "raw", "exif", "gps", "thumbnail"),
):
    """Write a DNG with `assemble`.

    Parameters
    ----------
    stored : (H, W) uint16
        Before any LinearizationTable.
    lead : bytes
        Put in front of every strip or tile.
    reverse : bool
        Put the last strip or tile first.
    raw, shared, exif : {tag: (type, values)}, optional
        Added to, or replacing in, the raw IFD, IFD0 and the EXIF IFD; values None drop the tag.
    parts : {name: part}, optional
        More parts, which the tags may point to.
    order : sequence of str
        Names of parts: these come first, then the others, then the samples ("data"), unless they
        are named too.
    """
    pieces = [coding.encode(piece, byteorder) for piece in cut(stored, tile, rows)]
    names = [f"data {index}" for index in range(len(pieces))]
    offsets_tag, sizes_tag = (273, 279) if tile is None else (324, 325)
    raw_ifd = raw_fields(stored, coding, tile=tile, rows=rows) | {
        offsets_tag: (LONG, lambda at: [at[name] + len(lead) for name in names]),
        sizes_tag: (LONG, [len(piece) for piece in pieces]),
        **(raw or {}),
    }
    ifd0 = SHARED | {34665: (LONG, lambda at: at["exif"]), 34853: (LONG, lambda at: at["gps"])}
    all_parts = {"exif": EXIF | (exif or {}), "gps": GPS}
    if in_subifd:
        ifd0 |= THUMBNAIL | {
            273: (LONG, lambda at: at["thumbnail"]),
            330: (LONG, lambda at: at["raw"]),
        }
        all_parts |= {"thumbnail": bytes(range(192)), "raw": raw_ifd}
    else:
        ifd0 |= raw_ifd
    all_parts |= {"ifd0": ifd0 | (shared or {}), **(parts or {})}
    data = dict(zip(names, (lead + piece for piece in pieces), strict=True))
    placed = [name for name in order if name in all_parts or name == "data"]
    rest = [name for name in all_parts if name not in placed]
    placed = placed + rest if "data" in placed else [*placed, *rest, "data"]
    at = placed.index("data")
    placed[at : at + 1] = reversed(names) if reverse else names
    assemble(path, {name: (all_parts | data)[name] for name in placed}, byteorder=byteorder)


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
            picture = np.arange(192, dtype=np.uint8).reshape(8, 8, 3)
            small = {"photometric": "rgb", "subfiletype": 1, "metadata": None, "software": False}
            shared = _extratags(SHARED, byteorder)
            writer.write(picture, subifds=1 + previews, extratags=shared, **small)
            for _ in range(previews):
                writer.write(picture, **small)
        tags = raw if in_subifd else raw | SHARED
        writer.write(data, extratags=_extratags(tags, byteorder), **options)


def _extratags(fields, byteorder):
    """Turn {tag: (type, values)} into what tifffile takes: encoded bytes, or pairs of numbers."""
    tiff = TiffBuilder(byteorder)
    for tag, (kind, values) in fields.items():
        encoded = tiff.encode(kind, values)
        if kind in (RATIONAL, SRATIONAL):
            encoded = np.frombuffer(encoded, byteorder + "i4").tolist()
            yield tag, kind, len(encoded) // 2, tuple(encoded), True
        else:
            yield tag, kind, len(encoded) // {SHORT: 2, LONG: 4}.get(kind, 1), encoded, True


def rewrite_with_exiftool(path, *arguments):
    """Set tags of a file; exiftool puts IFDs, values, previews and samples in its own order."""
    need("exiftool")
    command = ["exiftool", "-q", "-m", "-overwrite_original", *arguments, str(path)]
    subprocess.run(command, check=True, capture_output=True, timeout=240)
