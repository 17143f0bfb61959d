"""What samples are rounded to: the source's own steps, or finer ones that hold what it became.

`pipeline.steps` chooses them, `conversion` rounds to them, `raw` writes and checks them.
The one thing to know: a finer step is a power of two in samples and levels alike, so that nothing
becomes brighter, and what is to stay exact stays exact.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_ROWS_PER_BLOCK = 256
MOST = (1 << 16) - 1
"""The largest sample that 16 bits hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """What samples are rounded to when they are stored."""

    factor: int = 1
    """A power of two: so many steps of the output are one DN of the source."""
    dithers_below: float | None = None
    """The normalized level below which what is left of the noise is less than a step, so that the
    rounding is dithered; None if that is nowhere."""

    def variance(self, scale: float) -> float:
        """Return what rounding and dither add to the variance at black, normalized.

        Nothing where the source's own steps are kept: its noise includes them.

        Parameters
        ----------
        scale : float
            From black to white, DN of the source.
        """
        rounding = 1 / 12 / (self.factor * scale) ** 2
        if self.dithers_below is not None:
            return 2 * rounding
        return 0.0 if self.factor == 1 else rounding

    def __str__(self) -> str:
        dithered = "" if self.dithers_below is None else "-dithered"
        return f"1/{self.factor}{dithered}" if self.factor > 1 else f"1{dithered}"


SOURCE_STEPS = Steps()
"""Those of the source, as they are."""


def finest_factor(highest: float) -> int:
    """Return the largest power of two times which a level still fits 16 bits; at least 1.

    Examples
    --------
    >>> finest_factor(4095), finest_factor(16383.5), finest_factor(65536)
    (16, 4, 1)
    """
    return 1 << max(0, math.floor(math.log2(MOST / max(highest, 1.0))))


def factor_between(white: float, other_white: float) -> int:
    """Return by what power of two another white level is higher; 1 if by none.

    Examples
    --------
    >>> factor_between(1023, 32736), factor_between(1023, 3069)
    (32, 1)
    """
    factor = int(other_white / white)
    is_power = factor > 0 and factor & (factor - 1) == 0
    return factor if is_power and factor * white == other_white else 1


def own_step(samples: NDArray[np.uint16]) -> int:
    """Return by how many DN samples differ at least: 16 where 12 bits fill 16.

    Parameters
    ----------
    samples : (H, W) uint16 DN
        Of the active area.

    Examples
    --------
    >>> own_step(np.array([[7, 39], [23, 7]], np.uint16))
    16
    """
    first, step = int(samples[0, 0]), 0
    for start in range(0, len(samples), _ROWS_PER_BLOCK):
        rows = samples[start : start + _ROWS_PER_BLOCK].astype(np.int32) - first
        step = math.gcd(step, int(np.gcd.reduce(rows, axis=None)))
        if step == 1:
            break
    return step or 1
