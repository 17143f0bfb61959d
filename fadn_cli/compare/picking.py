"""Which details of a photograph show best what a denoiser does: shadow, texture, edges, highlights.

`pair` calls `pick_details`. The one thing to know: what counts as flat or as texture is measured
against the noise model. In small blocks of the mosaic the noise's share of every gradient is known
and taken off; what is left is the photograph, and its direction tells an edge from texture.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fadn_cli.denoise.sensors.bayer import BAYER
from fadn_cli.denoise.sensors.sensor import Sensor
from fadn_cli.mosaic.values import Rect
from fadn_cli.noise import NoiseModel

SHADOW, TEXTURE, EDGES, HIGHLIGHTS = "Flat shadow", "Fine texture", "Edges", "Highlights"

_BLOCK = 8  # packed pixels of a block's side
_DETAIL = (608, 400)  # width and height of a detail at 100 %, whole blocks
_MOST_OVERLAP = 0.25  # of a detail's area with another one
_FLAT = 2.0  # gradient energy, in units of the noise's: 2.5 sigma above none in a block of 64
_TEXTURE_RANGE = (2.0, 60.0)  # the same: below it is noise, above it no finer than the edges
_LEAST = 0.01  # score of a place with texture or edges: noise alone comes to a tenth of it
_WHITE = 0.98  # a sample above it is taken for saturated
_DARKEST = 1e-4  # mean of a block, normalized: darker ones are one black on any screen


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A detail worth looking at."""

    kind: str
    """What it shows: one of the four names above."""
    area: Rect
    """Where, in pixels of the active area."""
    level: float
    """Mean of the greens there, normalized."""


def pick_details(
    packed: NDArray[np.float32], noise: NoiseModel, sensor: Sensor = BAYER
) -> tuple[Place, ...]:
    """Find the best place of each kind, the places hardly overlapping.

    Parameters
    ----------
    packed : (planes, h, w) float32, normalized
        Of the noisy source. Not modified.
    noise : NoiseModel
        Of `packed`.
    sensor : Sensor
        Whose planes they are.

    Returns
    -------
    tuple of Place
        In the order shadow, texture, edges, highlights; without the kinds that do not occur. A
        frame too small for a block has none. Packed pixel (i, j) is taken for the pixels of
        its cell.
    """
    _, height, width = packed.shape
    if min(height, width) < 2 * _BLOCK:
        return ()
    blocks = _measure(packed, noise, sensor)
    side = sensor.cell * _BLOCK
    size = _window(*blocks.level.shape, side=side)
    taken = np.zeros_like(blocks.level)
    places = []
    for kind, score in _scores(blocks):
        free = _means(taken, size) <= _MOST_OVERLAP
        worth = np.where(free, _means(score, size), 0)
        if worth.max() <= (_LEAST if kind in (TEXTURE, EDGES) else 0):
            continue
        top, left = (int(index) for index in np.unravel_index(worth.argmax(), worth.shape))
        inside = slice(top, top + size[0]), slice(left, left + size[1])
        taken[inside] = 1
        area = Rect(top=top * side, left=left * side, height=size[0] * side, width=size[1] * side)
        places.append(Place(kind=kind, area=area, level=float(blocks.level[inside].mean())))
    return tuple(places)


class _Blocks(NamedTuple):
    """What the blocks of a frame are like; every field is (rows, columns) float32."""

    level: NDArray[np.float32]
    """Mean of the greens, normalized."""
    std: NDArray[np.float32]
    """Of the greens' noise at that level."""
    structure: NDArray[np.float32]
    """Energy of the gradient beyond the noise's, in units of the noise's; about 0 where flat."""
    direction: NDArray[np.float32]
    """0 (texture: gradients every way) to 1 (an edge: all one way)."""
    saturated: NDArray[np.float32]
    """Share of the cells with a sample at white."""


