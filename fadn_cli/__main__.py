"""The `fadn` command, also `python -m fadn_cli`: runs the command line, turns errors into exits.

The one thing to know: a FadnError is the user's matter and becomes one line and an exit code;
anything else is a bug of ours and keeps its traceback.
"""

import errno
import os
import sys
from contextlib import suppress
from pathlib import Path

from fadn_cli.errors import INTERRUPTED, FadnError, WriteError, out_of_memory
from fadn_cli.screen import streams
from fadn_cli.system import cores, loading, signals, usage

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
"""Why a stream cannot be written. Files are written elsewhere, where their names are known."""


def main() -> None:
    """Run the command line; exits with the codes listed in `fadn_cli.errors`."""
    signals.listen()
    usage.keep_memory_together()
    cores.leave_threads_to_us()
    try:
        streams.prepare()
        with loading.quick():
            from fadn_cli.cli.app import app  # here, since Ctrl-C may come this early

        app(prog_name="fadn")
    except KeyboardInterrupt:
        _leave_at_once(signals.exit_code())
    except SystemExit as end:
        if end.code in (INTERRUPTED, signals.exit_code()):
            _leave_at_once(signals.exit_code())
        raise
    except Exception as error:
        told = _explain(error)
        if told is None:
            raise
        from fadn_cli.screen import console

        console.show_error(told)
        if isinstance(error, OSError):  # what is left in the stream would fail again
            _leave_at_once(told.exit_code)
        sys.exit(told.exit_code)


def _explain(error: Exception) -> FadnError | None:
    """Say what the user has to do with an error; None for a bug of ours."""
    if isinstance(error, FadnError):
        return error
    if isinstance(error, OSError) and error.filename is None and error.errno in _FULL:
        reason = f"standard output cannot be written: {error.strerror}"
        return WriteError(reason, advice="Redirect it to a disk with room for it.")
    if isinstance(error, FileNotFoundError) and error.filename is None and not _has_folder():
        return FadnError(
            "the folder in which fadn was started is gone",
            advice="Go to one that exists (cd), and run the command again.",
        )
    return out_of_memory("fadn", error)


def _has_folder() -> bool:
    """Whether the current folder exists."""
    try:
        return bool(Path.cwd())
    except OSError:
        return False


def _leave_at_once(code: int) -> None:
    """End the process without waiting for its threads: one may be inside the network for long."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, OSError, ValueError):  # none, or nobody reads it any more
            stream.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
