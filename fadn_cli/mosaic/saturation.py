"""Where the sensor was full, as the data have it: many cameras clip below the white level they
state, and at another level in every colour.

`conversion` calls it for each kind of sample. The one thing to know: noise thins out towards the
largest sample, over many steps; a clip piles up there. Samples without such a pile have no
plateau.
"""

import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from fadn_cli.mosaic.cfa import CfaPattern
from fadn_cli.mosaic.values import Mosaic
from fadn_cli.quantiles import quantiles

LEAST_LEVEL = 0.25
"""A plateau lies at least that far from black to white: no sensor's colours differ by more."""
_FEWEST = 8  # samples of a plateau
_PILE = 4  # times as many as at any level just below
_LEVELS_BELOW = 8  # occupied ones that are compared
_FEWEST_IN_BAND, _PILE_OF_BAND = 64, 8  # the same for a band, and twice as many levels below it
_BELOW_BAND = 0.002  # share of a band that is noise below the clip
_OUTLIERS = 3, 2e-6  # samples above a plateau, and share of all: hot pixels can exceed it
_MOST_BAND = 0.004  # of black to white, at white: a peak of shot noise 1.3e-6 is wider
_MOST_BAND_DN = 6, 0.0075  # or so many DN, if they are no more than that share
_BAND_STD = 0.75  # of the noise at that level: within it, noise alone is as good as even
_BLOCK = 16  # samples of one colour, of a block's side
_MOST_BLOCKS = 4096  # that are measured
_WEAKEST = 0.1  # share of the blocks that texture hides least
_LEAST, _AGREEMENT = 0.01, 0.6  # the weakest of these, and what it is of them if all are noise
_WEAKEST_BIAS = 0.85  # what their variance is of all, at 256 samples
_MEASURED = (0.05, 0.9)  # of white, and of the plateau's level: between these
_FEWEST_BLOCKS = 12
_ROWS, _ROWS_AROUND = 240, 6  # at once, whole cells of every sensor; and neighbours reach 2 rows
_SATURATED_NEIGHBOURS = 3  # an isolated sample at white is noise that crossed it, and is denoised

Samples = NDArray[np.uint16]


def clip_levels(mosaic: Mosaic) -> NDArray[np.float32]:
    """Find the level from which on each site's samples are saturated: white, or what they show.

    Sites whose noise is told apart are told apart here too: the four of a Bayer cell, else colours.

    Returns
    -------
    (p, p) float32 DN
        By row and column of the full mosaic, modulo the CFA's period p; at most `white_level`.
    """
    area, cfa = mosaic.active_area, mosaic.cfa
    active = mosaic.samples[area.slices]
    black, white = float(mosaic.black_level.mean()), mosaic.white_level
    levels = np.empty((cfa.period, cfa.period), np.float32)
    for sites in _kinds_of_sites(cfa):
        lowest = black + LEAST_LEVEL * (white - black)
        if mosaic.linear_level is not None:
            lowest = max(lowest, *(float(mosaic.linear_level[site]) for site in sites))
        planes = [_plane(active, row - area.top, col - area.left, cfa.period) for row, col in sites]
        level = _find_plateau(planes, black, white, lowest)
        for site in sites:
            levels[site] = level
    return levels


