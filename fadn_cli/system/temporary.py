"""Files that are not outputs yet: named, locked while their owner lives, removed when it is dead.

`files` writes every output under such a name, and `batch.claims` marks folders with them. The one
thing to know: the name follows from the output's, so that two owners meet; hence anybody can know
it and put something there, and what is no plain file of ours is reported, never opened or removed.
"""

import hashlib
import os
import re
from contextlib import suppress
from pathlib import Path

from fadn_cli.errors import OutputBusyError, OutputExistsError, WriteError
from fadn_cli.system.locking import try_lock
from fadn_cli.system.opening import NotPlainError, open_plain

_OURS = re.compile(r"\.fadn-[0-9a-f]{16}\.(?:part|batch)")
_ATTEMPTS = 100  # who puts a file there again and again is not to be waited for
_NOT_OURS = "fadn cannot have made it: remove it, or choose another folder."
_ANOTHERS = (
    "Another user's fadn is writing it, or has left it (after sudo, perhaps): remove it if none "
    "runs, or choose another folder."
)

_own: set[Path] = set()  # what this process holds


def temporary_of(output: Path) -> Path:
    """Name the temporary file of an output: the same for all who would write it.

    A short name of its own, since the output's plus a suffix could be too long for the disk.
    """
    name = hashlib.sha256(os.fsencode(output.name)).hexdigest()[:16]
    return output.with_name(f".fadn-{name}.part")


def remove_leftovers(folder: Path) -> int:
    """Remove the temporary files that killed processes left in a folder.

    Files whose owner lives stay, and so does whatever cannot be read or locked.

    Returns
    -------
    int
        How many were removed.
    """
    try:
        with os.scandir(folder) as entries:
            found = [Path(entry.path) for entry in entries if _OURS.fullmatch(entry.name)]
    except OSError:  # there is no such folder yet
        return 0
    removed = 0
    for path in found:
        with suppress(OSError):
            removed += _remove_if_abandoned(path)
    return removed


def create_locked(temporary: Path, path: Path) -> int:
    """Create an empty file, its permissions as the umask says, and lock it.

    Parameters
    ----------
    temporary : Path
        Its name.
    path : Path
        The output that it is to become, for errors.

    Returns
    -------
    int
        A descriptor; closing it gives the lock back.

    Raises
    ------
    OutputBusyError
        Somebody holds the lock of the file that is there.
    OutputExistsError
        Whether somebody does cannot be told on this disk.
    WriteError
        What is there is none of ours, or another user's.
    OSError
        The system refused.
    """
    for _ in range(_ATTEMPTS):
        try:
            descriptor = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o666)
        except FileExistsError:
            _make_way(temporary, path)
            continue
        # Between the two calls somebody may have taken the file for abandoned.
        if _lock_own(descriptor) and is_open_at(descriptor, temporary):
            _own.add(temporary)
            return descriptor
        os.close(descriptor)
    raise _busy(path)


def disown(temporary: Path) -> None:
    """Forget a file of `create_locked`: it has got its name, or is gone."""
    _own.discard(temporary)


def remove_own(output: Path) -> None:
    """Remove the temporary file that a thread of this process is writing, if one is."""
    temporary = temporary_of(output)
    if temporary in _own:
        with suppress(OSError):  # gone already, or open where open files cannot be removed
            temporary.unlink()


def is_open_at(descriptor: int, path: Path) -> bool:
    """Whether a path still leads to the file that a descriptor has open."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat(follow_symlinks=False))
    except FileNotFoundError:
        return False


def close_for_renaming(descriptor: int) -> None:
    """Let go of a file where the system neither renames nor removes open ones."""
    if os.name == "nt":
        os.close(descriptor)


def _make_way(temporary: Path, path: Path) -> None:
    """Remove what is at the name of a temporary file, or say why it stays."""
    try:
        gone = _remove_if_abandoned(temporary)
    except (NotPlainError, IsADirectoryError) as error:
        raise _in_the_way(temporary, path, error, _NOT_OURS) from error
    except PermissionError as error:
        raise _in_the_way(temporary, path, error, _ANOTHERS) from error
    except OSError as error:
        raise OutputExistsError(
            f"{path.name}: {temporary} is there, and whether another fadn is writing it cannot be "
            f"told on this disk ({error.strerror})",
            advice="Wait if another fadn runs; if none does, remove that file.",
        ) from error
    if not gone:
        raise _busy(path)


def _busy(path: Path) -> OutputBusyError:
    """Make the error for an output that somebody is writing."""
    return OutputBusyError(
        f"{path.name}: another fadn is writing it in {path.parent}",
        advice="Wait until it is done.",
    )


def _in_the_way(temporary: Path, path: Path, error: OSError, advice: str) -> WriteError:
    """Make the error for something that stands where the temporary file should."""
    what = error.strerror
    return WriteError(f"{path.name}: {temporary} is in the way ({what})", advice=advice)


def _lock_own(descriptor: int) -> bool:
    """Lock a file just created; where there are no locks, its exclusive creation must do."""
    try:
        return try_lock(descriptor)
    except OSError:
        return True


def _remove_if_abandoned(temporary: Path) -> bool:
    """Remove a temporary file whose owner is dead; return whether it is gone.

    An OSError says why that cannot be told, or cannot be done.
    """
    try:
        descriptor = open_plain(temporary, write=True, follow=False)
    except FileNotFoundError:
        return True
    try:
        if not try_lock(descriptor):
            return False
        if is_open_at(descriptor, temporary):  # else it was renamed meanwhile: an output now
            close_for_renaming(descriptor)
            temporary.unlink(missing_ok=True)
        return True
    finally:
        with suppress(OSError):
            os.close(descriptor)
