"""What is done is not done again, what was edited is left alone, what was killed is known again."""

import errno
import os
from dataclasses import replace
from pathlib import Path

import pytest

from fadn_cli.batch import worker
from fadn_cli.batch.claims import claimed
from fadn_cli.batch.ledger import STATE_FILE, read_entries, recipe
from fadn_cli.batch.planning import Job
from fadn_cli.batch.worker import Task, judge, work
from fadn_cli.denoise.network import specialists
from fadn_cli.errors import (
    InferenceError,
    OutputBusyError,
    OutputExistsError,
    RawReadError,
    WeightsError,
    WriteError,
)
from fadn_cli.pipeline import file as pipeline
from fadn_cli.pipeline.file import DenoiseOptions
from fadn_cli.pipeline.output import sha256_of
from fadn_cli.system.files import atomic_output
from fadn_cli.system.temporary import temporary_of
from tests.making.reports import make_report
from tests.making.xmp import xmp

HALF = DenoiseOptions(strength=0.5)


@pytest.fixture
def denoised(monkeypatch):
    """Fake the denoising: bytes that source and strength decide; `before_name` may interfere."""

    class Fake:
        calls = 0

        def before_name(self):
            pass

    fake = Fake()

    def denoise_file(path, output, options, *, on_tile, on_written, sidecars):
        fake.calls += 1
        with atomic_output(output, overwrite=options.overwrite) as temporary:
            temporary.write_bytes(path.read_bytes() + f" at {options.strength:g}".encode())
            fake.before_name()
            on_written(temporary, sha256_of(path), sha256_of(temporary))
        return make_report(path, output)

    monkeypatch.setattr(pipeline, "denoise_file", denoise_file)
    return fake


@pytest.fixture
def task(tmp_path):
    """A file to denoise into a folder that is not there yet."""
    source = tmp_path / "a.nef"
    source.write_bytes(b"raw")
    return make_task(source, tmp_path / "out" / "a.dng")


def make_task(source, output, options=None, **how):
    options = options or DenoiseOptions()
    job = Job(source=source, output=output)
    return Task(job=job, options=options, recipe=recipe(options), **how)


def changed(task, options):
    return replace(task, options=options, recipe=recipe(options))


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_denoised_once(task, denoised):
    first, second = work(task), work(task)

    assert ("denoised", "done") == (first.state, second.state)
    assert "done already" == second.skipped
    assert b"raw at 1" == task.job.output.read_bytes()
    assert sha256_of(task.job.output) == second.done.output_sha256
    assert sha256_of(task.job.source) == second.done.source_sha256
    assert 1 == denoised.calls
    assert [STATE_FILE, "a.dng"] == names(task.job.output.parent)


@pytest.mark.parametrize("options", (DenoiseOptions(threads=7), DenoiseOptions(quality="best")))
def test_options_without_effect_change_nothing(task, denoised, options):
    work(task)

    assert "done" == work(changed(task, options)).state


def test_other_options_redo_what_is_ours(task, denoised):
    work(task)

    result = work(changed(task, HALF))

    assert "denoised" == result.state
    assert b"raw at 0.5" == task.job.output.read_bytes()
    assert "done" == work(changed(task, HALF)).state


def test_another_source_redoes_what_is_ours(task, denoised):
    work(task)
    task.job.source.write_bytes(b"better raw")

    assert ("redo", "the source has changed") == (judge(task).action, judge(task).reason)
    assert "denoised" == work(task).state
    assert b"better raw at 1" == task.job.output.read_bytes()


def test_another_photograph_of_that_name_replaces_nothing_unasked(task, denoised):
    work(task)
    other = task.job.source.parent / "day 2" / "a.nef"
    other.parent.mkdir()
    other.write_bytes(b"another raw")
    other.with_suffix(".xmp").write_text("<another/>")
    job = Job(source=other, output=task.job.output)
    task.job.source.with_suffix(".xmp").write_text("<edits/>")
    work(replace(task, sidecars=True))

    result = work(replace(task, job=job, sidecars=True))

    assert f"is that of {os.path.realpath(task.job.source)}" in str(result.error)
    assert "--name" in result.error.advice
    assert b"raw at 1" == task.job.output.read_bytes()
    assert "<edits/>" == task.job.output.with_suffix(".xmp").read_text()
    forced = changed(replace(task, job=job), DenoiseOptions(overwrite=True))
    assert "denoised" == work(forced).state


def test_a_photograph_that_was_moved_is_the_same(task, denoised):
    work(task)
    moved = task.job.source.rename(task.job.source.parent / "moved.nef")
    job = Job(source=moved, output=task.job.output)

    assert "redo" == judge(replace(task, job=job)).action


