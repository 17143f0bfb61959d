"""A batch on the screen: bars while it runs, a line per file where there is no terminal, a summary.

`cli` hands a `Display` to `batch.run`. The one thing to know: everything goes to stderr, and a
terminal with several files gets bars and the summary table, anything else a line per file.
"""

import time
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TimeRemainingColumn
from rich.table import Column, Table
from rich.text import Text

from fadn_cli.batch.results import (
    BatchResult,
    Event,
    FileFinished,
    FileResult,
    FileStarted,
    TileFinished,
    Told,
)
from fadn_cli.errors import FadnError
from fadn_cli.pipeline.report import DenoiseReport
from fadn_cli.pipeline.wording import name_camera, spell_noise, spell_number
from fadn_cli.screen.console import make_console, make_table, printable, show_error, show_warning


class Display:
    """Shows a batch while it runs: bars on a terminal, a line per file elsewhere; then a summary.

    Parameters
    ----------
    count : int
        Number of inputs, those already settled included.
    quiet : bool
        Show errors only.
    verbose : bool
        Also show where the time went, and the traceback of an internal error.
    """

    def __init__(self, *, count: int, quiet: bool = False, verbose: bool = False) -> None:
        self._count = count
        self._quiet = quiet
        self._verbose = verbose
        self._console = make_console(stderr=True)
        self._live = self._console.is_terminal and not quiet
        texts = [kind(Column(no_wrap=True)) for kind in (_Name, _Done, _Rate)]
        columns = (texts[0], BarColumn(bar_width=30), *texts[1:], TimeRemainingColumn())
        self._progress = Progress(*columns, console=self._console, transient=True)
        self._files = self._progress.add_task("Files", total=count, visible=count > 1, unit="files")
        self._tiles: dict[Path, TaskID] = {}  # of the files at work
        self._settled = 0
        self._megapixels = 0.0
        self._started = time.perf_counter()

    def __enter__(self) -> Self:
        if self._live:
            self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._live:
            self._progress.stop()

    def __call__(self, event: Event) -> None:
        """Take an event of `batch.run`."""
        if isinstance(event, FileStarted):
            self._tiles[event.source] = self._progress.add_task(
                printable(event.source.name), total=None, unit="tiles", rate=self._rate()
            )
        elif isinstance(event, TileFinished):
            task = self._tiles[event.source]
            self._progress.update(task, completed=event.done, total=event.total)
            self._advance()
        elif isinstance(event, Told):
            show_warning(event.warning)
        else:
            self._finish(event)

    def summarize(self, batch: BatchResult) -> None:
        """Show what became of everything, the failures last."""
        if not self._quiet:
            if self._count > 1:
                self._console.print(_summary_table(batch))
            for result in batch.results:
                for warning in result.all_warnings:
                    show_warning(f"{result.source.name}: {warning}")
                for note in result.report.notes if result.report else ():
                    self._say(f"{result.source.name}: {note}")
        told: list[FadnError] = []
        for result in batch.results:
            if result.error is not None and not any(result.error is each for each in told):
                show_error(result.error)  # files that want one output share their error
                told.append(result.error)
            for line in result.traceback.splitlines() if self._verbose else ():
                self._say(line)
        if batch.interrupted:
            self._say("Interrupted; what was finished is kept, the same command goes on from here.")
        if self._count > 1 and not self._quiet:
            self._say(_totals(batch))

    def _finish(self, event: FileFinished) -> None:
        """Note a settled input, and say so where no bars do."""
        report = event.result.report
        if report is not None:
            self._megapixels += report.megapixels
        task = self._tiles.pop(event.result.source, None)
        if task is not None:
            self._progress.remove_task(task)
        self._settled += 1
        self._advance()
        in_table = self._count > 1 and self._live
        if self._quiet or (in_table and not self._verbose):
            return
        if self._count > 1 or event.result.error is None:
            self._say(_line(event.result))
        if report is not None and self._verbose:
            stages = (f"{stage} {seconds:.2f} s" for stage, seconds in report.seconds.items())
            self._say(f"  {', '.join(stages)}; {report.tiles} tiles")

    def _advance(self) -> None:
        """Move the bar of all files; those at work count by their tiles, or the time would jump."""
        at_work = {*self._tiles.values()}
        parts = (
            task.completed / task.total
            for task in self._progress.tasks
            if task.id in at_work and task.total
        )
        self._progress.update(self._files, completed=self._settled + sum(parts), rate=self._rate())

    def _rate(self) -> str:
        """Megapixels per second of the files finished so far."""
        seconds = time.perf_counter() - self._started
        return f"{self._megapixels / max(seconds, 1e-9):.1f} MP/s" if self._megapixels else ""

    def _say(self, text: str) -> None:
        """Print one line, however long; what would begin another in it is escaped."""
        self._console.print(Text(printable(text)), soft_wrap=True)


