"""The calmest blocks of each brightness, and how much texture the blocks around them have.

`estimate` asks for them, `posterior` weighs them. The one thing to know: blocks are chosen by the
low and middle frequencies of all four planes at one place, and measured at the high ones, so that
choosing biases nothing; and a place that is calm in one colour only is not calm.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fadn_cli.denoise.noise.blocks import BlockStatistics
from fadn_cli.denoise.noise.clipping import clipped_variance, undo_clipping

_BINS = 16  # of brightness, equally filled
_CALM = (0.015, 0.06, 0.24)  # share of a bin's blocks taken as its calmest: as far as they agree
_CALM_AT_LEAST = 8
_ENOUGH = 0.05  # relative uncertainty at which no more blocks are needed
_AGREEMENT = 0.5  # standard deviations by which more blocks may lie above fewer
_MIDDLE = (0.3, 0.5)  # share of a bin's blocks, by texture: what the picture is like
_FADE = 0.11  # of the texture's excess at middle frequencies, what is left at high ones
_FADE_DOUBT = 0.5  # of what is taken away for it
_MOST_TAKEN = 0.9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Levels:
    """The calmest blocks of each brightness bin, averaged; the shapes are (bins,)."""

    mean: NDArray[np.float64]
    """Normalized level."""
    variance: NDArray[np.float64]
    """Of noise, and of what texture there is in the calmest blocks."""
    uncertainty: NDArray[np.float64]
    """Standard deviation of `variance`, relative to it."""
    middling: NDArray[np.float64]
    """The same of blocks with middling texture, at this level; not below `variance`."""
    calm: tuple[NDArray[np.intp], ...]
    """(N,) each: which blocks are the calmest ones."""


def measure_levels(
    blocks: BlockStatistics, shot: float, read: float, floor: float | None
) -> Levels:
    """Choose and average blocks under a model of the noise, which only has to be roughly right.

    Parameters
    ----------
    blocks : BlockStatistics
        At least one for each bin.
    shot, read : float
        Variances, to compare blocks of different levels.
    floor : float or None
        Where the camera clipped the noise; what it took away is put back.
    """
    expected = expected_variance(blocks.mean, shot, read, floor)
    count = np.maximum(np.bincount(blocks.place), 1)
    texture = (np.bincount(blocks.place, blocks.texture / expected) / count)[blocks.place]
    by_level = np.array_split(np.argsort(blocks.mean, kind="stable"), _BINS)
    ordered = [
        members[np.argsort(texture[members], kind="stable")] for members in by_level if len(members)
    ]
    calm = tuple(_agreeing(blocks, members) for members in ordered)
    rows = [
        _average(blocks, members, chosen, expected)
        for members, chosen in zip(ordered, calm, strict=True)
    ]
    mean, variance, uncertainty, middling = np.array(rows).T
    if floor is not None:
        mean, before, factor = undo_clipping(mean, variance, floor)
        uncertainty = uncertainty * factor * variance / before
        middling, variance = middling * before / variance, before
    return Levels(
        mean=np.maximum(mean, 0),
        variance=variance,
        uncertainty=uncertainty,
        middling=np.maximum(middling, variance),
        calm=calm,
    )


def expected_variance(
    mean: NDArray[np.float32], shot: float, read: float, floor: float | None
) -> NDArray[np.float64]:
    """Return the variance of blocks of these means, clipped at `floor` as they are."""
    if floor is None:
        return np.asarray(shot * np.maximum(mean, 0) + read, np.float64)
    return clipped_variance(mean, shot, read, floor)


def _average(
    blocks: BlockStatistics,
    calmest_first: NDArray[np.intp],
    calm: NDArray[np.intp],
    expected: NDArray[np.float64],
) -> tuple[float, float, float, float]:
    """Return mean, variance, its relative uncertainty, and the middling blocks' variance."""
    count = len(calmest_first)
    first, last = (int(share * count) for share in _MIDDLE)
    middle = calmest_first[first : last + 1]
    high = float(blocks.high[calm].mean())
    excess = max(float(blocks.check[calm].mean()) / high - 1, 0.0)
    taken = min(_FADE * excess, _MOST_TAKEN)
    freedoms = len(calm) * blocks.freedoms
    middling = float((blocks.high[middle] / expected[middle]).mean() * expected[calm].mean())
    return (
        float(blocks.mean[calm].mean()),
        high * (1 - taken),
        float(np.hypot(np.sqrt(2 / freedoms), _FADE_DOUBT * taken)),
        middling,
    )


def _agreeing(blocks: BlockStatistics, calmest_first: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the calmest blocks, as many as have no more energy than fewer of them had."""
    count = len(calmest_first)
    sets = [calmest_first[: max(int(share * count), _CALM_AT_LEAST)] for share in _CALM]
    calm = sets[0]
    for more in sets[1:]:
        spread = np.sqrt(2 / (len(calm) * blocks.freedoms))
        rise = blocks.high[more].mean() / blocks.high[calm].mean() - 1
        if spread < _ENOUGH or rise > _AGREEMENT * spread:
            break
        calm = more
    return calm
