"""Paths to a plan: what is denoised, and under which names. Writes nothing.

`cli` calls `plan` and hands the plan to `batch`. The one thing to know: whatever one path or one
file is guilty of becomes a failure in the plan and stops nothing else, and so do sources that want
one output, and an output that would replace a source.
"""

import os
import traceback
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fadn_cli.batch.ledger import read_entries
from fadn_cli.batch.naming import DEFAULT, EXTENSIONS, NameTemplate, suffix_template
from fadn_cli.batch.results import FileResult
from fadn_cli.batch.shot import Shot, read_shot
from fadn_cli.batch.sources import (
    OURS,
    UNMARKED,
    Selection,
    Source,
    collect,
    is_file_name,
    is_folder,
)
from fadn_cli.errors import FadnError, WriteError
from fadn_cli.pipeline.file import inspect_file
from fadn_cli.raw.dng.marker import is_marked

FORMATS = {ending: name for name, endings in EXTENSIONS.items() for ending in endings}
"""What an output's name says, by how it ends."""


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
    """In the order in which they will run; those whose output is there already included."""
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
    selection: Selection | None = None,
    output: Path | None = None,
    format: str | None = None,
    name: str | None = None,
    suffix: str | None = None,
) -> Plan:
    """Decide what is denoised and where it goes.

    Files are read only where a name template asks for what they say, and where two want one
    output: one that cannot be denoised wants none, and fails for its own reason like any other.

    Parameters
    ----------
    paths : files, folders, patterns and "-"
        See `sources.collect`. The same file met twice counts once.
    selection : Selection, optional
        What is taken from folders; None: their own raw files.
    output : path, optional
        A file, if the only path is a file and the suffix is .dng, .tif or .tiff; else a folder.
        None: beside each source.
    format : "dng" or "tiff", optional
        None: as the suffix of an output file says, else "dng".
    name : str, optional
        Template of the outputs' names, unless `output` is a file; see `naming`.
    suffix : str, optional
        Short for the template "{stem}SUFFIX{ext}".

    Raises
    ------
    PlanError
        The arguments contradict each other.
    WriteError
        Every output would replace a source.
    """
    selection = selection or Selection()
    single = output is not None and _names_a_file(paths, output)
    format = _choose_format(format, output if single else None)
    template = _make_template(name, suffix, format)
    if output is not None and not single and os.path.lexists(output) and not is_folder(output):
        raise PlanError(
            f"{output} is neither a folder nor, ending in .dng, .tif or .tiff, one file's output"
        )
    found = collect(paths, selection, why_ours=_why_ours)
    jobs = []
    for source in found.sources:
        if single and output is not None:
            jobs.append(Job(source=source.path, output=output))
            continue
        shot = read_shot(source.path) if template.needs_shot else Shot()
        folder = _folder_for(source, output, mirrored=selection.recursive)
        target = folder / template.fill(source.path, shot, format)
        jobs.append(Job(source=source.path, output=target))
    jobs, ours = _without_outputs(jobs)
    failures = [*found.failures, *_refuse_collisions(jobs)]
    failed = {failure.source for failure in failures}
    return Plan(
        jobs=tuple(job for job in jobs if job.source not in failed),
        format=format,
        skipped=(*found.skipped, *ours),
        failures=tuple(failures),
    )


def failure(source: Path, error: Exception) -> FileResult:
    """Report a failed file; what is not a FadnError is a bug, and keeps its traceback."""
    if isinstance(error, FadnError):
        return FileResult(source=source, error=error)
    message = f"{source.name}: internal error: {type(error).__name__}: {error}"
    return FileResult(
        source=source,
        error=FadnError(message, advice="This is a bug in fadn: please report it."),
        traceback="".join(traceback.format_exception(error)),
    )


def _names_a_file(paths: Sequence[Path], output: Path) -> bool:
    """Whether -o is the output itself, not the folder to put it in."""
    alone = len(paths) == 1 and is_file_name(paths[0])
    return alone and not is_folder(output) and output.suffix.lower() in FORMATS


