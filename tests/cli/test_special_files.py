"""Pipes, devices and links where files are expected: told at once, never waited for or followed."""

import os

import pytest

from fadn_cli.batch.ledger import STATE_FILE
from tests.making.dng.write import write_dng
from tests.making.mosaics import noisy_samples
from tests.programs.fadn import fadn


@pytest.fixture
def raw(tmp_path):
    return write_dng(tmp_path / "a.dng", noisy_samples(96, 128), iso=3200)


@pytest.mark.parametrize("command", ("info", "check", "verify", "compare", "denoise", "bad-pixels"))
@pytest.mark.parametrize("kind", ("pipe", "device"))
def test_what_is_no_file_is_told_at_once(tmp_path, raw, command, kind):
    special = "/dev/zero"
    if kind == "pipe":
        special = tmp_path / "pipe.dng"
        os.mkfifo(special)
    more = {
        "verify": (raw,),
        "compare": (raw, "-o", tmp_path / "page.html"),
        "bad-pixels": ("-o", tmp_path / "list.txt"),
    }

    run = fadn(command, special, *more.get(command, ()))

    assert run.returncode not in (0, 2)
    assert "plain file" in run.stdout + run.stderr or "neither a file" in run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize("kind", ("pipe", "link"))
def test_a_state_file_that_is_none_costs_only_the_note(tmp_path, raw, kind):
    output = tmp_path / "out"
    output.mkdir()
    if kind == "pipe":
        os.mkfifo(output / STATE_FILE)
    else:
        (output / STATE_FILE).symlink_to(tmp_path / "victim")

    run = fadn("denoise", raw, "-o", output, "--quality", "fast")

    assert 0 == run.returncode
    assert "not a plain file" in run.stderr
    assert (output / "a_denoised.dng").exists()
    assert not (tmp_path / "victim").exists()


@pytest.mark.parametrize("option", ("--bad-pixels", "--report"))
def test_a_pipe_for_a_list_is_no_list_and_for_a_report_is_replaced_as_any_file(
    tmp_path, raw, option
):
    pipe = tmp_path / "pipe.json"
    os.mkfifo(pipe)

    run = fadn("denoise", raw, "-o", tmp_path / "o.dng", "--quality", "fast", option, pipe)

    assert (2 if option == "--bad-pixels" else 0) == run.returncode
    assert "Traceback" not in run.stderr
