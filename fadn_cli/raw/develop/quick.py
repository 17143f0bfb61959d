"""A mosaic as a small picture in linear light, in a fraction of a second: for previews.

`raw.previews` calls it. The one thing to know: each pixel is the mean of a square of samples,
colour by colour, so nothing is interpolated, and balance and matrix are those that LibRaw would
take; but LibRaw has no part in it, which would decode the source once more and take much longer.

References
----------
dcraw 9.28, `cam_xyz_coeff` and `scale_colors` (balance and matrix), `out_rgb` (spaces);
IEC 61966-2-1 (sRGB); Adobe RGB (1998), 4.3.6; ISO 22028-2 (ROMM).
"""

from collections.abc import Iterator
from math import lcm
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fadn_cli.mosaic.cfa import CfaPattern
from fadn_cli.mosaic.values import Mosaic, RawMetadata, Rect
from fadn_cli.raw.makers.matrix import XYZ_OF_SRGB
from fadn_cli.raw.tiff.tags import PreviewSpace

_SAMPLES_PER_BLOCK = 1 << 19  # what fits into a processor's cache
_WHITE = 65535
_STEPS = {"bayer": 2, "xtrans": 3, "mono": 1}
_OF_SRGB = {
    PreviewSpace.SRGB: np.eye(3),
    PreviewSpace.ADOBE_RGB: np.array([[0.715146, 0.284856, 0], [0, 1, 0], [0, 0.041166, 0.958839]]),
    PreviewSpace.PRO_PHOTO: np.array(
        [
            [0.529317, 0.330092, 0.140588],
            [0.098368, 0.873465, 0.028169],
            [0.016879, 0.117663, 0.865457],
        ]
    ),
}
"""Linear sRGB in the primaries of other spaces."""


def finest_step(cfa: CfaPattern) -> int:
    """Return the samples per side of the smallest square with every colour, wherever it lies.

    Examples
    --------
    >>> finest_step(CfaPattern(colors="GBRG")), finest_step(CfaPattern(colors="Y"))
    (2, 1)
    """
    return _STEPS[cfa.kind or "bayer"]