def saturated_areas(
    mosaic: Mosaic, clip: NDArray[np.float32] | None = None
) -> NDArray[np.bool_] | None:
    """Find the samples that pass through because the sensor was saturated there.

    A sample at its site's clip level (`clip`, else what `clip_levels` says) counts if at least 3 of
    its neighbours of the same colour are there too; an isolated one is noise, and left it would be
    salt. Neighbours are the 8 nearest of the colour in a Bayer mosaic, the 8 nearest without
    colours, and those of the colour among the 24 nearest in an X-Trans mosaic.

    Returns
    -------
    (H, W) bool, or None
        None if no sample is saturated.
    """
    clip = clip_levels(mosaic) if clip is None else clip
    samples, period = mosaic.samples, mosaic.cfa.period
    found: NDArray[np.bool_] | None = None
    for start in range(0, len(samples), _ROWS):
        # Some rows more on both sides, from a whole cell on: memory must not grow with the image.
        top = max(start - _ROWS_AROUND // period * period, 0)
        part = samples[top : start + _ROWS + _ROWS_AROUND]
        at_clip = np.empty(part.shape, np.bool_)
        for row in range(period):
            for col in range(period):
                site = slice(row, None, period), slice(col, None, period)
                np.greater_equal(part[site], clip[row, col], out=at_clip[site])
        if at_clip.any():
            found = np.zeros(samples.shape, np.bool_) if found is None else found
            rows = slice(start - top, start - top + _ROWS)
            own = found[start : start + _ROWS]
            own[...] = _saturated(at_clip, mosaic.cfa)[rows]
    return None if found is None or not found.any() else found


def _kinds_of_sites(cfa: CfaPattern) -> Iterator[list[tuple[int, int]]]:
    """Yield the sites of the cell at (0, 0) that saturate alike: (row, column) of each."""
    side = range(cfa.period)
    for kind in range(len(cfa.noise_colors)):
        yield [(row, col) for row in side for col in side if cfa.noise_index(row, col) == kind]


def _plane(active: Samples, row: int, col: int, period: int) -> Samples:
    """Return the samples of a site of an active area, by row and column of its cell: a view."""
    return active[row % period :: period, col % period :: period]


def _find_plateau(planes: Sequence[Samples], black: float, white: float, lowest: float) -> float:
    """Find the level from which on the samples of some sites are saturated, DN."""
    counts = _count(planes)
    tops = [top for top in _tops(counts) if lowest <= top < white]
    for top in tops:
        below = np.flatnonzero(counts[:top])[-_LEVELS_BELOW:]
        if counts[top] >= max(_FEWEST, _PILE * counts[below].max(initial=0)):
            return float(top)
    if not tops:
        return white
    widest = _widest(white - black, tops[0] - black)
    widest = min(widest, _BAND_STD * _noise_std(planes, black, white, tops[0]))
    for top in tops:
        for width in range(int(widest), 0, -1):
            start = top - width
            band = counts[start : top + 1].cumsum()
            below = counts[max(start - 2 * width - 1, 0) : start].sum()
            if band[-1] >= max(_FEWEST_IN_BAND, _PILE_OF_BAND * below):
                return float(start + np.searchsorted(band, _BELOW_BAND * band[-1], side="right"))
    return white


def _saturated(at_clip: NDArray[np.bool_], cfa: CfaPattern) -> NDArray[np.bool_]:
    """Leave of samples at a clip, of a whole mosaic, those that enough of their colour join."""
    if cfa.kind == "mono":
        return at_clip & (_neighbours(at_clip, (-1, 0, 1)) >= _SATURATED_NEIGHBOURS)
    if cfa.kind == "bayer":  # same-colour neighbours are 2 samples away
        return at_clip & (_neighbours(at_clip, (-2, 0, 2)) >= _SATURATED_NEIGHBOURS)
    result = np.zeros_like(at_clip)
    for sites in _kinds_of_sites(cfa):
        own = np.zeros_like(at_clip)
        for row, col in sites:
            site = slice(row, None, cfa.period), slice(col, None, cfa.period)
            own[site] = at_clip[site]
        result |= own & (_neighbours(own, range(-2, 3)) >= _SATURATED_NEIGHBOURS)
    return result


def _neighbours(marked: NDArray[np.bool_], steps: Sequence[int]) -> NDArray[np.uint8]:
    """Count the marked samples around each, so many rows and columns away; itself left out."""
    height, width = marked.shape
    reach = steps[-1]
    padded = np.zeros((height + 2 * reach, width), np.uint8)
    padded[reach : reach + height] = marked
    across = np.zeros((height, width + 2 * reach), np.uint8)
    for step in steps:
        across[:, reach : reach + width] += padded[reach + step : reach + step + height]
    count = np.zeros((height, width), np.uint8)
    for step in steps:
        count += across[:, reach + step : reach + step + width]
    count -= marked
    return count


def _count(planes: Sequence[Samples]) -> NDArray[np.int64]:
    """Return how many samples each level has, block by block: memory must not grow."""
    counts = np.zeros(1 << 16, np.int64)
    for plane in planes:
        for start in range(0, len(plane), 256):
            counts += np.bincount(plane[start : start + 256].ravel(), minlength=1 << 16)
    return counts


def _tops(counts: NDArray[np.int64]) -> Iterator[int]:
    """Yield the levels that the largest samples have, downwards, but for a few outliers."""
    few, share = _OUTLIERS
    above, most = 0, few + share * counts.sum()
    for level in np.flatnonzero(counts)[::-1]:
        if above > most:
            return
        yield int(level)
        above += int(counts[level])


def _widest(scale: float, level: float) -> float:
    """Return how wide a band may be, DN: narrower than what noise makes of an even bright place."""
    few, share = _MOST_BAND_DN
    return max(_MOST_BAND * math.sqrt(scale * level), min(few, share * scale))


def _noise_std(planes: Sequence[Samples], black: float, white: float, level: float) -> float:
    """Return what the noise is at least at a level, by that of darker, flatter places; DN.

    0 if there are too few of them to tell, or if they do not agree.
    """
    blocks = _blocks(planes)
    means = blocks.mean(axis=(1, 2)) - np.float32(black)
    low, high = _MEASURED[0] * (white - black), _MEASURED[1] * (level - black)
    is_usable = (means > low) & (means < high)
    if np.count_nonzero(is_usable) < _FEWEST_BLOCKS:
        return 0.0
    blocks, means = blocks[is_usable], means[is_usable]
    bends = blocks[:, :, :-2] - 2 * blocks[:, :, 1:-1] + blocks[:, :, 2:]
    shot_noise = (bends * bends).mean(axis=(1, 2)) / 6 / means
    least, weak = quantiles(shot_noise, (_LEAST, _WEAKEST))
    if least < _AGREEMENT * weak:  # texture, not noise
        return 0.0
    return float(np.sqrt(weak / _WEAKEST_BIAS * (level - black)))


def _blocks(planes: Sequence[Samples]) -> NDArray[np.float32]:
    """Cut planes into blocks, rows of them left out where there are many: (n, side, side) DN."""
    found = [np.empty((0, _BLOCK, _BLOCK), np.float32)]
    for plane in planes:
        height, width = (side // _BLOCK for side in plane.shape)
        if height and width:
            rows = np.arange(0, height, max(1, len(planes) * height * width // _MOST_BLOCKS))
            whole = plane[: height * _BLOCK, : width * _BLOCK]
            picked = whole.reshape(height, _BLOCK, width, _BLOCK)[rows]
            blocks = picked.transpose(0, 2, 1, 3).reshape(-1, _BLOCK, _BLOCK)
            found.append(blocks.astype(np.float32))
    return np.concatenate(found)
