"""The `fadn` command, also `python -m fadn_cli`: runs the command line, turns errors into exits.

The one thing to know: a FadnError is the user's matter and becomes one line and an exit code;
anything else is a bug of ours and keeps its traceback.
"""

import io
import sys

from fadn_cli.cli import app
from fadn_cli.errors import FadnError
from fadn_cli.report import INTERRUPTED


def main() -> None:
    """Run the command line; exits with the codes listed in `fadn_cli.errors`."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # a name that the terminal cannot spell is no bug
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        app(prog_name="fadn")
    except FadnError as error:
        from fadn_cli import console

        console.show_error(error)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
