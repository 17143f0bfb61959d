"""From a packed photograph to what its denoising goes by: noise, network, and no defects.

`pipeline` calls `prepare`, to denoise a file as much as to say what would be done with it. The one
thing to know: defects are found against the noise, and where they are many, the noise is measured
again without them.
"""

import numpy as np
from numpy.typing import NDArray

from fadn_cli.denoise.hotpixels import repair_defects
from fadn_cli.denoise.network import specialists
from fadn_cli.denoise.network.specialists import Specialist
from fadn_cli.denoise.noise.choice import FoundNoise, choose_noise
from fadn_cli.denoise.sensors.bayer import PhaseShift
from fadn_cli.mosaic import RawImage
from fadn_cli.noise import NoiseModel, noise_model
from fadn_cli.pipeline.options import DenoiseOptions

MANY = 2e-4
"""Share of the samples: fewer defects than that do not show in the measured noise."""

_STEP_SAMPLE = 500_000  # samples that are looked at for it


def prepare(
    packed: NDArray[np.float32], shift: PhaseShift, raw_image: RawImage, options: DenoiseOptions
) -> tuple[FoundNoise, Specialist, int | None]:
    """Find a photograph's noise, repair what it cannot explain, and choose the network.

    Parameters
    ----------
    packed : (4, h, w) float32, normalized
        The active area of `raw_image`. Overwritten where there are defects.
    shift : PhaseShift
        What `packed` was padded by.
    raw_image : RawImage
        Says what the file says of its noise.
    options : DenoiseOptions
        What the user says of it.

    Returns
    -------
    noise : FoundNoise
        Of `packed` as it is now.
    specialist : Specialist
        The network.
    hot_pixels : int or None
        How many defects were repaired; None if they were not looked for.

    Raises
    ------
    NoiseModelError
        Nothing is given or stated, and nothing can be measured.
    WeightsError
        There is no network as asked for.
    """
    noise = find_noise(packed, raw_image, options)
    repaired = None
    if options.repairs:
        repaired = repair_defects(packed, shift, noise.used)
    if repaired and repaired > MANY * packed.size:
        noise = find_noise(packed, raw_image, options)
    return noise, pick(noise.used, options), repaired


def pick(noise: NoiseModel, options: DenoiseOptions) -> Specialist:
    """Return the specialist asked for by name, or the one of the quality that suits the noise.

    Raises
    ------
    WeightsError
        There is no network of that name or quality.
    """
    if options.specialist is not None:
        return specialists.find(options.specialist)
    return specialists.choose(noise, options.quality)


def find_noise(
    packed: NDArray[np.float32], raw_image: RawImage, options: DenoiseOptions
) -> FoundNoise:
    """Find the noise of a photograph: what the user says, the file's profile, or what is measured.

    Parameters
    ----------
    packed : (4, h, w) float32, normalized
        Of the active area.
    raw_image : RawImage
        What `packed` is of; its profile and ISO count.
    options : DenoiseOptions
        The user's noise or ISO, which win.

    Raises
    ------
    NoiseModelError
        There is no profile, and nothing can be measured.
    """
    mosaic, metadata = raw_image.mosaic, raw_image.metadata
    given = None
    if options.shot_noise is not None and options.read_noise is not None:
        given = noise_model(options.shot_noise, options.read_noise, source="given")
    return choose_noise(
        packed,
        name=raw_image.path.name,
        given=given,
        profile=metadata.noise_profile,
        iso=metadata.iso if options.iso is None else options.iso,
        step=_step(mosaic.samples) / (mosaic.white_level - float(mosaic.black_level.mean())),
    )


def _step(samples: NDArray[np.uint16]) -> int:
    """Return the distance of neighbouring values, in DN: cameras pad 12 bits to 16 with zeros."""
    rows = samples[:: samples.size // _STEP_SAMPLE | 1]  # odd: rows of all colours
    return max(int(np.gcd.reduce(np.diff(np.unique(rows)))), 1)
