"""Rows and columns that are lifted or lowered as a whole: measured, and taken away.

`pipeline` calls it before the network, which takes bands for lines of the scene. The one thing to
know: a row's offset is the same for its colours and all along the row, and unlike its
neighbours'. The scene is none of that: what differs along the row or between its colours, and what
leans on the rows around, is left alone.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from fadn_cli.denoise.agreement import LEAST_ROWS, Bands, Samples, find_offsets
from fadn_cli.denoise.roughness import far_roughness, smooth
from fadn_cli.denoise.sensors.kinds import Planes
from fadn_cli.denoise.sensors.sensor import Packing, Sensor
from fadn_cli.noise import NoiseModel
from fadn_cli.system.cores import usable_threads

_SEGMENT = 32  # packed pixels: along it, a row is averaged
_LEAST_SEGMENTS = 4
_ROWS = 64  # packed, at a time: they stay in the processor's cache
_REACH = 32  # rows of the sensor to each side that tell what the scene does there: a parabola
_FAR = 44  # where the scene lets it
_DARK = 0.5  # normalized: in brighter segments grain hides everything


class Levels(NamedTuple):
    """Means of a frame's rows and columns, segment by segment: see `Sensor.line_means`."""

    shape: tuple[int, ...]
    """Of the frame."""
    rows: Samples
    """(cell, 2, h, segments) normalized; no segments where the frame is too narrow."""
    columns: Samples
    """(cell, 2, w, segments) normalized; no segments where it is too low."""


def line_levels(packed: Planes, sensor: Sensor, threads: int | None = 1) -> Levels:
    """Average a frame's rows and columns, in one pass over it.

    Parameters
    ----------
    packed : Planes
    sensor : Sensor
        Whose planes they are.
    threads : int, optional
        How many to work with; all cores the process may use if None.
    """
    _, height, width = packed.shape
    down, across = (_segment(length) // sensor.period * sensor.period for length in (height, width))
    step = down * max(_ROWS // down, 1) if down else _ROWS // sensor.period * sensor.period

    def average(top: int) -> tuple[Samples, Samples]:
        rows = packed[:, top : top + step]
        whole = rows.shape[1] // down * down if down else 0
        by_row, by_column = _none(sensor, rows, 1), _none(sensor, rows, 2)
        if across:
            by_row = sensor.line_means(rows, across, columns=False)
        if whole:
            by_column = sensor.line_means(rows[:, :whole], down, columns=True)
        return by_row, by_column

    with ThreadPoolExecutor(usable_threads(threads)) as pool:
        parts = list(pool.map(average, range(0, height, step)))
    rows, columns = zip(*parts, strict=True)
    return Levels(packed.shape, np.concatenate(rows, axis=2), np.concatenate(columns, axis=3))


def _none(sensor: Sensor, rows: Samples, axis: int) -> Samples:
    """Return what there is of lines that are too short for segments."""
    return np.empty((sensor.cell, 2, rows.shape[axis], 0), np.float32)


def measure_rows(levels: Levels, noise: NoiseModel, sensor: Sensor) -> Bands:
    """Measure how far each row is lifted.

    Parameters
    ----------
    levels : Levels
        Of the frame.
    noise : NoiseModel
        Of the frame: its grain.
    sensor : Sensor
        Whose planes it has.
    """
    return _measure(levels.rows, levels.shape[2], noise, sensor, columns=False)


def measure_columns(levels: Levels, noise: NoiseModel, sensor: Sensor) -> Bands:
    """Measure how far each column is lifted; as `measure_rows`."""
    return _measure(levels.columns, levels.shape[1], noise, sensor, columns=True)


def remove_bands(
    packed: Samples, packing: Packing, *, rows: Bands | None = None, columns: Bands | None = None
) -> None:
    """Take the offsets of rows and columns away, in place.

    Parameters
    ----------
    packed : (planes, h, w) float32, normalized
        Overwritten.
    packing : Packing
        How `packed` was packed; the copies at the border follow their samples.
    rows, columns : Bands, optional
        None: left alone.
    """
    if rows is not None:
        packing.sensor.lower(packed, rows.offsets, columns=False)
    if columns is not None:
        packing.sensor.lower(packed, columns.offsets, columns=True)
    packing.sensor.mirror_again(packed, packing)


def _measure(
    level: Samples, length: int, noise: NoiseModel, sensor: Sensor, *, columns: bool
) -> Bands:
    """Find bands of rows of that length, or of columns."""
    rows, size = level.shape[2], _segment(length) // sensor.period * sensor.period
    if rows < LEAST_ROWS or size < _LEAST_SEGMENTS:
        return Bands(offsets=np.zeros((sensor.cell, rows), np.float32), std=None, is_clear=False)
    variance = _grain(level, size, noise, sensor, columns=columns)
    reach, far_reach = (-(-each // sensor.cell) for each in (_REACH, _FAR))
    near = find_offsets(_usable(level, level - smooth(level, reach)), variance, reach)
    if not near.is_clear or near.std is None:
        return near
    # the further the scene can be followed, the less of the bands is taken for it
    greens = sensor.greens_of_lines(columns=columns)
    dark = np.asarray(level.max(axis=(0, 1, 2)) <= _DARK)
    rough = far_roughness(level, variance, near.std, far_reach, greens, dark)
    far = find_offsets(_usable(level, rough), variance, far_reach)
    return replace(near, offsets=np.where(far.offsets != 0, far.offsets, near.offsets))


def _segment(length: int) -> int:
    """Return how many samples of a plane a segment of a row of that length has."""
    return max(min(_SEGMENT, length // (2 * _LEAST_SEGMENTS)), 1)


def _grain(
    level: Samples, size: int, noise: NoiseModel, sensor: Sensor, *, columns: bool
) -> Samples:
    """Return the variance that grain gives the means of segments, of their shape."""
    shot, read = sensor.noise_of_planes(noise)
    variance = np.empty_like(level)
    for line, groups in enumerate(sensor.lines(columns=columns)):
        for which, group in enumerate(groups):
            gain, least = (x[list(group.planes)].mean(axis=0) for x in (shot, read))
            own = gain * np.maximum(level[line, which], 0) + least + np.float32(1e-12)
            variance[line, which] = own / (size * group.samples)
    return variance


def _usable(level: Samples, rough: Samples) -> Samples:
    """Give nan where it is too bright."""
    return np.where(level > _DARK, np.float32(np.nan), rough)
