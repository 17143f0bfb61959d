"""Weigh what was measured with what was known before, each by how sure it is.

`estimate` calls it. The one thing to know: each level shows noise plus an unknown share of the
texture that middling blocks have. Where levels agree with one model within their uncertainty, that
share can only be small and the measurement is sure; where they scatter as texture does, any noise
below the calmest of them is possible, and what is known of the ISO speed decides.
"""

from dataclasses import dataclass
from math import exp, log, sqrt

import numpy as np
from numpy.typing import NDArray

from fadn_cli.denoise.noise.colors import ColorLevels, log_likelihood
from fadn_cli.denoise.noise.levels import Levels
from fadn_cli.denoise.noise.prior import (
    ISO_100_SHOT_NOISE,
    log_read_density,
    split_grain,
    student,
    typical_read_noise,
)
from fadn_cli.quantiles import quantile

_SHARES = np.geomspace(0.003, 1, 10)  # of the middling blocks' texture, in the calmest ones
_SHARE_SLOPE = -0.3  # of their log density: texture is usually weaker in calm blocks by far
_SHARE_SPREAD = 0.8  # by which the share differs from level to level, relative to it
_FREEDOMS = 4.0  # of Student's t, as levels deviate
_COARSE, _FINE = (40, 20), (30, 16)  # points of the grid over log(shot), log(read)
_BELOW, _ABOVE = 6.0, 1.5  # reach of the coarse grid around what the levels show, in log(shot)
_BELOW_ISO = 1.5  # and below what is usual for the ISO speed
_FINE_REACH = 3.0  # standard deviations
_CLOSER = 2  # times that the grid is drawn around the weight
_LEAST_UNEVENNESS = 0.02
_LEAST_READ = 0.25  # of what is usual, for the comparison of colours
_UNEVENNESS_QUANTILE = 0.25  # of the levels: a few even ones are enough to be sure


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """The noise that measurement and prior agree on."""

    shot_noise: float
    """Variance per unit signal."""
    read_noise: float
    """Variance at black."""
    spread: float
    """Standard deviation of log(shot noise)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known beside the levels."""

    iso: int | None
    """ISO speed; None or 0: unknown."""
    bright: float
    """Level of the picture's bright parts, normalized."""
    least_read: float
    """Variance: rounding alone makes as much."""


def weigh(
    levels: Levels, known: Known, colors: ColorLevels | None = None, *, read: float = 0.0
) -> Weighed:
    """Return the expected noise under the levels and the prior.

    Parameters
    ----------
    levels : Levels
        Of the calmest blocks.
    known : Known
        What the prior goes by.
    colors : ColorLevels, optional
        The same blocks in each colour; None: what is even is noise.
    read : float
        Variance at black, roughly: what the colours are compared without.
    """
    steep = log(quantile(levels.variance / np.maximum(levels.mean, 1e-3), 0.6))
    low, high = steep - _BELOW, steep + _ABOVE
    if known.iso:
        low = min(low, log(ISO_100_SHOT_NOISE * known.iso / 100) - _BELOW_ISO)
    bottom = log(known.least_read)
    top = log(max(3 * known.least_read, 2 * quantile(levels.variance, 0.5)))
    slopes, reads = np.linspace(low, high, _COARSE[0]), np.linspace(bottom, top, _COARSE[1])
    weights, shots = _weights(levels, known, colors, read, np.exp(slopes), np.exp(reads))
    for _ in range(_CLOSER):
        slopes = _closer(slopes, weights.sum(axis=1), _FINE[0])
        reads = _closer(reads, weights.sum(axis=0), _FINE[1])
        weights, shots = _weights(levels, known, colors, read, np.exp(slopes), np.exp(reads))
    # the geometric mean: read noise that no level shows is not known to a factor
    found = exp(float(weights.sum(axis=0) @ reads))
    by_slope = weights.sum(axis=1)
    return Weighed(
        shot_noise=float(by_slope @ shots),
        read_noise=found,
        spread=_spread(slopes, by_slope),
    )


def _weights(
    levels: Levels,
    known: Known,
    colors: ColorLevels | None,
    read: float,
    slopes: NDArray[np.float64],
    reads: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the (slopes, reads) posterior, its sum 1, and the shot noise expected of slopes."""
    unevenness = quantile(levels.middling / levels.variance - 1, _UNEVENNESS_QUANTILE)
    by_color = None
    if colors is not None:
        # near what is usual: in the dark, texture passes for read noise, and read noise for shot
        usual = typical_read_noise(slopes)
        by_color = log_likelihood(colors, slopes, np.clip(read, _LEAST_READ * usual, usual))
    density, shots = split_grain(
        slopes,
        known.iso,
        bright=known.bright,
        unevenness=max(unevenness, _LEAST_UNEVENNESS),
        by_color=by_color,
    )
    grid = np.meshgrid(slopes, reads, indexing="ij")
    found = _log_likelihood(levels, *grid) + log_read_density(grid[1], grid[0]) + density[:, None]
    weights = np.exp(found - found.max())
    return weights / weights.sum(), shots


def _log_likelihood(
    levels: Levels, slope: NDArray[np.float64], read: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the log likelihood of grids of slope and read noise, over all shares of texture."""
    noise = slope[..., None] * levels.mean + read[..., None]
    texture = np.maximum(levels.middling - noise, 0)
    by_share = []
    for share in _SHARES:
        left = share * texture
        std = np.hypot(levels.uncertainty * (noise + left), _SHARE_SPREAD * left)
        deviation = (levels.variance - noise - left) / std
        likelihood = student(deviation, _FREEDOMS) - np.log(std / levels.variance)
        by_share.append(likelihood.sum(axis=-1) + _SHARE_SLOPE * log(share))
    total: NDArray[np.float64] = np.logaddexp.reduce(by_share)
    return total


def _closer(
    points: NDArray[np.float64], weights: NDArray[np.float64], count: int
) -> NDArray[np.float64]:
    """Return a finer grid where the weight is, inside the old one."""
    center = float(points @ weights)
    reach = _FINE_REACH * (_spread(points, weights) + (points[1] - points[0]))
    return np.linspace(max(center - reach, points[0]), min(center + reach, points[-1]), count)


def _spread(points: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    """Return the standard deviation of a distribution on points."""
    center = float(points @ weights)
    return sqrt(float((points - center) ** 2 @ weights))
