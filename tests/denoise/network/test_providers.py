"""What is there is found, plugins too, and what only pretends to be there is found out."""

import sys
import types
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import onnxruntime
import pytest

from fadn_cli.denoise.network import devices, drivers, providers, specialists
from fadn_cli.denoise.network.inference import on_processor
from fadn_cli.denoise.network.providers import Session, found_devices, require
from fadn_cli.denoise.network.trial import known_features
from fadn_cli.errors import DeviceError, InferenceError
from tests.making.devices import found

PLAIN = ["AzureExecutionProvider", "CPUExecutionProvider"]
SPECIALIST = specialists.find("bayer-fast-low")


@pytest.fixture(autouse=True)
def anew():
    """What was found before is not taken for what is there now."""
    found_devices.cache_clear()
    yield
    found_devices.cache_clear()


@pytest.fixture
def offers(monkeypatch):
    """A plain onnxruntime, and what its plugins offer: to be filled."""
    offered = []
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: PLAIN)
    monkeypatch.setattr(onnxruntime, "get_ep_devices", lambda: offered, raising=False)
    return offered


def handle(provider, kind="GPU", device_id=1):
    """A device as onnxruntime describes it."""
    hardware = SimpleNamespace(
        type=SimpleNamespace(name=kind),
        vendor="ACME",
        vendor_id=7,
        device_id=device_id,
        metadata={},
    )
    return SimpleNamespace(ep_name=provider, ep_metadata={"version": "1"}, device=hardware)


def plug_in(monkeypatch, name, registered, *, error=None):
    """Install a plugin's package."""

    def library_path():
        if error:
            raise error
        return f"/lib/{name}.so"

    module = types.ModuleType(name)
    module.__spec__ = SimpleNamespace(name=name)
    module.get_library_path = library_path
    monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(
        onnxruntime,
        "register_execution_provider_library",
        lambda key, path: registered.append((key, path)),
        raising=False,
    )


def test_a_plain_onnxruntime_has_none_but_the_processor(offers):
    offers.append(handle("CPUExecutionProvider", "CPU"))

    assert () == found_devices()
    assert require("cpu") is None


@pytest.mark.parametrize("device", devices.DEVICES, ids=lambda each: each.name)
def test_what_onnxruntime_brings_is_found(monkeypatch, offers, device):
    there = [*device.providers, *PLAIN]
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: there)

    [seen] = found_devices()

    assert (device.name, device.providers[0]) == (seen.name, seen.provider)
    assert seen == require(device.name)
    assert onnxruntime.__version__ in seen.identity


@pytest.mark.parametrize(
    "device", [each for each in devices.DEVICES if each.plugin], ids=lambda each: each.name
)
def test_a_plugin_is_registered_and_its_device_found(monkeypatch, offers, device):
    registered, module = [], device.plugin.replace("-", "_")
    plug_in(monkeypatch, module, registered)
    offers.append(handle(device.providers[-1]))

    [seen] = found_devices()

    assert [(module, f"/lib/{module}.so")] == registered
    assert (device.name, (offers[0],)) == (seen.name, seen.handles)
    assert "ACME" in seen.identity


def test_a_plugin_without_hardware_offers_nothing(monkeypatch, offers):
    plug_in(monkeypatch, "onnxruntime_ep_openvino", [])

    assert () == found_devices()
    with pytest.raises(DeviceError) as caught:
        require("openvino")
    assert "is here, and finds no hardware" in caught.value.advice


def test_a_plugin_that_breaks_is_not_there(monkeypatch, offers):
    plug_in(monkeypatch, "onnxruntime_ep_webgpu", [], error=RuntimeError("no library"))

    assert () == found_devices()


def test_an_onnxruntime_that_knows_no_plugins_is_not_asked(monkeypatch):
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: PLAIN)
    for name in ("register_execution_provider_library", "get_ep_devices"):
        monkeypatch.delattr(onnxruntime, name, raising=False)

    assert () == found_devices()


@pytest.mark.parametrize(
    ("kinds", "expected"), ((["CPU", "NPU", "GPU"], "GPU"), (["NPU", "CPU"], "CPU"), (["NPU"],) * 2)
)
def test_of_several_kinds_of_hardware_the_gpu_is_taken(monkeypatch, offers, kinds, expected):
    offers.extend(handle("OpenVINOExecutionProvider", kind) for kind in kinds)
    expected = expected if isinstance(expected, str) else expected[0]

    [seen] = found_devices()

    assert expected == seen.hardware
    assert (expected == "CPU") == seen.is_processor
    assert (expected != "CPU") == seen.takes_float


