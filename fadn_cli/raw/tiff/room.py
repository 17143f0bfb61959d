"""Where new bytes go in a file that is written: into the room that old ones left, else to the end.

Both DNG writers put samples and previews into their files with it. The one thing to know: nothing
is ever moved to make room, so what lies between two free spans stays between them.
"""

from collections.abc import Sequence
from typing import BinaryIO

from fadn_cli.raw.tiff.ifd import Span


def seek_even_end(output: BinaryIO) -> int:
    """Go to the end of a file, padded to an even offset, and return it."""
    if output.seek(0, 2) % 2:
        output.write(b"\0")
    return output.tell()


class Room:
    """The room in a file that is being written.

    Parameters
    ----------
    output : binary file
        Seekable.
    free : sequence of Span
        Parts of it that may be overwritten, none of which overlap.
    """

    def __init__(self, output: BinaryIO, free: Sequence[Span] = ()) -> None:
        self.output = output
        self._free = list(free)
        self._appended = 0

    @property
    def unused(self) -> int:
        """Bytes of the free spans that nothing has been put into."""
        return sum(stop - start for start, stop in self._free)

    @property
    def appended(self) -> int:
        """Bytes that went to the end of the file."""
        return self._appended

    def seek(self, size: int, *, rather: Sequence[Span] = ()) -> int:
        """Go to where `size` bytes fit, take that room, and return its offset, which is even.

        Parameters
        ----------
        size : int
            Bytes that will be written there.
        rather : sequence of Span
            Where to look first.
        """
        order: Sequence[int] = range(len(self._free))
        if rather:
            order = sorted(order, key=lambda index: not self._is_in(index, rather))
        for index in order:
            start, stop = self._free[index]
            even = start + start % 2
            if even + size <= stop:
                self._free[index] = (even + size, stop)
                return self.output.seek(even)
        self._appended += size
        return seek_even_end(self.output)

    def place(self, data: bytes, *, rather: Sequence[Span] = ()) -> int:
        """Write bytes where they fit, and return their offset."""
        offset = self.seek(len(data), rather=rather)
        self.output.write(data)
        return offset

    def _is_in(self, index: int, spans: Sequence[Span]) -> bool:
        """Whether a free span is a part of one of these."""
        start, stop = self._free[index]
        return any(first <= start and stop <= last for first, last in spans)
