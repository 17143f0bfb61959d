"""Cut a packed frame into tiles for the network, and blend the results seamlessly.

`frame` asks for a `TileGrid.cover` of the frame and sends each tile of `split` through the network
into `blend`, which gives rows back as soon as no later tile can change them. The one thing to know:
each output pixel is a running weighted mean taken in tile order, so the order of arrival does not
show. Where neighbours overlap by twice the network's reach and the ramp, both are exact there, and
tiled equals untiled; where they overlap by less, one fades into the other over all that neither
knows exactly.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fadn_cli.denoise.sensors.kinds import Frame
from fadn_cli.denoise.sensors.sensor import reflected

_EVEN = 2  # cells after which every sensor's colours repeat
RAMP = 8
"""Packed px, at least: the linear transition; hides the rounding differences between two tiles."""


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
    reach: int
    """Packed px that a tile's border shows inside of it."""
    alignment: int
    """The network's: tile positions and sides are multiples of it."""

    def __post_init__(self) -> None:
        if min(self.height, self.width, self.alignment) < 1 or self.overlap < RAMP:
            raise ValueError(f"not a grid: {self!r}")
        if self.tile % self.alignment or self.overlap % self.alignment or self.tile <= self.overlap:
            raise ValueError(f"tile and overlap must be aligned, tile the larger: {self!r}")

    @classmethod
    def cover(
        cls,
        height: int,
        width: int,
        *,
        reach: int,
        alignment: int,
        tile: int,
        overlap: int | None = None,
    ) -> "TileGrid":
        """Lay a grid over a frame.

        Parameters
        ----------
        height, width : int
            Of the packed frame.
        reach : int
            Packed px that a tile's border shows inside of it.
        alignment : int
            The network needs tile positions and sides that are multiples of it.
        tile : int
            Largest side of a tile in packed px; rounded up to the alignment, and raised to what
            the overlap needs.
        overlap : int, optional
            Packed px that neighbours share; rounded up to the alignment. None: so many that tiled
            equals untiled.
        """
        wanted = 2 * reach + RAMP if overlap is None else overlap
        shared = _round_up(wanted, alignment)
        return cls(
            height=height,
            width=width,
            tile=max(_round_up(tile, alignment), shared + alignment),
            overlap=shared,
            reach=reach,
            alignment=alignment,
        )

    @property
    def ramp(self) -> int:
        """Packed px over which one tile fades into the next: all where neither is exact."""
        return min(max(2 * self.reach - self.overlap, RAMP), self.overlap)

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

    def split(self, frame: Frame) -> Iterator[tuple[Tile, NDArray[np.float32]]]:
        """Yield each tile and its samples, row by row.

        Parameters
        ----------
        frame : Frame
            Asked for one tile after the other. Sides that are not multiples of the alignment are
            continued by reflection at the bottom and the right.

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
        for tile in self.tiles:
            yield tile, self.cut(frame, tile)

    def cut(self, frame: Frame, tile: Tile) -> NDArray[np.float32]:
        """Return the samples of one tile; see `split`."""
        if frame.shape[1:] != (self.height, self.width):
            raise ValueError(f"grid of {self.height}x{self.width}, packed is {frame.shape}")
        rows = reflected(np.arange(tile.top, tile.top + tile.height), self.height)
        columns = reflected(np.arange(tile.left, tile.left + tile.width), self.width)
        top, left = (int(each.min()) // _EVEN * _EVEN for each in (rows, columns))
        samples = frame.rows(top, int(rows.max()) + 1, slice(left, int(columns.max()) + 1))
        if samples.shape[1:] == (tile.height, tile.width):
            return samples
        return samples[:, (rows - top)[:, None], columns - left]

    def blend(
        self, results: Iterable[tuple[Tile, NDArray[np.float32]]]
    ) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """Join the tiles' results: the inverse of `split` for unchanged tiles, bit for bit.

        Parameters
        ----------
        results : iterable of (Tile, (C, tile.height, tile.width) float32)
            Every tile of the grid once, in any order. A tile that comes before its turn waits in
            memory, so workers should not run far ahead of each other.

        Yields
        ------
        start : int
            The first of some rows, which follow those before without a gap.
        rows : (C, n, width) float32
            Where tiles agree, exactly their value; the same bytes for every order of arrival.

        Raises
        ------
        ValueError
            A tile is missing, came twice, or its result has another shape.
        """
        rows, columns = self._weights(self.height), self._weights(self.width)
        begins = [each.begin for each in rows[1:]] + [self.height]
        open_rows: NDArray[np.float32] | None = None  # from `start` on, not final yet
        start = 0
        for tile, result in self._in_turn(results):
            if open_rows is None:
                shape = len(result), min(tile.top + tile.height, self.height) - start, self.width
                open_rows = np.zeros(shape, np.float32)
            _merge(open_rows, start, tile, result, rows[tile.row], columns[tile.column])
            if tile.column == len(columns) - 1:
                done = max(begins[tile.row] - start, 0)
                final, rest = [open_rows[:, :done]], open_rows[:, done:].copy()
                open_rows = None
                yield start, final.pop()  # so that nothing here keeps it in memory
                start += done
                if tile.row < len(rows) - 1:
                    bottom = min(self.tiles[tile.index + 1].top + tile.height, self.height)
                    open_rows = np.zeros((len(result), bottom - start, self.width), np.float32)
                    open_rows[:, : rest.shape[1]] = rest

    def _in_turn(
        self, results: Iterable[tuple[Tile, NDArray[np.float32]]]
    ) -> Iterator[tuple[Tile, NDArray[np.float32]]]:
        """Yield results in the order of their tiles, each once."""
        waiting: dict[int, tuple[Tile, NDArray[np.float32]]] = {}
        done = 0
        for tile, result in results:
            fits = result.shape[1:] == (tile.height, tile.width)
            if not fits or tile.index < done or tile.index in waiting:
                raise ValueError(f"result {result.shape} does not fit, or came twice: {tile}")
            waiting[tile.index] = tile, result
            while done in waiting:
                yield waiting.pop(done)
                done += 1
        if waiting or done != len(self):
            raise ValueError(f"{done} of {len(self)} tiles came in")

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
        margin = (self.overlap - self.ramp) // 2
        ramp = (np.arange(self.ramp, dtype=np.float32) + np.float32(0.5)) / np.float32(self.ramp)
        begins = [0, *(start + margin for start in starts[1:])]
        shares = np.zeros((len(starts), length), np.float32)
        for share, begin in zip(shares, begins, strict=True):
            rise = np.ones(length, np.float32)
            rise[:begin] = 0
            if begin:
                rise[begin : begin + self.ramp] = ramp[: max(length - begin, 0)]
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
    start: int,
    tile: Tile,
    values: NDArray[np.float32],
    rows: _AxisWeights,
    columns: _AxisWeights,
) -> None:
    """Take one tile into the running weighted mean; equal values stay equal bit for bit.

    `packed` holds the frame's rows from `start` on.
    """
    target = packed[:, rows.begin - start : rows.end - start, columns.begin : columns.end]
    source = values[
        :,
        rows.begin - tile.top : rows.end - tile.top,
        columns.begin - tile.left : columns.end - tile.left,
    ]
    down, right = np.count_nonzero(rows.before), np.count_nonzero(columns.before)
    target[:, down:, right:] = source[:, down:, right:]  # nobody has been here
    for rows_at, columns_at in (
        (slice(0, down), slice(None)),
        (slice(down, None), slice(0, right)),
    ):
        share, before = rows.share[rows_at, None], rows.before[rows_at, None]
        so_far = before + share * (columns.before + columns.share)[columns_at]
        alpha = share * columns.share[columns_at] / so_far
        part = target[:, rows_at, columns_at]
        part += alpha * (source[:, rows_at, columns_at] - part)


def _round_up(value: int, multiple: int) -> int:
    """Round up to a multiple."""
    return -(-value // multiple) * multiple
