"""Batches in processes of their own, stopped at bad moments: nothing lost, partial or twice.

benchmarks/interruptions.py does the same with 60 real files and 20 kills.
"""

import os
import signal
import subprocess
import sys
import time

import pytest

from fadn_cli.batch import run as batch
from fadn_cli.batch.ledger import read_entries
from fadn_cli.batch.planning import plan
from fadn_cli.batch.run import Handling
from fadn_cli.pipeline.options import DenoiseOptions
from tests.making.dng.write import write_dng
from tests.making.mosaics import noisy_samples
from tests.programs.fadn import environment

OPTIONS = DenoiseOptions(quality="fast")
NAMES = ("a 1", "b [2]", "c é", os.fsdecode(b"d \xe9"), "e", "f")


@pytest.fixture(scope="module")
def shoot(tmp_path_factory):
    """A folder of raws, and the outputs of an undisturbed run, by their names."""
    folder = tmp_path_factory.mktemp("shoot")
    for seed, name in enumerate(NAMES):
        write_dng(folder / f"{name}.dng", noisy_samples(96, 128, seed=seed), iso=3200)
    return folder, denoise(folder, folder.parent / "undisturbed")


def denoise(folder, output, options=OPTIONS, **handling):
    """Run a batch here; return the outputs' bytes by name."""
    result = batch.run(plan([folder], output=output), options, Handling(**handling))
    assert 0 == result.exit_code
    return contents(output)


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.glob("*.dng")}


def start(folder, output, *arguments):
    """Start the command, deaf to nothing even where the tests run in the background."""
    command = ["denoise", folder, "-o", output, "--quality", "fast", *arguments]
    return subprocess.Popen(
        [sys.executable, "-m", "fadn_cli", *command],
        env=environment(),
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


@pytest.mark.parametrize(("jobs", "threads"), ((1, 1), (1, 2), (2, None), (3, 2)))
def test_the_bytes_depend_neither_on_jobs_nor_on_threads(shoot, tmp_path, jobs, threads):
    folder, expected = shoot

    found = denoise(folder, tmp_path, DenoiseOptions(quality="fast", threads=threads), jobs=jobs)

    assert len(NAMES) == len(found)
    assert expected == found


@pytest.mark.parametrize("kill", (signal.SIGINT, signal.SIGKILL))
def test_a_batch_that_was_stopped_is_finished_by_the_next(shoot, tmp_path, kill):
    folder, expected = shoot
    output = tmp_path / "out"
    with start(folder, output, "--jobs", "2") as process:
        while process.poll() is None and not list(output.glob("*_denoised.dng")):
            time.sleep(0.001)
        process.send_signal(kill)
        process.communicate()
    stopped = contents(output)
    stamps = {path: path.stat().st_mtime_ns for path in output.glob("*.dng")}
    left = [path.name for path in output.glob(".fadn-*.part")]

    found = denoise(folder, output)

    assert process.returncode in ({130, 0} if kill == signal.SIGINT else {-kill, 0})
    assert kill == signal.SIGKILL or not left
    assert stopped.items() <= expected.items()
    assert expected == found
    assert [] == list(output.glob(".fadn-*.part"))
    assert all(stamp == path.stat().st_mtime_ns for path, stamp in stamps.items())
    assert all(1 <= len(read_entries(output / name)) <= 2 for name in expected)


def test_two_batches_on_one_folder_share_the_work(shoot, tmp_path):
    folder, expected = shoot
    output = tmp_path / "out"

    with start(folder, output) as one, start(folder, output) as other:
        one.communicate()
        other.communicate()

    assert (0, 0) == (one.returncode, other.returncode)
    assert expected == contents(output)
    assert [1] * len(expected) == [len(read_entries(output / name)) for name in expected]
