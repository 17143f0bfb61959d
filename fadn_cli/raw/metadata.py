"""EXIF, GPS, XMP and previews from any container LibRaw reads: TIFF-like, CR3, RAF, MRW.

The reader takes camera, ISO and orientation from it; the writers take what a new file should carry.
The one thing to know: nothing here is needed to denoise, so whatever is missing or damaged is left
out (None or an empty tuple) instead of raising.

References
----------
TIFF 6.0; Exif 2.32; ISO 14496-12 (boxes); for CR3 and RAF the layouts documented by LibRaw and
ExifTool (Canon's uuid box with CMT1-CMT4; a JPEG at the offset in byte 84 of a RAF).
"""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from fadn_cli.errors import FadnError
from fadn_cli.raw.tags import DATA_OFFSETS, Compression, Tag
from fadn_cli.raw.tiff import POINTER_TAGS, Entry, FieldType, Ifd, TiffFile, map_file, parse
from fadn_cli.raw.tiff_write import Field

SHARED_TAGS = (Tag.IMAGE_DESCRIPTION, Tag.SOFTWARE, Tag.DATE_TIME, Tag.ARTIST, Tag.COPYRIGHT)
"""Tags of IFD0 that describe the photograph rather than the pixels next to them."""
_EXPOSURE_TAGS = (Tag.ISO_SPEED_RATINGS, Tag.EXPOSURE_TIME, Tag.F_NUMBER, Tag.FOCAL_LENGTH)
"""Tags that TIFF/EP allows in IFD0, and minimal DNGs have there."""

_BYTE_TYPES = (FieldType.BYTE, FieldType.ASCII, FieldType.UNDEFINED, FieldType.UTF8)
_PANASONIC_JPEG = 46  # RW2: a JPEG stored as the value of a tag
_CANON_METADATA = bytes.fromhex("85c0b687820f11e08111f4ce462b6a48")
_CANON_PREVIEW = bytes.fromhex("eaf42b5e1c984b88b9fbb7dc406e4d16")
_XMP_BOX = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_XMP_SEGMENT = b"http://ns.adobe.com/xap/1.0/\0"
_EXIF_SEGMENT = b"Exif\0\0"
_T = TypeVar("_T")
_VIEWABLE_FRAMES = (0xC0, 0xC1, 0xC2)  # baseline, extended, progressive; 0xC3 is a lossless raw


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataBlocks:
    """What a container says about the photograph, ready to be written into another."""

    make: str = ""
    """Camera maker as spelt; empty if unknown."""
    model: str = ""
    """Camera model as spelt; empty if unknown."""
    orientation: int | None = None
    """EXIF orientation, 1-8."""
    shared: tuple[Field, ...] = ()
    """SHARED_TAGS of IFD0."""
    exif: tuple[Field, ...] = ()
    """The EXIF IFD without maker note and pointers, values in the source's bytes."""
    gps: tuple[Field, ...] = ()
    """The GPS IFD."""
    xmp: bytes | None = None
    """The XMP packet."""
    preview: bytes | None = None
    """The largest viewable JPEG."""

    def find(self, tag: Tag) -> Field | None:
        """Return the EXIF field with this tag, or the shared one."""
        return next((item for item in (*self.exif, *self.shared) if item.tag == tag), None)


def read_blocks(path: Path) -> MetadataBlocks:
    """Read the metadata of a raw file.

    Parameters
    ----------
    path : Path
        TIFF-like (DNG, NEF, ARW, PEF, CR2, RW2, ORF, SRW, IIQ ...), CR3, RAF or MRW.

    Returns
    -------
    MetadataBlocks
        Empty for containers we do not know, and without what is damaged.

    Raises
    ------
    RawReadError
        The path cannot be opened at all.
    """
    data = map_file(path)
    head = bytes(data[:16])
    if head[:4] == b"\0MRM":
        return _from_tiffs(_minolta_tiffs(data, path.name), xmp=None, jpegs=())
    if head[4:8] == b"ftyp":
        return _from_canon(data, path.name)
    if head.startswith(b"FUJIFILM"):
        return _from_fuji(data, path.name)
    tiff = _parse(data, path.name)
    if tiff is None:
        return MetadataBlocks()
    # Panasonic's own IFDs lack the ISO and more, which its embedded JPEG has.
    embedded = _data(tiff.ifds[0].get(_PANASONIC_JPEG))
    inner, xmp = _from_jpeg(embedded, path.name) if embedded is not None else ([], None)
    return _from_tiffs([tiff, *inner], xmp=xmp, jpegs=_jpegs(tiff))


