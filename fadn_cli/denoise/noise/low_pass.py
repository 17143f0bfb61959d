"""The smooth part of packed planes, of NumPy arrays and torch tensors alike.

`stabilize` takes a mosaic's level by it. The one thing to know: where several planes saw one
colour, they share their level, or each would leave its own noise in what is called smooth.
"""

from typing import Any

import numpy as np

from fadn_cli.denoise.sensors.sensor import Sensor


def low_pass(padded: Any) -> Any:
    """Return the 5x5 box mean of planes already padded by 2 on each side.

    Parameters
    ----------
    padded : (..., h+4, w+4) float32 array or tensor

    Returns
    -------
    (..., h, w) float32
    """
    height, width = padded.shape[-2] - 4, padded.shape[-1] - 4
    rows = padded[..., 0:height, :] + padded[..., 1 : height + 1, :]
    for shift in (2, 3, 4):
        rows += padded[..., shift : height + shift, :]
    total = rows[..., 0:width] + rows[..., 1 : width + 1]
    for shift in (2, 3, 4):
        total += rows[..., shift : width + shift]
    total *= np.float32(1 / 25).item()
    return total


def shared_low_pass(padded: Any) -> Any:
    """Return the 5x5 box mean of planes padded by 3 on each side, where both greens share one.

    A green's is the mean of its own and of the 6x6 box mean of the other, which lies around the
    same place of the mosaic.

    Parameters
    ----------
    padded : (..., 4, h+6, w+6) float32 array or tensor

    Returns
    -------
    (..., 4, h, w) float32
    """
    # Whole rows lie in one piece: the columns too many cost less than cutting them off first.
    level = low_pass(padded[..., 1:-1, :])[..., 1:-1]
    level[..., 1:3, :, :] *= 0.5
    # The other green's sites: half a packed pixel up and right of Gr's own, down and left of Gb's.
    level[..., 1, :, :] += box_sum(padded[..., 2, :-1, 1:], 6) * (1 / 72)
    level[..., 2, :, :] += box_sum(padded[..., 1, 1:, :-1], 6) * (1 / 72)
    return level


def color_means(planes: Any, sensor: Sensor) -> Any:
    """Return the means of the samples of each colour in every cell.

    Parameters
    ----------
    planes : (..., planes, h, w) float32 array or tensor
    sensor : Sensor
        Whose they are.

    Returns
    -------
    (..., colours, h, w) float32
        In the order of `Sensor.noise_colors`.
    """
    means = planes[..., list(range(len(sensor.noise_colors))), :, :]  # a copy, to be overwritten
    for color in range(len(sensor.noise_colors)):
        own = [plane for plane, index in enumerate(sensor.noise_index) if index == color]
        total = planes[..., own[0], :, :] + planes[..., own[1], :, :]
        for plane in own[2:]:
            total += planes[..., plane, :, :]
        means[..., color, :, :] = total * (1 / len(own))
    return means


def box_sum(padded: Any, size: int) -> Any:
    """Return the sums over size x size boxes of planes that are padded by size - 1 in all."""
    rows = _run_sum(padded.swapaxes(-1, -2), size)
    return _run_sum(rows.swapaxes(-1, -2), size)


def _run_sum(padded: Any, size: int) -> Any:
    """Return the sums of `size` neighbours along the last axis: of 2, 4, 8, ... and what lacks."""
    length = padded.shape[-1] - size + 1
    total, done, run, width = None, 0, padded, 1
    while True:
        if size & width:
            part = run[..., done : done + length]
            total = part if total is None else total + part
            done += width
        if done == size:
            return total
        run = run[..., :-width] + run[..., width:]
        width *= 2
