"""A state file's lines, found by output: read once, and after that only what has been appended.

`ledger` asks. The one thing to know: a folder's state file may hold a hundred thousand lines and
grow while a batch runs, in this process or another, so only where each line begins is kept; and a
file that was replaced, cut off or rewritten is read anew.
"""

import json
import os
import re
import threading
from array import array
from collections import OrderedDict
from pathlib import Path
from typing import BinaryIO

from fadn_cli.system.opening import open_plain

LONGEST_LINE = 64 << 10
"""Bytes; what is longer is none of ours, and passed over."""
_MOST_FILES = 64  # that are remembered at once
_KEPT = 256  # bytes before the end by which a file that has grown is known again
_NAME = re.compile(rb'"output"\s*:\s*("(?:[^"\\]|\\.)*")')


class History:
    """The lines of one state file, by the output that they are about.

    Parameters
    ----------
    path : Path
        The file; it need not be there, nor stay the same.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._forget()

    def lines(self, output: str) -> list[bytes]:
        """Return the lines that may be about an output, the oldest first.

        None where there is no file, or none that is plain and can be read.
        """
        with self._lock:
            try:
                with os.fdopen(open_plain(self._path, follow=False), "rb") as file:
                    self._catch_up(file)
                    found = [self._line_at(file, at) for at in self._places.get(output, ())]
            except OSError:
                self._forget()
                return []
            return [*found, self._rest] if _name_in(self._rest) == output else found

    def _forget(self) -> None:
        """Know nothing."""
        self._places: dict[str, array[int]] = {}
        self._file = (0, 0)  # device and inode
        self._changed = 0  # when, nanoseconds
        self._end = 0  # of the last whole line
        self._before_end = b""
        self._rest = b""  # a line that is not, or not yet, whole

    def _catch_up(self, file: BinaryIO) -> None:
        """Read what was not there the last time."""
        seen = os.fstat(file.fileno())
        size, changed = self._end + len(self._rest), seen.st_mtime_ns
        same_file = (seen.st_dev, seen.st_ino) == self._file
        if same_file and (seen.st_size, changed) == (size, self._changed):
            return
        if not same_file or seen.st_size <= size or not self._is_continued(file):
            self._forget()
        self._file, self._changed = (seen.st_dev, seen.st_ino), changed
        file.seek(self._end)
        while line := file.readline(LONGEST_LINE):
            if not line.endswith(b"\n") and len(line) < LONGEST_LINE:
                self._rest = line
                break
            if name := _name_in(line):
                self._places.setdefault(name, array("q")).append(self._end)
            self._end += len(line)
            self._before_end = (self._before_end + line)[-_KEPT:]
            self._rest = b""

    def _is_continued(self, file: BinaryIO) -> bool:
        """Whether what was read is still there."""
        file.seek(self._end - len(self._before_end))
        kept = self._before_end + self._rest
        return file.read(len(kept)) == kept

    def _line_at(self, file: BinaryIO, place: int) -> bytes:
        """Read one line again."""
        file.seek(place)
        return file.readline(LONGEST_LINE)


_histories: OrderedDict[Path, History] = OrderedDict()
_lock = threading.Lock()


def history_of(path: Path) -> History:
    """Return what is known of a state file, in this process, from one time to the next."""
    with _lock:
        known = _histories.pop(path, None) or History(path)
        _histories[path] = known
        while len(_histories) > _MOST_FILES:
            _histories.popitem(last=False)
        return known


def _name_in(line: bytes) -> str:
    """Return the output that a line is about; empty for what is none of ours."""
    found = _NAME.search(line)
    try:
        return str(json.loads(found[1])) if found else ""
    except ValueError:
        return ""
