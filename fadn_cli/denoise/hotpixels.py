"""Isolated defects of the sensor, hot, dead or stuck: found against the noise, and repaired.

`pipeline` calls `repair_defects` before the network sees the mosaic. The one thing to know: a
defect is one sample that leaves its surroundings alone, while the samples of the other colours that
touch it show nothing. Light cannot do that: the lens, the anti-aliasing filter and the pixel's own
area spread even a star over neighbours of every colour.

A site is taken for a defect if three things hold. It lies further beyond the samples of its colour
around it than noise and their differences explain. Its distance from them exceeds 1.25 times the
texture and 3 times the light that the other colours show around it. And it stands out 5 times as
far as anything else nearby. The weights were chosen on photographs, on real raws and on drawn
stars; `benchmarks/hot_pixels.py` prints what they achieve.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fadn_cli.denoise.sensors.sensor import Packing, reflected
from fadn_cli.noise import NoiseModel

_LEAST_SIDE = 5  # of a plane: in a smaller one there is nothing to judge by
_ROWS_PER_BAND = 128  # of a plane: temporaries stay in the processor's cache
_NOISE = 5.0  # sigma beyond all neighbours but one: noise alone does that once in 10^8 samples
_TEXTURE = 1.25
_LIGHT = 3.0
_LONELY = 5.0
_NEARBY = 2  # packed pixels to each side, in all four planes: 99 other sites
_BLACK = 0.002  # at least: darkness is counted from there, black levels are off by as much

Samples = NDArray[np.float32]
Measure = Callable[[Samples], Samples]
Offsets = Sequence[tuple[int, int]]
"""Rows and columns of the mosaic from a site."""

_NEAREST: Offsets = [(row, col) for row in (-1, 0, 1) for col in (-1, 0, 1) if (row, col) != (0, 0)]
"""The eight samples around a site in its own plane; rows and columns of the plane."""
_OTHER_PLANES: Sequence[tuple[Offsets, Offsets]] = (
    (((0, -1), (0, 1)), ((0, -3), (0, 3), (-2, -1), (-2, 1), (2, -1), (2, 1))),
    (((-1, 0), (1, 0)), ((-3, 0), (3, 0), (-1, -2), (-1, 2), (1, -2), (1, 2))),
    (
        ((-1, -1), (-1, 1), (1, -1), (1, 1)),
        ((-3, -1), (-3, 1), (3, -1), (3, 1), (-1, -3), (-1, 3), (1, -3), (1, 3)),
    ),
)
"""Of each plane beside, above and at the corners of a site: what touches it, and what is around."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Defects:
    """Isolated defects of a packed frame, and what belongs in their place."""

    sites: NDArray[np.intp]
    """(3, n) plane, row and column in the packed frame, ascending."""
    values: NDArray[np.float32]
    """(n,) normalized: the median of the eight nearest samples of the plane."""


def repair_defects(packed: NDArray[np.float32], packing: Packing, noise: NoiseModel) -> int:
    """Replace isolated defects by what their neighbours of the same colour say, in place.

    Parameters
    ----------
    packed : (4, h, w) float32, normalized
        Planes R, Gr, Gb, B. Overwritten where there are defects.
    packing : Packing
        How `packed` was packed; the copies at the border follow their samples.
    noise : NoiseModel
        Of `packed`.

    Returns
    -------
    int
        How many samples of the sensor were replaced.
    """
    defects = find_defects(packed, packing, noise)
    packed[tuple(defects.sites)] = defects.values
    packing.sensor.mirror_again(packed, packing)
    return len(defects.values)


def find_defects(packed: NDArray[np.float32], packing: Packing, noise: NoiseModel) -> Defects:
    """Find isolated defects.

    Parameters
    ----------
    packed : (4, h, w) float32, normalized
        Planes R, Gr, Gb, B. Not modified. What lies above white counts as white, and a saturated
        sample is judged only if no neighbour of its colour is saturated too.
    packing : Packing
        How `packed` was packed; the copies at the border are not judged.
    noise : NoiseModel
        Of `packed`.

    Returns
    -------
    Defects
        None in a frame of fewer than five packed pixels a side.
    """
    planes = packing.sensor.own_samples(packed, packing)
    sites = [np.empty((3, 0), np.intp)]
    values = [np.empty(0, np.float32)]
    if min(length for plane in planes for length in plane.shape) < _LEAST_SIDE:
        planes = []
    for number, plane in enumerate(planes):
        shot, read = noise.shot_noise[number], noise.read_noise[number]
        black = max(4 * float(np.sqrt(read)), 2 * float(shot), _BLACK)
        for places in _standing_out(plane, shot, read):
            sample, level, is_alone = _compare_with_nearest(plane, places)
            for is_kind, measure in ((sample > level, _light), (sample < level, _darkness(black))):
                kept = np.flatnonzero(is_kind & is_alone)
                found = _in_frame(places[:, kept], number, packing)
                distance = measure(sample[kept]) - measure(level[kept])
                seen = _find_unexplained(packed, found, distance, measure)
                seen = seen[_are_lonely(planes, found[:, seen], packing, measure)]
                sites.append(found[:, seen])
                values.append(level[kept[seen]])
    together = np.concatenate(sites, axis=1)
    order = np.lexsort(together[::-1])  # the bands must not show
    return Defects(sites=together[:, order], values=np.concatenate(values)[order])