def test_newer_weights_redo_what_is_ours(task, denoised, monkeypatch):
    work(task)
    newer = tuple(replace(each, sha256="0" * 64) for each in specialists.bundled())
    monkeypatch.setattr(specialists, "bundled", lambda: newer)

    assert "denoised" == work(changed(task, DenoiseOptions())).state


def test_an_edited_output_is_left_alone(task, denoised):
    work(task)
    task.job.output.write_bytes(b"edited")

    same, other = work(task), work(changed(task, HALF))

    assert ("done", "done already, and edited since") == (same.state, same.skipped)
    assert "failed" == other.state
    assert "was edited since fadn wrote it, and is left alone" in str(other.error)
    assert "--overwrite" in other.error.advice
    assert 8 == other.error.exit_code
    assert b"edited" == task.job.output.read_bytes()


def test_overwriting_forces(task, denoised):
    work(task)
    task.job.output.write_bytes(b"edited")

    result = work(changed(task, DenoiseOptions(overwrite=True)))

    assert "denoised" == result.state
    assert b"raw at 1" == task.job.output.read_bytes()


@pytest.mark.parametrize("state", (None, b"", b"\xff\0junk\n{"))
def test_what_no_note_tells_of_is_refused(task, denoised, state):
    work(task)
    ledger = task.job.output.parent / STATE_FILE
    ledger.unlink() if state is None else ledger.write_bytes(state)

    result = work(changed(task, HALF))

    assert [OutputExistsError, "failed"] == [type(result.error), result.state]
    assert "exists already" in str(result.error)
    assert b"raw at 1" == task.job.output.read_bytes()


def test_an_older_state_of_ours_is_ours(task, denoised):
    work(task)
    work(changed(task, HALF))
    task.job.output.write_bytes(b"raw at 1")  # put back by hand

    assert "done" == judge(task).action
    assert "redo" == judge(changed(task, HALF)).action


class Killed(BaseException):
    """Stands for a kill: nothing catches it."""


@pytest.mark.parametrize("before", (None, DenoiseOptions()))
def test_killed_after_the_note_and_before_the_name(task, denoised, monkeypatch, before):
    if before:
        work(changed(task, before))
    new = changed(task, HALF)

    def killed(*arguments, **options):
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr("fadn_cli.system.files._move_into_place", killed)
        with pytest.raises(Killed):
            work(new)

    assert len(read_entries(task.job.output)) == (2 if before else 1)
    assert "denoised" == work(new).state
    assert b"raw at 0.5" == task.job.output.read_bytes()


def test_a_name_that_was_taken_but_not_filled_is_ours(task, denoised):
    work(task)
    task.job.output.write_bytes(b"")

    assert "denoised" == work(task).state
    assert b"raw at 1" == task.job.output.read_bytes()


def test_an_output_that_another_batch_finishes_meanwhile_is_not_made_twice(task, denoised):
    def finish_first():
        denoised.before_name = lambda: None
        temporary_of(task.job.output).rename(task.job.output.parent / "ours")
        work(task)
        (task.job.output.parent / "ours").rename(temporary_of(task.job.output))

    denoised.before_name = finish_first

    result = work(task)

    assert "done" == result.state
    assert b"raw at 1" == task.job.output.read_bytes()


def test_an_output_edited_while_it_is_redone_survives(task, denoised):
    work(task)
    denoised.before_name = lambda: task.job.output.write_bytes(b"edited meanwhile")

    result = work(changed(task, HALF))

    assert "failed" == result.state
    assert b"edited meanwhile" == task.job.output.read_bytes()
    assert [STATE_FILE, "a.dng"] == names(task.job.output.parent)


def test_what_another_fadn_is_writing_is_left_to_it(task, denoised):
    task.job.output.parent.mkdir()

    with atomic_output(task.job.output, overwrite=False):
        result = work(task)

    assert ("skipped", None) == (result.state, result.error)
    assert "another fadn is writing it" in result.skipped


def test_what_is_to_be_overwritten_is_not_left_to_another_fadn(task, denoised):
    task.job.output.parent.mkdir()

    with atomic_output(task.job.output, overwrite=False):
        result = work(changed(task, DenoiseOptions(overwrite=True)))

    assert OutputBusyError is type(result.error)


def test_what_a_batch_with_other_options_means_to_make_is_not_redone(task, denoised):
    work(task)

    with claimed([task.job], task.recipe, overwrite=False):
        result = work(changed(task, HALF))

    assert "with other options" in str(result.error)
    assert b"raw at 1" == task.job.output.read_bytes()


