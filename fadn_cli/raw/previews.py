"""The pictures a raw file shows before it is developed: find the largest.

`metadata` calls it. The one thing to know: a candidate's bytes are handed on as the file holds
them; what is no viewable JPEG (a lossless raw, a cut-off one) is passed over.

References
----------
ITU-T T.81, table B.1 (frame markers); TIFF/EP (ISO 12234-2) for previews in IFDs.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress

from fadn_cli.errors import FadnError
from fadn_cli.raw.containers import jpeg_segments
from fadn_cli.raw.tags import DATA_OFFSETS, Compression, Tag
from fadn_cli.raw.tiff import Ifd, TiffFile

PANASONIC_JPEG = 46
"""RW2: a JPEG stored as the value of a tag of IFD0."""
_VIEWABLE_FRAMES = (0xC0, 0xC1, 0xC2)  # baseline, extended, progressive; 0xC3 is a lossless raw


def largest_jpeg(candidates: Iterable[memoryview]) -> bytes | None:
    """Return a copy of the largest viewable JPEG, None if there is none."""
    by_size = sorted(candidates, key=len, reverse=True)
    return next((bytes(jpeg) for jpeg in by_size if _is_viewable(jpeg)), None)


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


def _is_viewable(jpeg: memoryview) -> bool:
    """Tell a picture from a lossless raw, and from something that is no JPEG."""
    return any(marker in _VIEWABLE_FRAMES for marker, _ in jpeg_segments(jpeg))


def _single(ifd: Ifd, tag: Tag) -> int:
    """Return the only integer of an entry, 0 if there is none."""
    entry = ifd.get(tag)
    try:
        return entry.ints[0] if entry is not None and entry.count == 1 else 0
    except FadnError:
        return 0
