"""Lens shading corrected in the samples: found by the noise, which the gain has lifted too.

`pipeline` divides by the gain, denoises, and multiplies. The one thing to know: texture and light
make noise grow as well, so a gain is believed only where white noise at like levels grows from the
centre to all four corners, and a smooth gain explains it all.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fadn_cli.denoise.noise.blocks import measure_planes
from fadn_cli.denoise.sensors.bayer import BAYER
from fadn_cli.denoise.sensors.kinds import Planes
from fadn_cli.denoise.sensors.sensor import Sensor
from fadn_cli.quantiles import quantile

_ZONES = (4, 6)  # rows, columns
_PATCH = 72  # packed pixels a side of each zone that are looked at
_LEVELS = 3  # of brightness in each zone
_WEAK = 0.15  # share of their blocks, the weakest textured
_WEAK_AT_LEAST = 12
_LEAST_LEVEL = 0.004  # normalized: below, read noise is all there is, and black levels are off
_WHITE = 1.3  # times the energy at high frequencies that middle ones may have
_LEAST_ZONES = 16
_LEAST_GAIN = 1.5  # of the corners
_EXPLAINED = 0.2  # rms of log variance that the gain may leave
_BETTER = 2.5  # times as much must be left without it
_CORNER = 0.4  # log variance that each corner may be off
_REACH = 1.5  # times the levels of the centre that corners may have
_STEPS = 12
_SATURATED = 0.98
_ROWS = 256  # at once: memory must not grow with the frame

Samples = NDArray[np.float32]
Zones = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shading:
    """A gain that is 1 in the centre, and grows with the squares of the distances from it."""

    across: float
    """By how much it grows to the middle of the left and right borders, of the square's part."""
    down: float
    """The same to the top and bottom borders."""
    beyond: float
    """What grows with the fourth power."""

    @property
    def corner(self) -> float:
        """The corners' gain."""
        return max(1 + self.across + self.down + 4 * self.beyond, 0.5)

    def at(self, x: NDArray[np.floating], y: NDArray[np.floating]) -> NDArray[np.floating]:
        """Return the gain at places, from -1 to 1 across and down the frame."""
        gain = 1 + self.across * x**2 + self.down * y**2 + self.beyond * (x**2 + y**2) ** 2
        return np.maximum(gain, 0.5)

    def rows(self, start: int, stop: int, shape: tuple[int, int]) -> Samples:
        """Return the gain in rows start..stop-1 of a plane of that shape."""
        y, x = (_places(length) for length in shape)
        return np.asarray(self.at(x, y[start:stop, None]), np.float32)


def find_shading(packed: Planes, sensor: Sensor = BAYER) -> Shading | None:
    """Find the gain that lifts the noise towards the corners.

    Parameters
    ----------
    packed : (planes, h, w) float32, normalized, not clipped
        Not modified. A patch of each zone is looked at.
    sensor : Sensor
        Whose planes they are.

    Returns
    -------
    Shading or None
        None where the noise is the same everywhere, or that cannot be told.
    """
    zones = _look(packed, sensor)
    if not _are_enough(zones):
        return None
    plain, _ = _fit(zones, shaded=False)
    left, fitted = _fit(zones, shaded=True)
    across, down, beyond = (float(value) for value in fitted[2:])
    shading = Shading(across=across, down=down, beyond=beyond)
    rms, without = (float(np.sqrt(np.mean(np.square(each)))) for each in (left, plain))
    corners = [
        left[(np.sign(zones[0]) == x) & (np.sign(zones[1]) == y) & _is_corner(zones)]
        for x in (-1, 1)
        for y in (-1, 1)
    ]
    edges = 1 + across + beyond, 1 + down + beyond
    agree = all(abs(float(corner.mean())) < _CORNER for corner in corners)
    grows = shading.corner > _LEAST_GAIN and min(edges) > 1 and shading.corner > max(edges)
    explained = rms < _EXPLAINED and without > _BETTER * rms
    return shading if agree and grows and explained else None


def divide(packed: Samples, shading: Shading, *, saturated: bool) -> None:
    """Divide by the gain in place: the samples that are saturated, or those that are not.

    Parameters
    ----------
    packed : (planes, h, w) float32, normalized
        Overwritten.
    shading : Shading
        The gain.
    saturated : bool
        Which samples. Noise is measured between the two, for it leaves saturated ones out.
    """
    for rows, gain in _strips(packed, shading):
        chosen = rows >= _SATURATED if saturated else rows < _SATURATED
        np.divide(rows, gain, out=rows, where=chosen)


