"""Rows and columns that are lifted or lowered as a whole: measured, and taken away.

`pipeline` calls it before the network, which takes bands for lines of the scene. The one thing to
know: a row's offset is the same for its colours and all along the row, and unlike its
neighbours'. The scene is none of that: what differs along the row or between its colours, and what
leans on the rows around, is left alone.
"""

from dataclasses import replace

import numpy as np

from fadn_cli.denoise.agreement import LEAST_ROWS, Bands, Samples, find_offsets
from fadn_cli.denoise.roughness import far_roughness, smooth
from fadn_cli.denoise.sensors.sensor import Packing, Sensor
from fadn_cli.noise import NoiseModel

_SEGMENT = 32  # packed pixels: along it, a row is averaged
_LEAST_SEGMENTS = 4
_REACH = 32  # rows of the sensor to each side that tell what the scene does there: a parabola
_FAR = 44  # where the scene lets it
_DARK = 0.5  # normalized: in brighter segments grain hides everything


def measure_rows(packed: Samples, noise: NoiseModel, sensor: Sensor) -> Bands:
    """Measure how far each row is lifted.

    Parameters
    ----------
    packed : (planes, h, w) float32, normalized
        Not modified.
    noise : NoiseModel
        Of `packed`: its grain.
    sensor : Sensor
        Whose planes they are.
    """
    return _measure(packed, noise, sensor, columns=False)


def measure_columns(packed: Samples, noise: NoiseModel, sensor: Sensor) -> Bands:
    """Measure how far each column is lifted; as `measure_rows`."""
    return _measure(packed, noise, sensor, columns=True)


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


def _measure(packed: Samples, noise: NoiseModel, sensor: Sensor, *, columns: bool) -> Bands:
    """Find bands of rows, or of columns."""
    _, rows, length = packed.swapaxes(1, 2).shape if columns else packed.shape
    size = _segment(length) // sensor.period * sensor.period
    if rows < LEAST_ROWS or size < _LEAST_SEGMENTS:
        return Bands(offsets=np.zeros((sensor.cell, rows), np.float32), std=None, is_clear=False)
    level = sensor.line_means(packed, size, columns=columns)
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
