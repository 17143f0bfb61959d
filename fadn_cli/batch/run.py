"""A plan to results: several files at once, here or on a cluster, ended cleanly by Ctrl-C.

`cli` calls `run`, or `foresee` for a dry run. The one thing to know: what becomes of a file, its
own bugs included, is a result and stops nothing else.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from fadn_cli.batch import cluster, worker
from fadn_cli.batch.claims import claimed
from fadn_cli.batch.crew import Crew
from fadn_cli.batch.ledger import recipe
from fadn_cli.batch.planning import Job, Plan, failure
from fadn_cli.batch.results import BatchResult, Event, FileFinished, FileResult, Told
from fadn_cli.batch.shot import memory_needed
from fadn_cli.batch.worker import Task
from fadn_cli.errors import FadnError
from fadn_cli.limits import MEMORY_AT_LEAST
from fadn_cli.pipeline.options import DenoiseOptions
from fadn_cli.pipeline.report import plain
from fadn_cli.system import signals
from fadn_cli.system.cores import usable_jobs, usable_threads
from fadn_cli.system.memory import free_memory
from fadn_cli.system.temporary import remove_leftovers

_LOOKED_AT = 4
"""Files, the largest, whose size in pixels the others are taken to have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handling:
    """How a batch goes about its files, beyond what happens to each mosaic."""

    jobs: int = 1
    """Files at once, sharing the threads; see `cores.usable_jobs`."""
    scheduler: str | None = None
    """Address of a Dask scheduler whose workers do it; None: this process does."""
    keep_mtime: bool = False
    """Whether outputs get the time at which their source was last modified."""
    sidecars: bool = False
    """Whether sidecars are copied, and their XMP merged into that of a DNG."""
    max_memory: int | None = None
    """Bytes that all files at work may take; None: half of what is free, but all of it for a file
    alone."""


def run(
    plan: Plan,
    options: DenoiseOptions,
    handling: Handling | None = None,
    *,
    on_event: Callable[[Event], None] | None = None,
) -> BatchResult:
    """Carry out a plan; one bad file never stops the others.

    What earlier runs did, and would come out the same, is not done again. What killed ones left
    behind in the output folders is removed.

    Parameters
    ----------
    plan : Plan
        From `planning.plan`.
    options : DenoiseOptions
        The same for all files.
    handling : Handling, optional
    on_event : callable, optional
        Told of each file's start and end, and of each tile; called in this thread.

    Returns
    -------
    BatchResult
        After Ctrl-C, or another signal to end: of the files finished until then.

    Raises
    ------
    FadnError
        The cluster cannot be reached, the weights' manifest cannot be read, or another batch is at
        work on the same outputs with other options.
    Exception
        With one input only: whatever is not a FadnError, since that is a bug and its traceback is
        wanted. With several it becomes a failure of its file, which keeps the traceback.
    """
    handling = handling or Handling()
    tell = on_event or _ignore
    started = time.perf_counter()
    known = (*plan.skipped, *plan.failures)
    alone = len(plan.jobs) + len(plan.failures) == 1
    interrupted = False
    asked = usable_jobs(handling.jobs)
    handling = replace(handling, jobs=_fitting_jobs(plan.jobs, options, handling))
    crew = Crew(jobs=usable_jobs(handling.jobs), scheduler=handling.scheduler)
    try:
        if handling.jobs < min(asked, len(plan.jobs)):
            tell(Told(warning=_spell_fewer(handling)))
        for result in known:
            tell(FileFinished(result=result))
        for folder in dict.fromkeys(job.output.parent for job in plan.jobs):
            remove_leftovers(folder)
        if tasks := _make_tasks(plan.jobs, options, handling):
            with (
                claimed(plan.jobs, tasks[0].recipe, overwrite=options.overwrite),
                closing(crew.run(tasks, tell)) as settled,
            ):
                for task, future in settled:
                    tell(FileFinished(result=_result_of(task, future, alone=alone)))
    except KeyboardInterrupt:
        interrupted = True
    ended = crew.finished if interrupted else crew.given
    made = (_result_of(task, future, alone=alone) for task, future in ended)
    return BatchResult(
        results=(*known, *made),
        seconds=time.perf_counter() - started,
        interrupted=interrupted,
        stop_code=signals.exit_code(),
    )


