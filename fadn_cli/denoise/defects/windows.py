"""Windows of a mosaic around sites, and how its samples change inside them.

`lines` and `fits` use them. The one thing to know: nothing bad is looked at, nor anything outside.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

DIRECTIONS = ((0, 1), (1, 0), (1, 1), (1, -1))
INNER = 3
"""Samples of the mosaic to each side of a site, along which changes are measured."""
RADIUS = INNER + 1
"""Samples of a window to each side of its site."""
_LEAST = np.float32(1e-6)

Samples = NDArray[np.float32]
Good = NDArray[np.bool_]
Index = NDArray[np.intp]
Sites = NDArray[np.intp]
"""(2, n) rows and columns."""


def cut(x: Samples, bad: Good, sites: Sites) -> tuple[Samples, Good]:
    """Return the (n, 9, 9) samples around (2, n) sites, and which are good; outside none is."""
    reach = np.arange(-RADIUS, RADIUS + 1)
    rows, cols = sites[0][:, None, None] + reach[:, None], sites[1][:, None, None] + reach
    return look(x, bad, rows, cols)


def look(x: Samples, bad: Good, rows: Index, cols: Index) -> tuple[Samples, Good]:
    """Return samples, and which are good; those outside are 0 and none of them."""
    height, width = x.shape
    inside = (rows >= 0) & (rows < height) & (cols >= 0) & (cols < width)
    rows, cols = np.clip(rows, 0, height - 1), np.clip(cols, 0, width - 1)
    good = inside & ~bad[rows, cols]
    return np.where(good, x[rows, cols], np.float32(0)), good


def change_along(
    window: Samples,
    good: Good,
    direction: tuple[int, int],
    otherwise: Samples,
    pairs: Sequence[tuple[int, int]],
    alike: Good | None = None,
) -> Samples:
    """Return the mean change from a sample to another of its colour along a direction.

    Near a site it counts most; `otherwise` where all samples around it are bad.

    Parameters
    ----------
    window : (n, 9, 9) float32
    good : (n, 9, 9) bool
    direction : (int, int)
        Rows and columns of a step.
    otherwise : (n,) float32
    pairs : sequence of (int, int)
        Which samples are compared, in steps from each of the samples around a site.
    alike : (pairs, n, 7, 7) bool, optional
        Which of them share a colour; all if it is not given.

    Returns
    -------
    (n,) float32
    """
    away = np.abs(np.arange(-INNER, INNER + 1))
    near = 1 / (1 + away[:, None] + away)
    known, change = np.zeros((2, len(window)), np.float32)
    for number, ends in enumerate(pairs):
        places = [_moved(direction, count) for count in ends]
        first, second = (window[:, rows, cols] for rows, cols in places)
        usable = np.logical_and(*(good[:, rows, cols] for rows, cols in places))
        if alike is not None:
            usable &= alike[number]
        weight = (usable * near).astype(np.float32)
        known += weight.sum(axis=(1, 2))
        change += (weight * np.abs(first - second)).sum(axis=(1, 2))
    mean: Samples = np.where(known > 0, change / np.maximum(known, _LEAST), otherwise)
    return mean


def _moved(direction: tuple[int, int], steps: int) -> tuple[slice, slice]:
    """Return where the samples are that lie so many steps from the inner ones of a window."""
    row, col = (1 + steps * each for each in direction)
    return slice(row, row + 2 * INNER + 1), slice(col, col + 2 * INNER + 1)
