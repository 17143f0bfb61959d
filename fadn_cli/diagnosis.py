"""What `fadn doctor` finds, as plain values: one check per line.

`doctor` fills them in, `console` prints them. The one thing to know: a warning is what costs time
or looks, an error is what keeps fadn from working here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at."""

    name: str
    """What, in a word or two; the same in every version."""
    value: str
    """What was found, in words."""
    severity: Literal["ok", "warning", "error"] = "ok"
    """Whether it is as it should be."""
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
