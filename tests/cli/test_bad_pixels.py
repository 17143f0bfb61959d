"""`fadn bad-pixels` makes a list of dark frames, and `fadn denoise --bad-pixels` goes by it."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from fadn_cli.cli.app import app
from fadn_cli.pipeline import presets
from fadn_cli.raw.source.reader import read_raw
from tests.making.dng.write import write_dng
from tests.making.opcodes import fix_list, in_raw

HEIGHT, WIDTH = 160, 224
HOT = {(10, 20): 900, (11, 20): 400, (80, 100): 14000, (158, 222): 120, (0, 0): 300, (159, 223): 80}
DEAD = {(50, 60): 0}


def dark(seed, *, std=4.0, defects=None, size=(HEIGHT, WIDTH), glow=0.0):
    """A dark frame: noise around black, and what the sensor does on its own."""
    rng = np.random.default_rng(seed)
    rows, cols = np.mgrid[: size[0], : size[1]]
    x = 512 + glow * np.exp(-(rows + cols) / 40) + rng.normal(0, std, size)
    for place, value in (HOT if defects is None else defects).items():
        x[place] += value
    for place, value in DEAD.items():
        x[place] = value
    return np.clip(np.rint(x), 0, 16383).astype(np.uint16)


def write(path, samples, **options):
    return write_dng(path, samples, white=16383, **options)


def fadn(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def make(tmp_path, *frames, **options):
    """Run the command on frames; return what it says, and the points of the list."""
    paths = [write(tmp_path / f"{n}.dng", frame, **options) for n, frame in enumerate(frames)]
    result = fadn("bad-pixels", *paths, "-o", tmp_path / "bad.txt")
    assert 0 == result.exit_code, result.output
    lines = (tmp_path / "bad.txt").read_text().splitlines()
    points = [tuple(map(int, line.split())) for line in lines if not line.startswith("#")]
    return result.output, points


def expected(*more):
    return sorted(((col, row) for row, col in (*HOT, *DEAD, *more)), key=lambda point: point[::-1])


@pytest.mark.parametrize("frames", [1, 3])
def test_the_list_names_every_defect_and_nothing_else(tmp_path, frames):
    said, points = make(tmp_path, *(dark(seed) for seed in range(frames)))

    assert expected() == points
    assert f"7 bad pixels: {tmp_path / 'bad.txt'}\n" == said


def test_what_stands_out_in_one_frame_only_is_an_accident(tmp_path):
    cosmic = {**HOT, (30, 30): 5000}

    _, points = make(tmp_path, dark(1, defects=cosmic), dark(2))

    assert expected() == points


def test_what_is_bright_in_one_and_dark_in_another_is_no_defect(tmp_path):
    both = [dark(seed, defects={**HOT, (30, 30): sign * 300}) for seed, sign in ((1, 1), (2, -1))]

    assert expected() == make(tmp_path, *both)[1]


def test_glow_is_no_defect(tmp_path):
    assert expected() == make(tmp_path, dark(1, glow=200), dark(2, glow=200))[1]


def test_where_there_is_hardly_any_noise_steps_are_no_defects(tmp_path):
    frames = [dark(seed, std=0.2) for seed in range(2)]

    assert expected() == make(tmp_path, *frames)[1]


def test_places_are_of_the_whole_mosaic_and_masked_ones_are_left_out(tmp_path):
    _, points = make(tmp_path, dark(1), dark(2), active_area=(3, 5, 155, 222))

    inside = [(x, y) for x, y in expected() if 5 <= x < 222 and 3 <= y < 155]
    assert inside == points


def test_what_the_file_calls_bad_itself_need_not_be_listed(tmp_path):
    _, points = make(tmp_path, dark(1), extra_raw=in_raw(fix_list([(80, 100)])))

    assert [point for point in expected() if point != (100, 80)] == points


def test_a_frame_with_light_in_it_is_refused(tmp_path):
    lit = dark(2)
    lit[40:120, 40:160] += 2000
    paths = [write(tmp_path / "a.dng", dark(1)), write(tmp_path / "b.dng", lit)]

    result = fadn("bad-pixels", *paths, "-o", tmp_path / "bad.txt")

    assert 4 == result.exception.exit_code
    assert "b.dng: is no dark frame: " in str(result.exception)
    assert not (tmp_path / "bad.txt").exists()


@pytest.mark.parametrize(
    ("size", "options", "reason"),
    [
        ((HEIGHT, WIDTH + 2), {}, "b.dng: is 226x160, a.dng 224x160"),
        ((HEIGHT, WIDTH), {"active_area": (2, 2, 100, 200)}, "b.dng: has another active area"),
    ],
)
def test_frames_of_another_size_are_refused(tmp_path, size, options, reason):
    first = write(tmp_path / "a.dng", dark(1))
    second = write(tmp_path / "b.dng", dark(2, size=size), **options)

    result = fadn("bad-pixels", first, second, "-o", tmp_path / "bad.txt")

    assert reason in str(result.exception)
    assert not (tmp_path / "bad.txt").exists()


def test_a_list_that_exists_is_kept_and_a_frame_is_never_replaced(tmp_path):
    frame = write(tmp_path / "a.dng", dark(1))
    (tmp_path / "bad.txt").write_text("1 1\n")

    kept = fadn("bad-pixels", frame, "-o", tmp_path / "bad.txt")
    source = fadn("bad-pixels", frame, "-o", frame, "--overwrite")
    done = fadn("bad-pixels", frame, "-o", tmp_path / "bad.txt", "--overwrite")

    assert (8, 9, 0) == (kept.exception.exit_code, source.exception.exit_code, done.exit_code)
    assert read_raw(frame)
    assert "20 10\n" in (tmp_path / "bad.txt").read_text()


def photograph(tmp_path):
    rng = np.random.default_rng(5)
    samples = rng.normal(4000, 60, (HEIGHT, WIDTH))
    for place, value in HOT.items():
        samples[place] += value
    for place, value in DEAD.items():
        samples[place] = value
    return write(tmp_path / "p.dng", np.clip(np.rint(samples), 0, 16383).astype(np.uint16))


def test_the_list_of_dark_frames_repairs_photographs(tmp_path):
    make(tmp_path, dark(1), dark(2))
    path = photograph(tmp_path)

    result = fadn("denoise", path, "--bad-pixels", tmp_path / "bad.txt", "--json", "-q")

    assert 0 == result.exit_code, result.output
    [file] = json.loads(result.stdout)["files"]
    assert 7 == file["report"]["bad_pixels"]
    samples = read_raw(tmp_path / "p_denoised.dng").mosaic.samples.astype(float)
    assert all(abs(samples[place] - 4000) < 200 for place in (*HOT, *DEAD))


def test_a_list_with_a_mistake_stops_the_command_before_it_begins(tmp_path):
    path = photograph(tmp_path)
    (tmp_path / "bad.txt").write_text("1 1\n2\n")

    result = fadn("denoise", path, "--bad-pixels", tmp_path / "bad.txt")

    assert 2 == result.exception.exit_code
    assert "bad.txt, line 2: '2' is not the place" in str(result.exception)
    assert [] == list(tmp_path.glob("*_denoised*"))


def test_a_list_of_another_camera_fails_each_file_by_name(tmp_path):
    path = photograph(tmp_path)
    (tmp_path / "bad.txt").write_text(f"{WIDTH} 0\n")

    result = fadn("denoise", path, "--bad-pixels", tmp_path / "bad.txt", "--json")

    [file] = json.loads(result.stdout)["files"]
    assert "failed" == file["state"]
    assert "line 1: 224 0 lies outside p.dng, which is 224x160" in file["error"]["message"]
    assert ("ConfigError", 2) == (file["error"]["type"], file["error"]["exit_code"])
    assert [] == list(tmp_path.glob("*_denoised*"))


def test_a_changed_list_makes_outputs_anew_and_the_same_does_not(tmp_path):
    path = photograph(tmp_path)
    states = []
    for text in ("20 10\n", "20 10\n", "20 11\n"):
        (tmp_path / "bad.txt").write_text(text)
        command = ("denoise", path, "--bad-pixels", tmp_path / "bad.txt", "--json", "-q")
        [file] = json.loads(fadn(*command).stdout)["files"]
        states.append(file["state"])

    assert ["denoised", "done", "denoised"] == states


def test_a_preset_may_name_a_list_beside_it(tmp_path, monkeypatch):
    config = tmp_path / "settings" / "config.toml"
    config.parent.mkdir()
    config.write_text('[default]\nbad_pixels = "mine.txt"\n')
    (config.parent / "mine.txt").write_text("20 10\n100 80\n")
    monkeypatch.setattr(presets, "config_path", lambda: config)
    path = photograph(tmp_path)

    result = fadn("denoise", path, "--json", "-q")
    info = fadn("info", path, "--json")

    [file] = json.loads(result.stdout)["files"]
    assert 2 == file["report"]["bad_pixels"] == json.loads(info.stdout)["bad_pixels"]
