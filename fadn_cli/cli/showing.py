"""`fadn models` and `fadn demo`: what fadn is and does, without a raw of yours."""

from pathlib import Path
from typing import Annotated

import typer

from fadn_cli.cli.options import Json, Overwrite, QualityOption


def models(json: Json = False) -> None:
    """List the bundled networks.

    What noise each is for, its size, and its measured quality.
    """
    from fadn_cli import console, report
    from fadn_cli.denoise import specialists

    found = report.plain(specialists.bundled())
    console.show_json(found) if json else console.show_models(found)


def demo(
    folder: Annotated[
        Path,
        typer.Argument(metavar="[DIR]", help="Where to put the files; created if need be."),
    ] = Path(),
    quality: QualityOption = None,
    overwrite: Overwrite = False,
) -> None:
    """Show what fadn does, without a raw of yours.

    Draws a scene, writes it as the noisy raw file of a camera at high ISO (fadn_demo.dng),
    denoises it (fadn_demo_denoised.dng) and puts both side by side (fadn_demo_before_after.png).
    """
    from fadn_cli import console
    from fadn_cli import demo as demonstration

    shown = demonstration.run(folder, quality=quality, overwrite=overwrite)
    console.show_demo(
        [
            ("Noisy raw", shown.noisy),
            ("Denoised", shown.denoised),
            ("Before/after", shown.picture),
        ],
        psnr=(shown.psnr_before, shown.psnr_after),
    )
