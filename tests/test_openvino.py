"""A second provider for real: onnxruntime-openvino, in an environment of its own (`make
test-openvino`); skipped elsewhere, or failed if it was required.
"""

import json
import os

import numpy as np
import onnxruntime
import pytest
from typer.testing import CliRunner

import fadn_cli
from fadn_cli.cli.app import app
from fadn_cli.denoise.network import place, providers, specialists, trial
from fadn_cli.denoise.network.place import Place
from fadn_cli.doctor.devices import check_devices, check_onnxruntime
from fadn_cli.mosaic.conversion import normalize
from fadn_cli.noise import noise_model
from fadn_cli.raw.source.reader import read_raw
from tests.making.devices import next_process
from tests.making.dng.write import write_dng
from tests.making.mosaics import noisy_samples

NAME = "openvino"


@pytest.fixture(autouse=True)
def openvino(monkeypatch, tmp_path):
    """OpenVINO, of which nothing is known yet."""
    if "OpenVINOExecutionProvider" not in onnxruntime.get_available_providers():
        if os.environ.get("FADN_REQUIRE_OPENVINO") == "1":
            pytest.fail("FADN_REQUIRE_OPENVINO=1, but this onnxruntime has no OpenVINO")
        pytest.skip("this onnxruntime has no OpenVINO")
    next_process(monkeypatch)
    monkeypatch.setattr(trial, "cache_folder", lambda: tmp_path / "cache")
    place._load.cache_clear()
    return providers.require(NAME)


@pytest.fixture
def photo(tmp_path):
    """A raw of two tiles."""
    path = tmp_path / "a.dng"
    write_dng(path, noisy_samples(512, 1536, low=2000, high=2600))
    return path


def run(*arguments):
    """Run the command, and return its report of the only file."""
    result = CliRunner().invoke(app, ["denoise", "--json", *map(str, arguments)])
    assert 0 == result.exit_code, result.output
    [entry] = json.loads(result.stdout)["files"]
    return entry["report"], entry["warnings"]


@pytest.mark.parametrize("specialist", specialists.bundled(), ids=lambda each: each.name)
@pytest.mark.parametrize("kind", ("int8", "float"))
def test_every_network_is_right(openvino, specialist, kind, monkeypatch):
    if kind == "float":
        monkeypatch.setattr(providers.Found, "takes_float", property(lambda self: True))

    verdict, _ = trial.judge(specialist, openvino, threads=1)

    print(f"{specialist.name} {kind}: rms {verdict.rms:.4f}, worst {verdict.worst:.3f} sigma")
    assert "" == verdict.trouble


def test_the_whole_command_runs(photo, tmp_path):
    plain, _ = run(photo, "-o", tmp_path / "cpu.dng", "--device", "cpu")
    report, warnings = run(photo, "-o", tmp_path / "openvino.dng", "--device", NAME)

    ours, theirs = (normalize(read_raw(tmp_path / f"{x}.dng").mosaic) for x in ("cpu", NAME))
    std = report["noise_used"]["grey_std"]
    assert ("cpu", NAME) == (plain["device"], report["device"])
    assert report["device_fallback"] is None
    assert not any(NAME in warning for warning in warnings)
    assert 0 < np.sqrt(np.mean((ours - theirs) ** 2)) < 0.05 * std


def test_arrays_run_there_too(monkeypatch):
    rng = np.random.default_rng(1)
    x = (0.2 + 0.02 * rng.standard_normal((128, 128))).astype(np.float32)
    noise = {"shot_noise": 0.002, "read_noise": 0.0}

    ours, theirs = (fadn_cli.denoise_mosaic(x, device=each, **noise) for each in ("cpu", NAME))

    assert 0 < np.sqrt(np.mean((ours - theirs) ** 2)) < 0.05 * 0.02


def test_hardware_that_is_not_there_is_told_and_the_processor_goes_on(photo, tmp_path, monkeypatch):
    monkeypatch.setattr(providers, "_settings", lambda found, threads: {"device_type": "GPU"})
    plain, _ = run(photo, "-o", tmp_path / "cpu.dng", "--device", "cpu")

    report, warnings = run(photo, "-o", tmp_path / "openvino.dng", "--device", NAME)

    assert "cpu" == report["device"]
    assert "cannot be started" in report["device_fallback"]
    assert 1 == sum("openvino is not used" in warning for warning in warnings)
    assert plain["output_sha256"] == report["output_sha256"]


def test_another_networks_numbers_are_found_out(photo, tmp_path, monkeypatch):
    real = providers.Session
    other = specialists.read_weights(specialists.find("bayer-best-extreme"))
    broken = lambda found, weights, threads: real(found, other, threads)  # noqa: E731
    monkeypatch.setattr(trial, "Session", broken)
    plain, _ = run(photo, "-o", tmp_path / "cpu.dng", "--device", "cpu")

    report, warnings = run(photo, "-o", tmp_path / "openvino.dng", "--device", NAME)

    assert "off by" in report["device_fallback"]
    assert 1 == sum("openvino is not used" in warning for warning in warnings)
    assert plain["output_sha256"] == report["output_sha256"]


def test_it_is_no_gpu_and_auto_leaves_it_alone(photo, tmp_path, openvino):
    if not openvino.is_processor:
        pytest.skip("OpenVINO has a GPU here")

    report, _ = run(photo, "-o", tmp_path / "auto.dng")

    assert ("cpu", None) == (report["device"], report["device_fallback"])


def test_the_doctor_tells_of_it():
    packages, devices = check_onnxruntime(), check_devices()

    assert ("ok", ["onnxruntime-openvino"]) == (packages.severity, packages.figures["packages"])
    assert "ok" == devices.severity
    assert devices.figures[NAME] > 0


def test_a_place_of_its_own_reports_it():
    where, noise = Place(NAME), noise_model(4e-4, 1e-6, source="test")
    network = where.network(specialists.find("bayer-fast-low"), lambda: None, threads=1)

    network(np.full((4, 64, 64), 0.2, np.float32), noise)

    assert NAME == where.device
