"""Which bytes of a DNG changed in a copy of it, though only samples and pointers were replaced.

`verify` calls it. The one thing to know: a spliced DNG keeps every byte where it was, but offsets,
before its samples and the previews that were rendered anew or left out. What lies behind may be
somewhere else, if the copy's tags lead there, and if it means the same there; values of tags are
`tag_changes`' business, wherever they lie.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from fadn_cli.errors import RawReadError
from fadn_cli.findings import ByteChange
from fadn_cli.raw.check.pairs import Pair, pair_ifds
from fadn_cli.raw.tiff.file import POINTER_TAGS
from fadn_cli.raw.tiff.fixed import is_movable
from fadn_cli.raw.tiff.ifd import Ifd, Span, TiffFile
from fadn_cli.raw.tiff.tags import DATA_OFFSETS
from fadn_cli.raw.tiff.tree import PADDING, Part, data_spans, joined, name_ifds, parts_of

MAX_CHANGES = 100
"""Stretches that are told apart; a file that differs in more is another file."""
_REPLACED = ("rendered", "dropped")  # fates of a preview whose pixels are not there any more
_NEIGHBOUR = 16  # differing bytes this near each other are one change
_CHUNK = 1 << 22
_POINTER = 4  # bytes


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Bytes of the source that the copy is to have."""

    start: int
    stop: int
    shift: int = 0
    """How many bytes further on they lie in the copy."""


def compare_bytes(source: TiffFile, output: TiffFile, *, raw_ifd: Ifd) -> list[ByteChange]:
    """Find the bytes that should have stayed what they were, and did not.

    Parameters
    ----------
    source, output : TiffFile
        Parsed with `tolerant=True`.
    raw_ifd : Ifd
        The source's.

    Returns
    -------
    list of ByteChange
        At most MAX_CHANGES; what is missing at the end counts as changed.
    """
    found: list[ByteChange] = []
    for stretch in _kept(source, output, raw_ifd):
        start, stop, shift = stretch.start, stretch.stop, stretch.shift
        common = min(stop, max(start, len(output.data) - shift))
        found += _differences(source.data, output.data, start, common, shift)
        if common < stop:
            found.append(ByteChange(offset=common, length=stop - common))
        if len(found) >= MAX_CHANGES:
            break
    return found[:MAX_CHANGES]


def _kept(source: TiffFile, output: TiffFile, raw_ifd: Ifd) -> Iterator[_Stretch]:
    """Yield what of the source should be in the output: what has stayed first, then the rest."""
    pairs = pair_ifds(source, output)
    replaced = [p.before for p in pairs if p.before and p.fate in _REPLACED]
    pixels = _pixels(source, [raw_ifd, *replaced])
    ifds = name_ifds(source)
    others = [
        part
        for part in parts_of(source)
        if not (part.kind == "data" and ifds[part.ifd] in [raw_ifd, *replaced])
    ]
    starts = (start for ifd in (raw_ifd, *replaced) for _, start, _ in data_spans(ifd))
    first = min(starts, default=len(source.data))
    rewritten = [source.ifds[0], raw_ifd, *replaced]
    free = [*_without(pixels, [(part.start, part.stop) for part in others])]
    moved = list(_moved(source, pairs, [part for part in others if part.start >= first], rewritten))
    free += [(part.start, part.stop) for part, _ in moved]
    offsets = list(_offsets(source))
    free += offsets
    free += _padding(source, first, [*((part.start, part.stop) for part in others), *pixels])
    yield from (_Stretch(*span) for span in _between(0, len(source.data), free))
    for part, target in moved:
        if target is not None:
            shift = target - part.start
            rest = _between(part.start, part.stop, offsets if part.kind == "ifd" else ())
            yield from (_Stretch(*span, shift) for span in rest)


def _pixels(source: TiffFile, ifds: Sequence[Ifd]) -> list[Span]:
    """Return where pixels lie that may be replaced."""
    pixels = joined((start, stop) for ifd in ifds for _, start, stop in data_spans(ifd))
    size = len(source.data)
    if pixels and size - pixels[-1][1] < PADDING and not any(source.data[pixels[-1][1] :]):
        pixels[-1] = (pixels[-1][0], size)  # padding after the last strip
    return pixels


