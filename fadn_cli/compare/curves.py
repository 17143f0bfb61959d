"""How much noise there is at each brightness, before and after, measured in flat places.

`pair` calls `measure_curves`. The one thing to know: a block counts as flat if its *neighbours* are
calm after denoising. Its own samples have no say in it, so its noise is not made to look small by
having been chosen for being small.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fadn_cli.denoise.sensors.bayer import BAYER
from fadn_cli.denoise.sensors.sensor import Sensor
from fadn_cli.noise import NoiseModel

_BLOCK = 8  # packed pixels of a block's side
_BRIGHTEST = 0.95  # normalized mean of a block; above it noise is clipped at white
_STOPS = 12  # below white: where the curves begin
_BINS_PER_STOP = 2
_CALMEST = 0.1  # share of a bin's blocks that are taken for flat
_FEWEST = 12  # of them, for a point of the curve
_MOST_VARIANCE = 2.0  # of a point, in units of the noise model's: above it, it is texture


@dataclass(frozen=True, slots=True, kw_only=True)
class NoisePoint:
    """The noise at one brightness."""

    level: float
    """Mean of the greens, normalized; positive."""
    before: float
    """Standard deviation of the greens in the source, normalized."""
    after: float
    """The same in the output."""


def measure_curves(
    before: NDArray[np.float32],
    after: NDArray[np.float32],
    noise: NoiseModel,
    sensor: Sensor = BAYER,
) -> tuple[NoisePoint, ...]:
    """Measure the noise of the greens, or of all samples without colours, by brightness.

    Parameters
    ----------
    before, after : (planes, h, w) float32, normalized
        Of source and output. Not modified.
    noise : NoiseModel
        Of `before`.
    sensor : Sensor
        Whose planes they are.

    Returns
    -------
    tuple of NoisePoint
        From dark to bright, half a stop apart; without the brightnesses at which there are too few
        flat places.
    """
    shot, read = (each.ravel() for each in sensor.noise_of_planes(noise))
    parts = [
        _measure_plane(before[plane], after[plane], shot[plane], read[plane])
        for plane in sensor.greens
    ]
    level, old, new, calm = np.concatenate(parts, axis=1)
    bins = np.floor(np.log2(np.maximum(level, 1e-9)) * _BINS_PER_STOP)
    points = []
    for index in range(-_STOPS * _BINS_PER_STOP, 0):
        members = np.flatnonzero((bins == index) & (level < _BRIGHTEST))
        count = int(_CALMEST * len(members))
        if count < _FEWEST:
            continue
        flat = members[np.argsort(calm[members], kind="stable")[:count]]
        # Medians: a flat place's neighbour may still hold an edge.
        grey, variance = float(level[flat].mean()), float(np.median(old[flat]))
        expected = noise.variance(grey)[[sensor.noise_index[plane] for plane in sensor.greens]]
        if variance <= _MOST_VARIANCE * float(expected.mean()):
            left = float(np.median(new[flat]))
            points.append(NoisePoint(level=grey, before=variance**0.5, after=left**0.5))
    return tuple(points)


def noise_left(points: tuple[NoisePoint, ...]) -> float | None:
    """Return the share of the noise's standard deviation that is left; None without a point."""
    if not points:
        return None
    return float(np.median([point.after / max(point.before, 1e-12) for point in points]))


def _measure_plane(
    before: NDArray[np.float32], after: NDArray[np.float32], shot: np.float32, read: np.float32
) -> NDArray[np.float32]:
    """Return (4, N): level, variance before and after, unrest of the surroundings, per block."""
    level = _blocks(after).mean(axis=2)
    old, new = _variance(_blocks(before)), _variance(_blocks(after))
    unrest = new / np.maximum(shot * np.maximum(level, 0) + read, 1e-12)
    inner = (slice(1, -1), slice(1, -1))
    columns = (level[inner], old[inner], new[inner], _surroundings(unrest))
    return np.stack([column.reshape(-1) for column in columns])


def _blocks(plane: NDArray[np.float32]) -> NDArray[np.float32]:
    """Cut a plane into whole blocks: (rows, columns, samples of a block)."""
    rows, columns = plane.shape[0] // _BLOCK, plane.shape[1] // _BLOCK
    whole = plane[: rows * _BLOCK, : columns * _BLOCK]
    cells = whole.reshape(rows, _BLOCK, columns, _BLOCK).swapaxes(1, 2)
    return cells.reshape(rows, columns, _BLOCK * _BLOCK)


def _variance(blocks: NDArray[np.float32]) -> NDArray[np.float32]:
    """Variance in each block around its best plane, so that a gradient does not count."""
    ramp = np.arange(_BLOCK, dtype=np.float32) - (_BLOCK - 1) / 2
    ramp /= np.sqrt(np.sum(ramp * ramp) * _BLOCK)
    slopes = np.stack([np.repeat(ramp, _BLOCK), np.tile(ramp, _BLOCK)], axis=1).astype(np.float32)
    centred = blocks - blocks.mean(axis=2, keepdims=True)
    energy = np.sum(centred * centred, axis=2) - np.sum((centred @ slopes) ** 2, axis=2)
    variance: NDArray[np.float32] = np.maximum(energy, 0) / np.float32(_BLOCK * _BLOCK - 3)
    return variance


def _surroundings(unrest: NDArray[np.float32]) -> NDArray[np.float32]:
    """The largest value among the eight neighbours of each inner block."""
    rows, columns = unrest.shape
    if min(rows, columns) < 3:
        return np.empty((0, 0), np.float32)
    shifts = [(down, across) for down in (0, 1, 2) for across in (0, 1, 2)]
    neighbours = [
        unrest[down : rows - 2 + down, across : columns - 2 + across]
        for down, across in shifts
        if (down, across) != (1, 1)
    ]
    largest: NDArray[np.float32] = np.max(neighbours, axis=0)
    return largest
