"""The networks' noise-normalized view of a packed mosaic, and the noise scale of their output.

`network.inference` calls it on every tile, the training on every batch: one function for NumPy
arrays and torch tensors alike, so both see the same numbers. The one thing to know: whatever the
ISO, noise has unit scale in these features and everything is bounded, negative and dark samples
included.

The network never sees raw values. It sees the high-passed mosaic in units of its noise, companded,
and the variance-stabilized brightness of each 2x2 block, companded: either at half the packed
resolution, 2x2 packed pixels unshuffled into channels (16 + 4 channels), or at the packed
resolution itself (4 + 4). Between the two, `Inputs` of the later kinds have middle bands, four
channels each: what of the noise passes the low pass, and would else be seen in brightness alone,
which spans all light there is. The network's output, shuffled back and multiplied by the smooth
noise scale, is added to the mosaic.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from fadn_cli.denoise.noise.low_pass import box_sum, color_means, low_pass, shared_low_pass
from fadn_cli.denoise.sensors.kinds import SENSORS
from fadn_cli.denoise.sensors.sensor import Sensor

BAND_RADII = (3, 8)
"""Of the box means that middle bands are taken against, in blocks of 2x2 packed pixels."""
BAND_GAINS = (2.5, 6.0)
"""What middle bands are multiplied by: noise then has a standard deviation near 0.4, as in the
high-passed mosaic."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """A kind of features: what a network was trained to see."""

    name: str
    """Of the kind, and of its number of channels."""
    unshuffle: int
    """Packed pixels per side that become one pixel of the network's grid."""
    bands: int = 0
    """Middle bands between the high-passed mosaic and brightness. Where there are any, both greens
    of a Bayer cell share one low pass."""
    kind: str = "bayer"
    """Of the sensor."""

    @property
    def sensor(self) -> Sensor:
        """Whose planes it is made of."""
        return SENSORS[self.kind]

    @property
    def levels(self) -> int:
        """Channels of brightness, the last ones of what the network sees, and of each middle
        band."""
        return len(self.sensor.noise_colors)

    @property
    def has_chessboard(self) -> bool:
        """Whether a channel after the high-passed mosaic tells odd cells from even ones."""
        return self.kind == "xtrans"

    @property
    def samples(self) -> int:
        """Channels of the high-passed mosaic, and of a residual: the samples of a grid pixel."""
        return self.sensor.planes * self.unshuffle**2

    @property
    def channels(self) -> int:
        """Channels of what the network sees."""
        return self.samples + self.has_chessboard + self.levels * (self.bands + 1)

    @property
    def low_pass_radius(self) -> int:
        """Packed pixels that the low pass reaches beyond its own."""
        return 3 if self.bands and self.kind == "bayer" else 2

    @property
    def reach(self) -> int:
        """Packed pixels that the features of a 2x2 block reach beyond it."""
        return self.low_pass_radius + 2 * sum(BAND_RADII[: self.bands])

    def low_pass(self, padded: Any) -> Any:
        """Return the level of a mosaic: (..., levels, h, w) of (..., planes, h+2r, w+2r).

        Parameters
        ----------
        padded : float32 array or tensor
            Padded by r = `low_pass_radius` on each side.
        """
        if self.kind != "bayer":
            return low_pass(color_means(padded, self.sensor))
        return shared_low_pass(padded) if self.bands else low_pass(padded)

    def of_planes(self, levels: Any) -> Any:
        """Return what each plane's level is: (..., planes, h, w) of (..., levels, h, w)."""
        if self.kind == "bayer":
            return levels
        return levels[..., list(self.sensor.noise_index), :, :]


