"""CIFF, the container of Canon's CRW files: what it says of the photograph, as EXIF would say it.

`source.metadata` calls it. The one thing to know: CIFF has no EXIF in it, but camera settings in
records of their own; what is not in them is left out, damage ends the walk, and no file makes it
longer than MAX_RECORDS.

References
----------
"CIFF Specification on Image Data File" 1.0 (Canon, 1997); for the records ExifTool, "CanonRaw Tags"
and "Canon Tags".
"""

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from fadn_cli.raw.tiff.file import ByteOrder, FieldType
from fadn_cli.raw.tiff.tags import Tag, make_field
from fadn_cli.raw.tiff.write import Field

MAX_RECORDS = 1024
"""Records of one file; real ones have under 100."""
_MAX_DEPTH = 6  # heaps in heaps; real files have three
_ENTRY = 10  # bytes of a record's entry
_HEAPS = (0x28, 0x30)  # types of records that hold records
_IN_ENTRY = 0x4000  # bit of a record whose eight bytes are in its entry

_CAMERA, _OWNER, _FIRMWARE = 0x080A, 0x0810, 0x080B
_LENS_ZOOM, _SHOT, _SETTINGS, _COLOR_SPACE = 0x1029, 0x102A, 0x102D, 0x10B4
_SERIAL, _TIME, _IMAGE, _EXPOSURE = 0x180B, 0x180E, 0x1810, 0x1818
_JPEGS = (0x2007, 0x2008)
_OLD_SERIAL = "EOS D30"  # the one camera that spells it in two parts
_ORIENTATIONS = {0: 1, 90: 6, 180: 3, 270: 8, -90: 8}
_FOCAL_UNITS = 32  # a millimetre, where the settings do not say it
_ZOOM = 2  # the focal length's kind, of lenses that have several


@dataclass(frozen=True, slots=True, kw_only=True)
class CiffPhotograph:
    """What a CRW says, ready for `MetadataBlocks`."""

    make: str = ""
    """Camera maker; empty if unknown."""
    model: str = ""
    """Camera model; empty if unknown."""
    orientation: int | None = None
    """EXIF orientation; None if unknown."""
    shared: tuple[Field, ...] = ()
    """What belongs into IFD0."""
    exif: tuple[Field, ...] = ()
    """What belongs into the EXIF IFD."""
    jpegs: tuple[memoryview, ...] = field(default=(), repr=False)
    """Preview and thumbnail."""


def is_ciff(data: memoryview) -> bool:
    """Tell a CRW by its first bytes."""
    return bytes(data[:2]) in (b"II", b"MM") and bytes(data[6:14]) == b"HEAPCCDR"


def read_ciff(data: memoryview) -> CiffPhotograph:
    """Read what a CRW says of its photograph; nothing of what is damaged."""
    order: ByteOrder = "<" if bytes(data[:2]) == b"II" else ">"
    records = _Records(data, order)
    names = records.bytes(_CAMERA).split(b"\0")
    make, model = (_plain(name) for name in (*names, b"", b"")[:2])
    rotation = records.number(_IMAGE, "i", 3)
    return CiffPhotograph(
        make=make,
        model=model,
        orientation=_ORIENTATIONS.get(int(rotation)) if rotation is not None else None,
        shared=tuple(_described(records)),
        exif=tuple(_exposed(records, model)),
        jpegs=tuple(records.found[tag] for tag in _JPEGS if tag in records.found),
    )


def _described(records: "_Records") -> Iterator[Field]:
    """Yield the fields of IFD0."""
    for tag, record in ((Tag.SOFTWARE, _FIRMWARE), (Tag.ARTIST, _OWNER)):
        text = _plain(records.bytes(record).split(b"\0")[0])
        if text:
            yield _text(tag, text)


def _exposed(records: "_Records", model: str) -> Iterator[Field]:
    """Yield the fields of the EXIF IFD."""
    bias, speed, aperture = _apex(records)
    if speed is not None and abs(speed) < 32:
        yield make_field(Tag.EXPOSURE_TIME, [_seconds(2**-speed)])
    if aperture is not None and 0 < aperture < 32:
        yield make_field(Tag.F_NUMBER, [(round(10 * 2 ** (aperture / 2)), 10)])
    if bias is not None and abs(bias) < 32:
        yield make_field(Tag.EXPOSURE_BIAS_VALUE, [(round(3 * bias), 3)])
    iso = _iso(records)
    if iso:
        yield make_field(Tag.ISO_SPEED_RATINGS, iso)
    stamp = records.number(_TIME, "I", 0)
    if stamp:  # the camera's clock, whatever its time zone
        taken = datetime.fromtimestamp(stamp, UTC).strftime("%Y:%m:%d %H:%M:%S")
        yield _text(Tag.DATE_TIME_ORIGINAL, taken)
    yield from _through_the_lens(records)
    space = records.number(_COLOR_SPACE, "H", 0)
    if space in (1, 0xFFFF):
        yield make_field(Tag.COLOR_SPACE, int(space))
    serial = records.number(_SERIAL, "I", 0)
    if serial and "EOS" in model:  # of a PowerShot it is another number
        number = int(serial)
        old = f"{number >> 16:x}-{number & 0xFFFF:05d}"
        yield _text(Tag.BODY_SERIAL_NUMBER, old if _OLD_SERIAL in model else f"{number:010d}")


