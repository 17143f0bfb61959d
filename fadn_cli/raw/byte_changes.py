"""Which bytes of a DNG changed in a copy of it, though only samples and pointers were replaced.

`verify` calls it. The one thing to know: a spliced DNG keeps every byte of its source where it was,
but for the old samples, the pointers to the IFDs that were written anew, and a preview that was
rendered anew.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from fadn_cli.findings import ByteChange
from fadn_cli.raw.ifd import Ifd, TiffFile
from fadn_cli.raw.tag_changes import is_rendered_anew
from fadn_cli.raw.tree import PADDING, data_spans, name_ifds, parts_of

Span = tuple[int, int]
"""File offsets: first byte, first byte after."""
MAX_CHANGES = 100
"""Stretches that are told apart; a file that differs in more is another file."""
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
    samples = _joined([(start, stop) for _, start, stop in data_spans(raw_ifd)])
    chained = (ifd.next_pointer for ifd in source.walk() if ifd.next_offset == raw_ifd.offset)
    replaced = [(at, at + 4) for at in (4, raw_ifd.pointer_offset, *chained)]
    replaced += _pictures(source, output)
    size = len(source.data)
    if samples and size - samples[-1][1] < PADDING and not any(source.data[samples[-1][1] :]):
        samples[-1] = (samples[-1][0], size)  # padding after the last strip
    others = [
        (part.start, part.stop)
        for part in parts_of(source)
        if not (part.kind == "data" and name_ifds(source)[part.ifd] is raw_ifd)
    ]
    replaced += _without(samples, others)
    at = 0
    for start, stop in sorted(replaced):
        if at < start:
            yield at, min(start, size)
        at = max(at, stop)
    if at < size:
        yield at, size


def _pictures(source: TiffFile, output: TiffFile) -> list[Span]:
    """Return where the previews lay that were rendered anew."""
    after = name_ifds(output)
    return [
        (start, stop)
        for name, ifd in name_ifds(source).items()
        if name in after and is_rendered_anew(ifd, after[name])
        for _, start, stop in data_spans(ifd)
    ]


def _joined(spans: Sequence[Span]) -> list[Span]:
    """Join spans with nothing but padding between them."""
    joined: list[Span] = []
    for start, stop in sorted(spans):
        if joined and start < joined[-1][1] + PADDING:
            joined[-1] = (joined[-1][0], max(stop, joined[-1][1]))
        else:
            joined.append((start, stop))
    return joined


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
