"""A batch to be looked through: one page of small pictures, and behind each its own comparison.

`cli` calls `write_gallery` when the batch is done. The one thing to know: the gallery stays small
however large the batch is. It holds names only; thumbnails and the photographs' own pages lie in a
folder beside it, are loaded when they are looked at, and are made again only for what has changed.
"""

import hashlib
import os
import re
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from html import escape, unescape
from pathlib import Path
from urllib.parse import quote

from fadn_cli import __version__
from fadn_cli.batch.results import BatchResult
from fadn_cli.compare.page import asset, page_html, template
from fadn_cli.compare.pair import compare_files
from fadn_cli.compare.thumbnail import HEIGHT, WIDTH, thumbnail_jpeg
from fadn_cli.errors import FadnError, OutputExistsError, WriteError
from fadn_cli.pipeline.options import DenoiseOptions
from fadn_cli.pipeline.report import decodable
from fadn_cli.system.cores import usable_threads
from fadn_cli.system.files import atomic_output, make_folder
from fadn_cli.system.opening import open_plain, write_plain
from fadn_cli.system.signals import raise_if_heard

GALLERY = "fadn_preview.html"
"""The page beside the outputs."""
FOLDER = "fadn_preview"
"""Where all that it shows lies, beside it."""

_HEAD = 2000  # characters of a page in which it says what it was made of
_SAID = re.compile(r'<meta name="(description|fadn:made-of)" content="([^"]*)">')
_GENERATOR = '<meta name="generator" content="fadn'
_ADVICE = "Leave out --preview-page, or choose another folder with -o."


@dataclass(frozen=True, slots=True, kw_only=True)
class Gallery:
    """What was written, and what could not be."""

    pages: tuple[Path, ...]
    """The galleries: one for each folder of outputs that lies in no other."""
    errors: tuple[FadnError, ...]
    """Why a photograph has no page; its output is not concerned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """One photograph of a gallery."""

    source: Path
    output: Path
    base: Path
    """The folder of the gallery."""
    key: str
    """What its page is made of: another key, another page."""

    @property
    def page(self) -> Path:
        """Its own page."""
        below = self.output.parent.relative_to(self.base)
        return self.base / FOLDER / below / f"{self.output.name}.html"


def write_gallery(
    batch: BatchResult,
    options: DenoiseOptions,
    *,
    folder: Path | None = None,
    jobs: int = 1,
    on_page: Callable[[int, int], None] | None = None,
) -> Gallery:
    """Write pages for what a batch denoised, now or before, and the gallery that leads to them.

    Photographs of earlier runs stay in the gallery as long as their outputs are there.

    Parameters
    ----------
    batch : BatchResult
        What failed is listed too, with the reason.
    options : DenoiseOptions
        The batch's: the user's noise or ISO.
    folder : Path, optional
        That all outputs lie in, at whatever depth; None: a gallery for each of their folders that
        lies in no other one.
    jobs : int
        Photographs at once; each needs some 35 bytes of memory a pixel.
    on_page : callable, optional
        Progress: called with (pages done, pages in all).

    Raises
    ------
    OutputExistsError
        What has the name of a gallery is none, and is not to be overwritten.
    WriteError
        A gallery cannot be written.
    """
    entries = _entries(batch, folder)
    for base in dict.fromkeys(entry.base for entry in entries):
        _refuse_others(base, overwrite=options.overwrite)
    missing = [entry for entry in entries if _said(entry.page).get("fadn:made-of") != entry.key]
    errors = _write_pages(missing, options, jobs, on_page or _ignore)
    failed = [str(error) for error in (*batch.errors, *errors)]
    bases = dict.fromkeys(entry.base for entry in entries)
    for base in bases:
        _write_atomically(base / GALLERY, _gallery_html(base, failed))
    return Gallery(pages=tuple(base / GALLERY for base in bases), errors=tuple(errors))


def check_places(
    outputs: Iterable[Path], *, folder: Path | None = None, overwrite: bool = False
) -> None:
    """Make sure, before the work, that what galleries would replace is ours.

    Parameters
    ----------
    outputs : paths
        Of the batch.
    folder : Path, optional
        See `write_gallery`.
    overwrite : bool
        Whether somebody else's page may be replaced.

    Raises
    ------
    OutputExistsError
        A page of that name is somebody else's, and is not to be overwritten.
    WriteError
        The folder beside it is a link, which could lead anywhere, or is none.
    """
    folders = {output.parent for output in outputs}
    for base in dict.fromkeys(folder or _base_of(each, folders) for each in sorted(folders)):
        _refuse_others(base, overwrite=overwrite)


def _refuse_others(base: Path, *, overwrite: bool) -> None:
    """See `check_places`, for one gallery."""
    page, beside = base / GALLERY, base / FOLDER
    if beside.is_symlink() or (beside.exists() and not beside.is_dir()):
        what = "a link" if beside.is_symlink() else "no folder"
        raise WriteError(f"{beside}: is {what}; pages are not written there", advice=_ADVICE)
    _refuse_foreign(page, overwrite=overwrite)


def _refuse_foreign(page: Path, *, overwrite: bool) -> None:
    """Refuse to replace a page that is not ours."""
    if not overwrite and os.path.lexists(page) and not _is_ours(page):
        raise OutputExistsError(
            f"{page}: was not made by fadn, and is left alone",
            advice="Move it away, add --overwrite to replace it, or leave out --preview-page.",
        )


def _base_of(here: Path, folders: Iterable[Path]) -> Path:
    """Return the outermost of some folders in which a folder lies."""
    above = [each for each in folders if here.is_relative_to(each)]
    return min(above, key=lambda each: len(each.parts))


def _is_ours(page: Path) -> bool:
    """Whether fadn wrote a page; an empty file was left by a disk without hard links."""
    try:
        head = _head(page)
    except IsADirectoryError:  # nobody's page: writing there will fail, and say so
        return True
    except OSError:
        return False
    return not head or _GENERATOR in head


def _entries(batch: BatchResult, folder: Path | None) -> list[_Entry]:
    """Find what is to be shown, and in which gallery."""
    made = [(result.source, result.report or result.done) for result in batch.results]
    found = [(source, done) for source, done in made if done is not None]
    folders = {done.output.parent for _, done in found}
    entries = []
    for source, done in found:
        base = folder if folder is not None else _base_of(done.output.parent, folders)
        said = f"{done.source_sha256} {done.output_sha256} {__version__}"
        key = hashlib.sha256(said.encode()).hexdigest()[:32]
        entries.append(_Entry(source=source, output=done.output, base=base, key=key))
    return entries


def _write_pages(
    entries: Sequence[_Entry],
    options: DenoiseOptions,
    jobs: int,
    on_page: Callable[[int, int], None],
) -> list[FadnError]:
    """Make the pages, several at once; only this thread writes, so that Ctrl-C finds it awake."""
    errors = []
    waiting, running = deque(entries), deque[tuple[_Entry, Future[tuple[str, bytes]]]]()
    with ThreadPoolExecutor(usable_threads(jobs)) as pool:
        try:
            for done in range(len(entries)):
                raise_if_heard()
                while waiting and len(running) <= jobs:  # pages that wait to be written need room
                    entry = waiting.popleft()
                    running.append((entry, pool.submit(_make, entry, options)))
                error = _settle(*running.popleft(), overwrite=options.overwrite)
                errors += [error] if error is not None else []
                on_page(done + 1, len(entries))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return errors


def _make(entry: _Entry, options: DenoiseOptions) -> tuple[str, bytes]:
    """Compare one photograph; return its page and its thumbnail."""
    comparison = compare_files(entry.source, entry.output, options)
    return page_html(comparison, made_of=entry.key), thumbnail_jpeg(comparison)


def _settle(
    entry: _Entry, future: Future[tuple[str, bytes]], *, overwrite: bool
) -> FadnError | None:
    """Write one photograph's page, or say why there is none."""
    try:
        html, thumbnail = future.result()
        for above in entry.page.relative_to(entry.base).parents:
            if (entry.base / above).is_symlink() and above.parts:
                raise WriteError(f"{entry.base / above}: is a link", advice=_ADVICE)
        _refuse_foreign(entry.page, overwrite=overwrite)
        make_folder(entry.page.parent, advice=_ADVICE)
        _write_atomically(entry.page.with_suffix(".jpg"), thumbnail)
        _write_atomically(entry.page, html)
    except FadnError as error:
        return error
    except Exception as error:  # a bug of ours must not cost the rest of the gallery
        return FadnError(
            f"{entry.output.name}: no preview: internal error: {type(error).__name__}: {error}",
            advice="This is a bug in fadn: please report it.",
        )
    return None


