"""How much memory there is to be had; a batch plans with it.

The one thing to know: what is told is what this process may still take, now, by the least of all
limits that are known; others may take it in the next moment.
"""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from fadn_cli.system.usage import memory_limit

_AVAILABLE = re.compile(r"^MemAvailable:\s*(\d+) kB", re.MULTILINE)
_ADDRESSES = re.compile(r"^VmSize:\s*(\d+) kB", re.MULTILINE)
_PROCESS = Path("/proc/self")
_MACHINE = Path("/proc/meminfo")
_GROUPS = Path("/sys/fs/cgroup")
_UNLIMITED = 1 << 60


def free_memory() -> int | None:
    """Return how many bytes this process may still take; None where nothing tells.

    References
    ----------
    proc(5), MemAvailable; Linux kernel documentation, "Control Group v2", memory.max, and
    "Memory Resource Controller" for version 1; getrlimit(2), RLIMIT_AS.
    """
    known = [*_of_machine(), *_of_groups()]
    limit = memory_limit()
    if limit is not None:
        known.append(limit - _read_number(_PROCESS / "status", _ADDRESSES))
    return max(0, min(known)) if known else None


def _of_machine() -> Iterator[int]:
    """Yield what the machine has left."""
    if available := _read_number(_MACHINE, _AVAILABLE):
        yield available
        return
    with suppress(ValueError, OSError, AttributeError):  # what macOS tells; Windows has no sysconf
        yield os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2


def _of_groups() -> Iterator[int]:
    """Yield what this process' control groups, of either version, and those above it have left."""
    with suppress(OSError):
        for line in (_PROCESS / "cgroup").read_text(encoding="utf-8").splitlines():
            _, kinds, own = line.split(":", 2)
            names = ("memory.max", "memory.current")
            top = _GROUPS
            if "memory" in kinds.split(","):
                names = ("memory.limit_in_bytes", "memory.usage_in_bytes")
                top = _GROUPS / "memory"
            elif kinds:
                continue
            place = top / own.lstrip("/")
            for group in (place, *place.parents):
                if group.is_relative_to(top):
                    yield from _left(group, *names)


def _left(group: Path, limit: str, used: str) -> Iterator[int]:
    """Yield what a group has left, counting what is only a copy of files as free."""
    with suppress(OSError, ValueError):
        most, now = (int((group / name).read_text(encoding="ascii")) for name in (limit, used))
        cached = re.search(
            r"^(?:total_)?inactive_file (\d+)$", (group / "memory.stat").read_text(), re.MULTILINE
        )
        if most < _UNLIMITED:
            yield most - now + (int(cached[1]) if cached else 0)


def _read_number(path: Path, pattern: re.Pattern[str]) -> int:
    """Return a number of kB in bytes; 0 if it is not there."""
    with suppress(OSError):
        if found := pattern.search(path.read_text(encoding="ascii", errors="replace")):
            return int(found[1]) * 1024
    return 0
