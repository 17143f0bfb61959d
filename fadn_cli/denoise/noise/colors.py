"""What the colours of one place say: noise grows with the light, grain and texture with its square.

`estimate` asks for it, `posterior` weighs it. The one thing to know: behind its filters a sensor
sees a grey wall at another level in each colour, with one gain. There the variances of noise are to
each other as the levels are, or closer; those of the picture's own grain, which has the same
contrast in every colour, as the levels' squares. However even grain lies, that tells it from noise.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fadn_cli.denoise.noise.blocks import LEAST_GAIN, BlockStatistics
from fadn_cli.denoise.noise.levels import Levels

SHARES = np.linspace(0, 1, 21)
"""Of noise in a slope of variance over level, for which `log_likelihood` is asked."""

_DARK = 1e-4  # normalized: the least level that is compared
_LEAST_DEVIATION = 0.03  # in log(variance), of noise: greens and reds do not have one gain quite
_DEVIATION = 0.25  # of texture, from the squares: it has a colour of its own
_FADE = 2.5  # power: as texture fades from a plane's high frequencies to a place's middle ones, so
_LEFT = 0.5  # it does further; how much of that is left at its high ones at least
_LEFT_SPREAD = 0.5  # of its logarithm
_SLACK = 0.1  # of the noise: less texture than that is none
_SHARE_SPREAD = 0.15  # by which the share differs from level to level
_DOUBT = 0.05  # of what one level says: its colours may be anything
_TOGETHER = 0.6  # of what all say: they are parts of one picture
_NEAR = 0.25  # in log(variance): what slopes a level speaks of

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ColorLevels:
    """The calmest places of each brightness bin, colour by colour."""

    level: Numbers
    """(bins, planes) normalized."""
    high: Numbers
    """(bins, planes) variance at each plane's high frequencies: of noise and texture."""
    uncertainty: Numbers
    """(bins,) standard deviation of `high`, relative to it."""
    variance: Numbers
    """(bins,) of the whole places: of noise and of less texture."""
    check: Numbers
    """(bins,) the same at middle frequencies, with more texture."""


def measure_colors(planes: BlockStatistics, places: BlockStatistics, levels: Levels) -> ColorLevels:
    """Average each plane's blocks at the calmest places.

    Parameters
    ----------
    planes, places : BlockStatistics
        Of `measure_blocks`: where there is one of `places`, there is a block of every plane.
    levels : Levels
        Of `places`.
    """
    order = np.argsort(planes.place, kind="stable")  # by place, and there by plane
    first = np.searchsorted(planes.place[order], places.place)
    count = int(np.bincount(planes.place).max())
    rows = [order[first[calm, None] + np.arange(count)] for calm in levels.calm]  # (N, planes) each
    return ColorLevels(
        level=np.array([planes.mean[each].mean(axis=0) for each in rows], np.float64).clip(_DARK),
        high=np.array([planes.high[each].mean(axis=0) for each in rows], np.float64).clip(1e-20),
        uncertainty=np.array([np.sqrt(2 / (len(each) * planes.freedoms)) for each in rows]),
        variance=levels.variance,
        check=np.array([places.check[calm].mean() for calm in levels.calm], np.float64),
    )


def log_likelihood(colors: ColorLevels, slopes: Numbers, read: Numbers) -> Numbers:
    """Return how likely it is that `SHARES` of slopes are noise, the rest grain or texture.

    Parameters
    ----------
    colors : ColorLevels
        Of the calmest places.
    slopes : (S,) float64
        Variance per unit signal.
    read : (S,) float64
        Variance at black, of each slope. Too little of it only hides grain.

    Returns
    -------
    (S, len(SHARES)) float64
        Its logarithm, not normalized: all the same where the colours say nothing.
    """
    level = colors.level
    weight = 1 / np.maximum(level, LEAST_GAIN * level.max(axis=1, keepdims=True)) ** 2
    middle = (weight * level**2).sum(axis=1) / (weight * level).sum(axis=1)
    whole = (weight * level).sum(axis=1) / weight.sum(axis=1)  # as `blocks` weighs a place
    square = level**2 / middle[:, None]
    share, slope = SHARES[:, None, None], slopes[:, None, None, None]
    noise = slope * share * level + read[:, None, None, None]  # (slopes, shares, bins, planes)
    grain = slopes[:, None, None] * (1 - share[..., 0])  # (slopes, shares, 1)
    texture = np.maximum((colors.high - noise).sum(axis=-1) / square.sum(axis=1), grain)
    place = slopes[:, None, None] * share[..., 0] * whole + read[:, None, None]
    middling = np.clip((colors.check - place) / whole / np.maximum(texture, 1e-20), 0, 1)
    left = _LEFT * texture * middling**_FADE
    slack = _slack(colors) * noise.sum(axis=-1) / square.sum(axis=1)
    missing = np.minimum(np.log((grain + slack) / (left + slack)) / _LEFT_SPREAD, 0)
    found = _of_colors(colors, noise, texture[..., None] * square) - 0.5 * missing**2
    likelihood = np.exp(found - found.max(axis=1, keepdims=True))
    likelihood = np.einsum("ij,sjb->sib", _blur(), likelihood)
    likelihood /= np.maximum(likelihood.max(axis=1, keepdims=True), 1e-300)
    away = np.log(colors.variance / (slopes[:, None] * whole + read[:, None])) / _NEAR
    explained = np.exp(-0.5 * away**2)
    result: Numbers = np.einsum("sib,sb->si", np.log(likelihood + _DOUBT), explained)
    return _TOGETHER * result


def _slack(colors: ColorLevels) -> Numbers:
    """Return (bins,): what share of the noise may be texture, for all that is known."""
    slack: Numbers = np.hypot(colors.uncertainty, _SLACK)
    return slack


def _of_colors(colors: ColorLevels, noise: Numbers, texture: Numbers) -> Numbers:
    """Return how likely the ratios of the planes' variances are, whatever their mean."""
    model = noise + texture
    away = np.log(colors.high) - np.log(model)
    away -= away.mean(axis=-1, keepdims=True)
    own = np.hypot(colors.uncertainty, _LEAST_DEVIATION)
    spread = np.hypot(own, _DEVIATION * (texture / model).mean(axis=-1))
    freedoms = noise.shape[-1] - 1
    likelihood: Numbers = -0.5 * np.square(away / spread[..., None]).sum(axis=-1)
    likelihood -= freedoms * np.log(spread)
    return likelihood


def _blur() -> Numbers:
    """Return (shares, shares): what a level's own share says of that of all."""
    blur = np.exp(-0.5 * ((SHARES[:, None] - SHARES) / _SHARE_SPREAD) ** 2)
    share: Numbers = blur / blur.sum(axis=1, keepdims=True)
    return share
