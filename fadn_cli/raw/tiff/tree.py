"""The IFDs of a TIFF by name, and what each byte of the file is part of.

The checks, the comparisons and the splicer go by it. The one thing to know: the tree comes from
`tiff.parse(..., tolerant=True)`, so IFDs that cannot be read are not in it, and neither is any part
that would lie outside the file.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from fadn_cli.errors import RawReadError
from fadn_cli.raw.tiff.ifd import Entry, FieldType, Ifd, Span, TiffFile
from fadn_cli.raw.tiff.tags import DATA_OFFSETS, Compression, Tag, tag_name

HEADER_SIZE = 8
"""Bytes of a TIFF header."""
PADDING = 16
"""Fewer bytes than that between strips or tiles, or after the last, belong to nothing."""
MAX_PIECES = 1 << 18
"""Strips and tiles of one file; a gigapixel in tiles of 64 x 64 samples."""
_PREVIEW_TYPES = (1, 0x10001)  # NewSubfileType: the primary preview, an alternate one
_KINDS = {
    Tag.SUB_IFDS: "SubIFD",
    Tag.EXIF_IFD: "EXIF",
    Tag.GPS_IFD: "GPS",
    Tag.INTEROPERABILITY_IFD: "Interop",
}
_EMBEDDING = frozenset({Tag.MAKER_NOTE, Tag.DNG_PRIVATE_DATA, Tag.ORIGINAL_RAW_FILE_DATA})
_OPAQUE = frozenset({Tag.MAKER_NOTE, Tag.DNG_PRIVATE_DATA})
_KNOWN = frozenset(map(int, Tag))
_MAY_BE_OFFSETS = (FieldType.BYTE, FieldType.UNDEFINED, FieldType.LONG, FieldType.IFD)
_COPY_AGAIN = "The file looks truncated or damaged; copy it again from the card."
_UNLIMITED = (1 << 32) - 1  # RowsPerStrip's default
_PLANAR = 2  # PlanarConfiguration: every plane has its own pieces


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A stretch of a file that something points to."""

    start: int
    """File offset of its first byte."""
    stop: int
    """File offset of the first byte after it."""
    kind: str
    """"header", "ifd", "value" or "data" (of an image)."""
    ifd: str = ""
    """Name of the IFD it belongs to."""
    tag: int = 0
    """The tag that points to it; 0 for header and IFDs."""
    embeds: bool = False
    """Whether it may hold what other tags point to, as a maker note does."""
    opaque: bool = False
    """Whether only its maker knows what it holds: it may be offsets."""

    @property
    def label(self) -> str:
        """What it is, for people."""
        names = {"header": "the header", "ifd": self.ifd}
        return names.get(self.kind, f"{tag_name(self.tag)} of {self.ifd}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How an image is cut into strips or tiles."""

    tiled: bool
    """Whether into tiles."""
    rows: int
    """Rows of each piece; the last strip may be shorter."""
    cols: int
    """Columns of each piece."""
    count: int
    """Pieces that the image takes."""
    size: int
    """Bytes that a piece takes uncompressed."""
    last_size: int
    """Bytes that the last piece takes uncompressed."""

    def size_of(self, index: int) -> int:
        """Return the bytes that one piece takes uncompressed."""
        return self.last_size if index == self.count - 1 else self.size


def name_ifds(tiff: TiffFile) -> dict[str, Ifd]:
    """Return every IFD by name, outermost first: "IFD0", "IFD0/SubIFD1", "IFD0/EXIF", "IFD1"."""
    found: dict[str, Ifd] = {}
    for index, ifd in enumerate(tiff.ifds):
        _name(f"IFD{index}", ifd, found)
    return found


def is_image_ifd(ifd: Ifd) -> bool:
    """Tell an IFD of the TIFF kind from the EXIF, GPS and interoperability IFDs."""
    return ifd.pointer_tag in (0, Tag.SUB_IFDS)


def is_preview(ifd: Ifd) -> bool:
    """Tell whether an IFD holds a picture of the photograph: no samples, no mask, no depth map."""
    if not is_image_ifd(ifd):
        return False
    if ifd.get(Tag.NEW_SUBFILE_TYPE) is None:  # the thumbnail that EXIF puts into IFD1
        alone = ifd.pointer_tag == 0 and ifd.get(Tag.CFA_PATTERN) is None
        return alone and ifd.get(Tag.JPEG_INTERCHANGE_FORMAT) is not None
    return integer(ifd, Tag.NEW_SUBFILE_TYPE, 0) in _PREVIEW_TYPES


def previews_below(tiff: TiffFile) -> tuple[Ifd, ...]:
    """Return the previews that a DNG can do without: SubIFDs of IFD0, and the chain behind it.

    The chain counts if it holds nothing but previews; IFD0 has to be there, preview or not.
    """
    chain = tiff.ifds[1:] if all(is_preview(ifd) for ifd in tiff.ifds[1:]) else ()
    subs = tiff.ifds[0].sub_ifds(Tag.SUB_IFDS)
    return (*(ifd for ifd in subs if is_preview(ifd)), *chain)


def integers(ifd: Ifd, tag: int) -> tuple[int, ...]:
    """Return the integers of an entry; () if it is absent or cannot be read."""
    try:
        return ifd.ints(tag)
    except RawReadError:
        return ()


def integer(ifd: Ifd, tag: int, default: int) -> int:
    """Return the first integer of an entry, or the default."""
    values = integers(ifd, tag)
    return values[0] if values else default


def numbers(ifd: Ifd, tag: int) -> tuple[float, ...]:
    """Return the numbers of an entry; () if it is absent or cannot be read."""
    entry = ifd.get(tag)
    try:
        return () if entry is None else entry.floats
    except RawReadError:
        return ()


def layout_of(ifd: Ifd) -> Layout | None:
    """Return how an IFD's image is cut; None if it has no size or no pieces."""
    width, height = integer(ifd, Tag.IMAGE_WIDTH, 0), integer(ifd, Tag.IMAGE_LENGTH, 0)
    tiled = ifd.get(Tag.TILE_OFFSETS) is not None
    if tiled:
        rows, cols = integer(ifd, Tag.TILE_LENGTH, 0), integer(ifd, Tag.TILE_WIDTH, 0)
    elif ifd.get(Tag.STRIP_OFFSETS) is not None:
        rows, cols = min(integer(ifd, Tag.ROWS_PER_STRIP, _UNLIMITED), height), width
    else:
        return None
    if min(width, height, rows, cols) < 1:
        return None
    down, across = -(-height // rows), -(-width // cols)
    samples = integer(ifd, Tag.SAMPLES_PER_PIXEL, 1)
    planes = samples if integer(ifd, Tag.PLANAR_CONFIGURATION, 1) == _PLANAR else 1
    row_bits = cols * (samples // max(planes, 1)) * integer(ifd, Tag.BITS_PER_SAMPLE, 1)
    row_bytes = -(-row_bits // 8)
    last = rows if tiled else height - (down - 1) * rows
    return Layout(
        tiled=tiled,
        rows=rows,
        cols=cols,
        count=down * across * planes,
        size=rows * row_bytes,
        last_size=last * row_bytes,
    )


def data_spans(ifd: Ifd) -> Iterator[tuple[Tag, int, int]]:
    """Yield (offsets tag, start, stop) of each piece of an IFD's image data.

    Byte counts of uncompressed images are often too large in real files, and readers go by the
    size of the image, so the smaller of the two counts.
    """
    layout = layout_of(ifd)
    plain = integer(ifd, Tag.COMPRESSION, 1) == Compression.NONE
    for offsets_tag, sizes_tag in DATA_OFFSETS.items():
        entry = ifd.get(offsets_tag)
        if entry is None or entry.count > MAX_PIECES:
            continue
        limited = plain and offsets_tag != Tag.JPEG_INTERCHANGE_FORMAT
        pairs = zip(integers(ifd, offsets_tag), integers(ifd, sizes_tag), strict=False)
        for index, (offset, size) in enumerate(pairs):
            least = layout.size_of(index) if layout and limited else size
            yield offsets_tag, offset, offset + min(size, least)


def joined(spans: Iterable[Span]) -> list[Span]:
    """Join spans with nothing but padding between them, in order."""
    found: list[Span] = []
    for start, stop in sorted(spans):
        if found and start < found[-1][1] + PADDING:
            found[-1] = (found[-1][0], max(stop, found[-1][1]))
        else:
            found.append((start, stop))
    return found


def parts_of(tiff: TiffFile) -> list[Part]:
    """Return every part of a file that something points to and that lies inside it.

    Raises
    ------
    RawReadError
        There are more than MAX_PIECES strips and tiles.
    """
    parts = [Part(start=0, stop=HEADER_SIZE, kind="header")]
    pieces = 0
    for name, ifd in name_ifds(tiff).items():
        stop = ifd.next_pointer + 4
        parts.append(Part(start=ifd.offset, stop=stop, kind="ifd", ifd=name))
        parts += _values(name, ifd)
        if not is_image_ifd(ifd):
            continue
        entries = (ifd.get(tag) for tag in DATA_OFFSETS)
        pieces += sum(entry.count for entry in entries if entry)
        if pieces > MAX_PIECES:
            raise RawReadError(
                f"{tiff.name}: claims more than {MAX_PIECES} strips or tiles", advice=_COPY_AGAIN
            )
        parts += [
            Part(start=start, stop=stop, kind="data", ifd=name, tag=tag)
            for tag, start, stop in data_spans(ifd)
        ]
    return [part for part in parts if part.start < part.stop <= len(tiff.data)]


def _values(name: str, ifd: Ifd) -> Iterator[Part]:
    """Yield the values of an IFD that lie outside its entries."""
    for entry in ifd.entries:
        try:
            start, size = entry.value_offset, entry.size
        except RawReadError:  # a type we cannot know the size of
            continue
        if size > 4:
            embeds = entry.tag in _EMBEDDING
            yield Part(
                start=start,
                stop=start + size,
                kind="value",
                ifd=name,
                tag=entry.tag,
                embeds=embeds,
                opaque=entry.tag in _OPAQUE or is_unknown(ifd, entry),
            )


def is_unknown(ifd: Ifd, entry: Entry) -> bool:
    """Tell whether a tag is none we know, and may hold offsets; EXIF and GPS have none such."""
    return is_image_ifd(ifd) and entry.tag not in _KNOWN and entry.type in _MAY_BE_OFFSETS


def _name(name: str, ifd: Ifd, found: dict[str, Ifd]) -> None:
    """Name an IFD and those below it."""
    found[name] = ifd
    for tag, kind in _KINDS.items():
        for index, child in enumerate(ifd.sub_ifds(tag)):
            number = str(index) if tag == Tag.SUB_IFDS or index else ""
            _name(f"{name}/{kind}{number}", child, found)
