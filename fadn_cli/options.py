"""What the user chose for one file, checked once.

`cli` makes it of its arguments, `pipeline` goes by it. The one thing to know: a choice that can
never be carried out is a ValueError here, before any file is opened.
"""

from dataclasses import dataclass

from fadn_cli.denoise.specialists import QUALITIES
from fadn_cli.raw.edit import WriteChoices


@dataclass(frozen=True, slots=True, kw_only=True)
class DenoiseOptions:
    """What the user chose for one file."""

    strength: float = 1.0
    """0 (the source's samples) to 1 (fully denoised)."""
    format: str = "dng"
    """"dng" or "tiff"."""
    preview: str = "keep"
    """Of a DNG: "keep" the source's previews, "render" them anew, or leave them out: "none"."""
    compression: str = "lj92"
    """Of a DNG's samples: "lj92" (lossless JPEG) or "none"."""
    iso: int | None = None
    """ISO to bound the measured noise with, instead of the file's; None: the file's."""
    shot_noise: float | None = None
    """Variance per unit of signal, normalized, instead of measuring; goes with read_noise."""
    read_noise: float | None = None
    """Variance at black, normalized."""
    quality: str | None = None
    """"best" or "fast"; None: the best that is bundled."""
    specialist: str | None = None
    """Name of the network to use, whatever its quality; None: chosen by quality and noise."""
    overwrite: bool = False
    """Whether an existing output is replaced."""
    threads: int | None = None
    """Threads in all; None: one per available core. The output does not depend on it."""

    def __post_init__(self) -> None:
        if not 0 <= self.strength <= 1:
            raise ValueError(f"strength must be within 0..1, got {self.strength}")
        if self.format not in ("dng", "tiff"):
            raise ValueError(f"format must be dng or tiff, got {self.format!r}")
        if self.choices != WriteChoices() and self.format == "tiff":
            raise ValueError("preview and compression are choices for a DNG, but format is tiff")
        if self.quality not in (None, *QUALITIES):
            raise ValueError(f"quality must be {' or '.join(QUALITIES)}, got {self.quality!r}")
        if (self.shot_noise is None) != (self.read_noise is None):
            raise ValueError("shot_noise and read_noise go together")

    @property
    def choices(self) -> WriteChoices:
        """How a DNG is to be written; a ValueError for words that mean nothing."""
        return WriteChoices(preview=self.preview, compression=self.compression)
