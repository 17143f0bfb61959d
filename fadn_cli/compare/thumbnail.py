"""A comparison as one small picture: the photograph, and a dark detail of it before and after.

`gallery` calls it. The one thing to know: at its size noise cannot be seen in the whole picture;
that is why a strip at 100 % lies below.
"""

import numpy as np

from fadn_cli.compare.display import RGB, jpeg, shrink
from fadn_cli.compare.pair import Comparison

_WHOLE = (270, 360)  # rows and columns that the whole picture is fitted into
_STRIP = 110
WIDTH, HEIGHT = _WHOLE[1], _WHOLE[0] + _STRIP
"""Pixels of every thumbnail."""
_QUALITY = 85
_GREY, _WHITE = 42, 255  # the page's, and the line between source and output


def thumbnail_jpeg(comparison: Comparison) -> bytes:
    """Draw a thumbnail: the output as a whole, and below it half source, half output.

    Returns
    -------
    bytes
        JPEG; the same for the same comparison.
    """
    height, width, _ = comparison.after.shape
    scale = min(WIDTH / width, _WHOLE[0] / height)
    whole = shrink(comparison.after.astype(np.uint16) * 257, round(max(height, width) * scale))
    strip = np.full((_STRIP, WIDTH, 3), _GREY, np.uint8)
    if comparison.details:
        (detail, *_) = comparison.details
        strip, after = (_centred(rgb, _STRIP) for rgb in (detail.before, detail.after))
        middle = WIDTH // 2
        strip[:, middle:] = after[:, middle:]
        strip[:, middle - 1 : middle + 1] = _WHITE
    return jpeg(np.concatenate([_centred(whole, _WHOLE[0]), strip]), quality=_QUALITY)


def _centred(rgb: RGB, height: int) -> RGB:
    """Put a picture in the middle of grey of the thumbnail's width, cut where it is larger."""
    canvas = np.full((height, WIDTH, 3), _GREY, np.uint8)
    rows, columns = min(height, rgb.shape[0]), min(WIDTH, rgb.shape[1])
    top, left = (rgb.shape[0] - rows) // 2, (rgb.shape[1] - columns) // 2
    down, across = (height - rows) // 2, (WIDTH - columns) // 2
    canvas[down : down + rows, across : across + columns] = rgb[
        top : top + rows, left : left + columns
    ]
    return canvas
