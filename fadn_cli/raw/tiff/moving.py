"""A file without some of its bytes: what follows them moves down, and so do the offsets of it.

`splice` calls it. The one thing to know: what `fixed` says has to stay does so, and all before it;
bytes that go from there leave free room, those behind it are closed up.

References
----------
TIFF 6.0, section 2.
"""

import struct
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from fadn_cli.errors import RawReadError
from fadn_cli.raw.tiff.file import POINTER_TAGS
from fadn_cli.raw.tiff.fixed import last_fixed
from fadn_cli.raw.tiff.ifd import LETTERS, Entry, Ifd, Span, TiffFile
from fadn_cli.raw.tiff.tags import DATA_OFFSETS
from fadn_cli.raw.tiff.tree import parts_of

_HEADER_POINTER = 4  # where the header holds the offset of IFD0
_ALIGNMENT = 16  # what moves keeps its place within so many bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Moves:
    """What of a file is kept, and where it goes."""

    blocks: tuple[tuple[int, int, int], ...]
    """(start, stop, target): where a stretch lies, and where it goes; in order."""
    free: tuple[Span, ...]
    """What goes and leaves room, since something behind it has to stay."""
    reason: str
    """Why that has to, for people; empty if nothing has."""

    @property
    def any(self) -> bool:
        """Whether anything moves at all."""
        return any(start != target for start, _, target in self.blocks)

    def target(self, offset: int) -> int:
        """Return where a byte goes; one that does not stays the same."""
        index = bisect_right(self.blocks, offset, key=lambda block: block[0]) - 1
        if index < 0:
            return offset
        start, stop, target = self.blocks[index]
        return offset - start + target if offset < stop else offset


def plan_moves(tiff: TiffFile, gone: Sequence[Span], *, first: int) -> Moves:
    """Plan a file without some of its bytes.

    Parameters
    ----------
    tiff : TiffFile
        Parsed with `tolerant=True`.
    gone : sequence of Span
        What is not kept; none of it is part of anything else.
    first : int
        What lies before this offset does not move; what goes from there leaves free room.

    Raises
    ------
    RawReadError
        There are more than `tree.MAX_PIECES` strips and tiles.
    """
    spans = sorted(gone)
    end = len(tiff.data)
    fixed = last_fixed(tiff, first, spans)
    free = [span for span in spans if span[0] < fixed.stop]
    closed = spans[len(free) :]
    starts = [0, *(stop for _, stop in closed)]
    stops = [*(start for start, _ in closed), end]
    kept = sorted(part.start for part in parts_of(tiff))
    blocks, at = [], 0
    for start, stop in zip(starts, stops, strict=True):
        if start and _is_padding(tiff, start, stop, kept):
            continue
        at += (start - at) % _ALIGNMENT
        blocks.append((start, stop, at))
        at += stop - start
    reason = fixed.reason if any(start >= first for start, _ in free) else ""
    return Moves(blocks=tuple(blocks), free=tuple(free), reason=reason)


def write_moved(output: BinaryIO, tiff: TiffFile, moves: Moves) -> None:
    """Write what is kept of a file into an empty one, every known offset patched.

    Parameters
    ----------
    output : binary file
        Seekable; left at its end.
    tiff : TiffFile
        The source.
    moves : Moves
        As planned for it.
    """
    for start, stop, target in moves.blocks:
        output.write(bytes(target - output.tell()))
        output.write(tiff.data[start:stop])
    if moves.any:
        for at, old in _offsets(tiff):
            new = moves.target(old)
            if new != old:
                output.seek(moves.target(at[0]))
                output.write(struct.pack(tiff.byteorder + at[1], new))
        output.seek(0, 2)


def _is_padding(tiff: TiffFile, start: int, stop: int, kept: Sequence[int]) -> bool:
    """Tell whether a stretch holds nothing but zeros that nothing leads to."""
    leads_there = bisect_left(kept, stop) > bisect_left(kept, start)
    return not leads_there and not bytes(tiff.data[start:stop]).strip(b"\0")


def _offsets(tiff: TiffFile) -> Iterator[tuple[tuple[int, str], int]]:
    """Yield every known offset of a file: where it lies and how it is stored, and its value."""
    yield (_HEADER_POINTER, "I"), tiff.ifds[0].offset
    for ifd in tiff.walk():
        if ifd.next_offset:
            yield (ifd.next_pointer, "I"), ifd.next_offset
        for entry in ifd.entries:
            yield from _entry_offsets(ifd, entry)


def _entry_offsets(ifd: Ifd, entry: Entry) -> Iterator[tuple[tuple[int, str], int]]:
    """Yield the offsets that an entry holds."""
    try:
        outside = entry.size > 4
        values = entry.ints if entry.tag in POINTER_TAGS or entry.tag in DATA_OFFSETS else ()
    except RawReadError:  # no readers find anything by it
        return
    if outside:
        yield (entry.location + 8, "I"), entry.value_offset
    letter = LETTERS[entry.type]
    for index, value in enumerate(values):
        yield (entry.value_offset + index * struct.calcsize("<" + letter), letter), value
