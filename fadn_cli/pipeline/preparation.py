"""From a packed photograph to what its denoising goes by: noise, network, and no defects.

`file` calls `prepare`, to denoise a file as much as to say what would be done with it. The one
thing to know: defects are found against the noise, and where they are many, the noise is measured
again without them.
"""

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fadn_cli.denoise.defects.hotpixels import repair_defects
from fadn_cli.denoise.frame import grid_of, load_network
from fadn_cli.denoise.mix import equivalent_strength
from fadn_cli.denoise.network import specialists
from fadn_cli.denoise.network.specialists import Specialist
from fadn_cli.denoise.noise.choice import FoundNoise, choose_noise
from fadn_cli.denoise.sensors.kinds import SENSORS, ActiveFrame, ArrayFrame, Frame, Planes
from fadn_cli.denoise.sensors.sensor import Packing, Sensor
from fadn_cli.denoise.shading import Shading, divide, find_shading
from fadn_cli.mosaic.steps import SOURCE_STEPS, Steps, own_step
from fadn_cli.mosaic.values import Mosaic, RawImage
from fadn_cli.noise import NoiseModel, noise_model
from fadn_cli.pipeline.doubts import refuse_senseless
from fadn_cli.pipeline.options import DenoiseOptions
from fadn_cli.pipeline.steps import choose_steps
from fadn_cli.pipeline.uneven import Banding, settle_banding
from fadn_cli.system.cores import start_together

MANY = 2e-4
"""Share of the samples: fewer defects than that do not show in the measured noise."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Treatment:
    """What is done to one photograph: decided here, carried out, stated in the output, reported."""

    options: DenoiseOptions
    """What the user chose."""
    noise: FoundNoise
    """Of the photograph, without the defects that were repaired."""
    specialist: Specialist
    """The network."""
    hot_pixels: int | None = None
    """How many defects were repaired; None if they were not looked for."""
    steps: Steps = SOURCE_STEPS
    """What the samples are rounded to."""
    notes: tuple[str, ...] = ()
    """What the user may want to know of it, one sentence each."""
    shading: Shading | None = None
    """The gain that the samples were divided by, to be multiplied by again; None: none was seen."""
    banding: Banding | None = None
    """What is known of row and column noise; None if it was not looked for."""
    warnings: tuple[str, ...] = ()
    """What the user should know of the photograph, one sentence each."""
    whole: NDArray[np.float32] | None = field(default=None, repr=False)
    """(planes, h, w) normalized: the frame, where single samples or shading made another of it
    than can be packed again; None: nowhere."""

    @property
    def sensor(self) -> Sensor:
        """The kind of sensor that the network is for."""
        return SENSORS[self.specialist.cfa_kind]

    def frame(self, mosaic: Mosaic) -> Frame:
        """Return the frame that is to be denoised, of the photograph that was prepared."""
        if self.whole is not None:
            return ArrayFrame(self.whole)
        if self.banding is None:
            return ActiveFrame(mosaic)
        return ActiveFrame(mosaic, self.banding.row_offsets, self.banding.column_offsets)

    @property
    def luma(self) -> float:
        """How much of the noise is removed from the mean of each cell, 0 to 1."""
        return self.options.shares[0]

    @property
    def chroma(self) -> float:
        """How much is removed from what samples differ from it; as luma, without colours."""
        return self.options.shares[1 if self.sensor.has_color else 0]

    @property
    def strength(self) -> float:
        """What leaves as much noise as luma and chroma do, 0 to 1."""
        return equivalent_strength(self.luma, self.chroma, planes=self.sensor.planes)

    @property
    def residual_std_ratio(self) -> float:
        """The share of the noise's standard deviation that is left on flat areas."""
        return self.specialist.residual_at(
            self.noise.used.grey_std, strength=self.strength, ensemble=self.options.ensemble
        )

    def told(self) -> dict[str, Any]:
        """Return what the report says of it, by the report's names."""
        runs = self.strength > 0
        return {
            "specialist": self.specialist.name if runs else None,
            "quality": self.specialist.quality if runs else None,
            "strength": self.strength,
            "luma": self.luma,
            "chroma": self.chroma,
            "hot_pixels": self.hot_pixels,
            "corner_gain": self.shading.corner if self.shading else None,
            "banding_removed": self.banding.removed if self.banding else (),
            "format": self.options.format,
            "residual_std_ratio": self.residual_std_ratio,
            "step_factor": self.steps.factor,
            "dithered": self.steps.dithers_below is not None,
        }


