"""`fadn denoise`: arguments to a plan and options, and the batch onto the screen."""

import math
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from fadn_cli.cli.options import Overwrite, Quality, QualityOption


class OutputFormat(StrEnum):
    """What `fadn denoise` writes."""

    DNG = "dng"
    TIFF = "tiff"


def _finite(value: float | None) -> float | None:
    """Refuse nan and infinities, which typer's ranges let through."""
    if value is not None and not math.isfinite(value):
        raise typer.BadParameter(f"{value} is not a finite number.")
    return value


def _positive(value: float | None) -> float | None:
    """Refuse what is not a positive finite number."""
    if _finite(value) is not None and value is not None and value <= 0:
        raise typer.BadParameter(f"{value} is not greater than 0.")
    return value


def _refuse_contradiction(specialist: str | None, quality: Quality | None) -> None:
    """Refuse a network that is not of the quality asked for."""
    from fadn_cli.denoise import specialists

    if specialist and quality and specialists.find(specialist).quality != quality:
        raise typer.BadParameter(
            f"{specialist} is not of quality {quality}: leave out --specialist or --quality."
        )


def denoise(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="PATH",
            help="Raw files, and folders that hold raw files.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="PATH",
            help="Folder for the outputs, created if need be; for a single raw file also the"
            " output itself, if it ends in .dng, .tif or .tiff. Else: beside each source.",
            show_default=False,
        ),
    ] = None,
    format: Annotated[
        OutputFormat | None,
        typer.Option(
            help="dng: a raw file, to develop as you would the source. tiff: developed 16-bit RGB."
            " Else: what the output's name says, or dng.",
            show_default=False,
        ),
    ] = None,
    strength: Annotated[
        float,
        typer.Option(
            metavar="F",
            min=0,
            max=1,
            callback=_finite,
            help="How much of the noise to remove: 0 none, 1 all.",
        ),
    ] = 1.0,
    recursive: Annotated[
        bool,
        typer.Option(
            "-r",
            "--recursive",
            help="Take the folders inside folders too; an output folder mirrors them.",
        ),
    ] = False,
    overwrite: Overwrite = False,
    suffix: Annotated[
        str, typer.Option(metavar="TEXT", help="Added to the source's name to make the output's.")
    ] = "_denoised",
    iso: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="Use this ISO speed instead of the file's to bound the measured noise.",
            show_default=False,
        ),
    ] = None,
    shot_noise: Annotated[
        float | None,
        typer.Option(
            metavar="F",
            callback=_positive,
            help="Use this noise instead of measuring it, with --read-noise: the variance of a"
            " sample x (0 black, 1 white) is shot_noise * x + read_noise.",
            show_default=False,
        ),
    ] = None,
    read_noise: Annotated[
        float | None,
        typer.Option(
            metavar="F",
            min=0,
            callback=_finite,
            help="See --shot-noise; the two belong together.",
            show_default=False,
        ),
    ] = None,
    quality: QualityOption = None,
    specialist: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Use this network (see `fadn models`) instead of choosing it by the noise.",
            show_default=False,
        ),
    ] = None,
    threads: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=1, help="Processor threads. Else: all cores.", show_default=False
        ),
    ] = None,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Print errors only.")] = False,
    verbose: Annotated[
        bool,
        typer.Option("--verbose", help="Also print where the time went, and tracebacks."),
    ] = False,
) -> None:
    """Denoise raw files, and the raw files in folders.

    The noise is read from the file or measured, the network that knows it best removes it, and
    the result is written as a new file. The source is never changed. In folders, outputs of fadn
    are left alone. One bad file does not stop the others.

    \b
    Examples:
      fadn denoise IMG_1234.CR2
      fadn denoise IMG_1234.NEF -o clean.tif
      fadn denoise ~/Photos/2026 --recursive -o ~/Photos/clean
    """
    from fadn_cli import batch, pipeline, progress

    if (shot_noise is None) != (read_noise is None):
        raise typer.BadParameter("--shot-noise and --read-noise belong together: give both.")
    _refuse_contradiction(specialist, quality)
    try:
        plan = batch.plan(
            paths,
            output=output,
            format=format,
            suffix=suffix,
            recursive=recursive,
            overwrite=overwrite,
        )
    except batch.PlanError as error:
        raise typer.BadParameter(str(error)) from error
    options = pipeline.DenoiseOptions(
        strength=strength,
        format=plan.format,
        iso=iso,
        shot_noise=shot_noise,
        read_noise=read_noise,
        quality=quality,
        specialist=specialist,
        overwrite=overwrite,
        threads=threads,
    )
    with progress.Display(count=plan.count, quiet=quiet, verbose=verbose) as display:
        result = batch.run(plan, options, on_event=display)
    display.summarize(result)
    raise typer.Exit(result.exit_code)
