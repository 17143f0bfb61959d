"""`--device` as users meet it: refused where it is not, told where it fails, always reported."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

import fadn_cli
from fadn_cli.cli.app import app
from fadn_cli.denoise.network import trial
from tests.making.devices import NAME, install
from tests.making.dng.write import write_dng
from tests.making.mosaics import noisy_samples
from tests.making.tiles import cut_small


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """A folder of two raws, of several tiles each."""
    monkeypatch.chdir(tmp_path)
    cut_small(monkeypatch, 96)
    for name in ("a.dng", "b.dng"):
        write_dng(tmp_path / name, noisy_samples(320, 448, low=2000, high=2600))
    return tmp_path


def run(*arguments):
    return CliRunner().invoke(app, ["denoise", *map(str, arguments)])


@pytest.mark.parametrize("name", ("tensorrt", "gpu"))
@pytest.mark.parametrize("how", ("flag", "preset"))
def test_a_device_that_is_not_there_is_wrong_usage(photos, monkeypatch, tmp_path, name, how):
    install(monkeypatch, tmp_path / "cache", here=())
    arguments = ["--device", name]
    if how == "preset":
        settings = tmp_path / "config.toml"
        settings.write_text(f'[default]\ndevice = "{name}"\n')
        monkeypatch.setattr("fadn_cli.pipeline.presets.config_path", lambda: settings)
        arguments = []

    result = run(photos, *arguments)

    assert 2 == result.exception.exit_code
    assert "cpu" in str(result.exception) + result.exception.advice
    assert ["a.dng", "b.dng"] == sorted(path.name for path in photos.glob("*.dng"))


def test_a_batch_goes_on_where_a_device_fails_in_the_middle(photos, monkeypatch, tmp_path):
    expected = tmp_path / "expected"
    assert 0 == run(photos, "-o", expected, "--device", "cpu", "-q").exit_code
    pretend = install(monkeypatch, tmp_path / "cache")
    pretend.way, pretend.right_tiles = "no memory", trial._RUNS + 2

    result = run(photos, "-o", tmp_path / "out", "--device", NAME, "--json")

    files = {entry["source"][-5:]: entry for entry in json.loads(result.stdout)["files"]}
    first, second = (files[name]["report"] for name in ("a.dng", "b.dng"))
    assert 0 == result.exit_code
    assert (f"{NAME}, cpu", "cpu") == (first["device"], second["device"])
    assert "Failed to allocate memory" in first["device_fallback"] == second["device_fallback"]
    assert 1 == sum(NAME in warning for each in files.values() for warning in each["warnings"])
    assert result.stderr.count("is not used") == 1
    assert result.stderr.count(f" on {NAME} and cpu, ") == 1
    assert (expected / "b_denoised.dng").read_bytes() == (
        tmp_path / "out/b_denoised.dng"
    ).read_bytes()


def test_what_a_device_made_need_not_be_made_again(photos, monkeypatch, tmp_path):
    install(monkeypatch, tmp_path / "cache")
    run(photos, "--device", NAME, "-q")
    made = {path.name: path.read_bytes() for path in photos.glob("*_denoised.dng")}

    result = run(photos, "--device", "cpu", "--json")

    states = {entry["state"] for entry in json.loads(result.stdout)["files"]}
    assert 2 == len(made)
    assert "done" in states
    assert "denoised" not in states
    assert made == {path.name: path.read_bytes() for path in photos.glob("*_denoised.dng")}


def test_without_the_network_nothing_ran(photos, monkeypatch, tmp_path):
    pretend = install(monkeypatch, tmp_path / "cache")

    result = run("a.dng", "--device", NAME, "--strength", "0", "--json")

    [entry] = json.loads(result.stdout)["files"]
    assert entry["report"]["device"] is None
    assert [] == pretend.loaded


def test_a_program_is_warned_and_gets_the_processors_numbers(monkeypatch, tmp_path):
    x = np.random.default_rng(1).normal(0.2, 0.02, (64, 64)).astype(np.float32)
    noise = {"shot_noise": 0.002, "read_noise": 0.0}
    expected = fadn_cli.denoise_mosaic(x, device="cpu", **noise)
    install(monkeypatch, tmp_path / "cache").way = "lies"

    with pytest.warns(RuntimeWarning, match=f"{NAME} is not used"):
        actual = fadn_cli.denoise_mosaic(x, device=NAME, **noise)

    assert np.array_equal(expected, actual)
