"""Which batches are at work in a folder, and with what options: two that differ must not mix.

`run` claims the folders of a batch's outputs, `worker` asks before it replaces what another made.
The one thing to know: a claim is a hidden file that is locked for as long as its batch lives, so a
claim whose lock can be had says nothing. It names outputs and a recipe: batches of one recipe share
the work, and batches that share a folder but no output do not concern each other.
"""

import json
import os
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Any

from fadn_cli.batch.planning import Job
from fadn_cli.errors import FadnError, OutputExistsError
from fadn_cli.system.cores import most_open_files
from fadn_cli.system.locking import try_lock
from fadn_cli.system.opening import open_plain
from fadn_cli.system.signals import undivided
from fadn_cli.system.temporary import create_locked, disown

_NAME = re.compile(r"\.fadn-[0-9a-f]{16}\.batch")
_LARGEST = 64 << 20  # bytes; the names of a hundred thousand outputs take 5 MB
_PATIENCE = 40  # looks at a claim that is being written, 50 ms apart
_ADVICE = (
    "Wait until it is done, or choose another --suffix, --name or -o; --overwrite replaces what it"
    " has made."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Claim:
    """What one live batch means to write into one folder."""

    recipe: str
    since: tuple[int, str]
    """When it was made, nanoseconds, and its name: no two are the same."""
    outputs: frozenset[str]


@contextmanager
def claimed(jobs: Sequence[Job], recipe: str, *, overwrite: bool) -> Iterator[None]:
    """Claim the folders of some outputs until the block ends; they are made if need be.

    A folder that cannot be claimed, whatever the reason, is worked in all the same: what is wrong
    with it, the outputs will say. So is one that would need more open files than there may be.

    Parameters
    ----------
    jobs : sequence of Job
    recipe : str
        See `ledger.recipe`.
    overwrite : bool
        Whether outputs that another batch is about to make may be replaced.

    Raises
    ------
    OutputExistsError
        A batch with another recipe is at work on one of the outputs.
    """
    wanted: dict[Path, set[str]] = {}
    for job in jobs:
        wanted.setdefault(job.output.parent, set()).add(job.output.name)
    with ExitStack() as claims:
        for folder, names in list(wanted.items())[: most_open_files() // 4]:
            claims.callback(_remove_if_empty, _make(folder))
            since = claims.enter_context(_claim(folder, recipe, names))
            if overwrite or since is None:
                continue
            before = (claim for claim in _rivals(folder, recipe) if claim.since < since)
            for rival in before:
                if both := sorted(names & rival.outputs):
                    raise _conflict(folder / both[0])
        yield


def refuse_rival(output: Path, recipe: str) -> None:
    """Make sure that no live batch with another recipe means to write an output.

    Raises
    ------
    OutputExistsError
        One does.
    """
    if any(output.name in rival.outputs for rival in _rivals(output.parent, recipe)):
        raise _conflict(output)


def _conflict(output: Path) -> OutputExistsError:
    """Make the error for an output that two batches want, each in its way."""
    return OutputExistsError(
        f"{output.name}: another fadn is at work in {output.parent}, with other options",
        advice=_ADVICE,
    )


@contextmanager
def _claim(folder: Path, recipe: str, names: set[str]) -> Iterator[tuple[int, str] | None]:
    """Hold a claim on a folder; give its time, or None if it cannot be made."""
    path = folder / f".fadn-{token_hex(8)}.batch"
    descriptor = None
    try:
        with suppress(OSError, FadnError), undivided():
            descriptor = create_locked(path, path)
        # Not before it is there to be seen: of two that begin at once, one must see the other.
        since = (time.time_ns(), path.name)
        if descriptor is None:
            yield None
            return
        content = {"recipe": recipe, "since": since[0], "outputs": sorted(names)}
        with suppress(OSError):  # a full disk
            _write_all(descriptor, json.dumps(content).encode("ascii") + b"\n")
        yield since
    finally:
        if descriptor is not None:
            _give_back(descriptor, path)


def _give_back(descriptor: int, path: Path) -> None:
    """End a claim."""
    with suppress(OSError):  # before the lock goes, or the next owner's could be removed
        path.unlink()
    with suppress(OSError):  # a full network disk: nothing of it matters any more
        os.close(descriptor)
    with suppress(OSError):  # where open files cannot be removed
        path.unlink(missing_ok=True)
    disown(path)


def _write_all(descriptor: int, data: bytes) -> None:
    """Write all of some bytes."""
    while data:
        data = data[os.write(descriptor, data) :]


def _rivals(folder: Path, recipe: str) -> Iterator[_Claim]:
    """Give the claims of live batches with another recipe on a folder."""
    try:
        with os.scandir(folder) as entries:
            paths = [Path(entry.path) for entry in entries if _NAME.fullmatch(entry.name)]
    except OSError:
        return
    for path in paths:
        claim = _read(path)
        if claim is not None and claim.recipe != recipe:
            yield claim


def _read(path: Path) -> _Claim | None:
    """Read a claim, waiting until it is written; None if its batch is dead or it is none."""
    for _ in range(_PATIENCE):
        try:
            with os.fdopen(open_plain(path, write=True, follow=False), "rb") as file:
                if try_lock(file.fileno()):
                    return None
                file.seek(0)
                content = file.read() if os.fstat(file.fileno()).st_size <= _LARGEST else b"\n"
        except OSError:
            return None
        if content.endswith(b"\n"):
            return _parse(content, path.name)
        time.sleep(0.05)
    return None


def _parse(content: bytes, name: str) -> _Claim | None:
    """Understand a claim; None for what is none."""
    try:
        values: Any = json.loads(content)
        return _Claim(
            recipe=str(values["recipe"]),
            since=(int(values["since"]), name),
            outputs=frozenset(map(str, values["outputs"])),
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _make(folder: Path) -> Path | None:
    """Make a folder where there is none; return it if it was made here."""
    try:
        if folder.is_dir():
            return None
        folder.mkdir(parents=True)
    except OSError:
        return None
    return folder


def _remove_if_empty(folder: Path | None) -> None:
    """Remove a folder that was made for nothing."""
    if folder is not None:
        with suppress(OSError):
            folder.rmdir()