def _in_frame(places: NDArray[np.intp], number: int, packing: Packing) -> NDArray[np.intp]:
    """Turn (2, n) places of a plane without its copies into (3, n) sites of the packed frame."""
    rows, cols = places + np.array(_origin(number, packing))[:, None]
    return np.stack([np.full_like(rows, number), rows, cols])


def _origin(number: int, packing: Packing) -> tuple[int, int]:
    """Return how many rows and columns of copies a plane begins with."""
    row, col = divmod(number, 2)
    return packing.top * (1 - row), packing.left * (1 - col)


def _standing_out(plane: Samples, shot: np.float32, read: np.float32) -> Iterator[NDArray[np.intp]]:
    """Yield the (2, n) places, band by band, that lie beyond all of their eight neighbours but one.

    By more than the differences among these neighbours, the outermost on each side left out since
    another defect may be there; or darker than half of them. And by more than noise explains.
    """
    height, _ = plane.shape
    least = _NOISE * np.sqrt(read)
    for top in range(0, height, _ROWS_PER_BAND):
        stop = min(top + _ROWS_PER_BAND, height)
        rows = reflected(np.arange(top - 1, stop + 1), height)
        band = np.pad(np.minimum(plane[rows], 1), ((0, 0), (1, 1)), mode="reflect")
        lower, upper = _bounds(band)
        centre = band[1:-1, 1:-1]
        differences = upper - lower
        stands_out = centre - upper > np.maximum(differences, least)
        stands_out |= lower - centre > np.maximum(np.minimum(differences, lower / 2), least)
        places: NDArray[np.intp] = np.stack(np.nonzero(stands_out))
        sample, low, high = (each[places[0], places[1]] for each in (centre, lower, upper))
        rival = np.where(sample > high, high, low)
        # halfway: the noise of a count far above the level is greater than the level's own
        variance = shot * np.maximum((sample + rival) / 2, 0) + read
        places = places[:, (sample - rival) ** 2 > _NOISE**2 * variance]
        places[0] += top
        yield places


def _bounds(x: Samples) -> tuple[Samples, Samples]:
    """Return the second smallest and the second largest of the eight neighbours of each sample.

    Parameters
    ----------
    x : (..., h+2, w+2) float32

    Returns
    -------
    lower, upper : (..., h, w) float32
    """
    low, middle, high = _sort_three(x[..., :-2], x[..., 1:-1], x[..., 2:])
    left, right = x[..., 1:-1, :-2], x[..., 1:-1, 2:]
    less, more = np.minimum(left, right), np.maximum(left, right)
    lower = _second(np.minimum, np.maximum, (low, middle), (less, more))
    return lower, _second(np.maximum, np.minimum, (high, middle), (more, less))


def _sort_three(left: Samples, middle: Samples, right: Samples) -> tuple[Samples, Samples, Samples]:
    """Return the smallest, the middle and the largest of every three in a row."""
    low, high = np.minimum(left, right), np.maximum(left, right)
    less = np.minimum(high, middle)
    return np.minimum(low, less), np.maximum(low, less), np.maximum(high, middle)


def _second(
    outer: np.ufunc, inner: np.ufunc, rows: tuple[Samples, Samples], beside: tuple[Samples, Samples]
) -> Samples:
    """Return the second largest (outer: maximum, inner: minimum) or smallest of eight neighbours.

    `rows` are the first and second of every three in a row, for the rows above and below; `beside`
    the first and second of the two left and right.
    """
    above_first, above_second = (each[..., :-2, :] for each in rows)
    below_first, below_second = (each[..., 2:, :] for each in rows)
    first = outer(above_first, below_first)
    second = outer(inner(above_first, below_first), outer(above_second, below_second))
    most: Samples = outer(inner(first, beside[0]), outer(second, beside[1]))
    return most


