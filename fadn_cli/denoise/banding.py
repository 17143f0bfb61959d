"""Rows and columns that are lifted or lowered as a whole: measured, and taken away.

`pipeline` calls it before the network, which takes bands for lines of the scene. The one thing to
know: a row's offset is the same for its colours and all along the row, and unlike its
neighbours'. The scene is none of that: what differs along the row or between its colours, and what
leans on the rows around, is left alone.
"""

from dataclasses import replace
from itertools import combinations

import numpy as np

from fadn_cli.denoise.agreement import LEAST_ROWS, Bands, Samples, find_offsets
from fadn_cli.denoise.sensors.sensor import Packing, Sensor
from fadn_cli.noise import NoiseModel

_SEGMENT = 32  # packed pixels: along it, a row is averaged
_LEAST_SEGMENTS = 4
_REACH = 32  # rows of the sensor to each side that tell what the scene does there: a parabola
_FAR = 56  # where the scene lets it
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
    near = find_offsets(_usable(level, level - _smooth(level, reach)), variance, reach)
    if not near.is_clear or near.std is None:
        return near
    # the further the scene can be followed, the less of the bands is taken for it
    rough = _far_roughness(level, near.std, far_reach, sensor.greens_of_lines(columns=columns))
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


def _far_roughness(level: Samples, std: float, reach: int, greens: tuple[int, ...]) -> Samples:
    """Return what (lines, 2, rows, segments) differ by from the rows further around.

    The greens of all lines see one scene: where they go apart slowly, it is the bands, unless that
    goes with the light, or in all is more than the mean of bands can be.
    """
    smooth = _smooth(level, reach)
    rough = level - smooth
    green: Samples = smooth[list(range(len(level))), list(greens)]  # (lines, rows, segments)
    light = green.mean(axis=0) - green.mean()
    power = max(float(np.square(light).mean()), 1e-12)
    most = 3 * std * float(np.sqrt(2 / level.shape[2]))
    for one, other in combinations(range(len(level)), 2):
        apart = green[one] - green[other]
        own, mean = (apart * light).mean() / power, float(apart.mean())
        apart -= mean - min(max(mean, -most), most) + own * light
        rough[one] += apart / len(level)
        rough[other] -= apart / len(level)
    return rough


def _smooth(x: Samples, reach: int) -> Samples:
    """Fit a parabola to the rows around each, and return its middle: along axis 2 of 4."""
    shape = x.shape
    x = x.reshape(-1, *shape[2:])
    rows = x.shape[1]
    reach = min(reach, (rows - 1) // 2)
    places = np.arange(-reach, reach + 1, dtype=np.float32) / reach
    powers = np.stack([np.ones_like(places), places, places**2])
    fit = (powers.T @ np.linalg.inv(powers @ powers.T) @ powers).astype(np.float32)
    result = np.empty_like(x)
    inner = result[:, reach : rows - reach]
    inner[...] = 0
    for place, share in enumerate(fit[reach]):
        inner += share * x[:, place : place + rows - 2 * reach]
    result[:, :reach] = np.einsum("ij,pjn->pin", fit[:reach], x[:, : 2 * reach + 1])
    result[:, rows - reach :] = np.einsum("ij,pjn->pin", fit[reach + 1 :], x[:, -2 * reach - 1 :])
    return result.reshape(shape)
