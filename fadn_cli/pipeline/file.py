"""The whole story on one screen: a raw file in, a denoised file out.

The command line and the batch call `denoise_file`; programs call `denoise_mosaic`, its middle. The
one thing to know: nothing is rounded or clipped between `normalize` and `denormalize`.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fadn_cli.denoise.frame import OnTile, denoise_packed
from fadn_cli.denoise.hotpixels import find_defects, repair_defects
from fadn_cli.denoise.mix import equivalent_strength
from fadn_cli.denoise.network.specialists import Specialist
from fadn_cli.denoise.noise.choice import FoundNoise
from fadn_cli.denoise.noise.estimate import estimate_noise
from fadn_cli.denoise.sensors.bayer import (
    pack,
    pack_active,
    shift_back,
    shift_to_rggb,
    unpack,
    unpack_active,
)
from fadn_cli.mosaic import CfaPattern, RawImage
from fadn_cli.noise import NoiseModel, noise_model
from fadn_cli.pipeline.options import DenoiseOptions
from fadn_cli.pipeline.output import sha256_of, write_output
from fadn_cli.pipeline.preparation import MANY, pick, prepare
from fadn_cli.pipeline.report import DenoiseReport, FileInfo, NoiseSummary
from fadn_cli.raw.dng.marker import is_marked
from fadn_cli.raw.source.reader import read_raw
from fadn_cli.system.files import atomic_output, ensure_not_source
from fadn_cli.system.usage import Stopwatch, peak_memory

__all__ = ["DenoiseOptions", "denoise_file", "denoise_mosaic", "inspect_file", "is_marked"]

OnWritten = Callable[[Path, str, str], None]
"""Called with an output complete under a temporary name, the source's hash, and the output's."""


def denoise_file(
    path: Path,
    output: Path,
    options: DenoiseOptions | None = None,
    *,
    on_tile: OnTile | None = None,
    on_written: OnWritten | None = None,
) -> DenoiseReport:
    """Denoise one raw file into another file.

    Parameters
    ----------
    path : Path
        Any raw file that LibRaw decodes to a 2x2 Bayer mosaic. Never modified.
    output : Path
        The DNG or TIFF to write; its folder must exist. Appears only when it is complete and has
        been read back.
    options : DenoiseOptions, optional
    on_tile : callable, optional
        Progress: called with (tiles done, tiles in all).
    on_written : callable, optional
        Called right before the output gets its name; what it raises abandons the output.

    Returns
    -------
    DenoiseReport

    Raises
    ------
    FadnError
        See `errors`: unreadable or unsupported source, no noise model, existing output, full disk.
    """
    path, output, options = Path(path), Path(output), options or DenoiseOptions()
    luma, chroma = options.shares
    strength = equivalent_strength(luma, chroma)
    clock = Stopwatch()
    ensure_not_source(path, output)
    with atomic_output(output, overwrite=options.overwrite) as temporary:
        with clock.stage("read"):
            raw_image = read_raw(path)
            packed, shift = pack_active(raw_image.mosaic)
        with clock.stage("estimate"):
            noise, specialist, hot_pixels = prepare(packed, shift, raw_image, options)
        with clock.stage("denoise"):
            denoised, tiles, mean_shift = _denoise(packed, noise.used, specialist, options, on_tile)
            del packed
            mosaic = unpack_active(denoised, shift, raw_image.mosaic)
            del denoised
        with clock.stage("write"):
            source_sha256 = sha256_of(path)
            notes = write_output(
                temporary,
                raw_image,
                mosaic,
                format=options.format,
                luma=luma,
                chroma=chroma,
                hot_pixels=options.hot_pixels,
                noise=noise.used,
                specialist=specialist,
                source_sha256=source_sha256,
                choices=options.choices,
                threads=options.threads,
            )
            output_sha256, output_bytes = sha256_of(temporary), temporary.stat().st_size
        if on_written is not None:
            on_written(temporary, source_sha256, output_sha256)
    return DenoiseReport(
        **_describe(raw_image, noise),
        source=path,
        output=output,
        specialist=None if strength == 0 else specialist.name,
        quality=None if strength == 0 else specialist.quality,
        strength=strength,
        luma=luma,
        chroma=chroma,
        hot_pixels=hot_pixels,
        format=options.format,
        tiles=tiles,
        seconds=clock.seconds(),
        peak_memory_bytes=peak_memory(),
        megapixels=raw_image.mosaic.samples.size / 1e6,
        source_sha256=source_sha256,
        output_sha256=output_sha256,
        source_bytes=path.stat().st_size,
        output_bytes=output_bytes,
        mean_shift=mean_shift,
        residual_std_ratio=specialist.residual_at(noise.used.grey_std, strength=strength),
        notes=notes,
    )


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
) -> NDArray[np.float32]:
    """Denoise one normalized mosaic.

    Parameters
    ----------
    x : (H, W) float32, normalized
        0 = black, 1 = white, not clipped; H and W at least 2, even or odd. Not modified.
    cfa : str
        "RGGB", "BGGR", "GRBG" or "GBRG", from `x`'s (0, 0).
    shot_noise, read_noise : float or four floats in R, Gr, Gb, B order, optional
        Variances: Var(x) = shot_noise * x + read_noise. Given together; None: estimated from `x`.
    strength : float
        0 returns the samples of `x`, 1 the denoised ones.
    luma, chroma : float, optional
        The same for the mean of the four samples of a cell, and for what each differs from it;
        None: `strength`.
    hot_pixels : bool, optional
        Whether isolated defects are repaired; None: not.
    quality : str, optional
        "best" or "fast"; None: the best that is bundled.
    specialist : str, optional
        Name of a bundled network, whatever its quality; None: chosen by quality and noise.

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
    WeightsError
        There is no network of that name or quality.

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
    )
    rggb, shift = shift_to_rggb(x, CfaPattern(colors=cfa))
    packed = pack(rggb)
    given = None
    if shot_noise is not None and read_noise is not None:
        given = noise_model(shot_noise, read_noise, source="given")
    noise = given or estimate_noise(packed)
    if options.repairs and repair_defects(packed, shift, noise) > MANY * x.size:
        noise = given or estimate_noise(packed)
    luma, chroma = options.shares
    denoised, _ = denoise_packed(packed, noise, pick(noise, options), luma=luma, chroma=chroma)
    return np.ascontiguousarray(shift_back(unpack(denoised), shift))


