"""What small blocks of a mosaic say about its noise: mean level and energy by spatial frequency.

`estimate` fits the noise model to it. The one thing to know: in an orthonormal cosine transform
white noise puts the same energy into every coefficient, independently, while texture fades towards
high frequencies. So blocks may be *chosen* by their low and middle frequencies without biasing what
is *measured* at the high ones, and rows or columns of noise (no diagonal component) do not count.

The same is measured on all planes of a place put together, their colour balanced: texture has the
same shape in all of them, so that the highest frequencies of the whole mosaic, which no single
plane resolves, hold far less of it.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from fadn_cli.denoise.sensors.bayer import BAYER
from fadn_cli.denoise.sensors.kinds import Planes
from fadn_cli.denoise.sensors.sensor import Sensor
from fadn_cli.quantiles import quantile

SIDE = 6
"""Side of a block, packed px; 5 and 8 measured worse on textured photographs."""
LEAST_GAIN = 0.5
"""Of the brightest colour's level: colours below it are not amplified further."""
_MAX_BLOCKS = 120_000  # of a large frame, as a regular grid over all of it
_SATURATED = 0.98  # a block with a sample above it is dropped: clipped noise is too small
_AT_ONCE = 2048  # blocks of each plane
_COEFFICIENTS = 15  # of 36 that a block's `high` averages
_HIGHEST = 14  # sum of frequencies, of 0 to 22 for 12 x 12 samples, from which a place's count
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


def measure_blocks(
    packed: Planes, sensor: Sensor = BAYER
) -> tuple[BlockStatistics, BlockStatistics]:
    """Transform the blocks of all planes; large frames by a regular sample of block rows.

    Parameters
    ----------
    packed : Planes
        Not clipped. Begins with an even cell.
    sensor : Sensor
        Whose planes they are.

    Returns
    -------
    blocks : BlockStatistics
        Of the blocks that are neither saturated nor constant; maybe none.
    places : BlockStatistics
        One block for each place where this is so in all planes. Its mean and energies are those of
        the planes, weighed alike, so that energy over mean is noise over level here too.
    """
    parts, wholes = [np.empty((5, 0))], [np.empty((6, 0))]
    for grid in _grids(packed, sensor):
        parts.append(grid.rows())
        whole = grid.usable.all(axis=0)
        noisy = _noisy_level(grid.energies[:, :, whole])
        waves, chosen = _place_waves(sensor, is_odd=grid.is_odd), np.flatnonzero(whole)
        for some in _few(len(chosen)):
            few = chosen[some]
            mean, *energies, freedoms = _combine(grid.blocks[:, few], waves, noisy)
            wholes.append(np.array([mean, *energies, grid.place[few], freedoms], np.float64))
    share = _share(packed)
    return _gather(parts, share * _COEFFICIENTS), _gather(wholes, share)


def measure_planes(packed: Planes, sensor: Sensor = BAYER) -> BlockStatistics:
    """Return the first half of what `measure_blocks` does, in a third of the time."""
    parts = [np.empty((5, 0)), *(grid.rows() for grid in _grids(packed, sensor))]
    return _gather(parts, _share(packed) * _COEFFICIENTS)


@dataclass(frozen=True, slots=True, eq=False)
class _Grid:
    """Blocks side by side, all over a frame or in some rows of them."""

    blocks: NDArray[np.float32]
    """(planes, N, SIDE^2)."""
    usable: NDArray[np.bool_]
    """(planes, N)."""
    energies: NDArray[np.float32]
    """(4, planes, N): see `_energies`."""
    place: NDArray[np.intp]
    """(N,)."""
    is_odd: bool
    """Whether blocks begin with an odd cell."""

    def rows(self) -> NDArray[np.float64]:
        """Return (5, usable blocks): their energies and places."""
        places = np.broadcast_to(self.place, self.usable.shape)
        found: NDArray[np.float64] = np.concatenate([self.energies, [places]])[:, self.usable]
        return found


