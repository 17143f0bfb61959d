"""Which bytes of a TIFF have to stay where they are, and why.

`moving` asks before it moves the others, `raw.check` before it lets them be moved. The one thing to
know: an offset that we do not know of cannot be patched, so bytes that no known tag leads to stay,
and so does what may hold offsets of its own (a camera's notes) or is led to from there.

References
----------
TIFF 6.0, section 2; DNG 1.7.1, tags 50740 (DNGPrivateData: "self-contained") and 50933
(ExtraCameraProfiles); exiv2, "MakerNote Formats and Specifications" (which notes count from
themselves); ExifTool, "DNG Tags" (Adobe's convention in DNGPrivateData).
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fadn_cli.raw.tiff.ifd import FieldType, Span, TiffFile
from fadn_cli.raw.tiff.tags import Tag, tag_name
from fadn_cli.raw.tiff.tree import PADDING, Part, integers, is_unknown, parts_of

SELF_CONTAINED_NOTES = (b"Nikon\0\2", b"FUJIFILM", b"OLYMPUS\0", b"OM SYSTEM\0")
"""What notes begin with that count from themselves: they may be moved."""
_SELF_CONTAINED: dict[int, tuple[bytes, ...]] = {
    Tag.MAKER_NOTE: SELF_CONTAINED_NOTES,
    Tag.DNG_PRIVATE_DATA: (b"Adobe\0", b"PENTAX \0", b"SAMSUNG\0", b"RICOH\0"),
}
_LONGEST_NAME = 16  # bytes of those
_MOST_BLOBS = 100  # real files have ten
_DEEPEST_BASE = 16  # bytes from a note's beginning to where it counts from, in any maker's
_STRUCTURE = "an offset of it leads nowhere"
_OVERLAP = "parts of it overlap"
_UNREACHED = "bytes are there that no known tag leads to"
_OWN_OFFSETS = "{} may hold offsets of its own"
_LED_TO = "{} may lead there"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixed:
    """Up to where a file has to stay as it is."""

    stop: int
    """File offset: what lies behind may be moved."""
    reason: str = ""
    """Why what lies before may not, for people."""


def last_fixed(tiff: TiffFile, first: int, gone: Sequence[Span]) -> Fixed:
    """Find the last byte that has to stay where it is.

    Parameters
    ----------
    tiff : TiffFile
        Parsed with `tolerant=True`.
    first : int
        Where the search begins: what lies before is not to be moved anyway.
    gone : sequence of Span
        What is not to be kept at all.

    Raises
    ------
    RawReadError
        There are more than `tree.MAX_PIECES` strips and tiles.
    """
    parts = sorted(parts_of(tiff), key=lambda part: (part.start, part.stop))
    end = len(tiff.data)
    found = [Fixed(stop=first)]
    if tiff.lost:
        found.append(Fixed(stop=end, reason=_STRUCTURE))
    if any(part.start < before.stop for before, part in zip(parts, parts[1:], strict=False)):
        return Fixed(stop=end, reason=_OVERLAP)
    found += _unreached(tiff, first, [*((part.start, part.stop) for part in parts), *gone])
    found += _unknown_lists(tiff, first)
    spans = sorted(gone)
    others = [part for part in parts if part.start >= first and not _is_in(part, spans)]
    found += [
        Fixed(stop=part.stop, reason=_OWN_OFFSETS.format(tag_name(part.tag)))
        for part in others
        if not is_movable(tiff, part)
    ]
    found += _led_to(tiff, [part for part in parts if part.opaque], others)
    return max(found, key=lambda fixed: fixed.stop)


def is_movable(tiff: TiffFile, part: Part) -> bool:
    """Tell whether the bytes of a part mean the same wherever they lie, but for known offsets."""
    head = bytes(tiff.data[part.start : part.stop][:_LONGEST_NAME])
    return not part.opaque or head.startswith(_SELF_CONTAINED.get(part.tag, ()))


def _unreached(tiff: TiffFile, first: int, reached: Sequence[Span]) -> Iterator[Fixed]:
    """Yield what nothing leads to, but for padding."""
    at = first
    for start, stop in [*sorted(reached), (len(tiff.data), len(tiff.data))]:
        is_last = start == len(tiff.data)
        if (is_last or start - at >= PADDING) and bytes(tiff.data[at:start]).strip(b"\0"):
            yield Fixed(stop=start, reason=_UNREACHED)
        at = max(at, stop)


def _unknown_lists(tiff: TiffFile, first: int) -> Iterator[Fixed]:
    """Yield the file's end for each unknown tag whose numbers may be offsets of what would move."""
    end = len(tiff.data)
    for ifd in tiff.walk():
        for entry in ifd.entries:
            is_list = entry.type in (FieldType.LONG, FieldType.IFD) and is_unknown(ifd, entry)
            if is_list and any(first <= value < end for value in integers(ifd, entry.tag)):
                yield Fixed(stop=end, reason=_LED_TO.format(tag_name(entry.tag)))


def _led_to(tiff: TiffFile, blobs: Sequence[Part], others: Sequence[Part]) -> Iterator[Fixed]:
    """Yield the parts that a maker's own data seems to lead to."""
    if not blobs or not others:
        return
    if len(blobs) > _MOST_BLOBS:
        yield Fixed(stop=len(tiff.data), reason=_OWN_OFFSETS.format(tag_name(blobs[0].tag)))
        return
    starts = np.array([part.start for part in others], np.int64)
    pictures = np.array([part.kind == "data" for part in others])
    for blob in blobs:
        # Small numbers are everywhere: of what is near, only pictures are led to from notes.
        bases = np.array([0, *range(blob.start, blob.start + _DEEPEST_BASE + 1)])
        wanted = starts[:, None] - bases
        wanted[~pictures, 1:] = -1
        wanted[(starts >= blob.start) & (starts < blob.stop)] = -1  # parts of itself
        found = _numbers_among(bytes(tiff.data[blob.start : blob.stop]), np.unique(wanted))
        for index in np.flatnonzero(np.isin(wanted, found).any(axis=1)):
            reason = _LED_TO.format(tag_name(blob.tag))
            yield Fixed(stop=others[int(index)].stop, reason=reason)


def _numbers_among(data: bytes, wanted: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return which of some 32-bit numbers bytes hold, at any offset in either order."""
    found = [np.empty(0, np.int64)]
    for shift in range(min(4, max(0, len(data) - 3))):
        for order in ("<", ">"):
            words = np.frombuffer(data, order + "u4", (len(data) - shift) // 4, shift)
            at = np.searchsorted(wanted, words).clip(max=wanted.size - 1)
            found.append(wanted[at[wanted[at] == words]])
    return np.unique(np.concatenate(found))


def _is_in(part: Part, spans: Sequence[Span]) -> bool:
    """Tell whether a part lies in one of these, which are in order."""
    index = bisect_right(spans, (part.start, float("inf"))) - 1
    return index >= 0 and part.stop <= spans[index][1]
