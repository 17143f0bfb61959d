"""What a TIFF consists of: entries, directories, and the file that holds them. Bytes, no meaning.

`file` makes them, everything in `raw` reads them. The one thing to know: values are decoded only
when asked for, so a broken entry nobody needs hurts nobody, and nothing but a RawReadError leaves
an `Entry`, whatever its bytes are.

References
----------
TIFF 6.0, section 2; Exif 2.32, section 4.6.2.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Literal

from fadn_cli.errors import RawReadError

ByteOrder = Literal["<", ">"]
"""Little ("<", II) or big (">", MM) endian, as `struct` spells them."""
Number = int | float | tuple[int, int]
"""One value: rationals are (numerator, denominator), since 0/0 occurs in real files."""
Span = tuple[int, int]
"""File offsets: first byte, first byte after."""

MAX_VALUES = 1 << 20
"""Values decoded from one entry; tile offsets and linearization tables need less."""
ENTRY_SIZE = 12
"""Bytes of one entry: tag, type, count, value or its offset."""
_TRUNCATED = "The file looks truncated or damaged; copy it again from the card."


class FieldType(IntEnum):
    """The value types of TIFF 6.0, with IFD (TIFF supplement 1) and UTF8 (Exif 3.0)."""

    BYTE = 1
    ASCII = 2
    SHORT = 3
    LONG = 4
    RATIONAL = 5
    SBYTE = 6
    UNDEFINED = 7
    SSHORT = 8
    SLONG = 9
    SRATIONAL = 10
    FLOAT = 11
    DOUBLE = 12
    IFD = 13
    UTF8 = 129


LETTERS = dict(
    enumerate(("B", "B", "H", "I", "II", "b", "B", "h", "i", "ii", "f", "d", "I"), 1)
) | {FieldType.UTF8.value: "B"}
"""How `struct` spells the numbers of one value of each FieldType."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Entry:
    """One 12-byte entry of an IFD, and access to its values."""

    tag: int
    """The number that names it."""
    type: int
    """Its FieldType; may be a number TIFF does not know."""
    count: int
    """Number of values, as stated."""
    location: int
    """File offset of the 12 bytes."""
    byteorder: ByteOrder
    """Of the file."""
    source: memoryview = field(repr=False)
    """The whole file."""
    name: str = field(repr=False)
    """File name, for errors."""

    @property
    def encoded(self) -> bytes:
        """The 12 bytes of the entry itself."""
        return bytes(self.source[self.location : self.location + ENTRY_SIZE])

    @property
    def size(self) -> int:
        """Bytes the values take; raises RawReadError for a type that TIFF does not know."""
        letters = LETTERS.get(self.type)
        if letters is None:
            raise RawReadError(
                f"{self.name}: tag {self.tag} has the unknown type {self.type}", advice=_TRUNCATED
            )
        return struct.calcsize("<" + letters) * self.count

    @property
    def value_offset(self) -> int:
        """File offset of the first value: inside the entry if the values fit in 4 bytes."""
        if self.size <= 4:
            return self.location + 8
        return int(struct.unpack_from(self.byteorder + "I", self.source, self.location + 8)[0])

    @property
    def data(self) -> memoryview:
        """The values' bytes in the file's byte order; raises RawReadError if past the end."""
        start, stop = self.value_offset, self.value_offset + self.size
        if stop > len(self.source):
            raise RawReadError(
                f"{self.name}: the value of tag {self.tag} ends at byte {stop}, "
                f"the file at {len(self.source)}",
                advice=_TRUNCATED,
            )
        return self.source[start:stop]

    @property
    def values(self) -> tuple[Number, ...]:
        """The values: ints, floats, or (numerator, denominator); raises RawReadError."""
        if self.count > MAX_VALUES:
            raise RawReadError(
                f"{self.name}: tag {self.tag} claims {self.count} values, more than {MAX_VALUES}",
                advice=_TRUNCATED,
            )
        data = self.data
        letters = LETTERS[self.type]
        flat = struct.unpack(f"{self.byteorder}{self.count * len(letters)}{letters[0]}", data)
        return tuple(zip(flat[::2], flat[1::2], strict=True)) if len(letters) == 2 else flat

    @property
    def ints(self) -> tuple[int, ...]:
        """The values as integers (rationals and floats are refused); raises RawReadError."""
        values = tuple(value for value in self.values if isinstance(value, int))
        if len(values) != self.count:
            raise RawReadError(
                f"{self.name}: tag {self.tag} has type {self.type}, an integer was expected",
                advice=_TRUNCATED,
            )
        return values

    @property
    def floats(self) -> tuple[float, ...]:
        """The values as floats; n/0 is nan, since 0/0 says "unknown". Raises RawReadError."""
        return tuple(_to_float(value) for value in self.values)

    @property
    def text(self) -> str:
        """The value as text up to the first NUL, undecodable bytes replaced, blanks stripped."""
        return bytes(self.data).split(b"\0")[0].decode("utf-8", "replace").strip()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ifd:
    """One image file directory and those below it."""

    offset: int
    """File offset of its entry count."""
    pointer_offset: int
    """File offset of the 4 bytes that point to it: header, previous IFD, or an entry's value."""
    pointer_tag: int
    """The tag of that entry; 0 for IFD0 and its chain."""
    byteorder: ByteOrder
    """Of the file."""
    entries: tuple[Entry, ...]
    """In file order, which should be, but need not be, sorted by tag."""
    next_offset: int
    """Offset of the next IFD of the chain; 0 ends it."""
    children: tuple["Ifd", ...]
    """The IFDs its pointer entries lead to; chains of SubIFDs are not followed, as in DNG."""

    @property
    def next_pointer(self) -> int:
        """File offset of the 4 bytes that hold `next_offset`."""
        return self.offset + 2 + len(self.entries) * ENTRY_SIZE

    def get(self, tag: int) -> Entry | None:
        """Return the first entry with this tag."""
        return next((entry for entry in self.entries if entry.tag == tag), None)

    def ints(self, tag: int) -> tuple[int, ...]:
        """Return the integers of an entry, () if it is absent; raises RawReadError."""
        entry = self.get(tag)
        return () if entry is None else entry.ints

    def first_int(self, tag: int, default: int) -> int:
        """Return the first integer of an entry, or the default; raises RawReadError."""
        values = self.ints(tag)
        return values[0] if values else default

    def sub_ifds(self, tag: int) -> tuple["Ifd", ...]:
        """Return the IFDs that the entry with this tag points to."""
        return tuple(child for child in self.children if child.pointer_tag == tag)

    def walk(self) -> Iterator["Ifd"]:
        """Yield this IFD and all below it, outermost first."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TiffFile:
    """A parsed file: its bytes and its tree of IFDs."""

    data: memoryview
    """The whole file."""
    name: str
    """File name, for errors."""
    byteorder: ByteOrder
    """From the header."""
    magic: int
    """42, or one of VENDOR_MAGICS."""
    ifds: tuple[Ifd, ...]
    """IFD0 and its chain; at least one."""
    lost: tuple[tuple[int, RawReadError], ...] = ()
    """Pointers that led to no IFD: their tags, 0 for the chain, and why; of tolerant parsing."""

    def walk(self) -> Iterator[Ifd]:
        """Yield every IFD of the file, outermost first."""
        for ifd in self.ifds:
            yield from ifd.walk()


def _to_float(value: Number) -> float:
    """Convert a value, n/0 to nan."""
    if isinstance(value, tuple):
        return value[0] / value[1] if value[1] else float("nan")
    return float(value)
