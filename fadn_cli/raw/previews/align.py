"""Which part of a photograph its camera's picture shows: cameras trim a few pixels off each side.

`renew` calls it. The one thing to know: only what is clearly better than the whole counts, and
nothing beyond a few hundredths of a side; a lens that the camera corrects is not followed.

References
----------
Lucas and Kanade, "An iterative image registration technique", 1981.
"""

import numpy as np
from numpy.typing import NDArray

from fadn_cli.raw.previews.pictures import Picture, fitted_size, luma

_SIDES = (96, 256)  # pixels of the longer side at which displacements are looked for
_ROUNDS = 4
_MOST = 0.03  # of a side
_BETTER = 0.8  # of the error that is left
_FIRM = 1e-3  # of the mean gradient: what is flat along a side is not moved along it

Sides = tuple[float, float, float, float]
"""(left, top, right, bottom) in shares of a picture's sides."""
WHOLE: Sides = (0.0, 0.0, 1.0, 1.0)


def find_part(old: Picture, picture: Picture) -> Sides:
    """Return the part of a picture that an old one shows, as far as that is clear.

    Parameters
    ----------
    old, picture : Picture
        Turned alike, with the same look; of whatever sizes.
    """
    shape = (old.shape[0], old.shape[1])
    times = max(-(-side // own) for side, own in zip(shape, picture.shape, strict=False))
    if fitted_size((picture.shape[0] * times, picture.shape[1] * times), shape) != shape:
        return WHOLE  # one has bars, or is cut
    part = WHOLE
    for side in _SIDES:
        scale = min(1.0, side / max(shape))
        size = (max(8, round(shape[0] * scale)), max(8, round(shape[1] * scale)))
        wanted = luma(old, size, WHOLE)
        for _ in range(_ROUNDS):
            part = _inside(_move(part, wanted, luma(picture, size, part)))
    before, after = (_error(wanted, luma(picture, size, each)) for each in (WHOLE, part))
    return part if after < _BETTER * before else WHOLE


def cut(picture: Picture, part: Sides) -> Picture:
    """Return a part of a picture, to whole pixels."""
    height, width, _ = picture.shape
    left, top, right, bottom = part
    rows = slice(round(top * height), max(round(bottom * height), round(top * height) + 1))
    cols = slice(round(left * width), max(round(right * width), round(left * width) + 1))
    return picture[rows, cols]


def _move(part: Sides, wanted: NDArray[np.float64], found: NDArray[np.float64]) -> Sides:
    """Move the sides of a part so that what it shows comes nearer to what is wanted."""
    down, across = np.gradient(found)
    height, width = found.shape
    y = np.linspace(0, 1, height)[:, None]
    x = np.linspace(0, 1, width)[None, :]
    # By how much the picture changes where the left, upper, right or lower side moves by 1.
    slopes = (
        across * (1 - x) * width,
        down * (1 - y) * height,
        across * x * width,
        down * y * height,
    )
    matrix = np.stack([slope[1:-1, 1:-1].ravel() for slope in slopes], axis=1)
    normal = matrix.T @ matrix
    normal += np.eye(4) * (_FIRM * np.trace(normal) + 1e-9)
    moved = np.linalg.solve(normal, matrix.T @ (wanted - found)[1:-1, 1:-1].ravel())
    left, top, right, bottom = (
        side + change * (end - start)
        for side, change, start, end in zip(part, moved, part[:2] * 2, part[2:] * 2, strict=True)
    )
    return left, top, right, bottom


def _inside(part: Sides) -> Sides:
    """Keep a part within the picture, and near its sides."""
    left, top, right, bottom = part
    return (
        min(max(left, 0.0), _MOST),
        min(max(top, 0.0), _MOST),
        max(min(right, 1.0), 1 - _MOST),
        max(min(bottom, 1.0), 1 - _MOST),
    )


def _error(wanted: NDArray[np.float64], found: NDArray[np.float64]) -> float:
    """Return the mean difference of two pictures; a little of it is never an error."""
    return float(np.abs(wanted - found).mean()) + 0.1
