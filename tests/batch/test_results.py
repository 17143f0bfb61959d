"""What became of a batch: its exit code, its counts and its JSON."""

import json
import os
import re
from pathlib import Path

import pytest

from fadn_cli.batch.results import (
    STATES,
    BatchResult,
    Done,
    FileResult,
    prepare_report,
    write_report,
)
from fadn_cli.errors import FadnError, RawReadError, WriteError
from fadn_cli.pipeline.report import to_json
from tests.making.reports import make_report

PAGE = Path(__file__).resolve().parents[2] / "docs" / "report.md"

DONE = FileResult(source=Path("a.dng"), report=make_report("a.dng"))
SKIPPED = FileResult(source=Path("b.dng"), skipped="already denoised by fadn")
BEFORE = FileResult(
    source=Path("e.dng"),
    skipped="done already",
    done=Done(output=Path("out/e.dng"), source_sha256="2" * 64, output_sha256="3" * 64),
)
BUG = FileResult(source=Path("f.dng"), error=FadnError("f.dng: internal"), traceback="Traceback")
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
        ((BEFORE,), 0),
        ((BEFORE, UNREADABLE), 1),
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


def documented(heading):
    """The names in the first column of the page's table that follows a heading."""
    part = PAGE.read_text(encoding="utf-8").split(heading)[1]
    table = part[part.index("\n| field") :].split("\n\n")[0]
    cells = [line.split("|")[1] for line in table.splitlines()[3:]]
    return [name for cell in cells for name in re.findall(r"`(\w+)`", cell)]


def test_the_json_is_as_the_page_says():
    results = (SKIPPED, DONE, BEFORE, BUG, UNREADABLE)
    batch = json.loads(to_json(BatchResult(results=results, seconds=1.5).to_dict()))

    assert documented("# What became") == list(batch)
    for each in batch["files"]:
        assert documented("Each of `files`") == list(each)
    assert sorted(batch["files"][1]["report"]) == sorted(documented("Each `report`"))
    assert dict.fromkeys(STATES, 1) | {"failed": 2} == batch["counts"]
    assert set(batch["counts"]) == {each["state"] for each in batch["files"]}
    text = PAGE.read_text(encoding="utf-8")
    assert all(f"`{name}`" in text for name in batch["files"][3]["error"])
    assert all(f"`{kind.__name__}`" in text for kind in FadnError.__subclasses__())


def test_the_json_tells_what_became_of_each_file():
    batch = BatchResult(results=(DONE, BEFORE, BUG, UNREADABLE), seconds=1.5).to_dict()

    done, before, bug, unreadable = batch["files"]
    assert make_report("a.dng").to_dict() == done["report"]
    assert ["0" * 64, "1" * 64] == [done["source_sha256"], done["output_sha256"]]
    assert ["out/e.dng", "3" * 64] == [before["output"], before["output_sha256"]]
    assert [None, "done already"] == [before["report"], before["reason"]]
    assert "Traceback" == bug["error"]["traceback"]
    assert {
        "type": "RawReadError",
        "message": "c.dng: empty",
        "advice": "",
        "exit_code": 3,
        "traceback": None,
    } == unreadable["error"]
    assert [None, None] == [unreadable["output"], unreadable["output_sha256"]]


def test_all_warnings_are_told():
    report = make_report("a.dng", warnings=("One.",))

    result = FileResult(source=Path("a.dng"), report=report, warnings=("Two.",))

    assert ["One.", "Two."] == result.to_dict()["warnings"]


def test_a_report_replaces_an_earlier_one_and_holds_any_name(tmp_path):
    path = tmp_path / "deep" / "report.json"
    odd = FileResult(source=Path(os.fsdecode(b"caf\xe9.dng")), skipped="[x]")
    prepare_report(path)
    for results in ((DONE,), (odd,)):
        write_report(path, BatchResult(results=results, seconds=1.0))

    assert "caf\\udce9.dng" == json.loads(path.read_bytes())["files"][0]["source"]
    assert [path] == list(path.parent.iterdir())


def test_a_report_that_cannot_be_written_is_known_before_the_work(tmp_path):
    (tmp_path / "wall").touch()

    with pytest.raises(WriteError, match="wall"):
        prepare_report(tmp_path / "wall" / "report.json")
