"""The look of a camera's picture, given to one of ours: its curve, its colours, area by area.

`renew` calls it. The one thing to know: only means over areas are taken from the old picture, which
hold next to none of its noise; detail is the new one's alone. Where the two do not lie on each
other (a lens that the camera corrects), edges tell nothing, and the areas around them decide.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fadn_cli.quantiles import quantile
from fadn_cli.raw.previews.pictures import Picture, areas, enlarge, frame, mix, shows_the_same

Floats = NDArray[np.floating[Any]]
_SIDE = 96  # areas of the longer side that tell the curve
_GROUPS = 33  # of areas, from dark to light
_BLACK = 4 / 255
_GREY = 1 / 255  # mean difference between the colours of a picture that has none
_LEAST_SHOWN = 0.2  # of the areas; what is darker everywhere is a dark picture
_SMOOTH = 10  # tones of 255
_SLOPES = (0.1, 8.0)  # of a curve, so that it neither flattens nor tears tones apart
_RIDGE = 2e-3  # how much two pictures must agree for colours to be mixed
_MOST_MIXED = 1.0
_AREA = 32  # pixels of the new picture whose mean becomes the old one's
_MOST_AREAS = 96
_EDGE = 8.0  # of 255: a step between areas from which their means are trusted less
_OWN = 2 / 3  # an area's own share of its shift, along each side
_OWN_ENLARGED = 3 / 4  # the same of the mean over an area, once shifts are interpolated linearly
_MOST_SHIFT = 60.0  # of 255
_SHIFT_STEPS = 2  # per level, in the 8 bits that the shifts are enlarged in
_ROWS_PER_BLOCK = 128


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Look:
    """What makes one picture of another, wherever a pixel lies."""

    curves: Floats
    """(3, n) encoded tones, 0 to 1, of evenly spaced ones."""
    mixing: Floats
    """(3, 3) by row what each colour is mixed of, after the curves; greys stay."""

    def tables(self, encoding: NDArray[np.uint16]) -> NDArray[np.uint8]:
        """Return (3, 65536) 8-bit tones of levels whose `encoding` is known."""
        tones = np.linspace(0, 1, self.curves.shape[1])
        x = encoding / np.float32(65535)
        return np.stack([np.rint(np.interp(x, tones, c) * 255) for c in self.curves]).astype("u1")

    def mixed(self, picture: Picture) -> Picture:
        """Mix the colours of a picture."""
        if np.array_equal(self.mixing, np.eye(3, dtype=np.float32)):
            return picture
        return mix(picture, self.mixing)


PLAIN = Look(
    curves=np.tile(np.array([0, 1], np.float32), (3, 1)), mixing=np.eye(3, dtype=np.float32)
)
"""Leaves a picture as it is."""


def find_look(old: Picture, picture: Picture) -> Look:
    """Return what makes a picture look like an old one of the same scene.

    Parameters
    ----------
    old, picture : Picture
        Turned alike; of whatever sizes.

    Returns
    -------
    Look
        `PLAIN` if the pictures do not show the same scene.
    """
    height, width, _ = old.shape
    framed = frame(picture, (height, width), like=old)
    if not shows_the_same(old, framed):
        return PLAIN
    scale = min(1.0, _SIDE / max(height, width))
    size = (max(1, round(height * scale)), max(1, round(width * scale)))
    wanted, found = (areas(each, size).reshape(-1, 3) / 255 for each in (old, framed))
    shown = np.maximum(wanted, found).max(axis=1) > _BLACK  # else bars
    if shown.mean() > _LEAST_SHOWN:
        wanted, found = wanted[shown], found[shown]
    tones = np.linspace(0, 1, 256)
    curves = np.stack([_curve(found[:, c], wanted[:, c], tones) for c in range(3)])
    curved = np.stack([np.interp(found[:, c], tones, curves[c]) for c in range(3)], axis=1)
    is_grey = np.ptp(wanted, axis=1).mean() < _GREY
    mixing = np.full((3, 3), 1 / 3, np.float32) if is_grey else _mixing(curved, wanted)
    return Look(curves=curves.astype(np.float32), mixing=mixing)


def settle(picture: Picture, old: Picture) -> Picture:
    """Give each area of a picture the mean colour that an old one has there.

    Parameters
    ----------
    picture : Picture
    old : Picture
        Framed and turned alike, of whatever size.

    Returns
    -------
    Picture
        The same memory if the two do not show the same scene.
    """
    height, width, _ = picture.shape
    area = max(_AREA, max(height, width) / _MOST_AREAS)
    size = (max(1, round(height / area)), max(1, round(width / area)))
    found, wanted = areas(picture, size), areas(old, size)
    if not shows_the_same(wanted.astype(np.uint8), found.astype(np.uint8)):
        return picture
    trust = _trust(found)
    wished = _blend((wanted - found) * trust, _OWN) / _blend(trust, _OWN)
    shifts = wished.copy()
    for _ in range(2):  # what enlarging blurs is added beforehand
        shifts += wished - _blend(shifts, _OWN_ENLARGED)
    return _shift(picture, _MOST_SHIFT * np.tanh(shifts / _MOST_SHIFT))


def _curve(found: Floats, wanted: Floats, tones: Floats) -> Floats:
    """Return the rising curve that brings values to others, whatever a few of them are.

    What is equally dark here is mostly equally dark there; the rest lies elsewhere, or is a bar.
    """
    groups = np.array_split(np.argsort(found, kind="stable"), min(_GROUPS, len(found)))
    x, y = (np.array([quantile(of[each], 0.5) for each in groups]) for of in (found, wanted))
    y = (np.maximum.accumulate(y) + np.minimum.accumulate(y[::-1])[::-1]) / 2
    keep = np.concatenate([[True], np.diff(np.round(x * 255)) > 0])
    x, y = np.concatenate([[0], x[keep], [1]]), np.concatenate([[0], y[keep], [1]])
    result: Floats = np.interp(tones, x, y)
    result = _smooth(result)
    least, most = (slope * (tones[1] - tones[0]) for slope in _SLOPES)
    for number in range(1, len(result)):
        before = result[number - 1]
        result[number] = min(max(result[number], before + least), before + most)
    return np.minimum(result, 1)


def _smooth(curve: Floats) -> Floats:
    """Return a curve's means over `_SMOOTH` tones to either side; its ends stay.

    A wall of one colour is many groups within a few tones: each colour's curve would turn what
    grain is left there into steps of its own, and those into stains.
    """
    tail = np.arange(1, _SMOOTH + 1)
    before, after = 2 * curve[0] - curve[tail[::-1]], 2 * curve[-1] - curve[-1 - tail]
    sums = np.concatenate([[0], np.cumsum(np.concatenate([before, curve, after]))])
    width = 2 * _SMOOTH + 1
    means: Floats = (sums[width:] - sums[:-width]) / width
    return means


def _mixing(found: Floats, wanted: Floats) -> Floats:
    """Return the matrix that brings colours nearest to others, and leaves greys alone."""
    chroma = found - found.mean(axis=1, keepdims=True)
    ridge = np.eye(3) * len(found) * _RIDGE
    mixed = np.linalg.solve(chroma.T @ chroma + ridge, chroma.T @ (wanted - found))
    mixed = np.clip(mixed, -_MOST_MIXED, _MOST_MIXED)
    without_grey = np.eye(3) - 1 / 3
    matrix: Floats = (np.eye(3) + without_grey @ mixed).T.astype(np.float32)
    return matrix


def _trust(means: Floats) -> Floats:
    """Return how far each area's mean is to be trusted: less, the more it differs from others."""
    grey = np.pad(means.mean(axis=2), 1, mode="edge")
    down, across = grey[2:, 1:-1] - grey[:-2, 1:-1], grey[1:-1, 2:] - grey[1:-1, :-2]
    steps = (down**2 + across**2) / np.float32(4 * _EDGE**2)
    trust: Floats = 1 / (1 + steps)[..., None]
    return trust


def _blend(values: Floats, own: float) -> Floats:
    """Mix the value of each area with those beside it, along both sides; `own`: its share."""
    for axis in (0, 1):
        sides = [(1, 1) if each == axis else (0, 0) for each in range(values.ndim)]
        wide, count = np.pad(values, sides, mode="edge"), values.shape[axis]
        around = np.take(wide, range(count), axis) + np.take(wide, range(2, count + 2), axis)
        values = np.float32(own) * values + np.float32((1 - own) / 2) * around
    return values


def _shift(picture: Picture, shifts: Floats) -> Picture:
    """Add to each pixel what is interpolated between areas."""
    height, width, _ = picture.shape
    coded = np.clip(np.rint(shifts * _SHIFT_STEPS + 128), 0, 255).astype(np.uint8)
    large = enlarge(coded, (height, width))
    result = np.empty_like(picture)
    for start in range(0, height, _ROWS_PER_BLOCK):
        rows = slice(start, start + _ROWS_PER_BLOCK)
        x = large[rows].astype(np.int16)
        x += _SHIFT_STEPS // 2 - 128
        x //= _SHIFT_STEPS
        x += picture[rows]
        result[rows] = np.clip(x, 0, 255, out=x)
    return result
