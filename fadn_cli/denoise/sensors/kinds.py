"""The kinds of sensors there are, and a mosaic's active area as planes of its own kind.

`pipeline` calls it. The one thing to know: a pattern that no kind knows has no networks either, and
is refused.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fadn_cli.denoise.sensors.bayer import BAYER
from fadn_cli.denoise.sensors.mono import MONO
from fadn_cli.denoise.sensors.sensor import Packing, Sensor
from fadn_cli.denoise.sensors.xtrans import XTRANS
from fadn_cli.mosaic.cfa import CfaPattern
from fadn_cli.mosaic.conversion import denormalize, normalize_part
from fadn_cli.mosaic.steps import SOURCE_STEPS, Steps
from fadn_cli.mosaic.values import Mosaic
from fadn_cli.system.cores import usable_threads

SENSORS = {sensor.kind: sensor for sensor in (BAYER, XTRANS, MONO)}
"""Every kind, by its name."""
_ROWS = 64  # packed, at a time: they stay in the processor's cache


def sensor_of(cfa: CfaPattern) -> Sensor:
    """Return the kind of sensor that has a pattern.

    Raises
    ------
    ValueError
        None that we know has it.
    """
    if cfa.kind is None:
        raise ValueError(f"no sensor that fadn knows has the pattern {cfa.colors} ({cfa.name})")
    return SENSORS[cfa.kind]


def pack_mosaic(x: NDArray[np.float32], cfa: CfaPattern) -> tuple[NDArray[np.float32], Packing]:
    """Split a mosaic of any phase and size into the planes of its sensor.

    Parameters
    ----------
    x : (H, W) float32, normalized
    cfa : CfaPattern
        The colours of `x`, from its (0, 0).

    Returns
    -------
    packed : (planes, h, w) float32, normalized
        A copy.
    packing : Packing
        Whose `unpack` is the exact inverse.

    Raises
    ------
    ValueError
        `x` is no mosaic or too small, or no sensor has the pattern.
    """
    sensor = sensor_of(cfa)
    aligned, packing = sensor.align(x, cfa)
    return sensor.pack(aligned), packing


def pack_active(mosaic: Mosaic, threads: int | None = 1) -> tuple[NDArray[np.float32], Packing]:
    """Normalize and pack the active area of a mosaic; masked borders never reach the network.

    Parameters
    ----------
    mosaic : Mosaic
    threads : int, optional
        How many to work with; all cores the process may use if None.

    Returns
    -------
    packed : (planes, h, w) float32, normalized
    packing : Packing
        What `unpack_active` needs.
    """
    frame = ActiveFrame(mosaic)
    packed = np.empty(frame.shape, np.float32)

    def pack(top: int) -> None:
        packed[:, top : top + _ROWS] = frame.rows(top, top + _ROWS)

    with ThreadPoolExecutor(usable_threads(threads)) as pool:
        list(pool.map(pack, range(0, frame.shape[1], _ROWS)))
    return packed, frame.packing


class Frame(Protocol):
    """A packed frame that gives its rows as they are asked for."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """(planes, h, w)."""

    def rows(self, start: int, stop: int, cols: slice | None = None) -> NDArray[np.float32]:
        """Return some rows, all of them or some columns: not to be written to.

        Parameters
        ----------
        start, stop : int
            Rows of the frame; what lies below it is left out.
        cols : slice, optional
            Columns of the frame, with start and stop.

        Returns
        -------
        (planes, n, m) float32, normalized
        """


class ArrayFrame:
    """A packed frame that is in memory: (planes, h, w) float32, normalized."""

    def __init__(self, packed: NDArray[np.float32]) -> None:
        self._packed = packed
        planes, height, width = packed.shape
        self.shape = planes, height, width

    def rows(self, start: int, stop: int, cols: slice | None = None) -> NDArray[np.float32]:
        """Return a view of some rows, or of some of their columns."""
        return self._packed[:, start:stop, cols or slice(None)]


class ActiveFrame:
    """A mosaic's active area, packed as its rows are asked for: the same as `pack_active`.

    Parts of it can be had as those of an array: `frame[:, rows, columns]`.

    Parameters
    ----------
    mosaic : Mosaic
    row_offsets, column_offsets : (cell, h) and (cell, w) float32, normalized, optional
        What to take from every row and column, as `Sensor.lower` does.

    Raises
    ------
    ValueError
        No sensor that we know has its pattern, or the area is too small.
    """

    def __init__(
        self,
        mosaic: Mosaic,
        row_offsets: NDArray[np.float32] | None = None,
        column_offsets: NDArray[np.float32] | None = None,
    ) -> None:
        area = mosaic.active_area
        cfa = mosaic.cfa.shifted(area.top, area.left)
        self._sensor = sensor_of(cfa)
        self._sensor.check((area.height, area.width))
        places = self._sensor.places((area.height, area.width), cfa)
        self._mosaic, self._rows, self._cols = mosaic, places.rows, places.cols
        self.packing = places.packing
        self._offsets = [
            None if offsets is None else offsets.T.reshape(-1)[before : before + length]
            for offsets, before, length in (
                (row_offsets, self.packing.top, area.height),
                (column_offsets, self.packing.left, area.width),
            )
        ]
        cell = self._sensor.cell
        self.shape = self._sensor.planes, len(places.rows) // cell, len(places.cols) // cell

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: tuple[slice, ...]) -> NDArray[np.float32]:
        planes, rows, *cols = key
        _, height, width = self.shape
        start, stop, _ = rows.indices(height)
        left, right, _ = (*cols, slice(None))[0].indices(width)
        return self.rows(start, stop, slice(left, right))[planes]

    def rows(self, start: int, stop: int, cols: slice | None = None) -> NDArray[np.float32]:
        """Normalize and pack some rows."""
        planes, height, width = self.shape
        stop, cols = min(stop, height), cols or slice(0, width)
        packed = np.empty((planes, stop - start, cols.stop - cols.start), np.float32)
        for top in range(start, stop, _ROWS):
            bottom = min(top + _ROWS, stop)
            packed[:, top - start : bottom - start] = self._pack(top, bottom, cols)
        return packed

    def _pack(self, start: int, stop: int, cols: slice) -> NDArray[np.float32]:
        """Normalize and pack a few rows."""
        cell, period = self._sensor.cell, self._sensor.period
        first, before = start % period, cols.start % period  # begin as the frame does
        down, low, high = _spanned(self._rows[(start - first) * cell : stop * cell])
        right, left, end = _spanned(self._cols[(cols.start - before) * cell : cols.stop * cell])
        area, (by_row, by_col) = self._mosaic.active_area, self._offsets
        rows = slice(area.top + low, area.top + high)
        x = normalize_part(self._mosaic, rows, slice(area.left + left, area.left + end))
        if by_row is not None:
            x -= by_row[low:high, None]
        if by_col is not None:
            x -= by_col[left:end]
        x = x if down is None else x[down]
        x = x if right is None else x[:, right]
        return self._sensor.pack(x)[:, first:, before:]


Planes = NDArray[np.float32] | ActiveFrame
"""A packed frame, (planes, h, w) float32 and normalized, or what gives parts of it."""


def sampled(planes: Planes, most: int) -> NDArray[np.float32]:
    """Return whole rows of a frame, as far apart as leaves some `most` samples of a plane.

    Returns
    -------
    (planes, n, w) float32, normalized
    """
    _, height, width = planes.shape
    step = max(height * width // most, 1)
    if step == 1:
        return planes[:, :, :]
    return np.concatenate([planes[:, row : row + 1] for row in range(0, height, step)], axis=1)


def _spanned(places: NDArray[np.intp]) -> tuple[NDArray[np.intp] | None, int, int]:
    """Return places within the span of a mosaic that they need, and that; None: all of it."""
    low, high = int(places.min()), int(places.max()) + 1
    is_whole = len(places) == high - low and bool((np.diff(places) == 1).all())
    return None if is_whole else places - low, low, high


def unpack_rows(
    packed: NDArray[np.float32], packing: Packing, start: int
) -> tuple[NDArray[np.float32], int]:
    """Put some rows of a packed frame together again.

    Parameters
    ----------
    packed : (planes, n, w) float32, normalized
        Whole rows of a frame.
    packing : Packing
        Of the frame.
    start : int
        Which row of the frame is the first; a multiple of the sensor's `period`.

    Returns
    -------
    x : (m, W) float32, normalized
        Rows of what was packed, without what was added at the borders of the frame, but for the
        lower one: what was added there may follow.
    first : int
        Which row of what was packed is the first of them.
    """
    x = packing.sensor.unpack(packed)
    first = start * packing.sensor.cell - packing.top
    return x[max(-first, 0) :, packing.left : x.shape[1] - packing.right], max(first, 0)


def unpack_active(
    packed: NDArray[np.float32],
    packing: Packing,
    source: Mosaic,
    steps: Steps = SOURCE_STEPS,
) -> Mosaic:
    """Undo `pack_active`, with `denormalize`'s one rounding and clipping.

    Parameters
    ----------
    packed : (planes, h, w) float32, normalized
        Of the shape `pack_active` gave.
    packing : Packing
        From `pack_active`.
    source : Mosaic
        What `pack_active` was given.
    steps : Steps
        What to round to.
    """
    x = np.zeros(source.samples.shape, np.float32)
    x[source.active_area.slices] = packing.unpack(packed)
    return denormalize(x, source, steps)
