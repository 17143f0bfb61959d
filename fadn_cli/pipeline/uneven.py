"""Noise that is not the same everywhere: bands of rows and columns, taken away or told of.

`preparation` calls it once the noise and the network are chosen. The one thing to know: what is
done here changes the packed frame in place, before the network sees it.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from fadn_cli.denoise.agreement import Bands
from fadn_cli.denoise.banding import (
    line_levels,
    measure_columns,
    measure_rows,
    remove_bands,
)
from fadn_cli.denoise.sensors.kinds import Planes
from fadn_cli.denoise.sensors.sensor import Packing
from fadn_cli.noise import NoiseModel
from fadn_cli.system.cores import start_together

_GUESS = 0.3  # of the grain at black: what is not sure and more than that says nothing


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Banding:
    """Row and column noise, in units of the grain's standard deviation at black."""

    row_noise: float | None
    """Of the rows; None where it cannot be told from the scene."""
    column_noise: float | None
    """Of the columns; None where it cannot be told from the scene."""
    removed: tuple[str, ...]
    """"rows", "columns", both or neither."""
    row_offsets: NDArray[np.float32] | None = None
    """(cell, h) normalized: what was taken from every row of the frame; None: nothing."""
    column_offsets: NDArray[np.float32] | None = None
    """(cell, w) normalized: the same of its columns."""


def settle_banding(
    packed: Planes,
    packing: Packing,
    noise: NoiseModel,
    *,
    asked: bool | None,
    left: float,
    threads: int | None = None,
) -> Banding:
    """Measure the bands, and take them away where that is asked for, or where they would show.

    Parameters
    ----------
    packed : Planes
        An array is overwritten where bands are removed; else they are left to `ActiveFrame`.
    packing : Packing
        How `packed` was packed.
    noise : NoiseModel
        Of `packed`.
    asked : bool or None
        The user's choice; None: bands stronger than the grain that is left go.
    left : float
        Share of the grain's standard deviation that denoising leaves.
    threads : int, optional
        In all; None: one per available core.
    """
    sensor = packing.sensor
    _, read = sensor.noise_of_planes(noise)
    std = float(np.sqrt(max(read.ravel().mean(), 1e-12)))
    levels = line_levels(packed, sensor, threads)
    measured = start_together(
        threads,
        partial(measure_rows, levels, noise, sensor),
        partial(measure_columns, levels, noise, sensor),
    )
    found: dict[str, Bands] = dict(
        zip(("rows", "columns"), (each.result() for each in measured), strict=True)
    )
    going = {
        name: bands for name, bands in found.items() if _goes(bands, asked=asked, least=left * std)
    }
    if going and isinstance(packed, np.ndarray):
        remove_bands(packed, packing, **going)
    rows, columns = (_told(each, std) for each in found.values())
    return Banding(
        row_noise=rows,
        column_noise=columns,
        removed=tuple(going),
        row_offsets=going["rows"].offsets if "rows" in going else None,
        column_offsets=going["columns"].offsets if "columns" in going else None,
    )


def _told(bands: Bands, unit: float) -> float | None:
    """Return how strong bands are, in units of the grain at black; None where that is a guess."""
    if bands.std is None or (not bands.is_clear and bands.std > _GUESS * unit):
        return None
    return bands.std / unit


def _goes(bands: Bands, *, asked: bool | None, least: float) -> bool:
    """Tell whether bands are taken away: never what may be the scene's."""
    if not bands.is_clear or bands.std is None or asked is False:
        return False
    return bool(asked) or bands.std > least
