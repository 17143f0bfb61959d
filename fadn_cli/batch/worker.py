"""One file of a batch, from the question whether it is done to the note that it is.

`batch` calls `work`, in a thread of its own process or on another machine; `judge` alone tells what
would be done. The one thing to know: an output is noted in the ledger before it gets its name, so
that wherever a process is killed, the next one knows every whole output by its hash.
"""

import os
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from fadn_cli.batch import sidecars
from fadn_cli.batch.claims import refuse_rival
from fadn_cli.batch.ledger import (
    STATE_FILE,
    Entry,
    append_entry,
    content_key,
    read_entries,
    recipe,
)
from fadn_cli.batch.planning import Job
from fadn_cli.batch.results import Done, FileResult
from fadn_cli.batch.shot import refuse_unfit
from fadn_cli.denoise.frame import OnTile
from fadn_cli.errors import (
    FadnError,
    OutputBusyError,
    OutputExistsError,
    WeightsError,
    naming,
    out_of_memory,
)
from fadn_cli.pipeline import file as pipeline
from fadn_cli.pipeline.options import DenoiseOptions
from fadn_cli.pipeline.output import sha256_of
from fadn_cli.raw.xmp.merge import NO_EDITS, Edits
from fadn_cli.system.files import make_folder

_ATTEMPTS = 3
"""How often an output may change under our hands before it is left alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One file to denoise and how; can be sent to another process."""

    job: Job
    options: DenoiseOptions
    recipe: str
    """What `ledger.recipe` made of the options where the batch was planned."""
    keep_mtime: bool = False
    """Whether outputs get the time at which their source was last modified."""
    sidecars: bool = False
    """Whether sidecars are copied, and their XMP merged into that of a DNG."""
    max_memory: int | None = None
    """Bytes that it may take; None: all that are free where it is done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What is to be done about one file."""

    action: str
    """"denoise", "redo", "done", "edited" (done, but changed since) or "fail"."""
    reason: str = ""
    """Why, where it is not just to be denoised; a few words."""
    done: Done | None = None
    """Set if it is done."""
    error: FadnError | None = None
    """Set if it is refused."""
    seen: tuple[int, ...] = ()
    """Which file at the output's place may be replaced; empty: whichever."""


def judge(task: Task, edits: Edits | None = None) -> Verdict:
    """Tell whether a file is to be denoised, by what is at its output's place.

    Parameters
    ----------
    task : Task
    edits : Edits, optional
        Those of its sidecars, if they have been read.

    Raises
    ------
    FadnError
        The source or the output cannot be read.
    """
    output, options = task.job.output, task.options
    if not os.path.lexists(output):
        return Verdict(action="denoise")
    if options.overwrite:
        return Verdict(action="redo", reason="--overwrite")
    if not output.is_file():
        return _refuse(task, "exists already")
    seen = _identify(output)
    present = sha256_of(output)
    # Read after the hash: whatever was seen there had been noted before it was there.
    entries = read_entries(output)
    if not entries:
        return _refuse(task, "exists already")
    source_sha256 = sha256_of(task.job.source)
    key = _key(task, source_sha256, _read_edits(task)[0] if edits is None else edits)
    done = Done(output=output, source_sha256=source_sha256, output_sha256=present)
    ours = [entry for entry in entries if entry.output_sha256 == present]
    if ours and ours[-1].key == key:
        return Verdict(action="done", reason="done already", done=done)
    if ours and _is_of_another(ours[-1], task.job.source, source_sha256):
        return _refuse(task, f"is that of {ours[-1].source}")
    if ours or not output.stat().st_size:  # an empty one: killed before it was filled
        return Verdict(action="redo", reason=_what_changed(ours, source_sha256), seen=seen)
    if any(entry.key == key for entry in entries):
        return Verdict(action="edited", reason="done already, and edited since", done=done)
    return _refuse(task, "was edited since fadn wrote it, and is left alone")


def work(task: Task, *, on_tile: OnTile | None = None) -> FileResult:
    """Do what one task asks for.

    Parameters
    ----------
    task : Task
    on_tile : callable, optional
        Progress: called with (tiles done, tiles in all); what it raises ends the work.

    Returns
    -------
    FileResult
        A FadnError becomes a failure, and so does too little memory.

    Raises
    ------
    Exception
        Whatever else goes wrong: a bug.
    """
    source = task.job.source
    try:
        if recipe(task.options) != task.recipe:
            raise WeightsError(
                f"{source.name}: this worker has another version of fadn, or other weights",
                advice="Install the same fadn on every worker, and restart them.",
            )
        result = _settle(task, on_tile)
    except OutputBusyError as error:
        if task.options.overwrite:  # what it is writing may be what was to be replaced
            return FileResult(source=source, error=naming(error, source.name))
        return FileResult(source=source, skipped="another fadn is writing it")
    except FadnError as error:
        return FileResult(source=source, error=naming(error, source.name))
    except Exception as error:
        short = out_of_memory(source.name, error)
        if short is None:
            raise
        return FileResult(source=source, error=short)
    if not task.sidecars or result.error is not None:
        return result
    warnings = sidecars.copy_sidecars(source, task.job.output)
    return replace(result, warnings=(*result.warnings, *warnings))