def _compare_with_nearest(
    plane: Samples, places: NDArray[np.intp]
) -> tuple[Samples, Samples, NDArray[np.bool_]]:
    """Return the samples at places, the medians of the eight around each, and who may be judged.

    Not what is saturated beside another saturated sample: that is light.
    """
    height, width = plane.shape
    nearest = [
        plane[reflected(places[0] + row, height), reflected(places[1] + col, width)]
        for row, col in _NEAREST
    ]
    around = np.sort(np.minimum(nearest, 1), axis=0)  # (8, n)
    sample = np.minimum(plane[places[0], places[1]], 1)
    return sample, np.median(around, axis=0), (sample < 1) | (around[7] < 1)


def _light(x: Samples) -> Samples:
    """Measure light by how much there is: a star adds to whatever else is there."""
    return x


def _darkness(black: float) -> Measure:
    """Measure darkness by how many times less light there is: small dark things are never black."""
    return lambda x: -np.log(np.maximum(x, 0) + np.float32(black))


def _find_unexplained(
    packed: Samples, sites: NDArray[np.intp], distance: Samples, measure: Measure
) -> NDArray[np.intp]:
    """Return which sites lie further from their neighbours than what is seen beside explains.

    Texture is the largest difference among the samples of another plane around the site, the
    outermost on each side left out. Light is by how much the eight samples that touch the site
    exceed, in sum, all but one of those around them in their planes.
    """
    number, rows, cols = sites
    places = np.stack([2 * rows + number // 2, 2 * cols + number % 2])  # in the padded mosaic
    left = np.arange(len(distance))
    texture, light = np.zeros((2, len(distance)), np.float32)
    for near, far in _OTHER_PLANES:
        touching, around = (measure(_at(packed, places[:, left], each)) for each in (near, far))
        light += np.maximum(touching - np.partition(around, -2, axis=0)[-2], 0).sum(axis=0)
        ordered = np.sort(np.concatenate([touching, around]), axis=0)
        texture = np.maximum(texture, ordered[-2] - ordered[1])
        further = distance[left] > _TEXTURE * texture + _LIGHT * light
        left, texture, light = left[further], texture[further], light[further]
    return left


def _are_lonely(
    planes: Sequence[Samples], sites: NDArray[np.intp], packing: Packing, measure: Measure
) -> NDArray[np.bool_]:
    """Tell whether sites stand out five times as far as all but two of the 99 sites around each.

    In fine texture many do; around a defect none does but, by chance, another defect.
    """
    reach = np.arange(-_NEARBY - 1, _NEARBY + 2)
    mine = np.zeros(sites.shape[1], np.float32)
    others = []
    for number, plane in enumerate(planes):
        centre_row, centre_col = sites[1:] - np.array(_origin(number, packing))[:, None]
        rows = reflected(centre_row[:, None] + reach, plane.shape[0])[:, :, None]  # (n, 7, 1)
        cols = reflected(centre_col[:, None] + reach, plane.shape[1])[:, None, :]  # (n, 1, 7)
        x = measure(np.minimum(plane[rows, cols], 1))  # (n, 7, 7)
        lower, upper = _bounds(x)
        stand_out = np.maximum(x[:, 1:-1, 1:-1] - upper, lower - x[:, 1:-1, 1:-1])  # (n, 5, 5)
        is_mine = (sites[0] == number)[:, None, None]
        mine = np.where(is_mine[:, 0, 0], stand_out[:, _NEARBY, _NEARBY], mine)
        is_centre = (rows == centre_row[:, None, None]) & (cols == centre_col[:, None, None])
        stand_out[is_mine & is_centre[:, 1:-1, 1:-1]] = 0  # near a border, its reflections too
        others.append(stand_out)
    each = np.stack(others, axis=1).reshape(-1, 4 * (2 * _NEARBY + 1) ** 2)
    lonely: NDArray[np.bool_] = mine > _LONELY * np.partition(each, -3, axis=1)[:, -3]
    return lonely


def _at(packed: Samples, places: NDArray[np.intp], offsets: Offsets) -> Samples:
    """Return the (offsets, n) samples around (2, n) places of the padded mosaic, white at most."""
    _, height, width = packed.shape
    rows, cols = (
        reflected(places[axis] + np.array(offsets)[:, axis, None], 2 * length)
        for axis, length in enumerate((height, width))
    )
    found: Samples = packed[rows % 2 * 2 + cols % 2, rows // 2, cols // 2]
    return np.minimum(found, 1)
