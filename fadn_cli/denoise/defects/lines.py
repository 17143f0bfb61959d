"""Bad samples of Bayer and mono mosaics, interpolated along lines.

`badpixels` calls `estimate`. The one thing to know: in every direction, samples of one colour lie
two apart in a Bayer mosaic and one apart in a mono one, whatever the phase, so nothing here asks
for the colours.

Of each site, the nearest good samples of its colour are taken in four directions, and joined by a
line. Where they are the very next ones, the curvature is added: in a Bayer mosaic, that which the
colour in between shows. What the directions say is weighted by how little the samples around the
site, of all colours, change along each.
"""

import numpy as np

from fadn_cli.denoise.defects.windows import (
    DIRECTIONS,
    RADIUS,
    Good,
    Index,
    Samples,
    Sites,
    change_along,
    cut,
    look,
)

_REACH = 32  # samples of the colour to each side
_CHOOSY = 3.0  # power of the change that a direction's weight falls with
_FAR = 2.0  # power of the distance
_LARGEST_RATIO = 2.0  # of two colours, by which one's curvature is scaled
_PAIRS = {1: ((-1, 0), (0, 1)), 2: ((-1, 1),)}
"""Of samples whose change is measured, by how far those of one colour are apart."""
_LEAST = np.float32(1e-6)  # change: float32's own


def estimate(x: Samples, bad: Good, sites: Sites, step: int) -> Samples:
    """Return (n,) values for (2, n) sites; nan where nothing good is within reach."""
    window, good = cut(x, bad, sites)
    total, weights, level, shares = np.zeros((4, sites.shape[1]), np.float32)
    lowest, highest = np.full_like(total, np.inf), np.full_like(total, -np.inf)
    for direction in DIRECTIONS:
        ends, steps = _find_ends(x, bad, sites, (step * direction[0], step * direction[1]))
        found = steps > 0
        near, far = np.maximum(steps, 1)
        line = (ends[0] * far + ends[1] * near) / (near + far)
        bend = (
            _curvature(window, good, direction, line)
            if step > 1
            else _own_curvature(window, good, direction)
        )
        line += np.where((steps == 1).all(axis=0), bend, 0)
        slope = np.abs(ends[0] - ends[1]) / (near + far)
        change = change_along(window, good, direction, slope, _PAIRS[step]) + _LEAST
        weight = found.all(axis=0) / (change**_CHOOSY * (near * far) ** _FAR)
        total += weight * line
        weights += weight
        nearness = found / np.maximum(steps, 1) ** _FAR
        level += (nearness * ends).sum(axis=0)
        shares += nearness.sum(axis=0)
        lowest = np.minimum(lowest, np.where(found, ends, np.inf).min(axis=0))
        highest = np.maximum(highest, np.where(found, ends, -np.inf).max(axis=0))
    total, weights = np.where(weights > 0, (total, weights), (level, shares))
    values = np.full_like(total, np.nan)
    np.divide(total, weights, out=values, where=shares > 0)
    beyond = np.where(shares > 0, highest - lowest, 0) / 2  # a peak may lie above its neighbours
    bounded: Samples = np.clip(values, lowest - beyond, highest + beyond)
    return bounded


def _find_ends(
    x: Samples, bad: Good, sites: Sites, direction: tuple[int, int]
) -> tuple[Samples, Index]:
    """Find the nearest good samples of the colour to both sides of (2, n) sites.

    Returns
    -------
    values : (2, n) float32
        0 where none is within reach.
    steps : (2, n) intp
        How many samples of the colour away; 0 where none is within reach.
    """
    values = np.zeros((2, sites.shape[1]), np.float32)
    steps = np.zeros((2, sites.shape[1]), np.intp)
    for side, sign in enumerate((-1, 1)):
        left = np.arange(sites.shape[1])
        for count in range(1, _REACH + 1):
            rows, cols = (sites[axis, left] + sign * count * direction[axis] for axis in (0, 1))
            found, good = look(x, bad, rows, cols)
            values[side, left[good]] = found[good]
            steps[side, left[good]] = count
            left = left[~good]
            if not left.size:
                break
    return values, steps


def _curvature(window: Samples, good: Good, direction: tuple[int, int], level: Samples) -> Samples:
    """Return by how much the colour in between bulges at each site, in terms of its own colour.

    Of the samples one and three away; 0 where one of them is bad.
    """
    row, col = direction
    at = [(RADIUS + step * row, RADIUS + step * col) for step in (-3, -1, 1, 3)]
    outer, inner = (
        (window[:, each[0], each[1]] + window[:, other[0], other[1]]) / 2
        for each, other in ((at[0], at[3]), (at[1], at[2]))
    )
    usable = np.logical_and.reduce([good[:, place[0], place[1]] for place in at])
    between = np.maximum((inner + outer) / 2, _LEAST)
    ratio = np.clip(level / between, 0, _LARGEST_RATIO)
    # On a parabola, the middle of two samples at +-2 is as far off as that of +-1 and +-3 differ.
    bulge: Samples = np.where(usable, ratio * (inner - outer) / 2, np.float32(0))
    return bulge


def _own_curvature(window: Samples, good: Good, direction: tuple[int, int]) -> Samples:
    """Return by how much the colour itself bulges, of the samples one and two away."""
    row, col = direction
    at = [(RADIUS + count * row, RADIUS + count * col) for count in (-2, -1, 1, 2)]
    outer, inner = (
        (window[:, each[0], each[1]] + window[:, other[0], other[1]]) / 2
        for each, other in ((at[0], at[3]), (at[1], at[2]))
    )
    usable = np.logical_and.reduce([good[:, place[0], place[1]] for place in at])
    # On a parabola, the middle is a third as far from that of +-1 as this is from that of +-2.
    bulge: Samples = np.where(usable, (inner - outer) / 3, np.float32(0))
    return bulge
