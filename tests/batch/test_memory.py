"""Memory is planned: fewer files at once, and a file that does not fit is refused unread."""

import pytest
from typer.testing import CliRunner

from fadn_cli.batch import run as batch
from fadn_cli.batch import shot
from fadn_cli.batch.planning import plan
from fadn_cli.batch.results import Told
from fadn_cli.batch.run import Handling
from fadn_cli.cli.app import app
from fadn_cli.errors import InferenceError
from fadn_cli.limits import MEMORY_AT_LEAST, MORE_PER_LARGE_TILE, memory_of
from fadn_cli.pipeline import file as pipeline
from fadn_cli.pipeline.options import DenoiseOptions
from tests.making.dng.write import write_dng
from tests.making.mosaics import noisy_samples
from tests.making.reports import make_report

MEGAPIXELS = 10
ONE = memory_of(MEGAPIXELS)


@pytest.fixture
def photographs(tmp_path, monkeypatch):
    """Four files that count as large ones, on a machine where denoising is nothing; and the most
    at work at once."""
    for module in (batch, shot):
        monkeypatch.setattr(module, "free_memory", lambda: MEMORY_AT_LEAST + 40 * ONE)
    monkeypatch.setattr(batch, "usable_jobs", lambda asked: min(asked, 4))
    monkeypatch.setattr(shot, "claimed_megapixels", lambda path: MEGAPIXELS)
    threads = []

    def denoise_file(path, output, options, **rest):
        threads.append(options.threads)
        return make_report(path, output)

    monkeypatch.setattr(pipeline, "denoise_file", denoise_file)
    folder = tmp_path / "in"
    folder.mkdir()
    for name in "abcd":
        (folder / f"{name}.NEF").write_bytes(b"raw " + name.encode())
    return plan([folder], output=tmp_path / "out"), threads


def run(work, **handling):
    events = []
    result = batch.run(
        work, DenoiseOptions(threads=8), Handling(jobs=4, **handling), on_event=events.append
    )
    return result, [event.warning for event in events if isinstance(event, Told)]


@pytest.mark.parametrize("fitting", (1, 2, 3))
def test_fewer_files_at_once_where_memory_is_little_and_it_is_said_once(photographs, fitting):
    work, threads = photographs

    result, told = run(work, max_memory=MEMORY_AT_LEAST + fitting * ONE + ONE // 2)

    assert 0 == result.exit_code
    [warning] = told
    assert ("one file" if fitting == 1 else f"{fitting} files") in warning
    assert [8 // fitting] * 4 == threads  # which share all of them


def test_what_takes_more_is_planned_with_more(photographs):
    memory = MEMORY_AT_LEAST + 4 * ONE

    for name, value in (("format", "tiff"), ("ensemble", 2), ("hot_pixels", True)):
        work, handling = photographs[0], Handling(jobs=4, max_memory=memory)
        events = []
        batch.run(work, DenoiseOptions(**{name: value}), handling, on_event=events.append)
        assert 1 == sum(isinstance(event, Told) for event in events)


@pytest.mark.parametrize(
    ("options", "tiles"),
    [
        ({"quality": "best"}, 0),
        ({"quality": "max", "threads": 1}, 1),
        ({"quality": "max", "threads": 2}, 2),
        ({"quality": "max", "threads": 16}, 4),
        ({"specialist": "bayer-max-low", "threads": 2}, 2),
        ({"specialist": "bayer-fast-low", "threads": 2}, 0),
        ({"specialist": "no such network"}, 0),
    ],
)
def test_each_tile_of_the_largest_networks_at_work_is_planned_for(photographs, options, tiles):
    path = photographs[0].jobs[0].source
    plain = shot.memory_needed(path, DenoiseOptions())

    needed = shot.memory_needed(path, DenoiseOptions(**options))

    assert tiles * MORE_PER_LARGE_TILE == needed - plain


def test_nothing_is_said_where_memory_is_enough(photographs):
    work, threads = photographs

    assert [] == run(work, max_memory=MEMORY_AT_LEAST + 4 * ONE)[1]
    assert [2] * 4 == threads
    assert [] == run(work)[1]


def test_half_of_what_is_free_is_taken_unless_it_is_said_otherwise(photographs, monkeypatch):
    work, _ = photographs
    for module in (batch, shot):
        monkeypatch.setattr(module, "free_memory", lambda: 2 * (MEMORY_AT_LEAST + 2 * ONE))

    [warning] = run(work)[1]

    assert "half of what is free" in warning
    assert "2 files" in warning


def test_a_file_that_does_not_fit_is_told_and_the_others_are_done(photographs, monkeypatch):
    work, threads = photographs
    sizes = {"b.NEF": 5 * MEGAPIXELS}
    monkeypatch.setattr(shot, "claimed_megapixels", lambda path: sizes.get(path.name, MEGAPIXELS))

    result, _ = run(work, max_memory=MEMORY_AT_LEAST + 2 * ONE)

    [error] = result.errors
    assert isinstance(error, InferenceError)
    assert str(error).startswith("b.NEF: needs 1.1 GB of memory, more than the 700.0 MB")
    assert "--max-memory" in error.advice
    assert 3 == len(threads)


def test_a_file_alone_may_take_all_that_is_free(photographs, monkeypatch):
    work, _ = photographs
    monkeypatch.setattr(shot, "free_memory", lambda: ONE + 1)
    assert 0 == run(work)[0].exit_code

    monkeypatch.setattr(shot, "free_memory", lambda: ONE - 1)
    result, _ = run(work)

    assert 4 == len(result.errors)
    assert "Close other programs" in result.errors[0].advice


@pytest.mark.parametrize("size", ("2", "100MB", "many", "-1GB", "1e9", "4 PB", ""))
def test_what_is_no_amount_of_memory_is_wrong_usage(tmp_path, size):
    write_dng(tmp_path / "a.dng", noisy_samples(64, 64))

    result = CliRunner().invoke(app, ["denoise", str(tmp_path), "--max-memory", size])

    assert 2 == result.exit_code
    assert "--max-memory" in result.stderr


def test_an_amount_is_read_as_people_write_it(tmp_path):
    path = write_dng(tmp_path / "a.dng", noisy_samples(64, 64))

    for size in ("4GB", "0.5 gb", "800M", "300000000", "2GiB"):
        arguments = ["denoise", str(path), "--dry-run", "--max-memory", size]
        assert 0 == CliRunner().invoke(app, arguments).exit_code
