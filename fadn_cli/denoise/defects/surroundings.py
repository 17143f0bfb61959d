"""What lies around a sample: those of its colour, and what touches it, whatever the sensor.

`hotpixels` asks for it; `grids` knows it of Bayer and mono mosaics, `scattered` of X-Trans ones.
The one thing to know: places are rows and columns of the padded mosaic, of which a packed frame
holds the planes; what padding added is never judged, and surrounds others at most.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fadn_cli.denoise.sensors.sensor import Packing
from fadn_cli.noise import NoiseModel

Samples = NDArray[np.float32]
Index = NDArray[np.intp]
Places = NDArray[np.intp]
"""(2, n) rows and columns."""
Measure = Callable[[Samples], Samples]
Offsets = Sequence[tuple[int, int]]
"""Rows and columns of the mosaic from a site."""
Group = tuple[Offsets, Offsets]
"""Samples that are alike: those that touch a site, and those around them."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Band:
    """Some of the samples of one kind of site, and what the eight nearest of their colour bound."""

    kind: int
    """Of the sites."""
    origin: tuple[int, int]
    """Where the first sample lies in the padded mosaic; the others, a `step` from one another."""
    samples: Samples
    """(h, w) normalized, white at most."""
    lower: Samples
    """(h, w) the second smallest of the eight nearest of the colour."""
    upper: Samples
    """(h, w) the second largest of them."""


class Surroundings(ABC):
    """The surroundings of the sites of a packed frame."""

    step: int
    """Rows and columns of the mosaic after which all repeats: there are `step` x `step` kinds of
    sites, counted row by row from the padded mosaic's first."""
    groups: Sequence[Sequence[Group]]
    """By the kind of a site: what touches and surrounds it, by colour or plane."""

    def __init__(self, packed: Samples, packing: Packing) -> None:
        """Look at a frame.

        Parameters
        ----------
        packed : (planes, h, w) float32, normalized
        packing : Packing
            How it was packed.
        """
        sensor = packing.sensor
        self._packed, self._cell = packed, sensor.cell
        # two cells on each side: planes may change places from one to the next
        numbers = np.arange(sensor.planes, dtype=np.float32)[:, None, None]
        self._plane = sensor.unpack(np.tile(numbers, (2, 2))).astype(np.intp)

    def noise_of(
        self, kind: int, packing: Packing, noise: NoiseModel
    ) -> tuple[np.float32, np.float32]:
        """Return shot and read noise of a kind of site."""
        index = packing.sensor.noise_index[self._plane[divmod(kind, self.step)]]
        return noise.shot_noise[index], noise.read_noise[index]

    def sites(self, places: Places) -> Index:
        """Turn (2, n) places into (3, n) sites of the packed frame: plane, row and column."""
        rows, cols = places
        return np.stack([self._planes_of(rows, cols), rows // self._cell, cols // self._cell])

    def at(self, places: Places, offsets: Offsets) -> Samples:
        """Return the (offsets, n) samples around (2, n) places, white at most."""
        return self._look(*(places[axis] + np.array(offsets)[:, axis, None] for axis in (0, 1)))

    def _look(self, rows: Index, cols: Index) -> Samples:
        """Return samples at rows and columns, white at most."""
        rows, cols = self._inside(rows, 0), self._inside(cols, 1)
        plane = self._planes_of(rows, cols)
        found: Samples = self._packed[plane, rows // self._cell, cols // self._cell]
        return np.minimum(found, 1)

    def _planes_of(self, rows: Index, cols: Index) -> Index:
        """Return the planes that hold the samples at rows and columns."""
        period = len(self._plane)
        return self._plane[rows % period, cols % period]

    @abstractmethod
    def _inside(self, index: Index, axis: int) -> Index:
        """Turn rows (axis 0) or columns (1) that lie outside to some that show the same colour."""

    @abstractmethod
    def bands(self) -> Iterator[Band]:
        """Yield all samples that may be judged; none in a frame too small to judge by."""

    @abstractmethod
    def nearest(self, kind: int, places: Places) -> Samples:
        """Return the (8, n) samples of the colour that are nearest to (2, n) places of a kind."""

    @abstractmethod
    def stand_out(self, places: Places, measure: Measure) -> tuple[Samples, Samples]:
        """Return how far samples lie beyond the second of the eight that are nearest to each.

        Parameters
        ----------
        places : (2, n) intp
        measure : callable
            Of light or of darkness.

        Returns
        -------
        mine : (n,) float32
            Of the samples at `places`.
        others : (n, m) float32
            Of all others nearby.
        """
