"""The noise of one mosaic, measured from its own pixels, and its agreement with the file's claim.

The pipeline calls `estimate_noise` on the packed mosaic, then `reconcile` where a DNG states a
NoiseProfile. The one thing to know: texture can only add to what is measured, so the fit follows
the weakest blocks of each brightness, extrapolates what texture is left in them to none, and
trusts values below the model more than those above.

All four planes are pooled into one shot and one read noise: in normalized units the colours of a
sensor share gain and read-out, and a small frame has too few flat blocks to tell them apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import exp, log, sqrt

import numpy as np
from numpy.typing import NDArray

from fadn_cli.denoise.noise.blocks import (
    BlockStatistics,
    black_floor,
    clipped_variance,
    measure_blocks,
    undo_clipping,
)
from fadn_cli.errors import NoiseModelError
from fadn_cli.noise import MID_GREY, NoiseModel, noise_model

ISO_100_SHOT_NOISE = (3e-6, 3e-4)
"""Shot noise of real cameras per ISO/100: full-frame sensors lie at 6e-6, action cameras 1.5e-4."""
MAX_DISAGREEMENT = 2.0
"""Factor in standard deviation beyond which a stated noise profile is doubted."""

_MIN_BLOCKS = 32
_BINS = 12  # of brightness, equally filled
_WEAK = 0.05  # share of a bin's blocks taken as its weakest textured
_WEAK_AT_LEAST = 8
_SLOPE_SHARE = 0.3  # of all blocks, the weakest textured: show how texture fades with frequency
_MAX_SLOPE = 0.8
_SYMMETRIC_ITERATIONS = 6
_ITERATIONS = 20
_COLOURED = (1.0, 0.5)  # excess from which a level is no longer evidence, and how fast
_TAIL = (0.005, 0.308)  # quantile of a block's `high` over its variance: chi-squared, 15 freedoms
_TAIL_SLACK = 1.5  # for the sampling error of the tail in small frames
_HIGH_COEFFICIENTS = 15  # of 36 that a block's `high` averages
_RELATION = (2.18, 1.20)  # log(read) = 2.18 log(shot) + 1.20 [Brooks et al., CVPR 2019, on DND]
_RELATION_STD = 1.5  # in log(read); wide: old sensors read out far noisier at base ISO


def estimate_noise(
    packed: NDArray[np.float32], *, iso: int | None = None, step: float = 0.0
) -> NoiseModel:
    """Measure the noise of a mosaic.

    Parameters
    ----------
    packed : (4, h, w) float32, normalized, not clipped
        Planes R, Gr, Gb, B. Not modified. Large frames are sampled.
    iso : int, optional
        Bounds the shot noise by what cameras have at this ISO; None or 0: no bound.
    step : float
        One DN in normalized units, 0 if unknown: the variance of rounding is the least read noise.

    Returns
    -------
    NoiseModel
        The same for all four planes; `source` says "measured" and what bounded it.

    Raises
    ------
    NoiseModelError
        Too few blocks are neither constant nor saturated.

    References
    ----------
    Foi et al. 2008 (doi:10.1109/TIP.2008.2001399) for the model, the use of level sets, and
    clipping; the extrapolation along the texture's spectrum is our own.
    """
    blocks = measure_blocks(packed)
    if len(blocks.mean) < _MIN_BLOCKS:
        raise NoiseModelError(
            f"noise cannot be measured: {len(blocks.mean)} of the frame's blocks are neither"
            f" constant nor saturated, {_MIN_BLOCKS} are needed",
            advice="Give the noise with --shot-noise and --read-noise.",
        )
    floor = black_floor(packed)
    bounds = iso_bounds(iso) or (1e-9, 1.0)
    least_read = max(step * step / 12, 1e-12)
    shot, read = _fit(blocks, floor, bounds, least_read)
    notes = ["measured"]
    if floor is not None:
        notes.append("clipped at black")
    if iso and shot in bounds:
        notes.append(f"bounded by ISO {iso}")
    return noise_model(shot, read, source=", ".join(notes))


def iso_bounds(iso: int | None) -> tuple[float, float] | None:
    """Return the least and the most shot noise that cameras have at an ISO speed; None if unknown.

    Examples
    --------
    >>> iso_bounds(1600)
    (4.8e-05, 0.0048)
    """
    if not iso:
        return None
    least, most = (shot_noise * iso / 100 for shot_noise in ISO_100_SHOT_NOISE)
    return least, most


def reconcile(
    measured: NoiseModel | None, profile: NoiseModel, *, levels: Sequence[float] = ()
) -> tuple[NoiseModel, str | None]:
    """Choose between the noise a file states and the noise measured in it.

    Parameters
    ----------
    measured : NoiseModel or None
        None if nothing was measurable.
    profile : NoiseModel
        What the file states.
    levels : sequence of float
        Normalized levels that occur in the frame (see `typical_levels`), compared beside mid grey.

    Returns
    -------
    model : NoiseModel
        `profile` if borne out: nowhere more than 2x off in standard deviation; else the lower one.
    warning : str or None
        For the user, where the two disagree.
    """
    if measured is None:
        return profile, None
    ratios = [
        float(np.sqrt(profile.variance(x).mean() / max(measured.variance(x).mean(), 1e-20)))
        for x in (MID_GREY, *levels)
    ]
    worst = max(ratios, key=lambda ratio: abs(log(max(ratio, 1e-6))))
    if 1 / MAX_DISAGREEMENT <= worst <= MAX_DISAGREEMENT:
        return profile, None
    lower = profile if float(np.mean(np.log(np.maximum(ratios, 1e-6)))) < 0 else measured
    return lower, (
        f"the file's noise profile is {worst:.2g} times the measured noise;"
        f" the lower is used ({lower.source})"
    )


def typical_levels(packed: NDArray[np.float32]) -> tuple[float, ...]:
    """Return the 10, 50 and 90 % quantiles of the levels that occur, from a sample of the frame."""
    sample = packed.reshape(-1)[:: max(packed.size // 100_000, 1)]
    return tuple(float(level) for level in np.quantile(sample, (0.1, 0.5, 0.9)))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Levels:
    """The weakest blocks of each brightness bin, averaged; the shapes are (bins,)."""

    mean: NDArray[np.float64]
    """Normalized level."""
    variance: NDArray[np.float64]
    """Of the noise, the texture extrapolated to none."""
    uncertainty: NDArray[np.float64]
    """Standard deviation of `variance`."""
    excess: NDArray[np.float64]
    """Middle over high frequencies, minus 1: 0 where noise is white and alone."""


def _fit(
    blocks: BlockStatistics, floor: float | None, bounds: tuple[float, float], least_read: float
) -> tuple[float, float]:
    """Alternate between choosing the weakest blocks under the model and fitting the model."""
    bins = np.array_split(np.argsort(blocks.mean, kind="stable"), _BINS)
    shot = float(np.quantile(blocks.high / np.maximum(blocks.mean, 1e-3), 0.05))
    shot = min(max(shot, bounds[0]), bounds[1])
    read = max(exp(_RELATION[0] * log(shot) + _RELATION[1]), least_read)
    for iteration in range(_ITERATIONS):
        expected = _expected_variance(blocks.mean, shot, read, floor)
        levels = _weakest(blocks, bins, expected)
        if floor is not None:
            mean, variance, factor = undo_clipping(levels.mean, levels.variance, floor)
            uncertainty = levels.uncertainty * factor
            levels = replace(levels, mean=mean, variance=variance, uncertainty=uncertainty)
        # one-sided doubt from the start would settle at whatever model it starts from
        shot, read = _refine(levels, shot, read, one_sided=iteration >= _SYMMETRIC_ITERATIONS)
        shot, read = min(max(shot, bounds[0]), bounds[1]), max(read, least_read)
    scale = _envelope(blocks, bins, _expected_variance(blocks.mean, shot, read, floor), levels)
    return min(max(shot * scale, bounds[0]), bounds[1]), max(read * scale, least_read)


def _envelope(
    blocks: BlockStatistics,
    bins: list[NDArray[np.intp]],
    expected: NDArray[np.float64],
    levels: _Levels,
) -> float:
    """Return the factor that brings an all too textured frame's model down to its calmest blocks.

    Pure noise has a known lower tail: blocks far below it show that the model is too high. One bin
    alone is not believed, and coloured ones are not asked.
    """
    ratio = blocks.high / expected
    tails = np.array([float(np.quantile(ratio[members], _TAIL[0])) for members in bins])
    tails = tails[levels.excess < _COLOURED[0]]
    if not tails.size:
        return 1.0
    return min(1.0, _TAIL_SLACK * float(np.quantile(tails, 0.25)) / _TAIL[1])


def _weakest(
    blocks: BlockStatistics, bins: list[NDArray[np.intp]], expected: NDArray[np.float64]
) -> _Levels:
    """Average the weakest textured blocks of each bin and extrapolate their texture to none."""
    texture = blocks.texture / expected
    slope = _texture_slope(blocks, bins, expected, texture)
    rows = []
    for members in bins:
        count = max(int(_WEAK * len(members)), _WEAK_AT_LEAST)
        chosen = members[np.argsort(texture[members], kind="stable")[:count]]
        high = float(blocks.high[chosen].mean())
        excess = max(float(blocks.check[chosen].mean()) / high - 1, 0.0)
        correction = slope / (1 - slope) * excess
        model = float(expected[chosen].mean())
        freedom = len(chosen) * blocks.share * _HIGH_COEFFICIENTS / 2
        spread = model**2 / freedom * ((1 + slope) / (1 - slope)) ** 2
        doubt = high**2 * (correction**2 + excess**2 / 4)
        # lossy compression takes the high frequencies away: they say little of the noise then
        coloured = model * _COLOURED[1] * max(excess - _COLOURED[0], 0)
        rows.append(
            (
                float(blocks.mean[chosen].mean()),
                high * max(1 - correction, 0.1),
                sqrt(spread + doubt + coloured**2),
                excess,
            )
        )
    mean, variance, uncertainty, excesses = np.array(rows).T
    return _Levels(mean=mean, variance=variance, uncertainty=uncertainty, excess=excesses)


def _texture_slope(
    blocks: BlockStatistics,
    bins: list[NDArray[np.intp]],
    expected: NDArray[np.float64],
    texture: NDArray[np.float64],
) -> float:
    """Return how much of the texture seen at middle frequencies there is at high ones.

    Texture moves a block's (check, high) along a line through (noise, noise). Its slope comes from
    the covariances with the independent `texture` (an instrumental variable), which noise in
    `check` cannot flatten; within bins, so that a wrong model does not pass for texture.
    """
    with_check = with_high = noise = 0.0
    for members in bins:
        limit = np.quantile(texture[members], _SLOPE_SHARE)
        chosen = members[texture[members] <= limit]
        weight = 1 / np.maximum(texture[chosen], 1) ** 2
        score = np.log(np.maximum(texture[chosen], 1e-3))
        score = weight * (score - np.average(score, weights=weight))
        check = blocks.check[chosen] / expected[chosen]
        check -= np.average(check, weights=weight)
        with_check += float(score @ check)
        with_high += float(score @ (blocks.high[chosen] / expected[chosen]))
        noise += float(score**2 @ check**2)
    if with_check <= 4 * sqrt(noise):
        return 0.0
    return min(max(with_high / with_check, 0.0), _MAX_SLOPE)


def _refine(levels: _Levels, shot: float, read: float, *, one_sided: bool) -> tuple[float, float]:
    """Take one Gauss-Newton step of log(shot), log(read) towards the levels and the weak prior."""
    mean = np.maximum(levels.mean, 0)
    residual = (levels.variance - shot * mean - read) / levels.uncertainty
    # texture only adds: what lies above the model counts less the further away it is
    doubted = residual > 0 if one_sided else np.zeros_like(residual, bool)
    weight = np.where(doubted, 1 / np.sqrt(1 + residual**2), 1.0)
    jacobian = np.stack([shot * mean, np.full_like(mean, read)], axis=1)
    jacobian *= (weight / levels.uncertainty)[:, None]
    expected = _RELATION[0] * log(shot) + _RELATION[1]
    prior = np.array([[-_RELATION[0], 1.0]]) / _RELATION_STD
    rows = np.concatenate([jacobian, prior])
    target = np.append(residual * weight, (expected - log(read)) / _RELATION_STD)
    change = np.clip(np.linalg.lstsq(rows, target, rcond=None)[0], -1, 1)
    return shot * exp(change[0]), read * exp(change[1])


def _expected_variance(
    mean: NDArray[np.float32], shot: float, read: float, floor: float | None
) -> NDArray[np.float64]:
    """Return the variance of blocks of these means, clipped at `floor` as they are."""
    if floor is None:
        return np.asarray(shot * np.maximum(mean, 0) + read, np.float64)
    return clipped_variance(mean, shot, read, floor)
