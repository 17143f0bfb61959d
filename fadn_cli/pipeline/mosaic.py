"""Arrays in, arrays out: one mosaic denoised, without a file.

Programs call `denoise_mosaic`; `file` shares its middle, `treat`. The one thing to know: nothing is
rounded or clipped here.
"""

import warnings
from collections.abc import Generator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fadn_cli.denoise.defects.hotpixels import repair_defects
from fadn_cli.denoise.frame import OnTile, Shares, beside, denoise_packed, denoise_rows, gathered
from fadn_cli.denoise.levels import Strip
from fadn_cli.denoise.network.place import Place
from fadn_cli.denoise.noise.choice import FoundNoise
from fadn_cli.denoise.noise.estimate import estimate_noise
from fadn_cli.denoise.sensors.kinds import ArrayFrame, Frame, pack_mosaic
from fadn_cli.denoise.sensors.sensor import Packing
from fadn_cli.denoise.turns import denoise_turned
from fadn_cli.mosaic.cfa import CfaPattern
from fadn_cli.noise import NoiseModel, noise_model
from fadn_cli.pipeline.options import DenoiseOptions
from fadn_cli.pipeline.preparation import MANY, Treatment, pick


def treat(
    frame: Frame,
    packing: Packing,
    treatment: Treatment,
    on_tile: OnTile | None = None,
    place: Place | None = None,
) -> tuple[Generator[Strip], int]:
    """Denoise a packed frame as was decided.

    Parameters
    ----------
    frame : Frame
        Packed, normalized.
    packing : Packing
        How it was packed.
    treatment : Treatment
        Of `preparation.prepare`.
    on_tile : callable, optional
        Progress.
    place : Place, optional
        Where the network runs; None: on the processor.

    Returns
    -------
    strips : generator of Strip
        All rows, from the top; not clipped. The work is done as they are asked for, but for an
        ensemble's, of which all is done here.
    tiles : int
        How many tiles the network runs on.
    """
    # Without the network, every way up gives the same.
    count, noise = treatment.options.ensemble if treatment.strength else 1, treatment.noise.used
    if count == 1:
        return denoise_rows(
            frame,
            noise,
            treatment.specialist,
            **_shares(treatment),
            place=place,
            on_tile=on_tile,
        )
    work = _Work(treatment, count, on_tile, place)
    packed = frame.rows(0, frame.shape[1])
    denoised = denoise_turned(packed, packing, noise, work, count)
    return beside(frame, ArrayFrame(denoised)), work.tiles


def _shares(treatment: Treatment) -> Shares:
    """Return how much the network is to remove, and on how many threads."""
    return {
        "luma": treatment.luma,
        "chroma": treatment.chroma,
        "threads": treatment.options.threads,
    }


class _Work:
    """A treatment carried out on one way up after the other, with progress over all of them."""

    def __init__(
        self, treatment: Treatment, count: int, on_tile: OnTile | None, place: Place | None
    ) -> None:
        self.tiles = 0
        self._treatment, self._count, self._on_tile = treatment, count, on_tile
        self._place = place

    def __call__(
        self, packed: NDArray[np.float32], noise: NoiseModel, number: int
    ) -> NDArray[np.float32]:
        """Denoise one way up."""
        before, treatment = self.tiles, self._treatment

        def tell(done: int, tiles: int) -> None:
            if self._on_tile is not None:
                self._on_tile(before + done, before + tiles * (self._count - number))

        denoised, tiles = denoise_packed(
            packed,
            noise,
            treatment.specialist,
            **_shares(treatment),
            place=self._place,
            on_tile=tell,
        )
        self.tiles += tiles
        return denoised


