"""A device runs tiles as long as it is right; whatever it does, the picture is."""

import json
from dataclasses import replace

import numpy as np
import pytest

from fadn_cli.denoise.frame import denoise_packed
from fadn_cli.denoise.network import specialists, trial
from fadn_cli.denoise.network.devices import NAMES, find_device
from fadn_cli.denoise.network.place import Place
from fadn_cli.errors import DeviceError
from fadn_cli.noise import noise_model
from tests.making.devices import NAME, SIDE, WAYS, found, install, next_process
from tests.making.tiles import cut_small

NOISE = noise_model(4e-4, 1e-6, source="test")
SPECIALIST = specialists.find("bayer-fast-low")


@pytest.fixture(autouse=True)
def small_tiles(monkeypatch):
    """Several tiles of a small frame."""
    cut_small(monkeypatch, 160)


@pytest.fixture
def pretend(monkeypatch, tmp_path):
    """A device, right until it is told otherwise."""
    return install(monkeypatch, tmp_path / "cache")


@pytest.fixture(scope="module")
def packed():
    """A noisy frame."""
    rng = np.random.default_rng(5)
    return rng.normal(0.2, 0.01, (4, 192, 224)).astype(np.float32)


@pytest.fixture(scope="module")
def expected(packed):
    """What the processor makes of it."""
    patch = pytest.MonkeyPatch()
    cut_small(patch, 160)
    denoised, _ = denoise_packed(packed, NOISE, SPECIALIST, threads=2)
    patch.undo()
    return denoised


def denoise(packed, place, specialist=SPECIALIST):
    denoised, tiles = denoise_packed(packed, NOISE, specialist, threads=2, place=place)
    return denoised, tiles


@pytest.mark.parametrize("asked", (NAME, "auto"))
def test_a_device_that_is_right_runs_every_tile(packed, expected, pretend, monkeypatch, asked):
    monkeypatch.setattr(trial.Verdict, "is_slower", property(lambda self: False))
    place = Place(asked)

    denoised, tiles = denoise(packed, place)

    std = np.sqrt(0.2 * 4e-4)
    off = np.sqrt(np.mean((denoised - expected) ** 2)) / std
    assert (NAME, None, ()) == (place.device, place.fallback, place.warnings)
    assert tiles + trial._RUNS == pretend.tiles
    assert 0 < off < 0.05  # the float twin's


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("asked", (NAME, "auto"))
def test_one_that_is_wrong_never_touches_the_picture(packed, expected, pretend, way, asked):
    pretend.way = way
    place = Place(asked)

    denoised, tiles = denoise(packed, place)

    assert np.array_equal(expected, denoised)
    assert "cpu" == place.device
    [warning] = place.warnings
    assert warning.startswith(f"{NAME} is not used: ")
    assert WAYS[way] in warning
    assert "\n" not in warning
    assert "devices.md" in warning
    assert warning.startswith(place.fallback)


@pytest.mark.parametrize("way", ("fails", "no memory", "not a number"))
def test_one_that_goes_wrong_in_the_middle_is_given_up(packed, expected, pretend, way):
    pretend.way, pretend.right_tiles = way, trial._RUNS + 3
    place = Place(NAME)

    denoised, tiles = denoise(packed, place)

    off = np.abs(denoised - expected) / np.sqrt(0.2 * 4e-4)
    assert f"{NAME}, cpu" == place.device
    assert 1 == len(place.warnings)
    assert WAYS[way] in place.fallback
    assert off.max() < 1
    assert np.isfinite(denoised).all()
    assert (denoised == expected).any()


def test_it_is_told_once_and_reported_for_every_photograph(packed, expected, pretend):
    pretend.way, pretend.right_tiles = "fails", trial._RUNS + 1
    first, second = Place(NAME), Place(NAME)

    denoise(packed, first)
    denoised, _ = denoise(packed, second)

    assert np.array_equal(expected, denoised)
    assert (1, 0) == (len(first.warnings), len(second.warnings))
    assert "CUDA failure" in second.fallback
    assert "cpu" == second.device


def test_a_verdict_is_kept_for_the_next_process(packed, pretend, monkeypatch):
    pretend.way = "lies"
    denoise(packed, Place(NAME))
    tried = pretend.tiles
    next_process(monkeypatch)

    asked, auto = Place(NAME), Place("auto")
    denoise(packed, auto)
    denoise(packed, asked)

    assert tried == pretend.tiles
    assert 1 == len(asked.warnings)  # who asks for it is told each time
    assert () == auto.warnings
    assert "off by" in auto.fallback


@pytest.mark.parametrize("change", ("driver", "network", "onnxruntime"))
def test_what_has_changed_since_is_tried_anew(packed, pretend, monkeypatch, tmp_path, change):
    denoise(packed, Place(NAME))
    before = len(json.loads((tmp_path / "cache/devices.json").read_text()))
    identity = {"driver": "driver 2", "onnxruntime": "driver 1 of another"}.get(change, "driver 1")
    specialist = SPECIALIST if change != "network" else specialists.find("bayer-fast-high")
    other = install(monkeypatch, tmp_path / "cache", here=(found(identity=identity),))

    denoise(packed, Place(NAME), specialist)

    kept = json.loads((tmp_path / "cache/devices.json").read_text())
    assert before + 1 == len(kept)
    assert 2 == len(other.loaded)  # for the trial, and for the photograph


