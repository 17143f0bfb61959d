"""A raw photograph in memory: the mosaic, its levels, and what the camera said about it.

The reader makes a `RawImage`, the writers take one back. The one thing to know: samples are in DN
here; `conversion` alone normalizes them.
"""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fadn_cli.mosaic.cfa import CfaPattern
from fadn_cli.mosaic.defects import Defects
from fadn_cli.noise import NoiseModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Rect:
    """A rectangle of the full mosaic, in pixels."""

    top: int
    """First row."""
    left: int
    """First column."""
    height: int
    """Number of rows."""
    width: int
    """Number of columns."""

    @property
    def slices(self) -> tuple[slice, slice]:
        """Index expression that cuts the rectangle out of an (H, W) array."""
        return (
            slice(self.top, self.top + self.height),
            slice(self.left, self.left + self.width),
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Mosaic:
    """The sensor's samples and the levels that give them meaning."""

    samples: NDArray[np.uint16]
    """(H, W) uint16 DN, masked borders included."""
    cfa: CfaPattern
    """Colours, aligned to sample (0, 0) of the full mosaic."""
    black_level: NDArray[np.float32]
    """(r, c) float32 DN: the repeat pattern aligned to (0, 0) of the mosaic, usually (2, 2)."""
    white_level: float
    """Saturation, DN."""
    active_area: Rect
    """The exposed part; everything outside it passes through untouched."""
    black_delta_h: NDArray[np.float32] | None = None
    """(W,) float32 DN added to black_level per column of the full mosaic, or None."""
    black_delta_v: NDArray[np.float32] | None = None
    """(H,) float32 DN added to black_level per row of the full mosaic, or None."""
    linear_level: NDArray[np.float32] | None = None
    """(r, c) float32 DN: each site is linear up to there, by the CFA's period aligned to (0, 0);
    None if unknown."""

    @property
    def highest(self) -> float:
        """What 16 bits must have room for, DN: the largest sample, or white."""
        return max(float(self.samples.max()), self.white_level)

    def black_at(self, rows: NDArray[np.intp], cols: NDArray[np.intp]) -> NDArray[np.float32]:
        """Return the black level of single samples: (n,) float32 DN for (n,) rows and columns."""
        repeat_rows, repeat_cols = self.black_level.shape
        black: NDArray[np.float32] = self.black_level[rows % repeat_rows, cols % repeat_cols]
        if self.black_delta_h is not None:
            black = black + self.black_delta_h[cols]
        if self.black_delta_v is not None:
            black = black + self.black_delta_v[rows]
        return black

    def black_rows(self, start: int, stop: int) -> NDArray[np.float32]:
        """Return the black level of rows start..stop-1: (stop-start, W) float32 DN."""
        _, width = self.samples.shape
        repeat_rows, repeat_cols = self.black_level.shape
        pattern = np.tile(self.black_level, (1, -(-width // repeat_cols)))[:, :width]
        black: NDArray[np.float32] = pattern[np.arange(start, stop) % repeat_rows]
        if self.black_delta_h is not None:
            black = black + self.black_delta_h
        if self.black_delta_v is not None:
            black = black + self.black_delta_v[start:stop, None]
        return black


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RawMetadata:
    """What the file says about the photograph, as far as denoising and developing need it."""

    make: str
    """Camera maker, as the file spells it; may be empty."""
    model: str
    """Camera model, as the file spells it; may be empty."""
    iso: int | None
    """ISO speed; None if the file has none (0 counts as none)."""
    exposure_time: float | None
    """Seconds."""
    wb_gains: NDArray[np.float32] | None
    """(3,) camera white balance, green = 1; None if unknown or without colours."""
    color_matrix: NDArray[np.float32] | None
    """(3, 3) XYZ D65 -> camera; None if unknown."""
    orientation: int
    """EXIF orientation, 1-8."""
    noise_profile: NoiseModel | None
    """The DNG's own NoiseProfile; None if it has none."""
    is_dng: bool
    """Whether the container is a DNG, whose bytes can be kept and spliced."""
    f_number: float | None = None
    """Aperture; None if unknown."""
    focal_length: float | None = None
    """Millimetres; None if unknown."""
    lens: str = ""
    """Lens model; empty if unknown."""
    lens_range: tuple[float, float] | None = None
    """Shortest and longest focal length of the lens, millimetres; None if unknown."""
    pixel_aspect: float = 1.0
    """Width of a pixel over its height."""
    crop: Rect | None = None
    """What is to be shown, in pixels of the full mosaic; None: the active area."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RawImage:
    """One raw file, read: its mosaic and its metadata."""

    path: Path
    """The source file; the writers copy its untouched bytes from there."""
    mosaic: Mosaic
    """The decoded samples."""
    metadata: RawMetadata
    """What the file says about them."""
    warnings: tuple[str, ...] = ()
    """What the user should know of the file, one sentence each."""
    defects: Defects = field(default_factory=Defects)
    """Which of them are bad."""
