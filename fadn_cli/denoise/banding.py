"""Rows and columns that are lifted or lowered as a whole: measured, and taken away.

`pipeline` calls it before the network, which takes bands for lines of the scene. The one thing to
know: a row's offset is the same for its two colours and all along the row, and unlike its
neighbours'. The scene is none of that: what differs along the row or between its colours, and what
leans on the rows around, is left alone.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fadn_cli.denoise.sensors.sensor import Packing
from fadn_cli.noise import NoiseModel

_SEGMENT = 32  # packed pixels: along it, a row is averaged
_LEAST_SEGMENTS = 4
_REACH = 16  # packed rows to each side that tell what the scene does there: a parabola
_FAR = 28  # where the scene lets it
_LEAST_ROWS = 16
_DARK = 0.5  # normalized: in brighter segments grain hides everything
_FLAT = 1.6  # times the variance of grain alone, around a row, segment by segment
_LEAST_FLAT = 0.25  # share of a row's segments
_SAME = 3.5  # standard errors between a row's two colours
_OUTLIER = 4.0  # robust standard deviations of all offsets
_RESTLESS = 2.0  # times the variance of all offsets, around a row: the scene leans into them
_SURE = 4.0  # standard errors of the variance
_WHITE = 0.25  # correlation of any two rows nearby: those of the scene go together
_TOGETHER = 0.5  # of the nearest eight in all

Samples = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bands:
    """The offsets of a frame's rows, or of its columns."""

    offsets: Samples
    """(2, n) normalized: of the rows through R and Gr, of those through Gb and B; or of the columns
    through R and Gb, through Gr and B. 0 where nothing is known."""
    std: float | None
    """Their standard deviation, normalized, without what grain adds; None where it cannot be told
    from the scene."""
    is_clear: bool
    """Whether they are there beyond doubt."""


def measure_rows(packed: Samples, noise: NoiseModel) -> Bands:
    """Measure how far each row is lifted.

    Parameters
    ----------
    packed : (4, h, w) float32, normalized
        Not modified.
    noise : NoiseModel
        Of `packed`: its grain.
    """
    _, height, width = packed.shape
    size = _segment(width)
    count = width // size
    level = packed[:, :, : count * size].reshape(4, height, count, size).mean(axis=3)
    return _measure(level, size, noise, (0, 1, 2, 3))


def measure_columns(packed: Samples, noise: NoiseModel) -> Bands:
    """Measure how far each column is lifted; as `measure_rows`."""
    _, height, width = packed.shape
    size = _segment(height)
    count = height // size
    level = packed[:, : count * size].reshape(4, count, size, width).mean(axis=2)
    return _measure(level.swapaxes(1, 2), size, noise, (0, 2, 1, 3))


def remove_bands(
    packed: Samples, packing: Packing, *, rows: Bands | None = None, columns: Bands | None = None
) -> None:
    """Take the offsets of rows and columns away, in place.

    Parameters
    ----------
    packed : (4, h, w) float32, normalized
        Overwritten.
    packing : Packing
        How `packed` was packed; the copies at the border follow their samples.
    rows, columns : Bands, optional
        None: left alone.
    """
    if rows is not None:
        packed.reshape(2, 2, *packed.shape[1:])[...] -= rows.offsets[:, None, :, None]
    if columns is not None:
        packed.reshape(2, 2, *packed.shape[1:])[...] -= columns.offsets[None, :, None, :]
    packing.sensor.mirror_again(packed, packing)


