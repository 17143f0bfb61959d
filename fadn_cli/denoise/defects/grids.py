"""The surroundings of samples of Bayer and mono mosaics, whose colours lie on regular grids.

`hotpixels` chooses them. The one thing to know: a grid is a plane of a Bayer mosaic, or the whole
of a mono one, without what padding added; nearest to a sample are its eight neighbours there.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from fadn_cli.denoise.defects.surroundings import (
    Band,
    Group,
    Index,
    Measure,
    Offsets,
    Places,
    Samples,
    Surroundings,
)
from fadn_cli.denoise.sensors.sensor import Packing, reflected

_LEAST_SIDE = 5  # of a grid: in a smaller one there is nothing to judge by
_ROWS_PER_BAND = 128  # of a grid: temporaries stay in the processor's cache
_NEAREST: Offsets = [(row, col) for row in (-1, 0, 1) for col in (-1, 0, 1) if (row, col) != (0, 0)]
"""The eight neighbours of a sample, rows and columns of its grid."""
_OTHER_PLANES: Sequence[Group] = (
    (((0, -1), (0, 1)), ((0, -3), (0, 3), (-2, -1), (-2, 1), (2, -1), (2, 1))),
    (((-1, 0), (1, 0)), ((-3, 0), (3, 0), (-1, -2), (-1, 2), (1, -2), (1, 2))),
    (
        ((-1, -1), (-1, 1), (1, -1), (1, 1)),
        ((-3, -1), (-3, 1), (3, -1), (3, 1), (-1, -3), (-1, 3), (1, -3), (1, 3)),
    ),
)
"""Of each plane of a Bayer mosaic beside, above and at the corners of a site."""
_TOUCHING: Sequence[Group] = (
    (((0, -1), (0, 1)), ((0, -2), (0, 2), (-1, -2), (-1, 2), (1, -2), (1, 2))),
    (((-1, 0), (1, 0)), ((-2, 0), (2, 0), (-2, -1), (-2, 1), (2, -1), (2, 1))),
    (
        ((-1, -1), (-1, 1), (1, -1), (1, 1)),
        ((-2, -1), (-2, 1), (2, -1), (2, 1), (-1, -2), (-1, 2), (1, -2), (1, 2)),
    ),
)
"""Of a mono mosaic beside, above and at the corners of a site."""


class Grids(Surroundings):
    """Samples on grids, each of them a kind of site."""

    _grids: Sequence[Samples]
    _nearby: int
    """Samples of every grid to each side that a defect has to stand out from."""
    _size: tuple[int, int]
    """Rows and columns within which what surrounds a site is looked for."""

    def __init__(self, packed: Samples, packing: Packing) -> None:
        super().__init__(packed, packing)
        step, added = self.step, (packing.top, packing.left)
        places = [divmod(kind, step) for kind in range(step**2)]
        self._origins = [
            (added[0] + (row - added[0]) % step, added[1] + (col - added[1]) % step)
            for row, col in places
        ]

    def _inside(self, index: Index, axis: int) -> Index:
        return reflected(index, self._size[axis])

    def bands(self) -> Iterator[Band]:
        if min(length for grid in self._grids for length in grid.shape) < _LEAST_SIDE:
            return
        for kind, grid in enumerate(self._grids):
            height, _ = grid.shape
            first, left = self._origins[kind]
            for top in range(0, height, _ROWS_PER_BAND):
                stop = min(top + _ROWS_PER_BAND, height)
                rows = reflected(np.arange(top - 1, stop + 1), height)
                band = np.pad(np.minimum(grid[rows], 1), ((0, 0), (1, 1)), mode="reflect")
                lower, upper = _bounds(band)
                origin = first + self.step * top, left
                samples = band[1:-1, 1:-1]
                yield Band(kind=kind, origin=origin, samples=samples, lower=lower, upper=upper)

    def nearest(self, kind: int, places: Places) -> Samples:
        grid = self._grids[kind]
        row, col = (places - np.array(self._origins[kind])[:, None]) // self.step
        height, width = grid.shape
        around = [
            grid[reflected(row + down, height), reflected(col + right, width)]
            for down, right in _NEAREST
        ]
        return np.minimum(around, 1)

    def stand_out(self, places: Places, measure: Measure) -> tuple[Samples, Samples]:
        reach = np.arange(-self._nearby - 1, self._nearby + 2)
        own = places[0] % self.step * self.step + places[1] % self.step
        mine = np.zeros(places.shape[1], np.float32)
        others = []
        for kind, grid in enumerate(self._grids):
            origin = np.array(self._origins[kind])[:, None]
            centre_row, centre_col = places // self.step - origin // self.step
            rows = reflected(centre_row[:, None] + reach, grid.shape[0])[:, :, None]  # (n, side, 1)
            cols = reflected(centre_col[:, None] + reach, grid.shape[1])[:, None, :]  # (n, 1, side)
            x = measure(np.minimum(grid[rows, cols], 1))  # (n, side, side)
            lower, upper = _bounds(x)
            far = np.maximum(x[:, 1:-1, 1:-1] - upper, lower - x[:, 1:-1, 1:-1])
            is_mine = (own == kind)[:, None, None]
            mine = np.where(is_mine[:, 0, 0], far[:, self._nearby, self._nearby], mine)
            is_centre = (rows == centre_row[:, None, None]) & (cols == centre_col[:, None, None])
            far[is_mine & is_centre[:, 1:-1, 1:-1]] = 0  # near a border, its reflections too
            others.append(far.reshape(len(far), far.shape[1] ** 2))
        return mine, np.concatenate(others, axis=1)


class BayerGrids(Grids):
    """The four planes."""

    step = 2
    groups = (_OTHER_PLANES,) * 4
    _nearby = 2  # in all four planes: 99 other sites

    def __init__(self, packed: Samples, packing: Packing) -> None:
        super().__init__(packed, packing)
        self._grids = packing.sensor.own_samples(packed, packing)
        self._size = 2 * packed.shape[1], 2 * packed.shape[2]


class MonoGrid(Grids):
    """The whole mosaic: what touches a sample is what is nearest to it."""

    step = 1
    groups = (_TOUCHING,)
    _nearby = 5  # 120 other sites

    def __init__(self, packed: Samples, packing: Packing) -> None:
        super().__init__(packed, packing)
        whole = packing.unpack(packed)
        self._grids = [whole]
        self._size = whole.shape[0], whole.shape[1]


def _bounds(x: Samples) -> tuple[Samples, Samples]:
    """Return the second smallest and the second largest of the eight neighbours of each sample.

    Parameters
    ----------
    x : (..., h+2, w+2) float32

    Returns
    -------
    lower, upper : (..., h, w) float32
    """
    low, middle, high = _sort_three(x[..., :-2], x[..., 1:-1], x[..., 2:])
    left, right = x[..., 1:-1, :-2], x[..., 1:-1, 2:]
    less, more = np.minimum(left, right), np.maximum(left, right)
    lower = _second(np.minimum, np.maximum, (low, middle), (less, more))
    return lower, _second(np.maximum, np.minimum, (high, middle), (more, less))


def _sort_three(left: Samples, middle: Samples, right: Samples) -> tuple[Samples, Samples, Samples]:
    """Return the smallest, the middle and the largest of every three in a row."""
    low, high = np.minimum(left, right), np.maximum(left, right)
    less = np.minimum(high, middle)
    return np.minimum(low, less), np.maximum(low, less), np.maximum(high, middle)


def _second(
    outer: np.ufunc, inner: np.ufunc, rows: tuple[Samples, Samples], beside: tuple[Samples, Samples]
) -> Samples:
    """Return the second largest (outer: maximum, inner: minimum) or smallest of eight neighbours.

    `rows` are the first and second of every three in a row, for the rows above and below; `beside`
    the first and second of the two left and right.
    """
    above_first, above_second = (each[..., :-2, :] for each in rows)
    below_first, below_second = (each[..., 2:, :] for each in rows)
    first = outer(above_first, below_first)
    second = outer(inner(above_first, below_first), outer(above_second, below_second))
    most: Samples = outer(inner(first, beside[0]), outer(second, beside[1]))
    return most
