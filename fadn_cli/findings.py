"""What `fadn check` and `fadn verify` found out about files, as plain values.

The checks in `raw` make them, the console prints them, the tests assert on them. The one thing to
know: nothing here needs numpy, and every type becomes JSON through `report.plain`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Severity = Literal["error", "warning"]
"""error: some reader may refuse or misread the file. warning: unusual, but readers cope."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong with a file."""

    severity: Severity
    """How bad it is."""
    kind: str
    """What it is about, in one word: "order", "type", "bounds", "overlap", ..."""
    what: str
    """What is wrong, for people; it holds no file offset."""
    ifd: str = ""
    """The IFD it is in, as "IFD0/SubIFD1"; empty if it is about the file."""
    tag: str = ""
    """The tag it is about, as "ActiveArea"; empty if it is about no single tag."""
    offset: int | None = None
    """Where in the file to look, bytes from its beginning; None if nowhere in particular."""

    @property
    def place(self) -> tuple[str, str, str]:
        """What stays the same when a file is written anew: kind, IFD and tag."""
        return self.kind, self.ifd, self.tag

    def __str__(self) -> str:
        return " ".join(part for part in (self.ifd, self.tag, self.what) if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFindings:
    """All that is wrong with one file."""

    path: Path
    """The file."""
    ok: bool
    """Whether there is no error among the findings."""
    findings: tuple[Finding, ...]
    """In the order of the file, as far as they have a place."""


def errors_among(findings: Iterable[Finding]) -> list[Finding]:
    """Leave out the warnings."""
    return [finding for finding in findings if finding.severity == "error"]
