"""How fine the stored samples' steps are to be: as fine as what is left of the noise.

`preparation` calls it. The one thing to know: rounding to the source's steps is lossless for the
source and not for what became of it, whose noise is a tenth as strong; flat dark areas would become
patches.
"""

import math

from fadn_cli.mosaic.steps import SOURCE_STEPS, Steps, finest_factor, own_step
from fadn_cli.mosaic.values import Mosaic, RawImage
from fadn_cli.noise import NoiseModel
from fadn_cli.pipeline.options import DenoiseOptions
from fadn_cli.quantiles import quantile
from fadn_cli.raw.dng.opcodes import what_keeps_steps

_ROWS_LOOKED_AT = 256
_DARK = 0.005  # quantile; noise makes it darker than any place is


def choose_steps(
    raw_image: RawImage, noise: NoiseModel, options: DenoiseOptions, *, residual: float
) -> tuple[Steps, tuple[str, ...]]:
    """Choose what a denoised photograph's samples are rounded to.

    Parameters
    ----------
    raw_image : RawImage
        The source.
    noise : NoiseModel
        What it is denoised by.
    options : DenoiseOptions
        The user's choices.
    residual : float
        The share of the noise's standard deviation that is left.

    Returns
    -------
    steps : Steps
        The source's where they are fine enough, or are to be kept.
    notes : tuple of str
        Why they are kept though they are too coarse, a sentence; () if they are not.
    """
    if options.bits == "source" or options.shares == (0, 0):
        return SOURCE_STEPS, ()
    mosaic = raw_image.mosaic
    scale = mosaic.white_level - float(mosaic.black_level.mean())
    # Some profiles state no read noise; the source's rounding is the least there can be.
    least = (own_step(mosaic.samples[mosaic.active_area.slices]) / scale) ** 2 / 12
    read, shot = max(float(noise.read_noise.min()), least), float(noise.shot_noise.min())
    left = residual * math.sqrt(read + shot * _darkest(mosaic)) * scale  # DN
    wanted = 1
    while wanted * left < 1 and wanted < finest_factor(1):
        wanted *= 2
    factor = min(wanted, finest_factor(mosaic.highest))
    notes: tuple[str, ...] = ()
    if factor > 1 and options.format == "dng" and raw_image.metadata.is_dng:
        reason = what_keeps_steps(raw_image.path)
        if reason:
            factor, notes = 1, (f"The samples keep the source's steps: {reason}.",)
    below = None if factor >= wanted else _enough(shot, read, residual * scale, factor)
    return Steps(factor=factor, dithers_below=below), notes


def _darkest(mosaic: Mosaic) -> float:
    """Return the normalized level of the darkest places: what black would need need not be."""
    active = mosaic.samples[mosaic.active_area.slices]
    black = float(mosaic.black_level.max())
    dark = quantile(active[:: max(1, len(active) // _ROWS_LOOKED_AT)], _DARK)
    return max(0.0, (dark - black) / (mosaic.white_level - black))


def _enough(shot: float, read: float, left_scale: float, factor: int) -> float | None:
    """Return the level from which on what is left is a step at least; None if that is at black."""
    needed = (1 / (left_scale * factor)) ** 2 - read  # variance
    if needed <= 0:
        return None
    return needed / shot if shot > 0 else math.inf
