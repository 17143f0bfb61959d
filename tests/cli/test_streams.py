"""Streams that fail, in processes of their own: they never decide about photographs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.making.dng.write import write_dng
from tests.making.mosaics import noisy_samples
from tests.programs.fadn import environment, fadn

FULL = Path("/dev/full")
needs_full = pytest.mark.skipif(not FULL.exists(), reason="needs /dev/full")


@pytest.fixture
def shoot(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    for seed in range(4):
        write_dng(folder / f"{seed}.dng", noisy_samples(96, 128, seed=seed), iso=3200)
    return folder


def start(*arguments, **streams):
    """Start `fadn denoise`, its streams as given."""
    command = [sys.executable, "-m", "fadn_cli", "denoise", *arguments, "--quality", "fast"]
    return subprocess.Popen(list(map(os.fspath, command)), env=environment(), **streams)


@needs_full
def test_progress_that_cannot_be_written_stops_nothing(shoot, tmp_path):
    with (
        FULL.open("w") as full,
        start(shoot, "-o", tmp_path / "out", "--json", stderr=full, stdout=subprocess.PIPE) as run,
    ):
        batch = json.loads(run.communicate()[0])

    assert (0, 4) == (run.returncode, batch["counts"]["denoised"])
    assert 4 == len(list((tmp_path / "out").glob("*.dng")))


@needs_full
def test_a_single_file_needs_nobody_who_listens(shoot, tmp_path):
    with (
        FULL.open("w") as full,
        start(shoot / "0.dng", "-o", tmp_path / "a.dng", stderr=full) as run,
    ):
        assert 0 == run.wait()

    assert (tmp_path / "a.dng").exists()


def test_a_reader_that_goes_away_stops_nothing(shoot, tmp_path):
    output, report = tmp_path / "out", tmp_path / "report.json"
    pipe = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with start(shoot, "-o", output, "--json", "--report", report, "--preview-page", **pipe) as run:
        run.stdout.readline()
        run.stdout.close()
        run.wait()

    assert 4 == json.loads(report.read_text())["counts"]["denoised"]
    assert 4 == len(list(output.glob("*.dng")))
    assert (output / "fadn_preview.html").exists()


@pytest.mark.parametrize("closed", ("0<&-", "1>&-", "2>&-", "0<&- 1>&- 2>&-"))
def test_closed_streams_do_not_become_photographs(shoot, tmp_path, closed):
    output = tmp_path / "out"
    words = f'exec "{sys.executable}" -m fadn_cli denoise "$1" -o "$2" --quality fast {closed}'

    run = subprocess.run(
        ["sh", "-c", words, "sh", shoot, output],
        env=environment(),
        capture_output=True,
        check=False,
    )
    again = fadn("denoise", shoot, "-o", output, "--quality", "fast", "--json")

    assert 0 == run.returncode
    assert 4 == json.loads(again.stdout)["counts"]["done"]


def test_json_for_a_closed_stdout_is_an_error_after_the_work(shoot, tmp_path):
    words = f'exec "{sys.executable}" -m fadn_cli denoise "$1" -o "$2" --quality fast --json 1>&-'

    run = subprocess.run(
        ["sh", "-c", words, "sh", shoot, tmp_path / "out"],
        env=environment(),
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )

    assert 9 == run.returncode
    assert "standard output is closed" in run.stderr
    assert "Traceback" not in run.stderr
    assert 4 == len(list((tmp_path / "out").glob("*.dng")))


@pytest.mark.parametrize("redirected", ("<&-", "< /dev/null"))
def test_names_that_do_not_come_are_an_error_in_one_line(tmp_path, redirected):
    words = f'exec "{sys.executable}" -m fadn_cli denoise - {redirected}'

    run = subprocess.run(
        ["sh", "-c", words],
        env=environment(),
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        check=False,
    )

    assert run.returncode in (1, 3)
    assert "standard input" in run.stderr
    assert "Traceback" not in run.stderr


def test_a_name_and_a_camera_forge_no_lines(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    model = "X\nfailed: all.dng: gone\x85\u2028\x1b[2J"
    for name in ("a\nb.dng: done already.dng", "c.dng"):
        write_dng(folder / name, noisy_samples(96, 128), iso=3200, model=model)

    run = fadn("denoise", folder, "-o", tmp_path / "out", "--quality", "fast")

    assert 0 == run.returncode
    lines = run.stderr.splitlines()
    assert not [line for line in lines if line.startswith(("failed", "b.dng"))]
    assert "\x1b" not in run.stderr
    assert 2 == sum(" -> " in line for line in lines)
