"""Before and after, side by side, as a picture.

`demo.run` calls `before_after_picture`. The one thing to know: pixels are never resampled except by
repeating them, so what is compared is what the files hold.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

_GAP = 8
_ZOOM = 2  # crops at 200 %
_INK = (255, 255, 255)
_FONT_SIZE = 18


def before_after_picture(
    before: NDArray[np.uint16],
    after: NDArray[np.uint16],
    path: Path,
    *,
    crops: Sequence[tuple[int, int]] = (),
) -> None:
    """Write a PNG: both pictures whole, and below each the same details at 200 %.

    Parameters
    ----------
    before, after : (height, width, 3) uint16, 0-65535
        Developed pictures of one size, sRGB-encoded.
    path : Path
        Written from scratch, whatever its suffix.
    crops : sequence of (top, left)
        Corners of the details, in pixels; each is half as wide as the picture and a quarter as
        high, moved inside where it would stick out.

    Raises
    ------
    ValueError
        The pictures differ in size.
    OSError
        The file cannot be written.
    """
    if before.shape != after.shape:
        raise ValueError(f"before is {before.shape}, after {after.shape}")
    left = _column(before, crops, label="before")
    right = _column(after, crops, label="after")
    picture = Image.new("RGB", (left.width + _GAP + right.width, left.height))
    picture.paste(left, (0, 0))
    picture.paste(right, (left.width + _GAP, 0))
    picture.save(path, format="PNG")


def _column(
    rgb: NDArray[np.uint16], crops: Sequence[tuple[int, int]], *, label: str
) -> Image.Image:
    """Stack a picture and its details."""
    height, width, _ = rgb.shape
    shown = ((rgb.astype(np.uint32) + 128) // 257).astype(np.uint8)
    parts = [shown]
    detail_height, detail_width = height // 4, width // 2
    for top, left in crops:
        row = min(max(top, 0), height - detail_height)
        col = min(max(left, 0), width - detail_width)
        detail = shown[row : row + detail_height, col : col + detail_width]
        parts.append(detail.repeat(_ZOOM, axis=0).repeat(_ZOOM, axis=1))
    column = Image.new("RGB", (width, sum(len(part) + _GAP for part in parts) - _GAP))
    font = ImageFont.load_default(_FONT_SIZE)
    top = 0
    for part, zoom in zip(parts, ("", *(f", {_ZOOM * 100} %" for _ in crops)), strict=True):
        column.paste(Image.fromarray(part), (0, top))
        ImageDraw.Draw(column).text((10, top + 8), label + zoom, fill=_INK, font=font)
        top += len(part) + _GAP
    return column
