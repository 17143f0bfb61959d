"""The noise of a mosaic: two variance coefficients per colour, and where they came from.

Both wings speak of it: `raw` reads it from a DNG's NoiseProfile and writes it back, `denoise`
measures it and chooses a network by it. The one thing to know: both numbers are *variances* of
normalized samples (0 = black, 1 = white), never standard deviations.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

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
    """(4,) variance per unit of signal, order R, Gr, Gb, B; positive."""
    read_noise: NDArray[np.float32]
    """(4,) variance at black, order R, Gr, Gb, B; not negative."""
    source: str
    """Where the numbers came from, in words for the user: "NoiseProfile", "measured", ..."""

    def __post_init__(self) -> None:
        for name in ("shot_noise", "read_noise"):
            values: NDArray[np.float32] = np.asarray(getattr(self, name), np.float32)
            if values.shape != (4,) or not np.isfinite(values).all() or (values < 0).any():
                raise ValueError(f"{name} must be four finite variances >= 0, got {values!r}")
            object.__setattr__(self, name, values)

    def variance(self, level: float) -> NDArray[np.float32]:
        """Return the (4,) variances at a normalized level; levels below black count as black."""
        return self.shot_noise * np.float32(max(level, 0.0)) + self.read_noise

    @property
    def grey_std(self) -> float:
        """Standard deviation at mid grey (x = 0.18), mean of the greens: ranges specialists."""
        return float(np.sqrt(self.variance(MID_GREY)[1:3].mean()))


def noise_model(shot_noise: ArrayLike, read_noise: ArrayLike, *, source: str) -> NoiseModel:
    """Build a NoiseModel from scalars or four values each.

    Examples
    --------
    >>> noise_model(1e-4, 4e-6, source="given").grey_std
    0.004690415691584349
    """
    shot = np.broadcast_to(np.asarray(shot_noise, np.float32), (4,)).copy()
    read = np.broadcast_to(np.asarray(read_noise, np.float32), (4,)).copy()
    return NoiseModel(shot_noise=shot, read_noise=read, source=source)
