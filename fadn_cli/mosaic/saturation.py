"""Where the sensor was full, as the data have it: many cameras clip below the white level they
state, and at another level in every colour.

`conversion` calls it for each site of the CFA. The one thing to know: noise thins out towards the
largest sample, over many steps; a clip piles up there. A site without such a pile has no plateau.
"""

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from fadn_cli.mosaic.values import Mosaic

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
_SATURATED_NEIGHBOURS = (
    3  # of 8: an isolated sample at white is noise that crossed it, and is denoised
)


def clip_levels(mosaic: Mosaic) -> NDArray[np.float32]:
    """Find the level from which on each site's samples are saturated: white, or what they show.

    Returns
    -------
    (2, 2) float32 DN
        By row and column of the full mosaic, modulo 2; at most `white_level`.
    """
    area, linear = mosaic.active_area, mosaic.linear_level
    levels = find_plateaus(
        mosaic.samples[area.slices],
        black=float(mosaic.black_level.mean()),
        white=mosaic.white_level,
        least=None if linear is None else np.roll(linear, (-area.top, -area.left), (0, 1)),
    )
    return np.roll(levels, (area.top, area.left), (0, 1))


def saturated_areas(
    mosaic: Mosaic, clip: NDArray[np.float32] | None = None
) -> NDArray[np.bool_] | None:
    """Find the samples that pass through because the sensor was saturated there.

    A sample at its site's clip level (`clip`, else what `clip_levels` says) counts if at least 3 of
    its 8 same-colour neighbours are there too; an isolated one is noise, and left it would be salt.

    Returns
    -------
    (H, W) bool, or None
        None if no sample is saturated.
    """
    clip = clip_levels(mosaic) if clip is None else clip
    at_clip = np.empty(mosaic.samples.shape, np.bool_)
    for row, col in ((0, 0), (0, 1), (1, 0), (1, 1)):
        site = slice(row, None, 2), slice(col, None, 2)
        np.greater_equal(mosaic.samples[site], clip[row, col], out=at_clip[site])
    return saturated(at_clip) if at_clip.any() else None


def find_plateaus(
    active: NDArray[np.uint16],
    *,
    black: float,
    white: float,
    least: NDArray[np.float32] | None = None,
) -> NDArray[np.float32]:
    """Find the levels at and above which the samples of each site are saturated.

    Parameters
    ----------
    active : (H, W) uint16 DN
        The active area of a mosaic.
    black, white : float
        Its levels, DN.
    least : (2, 2) float32 DN, optional
        Up to these levels the sensor is known to be linear.

    Returns
    -------
    (2, 2) float32 DN
        By row and column of `active`, modulo 2; `white` where the samples say nothing else.
    """
    levels = np.full((2, 2), white, np.float32)
    for row, col in ((0, 0), (0, 1), (1, 0), (1, 1)):
        lowest = black + LEAST_LEVEL * (white - black)
        if least is not None:
            lowest = max(lowest, float(least[row, col]))
        levels[row, col] = _find_plateau(active[row::2, col::2], black, white, lowest)
    return levels


def _find_plateau(site: NDArray[np.uint16], black: float, white: float, lowest: float) -> float:
    """Find the level from which on one site's samples are saturated, DN."""
    counts = _count(site)
    tops = [top for top in _tops(counts) if lowest <= top < white]
    for top in tops:
        below = np.flatnonzero(counts[:top])[-_LEVELS_BELOW:]
        if counts[top] >= max(_FEWEST, _PILE * counts[below].max(initial=0)):
            return float(top)
    if not tops:
        return white
    widest = _widest(white - black, tops[0] - black)
    widest = min(widest, _BAND_STD * _noise_std(site, black, white, tops[0]))
    for top in tops:
        for width in range(int(widest), 0, -1):
            start = top - width
            band = counts[start : top + 1].cumsum()
            below = counts[max(start - 2 * width - 1, 0) : start].sum()
            if band[-1] >= max(_FEWEST_IN_BAND, _PILE_OF_BAND * below):
                return float(start + np.searchsorted(band, _BELOW_BAND * band[-1], side="right"))
    return white


def saturated(at_clip: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Leave of samples at a clip those that at least 3 of their 8 same-colour neighbours join.

    Parameters
    ----------
    at_clip : (H, W) bool
        Of a whole mosaic.
    """
    height, width = at_clip.shape
    padded = np.zeros(
        (height + 4, width + 4), np.uint8
    )  # same-colour neighbours are 2 samples away
    padded[2:-2, 2:-2] = at_clip
    count = np.zeros((height, width), np.uint8)
    for row in (0, 2, 4):
        for col in (0, 2, 4):
            if (row, col) != (2, 2):
                count += padded[row : row + height, col : col + width]
    return at_clip & (count >= _SATURATED_NEIGHBOURS)


def _count(site: NDArray[np.uint16]) -> NDArray[np.int64]:
    """Return how many samples each level has, block by block: memory must not grow."""
    counts = np.zeros(1 << 16, np.int64)
    for start in range(0, len(site), 256):
        counts += np.bincount(site[start : start + 256].ravel(), minlength=1 << 16)
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


def _noise_std(site: NDArray[np.uint16], black: float, white: float, level: float) -> float:
    """Return what the noise is at least at a level, by that of darker, flatter places; DN.

    0 if there are too few of them to tell, or if they do not agree.
    """
    height, width = (side // _BLOCK for side in site.shape)
    if not height or not width:
        return 0.0
    rows = np.arange(0, height, max(1, height * width // _MOST_BLOCKS))
    picked = site[: height * _BLOCK, : width * _BLOCK].reshape(height, _BLOCK, width, _BLOCK)[rows]
    blocks = picked.transpose(0, 2, 1, 3).reshape(-1, _BLOCK, _BLOCK).astype(np.float32)
    means = blocks.mean(axis=(1, 2)) - np.float32(black)
    low, high = _MEASURED[0] * (white - black), _MEASURED[1] * (level - black)
    is_usable = (means > low) & (means < high)
    if np.count_nonzero(is_usable) < _FEWEST_BLOCKS:
        return 0.0
    blocks, means = blocks[is_usable], means[is_usable]
    bends = blocks[:, :, :-2] - 2 * blocks[:, :, 1:-1] + blocks[:, :, 2:]
    shot_noise = (bends * bends).mean(axis=(1, 2)) / 6 / means
    least, weak = np.quantile(shot_noise, (_LEAST, _WEAKEST))
    if least < _AGREEMENT * weak:  # texture, not noise
        return 0.0
    return float(np.sqrt(weak / _WEAKEST_BIAS * (level - black)))
