"""Small synthetic raw files for the tests, written with `struct` alone.

Nothing of the product's own TIFF code is used, so a mistake there cannot hide here. `write_dng`
writes any flavour of DNG; `write_camera_tiff` writes a stand-in for a NEF, ARW, PEF or CR2.
"""

import struct
from typing import NamedTuple

import numpy as np

BYTE, ASCII, SHORT, LONG, RATIONAL, UNDEFINED, SRATIONAL, DOUBLE = 1, 2, 3, 4, 5, 7, 10, 12
FORMATS = {1: "B", 2: "B", 3: "H", 4: "I", 5: "I", 7: "B", 9: "i", 10: "i", 11: "f", 12: "d"}
MATRIX = (0.6722, -0.0635, -0.0963, -0.4287, 1.2460, 0.2028, -0.0908, 0.2162, 0.5668)
NEUTRAL = (0.5, 1.0, 0.625)
CAMERAS = {
    "nef": ("NIKON CORPORATION", "NIKON D800"),
    "arw": ("SONY", "ILCE-7"),
    "pef": ("PENTAX", "PENTAX K-5"),
    "cr2": ("Canon", "Canon EOS 550D"),
}
"""Cameras whose uncompressed 14-bit TIFF LibRaw decodes bit for bit, by suffix."""


class At(NamedTuple):
    """Values that were written before: where, and how many of a one-byte type."""

    offset: int
    count: int


class TiffBuilder:
    """A TIFF that grows from front to back; the header's pointer is filled in last."""

    def __init__(self, byteorder="<"):
        self.byteorder = byteorder
        mark = b"II*\0" if byteorder == "<" else b"MM\0*"
        self.buffer = bytearray(mark + bytes(4))

    def add(self, data):
        """Append bytes at an even offset; return it."""
        self.buffer += bytes(len(self.buffer) % 2)
        offset = len(self.buffer)
        self.buffer += data
        return offset

    def add_at(self, offset, data):
        """Append bytes at a given offset, which must not be taken; return what stands for them."""
        self.buffer += bytes(offset - len(self.buffer))
        return At(self.add(data), len(data))

    def add_ifd(self, fields, next_offset=0):
        """Append an IFD of {tag: (type, values)}; return its offset."""
        head = struct.pack(self.byteorder + "H", len(fields))
        for tag, (kind, values) in sorted(fields.items()):
            if isinstance(values, At):
                parts = (tag, kind, values.count, values.offset)
                head += struct.pack(self.byteorder + "HHII", *parts)
                continue
            data = self.encode(kind, values)
            count = len(data) // struct.calcsize("<" + FORMATS[kind])
            count //= 2 if kind in (RATIONAL, SRATIONAL) else 1
            where = data.ljust(4, b"\0")
            if len(data) > 4:
                where = struct.pack(self.byteorder + "I", self.add(data))
            head += struct.pack(self.byteorder + "HHI", tag, kind, count) + where
        return self.add(head + struct.pack(self.byteorder + "I", next_offset))

    def encode(self, kind, values):
        """Encode values; rationals are floats (to 1e-6) or (numerator, denominator)."""
        if isinstance(values, str):
            return values.encode() + b"\0"
        if isinstance(values, bytes):
            return values
        flat = np.atleast_1d(np.asarray(values)).ravel()
        if kind in (RATIONAL, SRATIONAL):
            pairs = values if isinstance(values, list) else [(v * 1e6, 1e6) for v in flat]
            flat = [round(part) for pair in pairs for part in pair]
        convert = float if kind in (11, DOUBLE) else int
        return struct.pack(f"{self.byteorder}{len(flat)}{FORMATS[kind]}", *map(convert, flat))

    def finish(self, path, ifd0):
        """Point the header at IFD0 and write the file."""
        struct.pack_into(self.byteorder + "I", self.buffer, 4, ifd0)
        path.write_bytes(self.buffer)
        return path


def noisy_samples(height=64, width=96, *, low=600, high=9000, seed=0):
    """A (H, W) uint16 mosaic without constant areas."""
    rng = np.random.default_rng(seed)
    return rng.integers(low, high, (height, width)).astype(np.uint16)


