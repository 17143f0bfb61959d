"""EXIF, GPS, XMP, maker note and preview of any container: TIFF-like, CR3, CRW, RAF, MRW.

The reader takes camera, ISO and orientation from it; the writers take what a new file should carry.
The one thing to know: nothing here is needed to denoise, so whatever is missing or damaged is left
out (None or an empty tuple) instead of raising, and what is too much for metadata is left out too,
so that time and memory are bounded whatever the bytes are.

References
----------
TIFF 6.0; Exif 2.32; TIFF/EP (ISO 12234-2); for what is a maker note, ExifTool's tag name pages.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from fadn_cli.errors import FadnError
from fadn_cli.raw.makers.ciff import is_ciff, read_ciff
from fadn_cli.raw.makers.containers import (
    PHASE_ONE_NOTE,
    canon_boxes,
    canon_samples,
    fuji_jpeg,
    jpeg_segments,
    minolta_tiff,
)
from fadn_cli.raw.makers.kodak import kodak_fields
from fadn_cli.raw.source.blocks import MakerNote, MetadataBlocks
from fadn_cli.raw.source.embedded import (
    PANASONIC_JPEG,
    jpegs_in,
    jpegs_in_olympus_note,
    largest_jpeg,
)
from fadn_cli.raw.tiff.file import POINTER_TAGS, Entry, FieldType, Ifd, TiffFile, map_file, parse
from fadn_cli.raw.tiff.tags import DATA_OFFSETS, Tag
from fadn_cli.raw.tiff.write import Field

__all__ = ["SHARED_TAGS", "MakerNote", "MetadataBlocks", "read_blocks"]

SHARED_TAGS = (
    Tag.IMAGE_DESCRIPTION,
    Tag.SOFTWARE,
    Tag.DATE_TIME,
    Tag.ARTIST,
    Tag.RATING,
    Tag.RATING_PERCENT,
    Tag.COPYRIGHT,
    Tag.IPTC,
)
"""Tags of IFD0 that describe the photograph rather than the pixels next to them."""
MAX_IFD_BYTES = 1 << 20
"""Bytes of one IFD's values; an EXIF segment of a JPEG has room for 64 KiB."""
MAX_MAKER_NOTE = 4 << 20
"""Bytes of a maker note; the largest hold a preview."""
_MAX_TEXT = 1024  # bytes of a make or model; real ones have under 64
_EXPOSURE_TAGS = (
    Tag.ISO_SPEED_RATINGS,
    Tag.EXPOSURE_TIME,
    Tag.F_NUMBER,
    Tag.EXPOSURE_PROGRAM,
    Tag.FOCAL_LENGTH,
    Tag.DATE_TIME_ORIGINAL,
    *range(37377, 37386),  # ShutterSpeedValue to Flash
)
"""Tags that TIFF/EP allows in IFD0: minimal DNGs and Kodak's raws have them there."""
_BYTE_TYPES = (FieldType.BYTE, FieldType.ASCII, FieldType.UNDEFINED, FieldType.UTF8)
_TEXT_TAGS = frozenset(int(tag) for tag in Tag if tag.type == FieldType.ASCII)
_NEVER_COPIED = {int(Tag.MAKER_NOTE), *POINTER_TAGS, *DATA_OFFSETS, *DATA_OFFSETS.values()}
_XMP_SEGMENT = b"http://ns.adobe.com/xap/1.0/\0"
_EXIF_SEGMENT = b"Exif\0\0"
_T = TypeVar("_T")