def foresee(
    plan: Plan, options: DenoiseOptions, handling: Handling | None = None
) -> tuple[dict[str, Any], ...]:
    """Tell what `run` would do about each input; reads outputs that exist, and writes nothing.

    Returns
    -------
    tuple of dict
        Of JSON's types: source, output, action ("denoise", "redo", "done", "edited", "skip" or
        "fail") and reason.

    Raises
    ------
    FadnError
        The weights' manifest cannot be read.
    """
    settled = [
        {"source": each.source, "output": None, "action": action, "reason": reason}
        for results, action in ((plan.skipped, "skip"), (plan.failures, "fail"))
        for each in results
        if (reason := str(each.error or each.skipped))
    ]
    judged = []
    for task in _make_tasks(plan.jobs, options, handling or Handling()):
        try:
            verdict = worker.judge(task)
            action, reason = verdict.action, verdict.reason
        except FadnError as error:
            action, reason = "fail", str(error)
        judged.append({**asdict(task.job), "action": action, "reason": reason})
    return tuple(plain(row) for row in (*settled, *judged))


def _make_tasks(
    jobs: Sequence[Job], options: DenoiseOptions, handling: Handling
) -> tuple[Task, ...]:
    """Make a plan's jobs tasks, with a share of the threads for each file at work."""
    if not jobs:
        return ()
    at_once = min(usable_jobs(handling.jobs), len(jobs))
    if at_once > 1 and handling.scheduler is None:
        threads = usable_threads(options.threads) // at_once
        options = replace(options, threads=max(1, threads))
    made = recipe(options)
    return tuple(
        Task(
            job=job,
            options=options,
            recipe=made,
            keep_mtime=handling.keep_mtime,
            sidecars=handling.sidecars,
            max_memory=handling.max_memory,
        )
        for job in jobs
    )


def _fitting_jobs(jobs: Sequence[Job], options: DenoiseOptions, handling: Handling) -> int:
    """Return how many files to work on at once: as many as asked for, if memory is enough."""
    asked = usable_jobs(handling.jobs)
    most = handling.max_memory
    if most is None and (free := free_memory()) is not None:
        most = free // 2
    if handling.scheduler is not None or min(asked, len(jobs)) < 2 or most is None:
        return handling.jobs
    largest = sorted((job.source for job in jobs), key=_bytes_of)[-_LOOKED_AT:]
    needed = max(memory_needed(path, options) for path in largest)
    room = most - MEMORY_AT_LEAST
    return handling.jobs if asked * needed <= room else max(1, room // needed)


def _bytes_of(path: Path) -> int:
    """Return a file's size; 0 if it is not there."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _spell_fewer(handling: Handling) -> str:
    """Say that fewer files are worked on at once than was asked for."""
    count = "one file" if handling.jobs == 1 else f"{handling.jobs} files"
    cause = "half of what is free" if handling.max_memory is None else "--max-memory"
    return f"memory ({cause}) is enough for {count} of this size at once; --jobs is taken as that"


def _result_of(task: Task, future: Future[FileResult], *, alone: bool) -> FileResult:
    """Return what became of a task; a bug stays an exception if it is the only input."""
    try:
        result = future.result()
    except Exception as error:
        lost = cluster.explain(error, task.job.source)
        if alone and lost is None:
            raise
        return failure(task.job.source, lost or error)
    return _spelled(result, task.job)


def _spelled(result: FileResult, job: Job) -> FileResult:
    """Name the files as the user did: a worker elsewhere was given absolute paths."""
    report = result.report and replace(result.report, source=job.source, output=job.output)
    done = result.done and replace(result.done, output=job.output)
    return replace(result, source=job.source, report=report, done=done)


def _ignore(event: Event) -> None:
    """Take an event that nobody listens to."""
