"""A photograph's rows on their way: packed, denoised, rounded, and handed on to be written.

`file` calls `denoise_into`. The one thing to know: nothing of the frame's size is made here. Rows
are packed from the source's samples, and what becomes of them is handed on, while the next are at
work.
"""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fadn_cli.denoise.frame import OnTile
from fadn_cli.denoise.levels import MeanShift, Strip
from fadn_cli.denoise.network.place import Place
from fadn_cli.denoise.sensors.kinds import Frame, unpack_rows
from fadn_cli.denoise.sensors.sensor import Packing
from fadn_cli.mosaic.conversion import Rounding
from fadn_cli.mosaic.values import Mosaic
from fadn_cli.pipeline.mosaic import treat
from fadn_cli.pipeline.preparation import Treatment


class Sink(Protocol):
    """Takes the rows of a mosaic, from the top."""

    def add(self, rows: NDArray[np.uint16]) -> None:
        """Take the next ones: (n, W) uint16 DN."""


def denoise_into(
    sink: Sink,
    source: Mosaic,
    frame: Frame,
    packing: Packing,
    treatment: Treatment,
    on_tile: OnTile | None = None,
    place: Place | None = None,
) -> tuple[int, tuple[float, ...]]:
    """Denoise a photograph as was decided, row by row.

    Parameters
    ----------
    sink : Sink
        Given all rows of the new mosaic.
    source : Mosaic
        The photograph.
    frame : Frame
        Its active area as it is to be denoised.
    packing : Packing
        How that was packed.
    treatment : Treatment
        Of `preparation.prepare`.
    on_tile : callable, optional
        Progress.
    place : Place, optional
        Where the network runs; None: on the processor.

    Returns
    -------
    tiles : int
        How many tiles the network ran on.
    shifts : tuple of float
        How far means have moved: `levels.MeanShift`, of the frame as it was denoised.
    """
    shift, area = MeanShift(packing.sensor), source.active_area
    strips, tiles = treat(frame, packing, treatment, on_tile, place)
    bottom = area.top + area.height
    # Where the sensor was full is looked for while the network is at its first tiles.
    with ThreadPoolExecutor(1) as pool, closing(strips):
        looking = pool.submit(Rounding, source, treatment.steps)
        for number, strip in enumerate(_whole_periods(strips, packing.sensor.period)):
            shift.add(strip)
            rounding = looking.result()
            if not number:
                sink.add(rounding.untouched(0, area.top))
            after = strip.after
            if treatment.shading is not None:
                stop = strip.start + after.shape[1]
                after *= treatment.shading.rows(strip.start, stop, frame.shape[1:])
            x, first = unpack_rows(after, packing, strip.start)
            sink.add(rounding.rows(x[: area.height - first], area.top + first))
        sink.add(rounding.untouched(bottom, len(source.samples)))
    return tiles, shift.in_sigma(treatment.noise.used)


def _whole_periods(strips: Iterable[Strip], period: int) -> Iterator[Strip]:
    """Let strips begin where the colours of the rows do."""
    rest: Strip | None = None
    for strip in strips:
        joined = strip if rest is None else _joined(rest, strip)
        kept = joined.after.shape[1] // period * period
        yield Strip(joined.start, joined.before[:, :kept], joined.after[:, :kept])
        rest = None
        if kept < joined.after.shape[1]:
            start = joined.start + kept
            rest = Strip(start, joined.before[:, kept:], joined.after[:, kept:])
    if rest is not None:
        yield rest


def _joined(first: Strip, second: Strip) -> Strip:
    """Join a strip and the one below it."""
    before, after = (
        np.concatenate(pair, axis=1)
        for pair in ((first.before, second.before), (first.after, second.after))
    )
    return Strip(first.start, before, after)
