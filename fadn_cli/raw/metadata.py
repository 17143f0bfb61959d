"""EXIF, GPS, XMP and previews from any container LibRaw reads: TIFF-like, CR3, RAF, MRW.

The reader takes camera, ISO and orientation from it; the writers take what a new file should carry.
The one thing to know: nothing here is needed to denoise, so whatever is missing or damaged is left
out (None or an empty tuple) instead of raising.

References
----------
TIFF 6.0; Exif 2.32; TIFF/EP (ISO 12234-2).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from fadn_cli.errors import FadnError
from fadn_cli.raw.containers import canon_boxes, fuji_jpeg, jpeg_segments, minolta_tiff
from fadn_cli.raw.tags import DATA_OFFSETS, Compression, Tag
from fadn_cli.raw.tiff import POINTER_TAGS, Entry, FieldType, Ifd, TiffFile, map_file, parse
from fadn_cli.raw.tiff_write import Field

SHARED_TAGS = (Tag.IMAGE_DESCRIPTION, Tag.SOFTWARE, Tag.DATE_TIME, Tag.ARTIST, Tag.COPYRIGHT)
"""Tags of IFD0 that describe the photograph rather than the pixels next to them."""
_EXPOSURE_TAGS = (Tag.ISO_SPEED_RATINGS, Tag.EXPOSURE_TIME, Tag.F_NUMBER, Tag.FOCAL_LENGTH)
"""Tags that TIFF/EP allows in IFD0, and minimal DNGs have there."""
_ISO_TAGS = (
    Tag.ISO_SPEED_RATINGS,
    Tag.ISO_SPEED,
    Tag.RECOMMENDED_EXPOSURE_INDEX,
    Tag.STANDARD_OUTPUT_SENSITIVITY,
)
_ISO_OVERFLOW = 65535  # "look at the 32-bit tags" [Exif 2.32, tag 34855]
_BYTE_TYPES = (FieldType.BYTE, FieldType.ASCII, FieldType.UNDEFINED, FieldType.UTF8)
_PANASONIC_JPEG = 46  # RW2: a JPEG stored as the value of a tag
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

    @property
    def iso(self) -> int | None:
        """ISO speed; 0 and a 16-bit tag's overflow mark count as none."""
        speeds = (self._number(tag) for tag in _ISO_TAGS)
        return next((round(iso) for iso in speeds if iso > 0 and iso != _ISO_OVERFLOW), None)

    @property
    def exposure_time(self) -> float | None:
        """Exposure time, seconds; 0 counts as none."""
        return max(self._number(Tag.EXPOSURE_TIME), 0.0) or None

    def find(self, tag: Tag) -> Field | None:
        """Return the EXIF field with this tag, or the shared one."""
        return next((item for item in (*self.exif, *self.shared) if item.tag == tag), None)

    def _number(self, tag: Tag) -> float:
        """Return the first number of a field; 0 if there is none, and for n/0."""
        item = self.find(tag)
        if item is None or isinstance(item.values, bytes | str):
            return 0.0
        first = item.values[0]
        if isinstance(first, tuple):
            return first[0] / first[1] if first[1] else 0.0
        return float(first)


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
        inner_tiff = _parse(minolta_tiff(data), path.name)
        return _from_tiffs([inner_tiff] if inner_tiff else [], xmp=None, jpegs=())
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
    boxes = dict(canon_boxes(data))
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
    jpeg = fuji_jpeg(data)
    if jpeg is None:
        return MetadataBlocks()
    tiffs, xmp = _from_jpeg(jpeg, name)
    return _from_tiffs(tiffs, xmp=xmp, jpegs=[jpeg])


def _from_jpeg(jpeg: memoryview, name: str) -> tuple[list[TiffFile], bytes | None]:
    """Find the EXIF TIFF and the XMP packet of a JPEG."""
    tiffs: list[TiffFile] = []
    xmp = None
    for marker, content in jpeg_segments(jpeg):
        if marker == 0xE1 and bytes(content[:6]) == _EXIF_SEGMENT:
            tiff = _parse(content[6:], name)
            tiffs += [tiff] if tiff else []
        elif marker == 0xE1 and bytes(content[: len(_XMP_SEGMENT)]) == _XMP_SEGMENT:
            xmp = bytes(content[len(_XMP_SEGMENT) :])
    return tiffs, xmp


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
    markers = (marker for marker, _ in jpeg_segments(jpeg))
    return any(marker in _VIEWABLE_FRAMES for marker in markers)


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
