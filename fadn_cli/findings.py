"""What `fadn check`, `fadn verify` and `fadn doctor` found out, as plain values.

The checks in `raw` and the doctor make them, the console prints them, the tests assert on them. The
one thing to know: nothing here needs numpy, and every type becomes JSON through `report.plain`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
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


@dataclass(frozen=True, slots=True, kw_only=True)
class TagChange:
    """One tag in which two files differ."""

    ifd: str
    """The IFD it is in, as "IFD0/SubIFD1"."""
    tag: str
    """Its name."""
    before: str | None
    """The source's value, shortened; None if it has none."""
    after: str | None
    """The output's value, shortened; None if it has none."""
    allowed: bool
    """Whether denoising may change it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ByteChange:
    """A stretch of a file whose bytes should have stayed what they were, and did not."""

    offset: int
    """Its first byte."""
    length: int
    """How many bytes from there to the last that differs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PixelComparison:
    """How the samples of two mosaics of one size differ."""

    active: int
    """Samples of the active area."""
    changed: int
    """Of these, how many differ and may."""
    saturated: int
    """Samples of saturated areas, which must not differ."""
    saturated_changed: int
    """Of these, how many do."""
    outside: int
    """Samples outside the active area, which must not differ."""
    outside_changed: int
    """Of these, how many do."""
    blocks: int
    """Blocks of 64 x 64 samples (X-Trans: 60 x 60) that are neither too dark nor too bright to
    compare."""
    planes: tuple[str, ...]
    """The kinds of samples that are compared: R, Gr, Gb, B of a Bayer mosaic, else each colour."""
    block_shift: tuple[float, ...]
    """By how much their means changed, on average, in these planes; 1 is black to white. Repaired
    defects, single samples that changed far more than their block, are left out."""
    worst_block_shift: float
    """The largest change of any block's mean in any plane, up or down."""
    sample_change: float = 0.0
    """By how much samples of those blocks changed, root of the mean square; 1 is black to white."""
    marks: int = 0
    """Samples that the source, a DNG, marks as bad, for readers to repair."""
    marks_lost: int = 0
    """Of these, how many are not marked any more."""
    marks_added: int = 0
    """Samples that are marked in the output alone."""
    step_shift: tuple[float, ...] = ()
    """By how much all blocks but bright ones became brighter on average, in these planes; 1 is a
    step of the source."""
    step_change: float = 0.0
    """By how much samples changed, root of the mean square, where they did most; in such steps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """How an output differs from its source, and whether it may."""

    source: Path
    """The raw file that was denoised."""
    output: Path
    """The DNG that came of it."""
    holds: bool
    """Whether nothing differs but what denoising may change."""
    violations: tuple[str, ...]
    """What differs and may not, one sentence each."""
    tags: tuple[TagChange, ...]
    """Every tag that differs; of a source that is no DNG, those the DNG should have taken over."""
    bytes: tuple[ByteChange, ...]
    """Bytes that should have stayed; () for a source that is no DNG."""
    pixels: PixelComparison | None
    """None if the mosaics have different sizes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at."""

    name: str
    """What, in a word or two; the same in every version."""
    value: str
    """What was found, in words."""
    severity: Literal["ok", "warning", "error"] = "ok"
    """A warning is what costs time or looks, an error what keeps fadn from working here."""
    advice: str = ""
    """What to do about it, one sentence; empty where nothing is to be done."""
    figures: Mapping[str, float | str | list[str]] = field(default_factory=dict)
    """The same for programs: plain values by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """Everything that was looked at."""

    ok: bool
    """Whether nothing is wrong; warnings do not count."""
    checks: tuple[Check, ...]
    """In the order in which they are shown."""