def write_dng(
    path,
    samples,
    *,
    cfa="RGGB",
    cfa_dim=(2, 2),
    byteorder="<",
    black=(512,),
    black_repeat=(1, 1),
    delta_h=None,
    delta_v=None,
    white=15000,
    active_area=None,
    noise_profile=None,
    linearization=None,
    tile=None,
    rows_per_strip=None,
    in_subifd=False,
    iso=400,
    exposure_time=(1, 125),
    orientation=1,
    make="Fadn",
    model="Synthetic",
    neutral=NEUTRAL,
    color_matrix=MATRIX,
    illuminant=21,
    extra=None,
    extra_raw=None,
):
    """Write an uncompressed 16-bit mosaic DNG and return its path.

    Parameters
    ----------
    samples : (H, W) uint16
        What LibRaw will decode (before `linearization`).
    cfa, cfa_dim : str, (rows, cols)
        Colours row by row from the active area's top-left; more letters with a larger dimension.
    black, black_repeat : sequence of numbers or (num, den) pairs in a list, (rows, cols)
        Pattern from the active area's top-left.
    active_area : (top, left, bottom, right), optional
    tile : (height, width), optional
        Write tiles instead of strips.
    in_subifd : bool
        Put a thumbnail into IFD0 and the raw into a SubIFD.
    extra, extra_raw : {tag: (type, values)}, optional
        Added to, or replacing in, IFD0 and the raw IFD; values None drop the tag.
    """
    tiff = TiffBuilder(byteorder)
    height, width = samples.shape
    raw = {
        254: (LONG, 0),
        256: (LONG, width),
        257: (LONG, height),
        258: (SHORT, 16),
        259: (SHORT, 1),
        262: (SHORT, 32803),
        277: (SHORT, 1),
        284: (SHORT, 1),
        33421: (SHORT, cfa_dim),
        33422: (BYTE, ["RGBCMYW".index(color) for color in cfa]),
        50711: (SHORT, 1),
        50713: (SHORT, black_repeat),
        50714: (RATIONAL, black),
        50717: (LONG, white),
    }
    raw |= _image_data(tiff, samples, tile, rows_per_strip)
    optional = {
        50712: (SHORT, linearization),
        50715: (SRATIONAL, delta_h),
        50716: (SRATIONAL, delta_v),
        50829: (LONG, active_area),
        51041: (DOUBLE, noise_profile),
    }
    raw |= {tag: item for tag, item in optional.items() if item[1] is not None}
    exif = {33434: (RATIONAL, [exposure_time]), 36867: (ASCII, "2026:01:02 03:04:05")}
    if iso is not None:
        exif[34855] = (SHORT, iso)
    shared = {
        271: (ASCII, make),
        272: (ASCII, model),
        274: (SHORT, orientation),
        306: (ASCII, "2026:01:02 03:04:05"),
        34665: (LONG, tiff.add_ifd(exif)),
        50706: (BYTE, (1, 4, 0, 0)),
        50707: (BYTE, (1, 1, 0, 0)),
        50708: (ASCII, f"{make} {model}"),
        50721: (SRATIONAL, color_matrix),
        50728: (RATIONAL, neutral),
        50778: (SHORT, illuminant),
    }
    shared = _merge(shared, extra)
    raw = _merge(raw, extra_raw)
    if not in_subifd:
        return tiff.finish(path, tiff.add_ifd(raw | shared))
    thumbnail = {
        254: (LONG, 1),
        256: (LONG, 8),
        257: (LONG, 8),
        258: (SHORT, (8, 8, 8)),
        259: (SHORT, 1),
        262: (SHORT, 2),
        273: (LONG, tiff.add(bytes(range(192)))),
        277: (SHORT, 3),
        278: (LONG, 8),
        279: (LONG, 192),
        330: (LONG, tiff.add_ifd(raw)),
    }
    return tiff.finish(path, tiff.add_ifd(thumbnail | shared))


