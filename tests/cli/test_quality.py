"""`--quality` as users meet it: what a sensor has not is refused for that file, and said."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from fadn_cli.cli.app import app
from fadn_cli.denoise.network import place, specialists
from fadn_cli.raw.source.reader import read_raw
from tests.making.devices import NAME, install
from tests.making.sensor_files import write_sensor
from tests.making.tiles import cut_small
from tests.programs.fadn import fadn

NOISE = ("--shot-noise", "1e-4", "--read-noise", "1e-6")


@pytest.fixture
def shoot(tmp_path):
    """A folder of a raw of each kind of sensor."""
    folder = tmp_path / "shoot"
    folder.mkdir()
    for kind in ("bayer", "mono", "xtrans"):
        write_sensor(folder / f"{kind}.dng", kind, 144, 192)
    return folder


def run(*arguments):
    return CliRunner().invoke(app, ["denoise", *map(str, arguments)])


@pytest.mark.parametrize("kind", ("xtrans", "mono"))
@pytest.mark.parametrize("command", ("denoise", "info"))
def test_a_sensor_without_it_is_refused_with_what_it_has(shoot, kind, command):
    before = sorted(shoot.iterdir())

    done = fadn(command, shoot / f"{kind}.dng", "--quality", "max")

    [line, advice] = [line for line in done.stderr.splitlines() if line.strip()]
    assert 2 == done.returncode
    assert f"no specialist of quality max for {kind} sensors is bundled" in line
    assert command == "info" or f"{kind}.dng: " in line
    assert "Use one of: best, fast." == advice.strip()
    assert before == sorted(shoot.iterdir())


def test_the_other_files_of_a_batch_go_on(shoot):
    result = run(shoot, "--quality", "max", "--json", "-o", shoot / "out", *NOISE)

    files = {
        entry["source"].rpartition("/")[2]: entry for entry in json.loads(result.stdout)["files"]
    }
    assert 1 == result.exit_code
    assert ("denoised", "max") == (
        files["bayer.dng"]["state"],
        files["bayer.dng"]["report"]["quality"],
    )
    for name in ("mono.dng", "xtrans.dng"):
        error = files[name]["error"]
        assert ("failed", 2) == (files[name]["state"], error["exit_code"])
        assert "Use one of: best, fast." == error["advice"]
    assert ["bayer_denoised.dng"] == [path.name for path in (shoot / "out").glob("*.dng")]


@pytest.mark.parametrize("kind", ("xtrans", "mono"))
def test_the_demonstration_writes_nothing_then(tmp_path, kind):
    done = fadn("demo", tmp_path / "demo", "--sensor", kind, "--quality", "max")

    assert 2 == done.returncode
    assert "Use one of: best, fast." in done.stderr
    assert not (tmp_path / "demo").exists()


def test_without_being_asked_for_it_is_not_taken(shoot):
    result = run(shoot / "bayer.dng", "--json", *NOISE)

    assert "best" == json.loads(result.stdout)["files"][0]["report"]["quality"]


@pytest.mark.parametrize("name", ("bayer-max-low", "bayer-max-high", "bayer-max-extreme"))
def test_its_networks_are_taken_by_name_whatever_the_noise(shoot, name):
    result = run(shoot / "bayer.dng", "--specialist", name, "--json", *NOISE)

    report = json.loads(result.stdout)["files"][0]["report"]
    assert (name, "max") == (report["specialist"], report["quality"])


def test_a_device_runs_its_float_twin(shoot, monkeypatch, tmp_path):
    pretend = install(monkeypatch, tmp_path / "cache")
    read, weights = [], place.read_weights
    monkeypatch.setattr(place, "read_weights", lambda of: read.append(of) or weights(of))
    cut_small(monkeypatch, 96 + 240)

    result = run(shoot / "bayer.dng", "--quality", "max", "--device", NAME, "--json", *NOISE)

    report = json.loads(result.stdout)["files"][0]["report"]
    assert (NAME, "bayer-max-low") == (report["device"], report["specialist"])
    assert [specialists.find("bayer-max-low").twin] == read
    assert pretend.tiles > 0


def test_it_is_seen_several_ways_up(shoot):
    alone, turned = shoot / "alone.dng", shoot / "turned.dng"
    for output, count in ((alone, 1), (turned, 8)):
        asked = ("--quality", "max", "--ensemble", count)
        result = run(shoot / "bayer.dng", "-o", output, *asked, *NOISE)
        assert 0 == result.exit_code, result.output

    samples = [read_raw(path).mosaic.samples.astype(float) for path in (alone, turned)]
    assert 0 < np.std(samples[0] - samples[1]) < 0.1 * np.std(samples[0])
