"""`fadn info`: commands that look at files and write none."""

from pathlib import Path
from typing import Annotated

import typer

from fadn_cli.cli.options import Json, QualityOption


def info(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A raw file.", show_default=False)],
    quality: QualityOption = None,
    json: Json = False,
) -> None:
    """Show what fadn sees in a raw file, and what it would do with it.

    Camera, size, colour filter array, levels, ISO, the noise and where its figures come from, and
    the network that would be chosen.
    """
    from fadn_cli import console, pipeline

    found = pipeline.inspect_file(file, pipeline.DenoiseOptions(quality=quality))
    console.show_json(found) if json else console.show_info(found)