def prepare(
    packed: Planes, packing: Packing, raw_image: RawImage, options: DenoiseOptions
) -> Treatment:
    """Find a photograph's noise, repair what it cannot explain, and choose the network.

    Parameters
    ----------
    packed : Planes
        The active area of `raw_image`. An array is overwritten where there are defects or bands,
        and divided by a gain that was found in it.
    packing : Packing
        How `packed` was packed.
    raw_image : RawImage
        Says what the file says of its noise.
    options : DenoiseOptions
        What the user says of it.

    Raises
    ------
    UnsupportedRawError
        It is not the mosaic that its tags say.
    NoiseModelError
        Nothing is given or stated, and nothing can be measured.
    ConfigError
        There is no network of the quality asked for.
    WeightsError
        There is no network as asked for by name.
    """
    warnings = raw_image.warnings + refuse_senseless(packed, packing.sensor, raw_image)
    if options.repairs:
        packed = _whole(packed)
    noise, shading, packed = _measure(packed, packing, raw_image, options)
    repaired = None
    if isinstance(packed, np.ndarray) and options.repairs:
        repaired = repair_defects(packed, packing, noise.used)
    if repaired and repaired > MANY * math.prod(packed.shape):
        noise = find_noise(packed, packing.sensor, raw_image, options)
    treatment = Treatment(
        options=options,
        noise=noise,
        specialist=pick(noise.used, options, packing.sensor.kind),
        hot_pixels=repaired,
        shading=shading,
        warnings=warnings + noise.warnings,
        whole=packed if isinstance(packed, np.ndarray) else None,
    )
    asked = options.banding if options.banding is not None or treatment.strength else False
    left = treatment.residual_std_ratio
    with ThreadPoolExecutor(1) as pool:
        if treatment.strength:  # what is wrong with the network is told when it is to run
            planes, height, width = packed.shape
            grid = grid_of(treatment.specialist, (planes, height, width))
            pool.submit(load_network, treatment.specialist, grid, options.threads)
        banding = settle_banding(
            packed, packing, noise.used, asked=asked, left=left, threads=options.threads
        )
    steps, notes = choose_steps(raw_image, noise.used, options, residual=left)
    if options.chroma is not None and not packing.sensor.has_color:
        notes += ("Chroma has nothing to do: the sensor has no colours.",)
    return replace(treatment, banding=banding, steps=steps, notes=notes)


def _whole(packed: Planes) -> NDArray[np.float32]:
    """Return a frame as an array that can be written to."""
    return packed if isinstance(packed, np.ndarray) else packed[:, :, :]


def _measure(
    packed: Planes, packing: Packing, raw_image: RawImage, options: DenoiseOptions
) -> tuple[FoundNoise, Shading | None, Planes]:
    """Find the noise, after dividing by the gain that lifts it in the corners, if there is one.

    Returns both, and the frame after that.
    """
    if not any(options.shares):
        return find_noise(packed, packing.sensor, raw_image, options), None, packed
    # Both at once: there is hardly ever a gain, and the noise is then what was found meanwhile.
    looking, measuring = start_together(
        options.threads,
        partial(find_shading, packed, packing.sensor),
        partial(find_noise, packed, packing.sensor, raw_image, options),
    )
    shading: Shading | None = looking.result()
    if shading is None:
        return measuring.result(), None, packed
    whole = _whole(packed)
    divide(whole, shading, saturated=False)
    noise = find_noise(whole, packing.sensor, raw_image, options)
    divide(whole, shading, saturated=True)
    return noise, shading, whole


def pick(noise: NoiseModel, options: DenoiseOptions, kind: str) -> Specialist:
    """Return the specialist asked for by name, or the one of the quality that suits the noise.

    Parameters
    ----------
    noise : NoiseModel
        To be removed.
    options : DenoiseOptions
        The user's choice.
    kind : str
        Of the sensor.

    Raises
    ------
    ConfigError
        There is no network of that quality for the sensor.
    WeightsError
        There is no network of that name for the sensor.
    """
    if not any(options.shares) and all(each.cfa_kind != kind for each in specialists.bundled()):
        return _none_for(kind)
    if options.specialist is not None:
        return specialists.find(options.specialist, kind)
    return specialists.choose(noise, options.quality, kind)


def _none_for(kind: str) -> Specialist:
    """Stand in for a network that does not run."""
    return Specialist(
        name="none",
        file="",
        sha256="",
        cfa_kind=kind,
        quality="none",
        noise_range=(0.0, float("inf")),
        alignment=1,
        receptive_field=0,
        reach=0,
        overlap=8,
        tile=8,
        inputs="",
        parameters=0,
        macs_per_packed_pixel=0,
        residual_std=((0.0, 1.0),),
        psnr={},
    )


def find_noise(
    packed: Planes, sensor: Sensor, raw_image: RawImage, options: DenoiseOptions
) -> FoundNoise:
    """Find the noise of a photograph: what the user says, the file's profile, or what is measured.

    Parameters
    ----------
    packed : Planes
        Of the active area.
    sensor : Sensor
        Whose planes they are.
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
    step = own_step(mosaic.samples[mosaic.active_area.slices])
    given = None
    if options.shot_noise is not None and options.read_noise is not None:
        given = noise_model(
            options.shot_noise,
            options.read_noise,
            source="given",
            colors=sensor.noise_colors,
        )
    return choose_noise(
        packed,
        sensor=sensor,
        name=raw_image.path.name,
        given=given,
        profile=metadata.noise_profile,
        iso=metadata.iso if options.iso is None else options.iso,
        step=step / (mosaic.white_level - float(mosaic.black_level.mean())),
    )
