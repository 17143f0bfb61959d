"""How a batch goes on whatever happens, and how it ends; the denoising itself is faked here."""

import os
import signal
import threading
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from fadn_cli.batch import crew
from fadn_cli.batch import run as batch
from fadn_cli.batch.planning import Job, Plan, plan
from fadn_cli.batch.results import FileFinished, FileStarted, TileFinished
from fadn_cli.batch.run import Handling
from fadn_cli.batch.sources import Selection
from fadn_cli.errors import OutputExistsError, RawReadError, WriteError
from fadn_cli.pipeline import file as pipeline
from fadn_cli.pipeline.output import sha256_of
from fadn_cli.system.files import atomic_output
from fadn_cli.system.temporary import temporary_of
from tests.making.folders import fill
from tests.making.reports import make_report

OPTIONS = pipeline.DenoiseOptions()
DEEP = Selection(recursive=True)


@pytest.fixture
def denoised(monkeypatch):
    """Fake the denoising: writes a file, or raises what `denoised.errors` has for the name."""

    class Fake:
        def __init__(self):
            self.errors = {}
            self.calls = []
            self.interrupted = ""
            self.deaf = None

    fake = Fake()

    def denoise_file(path, output, options, *, on_tile, on_written, sidecars):
        fake.calls.append(path)
        if path.name in fake.errors:
            raise fake.errors[path.name]
        with atomic_output(output, overwrite=options.overwrite) as temporary:
            if path.name == fake.interrupted or fake.deaf:
                time.sleep(0.2)  # until all files are given out
                os.kill(os.getpid(), signal.SIGINT)
            while path.name == fake.interrupted:
                on_tile(0, 2)
                time.sleep(0.01)
            if fake.deaf:
                fake.deaf.wait(60)
            for done in (1, 2):
                on_tile(done, 2)
            temporary.write_bytes(b"denoised")
            on_written(temporary, sha256_of(path), sha256_of(temporary))
        return make_report(path, output)

    monkeypatch.setattr(pipeline, "denoise_file", denoise_file)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job ignores it
    yield fake
    signal.signal(signal.SIGINT, before)


def test_a_batch_denoises_everything_and_tells_how_it_goes(folder, denoised):
    planned = plan([folder], output=folder / "out", selection=DEEP)
    events = []

    result = batch.run(planned, OPTIONS, on_event=events.append)

    assert [job.source for job in planned.jobs] == denoised.calls
    assert all(job.output.read_bytes() == b"denoised" for job in planned.jobs)
    assert [job.output for job in planned.jobs] == [report.output for report in result.denoised]
    assert 0 == result.exit_code
    kinds = [type(event) for event in events]
    assert [FileStarted, TileFinished, TileFinished, FileFinished] * 3 == kinds


@pytest.mark.parametrize("link", (False, True))
def test_existing_outputs_fail_alone_unless_overwriting(folder, denoised, link):
    output = folder / "a_denoised.dng"
    output.symlink_to("gone") if link else output.touch()
    planned = plan([folder / "a.NEF", folder / "b.dng"])

    careful = batch.run(planned, OPTIONS)
    bold = batch.run(planned, pipeline.DenoiseOptions(overwrite=True))

    assert [OutputExistsError] == [type(error) for error in careful.errors]
    assert "a_denoised.dng exists already" in str(careful.errors[0])
    assert [folder / "b.dng"] == [report.source for report in careful.denoised]
    assert (1, 0) == (careful.exit_code, bold.exit_code)
    assert 3 == len(denoised.calls)


def test_a_bad_file_does_not_stop_the_others(folder, denoised):
    denoised.errors["a.NEF"] = RawReadError("a.NEF: truncated")
    planned = plan([folder / "gone.dng", folder / "a.NEF", folder / "b.dng"])

    result = batch.run(planned, OPTIONS)

    assert [folder / "b.dng"] == [report.source for report in result.denoised]
    assert ["no such file", "truncated"] == [
        str(error).split(": ")[1][:12].strip() for error in result.errors
    ]
    assert 1 == result.exit_code


def test_a_single_bad_file_exits_with_its_own_code(folder, denoised):
    denoised.errors["a.NEF"] = RawReadError("a.NEF: truncated")

    assert 3 == batch.run(plan([folder / "a.NEF"]), OPTIONS).exit_code


def test_a_bug_fails_its_file_in_a_batch_and_keeps_its_traceback(folder, denoised):
    denoised.errors["a.NEF"] = ZeroDivisionError("division by zero")

    result = batch.run(plan([folder]), OPTIONS)

    failed = next(entry for entry in result.results if entry.error is not None)
    assert "a.NEF: internal error: ZeroDivisionError: division by zero" == str(failed.error)
    assert failed.traceback.startswith("Traceback")
    assert [folder / "b.dng"] == [report.source for report in result.denoised]
    assert 1 == result.exit_code


def test_a_bug_with_a_single_file_comes_out_as_it_is(folder, denoised):
    denoised.errors["a.NEF"] = ZeroDivisionError()

    with pytest.raises(ZeroDivisionError):
        batch.run(plan([folder / "a.NEF"]), OPTIONS)


