"""Options that several commands share."""

import math
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from fadn_cli.limits import MEGAPIXELS, MOST_MEGAPIXELS


def named(text: str | Path) -> Path:
    """Read a path; refuse an empty one, which a script's unset variable leaves: it would be "."."""
    if not str(text):
        raise typer.BadParameter("the name is empty.")
    return Path(text)


def finite(value: float | None) -> float | None:
    """Refuse nan and infinities, which typer's ranges let through."""
    if value is not None and not math.isfinite(value):
        raise typer.BadParameter(f"{value} is not a finite number.")
    return value


def positive(value: float | None) -> float | None:
    """Refuse what is not a positive finite number."""
    if finite(value) is not None and value is not None and value <= 0:
        raise typer.BadParameter(f"{value} is not greater than 0.")
    return value


class Quality(StrEnum):
    """The qualities of networks, here so that `fadn --help` need not import numpy."""

    MAX = "max"
    BEST = "best"
    FAST = "fast"


Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace outputs that exist.")]
PresetOption = Annotated[
    str | None,
    typer.Option(
        "--preset",
        metavar="NAME",
        help="Use these choices (see `fadn config`) wherever no option here says otherwise.",
        show_default=False,
    ),
]
MaxMegapixels = Annotated[
    float | None,
    typer.Option(
        "--max-megapixels",
        metavar="N",
        max=MOST_MEGAPIXELS,
        callback=positive,
        help="Refuse a file that claims more pixels than that, before there is memory for them: a"
        f" few damaged bytes can ask for any amount. Else: {MEGAPIXELS:g}.",
        show_default=False,
    ),
]
QualityOption = Annotated[
    Quality | None,
    typer.Option(
        "--quality",
        help="max: the largest networks, for Bayer sensors so far, which take twice as long"
        " as best. best: large ones, for clean pictures. fast: small ones, which take a fraction of"
        " the time. Else: best (see `fadn models`).",
        show_default=False,
    ),
]
