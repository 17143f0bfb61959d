"""What scripts rely on: a quiet stdout, exit codes when it is full, and completion in the shell."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fadn_cli.cli.app import app
from fadn_cli.denoise.network import specialists
from tests.making.dng.write import write_dng
from tests.making.mosaics import noisy_samples
from tests.programs.fadn import environment


@pytest.fixture
def raw(tmp_path):
    return write_dng(tmp_path / "IMG_1.dng", noisy_samples(), iso=3200)


@pytest.mark.parametrize("flags", [[], ["--verbose"], ["--quiet"]])
def test_denoising_prints_nothing_on_stdout(raw, flags):
    result = CliRunner().invoke(app, ["denoise", str(raw), "--quality", "fast", *flags])

    assert (0, "") == (result.exit_code, result.stdout)
    assert ("--quiet" in flags) == (result.stderr == "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("arguments", (["models", "--json"], ["--version"]))
def test_a_full_stdout_is_told_and_exits_9(arguments):
    with Path("/dev/full").open("w") as full:
        run = subprocess.run(
            [sys.executable, "-m", "fadn_cli", *arguments],
            stdout=full,
            stderr=subprocess.PIPE,
            env=environment(),
            text=True,
            check=False,
        )

    assert 9 == run.returncode
    assert "fadn: error: standard output cannot be written: No space left" in run.stderr
    assert "Traceback" not in run.stderr


def complete(tmp_path, *lines):
    """What bash offers at the end of each command line."""
    if shutil.which("bash") is None:
        pytest.skip("bash is not installed")
    program = tmp_path / "fadn"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m fadn_cli "$@"\n')
    program.chmod(0o755)
    script = 'eval "$(_FADN_COMPLETE=source_bash fadn)"\n'
    for line in lines:
        words = line.split(" ")
        script += (
            f"COMP_WORDS=({' '.join(words[:-1])} '{words[-1]}') COMP_CWORD={len(words) - 1}"
            " COMPREPLY=(); _fadn_completion fadn; echo ${COMPREPLY[*]}\n"
        )
    script += "complete -p fadn\n"
    run = subprocess.run(
        ["bash", "--norc", "-c", script],
        env=environment(PATH=f"{tmp_path}:{os.environ['PATH']}"),
        capture_output=True,
        text=True,
        check=True,
    )
    return run.stdout.splitlines()


def test_bash_completes_commands_options_and_values(tmp_path):
    commands, options, values, networks, rule = complete(
        tmp_path,
        "fadn d",
        "fadn denoise --preview-",
        "fadn denoise --quality ",
        "fadn denoise --specialist bayer-fast-",
    )

    assert "denoise doctor demo" == commands
    assert "--preview-page" == options
    assert " ".join(specialists.QUALITIES) == values
    known = [each.name for each in specialists.bundled()]
    fast = [name for name in known if name.startswith("bayer-fast-")]
    assert fast == networks.split()
    assert "-o default" in rule  # file names, where none of these fits


@pytest.mark.parametrize("arguments", (("denoise", "a.dng"), ("compare", "a.dng", "b.dng")))
def test_a_folder_that_is_gone_is_told(tmp_path, arguments):
    run = subprocess.run(
        ["sh", "-c", 'mkdir gone && cd gone && rmdir ../gone && exec "$@"', "sh"]
        + [sys.executable, "-m", "fadn_cli", *arguments],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )

    assert 1 == run.returncode
    assert "the folder in which fadn was started is gone" in run.stderr
    assert "Traceback" not in run.stderr