def _segment(length: int) -> int:
    """Return how many samples a segment of a row of that length has."""
    return max(min(_SEGMENT, length // (2 * _LEAST_SEGMENTS)), 1)


def _measure(
    level: Samples, size: int, noise: NoiseModel, planes: tuple[int, int, int, int]
) -> Bands:
    """Find bands in the means of segments, (4, rows, segments), of planes in the order given."""
    _, rows, count = level.shape
    if rows < _LEAST_ROWS or size < _LEAST_SEGMENTS:
        return Bands(offsets=np.zeros((2, rows), np.float32), std=None, is_clear=False)
    order = list(planes)
    level = level[order]
    shot, read = (x[order, None, None] for x in (noise.shot_noise, noise.read_noise))
    shape = (2, 2, rows, count)
    variance: Samples = np.asarray(
        (shot * np.maximum(level, 0) + read + np.float32(1e-12)) / size, np.float32
    ).reshape(shape)
    near = _bands(_usable(level, level - _smooth(level, _REACH), shape), variance, _REACH)
    if not near.is_clear or near.std is None:
        return near
    # the further the scene can be followed, the less of the bands is taken for it
    far = _bands(_usable(level, _far_roughness(level, near.std), shape), variance, _FAR)
    return replace(near, offsets=np.where(far.offsets != 0, far.offsets, near.offsets))


def _usable(level: Samples, rough: Samples, shape: tuple[int, int, int, int]) -> Samples:
    """Give a new shape, with nan where it is too bright."""
    return np.where(level > _DARK, np.float32(np.nan), rough).reshape(shape)


def _far_roughness(level: Samples, std: float) -> Samples:
    """Return what (4, rows, segments) differ by from the rows further around.

    Both greens see one scene: where they go apart slowly, it is the bands, unless that goes with
    the light, or in all is more than the mean of bands can be.
    """
    smooth = _smooth(level, _FAR)
    rough = level - smooth
    apart = smooth[1] - smooth[2]
    light = smooth[1:3].mean(axis=0) - smooth[1:3].mean()
    own = (apart * light).mean() / max(float(np.square(light).mean()), 1e-12)
    mean, most = float(apart.mean()), 3 * std * float(np.sqrt(2 / level.shape[1]))
    apart -= mean - min(max(mean, -most), most) + own * light
    rough[:2] += apart / 2
    rough[2:] -= apart / 2
    return rough


def _bands(rough: Samples, variance: Samples, reach: int) -> Bands:
    """Find the offsets that all of a row agrees on.

    Parameters
    ----------
    rough : (2, 2, rows, segments) float32
        By parity of the row and colour: what differs from the rows around; nan where unusable.
    variance : (2, 2, rows, segments) float32
        Of the grain in it.
    reach : int
        Rows to each side that were looked at.
    """
    weight = np.where(np.isnan(rough), 0, 1 / variance)
    rough = np.nan_to_num(rough)
    common = _median(rough, weight > 0)  # whatever less than half of the row does
    unlike = np.square(rough - common[:, None, :, None]) / variance
    flat = (_around(unlike, reach) < _FLAT) & (weight > 0)
    weight = np.where(flat, weight, 0)
    by_color, color_variance = _averages(rough, weight)
    enough = flat.mean(axis=3).min(axis=1) >= _LEAST_FLAT
    apart = by_color[:, 0] - by_color[:, 1]
    trusted = enough & (np.square(apart) < _SAME**2 * color_variance.sum(axis=1))
    offsets, error = _averages(
        rough.swapaxes(1, 2).reshape(2, rough.shape[2], -1),
        weight.swapaxes(1, 2).reshape(2, rough.shape[2], -1),
    )
    if trusted.mean() < 0.1:
        return Bands(offsets=np.zeros_like(offsets), std=None, is_clear=False)
    spread = 1.4826 * float(np.median(np.abs(offsets[trusted])))
    # what leans on several rows is the scene's, and so is what stands out
    calm = _around(np.where(trusted, offsets, spread)[..., None] ** 2, reach)[..., 0]
    trusted &= (np.abs(offsets) < _OUTLIER * spread) & (calm < _RESTLESS * spread**2)
    none = Bands(offsets=np.zeros_like(offsets), std=None, is_clear=False)
    if trusted.sum() < _LEAST_ROWS:
        return none
    std, is_sure = _strength(rough, weight, trusted)
    if is_sure and not _is_white(np.where(trusted, offsets, 0)):
        return none
    share = std**2 / np.maximum(std**2 + error, 1e-20)
    offsets -= offsets[trusted].mean()  # levels stay
    return Bands(
        offsets=np.where(trusted, share * offsets, 0).astype(np.float32),
        std=std,
        is_clear=is_sure,
    )


def _strength(rough: Samples, weight: Samples, trusted: NDArray[np.bool_]) -> tuple[float, bool]:
    """Return the offsets' standard deviation, and whether it is more than chance.

    From products of what other samples of the same row say, to which grain adds nothing.
    """
    (left, _), (right, _) = (
        _averages(rough[..., half::2], weight[..., half::2]) for half in (0, 1)
    )
    products = (left[:, 0] * right[:, 1] + left[:, 1] * right[:, 0])[trusted] / 2
    mean = float(products.mean())
    error = float(products.std() / np.sqrt(len(products)))
    return float(np.sqrt(max(mean, 0))), mean > _SURE * error


def _is_white(offsets: Samples) -> bool:
    """Tell whether rows know nothing of their neighbours, as those of a scene do."""
    in_order = offsets.T.ravel()  # as the rows lie in the mosaic
    power = float(np.square(in_order).sum())
    lags = [
        float(in_order[lag:] @ in_order[:-lag]) / max(power, 1e-20)
        for lag in range(1, min(_REACH, len(in_order) // 4) + 1)
    ]
    return max(map(abs, lags)) < _WHITE and sum(lags[: _REACH // 2]) < _TOGETHER


def _averages(x: Samples, weight: Samples) -> tuple[Samples, Samples]:
    """Return weighted means over the last axis, and their variances."""
    total = np.maximum(weight.sum(axis=-1), np.float32(1e-6))
    means: Samples = (x * weight).sum(axis=-1) / total
    return means, 1 / total


def _median(x: Samples, usable: NDArray[np.bool_]) -> Samples:
    """Return the median over colours and segments: (2, 2, rows, segments) to (2, rows)."""
    if usable.all():
        plain: Samples = np.median(x, axis=(1, 3))
        return plain
    shown = np.where(usable, x, np.nan).swapaxes(1, 2).reshape(2, x.shape[2], -1)
    shown[np.isnan(shown).all(axis=2)] = 0
    median: Samples = np.nanmedian(shown, axis=2)
    return median


def _smooth(x: Samples, reach: int) -> Samples:
    """Fit a parabola to the rows around each, and return its middle: along axis 1."""
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
    return result


def _around(x: Samples, reach: int) -> Samples:
    """Average over the rows around each: along the last axis but one, fewer at the ends."""
    rows = x.shape[-2]
    padded = np.cumsum(x, axis=-2, dtype=np.float64)
    padded = np.concatenate([np.zeros_like(padded[..., :1, :]), padded], axis=-2)
    start = np.maximum(np.arange(rows) - reach, 0)
    stop = np.minimum(np.arange(rows) + reach + 1, rows)
    total = padded[..., stop, :] - padded[..., start, :]
    means: Samples = (total / (stop - start)[:, None]).astype(np.float32)
    return means
