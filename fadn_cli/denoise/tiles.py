"""Cut a packed frame into tiles for the network, and blend the results seamlessly.

The pipeline asks for a `TileGrid.cover` of the frame and sends each tile of `split` through the
network into `blend`. The one thing to know: neighbours overlap so far that the linear ramp between
them lies where both results are exact, so tiled equals untiled, and each output pixel is a running
weighted mean taken in tile order, so neither the tile size nor the order of arrival shows.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fadn_cli.denoise.sensors.sensor import reflected

_RAMP = 8  # packed px: the linear transition; hides the rounding differences between two tiles


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """One tile of a grid, in packed px of the padded frame."""

    index: int
    """Position in the grid, row by row."""
    row: int
    """Row of the grid."""
    column: int
    """Column of the grid."""
    top: int
    """First row; a multiple of the alignment."""
    left: int
    """First column; a multiple of the alignment."""
    height: int
    """Rows; a multiple of the alignment, equal for all tiles of a grid."""
    width: int
    """Columns; a multiple of the alignment, equal for all tiles of a grid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TileGrid:
    """A cover of a packed frame by overlapping tiles of one shape; make it with `cover`."""

    height: int
    """Rows of the frame, packed px."""
    width: int
    """Columns of the frame, packed px."""
    tile: int
    """Largest side of a tile, packed px; a frame side that fits into it is not cut."""
    overlap: int
    """Packed px that neighbouring tiles share, at least."""
    alignment: int
    """The network's: tile positions and sides are multiples of it."""

    def __post_init__(self) -> None:
        if min(self.height, self.width, self.alignment) < 1 or self.overlap < _RAMP:
            raise ValueError(f"not a grid: {self!r}")
        if self.tile % self.alignment or self.overlap % self.alignment or self.tile <= self.overlap:
            raise ValueError(f"tile and overlap must be aligned, tile the larger: {self!r}")

    @classmethod
    def cover(
        cls, height: int, width: int, *, receptive_field: int, alignment: int, tile: int
    ) -> "TileGrid":
        """Lay a grid over a frame, its overlap derived from the network's receptive field.

        Parameters
        ----------
        height, width : int
            Of the packed frame.
        receptive_field : int
            Full width, in packed px, of the region that one output pixel depends on.
        alignment : int
            The network needs tile positions and sides that are multiples of it.
        tile : int
            Largest side of a tile in packed px; rounded up to the alignment, and raised to what
            the overlap needs.
        """
        reach = -(-receptive_field // 2)
        overlap = _round_up(2 * reach + _RAMP, alignment)
        side = max(_round_up(tile, alignment), overlap + alignment)
        return cls(height=height, width=width, tile=side, overlap=overlap, alignment=alignment)

    @property
    def tiles(self) -> tuple[Tile, ...]:
        """All tiles, row by row."""
        tops, height = self._starts(self.height)
        lefts, width = self._starts(self.width)
        return tuple(
            Tile(
                index=row * len(lefts) + column,
                row=row,
                column=column,
                top=top,
                left=left,
                height=height,
                width=width,
            )
            for row, top in enumerate(tops)
            for column, left in enumerate(lefts)
        )

    def __len__(self) -> int:
        return len(self._starts(self.height)[0]) * len(self._starts(self.width)[0])

    def split(self, packed: NDArray[np.float32]) -> Iterator[tuple[Tile, NDArray[np.float32]]]:
        """Yield each tile and its samples, row by row.

        Parameters
        ----------
        packed : (C, height, width) float32
            Not modified. Sides that are not multiples of the alignment are continued by
            reflection at the bottom and the right.

        Yields
        ------
        tile : Tile
        samples : (C, tile.height, tile.width) float32
            A view where it can be one: do not write into it.

        Raises
        ------
        ValueError
            The grid was made for another size.
        """
        if packed.shape[1:] != (self.height, self.width):
            raise ValueError(f"grid of {self.height}x{self.width}, packed is {packed.shape}")
        for tile in self.tiles:
            bottom, right = tile.top + tile.height, tile.left + tile.width
            if bottom <= self.height and right <= self.width:
                samples = packed[:, tile.top : bottom, tile.left : right]
            else:
                rows = reflected(np.arange(tile.top, bottom), self.height)
                columns = reflected(np.arange(tile.left, right), self.width)
                samples = packed[:, rows[:, None], columns]
            yield tile, samples

    def blend(self, results: Iterable[tuple[Tile, NDArray[np.float32]]]) -> NDArray[np.float32]:
        """Join the tiles' results: the inverse of `split` for unchanged tiles, bit for bit.

        Parameters
        ----------
        results : iterable of (Tile, (C, tile.height, tile.width) float32)
            Every tile of the grid once, in any order. A tile that comes before its turn waits in
            memory, so workers should not run far ahead of each other.

        Returns
        -------
        (C, height, width) float32
            Where tiles agree, exactly their value; the same bytes for every order of arrival.

        Raises
        ------
        ValueError
            A tile is missing, came twice, or its result has another shape.
        """
        rows, columns = self._weights(self.height), self._weights(self.width)
        count = len(self)
        packed: NDArray[np.float32] | None = None
        waiting: dict[int, tuple[Tile, NDArray[np.float32]]] = {}
        done = 0
        for tile, result in results:
            if (
                result.shape[1:] != (tile.height, tile.width)
                or tile.index < done
                or tile.index in waiting
            ):
                raise ValueError(f"result {result.shape} does not fit, or came twice: {tile}")
            waiting[tile.index] = tile, result
            if packed is None:
                packed = np.zeros((result.shape[0], self.height, self.width), np.float32)
            while done in waiting:
                turn, values = waiting.pop(done)
                _merge(packed, turn, values, rows[turn.row], columns[turn.column])
                done += 1
        if packed is None or waiting or done != count:
            raise ValueError(f"{done} of {count} tiles came in")
        return packed

    def _starts(self, length: int) -> tuple[list[int], int]:
        """Return the tile positions along one side of the frame, and the tile's length there."""
        padded = _round_up(length, self.alignment)
        if padded <= self.tile:
            return [0], padded
        # No more tiles than needed, none larger than it needs to be: overlaps are work twice.
        count = -(-(padded - self.overlap) // (self.tile - self.overlap))
        stride = _round_up(-(-(padded - self.overlap) // count), self.alignment)
        side = stride + self.overlap
        return [min(index * stride, padded - side) for index in range(count)], side

    def _weights(self, length: int) -> list["_AxisWeights"]:
        """Return each tile's share of the pixels along one side; the shares sum to 1 everywhere."""
        starts, _ = self._starts(length)
        margin = (self.overlap - _RAMP) // 2
        ramp = (np.arange(_RAMP, dtype=np.float32) + np.float32(0.5)) / np.float32(_RAMP)
        begins = [0, *(start + margin for start in starts[1:])]
        shares = np.zeros((len(starts), length), np.float32)
        for share, begin in zip(shares, begins, strict=True):
            rise = np.ones(length, np.float32)
            rise[:begin] = 0
            if begin:
                rise[begin : begin + _RAMP] = ramp[: max(length - begin, 0)]
            shares *= 1 - rise
            share[:] = rise
        return _axis_weights(shares)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _AxisWeights:
    """One tile's part in the running mean along one axis, on the pixels [begin, end) it touches."""

    begin: int
    """First pixel with a share of this tile."""
    end: int
    """One after the last."""
    share: NDArray[np.float32]
    """(end - begin,) this tile's weight."""
    before: NDArray[np.float32]
    """(end - begin,) sum of the weights of the tiles before it."""


def _axis_weights(shares: NDArray[np.float32]) -> list[_AxisWeights]:
    """Trim the (tiles, length) shares to where they are not zero."""
    weights = []
    before = np.zeros(shares.shape[1], np.float32)
    for share in shares:
        touched = np.flatnonzero(share)
        begin, end = (int(touched[0]), int(touched[-1]) + 1) if touched.size else (0, 0)
        weights.append(
            _AxisWeights(
                begin=begin, end=end, share=share[begin:end], before=before[begin:end].copy()
            )
        )
        before += share
    return weights


def _merge(
    packed: NDArray[np.float32],
    tile: Tile,
    values: NDArray[np.float32],
    rows: _AxisWeights,
    columns: _AxisWeights,
) -> None:
    """Take one tile into the running weighted mean; equal values stay equal bit for bit."""
    own = rows.share[:, None] * columns.share
    so_far = rows.before[:, None] + rows.share[:, None] * (columns.before + columns.share)
    alpha = own / so_far
    target = packed[:, rows.begin : rows.end, columns.begin : columns.end]
    source = values[
        :,
        rows.begin - tile.top : rows.end - tile.top,
        columns.begin - tile.left : columns.end - tile.left,
    ]
    target += alpha * (source - target)


def _round_up(value: int, multiple: int) -> int:
    """Round up to a multiple."""
    return -(-value // multiple) * multiple