def _measure(packed: NDArray[np.float32], noise: NoiseModel, sensor: Sensor) -> _Blocks:
    """Measure every block of a frame."""
    mean = np.stack([_block_means(plane) for plane in packed])  # (planes, rows, columns)
    shot, read = sensor.noise_of_planes(noise)
    variance = shot * np.maximum(mean, 0) + read
    grey = packed.mean(axis=0)
    grey_variance = np.maximum(variance.sum(axis=0) / len(packed) ** 2, 1e-12)  # of their mean
    greens = list(sensor.greens)
    across = np.diff(grey, axis=1, append=grey[:, -1:])
    down = np.diff(grey, axis=0, append=grey[-1:])
    # White noise gives each difference twice its variance, and both share a sample.
    xx = _block_means(across * across) / grey_variance - 2
    yy = _block_means(down * down) / grey_variance - 2
    xy = _block_means(across * down) / grey_variance - 1
    structure = np.maximum(xx + yy, 0)
    along = np.sqrt((xx - yy) ** 2 + 4 * xy**2)
    return _Blocks(
        level=mean[greens].mean(axis=0),
        std=np.sqrt(variance[greens].mean(axis=0) + np.float32(1e-12)),
        structure=structure,
        direction=np.clip(along / np.maximum(structure, 1), 0, 1),
        saturated=_block_means((packed.max(axis=0) >= _WHITE).astype(np.float32)),
    )


def _scores(blocks: _Blocks) -> tuple[tuple[str, NDArray[np.float32]], ...]:
    """Say how well each block shows each kind."""
    flat = (blocks.structure < _FLAT) & (blocks.saturated == 0) & (blocks.level > _DARKEST)
    # Noise as the eye meets it: the tone curve spreads shadows, but all black hides it again.
    level = np.maximum(blocks.level, 0.0031308)  # where sRGB's straight part ends
    seen = blocks.std * level ** np.float32(1 / 2.4 - 1)
    seen = seen * np.minimum(blocks.level / (2 * blocks.std), 1)
    low, high = (np.log(limit) for limit in _TEXTURE_RANGE)
    strength = np.log(np.maximum(blocks.structure, 1e-6))
    textured = np.clip((strength - low) / (high - low), 0, 1)
    edges = np.maximum(strength - low, 0) * blocks.direction**2
    level = np.clip(blocks.level, 0, 1)
    bright = level**2 * (1 - level) * (1 - blocks.saturated)  # best at two thirds of white
    return (
        (SHADOW, np.where(flat, seen, 0)),
        (TEXTURE, textured * (1 - blocks.direction) * (1 - blocks.saturated)),
        (EDGES, edges * (1 - blocks.saturated)),
        (HIGHLIGHTS, bright),
    )


def _window(rows: int, columns: int, *, side: int) -> tuple[int, int]:
    """Size of a detail in blocks of so many pixels: at most half of the frame either way."""
    width, height = (length // side for length in _DETAIL)
    return min(height, max(rows // 2, 1)), min(width, max(columns // 2, 1))


def _block_means(plane: NDArray[np.float32]) -> NDArray[np.float32]:
    """Average the whole blocks of a plane: (rows, columns)."""
    rows, columns = plane.shape[0] // _BLOCK, plane.shape[1] // _BLOCK
    whole = plane[: rows * _BLOCK, : columns * _BLOCK]
    means: NDArray[np.float32] = whole.reshape(rows, _BLOCK, columns, _BLOCK).mean(axis=(1, 3))
    return means


def _means(plane: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float64]:
    """Average every window of a size, by its top left block."""
    sums = np.zeros((plane.shape[0] + 1, plane.shape[1] + 1))  # float64: differences of large sums
    sums[1:, 1:] = plane.cumsum(axis=0, dtype=np.float64).cumsum(axis=1)
    rows, columns = size
    total = sums[rows:] - sums[:-rows]
    mean: NDArray[np.float64] = (total[:, columns:] - total[:, :-columns]) / (rows * columns)
    return np.maximum(mean, 0)
