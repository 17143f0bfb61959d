"""A DNG's marks of bad pixels, put back where they were, and nowhere else.

`splice` writes what `mark` returns, `pipeline` checks the file against it. The one thing to know: a
reader takes every sample of FixBadPixelsConstant's value for bad, so no good one may have it.

References
----------
DNG 1.7.1, chapter 7: FixBadPixelsConstant.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fadn_cli.mosaic.defects import Marks
from fadn_cli.mosaic.values import Mosaic

_HIGHEST = 65535


class Marked(NamedTuple):
    """A mosaic as it is to be stored, and what its marks are."""

    mosaic: Mosaic
    """With the marks in it; the given one where there are none."""
    constants: Mapping[int, int]
    """By a constant of the source: what marks bad samples now. Opcodes must say the same."""


def mark(mosaic: Mosaic, marks: Sequence[Marks], *, factor: int = 1) -> Marked:
    """Put a file's marks back into samples that were repaired.

    Parameters
    ----------
    mosaic : Mosaic
        As it would be stored, levels and samples times `factor`. Not modified.
    marks : sequence of Marks
        Of the source.
    factor : int
        What the constants are multiplied by. One that does not fit then is replaced by a value
        that no sample has, or that the fewest have.

    Returns
    -------
    Marked
        Good samples of the active area that had the value of a mark have the nearest other one.
    """
    if not marks:
        return Marked(mosaic, {})
    samples = mosaic.samples.copy()
    constants = {each.constant: each.constant * factor for each in marks}
    if factor > 1 and max(constants.values()) > _HIGHEST:
        free = _least_used(samples, {value for value in constants.values() if value <= _HIGHEST})
        constants = {old: new if new <= _HIGHEST else free for old, new in constants.items()}
    for constant in constants.values():
        _avoid(samples[mosaic.active_area.slices], constant, constants.values(), mosaic.white_level)
    for each in marks:
        samples.ravel()[each.sites] = constants[each.constant]
    return Marked(replace(mosaic, samples=samples), constants)


def _least_used(samples: NDArray[np.uint16], taken: Collection[int]) -> int:
    """Return the highest value that the fewest samples have, and that is not taken."""
    counts = np.bincount(samples.ravel(), minlength=_HIGHEST + 1)
    counts[list(taken)] = samples.size + 1
    return int(_HIGHEST - np.argmin(counts[::-1]))


def _avoid(
    samples: NDArray[np.uint16], constant: int, constants: Collection[int], white_level: float
) -> None:
    """Give samples of a value the nearest other one, in place: up or down, cell by cell in turn."""
    rows, cols = np.nonzero(samples == constant)
    if not rows.size:
        return
    above, below = constant + 1, constant - 1
    while above in constants:
        above += 1
    while below in constants:
        below -= 1
    if below < 0:
        below = above
    elif above > min(int(white_level), _HIGHEST):
        above = below
    samples[rows, cols] = np.where((rows // 2 + cols // 2) % 2, above, below)
