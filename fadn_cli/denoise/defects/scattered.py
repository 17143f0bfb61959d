"""The surroundings of samples of X-Trans mosaics, whose colours lie on no grid.

`hotpixels` chooses them. The one thing to know: the pattern repeats after six rows and columns, so
there are 36 kinds of sites, each with offsets of its own; and what lies outside the frame is looked
for six rows or columns further in, where the colours are the same.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

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
from fadn_cli.denoise.sensors.sensor import Packing
from fadn_cli.denoise.sensors.xtrans import CELL
from fadn_cli.mosaic.cfa import CANONICAL

_CFA = CANONICAL["xtrans"]
_PERIOD = _CFA.period
_PERIODS_PER_BAND = 32  # of rows: temporaries stay in the processor's cache
_NEARBY = 5  # rows and columns to each side that a defect has to stand out from: 120 other sites
_LEAST_AROUND = 6  # samples of a colour that surround a site
_TOUCHING: Offsets = [(row, col) for row in (-1, 0, 1) for col in (-1, 0, 1) if row or col]


def _nearest_of(row: int, col: int) -> Offsets:
    """Return the eight nearest of the colour of a site, balanced on all sides."""
    down, right = row % CELL - 1, col % CELL - 1  # from the centre of the cell
    if not (down or right):
        return [(-1, -1), (-1, 1), (1, -1), (1, 1), (-2, -1), (-1, 2), (2, 1), (1, -2)]
    if down and right:  # a corner: three other greens touch it there
        touching = [(down, 0), (0, right), (down, right), (-down, -right)]
        return [
            *touching, (-2 * down, 0), (0, -2 * right), (2 * down, -right), (-down, 2 * right)
        ]  # fmt: skip
    offsets = [(0, -2), (1, 2), (-1, 2), (2, -1), (-2, -1), (3, 1), (-3, 1), (1, -4)]
    if down:  # of a vertical pair
        return [(down * out, along) for along, out in offsets]
    return [(along, right * out) for along, out in offsets]


def _groups_of(row: int, col: int) -> Sequence[Group]:
    """Return what touches and surrounds a site, by colour."""
    side = range(-4, 5)
    offsets = sorted(
        ((down, right) for down in side for right in side), key=lambda at: at[0] ** 2 + at[1] ** 2
    )
    groups = []
    for color in "GRB":
        alike = [
            (down, right) for down, right in offsets if _CFA.at(row + down, col + right) == color
        ]
        near = [each for each in alike if each in _TOUCHING]
        far = [each for each in alike if max(map(abs, each)) > 1]
        limit = sum(part**2 for part in far[_LEAST_AROUND - 1])
        far = [each for each in far if sum(part**2 for part in each) <= limit]
        if near:
            groups.append((near, far))
    return groups


@lru_cache  # when first asked for: it takes 5 ms, which Bayer's need not wait for
def _sites() -> tuple[Sequence[Sequence[Group]], NDArray[np.intp]]:
    """Return what touches and surrounds each kind of site, and (36, 8, 2) its nearest."""
    kinds = [divmod(kind, _PERIOD) for kind in range(_PERIOD**2)]
    return [_groups_of(*kind) for kind in kinds], np.array([_nearest_of(*kind) for kind in kinds])


class Scattered(Surroundings):
    """The 36 kinds of sites."""

    step = _PERIOD

    def __init__(self, packed: Samples, packing: Packing) -> None:
        super().__init__(packed, packing)
        self.groups, self._offsets = _sites()
        _, height, width = packed.shape
        self._first = packing.top, packing.left
        self._last = 3 * height - packing.bottom, 3 * width - packing.right

    def _inside(self, index: Index, axis: int) -> Index:
        first, last = self._first[axis], self._last[axis]
        index = np.where(index < first, first + (index - first) % _PERIOD, index)
        return np.where(index >= last, last - _PERIOD + (index - last) % _PERIOD, index)

    def bands(self) -> Iterator[Band]:
        (first, left), (last, right) = self._first, self._last
        cols = np.arange(left - _PERIOD, right + 2 * _PERIOD - 1 - (right - left - 1) % _PERIOD)
        for top in range(first, last, _PERIOD * _PERIODS_PER_BAND):
            stop = min(top + _PERIOD * _PERIODS_PER_BAND, last)
            rows = np.arange(top - _PERIOD, stop + 2 * _PERIOD - 1 - (stop - top - 1) % _PERIOD)
            x = self._look(rows[:, None], cols)
            x = x.reshape(len(rows) // _PERIOD, _PERIOD, len(cols) // _PERIOD, _PERIOD)
            sites = np.ascontiguousarray(x.transpose(1, 3, 0, 2))  # (6, 6, h + 2, w + 2)
            for row in range(_PERIOD):
                for col in range(_PERIOD):
                    count = -((row - stop + top) // _PERIOD), -((col - right + left) // _PERIOD)
                    yield self._band(sites, (row, col), (top + row, left + col), count)

    def _band(
        self,
        sites: Samples,
        place: tuple[int, int],
        origin: tuple[int, int],
        count: tuple[int, int],
    ) -> Band:
        """Compare so many sites of one kind with their nearest, from an origin on."""

        def moved(down: int, right: int) -> Samples:
            rows, row = divmod(place[0] + down, _PERIOD)
            cols, col = divmod(place[1] + right, _PERIOD)
            return sites[row, col, 1 + rows :, 1 + cols :][: count[0], : count[1]]

        kind = origin[0] % _PERIOD * _PERIOD + origin[1] % _PERIOD
        lower, upper = _bounds([moved(*offset) for offset in self._offsets[kind]])
        return Band(kind=kind, origin=origin, samples=moved(0, 0), lower=lower, upper=upper)

    def nearest(self, kind: int, places: Places) -> Samples:
        return self.at(places, self._offsets[kind])

    def stand_out(self, places: Places, measure: Measure) -> tuple[Samples, Samples]:
        reach = np.arange(-_NEARBY, _NEARBY + 1)
        rows, cols = (
            each.reshape(-1, 1)
            for each in np.broadcast_arrays(
                places[0][:, None, None] + reach[:, None], places[1][:, None, None] + reach
            )
        )  # (n * 121, 1)
        kinds = rows[:, 0] % _PERIOD * _PERIOD + cols[:, 0] % _PERIOD
        x = measure(self._look(rows, cols)[:, 0])
        down, right = self._offsets[kinds].transpose(2, 1, 0)  # (8, n * 121)
        around = measure(self._look(rows[:, 0] + down, cols[:, 0] + right))
        lower, upper = _bounds(list(around))
        far = np.maximum(x - upper, lower - x).reshape(places.shape[1], len(reach) ** 2)
        at_places = (self._inside(rows, 0) == places[0].repeat(len(reach) ** 2)[:, None]) & (
            self._inside(cols, 1) == places[1].repeat(len(reach) ** 2)[:, None]
        )
        mine = far[:, far.shape[1] // 2].copy()
        far[at_places.reshape(far.shape)] = 0  # near a border, what repeats it too
        return mine, far


def _bounds(around: Sequence[Samples]) -> tuple[Samples, Samples]:
    """Return the second smallest and the second largest of samples."""
    first, second, *others = around
    low, lower = np.minimum(first, second), np.maximum(first, second)
    high, upper = lower.copy(), low.copy()
    spare = np.empty_like(low)
    for each in others:
        np.minimum(lower, np.maximum(low, each, out=spare), out=lower)
        np.minimum(low, each, out=low)
        np.maximum(upper, np.minimum(high, each, out=spare), out=upper)
        np.maximum(high, each, out=high)
    return lower, upper
