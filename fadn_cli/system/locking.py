"""Locks on open files that end with their holder, however it ends.

`files` marks an output as being worked on, `ledger` keeps two writers apart. The one thing to know:
the system itself lets go of a lock when the process that holds it dies, so a lock that can be had
belongs to nobody who lives; no process numbers, host names or ages are guessed at.
"""

import sys

if sys.platform == "win32":
    import msvcrt
    import os
else:
    import fcntl


def try_lock(descriptor: int) -> bool:
    """Take an exclusive lock on an open file, if nobody holds it.

    Parameters
    ----------
    descriptor : int
        Of a file open for writing; closing it gives the lock back.

    Returns
    -------
    bool
        False if another process, or another opening of the file in this one, holds it.

    Raises
    ------
    OSError
        The file system knows no locks.
    """
    try:
        _lock(descriptor, wait=False)
    except BlockingIOError:
        return False
    return True


def wait_lock(descriptor: int) -> None:
    """Take an exclusive lock on an open file as soon as it can be had.

    Raises
    ------
    OSError
        The file system knows no locks.
    """
    _lock(descriptor, wait=True)


if sys.platform == "win32":

    def _lock(descriptor: int, *, wait: bool) -> None:
        """Lock one byte far behind the end, since here a locked byte cannot be written."""
        os.lseek(descriptor, 1 << 30, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
        except PermissionError as error:
            raise BlockingIOError(*error.args) from error
        finally:
            os.lseek(descriptor, 0, os.SEEK_SET)

else:

    def _lock(descriptor: int, *, wait: bool) -> None:
        """Lock the whole file for this opening of it."""
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
