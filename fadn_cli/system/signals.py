"""Signals that ask this process to end: Ctrl-C, a terminal that is closed, a machine shut down.

`__main__` begins to listen, `batch` and `cli` say when they must not be disturbed. The one thing to
know: the first one, whichever it is, comes out of the main thread as KeyboardInterrupt, so that
what is half done is tidied up and what was done is told; impatient ones after it change nothing.
"""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from fadn_cli.errors import INTERRUPTED

PATIENCE = 10.0
"""Seconds after which another signal interrupts once more: something hangs."""
_NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGXCPU", "SIGBREAK")
ENDING = tuple(getattr(signal, name) for name in _NAMES if hasattr(signal, name))
"""Those of them that this system has."""

_heard: tuple[int, float] | None = None  # the first one, and when
_finishing = 0  # blocks that must not be disturbed, one inside the other


def listen() -> None:
    """Hear all of `ENDING` from now on, but those that this process was told to ignore (nohup)."""
    for number in ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _hear)


def was_heard() -> bool:
    """Whether one has come."""
    return _heard is not None


def raise_if_heard() -> None:
    """Interrupt, if a signal has come: Python drops what is raised inside a destructor, say.

    Raises
    ------
    KeyboardInterrupt
        One has.
    """
    if _heard is not None:
        raise KeyboardInterrupt


def exit_code() -> int:
    """Return the exit code as shells count it: 128 and the first signal's number, or Ctrl-C's."""
    return INTERRUPTED if _heard is None else 128 + _heard[0]


@contextmanager
def finishing() -> Iterator[None]:
    """Do what must not be cut short: signals that come meanwhile are noted, and no more."""
    global _finishing
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    deaf = signal.getsignal(signal.SIGINT) is not _hear  # called from somebody else's program
    before = signal.signal(signal.SIGINT, signal.SIG_IGN) if deaf else None
    _finishing += 1
    try:
        yield
    finally:
        _finishing -= 1
        if deaf:
            signal.signal(signal.SIGINT, before or signal.default_int_handler)


@contextmanager
def undivided() -> Iterator[None]:
    """Do a step of a moment whole or not at all: a signal that comes meanwhile is heard after it.

    What the step has made is then known to the `except` around this block.
    """
    before = _heard
    if threading.current_thread() is not threading.main_thread() or not _is_listening():
        yield
        return
    with finishing():
        yield
    if before is None and _heard is not None and not _finishing:
        raise KeyboardInterrupt


def _is_listening() -> bool:
    """Whether signals are heard here; in somebody else's program Ctrl-C would be lost."""
    return any(signal.getsignal(number) is _hear for number in ENDING)


def _hear(number: int, frame: FrameType | None) -> None:
    """Take a signal, in the main thread."""
    global _heard
    now = time.monotonic()
    first = _heard is None
    _heard = _heard or (number, now)
    if not _finishing and (first or now - _heard[1] > PATIENCE):
        raise KeyboardInterrupt
