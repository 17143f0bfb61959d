"""What a DNG says of its own mosaic, read from the tags: LibRaw rounds, averages and shifts it.

The reader calls it for every DNG that `dng_checks` lets pass. The one thing to know: the DNG states
CFA pattern, black levels and deltas from the top-left of ActiveArea, and everything here is
returned aligned to (0, 0) of the full mosaic.

References
----------
DNG 1.7.1, chapters 2 (raw IFD) and 4 (tags); TIFF/EP for the CFA tags.
"""

import math

import numpy as np
from numpy.typing import NDArray

from fadn_cli.errors import Needs, RawReadError, UnsupportedRawError, few
from fadn_cli.limits import MOST_VARIANCE
from fadn_cli.mosaic.cfa import QUAD_BAYER, CfaPattern
from fadn_cli.mosaic.values import Mosaic, Rect
from fadn_cli.noise import NoiseModel, noise_model
from fadn_cli.raw.source.dng_checks import image_size, is_monochrome
from fadn_cli.raw.tiff.file import Ifd, TiffFile
from fadn_cli.raw.tiff.tags import Tag
from fadn_cli.raw.tiff.tree import numbers

_RECTANGULAR = 1  # CFALayout
_CELLS = tuple((side, side) for side in (2, 4, 6, 8))  # CFARepeatPatternDim
_HIGHEST_WHITE = 1 << 16  # some writers state the number of values, not the largest
_COLOR_LETTERS = "RGBCMYW"  # in the order of CFAPlaneColor's numbers
_COPY_AGAIN = "The file looks truncated or damaged; copy it again from the card."


def read_mosaic(tiff: TiffFile, ifd: Ifd, samples: NDArray[np.uint16]) -> Mosaic:
    """Give decoded samples the colours and levels that the tags state.

    Parameters
    ----------
    tiff : TiffFile
        The DNG.
    ifd : Ifd
        Its raw IFD.
    samples : (H, W) uint16 DN
        Decoded, LinearizationTable applied; kept, not copied.

    Raises
    ------
    UnsupportedRawError
        No sensor that we know has these colours.
    RawReadError
        A level or the active area contradicts the rest.
    """
    area = read_active_area(tiff, ifd)
    black_level = _black_level(tiff, ifd, area)
    white_level = _white_level(ifd)
    if white_level > _HIGHEST_WHITE:
        raise RawReadError(
            f"{tiff.name}: WhiteLevel {white_level:g} is more than 16 bits can hold",
            advice=_COPY_AGAIN,
        )
    if not white_level > black_level.max():
        raise RawReadError(
            f"{tiff.name}: WhiteLevel {white_level:g} is not above BlackLevel "
            f"{black_level.max():g}",
            advice=_COPY_AGAIN,
        )
    height, width = samples.shape
    return Mosaic(
        samples=samples,
        cfa=read_cfa(tiff, ifd).shifted(-area.top, -area.left),
        black_level=black_level,
        white_level=white_level,
        active_area=area,
        black_delta_h=_delta(tiff, ifd, Tag.BLACK_LEVEL_DELTA_H, width, area.left, area.width),
        black_delta_v=_delta(tiff, ifd, Tag.BLACK_LEVEL_DELTA_V, height, area.top, area.height),
    )


def read_active_area(tiff: TiffFile, ifd: Ifd) -> Rect:
    """Return ActiveArea, or the whole image; raises RawReadError if it lies outside.

    Four zeros, which some drones write, mean the whole image to every other reader.
    """
    height, width = image_size(ifd)
    whole = (0, 0, height, width)
    area = _exactly(4, tiff, ifd, Tag.ACTIVE_AREA)
    top, left, bottom, right = area if any(area) else whole
    if not (0 <= top < bottom <= height and 0 <= left < right <= width):
        raise RawReadError(
            f"{tiff.name}: ActiveArea {top} {left} {bottom} {right} lies outside the "
            f"{width}x{height} image",
            advice=_COPY_AGAIN,
        )
    return Rect(top=top, left=left, height=bottom - top, width=right - left)


