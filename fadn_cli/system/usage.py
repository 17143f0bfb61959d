"""What a job takes: seconds by stage, and the most memory this process has held, for the report.

The one thing to know: the system counts memory for the whole process since it began, not for one
file.
"""

import ctypes
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_UNIT = 1 if sys.platform == "darwin" else 1024  # bytes per unit of ru_maxrss [getrusage(2)]
_ARENA_MAX = -8  # mallopt's M_ARENA_MAX [glibc, malloc.h]
_STATUS = Path("/proc/self/status")
_HIGH_WATER = re.compile(r"^VmHWM:\s*(\d+) kB", re.MULTILINE)


class Stopwatch:
    """Running since it was made."""

    def __init__(self) -> None:
        self._start = time.perf_counter()
        self._stages: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a block that ends well."""
        start = time.perf_counter()
        yield
        self._stages[name] = time.perf_counter() - start

    def seconds(self) -> dict[str, float]:
        """Return the stages' seconds, and "total" so far."""
        return {**self._stages, "total": time.perf_counter() - self._start}


def keep_memory_together() -> None:
    """Have all threads take memory from one place, before there are any.

    Else glibc keeps what each has freed for itself: 50 MB more at 24 megapixels [measured].
    """
    with suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL(None).mallopt(_ARENA_MAX, 1)


def give_memory_back() -> None:
    """Return to the system what was freed and lies between what was not; glibc keeps it else."""
    with suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL(None).malloc_trim(0)


def peak_memory() -> int | None:
    """Return the largest resident set of this process so far, in bytes; None on Windows."""
    with suppress(OSError):  # Linux: getrusage would count what the parent held too [execve(2)]
        if found := _HIGH_WATER.search(_STATUS.read_text(encoding="ascii", errors="replace")):
            return int(found[1]) * 1024
    try:
        import resource
    except ImportError:
        return None
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _UNIT


def memory_limit() -> int | None:
    """Return how many bytes of memory this process may have (ulimit -v); None: no such limit."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    return None if limit == resource.RLIM_INFINITY else limit
