"""The `fadn` command, also `python -m fadn_cli`: runs the command line, turns errors into exits.

The one thing to know: a FadnError is the user's matter and becomes one line and an exit code;
anything else is a bug of ours and keeps its traceback.
"""

import errno
import os
import sys
from contextlib import suppress

from fadn_cli.errors import INTERRUPTED, FadnError, WriteError, out_of_memory
from fadn_cli.screen import streams
from fadn_cli.system import signals

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
"""Why a stream cannot be written. Files are written elsewhere, where their names are known."""


def main() -> None:
    """Run the command line; exits with the codes listed in `fadn_cli.errors`."""
    signals.listen()
    try:
        streams.prepare()
        from fadn_cli.cli.app import app  # here, since Ctrl-C may come this early

        app(prog_name="fadn")
    except (FadnError, MemoryError) as error:
        from fadn_cli.screen import console

        told = out_of_memory("fadn", error) if isinstance(error, MemoryError) else error
        console.show_error(told)
        sys.exit(told.exit_code)
    except KeyboardInterrupt:
        _leave_at_once(signals.exit_code())
    except OSError as error:
        if error.filename is not None or error.errno not in _FULL:
            raise
        from fadn_cli.screen import console

        reason = f"standard output cannot be written: {error.strerror}"
        console.show_error(WriteError(reason, advice="Redirect it to a disk with room for it."))
        _leave_at_once(WriteError.exit_code)  # what is left in the stream would fail again
    except SystemExit as end:
        if end.code in (INTERRUPTED, signals.exit_code()):
            _leave_at_once(signals.exit_code())
        raise


def _leave_at_once(code: int) -> None:
    """End the process without waiting for its threads: one may be inside the network for long."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, OSError, ValueError):  # none, or nobody reads it any more
            stream.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
