"""TIFF structure, read: the tree of IFDs of a file. `tags` gives it meaning.

The reader, the metadata reader and the DNG splicer parse with it. The one thing to know: whatever
the bytes are, nothing but a FadnError leaves `parse`, in bounded time and memory.

References
----------
TIFF 6.0, section 2; TIFF/EP (ISO 12234-2) for SubIFDs; Exif 2.32, section 4.6.3 for the EXIF, GPS
and interoperability pointers.
"""

import mmap
import os
import struct
from collections.abc import Iterator
from pathlib import Path

from fadn_cli.errors import RawReadError, UnsupportedRawError
from fadn_cli.raw.tiff.ifd import (
    ENTRY_SIZE,
    LETTERS,
    ByteOrder,
    Entry,
    FieldType,
    Ifd,
    Number,
    TiffFile,
)
from fadn_cli.system.opening import open_plain, unreadable
from fadn_cli.system.snapshot import held_bytes

__all__ = [
    "ENTRY_SIZE",
    "ByteOrder",
    "Entry",
    "FieldType",
    "Ifd",
    "Number",
    "TiffFile",
    "map_file",
    "parse",
]

MAX_ENTRIES = 4096
"""Entries of one IFD; real ones have fewer than 200."""
MAX_ENTRIES_IN_ALL = 32768
"""Entries of one file; real ones have fewer than 2000. IFDs that overlap could claim a million."""
MAX_IFDS = 256
"""IFDs of one file; bounds the work a hostile file can ask for."""
MAX_DEPTH = 8
"""Nesting of IFDs; real files need 3 (IFD0, EXIF, interoperability)."""
POINTER_TAGS = frozenset({330, 34665, 34853, 40965})
"""SubIFDs, EXIF, GPS, interoperability: entries whose values are offsets of further IFDs."""
CLASSIC_MAGIC = 42
"""The number in the header of every TIFF and DNG."""
VENDOR_MAGICS = frozenset({0x55, 0x4F52, 0x5352})
"""Panasonic RW2, Olympus ORF: TIFF in all but this number. [LibRaw, identify]"""
_BIGTIFF_MAGIC = 43
_HEADER_POINTER = 4  # where the header holds the offset of IFD0
_CHAIN = 0  # stands for the tag of a pointer that is no entry
_POINTER_TYPES = (FieldType.LONG, FieldType.IFD)
_TRUNCATED = "The file looks truncated or damaged; copy it again from the card."


def map_file(path: Path) -> memoryview:
    """Map a file's bytes read-only: those that a snapshot holds, or without reading them.

    Raises
    ------
    RawReadError
        The path does not exist, is a folder, is empty, or cannot be read.
    """
    held = held_bytes(path)
    if held is not None:
        return memoryview(held)
    try:
        with os.fdopen(open_plain(path), "rb") as file:
            if file.seek(0, 2) == 0:
                raise RawReadError(f"{path.name}: the file is empty (0 bytes)", advice=_TRUNCATED)
            # Never closed by hand: the entries' views keep it open, and it goes with the last one.
            return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL, an unmappable device
        raise unreadable(path, error) from error


def parse(data: bytes | memoryview, *, name: str, tolerant: bool = False) -> TiffFile:
    """Walk the IFD0 chain of a classic TIFF and every IFD below it.

    Parameters
    ----------
    data : bytes or memoryview
        The whole file; kept, not copied.
    name : str
        File name, for errors.
    tolerant : bool
        Leave out IFDs after the first that are cut off, loop, nest too deeply or are none; say so
        in `lost` instead of raising.

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
    ifds = walker.chain(first)
    return TiffFile(
        data=view,
        name=name,
        byteorder=byteorder,
        magic=magic,
        ifds=ifds,
        lost=tuple(walker.lost),
    )


class _Walker:
    """Visits every IFD once, within the limits."""

    def __init__(self, view: memoryview, name: str, byteorder: ByteOrder, tolerant: bool) -> None:
        self._view = view
        self._name = name
        self._byteorder = byteorder
        self._tolerant = tolerant
        self.lost: list[tuple[int, RawReadError]] = []
        self._seen: set[int] = set()
        self._entries_left = MAX_ENTRIES_IN_ALL

    def chain(self, offset: int) -> tuple[Ifd, ...]:
        """Read IFD0 and those its next pointers lead to."""
        ifds: list[Ifd] = []
        pointer = _HEADER_POINTER
        while offset or not ifds:
            try:
                ifd = self._ifd(offset, pointer, 0, 0)
                if self._tolerant and ifds:
                    self._refuse_noise(ifd)
            except RawReadError as error:
                if self._tolerant and ifds:
                    self.lost.append((_CHAIN, error))
                    break
                raise
            ifds.append(ifd)
            offset, pointer = ifd.next_offset, ifd.next_pointer
        return tuple(ifds)

    def _refuse_noise(self, ifd: Ifd) -> None:
        """Raise RawReadError for bytes that are no IFD: most of the types are none."""
        unknown = sum(entry.type not in LETTERS for entry in ifd.entries)
        if not ifd.entries or 2 * unknown > len(ifd.entries):
            raise self._damaged(f"what should be an IFD at byte {ifd.offset} is none")

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
        if count > min(MAX_ENTRIES, self._entries_left) or end > len(self._view):
            raise self._damaged(f"the IFD at byte {offset} claims {count} entries")
        self._entries_left -= count
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
        except RawReadError as error:
            if self._tolerant:
                self.lost.append((entry.tag, error))
                return
            raise
        for index, offset in enumerate(offsets):
            try:
                child = self._ifd(offset, entry.value_offset + 4 * index, entry.tag, depth)
            except RawReadError as error:
                if not self._tolerant:
                    raise
                self.lost.append((entry.tag, error))
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
