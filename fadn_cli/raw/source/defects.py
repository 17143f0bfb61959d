"""Which samples a raw file itself calls bad: a DNG's OpcodeList1, and zeros of makers who mark so.

The reader calls it; `raw.check` asks what is wrong with such a list. The one thing to know: the
opcodes speak of samples as stored, before any LinearizationTable, and of rows and columns of the
whole image, masked borders included. BayerPhase is not needed: the file states its CFA elsewhere.

References
----------
DNG 1.7.1, chapter 7: FixBadPixelsConstant, FixBadPixelsList. For the zeros, LibRaw's and
RawTherapee's `zero_is_bad`.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fadn_cli.errors import RawReadError
from fadn_cli.mosaic.defects import Defects, Marks, Sites, join_sites
from fadn_cli.mosaic.values import Mosaic
from fadn_cli.raw.source.dng_checks import image_size
from fadn_cli.raw.source.pieces import READABLE, read_stored
from fadn_cli.raw.tiff.file import Ifd, TiffFile
from fadn_cli.raw.tiff.opcodes import Opcode, OpcodeId, read_opcodes
from fadn_cli.raw.tiff.tags import Tag

MOST_ZEROS = 0.01
"""Share of the active area: where more is zero, the camera clips at black, and zeros are light."""
_ZERO_IS_BAD = ("panasonic", "leica")  # first words of Make; Leica's raws are Panasonic's
_NAMES: dict[int, str] = {
    OpcodeId.FIX_BAD_PIXELS_CONSTANT: "FixBadPixelsConstant",
    OpcodeId.FIX_BAD_PIXELS_LIST: "FixBadPixelsList",
}
_PHASES = range(4)
_VERSIONS = range(0x01030000, 0x01080000)  # from DNG 1.3, which introduced both, to 1.7
_CONSTANT = struct.Struct(">II")  # constant, BayerPhase
_COUNTS = struct.Struct(">III")  # BayerPhase, points, rectangles
_NOT_REPAIRED = "bad pixels that it names are not repaired"


@dataclass(slots=True, kw_only=True)
class BadPixelOpcodes:
    """What an OpcodeList1 says of bad pixels, and what is wrong with how it says so."""

    constants: list[int] = field(default_factory=list)
    """Values that mark a bad sample, as stored."""
    points: list[Sites] = field(default_factory=list)
    """What lists name one by one, inside the image."""
    rects: list[NDArray[np.int64]] = field(default_factory=list)
    """(n, 4) corners of what they name together, inside the image or not."""
    errors: list[str] = field(default_factory=list)
    """What cannot be read."""
    warnings: list[str] = field(default_factory=list)
    """What makes no sense, but does no harm."""

    def sites(self, size: tuple[int, int]) -> Sites:
        """Return all that lists name; takes memory for an image of that height and width."""
        return join_sites(*self.points, *(_sites_of(corners, size) for corners in self.rects))


def read_defects(tiff: TiffFile, ifd: Ifd, samples: NDArray[np.uint16]) -> Defects:
    """Find what a DNG calls bad.

    Parameters
    ----------
    tiff, ifd : TiffFile, Ifd
        The DNG and its raw IFD.
    samples : (H, W) uint16 DN
        Decoded, LinearizationTable applied.

    Returns
    -------
    Defects
        With a warning for whatever is wrong with the list: the photograph can be denoised anyway.
    """
    try:
        entry = ifd.get(Tag.OPCODE_LIST_1)
        found = read_bad_pixels(b"" if entry is None else bytes(entry.data), image_size(ifd))
    except RawReadError as error:
        return Defects(warnings=(f"OpcodeList1 cannot be read ({error}): {_NOT_REPAIRED}.",))
    warnings = [f"OpcodeList1: {fault}; {_NOT_REPAIRED}." for fault in found.errors]
    warnings += [f"OpcodeList1: {fault}." for fault in found.warnings]
    marks: tuple[Marks, ...] = ()
    if found.constants:
        stored = _stored(tiff, ifd, samples)
        if stored is None:
            what = "OpcodeList1 marks samples by what they were before LinearizationTable"
            warnings.append(f"{what}, which cannot be read; {_NOT_REPAIRED}.")
        marks = tuple(
            Marks(constant=constant)
            if stored is None
            else Marks(constant=constant, sites=np.flatnonzero(stored == constant))
            for constant in dict.fromkeys(found.constants)
        )
    return Defects(marks=marks, others=found.sites(image_size(ifd)), warnings=tuple(warnings))


def read_zero_marks(mosaic: Mosaic, make: str) -> Defects:
    """Find the zeros with which a camera marks bad samples.

    Parameters
    ----------
    mosaic : Mosaic
        Of a raw that is no DNG.
    make : str
        The camera's maker, as the file spells it.

    Returns
    -------
    Defects
        None for other makers, for cameras whose black is 0, and where many samples are 0.
    """
    first_word = make.casefold().split()[:1]
    if not first_word or first_word[0] not in _ZERO_IS_BAD or mosaic.black_level.min() < 1:
        return Defects()
    is_zero = np.zeros(mosaic.samples.shape, np.bool_)
    active = mosaic.active_area.slices
    is_zero[active] = mosaic.samples[active] == 0
    sites = np.flatnonzero(is_zero)
    return Defects(others=sites) if len(sites) <= MOST_ZEROS * is_zero[active].size else Defects()


def read_bad_pixels(data: bytes, size: tuple[int, int]) -> BadPixelOpcodes:
    """Read what an OpcodeList1 says of bad pixels.

    Parameters
    ----------
    data : bytes
        The list; empty if there is none.
    size : (int, int)
        Height and width of the whole image.
    """
    found = BadPixelOpcodes()
    others = False
    try:
        for opcode in read_opcodes(data):
            name = _NAMES.get(opcode.id)
            if name is None:
                others = True
            elif others:
                found.errors.append(f"{name} follows operations that change what it speaks of")
            else:
                _read_opcode(opcode, name, size, found)
    except ValueError as error:
        found.errors.append(str(error))
    return found


def _stored(tiff: TiffFile, ifd: Ifd, samples: NDArray[np.uint16]) -> NDArray[np.uint16] | None:
    """Return the samples before LinearizationTable; None if we cannot decode them ourselves."""
    if not ifd.ints(Tag.LINEARIZATION_TABLE):
        return samples
    if ifd.first_int(Tag.COMPRESSION, 1) not in READABLE:
        return None
    try:
        return read_stored(tiff, ifd)
    except RawReadError:  # LibRaw can
        return None


def _read_opcode(opcode: Opcode, name: str, size: tuple[int, int], found: BadPixelOpcodes) -> None:
    """Add what one opcode says."""
    if opcode.version not in _VERSIONS:
        version = ".".join(map(str, opcode.version.to_bytes(4, "big")))
        found.errors.append(f"{name} is of version {version}, which is unknown")
    elif opcode.id == OpcodeId.FIX_BAD_PIXELS_CONSTANT:
        if len(opcode.payload) != _CONSTANT.size:
            found.errors.append(f"{name} has {len(opcode.payload)} bytes, not {_CONSTANT.size}")
            return
        constant, phase = _CONSTANT.unpack(opcode.payload)
        found.constants.append(constant)
        found.warnings += _phase_faults(name, phase)
    else:
        _read_list(opcode.payload, name, size, found)


def _read_list(payload: bytes, name: str, size: tuple[int, int], found: BadPixelOpcodes) -> None:
    """Add the points and rectangles of a FixBadPixelsList."""
    if len(payload) < _COUNTS.size:
        found.errors.append(f"{name} has {len(payload)} bytes, not even its {_COUNTS.size} first")
        return
    phase, points, rects = _COUNTS.unpack_from(payload)
    if len(payload) != _COUNTS.size + 8 * points + 16 * rects:
        found.errors.append(
            f"{name} says {points} points and {rects} rectangles in {len(payload)} bytes"
        )
        return
    numbers = np.frombuffer(payload, ">u4", offset=_COUNTS.size).astype(np.int64)
    corners = numbers[2 * points :].reshape(-1, 4)
    rows, cols = numbers[: 2 * points].reshape(-1, 2).T
    height, width = size
    inside = (rows < height) & (cols < width)
    found.points.append(join_sites((rows * width + cols)[inside].astype(np.intp)))
    found.rects.append(corners)
    found.warnings += _phase_faults(name, phase)
    if not inside.all():
        count = int((~inside).sum())
        found.warnings.append(
            f"{count} of {points} points of {name} lie outside the {width}x{height} image"
        )
    top, left, bottom, right = corners.T
    wrong = int(((top >= bottom) | (left >= right) | (bottom > height) | (right > width)).sum())
    if wrong:
        found.warnings.append(
            f"{wrong} of {rects} rectangles of {name} are empty or reach outside the "
            f"{width}x{height} image"
        )


def _sites_of(corners: NDArray[np.int64], size: tuple[int, int]) -> Sites:
    """Return the sites of (n, 4) rectangles: top, left, bottom, right; what is outside left out."""
    if not len(corners):
        return join_sites()
    height, width = size
    top, bottom = np.minimum(corners[:, 0::2], height).T
    left, right = np.minimum(corners[:, 1::2], width).T
    some = (top < bottom) & (left < right)
    edges = np.zeros((height + 1, width + 1), np.int32)  # summed up, how many lie over a sample
    for rows, cols, step in (
        (top, left, 1),
        (bottom, left, -1),
        (top, right, -1),
        (bottom, right, 1),
    ):
        np.add.at(edges, (rows[some], cols[some]), step)
    np.cumsum(edges, axis=0, out=edges)
    np.cumsum(edges, axis=1, out=edges)
    return np.flatnonzero(edges[:-1, :-1])


def _phase_faults(name: str, phase: int) -> Iterator[str]:
    """Say that a BayerPhase means nothing."""
    if phase not in _PHASES:
        yield f"{name} has BayerPhase {phase}; 0 to 3 have a meaning"
