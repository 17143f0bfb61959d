"""The commands: arguments to options, options to pipeline or batch, results to the console.

`__main__` runs the app. The one thing to know: nothing is decided here, and whatever is slow to
import is imported inside the command that needs it, so that `fadn --help` is quick.
"""

from typing import Annotated

import typer

from fadn_cli import __version__
from fadn_cli.cli.configuring import config
from fadn_cli.cli.defects import bad_pixels
from fadn_cli.cli.denoising import denoise
from fadn_cli.cli.examining import check, info, verify
from fadn_cli.cli.options import Quality
from fadn_cli.cli.showing import compare, demo, doctor, models

__all__ = ["Quality", "app"]

app = typer.Typer(
    name="fadn",
    help="Denoise raw photographs: a cleaner DNG, everything else as it was.",
    no_args_is_help=True,
    rich_markup_mode=None,  # plain help: quick, and paths with brackets stay what they are
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for _command in (
    *(denoise, compare, info, check, verify),
    *(bad_pixels, models, config, doctor, demo),
):
    app.command()(_command)


def _show_version(wanted: bool) -> None:
    """Print the version and stop."""
    if wanted:
        typer.echo(f"fadn {__version__}")
        raise typer.Exit


@app.callback()
def fadn(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Denoise raw photographs: a cleaner DNG, everything else as it was."""
