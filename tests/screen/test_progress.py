"""A batch on a terminal and in a log: who reads it knows what was done and what was not."""

from pathlib import Path

import pytest

from fadn_cli.batch.results import BatchResult, FileFinished, FileResult, FileStarted, TileFinished
from fadn_cli.errors import FadnError, RawReadError
from fadn_cli.screen.progress import Display
from tests.making.reports import make_report

DONE = FileResult(source=Path("a [1].CR2"), report=make_report("a [1].CR2", "out/a [1]_x.dng"))
SKIPPED = FileResult(source=Path("b.dng"), skipped="already denoised by fadn")
FAILED = FileResult(
    source=Path("c.nef"), error=RawReadError("c.nef: truncated", advice="Copy it again.")
)
BUG = FileResult(
    source=Path("d.arw"),
    error=FadnError("d.arw: internal error: ValueError: [x]", advice="Please report it."),
    traceback="Traceback (most recent call last):\n  ...\nValueError: [x]\n",
)


@pytest.fixture(autouse=True)
def no_terminal(monkeypatch):
    """Whatever the tests run in, stderr is no terminal unless a test says so."""
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)


def show(capsys, *results, interrupted=False, **options):
    """Play a batch; return what is printed while it runs, and afterwards, both from stderr."""
    with Display(count=len(results), **options) as display:
        for result in results:
            if not result.skipped:
                display(FileStarted(source=result.source))
                for done in (1, 2, 3):
                    display(TileFinished(source=result.source, done=done, total=3))
            display(FileFinished(result=result))
        running = capsys.readouterr()
    display.summarize(BatchResult(results=results, seconds=4.0, interrupted=interrupted))
    summary = capsys.readouterr()
    assert "" == running.out + summary.out
    return running.err, summary.err


def test_a_single_file_gets_one_line_and_no_table(capsys):
    running, summary = show(capsys, DONE)

    assert (
        "a [1].CR2: Canon EOS 550D, ISO 800, noise 0.47 % (measured), bayer-fast-low,"
        " 20.0 to 12.0 MB, 3.0 s"
        f" -> {Path('out/a [1]_x.dng')}\n"
    ) == running
    assert "" == summary


def test_a_single_failure_is_said_once(capsys):
    running, summary = show(capsys, FAILED)

    assert "" == running
    assert "fadn: error: c.nef: truncated\n  Copy it again.\n" == summary


def test_several_files_get_a_line_each_and_a_summary(capsys):
    running, summary = show(capsys, SKIPPED, DONE, FAILED)

    assert ["b.dng: already denoised by fadn", "a [1].CR2: Canon", "failed: c.nef: truncated"] == [
        line[:32].split(" EOS")[0] for line in running.splitlines()
    ]
    rows = {line.split("  ")[0].strip(): line for line in summary.splitlines()}
    assert "skipped" in rows["b.dng"]
    assert "a [1]_x.dng" in rows["a [1].CR2"]
    assert "failed" in rows["c.nef"]
    assert "fadn: error: c.nef: truncated\n  Copy it again.\n" in summary
    assert "1 denoised, 1 failed, 1 skipped; 12.0 MP in 4.0 s (3.0 MP/s), " in summary
    assert "(3.0 MP/s), 20.0 to 12.0 MB\n" in summary


def test_warnings_name_their_file(capsys):
    result = FileResult(source=Path("a.dng"), report=make_report("a.dng", warnings=("Odd [x].",)))

    _, summary = show(capsys, result)

    assert "fadn: warning: a.dng: Odd [x].\n" == summary


def test_why_an_output_is_large_is_said_with_its_name(capsys):
    report = make_report("a.dng", notes=("7,000 bytes [lie] unused.",))
    result = FileResult(source=Path("a.dng"), report=report)

    _, summary = show(capsys, result)
    _, quiet = show(capsys, result, quiet=True)

    assert "a.dng: 7,000 bytes [lie] unused.\n" == summary
    assert "" == quiet


def test_an_error_that_files_share_is_told_once(capsys):
    shared = FadnError("a.dng and a.nef both want the output a_x.dng", advice="Tell them apart.")
    both = (FileResult(source=Path(name), error=shared) for name in ("a.dng", "a.nef"))

    _, summary = show(capsys, *both)

    assert 1 == summary.count("both want the output")
    assert "2 failed" in summary


def test_quiet_leaves_the_errors_only(capsys):
    running, summary = show(capsys, DONE, SKIPPED, FAILED, quiet=True)

    assert "" == running
    assert "fadn: error: c.nef: truncated\n  Copy it again.\n" == summary


def test_verbose_tells_where_the_time_went_and_shows_tracebacks(capsys):
    running, summary = show(capsys, DONE, BUG, verbose=True)

    assert "read 0.50 s, estimate 0.20 s, denoise 2.00 s, write 0.30 s, total 3.00 s" in running
    assert "12 tiles" in running
    assert "Traceback (most recent call last):" in summary
    assert "ValueError: [x]\n" in summary


def test_tracebacks_are_kept_from_who_did_not_ask(capsys):
    _, summary = show(capsys, DONE, BUG)

    assert "internal error" in summary
    assert "Traceback" not in summary


def test_an_interruption_is_said(capsys):
    _, summary = show(capsys, DONE, FAILED, interrupted=True)

    assert (
        "Interrupted; what was finished is kept, the same command goes on from here.\n" in summary
    )


def test_a_terminal_gets_bars_instead_of_lines(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "120")

    running, summary = show(capsys, DONE, DONE, FAILED)

    assert "files" in running
    assert "Canon EOS 550D, ISO" not in running
    assert "2 denoised, 1 failed, 0 skipped" in summary


def test_bars_on_a_terminal_show_files_tiles_speed_and_time_left(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "120")
    with Display(count=3) as display:
        display(FileStarted(source=Path("a [1].CR2")))
        display(FileStarted(source=Path("b [red].CR2")))
        display(FileFinished(result=DONE))
        display(FileStarted(source=Path("c.CR2")))
        display(TileFinished(source=Path("b [red].CR2"), done=5, total=10))
        display(TileFinished(source=Path("c.CR2"), done=2, total=4))
        capsys.readouterr()
        display._progress.refresh()
        shown = capsys.readouterr().err

    for fact in ("Files", "2/3 files", "b [red].CR2", "5/10 tiles", "c.CR2", "2/4 tiles", "MP/s"):
        assert fact in shown
    assert "a [1].CR2" not in shown
