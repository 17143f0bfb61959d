"""Keep brightness and colour where they were: the noise has no mean, so nothing may be lost with
it.

`frame` calls it after the network. The one thing to know: a network, an int8 one above all, is off
by some hundredths of sigma, differently in every plane, and over a whole picture that is a colour
cast. What was removed is averaged per plane and brightness, and that average, if it is significant,
is put back.
"""

import numpy as np
from numpy.typing import NDArray

from fadn_cli.noise import NoiseModel

BINS = 16
"""Brightness bins per plane, of equally many samples."""
_MOST_SAMPLES = 1 << 20  # per plane: the standard error of a bin is then 0.004 sigma
_LEAST_SAMPLES = 256  # per bin: below, nothing can be said
_OUTLIER = 5.0  # sigma: hot pixels are removed for good, their light is not brightness
_NEAR_WHITE = 3.0  # sigma below white: above that the noise itself is clipped and has a mean
_TABLE = 1024  # entries of the correction curve
_ROWS_PER_BLOCK = 256  # keeps temporaries small: memory must not grow with the image


def keep_levels(
    packed: NDArray[np.float32], denoised: NDArray[np.float32], noise: NoiseModel
) -> NDArray[np.float32]:
    """Put back, in place, the mean of what was removed at each brightness of each plane.

    Parameters
    ----------
    packed : (4, h, w) float32, normalized
        The source. Not modified.
    denoised : (4, h, w) float32, normalized
        Overwritten with the result.
    noise : NoiseModel
        Of the source.

    Returns
    -------
    (4, h, w) float32, normalized
        `denoised` itself.

    Notes
    -----
    A bin's mean counts only as far as it exceeds twice its standard error (James and Stein, 1961,
    in its positive-part form), so that on a small frame chance is not mistaken for a cast.
    """
    for plane, (before, after) in enumerate(zip(packed, denoised, strict=True)):
        shot, read = noise.shot_noise[plane], noise.read_noise[plane]
        curve = _removed_mean(before, after, shot, read)
        if curve is not None:
            _add_curve(after, *curve)
    return denoised


def _removed_mean(
    before: NDArray[np.float32], after: NDArray[np.float32], shot: np.float32, read: np.float32
) -> tuple[NDArray[np.float32], NDArray[np.float32]] | None:
    """Return brightness and significant mean removed of each bin; None if there is none."""
    step = max(1, int(np.ceil(np.sqrt(after.size / _MOST_SAMPLES))))
    level = after[::step, ::step].ravel()
    removed = before[::step, ::step].ravel() - level
    variance = shot * np.maximum(level, 0) + read
    usable = (removed**2 < _OUTLIER**2 * variance) & (level < 1 - _NEAR_WHITE * np.sqrt(variance))
    order = np.flatnonzero(usable)
    order = order[np.argsort(level[order], kind="stable")]
    bins = min(BINS, order.size // _LEAST_SAMPLES)
    if bins == 0:
        return None
    groups = np.array_split(order, bins)
    levels = np.array([level[group].mean() for group in groups], np.float32)
    means = np.array([removed[group].mean() for group in groups], np.float32)
    errors = np.array([variance[group].mean() / group.size for group in groups], np.float32)
    certain = np.maximum(0, 1 - 4 * errors / np.maximum(means**2, np.float32(1e-30)))
    means *= certain
    return (levels, means) if means.any() else None


def _add_curve(
    plane: NDArray[np.float32], levels: NDArray[np.float32], means: NDArray[np.float32]
) -> None:
    """Add the curve through the bins, held constant beyond both ends."""
    low, high = levels[0], levels[-1]
    scale = np.float32(_TABLE - 1) / max(high - low, np.float32(1e-9))
    table = np.interp(np.linspace(low, high, _TABLE), levels, means).astype(np.float32)
    for start in range(0, plane.shape[0], _ROWS_PER_BLOCK):
        rows = plane[start : start + _ROWS_PER_BLOCK]
        index = np.clip((rows - low) * scale, 0, _TABLE - 1).astype(np.int32)
        rows += table[index]
