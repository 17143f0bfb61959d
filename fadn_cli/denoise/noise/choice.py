"""Decide which noise a photograph is denoised by: given, the file's own if borne out, else
measured.

`pipeline` calls it. The one thing to know: a profile that the pixels contradict is not trusted, and
the user is told.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from fadn_cli.denoise.noise.estimate import (
    Estimate,
    Measurement,
    estimate,
    measure,
    reconcile,
    typical_levels,
)
from fadn_cli.denoise.noise.prior import iso_range
from fadn_cli.denoise.sensors.bayer import BAYER
from fadn_cli.denoise.sensors.kinds import Planes
from fadn_cli.denoise.sensors.sensor import Sensor
from fadn_cli.errors import NoiseModelError
from fadn_cli.noise import NoiseModel


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FoundNoise:
    """What is known of a photograph's noise, and what it is denoised by."""

    measured: NoiseModel | None
    """What the pixels say; None if it was not or could not be measured."""
    used: NoiseModel
    """What the denoising goes by."""
    usual: tuple[float, float] | None = None
    """Least and most shot noise that is usual at this ISO, which the measurement was weighed with;
    None if it was not."""
    warnings: tuple[str, ...] = ()
    """What the user should know, one sentence each."""


def choose_noise(
    packed: Planes,
    *,
    name: str,
    given: NoiseModel | None,
    profile: NoiseModel | None,
    iso: int | None,
    step: float,
    sensor: Sensor = BAYER,
) -> FoundNoise:
    """Find the noise of a photograph.

    Parameters
    ----------
    packed : (planes, h, w) float32, normalized
        The active area.
    name : str
        Of the file, for errors.
    given : NoiseModel or None
        What the user says; nothing is measured then.
    profile : NoiseModel or None
        The DNG's NoiseProfile.
    iso : int or None
        ISO speed, which counts as much as the measurement is unsure.
    step : float
        Distance of neighbouring sample values, normalized.
    sensor : Sensor
        Whose planes `packed` holds.

    Raises
    ------
    NoiseModelError
        Nothing is given, there is no profile, and nothing can be measured.
    """
    if given is not None:
        return FoundNoise(measured=None, used=given)
    try:
        measurement = measure(packed, step=step, sensor=sensor)
    except NoiseModelError as error:
        if profile is None:
            raise NoiseModelError(
                f"{name}: {error}", advice="Give --shot-noise and --read-noise."
            ) from error
        return FoundNoise(measured=None, used=profile)
    found = estimate(measurement, iso)
    measured, usual = found.measured, iso_range(iso)
    if profile is None:
        return FoundNoise(measured=measured, used=found.likely, usual=usual)
    used, warning = _judge(measurement, found, profile, typical_levels(packed))
    warnings = (warning,) if warning else ()
    return FoundNoise(measured=measured, used=used, usual=usual, warnings=warnings)


def _judge(
    measurement: Measurement,
    found: Estimate,
    profile: NoiseModel,
    levels: Sequence[float],
) -> tuple[NoiseModel, str | None]:
    """Return what is used of a profile and a measurement, and why if not the profile.

    A codec that stores differences of colours loses noise there that each plane still has (GoPro's
    VC-5), so a profile is doubted only where the planes alone doubt it too.
    """
    used, warning = reconcile(found.likely, profile, levels=levels)
    if warning is None or measurement.blocks is measurement.planes:
        return used, warning
    alone = estimate(replace(measurement, blocks=measurement.planes)).measured
    if reconcile(alone, profile, levels=levels)[1] is None:
        return profile, None
    return used, warning
