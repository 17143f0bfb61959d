"""Clean packed mosaics to noisy ones: the sensor, and the dirt of real files.

`train` calls `draw_sensors` and `add_noise`. The one thing to know: the network is told the noise
parameters with an error of its own, because at run time they are measured, not known. Nothing here
waits for the device: every random number is drawn on the generator's, and no value is looked at.
"""

import math
from dataclasses import dataclass, fields

import torch

from fadn_cli.denoise.sensors.bayer import BAYER
from fadn_cli.denoise.sensors.sensor import Sensor
from fadn_cli.training.data.mosaics import of_planes, packed

READ_SLOPE, READ_OFFSET, READ_SD = (
    2.18,
    1.20,
    0.26,
)  # log read against log shot [Brooks et al., 2019]
CAMERA_SLOPE, CAMERA_OFFSET, CAMERA_SD = 1.24, -3.33, 0.86
"""The same of larger sensors: a robust fit to 5,630 calibrations of 369 cameras at ISO 100 and more
(green's a and b in darktable 4.2's noiseprofiles.json; `benchmarks/calibrations.py` prints it).
Phones, on which Brooks et al. measured, read their few electrons with far less noise."""
FEWEST_BITS, MOST_BITS = 10, 14
COARSEST_STEP = 4.0
"""Of a converter, in sigma of the read noise: calibrated cameras stay under 2.5 [ELD, Wei et al.,
CVPR 2020], where rounding is no more than noise; a phone at base ISO may be coarser."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dirt:
    """How often each defect of real files is put into a patch; 0 switches it off."""

    white_clipping: float = 1.0
    """Probability that everything above white is lost."""
    black_clipping: float = 0.15
    """Probability that everything below black is lost."""
    quantization: float = 0.5
    """Probability that the patch is rounded to the steps of its converter of 10-14 bits."""
    black_error: float = 0.3
    """Probability of a black level wrong by up to one such step (1 DN) per plane."""
    row_noise: float = 0.15
    """Probability of row noise, up to 0.15 of the read noise's standard deviation: calibrated
    cameras have 0.06 to 0.12 [ELD, Wei et al., CVPR 2020]."""
    hot_pixels: float = 0.1
    """Probability of hot pixels, up to 2 in 10,000 samples."""
    gain_spread: float = 0.3
    """Probability that the planes' shot noise differs, by 3 % rms."""
    parameter_error: float = 1.0
    """Probability that the network is told parameters up to 15 % wrong in variance."""

    def without(self, name: str) -> "Dirt":
        """Return a copy with one defect switched off, for an ablation."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return Dirt(**{**values, name: 0.0})


SPOTLESS = Dirt(**dict.fromkeys((field.name for field in fields(Dirt)), 0.0))
"""No defect at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoiseRange:
    """The sensors and exposures a network is trained for."""

    shot_low: float = 1e-5
    """Smallest shot noise (variance per unit signal)."""
    shot_high: float = 4e-2
    """Largest shot noise."""
    dark_fraction: float = 0.4
    """Share of patches drawn over the whole exposure range; the rest is within -1..+0.5 EV."""
    ev_low: float = -8.0
    """Darkest exposure, EV."""
    ev_high: float = 0.5
    """Brightest exposure, EV."""
    cameras: float = 0.0
    """Share of sensors with the read noise of calibrated cameras instead of a phone's."""


def _random(*shape: int, generator: torch.Generator) -> torch.Tensor:
    """Draw numbers evenly from 0..1, on the generator's device."""
    return torch.rand(shape, generator=generator, device=generator.device)


def _normal(*shape: int, generator: torch.Generator) -> torch.Tensor:
    """Draw standard normal numbers on the generator's device."""
    return torch.randn(shape, generator=generator, device=generator.device)


def _uniform(count: int, low: float, high: float, generator: torch.Generator) -> torch.Tensor:
    """Draw (count, 1, 1, 1) numbers evenly between low and high."""
    return low + (high - low) * _random(count, 1, 1, 1, generator=generator)


