"""What a container says about the photograph, in a form that can be written into another file.

`metadata` fills it, the reader and the writers take what they need. The one thing to know: fields
keep the source's bytes and types; what the source does not say is empty or None.

References
----------
Exif 2.32, section 4.6.5 (tags of the EXIF IFD).
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction

from fadn_cli.limits import MOST_ISO
from fadn_cli.mosaic.values import RawMetadata
from fadn_cli.raw.tiff.file import ByteOrder
from fadn_cli.raw.tiff.tags import Tag, make_field
from fadn_cli.raw.tiff.write import Field

_ISO_TAGS = (
    Tag.ISO_SPEED_RATINGS,
    Tag.ISO_SPEED,
    Tag.RECOMMENDED_EXPOSURE_INDEX,
    Tag.STANDARD_OUTPUT_SENSITIVITY,
)
ISO_OVERFLOW = 65535
"""Of the 16-bit ISO tag: "look at the 32-bit tags" [Exif 2.32, tag 34855]."""

_UNKNOWN = (0, 0)  # of a lens's aperture
_FINEST = 1_000_000  # denominator of an exposure time


@dataclass(frozen=True, slots=True, kw_only=True)
class MakerNote:
    """The camera's own notes, and what their inner offsets depend on."""

    data: bytes = field(repr=False)
    """As the camera wrote it; most makers store an IFD."""
    byteorder: ByteOrder
    """Of the TIFF it lay in, which is the note's own unless it says otherwise."""
    offset: int
    """Where it lay, from that TIFF's first byte: most notes count their own offsets from there."""


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
    """`metadata.SHARED_TAGS` of IFD0."""
    exif: tuple[Field, ...] = ()
    """The EXIF IFD without maker note and pointers, values in the source's bytes."""
    interoperability: tuple[Field, ...] = ()
    """The interoperability IFD."""
    gps: tuple[Field, ...] = ()
    """The GPS IFD."""
    maker_note: MakerNote | None = None
    """None also where the note is the raw data itself (Phase One)."""
    xmp: bytes | None = None
    """The XMP packet."""
    preview: bytes | None = field(default=None, repr=False)
    """The largest viewable JPEG."""

    @property
    def iso(self) -> int | None:
        """ISO speed; 0, a 16-bit tag's overflow mark and what no camera has count as none."""
        stated = (iso for iso in self._speeds() if iso != ISO_OVERFLOW and iso <= MOST_ISO)
        return next((round(iso) for iso in stated), None)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is said of the shot that cannot be, one sentence each."""
        absurd = [f"{iso:.0f}" for iso in self._speeds() if iso > MOST_ISO]
        if not absurd or self.iso is not None:
            return ()
        return (f"the file states ISO {absurd[0]}, which cannot be: taken for unknown",)

    def _speeds(self) -> Iterator[float]:
        """Yield the ISO speeds that are stated."""
        return (iso for tag in _ISO_TAGS if (iso := self._number(tag)) >= 0.5)

    @property
    def exposure_time(self) -> float | None:
        """Exposure time, seconds; 0 counts as none."""
        return max(self._number(Tag.EXPOSURE_TIME), 0.0) or None

    def completed(self, metadata: RawMetadata) -> "MetadataBlocks":
        """Add what the container does not say of exposure and lens, and LibRaw does.

        A value that says nothing (an exposure time of 0) is replaced; an ISO speed of that kind
        stays, since "more than this tag can hold" is said by it, and another tag holds the speed.
        """
        added = [] if self.iso or not metadata.iso else [self._speed(metadata.iso)]
        for tag, value in (
            (Tag.EXPOSURE_TIME, metadata.exposure_time),
            (Tag.F_NUMBER, metadata.f_number),
            (Tag.FOCAL_LENGTH, metadata.focal_length),
        ):
            if value and self._number(tag) <= 0:
                added.append(make_field(tag, [_fraction(value)]))
        if metadata.lens and self.find(Tag.LENS_MODEL) is None:
            text = metadata.lens.encode("utf-8", "replace") + b"\0"
            added.append(Field(tag=Tag.LENS_MODEL, type=Tag.LENS_MODEL.type, values=text))
        if metadata.lens_range and self.find(Tag.LENS_SPECIFICATION) is None:
            ends = [*map(_fraction, metadata.lens_range), _UNKNOWN, _UNKNOWN]
            added.append(make_field(Tag.LENS_SPECIFICATION, ends))
        numbers = {item.tag for item in added}
        kept = [item for item in self.exif if item.tag not in numbers]
        return replace(self, exif=(*kept, *added))

    def find(self, tag: Tag) -> Field | None:
        """Return the EXIF field with this tag, or the shared one."""
        return next((item for item in (*self.exif, *self.shared) if item.tag == tag), None)

    def _speed(self, iso: int) -> Field:
        """State an ISO speed in the first tag that has room for it."""
        room = (tag for tag in _ISO_TAGS[1:] if self.find(tag) is None)
        if iso < ISO_OVERFLOW and self.find(Tag.ISO_SPEED_RATINGS) is None:
            return make_field(Tag.ISO_SPEED_RATINGS, iso)
        return make_field(next(room, Tag.ISO_SPEED), iso)

    def _number(self, tag: Tag) -> float:
        """Return the first number of a field; 0 if there is none, and for n/0 and infinities."""
        item = self.find(tag)
        if item is None or isinstance(item.values, bytes | str):
            return 0.0
        first = item.values[0]
        if isinstance(first, tuple):
            return first[0] / first[1] if first[1] else 0.0
        return float(first) if math.isfinite(first) else 0.0


def _fraction(value: float) -> tuple[int, int]:
    """Return the fraction of least terms that is a value as exactly as EXIF needs it."""
    fraction = Fraction(value).limit_denominator(_FINEST)
    return fraction.numerator, fraction.denominator
