"""TIFF structure, read: bytes without meaning; `tags` gives them names, `tiff_write` writes them.

The reader, the metadata reader and the DNG splicer parse with it. The one thing to know: values are
decoded only when asked for, so a broken entry nobody needs hurts nobody, and whatever the bytes
are, nothing but a FadnError leaves `parse` or an `Entry`.

References
----------
TIFF 6.0, section 2; TIFF/EP (ISO 12234-2) for SubIFDs; Exif 2.32, section 4.6.3 for the EXIF, GPS
and interoperability pointers.
"""

import mmap
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Literal

from fadn_cli.errors import RawReadError, UnsupportedRawError

ByteOrder = Literal["<", ">"]
"""Little ("<", II) or big (">", MM) endian, as `struct` spells them."""
Number = int | float | tuple[int, int]
"""One value: rationals are (numerator, denominator), since 0/0 occurs in real files."""

MAX_ENTRIES = 4096
"""Entries of one IFD; real ones have fewer than 200."""
MAX_IFDS = 256
"""IFDs of one file; bounds the work a hostile file can ask for."""
MAX_DEPTH = 8
"""Nesting of IFDs; real files need 3 (IFD0, EXIF, interoperability)."""
MAX_VALUES = 1 << 20
"""Values decoded from one entry; tile offsets and linearization tables need less."""
POINTER_TAGS = frozenset({330, 34665, 34853, 40965})
"""SubIFDs, EXIF, GPS, interoperability: entries whose values are offsets of further IFDs."""
CLASSIC_MAGIC = 42
"""The number in the header of every TIFF and DNG."""
VENDOR_MAGICS = frozenset({0x55, 0x4F52, 0x5352})
"""Panasonic RW2, Olympus ORF: TIFF in all but this number. [LibRaw, identify]"""
_BIGTIFF_MAGIC = 43
ENTRY_SIZE = 12
"""Bytes of one entry: tag, type, count, value or its offset."""
_HEADER_POINTER = 4  # where the header holds the offset of IFD0
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
_POINTER_TYPES = (FieldType.LONG, FieldType.IFD)


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

    def get(self, tag: int) -> Entry | None:
        """Return the first entry with this tag."""
        return next((entry for entry in self.entries if entry.tag == tag), None)

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

    def walk(self) -> Iterator[Ifd]:
        """Yield every IFD of the file, outermost first."""
        for ifd in self.ifds:
            yield from ifd.walk()


def map_file(path: Path) -> memoryview:
    """Map a file's bytes read-only, without reading them into memory.

    Raises
    ------
    RawReadError
        The path does not exist, is a folder, is empty, or cannot be read.
    """
    try:
        with path.open("rb") as file:
            if file.seek(0, 2) == 0:
                raise RawReadError(f"{path.name}: the file is empty (0 bytes)", advice=_TRUNCATED)
            # Never closed by hand: the entries' views keep it open, and it goes with the last one.
            return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except FileNotFoundError as error:
        raise RawReadError(f"{path}: no such file", advice="Check the path.") from error
    except IsADirectoryError as error:
        raise RawReadError(f"{path}: is a folder, not a raw file", advice="Name a file.") from error
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL, an unmappable device
        reason = getattr(error, "strerror", None) or str(error)
        advice = "Check that the file is a plain file and that you may read it."
        raise RawReadError(f"{path}: cannot be read: {reason}", advice=advice) from error


def parse(data: bytes | memoryview, *, name: str, tolerant: bool = False) -> TiffFile:
    """Walk the IFD0 chain of a classic TIFF and every IFD below it.

    Parameters
    ----------
    data : bytes or memoryview
        The whole file; kept, not copied.
    name : str
        File name, for errors.
    tolerant : bool
        Leave out IFDs after the first that are cut off, loop or nest too deeply; do not raise.

    Raises
    ------
    RawReadError
        Not a TIFF, or its structure is damaged.
    UnsupportedRawError
        It is a BigTIFF.
    """
    view = memoryview(data).toreadonly()
    orders: dict[bytes, ByteOrder] = {b"II": "<", b"MM": ">"}
    byteorder = orders.get(bytes(view[:2]))
    if byteorder is None or len(view) < 8:
        raise RawReadError(f"{name}: not a TIFF-based raw file", advice="Is it a raw file at all?")
    magic, first = struct.unpack_from(byteorder + "HI", view, 2)
    if magic == _BIGTIFF_MAGIC:
        raise UnsupportedRawError(
            f"{name}: is a BigTIFF; only classic TIFF (under 4 GiB) is supported",
            advice="Export it as an ordinary DNG.",
        )
    if magic != CLASSIC_MAGIC and magic not in VENDOR_MAGICS:
        raise RawReadError(
            f"{name}: not a TIFF-based raw file (magic number {magic})",
            advice="Is it a raw file at all?",
        )
    walker = _Walker(view, name, byteorder, tolerant)
    return TiffFile(
        data=view, name=name, byteorder=byteorder, magic=magic, ifds=walker.chain(first)
    )