def read_cfa(tiff: TiffFile, ifd: Ifd) -> CfaPattern:
    """Return the colours from the top-left of ActiveArea.

    Raises
    ------
    UnsupportedRawError
        No sensor that we know has them.
    RawReadError
        The file does not say them.
    """
    if is_monochrome(ifd):
        return CfaPattern(colors="Y")
    pattern = ifd.ints(Tag.CFA_PATTERN)
    rows_cols = ifd.ints(Tag.CFA_REPEAT_PATTERN_DIM) or (2, 2)
    if not pattern:
        raise RawReadError(f"{tiff.name}: a mosaic without CFAPattern", advice=Needs.ORIGINAL_RAW)
    layout = ifd.first_int(Tag.CFA_LAYOUT, _RECTANGULAR)
    cfa = None
    if max(pattern) >= len(_COLOR_LETTERS):
        reason = f"CFAPattern names colour {max(pattern)}, which has no meaning"
    elif rows_cols not in _CELLS or math.prod(rows_cols) != len(pattern):
        size = few(rows_cols, "x")
        reason = f"CFA repeats every {size} samples, in {len(pattern)} colours"
    elif layout != _RECTANGULAR:
        reason = f"CFA is not rectangular (CFALayout {layout})"
    else:
        cfa = CfaPattern(colors="".join(_COLOR_LETTERS[color] for color in pattern))
        reason = "" if cfa.kind else f"CFA is {cfa.name}"
    if cfa is None or reason:
        is_quad = cfa is not None and cfa.name == QUAD_BAYER
        raise UnsupportedRawError(
            f"{tiff.name}: {reason}; {Needs.ONLY_THESE}",
            advice=Needs.REMOSAIC if is_quad else Needs.OTHER_FILTERS,
        )
    return cfa


def read_noise_profile(tiff: TiffFile, ifd: Ifd) -> NoiseModel | None:
    """Return NoiseProfile for the samples that the CFA tells apart; None if it says nothing.

    It states a pair per colour, or one for all. Negative offsets, which some phones write, count as
    0.
    """
    entry = ifd.get(Tag.NOISE_PROFILE) or tiff.ifds[0].get(Tag.NOISE_PROFILE)
    if entry is None:
        return None
    values = entry.floats
    colors = read_cfa(tiff, ifd).noise_colors
    stated = list(ifd.ints(Tag.CFA_PLANE_COLOR)) or [0, 1, 2]
    planes = "Y" if colors == "Y" else "".join(_COLOR_LETTERS[c : c + 1] for c in stated)
    if len(values) == 2:
        values *= len(planes)
    if len(values) != 2 * len(planes) or set(planes) != set(colors):
        return None
    pairs = np.array(values, np.float64).reshape(-1, 2)[[planes.index(c) for c in colors]]
    if not np.isfinite(pairs).all() or (pairs[:, 0] <= 0).any() or (pairs > MOST_VARIANCE).any():
        return None
    offsets = np.maximum(pairs[:, 1], 0)
    return noise_model(pairs[:, 0], offsets, source="NoiseProfile", colors=colors)


def warn_of_profile(tiff: TiffFile, ifd: Ifd) -> tuple[str, ...]:
    """Say that a DNG states noise that no sensor has, which is not gone by."""
    entry = ifd.get(Tag.NOISE_PROFILE) or tiff.ifds[0].get(Tag.NOISE_PROFILE)
    values = np.array([] if entry is None else entry.floats, np.float64)
    if np.isfinite(values).all() and not (values > MOST_VARIANCE).any():
        return ()
    return (f"the NoiseProfile states {values.max():.3g}, which cannot be: the noise is measured",)


def warn_of_levels(tiff: TiffFile, ifd: Ifd) -> tuple[str, ...]:
    """Say which tags of the levels do not say what they must, and how they are read."""
    warnings = []
    area, stated = ifd.ints(Tag.ACTIVE_AREA), ifd.ints(Tag.BLACK_LEVEL_REPEAT_DIM)
    if area and not any(area):
        warnings.append("ActiveArea is 0 0 0 0: the whole image is taken")
    entry = ifd.get(Tag.BLACK_LEVEL)
    levels = np.array(entry.floats if entry is not None else (), np.float32)
    if levels.size and np.isnan(levels).all():
        warnings.append("BlackLevel is n/0, which says nothing: taken as 0")
    elif levels.size and (stated or (1, 1)) != (used := _black_repeat(tiff, ifd, levels)):
        said, taken = (few(sides, "x") or "nothing" for sides in (stated, used))
        count = f"{levels.size} black level{'' if levels.size == 1 else 's'}"
        warnings.append(f"BlackLevelRepeatDim says {said} for {count}: taken as {taken}")
    return tuple(warnings)


