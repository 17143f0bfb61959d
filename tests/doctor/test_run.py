"""The doctor finds what keeps fadn from working, says what to do, and never breaks itself."""

import json
import os
import sys
from collections import namedtuple

import pytest
from typer.testing import CliRunner

from fadn_cli.cli.app import app
from fadn_cli.denoise.network import inference as network
from fadn_cli.denoise.network import providers, specialists
from fadn_cli.doctor import devices, machine
from fadn_cli.doctor import run as doctor
from fadn_cli.errors import WeightsError
from fadn_cli.findings import Check, Diagnosis
from fadn_cli.pipeline import presets
from fadn_cli.screen import console
from tests.making.devices import NAME, install, next_process
from tests.making.devices import found as found_device
from tests.making.tiles import choose_small


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Small tiles and small files: what is measured here is not the machine."""
    choose_small(monkeypatch, 64)
    monkeypatch.setattr(machine, "_WRITTEN", 1_000_000)
    monkeypatch.setattr(machine, "_SLOW_DISK", 0)
    monkeypatch.setattr(machine, "_LITTLE_SPACE", 0)
    monkeypatch.setattr(os, "getloadavg", lambda: (0.0, 0.0, 0.0))


def checks(folder):
    return {check.name: check for check in doctor.examine(folder).checks}


def test_a_sound_installation_is_sound(tmp_path):
    found = checks(tmp_path)

    assert {"ok"} == {check.severity for name, check in found.items() if name != "Text"}
    assert len(specialists.bundled()) == found["Weights"].figures["networks"]
    assert "CPUExecutionProvider" in found["onnxruntime"].figures["providers"]
    assert 3 == len(found["LibRaw"].value.split("."))
    for quality in specialists.QUALITIES:
        assert found[f"Speed {quality}"].figures["seconds"] > 0
    assert found["Writing"].figures["bytes_per_second"] > 0
    assert str(tmp_path) in found["Folder"].value


@pytest.mark.parametrize("specialist", specialists.bundled(), ids=lambda each: each.name)
def test_no_network_is_timed_for_longer_than_a_tile_of_best_takes(specialist):
    rows = machine._rows_timed(specialist)

    best = specialists.find("bayer-best-low")
    work = rows * specialist.tile * specialist.macs_per_packed_pixel
    assert work <= best.tile**2 * best.macs_per_packed_pixel
    assert 0 == rows % specialist.alignment < rows
    assert rows == specialist.tile or specialist.macs_per_packed_pixel > best.macs_per_packed_pixel


def test_nothing_is_left_in_the_folder(tmp_path):
    checks(tmp_path)

    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ("missing", "file"))
def test_a_folder_that_cannot_take_outputs_is_an_error(tmp_path, name):
    (tmp_path / "file").write_text("")

    diagnosis = doctor.examine(tmp_path / name)

    wrong = [check for check in diagnosis.checks if check.severity == "error"]
    assert not diagnosis.ok
    assert "Writing" in {check.name for check in wrong}
    for check in wrong:
        assert str(tmp_path / name) in check.value
        assert "folder" in check.advice


def test_altered_weights_are_an_error_and_the_rest_is_still_looked_at(tmp_path, monkeypatch):
    def altered(specialist):
        raise WeightsError(f"{specialist.file}: sha256 is other", advice="Reinstall fadn.")

    monkeypatch.setattr(specialists, "read_weights", altered)
    found = checks(tmp_path)

    assert ("error", "Reinstall fadn.") == (found["Weights"].severity, found["Weights"].advice)
    assert "sha256" in found["Weights"].value
    assert "ok" == found["Writing"].severity


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("fadn_cli.denoise.network.inference", "onnxruntime"),
        ("fadn_cli.raw.source.reader", "LibRaw"),
    ],
)
def test_a_package_that_cannot_be_imported_is_one_line(tmp_path, monkeypatch, module, name):
    monkeypatch.setitem(sys.modules, module, None)

    found = checks(tmp_path)

    assert "error" == found[name].severity
    assert "Reinstall" in found[name].advice
    assert "ok" == found["Writing"].severity


def test_an_onnxruntime_for_another_device_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(network, "providers", lambda: ("ArmNNExecutionProvider",))

    found = checks(tmp_path)["onnxruntime"]

    assert "error" == found.severity
    assert "ArmNN" in found.value


def test_a_busy_processor_a_full_and_a_slow_disk_are_warnings(tmp_path, monkeypatch):
    Usage = namedtuple("Usage", "total used free")
    monkeypatch.setattr(os, "getloadavg", lambda: (99.0, 0.0, 0.0))
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda folder: Usage(9, 9, 1_000_000))
    monkeypatch.setattr(machine, "_LITTLE_SPACE", 2_000_000)
    monkeypatch.setattr(machine, "_SLOW_DISK", 1e12)

    diagnosis = doctor.examine(tmp_path)

    warned = {check.name: check for check in diagnosis.checks if check.severity == "warning"}
    assert diagnosis.ok
    assert {"Processor", "Folder", "Writing"} <= set(warned)
    assert all(check.advice for check in warned.values())


def test_output_that_cannot_hold_accents_is_a_warning(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "getfilesystemencoding", lambda: "ascii")

    found = checks(tmp_path)["Text"]

    assert "warning" == found.severity
    assert "LANG" in found.advice


def test_the_json_is_the_diagnosis(tmp_path):
    result = CliRunner().invoke(app, ["doctor", str(tmp_path), "--json"])

    found = json.loads(result.output)
    assert 0 == result.exit_code
    assert found["ok"] is True
    assert {"name", "value", "severity", "advice", "figures"} == set(found["checks"][0])


def test_settings_are_found_and_read(tmp_path, monkeypatch):
    path = tmp_path / "config.toml"
    monkeypatch.setattr(presets, "config_path", lambda: path)

    absent = checks(tmp_path)["Settings"]
    path.write_text("[default]\nstrength = 0.8\n[grain]\nluma = 0.5\n")
    present = checks(tmp_path)["Settings"]
    path.write_text("strength = \n")
    wrong = checks(tmp_path)["Settings"]

    assert ("ok", f"{path}: no such file, nothing is preset") == (absent.severity, absent.value)
    assert ("ok", f"{path}, presets default, grain") == (present.severity, present.value)
    assert "error" == wrong.severity
    assert "config.toml" in wrong.value
    assert wrong.advice


def test_what_is_wrong_exits_1(tmp_path):
    result = CliRunner().invoke(app, ["doctor", str(tmp_path / "missing")])

    assert 1 == result.exit_code


def test_what_is_wrong_stands_out_with_its_advice(capsys):
    checks = (
        Check(name="Python", value="3.11"),
        Check(name="Folder", value="[red]/a\x1b: full", severity="error", advice="Empty it."),
    )

    console.show_diagnosis(Diagnosis(ok=False, checks=checks))

    lines = capsys.readouterr().out.splitlines()
    assert ["Python        3.11", "Folder        error: [red]/a\\x1b: full"] == lines[:2]
    assert "              Empty it." == lines[2]


def test_two_onnxruntimes_in_one_environment_are_a_warning_that_names_them(tmp_path, monkeypatch):
    mixed = {"onnxruntime": ["onnxruntime", "onnxruntime-gpu", "onnxruntime"]}
    monkeypatch.setattr(devices.metadata, "packages_distributions", lambda: mixed)

    found = devices.check_onnxruntime()

    assert "warning" == found.severity
    assert "onnxruntime and onnxruntime-gpu" in found.value
    assert "pip uninstall -y onnxruntime onnxruntime-gpu" in found.advice


def test_devices_are_timed_and_one_that_is_wrong_is_a_warning(tmp_path, monkeypatch):
    pretend = install(monkeypatch, tmp_path / "cache")
    monkeypatch.setattr(providers, "found_devices", lambda: (found_device(),))
    right = devices.check_devices()
    (tmp_path / "cache/devices.json").unlink()
    next_process(monkeypatch)
    pretend.way = "lies"
    wrong = devices.check_devices()

    assert ("ok", {"cpu", NAME}) == (right.severity, set(right.figures))
    assert all(seconds > 0 for seconds in right.figures.values())
    assert f"{NAME} " in right.value
    assert ("warning", {"cpu"}) == (wrong.severity, set(wrong.figures))
    assert "off by" in wrong.value
    assert "devices.md" in wrong.advice
