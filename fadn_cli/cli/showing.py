"""`fadn compare`, `models`, `doctor` and `demo`: what fadn does, and whether it works here."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from fadn_cli.cli.options import Json, MaxMegapixels, Overwrite, QualityOption, named


class Sensor(StrEnum):
    """What the camera of the demonstration sees with."""

    BAYER = "bayer"
    XTRANS = "xtrans"
    MONO = "mono"


def compare(
    before: Annotated[
        Path,
        typer.Argument(metavar="BEFORE", parser=named, help="The raw file.", show_default=False),
    ],
    after: Annotated[
        Path,
        typer.Argument(
            metavar="AFTER",
            parser=named,
            help="The DNG or TIFF denoised from it.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="PATH",
            parser=named,
            help="The page, if it ends in .html; a picture with the same details, if it ends in"
            " .png; or a folder for the page. Else: a page beside AFTER.",
            show_default=False,
        ),
    ] = None,
    max_megapixels: MaxMegapixels = None,
    overwrite: Overwrite = False,
) -> None:
    """Show a photograph before and after, as a page for your browser.

    A slider over the whole picture; details at 100 % where a denoiser shows what it does: flat
    shadow, fine texture, edges, highlights; what was removed; the noise by brightness. The page
    is one file that needs no network. Prints the file's name.

    \b
    Examples:
      fadn compare IMG_1234.CR2 IMG_1234_denoised.dng
      fadn compare IMG_1234.CR2 IMG_1234_denoised.dng -o sheet.png
    """
    from fadn_cli.compare.publish import publish
    from fadn_cli.pipeline import presets
    from fadn_cli.pipeline.options import DenoiseOptions

    flags = {"max_megapixels": max_megapixels}
    options = DenoiseOptions(**presets.choose(None, flags))  # the noise that always holds
    try:
        written = publish(before, after, output, options=options, overwrite=overwrite)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    typer.echo(str(written))


def models(json: Json = False) -> None:
    """List the bundled networks.

    What noise each is for, its size, and its measured quality.
    """
    from fadn_cli.denoise.network import specialists
    from fadn_cli.pipeline import report
    from fadn_cli.screen import console

    found = report.plain(specialists.bundled())
    console.show_json(found) if json else console.show_models(found)


def doctor(
    folder: Annotated[
        Path,
        typer.Argument(metavar="[DIR]", parser=named, help="Where outputs would go: is tried too."),
    ] = Path(),
    json: Json = False,
) -> None:
    """Look whether fadn works here, and how fast.

    Versions, processor, networks, the time for a photograph in each quality, free space and speed
    of the folder, and whether names with accents come through. Exits with 1 if anything is wrong;
    warnings are what makes it slow.
    """
    from fadn_cli.doctor.run import examine
    from fadn_cli.screen import console

    found = examine(folder)
    console.show_json(found) if json else console.show_diagnosis(found)
    raise typer.Exit(0 if found.ok else 1)


def demo(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="[DIR]", parser=named, help="Where to put the files; created if need be."
        ),
    ] = Path(),
    sensor: Annotated[
        Sensor,
        typer.Option("--sensor", help="What the camera sees with; mono is without colours."),
    ] = Sensor.BAYER,
    quality: QualityOption = None,
    overwrite: Overwrite = False,
) -> None:
    """Show what fadn does, without a raw of yours.

    Draws a scene, writes it as the noisy raw file of a camera at high ISO (fadn_demo.dng),
    denoises it (fadn_demo_denoised.dng) and puts both side by side (fadn_demo_before_after.png).
    """
    from fadn_cli.demo.run import run
    from fadn_cli.denoise.network import specialists
    from fadn_cli.screen import console

    specialists.of_quality(quality, sensor)  # before any file is written
    shown = run(folder, sensor=sensor, quality=quality, overwrite=overwrite)
    console.show_demo(
        [
            ("Noisy raw", shown.noisy),
            ("Denoised", shown.denoised),
            ("Before/after", shown.picture),
        ],
        psnr=(shown.psnr_before, shown.psnr_after),
    )
