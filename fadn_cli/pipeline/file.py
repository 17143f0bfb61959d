"""The whole story on one screen: a raw file in, a denoised file out.

The command line and the batch call `denoise_file`. The one thing to know: "denoise" is one stream,
in which rows are denoised, rounded and encoded while the next are at work; nothing is rounded or
clipped before that.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from fadn_cli.denoise.defects.hotpixels import find_defects
from fadn_cli.denoise.frame import OnTile
from fadn_cli.denoise.network.place import Place
from fadn_cli.denoise.sensors.kinds import ActiveFrame, pack_active
from fadn_cli.mosaic.values import RawImage
from fadn_cli.pipeline.defects.repair import repair
from fadn_cli.pipeline.options import DenoiseOptions
from fadn_cli.pipeline.output import Output
from fadn_cli.pipeline.preparation import Treatment, prepare
from fadn_cli.pipeline.report import DenoiseReport, FileInfo, NoiseSummary
from fadn_cli.pipeline.stream import denoise_into
from fadn_cli.raw.dng.marker import is_marked
from fadn_cli.raw.source.reader import read_raw
from fadn_cli.raw.xmp.merge import NO_EDITS, Edits
from fadn_cli.system.files import atomic_output, ensure_not_source
from fadn_cli.system.snapshot import hold
from fadn_cli.system.usage import Stopwatch, give_memory_back, peak_memory

OnWritten = Callable[[Path, str, str], None]
"""Called with an output complete under a temporary name, the source's hash, and the output's."""


def denoise_file(
    path: Path,
    output: Path,
    options: DenoiseOptions | None = None,
    *,
    on_tile: OnTile | None = None,
    on_written: OnWritten | None = None,
    sidecars: Edits = NO_EDITS,
) -> DenoiseReport:
    """Denoise one raw file into another file.

    Parameters
    ----------
    path : Path
        Any raw file that LibRaw decodes to a Bayer, X-Trans or monochrome mosaic. Never modified.
    output : Path
        The DNG or TIFF to write; its folder must exist. Appears only when it is complete; a DNG has
        been read back and checked by then.
    options : DenoiseOptions, optional
    on_tile : callable, optional
        Progress: called with (tiles done, tiles in all).
    on_written : callable, optional
        Called right before the output gets its name; what it raises abandons the output.
    sidecars : Edits
        XMP to merge into that of a DNG.

    Returns
    -------
    DenoiseReport

    Raises
    ------
    FadnError
        See `errors`: a source that is unreadable, unsupported, or replaced meanwhile; no noise
        model, no such device, existing output, full disk.
    """
    path, output, options = Path(path), Path(output), options or DenoiseOptions()
    clock, place = Stopwatch(), Place(options.device)
    ensure_not_source(path, output)
    with atomic_output(output, overwrite=options.overwrite) as temporary, hold(path) as source:
        with clock.stage("read"):
            raw_image, bad_pixels = repair(_read(path, options), options.bad_list)
        with clock.stage("estimate"):
            active = ActiveFrame(raw_image.mosaic)
            treatment = prepare(active, active.packing, raw_image, options)
            frame = treatment.frame(raw_image.mosaic)
            give_memory_back()
        with Output(raw_image, treatment) as whole:
            with clock.stage("denoise"):
                tiles, shifts = denoise_into(
                    whole, raw_image.mosaic, frame, active.packing, treatment, on_tile, place
                )
            with clock.stage("write"):
                written = whole.write(temporary, sidecars)
        source.check()
        if on_written is not None:
            on_written(temporary, written.source_sha256, written.output_sha256)
    return DenoiseReport(
        **_describe(raw_image, treatment, place.warnings),
        device=place.device,
        device_fallback=place.fallback,
        bad_pixels=bad_pixels,
        **treatment.told(),
        **written.told(),
        source=path,
        output=output,
        tiles=tiles,
        mean_shift=shifts,
        seconds=clock.seconds(),
        peak_memory_bytes=peak_memory(),
        megapixels=raw_image.mosaic.samples.size / 1e6,
    )


def inspect_file(path: Path, options: DenoiseOptions | None = None) -> FileInfo:
    """Read a raw file and its noise, and say what `denoise_file` would do.

    Raises
    ------
    FadnError
        The file is unreadable, unsupported, or has no measurable noise; there is no network as
        asked for.
    """
    path, options = Path(path), options or DenoiseOptions()
    with hold(path):
        return _inspect(path, options)


def _inspect(path: Path, options: DenoiseOptions) -> FileInfo:
    """Do what `inspect_file` is asked for, on a file that is held."""
    raw_image, bad_pixels = repair(_read(path, options), options.bad_list)
    mosaic, metadata = raw_image.mosaic, raw_image.metadata
    packed, packing = pack_active(mosaic, options.threads)
    treatment = prepare(packed, packing, raw_image, options)
    noise, specialist, hot_pixels = treatment.noise, treatment.specialist, treatment.hot_pixels
    if hot_pixels is None:
        hot_pixels = len(find_defects(packed, packing, noise.used).values)
    area = mosaic.active_area
    return FileInfo(
        **_describe(raw_image, treatment),
        path=path,
        exposure_time=metadata.exposure_time,
        active_area=(area.top, area.left, area.height, area.width),
        black_level=tuple(tuple(float(level) for level in row) for row in mosaic.black_level),
        white_level=mosaic.white_level,
        orientation=metadata.orientation,
        specialist=specialist.name,
        quality=specialist.quality,
        bad_pixels=bad_pixels,
        hot_pixels=hot_pixels,
        is_fadn_output=is_marked(path),
    )


def _read(path: Path, options: DenoiseOptions) -> RawImage:
    """Read a photograph that is no larger than the options allow."""
    return read_raw(path, max_megapixels=options.max_megapixels)


def _describe(
    raw_image: RawImage, treatment: Treatment, more: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Return what report and info both say of a photograph, and more warnings."""
    metadata, noise, banding = raw_image.metadata, treatment.noise, treatment.banding
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
        "cfa": raw_image.mosaic.cfa.name,
        "noise_prior": noise.usual,
        "row_noise": banding.row_noise if banding else None,
        "column_noise": banding.column_noise if banding else None,
        "warnings": (*raw_image.defects.warnings, *treatment.warnings, *more),
        **{
            name: None if model is None else NoiseSummary.from_model(model)
            for name, model in summaries.items()
        },
    }
