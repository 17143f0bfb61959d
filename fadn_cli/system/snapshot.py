"""A source as it was when it was opened: read once, and all that follows is of these bytes.

`pipeline` holds a snapshot for as long as it works on a file; whatever maps, decodes or hashes that
file meanwhile, in the same thread, gets the bytes held. The one thing to know: a file may be
replaced, cut off or lost at any moment of the work, and one file's pixels must never get into an
output with another's metadata.
"""

import hashlib
import io
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cached_property
from pathlib import Path

from fadn_cli.errors import RawReadError, SourceChangedError
from fadn_cli.system.opening import open_plain, unreadable

LARGEST_HELD = 512 << 20
"""Bytes. A larger file is mapped, not held: the largest raws take some 300 MB, but disk images of
any size are called .raw too. Its snapshot still notices a change."""
_TRUNCATED = "The file looks truncated or damaged; copy it again from the card."


class Snapshot:
    """What a file was when it was opened.

    Parameters
    ----------
    path : Path
        A plain file.

    Raises
    ------
    RawReadError
        It cannot be read, is empty, or changes while it is read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with os.fdopen(open_plain(path), "rb") as file:
                self._seen = _identify(os.fstat(file.fileno()))
                held = self.size <= LARGEST_HELD
                self.data = file.read() if held else None
                changed = _identify(os.fstat(file.fileno())) != self._seen
        except (OSError, ValueError) as error:
            raise unreadable(path, error) from error
        if not self.size:
            raise RawReadError(f"{path.name}: the file is empty (0 bytes)", advice=_TRUNCATED)
        if changed or (self.data is not None and len(self.data) != self.size):
            raise self._changed("changed while it was read")

    data: bytes | None
    """All of it; None if it is too large to be held."""

    @property
    def size(self) -> int:
        """In bytes."""
        return self._seen[2]

    @cached_property
    def sha256(self) -> str:
        """Hash, hexadecimal."""
        if self.data is not None:
            return hashlib.sha256(self.data).hexdigest()
        return hash_file(self.path)

    def check(self) -> None:
        """Make sure that the file still is what was read.

        A file that only was copied to its place again, or touched, is: its content decides.

        Raises
        ------
        SourceChangedError
            It is another one now, or gone.
        """
        try:
            now = _identify(self.path.stat())
            if now == self._seen:
                return
            if (
                now[2] == self.size
                and self.data is not None
                and hash_file(self.path) == self.sha256
            ):
                return
        except (OSError, RawReadError) as error:
            raise self._changed("is gone, or cannot be read any more") from error
        raise self._changed(f"was {self.size} bytes, is {now[2]}; replaced or changed")

    def _changed(self, how: str) -> SourceChangedError:
        """Make the error for a file that is not what it was."""
        return SourceChangedError(
            f"{self.path.name}: {how} while fadn worked on it",
            advice="Wait until it is copied or saved, and run the same command again.",
        )


_held: ContextVar[Mapping[Path, Snapshot]] = ContextVar("_held", default={})  # noqa: B039


@contextmanager
def hold(path: Path) -> Iterator[Snapshot]:
    """Take a snapshot of a file; until the block ends, this thread sees the file as it was.

    Raises
    ------
    RawReadError
        See `Snapshot`.
    """
    known = _held.get().get(path)
    if known is not None:
        yield known
        return
    snapshot = Snapshot(path)
    token = _held.set({**_held.get(), path: snapshot})
    try:
        yield snapshot
    finally:
        _held.reset(token)


def held_bytes(path: Path) -> bytes | None:
    """Return a file's bytes if a snapshot holds them."""
    snapshot = _held.get().get(path)
    return None if snapshot is None else snapshot.data


def size_of(path: Path) -> int:
    """Return a file's size in bytes: as it was, if a snapshot holds it."""
    snapshot = _held.get().get(path)
    return path.stat().st_size if snapshot is None else snapshot.size


def is_held(data: memoryview) -> bool:
    """Tell whether these are bytes that no change of a file can reach."""
    return isinstance(data.obj, bytes)


def open_held(path: Path) -> io.BufferedReader | io.BytesIO:
    """Open a file to be read: as it was, if a snapshot holds it.

    Raises
    ------
    OSError
        See `opening.open_plain`.
    """
    data = held_bytes(path)
    return os.fdopen(open_plain(path), "rb") if data is None else io.BytesIO(data)


def hash_file(path: Path) -> str:
    """Hash a file as it is now, hexadecimal.

    Raises
    ------
    RawReadError
        It cannot be read.
    """
    try:
        with os.fdopen(open_plain(path), "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise unreadable(path, error) from error


def _identify(seen: os.stat_result) -> tuple[int, int, int, int]:
    """Tell a file from another one at its place, and from itself after a change."""
    return (seen.st_dev, seen.st_ino, seen.st_size, seen.st_mtime_ns)
