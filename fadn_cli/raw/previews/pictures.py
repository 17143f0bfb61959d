"""Pictures as previews need them: shrunk, turned, matched, encoded. The previews' door to pillow.

`renew` and `canonical` call it. The one thing to know: a picture is (height, width, 3) uint8, as
encoded for the screen, and a file's own preview is only looked at, never copied from.

References
----------
ITU-T T.81 (JPEG); Exif 2.32, tag 274 (what each orientation means); ITU-R BT.601 (luma).
"""

import io
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fadn_cli.raw.codec.lossless import claimed_samples

Picture = NDArray[np.uint8]
"""(height, width, 3), encoded for the screen."""
_JPEG_QUALITY = 90
_ROUNDED = 0.02  # cameras round and trim the sides of their previews by as much
_SKETCH_SIDE = 16  # blocks so large show the scene, whatever its noise, and a little displaced too
_DECODED_SIDE = 256  # a JPEG is decoded at the first eighth, quarter or half that is no smaller
_MOST_SAMPLES = 3 << 26  # of a JPEG that is worth looking at: three for each pixel
_LIKENESS = 0.4  # correlation above which two sketches show the same scene
_CLEARLY = 0.05  # more of it, to decide for the less usual orientation
_FLAT = 0.01  # deviation of a sketch without contrast
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""How a picture is turned upright, by EXIF orientation."""


def encode_jpeg(picture: Picture) -> bytes:
    """Encode a picture; the bytes depend on nothing else."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=_JPEG_QUALITY, subsampling="4:2:0")
    return buffer.getvalue()


def decode_jpeg(jpeg: bytes) -> Picture | None:
    """Decode a JPEG, grey or in colour, at a reduced size, big enough to look at.

    None if it is damaged, or of a kind that pillow does not know.
    """
    if claimed_samples(jpeg) > _MOST_SAMPLES:  # pillow would warn, or raise what it does not say
        return None
    try:
        with Image.open(io.BytesIO(jpeg), formats=("JPEG",)) as opened:
            opened.draft("RGB", (_DECODED_SIDE, _DECODED_SIDE))
            return np.asarray(opened.convert("RGB"))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):  # at broken files
        return None


def picture_of_bytes(data: bytes, size: tuple[int, int]) -> Picture | None:
    """Return the picture in plain RGB or grey bytes; None if their number fits neither."""
    for channels in (3, 1):
        shape = (*size, channels)
        if data and len(data) == math.prod(shape):
            return np.broadcast_to(np.frombuffer(data, np.uint8).reshape(shape), (*size, 3))
    return None


def fitted_size(size: tuple[int, int], box: tuple[int, int]) -> tuple[int, int]:
    """Return the (height, width) that a picture has when it fits into a box without distortion.

    A box of nearly its shape is filled. Nothing is enlarged by more than that.

    Examples
    --------
    >>> fitted_size((3000, 4000), (768, 1024)), fitted_size((3000, 4000), (682, 1024))
    ((768, 1024), (682, 909))
    >>> fitted_size((3000, 4000), (2992, 4008)), fitted_size((3000, 4000), (9000, 9000))
    ((2992, 4008), (3000, 4000))
    """
    scale = min(1.0, *(limit / side for limit, side in zip(box, size, strict=True)))
    height, width = (max(1, round(side * scale)) for side in size)
    near = all(
        abs(limit - side) <= max(1, _ROUNDED * limit)
        for limit, side in zip(box, (height, width), strict=True)
    )
    return box if near else (height, width)


def frame(picture: Picture, box: tuple[int, int], *, like: Picture | None = None) -> Picture:
    """Fill a box of (height, width) with a picture, enlarged if need be, without distortion.

    Parameters
    ----------
    picture : Picture
        The picture.
    box : tuple of int
        Height and width, pixels.
    like : Picture, optional
        What filled a box of that shape before. If the shapes differ, black bars are left, unless
        that one shows a part of the photograph without bars.
    """
    height, width, _ = picture.shape
    down, across = box[0] / height, box[1] / width
    inner = (max(1, round(height * min(down, across))), max(1, round(width * min(down, across))))
    if fitted_size(inner, box) == box:
        return resize(picture, box)
    bars = np.zeros((*box, 3), np.uint8)
    bars[_middle(inner, box)] = resize(picture, inner)
    if like is None:
        return bars
    scale = max(down, across)
    part = (min(height, round(box[0] / scale)), min(width, round(box[1] / scale)))
    cut = resize(picture[_middle(part, (height, width))], box)
    old = _sketch(like)
    return cut if _likeness(old, _sketch(cut)) > _likeness(old, _sketch(bars)) else bars


