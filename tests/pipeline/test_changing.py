"""A source that is replaced or cut off while it is denoised: no output, and the next run is right.

Ten moments of the run, each right before a step of `denoise_file` or of the writing.
"""

import os
import shutil

import pytest

from fadn_cli.batch import run as batch
from fadn_cli.batch.planning import plan
from fadn_cli.errors import SourceChangedError, WriteError
from fadn_cli.pipeline import file as pipeline
from fadn_cli.pipeline import output as writing
from fadn_cli.pipeline import stream
from fadn_cli.pipeline.file import denoise_file, inspect_file
from fadn_cli.pipeline.options import DenoiseOptions
from tests.making.dng.write import write_dng
from tests.making.mosaics import noisy_samples

MOMENTS = (
    (pipeline, "read_raw"),
    (pipeline, "repair"),
    (pipeline, "ActiveFrame"),
    (pipeline, "prepare"),
    (pipeline, "denoise_into"),
    (stream, "treat"),
    (stream, "unpack_rows"),
    (writing, "write_dng"),
    (writing, "check_dng"),
    (writing, "_hash_new"),
)
OPTIONS = DenoiseOptions(quality="fast")


@pytest.fixture
def shots(tmp_path):
    """Two photographs of one size, and what B comes out as."""
    first, second = (
        write_dng(tmp_path / name, noisy_samples(96, 128, seed=seed), iso=3200)
        for seed, name in enumerate(("a.dng", "b.raw"))
    )
    copy = tmp_path / "alone" / "a.dng"
    copy.parent.mkdir()
    copy.write_bytes(second.read_bytes())
    denoise_file(copy, tmp_path / "alone" / "out.dng", OPTIONS)
    return first, second, (tmp_path / "alone" / "out.dng").read_bytes()


def before(monkeypatch, module, name, act):
    """Let something happen once, right before a step."""
    step = getattr(module, name)
    left = [act]

    def interfered(*arguments, **options):
        if left:
            left.pop()()
        return step(*arguments, **options)

    monkeypatch.setattr(module, name, interfered)


@pytest.mark.parametrize("moment", range(10))
def test_a_source_that_is_replaced_is_not_done(shots, tmp_path, monkeypatch, moment):
    first, second, expected = shots
    before(monkeypatch, *MOMENTS[moment], lambda: second.rename(first))
    work = plan([first], output=tmp_path / "out")

    result = batch.run(work, OPTIONS)

    assert SourceChangedError is type(result.results[0].error)
    assert [] == list((tmp_path / "out").glob("*.dng"))
    assert 0 == batch.run(work, OPTIONS).exit_code
    assert expected == (tmp_path / "out" / "a_denoised.dng").read_bytes()


@pytest.mark.parametrize("moment", range(10))
def test_a_source_that_is_cut_off_is_not_done(shots, tmp_path, monkeypatch, moment):
    first, _, _ = shots
    before(monkeypatch, *MOMENTS[moment], lambda: os.truncate(first, 9000))

    with pytest.raises(SourceChangedError, match="is 9000"):
        denoise_file(first, tmp_path / "out.dng", OPTIONS)

    assert ["a.dng", "alone", "b.raw"] == sorted(path.name for path in tmp_path.iterdir())


def test_what_is_shown_of_a_file_is_of_one_file(shots, monkeypatch):
    first, second, _ = shots
    told = inspect_file(first)
    before(monkeypatch, pipeline, "prepare", lambda: second.rename(first))

    assert told == inspect_file(first)


@pytest.mark.parametrize("moment", range(10))
def test_a_folder_that_is_removed_meanwhile_is_told_for_what_it_is(
    shots, tmp_path, monkeypatch, moment
):
    first, output = shots[0], tmp_path / "out"
    before(monkeypatch, *MOMENTS[moment], lambda: shutil.rmtree(output))

    result = batch.run(plan([first], output=output), OPTIONS)

    assert WriteError is type(result.errors[0])
    assert "a_denoised.dng: " in str(result.errors[0])
    assert "bug" not in result.errors[0].advice
    assert not output.exists()
