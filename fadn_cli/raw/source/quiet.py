"""LibRaw's manners: its own messages off the terminal, and names it cannot spell.

Used where LibRaw decodes (`reader`, `render`). The one thing to know: LibRaw prints to file
descriptor 2, past Python, so the descriptor itself is turned away for as long as a call takes. Who
has something to say meanwhile says it through another one, as `console` does.
"""

import io
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fadn_cli.raw.tiff.file import map_file
from fadn_cli.system.snapshot import held_bytes

_lock = threading.Lock()
_inside = 0  # calls that want quiet at this moment
_saved: int | None = None  # the real stderr meanwhile; None if there is none, as under pythonw


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Discard what is written to file descriptor 2, in all threads, until the last call ends."""
    global _inside, _saved
    with _lock:
        if _inside == 0:
            _saved = _turn_away()
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0 and _saved is not None:
                os.dup2(_saved, 2)
                os.close(_saved)


def _turn_away() -> int | None:
    """Point file descriptor 2 at nothing; return a copy of what it was."""
    try:
        saved = os.dup(2)
    except OSError:
        return None
    try:
        sink = os.open(os.devnull, os.O_WRONLY)
    except OSError:  # no more files may be open: then LibRaw is heard
        os.close(saved)
        return None
    os.dup2(sink, 2)
    os.close(sink)
    return saved


def openable(path: Path) -> str | io.BytesIO:
    """Return what rawpy can open: the path, or bytes where a snapshot holds the file.

    The bytes also where the path's name is not UTF-8.

    Raises
    ------
    RawReadError
        The file cannot be read.
    """
    held = held_bytes(path)
    if held is not None:
        return io.BytesIO(held)
    name = str(path)
    try:
        name.encode()
    except UnicodeEncodeError:
        return io.BytesIO(map_file(path))
    return name
