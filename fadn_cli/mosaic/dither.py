"""Noise for the last rounding, so that it shifts no mean: the same for the same source, always.

`conversion` adds it where the steps it rounds to are coarser than the noise that is left.
The one thing to know: it follows from where a sample lies and from the source's samples around it,
so it depends on no order of work, the frames of a burst differ, and strips can be done one by one.

Every 4x4 samples of a colour get 16 numbers from 16 equal parts of a step, in Bayer's order turned
by a hash: an area's mean is four times as exact as with numbers that know nothing of one another.
(Of a Bayer mosaic's colours: every second sample both ways. In others that is no colour of its own,
and the mean only as exact as numbers that know nothing make it, or all samples' together.)

References
----------
Bayer, "An optimum method for two-level rendition of continuous-tone pictures", ICC 1973;
Roberts, "Picture coding using pseudo-random noise", IRE Trans. Inf. Theory 8(2), 1962.
"""

import numpy as np
from numpy.typing import NDArray

_ORDER = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]], np.uint32)
_SIDE = 8  # mosaic samples of a cell's side: 4 of each colour
_CELL = np.kron(_ORDER, np.ones((2, 2), np.uint32))  # (8, 8)
_TURN = np.tile(np.array([[0, 4], [8, 12]], np.uint32), (4, 4))  # bits of the hash, by site
_ROW, _COL = np.uint32(0x9E3779B1), np.uint32(0x85EBCA77)  # odd: every index has its own product
_ROUND_1, _ROUND_2 = np.uint32(0x7FEB352D), np.uint32(0x846CA68B)  # [Wellons 2018, "lowbias32"]
_AROUND = ((0, 0), (0, 3), (2, 1), (3, 2), (5, 7), (7, 4))  # samples of a cell that are hashed


def dither(samples: NDArray[np.uint16], rows: slice, cols: slice) -> NDArray[np.float32]:
    """Return a number for each sample of a part of a mosaic, evenly spread over a step.

    What is rounded after this has the mean that it had before, whatever that is. (A triangular
    spread would keep the variance even too, and adds twice as much of it.)

    Parameters
    ----------
    samples : (H, W) uint16 DN
        The source's whole mosaic.
    rows, cols : slice
        The part, with start and stop.

    Returns
    -------
    (rows, cols) float32, steps
        Within -0.5 (inclusive) to 0.5 (exclusive).
    """
    row_at = np.arange(rows.start, rows.stop, dtype=np.uint32)
    col_at = np.arange(cols.start, cols.stop, dtype=np.uint32)
    fine = _mixed(row_at * _ROW, col_at * _COL)
    fine ^= samples[rows, cols]
    _scatter(fine)
    fine >>= np.uint32(12)  # 20 bits: with 4 of the order they fill float32
    fine |= _strata(samples, row_at, col_at) << np.uint32(20)
    spread = fine.astype(np.float32)
    spread *= np.float32(2.0**-24)
    spread -= np.float32(0.5)
    return spread


def _strata(
    samples: NDArray[np.uint16], row_at: NDArray[np.uint32], col_at: NDArray[np.uint32]
) -> NDArray[np.uint32]:
    """Return each sample's part of a step, 0 to 15."""
    cell_rows = np.arange(row_at[0] // _SIDE, row_at[-1] // _SIDE + 1, dtype=np.uint32)
    cell_cols = np.arange(col_at[0] // _SIDE, col_at[-1] // _SIDE + 1, dtype=np.uint32)
    height, width = samples.shape
    turned = _mixed(cell_rows * _COL, cell_cols * _ROW)
    for down, right in _AROUND:
        near_rows = np.minimum(cell_rows.astype(np.intp) * _SIDE + down, height - 1)
        near_cols = np.minimum(cell_cols.astype(np.intp) * _SIDE + right, width - 1)
        turned ^= samples[near_rows[:, None], near_cols]
        _scatter(turned)
    in_cell_row, in_cell_col = row_at % _SIDE, col_at % _SIDE
    of_row, of_col = row_at // _SIDE - cell_rows[0], col_at // _SIDE - cell_cols[0]
    strata: NDArray[np.uint32] = turned[of_row][:, of_col]
    strata >>= _TURN[in_cell_row][:, in_cell_col]
    strata &= np.uint32(15)
    strata ^= _CELL[in_cell_row][:, in_cell_col]
    return strata


def _mixed(by_row: NDArray[np.uint32], by_col: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Add what belongs to rows and what belongs to columns, modulo 2**32."""
    mixed: NDArray[np.uint32] = np.add.outer(by_row, by_col)
    return mixed


def _scatter(mixed: NDArray[np.uint32]) -> None:
    """Make every bit depend on every other, in place."""
    mixed ^= mixed >> np.uint32(16)
    mixed *= _ROUND_1
    mixed ^= mixed >> np.uint32(15)
    mixed *= _ROUND_2
    mixed ^= mixed >> np.uint32(16)