def _from_tiffs(
    tiffs: Iterable[TiffFile], *, xmp: bytes | None, jpegs: Iterable[memoryview]
) -> MetadataBlocks:
    """Collect from one TIFF, or from Canon's several: IFD0, the EXIF IFD and the GPS IFD."""
    roots = [tiff.ifds[0] for tiff in tiffs]
    in_root = [item for root in roots for item in _fields(root)]
    exif = [item for root in roots for ifd in root.sub_ifds(Tag.EXIF_IFD) for item in _fields(ifd)]
    gps = [item for root in roots for ifd in root.sub_ifds(Tag.GPS_IFD) for item in _fields(ifd)]
    exif += [item for item in in_root if item.tag in _EXPOSURE_TAGS]
    orientation = _first(_number(root.get(Tag.ORIENTATION)) for root in roots)
    packet = _first(_bytes(root.get(Tag.XMP)) for root in roots)
    preview = max((jpeg for jpeg in jpegs if _is_viewable(jpeg)), key=len, default=None)
    return MetadataBlocks(
        make=_first(_text(root.get(Tag.MAKE)) for root in roots) or "",
        model=_first(_text(root.get(Tag.MODEL)) for root in roots) or "",
        orientation=orientation if orientation in range(1, 9) else None,
        shared=_each_tag_once(item for item in in_root if item.tag in SHARED_TAGS),
        exif=_each_tag_once(exif),
        gps=_each_tag_once(gps),
        xmp=xmp or packet,
        preview=None if preview is None else bytes(preview),
    )


def _from_canon(data: memoryview, name: str) -> MetadataBlocks:
    """Collect from a CR3: CMT1 is an IFD0, CMT2 an EXIF IFD, CMT4 a GPS IFD, each a TIFF."""
    boxes = dict(_canon_boxes(data))
    main, exif, gps = (_parse(boxes.get(kind), name) for kind in (b"CMT1", b"CMT2", b"CMT4"))
    preview = boxes.get(b"PRVW")
    start = -1 if preview is None else bytes(preview[:64]).find(b"\xff\xd8\xff")
    jpegs = [preview[start:]] if preview is not None and start >= 0 else []
    packet = boxes.get(b"XMP ")
    blocks = _from_tiffs([main] if main else [], xmp=bytes(packet) if packet else None, jpegs=jpegs)
    return replace(
        blocks,
        exif=tuple(_fields(exif.ifds[0])) if exif else (),
        gps=tuple(_fields(gps.ifds[0])) if gps else (),
    )


def _from_fuji(data: memoryview, name: str) -> MetadataBlocks:
    """Collect from a RAF: all of it is in the JPEG whose place the header states."""
    if len(data) < 92:
        return MetadataBlocks()
    offset, length = struct.unpack_from(">II", data, 84)
    jpeg = data[offset : offset + length]
    tiffs, xmp = _from_jpeg(jpeg, name)
    return _from_tiffs(tiffs, xmp=xmp, jpegs=[jpeg] if len(jpeg) == length else [])


def _from_jpeg(jpeg: memoryview, name: str) -> tuple[list[TiffFile], bytes | None]:
    """Find the EXIF TIFF and the XMP packet of a JPEG."""
    tiffs: list[TiffFile] = []
    xmp = None
    for marker, content in _jpeg_segments(jpeg):
        if marker == 0xE1 and bytes(content[:6]) == _EXIF_SEGMENT:
            tiff = _parse(content[6:], name)
            tiffs += [tiff] if tiff else []
        elif marker == 0xE1 and bytes(content[: len(_XMP_SEGMENT)]) == _XMP_SEGMENT:
            xmp = bytes(content[len(_XMP_SEGMENT) :])
    return tiffs, xmp


def _minolta_tiffs(data: memoryview, name: str) -> list[TiffFile]:
    """Find the TIFF in the TTW block of an MRW."""
    at = 8
    while at + 8 <= len(data):
        kind, length = struct.unpack_from(">4sI", data, at)
        if kind == b"\0TTW":
            tiff = _parse(data[at + 8 : at + 8 + length], name)
            return [tiff] if tiff else []
        at += 8 + length
    return []


