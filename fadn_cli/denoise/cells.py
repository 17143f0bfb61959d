"""What repeats in a mosaic: tiles of it, averaged over the cells of a period.

`sense` judges by it. The one thing to know: every tile gives two means of the same cell, from
samples that no other shares; noise and chance make no product of the two, what repeats does.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fadn_cli.denoise.sensors.kinds import Planes
from fadn_cli.denoise.sensors.sites import unpack_sites

SIDE = 24
"""Side of a tile, pixels of the mosaic: a multiple of every period looked for."""
MARGIN = 4
"""Pixels around a tile that the largest period's mean reaches."""
_SAMPLES = 500_000  # of the mosaic that are looked at: rows of tiles, evenly over the frame
SATURATED = 0.98
"""Tiles with a sample above it are left out."""

Samples = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cells:
    """Tiles of a mosaic as cells of a period, even and odd cells apart."""

    even: Samples
    """(N, P, P) normalized: what differs from the mean of the surrounding period."""
    odd: Samples
    """(N, P, P) the same from the other half of the cells."""
    level: Samples
    """(N,) normalized: the tiles' means."""


def sample_bands(packed: Planes) -> Samples:
    """Cut rows of tiles out of a frame, with their margins.

    Parameters
    ----------
    packed : (4, h, w) float32, normalized

    Returns
    -------
    (bands, SIDE + 8, 24n + 8) float32, normalized
        RGGB mosaics whose tiles begin at multiples of 24; no bands in a small frame.
    """
    _, height, width = packed.shape
    most = (2 * height - MARGIN) // SIDE - 1  # the first tile has a margin above
    across = (2 * width - MARGIN) // SIDE - 1
    if min(most, across) < 1:
        return np.empty((0, SIDE + 2 * MARGIN, SIDE + 2 * MARGIN), np.float32)
    stride = max(-(-most * SIDE * 2 * width // _SAMPLES), 1)
    left = (SIDE - MARGIN) // 2
    right = left + (across * SIDE + 2 * MARGIN) // 2
    tops = [(SIDE * (1 + band) - MARGIN) // 2 for band in range(0, most, stride)]
    rows = SIDE // 2 + MARGIN
    return np.stack([unpack_sites(packed[:, top : top + rows, left:right]) for top in tops])


def average_cells(bands: Samples, period: int) -> Cells:
    """Average the tiles of bands over cells of a period; slopes of the light drop out.

    Parameters
    ----------
    bands : (bands, SIDE + 8, 24n + 8) float32, normalized
        Of `sample_bands`; saturated tiles are left out.
    period : int
        Pixels of the mosaic; an even divisor of SIDE.
    """
    inner = slice(MARGIN, -MARGIN)
    own = bands[:, inner, inner]
    around = _means(_means(bands, period, 1), period, 2)
    count = SIDE // period
    shape = (len(bands), count, period, own.shape[2] // SIDE, count, period)
    cells = (own - around).reshape(shape).transpose(0, 3, 1, 4, 2, 5)
    cells = cells.reshape(-1, count, count, period, period)
    tiles = own.reshape(len(bands), SIDE, own.shape[2] // SIDE, SIDE)
    kept = tiles.max(axis=(1, 3)).ravel() < SATURATED
    is_odd = np.add.outer(np.arange(count), np.arange(count)) % 2 == 1
    return Cells(
        even=cells[kept][:, ~is_odd].mean(axis=1),
        odd=cells[kept][:, is_odd].mean(axis=1),
        level=tiles.mean(axis=(1, 3)).ravel()[kept],
    )


def _means(x: Samples, period: int, axis: int) -> Samples:
    """Return the means over one period around each sample that lies `MARGIN` inside an axis."""
    moved = np.moveaxis(x, axis, -1)
    length = moved.shape[-1] - 2 * MARGIN
    half = period // 2
    first = MARGIN - half
    total: Samples = moved[..., first : first + length] + moved[..., first + period :][..., :length]
    total *= np.float32(0.5)
    for shift in range(first + 1, first + period):
        total += moved[..., shift : shift + length]
    total *= np.float32(1 / period)
    return np.moveaxis(total, -1, axis)
