"""Quantiles of arrays: `numpy.quantile`, without what that imports and checks.

Whoever measures asks here. The one thing to know: numpy's own loads its masked arrays when it is
first used, which takes longer than a small photograph's noise.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def quantile(values: NDArray[Any], share: float) -> float:
    """Return the level below which a share of the values lies, linear between neighbours.

    Parameters
    ----------
    values : array, any shape
        At least one; not modified, none of them nan.
    share : float
        0 to 1.

    Examples
    --------
    >>> quantile(np.array([3.0, 1.0, 2.0]), 0.75)
    2.5
    """
    [level] = quantiles(values, (share,))
    return level


def quantiles(values: NDArray[Any], shares: Sequence[float]) -> list[float]:
    """Return several quantiles at once; see `quantile`."""
    last = values.size - 1
    places = [(int(share * last), share * last - int(share * last)) for share in shares]
    kept = sorted({at for place, _ in places for at in (place, min(place + 1, last))})
    ordered = np.partition(values, kept, axis=None)
    return [
        float(ordered[place]) * (1 - rest) + float(ordered[min(place + 1, last)]) * rest
        for place, rest in places
    ]


def medians(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the medians along the last axis, of all that is not nan: of (..., n), (...)."""
    ordered = np.sort(values, axis=-1)  # nan comes last
    last = np.count_nonzero(~np.isnan(values), axis=-1)[..., None] - 1
    around = np.concatenate([last // 2, last - last // 2], axis=-1)
    middle: NDArray[np.float32] = np.take_along_axis(ordered, around, axis=-1).mean(axis=-1)
    return middle