@pytest.mark.parametrize("jobs", (1, 2))
def test_ctrl_c_ends_the_batch_and_keeps_what_is_finished(folder, denoised, jobs):
    denoised.interrupted = "b.dng"

    result = batch.run(plan([folder], selection=DEEP), OPTIONS, Handling(jobs=jobs))

    assert 130 == result.exit_code
    assert not (folder / "b_denoised.dng").exists()
    finished = sorted(folder.rglob("*_denoised.dng"))
    assert finished == [report.output for report in result.denoised]
    assert [folder / "a_denoised.dng"] == finished or jobs > 1
    assert folder / "deep/c.ARW" not in denoised.calls or jobs > 1


def test_ctrl_c_does_not_wait_for_a_call_that_hears_nothing(folder, denoised, monkeypatch):
    monkeypatch.setattr(crew, "GRACE", 0.01)
    released = threading.Event()
    denoised.deaf = released
    temporary = temporary_of(folder / "a_denoised.dng")

    try:
        result = batch.run(plan([folder / "a.NEF", folder / "b.dng"]), OPTIONS)
        left = temporary.exists()
    finally:
        released.set()

    assert (130, ()) == (result.exit_code, result.results)
    assert not left
    assert [folder / "a.NEF"] == denoised.calls


def test_an_output_folder_that_cannot_be_made_fails_its_file(folder, denoised):
    fill(folder, "wall")
    jobs = (
        Job(source=folder / "a.NEF", output=folder / "wall" / "in" / "a.dng"),
        Job(source=folder / "b.dng", output=folder / "out" / "b.dng"),
    )

    result = batch.run(Plan(jobs=jobs, format="dng"), OPTIONS)

    assert [WriteError] == [type(error) for error in result.errors]
    assert [folder / "b.dng"] == denoised.calls


def test_options_reach_the_pipeline(folder, monkeypatch):
    seen = []

    def denoise_file(path, output, options, **_):
        seen.append(options)
        return make_report(path, output)

    monkeypatch.setattr(pipeline, "denoise_file", denoise_file)
    options = pipeline.DenoiseOptions(strength=0.5, format="tiff")

    batch.run(plan([folder], format="tiff"), options)

    assert [options, options] == seen


def test_what_a_second_batch_is_working_on_is_left_to_it(folder, denoised):
    planned = plan([folder], selection=DEEP)

    with suppress(ZeroDivisionError), atomic_output(folder / "b_denoised.dng", overwrite=False):
        result = batch.run(planned, OPTIONS)
        raise ZeroDivisionError

    states = {each.source.name: (each.state, each.skipped) for each in result.results}
    assert "skipped" == states["b.dng"][0]
    assert "another fadn is writing it" in states["b.dng"][1]
    assert ["denoised", "denoised"] == [states[name][0] for name in ("a.NEF", "c.ARW")]
    assert 0 == result.exit_code
    assert {"done": 2, "denoised": 1} == {
        state: number for state, number in batch.run(planned, OPTIONS).counts.items() if number
    }


def test_leftovers_in_the_output_folders_are_removed(folder, denoised):
    left = [temporary_of(folder / "out" / name) for name in ("a_denoised.dng", "x.dng")]
    (folder / "out").mkdir()
    for path in left:
        path.touch()

    batch.run(plan([folder], output=folder / "out"), OPTIONS)

    assert [] == list((folder / "out").glob(".fadn-*.part"))


@pytest.mark.parametrize(
    ("jobs", "threads", "expected"), ((1, 5, 5), (2, 5, 2), (3, 2, 1), (9, 6, 2))
)
def test_files_at_once_share_the_threads(folder, monkeypatch, jobs, threads, expected):
    seen = []

    def denoise_file(path, output, options, **_):
        seen.append(options.threads)
        return make_report(path, output)

    monkeypatch.setattr(pipeline, "denoise_file", denoise_file)
    planned = plan([folder], selection=DEEP)

    batch.run(planned, pipeline.DenoiseOptions(threads=threads), Handling(jobs=jobs))

    assert [expected] * 3 == seen


def test_results_are_in_the_order_of_the_plan(folder, denoised):
    planned = plan([folder], selection=DEEP)

    result = batch.run(planned, OPTIONS, Handling(jobs=3))

    assert [job.source for job in planned.jobs] == [each.source for each in result.results]


def test_a_dry_run_tells_what_would_be_done_and_writes_nothing(folder, denoised):
    batch.run(plan([folder / "a.NEF"]), OPTIONS)
    output = folder / "b_out" / "b.dng"
    planned = plan([folder, folder / "gone.dng"], selection=DEEP)
    jobs = [
        Job(source=job.source, output=output) if job.source.name == "b.dng" else job
        for job in planned.jobs
    ]
    planned = replace(planned, jobs=tuple(jobs))
    fill(folder, "b_out/b.dng")
    before = sorted(folder.rglob("*"))

    rows = batch.foresee(planned, OPTIONS)

    assert [
        ("a_denoised.dng", "skip"),
        ("gone.dng", "fail"),
        ("a.NEF", "done"),
        ("b.dng", "fail"),
        ("c.ARW", "denoise"),
    ] == [(Path(row["source"]).name, row["action"]) for row in rows]
    redone = batch.foresee(planned, pipeline.DenoiseOptions(strength=0.5))
    assert ("redo", "other options, version or weights") == (
        redone[2]["action"],
        redone[2]["reason"],
    )
    assert before == sorted(folder.rglob("*"))
