"""Which raw files the user means: files as named, folders by the names of the files in them.

`batch.plan` calls it. The one thing to know: whatever is wrong with one path is reported for that
path and the search goes on.
"""

import os
import re
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from fadn_cli.errors import RawReadError
from fadn_cli.report import FileResult

# fmt: off
RAW_SUFFIXES = frozenset((
    ".3fr", ".arw", ".bay", ".cap", ".cr2", ".cr3", ".crw", ".dcr", ".dng", ".erf", ".fff", ".gpr",
    ".iiq", ".k25", ".kdc", ".mdc", ".mef", ".mos", ".mrw", ".nef", ".nrw", ".orf", ".ori", ".pef",
    ".raf", ".raw", ".rw2", ".rwl", ".rwz", ".sr2", ".srf", ".srw", ".x3f",
))
"""How raw files are named, in lower case; a folder's other files are not looked at."""
# fmt: on


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One raw file that the user means."""

    path: Path
    """The file, as the user would spell it."""
    subfolder: Path
    """Where it lies below the folder that was named; "." for a file named itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Everything the user's paths stand for."""

    sources: tuple[Source, ...]
    """Files to denoise, each once: in the order of the paths, a folder's in natural order."""
    skipped: tuple[FileResult, ...]
    """Files in folders that are outputs of ours."""
    failures: tuple[FileResult, ...]
    """Paths that cannot be read, and folders without raw files."""


def collect(
    paths: Sequence[Path], *, recursive: bool, is_marked: Callable[[Path], bool]
) -> Sources:
    """Find the raw files that the user's paths stand for.

    Hidden files and folders are passed over (macOS keeps `._IMG_1.CR2` beside `IMG_1.CR2` on memory
    cards), and links to folders inside folders are not followed.

    Parameters
    ----------
    paths : files and folders
        A file is taken whatever it is called.
    recursive : bool
        Whether folders inside folders are searched too.
    is_marked : callable
        Whether a file is an output of ours. Asked about files in folders only: who names such a
        file means it.
    """
    sources: dict[str, Source] = {}
    skipped: dict[str, FileResult] = {}
    failures: dict[Path, FileResult] = {}
    for path in paths:
        for found in _expand(path, recursive=recursive):
            if isinstance(found, FileResult):
                failures.setdefault(found.source, found)
                continue
            key = os.path.realpath(found.path)
            if found.path != path and is_marked(found.path):
                reason = "already denoised by fadn"
                skipped.setdefault(key, FileResult(source=found.path, skipped=reason))
            else:
                sources.setdefault(key, found)
    return Sources(
        sources=tuple(sources.values()),
        skipped=tuple(result for key, result in skipped.items() if key not in sources),
        failures=tuple(failures.values()),
    )


def is_folder(path: Path) -> bool:
    """Whether a path leads to a folder; what cannot be reached is none."""
    try:
        return stat.S_ISDIR(path.stat().st_mode)
    except OSError:
        return False


def _expand(path: Path, *, recursive: bool) -> Iterator[Source | FileResult]:
    """Give the raw files that one path stands for, and what is wrong with it."""
    if not is_folder(path):
        yield _file(path, Path())
        return
    empty = True
    for found in _search(path, recursive=recursive):
        empty = False
        yield found
    if empty:
        advice = "Name raw files, or a folder with raw files in it"
        advice += "." if recursive else "; --recursive also searches the folders inside."
        yield _failure(path, "no raw files in this folder", advice=advice)


def _search(folder: Path, *, recursive: bool) -> Iterator[Source | FileResult]:
    """Give the raw files in a folder, known by their names, in natural order."""
    unreadable: list[OSError] = []
    for here, subfolders, names in os.walk(folder, onerror=unreadable.append):
        wanted = [name for name in subfolders if recursive and not name.startswith(".")]
        subfolders[:] = sorted(wanted, key=_natural)
        for name in sorted(names, key=_natural):
            path = Path(here, name)
            if path.suffix.lower() in RAW_SUFFIXES and not name.startswith("."):
                yield _file(path, path.parent.relative_to(folder))
    for error in unreadable:
        yield _failure(Path(error.filename), f"cannot be searched: {error.strerror}")


def _file(path: Path, subfolder: Path) -> Source | FileResult:
    """Check that a file can be reached; what is in it, only the reader can say."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        broken = path.is_symlink()
        reason = f"a broken link to {path.readlink()}" if broken else "no such file or folder"
        return _failure(path, reason, advice="Check how the name is spelled.")
    except OSError as error:
        return _failure(path, f"cannot be read: {error.strerror}")
    if not stat.S_ISREG(mode):
        return _failure(path, "neither a file nor a folder", advice="Name raw files or folders.")
    return Source(path=path, subfolder=subfolder)


def _failure(path: Path, reason: str, *, advice: str = "Check the permissions.") -> FileResult:
    """Report a path that nothing can be done with."""
    return FileResult(source=path, error=RawReadError(f"{path}: {reason}", advice=advice))


def _natural(name: str) -> list[tuple[int, str]]:
    """Sort key that puts IMG_2 before IMG_10, whatever the case."""
    parts = re.split(r"(\d+)", name.casefold())
    return [(int(part) if part.isdecimal() else -1, part) for part in parts]
