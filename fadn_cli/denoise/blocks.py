"""What small blocks of a mosaic say about its noise: mean level and energy by spatial frequency.

`estimate` fits the noise model to it. The one thing to know: in an orthonormal cosine transform
white noise puts the same energy into every coefficient, independently, while texture fades towards
high frequencies. So blocks may be *chosen* by their low and middle frequencies without biasing what
is *measured* at the high ones, and rows or columns of noise (no diagonal component) do not count.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SIDE = 6
"""Side of a block, packed px; 5 and 8 measured worse on textured photographs."""
_MAX_BLOCKS = 120_000  # of a large frame, as a regular grid over all of it
_SATURATED = 0.98  # a block with a sample above it is dropped: clipped noise is too small


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BlockStatistics:
    """Usable blocks of a packed mosaic; energies are mean squares per coefficient."""

    mean: NDArray[np.float32]
    """(N,) normalized level."""
    texture: NDArray[np.float32]
    """(N,) energy at low and every other middle frequency: chooses weakly textured blocks."""
    check: NDArray[np.float32]
    """(N,) energy at the remaining middle frequencies: says how much texture is left in them."""
    high: NDArray[np.float32]
    """(N,) energy at high frequencies: the noise variance where there is no texture."""
    share: float
    """Independent blocks per block: below 1 where blocks overlap."""


def measure_blocks(packed: NDArray[np.float32]) -> BlockStatistics:
    """Transform the blocks of all four planes; large frames by a regular sample of block rows.

    Parameters
    ----------
    packed : (4, h, w) float32, normalized, not clipped
        Not modified.

    Returns
    -------
    BlockStatistics
        Of the blocks that are neither saturated nor constant; maybe none.
    """
    _, height, width = packed.shape
    offsets = (0, SIDE // 2) if height * width < 16 * _MAX_BLOCKS else (0,)
    rows_of_blocks = max(height // SIDE, 1)
    wanted = _MAX_BLOCKS // max(4 * (width // SIDE) * len(offsets) ** 2, 1)
    stride = max(-(-rows_of_blocks // max(wanted, 1)), 1)
    parts = [
        _energies(_cut(packed, top, left, stride))
        for top in offsets
        for left in offsets
        if min(height - top, width - left) >= SIDE
    ]
    columns = np.concatenate(parts, axis=1) if parts else np.empty((4, 0), np.float32)
    mean, texture, check, high = columns
    return BlockStatistics(
        mean=mean, texture=texture, check=check, high=high, share=1 / len(offsets) ** 2
    )


def _cut(packed: NDArray[np.float32], top: int, left: int, stride: int) -> NDArray[np.float32]:
    """Return the blocks of every `stride`-th row of blocks as (N, SIDE, SIDE)."""
    planes, height, width = packed.shape
    down, across = (height - top) // SIDE, (width - left) // SIDE
    area = packed[:, top : top + down * SIDE, left : left + across * SIDE]
    grid = area.reshape(planes, down, SIDE, across, SIDE)[:, ::stride]
    blocks: NDArray[np.float32] = grid.swapaxes(2, 3).reshape(-1, SIDE, SIDE)
    return blocks


def _energies(blocks: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return (4, N): mean, texture, check and high of the usable blocks."""
    highest, lowest = blocks.max(axis=(1, 2)), blocks.min(axis=(1, 2))
    blocks = blocks[(highest < _SATURATED) & (highest > lowest)]
    mean = blocks.mean(axis=(1, 2))
    cosines = _cosines()
    energy = (cosines @ (blocks - mean[:, None, None]) @ cosines.T) ** 2
    order = np.add.outer(np.arange(SIDE), np.arange(SIDE))
    middle = (order >= SIDE // 2) & (order < SIDE)
    low = (order >= 1) & (order < SIDE // 2)
    return np.stack(
        [
            mean,
            (energy[:, low].mean(axis=1) + energy[:, middle & (order % 2 == 0)].mean(axis=1)) / 2,
            energy[:, middle & (order % 2 == 1)].mean(axis=1),
            energy[:, order >= SIDE].mean(axis=1),
        ]
    )


def _cosines() -> NDArray[np.float32]:
    """Return the orthonormal DCT-II matrix of one block side."""
    index = np.arange(SIDE)
    angles = np.pi * np.outer(index, 2 * index + 1) / (2 * SIDE)
    matrix: NDArray[np.float32] = (np.sqrt(2 / SIDE) * np.cos(angles)).astype(np.float32)
    matrix[0] = np.sqrt(1 / SIDE)
    return matrix
