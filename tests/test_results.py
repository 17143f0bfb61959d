"""What became of a batch: its exit code, its counts and its JSON."""

from pathlib import Path

import pytest

from fadn_cli.errors import RawReadError, WriteError
from fadn_cli.results import BatchResult, FileResult
from tests.reports import make_report

DONE = FileResult(source=Path("a.dng"), report=make_report("a.dng"))
SKIPPED = FileResult(source=Path("b.dng"), skipped="already denoised by fadn")
UNREADABLE = FileResult(source=Path("c.dng"), error=RawReadError("c.dng: empty"))
UNWRITABLE = FileResult(source=Path("d.dng"), error=WriteError("d.dng: disk full"))


@pytest.mark.parametrize(
    ("results", "exit_code"),
    [
        ((), 0),
        ((DONE,), 0),
        ((SKIPPED,), 0),
        ((DONE, DONE, SKIPPED), 0),
        ((UNREADABLE,), 3),
        ((UNWRITABLE,), 9),
        ((SKIPPED, UNWRITABLE), 9),
        ((UNREADABLE, UNREADABLE), 1),
        ((DONE, UNREADABLE), 1),
    ],
)
def test_one_input_exits_with_its_code_and_several_with_1(results, exit_code):
    assert exit_code == BatchResult(results=results, seconds=1.0).exit_code


@pytest.mark.parametrize("results", ((), (DONE,), (UNREADABLE,), (DONE, UNREADABLE)))
def test_an_interrupted_batch_exits_130_whatever_happened(results):
    assert BatchResult(results=results, seconds=1.0, interrupted=True).exit_code == 130


def test_a_batch_knows_what_was_denoised_and_what_failed():
    batch = BatchResult(results=(SKIPPED, UNREADABLE, DONE, UNWRITABLE), seconds=1.0)

    assert (DONE.report,) == batch.denoised
    assert (UNREADABLE.error, UNWRITABLE.error) == batch.errors
