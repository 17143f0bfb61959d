"""Developed pictures made ready for a screen: exposed, oriented, shrunk, 8 bits, JPEG.

The comparison calls it with what `raw.develop.render` develops. The one thing to know: whatever
changes brightness or averages pixels does so in linear light; averaged as encoded, noisy shadows
would look darker than clean ones, and a comparison would show a shift that the files do not have.
"""

import io
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

RGB = NDArray[np.uint8]
"""(height, width, 3) uint8, sRGB-encoded."""

_WHITE = 65535


def to_8_bit(rgb: NDArray[np.uint16], *, stops: float = 0.0) -> RGB:
    """Round a 16-bit sRGB picture to 8 bits, brightened by so many stops.

    Parameters
    ----------
    rgb : (height, width, 3) uint16, 0-65535
    stops : float
        Exposure in linear light; what would be brighter than white is white.
    """
    return _exposure_table(stops)[rgb]


def orient(samples: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Turn and mirror a picture as its EXIF orientation asks; a view.

    Parameters
    ----------
    samples : (height, width, ...)
    orientation : int
        EXIF orientation, 1-8 [Exif 2.32, tag 274].

    Examples
    --------
    >>> orient(np.array([[1, 2], [3, 4]]), 6)
    array([[3, 1],
           [4, 2]])
    """
    if orientation >= 5:
        samples = samples.swapaxes(0, 1)
    down, across = _FLIPS[orientation]
    return samples[::down, ::across]


_FLIPS = {
    1: (1, 1),
    2: (1, -1),
    3: (-1, -1),
    4: (-1, 1),
    5: (1, 1),
    6: (1, -1),
    7: (-1, -1),
    8: (-1, 1),
}
"""Steps down and across of each orientation, after rows and columns have changed places from 5."""


def orient_place(
    place: tuple[float, float, float, float], orientation: int
) -> tuple[float, float, float, float]:
    """Turn a rectangle with its picture.

    Parameters
    ----------
    place : (left, top, width, height)
        As shares of the picture before `orient`.
    orientation : int
        EXIF orientation, 1-8.

    Returns
    -------
    (left, top, width, height)
        As shares of the picture after it.

    Examples
    --------
    >>> orient_place((0, 0, 0.25, 0.5), 6)
    (0.5, 0, 0.5, 0.25)
    """
    left, top, width, height = place
    if orientation >= 5:
        left, top, width, height = top, left, height, width
    down, across = _FLIPS[orientation]
    return (
        left if across > 0 else 1 - left - width,
        top if down > 0 else 1 - top - height,
        width,
        height,
    )


def shrink(rgb: NDArray[np.uint16], longest: int) -> RGB:
    """Make a picture at most so many pixels long, averaging linear light; never enlarges.

    Parameters
    ----------
    rgb : (height, width, 3) uint16, 0-65535
        sRGB-encoded.
    longest : int
        Pixels of the longer side.
    """
    height, width, _ = rgb.shape
    scale = longest / max(height, width)
    if scale >= 1:
        return to_8_bit(rgb)
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    planes = []
    for channel in range(3):  # one at a time: a whole float picture is twice the file's memory
        plane = Image.fromarray(_linear_table()[rgb[..., channel]])
        planes.append(np.asarray(plane.resize(size, Image.Resampling.LANCZOS)))
    return _encode(np.stack(planes, axis=-1))


def jpeg(rgb: RGB, *, quality: int) -> bytes:
    """Encode a picture, or a grey one, as JPEG with whole colour; the same bytes every time."""
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, "JPEG", quality=quality, subsampling=0, optimize=True)
    return buffer.getvalue()


def mean_light(rgb: NDArray[np.uint16]) -> float:
    """Return the mean of a 16-bit sRGB picture in linear light, 0 to 1."""
    return float(_linear_table()[rgb].mean(dtype=np.float64))


@lru_cache(maxsize=1)
def _linear_table() -> NDArray[np.float32]:
    """Linear light, 0 to 1, of every 16-bit sRGB value [IEC 61966-2-1]."""
    encoded = np.arange(_WHITE + 1, dtype=np.float32) / np.float32(_WHITE)
    low = encoded <= 0.04045
    table: NDArray[np.float32] = np.where(low, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    return table


@lru_cache(maxsize=8)
def _exposure_table(stops: float) -> RGB:
    """8-bit sRGB of every 16-bit value, brightened."""
    if stops == 0:  # exactly what the values say: no way through linear light and back
        return ((np.arange(_WHITE + 1, dtype=np.uint32) + 128) // 257).astype(np.uint8)
    return _encode(_linear_table() * np.float32(2**stops))


def _encode(linear: NDArray[np.float32]) -> RGB:
    """Encode linear light as 8-bit sRGB, clipped to 0..1 [IEC 61966-2-1]."""
    linear = np.clip(linear, 0, 1)
    low = linear <= 0.0031308
    encoded = np.where(low, linear * 12.92, 1.055 * linear ** np.float32(1 / 2.4) - 0.055)
    rounded: RGB = np.rint(encoded * 255).astype(np.uint8)
    return rounded
