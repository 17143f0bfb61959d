"""Keep brightness and colour where they were: the noise has no mean, so nothing may be lost with
it.

`frame` calls it after the network. The one thing to know: a network, an int8 one above all, is off
by some hundredths of sigma, differently in every plane, and over a whole picture that is a colour
cast. The mean of what was removed, block by block, is put back.

Binning by the denoised brightness instead, over the whole frame, was tried: in dark frames a low
value is partly low noise, and the correction then makes the shift it should remove.
"""

import numpy as np
from numpy.typing import NDArray

from fadn_cli.denoise.sensors.bayer import BAYER
from fadn_cli.denoise.sensors.sensor import Sensor
from fadn_cli.noise import NoiseModel

BLOCK = 64
"""Packed pixels per side: a block's mean noise is 1/64 sigma, far below what denoising leaves."""
_OUTLIER = 5.0  # sigma: hot pixels are removed for good, their light is not brightness
_NEAR_WHITE = 3.0  # sigma below white: above that the noise itself is clipped and has a mean
_LEAST_SHARE = 0.25  # of a block's samples: with fewer left, nothing is known of its mean


def keep_levels(
    packed: NDArray[np.float32],
    denoised: NDArray[np.float32],
    noise: NoiseModel,
    sensor: Sensor = BAYER,
) -> NDArray[np.float32]:
    """Put the local mean of what was removed back, in place.

    Parameters
    ----------
    packed : (planes, h, w) float32, normalized
        The source. Not modified.
    denoised : (planes, h, w) float32, normalized
        Overwritten with the result.
    noise : NoiseModel
        Of the source.
    sensor : Sensor
        Whose planes they are.

    Returns
    -------
    (planes, h, w) float32, normalized
        `denoised` itself.
    """
    _, height, width = packed.shape
    row_starts, row_weights = _axis(height)
    col_starts, col_weights = _axis(width)
    stops = [*row_starts[1:], height]
    for plane, (before, after) in enumerate(zip(packed, denoised, strict=True)):
        kind = sensor.noise_index[plane]
        shot, read = noise.shot_noise[kind], noise.read_noise[kind]
        means = np.stack(
            [
                _block_means(before[start:stop], after[start:stop], col_starts, shot, read)
                for start, stop in zip(row_starts, stops, strict=True)
            ]
        )  # (block rows, block columns)
        across = means @ col_weights  # (block rows, w)
        for block, (start, stop) in enumerate(zip(row_starts, stops, strict=True)):
            for near in range(max(block - 1, 0), min(block + 2, len(across))):
                after[start:stop] += row_weights[near, start:stop, None] * across[near]
    return denoised


def _block_means(
    before: NDArray[np.float32],
    after: NDArray[np.float32],
    col_starts: NDArray[np.intp],
    shot: np.float32,
    read: np.float32,
) -> NDArray[np.float32]:
    """Return the mean removed in each block of one row of blocks; 0 where too little is usable."""
    removed = before - after
    limit = np.maximum(after, 0)
    limit *= _OUTLIER**2 * shot
    limit += _OUTLIER**2 * read
    usable = removed * removed < limit
    usable &= after < 1 - _NEAR_WHITE * np.sqrt(shot + read)
    np.copyto(removed, 0, where=~usable)
    counts = np.add.reduceat(usable.view(np.uint8).sum(axis=0, dtype=np.int32), col_starts)
    sums = np.add.reduceat(removed.sum(axis=0), col_starts)
    sizes = np.diff(np.append(col_starts, after.shape[1])) * after.shape[0]
    enough = counts > _LEAST_SHARE * sizes
    return np.where(enough, sums / np.maximum(counts, 1), 0).astype(np.float32)


def _axis(length: int) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Return the blocks' starts along a side, and the (blocks, length) linear interpolation."""
    count = max(1, round(length / BLOCK))
    edges = np.linspace(0, length, count + 1).astype(np.intp)
    centres = (edges[:-1] + edges[1:]) / 2
    places = np.arange(length) + 0.5
    weights = np.stack([np.interp(places, centres, unit) for unit in np.eye(count)])
    return edges[:-1], weights.astype(np.float32)


def mean_shift(
    before: NDArray[np.float32],
    after: NDArray[np.float32],
    noise: NoiseModel,
    sensor: Sensor = BAYER,
) -> tuple[float, ...]:
    """Return how far means have moved, in units of the noise's sigma at that mean.

    Parameters
    ----------
    before, after : (planes, h, w) float32, normalized
    noise : NoiseModel
        Of `before`.
    sensor : Sensor
        Whose planes they are.

    Returns
    -------
    tuple of float
        For each of the sensor's `noise_colors`.
    """
    # float64 sums: six million float32 terms would drift.
    index = np.array(sensor.noise_index)
    count = np.bincount(index)
    old, new = (
        np.bincount(index, x.mean(axis=(1, 2), dtype=np.float64)) / count for x in (before, after)
    )
    std = np.sqrt(noise.shot_noise * np.maximum(old, 0) + noise.read_noise)
    return tuple(float(value) for value in (new - old) / np.maximum(std, 1e-12))
