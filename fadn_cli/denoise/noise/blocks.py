"""What small blocks of a mosaic say about its noise: mean level and energy by spatial frequency.

`estimate` fits the noise model to it. The one thing to know: in an orthonormal cosine transform
white noise puts the same energy into every coefficient, independently, while texture fades towards
high frequencies. So blocks may be *chosen* by their low and middle frequencies without biasing what
is *measured* at the high ones, and rows or columns of noise (no diagonal component) do not count.

The same is measured on the four planes of a place put together, their colour balanced: texture has
the same shape in all of them, so that the highest frequencies of the whole mosaic, which no single
plane resolves, hold far less of it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SIDE = 6
"""Side of a block, packed px; 5 and 8 measured worse on textured photographs."""
LEAST_GAIN = 0.5
"""Of the brightest colour's level: colours below it are not amplified further."""
_MAX_BLOCKS = 120_000  # of a large frame, as a regular grid over all of it
_SATURATED = 0.98  # a block with a sample above it is dropped: clipped noise is too small
_COEFFICIENTS = 15  # of 36 that a block's `high` averages
_HIGHEST = 14  # sum of frequencies, of 0 to 22, from which those of a whole place count
_CONTRAST = 0.1  # of texture: levels at which noise is stronger are not balanced
_WEAK = 0.05  # quantile of a block's `high` over its level that this is judged by


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
    freedoms: float
    """Of one block's `high`, as of a sum of squares; less where blocks overlap."""


