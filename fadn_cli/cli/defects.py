"""`fadn bad-pixels`: dark frames to a list of bad pixels."""

from pathlib import Path
from typing import Annotated

import typer

from fadn_cli.cli.options import MaxMegapixels, Overwrite, named
from fadn_cli.limits import MEGAPIXELS


def bad_pixels(
    darks: Annotated[
        list[Path],
        typer.Argument(
            metavar="DARK",
            parser=named,
            help="Raw files exposed with the cap on, of one camera.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            parser=named,
            help="The list to write.",
            show_default=False,
        ),
    ],
    max_megapixels: MaxMegapixels = None,
    overwrite: Overwrite = False,
) -> None:
    """Make a list of your camera's bad pixels from dark frames.

    A pixel is listed if it stands out from its neighbours in every one of them, by six times the
    noise at least. Take a few with the cap on, as long and at as high an ISO as you photograph;
    the more frames, the fewer accidents. Then repair them in every photograph with --bad-pixels.

    \b
    Examples:
      fadn bad-pixels dark1.NEF dark2.NEF dark3.NEF -o d800.txt
      fadn denoise ~/Photos/2026 --bad-pixels d800.txt
    """
    from fadn_cli.pipeline.darks import make_list

    most = max_megapixels or MEGAPIXELS
    count = make_list(darks, output, overwrite=overwrite, max_megapixels=most)
    typer.echo(f"{count} bad pixel{'' if count == 1 else 's'}: {output}")