def _said(page: Path) -> dict[str, str]:
    """Read what a page says of itself; nothing, if there is none."""
    try:
        return {name: unescape(text) for name, text in _SAID.findall(_head(page))}
    except OSError:
        return {}


def _head(page: Path) -> str:
    """Read the first characters of a page, which may be anything but a link."""
    with os.fdopen(open_plain(page, follow=False), encoding="utf-8", errors="replace") as file:
        return file.read(_HEAD)


def _gallery_html(base: Path, failed: Sequence[str]) -> str:
    """Write the gallery of a folder: every page that has an output."""
    pages = [
        page
        for page in sorted((base / FOLDER).rglob("*.html"))
        if (base / page.relative_to(base / FOLDER).with_suffix("")).exists()
    ]
    listed = "\n".join(f"<li>{escape(decodable(each))}</li>" for each in failed)
    count = f"{len(pages)} photograph{'' if len(pages) == 1 else 's'}"
    return template("gallery.html").substitute(
        version=__version__,
        title=escape(decodable(base.resolve().name or str(base))),
        summary=count + (f", {len(failed)} failed" if failed else ""),
        style=asset("page.css"),
        cards="\n".join(_cards(base, pages)),
        failures=f'<h2>Failed</h2>\n<ul class="failures">\n{listed}\n</ul>' if failed else "",
    )


def _cards(base: Path, pages: Iterable[Path]) -> Iterable[str]:
    """Yield what leads to each page."""
    for page in pages:
        name = escape(decodable(str(page.relative_to(base / FOLDER).with_suffix(""))))
        target, picture = (
            quote(os.fsencode(path.relative_to(base).as_posix()))
            for path in (page, page.with_suffix(".jpg"))
        )
        yield (
            f'<li><a href="{target}"><img loading="lazy" width="{WIDTH}" height="{HEIGHT}" alt=""'
            f' src="{picture}">{name}'
            f"<small>{escape(_said(page).get('description', ''))}</small></a></li>"
        )


def _write_atomically(path: Path, content: str | bytes) -> None:
    """Replace a file as a whole."""
    with atomic_output(path, overwrite=True) as temporary:
        write_plain(temporary, content)


def _ignore(done: int, count: int) -> None:
    """Take progress that nobody looks at."""