def read_blocks(path: Path) -> MetadataBlocks:
    """Read the metadata of a raw file.

    Parameters
    ----------
    path : Path
        TIFF-like (DNG, NEF, ARW, PEF, CR2, RW2, ORF, SRW, KDC, IIQ ...), CR3, CRW, RAF or MRW.

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
        inner_tiff = _parse(minolta_tiff(data), path.name)
        return _from_tiffs([inner_tiff] if inner_tiff else [], xmp=None, jpegs=())
    if head[4:8] == b"ftyp":
        return _from_canon(data, path.name)
    if head.startswith(b"FUJIFILM"):
        return _from_fuji(data, path.name)
    if is_ciff(data):
        return _from_ciff(data)
    tiff = _parse(data, path.name)
    if tiff is None:
        return MetadataBlocks()
    # Panasonic's own IFDs lack the ISO, the maker note and more, which its embedded JPEG has.
    embedded = _data(tiff.ifds[0].get(PANASONIC_JPEG))
    inner, xmp = _from_jpeg(embedded, path.name) if embedded is not None else ([], None)
    blocks = _from_tiffs([tiff, *inner], xmp=xmp, jpegs=jpegs_in(tiff))
    return replace(blocks, exif=_each_tag_once([*blocks.exif, *kodak_fields(tiff)]))


def _from_tiffs(
    tiffs: Iterable[TiffFile], *, xmp: bytes | None, jpegs: Iterable[memoryview]
) -> MetadataBlocks:
    """Collect from one TIFF, or from two that complete each other: IFD0, EXIF, GPS and the rest."""
    roots = [tiff.ifds[0] for tiff in tiffs]
    exif_ifds = [ifd for root in roots for ifd in root.sub_ifds(Tag.EXIF_IFD)[:1]]
    gps_ifds = [ifd for root in roots for ifd in root.sub_ifds(Tag.GPS_IFD)[:1]]
    inner_ifds = [ifd for exif in exif_ifds for ifd in exif.sub_ifds(Tag.INTEROPERABILITY_IFD)[:1]]
    in_root = [item for root in roots for item in _fields(root, _EXPOSURE_TAGS)]
    orientation = _first(_number(root.get(Tag.ORIENTATION)) for root in roots)
    packet = _first(_bytes(root.get(Tag.XMP)) for root in roots)
    note = _first(_maker_note(ifd) for ifd in exif_ifds)
    in_note = jpegs_in_olympus_note(note.data) if note else ()
    return MetadataBlocks(
        make=_first(_text(root.get(Tag.MAKE)) for root in roots) or "",
        model=_first(_text(root.get(Tag.MODEL)) for root in roots) or "",
        orientation=orientation if orientation in range(1, 9) else None,
        shared=_each_tag_once(item for root in roots for item in _fields(root, SHARED_TAGS)),
        exif=_each_tag_once([*_all_fields(exif_ifds), *in_root]),
        interoperability=_each_tag_once(_all_fields(inner_ifds)),
        gps=_each_tag_once(_all_fields(gps_ifds)),
        maker_note=note,
        xmp=xmp or packet,
        preview=largest_jpeg([*jpegs, *in_note]),
    )


def _from_canon(data: memoryview, name: str) -> MetadataBlocks:
    """Collect from a CR3: CMT1-CMT4 are TIFFs of IFD0, EXIF IFD, maker note and GPS IFD."""
    boxes = dict(canon_boxes(data))
    main, exif, note, gps = (
        _parse(boxes.get(kind), name) for kind in (b"CMT1", b"CMT2", b"CMT3", b"CMT4")
    )
    preview = boxes.get(b"PRVW")
    start = -1 if preview is None else bytes(preview[:64]).find(b"\xff\xd8\xff")
    jpegs = [preview[start:]] if preview is not None and start >= 0 else []
    packet = boxes.get(b"XMP ")
    blocks = _from_tiffs(
        [main] if main else [],
        xmp=bytes(packet) if packet else None,
        jpegs=[*jpegs, *canon_samples(data)],
    )
    return replace(
        blocks,
        exif=_each_tag_once(_fields(exif.ifds[0])) if exif else (),
        gps=_each_tag_once(_fields(gps.ifds[0])) if gps else (),
        maker_note=_canon_note(note) if note else None,
    )


def _from_fuji(data: memoryview, name: str) -> MetadataBlocks:
    """Collect from a RAF: all of it is in the JPEG whose place the header states."""
    jpeg = fuji_jpeg(data)
    if jpeg is None:
        return MetadataBlocks()
    tiffs, xmp = _from_jpeg(jpeg, name)
    return _from_tiffs(tiffs, xmp=xmp, jpegs=[jpeg])


def _from_ciff(data: memoryview) -> MetadataBlocks:
    """Collect from a CRW, whose records say it in Canon's own way."""
    photograph = read_ciff(data)
    return MetadataBlocks(
        make=photograph.make,
        model=photograph.model,
        orientation=photograph.orientation,
        shared=photograph.shared,
        exif=photograph.exif,
        preview=largest_jpeg(photograph.jpegs),
    )


def _from_jpeg(jpeg: memoryview, name: str) -> tuple[list[TiffFile], bytes | None]:
    """Find the EXIF TIFF (none or one) and the XMP packet of a JPEG."""
    tiffs: list[TiffFile] = []
    xmp = None
    for marker, content in jpeg_segments(jpeg):
        if marker == 0xE1 and bytes(content[:6]) == _EXIF_SEGMENT and not tiffs:
            tiff = _parse(content[6:], name)
            tiffs += [tiff] if tiff else []
        elif marker == 0xE1 and bytes(content[: len(_XMP_SEGMENT)]) == _XMP_SEGMENT:
            xmp = bytes(content[len(_XMP_SEGMENT) :])
    return tiffs, xmp


def _maker_note(exif: Ifd) -> MakerNote | None:
    """Return the maker note of an EXIF IFD."""
    entry = exif.get(Tag.MAKER_NOTE)
    data = _data(entry)
    if entry is None or data is None or len(data) <= 4 or len(data) > MAX_MAKER_NOTE:
        return None
    if PHASE_ONE_NOTE.match(data):
        return None
    return MakerNote(data=bytes(data), byteorder=exif.byteorder, offset=entry.value_offset)


def _canon_note(note: TiffFile) -> MakerNote | None:
    """Return the maker note of a CR3: CMT3 is a TIFF whose IFD0 is the note."""
    start = note.ifds[0].offset
    if len(note.data) - start > MAX_MAKER_NOTE:
        return None
    return MakerNote(data=bytes(note.data[start:]), byteorder=note.byteorder, offset=start)


def _each_tag_once(fields: Iterable[Field]) -> tuple[Field, ...]:
    """Keep the first field of each tag."""
    return tuple({item.tag: item for item in reversed(list(fields))}.values())[::-1]


def _all_fields(ifds: Iterable[Ifd]) -> list[Field]:
    """Return the readable entries of several IFDs."""
    return [item for ifd in ifds for item in _fields(ifd)]


def _fields(ifd: Ifd, wanted: Collection[int] = ()) -> Iterator[Field]:
    """Yield an IFD's readable entries, all or the wanted, without pointers and the maker note."""
    room = MAX_IFD_BYTES
    for entry in ifd.entries:
        if entry.tag in _NEVER_COPIED or (wanted and entry.tag not in wanted) or not entry.count:
            continue
        if entry.tag in _TEXT_TAGS and entry.type not in _BYTE_TYPES:
            continue  # numbers for a text
        try:
            kind = FieldType(entry.type)
            if entry.size > room:
                continue
            values = bytes(entry.data) if kind in _BYTE_TYPES else entry.values
            if kind == FieldType.ASCII and isinstance(values, bytes) and values[-1]:
                values += b"\0"  # as the standard has it; readers run on without
        except (FadnError, ValueError):
            continue
        room -= entry.size
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
    data = _data(entry)
    return entry.text if entry is not None and data is not None and len(data) <= _MAX_TEXT else None


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
