"""Options of `fadn denoise` for whole folders: what is taken, how it is called, who does it."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from fadn_cli.cli.options import named
from fadn_cli.errors import FadnError
from fadn_cli.limits import LEAST_MEMORY, MOST_THREADS

if TYPE_CHECKING:
    from fadn_cli.batch.planning import Plan
    from fadn_cli.batch.results import BatchResult
    from fadn_cli.batch.run import Handling
    from fadn_cli.pipeline.options import DenoiseOptions

_MOST_NAMES = 256 << 20  # bytes; a hundred thousand names take some 10 MB
_MEMORY = 1_200_000_000  # bytes of addresses that 24 megapixels take [ulimit -v, measured]


def _bytes(text: str | int) -> int:
    """Read an amount of memory: a number with MB or GB, or of bytes."""
    found = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)\s*([kmgt]?)i?b?", str(text).strip().lower())
    size = round(float(found[1]) * 1000 ** " kmgt".index(found[2] or " ")) if found else 0
    if size < LEAST_MEMORY:
        raise typer.BadParameter(f"{text!r} is no amount of memory of at least 200MB, as 4GB is.")
    return size


def _json_name(path: Path | None) -> Path | None:
    """Refuse to write a report where a photograph may be."""
    if path is not None and path.suffix.lower() != ".json":
        raise typer.BadParameter(f"{path} does not end in .json.")
    return path


Recursive = Annotated[
    bool,
    typer.Option(
        "-r",
        "--recursive",
        help="Take the folders inside folders too; an output folder mirrors them.",
    ),
]
Include = Annotated[
    list[str] | None,
    typer.Option(
        metavar="PATTERN",
        help="From folders, take only files whose path below the folder, or name, matches: '*.cr2',"
        " 'day 1/*'. May be given several times.",
        show_default=False,
    ),
]
Exclude = Annotated[
    list[str] | None,
    typer.Option(
        metavar="PATTERN",
        help="From folders, leave out files and folders that match. May be given several times.",
        show_default=False,
    ),
]
Name = Annotated[
    str | None,
    typer.Option(
        metavar="TEMPLATE",
        help="How outputs are called, with {stem}, {ext}, {ext_source}, {make}, {camera},"
        " {iso}, {date}, {date:%Y%m%d} and {folder} filled in; 'unknown' for what a file does not"
        " say. Else: {stem}_denoised{ext}.",
        show_default=False,
    ),
]
Suffix = Annotated[
    str | None,
    typer.Option(
        metavar="TEXT",
        help="Short for --name {stem}TEXT{ext}.",
        show_default=False,
    ),
]
Jobs = Annotated[
    int,
    typer.Option(
        "-j",
        "--jobs",
        metavar="N",
        min=1,
        max=MOST_THREADS,
        help="Files at once; they share the threads. Each needs some 12 MB of memory per"
        " megapixel.",
    ),
]
MaxMemory = Annotated[
    int | None,
    typer.Option(
        "--max-memory",
        metavar="SIZE",
        parser=_bytes,
        help="Memory that files at work may take, as 4GB or 800MB: fewer are worked on at once, and"
        " one that does not fit is refused. Else: half of what is free, or all of it for one file.",
        show_default=False,
    ),
]
Scheduler = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS",
        help="Let the workers of this Dask cluster do it. They must see the same folders; each"
        " takes as many files at once as it has threads.",
        show_default=False,
    ),
]
KeepMtime = Annotated[
    bool, typer.Option("--keep-mtime", help="Give outputs their source's modification time.")
]
Sidecars = Annotated[
    bool,
    typer.Option(
        "--sidecars",
        help="Copy sidecars (XMP, pp3, arp, dop, on1) to the output's name, and merge their XMP"
        " into the DNG's own; one that was edited there stays.",
    ),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Print what would be done, and write nothing.")
]
Report = Annotated[
    Path | None,
    typer.Option(
        "--report",
        metavar="FILE.json",
        parser=named,
        callback=_json_name,
        help="Write what became of each file, as JSON. Replaces an earlier report.",
        show_default=False,
    ),
]
PreviewPage = Annotated[
    bool,
    typer.Option(
        "--preview-page",
        help="Also write fadn_preview.html beside the outputs: before and after of each file, to"
        " look through in a browser.",
    ),
]
JsonOutput = Annotated[
    bool, typer.Option("--json", help="Print what became of each file on stdout, as JSON.")
]


def read_listed(paths: list[Path]) -> tuple[Path, ...]:
    """Read the names on standard input, if one of the paths stands for them; none if it is closed.

    Raises
    ------
    FadnError
        It cannot be read, or does not end.
    """
    from fadn_cli.batch import sources

    if sources.LIST not in paths or sys.stdin is None:
        return ()
    try:
        data = b"".join(_pieces(sys.stdin.buffer))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise FadnError(
            f"the names on standard input cannot be read: {reason}",
            advice="Give one name a line, from a file or a pipe.",
        ) from error
    return sources.read_list(data)


def _pieces(stream: BinaryIO) -> Iterator[bytes]:
    """Yield what comes, as long as it may be a list of names."""
    left = _MOST_NAMES
    while piece := stream.read(1 << 20):
        yield piece
        left -= len(piece)
        if left < 0:
            raise ValueError(f"there are more than {_MOST_NAMES} bytes")


def show_plan(plan: "Plan", options: "DenoiseOptions", handling: "Handling", *, json: bool) -> int:
    """Print what would be done; return 1 if anything would fail."""
    from fadn_cli.batch import run as batch
    from fadn_cli.screen import console

    rows = batch.foresee(plan, options, handling)
    console.show_json(rows) if json else console.show_plan(rows)
    return int(any(row["action"] == "fail" for row in rows))


def carry_out(
    plan: "Plan",
    options: "DenoiseOptions",
    handling: "Handling",
    *,
    preview: bool,
    output: Path | None,
    report: Path | None,
    json: bool,
    quiet: bool,
    verbose: bool,
) -> int:
    """Run a batch with everything that shows it; return the exit code."""
    from fadn_cli.batch import results
    from fadn_cli.batch import run as batch
    from fadn_cli.screen import progress
    from fadn_cli.system import signals

    if report is not None:
        results.prepare_report(report)
    if preview:
        from fadn_cli.compare import gallery  # here: most do without

        gallery.check_places(
            (job.output for job in plan.jobs),
            folder=_gallery_folder(output),
            overwrite=options.overwrite,
        )
    with progress.Display(count=plan.count, quiet=quiet, verbose=verbose) as display:
        result = batch.run(plan, options, handling, on_event=display)
    with signals.finishing():  # what was done is told, however often Ctrl-C is pressed
        display.summarize(result)
        trouble = _tell(result, report=report, json=json)
    unseen = 0
    if preview and not signals.was_heard():
        unseen = _show_gallery(result, options, handling, output=output, quiet=quiet)
    if trouble is not None:
        raise trouble
    return result.exit_code or unseen


def warn_of_little_memory() -> None:
    """Say that libraries may end the process where memory is limited; even if quiet."""
    from fadn_cli.pipeline.wording import spell_bytes
    from fadn_cli.screen import console
    from fadn_cli.system import usage

    limit = usage.memory_limit()
    if limit is not None and limit < _MEMORY:
        console.show_warning(
            f"memory is limited to {spell_bytes(limit)} (ulimit -v), and a photograph of 24"
            f" megapixels takes {spell_bytes(_MEMORY)}: if fadn ends without a word, that is why"
        )


def _tell(
    result: "BatchResult", *, report: Path | None, json: bool
) -> "OSError | FadnError | None":
    """Write and print the batch's JSON where it was asked for; return what went wrong first."""
    from fadn_cli.batch import results
    from fadn_cli.screen import console

    trouble: OSError | FadnError | None = None
    try:
        if report is not None:
            results.write_report(report, result)
    except FadnError as error:
        trouble = error
    try:
        if json:
            console.show_json(result.to_dict())
    except (OSError, FadnError) as error:
        trouble = trouble or error
    return trouble


def _gallery_folder(output: Path | None) -> Path | None:
    """Return the folder of the only gallery; None for one where each output is."""
    from fadn_cli.batch import sources

    return output if output is not None and sources.is_folder(output) else None


def _show_gallery(
    result: "BatchResult",
    options: "DenoiseOptions",
    handling: "Handling",
    *,
    output: Path | None,
    quiet: bool,
) -> int:
    """Write what a batch did, to be looked through; return the exit code."""
    from fadn_cli.compare import gallery
    from fadn_cli.screen import console, progress

    with progress.PageBar(quiet=quiet) as bar:
        written = gallery.write_gallery(
            result, options, folder=_gallery_folder(output), jobs=handling.jobs, on_page=bar
        )
    for error in written.errors:
        console.show_error(error)
    if not quiet:
        console.show_places("Before and after", written.pages)
    return 1 if written.errors else 0
