"""The noise of one mosaic, measured from its own pixels, and its agreement with the file's claim.

The pipeline calls `measure` on the packed mosaic and `estimate` with what is known of the ISO
speed, then `reconcile` where a DNG states a NoiseProfile. The one thing to know: texture can only
add to what is measured, so the calmest blocks of each brightness are looked at, and what they say
is weighed with what is likely by how well they agree.

All planes are pooled into one shot and one read noise: in normalized units the colours of a
sensor share gain and read-out, and a small frame has too few flat blocks to tell them apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log, sqrt

import numpy as np
from numpy.typing import NDArray

from fadn_cli.denoise.noise.blocks import BlockStatistics, measure_blocks
from fadn_cli.denoise.noise.clipping import black_floor
from fadn_cli.denoise.noise.colors import measure_colors
from fadn_cli.denoise.noise.levels import measure_levels
from fadn_cli.denoise.noise.posterior import Known, Weighed, weigh
from fadn_cli.denoise.noise.prior import iso_range, typical_read_noise
from fadn_cli.denoise.sensors.bayer import BAYER
from fadn_cli.denoise.sensors.kinds import Planes, sampled
from fadn_cli.denoise.sensors.sensor import Sensor
from fadn_cli.errors import NoiseModelError
from fadn_cli.noise import MID_GREY, NoiseModel, noise_model
from fadn_cli.quantiles import quantile, quantiles

MAX_DISAGREEMENT = 2.0
"""Factor in standard deviation beyond which a stated noise profile is doubted."""

_MIN_BLOCKS = 32
_WHOLE = 0.1  # of all blocks: where fewer places can be used, they are not the whole picture
_ROUNDS = 2  # of choosing blocks under a model and finding the model in them
_BRIGHT = 0.98  # quantile of the samples
_SAMPLE = 100_000  # samples that are looked at for it
_WEIGHED = 1.1  # factor in standard deviation that the ISO speed must make to be told
_UNSURE_WORDS = "unsure for its texture"
_UNSURE = 0.35  # spread of log(shot noise) from which a measurement is told to be unsure


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Measurement:
    """What the pixels of one mosaic say, before anything else is known."""

    blocks: BlockStatistics
    """Of whole places, or where those say little, of each plane."""
    planes: BlockStatistics
    """Of each plane."""
    floor: float | None
    """Normalized level at which the camera clipped the noise; None if it did not."""
    bright: float
    """Normalized level of the bright parts."""
    least_read: float
    """Variance of rounding."""
    colors: str = BAYER.noise_colors
    """The kinds of samples whose noise is told apart."""


def measure(packed: Planes, *, step: float = 0.0, sensor: Sensor = BAYER) -> Measurement:
    """Measure the blocks of a mosaic.

    Parameters
    ----------
    packed : (planes, h, w) float32, normalized, not clipped
        Not modified. Large frames are sampled.
    step : float
        Distance of neighbouring values in normalized units, 0 if unknown: the variance of rounding
        is the least read noise.
    sensor : Sensor
        Whose planes they are.

    Raises
    ------
    NoiseModelError
        Too few blocks are neither constant nor saturated.
    """
    planes, places = measure_blocks(packed, sensor)
    if len(planes.mean) < _MIN_BLOCKS:
        raise NoiseModelError(
            f"noise cannot be measured: {len(planes.mean)} of the frame's blocks are neither"
            f" constant nor saturated, {_MIN_BLOCKS} are needed",
            advice="Give the noise with --shot-noise and --read-noise.",
        )
    sample = _sample(packed)
    floor = black_floor(packed)
    # where some planes are clipped and others not, only the planes' own levels tell what is lost
    least = max(_MIN_BLOCKS, _WHOLE * len(planes.mean) / len(packed))
    together = floor is None and len(places.mean) >= least
    return Measurement(
        blocks=places if together else planes,
        planes=planes,
        floor=floor,
        bright=min(max(quantile(sample, _BRIGHT), 1e-3), 1.0),
        least_read=max(step * step / 12, 1e-12),
        colors=sensor.noise_colors,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Estimate:
    """The noise of one mosaic, the same for all planes."""

    measured: NoiseModel
    """What the pixels say alone."""
    likely: NoiseModel
    """What they and the ISO speed say together; `source` tells what decided."""


def estimate(measurement: Measurement, iso: int | None = None) -> Estimate:
    """Find the noise that explains a measurement, and what is usual at an ISO speed.

    Parameters
    ----------
    measurement : Measurement
        Of the mosaic.
    iso : int, optional
        Counts as much as the measurement is unsure; None or 0: unknown.

    References
    ----------
    Foi et al. 2008 (doi:10.1109/TIP.2008.2001399) for the model, the use of level sets, and
    clipping; the weighing of texture is our own.
    """
    alone = _weigh(measurement, None)
    measured = _model(alone, measurement, _UNSURE_WORDS if alone.spread > _UNSURE else "")
    if not iso:
        return Estimate(measured=measured, likely=measured)
    weighed = _weigh(measurement, iso)
    likely = _model(weighed, measurement, _say(measured, weighed, iso))
    return Estimate(measured=measured, likely=likely)


def estimate_noise(
    packed: Planes,
    *,
    iso: int | None = None,
    step: float = 0.0,
    sensor: Sensor = BAYER,
) -> NoiseModel:
    """Measure the noise of a mosaic: `measure` and `estimate` in one.

    Raises
    ------
    NoiseModelError
        Too few blocks are neither constant nor saturated.
    """
    return estimate(measure(packed, step=step, sensor=sensor), iso).likely


def reconcile(
    measured: NoiseModel | None, profile: NoiseModel, *, levels: Sequence[float] = ()
) -> tuple[NoiseModel, str | None]:
    """Choose between the noise a file states and the noise measured in it.

    Parameters
    ----------
    measured : NoiseModel or None
        None if nothing was measurable.
    profile : NoiseModel
        What the file states.
    levels : sequence of float
        Normalized levels that occur in the frame (see `typical_levels`), compared beside mid grey.

    Returns
    -------
    model : NoiseModel
        `profile` if borne out: nowhere more than 2x off in standard deviation; else the lower one.
    warning : str or None
        For the user, where the two disagree.
    """
    if measured is None:
        return profile, None
    ratios = [
        float(np.sqrt(profile.variance(x).mean() / max(measured.variance(x).mean(), 1e-20)))
        for x in (MID_GREY, *levels)
    ]
    worst = max(ratios, key=lambda ratio: abs(log(max(ratio, 1e-6))))
    if 1 / MAX_DISAGREEMENT <= worst <= MAX_DISAGREEMENT:
        return profile, None
    lower = profile if float(np.mean(np.log(np.maximum(ratios, 1e-6)))) < 0 else measured
    return lower, (
        f"the file's noise profile is {worst:.2g} times the measured noise;"
        f" the lower is used ({lower.source})"
    )


def typical_levels(packed: Planes) -> tuple[float, ...]:
    """Return the 10, 50 and 90 % quantiles of the levels that occur, from a sample of the frame."""
    return tuple(quantiles(_sample(packed), (0.1, 0.5, 0.9)))


def _sample(packed: Planes) -> NDArray[np.float32]:
    """Return some samples from all over a frame: (n,) normalized."""
    rows = sampled(packed, _SAMPLE)
    return rows.reshape(-1)[:: max(rows.size // _SAMPLE, 1)]


def _weigh(measurement: Measurement, iso: int | None) -> Weighed:
    """Alternate between choosing the calmest blocks under a model and finding the model in them."""
    blocks = measurement.blocks
    known = Known(iso=iso, bright=measurement.bright, least_read=measurement.least_read)
    shot = max(quantile(blocks.high / np.maximum(blocks.mean, 1e-3), 0.05), 1e-12)
    read = max(float(typical_read_noise(shot)), measurement.least_read)
    for _ in range(_ROUNDS):
        levels = measure_levels(blocks, shot, read, measurement.floor)
        colors = None
        if blocks is not measurement.planes:
            colors = measure_colors(measurement.planes, blocks, levels)
        weighed = weigh(levels, known, colors, read=read)
        shot, read = weighed.shot_noise, weighed.read_noise
    return weighed


def _model(weighed: Weighed, measurement: Measurement, note: str) -> NoiseModel:
    """Return the noise of all planes, and in words where it came from."""
    clipped = "" if measurement.floor is None else "clipped at black"
    source = ", ".join(part for part in ("measured", clipped, note) if part)
    return noise_model(
        weighed.shot_noise, weighed.read_noise, source=source, colors=measurement.colors
    )


def _say(measured: NoiseModel, weighed: Weighed, iso: int) -> str:
    """Return, in words for the user, whether measurement or ISO speed won; "" if they agree."""
    level = weighed.shot_noise * MID_GREY + weighed.read_noise
    ratio = measured.grey_std / sqrt(level)
    if not 1 / _WEIGHED < ratio < _WEIGHED:
        return f"{_UNSURE_WORDS} and weighed with what is usual at ISO {iso}"
    least, most = iso_range(iso) or (0.0, 1.0)
    if not least <= weighed.shot_noise <= most:
        return f"surely and against what is usual at ISO {iso}"
    return ""
