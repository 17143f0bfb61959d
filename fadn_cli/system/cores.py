"""What this process may have: cores, threads, open files; whatever works in threads asks here."""

import math
import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

_FEW = 16
_OPEN_ANYWAY, _OPEN_PER_JOB = 16, 6  # files [measured: 4 jobs need 24 in all at the least]
_GROUP = Path("/proc/self/cgroup")
_GROUPS = Path("/sys/fs/cgroup")


def available_cores() -> int:
    """Return the number of cores this process may use.

    The cores it may run on, or fewer if it may only have a share of their time, as in a container:
    with more threads than that it would be stopped again and again.

    References
    ----------
    Linux kernel documentation, "Control Group v2", cpu.max.
    """
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    return max(1, min(cores, _cores_granted()))


def usable_threads(asked: int | None) -> int:
    """Return how many threads to start: as many as were asked for, within reason.

    More threads than cores gain nothing, a few cost nothing, and hundreds take ten times as long
    or never end [measured on 2 cores: 16 take 0.9 s for a frame, 300 take 8.4 s].

    Parameters
    ----------
    asked : int or None
        None: one per available core.
    """
    cores = available_cores()
    return cores if asked is None else min(asked, max(cores, _FEW))


def usable_jobs(asked: int) -> int:
    """Return how many files to work on at once: no more than threads, nor than may be open."""
    return min(usable_threads(asked), max(1, (most_open_files() - _OPEN_ANYWAY) // _OPEN_PER_JOB))


def most_open_files() -> int:
    """Return how many files this process may have open at once."""
    if resource is None:
        return 512  # of the C library's [Microsoft, _setmaxstdio]
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 1 << 16 if limit == resource.RLIM_INFINITY else min(limit, 1 << 16)


def leave_threads_to_us() -> None:
    """Have numpy's linear algebra work in the thread that asks, before numpy is loaded.

    Else products of matrices are shared among threads of its own, which then wait for more at full
    speed: 0.1 s of the processor's time in each photograph [measured].
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def start_together(threads: int | None, *calls: Callable[[], Any]) -> list[Future[Any]]:
    """Make some calls at once, on no more threads than there are to use; return when all ended.

    Parameters
    ----------
    threads : int, optional
        In all, see `usable_threads`.
    calls : callables
        What each returns or raises, its future holds.
    """
    with ThreadPoolExecutor(min(len(calls), usable_threads(threads))) as pool:
        return [pool.submit(call) for call in calls]


def _cores_granted() -> int:
    """Return the least that this process' control group and those above it grant, rounded up."""
    granted = 1 << 16
    try:
        lines = _GROUP.read_text(encoding="utf-8").splitlines()
    except OSError:  # no Linux
        return granted
    own = next((line.removeprefix("0::/") for line in lines if line.startswith("0::/")), "")
    for group in (_GROUPS / own, *(_GROUPS / own).parents):
        try:
            quota, period = (group / "cpu.max").read_text(encoding="utf-8").split()
            granted = min(granted, math.ceil(int(quota) / int(period)))
        except (OSError, ValueError, ZeroDivisionError):  # no limit, "max", or not a group
            continue
    return granted
