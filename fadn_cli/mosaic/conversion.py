"""DN to normalized samples and back.

The one thing to know: this is the only module that converts between DN (uint16, in `Mosaic`) and
normalized samples (float32, 0 = black, 1 = white, never clipped), and `denormalize` is the only
place where anything is rounded or clipped, but for single samples that are repaired.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fadn_cli.mosaic.defects import Sites
from fadn_cli.mosaic.dither import dither
from fadn_cli.mosaic.saturation import clip_levels, saturated_areas
from fadn_cli.mosaic.steps import MOST, SOURCE_STEPS, Steps
from fadn_cli.mosaic.values import Mosaic

_ROWS_PER_BLOCK = 256  # keeps temporaries small: memory must not grow with the image


def scaled(mosaic: Mosaic, factor: int) -> Mosaic:
    """Return a mosaic in steps that are finer by a factor: a copy, its levels multiplied too.

    Raises
    ------
    ValueError
        A sample or the white level would not fit 16 bits.
    """
    if factor != 1 and factor * mosaic.highest > MOST:
        raise ValueError(f"{mosaic.highest:g} times {factor} does not fit 16 bits")
    return replace(with_levels(mosaic, factor), samples=mosaic.samples * np.uint16(factor))


def with_levels(mosaic: Mosaic, factor: int) -> Mosaic:
    """Return a mosaic with its own samples, and levels multiplied by a factor."""
    times = np.float32(factor)
    by_col, by_row, linear = (
        None if levels is None else levels * times
        for levels in (mosaic.black_delta_h, mosaic.black_delta_v, mosaic.linear_level)
    )
    return replace(
        mosaic,
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
    for start in range(0, height, _ROWS_PER_BLOCK):
        rows = slice(start, min(start + _ROWS_PER_BLOCK, height))
        x[rows] = normalize_part(mosaic, rows, slice(0, width))
    return x


def normalize_part(mosaic: Mosaic, rows: slice, cols: slice) -> NDArray[np.float32]:
    """Normalize a part of a mosaic, as `normalize` does all of it: (rows, cols) float32."""
    black = mosaic.black_rows(rows.start, rows.stop)[:, cols]
    part: NDArray[np.float32] = mosaic.samples[rows, cols] - black
    part /= np.float32(mosaic.white_level) - black
    return part


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
    rounding, area = Rounding(source, steps), source.active_area
    bottom, (_, cols) = area.top + area.height, area.slices
    parts = [rounding.untouched(0, area.top)]
    for start in range(area.top, bottom, _ROWS_PER_BLOCK):
        stop = min(start + _ROWS_PER_BLOCK, bottom)
        parts.append(rounding.rows(x[start:stop, cols], start))
    parts.append(rounding.untouched(bottom, len(x)))
    return replace(rounding.levels, samples=np.concatenate(parts))


class Rounding:
    """What `denormalize` does, a few rows at a time.

    Parameters
    ----------
    source : Mosaic
        The mosaic that was normalized.
    steps : Steps
        What to round to.

    Raises
    ------
    ValueError
        A sample or the white level would not fit 16 bits in such steps.
    """

    def __init__(self, source: Mosaic, steps: Steps = SOURCE_STEPS) -> None:
        if steps.factor != 1 and steps.factor * source.highest > MOST:
            raise ValueError(f"{source.highest:g} times {steps.factor} does not fit 16 bits")
        self.levels = replace(
            with_levels(source, steps.factor),
            samples=np.broadcast_to(np.uint16(0), source.samples.shape),
        )
        self._source, self._steps = source, steps
        clip = clip_levels(source)
        self._keep = saturated_areas(source, clip)
        self._clip = np.floor(clip * np.float32(steps.factor))

    levels: Mosaic
    """Everything of the result but its samples, which are all 0 and take no memory."""

    def untouched(self, start: int, stop: int) -> NDArray[np.uint16]:
        """Return rows of the source in these steps: (stop - start, W)."""
        return self._source.samples[start:stop] * np.uint16(self._steps.factor)

    def rows(self, x: NDArray[np.float32], start: int) -> NDArray[np.uint16]:
        """Return rows of the result: (n, W) uint16 DN, all that is not active untouched.

        Parameters
        ----------
        x : (n, active width) float32, normalized
            Not modified.
        start : int
            The first one's row in the mosaic.
        """
        rows, (_, cols) = slice(start, start + len(x)), self._source.active_area.slices
        result = self.untouched(rows.start, rows.stop)
        black = self.levels.black_rows(rows.start, rows.stop)[:, cols]
        before = result[:, cols]
        values = x * (np.float32(self.levels.white_level) - black)
        values += black
        if self._steps.dithers_below is not None:
            spread = dither(self._source.samples, rows, cols)
            np.copyto(spread, 0, where=x >= np.float32(self._steps.dithers_below))
            values += spread
        limit = np.maximum(_by_site(self._clip, rows, cols), before)
        np.rint(values, out=values)
        np.clip(values, 0, limit, out=values)
        if self._keep is None:
            before[...] = values
        else:
            np.copyto(before, values, where=~self._keep[rows, cols], casting="unsafe")
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
    black = source.black_at(rows, cols)
    values = np.rint(x * (np.float32(source.white_level) - black) + black)
    samples[rows, cols] = np.clip(values, 0, np.floor(source.white_level)).astype(np.uint16)
    return replace(source, samples=samples)


def _by_site(levels: NDArray[np.float32], rows: slice, cols: slice) -> NDArray[np.float32]:
    """Spread (p, p) levels over a part of the mosaic."""
    row_at, col_at = (np.arange(part.start, part.stop) % len(levels) for part in (rows, cols))
    spread: NDArray[np.float32] = levels[row_at[:, None], col_at]
    return spread