def _canon_boxes(data: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    """Yield the boxes of a CR3 that we read: CMT1-CMT4, PRVW, and XMP under its own name."""
    for kind, content in _boxes(data):
        if kind == b"moov":
            for inner, uuid_box in _boxes(content):
                if inner == b"uuid" and bytes(uuid_box[:16]) == _CANON_METADATA:
                    yield from _boxes(uuid_box[16:])
        elif kind == b"uuid" and bytes(content[:16]) == _CANON_PREVIEW:
            yield from _boxes(content[24:])  # 8 bytes of flags and count before the PRVW box
        elif kind == b"uuid" and bytes(content[:16]) == _XMP_BOX:
            yield b"XMP ", content[16:]


def _boxes(data: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    """Yield (type, content) of the ISO-BMFF boxes in a row."""
    at = 0
    while at + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        header = 8
        if size == 1 and at + 16 <= len(data):
            (size,) = struct.unpack_from(">Q", data, at + 8)
            header = 16
        elif size == 0:
            size = len(data) - at
        if size < header:
            return
        yield kind, data[at + header : at + size]
        at += size


def _jpegs(tiff: TiffFile) -> Iterator[memoryview]:
    """Yield everything in a TIFF that may be a JPEG preview."""
    for ifd in tiff.walk():
        embedded = ifd.get(_PANASONIC_JPEG)
        if embedded is not None and (content := _data(embedded)) is not None:
            yield content
        in_strips = _number(ifd.get(Tag.COMPRESSION)) in (Compression.OLD_JPEG, Compression.JPEG)
        for offsets, lengths in DATA_OFFSETS.items():
            start, length = _number(ifd.get(offsets)), _number(ifd.get(lengths))
            wanted = offsets == Tag.JPEG_INTERCHANGE_FORMAT or in_strips
            if wanted and start and length and start + length <= len(tiff.data):
                yield tiff.data[start : start + length]


def _is_viewable(jpeg: memoryview) -> bool:
    """Tell a picture from a lossless raw, and from something that is no JPEG."""
    markers = (marker for marker, _ in _jpeg_segments(jpeg))
    return any(marker in _VIEWABLE_FRAMES for marker in markers)


def _jpeg_segments(jpeg: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Yield (marker, content) of a JPEG's segments up to its image data."""
    if bytes(jpeg[:2]) != b"\xff\xd8":
        return
    at = 2
    while at + 4 <= len(jpeg):
        start, marker, length = struct.unpack_from(">BBH", jpeg, at)
        if start != 0xFF or marker == 0xDA or length < 2:
            return
        yield marker, jpeg[at + 4 : at + 2 + length]
        at += 2 + length


def _each_tag_once(fields: Iterable[Field]) -> tuple[Field, ...]:
    """Keep the first field of each tag."""
    return tuple({item.tag: item for item in reversed(list(fields))}.values())[::-1]


def _fields(ifd: Ifd) -> Iterator[Field]:
    """Yield an IFD's readable entries, without pointers, data offsets and the maker note."""
    left_out = {int(Tag.MAKER_NOTE), *POINTER_TAGS, *DATA_OFFSETS, *DATA_OFFSETS.values()}
    for entry in ifd.entries:
        if entry.tag in left_out or not entry.count:
            continue
        try:
            kind = FieldType(entry.type)
            values = bytes(entry.data) if kind in _BYTE_TYPES else entry.values
        except (FadnError, ValueError):
            continue
        yield Field(tag=entry.tag, type=kind, values=values)


def _parse(data: memoryview | None, name: str) -> TiffFile | None:
    """Parse a TIFF, None if it is none."""
    try:
        return None if data is None else parse(data, name=name, tolerant=True)
    except FadnError:
        return None


def _data(entry: Entry | None) -> memoryview | None:
    """Return the bytes of an entry that exists and is readable."""
    try:
        return entry.data if entry is not None and entry.count else None
    except FadnError:
        return None


def _bytes(entry: Entry | None) -> bytes | None:
    """Return a copy of an entry's bytes."""
    data = _data(entry)
    return None if data is None else bytes(data)


def _text(entry: Entry | None) -> str | None:
    """Return an entry's text."""
    return entry.text if entry is not None and _data(entry) is not None else None


def _number(entry: Entry | None) -> int | None:
    """Return the single integer of an entry."""
    if entry is None or entry.count != 1:
        return None
    try:
        return entry.ints[0]
    except FadnError:
        return None


def _first(values: Iterable[_T | None]) -> _T | None:
    """Return the first value that says something."""
    return next((value for value in values if value), None)
