"""What small blocks of a mosaic say about its noise: mean level and energy by spatial frequency.

`estimate` fits the noise model to it. The one thing to know: in an orthonormal cosine transform
white noise puts the same energy into every coefficient, independently, while texture fades towards
high frequencies. So blocks may be *chosen* by their low and middle frequencies without biasing what
is *measured* at the high ones, and rows or columns of noise (no diagonal component) do not count.

Noise that the camera clipped at black is a censored normal distribution, whose mean and variance
are known in closed form: what blocks say of it is translated both ways.
"""

from dataclasses import dataclass
from math import erf, sqrt

import numpy as np
from numpy.typing import NDArray

SIDE = 6
"""Side of a block, packed px; 5 and 8 measured worse on textured photographs."""
_MAX_BLOCKS = 120_000  # of a large frame, as a regular grid over all of it
_SATURATED = 0.98  # a block with a sample above it is dropped: clipped noise is too small
_FLOOR_SHARE = 0.002  # of a plane's samples at its minimum: less needs no correction
_PILE_UP = 1.5  # times the next value's count: whole noise thins out towards its minimum
_HIGHEST_BLACK = 0.02  # normalized: a minimum above it is a dark picture, not black
_SAMPLE = 500_000  # samples of a plane that are looked at


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
    place: NDArray[np.intp]
    """(N,) the same number for the blocks of all planes at one place."""
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
    parts, places, first = [], [np.empty(0, np.intp)], 0
    for top in offsets:
        for left in offsets:
            if min(height - top, width - left) < SIDE:
                continue
            blocks = _cut(packed, top, left, stride)
            usable = _is_usable(blocks)
            parts.append(_energies(blocks[usable]))
            of_plane = len(blocks) // len(packed)
            places.append(np.flatnonzero(usable) % of_plane + first)
            first += of_plane
    columns = np.concatenate(parts, axis=1) if parts else np.empty((4, 0), np.float32)
    mean, texture, check, high = columns
    return BlockStatistics(
        mean=mean,
        texture=texture,
        check=check,
        high=high,
        place=np.concatenate(places),
        share=1 / len(offsets) ** 2,
    )


def black_floor(packed: NDArray[np.float32]) -> float | None:
    """Find the level at which the camera clipped the noise around black.

    Some sensors and most phones subtract black in the camera: the negative half of the noise piles
    up at one value, the minimum, which then is more frequent than the next values above it.

    Parameters
    ----------
    packed : (4, h, w) float32, normalized

    Returns
    -------
    float or None
        The common floor, normalized, usually 0; None if the noise around black is whole.
    """
    stride = max(packed[0].size // _SAMPLE, 1)
    floors = []
    for plane in packed.reshape(len(packed), -1)[:, ::stride]:
        floor = plane.min()
        at_floor = np.count_nonzero(plane == floor)
        if floor > _HIGHEST_BLACK or at_floor < _FLOOR_SHARE * plane.size:
            continue
        above = plane[plane > floor]
        next_count = np.count_nonzero(above == above.min()) if above.size else 0
        if above.size and at_floor > _PILE_UP * next_count:
            floors.append(float(floor))
    return min(floors) if floors else None


def clipped_variance(
    mean: NDArray[np.float32], shot_noise: float, read_noise: float, floor: float
) -> NDArray[np.float64]:
    """Return the variance that noise clipped at `floor` has where its mean is `mean`.

    Parameters
    ----------
    mean : (N,) float32, normalized
        Of the clipped samples.
    shot_noise, read_noise : float
        Variances of the noise before clipping.
    floor : float
        Normalized level of the clipping.
    """
    read_std = sqrt(read_noise)
    lowest = floor - 4 * read_std
    highest = max(float(mean.max()), floor) + 5 * read_std
    level = lowest + (highest - lowest) * np.linspace(0, 1, 2000) ** 2
    variance = shot_noise * np.maximum(level, 0) + read_noise
    std = np.sqrt(variance)
    after_mean, after_variance = _censored((level - floor) / std)
    return np.interp(mean, floor + after_mean * std, after_variance * variance)


def undo_clipping(
    mean: NDArray[np.float64], variance: NDArray[np.float64], floor: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Translate mean and variance of clipped noise to what they were before.

    Returns
    -------
    mean, variance : (N,) float64
        Before clipping.
    factor : (N,) float64
        By how much an error of the clipped variance grows.
    """
    t = np.linspace(-1, 5, 601)
    after_mean, after_variance = _censored(t)
    found = np.interp((mean - floor) / np.sqrt(variance), after_mean / np.sqrt(after_variance), t)
    clipped = found < t[-1]
    shrunk = np.where(clipped, np.interp(found, t, after_variance), 1.0)
    before = variance / shrunk
    hopeless = np.where(found > t[0], 1.0, 10.0)  # nearly all samples at the floor
    return (
        np.where(clipped, floor + found * np.sqrt(before), mean),
        before,
        hopeless / shrunk**2,
    )


def _cut(packed: NDArray[np.float32], top: int, left: int, stride: int) -> NDArray[np.float32]:
    """Return the blocks of every `stride`-th row of blocks as (N, SIDE, SIDE)."""
    planes, height, width = packed.shape
    down, across = (height - top) // SIDE, (width - left) // SIDE
    area = packed[:, top : top + down * SIDE, left : left + across * SIDE]
    grid = area.reshape(planes, down, SIDE, across, SIDE)[:, ::stride]
    blocks: NDArray[np.float32] = grid.swapaxes(2, 3).reshape(-1, SIDE, SIDE)
    return blocks


def _is_usable(blocks: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return (N,): neither saturated nor constant."""
    highest, lowest = blocks.max(axis=(1, 2)), blocks.min(axis=(1, 2))
    usable: NDArray[np.bool_] = (highest < _SATURATED) & (highest > lowest)
    return usable


def _energies(blocks: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return (4, N): mean, texture, check and high of blocks."""
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


def _censored(t: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and variance of max(z, 0), z normal with mean t and unit variance."""
    below = np.array([0.5 * (1 + erf(value / sqrt(2))) for value in t])
    density = np.exp(-(t**2) / 2) / sqrt(2 * np.pi)
    mean = t * below + density
    return mean, np.maximum((t**2 + 1) * below + t * density - mean**2, 1e-9)
