"""Two batches with different options never mix their outputs unasked."""

import errno
import os
import signal
import subprocess
import sys
import threading

import pytest

from fadn_cli.batch import run as batch
from fadn_cli.batch.claims import claimed, refuse_rival
from fadn_cli.batch.planning import Job, plan
from fadn_cli.batch.run import Handling
from fadn_cli.errors import OutputExistsError
from fadn_cli.pipeline.options import DenoiseOptions
from fadn_cli.system.temporary import remove_leftovers
from tests.making.dng.write import write_dng
from tests.making.mosaics import noisy_samples
from tests.programs.fadn import environment

FAST = DenoiseOptions(quality="fast")
HALF = DenoiseOptions(quality="fast", strength=0.5)


@pytest.fixture
def jobs(tmp_path):
    """What two batches want: the first two outputs are in one folder."""
    outputs = (tmp_path / "out" / "a.dng", tmp_path / "out" / "b.dng", tmp_path / "x" / "a.dng")
    return [Job(source=tmp_path / "s" / path.name, output=path) for path in outputs]


def names(folder):
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_another_recipe_is_refused_while_the_first_is_at_work(jobs):
    with claimed(jobs[:2], "one", overwrite=False):
        with (
            pytest.raises(OutputExistsError, match=r"a\.dng: another fadn.*other opt") as caught,
            claimed(jobs, "other", overwrite=False),
        ):
            pytest.fail("the block ran")
        with pytest.raises(OutputExistsError):
            refuse_rival(jobs[0].output, "other")
        refuse_rival(jobs[0].output, "one")
    with claimed(jobs, "other", overwrite=False):
        refuse_rival(jobs[0].output, "other")

    assert 8 == caught.value.exit_code
    assert "--overwrite" in caught.value.advice
    assert [] == names(jobs[0].output.parent)  # which was made for nothing


@pytest.mark.parametrize(
    ("first", "second", "recipe", "overwrite"),
    (
        (slice(0, 2), slice(0, 2), "one", False),
        (slice(0, 1), slice(1, 3), "other", False),
        (slice(0, 2), slice(0, 2), "other", True),
    ),
)
def test_one_recipe_or_other_outputs_or_overwriting_are_let_in(
    jobs, first, second, recipe, overwrite
):
    with claimed(jobs[first], "one", overwrite=False):
        assert 1 == len(names(jobs[0].output.parent))
        with claimed(jobs[second], recipe, overwrite=overwrite):
            assert 2 == len(names(jobs[0].output.parent))


@pytest.mark.parametrize("content", (b"", b"junk\n", b"[]\n", b"[" * 5000 + b"\n", b"{}\n"))
def test_what_is_no_claim_claims_nothing(jobs, content):
    folder = jobs[0].output.parent
    folder.mkdir()
    (folder / ".fadn-0123456789abcdef.batch").write_bytes(content)
    os.mkfifo(folder / ".fadn-0123456789abcde0.batch")
    (folder / ".fadn-0123456789abcde1.batch").symlink_to("nowhere")

    with claimed(jobs, "one", overwrite=False):
        pass

    assert 1 == remove_leftovers(folder)


def test_of_many_that_begin_at_once_one_is_let_in(jobs):
    start, end = threading.Barrier(6), threading.Barrier(6)
    let_in = []

    def begin(number):
        start.wait()
        try:
            with claimed(jobs, f"recipe {number}", overwrite=False):
                let_in.append(number)
                end.wait()
        except OutputExistsError:
            end.wait()

    threads = [threading.Thread(target=begin, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert 1 == len(let_in)


def test_a_folder_that_cannot_be_claimed_is_worked_in(tmp_path):
    (tmp_path / "file").touch()
    job = Job(source=tmp_path / "a", output=tmp_path / "file" / "a.dng")

    with claimed([job], "one", overwrite=False):
        refuse_rival(job.output, "other")


def test_a_claim_that_a_full_network_disk_cannot_close_ends_all_the_same(jobs, monkeypatch):
    """There the system tells only then that it could not store what was written."""
    close = os.close

    def refuse(descriptor):
        close(descriptor)
        raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))

    with claimed(jobs[:1], "one", overwrite=False):
        monkeypatch.setattr(os, "close", refuse)
    monkeypatch.undo()

    assert [] == names(jobs[0].output.parent)


def test_a_second_batch_with_other_options_is_refused_and_writes_nothing(tmp_path):
    source, output = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    for seed in range(30):
        write_dng(source / f"{seed}.dng", noisy_samples(96, 128, seed=seed), iso=3200)
    command = [sys.executable, "-m", "fadn_cli", "denoise", source, "-o", output]
    with subprocess.Popen(
        [*command, "--quality", "fast"], env=environment(), stderr=subprocess.DEVNULL
    ) as first:
        while first.poll() is None and not list(output.glob("*.dng")):
            pass
        first.send_signal(signal.SIGSTOP)
        try:
            with pytest.raises(OutputExistsError, match="with other options"):
                batch.run(plan([source], output=output), HALF, Handling())
        finally:
            first.send_signal(signal.SIGCONT)

    assert 0 == first.returncode
    again = batch.run(plan([source], output=output), FAST)
    assert 30 == again.counts["done"]
    assert [] == [
        name for name in names(output) if name.startswith(".fadn-") and "state" not in name
    ]
