"""What was removed, as a picture: the source minus the output, in units of the noise's sigma.

`pair` calls it. The one thing to know: grey is no change. What a good denoiser removes is noise,
and looks like it: even, without a shape. Where the photograph can be recognised, detail went too.
"""

import numpy as np
from numpy.typing import NDArray

from fadn_cli.denoise.sensors.bayer import BAYER
from fadn_cli.denoise.sensors.sensor import Sensor
from fadn_cli.noise import NoiseModel

RANGE = 4.0
"""Sigmas from grey to black and to white."""

Picture = NDArray[np.uint8]


def removed(
    before: NDArray[np.float32],
    after: NDArray[np.float32],
    noise: NoiseModel,
    sensor: Sensor = BAYER,
) -> NDArray[np.float32]:
    """Return what was removed, in units of sigma.

    Parameters
    ----------
    before, after : (planes, h, w) float32, normalized
        Or the same part of them.
    noise : NoiseModel
        Of `before`; its sigma is taken at the levels of `after`.
    sensor : Sensor
        Whose planes they are.

    Returns
    -------
    (3, h, w) float32
        Red, green and blue, as noisy as one sample where there are several; thrice the same
        without colours. About N(0, 1) where all noise is gone.
    """
    shot, read = sensor.noise_of_planes(noise)
    std = np.sqrt(shot * np.maximum(after, 0) + read + np.float32(1e-12))
    sigmas = (before - after) / std
    shown = []
    for color in "RGB" if sensor.has_color else "YYY":
        first, *others = (sigmas[n] for n, each in enumerate(sensor.colors) if each == color)
        shown.append(sum(others, start=first) * np.float32((1 + len(others)) ** -0.5))
    return np.stack(shown)


def residual_detail(
    before: NDArray[np.float32],
    after: NDArray[np.float32],
    noise: NoiseModel,
    sensor: Sensor = BAYER,
) -> Picture:
    """Draw what was removed from a detail, every packed pixel as large as its cell.

    Parameters
    ----------
    before, after : (planes, h, w) float32, normalized

    Returns
    -------
    (cell * h, cell * w, 3) uint8
    """
    drawn = _draw(removed(before, after, noise, sensor))
    return drawn.repeat(sensor.cell, axis=0).repeat(sensor.cell, axis=1)


def residual_overview(
    before: NDArray[np.float32],
    after: NDArray[np.float32],
    noise: NoiseModel,
    sensor: Sensor = BAYER,
    *,
    longest: int,
) -> Picture:
    """Draw what was removed from the whole frame.

    Each pixel is a square of packed pixels added up, in units of the sigma that such a sum of noise
    has: noise stays as strong as it is at 100 %, and whatever has a shape stands out from it.

    Parameters
    ----------
    before, after : (planes, h, w) float32, normalized
    longest : int
        Pixels of the longer side at most.

    Returns
    -------
    (rows, columns, 3) uint8
        A margin smaller than one square is left out.
    """
    _, height, width = before.shape
    side = -(-max(height, width) // longest)
    rows, columns = height // side, width // side
    sums = np.empty((3, rows, columns), np.float32)
    for row in range(rows):  # in strips: the whole residual would be one more array of that size
        strip = (slice(None), slice(row * side, (row + 1) * side), slice(0, columns * side))
        sigmas = removed(before[strip], after[strip], noise, sensor)
        sums[:, row] = sigmas.reshape(3, side, columns, side).sum(axis=(1, 3))
    sums /= np.float32(side)
    return _draw(sums)


def _draw(sigmas: NDArray[np.float32]) -> Picture:
    """Map -RANGE..RANGE sigma to black..white, 0 to grey; (3, h, w) to (h, w, 3)."""
    scale = np.float32(127 / RANGE)
    drawn: Picture = np.clip(np.rint(128 + sigmas.transpose(1, 2, 0) * scale), 0, 255).astype(
        np.uint8
    )
    return drawn
