"""Which samples of a raw file are bad, by the word of the file itself or of the user.

`raw.source` finds them, `pipeline` has them repaired, and a DNG that keeps its opcodes gets its
marks back. The one thing to know: sites are flat indices into the full mosaic, masked borders
included: row * width + column.
"""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

Sites = NDArray[np.intp]
"""(n,) flat indices into the full mosaic, ascending, each once."""


def _none() -> Sites:
    return np.empty(0, np.intp)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Marks:
    """Samples that a file marks as bad by a value that no good one has."""

    constant: int
    """That value, as stored."""
    sites: Sites = field(default_factory=_none)
    """Where it is."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Defects:
    """The bad samples of one photograph."""

    marks: tuple[Marks, ...] = ()
    """What a DNG's FixBadPixelsConstant says; readers repair them, so they must stay marks."""
    others: Sites = field(default_factory=_none)
    """What a list names, the file's or the user's, and zeros in raws of makers that mark so."""
    warnings: tuple[str, ...] = ()
    """What could not be read or makes no sense, one sentence each."""

    @property
    def sites(self) -> Sites:
        """All of them."""
        return join_sites(self.others, *(marks.sites for marks in self.marks))

    def including(self, sites: Sites) -> "Defects":
        """Add what the user says."""
        return replace(self, others=join_sites(self.others, sites))


def join_sites(*sites: Sites) -> Sites:
    """Return all sites, ascending, each once."""
    joined: Sites = np.sort(np.concatenate([_none(), *sites])).astype(np.intp)
    return joined[np.diff(joined, prepend=-1) > 0]
