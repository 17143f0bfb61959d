"""The levels of a DNG in finer steps: black, its deltas and white, each in its own type.

`splice` writes them, `check.tag_changes` expects them. The one thing to know: in the canonical DNG
they come from the mosaic; here the source's own numbers are multiplied, fractions as fractions.
"""

from collections.abc import Iterator, Mapping
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from fadn_cli.raw.dng.opcodes import scale_opcodes
from fadn_cli.raw.tiff.ifd import Entry, FieldType, Ifd, Number
from fadn_cli.raw.tiff.tags import Tag
from fadn_cli.raw.tiff.write import Field

LEVELS = (
    Tag.BLACK_LEVEL,
    Tag.BLACK_LEVEL_DELTA_H,
    Tag.BLACK_LEVEL_DELTA_V,
    Tag.WHITE_LEVEL,
)
"""What is stated in DN."""
_LARGEST = {FieldType.RATIONAL: (1 << 32) - 1, FieldType.SRATIONAL: (1 << 31) - 1}


def scaled_fields(
    ifd: Ifd, factor: int, constants: Mapping[int, int] | None = None
) -> Iterator[Field]:
    """Yield what an IFD states in DN, for samples that are multiplied.

    Parameters
    ----------
    ifd : Ifd
        The source's.
    factor : int
        A power of two; nothing is yielded for 1.
    constants : mapping, optional
        As `scale_opcodes` takes it.
    """
    if factor == 1:
        return
    for tag in LEVELS:
        entry = ifd.get(tag)
        if entry is not None:
            yield scaled_field(entry, factor)
    opcodes = ifd.get(Tag.OPCODE_LIST_1)
    if opcodes is not None:
        scaled = scale_opcodes(bytes(opcodes.data), factor, constants)
        if scaled is not None:
            yield Field(tag=opcodes.tag, type=FieldType(opcodes.type), values=scaled)


def scaled_field(entry: Entry, factor: int) -> Field:
    """Return an entry's values times a factor, of the type they have if that holds them."""
    kind = FieldType(entry.type)
    values = [_times(value, factor, kind) for value in entry.values]
    if kind == FieldType.BYTE or (kind == FieldType.SHORT and max(map(_size, values)) > 0xFFFF):
        kind = FieldType.LONG
    return Field(tag=entry.tag, type=kind, values=values)


def rationals(values: NDArray[np.float32]) -> list[tuple[int, int]]:
    """Return values as fractions, with a round denominator where there is one: most were round
    decimals once.
    """
    return [rational(float(value)) for value in values.ravel()]


def rational(value: float) -> tuple[int, int]:
    """Return the first fraction that is the same float32: of one to six decimals, else the nearest
    that a signed one can hold.
    """
    for denominator in (1, 10_000, 1_000_000):
        numerator = round(value * denominator)
        if np.float32(numerator / denominator) == np.float32(value):
            return numerator, denominator
    nearest = Fraction(value).limit_denominator(_LARGEST[FieldType.SRATIONAL])
    return nearest.numerator, nearest.denominator


def _times(value: Number, factor: int, kind: FieldType) -> Number:
    """Multiply a value; a fraction keeps its denominator, unless its numerator would not fit."""
    if not isinstance(value, tuple):
        return value * factor
    numerator, denominator = value
    largest = _LARGEST[kind]
    if abs(numerator * factor) <= largest or not denominator:
        return numerator * factor, denominator
    whole = Fraction(numerator * factor, denominator)
    finest = largest // max(abs(round(whole)), 1)
    nearest = whole.limit_denominator(max(1, min(finest, largest)))
    return nearest.numerator, nearest.denominator


def _size(value: Number) -> int:
    """Return how large an integer is."""
    return abs(value) if isinstance(value, int) else 0
