"""What a raw file says of the shot, for the name of its output: camera, ISO and date.

`planning` asks where a name template wants it. The one thing to know: no samples are decoded, and
whatever the file does not say, or cannot be read from it, is simply not known.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from fadn_cli.errors import FadnError
from fadn_cli.raw.source.metadata import read_blocks
from fadn_cli.raw.tiff.tags import Tag


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """When a photograph was taken, and with what."""

    make: str = ""
    """Camera maker, as the file spells it; empty if unknown."""
    camera: str = ""
    """Camera model, as the file spells it; empty if unknown."""
    iso: int | None = None
    """ISO speed; None if unknown."""
    date: datetime | None = None
    """Local time at which it was taken, to the second; None if unknown."""


def read_shot(path: Path) -> Shot:
    """Read what a raw file says of the shot; unknown where it cannot be read."""
    try:
        blocks = read_blocks(path)
    except FadnError:
        return Shot()
    stamps = (blocks.find(tag) for tag in (Tag.DATE_TIME_ORIGINAL, Tag.DATE_TIME))
    dates = (_date(stamp.values) for stamp in stamps if stamp is not None)
    return Shot(
        make=blocks.make,
        camera=blocks.model,
        iso=blocks.iso,
        date=next((date for date in dates if date is not None), None),
    )


def _date(values: object) -> datetime | None:
    """Read EXIF's "2026:01:02 03:04:05"; None for blanks and zeros, which stand for unknown."""
    text = values.decode("ascii", "replace") if isinstance(values, bytes) else str(values)
    with suppress(ValueError):
        return datetime.strptime(text.rstrip("\0 "), "%Y:%m:%d %H:%M:%S")
    return None
