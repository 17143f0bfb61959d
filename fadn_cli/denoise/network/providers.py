"""Which devices are there, and a network loaded onto one: onnxruntime's providers.

`trial` and `place` call it. The one thing to know: onnxruntime falls back to the processor without
a word where a provider cannot start, so every session is asked whether it has it.
"""

import contextlib
import importlib.util
import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from fadn_cli.denoise.network.devices import CPU, DEVICES, NAMES, PAGE, Device, find_device
from fadn_cli.denoise.network.drivers import drivers
from fadn_cli.denoise.network.inference import PROVIDER, first_line, start_session
from fadn_cli.errors import DeviceError, InferenceError
from fadn_cli.system.folders import cache_folder

_PROCESSOR = "CPU"
_HARDWARE = ("GPU", _PROCESSOR, "NPU")
"""What a provider may offer several of, by preference: NPUs only where there is nothing else."""
_NVIDIA = ("cuda", "tensorrt")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A device that onnxruntime says it can use here."""

    device: Device
    """What kind."""
    provider: str
    """onnxruntime's name of what runs it."""
    hardware: str
    """"GPU", "CPU" or "NPU" where the provider may be any of them, else empty."""
    identity: str
    """Provider, hardware and drivers with their versions, as far as they are told."""
    handles: tuple[Any, ...] = ()
    """Of a plugin: onnxruntime's own descriptions of the device."""

    @property
    def name(self) -> str:
        """As the user calls it."""
        return self.device.name

    @property
    def is_processor(self) -> bool:
        """Whether it is but the processor again, by other kernels."""
        return self.hardware == _PROCESSOR

    @property
    def takes_float(self) -> bool:
        """Whether it runs the float twins: all but processors, which have kernels for 8 bits."""
        return not self.is_processor


class Session:
    """A network on a device: `inference.Network` runs it like one of onnxruntime's.

    Parameters
    ----------
    found : Found
    weights : bytes
        An ONNX file.
    threads : int
        Of a device that is the processor.

    Raises
    ------
    InferenceError
        The device cannot be started, or cannot load it.
    """

    def __init__(self, found: Found, weights: bytes, threads: int) -> None:
        self._found, self._weights, self._threads = found, weights, threads
        self._of_shape: dict[tuple[int, ...], Any] = {}
        if not found.device.fixed_shapes:
            self._of_shape[()] = _open(found, weights, threads, ())

    def run(
        self, names: None, inputs: dict[str, NDArray[np.float32]]
    ) -> Sequence[NDArray[np.float32]]:
        """Run it on one tile; where shapes are fixed, the first tile of a size loads it for that.

        Raises
        ------
        Exception
            Whatever onnxruntime raises.
        """
        shape = inputs["features"].shape[-2:] if self._found.device.fixed_shapes else ()
        if shape not in self._of_shape:
            self._of_shape = {shape: _open(self._found, self._weights, self._threads, shape)}
        result: Sequence[NDArray[np.float32]] = self._of_shape[shape].run(names, inputs)
        return result


def _open(found: Found, weights: bytes, threads: int, shape: tuple[int, ...]) -> Any:
    """Load a network onto a device."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.enable_mem_pattern = found.name != "directml"  # [onnxruntime's documentation]
    for name, size in zip(("gh", "gw"), shape, strict=False):
        options.add_free_dimension_override_by_name(name, size)
    settings = {**found.device.options, **_settings(found, threads)}
    named: list[Any] = []
    try:
        if found.handles:
            options.add_provider_for_devices(list(found.handles), settings)
        else:
            named = [(found.provider, settings), PROVIDER]
        session = start_session(weights, options, named)
        running = session.get_providers()
    except Exception as error:  # onnxruntime's exceptions share no base class
        raise InferenceError(
            f"it cannot be started: {first_line(error)}", advice=f"See {PAGE}."
        ) from error
    if found.provider not in running:
        raise InferenceError(
            f"it cannot be started: {found.provider} finds no hardware, or libraries are missing",
            advice=f"See {PAGE}.",
        )
    return session


def _settings(found: Found, threads: int) -> dict[str, str]:
    """Return a provider's options that depend on the machine."""
    if found.provider == "OpenVINOExecutionProvider" and not found.handles:
        settings = {"device_type": found.hardware}
        return {**settings, "num_of_threads": str(threads)} if found.is_processor else settings
    if found.provider == "TensorrtExecutionProvider":
        kept = cache_folder() / "tensorrt"
        return {"trt_engine_cache_enable": "1", "trt_engine_cache_path": str(kept)}
    return {}


