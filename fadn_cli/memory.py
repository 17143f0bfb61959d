"""The most memory this process has held; `pipeline` puts it into the report.

The one thing to know: the system counts for the whole process since it began, not for one file.
"""

import re
import sys
from contextlib import suppress
from pathlib import Path

_UNIT = 1 if sys.platform == "darwin" else 1024  # bytes per unit of ru_maxrss [getrusage(2)]
_STATUS = Path("/proc/self/status")
_HIGH_WATER = re.compile(r"^VmHWM:\s*(\d+) kB", re.MULTILINE)


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
