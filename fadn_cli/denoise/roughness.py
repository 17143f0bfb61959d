"""How rows differ from the rows around them, and what of that is the scene's.

`banding` calls it. The one thing to know: a parabola follows the scene from row to row, and takes
what is slow in the bands for scene. Two things tell it back: the greens of neighbouring rows, which
saw the same; and the colours of a row, which a band lifts alike, and light each by its own share.
"""

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]


def far_roughness(
    level: Samples,
    variance: Samples,
    std: float,
    reach: int,
    greens: tuple[int, ...],
    dark: NDArray[np.bool_],
) -> Samples:
    """Return what rows differ by from the rows further around, with what is slow in the bands.

    Parameters
    ----------
    level : (lines, 2, rows, segments) float32, normalized
        Of every row of a cell and its two groups.
    variance : (lines, 2, rows, segments) float32
        Of the grain in it.
    std : float, normalized
        Of the bands.
    reach : int
        Packed rows to each side.
    greens : (lines,)
        Which group of each line is the greens'.
    dark : (segments,) bool
        Where all samples are far from white.

    Returns
    -------
    (lines, 2, rows, segments) float32, normalized
    """
    followed = smooth(level, reach)
    rough: Samples = level - followed
    green: Samples = followed[list(range(len(level))), list(greens)]  # (lines, rows, segments)
    _add_apart(rough, green, std)
    rough += _told_by_colors(level[..., dark], variance[..., dark], std, reach, greens)
    return rough


def _add_apart(rough: Samples, green: Samples, std: float) -> None:
    """Add what lines differ by from each other slowly.

    Their greens see one scene: where they go apart, it is the bands, unless that goes with the
    light, or in all is more than the mean of bands can be.
    """
    light = green.mean(axis=0) - green.mean()
    power = max(float(np.square(light).mean()), 1e-12)
    most = 3 * std * float(np.sqrt(2 / green.shape[1]))
    for one, other in combinations(range(len(green)), 2):
        apart = green[one] - green[other]
        own, mean = (apart * light).mean() / power, float(apart.mean())
        apart -= mean - min(max(mean, -most), most) + own * light
        rough[one] += apart / len(green)
        rough[other] -= apart / len(green)


def _told_by_colors(
    level: Samples, variance: Samples, std: float, reach: int, greens: tuple[int, ...]
) -> Samples:
    """Return what is slow in the bands, the same for all lines: (rows, 1), normalized.

    Light that changes its colour down the frame is seen by segments that disagree, and by more than
    bands can be. By as much the result is lowered, so that it is never much more than bands are.
    """
    lines, _, rows, segments = level.shape
    if not segments:
        return np.zeros((rows, 1), np.float32)
    index, green, other = list(range(lines)), list(greens), [1 - which for which in greens]
    rest, ratio = _without_light(level[index, green], level[index, other], reach)
    own = 1 - ratio  # of a band
    grain = variance[index, other] + ratio**2 * variance[index, green]
    weight = own / grain.mean(axis=1, keepdims=True)
    total = max(float((weight * own).sum()), 1e-12)
    slow = smooth((rest * weight).sum(axis=(0, 2))[None, None, :, None] / total, reach)[0, 0]
    slow -= slow.mean()
    share = 2.25 / (2 * min(reach, (rows - 1) // 2) + 1)  # of white noise, what a parabola keeps
    unlike = np.square(smooth(rest[:, None], reach)[:, 0] - own * slow) / (share * grain)
    doubt = share / total * max(float(unlike.mean()), 1)
    expected = share * std**2 / lines
    chance = 1 + 3 * float(np.sqrt(2 / (share * rows)))  # times what is expected: bands may be
    found = float(np.square(slow).mean()) / chance
    told: Samples = slow * (expected / max(expected + doubt, found))
    return told


def _without_light(green: Samples, other: Samples, reach: int) -> tuple[Samples, Samples]:
    """Return of (lines, rows, segments) what is left without light, and the ratio of the colours.

    The greens, multiplied by the ratio and taken from the others, leave nothing of light and some
    of a band. The ratio may change down the frame, steadily or faster and faster, in each segment.
    """
    ratio = other.mean(axis=1, keepdims=True) / np.maximum(green.mean(axis=1, keepdims=True), 1e-6)
    rest: Samples = other - ratio * green
    places = np.linspace(-1, 1, green.shape[1], dtype=np.float32)[:, None]
    light = smooth(green[:, None], reach)[:, 0]
    for change in (places, places**2):
        changed = change * light
        power = np.maximum(np.square(changed).sum(axis=1, keepdims=True), 1e-12)
        rest -= changed * (rest * changed).sum(axis=1, keepdims=True) / power
    return rest, ratio


def smooth(x: Samples, reach: int) -> Samples:
    """Fit a parabola to the rows around each, and return its value there: along axis 2 of 4."""
    shape = x.shape
    x = x.reshape(-1, *shape[2:])
    rows = x.shape[1]
    reach = min(reach, (rows - 1) // 2)
    places = np.arange(-reach, reach + 1, dtype=np.float32) / reach
    powers = np.stack([np.ones_like(places), places, places**2])
    fit = (powers.T @ np.linalg.inv(powers @ powers.T) @ powers).astype(np.float32)
    result = np.empty_like(x)
    inner = result[:, reach : rows - reach]
    inner[...] = 0
    for place, share in enumerate(fit[reach]):
        inner += share * x[:, place : place + rows - 2 * reach]
    result[:, :reach] = np.einsum("ij,pjn->pin", fit[:reach], x[:, : 2 * reach + 1])
    result[:, rows - reach :] = np.einsum("ij,pjn->pin", fit[reach + 1 :], x[:, -2 * reach - 1 :])
    return result.reshape(shape)