def _strips(packed: Samples, shading: Shading) -> Sequence[tuple[Samples, Samples]]:
    """Return views of a few rows at a time, and the gain in them."""
    _, height, width = packed.shape
    return [
        (packed[:, start : start + _ROWS], shading.rows(start, start + _ROWS, (height, width)))
        for start in range(0, height, _ROWS)
    ]


def _places(length: int) -> Samples:
    """Return where samples lie, from -1 to 1."""
    return ((np.arange(length, dtype=np.float32) + np.float32(0.5)) * 2 / length - 1).astype(
        np.float32
    )


def _look(packed: Planes, sensor: Sensor) -> Zones:
    """Return (5, N): place across and down, level, noise variance and number of blocks."""
    _, height, width = packed.shape
    down, across = _ZONES
    found = []
    for row in range(down):
        for col in range(across):
            sides = []
            for index, count, length in ((row, down, height), (col, across, width)):
                middle = (2 * index + 1) * length // (2 * count)
                half = min(_PATCH, length // count) // 2
                sides.append(slice(middle - half, middle + half))
            blocks = measure_planes(packed[:, sides[0], sides[1]], sensor)
            place = ((2 * col + 1) / across - 1, (2 * row + 1) / down - 1)
            order = np.argsort(blocks.mean, kind="stable")
            for members in np.array_split(order, _LEVELS):
                weak = _weakest(blocks.texture[members])
                if weak is None:
                    continue
                chosen = members[weak]
                level, high = float(blocks.mean[chosen].mean()), float(blocks.high[chosen].mean())
                if level > _LEAST_LEVEL and float(blocks.check[chosen].mean()) < _WHITE * high:
                    found.append((*place, level, high, len(chosen)))
    return np.array(found, np.float64).reshape(-1, 5).T


def _weakest(texture: Samples) -> NDArray[np.intp] | None:
    """Return the blocks of weakest texture; None if there are too few."""
    count = max(round(_WEAK * len(texture)), _WEAK_AT_LEAST)
    return np.argsort(texture, kind="stable")[:count] if len(texture) >= 2 * count else None


def _are_enough(zones: Zones) -> bool:
    """Tell whether centre and corners were seen, at like levels."""
    x, y, level = zones[:3]
    corner = _is_corner(zones)
    centre = (np.abs(x) < 0.4) & (np.abs(y) < 0.4)
    seen = {(a, b) for a, b in zip(x, y, strict=True)}
    if len(seen) < _LEAST_ZONES or np.count_nonzero(centre) < 2:
        return False
    if len({(a, b) for a, b in zip(x[corner], y[corner], strict=True)}) < 4:
        return False
    low, high = level[centre].min() / _REACH, level[centre].max() * _REACH
    return bool(np.mean((level[corner] > low) & (level[corner] < high)) >= 0.5)


def _is_corner(zones: Zones) -> NDArray[np.bool_]:
    """Tell which are the zones of the corners."""
    corner: NDArray[np.bool_] = (np.abs(zones[0]) > 0.7) & (np.abs(zones[1]) > 0.6)
    return corner


def _fit(zones: Zones, *, shaded: bool) -> tuple[Zones, Zones]:
    """Fit log variance = log(g shot x + g^2 read); return what it leaves, and the parameters."""
    x, y, level, variance, count = zones
    terms = np.stack([x**2, y**2, (x**2 + y**2) ** 2])
    ratio = quantile(variance / level, 0.5)
    values = np.array([np.log(ratio), np.log(ratio * 0.02), 0.0, 0.0, 0.0])
    left = np.zeros_like(level)
    for _ in range(_STEPS):
        gain = np.maximum(1 + values[2:] @ terms, 0.3)
        shot, read = np.exp(values[0]) * level * gain, np.exp(values[1]) * gain**2
        model = shot + read
        left = np.log(variance / model)
        slope = (shot + 2 * read) / model / gain * terms
        rows = np.concatenate([np.stack([shot, read]) / model, slope if shaded else 0 * slope])
        # texture only adds: what lies above counts less
        weight = np.where(left > 0.15, 0.15 / np.maximum(left, 0.15), 1) * np.sqrt(count)
        damping = np.diag([0.1, 0.3, 0.1, 0.1, 0.3])
        matrix = np.concatenate([(rows * weight).T, damping])
        change = np.linalg.lstsq(matrix, np.append(left * weight, np.zeros(5)), rcond=None)[0]
        values = values + np.clip(change, -1, 1)
    return left, values