def _moved(
    source: TiffFile, pairs: Sequence[Pair], parts: Sequence[Part], rewritten: Sequence[Ifd]
) -> Iterator[tuple[Part, int | None]]:
    """Yield what is not where it was, and where it is to be found; None if tags are compared."""
    by_name = {pair.name: pair for pair in pairs}
    at = {name: dict(_pieces(pair)) for name, pair in by_name.items()}
    for part in parts:
        pair = by_name.get(part.ifd)
        if pair is None or pair.before is None:
            continue
        if part.kind == "data":
            target = at[part.ifd].get((part.tag, part.start))
            if target is not None and target != part.start:
                yield part, target
        elif part.kind == "ifd":
            if pair.before in rewritten or pair.after is None:
                yield part, None
            elif pair.after.offset != part.start:
                yield part, pair.after.offset
        elif _value_offset(pair.after, part.tag) != part.start and is_movable(source, part):
            yield part, None


def _pieces(pair: Pair) -> Iterator[tuple[tuple[int, int], int]]:
    """Yield for each strip or tile of an IFD, by its tag and place, where the copy has it."""
    if pair.before is not None and pair.after is not None:
        both = zip(data_spans(pair.before), data_spans(pair.after), strict=False)
        for (tag, start, stop), (other, new_start, new_stop) in both:
            if tag == other and stop - start == new_stop - new_start:
                yield (tag, start), new_start


def _value_offset(ifd: Ifd | None, tag: int) -> int:
    """Return where the values of a tag lie; -1 if there are none."""
    entry = None if ifd is None else ifd.get(tag)
    try:
        return -1 if entry is None else entry.value_offset
    except RawReadError:
        return -1


def _offsets(tiff: TiffFile) -> Iterator[Span]:
    """Yield where a file has its offsets: what they lead to is compared instead."""
    yield (_POINTER, 2 * _POINTER)
    for ifd in tiff.walk():
        if ifd.next_offset:
            yield (ifd.next_pointer, ifd.next_pointer + _POINTER)
        for entry in ifd.entries:
            try:
                start, size = entry.value_offset, entry.size
            except RawReadError:
                continue
            if size > _POINTER:
                yield (entry.location + 8, entry.location + 12)
            if entry.tag in POINTER_TAGS or entry.tag in DATA_OFFSETS:
                yield (start, start + size)


def _padding(source: TiffFile, first: int, reached: Sequence[Span]) -> Iterator[Span]:
    """Yield what lies between parts behind the samples, and is nothing."""
    at = first
    for start, stop in sorted(reached):
        if at < start and (start - at < PADDING or not bytes(source.data[at:start]).strip(b"\0")):
            yield at, start
        at = max(at, stop)


def _between(start: int, stop: int, free: Sequence[Span]) -> Iterator[Span]:
    """Yield what of a stretch is not free, in order."""
    at = start
    for free_start, free_stop in sorted(free):
        if free_stop <= at:
            continue
        if free_start >= stop:
            break
        if at < free_start:
            yield at, free_start
        at = max(at, free_stop)
    if at < stop:
        yield at, stop


def _without(spans: Sequence[Span], others: Sequence[Span]) -> Iterator[Span]:
    """Cut out of spans what is something else."""
    for start, stop in spans:
        yield from _between(start, stop, others)


def _differences(
    before: memoryview, after: memoryview, start: int, stop: int, shift: int
) -> Iterator[ByteChange]:
    """Yield where two files differ between two offsets of the first, neighbours joined."""
    for at in range(start, stop, _CHUNK):
        end = min(at + _CHUNK, stop)
        if before[at:end] == after[at + shift : end + shift]:
            continue
        old = np.frombuffer(before[at:end], np.uint8)
        new = np.frombuffer(after[at + shift : end + shift], np.uint8)
        where = np.flatnonzero(old != new)
        ends = np.flatnonzero(np.diff(where) > _NEIGHBOUR)[:MAX_CHANGES]
        firsts = where[np.concatenate([[0], ends + 1])]
        lasts = where[np.concatenate([ends, [where.size - 1]])]
        for first, last in zip(firsts, lasts, strict=True):
            yield ByteChange(offset=at + int(first), length=int(last - first) + 1)
