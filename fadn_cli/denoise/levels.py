"""Keep brightness and colour where they were: the noise has no mean, so nothing may be lost with
it.

`frame` calls it after the network. The one thing to know: a network, an int8 one above all, is off
by some hundredths of sigma, differently in every plane, and over a whole picture that is a colour
cast. The mean of what was removed, block by block, is put back.

Binning by the denoised brightness instead, over the whole frame, was tried: in dark frames a low
value is partly low noise, and the correction then makes the shift it should remove.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fadn_cli.denoise.sensors.bayer import BAYER
from fadn_cli.denoise.sensors.kinds import Frame
from fadn_cli.denoise.sensors.sensor import Sensor
from fadn_cli.noise import NoiseModel

BLOCK = 64
"""Packed pixels per side: a block's mean noise is 1/64 sigma, far below what denoising leaves."""
_OUTLIER = 5.0  # sigma: hot pixels are removed for good, their light is not brightness
_NEAR_WHITE = 3.0  # sigma below white: above that the noise itself is clipped and has a mean
_LEAST_SHARE = 0.25  # of a block's samples: with fewer left, nothing is known of its mean


class Strip(NamedTuple):
    """Some rows of a frame, before and after."""

    start: int
    """Which row of the frame is the first."""
    before: NDArray[np.float32]
    """(planes, n, w) normalized: not to be written to."""
    after: NDArray[np.float32]
    """(planes, n, w) normalized."""


def keep_levels(
    frame: Frame,
    denoised: Iterable[tuple[int, NDArray[np.float32]]],
    noise: NoiseModel,
    sensor: Sensor = BAYER,
) -> Iterator[Strip]:
    """Put the local mean of what was removed back.

    Parameters
    ----------
    frame : Frame
        The source.
    denoised : iterable of (start, rows)
        What became of all of its rows, as they come; overwritten.
    noise : NoiseModel
        Of the source.
    sensor : Sensor
        Whose planes they are.

    Yields
    ------
    Strip
        A row of blocks, once the one below it is known.
    """
    _, height, width = frame.shape
    starts, row_weights = _axis(height)
    col_starts, col_weights = _axis(width)
    edges = [*starts, height]
    waiting: deque[Strip] = deque()
    means: dict[int, NDArray[np.float32]] = {}  # by row of blocks: (planes, w)
    for block, after in enumerate(_rows_of(edges, denoised)):
        start = int(edges[block])
        strip = Strip(start, frame.rows(start, start + after.shape[1]), after)
        waiting.append(strip)
        found = [
            _block_means(old, new, col_starts, noise.shot_noise[kind], noise.read_noise[kind])
            for old, new, kind in zip(strip.before, after, sensor.noise_index, strict=True)
        ]
        means[block] = np.stack(found) @ col_weights
        if block:
            yield _levelled(waiting.popleft(), means, row_weights, block - 1)
            means.pop(block - 2, None)
    yield _levelled(waiting.popleft(), means, row_weights, len(starts) - 1)


def _rows_of(
    edges: Sequence[int], strips: Iterable[tuple[int, NDArray[np.float32]]]
) -> Iterator[NDArray[np.float32]]:
    """Cut rows that come in strips at other edges."""
    parts: list[NDArray[np.float32]] = []
    height, at = 0, 1
    for _, rows in strips:
        while rows.shape[1]:
            wanted = edges[at] - edges[at - 1] - height
            # A copy: what has to wait must not keep all of its strip in memory.
            parts.append(rows[:, :wanted].copy())
            height, rows = height + parts[-1].shape[1], rows[:, wanted:]
            if edges[at - 1] + height == edges[at]:
                yield parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)
                parts, height, at = [], 0, at + 1
        del rows  # even an empty rest keeps all of the strip in memory


def _levelled(
    strip: Strip,
    means: Mapping[int, NDArray[np.float32]],
    weights: NDArray[np.float32],
    block: int,
) -> Strip:
    """Add what a row of blocks and its neighbours lack, from line to line between their centres."""
    rows = slice(strip.start, strip.start + strip.after.shape[1])
    for near in range(block - 1, block + 2):
        if near in means:
            share = weights[near, rows, None]
            for plane, lacking in zip(strip.after, means[near], strict=True):
                plane += share * lacking
    return strip


def _block_means(
    before: NDArray[np.float32],
    after: NDArray[np.float32],
    col_starts: NDArray[np.intp],
    shot: np.float32,
    read: np.float32,
) -> NDArray[np.float32]:
    """Return the mean removed in each block of one row of blocks; 0 where too little is usable."""
    removed = before - after
    limit = np.maximum(after, 0)
    limit *= _OUTLIER**2 * shot
    limit += _OUTLIER**2 * read
    usable = removed * removed < limit
    usable &= after < 1 - _NEAR_WHITE * np.sqrt(shot + read)
    np.copyto(removed, 0, where=~usable)
    counts = np.add.reduceat(usable.view(np.uint8).sum(axis=0, dtype=np.int32), col_starts)
    sums = np.add.reduceat(removed.sum(axis=0), col_starts)
    sizes = np.diff(np.append(col_starts, after.shape[1])) * after.shape[0]
    enough = counts > _LEAST_SHARE * sizes
    return np.where(enough, sums / np.maximum(counts, 1), 0).astype(np.float32)


def _axis(length: int) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Return the blocks' starts along a side, and the (blocks, length) linear interpolation."""
    count = max(1, round(length / BLOCK))
    edges = np.linspace(0, length, count + 1).astype(np.intp)
    centres = (edges[:-1] + edges[1:]) / 2
    places = np.arange(length) + 0.5
    weights = np.stack([np.interp(places, centres, unit) for unit in np.eye(count)])
    return edges[:-1], weights.astype(np.float32)


class MeanShift:
    """How far means move, summed up strip by strip.

    Parameters
    ----------
    sensor : Sensor
        Whose planes they are.
    """

    def __init__(self, sensor: Sensor = BAYER) -> None:
        self._sensor, self._samples = sensor, 0
        # float64 sums: six million float32 terms would drift.
        self._sums = np.zeros((2, sensor.planes), np.float64)

    def add(self, strip: Strip) -> None:
        """Take some rows into account."""
        self._samples += strip.after[0].size
        for total, rows in zip(self._sums, (strip.before, strip.after), strict=True):
            total += rows.sum(axis=2).sum(axis=1, dtype=np.float64)

    def in_sigma(self, noise: NoiseModel) -> tuple[float, ...]:
        """Return the shift of each of the sensor's `noise_colors`, in sigma at that mean."""
        index = np.array(self._sensor.noise_index)
        count = np.bincount(index) * self._samples
        old, new = (np.bincount(index, total) / count for total in self._sums)
        std = np.sqrt(noise.shot_noise * np.maximum(old, 0) + noise.read_noise)
        return tuple(float(value) for value in (new - old) / np.maximum(std, 1e-12))
