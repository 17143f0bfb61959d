"""The most memory this process has held; `pipeline` puts it into the report.

The one thing to know: the system counts for the whole process since it began, not for one file.
"""

import sys

_UNIT = 1 if sys.platform == "darwin" else 1024  # bytes per unit of ru_maxrss [getrusage(2)]


def peak_memory() -> int | None:
    """Return the largest resident set of this process so far, in bytes; None on Windows."""
    try:
        import resource
    except ImportError:
        return None
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _UNIT