def develop_quickly(
    mosaic: Mosaic,
    metadata: RawMetadata,
    area: Rect,
    *,
    step: int,
    space: PreviewSpace = PreviewSpace.SRGB,
) -> NDArray[np.uint16]:
    """Develop a part of a mosaic to linear light, one pixel per square of samples.

    Parameters
    ----------
    mosaic : Mosaic
        Of a sensor that is denoised: Bayer, X-Trans or monochrome.
    metadata : RawMetadata
        Its balance and matrix.
    area : Rect
        What to develop, in pixels of the full mosaic.
    step : int
        Samples per side of a pixel: a multiple of `finest_step`, and no more than the area has.
    space : PreviewSpace
        Whose primaries the picture gets.

    Returns
    -------
    (3, height, width) uint16, 0-65535
        Linear, clipped at both ends; what is no whole square at the area's right and lower sides is
        left out. Without colours, all three planes are the same memory.

    Raises
    ------
    ValueError
        `step` is none for this sensor or this area.
    """
    if step < 1 or step % finest_step(mosaic.cfa) or step > min(area.height, area.width):
        raise ValueError(f"no picture of {mosaic.cfa.name} at {step} samples a pixel in {area}")
    height, width = area.height // step, area.width // step
    has_color = mosaic.cfa.kind != "mono"
    result = np.empty((3 if has_color else 1, height, width), np.uint16)
    matrix, limits = _color_matrix(metadata, space)
    rows = max(1, _SAMPLES_PER_BLOCK // (2 * width * step**2)) * 2  # even: whole cells of X-Trans
    for start in range(0, height, rows):
        stop = min(start + rows, height)
        top, size = area.top + start * step, ((stop - start) * step, width * step)
        part = Rect(top=top, left=area.left, height=size[0], width=size[1])
        planes = _means(mosaic, part, step)
        if has_color:
            np.minimum(planes, limits, out=planes)
            planes = (matrix @ planes.reshape(3, -1)).reshape(planes.shape)
        planes *= np.float32(_WHITE)
        planes += np.float32(0.5)
        result[:, start:stop] = np.clip(planes, 0, _WHITE, out=planes)
    return result if has_color else np.broadcast_to(result, (3, height, width))


def _means(mosaic: Mosaic, part: Rect, step: int) -> NDArray[np.float32]:
    """Return the mean of each colour in each square of a part: 0 black, 1 white, unclipped."""
    cfa = mosaic.cfa.shifted(part.top, part.left)
    letters = "Y" if cfa.kind == "mono" else "RGB"
    x: NDArray[Any] = mosaic.samples[part.slices]
    if mosaic.black_delta_h is None and mosaic.black_delta_v is None:
        levels = [_black_of(mosaic, letter) for letter in letters]
    else:  # each sample loses its own
        x = x - mosaic.black_rows(part.top, part.top + part.height)[:, part.slices[1]]
        levels = [0.0 for _ in letters]
    white = mosaic.white_level - (0.0 if any(levels) else float(mosaic.black_level.mean()))
    means = _mean_samples(x, cfa, letters, step)
    for plane, level in zip(means, levels, strict=True):
        plane -= np.float32(level)
        plane /= np.float32(white - level)
    return means


def _mean_samples(x: NDArray[Any], cfa: CfaPattern, letters: str, step: int) -> NDArray[np.float32]:
    """Return the mean of each colour in each square of samples, as they are."""
    cell = lcm(step, cfa.period)
    count = cell // step
    shape = (len(letters), x.shape[0] // step, x.shape[1] // step)
    sums = np.zeros(shape, np.uint32 if x.dtype == np.uint16 else np.float32)
    means = np.empty(shape, np.float32)
    for down, across in np.ndindex(count, count):
        own = (slice(down, None, count), slice(across, None, count))
        seen = dict.fromkeys(letters, 0)
        for rows, lines in _alike(x, range(down * step, (down + 1) * step), cell, cfa.period):
            for col in range(across * step, (across + 1) * step):
                letter = cfa.at(rows[0], col)
                seen[letter] += len(rows)
                sums[letters.index(letter)][own] += lines[:, col::cell]
        for number, letter in enumerate(letters):
            np.divide(sums[number][own], np.float32(seen[letter]), out=means[number][own])
    return means


def _alike(
    x: NDArray[Any], rows: range, cell: int, period: int
) -> Iterator[tuple[list[int], NDArray[Any]]]:
    """Yield rows of a square that hold the same colours, and the sum of each of their columns."""
    for phase in range(min(period, len(rows))):
        same = list(rows[phase::period])
        lines = x[same[0] :: cell]
        if len(same) > 1:
            lines = lines.astype(np.uint32 if x.dtype == np.uint16 else np.float32)
            for row in same[1:]:
                lines += x[row::cell]
        yield same, lines


def _black_of(mosaic: Mosaic, letter: str) -> float:
    """Return the mean black level of a colour's samples, DN."""
    rows, cols = mosaic.black_level.shape
    period = mosaic.cfa.period
    levels = [
        mosaic.black_level[row % rows, col % cols]
        for row, col in np.ndindex(lcm(rows, period), lcm(cols, period))
        if mosaic.cfa.at(row, col) == letter
    ]
    return float(np.mean(levels))


def _color_matrix(
    metadata: RawMetadata, space: PreviewSpace
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return what makes a space's colours of the camera's, and where each of the latter clips.

    As in dcraw: the colour that is balanced least keeps its white, and the others clip there too.
    """
    to_srgb, daylight = np.eye(3), np.ones(3)
    if metadata.color_matrix is not None:
        camera = metadata.color_matrix.astype(np.float64) @ XYZ_OF_SRGB
        white = camera.sum(axis=1)
        if (white > 0).all() and abs(np.linalg.det(camera)) > 1e-6:
            to_srgb, daylight = np.linalg.inv(camera / white[:, None]), 1 / white
    gains = daylight if metadata.wb_gains is None else metadata.wb_gains.astype(np.float64)
    if not (np.isfinite(gains).all() and (gains > 0).all()):
        gains = np.ones(3)
    gains = gains / gains.min()
    matrix = _OF_SRGB[space] @ to_srgb * gains
    return matrix.astype(np.float32), (1 / gains).astype(np.float32)[:, None, None]
