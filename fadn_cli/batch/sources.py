"""Which raw files the user means: files as named, folders by the names of the files in them.

`planning` calls it. The one thing to know: whatever is wrong with one path is reported for that
path and the search goes on.
"""

import codecs
import fnmatch
import glob
import os
import re
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from fadn_cli.batch.results import FileResult
from fadn_cli.errors import RawReadError
from fadn_cli.system.opening import unreadable

OURS = "already denoised by fadn"
"""Why a file with our marker is left alone."""
UNMARKED = (
    "lies where fadn wrote an output, and is not marked as one: rename it to have it denoised"
)
"""Why a file with the name of an output of ours is: edited, or another photograph."""
LIST = Path("-")
"""Stands for the list of names on standard input."""

# fmt: off
RAW_SUFFIXES = frozenset((
    ".3fr", ".arw", ".bay", ".cap", ".cr2", ".cr3", ".crw", ".dcr", ".dng", ".erf", ".fff", ".gpr",
    ".iiq", ".k25", ".kdc", ".mdc", ".mef", ".mos", ".mrw", ".nef", ".nrw", ".orf", ".ori", ".pef",
    ".raf", ".raw", ".rw2", ".rwl", ".rwz", ".sr2", ".srf", ".srw", ".x3f",
))
"""How raw files are named, in lower case; a folder's other files are not looked at."""
# fmt: on


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What is taken from folders and patterns, and what "-" stands for."""

    recursive: bool = False
    """Whether folders inside folders are searched too."""
    include: tuple[str, ...] = ()
    """Patterns, one of which a file must match; empty: any file."""
    exclude: tuple[str, ...] = ()
    """Patterns that neither a file nor a folder around it may match."""
    listed: tuple[Path, ...] = ()
    """The names on standard input."""

    def takes(self, path: PurePath) -> bool:
        """Whether a file is wanted, by its path below the folder that was named.

        A pattern may match the path (its `*` takes slashes too) or the name alone; upper and lower
        case are one.

        Examples
        --------
        >>> Selection(include=("*.cr2",), exclude=("tests",)).takes(PurePath("day 1/IMG_1.CR2"))
        True
        >>> Selection(exclude=("tests",)).takes(PurePath("tests/IMG_1.CR2"))
        False
        """
        around = (path, *path.parents[:-1])
        wanted = not self.include or any(_matches(path, pattern) for pattern in self.include)
        return wanted and not any(
            _matches(each, pattern) for each in around for pattern in self.exclude
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One raw file that the user means."""

    path: Path
    """The file, as the user would spell it."""
    subfolder: Path
    """Where it lies below the folder that was named; "." for a file named itself."""
    named: bool = False
    """Whether the user named the file itself."""


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
    paths: Sequence[Path], selection: Selection, *, why_ours: Callable[[Path], str]
) -> Sources:
    """Find the raw files that the user's paths stand for.

    Hidden files and folders are passed over (macOS keeps `._IMG_1.CR2` beside `IMG_1.CR2` on memory
    cards), and links to folders inside folders are not followed.

    Parameters
    ----------
    paths : files, folders, patterns and "-"
        A file is taken whatever it is called. What is no file, but has `*`, `?` or `[` in it, is a
        pattern (`**` for any folders) and stands for the folders and raw files that match it.
    selection : Selection
        What is taken from folders and patterns.
    why_ours : callable
        Why a file is taken for an output of ours; empty: it is not. Asked about files in folders
        and patterns only: who names such a file means it.
    """
    sources: dict[str, Source] = {}
    skipped: dict[str, FileResult] = {}
    failures: dict[Path, FileResult] = {}
    for path in paths:
        for found in _expand(path, selection):
            if isinstance(found, FileResult):
                failures.setdefault(found.source, found)
                continue
            key = os.path.realpath(found.path)
            if not found.named and (reason := why_ours(found.path)):
                skipped.setdefault(key, FileResult(source=found.path, skipped=reason))
            else:
                sources.setdefault(key, found)
    return Sources(
        sources=tuple(sources.values()),
        skipped=tuple(result for key, result in skipped.items() if key not in sources),
        failures=tuple(failures.values()),
    )


def read_list(data: bytes) -> tuple[Path, ...]:
    r"""Read a list of names: one a line, or each ended by a NUL as `find -print0` does.

    Examples
    --------
    >>> read_list(b"a 1.dng\r\nb.dng\n") == (Path("a 1.dng"), Path("b.dng"))
    True
    >>> read_list(b"\xef\xbb\xbfa.dng\n   \n") == (Path("a.dng"),)
    True
    >>> read_list(b"a\n1.dng\0b.dng\0") == (Path("a\n1.dng"), Path("b.dng"))
    True
    """
    data = data.removeprefix(codecs.BOM_UTF8)  # which Windows' editors put in front
    if b"\0" in data:
        return tuple(Path(os.fsdecode(name)) for name in data.split(b"\0") if name)
    return tuple(Path(os.fsdecode(name)) for name in data.splitlines() if name.strip())


def is_folder(path: Path) -> bool:
    """Whether a path leads to a folder; what cannot be reached is none."""
    try:
        return stat.S_ISDIR(path.stat().st_mode)
    except OSError:
        return False


def is_file_name(path: Path) -> bool:
    """Whether a path stands for one file, be it there or not: no folder, pattern or list."""
    return path != LIST and not is_folder(path) and not _is_pattern(path)


