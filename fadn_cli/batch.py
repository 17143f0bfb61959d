"""Paths to a plan, a plan to results: what is denoised, under which names, and what became of it.

`cli` calls `plan`, then `run`. The one thing to know: whatever one path or one file is guilty of
becomes a failure in the result and stops nothing else; only a plan that cannot be carried out as a
whole (two sources want one output) is refused, before any work.
"""

import os
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from fadn_cli import pipeline
from fadn_cli.errors import FadnError, OutputExistsError, WriteError
from fadn_cli.files import make_folder
from fadn_cli.report import (
    BatchResult,
    Event,
    FileFinished,
    FileResult,
    FileStarted,
    TileFinished,
)
from fadn_cli.sources import collect, is_folder

_SUFFIXES = {"dng": ".dng", "tiff": ".tif"}
_FORMATS = {".dng": "dng", ".tif": "tiff", ".tiff": "tiff"}


class PlanError(ValueError):
    """The arguments contradict each other: a matter of usage, not of any file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One file to denoise."""

    source: Path
    """The raw file to read."""
    output: Path
    """The file to write."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a batch will do, and what it already knows it will not."""

    jobs: tuple[Job, ...]
    """In the order in which they will run."""
    format: str
    """"dng" or "tiff": every job's."""
    skipped: tuple[FileResult, ...] = ()
    """Files left alone: they carry our own marker."""
    failures: tuple[FileResult, ...] = ()
    """Inputs that cannot be worked on; the rest of the batch is done all the same."""

    @property
    def count(self) -> int:
        """Number of inputs, whatever becomes of them."""
        return len(self.jobs) + len(self.skipped) + len(self.failures)


def plan(
    paths: Sequence[Path],
    *,
    output: Path | None = None,
    format: str | None = None,
    suffix: str = "_denoised",
    recursive: bool = False,
    overwrite: bool = False,
) -> Plan:
    """Decide what is denoised and where it goes; writes nothing.

    Files are read only where two want one output: one that cannot be denoised wants none, and
    fails for its own reason like any other.

    Parameters
    ----------
    paths : files and folders
        A folder stands for the raw files in it, known by their names, without those that carry our
        marker; a file is taken as it is. The same file met twice counts once.
    output : path, optional
        A file, if the only path is a file and the suffix is .dng, .tif or .tiff; else a folder.
        None: beside each source.
    format : "dng" or "tiff", optional
        None: as the suffix of an output file says, else "dng".
    suffix : str
        Put between the source's stem and the new extension, unless `output` is a file.
    recursive : bool
        Whether folders inside folders are taken too; an output folder then mirrors their tree.
    overwrite : bool
        Whether outputs may exist.

    Raises
    ------
    PlanError
        The arguments contradict each other.
    FadnError
        Two sources want one output, or an output would replace a source.
    """
    found = collect(paths, recursive=recursive, is_marked=pipeline.is_marked)
    single = output is not None and _names_a_file(paths, output)
    format = _choose_format(format, output if single else None)
    if any(mark in suffix for mark in "/\\\0"):
        raise PlanError(f"the suffix {suffix!r} would lead into another folder")
    if output is not None and not single and os.path.lexists(output) and not is_folder(output):
        raise PlanError(
            f"{output} is neither a folder nor, ending in .dng, .tif or .tiff, one file's output"
        )
    ending = suffix + _SUFFIXES[format]
    jobs = []
    for source in found.sources:
        target = source.path.with_name(source.path.stem + ending)
        if output is not None:
            folder = output / source.subfolder if recursive else output
            target = output if single else folder / target.name
        jobs.append(Job(source=source.path, output=target))
    failures = [*found.failures, *_refuse_collisions(jobs)]
    failed = {failure.source for failure in failures}
    jobs = [job for job in jobs if job.source not in failed]
    free = [job for job in jobs if overwrite or not os.path.lexists(job.output)]
    failures += [_already_there(job) for job in jobs if job not in free]
    return Plan(jobs=tuple(free), format=format, skipped=found.skipped, failures=tuple(failures))


