"""Noise that the camera clipped at black: where it did, and what it looks like after.

`levels` undoes it, `measurement` looks for it. The one thing to know: it is a censored normal
distribution, whose mean and variance are known in closed form; what blocks say of it is translated
both ways.
"""

from math import erf, sqrt

import numpy as np
from numpy.typing import NDArray

from fadn_cli.denoise.sensors.kinds import Planes, sampled

_FLOOR_SHARE = 0.002  # of a plane's samples at its minimum: less needs no correction
_PILE_UP = 1.5  # times the next value's count: whole noise thins out towards its minimum
_HIGHEST_BLACK = 0.02  # normalized: a minimum above it is a dark picture, not black
_SAMPLE = 500_000  # samples of a plane that are looked at, in whole rows


def black_floor(packed: Planes) -> float | None:
    """Find the level at which the camera clipped the noise around black.

    Some sensors and most phones subtract black in the camera: the negative half of the noise piles
    up at one value, the minimum, which then is more frequent than the next values above it.

    Parameters
    ----------
    packed : Planes

    Returns
    -------
    float or None
        The common floor, normalized, usually 0; None if the noise around black is whole.
    """
    floors = []
    for plane in sampled(packed, _SAMPLE):
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


def _censored(t: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and variance of max(z, 0), z normal with mean t and unit variance."""
    below = np.array([0.5 * (1 + erf(value / sqrt(2))) for value in t])
    density = np.exp(-(t**2) / 2) / sqrt(2 * np.pi)
    mean = t * below + density
    return mean, np.maximum((t**2 + 1) * below + t * density - mean**2, 1e-9)
