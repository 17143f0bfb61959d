"""Bad samples of X-Trans mosaics, interpolated by planes through what lies around them.

`badpixels` calls `estimate`. The one thing to know: the samples of a colour lie on no grid, so that
hardly any two face each other across a site; a plane through the nearest ones needs no such pairs.

Each of these weighs the more, the nearer it is, and the less the samples around the site, of all
colours, change in its direction. At red and blue sites, by how much the green that touches them
bulges out of a plane of its own is added. The other way round it does harm: red and blue are too
far apart to tell how green bulges (measured: rms error 0.037 instead of 0.029).
"""

from functools import cache

import numpy as np

from fadn_cli.denoise.defects.windows import (
    DIRECTIONS,
    INNER,
    Good,
    Index,
    Samples,
    Sites,
    change_along,
    cut,
    look,
)
from fadn_cli.mosaic.cfa import CfaPattern

_NEAREST = 16  # samples of the colour around a site, bad ones included
_SIDE = 6  # rows and columns to each side in which they are found
_PERIOD = 6
_CHOOSY = 4.0  # power of the change that a sample's weight falls with
_FAR = 4.0  # power of the distance
_FLAT = 0.1  # pixels^2 that damp the slope of a plane
_ONE_SIDED = 0.5  # and by how much more, the further the samples' centroid is from the site
_LARGEST_RATIO = 2.0  # of two colours, by which one's curvature is scaled
_PAIRS = ((-1, 1), (-1, 0), (0, 1))
"""Of samples whose change is measured, where both are of one colour."""
_LEAST = np.float32(1e-6)  # change: float32's own


def estimate(x: Samples, bad: Good, sites: Sites, cfa: CfaPattern) -> Samples:
    """Return (n,) values for (2, n) sites; nan where nothing good is within reach.

    Parameters
    ----------
    x : (H, W) float32, normalized
    bad : (H, W) bool
    sites : (2, n) intp
    cfa : CfaPattern
        The X-Trans pattern of `x`, from its (0, 0).
    """
    offsets = _nearest(cfa)[_kinds(*sites)]  # (n, 16, 2)
    rows, cols = (sites[axis][:, None] + offsets[..., axis] for axis in (0, 1))
    values, good = look(x, bad, rows, cols)
    share = _shares(offsets, good * _weights(x, bad, sites, offsets, cfa))
    level = (share * values).sum(axis=1)
    green, is_known = _touching_green(x, bad, rows, cols, cfa)
    here, is_known_here = _touching_green(x, bad, sites[0][:, None], sites[1][:, None], cfa)
    smooth = (share * green).sum(axis=1)
    ratio = np.clip(level / np.maximum(smooth, _LEAST), 0, _LARGEST_RATIO)
    usable = is_known_here[:, 0] & (is_known | ~good).all(axis=1)
    level += np.where(usable, ratio * (here[:, 0] - smooth), 0)
    found = good.any(axis=1)
    lowest = np.where(good, values, np.inf).min(axis=1)
    highest = np.where(good, values, -np.inf).max(axis=1)
    beyond = np.where(found, highest - lowest, 0) / 2  # a peak may lie above its neighbours
    bounded = np.where(found, np.clip(level, lowest - beyond, highest + beyond), np.nan)
    return bounded.astype(np.float32)


def _kinds(rows: Index, cols: Index) -> Index:
    """Return which of the 36 sites of a cell those at rows and columns are."""
    return rows % _PERIOD * _PERIOD + cols % _PERIOD


@cache
def _nearest(cfa: CfaPattern) -> Index:
    """Return the (36, 16, 2) offsets of the samples of the colour around each site of a cell."""
    side = range(-_SIDE, _SIDE + 1)
    offsets = sorted(
        ((down, right) for down in side for right in side if down or right),
        key=lambda at: at[0] ** 2 + at[1] ** 2,
    )
    found = []
    for kind in range(_PERIOD**2):
        row, col = divmod(kind, _PERIOD)
        color = cfa.at(row, col)
        alike = [at for at in offsets if cfa.at(row + at[0], col + at[1]) == color]
        found.append(alike[:_NEAREST])
    return np.array(found)


