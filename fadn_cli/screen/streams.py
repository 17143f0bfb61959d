"""The process's own streams, made such that their failure says nothing about photographs.

`__main__` prepares them, `console` writes through them. The one thing to know: what goes to stderr
is about the work, not the work, so that a full disk or a reader that has gone only silences it;
what goes to stdout was asked for, so that there a failure is an error, after the work.
"""

import io
import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from typing import IO, Any, cast

from fadn_cli.errors import WriteError


class Unfailing(io.TextIOBase):
    """A text stream that drops what it cannot write.

    Parameters
    ----------
    stream : text stream
        Everything but failure is its own.
    """

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with suppress(OSError, ValueError):  # full, nobody reads it any more; closed
            self._stream.write(text)
        return len(text)

    def writelines(self, lines: Iterable[Any]) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self._stream.flush()

    def isatty(self) -> bool:
        with suppress(OSError, ValueError):
            return self._stream.isatty()
        return False

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._stream.fileno()

    def close(self) -> None:
        """Leave it open: it is the process's."""

    def __getattribute__(self, name: str) -> Any:
        # TextIOBase has these itself, as None.
        if name in ("encoding", "errors", "newlines", "buffer", "line_buffering"):
            return getattr(object.__getattribute__(self, "_stream"), name, None)
        return object.__getattribute__(self, name)


def prepare() -> None:
    """Make the streams of this process fit for use; called once, before anything else.

    A closed descriptor 0, 1 or 2 is opened on nothing: else the next file that is opened would get
    its number, and whatever some library prints would be written into a photograph.
    """
    for number in range(3):
        with suppress(OSError):
            _fill(number)
    if isinstance(sys.stdout, io.TextIOWrapper):  # a name that the terminal cannot spell is no bug
        sys.stdout.reconfigure(errors="backslashreplace")
    if sys.stderr is not None:
        sys.stderr = unfailing(sys.stderr)


def unfailing(stream: IO[str]) -> IO[str]:
    """Wrap a stream, once."""
    return stream if isinstance(stream, Unfailing) else cast(IO[str], Unfailing(stream))


def require_stdout() -> None:
    """Make sure that there is a standard output.

    Raises
    ------
    WriteError
        It is closed.
    """
    if sys.stdout is None:
        raise WriteError(
            "standard output is closed, so what you asked for cannot be printed",
            advice="Redirect it to a file, or to /dev/null if you do not want it.",
        )


def _fill(number: int) -> None:
    """Open nothing under the number of a closed descriptor."""
    try:
        os.fstat(number)
    except OSError:
        opened = os.open(os.devnull, os.O_RDWR)
        if opened != number:
            os.dup2(opened, number)
            os.close(opened)
