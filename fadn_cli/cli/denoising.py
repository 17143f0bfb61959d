"""`fadn denoise`: arguments to a plan and options, and the batch onto the screen."""

import math
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from fadn_cli.cli import folders
from fadn_cli.cli.options import Overwrite, PresetOption, Quality, QualityOption


class OutputFormat(StrEnum):
    """What `fadn denoise` writes."""

    DNG = "dng"
    TIFF = "tiff"


class Preview(StrEnum):
    """What becomes of a DNG's previews."""

    KEEP = "keep"
    RENDER = "render"
    NONE = "none"


class Compression(StrEnum):
    """How a DNG's samples are stored."""

    LJ92 = "lj92"
    NONE = "none"


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


def _share(help: str) -> Any:
    """Describe an option that says how much of something, 0 to 1."""
    return typer.Option(metavar="F", min=0, max=1, callback=_finite, help=help, show_default=False)


def _refuse_contradiction(specialist: str | None, quality: Quality | None) -> None:
    """Refuse a network that is not of the quality asked for."""
    from fadn_cli.denoise.network import specialists

    if specialist and quality and specialists.find(specialist).quality != quality:
        raise typer.BadParameter(
            f"{specialist} is not of quality {quality}: leave out --specialist or --quality."
        )


def _specialists(incomplete: str) -> list[str]:
    """Complete the name of a network."""
    from fadn_cli.denoise.network import specialists

    names = (specialist.name for specialist in specialists.bundled())
    return [name for name in names if name.startswith(incomplete)]


def _refuse_dng_choices(format: str, **choices: str | None) -> dict[str, str]:
    """Return the choices that were made for a DNG; refuse them if none is written."""
    made = {name: choice for name, choice in choices.items() if choice is not None}
    if made and format != "dng":
        names = " and ".join(f"--{name}" for name in made)
        raise typer.BadParameter(f"{names} can only be given for a DNG, and a TIFF is asked for.")
    return made


def _usual_format(output: Path | None, usual: str) -> str | None:
    """Return the format to write where none is asked for; None if the output's name may say it."""
    from fadn_cli.batch.planning import FORMATS

    is_named = output is not None and output.suffix.lower() in FORMATS
    return None if is_named else usual


def denoise(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="PATH",
            help="Raw files, folders that hold raw files, and patterns in quotes; - reads names"
            " from standard input, one a line or each ended by a NUL.",
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
    preview: Annotated[
        Preview | None,
        typer.Option(
            help="What a DNG shows in galleries. keep: its own previews, or the camera's. render:"
            " new ones, of the denoised photograph. none: a small thumbnail at most. Else: keep.",
            show_default=False,
        ),
    ] = None,
    compression: Annotated[
        Compression | None,
        typer.Option(
            help="How a DNG's samples are stored. lj92: lossless JPEG. none: as they are, for"
            " software that cannot read that. Else: lj92.",
            show_default=False,
        ),
    ] = None,
    strength: Annotated[
        float | None, _share("How much of the noise to remove: 0 none, 1 all, the default.")
    ] = None,
    luma: Annotated[
        float | None,
        _share("The same for grain: the mean of each cell's four samples. Else: the strength."),
    ] = None,
    chroma: Annotated[
        float | None,
        _share(
            "The same for coloured specks: what the four differ from their mean. Else: the"
            " strength."
        ),
    ] = None,
    hot_pixels: Annotated[
        bool | None,
        typer.Option(
            "--hot-pixels/--no-hot-pixels",
            help="Repair isolated defects (hot, dead or stuck pixels), or leave them to the"
            " network. Else: leave them; at base ISO the finest detail may pass for one.",
            show_default=False,
        ),
    ] = None,
    recursive: folders.Recursive = False,
    include: folders.Include = None,
    exclude: folders.Exclude = None,
    overwrite: Overwrite = False,
    name: folders.Name = None,
    suffix: folders.Suffix = None,
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
            autocompletion=_specialists,
            help="Use this network (see `fadn models`) instead of choosing it by the noise.",
            show_default=False,
        ),
    ] = None,
    preset: PresetOption = None,
    threads: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=1, help="Processor threads. Else: all cores.", show_default=False
        ),
    ] = None,
    jobs: folders.Jobs = 1,
    scheduler: folders.Scheduler = None,
    keep_mtime: folders.KeepMtime = False,
    sidecars: folders.Sidecars = False,
    preview_page: folders.PreviewPage = False,
    dry_run: folders.DryRun = False,
    report: folders.Report = None,
    json: folders.JsonOutput = False,
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

    Interrupt it at any time: the same command goes on where it stopped. What is done is noted
    beside the outputs (.fadn-state.jsonl) and not done again, unless the source, the options or
    fadn's weights have changed. An output that was edited since is only replaced by --overwrite.

    \b
    Examples:
      fadn denoise IMG_1234.CR2
      fadn denoise IMG_1234.NEF -o clean.tif
      fadn denoise ~/Photos/2026 --recursive -o ~/Photos/clean --jobs 2
      fadn denoise 'day */*.NEF' --name '{date}_{stem}{ext}' -o clean --dry-run
      find . -name '*.RW2' -newer last -print0 | fadn denoise - --json
    """
    from fadn_cli.batch import planning, sources
    from fadn_cli.batch import run as batch
    from fadn_cli.pipeline import presets
    from fadn_cli.pipeline.options import DenoiseOptions

    if (shot_noise is None) != (read_noise is None):
        raise typer.BadParameter("--shot-noise and --read-noise belong together: give both.")
    if dry_run and report is not None:
        raise typer.BadParameter("--dry-run writes nothing: leave out --report, or use --json.")
    _refuse_contradiction(specialist, quality)
    flags = {
        "strength": strength,
        "luma": luma,
        "chroma": chroma,
        "hot_pixels": hot_pixels,
        "format": format,
        "iso": iso,
        "shot_noise": shot_noise,
        "read_noise": read_noise,
        "quality": quality,
        "specialist": specialist,
        "threads": threads,
    }
    chosen = presets.choose(preset, flags)
    selection = sources.Selection(
        recursive=recursive,
        include=tuple(include or ()),
        exclude=tuple(exclude or ()),
        listed=folders.read_listed(paths),
    )
    try:
        plan = planning.plan(
            paths,
            selection=selection,
            output=output,
            format=format or _usual_format(output, chosen["format"]),
            name=name,
            suffix=suffix,
        )
    except planning.PlanError as error:
        raise typer.BadParameter(str(error)) from error
    made = _refuse_dng_choices(plan.format, preview=preview, compression=compression)
    if plan.format != "dng":  # what presets say of DNGs says nothing of a TIFF
        del chosen["preview"], chosen["compression"]
    chosen |= {**made, "format": plan.format}
    options = DenoiseOptions(**chosen, overwrite=overwrite)
    handling = batch.Handling(
        jobs=jobs, scheduler=scheduler, keep_mtime=keep_mtime, sidecars=sidecars
    )
    if dry_run:
        folders.show_plan(plan, options, json=json)
        return
    code = folders.carry_out(
        plan,
        options,
        handling,
        preview=preview_page,
        output=output,
        report=report,
        json=json,
        quiet=quiet,
        verbose=verbose,
    )
    raise typer.Exit(code)
