"""TIFF structure, written: build a file from nothing, or splice into an existing one.

The DNG writer calls it. The one thing to know: to splice, call `replace_ifd` for each changed IFD,
innermost first. Copied entries keep their 12 bytes and their out-of-line values stay where they
were, so every other byte of the file is the source's.

References
----------
TIFF 6.0, section 2.
"""

import struct
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from fadn_cli.raw.tiff.file import CLASSIC_MAGIC
from fadn_cli.raw.tiff.ifd import ENTRY_SIZE, LETTERS, ByteOrder, Entry, FieldType, Ifd, Number

Buffer = bytes | bytearray | memoryview


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A tag with values still to be encoded; what an Entry becomes when it is written."""

    tag: int
    """The number that names it."""
    type: FieldType
    """How the values are stored."""
    values: Sequence[Number] | bytes | str
    """Numbers, rationals as pairs; bytes as they are; text (a NUL is added)."""

    def encode(self, byteorder: ByteOrder) -> tuple[int, bytes]:
        """Return the count and the values' bytes.

        Raises
        ------
        ValueError
            A value does not fit the type, or there is none.
        """
        values = self.values
        if isinstance(values, str):
            values = values.encode() + b"\0"
        letters = LETTERS[self.type]
        if isinstance(values, bytes):
            count, rest = divmod(len(values), struct.calcsize("<" + letters))
            encoded = values
        else:
            flat = [part for value in values for part in _parts(value)]
            count, rest = divmod(len(flat), len(letters))
            try:
                encoded = struct.pack(f"{byteorder}{len(flat)}{letters[0]}", *flat)
            except struct.error as error:
                raise ValueError(f"tag {self.tag}: {error}") from error
        if rest or not count:
            raise ValueError(f"tag {self.tag}: {len(values)} values do not fill {self.type.name}")
        return count, encoded


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedField:
    """A tag whose values already lie somewhere in the file: a maker note that must not move."""

    tag: int
    """The number that names it."""
    type: FieldType
    """How the values are stored."""
    count: int
    """Number of values; they take more than 4 bytes."""
    offset: int
    """File offset of the first."""

    def encode_entry(self, byteorder: ByteOrder) -> bytes:
        """Return the 12 bytes of the entry."""
        return struct.pack(byteorder + "HHII", self.tag, self.type, self.count, self.offset)


def build_header(byteorder: ByteOrder, *, ifd0_offset: int = 8) -> bytes:
    """Return the 8 bytes a classic TIFF begins with."""
    mark = b"II" if byteorder == "<" else b"MM"
    return mark + struct.pack(byteorder + "HI", CLASSIC_MAGIC, ifd0_offset)


def build_ifd(
    fields: Sequence[Field | PlacedField],
    *,
    byteorder: ByteOrder,
    at_offset: int,
    next_offset: int = 0,
) -> bytes:
    """Encode an IFD, its entries sorted, followed by its out-of-line values.

    Parameters
    ----------
    fields : sequence of Field or PlacedField
        Any order.
    byteorder : {"<", ">"}
        Of the file.
    at_offset : int
        File offset where the bytes will lie; even.
    next_offset : int
        Offset of the next IFD; 0 ends the chain.

    Returns
    -------
    bytes
        Of even length; all values word-aligned.

    Raises
    ------
    ValueError
        A tag occurs twice, a value does not fit its type, `at_offset` is odd, or the values would
        lie beyond 4 GiB.
    """
    encoded = {
        item.tag: item if isinstance(item, Field) else item.encode_entry(byteorder)
        for item in fields
    }
    if len(encoded) != len(fields):
        raise ValueError("a tag occurs twice in one IFD")
    return _assemble(encoded, byteorder, at_offset, next_offset)


def rebuild_ifd(
    ifd: Ifd,
    *,
    at_offset: int,
    replace: Mapping[int, Field] | None = None,
    drop: Collection[int] = (),
    source: Buffer | None = None,
) -> bytes:
    """Encode a copy of an IFD for another place in the same file.

    Entries that are neither replaced nor dropped keep their 12 bytes; their out-of-line values stay
    where they are. Fields whose tag the IFD lacks are added. The next pointer is kept.

    Parameters
    ----------
    ifd : Ifd
        As parsed from the source file.
    at_offset : int
        File offset where the bytes will lie; even.
    replace : mapping of tag to Field
        New values.
    drop : collection of tags
        Left out.
    source : bytes-like, optional
        Where the 12 bytes are copied from, if pointers have been patched since `ifd` was parsed.

    Returns
    -------
    bytes
        Of even length. `build_ifd` states the errors.
    """
    parts: dict[int, Field | bytes] = {}
    for entry in ifd.entries:
        if entry.tag not in drop:
            view = memoryview(entry.source if source is None else source)
            parts.setdefault(entry.tag, bytes(view[entry.location : entry.location + ENTRY_SIZE]))
    for tag, item in (replace or {}).items():
        if tag != item.tag:
            raise ValueError(f"tag {item.tag} given to replace tag {tag}")
        parts[tag] = item
    return _assemble(parts, ifd.byteorder, at_offset, ifd.next_offset)


def replace_ifd(
    buffer: bytearray,
    ifd: Ifd,
    *,
    replace: Mapping[int, Field] | None = None,
    drop: Collection[int] = (),
) -> int:
    """Append a rebuilt copy of an IFD to a file and point to it; the old one stays, unused.

    Replace children before their parent: the parent's copy then takes over the patched pointer.

    Parameters
    ----------
    buffer : bytearray
        The file as it grows; `ifd` was parsed from its beginning.
    ifd : Ifd
        The one to replace.
    replace, drop
        As for `rebuild_ifd`.

    Returns
    -------
    int
        File offset of the new IFD.
    """
    at_offset = append(buffer, b"")
    append(
        buffer,
        rebuild_ifd(ifd, at_offset=at_offset, replace=replace, drop=drop, source=buffer),
    )
    patch_pointer(buffer, ifd.pointer_offset, at_offset, byteorder=ifd.byteorder)
    return at_offset


def append(buffer: bytearray, payload: bytes) -> int:
    """Append bytes at the next even offset and return that offset."""
    buffer.extend(bytes(len(buffer) % 2))
    offset = len(buffer)
    buffer.extend(payload)
    return offset


def patch_pointer(
    buffer: bytearray | memoryview, pointer_offset: int, target: int, *, byteorder: ByteOrder
) -> None:
    """Overwrite the 4 bytes of an offset in place."""
    struct.pack_into(byteorder + "I", buffer, pointer_offset, target)


def patch_entry(buffer: bytearray | memoryview, entry: Entry, item: Field) -> None:
    """Overwrite the values of an entry in place.

    Raises
    ------
    ValueError
        The new values have another tag, type or count than the old ones.
    """
    count, encoded = item.encode(entry.byteorder)
    if (item.tag, item.type, count) != (entry.tag, entry.type, entry.count):
        raise ValueError(f"tag {entry.tag} can only be patched by the same type and count")
    buffer[entry.value_offset : entry.value_offset + entry.size] = encoded


def _assemble(
    parts: Mapping[int, Field | bytes], byteorder: ByteOrder, at_offset: int, next_offset: int
) -> bytes:
    """Lay out entries sorted by tag, the next pointer, then the values that need room."""
    if at_offset % 2:
        raise ValueError(f"an IFD must lie at an even offset, not {at_offset}")
    head = bytearray(struct.pack(byteorder + "H", len(parts)))
    room = bytearray()
    room_offset = at_offset + 2 + len(parts) * ENTRY_SIZE + 4
    for tag in sorted(parts):
        part = parts[tag]
        if isinstance(part, bytes):
            head += part
            continue
        count, encoded = part.encode(byteorder)
        head += struct.pack(byteorder + "HHI", tag, part.type, count)
        if len(encoded) <= 4:
            head += encoded.ljust(4, b"\0")
        else:
            head += struct.pack(byteorder + "I", _under_4_gib(room_offset + append(room, encoded)))
    head += struct.pack(byteorder + "I", next_offset)
    append(room, b"")
    return bytes(head + room)


def _under_4_gib(offset: int) -> int:
    """Check that an offset can be written."""
    if offset >= 1 << 32:
        raise ValueError(f"offset {offset} does not fit a TIFF of at most 4 GiB")
    return offset


def _parts(value: Number) -> tuple[int | float, ...]:
    """Flatten a rational."""
    return value if isinstance(value, tuple) else (value,)
