"""The JPEGs embedded in a raw file, which it shows before it is developed: find the largest.

`metadata` calls it for what a built DNG is to show. The one thing to know: a candidate's bytes are
handed on as the file holds them; what is no colour JPEG that a TIFF can describe (a lossless raw, a
broken one) is passed over.

References
----------
ITU-T T.81, table B.1 and section B.2.2 (frames); TIFF/EP (ISO 12234-2) for previews in IFDs;
ExifTool, "Olympus Tags" (where an ORF has its only preview).
"""

import struct
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from fadn_cli.errors import FadnError
from fadn_cli.raw.makers.containers import jpeg_segments
from fadn_cli.raw.tiff.file import ByteOrder, FieldType, Ifd, TiffFile, parse
from fadn_cli.raw.tiff.tags import DATA_OFFSETS, Compression, Tag
from fadn_cli.raw.tiff.write import build_header

PANASONIC_JPEG = 46
"""RW2: a JPEG stored as the value of a tag of IFD0."""
_OLYMPUS_NOTES = {b"OLYMPUS\0": 12, b"OM SYSTEM\0": 16}  # beginning: where its IFD is
_OLYMPUS_SETTINGS, _OLYMPUS_START, _OLYMPUS_LENGTH = 0x2020, 0x0101, 0x0102
_VIEWABLE_FRAMES = (0xC0, 0xC1, 0xC2)  # baseline, extended, progressive; 0xC3 is a lossless raw
_COLOR = (8, 3)  # bits, components
_SAMPLINGS = frozenset({1, 2, 4})  # what YCbCrSubSampling can say


@dataclass(frozen=True, slots=True, kw_only=True)
class JpegFrame:
    """What a colour JPEG says of itself."""

    height: int
    """Pixels."""
    width: int
    """Pixels."""
    sub_sampling: tuple[int, int]
    """How many pixels share a chroma sample, horizontally and vertically: 1, 2 or 4."""


def largest_jpeg(candidates: Iterable[memoryview]) -> bytes | None:
    """Return a copy of the largest viewable colour JPEG, None if there is none."""
    by_size = sorted(candidates, key=len, reverse=True)
    return next((bytes(jpeg) for jpeg in by_size if read_frame(jpeg)), None)


def read_frame(jpeg: memoryview | bytes) -> JpegFrame | None:
    """Return the size and sampling of a viewable colour JPEG, None for anything else."""
    segments = jpeg_segments(memoryview(jpeg))
    header = next((content for marker, content in segments if marker in _VIEWABLE_FRAMES), b"")
    if len(header) < 15:
        return None
    bits, height, width, components = struct.unpack_from(">BHHB", header)
    luma, first, second = header[7:15:3]  # H in the upper, V in the lower half of the byte
    if (bits, components) != _COLOR or not height or not width or first != second:
        return None
    factors = ((luma >> 4, first >> 4), (luma & 15, first & 15))
    shared = {many / few if few else 0 for many, few in factors}
    if not shared <= _SAMPLINGS:
        return None
    horizontal, vertical = (many // few for many, few in factors)
    return JpegFrame(height=height, width=width, sub_sampling=(horizontal, vertical))


def jpegs_in(tiff: TiffFile) -> Iterator[memoryview]:
    """Yield everything in a TIFF that may be a JPEG preview."""
    for ifd in tiff.walk():
        embedded = ifd.get(PANASONIC_JPEG)
        if embedded is not None:
            with suppress(FadnError):
                yield embedded.data
        in_strips = _single(ifd, Tag.COMPRESSION) in (Compression.OLD_JPEG, Compression.JPEG)
        for offsets, lengths in DATA_OFFSETS.items():
            start, length = _single(ifd, offsets), _single(ifd, lengths)
            wanted = offsets == Tag.JPEG_INTERCHANGE_FORMAT or in_strips
            if wanted and start and length and start + length <= len(tiff.data):
                yield tiff.data[start : start + length]


def jpegs_in_olympus_note(note: bytes) -> Iterator[memoryview]:
    """Yield the preview in an Olympus or OM System maker note, whose offsets count from itself."""
    start = next((at for mark, at in _OLYMPUS_NOTES.items() if note.startswith(mark)), 0)
    if not start:
        return
    with suppress(FadnError):
        main = _note_ifd(note, start, start)
        settings = main.get(_OLYMPUS_SETTINGS)
        # Older notes hold the settings as bytes, newer ones point to them.
        offset = _single(main, _OLYMPUS_SETTINGS)
        if settings is not None and settings.type == FieldType.UNDEFINED:
            offset = settings.value_offset
        ifd = _note_ifd(note, start, offset)
        at, length = _single(ifd, _OLYMPUS_START), _single(ifd, _OLYMPUS_LENGTH)
        yield memoryview(note)[at : at + length]


def _note_ifd(note: bytes, start: int, offset: int) -> Ifd:
    """Parse an IFD of a maker note by giving the note a TIFF header; raises FadnError."""
    order: ByteOrder = "<" if note[start - 4 : start - 2] == b"II" else ">"
    header = build_header(order, ifd0_offset=offset)
    return parse(header + note[len(header) :], name="maker note", tolerant=True).ifds[0]


def _single(ifd: Ifd, tag: int) -> int:
    """Return the only integer of an entry, 0 if there is none."""
    entry = ifd.get(tag)
    try:
        return entry.ints[0] if entry is not None and entry.count == 1 else 0
    except FadnError:
        return 0