def write_camera_tiff(
    path,
    samples,
    *,
    make="NIKON CORPORATION",
    model="NIKON D800",
    byteorder="<",
    iso=800,
    exposure_time=(1, 60),
    orientation=1,
    gps=True,
    preview=None,
    maker_note=None,
    extra=None,
    extra_exif=None,
):
    """Write a camera's plain uncompressed raw and return its path.

    LibRaw goes by Make and Model: it decodes the samples bit for bit as RGGB and adds that
    camera's matrix and white level. It hides the last 46 columns of a D800, as masked.
    BlackLevel (50714) and AsShotNeutral (50728) in `extra` give black and white balance; without
    them black is 0 and the white balance unknown.

    Parameters
    ----------
    samples : (H, W) uint16
        At most 14 bits, even sides.
    preview : bytes, optional
        A JPEG, put into a second IFD.
    maker_note : (offset, bytes), optional
        The camera's own notes, and the even offset they are to lie at.
    extra, extra_exif : {tag: (type, values)}, optional
        Added to, or replacing in, IFD0 and the EXIF IFD; values None drop the tag.
    """
    tiff = TiffBuilder(byteorder)
    height, width = samples.shape
    exif = {} if maker_note is None else {37500: (UNDEFINED, tiff.add_at(*maker_note))}
    exif |= {
        33434: (RATIONAL, [exposure_time]),
        33437: (RATIONAL, [(28, 10)]),
        34855: (SHORT, iso),
        36864: (UNDEFINED, b"0230"),
        36867: (ASCII, "2026:01:02 03:04:05"),
        37386: (RATIONAL, [(50, 1)]),
    }
    fields = {
        254: (LONG, 0),
        256: (LONG, width),
        257: (LONG, height),
        258: (SHORT, 14),
        259: (SHORT, 1),
        262: (SHORT, 32803),
        270: (ASCII, "A synthetic scene"),
        271: (ASCII, make),
        272: (ASCII, model),
        274: (SHORT, orientation),
        277: (SHORT, 1),
        284: (SHORT, 1),
        305: (ASCII, "Ver.1.00"),
        306: (ASCII, "2026:01:02 03:04:05"),
        315: (ASCII, "A. Photographer"),
        33421: (SHORT, (2, 2)),
        33422: (BYTE, (0, 1, 1, 2)),
        33432: (ASCII, "(c) A. Photographer"),
        34665: (LONG, tiff.add_ifd(_merge(exif, extra_exif))),
    }
    fields |= _image_data(tiff, samples, None, None)
    if gps:
        position = {
            0: (BYTE, (2, 3, 0, 0)),
            1: (ASCII, "N"),
            2: (RATIONAL, [(48, 1), (8, 1), (30, 1)]),
            3: (ASCII, "E"),
            4: (RATIONAL, [(11, 1), (34, 1), (31, 1)]),
        }
        fields[34853] = (LONG, tiff.add_ifd(position))
    next_offset = 0
    if preview is not None:
        thumbnail = {259: (SHORT, 6), 513: (LONG, tiff.add(preview)), 514: (LONG, len(preview))}
        next_offset = tiff.add_ifd(thumbnail)
    return tiff.finish(path, tiff.add_ifd(_merge(fields, extra), next_offset))


def _image_data(tiff, samples, tile, rows_per_strip):
    """Append the samples as strips or tiles; return the tags that locate them."""
    height, width = samples.shape
    words = samples.astype(tiff.byteorder + "u2")
    if tile is None:
        rows = rows_per_strip or height
        strips = [words[top : top + rows].tobytes() for top in range(0, height, rows)]
        offsets = [tiff.add(strip) for strip in strips]
        return {273: (LONG, offsets), 278: (LONG, rows), 279: (LONG, [len(s) for s in strips])}
    tile_height, tile_width = tile
    padded = np.pad(words, ((0, -height % tile_height), (0, -width % tile_width)), mode="edge")
    offsets = [
        tiff.add(padded[top : top + tile_height, left : left + tile_width].tobytes())
        for top in range(0, height, tile_height)
        for left in range(0, width, tile_width)
    ]
    sizes = [tile_height * tile_width * 2] * len(offsets)
    return {
        322: (LONG, tile_width),
        323: (LONG, tile_height),
        324: (LONG, offsets),
        325: (LONG, sizes),
    }


def _merge(fields, changes):
    """Apply changes; a None drops the tag."""
    merged = fields | (changes or {})
    return {tag: item for tag, item in merged.items() if item is not None and item[1] is not None}
