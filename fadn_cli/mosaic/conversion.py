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

from fadn_cli.mosaic.defects import Defects, Sites
from fadn_cli.mosaic.dither import dither
from fadn_cli.mosaic.saturation import find_plateaus, saturated
from fadn_cli.mosaic.steps import MOST, SOURCE_STEPS, Steps
from fadn_cli.noise import NoiseModel

_ROWS_PER_BLOCK = 256  # keeps temporaries small: memory must not grow with the image


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
    linear_level: NDArray[np.float32] | None = None
    """(2, 2) float32 DN: each site is linear up to there, aligned to (0, 0); None if unknown."""

    @property
    def highest(self) -> float:
        """What 16 bits must have room for, DN: the largest sample, or white."""
        return max(float(self.samples.max()), self.white_level)

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


def scaled(mosaic: Mosaic, factor: int) -> Mosaic:
    """Return a mosaic in steps that are finer by a factor: a copy, its levels multiplied too.

    Raises
    ------
    ValueError
        A sample or the white level would not fit 16 bits.
    """
    if factor != 1 and factor * mosaic.highest > MOST:
        raise ValueError(f"{mosaic.highest:g} times {factor} does not fit 16 bits")
    times = np.float32(factor)
    by_col, by_row, linear = (
        None if levels is None else levels * times
        for levels in (mosaic.black_delta_h, mosaic.black_delta_v, mosaic.linear_level)
    )
    return replace(
        mosaic,
        samples=mosaic.samples * np.uint16(factor),
        black_level=mosaic.black_level * times,
        white_level=mosaic.white_level * factor,
        black_delta_h=by_col,
        black_delta_v=by_row,
        linear_level=linear,
    )


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


def denormalize(x: NDArray[np.float32], source: Mosaic, steps: Steps = SOURCE_STEPS) -> Mosaic:
    """Map normalized samples back to DN: the only rounding and the only clipping there is.

    Saturated areas and everything outside the active area keep the source's samples; elsewhere the
    result is clipped to 0 and where its site saturates (to the source's own sample where that lies
    above, so that unchanged samples come back unchanged).

    Parameters
    ----------
    x : (H, W) float32, normalized
        Unclipped; not modified.
    source : Mosaic
        The mosaic that `normalize` was given.
    steps : Steps
        What to round to.

    Returns
    -------
    Mosaic
        New samples, everything else as in `source`; all of it times `steps.factor`.

    Raises
    ------
    ValueError
        `x` has another shape than the source's samples.
    """
    if x.shape != source.samples.shape:
        raise ValueError(f"x is {x.shape}, the source mosaic {source.samples.shape}")
    result = scaled(source, steps.factor)
    area = source.active_area
    cols = area.slices[1]
    clip = clip_levels(source)
    keep = saturated_areas(source, clip)
    white = np.float32(result.white_level)
    clip = np.floor(clip * np.float32(steps.factor))
    for start in range(area.top, area.top + area.height, _ROWS_PER_BLOCK):
        rows = slice(start, min(start + _ROWS_PER_BLOCK, area.top + area.height))
        black = result.black_rows(rows.start, rows.stop)[:, cols]
        before = result.samples[rows, cols]
        values = x[rows, cols] * (white - black) + black
        if steps.dithers_below is not None:
            spread = dither(source.samples, rows, cols)
            np.copyto(spread, 0, where=x[rows, cols] >= np.float32(steps.dithers_below))
            values += spread
        limit = np.maximum(_by_site(clip, rows, cols), before)
        after = np.clip(np.rint(values), 0, limit).astype(np.uint16)
        before[...] = after if keep is None else np.where(keep[rows, cols], before, after)
    return result


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


def clip_levels(mosaic: Mosaic) -> NDArray[np.float32]:
    """Find the level from which on each site's samples are saturated: white, or what they show.

    Returns
    -------
    (2, 2) float32 DN
        By row and column of the full mosaic, modulo 2; at most `white_level`.
    """
    area, linear = mosaic.active_area, mosaic.linear_level
    levels = find_plateaus(
        mosaic.samples[area.slices],
        black=float(mosaic.black_level.mean()),
        white=mosaic.white_level,
        least=None if linear is None else np.roll(linear, (-area.top, -area.left), (0, 1)),
    )
    return np.roll(levels, (area.top, area.left), (0, 1))


def saturated_areas(
    mosaic: Mosaic, clip: NDArray[np.float32] | None = None
) -> NDArray[np.bool_] | None:
    """Find the samples that pass through because the sensor was saturated there.

    A sample at its site's clip level (`clip`, else what `clip_levels` says) counts if at least 3 of
    its 8 same-colour neighbours are there too; an isolated one is noise, and left it would be salt.

    Returns
    -------
    (H, W) bool, or None
        None if no sample is saturated.
    """
    clip = clip_levels(mosaic) if clip is None else clip
    at_clip = np.empty(mosaic.samples.shape, np.bool_)
    for row, col in ((0, 0), (0, 1), (1, 0), (1, 1)):
        site = slice(row, None, 2), slice(col, None, 2)
        np.greater_equal(mosaic.samples[site], clip[row, col], out=at_clip[site])
    return saturated(at_clip) if at_clip.any() else None


def _by_site(levels: NDArray[np.float32], rows: slice, cols: slice) -> NDArray[np.float32]:
    """Spread (2, 2) levels over a part of the mosaic."""
    row_at, col_at = (np.arange(part.start, part.stop) % 2 for part in (rows, cols))
    spread: NDArray[np.float32] = levels[row_at[:, None], col_at]
    return spread
