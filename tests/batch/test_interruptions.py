"""Batches in processes of their own, stopped at bad moments: nothing lost, partial or twice.

benchmarks/interruptions.py does the same with 60 real files and 20 kills.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fadn_cli.batch import run as batch
from fadn_cli.batch.ledger import STATE_FILE, read_entries
from fadn_cli.batch.planning import plan
from fadn_cli.batch.run import Handling
from fadn_cli.pipeline.options import DenoiseOptions
from tests.making.dng.write import write_dng
from tests.making.mosaics import noisy_samples
from tests.programs.fadn import environment

ASKING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGXCPU)
"""Signals that ask a process to end, and leave it the time to."""
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
        stdout=subprocess.PIPE,
        preexec_fn=hearing,
    )


def hearing():
    """Ignore no signal, whatever the tests were started by."""
    for kill in ASKING:
        signal.signal(kill, signal.SIG_DFL)


def at_work(process, output):
    """Wait until a file is at work."""
    while process.poll() is None and not list(output.glob(".fadn-*.part")):
        time.sleep(0.001)


@pytest.mark.parametrize(("jobs", "threads"), ((1, 1), (1, 2), (2, None), (3, 2)))
def test_the_bytes_depend_neither_on_jobs_nor_on_threads(shoot, tmp_path, jobs, threads):
    folder, expected = shoot

    found = denoise(folder, tmp_path, DenoiseOptions(quality="fast", threads=threads), jobs=jobs)

    assert len(NAMES) == len(found)
    assert expected == found


@pytest.mark.parametrize("kill", (*ASKING, signal.SIGKILL))
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
    left = [path.name for path in output.glob(".fadn-*") if path.name != STATE_FILE]

    found = denoise(folder, output)

    assert process.returncode in {-kill if kill == signal.SIGKILL else 128 + kill, 0}
    assert kill == signal.SIGKILL or not left
    assert stopped.items() <= expected.items()
    assert expected == found
    assert [STATE_FILE] == [path.name for path in output.glob(".fadn-*")]
    assert all(stamp == path.stat().st_mtime_ns for path, stamp in stamps.items())
    assert all(1 <= len(read_entries(output / name)) <= 2 for name in expected)


@pytest.mark.parametrize("kills", ((signal.SIGTERM,), (signal.SIGHUP,), (signal.SIGINT,) * 5))
def test_what_was_done_is_told_after_any_signal_however_often_it_comes(shoot, tmp_path, kills):
    folder, expected = shoot
    output, report = tmp_path / "out", tmp_path / "report.json"
    with start(folder, output, "--json", "--report", report) as process:
        while process.poll() is None and not list(output.glob("*_denoised.dng")):
            time.sleep(0.001)
        for kill in kills:
            process.send_signal(kill)
            time.sleep(0.02)
        told = json.loads(process.communicate()[0])

    assert json.loads(report.read_text()) == told
    assert (True, 128 + kills[0]) == (told["interrupted"], told["exit_code"])
    assert process.returncode == 128 + kills[0]
    made = [each["output"] for each in told["files"] if each["state"] == "denoised"]
    assert contents(output).keys() == {Path(name).name for name in made}
    assert [STATE_FILE] == [path.name for path in output.glob(".fadn-*")]


def test_what_is_to_be_ignored_is_ignored(shoot, tmp_path):
    folder, expected = shoot
    output = tmp_path / "out"
    command = [
        sys.executable,
        "-m",
        "fadn_cli",
        "denoise",
        folder,
        "-o",
        output,
        "--quality",
        "fast",
    ]
    with subprocess.Popen(
        command,
        env=environment(),
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),  # as nohup does
    ) as process:
        at_work(process, output)
        process.send_signal(signal.SIGHUP)

    assert 0 == process.returncode
    assert expected == contents(output)


@pytest.mark.parametrize("kill", ASKING)
def test_other_commands_leave_nothing_either(shoot, tmp_path, kill):
    folder, _ = shoot
    source = folder / f"{NAMES[0]}.dng"
    denoised = folder.parent / "undisturbed" / f"{NAMES[0]}_denoised.dng"
    page = tmp_path / "page.html"
    command = [sys.executable, "-m", "fadn_cli", "compare", source, denoised, "-o", page]
    with subprocess.Popen(
        command, env=environment(), stderr=subprocess.PIPE, preexec_fn=hearing
    ) as process:
        at_work(process, tmp_path)
        process.send_signal(kill)
        said = process.communicate()[1]

    assert process.returncode in (128 + kill, 0)
    assert b"Traceback" not in said
    assert [] == list(tmp_path.glob(".fadn-*"))


def test_two_batches_on_one_folder_share_the_work(shoot, tmp_path):
    folder, expected = shoot
    output = tmp_path / "out"

    with start(folder, output) as one, start(folder, output) as other:
        one.communicate()
        other.communicate()

    assert (0, 0) == (one.returncode, other.returncode)
    assert expected == contents(output)
    assert [1] * len(expected) == [len(read_entries(output / name)) for name in expected]