def _apex(records: "_Records") -> tuple[float | None, float | None, float | None]:
    """Return exposure bias, time and aperture in stops; where they stand depends on the camera."""
    bias, speed, aperture = (records.number(_EXPOSURE, "f", index) for index in range(3))
    if speed is None:
        aperture, speed = (records.number(_SHOT, "h", index) for index in (4, 5))
        aperture, speed = (None if each is None else each / 32 for each in (aperture, speed))
    return bias, speed, aperture


def _through_the_lens(records: "_Records") -> Iterator[Field]:
    """Yield the focal length, and those that the lens has."""
    longest, shortest, units = (records.number(_SETTINGS, "H", index) for index in (23, 24, 25))
    kind, length = (records.number(_LENS_ZOOM, "H", index) for index in (0, 1))
    by = int(units or (_FOCAL_UNITS if kind == _ZOOM else 1))
    if length:
        yield make_field(Tag.FOCAL_LENGTH, [(int(length), by)])
    if longest and shortest and shortest <= longest:
        lens = [(int(shortest), by), (int(longest), by), (0, 0), (0, 0)]
        yield make_field(Tag.LENS_SPECIFICATION, lens)


def _iso(records: "_Records") -> int:
    """Return the ISO speed, 0 if unknown: the base's times what the camera added."""
    added, base = (records.number(_SHOT, "h", index) for index in (1, 2))
    if not base or added is None or not 0 < base < 640 or not 0 <= added < 640:
        return 0
    speed = 2 ** (base / 32) * 100 / 32 * 2 ** (added / 32)
    return round(speed) if speed < 0xFFFF else 0


def _seconds(time: float) -> tuple[int, int]:
    """Spell an exposure time as cameras do: a fraction of a second, or tenths."""
    return (1, round(1 / time)) if time < 0.3 else (round(10 * time), 10)


def _text(tag: Tag, text: str) -> Field:
    """Make a field of text as every container has it: bytes."""
    return Field(tag=tag, type=FieldType.ASCII, values=text.encode("ascii") + b"\0")


def _plain(text: bytes) -> str:
    """Return a text of ASCII."""
    return text.decode("ascii", "replace").replace("\ufffd", "?").strip()


class _Records:
    """The records of a CRW: the first of each tag."""

    def __init__(self, data: memoryview, order: ByteOrder) -> None:
        self.found: dict[int, memoryview] = {}
        self._order = order
        self._left = MAX_RECORDS
        (start,) = struct.unpack_from(order + "I", data, 2)
        self._walk(data[start:], 0)

    def bytes(self, tag: int) -> bytes:
        """Return a record's content, empty if there is none."""
        return bytes(self.found.get(tag, b""))

    def number(self, tag: int, kind: str, index: int) -> float | None:
        """Return a number of a record, None if it has none there, or infinity."""
        content, size = self.found.get(tag, b""), struct.calcsize(kind)
        if len(content) < (index + 1) * size:
            return None
        (value,) = struct.unpack_from(self._order + kind, content, index * size)
        return float(value) if math.isfinite(value) else None

    def _walk(self, heap: memoryview, depth: int) -> None:
        """Read the records of a heap, whose table is at its end."""
        if len(heap) < 6 or depth > _MAX_DEPTH:
            return
        (table,) = struct.unpack_from(self._order + "I", heap, len(heap) - 4)
        if table + 2 > len(heap):
            return
        (count,) = struct.unpack_from(self._order + "H", heap, table)
        for index in range(count):
            at = table + 2 + _ENTRY * index
            if at + _ENTRY > len(heap) or not self._left:
                return
            self._left -= 1
            tag, size, offset = struct.unpack_from(self._order + "HII", heap, at)
            if tag & _IN_ENTRY:
                self.found.setdefault(tag & 0x3FFF, heap[at + 2 : at + _ENTRY])
            elif (tag >> 8) & 0x38 in _HEAPS:
                self._walk(heap[offset : offset + size], depth + 1)
            elif offset + size <= len(heap):
                self.found.setdefault(tag & 0x3FFF, heap[offset : offset + size])
