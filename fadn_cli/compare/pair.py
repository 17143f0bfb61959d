"""A photograph before and after denoising, made ready to be looked at.

`page` and `sheet` show what `compare_files` returns. The one thing to know: both pictures are
developed with the source's white balance, matrix and exposure, by the same code; nothing differs
between them but the samples.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fadn_cli.compare.curves import NoisePoint, measure_curves
from fadn_cli.compare.display import RGB, mean_light, orient, orient_place, shrink, to_8_bit
from fadn_cli.compare.facts import Facts, describe
from fadn_cli.compare.picking import Place, pick_details
from fadn_cli.compare.residual import residual_detail, residual_overview
from fadn_cli.denoise.noise.choice import FoundNoise
from fadn_cli.denoise.sensors.kinds import pack_active
from fadn_cli.denoise.sensors.sensor import Packing
from fadn_cli.errors import FadnError
from fadn_cli.mosaic.values import RawImage, Rect
from fadn_cli.noise import NoiseModel
from fadn_cli.pipeline.defects.repair import repair
from fadn_cli.pipeline.options import DenoiseOptions
from fadn_cli.pipeline.preparation import find_noise
from fadn_cli.pipeline.wording import spell_cfa
from fadn_cli.raw.develop.render import develop
from fadn_cli.raw.develop.tiff_image import read_tiff
from fadn_cli.raw.dng.marker import is_marked
from fadn_cli.raw.source.reader import read_raw

OVERVIEW = 1600
"""Pixels of the longer side of the whole picture, at most."""
RESIDUAL_OVERVIEW = 800
"""The same of what was removed."""

_BRIGHT_ENOUGH = 0.1  # mean of a detail in linear light: from half of it on, both are brightened
_MOST_STOPS = 3
_MAY_CLIP = 0.02  # of a detail's values, by being brightened
_NOT_A_PAIR = "Give a raw file and what was denoised from it."

Developed = NDArray[np.uint16]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Detail:
    """A detail at 100 %."""

    kind: str
    """What it shows; see `picking`."""
    level: float
    """Mean of the greens, normalized."""
    stops: int
    """By how much both are shown brighter than they are."""
    place: tuple[float, float, float, float]
    """Left, top, width and height as shares of the whole picture, oriented."""
    before: RGB
    """(rows, columns, 3) of the source."""
    after: RGB
    """The same of the output."""
    residual: RGB | None
    """What was removed; None where the output is developed."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Comparison:
    """All there is to show of a photograph before and after."""

    name: str
    """Of the source file."""
    facts: Facts
    """Camera, noise, network and the like, in words."""
    before: RGB
    """The whole source, shrunk."""
    after: RGB
    """The whole output, shrunk."""
    residual: RGB | None
    """What was removed, shrunk; None where the output is developed."""
    details: tuple[Detail, ...]
    """At 100 %."""
    noise: NoiseModel
    """Of the source."""
    noise_after: NoiseModel | None
    """What the output states in its NoiseProfile."""
    points: tuple[NoisePoint, ...]
    """Measured noise by brightness; empty where the output is developed."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Measured:
    """What the mosaics say; the residuals as the sensor lies."""

    found: FoundNoise
    places: tuple[Place, ...]
    points: tuple[NoisePoint, ...] = ()
    residual: RGB | None = None
    residuals: tuple[RGB, ...] = ()


def compare_files(before: Path, after: Path, options: DenoiseOptions | None = None) -> Comparison:
    """Read and develop a photograph before and after denoising.

    Parameters
    ----------
    before : Path
        The source: any raw file that fadn reads.
    after : Path
        A raw of the same mosaic, as the DNG that fadn makes; or a developed TIFF (.tif, .tiff) of
        the same size, which has pictures but no noise to compare.
    options : DenoiseOptions, optional
        The user's noise or ISO, as for the denoising.

    Raises
    ------
    FadnError
        One cannot be read, they are not the same photograph, or no noise model can be had.
    """
    is_picture = after.suffix.lower() in (".tif", ".tiff")
    if not is_picture and is_marked(before) and not is_marked(after):
        raise FadnError(
            f"{before.name} is denoised by fadn, {after.name} is not",
            advice="Give the source first, then what was denoised from it.",
        )
    # Developers repair what the files call bad; dots would say nothing of denoising.
    options = options or DenoiseOptions()
    most = options.max_megapixels
    source, _ = repair(read_raw(before, max_megapixels=most))
    output = None if is_picture else repair(read_raw(after, max_megapixels=most))[0]
    if output is not None:
        _refuse_other_mosaic(source, output)
    measured = _measure(source, output, options)
    old = develop(source, source.mosaic)
    size = old.shape
    whole, stops, details = _views(old, source, measured.places)
    del old  # one developed picture at a time
    new = read_tiff(after) if output is None else develop(source, output.mosaic)
    if size != new.shape:
        raise _not_a_pair(before, after, f"{size[1]}x{size[0]}", f"{new.shape[1]}x{new.shape[0]}")
    whole_after, _, details_after = _views(new, source, measured.places, stops=stops)
    profile = None if output is None else output.metadata.noise_profile
    return Comparison(
        name=before.name,
        facts=describe(source, after, measured.found, profile, measured.points),
        before=whole,
        after=whole_after,
        residual=measured.residual,
        details=_details(source, measured, stops, details, details_after),
        noise=measured.found.used,
        noise_after=profile,
        points=measured.points,
    )


def _measure(source: RawImage, output: RawImage | None, options: DenoiseOptions) -> _Measured:
    """Measure the mosaics, and let go of them before anything is developed."""
    before, packing = pack_active(source.mosaic)
    found = find_noise(before, packing.sensor, source, options)
    sensor = packing.sensor
    picked = pick_details(before, found.used, sensor)
    places = tuple(_in_pixels(place, packing, source.mosaic.active_area) for place in picked)
    if output is None:
        return _Measured(found=found, places=places)
    after, _ = pack_active(output.mosaic)
    residuals = []
    for place in picked:
        rows, columns = (
            slice(part.start // sensor.cell, part.stop // sensor.cell) for part in place.area.slices
        )
        detail = (slice(None), rows, columns)
        residuals.append(residual_detail(before[detail], after[detail], found.used, sensor))
    return _Measured(
        found=found,
        places=places,
        points=measure_curves(before, after, found.used, sensor),
        residual=orient(
            residual_overview(before, after, found.used, sensor, longest=RESIDUAL_OVERVIEW),
            source.metadata.orientation,
        ),
        residuals=tuple(residuals),
    )


def _in_pixels(place: Place, packing: Packing, active: Rect) -> Place:
    """Take off the rows and columns that packing put around the active area."""
    area = place.area
    moved = Rect(
        top=max(min(area.top - packing.top, active.height - area.height), 0),
        left=max(min(area.left - packing.left, active.width - area.width), 0),
        height=area.height,
        width=area.width,
    )
    return Place(kind=place.kind, area=moved, level=place.level)


def _views(
    rgb: Developed,
    source: RawImage,
    places: tuple[Place, ...],
    *,
    stops: tuple[int, ...] | None = None,
) -> tuple[RGB, tuple[int, ...], tuple[RGB, ...]]:
    """Return the whole picture, by how much each detail is brightened, and the details, oriented.

    What the source needs is given to the output too, as `stops`.
    """
    parts = [rgb[place.area.slices] for place in places]
    stops = stops or tuple(_stops_needed(part) for part in parts)
    turn = source.metadata.orientation
    details = (
        orient(to_8_bit(part, stops=by), turn) for part, by in zip(parts, stops, strict=True)
    )
    return orient(shrink(rgb, OVERVIEW), turn), stops, tuple(details)


def _stops_needed(detail: Developed) -> int:
    """Say by how many whole stops a dark detail must be brightened to be judged on a screen."""
    wanted = math.floor(math.log2(_BRIGHT_ENOUGH / max(mean_light(detail), 1e-6)))
    for stops in range(min(wanted, _MOST_STOPS), 0, -1):
        if np.mean(to_8_bit(detail, stops=stops) == 255) <= _MAY_CLIP:
            return stops
    return 0


def _details(
    source: RawImage,
    measured: _Measured,
    stops: tuple[int, ...],
    before: tuple[RGB, ...],
    after: tuple[RGB, ...],
) -> tuple[Detail, ...]:
    """Put together what there is of each detail."""
    area, turn = source.mosaic.active_area, source.metadata.orientation
    residuals = measured.residuals or (None,) * len(measured.places)
    found = []
    for place, by, old, new, residual in zip(
        measured.places, stops, before, after, residuals, strict=True
    ):
        at = place.area
        shares = (
            at.left / area.width,
            at.top / area.height,
            at.width / area.width,
            at.height / area.height,
        )
        found.append(
            Detail(
                kind=place.kind,
                level=place.level,
                stops=by,
                place=orient_place(shares, turn),
                before=old,
                after=new,
                residual=None if residual is None else orient(residual, turn),
            )
        )
    return tuple(found)


def _refuse_other_mosaic(source: RawImage, output: RawImage) -> None:
    """Refuse two raws whose samples do not lie over each other."""
    old, new = source.mosaic, output.mosaic
    if (old.samples.shape, old.cfa, old.active_area) != (
        new.samples.shape,
        new.cfa,
        new.active_area,
    ):
        first, second = (
            f"{mosaic.samples.shape[1]}x{mosaic.samples.shape[0]} {spell_cfa(mosaic.cfa.name)}"
            for mosaic in (old, new)
        )
        raise _not_a_pair(source.path, output.path, first, second)


def _not_a_pair(before: Path, after: Path, first: str, second: str) -> FadnError:
    """Make the error for two files that do not show the same."""
    return FadnError(
        f"{after.name}: is {second} pixels, {before.name} is {first}: not the same photograph",
        advice=_NOT_A_PAIR,
    )
