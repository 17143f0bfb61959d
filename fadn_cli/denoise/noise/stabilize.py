"""The networks' noise-normalized view of a packed mosaic, and the noise scale of their output.

`network.inference` calls it on every tile, the training on every batch: one function for NumPy
arrays and torch tensors alike, so both see the same numbers. The one thing to know: whatever the
ISO, noise has unit scale in these features and everything is bounded, negative and dark samples
included.

The network never sees raw values. It sees the high-passed mosaic in units of its noise, companded,
and the variance-stabilized brightness of each 2x2 block, companded: either at half the packed
resolution, 2x2 packed pixels unshuffled into channels (16 + 4 channels), or at the packed
resolution itself (4 + 4). Its output, shuffled back and multiplied by the smooth noise scale, is
added to the mosaic.
"""

from typing import Any

import numpy as np

UNSHUFFLE = {"highpass-20": 2, "highpass-8": 1}
"""Packed pixels per side that become one pixel of the network's grid, by the features' name."""
BRIGHTNESS_CHANNELS = 4
"""The last channels of what the network sees, one for each plane."""
LOW_PASS_RADIUS = 2
"""Packed pixels the features reach beyond their own."""

_LEAST_SHOT = 0.25  # of the read noise's sigma: the smallest ratio that training draws
_MOST_STABILIZED = 650.0  # 2 sqrt(1 / shot) at white for the smallest shot noise of training, 1e-5
_TINY = 1e-12  # keeps sigma positive where a camera claims no read noise at all


def output_channels(unshuffle: int) -> int:
    """Return the channels of a residual: all samples of a grid pixel's packed pixels."""
    return 4 * unshuffle**2


def feature_channels(unshuffle: int) -> int:
    """Return the channels of what the network sees: as many high-passed ones, and brightness."""
    return output_channels(unshuffle) + BRIGHTNESS_CHANNELS


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


def noise_std(level: Any, shot_noise: Any, read_noise: Any) -> Any:
    """Return sigma(x) of a low-passed mosaic; finite and positive for every x, negatives too.

    Parameters
    ----------
    level : (..., 4, h, w) float32, normalized
    shot_noise, read_noise : (..., 4, 1, 1) float32, variances
    """
    return (shot_noise * level.clip(min=0.0) + (read_noise + _TINY)) ** 0.5


def stabilized(level: Any, shot_noise: Any, read_noise: Any) -> Any:
    """Return the generalised Anscombe transform of a level: brightness in units of its noise.

    Kept to what training has shown the networks: where shot noise all but vanishes beside read
    noise the transform would grow without bound, and so it would in light far beyond any sensor's.

    References
    ----------
    Makitalo and Foi, "Optimal inversion of the generalized Anscombe transformation for
    Poisson-Gaussian noise", IEEE TIP 22(1), 2013, doi:10.1109/TIP.2012.2202675.
    """
    shot = shot_noise.clip(min=_LEAST_SHOT * read_noise**0.5 + _TINY)
    inside = shot * level + (0.375 * shot * shot + read_noise)
    return (2.0 * inside.clip(min=0.0) ** 0.5 / shot).clip(max=_MOST_STABILIZED)


def features(x: Any, level: Any, std: Any, shot_noise: Any, read_noise: Any) -> tuple[Any, Any]:
    """Return what the network sees, before both parts have the resolution of its grid.

    Parameters
    ----------
    x : (..., 4, h, w) float32, normalized
        h and w even.
    level, std : (..., 4, h, w) float32
        Of `low_pass` and `noise_std`.
    shot_noise, read_noise : (..., 4, 1, 1) float32, variances

    Returns
    -------
    detail : (..., 4, h, w) float32
        asinh((x - level) / (2 sigma)): noise has a standard deviation near 0.5.
    brightness : (..., 4, h/2, w/2) float32
        0.4 asinh(z / 4) of the stabilized 2x2 mean level.
    """
    detail = arcsinh((x - level) / (2.0 * std))
    rows = level[..., 0::2, :] + level[..., 1::2, :]
    coarse = (rows[..., 0::2] + rows[..., 1::2]) * 0.25
    brightness = 0.4 * arcsinh(stabilized(coarse, shot_noise, read_noise) * 0.25)
    return detail, brightness


def arcsinh(values: Any) -> Any:
    """Return the inverse hyperbolic sine of an array or a tensor."""
    return np.arcsinh(values) if isinstance(values, np.ndarray) else values.arcsinh()
