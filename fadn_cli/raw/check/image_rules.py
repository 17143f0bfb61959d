"""Is a sound TIFF a sound DNG? The tags it must have, and whether they agree with one another.

`dng` calls it after `structure`. The one thing to know: an entry that cannot be read counts as
absent here, since `structure` has already said what is wrong with it.

References
----------
DNG 1.7.1, chapters 2, 4 and 5; TIFF 6.0, section 15; TIFF/EP for the CFA tags.
"""

import math
from collections.abc import Iterator

from fadn_cli.findings import Finding, Severity
from fadn_cli.raw.check.level_rules import about, check_levels
from fadn_cli.raw.check.opcode_rules import check_opcodes
from fadn_cli.raw.tiff.ifd import Ifd, TiffFile
from fadn_cli.raw.tiff.tags import Compression, Photometric, Tag
from fadn_cli.raw.tiff.tree import (
    Layout,
    integer,
    integers,
    is_image_ifd,
    layout_of,
    name_ifds,
)

_RAW_PHOTOMETRICS = (Photometric.CFA, Photometric.LINEAR_RAW)
_REQUIRED_IN_RAW = (
    Tag.IMAGE_WIDTH,
    Tag.IMAGE_LENGTH,
    Tag.BITS_PER_SAMPLE,
    Tag.COMPRESSION,
    Tag.PHOTOMETRIC_INTERPRETATION,
    Tag.SAMPLES_PER_PIXEL,
)
_REQUIRED_OF_CFA = (Tag.CFA_REPEAT_PATTERN_DIM, Tag.CFA_PATTERN)
_MATRIX_ILLUMINANTS = (
    (Tag.COLOR_MATRIX_1, Tag.CALIBRATION_ILLUMINANT_1),
    (Tag.COLOR_MATRIX_2, Tag.CALIBRATION_ILLUMINANT_2),
    (Tag.COLOR_MATRIX_3, Tag.CALIBRATION_ILLUMINANT_3),
)
_PIECES = (
    (Tag.STRIP_OFFSETS, Tag.STRIP_BYTE_COUNTS),
    (Tag.TILE_OFFSETS, Tag.TILE_BYTE_COUNTS),
)
_TILE_SIDE_MULTIPLE = 16  # TIFF 6.0, section 15
_LAYOUTS = range(1, 10)  # CFALayout
_ORIENTATIONS = range(1, 10)  # 9 is Adobe's "unknown"


def check_images(tiff: TiffFile) -> Iterator[Finding]:
    """Yield what is wrong with a file as a DNG.

    Parameters
    ----------
    tiff : TiffFile
        Parsed with `tolerant=True`.

    Yields
    ------
    Finding
        Of kind "required", "pieces", "cfa", "area", "black", "white", "opcodes", "color" or
        "raw".
    """
    images = {name: ifd for name, ifd in name_ifds(tiff).items() if is_image_ifd(ifd)}
    raws = {name: ifd for name, ifd in images.items() if _is_raw(ifd)}
    has_color = not raws or any(_has_color(ifd) for ifd in raws.values())
    yield from _check_ifd0(tiff.ifds[0], has_color=has_color)
    for name, ifd in images.items():
        if ifd.get(Tag.IMAGE_WIDTH) or ifd.get(Tag.STRIP_OFFSETS) or ifd.get(Tag.TILE_OFFSETS):
            yield from _check_pieces(name, ifd)
    if not raws:
        yield _error(
            "raw",
            "no IFD with NewSubfileType 0 holds a mosaic or linear raw image",
        )
    for name, ifd in raws.items():
        yield from _check_raw(name, ifd)


def _is_raw(ifd: Ifd) -> bool:
    """Tell whether an image is a mosaic, or linear."""
    photometric = integer(ifd, Tag.PHOTOMETRIC_INTERPRETATION, -1)
    return integer(ifd, Tag.NEW_SUBFILE_TYPE, 0) == 0 and photometric in _RAW_PHOTOMETRICS


def _has_color(ifd: Ifd) -> bool:
    """Tell whether a raw image has colours."""
    is_linear = integer(ifd, Tag.PHOTOMETRIC_INTERPRETATION, -1) == Photometric.LINEAR_RAW
    return not is_linear or integer(ifd, Tag.SAMPLES_PER_PIXEL, 1) > 1


def _check_ifd0(ifd0: Ifd, *, has_color: bool) -> Iterator[Finding]:
    """Check what DNG wants to find first."""
    for tag in (Tag.DNG_VERSION, Tag.UNIQUE_CAMERA_MODEL):
        if ifd0.get(tag) is None:
            yield _error("required", "is missing; DNG requires it", "IFD0", tag)
    if ifd0.get(Tag.ORIENTATION) is None:
        yield _warning("required", "is missing; DNG requires it", "IFD0", Tag.ORIENTATION)
    elif integer(ifd0, Tag.ORIENTATION, 1) not in _ORIENTATIONS:
        what = f"is {integer(ifd0, Tag.ORIENTATION, 1)}; 1 to 9 have a meaning"
        yield about(ifd0, "IFD0", Tag.ORIENTATION, "color", what, "warning")
    for matrix, illuminant in _MATRIX_ILLUMINANTS:
        if ifd0.get(matrix) is not None and ifd0.get(illuminant) is None:
            yield _warning("color", f"is missing beside {matrix.label}", "IFD0", illuminant)
    first = ifd0.get(Tag.COLOR_MATRIX_1)
    if first is None and not has_color:
        return
    if first is None:
        what = "is missing; readers without a profile of this camera cannot know its colours"
        yield _warning("color", what, "IFD0", Tag.COLOR_MATRIX_1)
        return
    for tag in (Tag.AS_SHOT_NEUTRAL, Tag.ANALOG_BALANCE):
        entry = ifd0.get(tag)
        if entry is not None and entry.count != first.count // 3:
            what = f"has {entry.count} values for {first.count // 3} colours"
            yield about(ifd0, "IFD0", tag, "color", what)


