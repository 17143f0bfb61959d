"""A list of bad pixels as a text file: x y on each line, comments after #.

`fadn bad-pixels` writes one, `--bad-pixels` reads it. The one thing to know: x is the column and y
the row in the full mosaic, masked borders included, both from 0; and a list that has a mistake, or
that was made for a larger sensor, is an error rather than half a repair.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from fadn_cli.errors import ConfigError
from fadn_cli.mosaic.defects import Sites, join_sites
from fadn_cli.system.opening import read_plain

MAX_BYTES = 64 << 20
"""Of a list; a million points take 12 MB."""
_FORM = "Write the column and the row of each bad pixel, as: 1203 877"


def read_list(path: Path, *, size: tuple[int, int], image: str) -> Sites:
    """Read the bad pixels that a list names in one photograph.

    Parameters
    ----------
    path : Path
        The list.
    size : (int, int)
        Height and width of the full mosaic.
    image : str
        The photograph's name, for errors.

    Raises
    ------
    ConfigError
        The list cannot be read, a line is no point, or a point lies outside.
    """
    height, width = size
    sites = []
    for number, x, y in _points(path):
        if x >= width or y >= height:
            raise ConfigError(
                f"{path}, line {number}: {x} {y} lies outside {image}, which is {width}x{height}",
                advice="Use a list that was made with this camera.",
            )
        sites.append(y * width + x)
    return join_sites(np.array(sites, np.intp))


def check_list(path: Path) -> None:
    """Make sure that a list can be read, before any photograph is.

    Raises
    ------
    ConfigError
        It cannot, or one of its lines is no point.
    """
    for _ in _points(path):
        pass


def fingerprint(path: Path) -> str:
    """Return a hash of a list's content, hexadecimal; raises ConfigError if it cannot be read."""
    return hashlib.sha256(_content(path)).hexdigest()


def format_list(sites: Sites, *, width: int, comments: Iterable[str]) -> str:
    """Return a list's text, row by row, with comments in front.

    Examples
    --------
    >>> print(format_list(np.array([5, 12]), width=10, comments=["two of them"]), end="")
    # two of them
    5 0
    2 1
    """
    lines = [f"# {' '.join(comment.split())}" for comment in comments]
    rows, cols = np.divmod(sites, width)
    lines += [f"{col} {row}" for row, col in zip(rows.tolist(), cols.tolist(), strict=True)]
    return "".join(f"{line}\n" for line in lines)


def _points(path: Path) -> Iterable[tuple[int, int, int]]:
    """Yield (line number, x, y) of a list."""
    text = _content(path).decode("utf-8-sig", "replace")
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        if len(words) != 2 or not all(word.isascii() and word.isdecimal() for word in words):
            shown = line.strip()
            shown = shown if len(shown) <= 60 else f"{shown[:59]}…"
            raise ConfigError(
                f"{path}, line {number}: {shown!r} is not the place of a pixel", advice=_FORM
            )
        x, y = (int(word[:12]) for word in words)
        yield number, x, y


def _content(path: Path) -> bytes:
    """Return a list's bytes."""
    try:
        return read_plain(path, limit=MAX_BYTES)
    except OSError as error:
        raise ConfigError(
            f"{path}: the list of bad pixels cannot be read ({error.strerror})",
            advice="Check its name.",
        ) from error