def inspect_file(path: Path, options: DenoiseOptions | None = None) -> FileInfo:
    """Read a raw file and its noise, and say what `denoise_file` would do.

    Raises
    ------
    FadnError
        The file is unreadable, unsupported, or has no measurable noise; there is no network as
        asked for.
    """
    path, options = Path(path), options or DenoiseOptions()
    raw_image = read_raw(path)
    mosaic, metadata = raw_image.mosaic, raw_image.metadata
    packed, shift = pack_active(mosaic)
    noise, specialist, hot_pixels = prepare(packed, shift, raw_image, options)
    if hot_pixels is None:
        hot_pixels = len(find_defects(packed, shift, noise.used).values)
    area = mosaic.active_area
    return FileInfo(
        **_describe(raw_image, noise),
        path=path,
        exposure_time=metadata.exposure_time,
        active_area=(area.top, area.left, area.height, area.width),
        black_level=tuple(tuple(float(level) for level in row) for row in mosaic.black_level),
        white_level=mosaic.white_level,
        orientation=metadata.orientation,
        specialist=specialist.name,
        quality=specialist.quality,
        hot_pixels=hot_pixels,
        is_fadn_output=is_marked(path),
    )


def _describe(raw_image: RawImage, noise: FoundNoise) -> dict[str, Any]:
    """Return what report and info both say of a photograph."""
    metadata = raw_image.metadata
    height, width = raw_image.mosaic.samples.shape
    summaries = {
        "noise_measured": noise.measured,
        "noise_profile": metadata.noise_profile,
        "noise_used": noise.used,
    }
    return {
        "make": metadata.make,
        "model": metadata.model,
        "iso": metadata.iso,
        "height": height,
        "width": width,
        "cfa": raw_image.mosaic.cfa.colors,
        "noise_prior": noise.usual,
        "warnings": noise.warnings,
        **{
            name: None if model is None else NoiseSummary.from_model(model)
            for name, model in summaries.items()
        },
    }


def _denoise(
    packed: NDArray[np.float32],
    noise: NoiseModel,
    specialist: Specialist,
    options: DenoiseOptions,
    on_tile: OnTile | None,
) -> tuple[NDArray[np.float32], int, tuple[float, ...]]:
    """Denoise a packed frame; also return the number of tiles and each plane's shift in sigma."""
    luma, chroma = options.shares
    denoised, tiles = denoise_packed(
        packed,
        noise,
        specialist,
        luma=luma,
        chroma=chroma,
        threads=options.threads,
        on_tile=on_tile,
    )
    # float64 sums: six million float32 terms would drift.
    before, after = (x.mean(axis=(1, 2), dtype=np.float64) for x in (packed, denoised))
    std = np.sqrt(noise.shot_noise * np.maximum(before, 0) + noise.read_noise)
    shift = (after - before) / np.maximum(std, 1e-12)
    return denoised, tiles, tuple(float(value) for value in shift)
