"""What a raw file says of the shot: camera, ISO and date, and how much memory it will take.

`planning` asks where a name template wants it, `run` and `worker` before a file is worked on. The
one thing to know: no samples are decoded, and
whatever the file does not say, or cannot be read from it, is simply not known.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from fadn_cli.denoise.network import specialists
from fadn_cli.errors import FadnError, InferenceError
from fadn_cli.limits import MEMORY_AT_LEAST, memory_of
from fadn_cli.pipeline.options import DenoiseOptions
from fadn_cli.pipeline.wording import spell_bytes
from fadn_cli.raw.source.metadata import read_blocks
from fadn_cli.raw.source.reader import claimed_megapixels
from fadn_cli.raw.tiff.tags import Tag
from fadn_cli.system.cores import usable_threads
from fadn_cli.system.memory import free_memory


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


def memory_needed(path: Path, options: DenoiseOptions) -> int:
    """Return the bytes that work on a file takes, by its size in pixels, taken as 0 if unknown."""
    more = options.format == "tiff" or options.repairs or options.ensemble > 1
    return memory_of(claimed_megapixels(path), more=more, large_tiles=_large_tiles(options))


def _large_tiles(options: DenoiseOptions) -> int:
    """Return how many tiles of the largest networks will be at work at once."""
    if options.specialist is None:
        is_max = options.quality == "max"
    else:
        known = (each for each in specialists.bundled() if each.name == options.specialist)
        is_max = any(each.quality == "max" for each in known)
    if not is_max:
        return 0
    from fadn_cli.denoise.frame import MOST_WORKERS  # onnxruntime, which is needed then

    return min(usable_threads(options.threads), MOST_WORKERS)


def refuse_unfit(path: Path, options: DenoiseOptions, most: int | None) -> None:
    """Refuse a file that takes more memory than there is, before it is worked on.

    Parameters
    ----------
    path : Path
    options : DenoiseOptions
    most : int or None
        Bytes that the user allows; None: all that are free.

    Raises
    ------
    InferenceError
        It does not fit.
    """
    room = free_memory() if most is None else most - MEMORY_AT_LEAST
    needed = memory_needed(path, options)
    if room is not None and needed > room:
        sizes = [spell_bytes(size + MEMORY_AT_LEAST) for size in (needed, room)]
        raise InferenceError(
            f"{path.name}: needs {sizes[0]} of memory, more than the {sizes[1]} that may be used",
            advice="Close other programs." if most is None else "Allow more with --max-memory.",
        )


def _date(values: object) -> datetime | None:
    """Read EXIF's "2026:01:02 03:04:05"; None for blanks and zeros, which stand for unknown."""
    text = values.decode("ascii", "replace") if isinstance(values, bytes) else str(values)
    with suppress(ValueError):
        return datetime.strptime(text.rstrip("\0 "), "%Y:%m:%d %H:%M:%S")
    return None
