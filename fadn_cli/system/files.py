"""Write an output so that it is either whole or not there, and never the source.

Called by `pipeline` around every writer. The one thing to know: writers get a temporary path in the
output's own folder, and the final name appears only after they are done. The temporary file is also
the claim on the output: it is locked for as long as its owner lives, so two owners never meet, and
one that can be locked was left by a killed process. Folders are created by the caller, who knows
the whole plan.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from fadn_cli.errors import OutputExistsError, WriteError
from fadn_cli.system.signals import undivided
from fadn_cli.system.temporary import (
    close_for_renaming,
    create_locked,
    disown,
    is_open_at,
    temporary_of,
)

_ADVICE = {
    errno.ENOSPC: "Free some disk space, or choose a folder on another disk.",
    errno.EDQUOT: "Free some of your disk quota, or choose a folder on another disk.",
    errno.EFBIG: "The disk or a limit refuses files this large; choose a folder on another disk.",
    errno.EACCES: "Choose a folder that you may write to.",
    errno.EPERM: "Choose a folder that you may write to.",
    errno.EROFS: "The disk is read-only; choose a folder on another disk.",
    errno.ENOENT: "Create the folder first, or choose one that exists.",
    errno.ENOTDIR: "Part of the path is a file; choose another folder.",
    errno.EISDIR: "A folder has that name; choose another name.",
    errno.ENAMETOOLONG: "Choose a shorter name.",
    errno.EMFILE: "Raise the limit of open files (ulimit -n), or use fewer --jobs.",
    errno.ENFILE: "Close other programs: this machine has no room for another open file.",
    errno.ENOMEM: "Close other programs, or use fewer --jobs: memory is short.",
}
_NO_FSYNC = (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP)
"""What a disk says on which a file cannot be told to be stored at once."""
_OTHER_ADVICE = "Check the disk, or choose another folder."


def ensure_not_source(source: Path, output: Path) -> None:
    """Refuse an output that is the source, whatever name or link leads to it.

    Symbolic and hard links count, and so does a name that differs only in case where the file
    system ignores case.

    Raises
    ------
    WriteError
        Both paths lead to one file.
    """
    same = os.path.realpath(source) == os.path.realpath(output)
    with suppress(OSError):  # one of them does not exist: then they are not the same file
        same = same or source.samefile(output)
    if same:
        raise WriteError(
            f"{output.name}: the output is the source file {source}",
            advice="Choose another name or folder; the source is never overwritten.",
        )


def make_folder(folder: Path, *, advice: str) -> None:
    """Create the folder of an output, and those above it, where it does not exist.

    Raises
    ------
    WriteError
        The system refused; with the advice, since the caller knows how the user named the folder.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(
            f"{folder}: the output folder cannot be created: {error.strerror}", advice=advice
        ) from error


@contextmanager
def atomic_output(path: Path, *, overwrite: bool) -> Iterator[Path]:
    """Give a temporary file in the output's folder; rename it to `path` when the block succeeds.

    Whatever ends the block otherwise, Ctrl-C included, removes the temporary file and leaves an
    earlier file at `path` as it was. A symbolic link at `path` is itself replaced; the file it
    points to is not touched.

    Parameters
    ----------
    path : Path
        The final name; its folder must exist.
    overwrite : bool
        Replace an existing file. Without it, a file that appears while the block runs survives too.

    Yields
    ------
    Path
        An empty file that the block writes.

    Raises
    ------
    OutputBusyError
        Another process, or another thread of this one, is writing `path`.
    OutputExistsError
        `path` exists and `overwrite` is false, or whether somebody is writing it cannot be told.
    WriteError
        Something else has the temporary file's name, or the system refused: disk full, no
        permission, no such folder. Every `OSError` of the block counts, so reading errors must be
        caught inside it.
    """
    if not overwrite and os.path.lexists(path):
        raise _exists(path)
    try:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        with _claim(path) as (temporary, descriptor):
            yield temporary
            to_disk(descriptor)
            with undivided():
                _move_into_place(temporary, descriptor, path, overwrite=overwrite)
    except OSError as error:
        raise WriteError(
            f"{path.name}: cannot be written to {path.parent}: {error.strerror or error}",
            advice=_ADVICE.get(error.errno or 0, _OTHER_ADVICE),
        ) from error


def to_disk(descriptor: int) -> None:
    """Have the system put a file's bytes on its disk, which it would do in its own time.

    Else a power cut could leave a name without its bytes, and a disk that turns out to be full or
    faulty only then, as those of a network do, would be noticed by nobody.

    Raises
    ------
    OSError
        They are not on the disk.
    """
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NO_FSYNC:
            raise


def _exists(path: Path) -> OutputExistsError:
    """Make the error for an output that is already there."""
    return OutputExistsError(
        f"{path.name}: already exists in {path.parent}",
        advice="Use --overwrite to replace it, or choose another name or folder.",
    )


@contextmanager
def _claim(path: Path) -> Iterator[tuple[Path, int]]:
    """Hold an output's temporary file, locked; remove it if the block fails."""
    temporary = temporary_of(path)
    descriptor = None
    try:
        with undivided():
            descriptor = create_locked(temporary, path)
        yield temporary, descriptor
    except BaseException:
        if descriptor is not None:
            with suppress(OSError):  # gone already; an error must not hide the first one
                temporary.unlink()
        raise
    finally:
        if descriptor is not None:
            disown(temporary)
            with suppress(OSError):  # closed already, where an open file cannot be renamed
                os.close(descriptor)


def _move_into_place(temporary: Path, descriptor: int, path: Path, *, overwrite: bool) -> None:
    """Give the finished file its name, which without `overwrite` must be free."""
    if not is_open_at(descriptor, temporary):
        raise WriteError(
            f"{path.name}: {temporary} was removed or replaced while it was written",
            advice="See who else writes into that folder, or choose another one.",
        )
    close_for_renaming(descriptor)
    if overwrite:
        temporary.replace(path)
        return
    try:
        path.hardlink_to(temporary)  # the one call that takes a name only if it is free
    except FileExistsError:
        raise _exists(path) from None
    except (OSError, NotImplementedError):  # a disk without hard links
        _reserve_and_replace(temporary, path)
    else:
        with suppress(OSError):  # the output is whole; the next run removes its second name
            temporary.unlink()


def _reserve_and_replace(temporary: Path, path: Path) -> None:
    """Take a free name in two steps; killed between them, an empty file is left."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    except FileExistsError:
        raise _exists(path) from None
    try:
        temporary.replace(path)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
