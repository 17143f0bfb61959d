"""How two mosaics differ: in their levels, and sample by sample.

`dng` compares an output with what was meant, `verify` with its source. The one thing to know:
samples of saturated areas and those outside the active area must be the source's bit for bit,
times the factor by which the steps are finer.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fadn_cli.findings import PixelComparison
from fadn_cli.mosaic.conversion import scaled
from fadn_cli.mosaic.defects import Sites
from fadn_cli.mosaic.saturation import saturated_areas
from fadn_cli.mosaic.steps import own_step
from fadn_cli.mosaic.values import Mosaic

_BLOCK = 64  # samples of a block's side; of whole cells, so at most that many
_DARKEST, _BRIGHTEST = 0.02, 0.8  # normalized means of blocks that are compared
_DEFECT = (10, 0.02)  # times a block's mean change, and at least: one sample was repaired there


def differing_levels(found: Mosaic, expected: Mosaic) -> Iterator[str]:
    """Yield each level in which two mosaics of one size differ, in words."""
    if found.cfa != expected.cfa:
        yield f"CFA {found.cfa.name} instead of {expected.cfa.name}"
    if found.active_area != expected.active_area:
        yield f"active area {found.active_area} instead of {expected.active_area}"
    if found.white_level != expected.white_level:
        yield f"white level {found.white_level:g} instead of {expected.white_level:g}"
    if not _same_black(found, expected):
        yield f"black level {found.black_level.tolist()} instead of {expected.black_level.tolist()}"


def compare_samples(
    before: Mosaic, after: Mosaic, *, factor: int = 1, bad: Sites | None = None
) -> PixelComparison:
    """Count the samples that changed and those that should not have.

    Parameters
    ----------
    before, after : Mosaic
        Of one size; levels and active area are taken from `before`.
    factor : int
        How many times finer the steps of `after` are.
    bad : (n,) intp, optional
        Flat indices of samples that were bad in `before`: neither saturation nor brightness.
    """
    sites = np.empty(0, np.intp) if bad is None else bad
    repaired = before.samples.flat[sites].astype(np.int64) * factor != after.samples.flat[sites]
    before, after = without_bad(before, sites), without_bad(after, sites)
    source, before = before, scaled(before, factor)
    saturated = saturated_areas(source)
    changed = before.samples != after.samples
    changed.flat[sites] = repaired
    inside = np.zeros(changed.shape, np.bool_)
    inside[before.active_area.slices] = True
    bright = inside & saturated if saturated is not None else np.zeros_like(inside)
    blocks, shift, worst, change = _compare_blocks(before, after)
    step = factor * own_step(source.samples[source.active_area.slices])
    step_shift, step_change = _compare_steps(before, after, step)
    return PixelComparison(
        active=int(inside.sum()),
        changed=int((changed & inside & ~bright).sum()),
        saturated=int(bright.sum()),
        saturated_changed=int((changed & bright).sum()),
        outside=int((~inside).sum()),
        outside_changed=int((changed & ~inside).sum()),
        blocks=blocks,
        planes=source.cfa.noise_names,
        block_shift=shift,
        worst_block_shift=worst,
        sample_change=change,
        step_shift=step_shift,
        step_change=step_change,
    )


def without_bad(mosaic: Mosaic, bad: Sites) -> Mosaic:
    """Return a mosaic with all bad samples the same."""
    if not bad.size:
        return mosaic
    samples = mosaic.samples.copy()
    samples.ravel()[bad] = 0
    return replace(mosaic, samples=samples)


def _same_black(found: Mosaic, expected: Mosaic) -> bool:
    """Tell whether every sample has the same black level, however it is stated."""
    stop, _ = expected.samples.shape
    if found.black_delta_v is None and expected.black_delta_v is None:
        stop = min(stop, expected.black_level.shape[0] * found.black_level.shape[0])
    return all(
        np.array_equal(
            found.black_rows(start, min(start + _BLOCK, stop)),
            expected.black_rows(start, min(start + _BLOCK, stop)),
        )
        for start in range(0, stop, _BLOCK)
    )


def _compare_blocks(before: Mosaic, after: Mosaic) -> tuple[int, tuple[float, ...], float, float]:
    """Return how many blocks there are, the mean change of their means by plane, the largest, and
    the samples' change."""
    side, cols = _block_columns(before)
    means, changes, squares = [], [], []
    for top in _block_tops(before, side):
        rows = slice(top, top + side)
        black = before.black_rows(top, top + side)[:, cols]
        scale = np.float32(before.white_level) - black
        old = (before.samples[rows, cols] - black) / scale
        difference = after.samples[rows, cols].astype(np.float32) - before.samples[rows, cols]
        means.append(_plane_means(before, top, cols.start, old))
        change = _without_repairs(difference / scale)
        changes.append(_plane_means(before, top, cols.start, change))
        squares.append(_plane_means(before, top, cols.start, change * change))
    if not means:
        return 0, (), 0.0, 0.0
    brightness, shifts, square = (
        np.concatenate(each)
        for each in (means, changes, squares)  # (blocks, planes)
    )
    usable = ((brightness >= _DARKEST) & (brightness <= _BRIGHTEST)).all(axis=1)
    if not usable.any():
        return 0, (), 0.0, 0.0
    moved = np.abs(shifts[usable])
    shift, rms = moved.mean(axis=0, dtype=np.float64), float(square[usable].mean()) ** 0.5
    return int(usable.sum()), tuple(map(float, shift)), float(moved.max()), rms