class _Walker:
    """Visits every IFD once, within the limits."""

    def __init__(self, view: memoryview, name: str, byteorder: ByteOrder, tolerant: bool) -> None:
        self._view = view
        self._name = name
        self._byteorder = byteorder
        self._tolerant = tolerant
        self._seen: set[int] = set()

    def chain(self, offset: int) -> tuple[Ifd, ...]:
        """Read IFD0 and those its next pointers lead to."""
        ifds: list[Ifd] = []
        pointer = _HEADER_POINTER
        while offset or not ifds:
            try:
                ifd = self._ifd(offset, pointer, 0, 0)
            except RawReadError:
                if self._tolerant and ifds:
                    break
                raise
            ifds.append(ifd)
            offset, pointer = ifd.next_offset, ifd.offset + 2 + len(ifd.entries) * ENTRY_SIZE
        return tuple(ifds)

    def _ifd(self, offset: int, pointer_offset: int, pointer_tag: int, depth: int) -> Ifd:
        """Read one IFD and those below it."""
        if offset in self._seen:
            raise self._damaged(f"the IFDs form a loop at byte {offset}")
        if len(self._seen) >= MAX_IFDS or depth >= MAX_DEPTH:
            raise self._damaged(f"more than {MAX_IFDS} IFDs, or nested over {MAX_DEPTH} deep")
        if not 8 <= offset <= len(self._view) - 2:
            raise self._damaged(f"an IFD should be at byte {offset}, beyond the file's end")
        self._seen.add(offset)
        (count,) = struct.unpack_from(self._byteorder + "H", self._view, offset)
        end = offset + 2 + count * ENTRY_SIZE
        if count > MAX_ENTRIES or end > len(self._view):
            raise self._damaged(f"the IFD at byte {offset} claims {count} entries")
        entries = tuple(self._entry(at) for at in range(offset + 2, end, ENTRY_SIZE))
        # A last IFD cut before its next pointer has been seen in the wild; it ends the chain.
        has_next = end + 4 <= len(self._view)
        return Ifd(
            offset=offset,
            pointer_offset=pointer_offset,
            pointer_tag=pointer_tag,
            byteorder=self._byteorder,
            entries=entries,
            next_offset=self._long(end) if has_next else 0,
            children=tuple(
                child
                for entry in entries
                if entry.tag in POINTER_TAGS
                for child in self._children(entry, depth + 1)
            ),
        )

    def _children(self, entry: Entry, depth: int) -> Iterator[Ifd]:
        """Read the IFDs an entry points to."""
        try:
            if entry.type not in _POINTER_TYPES or not 1 <= entry.count <= MAX_IFDS:
                raise self._damaged(f"tag {entry.tag} is no list of IFD offsets")
            offsets = entry.ints
        except RawReadError:
            if self._tolerant:
                return
            raise
        for index, offset in enumerate(offsets):
            try:
                child = self._ifd(offset, entry.value_offset + 4 * index, entry.tag, depth)
            except RawReadError:
                if not self._tolerant:
                    raise
                continue
            yield child

    def _entry(self, at: int) -> Entry:
        """Read the entry at a file offset."""
        tag, kind, count = struct.unpack_from(self._byteorder + "HHI", self._view, at)
        return Entry(
            tag=tag,
            type=kind,
            count=count,
            location=at,
            byteorder=self._byteorder,
            source=self._view,
            name=self._name,
        )

    def _long(self, at: int) -> int:
        """Read a 32-bit offset."""
        return int(struct.unpack_from(self._byteorder + "I", self._view, at)[0])

    def _damaged(self, what: str) -> RawReadError:
        """Make the error for a damaged structure."""
        return RawReadError(f"{self._name}: damaged TIFF structure: {what}", advice=_TRUNCATED)


def _to_float(value: Number) -> float:
    """Convert a value, n/0 to nan."""
    if isinstance(value, tuple):
        return value[0] / value[1] if value[1] else float("nan")
    return float(value)
