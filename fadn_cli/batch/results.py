"""What became of the files of a batch, as plain values and JSON, and what it tells while it runs.

The batch fills these in, the console prints them, `--json` and `--report` write them. The one thing
to know: docs/report.md describes the JSON, and scripts rely on it.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fadn_cli import __version__
from fadn_cli.errors import INTERRUPTED, FadnError
from fadn_cli.pipeline.report import DenoiseReport, plain, to_json
from fadn_cli.system.files import atomic_output, make_folder
from fadn_cli.system.opening import write_plain

STATES = ("denoised", "done", "skipped", "failed")
"""What can become of a file; see `FileResult.state`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """An output that an earlier run wrote, and that would come out the same again."""

    output: Path
    """The file."""
    source_sha256: str
    """Hash of the source, hexadecimal."""
    output_sha256: str
    """Hash of the output as it is now, hexadecimal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileResult:
    """What became of one input of a batch: denoised, skipped or failed."""

    source: Path
    """The input."""
    report: DenoiseReport | None = None
    """Set if it was denoised."""
    done: Done | None = None
    """Set if it was denoised by an earlier run."""
    skipped: str = ""
    """Why it was left alone; empty if it was not."""
    error: FadnError | None = None
    """Set if it failed."""
    traceback: str = ""
    """Set if the failure was an internal error: a bug of ours, kept for the bug report."""
    warnings: tuple[str, ...] = ()
    """What the user should know beyond the report's own warnings, one sentence each."""

    @property
    def state(self) -> str:
        """ "denoised" now, "done" by an earlier run, "skipped" or "failed"."""
        if self.error is not None:
            return "failed"
        if self.report is not None:
            return "denoised"
        return "skipped" if self.done is None else "done"

    @property
    def all_warnings(self) -> tuple[str, ...]:
        """The report's warnings and the others."""
        return (*(self.report.warnings if self.report else ()), *self.warnings)

    def to_dict(self) -> dict[str, Any]:
        """Return the result as JSON's types."""
        made = self.report or self.done
        error = self.error
        return {
            "source": plain(self.source),
            "state": self.state,
            "output": plain(made and made.output),
            "source_sha256": made and made.source_sha256,
            "output_sha256": made and made.output_sha256,
            "reason": plain(self.skipped) or None,
            "warnings": plain(self.all_warnings),
            "error": None if error is None else _error_dict(error, self.traceback),
            "report": plain(self.report),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchResult:
    """What became of all inputs of a batch."""

    results: tuple[FileResult, ...]
    """One per input that was come to: those known beforehand, then the others as planned."""
    seconds: float
    """Wall time of the whole batch."""
    interrupted: bool = False
    """Whether Ctrl-C, or another signal, ended it early; what was finished before is kept."""
    stop_code: int = INTERRUPTED
    """Exit code if it was: 128 and the number of the signal."""

    @property
    def denoised(self) -> tuple[DenoiseReport, ...]:
        """The reports of the inputs that were denoised."""
        return tuple(result.report for result in self.results if result.report is not None)

    @property
    def errors(self) -> tuple[FadnError, ...]:
        """The errors of the inputs that failed."""
        return tuple(result.error for result in self.results if result.error is not None)

    @property
    def counts(self) -> dict[str, int]:
        """How many inputs are in each of `STATES`."""
        states = [result.state for result in self.results]
        return {state: states.count(state) for state in STATES}

    @property
    def exit_code(self) -> int:
        """130 after Ctrl-C, 0 if all went well, the error's own code if it is alone, else 1."""
        if self.interrupted:
            return self.stop_code
        if not self.errors:
            return 0
        counts = self.counts
        alone = counts["failed"] + counts["denoised"] + counts["done"] == 1
        return self.errors[0].exit_code if alone else 1

    def to_dict(self) -> dict[str, Any]:
        """Return the batch as JSON's types, as docs/report.md describes it."""
        return {
            "fadn": __version__,
            "seconds": self.seconds,
            "interrupted": self.interrupted,
            "exit_code": self.exit_code,
            "counts": self.counts,
            "files": [result.to_dict() for result in self.results],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class FileStarted:
    """Event: work on one file of a batch begins."""

    source: Path
    """The file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TileFinished:
    """Event: one more tile of a file is done."""

    source: Path
    """The file."""
    done: int
    """Tiles done."""
    total: int
    """Tiles of the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFinished:
    """Event: one input is settled."""

    result: FileResult
    """What became of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Event: something about the whole batch that the user should know."""

    warning: str
    """A sentence without a full stop."""


Event = FileStarted | TileFinished | FileFinished | Told
"""What a batch tells while it runs."""


def prepare_report(path: Path) -> None:
    """Make the folder of a report before the work, so that a wrong name is known at once.

    Raises
    ------
    WriteError
        The folder cannot be made.
    """
    make_folder(path.parent, advice="Choose another place with --report.")


def write_report(path: Path, batch: BatchResult) -> None:
    """Write a batch's JSON into a file; one that is there is replaced.

    Raises
    ------
    WriteError
        The system refused.
    """
    with atomic_output(path, overwrite=True) as temporary:
        write_plain(temporary, to_json(batch.to_dict()) + "\n")


def _error_dict(error: FadnError, traceback: str) -> dict[str, Any]:
    """Return an error as JSON's types."""
    return {
        "type": type(error).__name__,
        "message": plain(str(error)),
        "advice": plain(error.advice),
        "exit_code": error.exit_code,
        "traceback": plain(traceback) or None,
    }
