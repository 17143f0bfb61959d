"""Whether a mosaic can be what its tags say: blocks of a colour, gains of rows, places of the
greens.

`pipeline` asks before anything is measured. The one thing to know: each finding needs a pattern
that repeats all over the frame, far above what noise and texture do; where it cannot be told, the
tags are believed.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fadn_cli.denoise.cells import Cells, average_cells, sample_bands
from fadn_cli.denoise.row_gain import find_row_gain
from fadn_cli.denoise.sensors.kinds import Planes, sampled

_BLOCKS = (2, 3, 4)  # samples per side of one colour: Quad Bayer, Nona, 16 in one
_LEAST_TILES = 12
_SURE = 6.0  # standard errors
_MODULATION = 0.03  # rms over a cell, of the level: sensors' own patterns stay below 1 %
_UNEXPLAINED = 0.25  # by blocks, of what a 2x2 cell leaves unexplained
_LINES = 0.6  # of it may be stripes; the two blocks of green make rows and columns differ alike
_GREENS_APART = 0.05  # of the level: real pairs of greens differ by 2 % at most
_OTHERS_APART = 0.25  # of the greens' difference

Samples = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sense:
    """What speaks against the tags."""

    block: int = 1
    """Samples per side that one colour covers: 1 in a Bayer mosaic, 2 in a Quad Bayer one."""
    row_gain: float = 1.0
    """By what factor every other pair of rows is brighter; 1 if none is."""
    greens_misplaced: bool = False
    """Whether the planes called red and blue look like the two greens."""
    white_share: float = 0.0
    """Share of the samples at white, or at the frame's own maximum."""


def judge(packed: Planes, *, is_bayer: bool = True) -> Sense:
    """Look at a frame for what contradicts a plain Bayer mosaic.

    Parameters
    ----------
    packed : (planes, h, w) float32, normalized, not clipped
        Planes R, Gr, Gb, B as the tags have them. Not modified. Large frames are sampled.
    is_bayer : bool
        Whether they are that; of others only the share of white is looked at.
    """
    if not is_bayer:
        return Sense(white_share=_white_share(packed))
    bands = sample_bands(packed)
    cells = average_cells(bands, 4)
    block, row_gain, misplaced = 1, 1.0, False
    if len(cells.level) >= _LEAST_TILES:
        row_gain = find_row_gain(bands)
        if row_gain == 1:
            block = _block(bands, cells)
        misplaced = block == 1 and row_gain == 1 and _greens_misplaced(cells)
    return Sense(
        block=block,
        row_gain=row_gain,
        greens_misplaced=misplaced,
        white_share=_white_share(packed),
    )


def _block(bands: Samples, cells_of_4: Cells) -> int:
    """Return how many samples per side share a colour: what blocks of that size explain."""
    found, least = 1, _UNEXPLAINED
    for side in _BLOCKS:
        cells = cells_of_4 if side == 2 else average_cells(bands, 2 * side)
        even, odd = (_centred(each) for each in (cells.even, cells.odd))
        bayer = np.eye(even.shape[1], dtype=np.float32) - _sites(2 * side)
        even_left, odd_left = even @ bayer, odd @ bayer
        left = (even_left * odd_left).sum(axis=1)
        level = np.square(cells.level).mean() * even.shape[1]
        if left.mean() < _MODULATION**2 * level or not _is_sure(left):
            continue
        lines = max(_along_lines(even_left, odd_left, 2 * side))
        if lines > _LINES * float(left.mean()):
            continue
        together = even.T @ odd
        unexplained = min(
            float(np.trace(together) - (together * blocks).sum()) for blocks in _blocks(side)
        )
        share = unexplained / float(left.sum())
        if share < least:
            found, least = side, share
    return found


def _along_lines(even: Samples, odd: Samples, period: int) -> tuple[float, float]:
    """Return the share of the product of two sets of cells that rows explain, and columns."""
    shape = (-1, period, period)
    rows, cols = (
        float((even.reshape(shape).mean(axis) * odd.reshape(shape).mean(axis)).sum(axis=1).mean())
        for axis in (2, 1)
    )
    return period * rows, period * cols


def _centred(x: Samples) -> Samples:
    """Flatten cells, and take their means away."""
    flat = x.reshape(len(x), -1)
    centred: Samples = flat - flat.mean(axis=1, keepdims=True)
    return centred


def _sites(period: int) -> Samples:
    """Return the projection of a centred cell onto what the four sites of a 2x2 cell explain."""
    index = np.arange(period) % 2
    return _projection(np.add.outer(2 * index, index))


def _blocks(side: int) -> list[Samples]:
    """Return the projections onto four blocks of a colour, for each place they may begin at."""
    index = np.arange(2 * side)
    halves = [(index + shift) % (2 * side) // side for shift in range(side)]
    return [_projection(np.add.outer(2 * rows, cols)) for rows in halves for cols in halves]


def _projection(groups: NDArray[np.intp]) -> Samples:
    """Return the projection onto the means of groups, without the mean of all."""
    member = (groups.ravel()[:, None] == np.arange(4)).astype(np.float32)
    matrix: Samples = member / member.sum(axis=0) @ member.T - np.float32(1 / groups.size)
    return matrix


def _is_sure(values: Samples) -> bool:
    """Tell whether the mean of values is positive beyond doubt."""
    error = float(values.std()) / np.sqrt(len(values))
    return bool(values.mean() > _SURE * error)


def _greens_misplaced(cells: Cells) -> bool:
    """Tell whether the planes called green differ all over, and those called red and blue agree."""
    # (N, row of the site, column of the site), what differs from the period's mean
    even, odd = (x.reshape(-1, 2, 2, 2, 2).mean(axis=(1, 3)) for x in (cells.even, cells.odd))
    greens = (even[:, 0, 1] - even[:, 1, 0]) * (odd[:, 0, 1] - odd[:, 1, 0])
    others = (even[:, 0, 0] - even[:, 1, 1]) * (odd[:, 0, 0] - odd[:, 1, 1])
    brighter = (even + odd)[:, [0, 1], [0, 1]].sum() > 0  # greens are, but in purple light
    return bool(
        brighter
        and greens.mean() > _GREENS_APART**2 * np.square(cells.level).mean()
        and _is_sure(greens)
        and others.mean() < _OTHERS_APART**2 * greens.mean()
    )


def _white_share(packed: Planes) -> float:
    """Return the share of samples at white, or at the frame's own maximum, of a sample of rows."""
    rows = sampled(packed, 1_000_000)
    top = min(float(rows.max()), 1.0)
    return float(np.count_nonzero(rows >= top) / rows.size)