def _check_pieces(name: str, ifd: Ifd) -> Iterator[Finding]:
    """Check that an image is cut into strips or tiles, all of which are listed."""
    present = [offsets for offsets, _ in _PIECES if ifd.get(offsets) is not None]
    if len(present) != 1:
        if present:
            yield about(ifd, name, present[0], "pieces", "is left beside the tiles")
        elif ifd.get(Tag.JPEG_INTERCHANGE_FORMAT) is None:
            yield _error("pieces", "the image has neither strips nor tiles", name)
        return
    layout = layout_of(ifd)
    if layout is None:
        yield _error("pieces", "the image has no size, or its pieces have none", name)
        return
    for tag in _PIECES[layout.tiled]:
        entry = ifd.get(tag)
        listed = entry.count if entry else 0
        if listed != layout.count:
            what = f"lists {listed} pieces; the image takes {layout.count}"
            severity: Severity = "error" if listed < layout.count else "warning"
            yield about(ifd, name, tag, "pieces", what, severity)
    yield from _check_piece_sizes(name, ifd, layout)
    if layout.tiled and (layout.rows % _TILE_SIDE_MULTIPLE or layout.cols % _TILE_SIDE_MULTIPLE):
        what = f"the tiles are {layout.cols}x{layout.rows}; TIFF wants multiples of 16"
        yield about(ifd, name, Tag.TILE_WIDTH, "pieces", what, "warning")


def _check_piece_sizes(name: str, ifd: Ifd, layout: Layout) -> Iterator[Finding]:
    """Check the byte counts of an uncompressed image; other images' are theirs to know."""
    tag = _PIECES[layout.tiled][1]
    sizes = integers(ifd, tag)
    if integer(ifd, Tag.COMPRESSION, 1) != Compression.NONE:
        empty = sum(size == 0 for size in sizes)
        if empty:
            yield about(ifd, name, tag, "pieces", f"{empty} of {len(sizes)} pieces are empty")
        return
    wrong = sum(size != layout.size_of(index) for index, size in enumerate(sizes))
    if wrong:
        what = f"{wrong} of {len(sizes)} pieces have another size than the uncompressed samples"
        yield about(ifd, name, tag, "pieces", what, "warning")


def _check_raw(name: str, ifd: Ifd) -> Iterator[Finding]:
    """Check the tags of the raw image."""
    for tag in _REQUIRED_IN_RAW:
        if ifd.get(tag) is None:
            yield _error("required", "is missing; a raw image needs it", name, tag)
    if ifd.get(Tag.NEW_SUBFILE_TYPE) is None:
        yield _warning("required", "is missing; DNG requires it", name, Tag.NEW_SUBFILE_TYPE)
    if integer(ifd, Tag.PHOTOMETRIC_INTERPRETATION, -1) == Photometric.CFA:
        yield from _check_cfa(name, ifd)
    yield from check_levels(name, ifd)
    yield from check_opcodes(name, ifd)


def _check_cfa(name: str, ifd: Ifd) -> Iterator[Finding]:
    """Check the colour filter array."""
    for tag in _REQUIRED_OF_CFA:
        if ifd.get(tag) is None:
            yield _error("required", "is missing; a mosaic needs it", name, tag)
    dims, pattern = integers(ifd, Tag.CFA_REPEAT_PATTERN_DIM), integers(ifd, Tag.CFA_PATTERN)
    if len(dims) == 2 and pattern and math.prod(dims) != len(pattern):
        what = f"has {len(pattern)} colours for {dims[0]}x{dims[1]} samples"
        yield about(ifd, name, Tag.CFA_PATTERN, "cfa", what)
    colors = integers(ifd, Tag.CFA_PLANE_COLOR) or (0, 1, 2)
    if pattern and set(pattern) != set(colors):
        what = f"has the colours {sorted(set(pattern))}, CFAPlaneColor {sorted(set(colors))}"
        yield about(ifd, name, Tag.CFA_PATTERN, "cfa", what)
    if integer(ifd, Tag.CFA_LAYOUT, 1) not in _LAYOUTS:
        what = f"is {integer(ifd, Tag.CFA_LAYOUT, 1)}; 1 to 9 have a meaning"
        yield about(ifd, name, Tag.CFA_LAYOUT, "cfa", what)


def _error(kind: str, what: str, name: str = "", tag: Tag | None = None) -> Finding:
    """Make an error about what is not there."""
    label = tag.label if tag else ""
    return Finding(severity="error", kind=kind, what=what, ifd=name, tag=label)


def _warning(kind: str, what: str, name: str, tag: Tag) -> Finding:
    """Make a warning about what is not there."""
    return Finding(severity="warning", kind=kind, what=what, ifd=name, tag=tag.label)
