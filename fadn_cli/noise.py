"""The noise of a mosaic: two variance coefficients per colour, and where they came from.

Both wings speak of it: `raw` reads it from a DNG's NoiseProfile and writes it back, `denoise`
measures it and chooses a network by it. The one thing to know: both numbers are *variances* of
normalized samples (0 = black, 1 = white), never standard deviations.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

BAYER_SITES = "RGGB"
"""The kinds of samples of a Bayer mosaic: R, Gr, Gb, B."""
MID_GREY = 0.18
"""The normalized level at which specialists are compared: photographic mid grey."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NoiseModel:
    """Poisson-Gaussian noise of normalized samples: Var(x) = shot_noise * x + read_noise.

    References
    ----------
    Foi et al., "Practical Poissonian-Gaussian noise modeling and fitting for single-image
    raw-data", IEEE TIP 17(10), 2008, doi:10.1109/TIP.2008.2001399;
    DNG 1.7.1, tag 51041 (NoiseProfile).
    """

    shot_noise: NDArray[np.float32]
    """(n,) variance per unit of signal, in the order of `colors`; positive."""
    read_noise: NDArray[np.float32]
    """(n,) variance at black, in the order of `colors`; not negative."""
    source: str
    """Where the numbers came from, in words for the user: "NoiseProfile", "measured", ..."""
    colors: str = BAYER_SITES
    """The kinds of samples that are told apart: "RGGB" the sites of a Bayer cell (R, Gr, Gb, B),
    "RGB" the colours of an X-Trans sensor, "Y" where there are none."""

    def __post_init__(self) -> None:
        count = len(self.colors)
        for name in ("shot_noise", "read_noise"):
            values: NDArray[np.float32] = np.asarray(getattr(self, name), np.float32)
            if values.shape != (count,) or not np.isfinite(values).all() or (values < 0).any():
                raise ValueError(f"{name} must be {count} finite variances >= 0, got {values!r}")
            object.__setattr__(self, name, values)

    def variance(self, level: float) -> NDArray[np.float32]:
        """Return the (n,) variances at a normalized level; levels below black count as black."""
        return self.shot_noise * np.float32(max(level, 0.0)) + self.read_noise

    @property
    def grey_std(self) -> float:
        """Standard deviation at mid grey (x = 0.18), mean of the greens: ranges specialists."""
        green = [number for number, color in enumerate(self.colors) if color in "GY"]
        return float(np.sqrt(self.variance(MID_GREY)[green].mean()))

    def of_color(self, color: str) -> tuple[float, float]:
        """Return shot and read noise of a colour: "R", "G" (the mean of both sites), "B" or "Y"."""
        own = [number for number, each in enumerate(self.colors) if each == color]
        return float(np.mean(self.shot_noise[own])), float(np.mean(self.read_noise[own]))


def noise_model(
    shot_noise: ArrayLike, read_noise: ArrayLike, *, source: str, colors: str = BAYER_SITES
) -> NoiseModel:
    """Build a NoiseModel from scalars, or a value each for `colors`.

    Examples
    --------
    >>> noise_model(1e-4, 4e-6, source="given").grey_std
    0.004690415691584349
    """
    count = (len(colors),)
    shot = np.broadcast_to(np.asarray(shot_noise, np.float32), count).copy()
    read = np.broadcast_to(np.asarray(read_noise, np.float32), count).copy()
    return NoiseModel(shot_noise=shot, read_noise=read, source=source, colors=colors)