def _expand(path: Path, selection: Selection) -> Iterator[Source | FileResult]:
    """Give the raw files that one of the user's paths stands for, and what is wrong with it."""
    if path == LIST:
        yield from _listed(selection)
    elif _is_pattern(path):
        yield from _matching(path, selection)
    else:
        yield from _named(path, selection)


def _listed(selection: Selection) -> Iterator[Source | FileResult]:
    """Give what the names on standard input stand for; none of them is a pattern."""
    if not selection.listed:
        yield _failure(LIST, "no names on standard input", advice="Give one name a line.")
    for path in selection.listed:
        yield from _named(path, selection)


def _named(path: Path, selection: Selection) -> Iterator[Source | FileResult]:
    """Give the file of that name, or the raw files in the folder."""
    if not is_folder(path):
        yield _file(path, Path(), named=True)
        return
    empty = True
    for found in _search(path, selection):
        empty = False
        yield found
    if empty:
        yield _empty(path, selection)


def _matching(pattern: Path, selection: Selection) -> Iterator[Source | FileResult]:
    """Give the raw files that match a pattern, and those in the folders that match it."""
    base = next(parent for parent in pattern.parents if is_folder(parent))
    below_base = str(pattern.relative_to(base))
    empty = True
    # Path.glob would take hidden files, and refuse "**.dng".
    names = glob.glob(below_base, root_dir=base, recursive=True)  # noqa: PTH207
    for name in sorted(names, key=_natural):
        path, below = base / name, Path(name)
        if is_folder(path):
            found: Iterator[Source | FileResult] = _search(path, selection, above=below)
        elif path.suffix.lower() in RAW_SUFFIXES and selection.takes(below):
            found = iter((_file(path, below.parent),))
        else:
            continue
        for each in found:
            empty = False
            yield each
    if empty:
        yield _failure(pattern, "no raw files match", advice="Check how the pattern is spelled.")


def _search(
    folder: Path, selection: Selection, *, above: Path = Path()
) -> Iterator[Source | FileResult]:
    """Give the raw files in a folder, known by their names, in natural order."""
    unsearched: list[OSError] = []
    for here, subfolders, names in os.walk(folder, onerror=unsearched.append):
        below = above / Path(here).relative_to(folder)
        seen = [name for name in sorted(subfolders, key=_natural) if not name.startswith(".")]
        subfolders[:] = seen if selection.recursive else []
        for name in sorted(names, key=_natural):
            if _is_raw_name(name) and selection.takes(below / name):
                yield _file(Path(here, name), below)
        for name in seen:
            if _is_raw_name(name) and selection.takes(below / name):
                yield from _folder_called_raw(Path(here, name), selection)
    for error in unsearched:
        yield _failure(Path(error.filename), f"cannot be searched: {error.strerror}")


def _folder_called_raw(folder: Path, selection: Selection) -> Iterator[FileResult]:
    """Report a folder with the name of a raw file, unless it is searched and holds any."""
    if not selection.recursive or next(_search(folder, selection), None) is None:
        yield _failure(
            folder,
            "a folder with the name of a raw file, and no raw files found in it",
            advice="Rename it" + ("." if selection.recursive else ", or search it: --recursive."),
        )


def _empty(folder: Path, selection: Selection) -> FileResult:
    """Report a folder in which nothing was found."""
    which = " that --include and --exclude let through"
    filtered = which if selection.include or selection.exclude else ""
    advice = "Name raw files, or a folder with raw files in it"
    advice += "." if selection.recursive else "; --recursive also searches the folders inside."
    return _failure(folder, f"no raw files in this folder{filtered}", advice=advice)


def _file(path: Path, subfolder: Path, *, named: bool = False) -> Source | FileResult:
    """Check that a file can be reached; what is in it, only the reader can say."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        broken = path.is_symlink()
        reason = f"a broken link to {path.readlink()}" if broken else "no such file or folder"
        return _failure(path, reason, advice="Check how the name is spelled.")
    except OSError as error:
        return FileResult(source=path, error=unreadable(path, error))
    if not stat.S_ISREG(mode):
        return _failure(path, "neither a file nor a folder", advice="Name raw files or folders.")
    return Source(path=path, subfolder=subfolder, named=named)


def _failure(path: Path, reason: str, *, advice: str = "Check the permissions.") -> FileResult:
    """Report a path that nothing can be done with."""
    return FileResult(source=path, error=RawReadError(f"{path}: {reason}", advice=advice))


def _is_raw_name(name: str) -> bool:
    """Whether a folder's entry is called as raw files are."""
    return PurePath(name).suffix.lower() in RAW_SUFFIXES and not name.startswith(".")


def _is_pattern(path: Path) -> bool:
    """Whether a path is to be expanded; brackets in the name of a file are just brackets."""
    return re.search(r"[*?[]", str(path)) is not None and not os.path.lexists(path)


def _matches(path: PurePath, pattern: str) -> bool:
    """Whether a path, or its last part, matches a pattern, whatever the case."""
    texts = (path.as_posix().casefold(), path.name.casefold())
    return any(fnmatch.fnmatchcase(text, pattern.casefold()) for text in texts)


def _natural(name: str) -> list[tuple[int, str]]:
    """Sort key that puts IMG_2 before IMG_10, whatever the case."""
    parts = re.split(r"(\d+)", name.casefold())
    return [(int(part) if part.isdecimal() else -1, part) for part in parts]
