"""A raw photograph in memory: the mosaic, its levels, and what the camera said about it.

The reader makes a `RawImage`, the writers take one back. The one thing to know: this is the only
module that converts between DN (uint16, in `Mosaic`) and normalized samples (float32, 0 = black,
1 = white, never clipped), and `denormalize` is the only place where anything is rounded or clipped
(`with_values`, for a few samples, rounds as it does).
"""

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fadn_cli.defects import Defects, Sites
from fadn_cli.noise import NoiseModel

_ROWS_PER_BLOCK = 256  # keeps temporaries small: memory must not grow with the image
_SATURATED_NEIGHBOURS = (
    3  # of 8: an isolated sample at white is noise that crossed it, and is denoised
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CfaPattern:
    """A 2x2 Bayer colour filter array."""

    colors: str
    """"RGGB", "BGGR", "GRBG" or "GBRG": the colours row by row from the mosaic's (0, 0)."""

    def __post_init__(self) -> None:
        if self.colors not in ("RGGB", "BGGR", "GRBG", "GBRG"):
            raise ValueError(f"not a Bayer pattern: {self.colors!r}; use RGGB, BGGR, GRBG or GBRG")

    @property
    def red_origin(self) -> tuple[int, int]:
        """(row, column) of the red sample in the 2x2 cell.

        Examples
        --------
        >>> CfaPattern(colors="GBRG").red_origin
        (1, 0)
        """
        return divmod(self.colors.index("R"), 2)

    def shifted(self, top: int, left: int) -> "CfaPattern":
        """Return the pattern as seen from sample (top, left).

        Examples
        --------
        >>> CfaPattern(colors="RGGB").shifted(0, 1).colors
        'GRBG'
        """
        sites = [
            self.colors[(top + row) % 2 * 2 + (left + col) % 2] for row in (0, 1) for col in (0, 1)
        ]
        return CfaPattern(colors="".join(sites))

    def plane_at(self, row: int, col: int) -> int:
        """Return the packed plane (0 R, 1 Gr, 2 Gb, 3 B) that sample (row, col) belongs to."""
        red_row, red_col = self.red_origin
        return (row - red_row) % 2 * 2 + (col - red_col) % 2


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
    """(3,) camera white balance, green = 1; None if unknown."""
    color_matrix: NDArray[np.float32] | None
    """(3, 3) XYZ D65 -> camera; None if unknown."""
    orientation: int
    """EXIF orientation, 1-8."""
    noise_profile: NoiseModel | None
    """The DNG's own NoiseProfile; None if it has none."""
    is_dng: bool
    """Whether the container is a DNG, whose bytes can be kept and spliced."""


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


def normalize(mosaic: Mosaic) -> NDArray[np.float32]:
    """Map DN to normalized samples: black to 0, white to 1, per site, without clipping.

    Returns
    -------
    (H, W) float32, normalized
        Negative below black. `denormalize` is the inverse.
    """
    height, width = mosaic.samples.shape
    x = np.empty((height, width), np.float32)
    white = np.float32(mosaic.white_level)
    for start in range(0, height, _ROWS_PER_BLOCK):
        stop = min(start + _ROWS_PER_BLOCK, height)
        black = mosaic.black_rows(start, stop)
        rows = x[start:stop]
        np.subtract(mosaic.samples[start:stop], black, out=rows)
        rows /= white - black
    return x


def denormalize(x: NDArray[np.float32], source: Mosaic) -> Mosaic:
    """Map normalized samples back to DN: the only rounding and the only clipping there is.

    Saturated areas and everything outside the active area keep the source's samples; elsewhere the
    result is clipped to 0..white_level (to the source's own sample where that lies above white, so
    that unchanged samples come back unchanged).

    Parameters
    ----------
    x : (H, W) float32, normalized
        Unclipped; not modified.
    source : Mosaic
        The mosaic that `normalize` was given.

    Returns
    -------
    Mosaic
        New samples, everything else as in `source`.

    Raises
    ------
    ValueError
        `x` has another shape than the source's samples.
    """
    if x.shape != source.samples.shape:
        raise ValueError(f"x is {x.shape}, the source mosaic {source.samples.shape}")
    height, _ = x.shape
    white = np.float32(source.white_level)
    samples = source.samples.copy()
    area = source.active_area
    cols = area.slices[1]
    keep = saturated_areas(source)
    for start in range(area.top, area.top + area.height, _ROWS_PER_BLOCK):
        stop = min(start + _ROWS_PER_BLOCK, area.top + area.height)
        black = source.black_rows(start, stop)[:, cols]
        before = samples[start:stop, cols]
        values = np.rint(x[start:stop, cols] * (white - black) + black)
        limit = np.maximum(np.floor(white), before)
        after = np.clip(values, 0, limit).astype(np.uint16)
        before[...] = after if keep is None else np.where(keep[start:stop, cols], before, after)
    return replace(source, samples=samples)


def with_values(source: Mosaic, sites: Sites, x: NDArray[np.float32]) -> Mosaic:
    """Put other values in the place of some samples: rounded, and clipped to 0..white_level.

    Parameters
    ----------
    source : Mosaic
        Not modified.
    sites : (n,) intp
        Flat indices of the samples.
    x : (n,) float32, normalized
    """
    samples = source.samples.copy()
    rows, cols = np.divmod(sites, samples.shape[1])
    repeat_rows, repeat_cols = source.black_level.shape
    black = source.black_level[rows % repeat_rows, cols % repeat_cols]
    if source.black_delta_h is not None:
        black = black + source.black_delta_h[cols]
    if source.black_delta_v is not None:
        black = black + source.black_delta_v[rows]
    values = np.rint(x * (np.float32(source.white_level) - black) + black)
    samples[rows, cols] = np.clip(values, 0, np.floor(source.white_level)).astype(np.uint16)
    return replace(source, samples=samples)


def saturated_areas(mosaic: Mosaic) -> NDArray[np.bool_] | None:
    """Find the samples that pass through because the sensor was saturated there.

    A sample at or above white counts if at least 3 of its 8 same-colour neighbours are there too;
    an isolated one is noise that crossed white, and left alone it would be salt.

    Returns
    -------
    (H, W) bool, or None
        None if no sample is at white.
    """
    at_white = mosaic.samples >= mosaic.white_level
    if not at_white.any():
        return None
    height, width = at_white.shape
    padded = np.zeros(
        (height + 4, width + 4), np.uint8
    )  # same-colour neighbours are 2 samples away
    padded[2:-2, 2:-2] = at_white
    count = np.zeros((height, width), np.uint8)
    for row in (0, 2, 4):
        for col in (0, 2, 4):
            if (row, col) != (2, 2):
                count += padded[row : row + height, col : col + width]
    return at_white & (count >= _SATURATED_NEIGHBOURS)
