"""LibRaw's manners: its own messages off the terminal, and names it cannot spell.

Used where LibRaw decodes (`reader`, `render`). The one thing to know: LibRaw prints to file
descriptor 2, past Python, so the descriptor itself is turned away for as long as a call takes.
"""

import io
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_lock = threading.Lock()


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Discard what is written to file descriptor 2; one thread at a time."""
    with _lock:
        try:
            saved = os.dup(2)
        except OSError:  # there is no stderr, as under pythonw
            yield
            return
        sink = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(sink, 2)
            yield
        finally:
            os.dup2(saved, 2)
            os.close(saved)
            os.close(sink)


def openable(path: Path) -> str | io.BytesIO:
    """Return what rawpy can open: the path, or the bytes where its name is not UTF-8."""
    name = str(path)
    try:
        name.encode()
    except UnicodeEncodeError:
        return io.BytesIO(path.read_bytes())
    return name