def _grids(packed: Planes, sensor: Sensor) -> Iterator[_Grid]:
    """Yield the blocks of a frame; of a small one, also those that begin between them."""
    _, height, width = packed.shape
    offsets, first = _offsets(packed), 0
    rows_of_blocks = max(height // SIDE, 1)
    wanted = _MAX_BLOCKS // max(len(packed) * (width // SIDE) * len(offsets) ** 2, 1)
    stride = max(-(-rows_of_blocks // max(wanted, 1)), 1)
    for top, left in ((top, left) for top in offsets for left in offsets):
        if min(height - top, width - left) < SIDE:
            continue
        blocks = _cut(packed, top, left, stride)
        steady = sensor.steady(blocks.reshape(*blocks.shape[:2], SIDE, SIDE))
        steady = steady.reshape(*steady.shape[:2], SIDE**2)
        place = first + np.arange(blocks.shape[1])
        yield _Grid(blocks, _is_usable(steady), _energies(steady), place, (top + left) % 2 == 1)
        first += len(place)


def _offsets(packed: Planes) -> tuple[int, ...]:
    """Return at which rows and columns grids of blocks begin."""
    _, height, width = packed.shape
    return (0, SIDE // 2) if height * width < 16 * _MAX_BLOCKS else (0,)


def _share(packed: Planes) -> float:
    """Return what a block says of its own, as others overlap it."""
    return 1 / len(_offsets(packed)) ** 2


def _few(count: int) -> Iterator[slice]:
    """Yield some at a time: what is made of their blocks stays in the processor's cache."""
    for start in range(0, count, _AT_ONCE):
        yield slice(start, start + _AT_ONCE)


def _cut(packed: Planes, top: int, left: int, stride: int) -> NDArray[np.float32]:
    """Return the blocks of every `stride`-th row of blocks as (planes, N, SIDE^2)."""
    planes, height, width = packed.shape
    down, across = (height - top) // SIDE, (width - left) // SIDE
    cols = slice(left, left + across * SIDE)
    rows = [
        packed[:, first : first + SIDE, cols].reshape(planes, SIDE, across, SIDE).swapaxes(1, 2)
        for first in range(top, top + down * SIDE, stride * SIDE)
    ]
    return np.concatenate(rows, axis=1).reshape(planes, -1, SIDE**2)


def _is_usable(blocks: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return (planes, N): neither saturated nor constant."""
    highest, lowest = blocks.max(axis=2), blocks.min(axis=2)
    usable: NDArray[np.bool_] = (highest < _SATURATED) & (highest > lowest)
    return usable


def _energies(blocks: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return (4, planes, N): mean, texture, check and high of the blocks of planes."""
    found = np.empty((4, *blocks.shape[:2]), np.float32)
    transform, bands = _plane_waves()
    for some in _few(blocks.shape[1]):
        mean, detail = _centred(blocks[:, some])
        found[0, :, some] = mean
        found[1:, :, some] = np.moveaxis(np.square(detail @ transform) @ bands, -1, 0)
    return found


def _centred(blocks: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the means of blocks, and the blocks without them."""
    mean = blocks @ np.full(SIDE**2, 1 / SIDE**2, np.float32)
    return mean, blocks - mean[..., None]


@lru_cache
def _plane_waves() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return (SIDE^2, SIDE^2) from a block to its cosines, and (SIDE^2, 3) from their energies to
    texture, check and high.
    """
    order = np.add.outer(np.arange(SIDE), np.arange(SIDE)).ravel()
    middle = (order >= SIDE // 2) & (order < SIDE)
    low = (order >= 1) & (order < SIDE // 2)
    even, odd = middle & (order % 2 == 0), middle & (order % 2 == 1)
    texture = (_mean_of(low) + _mean_of(even)) / 2
    bands = np.stack([texture, _mean_of(odd), _mean_of(order >= SIDE)], axis=1)
    cosines = _cosines(SIDE)
    return np.kron(cosines, cosines).T.copy(), bands.astype(np.float32)


def _mean_of(chosen: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return the weights that average what is chosen."""
    weights: NDArray[np.float32] = chosen.astype(np.float32) / np.float32(chosen.sum())
    return weights


def _noisy_level(energies: NDArray[np.float32]) -> float:
    """Return the level below which noise is stronger than texture commonly is."""
    mean, *_, high = energies
    if not mean.size:
        return 1.0
    return quantile(high / np.maximum(mean, 1e-3), _WEAK) / _CONTRAST**2


@dataclass(frozen=True, slots=True, eq=False)
class _PlaceWaves:
    """The cosines of the mosaic that the planes' blocks at one place make."""

    transform: NDArray[np.float32]
    """(planes SIDE^2, frequencies): to each cosine. High ones are taken after what whole rows and
    columns share, which is no noise of pixels, whichever plane it is in."""
    bands: NDArray[np.float32]
    """(frequencies, 3): from their energies to texture, check and high."""
    left_high: float
    """How much of white noise's energy is left at the highest frequencies."""


@lru_cache
def _place_waves(sensor: Sensor, *, is_odd: bool) -> _PlaceWaves:
    """Return the cosines of a sensor's places whose blocks begin with an even or an odd cell."""
    planes, side = sensor.planes, sensor.cell * SIDE
    basis = np.eye(planes * SIDE**2, dtype=np.float32)
    blocks = np.ascontiguousarray(basis.reshape(-1, planes, SIDE, SIDE).swapaxes(0, 1))
    without_rows = blocks - blocks.mean(axis=3, keepdims=True)
    pixels = without_rows - without_rows.mean(axis=2, keepdims=True)
    if is_odd and sensor.kind == "xtrans":  # red and blue change places there
        swap = [0, 1, 2, 3, 4, 7, 8, 5, 6]
        blocks, pixels = blocks[swap], pixels[swap]
    cosines = _cosines(side)
    plain, high = (
        # one block below the other: each begins as the first does
        (cosines @ sensor.unpack(each.reshape(planes, -1, SIDE)).reshape(-1, side, side))
        @ cosines.T
        for each in (blocks, pixels)
    )
    order = np.add.outer(np.arange(side), np.arange(side)).ravel() * (2 * SIDE / side)
    low, highest = (order >= 1) & (order < 5), order >= _HIGHEST
    even, odd = (order >= 5) & (order < 10), (order >= 10) & ~highest
    transform = np.where(order < 10, plain.reshape(-1, side**2), high.reshape(-1, side**2))
    left = np.square(transform).sum(axis=0)
    check, last = (np.where(each, 1 / left[each].sum(), 0) for each in (odd, highest))
    bands = np.stack([(_mean_of(low) + _mean_of(even)) / 2, check, last], axis=1)
    return _PlaceWaves(transform, bands.astype(np.float32), float(left[highest].sum()))


def _combine(
    blocks: NDArray[np.float32], waves: _PlaceWaves, noisy: float
) -> list[NDArray[np.float32]]:
    """Return mean, texture, check, high and freedoms, (N,) each, of all planes of a place."""
    planes, count, _ = blocks.shape
    mean, detail = _centred(blocks)
    balance = 1 / (np.maximum(mean, LEAST_GAIN * mean.max(axis=0)).clip(min=0) + noisy)
    weight = balance**2 / (balance**2).sum(axis=0)
    detail *= (math.sqrt(planes) * np.sqrt(weight))[..., None]
    energy = np.square(detail.swapaxes(0, 1).reshape(count, -1) @ waves.transform)
    texture, check, high = (energy @ waves.bands).T
    freedoms = waves.left_high / (planes * (weight**2).sum(axis=0))
    return [(weight * mean).sum(axis=0), texture, check, high, freedoms]


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
