"""Mosaics without colours developed: black to 0, white to 1, the curve of a colour space.

`render` calls it. The one thing to know: there is nothing to interpolate and nothing to balance, so
LibRaw, which takes some of these files for Bayer mosaics, has no part in it.

References
----------
IEC 61966-2-1 (sRGB); Adobe RGB (1998), 4.3.4.2; ISO 22028-2 (ROMM, the curve of ProPhoto RGB);
ICC.1:2001-04, 6.3.2 (monochrome display profiles).
"""

import struct

import numpy as np
from numpy.typing import NDArray

from fadn_cli.mosaic.values import Mosaic
from fadn_cli.raw.tiff.tags import PreviewSpace

_ROWS_PER_BLOCK = 256  # even
_WHITE = 65535
_CURVE_POINTS = 1024  # of the profile: between them, nothing is off by more than 16 bits show
_D50 = (0.9642, 1.0, 0.8249)
_PROFILE_HEADER = 128


def develop_grey(
    mosaic: Mosaic, *, half_size: bool, space: PreviewSpace, gain: float
) -> NDArray[np.uint16]:
    """Develop a mosaic without colours.

    Parameters
    ----------
    mosaic : Mosaic
    half_size : bool
        One pixel for 2x2 samples.
    space : PreviewSpace
        Whose curve the picture gets.
    gain : float
        How much brighter than the levels say, linear.

    Returns
    -------
    (height, width, 3) uint16, 0-65535
        The active area; all three channels are the same memory.
    """
    area = mosaic.active_area
    step = 2 if half_size and min(area.height, area.width) > 1 else 1
    height, width = area.height // step, area.width // step
    table = encoding_of(space, gain)
    grey = np.empty((height, width), np.uint16)
    cols = slice(area.left, area.left + width * step)
    for start in range(0, height * step, _ROWS_PER_BLOCK):
        stop = min(start + _ROWS_PER_BLOCK, height * step)
        rows = slice(area.top + start, area.top + stop)
        black = mosaic.black_rows(rows.start, rows.stop)[:, cols]
        x = (mosaic.samples[rows, cols] - black) / (np.float32(mosaic.white_level) - black)
        if step > 1:
            x = x.reshape(-1, step, width, step).mean(axis=(1, 3))
        linear = np.clip(np.rint(x * np.float32(_WHITE)), 0, _WHITE).astype(np.uint16)
        grey[start // step : stop // step] = table[linear]
    return np.broadcast_to(grey[..., None], (height, width, 3))


def encoding_of(space: PreviewSpace, gain: float) -> NDArray[np.uint16]:
    """Return how each level of linear light, 0 to 65535, is encoded."""
    x = np.minimum(np.arange(_WHITE + 1) * (gain / _WHITE), 1)
    if space == PreviewSpace.ADOBE_RGB:
        y = x ** (256 / 563)
    elif space == PreviewSpace.PRO_PHOTO:
        y = np.where(x < 1 / 512, 16 * x, x ** (1 / 1.8))
    else:
        y = _srgb(x)
    table: NDArray[np.uint16] = np.rint(y * _WHITE).astype(np.uint16)
    return table


def _srgb(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Encode linear light, 0 to 1, for sRGB."""
    y: NDArray[np.float64] = np.where(x <= 0.0031308, 12.92 * x, 1.055 * x ** (1 / 2.4) - 0.055)
    return y


def _grey_profile() -> bytes:
    """Build an ICC profile of grey with the curve of sRGB; pillow cannot."""
    encoded = np.linspace(0, 1, _CURVE_POINTS)
    low = encoded <= 0.04045
    linear = np.where(low, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    curve = np.rint(linear * _WHITE).astype(">u2").tobytes()
    name = b"Grey with the sRGB curve\0"
    tags = {
        b"desc": b"desc" + bytes(4) + struct.pack(">I", len(name)) + name + bytes(78),
        b"cprt": b"text" + bytes(4) + b"No copyright\0",
        b"wtpt": b"XYZ " + bytes(4) + _fixed(*_D50),
        b"kTRC": b"curv" + bytes(4) + struct.pack(">I", _CURVE_POINTS) + curve,
    }
    table, body = struct.pack(">I", len(tags)), b""
    start = _PROFILE_HEADER + 4 + 12 * len(tags)
    for signature, content in tags.items():
        table += struct.pack(">4sII", signature, start + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    header = struct.pack(
        ">I4s4s4s4s4s", start + len(body), bytes(4), b"\2\x20\0\0", b"mntr", b"GRAY", b"XYZ "
    )
    header += struct.pack(">6H4s", 2000, 1, 1, 0, 0, 0, b"acsp")
    header = header.ljust(68, b"\0") + _fixed(*_D50)
    return header.ljust(_PROFILE_HEADER, b"\0") + table + body


def _fixed(*values: float) -> bytes:
    """Encode numbers as ICC's s15Fixed16Number."""
    return struct.pack(f">{len(values)}i", *(round(value * 65536) for value in values))


GREY_PROFILE: bytes = _grey_profile()
"""ICC profile of one channel of `develop_grey` for sRGB."""