def measure_blocks(packed: NDArray[np.float32]) -> tuple[BlockStatistics, BlockStatistics]:
    """Transform the blocks of all four planes; large frames by a regular sample of block rows.

    Parameters
    ----------
    packed : (4, h, w) float32, normalized, not clipped
        Not modified.

    Returns
    -------
    blocks : BlockStatistics
        Of the blocks that are neither saturated nor constant; maybe none.
    places : BlockStatistics
        One block for each place where this is so in all planes. Its mean and energies are those of
        the planes, weighed alike, so that energy over mean is noise over level here too.
    """
    _, height, width = packed.shape
    offsets = (0, SIDE // 2) if height * width < 16 * _MAX_BLOCKS else (0,)
    rows_of_blocks = max(height // SIDE, 1)
    wanted = _MAX_BLOCKS // max(4 * (width // SIDE) * len(offsets) ** 2, 1)
    stride = max(-(-rows_of_blocks // max(wanted, 1)), 1)
    parts, wholes, first = [np.empty((5, 0))], [np.empty((6, 0))], 0
    for top in offsets:
        for left in offsets:
            if min(height - top, width - left) < SIDE:
                continue
            blocks = _cut(packed, top, left, stride)
            usable = _is_usable(blocks)
            place = first + np.arange(blocks.shape[1])
            energies = _energies(blocks)
            parts.append(
                np.concatenate([energies, [np.broadcast_to(place, usable.shape)]])[:, usable]
            )
            whole = usable.all(axis=0)
            noisy = _noisy_level(energies[:, :, whole])
            wholes.append(_combine(blocks[:, whole], energies[0][:, whole], place[whole], noisy))
            first += len(place)
    share = 1 / len(offsets) ** 2
    return _gather(parts, share * _COEFFICIENTS), _gather(wholes, share)


def _cut(packed: NDArray[np.float32], top: int, left: int, stride: int) -> NDArray[np.float32]:
    """Return the blocks of every `stride`-th row of blocks as (4, N, SIDE, SIDE)."""
    planes, height, width = packed.shape
    down, across = (height - top) // SIDE, (width - left) // SIDE
    area = packed[:, top : top + down * SIDE, left : left + across * SIDE]
    grid = area.reshape(planes, down, SIDE, across, SIDE)[:, ::stride]
    blocks: NDArray[np.float32] = grid.swapaxes(2, 3).reshape(planes, -1, SIDE, SIDE)
    return blocks


def _is_usable(blocks: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return (4, N): neither saturated nor constant."""
    highest, lowest = blocks.max(axis=(2, 3)), blocks.min(axis=(2, 3))
    usable: NDArray[np.bool_] = (highest < _SATURATED) & (highest > lowest)
    return usable


def _energies(blocks: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return (4, 4, N): mean, texture, check and high of the blocks of four planes."""
    mean = blocks.mean(axis=(2, 3))
    cosines = _cosines(SIDE)
    energy = (cosines @ (blocks - mean[..., None, None]) @ cosines.T) ** 2
    order = np.add.outer(np.arange(SIDE), np.arange(SIDE))
    middle = (order >= SIDE // 2) & (order < SIDE)
    low = (order >= 1) & (order < SIDE // 2)
    even, odd = middle & (order % 2 == 0), middle & (order % 2 == 1)
    return np.stack(
        [
            mean,
            (energy[..., low].mean(axis=-1) + energy[..., even].mean(axis=-1)) / 2,
            energy[..., odd].mean(axis=-1),
            energy[..., order >= SIDE].mean(axis=-1),
        ]
    )


def _noisy_level(energies: NDArray[np.float32]) -> float:
    """Return the level below which noise is stronger than texture commonly is."""
    mean, *_, high = energies
    if not mean.size:
        return 1.0
    return float(np.quantile(high / np.maximum(mean, 1e-3), _WEAK)) / _CONTRAST**2


def _combine(
    blocks: NDArray[np.float32], mean: NDArray[np.float32], place: NDArray[np.intp], noisy: float
) -> NDArray[np.float64]:
    """Return (6, N): mean, texture, check, high, place and freedoms of four planes together."""
    balance = 1 / (np.maximum(mean, LEAST_GAIN * mean.max(axis=0)).clip(min=0) + noisy)
    weight = balance**2 / (balance**2).sum(axis=0)
    detail = (blocks - mean[..., None, None]) * (2 * np.sqrt(weight))[..., None, None]
    order = np.add.outer(np.arange(2 * SIDE), np.arange(2 * SIDE))
    low, highest = (order >= 1) & (order < 5), order >= _HIGHEST
    even, odd = (order >= 5) & (order < 10), (order >= 10) & ~highest
    energy = _whole_energy(detail)
    texture = (energy[:, low].mean(axis=1) + energy[:, even].mean(axis=1)) / 2
    # rows and columns of noise are no noise of pixels, whichever plane they are in
    down = (detail - detail.mean(axis=2, keepdims=True)).astype(np.float32)
    pixels = (down - down.mean(axis=3, keepdims=True)).astype(np.float32)
    own = 0.5 - _cosines(2 * SIDE)[:, ::2].sum(axis=1) ** 2 / SIDE
    left = 4 * np.outer(own, own)  # of the energy at each frequency
    energy = _whole_energy(pixels)
    check, high = (energy[:, band].sum(axis=1) / left[band].sum() for band in (odd, highest))
    freedoms = left[highest].sum() / (4 * (weight**2).sum(axis=0))
    return np.stack([(weight * mean).sum(axis=0), texture, check, high, place, freedoms]).astype(
        np.float64
    )


def _whole_energy(planes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the (N, 2 SIDE, 2 SIDE) energies of the mosaic that four planes' blocks make."""
    whole = np.empty((planes.shape[1], 2 * SIDE, 2 * SIDE), np.float32)
    for plane, (down, across) in zip(planes, ((0, 0), (0, 1), (1, 0), (1, 1)), strict=True):
        whole[:, down::2, across::2] = plane
    cosines = _cosines(2 * SIDE)
    energy: NDArray[np.float32] = np.square(cosines @ whole @ cosines.T)
    return energy


def _gather(parts: list[NDArray[np.float64]], freedoms: float) -> BlockStatistics:
    """Return parts as one; a sixth row holds freedoms for each block, of which the mean counts."""
    mean, texture, check, high, place, *own = np.concatenate(parts, axis=1)
    return BlockStatistics(
        mean=mean.astype(np.float32),
        texture=texture.astype(np.float32),
        check=check.astype(np.float32),
        high=high.astype(np.float32),
        place=place.astype(np.intp),
        freedoms=freedoms * float(np.mean(own[0])) if own and len(place) else freedoms,
    )


def _cosines(side: int) -> NDArray[np.float32]:
    """Return the orthonormal DCT-II matrix of one block side."""
    index = np.arange(side)
    angles = np.pi * np.outer(index, 2 * index + 1) / (2 * side)
    matrix: NDArray[np.float32] = (np.sqrt(2 / side) * np.cos(angles)).astype(np.float32)
    matrix[0] = np.sqrt(1 / side)
    return matrix