def _choose_format(format: str | None, output: Path | None) -> str:
    """Take the format from --format or from the name of the output file; they may not differ."""
    if format is not None and format not in EXTENSIONS:
        raise PlanError(f"the format is {format!r}; use dng or tiff")
    named = None if output is None else FORMATS[output.suffix.lower()]
    if format and named and format != named:
        raise PlanError(f"the format is {format}, but the output is named {output}")
    return format or named or "dng"


def _make_template(name: str | None, suffix: str | None, format: str) -> NameTemplate:
    """Check how the outputs are to be called."""
    if name is not None and suffix is not None:
        raise PlanError("--suffix is part of what --name says: leave one of them out")
    text = DEFAULT if name is None else name
    try:
        template = NameTemplate(text if suffix is None else suffix_template(suffix))
        template.check(format)
    except ValueError as error:
        raise PlanError(str(error)) from error
    return template


def _folder_for(source: Source, output: Path | None, *, mirrored: bool) -> Path:
    """Return the folder of a source's output."""
    if output is None:
        return source.path.parent
    return output / source.subfolder if mirrored else output


def _without_outputs(jobs: Sequence[Job]) -> tuple[list[Job], list[FileResult]]:
    """Set aside named files that are our own outputs of other files named with them.

    The shell makes of `*.dng` the outputs of the run before, too.
    """
    outputs = {_identity(job.output) for job in jobs}
    reasons = {
        job.source: reason
        for job in jobs
        if _identity(job.source) in outputs and (reason := _why_ours(job.source))
    }
    kept = [job for job in jobs if job.source not in reasons]
    return kept, [FileResult(source=path, skipped=reason) for path, reason in reasons.items()]


def _why_ours(path: Path) -> str:
    """Say why a file is taken for one that fadn wrote, whatever was done to it since; empty: not.

    One that lost its marker may be edited or, where a camera counts from 1 again, another one.
    """
    if is_marked(path):
        return OURS
    return UNMARKED if read_entries(path) else ""


def _refuse_collisions(jobs: Sequence[Job]) -> list[FileResult]:
    """Return the failures of files whose output is a source, and of files that share an output.

    Those that share one have one error, if they could be denoised; any that cannot has its own.

    Raises
    ------
    WriteError
        Every output is a source, on any kind of disk: a mistake in what is to be done.
    """
    sources = {_identity(job.source): job.source for job in jobs}
    wanted: dict[str, list[Job]] = {}
    for job in jobs:
        wanted.setdefault(_identity(job.output), []).append(job)
    failures = []
    for key, rivals in wanted.items():
        if key in sources:
            failures += [_would_replace(job, sources[key]) for job in rivals]
            continue
        checked = [(job, _why_not(job.source) if len(rivals) > 1 else None) for job in rivals]
        good = [job.source for job, reason in checked if reason is None]
        if len(good) > 1:
            shared = _shared_output(good, rivals[0].output)
            failures += [FileResult(source=source, error=shared) for source in good]
        failures += [reason for _, reason in checked if reason is not None]
    if jobs and sources.keys() >= wanted.keys() and failures[0].error is not None:
        raise failures[0].error
    return failures


def _would_replace(job: Job, source: Path) -> FileResult:
    """Make the failure of a file whose output would be a source: itself, or another."""
    error = WriteError(
        f"{job.source}: the output would replace the source {source}",
        advice="Choose another --suffix, or another folder with -o.",
    )
    return FileResult(source=job.source, error=error)


def _shared_output(sources: Sequence[Path], output: Path) -> FadnError:
    """Make the error of sources that want one output: none is denoised, since none goes first."""
    *most, last = map(str, sources)
    both = "both" if len(sources) == 2 else "all"
    return FadnError(
        f"{', '.join(most)} and {last} {both} want the output {output}",
        advice="Tell them apart with --name '{stem}_{ext_source}{ext}' or another template, or "
        "denoise them in separate runs, each with its own --suffix or -o.",
    )


def _why_not(source: Path) -> FileResult | None:
    """Report why a file cannot be denoised; None if it can."""
    try:
        inspect_file(source)
    except Exception as error:
        return failure(source, error)
    return None


def _identity(path: Path) -> str:
    """Name a file the same however it is spelled.

    Upper and lower case are one on some disks, and so are the ways to spell an accent (NFC, NFD).
    """
    return unicodedata.normalize("NFC", os.path.realpath(path)).casefold()
