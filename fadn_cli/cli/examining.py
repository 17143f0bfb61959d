"""`fadn info`, `fadn check` and `fadn verify`: they look at files and write none."""

from pathlib import Path
from typing import Annotated

import typer

from fadn_cli.cli.options import Json, MaxMegapixels, PresetOption, QualityOption, named
from fadn_cli.limits import MEGAPIXELS


def info(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", parser=named, help="A raw file.", show_default=False)
    ],
    quality: QualityOption = None,
    max_megapixels: MaxMegapixels = None,
    preset: PresetOption = None,
    json: Json = False,
) -> None:
    """Show what fadn sees in a raw file, and what it would do with it.

    Camera, size, colour filter array, levels, ISO, the noise and where its figures come from, and
    the network that would be chosen.
    """
    from fadn_cli.pipeline import presets
    from fadn_cli.pipeline.file import inspect_file
    from fadn_cli.pipeline.options import DenoiseOptions
    from fadn_cli.screen import console

    chosen = presets.choose(preset, {"quality": quality, "max_megapixels": max_megapixels})
    found = inspect_file(file, DenoiseOptions(**chosen))
    console.show_json(found) if json else console.show_info(found)


def check(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE", parser=named, help="DNG files.", show_default=False),
    ],
    max_megapixels: MaxMegapixels = None,
    json: Json = False,
) -> None:
    """Check DNG files for damage and mistakes.

    Structure, tags and how they fit together; then the samples are decoded. Exits with 1 if
    anything is wrong; warnings are what readers cope with. Whatever fadn writes is checked like
    this before it gets its name.
    """
    from fadn_cli.raw.check.dng import check_file
    from fadn_cli.screen import console

    most = max_megapixels or MEGAPIXELS
    found = tuple(check_file(file, max_megapixels=most) for file in files)
    console.show_json(found) if json else console.show_findings(found)
    raise typer.Exit(0 if all(each.ok for each in found) else 1)


def verify(
    source: Annotated[
        Path,
        typer.Argument(metavar="SOURCE", parser=named, help="The raw file.", show_default=False),
    ],
    output: Annotated[
        Path,
        typer.Argument(
            metavar="OUTPUT", parser=named, help="The DNG denoised from it.", show_default=False
        ),
    ],
    max_megapixels: MaxMegapixels = None,
    json: Json = False,
) -> None:
    """Show how a denoised DNG differs from its source.

    Lists the tags, bytes and samples that differ, and says whether denoising may change them: the
    mosaic, what is stated about it, and nothing else. Exits with 1 if anything else differs.
    """
    from fadn_cli.raw.check.verify import verify as compare
    from fadn_cli.screen import console

    found = compare(source, output, max_megapixels=max_megapixels or MEGAPIXELS)
    console.show_json(found) if json else console.show_verification(found)
    raise typer.Exit(0 if found.holds else 1)
