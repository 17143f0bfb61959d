"""Do the areas and levels of a raw image fit together? Active area, masks, crop, black and white.

`image_rules` calls it for every raw image. The one thing to know: an entry that cannot be read
counts as absent here, since `structure` has already said what is wrong with it.

References
----------
DNG 1.7.1, chapter 4.
"""

import math
from collections.abc import Iterator

from fadn_cli.findings import Finding, Severity
from fadn_cli.raw.tiff.ifd import Ifd
from fadn_cli.raw.tiff.tags import Tag
from fadn_cli.raw.tiff.tree import integer, integers, numbers

_LARGEST_TABLE = 1 << 16  # LinearizationTable: one value per sample value


def check_levels(name: str, ifd: Ifd) -> Iterator[Finding]:
    """Yield what is wrong with the areas and levels of a raw image.

    Parameters
    ----------
    name : str
        Of the IFD.
    ifd : Ifd
        The raw image's.

    Yields
    ------
    Finding
        Of kind "area", "black" or "white".
    """
    yield from _check_areas(name, ifd)
    yield from _check_black(name, ifd)
    yield from _check_white(name, ifd)


def about(
    ifd: Ifd, name: str, tag: Tag, kind: str, what: str, severity: Severity = "error"
) -> Finding:
    """Make a finding about an entry."""
    entry = ifd.get(tag)
    offset = None if entry is None else entry.location
    return Finding(severity=severity, kind=kind, what=what, ifd=name, tag=tag.label, offset=offset)


def _check_areas(name: str, ifd: Ifd) -> Iterator[Finding]:
    """Check that areas lie inside the image, and the crop inside the active area."""
    height, width = integer(ifd, Tag.IMAGE_LENGTH, 0), integer(ifd, Tag.IMAGE_WIDTH, 0)
    area = _active_area(ifd)
    if not _is_inside(area, height, width):
        what = f"{_spell(area)} lies outside the {width}x{height} image"
        yield about(ifd, name, Tag.ACTIVE_AREA, "area", what)
        return
    masked = integers(ifd, Tag.MASKED_AREAS)
    for start in range(0, len(masked) - 3, 4):
        mask = masked[start : start + 4]
        if not _is_inside(mask, height, width):
            what = f"{_spell(mask)} lies outside the {width}x{height} image"
            yield about(ifd, name, Tag.MASKED_AREAS, "area", what)
        elif _overlap(mask, area):
            what = f"{_spell(mask)} reaches into ActiveArea"
            yield about(ifd, name, Tag.MASKED_AREAS, "area", what, "warning")
    top, left, bottom, right = area
    left_top = numbers(ifd, Tag.DEFAULT_CROP_ORIGIN) or (0.0, 0.0)
    size = numbers(ifd, Tag.DEFAULT_CROP_SIZE)
    if len(left_top) != 2 or len(size) != 2:
        return
    sides = zip(left_top, size, (right - left, bottom - top), strict=True)
    if not all(0 <= start < limit and 0 < n <= limit - start for start, n, limit in sides):
        what = (
            f"{size[0]:g}x{size[1]:g} from {left_top[0]:g} {left_top[1]:g} lies outside "
            f"the {right - left}x{bottom - top} ActiveArea"
        )
        yield about(ifd, name, Tag.DEFAULT_CROP_SIZE, "area", what)


def _check_black(name: str, ifd: Ifd) -> Iterator[Finding]:
    """Check that black levels fit the pattern and the active area."""
    dims = integers(ifd, Tag.BLACK_LEVEL_REPEAT_DIM) or (1, 1)
    entry = ifd.get(Tag.BLACK_LEVEL)
    samples = integer(ifd, Tag.SAMPLES_PER_PIXEL, 1)
    if entry is not None and len(dims) == 2 and entry.count != math.prod(dims) * samples:
        what = f"has {entry.count} values for {dims[0]}x{dims[1]} samples of {samples} planes"
        yield about(ifd, name, Tag.BLACK_LEVEL, "black", what)
    if any(math.isnan(level) for level in numbers(ifd, Tag.BLACK_LEVEL)):
        yield about(ifd, name, Tag.BLACK_LEVEL, "black", "has a value n/0")
    top, left, bottom, right = _active_area(ifd)
    for tag, active, side in (
        (Tag.BLACK_LEVEL_DELTA_H, right - left, "columns"),
        (Tag.BLACK_LEVEL_DELTA_V, bottom - top, "rows"),
    ):
        entry = ifd.get(tag)
        if entry is not None and entry.count != active:
            what = f"has {entry.count} values for {active} active {side}"
            yield about(ifd, name, tag, "black", what)


def _check_white(name: str, ifd: Ifd) -> Iterator[Finding]:
    """Check that the white level can be reached and lies above black."""
    entry = ifd.get(Tag.LINEARIZATION_TABLE)
    table = integers(ifd, Tag.LINEARIZATION_TABLE)
    if entry is not None and not 2 <= entry.count <= _LARGEST_TABLE:
        what = f"has {entry.count} values; 2 to {_LARGEST_TABLE} make sense"
        yield about(ifd, name, Tag.LINEARIZATION_TABLE, "white", what)
    bits = integer(ifd, Tag.BITS_PER_SAMPLE, 16)
    default = (1 << min(bits, 32)) - 1
    highest = max(table) if table else default
    whites = numbers(ifd, Tag.WHITE_LEVEL) or (float(default),)
    if max(whites) > highest and ifd.get(Tag.WHITE_LEVEL) is not None:
        source = "the LinearizationTable" if table else f"{bits} bits"
        what = f"is {max(whites):g}; {source} can reach {highest}"
        yield about(ifd, name, Tag.WHITE_LEVEL, "white", what, "warning")
    blacks = numbers(ifd, Tag.BLACK_LEVEL) or (0.0,)
    if min(whites) <= max(blacks):
        what = f"is {min(whites):g}, not above BlackLevel {max(blacks):g}"
        yield about(ifd, name, Tag.WHITE_LEVEL, "white", what)


def _active_area(ifd: Ifd) -> tuple[int, ...]:
    """Return (top, left, bottom, right) of ActiveArea, or of the whole image."""
    area = integers(ifd, Tag.ACTIVE_AREA)
    whole = (0, 0, integer(ifd, Tag.IMAGE_LENGTH, 0), integer(ifd, Tag.IMAGE_WIDTH, 0))
    return area if len(area) == 4 else whole


def _is_inside(area: tuple[int, ...], height: int, width: int) -> bool:
    """Tell whether (top, left, bottom, right) is a part of an image."""
    top, left, bottom, right = area
    return 0 <= top < bottom <= height and 0 <= left < right <= width


def _overlap(first: tuple[int, ...], second: tuple[int, ...]) -> bool:
    """Tell whether two areas share a sample."""
    return (
        first[0] < second[2]
        and second[0] < first[2]
        and first[1] < second[3]
        and second[1] < first[3]
    )


def _spell(area: tuple[int, ...]) -> str:
    """Spell an area as the tag has it."""
    return " ".join(map(str, area))
