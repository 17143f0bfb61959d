"""Files that somebody else may have prepared, opened: plain ones only, and never waited for.

Whoever opens a file that fadn has not made itself in the same breath calls it: sources, state
files, presets, lists, what lies at the name of a temporary file. The one thing to know: a named
pipe or a device is refused rather than waited for, and where only fadn itself can have made a
file, a symbolic link in its place is not followed.
"""

import errno
import io
import os
import stat
from pathlib import Path

from fadn_cli.errors import RawReadError

_KINDS = (
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISLNK, "a symbolic link"),
)
_ADVICE = {
    errno.EACCES: "Check its permissions: another user may own it.",
    errno.EPERM: "Check its permissions: another user may own it.",
    errno.EMFILE: "Raise the limit of open files (ulimit -n), or use fewer --jobs.",
    errno.ENFILE: "Close other programs: this machine has no room for another open file.",
    errno.ENOMEM: "Close other programs, or use fewer --jobs: memory is short.",
    errno.ELOOP: "It is a link that leads in a circle: name the photograph itself.",
    errno.ENAMETOOLONG: "Check how the name is spelled: no disk has room for it.",
    errno.EIO: "The disk or card fails to read it: copy it again, from another reader if you can.",
}
_OTHER_ADVICE = "Check that the file is a plain file and that you may read it."


class NotPlainError(OSError):
    """A pipe, a device or the like, or a link where none may be; `strerror` says which."""


def open_plain(
    path: Path, *, write: bool = False, create: bool = False, follow: bool = True
) -> int:
    """Open a plain file, and never wait for whoever is at the other end of something else.

    Parameters
    ----------
    path : Path
    write : bool
        To read and write, at the end of what is there; else only to read.
    create : bool
        Make it if it is not there, its permissions as the umask says.
    follow : bool
        Whether a symbolic link is followed.

    Returns
    -------
    int
        A descriptor, which the caller closes.

    Raises
    ------
    NotPlainError
        It is no plain file.
    OSError
        The system refused.
    """
    flags = (os.O_RDWR | os.O_APPEND) if write else os.O_RDONLY
    flags |= os.O_CREAT if create else 0
    for name in ("O_BINARY", "O_NONBLOCK", "O_NOCTTY", "O_CLOEXEC"):
        flags |= getattr(os, name, 0)
    flags |= 0 if follow else getattr(os, "O_NOFOLLOW", 0)
    try:  # before it is opened: opening a device may already do something
        _refuse_others(path, path.stat(follow_symlinks=follow))
    except FileNotFoundError:
        if not create:
            raise
    descriptor = os.open(path, flags, 0o666)
    try:
        _refuse_others(path, os.fstat(descriptor))
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def read_plain(path: Path, *, limit: int | None = None, follow: bool = True) -> bytes:
    """Read a plain file whole.

    Parameters
    ----------
    path : Path
    limit : int, optional
        Bytes; a larger file is an OSError (EFBIG).
    follow : bool
        Whether a symbolic link is followed.

    Raises
    ------
    OSError
        See `open_plain`.
    """
    with os.fdopen(open_plain(path, follow=follow), "rb") as file:
        # Asked for so many bytes, Python takes the memory for all of them at once.
        if limit is not None and os.fstat(file.fileno()).st_size > limit:
            raise OSError(errno.EFBIG, f"more than {limit} bytes", str(path))
        return file.read()


def open_anew(path: Path) -> io.BufferedRandom:
    """Open a file of ours to write it from its beginning; it is made if it is not there.

    Raises
    ------
    OSError
        The system refused, or a link has been put in its place.
    """
    # Not by its descriptor: tifffile asks such a file for its name.
    return open(path, "w+b", opener=_open_without_link)  # noqa: PTH123, SIM115


def _open_without_link(path: str, flags: int) -> int:
    """Open for `open_anew`."""
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o666)


def write_plain(path: Path, content: bytes | str) -> None:
    """Write a file of ours whole, a text as UTF-8; see `open_anew`."""
    with open_anew(path) as file:
        file.write(content.encode() if isinstance(content, str) else content)


def unreadable(path: Path, error: Exception) -> RawReadError:
    """Say why a photograph cannot be read, and what to do about it."""
    if isinstance(error, FileNotFoundError):
        return RawReadError(f"{path}: no such file", advice="Check the path.")
    if isinstance(error, IsADirectoryError):
        return RawReadError(f"{path}: is a folder, not a raw file", advice="Name a file.")
    reason = getattr(error, "strerror", None) or str(error)
    advice = _ADVICE.get(getattr(error, "errno", None) or 0, _OTHER_ADVICE)
    return RawReadError(f"{path}: cannot be read: {reason}", advice=advice)


def _refuse_others(path: Path, seen: os.stat_result) -> None:
    """Refuse what is no plain file; the null device passes for an empty one."""
    if stat.S_ISREG(seen.st_mode) or _is_null(seen):
        return
    if stat.S_ISDIR(seen.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    kind = next((name for is_kind, name in _KINDS if is_kind(seen.st_mode)), "something else")
    raise NotPlainError(errno.EINVAL, f"{kind}, not a plain file", str(path))


def _is_null(seen: os.stat_result) -> bool:
    """Whether it is /dev/null, which people give where they mean no file at all."""
    if not stat.S_ISCHR(seen.st_mode):
        return False
    null = Path(os.devnull).stat()
    return (seen.st_dev, seen.st_ino, seen.st_rdev) == (null.st_dev, null.st_ino, null.st_rdev)