KINDS = {
    kind.name: kind
    for kind in (
        Inputs("highpass-20", 2),
        Inputs("highpass-8", 1),
        Inputs("bands-24", 2, 1),
        Inputs("bands-28", 2, 2),
        Inputs("bands-12", 1, 1),
        Inputs("bands-16", 1, 2),
        Inputs("xtrans-13", 1, 0, "xtrans"),
        Inputs("xtrans-bands-16", 1, 1, "xtrans"),
        Inputs("xtrans-bands-19", 1, 2, "xtrans"),
        Inputs("mono-bands-18", 2, 1, "mono"),
        Inputs("mono-bands-7", 1, 2, "mono"),
    )
}
"""Every kind of features that there is, by its name."""

_LEAST_SHOT = 0.25  # of the read noise's sigma: the smallest ratio that training draws
_MOST_STABILIZED = 650.0  # 2 sqrt(1 / shot) at white for the smallest shot noise of training, 1e-5
_TINY = 1e-12  # keeps sigma positive where a camera claims no read noise at all


def chessboard(height: int, width: int) -> np.ndarray:
    """Return (height, width) float32: 1 in the even cells of an X-Trans mosaic, -1 in the odd."""
    odd = np.add.outer(np.arange(height), np.arange(width)) % 2
    return (1 - 2 * odd).astype(np.float32)


def noise_std(level: Any, shot_noise: Any, read_noise: Any) -> Any:
    """Return sigma(x) of a low-passed mosaic; finite and positive for every x, negatives too.

    Parameters
    ----------
    level : (..., levels, h, w) float32, normalized
    shot_noise, read_noise : (..., levels, 1, 1) float32, variances
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


def detail(x: Any, level: Any, std: Any) -> Any:
    """Return asinh((x - level) / (2 sigma)): noise has a standard deviation near 0.5.

    Parameters
    ----------
    x : (..., planes, h, w) float32, normalized
    level, std : (..., planes, h, w) float32
        Of each plane: of the low pass and of `noise_std`.
    """
    return arcsinh((x - level) / (2.0 * std))


def block_means(level: Any) -> Any:
    """Return the means of 2x2 packed pixels: (..., n, h/2, w/2) of (..., n, h, w), both even."""
    rows = level[..., 0::2, :] + level[..., 1::2, :]
    return (rows[..., 0::2] + rows[..., 1::2]) * 0.25


def brightness(coarse: Any, shot_noise: Any, read_noise: Any) -> Any:
    """Return 0.4 asinh(z / 4) of the stabilized `block_means` of a level, as many."""
    return 0.4 * arcsinh(stabilized(coarse, shot_noise, read_noise) * 0.25)


def middle_bands(
    coarse: Any,
    shot_noise: Any,
    read_noise: Any,
    count: int,
    pad: Callable[[Any, int], Any],
) -> list[Any]:
    """Return what of a level's block means is brighter than the mean around, in units of noise.

    Parameters
    ----------
    coarse : (..., levels, h/2, w/2) float32
        Of `block_means`.
    shot_noise, read_noise : (..., levels, 1, 1) float32, variances
    count : int
        How many bands.
    pad : callable
        Pads planes by so many blocks on every side, by reflection.

    Returns
    -------
    list of (..., levels, h/2, w/2) float32
        asinh(2.5 (level - mean over 14 x 14 packed pixels) / sigma), then
        asinh(6 (that mean - its mean over 34 x 34) / sigma).
    """
    std = noise_std(coarse, shot_noise, read_noise)
    bands = []
    for radius, gain in zip(BAND_RADII[:count], BAND_GAINS, strict=False):
        size = 2 * radius + 1
        smoother = box_sum(pad(coarse, radius), size) * (1 / size**2)
        bands.append(arcsinh((coarse - smoother) * gain / std))
        coarse = smoother
    return bands


def arcsinh(values: Any) -> Any:
    """Return the inverse hyperbolic sine of an array or a tensor."""
    if isinstance(values, np.ndarray):
        return np.arcsinh(values)
    # Torch's own takes fifteen times as long on a processor; they agree to 3e-7.
    return (values.abs() + (values * values + 1).sqrt()).log().copysign(values)
