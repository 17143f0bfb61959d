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

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fadn_cli.denoise.defects.grids import BayerGrids, MonoGrid
from fadn_cli.denoise.defects.scattered import Scattered
from fadn_cli.denoise.defects.surroundings import (
    Band,
    Index,
    Measure,
    Places,
    Samples,
    Surroundings,
)
from fadn_cli.denoise.sensors.sensor import Packing
from fadn_cli.noise import NoiseModel

_NOISE = 5.0  # sigma beyond all neighbours but one: noise alone does that once in 10^8 samples
_TEXTURE = 1.25
_LIGHT = 3.0
_LONELY = 5.0
_BLACK = 0.002  # at least: darkness is counted from there, black levels are off by as much
_AROUND: dict[str, type[Surroundings]] = {
    "bayer": BayerGrids,
    "xtrans": Scattered,
    "mono": MonoGrid,
}
"""By the kind of a sensor."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Defects:
    """Isolated defects of a packed frame, and what belongs in their place."""

    sites: NDArray[np.intp]
    """(3, n) plane, row and column in the packed frame, ascending."""
    values: NDArray[np.float32]
    """(n,) normalized: the median of the eight nearest samples of the colour."""


def repair_defects(packed: NDArray[np.float32], packing: Packing, noise: NoiseModel) -> int:
    """Replace isolated defects by what their neighbours of the same colour say, in place.

    Parameters
    ----------
    packed : (planes, h, w) float32, normalized
        Overwritten where there are defects.
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
    packed : (planes, h, w) float32, normalized
        Not modified. What lies above white counts as white, and a saturated
        sample is judged only if no neighbour of its colour is saturated too.
    packing : Packing
        How `packed` was packed; the copies at the border are not judged.
    noise : NoiseModel
        Of `packed`.

    Returns
    -------
    Defects
        None in a frame too small to judge by: of fewer than five samples of a plane a side.
    """
    around = _AROUND[packing.sensor.kind](packed, packing)
    sites = [np.empty((3, 0), np.intp)]
    values = [np.empty(0, np.float32)]
    for band in around.bands():
        shot, read = around.noise_of(band.kind, packing, noise)
        black = max(4 * float(np.sqrt(read)), 2 * float(shot), _BLACK)
        row, col = _standing_out(band, shot, read)
        if not row.size:
            continue
        first_row, first_col = band.origin
        places = np.stack([first_row + around.step * row, first_col + around.step * col])
        nearest = around.nearest(band.kind, places)
        sample, level = band.samples[row, col], np.median(nearest, axis=0)
        # what is saturated beside another saturated sample is light
        is_alone = (sample < 1) | (nearest.max(axis=0) < 1)
        for is_kind, measure in ((sample > level, _light), (sample < level, _darkness(black))):
            kept = np.flatnonzero(is_kind & is_alone)
            distance = measure(sample[kept]) - measure(level[kept])
            kept = kept[_are_unexplained(around, band.kind, places[:, kept], distance, measure)]
            kept = kept[_are_lonely(around, places[:, kept], measure)]
            sites.append(around.sites(places[:, kept]))
            values.append(level[kept])
    together = np.concatenate(sites, axis=1)
    order = np.lexsort(together[::-1])  # the bands must not show
    return Defects(sites=together[:, order], values=np.concatenate(values)[order])


def _standing_out(band: Band, shot: np.float32, read: np.float32) -> tuple[Index, Index]:
    """Return rows and columns of a band that lie beyond all of their eight nearest but one.

    By more than the differences among these, the outermost on each side left out since another
    defect may be there; or darker than half of them. And by more than noise explains.
    """
    centre, lower, upper = band.samples, band.lower, band.upper
    least = _NOISE * np.sqrt(read)
    differences = upper - lower
    stands_out = centre - upper > np.maximum(differences, least)
    stands_out |= lower - centre > np.maximum(np.minimum(differences, lower / 2), least)
    rows, cols = np.nonzero(stands_out)
    sample, low, high = (each[rows, cols] for each in (centre, lower, upper))
    rival = np.where(sample > high, high, low)
    # halfway: the noise of a count far above the level is greater than the level's own
    variance = shot * np.maximum((sample + rival) / 2, 0) + read
    kept = (sample - rival) ** 2 > _NOISE**2 * variance
    return rows[kept], cols[kept]


def _light(x: Samples) -> Samples:
    """Measure light by how much there is: a star adds to whatever else is there."""
    return x


def _darkness(black: float) -> Measure:
    """Measure darkness by how many times less light there is: small dark things are never black."""
    return lambda x: -np.log(np.maximum(x, 0) + np.float32(black))


def _are_unexplained(
    around: Surroundings, kind: int, places: Places, distance: Samples, measure: Measure
) -> Index:
    """Return which places lie further from their neighbours than what is seen beside explains.

    Texture is the largest difference among the samples of a group around the place, the outermost
    on each side left out. Light is by how much the eight samples that touch the place exceed, in
    sum, all but one of those around them in their groups.
    """
    left = np.arange(len(distance))
    texture, light = np.zeros((2, len(distance)), np.float32)
    for near, far in around.groups[kind]:
        touching, beyond = (measure(around.at(places[:, left], each)) for each in (near, far))
        light += np.maximum(touching - np.partition(beyond, -2, axis=0)[-2], 0).sum(axis=0)
        ordered = np.sort(np.concatenate([touching, beyond]), axis=0)
        texture = np.maximum(texture, ordered[-2] - ordered[1])
        further = distance[left] > _TEXTURE * texture + _LIGHT * light
        left, texture, light = left[further], texture[further], light[further]
    return left


def _are_lonely(around: Surroundings, places: Places, measure: Measure) -> NDArray[np.bool_]:
    """Tell whether places stand out five times as far as all but two of those nearby.

    In fine texture many do; around a defect none does but, by chance, another defect.
    """
    mine, others = around.stand_out(places, measure)
    lonely: NDArray[np.bool_] = mine > _LONELY * np.partition(others, -3, axis=1)[:, -3]
    return lonely