def run(
    plan: Plan,
    options: pipeline.DenoiseOptions,
    *,
    on_event: Callable[[Event], None] | None = None,
) -> BatchResult:
    """Carry out a plan, one file after the other; one bad file never stops the others.

    Parameters
    ----------
    plan : Plan
        From `plan`.
    options : DenoiseOptions
        The same for all files.
    on_event : callable, optional
        Told of each file's start and end, and of each tile.

    Returns
    -------
    BatchResult
        After Ctrl-C: of the files finished until then.

    Raises
    ------
    Exception
        With one input only: whatever is not a FadnError, since that is a bug and its traceback is
        wanted. With several it becomes a failure of its file, which keeps the traceback.
    """
    tell = on_event or _ignore
    started = time.perf_counter()
    results = [*plan.skipped, *plan.failures]
    alone = len(plan.jobs) + len(plan.failures) == 1
    interrupted = False
    try:
        for result in results:
            tell(FileFinished(result=result))
        for index, job in enumerate(plan.jobs, start=1):
            tell(FileStarted(source=job.source, index=index, count=len(plan.jobs)))
            results.append(_denoise(job, options, tell, alone=alone))
            tell(FileFinished(result=results[-1]))
    except KeyboardInterrupt:
        interrupted = True
    return BatchResult(
        results=tuple(results), seconds=time.perf_counter() - started, interrupted=interrupted
    )


def _denoise(
    job: Job,
    options: pipeline.DenoiseOptions,
    tell: Callable[[Event], None],
    *,
    alone: bool,
) -> FileResult:
    """Denoise one file; its failure becomes part of the result."""
    try:
        make_folder(job.output.parent, advice="Choose another folder with -o.")
        report = pipeline.denoise_file(
            job.source, job.output, options, on_tile=partial(_tell_tile, tell)
        )
    except Exception as error:
        if alone and not isinstance(error, FadnError):
            raise
        return _failure(job.source, error)
    return FileResult(source=job.source, report=report)


def _failure(source: Path, error: Exception) -> FileResult:
    """Report a failed file; what is not a FadnError is a bug, and keeps its traceback."""
    if isinstance(error, FadnError):
        return FileResult(source=source, error=error)
    message = f"{source.name}: internal error: {type(error).__name__}: {error}"
    return FileResult(
        source=source,
        error=FadnError(message, advice="This is a bug in fadn: please report it."),
        traceback="".join(traceback.format_exception(error)),
    )


def _tell_tile(tell: Callable[[Event], None], done: int, total: int) -> None:
    """Pass a finished tile on as an event."""
    tell(TileFinished(done=done, total=total))


def _ignore(event: Event) -> None:
    """Take an event that nobody listens to."""


def _names_a_file(paths: Sequence[Path], output: Path) -> bool:
    """Whether -o is the output itself, not the folder to put it in."""
    alone = len(paths) == 1 and not is_folder(paths[0])
    return alone and not is_folder(output) and output.suffix.lower() in _FORMATS


def _choose_format(format: str | None, output: Path | None) -> str:
    """Take the format from --format or from the name of the output file; they may not differ."""
    if format is not None and format not in _SUFFIXES:
        raise PlanError(f"the format is {format!r}; use dng or tiff")
    named = None if output is None else _FORMATS[output.suffix.lower()]
    if format and named and format != named:
        raise PlanError(f"the format is {format}, but the output is named {output}")
    return format or named or "dng"


def _refuse_collisions(jobs: Sequence[Job]) -> list[FileResult]:
    """Raise if two outputs, or an output and a source, are one file, on any kind of disk.

    Returns the failures of files that share an output but cannot be denoised anyway.
    """
    sources = {_identity(job.source): job.source for job in jobs}
    wanted: dict[str, list[Job]] = {}
    for job in jobs:
        key = _identity(job.output)
        if key in sources:
            raise WriteError(
                f"{job.source}: the output would replace the source {sources[key]}",
                advice="Choose another --suffix, or another folder with -o.",
            )
        wanted.setdefault(key, []).append(job)
    failures = []
    for rivals in wanted.values():
        checked = [(job, _why_not(job.source) if len(rivals) > 1 else None) for job in rivals]
        good = [job.source for job, failure in checked if failure is None]
        if len(good) > 1:
            raise FadnError(
                f"{good[0]} and {good[1]} both want the output {rivals[0].output}",
                advice="Denoise them in separate runs, each with its own --suffix or -o.",
            )
        failures += [failure for _, failure in checked if failure is not None]
    return failures


def _why_not(source: Path) -> FileResult | None:
    """Report why a file cannot be denoised; None if it can."""
    try:
        pipeline.inspect_file(source)
    except Exception as error:
        return _failure(source, error)
    return None


def _identity(path: Path) -> str:
    """Name a file the same however it is spelled; upper and lower case are one on some disks."""
    return os.path.realpath(path).casefold()


def _already_there(job: Job) -> FileResult:
    """Report a job whose output exists."""
    error = OutputExistsError(
        f"{job.source.name}: the output {job.output} exists already",
        advice="Add --overwrite to replace it, or choose another --suffix or -o.",
    )
    return FileResult(source=job.source, error=error)