@pytest.mark.parametrize(("ids", "expected"), ((["CPU"], "CPU"), (["CPU", "GPU.0"], "GPU")))
def test_openvino_in_onnxruntimes_place_takes_the_gpu(monkeypatch, offers, ids, expected):
    from onnxruntime.capi import _pybind_state as state

    there = ["OpenVINOExecutionProvider", *PLAIN]
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: there)
    monkeypatch.setattr(state, "get_available_openvino_device_ids", lambda: ids, raising=False)

    assert expected == require("openvino").hardware


@pytest.mark.parametrize("name", [each.name for each in devices.DEVICES])
def test_the_way_to_install_a_missing_device_is_told(offers, name):
    with pytest.raises(DeviceError) as caught:
        require(name)

    how = devices.find_device(name).how
    assert how[0].isalnum()  # a package or, of what comes with the system, where it does
    assert f"no device {name} is here, but cpu" == str(caught.value)
    assert how in caught.value.advice
    assert how


@pytest.mark.filterwarnings("ignore:Specified provider")
@pytest.mark.parametrize("name", ("cuda", "coreml"))
def test_onnxruntimes_silent_fallback_is_found_out(name):
    session = None

    with pytest.raises(InferenceError, match="cannot be started"):
        session = Session(found(name), specialists.read_weights(SPECIALIST), 1)
        session.run(None, {"features": SimpleNamespace(shape=(1, 1, 64, 64))})


def test_a_failure_at_start_is_ours_to_tell_and_never_on_stdout(monkeypatch, capsys):
    from onnxruntime.capi.onnxruntime_inference_collection import InferenceSession

    def fails(self, providers, *_):
        raise RuntimeError(
            f"webgpu_context.cc:65 {'lambda ' * 99} was false. No supported adapters"
        )

    monkeypatch.setattr(InferenceSession, "_create_inference_session", fails)

    with pytest.raises(InferenceError, match="it cannot be started: ") as caught:
        Session(found("webgpu"), specialists.read_weights(SPECIALIST), 1)

    assert str(caught.value).endswith("was false. No supported adapters")
    assert len(str(caught.value)) < 250
    assert "" == capsys.readouterr().out


@pytest.mark.skipif(not hasattr(onnxruntime, "get_ep_devices"), reason="onnxruntime before 1.22")
def test_onnxruntimes_own_handles_run_a_network():
    [own] = [each for each in onnxruntime.get_ep_devices() if each.ep_name == providers.PROVIDER]
    one = replace(found("webgpu"), provider=own.ep_name, handles=(own,))
    features = known_features(SPECIALIST, 64)

    residual = Session(one, specialists.read_weights(SPECIALIST), 1).run(
        None, {"features": features}
    )

    plain = on_processor("", specialists.read_weights(SPECIALIST), 1)
    assert np.array_equal(plain.run(None, {"features": features})[0], residual[0])


def test_a_plugins_devices_are_given_to_the_session(monkeypatch, offers):
    given = []

    class Options:
        def add_provider_for_devices(self, handles, settings):
            given.append(list(handles))

    running = SimpleNamespace(get_providers=lambda: ["WebGpuExecutionProvider"])
    monkeypatch.setattr(onnxruntime, "SessionOptions", Options)
    monkeypatch.setattr(providers, "start_session", lambda weights, options, named: running)
    offers.append(handle("WebGpuExecutionProvider"))
    plug_in(monkeypatch, "onnxruntime_ep_webgpu", [])

    Session(require("webgpu"), b"", 1)

    assert [offers] == given


def test_the_driver_is_part_of_what_a_verdict_holds_for(monkeypatch, tmp_path):
    (tmp_path / "gpus/0").mkdir(parents=True)
    (tmp_path / "gpus/0/information").write_text("Model: \t H200\nIRQ: 1\n")
    (tmp_path / "version").write_text("NVRM version: 580.1\nGCC version\n")
    monkeypatch.setattr(drivers, "_NVIDIA", tmp_path)

    assert ("NVRM version: 580.1", "Model: \t H200") == drivers.drivers()[1:]


def test_windows_registry_is_read(monkeypatch, tmp_path):
    adapters = {r"0000": ("Radeon", "31.0"), "0002": ("Arc", "32.0")}

    class Key:
        def __init__(self, number):
            self.number = number

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return False

    def open_key(root, path):
        if path[-4:] not in adapters:
            raise FileNotFoundError(path)
        return Key(path[-4:])

    registry = SimpleNamespace(
        HKEY_LOCAL_MACHINE=0,
        OpenKey=open_key,
        QueryValueEx=lambda key, name: (adapters[key.number][name == "DriverVersion"], 1),
    )
    monkeypatch.setattr(drivers, "_NVIDIA", tmp_path / "none")
    monkeypatch.setitem(sys.modules, "winreg", registry)

    assert ("Radeon 31.0", "Arc 32.0") == drivers.drivers()[1:]
