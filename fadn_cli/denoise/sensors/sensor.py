"""What all kinds of sensors have in common: a mosaic into planes of its colours, and back.

`kinds` lists them, each in a module of its own. The one thing to know: a packed pixel is a cell of
the mosaic, `cell` samples a side, each sample in a plane of its own; networks and estimators see
such planes only, always in the same phase, whichever phase the mosaic begins in.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fadn_cli.mosaic.cfa import CfaPattern
from fadn_cli.noise import NoiseModel

Samples = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The samples of one kind in a row, or a column, of the sensor."""

    planes: tuple[int, ...]
    """Where they are packed, all of them or in turns."""
    samples: int = 1
    """How many there are in a cell."""


Line = tuple[Group, Group]
"""The two kinds of samples in a row of a cell, or in a column."""


class Sensor(ABC):
    """A kind of colour filter array."""

    kind: str
    """"bayer", "xtrans" or "mono"."""
    cell: int
    """Samples per side of a packed pixel."""
    colors: str
    """The colour of each plane, in order: "RGGB"."""
    noise_colors: str
    """Whose noise is told apart, in the order of a `NoiseModel` of this sensor."""
    noise_index: tuple[int, ...]
    """Of each plane: which of `noise_colors` it is."""
    least_side: int
    """Samples that a mosaic needs on each side."""
    period: int = 1
    """Cells after which the colours of a row repeat."""
    row_lines: tuple[Line, ...]
    """What each row of a cell holds."""
    column_lines: tuple[Line, ...]
    """What each column of a cell holds."""

    @property
    def planes(self) -> int:
        """How many planes there are."""
        return len(self.colors)

    @property
    def has_color(self) -> bool:
        """Whether there is more than one colour."""
        return len(set(self.colors)) > 1

    @property
    def greens(self) -> tuple[int, ...]:
        """The planes that brightness is told by: the greens, or all without colours."""
        return tuple(plane for plane, color in enumerate(self.colors) if color in "GY")

    def noise_of_planes(self, noise: NoiseModel) -> tuple[Samples, Samples]:
        """Return shot and read noise of each plane: two (planes, 1, 1) float32 variances."""
        index = list(self.noise_index)
        return noise.shot_noise[index, None, None], noise.read_noise[index, None, None]

    @abstractmethod
    def places(self, shape: tuple[int, int], cfa: CfaPattern) -> "Places":
        """Return where the samples of a padded mosaic of a shape come from; see `align`."""

    def align(self, x: Samples, cfa: CfaPattern) -> tuple[Samples, "Packing"]:
        """Pad a mosaic by mirroring, so that it begins in the canonical phase and is whole cells.

        Parameters
        ----------
        x : (H, W) float32, normalized
            H and W at least `least_side`.
        cfa : CfaPattern
            The colours of `x`, from its (0, 0).

        Returns
        -------
        x : (H', W') float32, normalized
            `x` itself where no padding is needed.
        packing : Packing
            What was added.

        Raises
        ------
        ValueError
            `x` is not two-dimensional or too small.
        """
        self.check(x.shape)
        height, width = x.shape
        places = self.places((height, width), cfa)
        packing = places.packing
        if not (packing.top or packing.left or packing.bottom or packing.right):
            return x, packing
        return x[places.rows[:, None], places.cols], packing

    @abstractmethod
    def pack(self, mosaic: Samples) -> Samples:
        """Split a mosaic in the canonical phase into its planes.

        Parameters
        ----------
        mosaic : (H, W) float32, normalized
            H and W multiples of `cell`.

        Returns
        -------
        (planes, H / cell, W / cell) float32, normalized
            A copy; `unpack` is the exact inverse.

        Raises
        ------
        ValueError
            H or W is no multiple.
        """

    @abstractmethod
    def unpack(self, packed: Samples) -> Samples:
        """Put planes together again: the exact inverse of `pack`."""

    def own_samples(self, packed: Samples, packing: "Packing") -> list[Samples]:
        """Return the planes without what `align` added: views, of sizes that may differ.

        What was added repeats samples that lie further in, so a plane with it is not what the
        sensor saw. Of cells that are added in part, sensors may leave out more than that.
        """
        _, height, width = packed.shape
        top, left, bottom, right = (
            -(-count // self.cell)
            for count in (packing.top, packing.left, packing.bottom, packing.right)
        )
        return list(packed[:, top : height - bottom, left : width - right])

    def mirror_again(self, packed: Samples, packing: "Packing") -> None:
        """Renew what `align` added after samples were changed, in place."""
        if packing.top or packing.bottom or packing.left or packing.right:
            aligned, _ = self.align(packing.cut(self.unpack(packed)), packing.cfa)
            packed[...] = self.pack(aligned)

    def lines(self, *, columns: bool) -> tuple[Line, ...]:
        """Return what each row of a cell holds, or each column."""
        return self.column_lines if columns else self.row_lines

    def greens_of_lines(self, *, columns: bool) -> tuple[int, ...]:
        """Return which group of each row of a cell is the greens', or of each column."""
        return tuple(
            [group.planes[0] in self.greens for group in line].index(True)
            for line in self.lines(columns=columns)
        )

    def line_means(self, packed: Samples, size: int, *, columns: bool) -> Samples:
        """Average along the rows of the sensor, or its columns, segment by segment.

        Parameters
        ----------
        packed : (planes, h, w) float32, normalized
            Not modified.
        size : int
            Cells per segment, a multiple of `period`; what is left over at the end is left out.
        columns : bool
            Along columns, down the frame.

        Returns
        -------
        (cell, 2, n, segments) float32, normalized
            Of every row in a cell and each of its groups: n rows of h cells; or n columns of w.
        """
        axis = 1 if columns else 2
        count = packed.shape[axis] // size
        shape = list(packed.shape)
        shape[axis : axis + 1] = count, size
        whole = packed[:, : count * size] if columns else packed[:, :, : count * size]
        means = whole.reshape(shape).mean(axis=axis + 1)
        means = means.swapaxes(1, 2) if columns else means
        level: Samples = means[[group.planes[0] for group in sum(self.lines(columns=columns), ())]]
        return level.reshape(self.cell, 2, -1, count)

    def lower(self, packed: Samples, offsets: Samples, *, columns: bool) -> None:
        """Take its offset from every sample of a row of the sensor, or of a column, in place.

        Parameters
        ----------
        packed : (planes, h, w) float32, normalized
            Overwritten.
        offsets : (cell, n) float32, normalized
            Of every row in a cell, n = h; or of every column, n = w.
        columns : bool
            They are of columns.
        """
        cells = packed.reshape(self.cell, self.cell, *packed.shape[1:])
        cells -= offsets[None, :, None, :] if columns else offsets[:, None, :, None]

    def steady(self, blocks: Samples) -> Samples:
        """Return blocks of planes whose samples lie at the same place in every cell.

        Parameters
        ----------
        blocks : (planes, ..., h, w) float32
            Cut from the planes.

        Returns
        -------
        (at most planes, ..., h, w) float32
            Where planes had to be averaged, what differs from a block's mean is multiplied by as
            much as averaging took from white noise.
        """
        return blocks

    def check(self, shape: tuple[int, ...]) -> None:
        """Raise ValueError unless a shape is that of a mosaic of at least the least size."""
        least = self.least_side
        if len(shape) != 2 or min(shape) < least:
            raise ValueError(f"a mosaic is (H, W) with H, W >= {least}, got shape {shape}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Packing:
    """How a frame was packed: its sensor, and how many samples were added on each side."""

    sensor: Sensor
    """Whose planes it holds."""
    cfa: CfaPattern
    """The colours before anything was added, from (0, 0)."""
    top: int = 0
    """Rows added above."""
    left: int = 0
    """Columns added on the left."""
    bottom: int = 0
    """Rows added below."""
    right: int = 0
    """Columns added on the right."""

    def cut(self, x: Samples) -> Samples:
        """Take away what was added: the exact inverse of `Sensor.align`. Returns a view."""
        height, width = x.shape
        return x[self.top : height - self.bottom, self.left : width - self.right]

    def unpack(self, packed: Samples) -> Samples:
        """Return the mosaic of which `packed` holds the planes, as it was before `Sensor.align`."""
        return self.cut(self.sensor.unpack(packed))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Places:
    """Where the samples of a padded mosaic come from."""

    packing: Packing
    """What was added."""
    rows: NDArray[np.intp]
    """(H',) rows of the mosaic as it was."""
    cols: NDArray[np.intp]
    """(W',) columns of it."""


def reflected(index: NDArray[np.intp], length: int) -> NDArray[np.intp]:
    """Turn indices beyond 0..length-1 back by reflection without repeating the edge.

    In a Bayer mosaic's rows or columns, and in any packed planes', that keeps the phase.
    """
    if length == 1:
        return np.zeros_like(index)
    period = 2 * (length - 1)
    index = index % period
    return np.where(index < length, index, period - index)
