"""What the samples of a row agree on: its offset, told from what the scene draws.

`banding` calls it with how far every segment of every row differs from the rows around. The one
thing to know: an offset counts where both groups of a row and most of its segments show it, and
where all offsets together look like noise: white, and nowhere stronger than elsewhere.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fadn_cli.quantiles import medians, quantile

LEAST_ROWS = 16
"""Packed rows: of fewer nothing can be said."""
_FLAT = 1.6  # times the variance of grain alone, around a row, segment by segment
_LEAST_FLAT = 0.25  # share of a row's segments
_SAME = 3.5  # standard errors between a row's two groups
_OUTLIER = 4.0  # robust standard deviations of all offsets
_RESTLESS = 2.0  # times the variance of all offsets, around a row: the scene leans into them
_SURE = 4.0  # standard errors of the variance
_LAGS = 16  # rows of the sensor
_WHITE = 0.25  # correlation of any two rows nearby: those of the scene go together
_TOGETHER = 0.5  # of the nearest eight in all

Samples = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bands:
    """The offsets of a frame's rows, or of its columns."""

    offsets: Samples
    """(cell, n) normalized: of every row of the n cells of a column, or of every column of those of
    a row. 0 where nothing is known."""
    std: float | None
    """Their standard deviation, normalized, without what grain adds; None where it cannot be told
    from the scene."""
    is_clear: bool
    """Whether they are there beyond doubt."""


def find_offsets(rough: Samples, variance: Samples, reach: int) -> Bands:
    """Find the offsets that all of a row agrees on.

    Parameters
    ----------
    rough : (lines, 2, rows, segments) float32, normalized
        Of each row of a cell and each of its groups: what differs from the rows around; nan where
        unusable.
    variance : (lines, 2, rows, segments) float32
        Of the grain in it.
    reach : int
        Packed rows to each side that were looked at.
    """
    weight = np.where(np.isnan(rough), 0, 1 / variance)
    rough = np.nan_to_num(rough)
    common = _median(rough, weight > 0)  # whatever less than half of the row does
    unlike = np.square(rough - common[:, None, :, None]) / variance
    flat = (_around(unlike, reach) < _FLAT) & (weight > 0)
    weight = np.where(flat, weight, 0)
    by_group, group_variance = _averages(rough, weight)
    enough = flat.mean(axis=3).min(axis=1) >= _LEAST_FLAT
    apart = by_group[:, 0] - by_group[:, 1]
    trusted = enough & (np.square(apart) < _SAME**2 * group_variance.sum(axis=1))
    offsets, error = _averages(
        rough.swapaxes(1, 2).reshape(*common.shape, -1),
        weight.swapaxes(1, 2).reshape(*common.shape, -1),
    )
    if trusted.mean() < 0.1:
        return Bands(offsets=np.zeros_like(offsets), std=None, is_clear=False)
    spread = 1.4826 * quantile(np.abs(offsets[trusted]), 0.5)
    # what leans on several rows is the scene's, and so is what stands out
    calm = _around(np.where(trusted, offsets, spread)[..., None] ** 2, reach)[..., 0]
    trusted &= (np.abs(offsets) < _OUTLIER * spread) & (calm < _RESTLESS * spread**2)
    none = Bands(offsets=np.zeros_like(offsets), std=None, is_clear=False)
    if trusted.sum() < LEAST_ROWS:
        return none
    std, is_sure = _strength(rough, weight, trusted)
    if is_sure and not _is_white(np.where(trusted, offsets, 0)):
        return none
    share = std**2 / np.maximum(std**2 + error, 1e-20)
    offsets -= offsets[trusted].mean()  # levels stay
    return Bands(
        offsets=np.where(trusted, share * offsets, 0).astype(np.float32),
        std=std,
        is_clear=is_sure,
    )


def _strength(rough: Samples, weight: Samples, trusted: NDArray[np.bool_]) -> tuple[float, bool]:
    """Return the offsets' standard deviation, and whether it is more than chance.

    From products of what other samples of the same row say, to which grain adds nothing.
    """
    (left, _), (right, _) = (
        _averages(rough[..., half::2], weight[..., half::2]) for half in (0, 1)
    )
    products = (left[:, 0] * right[:, 1] + left[:, 1] * right[:, 0])[trusted] / 2
    mean = float(products.mean())
    error = float(products.std() / np.sqrt(len(products)))
    return float(np.sqrt(max(mean, 0))), mean > _SURE * error


def _is_white(offsets: Samples) -> bool:
    """Tell whether rows know nothing of their neighbours, as those of a scene do."""
    in_order = offsets.T.ravel()  # as the rows lie in the mosaic
    power = float(np.square(in_order).sum())
    lags = [
        float(in_order[lag:] @ in_order[:-lag]) / max(power, 1e-20)
        for lag in range(1, min(_LAGS, len(in_order) // 4) + 1)
    ]
    return max(map(abs, lags)) < _WHITE and sum(lags[: _LAGS // 2]) < _TOGETHER


def _averages(x: Samples, weight: Samples) -> tuple[Samples, Samples]:
    """Return weighted means over the last axis, and their variances."""
    total = np.maximum(weight.sum(axis=-1), np.float32(1e-6))
    means: Samples = (x * weight).sum(axis=-1) / total
    return means, 1 / total


def _median(x: Samples, usable: NDArray[np.bool_]) -> Samples:
    """Return the median over groups and segments: of (lines, 2, rows, segments), (lines, rows)."""
    if usable.all():
        return medians(x.swapaxes(1, 2).reshape(len(x), x.shape[2], -1))
    shown = np.where(usable, x, np.nan).swapaxes(1, 2).reshape(len(x), x.shape[2], -1)
    shown[np.isnan(shown).all(axis=2)] = 0
    return medians(shown)


def _around(x: Samples, reach: int) -> Samples:
    """Average over the rows around each: along the last axis but one, fewer at the ends."""
    rows = x.shape[-2]
    start = np.maximum(np.arange(rows) - reach, 0)
    stop = np.minimum(np.arange(rows) + reach + 1, rows)
    means = np.empty(x.shape, np.float32)
    for one in np.ndindex(x.shape[:-2]):  # sums take twice the memory
        sums = np.zeros((rows + 1, x.shape[-1]))
        np.cumsum(x[one], axis=0, out=sums[1:])
        means[one] = (sums[stop] - sums[start]) / (stop - start)[:, None]
    return means