@cache
def _greens(cfa: CfaPattern) -> tuple[Index, Samples]:
    """Return the (36, 5, 2) offsets of the greens that touch each site of a cell, and weights.

    All weights are 0 at green sites. At others they put the centroid of the greens on the site:
    three of them share a side with it, the two at the corners are on the side that has none.
    """
    offsets, weights = np.zeros((36, 5, 2), np.intp), np.zeros((36, 5), np.float32)
    for kind in range(_PERIOD**2):
        row, col = divmod(kind, _PERIOD)
        if cfa.at(row, col) == "G":
            continue
        near = [(-1, 0), (1, 0), (0, -1), (0, 1), (-1, -1), (-1, 1), (1, -1), (1, 1)]
        near = [at for at in near if cfa.at(row + at[0], col + at[1]) == "G"]
        offsets[kind] = near
        weights[kind] = [0.5 if down and right else 1 for down, right in near]
    return offsets, weights


def _touching_green(
    x: Samples, bad: Good, rows: Index, cols: Index, cfa: CfaPattern
) -> tuple[Samples, Good]:
    """Return the mean of the greens that touch samples, and where all five of them are good."""
    offsets, weights = _greens(cfa)
    offsets, weights = offsets[_kinds(rows, cols)], weights[_kinds(rows, cols)]
    values, good = look(
        x, bad, rows[..., None] + offsets[..., 0], cols[..., None] + offsets[..., 1]
    )
    mean: Samples = (weights * values).sum(axis=-1) / np.maximum(weights.sum(axis=-1), 1)
    return mean, np.all(good & (weights > 0), axis=-1)


@cache
def _alike(cfa: CfaPattern) -> Good:
    """Return which (36 kinds, directions, pairs, 7, 7) around a site share a colour."""
    side = np.arange(-INNER, INNER + 1)
    colors = np.array(list(cfa.colors)).reshape(_PERIOD, _PERIOD)
    found = np.zeros((_PERIOD**2, len(DIRECTIONS), len(_PAIRS), side.size, side.size), np.bool_)
    for kind, which, pair in np.ndindex(found.shape[:3]):
        (row, col), (down, right) = divmod(kind, _PERIOD), DIRECTIONS[which]
        rows, cols = row + side[:, None], col + side
        one, other = (
            colors[(rows + count * down) % _PERIOD, (cols + count * right) % _PERIOD]
            for count in _PAIRS[pair]
        )
        found[kind, which, pair] = one == other
    return found


def _weights(x: Samples, bad: Good, sites: Sites, offsets: Index, cfa: CfaPattern) -> Samples:
    """Return what the (n, 16) samples around sites count: by distance, and change towards them."""
    window, good = cut(x, bad, sites)
    alike = _alike(cfa)[_kinds(*sites)].transpose(1, 2, 0, 3, 4)  # (directions, pairs, n, 7, 7)
    none = np.zeros(sites.shape[1], np.float32)
    right, down, falling, rising = (
        change_along(window, good, direction, none, _PAIRS, alike[number])[:, None]
        for number, direction in enumerate(DIRECTIONS)
    )
    rows, cols = offsets[..., 0].astype(np.float32), offsets[..., 1].astype(np.float32)
    most = np.float32(0.95) * right * down  # a direction without any change is left to none
    mixed = np.clip((falling**2 - rising**2) / 4, -most, most)
    away = rows**2 + cols**2
    change = (down**2 * rows**2 + 2 * mixed * rows * cols + right**2 * cols**2) / away
    weights: Samples = (change + _LEAST**2) ** (-_CHOOSY / 2) * away ** (-_FAR / 2)
    return weights


def _shares(offsets: Index, weights: Samples) -> Samples:
    """Return how much each of (n, 16) samples contributes to the height of the plane at the site.

    The plane of least squares; all are 0 where nothing has any weight.
    """
    total = weights.sum(axis=1, keepdims=True)
    weights = np.divide(weights, total, out=np.zeros_like(weights), where=total > 0)
    at = offsets.astype(np.float32)
    middle = (weights[..., None] * at).sum(axis=1)  # (n, 2)
    off = at - middle[:, None]
    spread = np.einsum("nk,nki,nkj->nij", weights, off, off)
    flat = np.float32(_FLAT) + np.float32(_ONE_SIDED) * (middle**2).sum(axis=1)
    spread += flat[:, None, None] * np.eye(2, dtype=np.float32)
    slope = np.linalg.solve(spread, -middle[..., None])  # (n, 2, 1)
    shares: Samples = weights * (1 + (off @ slope)[..., 0])
    return shares