def _compare_steps(before: Mosaic, after: Mosaic, step: int) -> tuple[tuple[float, ...], float]:
    """Return by plane the mean change of the blocks that are not too bright, and the samples'."""
    side, cols = _block_columns(before)
    black = np.float32(before.black_level.mean())
    scale = np.float32(before.white_level) - black
    shifts, squares = [], [0.0]
    for top in _block_tops(before, side):
        rows = slice(top, top + side)
        change = after.samples[rows, cols].astype(np.float32) - before.samples[rows, cols]
        change = _without_repairs(change / scale) * (scale / step)
        old = (before.samples[rows, cols] - black) / scale
        usable = (_plane_means(before, top, cols.start, old) <= _BRIGHTEST).all(axis=1)
        shifts.append(_plane_means(before, top, cols.start, change)[usable])
        squares.append(float(np.mean(change * change)))
    if not sum(map(len, shifts)):
        return (), 0.0
    shift = np.concatenate(shifts).mean(axis=0, dtype=np.float64)
    return tuple(map(float, shift)), max(squares) ** 0.5


def _block_columns(mosaic: Mosaic) -> tuple[int, slice]:
    """Return the side of a block, whole cells, and the columns of the whole ones of a row."""
    area, period = mosaic.active_area, mosaic.cfa.period
    side = _BLOCK // period * period
    return side, slice(area.left, area.left + area.width // side * side)


def _block_tops(mosaic: Mosaic, side: int) -> range:
    """Return the first rows of the rows of whole blocks of the active area."""
    area = mosaic.active_area
    if area.width < side:
        return range(0)
    return range(area.top, area.top + area.height - side + 1, side)


def _without_repairs(change: NDArray[np.float32]) -> NDArray[np.float32]:
    """Count samples of a row of blocks that changed far more than their block as unchanged.

    A hot pixel's light is not brightness, and a hundredth of a percent of them is common.
    """
    blocks = _blocks(np.abs(change))
    times, least = _DEFECT
    limit = np.maximum(times * blocks.mean(axis=(0, 2)), least)
    whole = change.reshape(blocks.shape)
    return np.where(blocks > limit[:, None], 0, whole).reshape(change.shape)


def _plane_means(
    mosaic: Mosaic, top: int, left: int, x: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return (blocks, planes): means of one row of blocks by the CFA's `noise_colors`."""
    blocks, period = _blocks(x), mosaic.cfa.period
    sums = np.zeros((blocks.shape[1], len(mosaic.cfa.noise_colors)), np.float32)
    sites = np.zeros(sums.shape[1], np.float32)
    for row in range(period):
        for col in range(period):
            plane = mosaic.cfa.noise_index(top + row, left + col)
            sums[:, plane] += blocks[row::period, :, col::period].mean(axis=(0, 2))
            sites[plane] += 1
    return sums / sites


def _blocks(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Cut a row of square blocks: (row, block, column)."""
    side = len(x)
    return x.reshape(side, -1, side)
