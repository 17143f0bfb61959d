"""Which bytes of a DNG changed in a copy of it, though only samples and pointers were replaced.

`verify` calls it. The one thing to know: a spliced DNG keeps every byte of its source where it was,
but for the old samples, previews that were rendered anew or left out, and the pointers to the IFDs
that were written anew.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from fadn_cli.findings import ByteChange
from fadn_cli.raw.check.pairs import pair_ifds
from fadn_cli.raw.tiff.ifd import Ifd, Span, TiffFile
from fadn_cli.raw.tiff.tree import PADDING, data_spans, joined, name_ifds, parts_of

MAX_CHANGES = 100
"""Stretches that are told apart; a file that differs in more is another file."""
_REPLACED = ("rendered", "dropped")  # fates of a preview whose pixels are not there any more
_NEIGHBOUR = 16  # differing bytes this near each other are one change
_CHUNK = 1 << 22


def compare_bytes(source: TiffFile, output: TiffFile, *, raw_ifd: Ifd) -> list[ByteChange]:
    """Find the bytes that should have stayed where they were, and did not.

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
    for start, stop in _kept(source, output, raw_ifd):
        common = min(stop, max(start, len(output.data)))
        found += _differences(source.data, output.data, start, common)
        if common < stop:
            found.append(ByteChange(offset=common, length=stop - common))
        if len(found) >= MAX_CHANGES:
            break
    return found[:MAX_CHANGES]


def _kept(source: TiffFile, output: TiffFile, raw_ifd: Ifd) -> Iterator[Span]:
    """Yield what of the source should be in the output, in order."""
    pairs = [pair for pair in pair_ifds(source, output) if pair.before is not None]
    renewed = [raw_ifd, *(p.before for p in pairs if p.before and p.fate == "rendered")]
    replaced = [raw_ifd, *(p.before for p in pairs if p.before and p.fate in _REPLACED)]
    pixels = joined((start, stop) for ifd in replaced for _, start, stop in data_spans(ifd))
    size = len(source.data)
    if pixels and size - pixels[-1][1] < PADDING and not any(source.data[pixels[-1][1] :]):
        pixels[-1] = (pixels[-1][0], size)  # padding after the last strip
    others = [
        (part.start, part.stop)
        for part in parts_of(source)
        if not (part.kind == "data" and name_ifds(source)[part.ifd] in replaced)
    ]
    moved = [ifd.offset for ifd in renewed]
    pointers = [ifd.next_pointer for ifd in source.walk() if ifd.next_offset in moved]
    pointers += [4, *(ifd.pointer_offset for ifd in renewed)]
    free = [(at, at + 4) for at in pointers]
    free += _without(pixels, others)
    at = 0
    for start, stop in sorted(free):
        if at < start:
            yield at, min(start, size)
        at = max(at, stop)
    if at < size:
        yield at, size


def _without(spans: Sequence[Span], others: Sequence[Span]) -> Iterator[Span]:
    """Cut out of spans what is something else."""
    ordered = sorted(others)
    for start, stop in spans:
        at = start
        for other_start, other_stop in ordered:
            if other_stop > at and other_start < stop:
                if at < other_start:
                    yield at, other_start
                at = max(at, other_stop)
        if at < stop:
            yield at, stop


def _differences(
    before: memoryview, after: memoryview, start: int, stop: int
) -> Iterator[ByteChange]:
    """Yield where two files differ between two offsets, neighbours joined."""
    for at in range(start, stop, _CHUNK):
        end = min(at + _CHUNK, stop)
        if before[at:end] == after[at:end]:
            continue
        old, new = (np.frombuffer(data[at:end], np.uint8) for data in (before, after))
        where = np.flatnonzero(old != new)
        ends = np.flatnonzero(np.diff(where) > _NEIGHBOUR)[:MAX_CHANGES]
        firsts = where[np.concatenate([[0], ends + 1])]
        lasts = where[np.concatenate([ends, [where.size - 1]])]
        for first, last in zip(firsts, lasts, strict=True):
            yield ByteChange(offset=at + int(first), length=int(last - first) + 1)