def resize(picture: Picture, size: tuple[int, int]) -> Picture:
    """Resize a picture to (height, width)."""
    height, width = size
    if picture.shape[:2] == size:
        return picture
    small = Image.fromarray(picture).resize(
        (width, height), Image.Resampling.BICUBIC, reducing_gap=2.0
    )
    return np.asarray(small)


def enlarge(picture: Picture, size: tuple[int, int]) -> Picture:
    """Interpolate a picture linearly between the middles of its pixels, to (height, width)."""
    large = Image.fromarray(picture).resize(size[::-1], Image.Resampling.BILINEAR)
    return np.asarray(large)


def areas(picture: Picture, size: tuple[int, int]) -> NDArray[np.float32]:
    """Return the mean colours of (height, width) areas of a picture, 0 to 255."""
    small = Image.fromarray(picture).resize(size[::-1], Image.Resampling.BOX, reducing_gap=4.0)
    return np.asarray(small, np.float32)


def luma(
    picture: Picture, size: tuple[int, int], part: tuple[float, float, float, float]
) -> NDArray[np.float64]:
    """Return the luma of a part at (height, width), 0 to 255: (left, top, right, bottom) shares."""
    height, width, _ = picture.shape
    box = tuple(share * side for share, side in zip(part, (width, height) * 2, strict=True))
    small = Image.fromarray(picture).resize(
        size[::-1], Image.Resampling.BILINEAR, box=box, reducing_gap=2.0
    )
    return np.asarray(small.convert("L"), np.float64)


def mix(picture: Picture, rows: NDArray[np.floating[Any]]) -> Picture:
    """Make each colour of a picture of all three, by the rows of a (3, 3) matrix."""
    matrix = np.hstack([rows, np.zeros((3, 1))]).ravel().tolist()
    return np.asarray(Image.fromarray(picture).convert("RGB", tuple(matrix)))


def turn_upright(picture: Picture, orientation: int) -> Picture:
    """Turn a picture that lies as the sensor saw it, by EXIF orientation."""
    turn = _TURNS.get(orientation)
    return picture if turn is None else np.asarray(Image.fromarray(picture).transpose(turn))


def is_stored_upright(old: Picture, picture: Picture, orientation: int) -> bool:
    """Tell whether a file's preview has been turned upright already, against DNG's rule.

    Parameters
    ----------
    old : Picture
        The file's own.
    picture : Picture
        The same photograph as the sensor saw it.
    orientation : int
        EXIF orientation, 1-8.
    """
    height, width, _ = old.shape
    seen = _sketch(old)
    lying, upright = (
        _likeness(seen, _sketch(frame(each, (height, width), like=old)))
        for each in (picture, turn_upright(picture, orientation))
    )
    return upright > max(lying + _CLEARLY, _LIKENESS)


def shows_the_same(old: Picture, picture: Picture) -> bool:
    """Tell whether two pictures, turned and framed alike, show the same scene.

    Two without any contrast do: nothing tells them apart.
    """
    first, second = _sketch(old), _sketch(picture)
    if max(float(first.std()), float(second.std())) < _FLAT:
        return True
    return _likeness(first, second) >= _LIKENESS


def _middle(size: tuple[int, int], box: tuple[int, int]) -> tuple[slice, slice]:
    """Return where something of one size lies in the middle of another."""
    top, left = ((outer - inner) // 2 for inner, outer in zip(size, box, strict=True))
    return slice(top, top + size[0]), slice(left, left + size[1])


def _sketch(picture: Picture) -> NDArray[np.float32]:
    """Return the luma of a picture in 16 x 16 blocks, 0 to 1, whatever its shape."""
    square = Image.fromarray(picture).resize(
        (_SKETCH_SIDE, _SKETCH_SIDE), Image.Resampling.BOX, reducing_gap=2.0
    )
    return np.asarray(square.convert("L"), np.float32) / np.float32(255)


def _likeness(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    """Return the correlation of two sketches; 0 for one without contrast."""
    one, other = first - first.mean(), second - second.mean()
    scale = float(np.sqrt((one * one).sum() * (other * other).sum()))
    return float((one * other).sum()) / scale if scale > 1e-3 else 0.0