@pytest.mark.parametrize("kind", ("folder", "link"))
def test_what_is_no_file_is_refused(task, denoised, kind):
    output = task.job.output
    output.parent.mkdir()
    output.mkdir() if kind == "folder" else output.symlink_to("gone")

    assert "exists already" in str(work(task).error)


def test_a_source_that_went_away_is_a_failure(task, denoised):
    work(task)
    task.job.source.unlink()

    assert RawReadError is type(work(task).error)


def test_a_worker_with_other_weights_is_refused(task, denoised):
    result = work(replace(task, recipe="of another version"))

    assert WeightsError is type(result.error)
    assert "a.nef" in str(result.error)
    assert 0 == denoised.calls


@pytest.mark.parametrize("wall", ("b.dng/", "out"))
def test_every_failure_names_its_photograph_once_whatever_failed(tmp_path, denoised, wall):
    """An output need not be called like its source, and a folder is many photographs'."""
    (tmp_path / "a.nef").write_bytes(b"raw")
    output = tmp_path / "out" / "b.dng"
    (output if wall == "b.dng/" else tmp_path).mkdir(parents=True, exist_ok=True)
    if wall == "out":
        output.parent.write_bytes(b"no folder")
    options = DenoiseOptions(overwrite=True)

    result = work(make_task(tmp_path / "a.nef", output, options))

    assert WriteError is type(result.error)
    assert 1 == str(result.error).count("a.nef")
    assert result.error.advice


def test_too_little_memory_is_a_failure_that_says_what_needs_less(task, denoised):
    def short():
        raise MemoryError("Unable to allocate 45.8 MiB")

    denoised.before_name = short

    result = work(task)

    assert InferenceError is type(result.error)
    assert "a.nef: memory is too little (Unable to allocate 45.8 MiB)" == str(result.error)
    assert "ulimit -v" in result.error.advice
    assert [] == names(task.job.output.parent)


def test_the_time_of_the_source_is_kept_if_asked_for(task, denoised):
    os.utime(task.job.source, ns=(10**18, 10**18 + 7))
    keeping = replace(task, keep_mtime=True)

    work(task)
    without = task.job.output.stat().st_mtime_ns
    work(keeping)
    done = task.job.output.stat().st_mtime_ns
    task.job.output.unlink()
    work(keeping)

    assert 10**18 + 7 != without
    assert [10**18 + 7] * 2 == [done, task.job.output.stat().st_mtime_ns]


def test_a_disk_that_sets_no_times_costs_no_output(task, denoised, monkeypatch):
    def refuse(path, **times):
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM), str(path))

    monkeypatch.setattr(os, "utime", refuse)
    keeping = replace(task, keep_mtime=True)

    results = [work(keeping), work(keeping)]

    assert ["denoised", "done"] == [result.state for result in results]
    for result in results:
        said = f"{task.job.source.name} could not be kept (Operation not permitted)"
        assert said in result.warnings[0]


def test_an_output_that_cannot_be_noted_is_kept_with_a_warning(task, denoised, monkeypatch):
    def full(folder, entry):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(worker, "append_entry", full)

    result = work(task)

    assert "denoised" == result.state
    assert "No space left on device" in result.warnings[0]
    assert str(task.job.output.parent / ".fadn-state.jsonl") in result.warnings[0]
    assert b"raw at 1" == task.job.output.read_bytes()


def test_sidecars_come_along_even_for_what_is_done(task, denoised):
    work(task)
    task.job.source.with_name("a.nef.pp3").write_text("edits")

    result = work(replace(task, sidecars=True))

    assert "done" == result.state
    assert "edits" == task.job.output.with_name(task.job.output.name + ".pp3").read_text()


def test_with_other_edits_an_output_is_made_again(task, denoised):
    task = replace(task, sidecars=True)
    sidecar = task.job.source.with_suffix(".xmp")
    states = []
    for stars in (None, 1, 1, 2):
        if stars:
            sidecar.write_bytes(xmp(f'xmp:Rating="{stars}"'))
        states.append((judge(task).action, work(task).state))

    assert ["denoise", "redo", "done", "redo"] == [action for action, _ in states]
    assert sidecar.read_bytes() == task.job.output.with_suffix(".xmp").read_bytes()


def test_xmp_that_does_not_parse_stops_nothing(task, denoised):
    task.job.source.with_suffix(".xmp").write_text("<x")

    result = work(replace(task, sidecars=True))

    assert result.error is None
    [warning] = [each for each in result.warnings if "a.xmp" in each]
    assert "well-formed" in warning
    assert not task.job.output.with_suffix(".xmp").exists()


def test_judging_writes_nothing(task, denoised):
    assert "denoise" == judge(task).action
    assert [Path("a.nef")] == [
        path.relative_to(path.parent) for path in task.job.source.parent.iterdir()
    ]