def denoise_mosaic(
    x: NDArray[np.float32],
    *,
    cfa: str = "RGGB",
    shot_noise: ArrayLike | None = None,
    read_noise: ArrayLike | None = None,
    strength: float = 1.0,
    luma: float | None = None,
    chroma: float | None = None,
    hot_pixels: bool | None = None,
    quality: str | None = None,
    specialist: str | None = None,
    ensemble: int = 1,
    device: str = "auto",
) -> NDArray[np.float32]:
    """Denoise one normalized mosaic.

    Parameters
    ----------
    x : (H, W) float32, normalized
        0 = black, 1 = white, not clipped; H and W at least 2 (X-Trans: 12), even or odd. Not
        modified.
    cfa : str
        The colours from `x`'s (0, 0): "RGGB", "BGGR", "GRBG" or "GBRG"; the 36 letters of an
        X-Trans cell row by row, whatever its phase; "MONO" for a sensor without colours.
    shot_noise, read_noise : float, or floats in R, Gr, Gb, B order (X-Trans: R, G, B), optional
        Variances: Var(x) = shot_noise * x + read_noise. Given together; None: estimated from `x`.
    strength : float
        0 returns the samples of `x`, 1 the denoised ones.
    luma, chroma : float, optional
        The same for the mean of the samples of a cell, and for what each differs from it; None:
        `strength`. Without colours, chroma has nothing to do.
    hot_pixels : bool, optional
        Whether isolated defects are repaired; None: not.
    quality : str, optional
        "max" (Bayer only), "best" or "fast"; None: "best".
    specialist : str, optional
        Name of a bundled network, whatever its quality; None: chosen by quality and noise.
    ensemble : int
        Ways up in which the network sees `x`, to take the mean of: 1, 2, 4 or 8.
    device : str
        What the network runs on, as "cpu" or "cuda"; "auto": a GPU that is there and has proved
        itself, else the processor. One that fails is a RuntimeWarning, and the processor goes on.

    Returns
    -------
    (H, W) float32, normalized
        Not clipped.

    Raises
    ------
    ValueError
        A wrong shape, CFA, strength, luma, chroma or quality, a sample that is not finite, or only
        one noise parameter.
    NoiseModelError
        The noise is to be estimated, and nothing in `x` can be measured.
    ConfigError
        There is no network of that quality for the sensor.
    WeightsError
        There is no network of that name.
    DeviceError
        That device is not there.

    Examples
    --------
    >>> noisy = np.random.default_rng(1).normal(0.2, 0.05, (64, 64)).astype(np.float32)
    >>> clean = denoise_mosaic(noisy, shot_noise=0.0125, read_noise=0.0)
    >>> bool(clean.std() < 0.5 * noisy.std())
    True
    """
    x = np.asarray(x, np.float32)
    if not np.isfinite(x).all():
        raise ValueError("x holds samples that are not finite")
    if (shot_noise is None) != (read_noise is None):
        raise ValueError("shot_noise and read_noise go together")
    options = DenoiseOptions(
        strength=strength,
        luma=luma,
        chroma=chroma,
        hot_pixels=hot_pixels,
        quality=quality,
        specialist=specialist,
        ensemble=ensemble,
        device=device,
    )
    place = Place(device)
    pattern = CfaPattern.parse(cfa)
    packed, packing = pack_mosaic(x, pattern)
    given = None
    if shot_noise is not None and read_noise is not None:
        given = noise_model(shot_noise, read_noise, source="given", colors=pattern.noise_colors)
    noise = given or estimate_noise(packed, sensor=packing.sensor)
    if options.repairs and repair_defects(packed, packing, noise) > MANY * x.size:
        noise = given or estimate_noise(packed, sensor=packing.sensor)
    network = pick(noise, options, packing.sensor.kind)
    found = FoundNoise(measured=None, used=noise)
    treatment = Treatment(options=options, noise=found, specialist=network)
    strips, _ = treat(ArrayFrame(packed), packing, treatment, place=place)
    denoised = gathered(strips, packed.shape)
    for warning in place.warnings:
        warnings.warn(warning, RuntimeWarning, stacklevel=2)
    return np.ascontiguousarray(packing.unpack(denoised))