def _happens(count: int, probability: float, generator: torch.Generator) -> torch.Tensor:
    """Draw (count, 1, 1, 1) booleans."""
    return _random(count, 1, 1, 1, generator=generator) < probability


def draw_sensors(
    count: int, noise_range: NoiseRange, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Draw noise parameters and exposures.

    Returns
    -------
    shot_noise, read_noise : (N, 1, 1, 1) float32, variances in normalized units
    exposure : (N, 1, 1, 1) float32, linear factor
    """
    low, high = math.log(noise_range.shot_low), math.log(noise_range.shot_high)
    log_shot = _uniform(count, low, high, generator)
    spread = _normal(count, 1, 1, 1, generator=generator) * READ_SD
    # Full-frame sensors sit up to 3x (in standard deviation) above the fit at high gain.
    above = _happens(count, 0.3, generator) * _uniform(count, 0.0, 2.2, generator)
    # The fit knows no converter, and undercuts the finest one at low gain.
    floor = (2.0**-MOST_BITS / COARSEST_STEP) ** 2
    log_read = READ_SLOPE * log_shot + READ_OFFSET + spread + above
    if noise_range.cameras:
        spread = _normal(count, 1, 1, 1, generator=generator).clamp(-3, 3) * CAMERA_SD
        camera = CAMERA_SLOPE * log_shot + CAMERA_OFFSET + spread
        log_read = torch.where(_happens(count, noise_range.cameras, generator), camera, log_read)
    read = log_read.exp().clamp(min=floor)
    ordinary = _uniform(count, -1.0, noise_range.ev_high, generator)
    dark = _uniform(count, noise_range.ev_low, noise_range.ev_high, generator)
    is_dark = _happens(count, noise_range.dark_fraction, generator)
    return log_shot.exp(), read, torch.where(is_dark, dark, ordinary).exp2()


def add_noise(
    clean: torch.Tensor,
    shot_noise: torch.Tensor,
    read_noise: torch.Tensor,
    dirt: Dirt,
    generator: torch.Generator,
    sensor: Sensor = BAYER,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Expose a sensor to the clean mosaics.

    Parameters
    ----------
    clean : (N, planes, h, w) float32, normalized, >= 0
    shot_noise, read_noise : (N, 1, 1, 1) float32, variances
    dirt : Dirt
        Gains and black levels differ between the sensor's `noise_colors`.
    generator : torch.Generator
        On the device of `clean`.
    sensor : Sensor
        Whose planes they are.

    Returns
    -------
    noisy : (N, planes, h, w) float32, normalized
    target : (N, planes, h, w) float32, normalized
        `clean`, clipped at white where the sensor's samples are, but for patches clipped at black
        the mean of the clipped noise: brightness must not move, and the sensor's lost half cannot
        be told from light.
    told_shot, told_read : (N, levels, 1, 1) float32
        The noise parameters the network is told, for each of the sensor's `noise_colors`; the noise
        of rounding is in them.
    """
    count, levels = clean.shape[0], len(sensor.noise_colors)
    spread = 1 + 0.03 * _normal(count, levels, 1, 1, generator=generator) * _happens(
        count, dirt.gain_spread, generator
    )
    shot = of_planes(shot_noise * spread.clamp(0.85, 1.15), sensor)  # (N, planes, 1, 1)
    step = _steps(read_noise, generator)
    # A wrong black level shifts the photograph too: it is not the denoiser's to correct.
    error = (2 * _random(count, levels, 1, 1, generator=generator) - 1) * step
    offset = of_planes(error * _happens(count, dirt.black_error, generator), sensor)
    noisy = _expose(clean, shot, read_noise, dirt, generator, sensor) + offset
    target = clean + offset

    blacks = _happens(count, dirt.black_clipping, generator)
    target = torch.where(blacks, _clipped_mean(target, (shot * clean + read_noise).sqrt()), target)
    noisy = torch.where(blacks, noisy.clamp(min=0), noisy)
    rounds = _happens(count, dirt.quantization, generator)
    noisy = torch.where(rounds, torch.round(noisy / step) * step, noisy)
    whites = _happens(count, dirt.white_clipping, generator)
    noisy = torch.where(whites, noisy.clamp(max=1), noisy)
    target = torch.where(whites, target.clamp(max=1), target)

    wrong = (2 * _random(2, count, 1, 1, 1, generator=generator) - 1) * 0.15
    wrong = 1 + wrong * _happens(count, dirt.parameter_error, generator)
    ones = torch.ones(count, levels, 1, 1, device=clean.device)
    told_read = read_noise + rounds * step.square() / 12
    return noisy, target, ones * shot_noise * wrong[0], ones * told_read * wrong[1]


def _expose(
    clean: torch.Tensor,
    shot_noise: torch.Tensor,
    read_noise: torch.Tensor,
    dirt: Dirt,
    generator: torch.Generator,
    sensor: Sensor,
) -> torch.Tensor:
    """Draw what the sensor records: photons, read noise, row noise and hot pixels."""
    count = clean.shape[0]
    noisy = _photons(clean, shot_noise, generator)
    noisy += read_noise.sqrt() * _normal(*clean.shape, generator=generator)
    rows = _draw_rows(clean, generator, sensor)
    strength = _uniform(count, 0.0, 0.15, generator) * _happens(count, dirt.row_noise, generator)
    noisy += rows * strength * read_noise.sqrt()
    density = _uniform(count, 0.0, 2e-4, generator) * _happens(count, dirt.hot_pixels, generator)
    hot = _random(*clean.shape, generator=generator) < density
    return torch.where(hot, noisy + _random(*clean.shape, generator=generator), noisy)


def _draw_rows(clean: torch.Tensor, generator: torch.Generator, sensor: Sensor) -> torch.Tensor:
    """Draw a number for each row of the sensor, the same for all of its samples, as planes.

    A Bayer sensor's row holds R and Gr or Gb and B; an X-Trans sensor's pairs lie in one row in
    one cell, in two rows in the next.
    """
    count, _, height, width = clean.shape
    rows = _normal(count, sensor.cell, height, 1, generator=generator)
    mosaics = rows.transpose(1, 2).reshape(count, sensor.cell * height, 1)
    return packed(mosaics.expand(-1, -1, sensor.cell * width), sensor)


def _steps(read_noise: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Draw the steps (1 DN) of converters of 10-14 bits, none coarser than its sensor deserves."""
    bits = torch.randint(
        FEWEST_BITS,
        MOST_BITS + 1,
        read_noise.shape,
        generator=generator,
        device=generator.device,
    )
    needed = torch.ceil(-torch.log2(COARSEST_STEP * read_noise.sqrt()))
    return torch.exp2(-torch.maximum(bits, needed).clamp(max=MOST_BITS))


def _photons(clean: torch.Tensor, shot: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Draw shot noise: Poisson where photons are few, its Gaussian limit where they are many."""
    rate = clean / shot
    many = rate + rate.sqrt() * _normal(*clean.shape, generator=generator)
    few = rate < 40  # beyond, the skewness is under 0.16 and drowned by read noise
    # A rate of 0 costs next to nothing, and a mask as an index would make a GPU wait.
    drawn = torch.poisson(torch.where(few, rate, 0), generator=generator)
    return torch.where(few, drawn, many) * shot


def _clipped_mean(mean: torch.Tensor, std: torch.Tensor) -> torch.Tensor:
    """Mean of a Gaussian clipped at zero."""
    ratio = mean / std
    density = torch.exp(-0.5 * ratio.square()) * 0.3989423
    return mean * torch.special.ndtr(ratio) + std * density
