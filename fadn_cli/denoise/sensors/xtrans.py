"""Fujifilm's X-Trans mosaics: 3x3 samples to a packed pixel, nine planes.

The one thing to know: in every cell green sits at the corners and the centre, and the four samples
between are a horizontal and a vertical pair, one red, the other blue, which change places from cell
to cell like the fields of a chessboard. So the planes of a pair lie beside the centre in one cell,
above and below it in the next; the mean of a pair lies at the centre in all.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from fadn_cli.denoise.sensors.sensor import Group, Line, Packing, Places, Samples, Sensor
from fadn_cli.mosaic.cfa import CfaPattern

CELL = 3
"""Samples per side of a cell."""
GREENS = ((0, 0), (0, 2), (1, 1), (2, 0), (2, 2))
"""Rows and columns of the green samples in every cell, in the order of their planes."""
PAIRS = (((1, 0), (1, 2)), ((0, 1), (2, 1)))
"""Of the horizontal and of the vertical pair. The horizontal one is red where row and column of the
cell are even together, and blue beside."""
_RED, _BLUE = (5, 6), (7, 8)
_MIDDLE = (Group(planes=(2,)), Group(planes=_RED + _BLUE, samples=2))


def _outer(greens: tuple[int, int], which: int) -> Line:
    """Return what a row or column at the edge of a cell holds."""
    pair = (_RED[which], _BLUE[which])
    return Group(planes=greens, samples=2), Group(planes=pair)  # red and blue in turns


class XTrans(Sensor):
    """Five green planes, two red, two blue."""

    kind = "xtrans"
    cell = CELL
    colors = "GGGGGRRBB"
    noise_colors = "RGB"
    noise_index = (1, 1, 1, 1, 1, 0, 0, 2, 2)
    least_side = 12
    period = 2
    row_lines = (_outer((0, 1), 0), _MIDDLE, _outer((3, 4), 1))
    column_lines = (_outer((0, 3), 0), _MIDDLE, _outer((1, 4), 1))

    def places(self, shape: tuple[int, int], cfa: CfaPattern) -> Places:
        """Mirror about the middle rows and columns of cells: no other mirror keeps the pattern."""
        height, width = shape
        row, col = cfa.xtrans_origin  # the corner of a canonical cell
        left = -col % CELL
        # three columns further, the canonical cell lies three rows further too
        top = (3 * bool(left) - row) % 6
        bottom, right = -(height + top) % CELL, -(width + left) % CELL
        return Places(
            packing=Packing(sensor=self, cfa=cfa, top=top, left=left, bottom=bottom, right=right),
            rows=_mirrored(height, top, bottom),
            cols=_mirrored(width, left, right),
        )

    def pack(self, mosaic: Samples) -> Samples:
        """Split a mosaic into greens, and pairs that change places from cell to cell."""
        height, width = mosaic.shape
        if height % CELL or width % CELL:
            raise ValueError(f"packing needs sides of multiples of {CELL}, got {height}x{width}")
        cells = mosaic.reshape(height // CELL, CELL, width // CELL, CELL)
        packed = np.empty((9, height // CELL, width // CELL), np.float32)
        for plane, (row, col) in enumerate(GREENS):
            packed[plane] = cells[:, row, :, col]
        for plane, row, col, places in _places_of_pairs():
            packed[plane][places] = cells[:, row, :, col][places]
        return packed

    def unpack(self, packed: Samples) -> Samples:
        """Put greens and pairs back where they lie in each cell."""
        _, height, width = packed.shape
        mosaic = np.empty((CELL * height, CELL * width), np.float32)
        cells = mosaic.reshape(height, CELL, width, CELL)
        for plane, (row, col) in enumerate(GREENS):
            cells[:, row, :, col] = packed[plane]
        for plane, row, col, places in _places_of_pairs():
            cells[:, row, :, col][places] = packed[plane][places]
        return mosaic

    def line_means(self, packed: Samples, size: int, *, columns: bool) -> Samples:
        """Average along rows or columns: greens, and as much of red as of blue."""
        along = packed.swapaxes(1, 2) if columns else packed
        planes, rows, length = along.shape
        count = length // size
        turns = (planes, rows, count, size // 2, 2)
        means = along[:, :, : count * size].reshape(turns).mean(axis=3)
        # last: cells whose row and column are even together, and those between
        means[:, 1::2] = means[:, 1::2, :, ::-1].copy()
        level = np.empty((CELL, 2, rows, count), np.float32)
        for line, (greens, pair) in enumerate(self.lines(columns=columns)):
            level[line, 0] = means[list(greens.planes)].mean(axis=(0, 3))
            red, blue = ([p for p in pair.planes if p in color] for color in (_RED, _BLUE))
            red_turn = int((line == 1) == columns)
            level[line, 1] = means[red, :, :, red_turn].mean(axis=0) / 2
            level[line, 1] += means[blue, :, :, 1 - red_turn].mean(axis=0) / 2
        return level

    def lower(self, packed: Samples, offsets: Samples, *, columns: bool) -> None:
        """Take offsets away from greens, and from each sample of a pair where it lies."""
        along = packed.swapaxes(1, 2) if columns else packed
        for plane, site in enumerate(GREENS):
            along[plane] -= offsets[site[columns], :, None]
        for plane, row, col, (rows, cols) in _places_of_pairs():
            line, cells, beside = (col, cols, rows) if columns else (row, rows, cols)
            along[plane][cells, beside] -= offsets[line, cells, None]

    def steady(self, blocks: Samples) -> Samples:
        """Average each pair: its samples change places from cell to cell, its middle does not."""
        greens, pairs = blocks[:5], (blocks[5::2] + blocks[6::2]) / 2
        mean = pairs.mean(axis=(-2, -1), keepdims=True)
        return np.concatenate([greens, mean + np.float32(np.sqrt(2)) * (pairs - mean)])


def _places_of_pairs() -> Iterator[tuple[int, int, int, tuple[slice, slice]]]:
    """Go through the pairs: the plane, row and column in the cell, and in which cells."""
    for color in (0, 1):
        for orientation, pair in enumerate(PAIRS):
            for which, (row, col) in enumerate(pair):
                for cells in _cells(color ^ orientation):
                    yield 5 + 2 * color + which, row, col, cells


def _cells(odd: int) -> tuple[tuple[slice, slice], ...]:
    """Return where the cells are whose row and column are even together (0), or not (1)."""
    evens, odds = slice(0, None, 2), slice(1, None, 2)
    return ((evens, odds), (odds, evens)) if odd else ((evens, evens), (odds, odds))


def _mirrored(length: int, before: int, after: int) -> NDArray[np.intp]:
    """Return which samples of a side stand where it is continued by so many on each end.

    Mirrored about the middle of the first and of the last whole cell.
    """
    first = (-before) % CELL + 1
    last = length - 1 - (-after) % CELL - 1
    index = np.arange(-before, length + after)
    index = np.where(index < 0, 2 * first - index, index)
    return np.where(index >= length, 2 * last - index, index)


XTRANS = XTrans()
"""The X-Trans sensor."""
