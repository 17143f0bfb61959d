"""`fadn denoise`: arguments to a plan and options, and the batch onto the screen."""

from pathlib import Path

import typer

from fadn_cli.cli import choices, folders
from fadn_cli.cli.options import (
    MaxMegapixels,
    Overwrite,
    PresetOption,
    Quality,
    QualityOption,
)
from fadn_cli.system import loading


def _refuse_contradiction(specialist: str | None, quality: Quality | None) -> None:
    """Refuse a network that is not of the quality asked for."""
    from fadn_cli.denoise.network import specialists

    if specialist and quality and specialists.find(specialist).quality != quality:
        raise typer.BadParameter(
            f"{specialist} is not of quality {quality}: leave out --specialist or --quality."
        )


def _refuse_absent(device: str) -> None:
    """Refuse a device that is unknown or not there, before anything is looked at."""
    if device not in ("auto", "cpu"):  # the others cost the import of onnxruntime
        from fadn_cli.denoise.network.providers import require

        require(device)


def _refuse_dng_choices(format: str, **wanted: str | None) -> dict[str, str]:
    """Return the choices that were made for a DNG; refuse them if none is written."""
    made = {name: choice for name, choice in wanted.items() if choice is not None}
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
    paths: choices.Paths,
    output: choices.Output = None,
    format: choices.Format = None,
    preview: choices.PreviewOption = None,
    compression: choices.CompressionOption = None,
    bits: choices.BitsOption = None,
    strength: choices.Strength = None,
    luma: choices.Luma = None,
    chroma: choices.Chroma = None,
    hot_pixels: choices.HotPixels = None,
    banding: choices.Banding = None,
    bad_pixels: choices.BadPixels = None,
    recursive: folders.Recursive = False,
    include: folders.Include = None,
    exclude: folders.Exclude = None,
    overwrite: Overwrite = False,
    name: folders.Name = None,
    suffix: folders.Suffix = None,
    iso: choices.Iso = None,
    shot_noise: choices.ShotNoise = None,
    read_noise: choices.ReadNoise = None,
    quality: QualityOption = None,
    specialist: choices.SpecialistOption = None,
    ensemble: choices.Ensemble = None,
    preset: PresetOption = None,
    max_megapixels: MaxMegapixels = None,
    threads: choices.Threads = None,
    device: choices.DeviceOption = None,
    jobs: folders.Jobs = 1,
    max_memory: folders.MaxMemory = None,
    scheduler: folders.Scheduler = None,
    keep_mtime: folders.KeepMtime = False,
    sidecars: folders.Sidecars = False,
    preview_page: folders.PreviewPage = False,
    dry_run: folders.DryRun = False,
    report: folders.Report = None,
    json: folders.JsonOutput = False,
    quiet: choices.Quiet = False,
    verbose: choices.Verbose = False,
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
    folders.warn_of_little_memory()  # first: what is to be loaded may not fit either
    with loading.quick():
        from fadn_cli.batch import planning, sources
        from fadn_cli.batch import run as batch
        from fadn_cli.pipeline import presets
        from fadn_cli.pipeline.defects.listing import check_list
        from fadn_cli.pipeline.options import DenoiseOptions
        from fadn_cli.screen import progress  # noqa: F401

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
        "banding": banding,
        "bad_pixels": bad_pixels and bad_pixels.absolute(),
        "format": format,
        "bits": bits,
        "iso": iso,
        "shot_noise": shot_noise,
        "read_noise": read_noise,
        "quality": quality,
        "specialist": specialist,
        "ensemble": ensemble,
        "max_megapixels": max_megapixels,
        "threads": threads,
        "device": device,
    }
    chosen = presets.choose(preset, flags)
    _refuse_absent(chosen["device"])
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
    try:
        options = DenoiseOptions(**chosen, overwrite=overwrite)
    except ValueError as error:  # a value that typer's types and ranges let through
        raise typer.BadParameter(f"--{error}.".replace("_", "-")) from error
    if options.bad_list is not None:
        check_list(options.bad_list)
    handling = batch.Handling(
        jobs=jobs,
        scheduler=scheduler,
        keep_mtime=keep_mtime,
        sidecars=sidecars,
        max_memory=max_memory,
    )
    if dry_run:
        raise typer.Exit(folders.show_plan(plan, options, handling, json=json))
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