def read_pixel_aspect(ifd: Ifd) -> float:
    """Return the width of a pixel over its height: DefaultScale, 1 if it says nothing."""
    scale = numbers(ifd, Tag.DEFAULT_SCALE)
    usable = len(scale) == 2 and all(0 < value < math.inf for value in scale)
    return scale[0] / scale[1] if usable else 1.0


def read_crop(ifd: Ifd, area: Rect) -> Rect | None:
    """Return DefaultCrop in pixels of the full mosaic; None if it says nothing."""
    origin, size = numbers(ifd, Tag.DEFAULT_CROP_ORIGIN), numbers(ifd, Tag.DEFAULT_CROP_SIZE)
    if len(origin) != 2 or len(size) != 2 or not np.isfinite((*origin, *size)).all():
        return None
    (left, top), (width, height) = origin, size
    return Rect(
        top=area.top + int(top), left=area.left + int(left), height=int(height), width=int(width)
    )


def _black_level(tiff: TiffFile, ifd: Ifd, area: Rect) -> NDArray[np.float32]:
    """Return BlackLevel as a (r, c) float32 DN pattern aligned to the mosaic's (0, 0)."""
    entry = ifd.get(Tag.BLACK_LEVEL)
    levels = np.array(entry.floats if entry is not None else (), np.float32)
    if entry is None or (levels.size and np.isnan(levels).all()):  # 0/0 is "unknown"
        return np.zeros((2, 2), np.float32)
    rows, cols = _black_repeat(tiff, ifd, levels)
    if levels.size != rows * cols or not levels.size or not np.isfinite(levels).all():
        raise RawReadError(
            f"{tiff.name}: BlackLevel {few(levels.tolist())} for a repeat of {rows}x{cols}",
            advice=_COPY_AGAIN,
        )
    return np.roll(levels.reshape(rows, cols), (area.top, area.left), (0, 1))


def _black_repeat(tiff: TiffFile, ifd: Ifd, levels: NDArray[np.float32]) -> tuple[int, int]:
    """Return every how many rows and columns black levels repeat.

    Where BlackLevelRepeatDim says nothing that fits, levels that are all the same are so
    everywhere, and as many as the CFA has sites are one for each, as other readers have it.
    """
    stated = ifd.ints(Tag.BLACK_LEVEL_REPEAT_DIM)
    period = read_cfa(tiff, ifd).period
    if levels.size == 1 or (len(stated) == 2 and math.prod(stated) == levels.size):
        rows, cols = stated if levels.size > 1 else (1, 1)
    elif levels.size == period**2:
        rows, cols = period, period
    elif levels.size and (levels == levels[0]).all():
        rows, cols = 1, levels.size
    else:
        rows, cols = _exactly(2, tiff, ifd, Tag.BLACK_LEVEL_REPEAT_DIM) or (1, 1)
    return rows, cols


def _white_level(ifd: Ifd) -> float:
    """Return WhiteLevel in DN, or its default, which no LinearizationTable changes."""
    entry = ifd.get(Tag.WHITE_LEVEL)
    if entry is not None and entry.count:
        return entry.floats[0]
    return float(2 ** ifd.first_int(Tag.BITS_PER_SAMPLE, 16) - 1)


def _delta(
    tiff: TiffFile, ifd: Ifd, tag: Tag, length: int, start: int, active: int
) -> NDArray[np.float32] | None:
    """Return black deltas for the full side of the mosaic, 0 outside the active area."""
    entry = ifd.get(tag)
    if entry is None:
        return None
    values = np.array(entry.floats, np.float32)
    if values.size != active or not np.isfinite(values).all():
        raise RawReadError(
            f"{tiff.name}: {tag.label} has {values.size} values for {active} active samples",
            advice=_COPY_AGAIN,
        )
    if not values.any():
        return None
    deltas = np.zeros(length, np.float32)
    deltas[start : start + active] = values
    return deltas


def _exactly(count: int, tiff: TiffFile, ifd: Ifd, tag: Tag) -> tuple[int, ...]:
    """Return an entry's integers, () if absent; RawReadError if there are more or fewer."""
    values = ifd.ints(tag)
    if values and len(values) != count:
        raise RawReadError(
            f"{tiff.name}: {tag.label} has {len(values)} values instead of {count}",
            advice=_COPY_AGAIN,
        )
    return values
