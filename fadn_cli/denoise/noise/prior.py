"""What noise is likely before a photograph is looked at: by its ISO speed, and by what textures do.

`posterior` weighs the measurement with it. The one thing to know: the public calibrations hold
large sensors only, so what lies far above them is unlikely but never ruled out, and neither is what
lies below (a stack of frames keeps the ISO of one).
"""

import numpy as np
from numpy.typing import NDArray

from fadn_cli.denoise.noise.colors import SHARES

ISO_100_SHOT_NOISE = 3.5e-6
"""Median of cameras per ISO/100 [benchmarks/calibrations.py, as all figures of this prior]."""

_BELOW, _ABOVE = 0.38, 0.80  # scales of log(shot) on both sides of the median [calibrations.py]
_TAIL_FREEDOMS = 3.0  # of Student's t: phones and action cameras lie a hundred times above
_RANGE_QUANTILE = 3.48  # of that t in scales: 2 % of the cameras lie beyond on either side
_RELATION = (1.24, -3.33)  # log(read) = 1.24 log(shot) - 3.33 [calibrations.py]
_READ_BELOW, _READ_ABOVE = 1.0, 0.9  # its scales; phones read out far more quietly [DND]
_READ_FREEDOMS = 3.0
_GRAIN = (0.003, 1.6)  # contrast of white grain in calm areas of photographs, sd of log(contrast^2)
_GRAIN_EVENNESS = 2.0  # grain may be up to so many times what calm blocks differ by
_EVEN_GRAIN = 0.3  # of that, as white as noise and as even, where the colours tell it from noise
_CUT = 0.25  # in log(grain): how fast it becomes unlikely beyond
_SHARES = np.concatenate([np.geomspace(1e-4, 0.5, 40), 1 - np.geomspace(0.5, 1e-4, 40)[1:]])


def iso_range(iso: int | None) -> tuple[float, float] | None:
    """Return the shot noise below and above which 2 % of cameras lie each; None if unknown.

    Examples
    --------
    >>> iso_range(None), iso_range(0)
    (None, None)
    """
    if not iso:
        return None
    median = ISO_100_SHOT_NOISE * iso / 100
    return (
        float(median * np.exp(-_RANGE_QUANTILE * _BELOW)),
        float(median * np.exp(_RANGE_QUANTILE * _ABOVE)),
    )


def log_shot_density(shot: NDArray[np.float64], iso: int | None) -> NDArray[np.float64]:
    """Return the log density of log(shot), not normalized.

    Without an ISO speed it grows as the root of the shot noise: what calm blocks show is more
    likely noise than not.
    """
    if not iso:
        return 0.5 * np.log(shot)
    away = np.log(shot / (ISO_100_SHOT_NOISE * iso / 100))
    return student(np.where(away > 0, away / _ABOVE, away / _BELOW), _TAIL_FREEDOMS)


def log_read_density(read: NDArray[np.float64], shot: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the log density of log(read) where the shot noise is known, not normalized."""
    away = np.log(read) - _RELATION[0] * np.log(shot) - _RELATION[1]
    return student(np.where(away > 0, away / _READ_ABOVE, away / _READ_BELOW), _READ_FREEDOMS)


def student(deviation: NDArray[np.float64], freedoms: float) -> NDArray[np.float64]:
    """Return the log density of Student's t without its constant: doubt that never runs out."""
    return -(freedoms + 1) / 2 * np.log1p(deviation**2 / freedoms)


def split_grain(
    slope: NDArray[np.float64],
    iso: int | None,
    *,
    bright: float,
    unevenness: float,
    by_color: NDArray[np.float64] | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Split a measured slope of variance over level into shot noise and the picture's own grain.

    Grain in a photograph of a photograph, fine cloth, a wall: white, in every block, it grows with
    the light as shot noise does, and no one level tells it apart. The ISO speed can, that grain is
    seldom as even as noise, and that it has the same contrast in every colour.

    Parameters
    ----------
    slope : (N,) float64
        Variance per unit signal.
    iso : int or None
        Unknown: all of it is taken for noise, unless the colours say otherwise.
    bright : float
        Level of the picture's bright parts, normalized: contrast is relative to it.
    unevenness : float
        By what share calm blocks differ from each other beyond their noise.
    by_color : (N, len(SHARES)) float64, optional
        Log likelihood of `colors.SHARES` of noise in each slope.

    Returns
    -------
    log_density : (N,) float64
        Of log(slope), not normalized.
    shot : (N,) float64
        Expected shot noise, where the slope is so.
    """
    if not iso and by_color is None:
        return log_shot_density(slope, iso), slope
    if by_color is None:
        by_color = np.zeros((len(slope), len(SHARES)))
    shot = slope[:, None] * _SHARES
    grain = slope[:, None] - shot
    width = slope[:, None] * np.gradient(_SHARES)
    contrast, spread = _GRAIN
    density = np.exp(-0.5 * (np.log(grain / (contrast**2 * bright)) / spread) ** 2)
    density /= grain * spread * np.sqrt(2 * np.pi)
    beyond = np.log(grain / (_GRAIN_EVENNESS * unevenness * slope[:, None]))
    usual = np.exp(-0.5 * (np.maximum(beyond, 0) / _CUT) ** 2)
    not_noise = 1 - np.exp(by_color[:, -1] - by_color.max(axis=1))
    density *= usual + (1 - usual) * _EVEN_GRAIN * not_noise[:, None]
    some = density * width * np.exp(log_shot_density(shot, iso)) / shot
    some *= np.exp([np.interp(_SHARES, SHARES, row) for row in by_color])
    none = np.maximum(1 - (density * width).sum(axis=1), 0)
    none *= np.exp(log_shot_density(slope, iso) + by_color[:, -1]) / slope
    total = some.sum(axis=1) + none
    expected = ((some * shot).sum(axis=1) + none * slope) / total
    return np.log(total * slope), expected


def typical_read_noise(shot: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """Return the read noise of cameras with this shot noise."""
    read: NDArray[np.float64] = np.exp(_RELATION[0] * np.log(shot) + _RELATION[1])
    return read