def _settle(task: Task, on_tile: OnTile | None) -> FileResult:
    """Denoise a file unless it is done; ask again if the output changes meanwhile."""
    for _ in range(_ATTEMPTS - 1):
        try:
            return _attempt(task, on_tile)
        except OutputBusyError:
            raise
        except OutputExistsError:  # another batch has finished it since we looked
            continue
    return _attempt(task, on_tile)


def _attempt(task: Task, on_tile: OnTile | None) -> FileResult:
    """Denoise a file if it is to be.

    Raises
    ------
    OutputExistsError
        The output is another one than it was when this began.
    """
    source, output = task.job.source, task.job.output
    edits, unread = _read_edits(task)
    verdict = judge(task, edits)
    if verdict.action == "done" and task.keep_mtime:
        unread += _copy_mtime(source, output)
    if verdict.done is not None or verdict.error is not None:
        skipped = verdict.reason if verdict.done else ""
        return FileResult(
            source=source,
            skipped=skipped,
            done=verdict.done,
            error=verdict.error,
            warnings=unread,
        )
    if verdict.action == "redo" and not task.options.overwrite:
        refuse_rival(output, task.recipe)
    refuse_unfit(source, task.options, task.max_memory)
    make_folder(output.parent, advice="Choose another folder with -o.")
    warnings = list(unread)
    overwrite = task.options.overwrite or verdict.action == "redo"
    report = pipeline.denoise_file(
        source,
        output,
        replace(task.options, overwrite=overwrite),
        on_tile=on_tile,
        on_written=partial(_note, task, verdict, edits, warnings),
        sidecars=edits,
    )
    return FileResult(source=source, report=report, warnings=tuple(warnings))


def _note(
    task: Task,
    verdict: Verdict,
    edits: Edits,
    warnings: list[str],
    temporary: Path,
    source_sha256: str,
    output_sha256: str,
) -> None:
    """Note an output in the ledger, right before it gets its name."""
    source, output = task.job.source, task.job.output
    if verdict.seen and verdict.seen != _identify(output):
        raise OutputExistsError(f"{output.name}: changed while {source.name} was denoised")
    if task.keep_mtime:
        warnings += _copy_mtime(source, temporary)
    entry = Entry(
        output=output.name,
        output_sha256=output_sha256,
        source_sha256=source_sha256,
        key=_key(task, source_sha256, edits),
        source=os.path.realpath(source),
    )
    try:
        append_entry(output.parent, entry)
    except OSError as error:
        state, reason = output.parent / STATE_FILE, error.strerror or error
        warnings.append(
            f"The next run will not know {output.name}: {state} cannot be written ({reason}). "
            "See that there is room and that you may write it, or move it away."
        )


def _read_edits(task: Task) -> tuple[Edits, tuple[str, ...]]:
    """Read what a DNG's XMP is to say of its photograph, if it is to; and what cannot be read."""
    if not task.sidecars:
        return NO_EDITS, ()
    edits, warnings = sidecars.read_edits(task.job.source)
    return (NO_EDITS if task.options.format == "tiff" else edits), warnings


def _key(task: Task, source_sha256: str, edits: Edits) -> str:
    """Return what decides an output's bytes: see `ledger.content_key`."""
    how = f"{task.recipe} {edits.digest}" if edits.packets else task.recipe
    return content_key(source_sha256, task.job.source.name, how)


def _copy_mtime(source: Path, output: Path) -> tuple[str, ...]:
    """Give an output the time at which its source was last modified; warn where none can be set."""
    try:
        times = source.stat()
        os.utime(output, ns=(times.st_atime_ns, times.st_mtime_ns))
    except OSError as error:  # another user's file, or a network's disk that keeps its own time
        return (f"The time of {source.name} could not be kept ({error.strerror}).",)
    return ()


def _identify(path: Path) -> tuple[int, ...]:
    """Tell a file from another one at its place, and from itself after a change."""
    try:
        seen = path.stat()
    except OSError:
        return (0,)
    return (seen.st_ino, seen.st_size, seen.st_mtime_ns)


def _is_of_another(entry: Entry, source: Path, source_sha256: str) -> bool:
    """Whether an output of ours is another photograph's: cameras count from 1 again and again."""
    elsewhere = entry.source not in ("", os.path.realpath(source))
    return elsewhere and entry.source_sha256 != source_sha256


def _what_changed(ours: list[Entry], source_sha256: str) -> str:
    """Say why an output of ours is to be made again."""
    if not ours:
        return "an earlier run was killed"
    same_source = ours[-1].source_sha256 == source_sha256
    return "other options, version or weights" if same_source else "the source has changed"


def _refuse(task: Task, what: str) -> Verdict:
    """Refuse to replace an output."""
    error = OutputExistsError(
        f"{task.job.source.name}: the output {task.job.output} {what}",
        advice="Add --overwrite to replace it, or choose another --suffix, --name or -o.",
    )
    return Verdict(action="fail", reason=f"the output {what}", error=error)
