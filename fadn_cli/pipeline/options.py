"""What the user chose for one file, checked once.

`cli` makes it of its arguments and presets, `pipeline` goes by it. The one thing to know: a choice
that can never be carried out is a ValueError here, before any file is opened.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from numbers import Integral, Real
from pathlib import Path
from typing import Any

from fadn_cli.denoise.network.devices import AUTO
from fadn_cli.denoise.network.devices import NAMES as DEVICES
from fadn_cli.denoise.network.specialists import QUALITIES
from fadn_cli.denoise.turns import COUNTS
from fadn_cli.errors import shown
from fadn_cli.limits import MEGAPIXELS, MOST_ISO, MOST_MEGAPIXELS, MOST_THREADS, MOST_VARIANCE
from fadn_cli.raw.dng.edit import COMPRESSIONS, PREVIEWS, WriteChoices

BITS = ("auto", "source")
"""How fine the steps of the stored samples may be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DenoiseOptions:
    """What the user chose for one file."""

    strength: float = 1.0
    """0 (the source's samples) to 1 (fully denoised); luma and chroma where these are None."""
    luma: float | None = None
    """The same for the mean of the four samples of a cell: grain."""
    chroma: float | None = None
    """The same for what each sample of a cell differs from their mean: coloured specks."""
    hot_pixels: bool | None = None
    """Whether isolated defects are repaired; None: not. At base ISO a detail of one sample can be
    taken for one: 0.7 dB on the ruler's level A."""
    banding: bool | None = None
    """Whether row and column noise is removed where it is clearly there; None: where it is stronger
    than the grain that is left."""
    bad_pixels: str | Path | None = None
    """A list of bad pixels, see `defects.listing`; they are repaired before anything else."""
    format: str = "dng"
    """"dng" or "tiff"."""
    preview: str = "render"
    """Of a DNG: "render" the previews anew, "keep" the source's, or leave them out: "none"."""
    compression: str = "lj92"
    """Of a DNG's samples: "lj92" (lossless JPEG), "jxl" or "none"."""
    bits: str = "auto"
    """"auto": samples have steps as fine as what is left of the noise asks for; "source": as the
    source has them."""
    iso: int | None = None
    """ISO to bound the measured noise with, instead of the file's; None: the file's."""
    shot_noise: float | None = None
    """Variance per unit of signal, normalized, instead of measuring; goes with read_noise."""
    read_noise: float | None = None
    """Variance at black, normalized."""
    quality: str | None = None
    """"max" (not for every sensor), "best" or "fast"; None: `specialists.default_quality`."""
    specialist: str | None = None
    """Name of the network to use, whatever its quality; None: chosen by quality and noise."""
    ensemble: int = 1
    """Ways up in which the network sees the photograph, to take the mean of: 1, 2, 4 or 8."""
    max_megapixels: float = MEGAPIXELS
    """A file that claims more pixels is refused before there is memory for them."""
    overwrite: bool = False
    """Whether an existing output is replaced."""
    threads: int | None = None
    """Threads in all, see `system.cores.usable_threads`. The output does not depend on it."""
    device: str = AUTO
    """What the network runs on, one of `devices.NAMES`; "auto": a GPU that is there and has proved
    itself, else the processor."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name not in _ALLOWED or (value is None and field.default is None):
                continue
            is_allowed, allowed = _ALLOWED[field.name]
            if not is_allowed(value):
                raise ValueError(f"{field.name} must be {allowed}, got {shown(value)}")
        made = {name: getattr(self, name) for name in ("preview", "compression")}
        if self.format == "tiff" and made != {name: _DEFAULTS[name] for name in made}:
            raise ValueError("preview and compression are choices for a DNG, but format is tiff")
        if (self.shot_noise is None) != (self.read_noise is None):
            raise ValueError("shot_noise and read_noise go together")

    @property
    def choices(self) -> WriteChoices:
        """How a DNG is to be written."""
        return WriteChoices(preview=self.preview, compression=self.compression)

    @property
    def shares(self) -> tuple[float, float]:
        """How much of the noise to remove: luma and chroma, 0 to 1."""
        luma, chroma = (
            self.strength if share is None else share for share in (self.luma, self.chroma)
        )
        return luma, chroma

    @property
    def bad_list(self) -> Path | None:
        """Where the user's list of bad pixels is."""
        return None if self.bad_pixels is None else Path(self.bad_pixels)

    @property
    def repairs(self) -> bool:
        """Whether to repair isolated defects: only if asked to."""
        return bool(self.hot_pixels)


def _is_number(value: Any) -> bool:
    """Whether a value is a finite number, and not a yes or no."""
    if not isinstance(value, Real) or isinstance(value, bool):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer beyond all floats
        return False


def _is_share(value: Any) -> bool:
    return _is_number(value) and 0 <= value <= 1


def _is_count(most: int) -> Callable[[Any], bool]:
    return lambda value: (
        isinstance(value, Integral) and _is_number(value) and 1 <= int(value) <= most
    )


def _is_one_of(*words: str) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and value in words


_ALLOWED: dict[str, tuple[Callable[[Any], bool], str]] = {
    **dict.fromkeys(("strength", "luma", "chroma"), (_is_share, "within 0..1")),
    "iso": (_is_count(MOST_ISO), f"a whole number, 1 to {MOST_ISO}"),
    "threads": (_is_count(MOST_THREADS), f"a whole number, 1 to {MOST_THREADS}"),
    **dict.fromkeys(
        ("hot_pixels", "banding", "overwrite"),
        (lambda value: isinstance(value, bool), "true or false"),
    ),
    "bad_pixels": (
        lambda value: isinstance(value, str | Path) and bool(str(value)),
        "a file's name",
    ),
    "format": (_is_one_of("dng", "tiff"), "dng or tiff"),
    "preview": (_is_one_of(*PREVIEWS), "render, keep or none"),
    "compression": (_is_one_of(*COMPRESSIONS), " or ".join(COMPRESSIONS)),
    "bits": (_is_one_of(*BITS), " or ".join(BITS)),
    "quality": (_is_one_of(*QUALITIES), f"{', '.join(QUALITIES[:-1])} or {QUALITIES[-1]}"),
    "shot_noise": (
        lambda value: _is_number(value) and 0 < value <= MOST_VARIANCE,
        f"a number greater than 0, at most {MOST_VARIANCE:g}",
    ),
    "read_noise": (
        lambda value: _is_number(value) and 0 <= value <= MOST_VARIANCE,
        f"a number within 0..{MOST_VARIANCE:g}",
    ),
    "max_megapixels": (
        lambda value: _is_number(value) and 0 < value <= MOST_MEGAPIXELS,
        f"a number greater than 0, at most {MOST_MEGAPIXELS:,.0f}",
    ),
    "ensemble": (
        lambda value: _is_count(max(COUNTS))(value) and value in COUNTS,
        ", ".join(map(str, COUNTS[:-1])) + f" or {COUNTS[-1]}",
    ),
    "device": (_is_one_of(*DEVICES), f"{', '.join(DEVICES[:-1])} or {DEVICES[-1]}"),
    "specialist": (lambda value: isinstance(value, str), "the name of a network"),
}
"""By field: what is allowed, and in words."""
_DEFAULTS = {field.name: field.default for field in fields(DenoiseOptions)}
