"""Options that several commands share."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


def named(text: str | Path) -> Path:
    """Read a path; refuse an empty one, which a script's unset variable leaves: it would be "."."""
    if not str(text):
        raise typer.BadParameter("the name is empty.")
    return Path(text)


class Quality(StrEnum):
    """The qualities of networks, here so that `fadn --help` need not import numpy."""

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
QualityOption = Annotated[
    Quality | None,
    typer.Option(
        "--quality",
        help="best: larger networks, for cleaner pictures. fast: small ones, which take a fraction"
        " of the time. Else: best, if it is bundled (see `fadn models`).",
        show_default=False,
    ),
]