@pytest.mark.parametrize("content", (b"", b"{", b"[]", b'{"a": 1}', b'{"a": {"b": 1}}', b"\xff"))
def test_a_damaged_file_of_verdicts_costs_a_trial(packed, pretend, tmp_path, content):
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache/devices.json").write_bytes(content)
    place = Place(NAME)

    denoise(packed, place)

    assert NAME == place.device
    assert 1 == len(json.loads((tmp_path / "cache/devices.json").read_text()))


def test_verdicts_that_cannot_be_kept_hold_for_the_process(packed, pretend, tmp_path):
    (tmp_path / "cache").write_text("a file where the folder would be")
    first, second = Place(NAME), Place(NAME)

    _, tiles = denoise(packed, first)
    denoise(packed, second)

    assert NAME == first.device == second.device
    assert trial._RUNS + 2 * tiles == pretend.tiles


def test_auto_leaves_a_slower_device_alone_without_a_word(packed, expected, pretend, monkeypatch):
    monkeypatch.setattr(trial.Verdict, "is_slower", property(lambda self: True))
    auto, asked = Place("auto"), Place(NAME)

    denoised, _ = denoise(packed, auto)
    denoise(packed, asked)

    assert np.array_equal(expected, denoised)
    assert ("cpu", ()) == (auto.device, auto.warnings)
    assert "slower" in auto.fallback
    assert NAME == asked.device


@pytest.mark.parametrize(
    "here", ((found("openvino", hardware="CPU"),), (found("tensorrt"),), ()), ids=str
)
def test_auto_leaves_processors_and_what_loads_for_minutes_alone(
    packed, expected, monkeypatch, tmp_path, here
):
    pretend = install(monkeypatch, tmp_path, here=here)
    place = Place("auto")

    denoised, _ = denoise(packed, place)

    assert np.array_equal(expected, denoised)
    assert ("cpu", None, []) == (place.device, place.fallback, pretend.loaded)


def test_auto_takes_the_next_one_where_the_first_is_wrong(packed, monkeypatch, tmp_path):
    monkeypatch.setattr(trial.Verdict, "is_slower", property(lambda self: False))
    pretend = install(monkeypatch, tmp_path, here=(found("cuda"), found("webgpu")))
    right = pretend.open

    def open_one(found, weights, threads, shape):
        pretend.way = "fails" if found.name == "cuda" else "right"
        return right(found, weights, threads, shape)

    monkeypatch.setattr("fadn_cli.denoise.network.providers._open", open_one)
    place = Place("auto")

    denoise(packed, place)

    assert "webgpu" == place.device
    assert 1 == len(place.warnings)


def test_a_processor_runs_the_int8_file(packed, expected, monkeypatch, tmp_path):
    install(monkeypatch, tmp_path, here=(found("openvino", hardware="CPU"),))
    place = Place("openvino")

    denoised, _ = denoise(packed, place)

    assert "openvino" == place.device
    assert np.array_equal(expected, denoised)  # here it is the same kernels


def test_a_network_without_a_twin_stays_on_the_processor(packed, expected, pretend):
    place = Place(NAME)

    denoised, _ = denoise(packed, place, replace(SPECIALIST, twin=None))

    assert np.array_equal(expected, denoised)
    assert "no float twin" in place.fallback


def test_a_device_runs_one_tile_at_a_time(packed, pretend):
    denoise(packed, Place(NAME))

    assert 1 == pretend.most_at_once


def test_fixed_shapes_are_loaded_for_each_size_of_tile(packed, monkeypatch, tmp_path):
    device = replace(find_device(NAME), fixed_shapes=True)
    pretend = install(monkeypatch, tmp_path, here=(found(device=device),))
    place = Place(NAME)

    denoise(packed, place)
    denoise(packed[:, :80, :88], place)

    assert NAME == place.device
    shapes = [shape for _, shape in pretend.loaded]
    assert (SIDE // 2, SIDE // 2) == shapes[0]
    assert len(set(shapes)) == len(shapes) == 3


@pytest.mark.parametrize("name", [*NAMES[2:], "gpu", ""])
def test_a_device_that_is_not_there_is_refused_with_what_is(monkeypatch, tmp_path, name):
    install(monkeypatch, tmp_path, here=())

    with pytest.raises(DeviceError) as caught:
        Place(name)

    assert 2 == caught.value.exit_code
    assert "cpu" in str(caught.value)
    assert caught.value.advice


def test_the_processor_asks_for_nothing(packed, expected, pretend):
    place = Place("cpu")

    denoised, _ = denoise(packed, place)

    assert np.array_equal(expected, denoised)
    assert ("cpu", None, []) == (place.device, place.fallback, pretend.loaded)