class PageBar:
    """Shows how the pages of a gallery come along, where there is a terminal.

    Parameters
    ----------
    quiet : bool
        Show nothing.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        console = make_console(stderr=True)
        self._live = console.is_terminal and not quiet
        columns = (_Name(), BarColumn(bar_width=30), _Done(), TimeRemainingColumn())
        self._progress = Progress(*columns, console=console, transient=True)
        self._task = self._progress.add_task("Before and after", total=None, unit="pages")

    def __enter__(self) -> Self:
        if self._live:
            self._progress.start()
        return self

    def __exit__(self, *trouble: object) -> None:
        if self._live:
            self._progress.stop()

    def __call__(self, done: int, count: int) -> None:
        """Take the progress of `gallery.write_gallery`."""
        self._progress.update(self._task, completed=done, total=count)


class _Name(ProgressColumn):
    """What a bar is about, cut where it is too long."""

    def render(self, task: Task) -> Text:
        text = Text(task.description)
        text.truncate(32, overflow="ellipsis")
        return text


class _Done(ProgressColumn):
    """How much of a bar is done, in its unit."""

    def render(self, task: Task) -> Text:
        if task.total is None:
            return Text("reading" if task.visible else "")
        return Text(f"{int(task.completed)}/{int(task.total)} {task.fields['unit']}")


class _Rate(ProgressColumn):
    """Megapixels per second of the files finished so far."""

    def render(self, task: Task) -> Text:
        return Text(task.fields.get("rate", ""))


def _summary_table(batch: BatchResult) -> Table:
    """One row per input."""
    table = make_table("File", "Camera", "ISO", "Noise", "Specialist", "Seconds", "Result")
    for result in batch.results:
        cells = ["", "", "", "", "", result.state]
        report = result.report
        if report is not None:
            cells = [
                name_camera(report.make, report.model),
                spell_number(report.iso),
                spell_noise(report.noise_used),
                report.specialist or "none",
                f"{report.seconds['total']:.1f}",
                report.output.name,
            ]
        table.add_row(*(Text(printable(cell)) for cell in (result.source.name, *cells)))
    return table


def _spell_network(report: DenoiseReport) -> str:
    """Name the network, and what it ran on if that was more than the processor."""
    device = report.device or "cpu"
    where = "" if device == "cpu" else f" on {device.replace(', ', ' and ')}"
    return (report.specialist or "no specialist") + where


def _line(result: FileResult) -> str:
    """One settled input in one line."""
    report = result.report
    if result.error is not None:
        return f"failed: {result.error}"
    if report is None:
        return f"{result.source.name}: {result.skipped}"
    facts = (
        name_camera(report.make, report.model),
        f"ISO {spell_number(report.iso)}",
        f"noise {spell_noise(report.noise_used)}",
        _spell_network(report),
        _spell_pixels("bad", report.bad_pixels),
        _spell_pixels("hot", report.hot_pixels),
        _spell_sizes(report.source_bytes, report.output_bytes),
        f"{report.seconds['total']:.1f} s",
    )
    return f"{report.source.name}: {', '.join(filter(None, facts))} -> {report.output}"


def _spell_pixels(kind: str, count: int | None) -> str:
    """Say how many of a kind were repaired; nothing if none were."""
    return f"{count} {kind} pixel{'s' if count > 1 else ''}" if count else ""


def _totals(batch: BatchResult) -> str:
    """The batch in one line."""
    number = batch.counts
    counts = (
        f"{number['denoised']} denoised, {number['failed']} failed, {number['skipped']} skipped"
    )
    counts += f", {number['done']} done already" if number["done"] else ""
    if not batch.denoised:
        return counts
    megapixels = sum(report.megapixels for report in batch.denoised)
    rate = megapixels / max(batch.seconds, 1e-9)
    before = sum(report.source_bytes for report in batch.denoised)
    after = sum(report.output_bytes for report in batch.denoised)
    return (
        f"{counts}; {megapixels:.1f} MP in {batch.seconds:.1f} s ({rate:.1f} MP/s), "
        f"{_spell_sizes(before, after)}"
    )


def _spell_sizes(before: int, after: int) -> str:
    """Say how large sources and outputs are."""
    return f"{before / 1e6:.1f} to {after / 1e6:.1f} MB"
