"""A batch on an existing Dask cluster: the only importer of distributed (extra `[cluster]`).

`batch` calls it where `--scheduler` is given. The one thing to know: workers read the sources and
write the outputs themselves, so they must see the same folders under the same names as the machine
where the batch was planned.
"""

from collections.abc import Iterator
from concurrent.futures import CancelledError, Executor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from fadn_cli.batch.planning import Job
from fadn_cli.batch.results import FileResult
from fadn_cli.batch.worker import Task
from fadn_cli.batch.worker import work as work_here
from fadn_cli.errors import FadnError

_TIMEOUT = "10s"  # for a scheduler to answer


@contextmanager
def connect(address: str) -> Iterator[Executor]:
    """Connect to a Dask scheduler, and give its workers as an executor.

    Parameters
    ----------
    address : str
        Such as "tcp://192.168.1.2:8786".

    Raises
    ------
    FadnError
        distributed is not installed, no scheduler answers, or a worker has no fadn.
    """
    try:
        import distributed
    except ImportError as error:
        raise FadnError(
            "--scheduler needs Dask's distributed, which is not installed",
            advice='Install it: pip install "fadn[cluster]"',
        ) from error
    try:
        client = distributed.Client(address, timeout=_TIMEOUT, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise FadnError(
            f"{address}: no Dask scheduler answers there ({error})",
            advice="Start one with `dask scheduler`, and give the address it prints.",
        ) from error
    try:
        _check_workers(client)
        # Not pure: a file that failed is tried again when it is asked for again.
        yield client.get_executor(pure=False)
    finally:
        client.close()


def work(task: Task) -> FileResult:
    """Do a task on a worker: with one thread, unless the user said how many.

    A Dask worker takes as many files at once as it has threads.
    """
    return work_here(
        replace(task, options=replace(task.options, threads=task.options.threads or 1))
    )


def absolute(task: Task) -> Task:
    """Return the task with paths that mean the same in any folder."""
    job = Job(source=Path.absolute(task.job.source), output=Path.absolute(task.job.output))
    return replace(task, job=job)


def explain(error: Exception, source: Path) -> FadnError | None:
    """Say why the cluster gave a file up; None for errors that are not the cluster's."""
    lost = isinstance(error, CancelledError) or type(error).__module__.startswith("distributed.")
    if not lost:
        return None
    reason = str(error).strip() or type(error).__name__
    return FadnError(
        f"{source.name}: the Dask cluster has lost it: {reason}",
        advice="Look at the workers' messages: one may have run out of memory.",
    )


def _check_workers(client: Any) -> None:
    """Refuse a cluster some of whose workers cannot import fadn."""
    try:
        client.run(_probe)
    except Exception as error:  # whatever a worker raises comes out here
        raise FadnError(
            f"a worker of the Dask cluster cannot run fadn ({error})",
            advice="Install the same fadn on every worker, and restart them.",
        ) from error


def _probe() -> str:
    """Show that fadn can be imported where this runs."""
    return __name__
