"""Defects of a sensor seen in dark frames: what stands out where there is no light.

`pipeline` calls it for `fadn bad-pixels`. The one thing to know: each sample is judged against the
same site of the colour pattern in its neighbourhood, so that neither amplifier glow nor a sky of
noise counts, and no difference between colours or black levels.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

SIGMAS = 6.0
"""How far a defect stands out, in each frame: noise alone does that once in 10^9 samples."""
_AREA = 64  # rows and columns of the mosaic: within it dark current hardly changes
_MAD_STD = 1.4826  # of a Gaussian
_STEPS = 0.5  # of the converter: the noise counts as no less

Samples = NDArray[np.float32]


def find_outstanding(
    x: Samples, *, step: float, period: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Find the samples of a dark frame that noise does not explain.

    Parameters
    ----------
    x : (H, W) float32, normalized
        A mosaic without light; nan where nothing is known.
    step : float
        Of the converter, normalized.
    period : int
        Rows and columns after which the colours repeat.

    Returns
    -------
    bright, dark : (H, W) bool
        Those far above their neighbourhood, and those far below.
    """
    bright, dark = np.zeros((2, *x.shape), np.bool_)
    for plane in _planes(x.shape, period):
        for block in _blocks(x[plane].shape, period):
            part = x[plane][block]
            middle, std = _spread(part)
            limit = np.float32(SIGMAS * max(std, _STEPS * step))
            bright[plane][block] = part > middle + limit
            dark[plane][block] = part < middle - limit
    return bright, dark


def lit_share(x: Samples, *, level: float, period: int) -> float:
    """Return how much of a frame is brighter than a dark one can be, 0 to 1.

    Parameters
    ----------
    x : (H, W) float32, normalized
    level : float
        What the median of a dark area does not exceed.
    period : int
        Rows and columns after which the colours repeat.
    """
    medians = [
        _spread(x[plane][block])[0]
        for plane in _planes(x.shape, period)
        for block in _blocks(x[plane].shape, period)
    ]
    return float(np.mean(np.array(medians) > level))


def _planes(shape: tuple[int, ...], period: int) -> Iterator[tuple[slice, slice]]:
    """Yield where the samples of each site of the pattern are."""
    for row in range(period):
        for col in range(period):
            yield slice(row, shape[0], period), slice(col, shape[1], period)


def _blocks(shape: tuple[int, ...], period: int) -> Iterator[tuple[slice, slice]]:
    """Yield areas that cover a plane; the last of each row and column takes what is left."""
    side = _AREA // period
    rows, cols = ([*range(0, max(n - side + 1, 1), side), n] for n in shape)
    for top, bottom in zip(rows, rows[1:], strict=False):
        for left, right in zip(cols, cols[1:], strict=False):
            yield slice(top, bottom), slice(left, right)


def _spread(part: Samples) -> tuple[float, float]:
    """Return the median and the standard deviation of samples, outliers left out; nan ignored."""
    known = part[np.isfinite(part)]
    if not known.size:
        return float("nan"), 0.0
    middle = np.median(known)
    return float(middle), float(_MAD_STD * np.median(np.abs(known - middle)))