@lru_cache(maxsize=1)
def found_devices() -> tuple[Found, ...]:
    """Return every device that is there, by preference; those of plugins are registered for it."""
    built_in = onnxruntime.get_available_providers()
    found = []
    for device in DEVICES:
        _register(device)
        handles = [each for each in _handles() if each.ep_name in device.providers]
        provider = next((name for name in device.providers if name in built_in), None)
        one = _built_in(device, provider) if provider else _plugin(device, handles)
        if one is not None:
            found.append(one)
    if found:
        # Its loaders write to stderr what we tell in our own words.
        onnxruntime.set_default_logger_severity(4)
        _preload(found)
    return tuple(found)


def require(name: str) -> Found | None:
    """Return the device asked for; None for the processor.

    Raises
    ------
    DeviceError
        It is unknown, or not there.
    """
    found = {each.name: each for each in found_devices()} if name != CPU else {}
    if name == CPU or name in found:
        return found.get(name)
    here = ", ".join((CPU, *found))
    if name not in NAMES:
        raise DeviceError(
            f"there is no device {name!r}; here: {here}", advice=f"Use one of: {', '.join(NAMES)}."
        )
    device = find_device(name)
    advice = f"It takes {device.how}; see {PAGE}."
    if _is_plugged_in(device):
        advice = f"{device.plugin} is here, and finds no hardware that it can use; see {PAGE}."
    raise DeviceError(f"no device {name} is here, but {here}", advice=advice)


def _is_plugged_in(device: Device) -> bool:
    """Whether a device's plugin is installed."""
    try:
        return bool(device.plugin) and importlib.util.find_spec(_module(device)) is not None
    except (ImportError, ValueError):  # a broken package
        return False


def _module(device: Device) -> str:
    """Name what a plugin's package is imported as."""
    return device.plugin.replace("-", "_")


def _register(device: Device) -> None:
    """Tell onnxruntime of a plugin that is installed; one that it refuses is not there."""
    if not device.plugin or not hasattr(onnxruntime, "register_execution_provider_library"):
        return
    with contextlib.suppress(Exception):  # whatever a plugin's own code may raise
        if _is_plugged_in(device):
            path = importlib.import_module(_module(device)).get_library_path()
            onnxruntime.register_execution_provider_library(_module(device), path)


def _handles() -> list[Any]:
    """Return what onnxruntime's plugins offer; nothing before version 1.22."""
    return list(onnxruntime.get_ep_devices()) if hasattr(onnxruntime, "get_ep_devices") else []


def _plugin(device: Device, handles: list[Any]) -> Found | None:
    """Choose among what a plugin offers: the first of the best kind of hardware."""
    offered = [each for each in handles if each.device.type.name in _HARDWARE]
    if not offered:
        return None
    handle = min(offered, key=lambda each: _HARDWARE.index(each.device.type.name))
    about, kind = handle.device, handle.device.type.name
    told = [about.vendor, about.vendor_id, about.device_id, dict(about.metadata)]
    return Found(
        device=device,
        provider=handle.ep_name,
        hardware=kind,
        identity=_identity(handle.ep_name, kind, dict(handle.ep_metadata), told),
        handles=(handle,),
    )


def _built_in(device: Device, provider: str) -> Found:
    """Describe what onnxruntime itself brings."""
    hardware = _openvino_hardware() if provider == "OpenVINOExecutionProvider" else ""
    return Found(
        device=device,
        provider=provider,
        hardware=hardware,
        identity=_identity(provider, hardware),
    )


def _openvino_hardware() -> str:
    """Return what OpenVINO would run on."""
    from onnxruntime.capi import _pybind_state as state

    offered = getattr(state, "get_available_openvino_device_ids", None)
    kinds = {str(each).partition(".")[0] for each in (offered() if offered else ())}
    return next((kind for kind in _HARDWARE if kind in kinds), _PROCESSOR)


def _identity(*told: object) -> str:
    """Say what a verdict holds for."""
    return " ".join(map(str, (*told, onnxruntime.__version__, *drivers())))


def _preload(found: list[Found]) -> None:
    """Load NVIDIA's libraries from their packages; what is said of missing ones is not for us."""
    if any(each.name in _NVIDIA for each in found) and hasattr(onnxruntime, "preload_dlls"):
        with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(Exception):
            onnxruntime.preload_dlls()
