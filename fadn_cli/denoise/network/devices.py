"""What networks can run on: names, onnxruntime's providers behind them, and how to install them.

`pipeline.options` knows the names, `providers` looks which of them are there. The one thing to
know: plain values only; nothing here asks the machine.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

AUTO = "auto"
"""Whatever is there and has proved itself, else the processor."""
CPU = "cpu"
"""The processor, by onnxruntime's own kernels: what every figure is stated for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """One kind of device, besides the processor."""

    name: str
    """As the user calls it."""
    providers: tuple[str, ...]
    """Execution providers that run it, by onnxruntime's names; the first that is there is taken."""
    replaces: str
    """The package that takes plain onnxruntime's place and brings the provider; empty: none."""
    plugin: str = ""
    """The package that brings it beside plain onnxruntime; empty: none."""
    options: Mapping[str, str] = field(default_factory=dict, hash=False)
    """The provider's."""
    fixed_shapes: bool = False
    """Whether it is told the size of the tiles when a network is loaded: a session for each."""
    is_slow_to_load: bool = False
    """Whether loading a network may take minutes; then it is only used where it is asked for."""
    note: str = ""
    """What else it takes; a few words."""

    @property
    def how(self) -> str:
        """How to install it, in words."""
        ways = []
        if self.plugin:
            ways.append(f"{self.plugin} beside onnxruntime")
        if self.replaces:
            ways.append(f"{self.replaces} in place of onnxruntime")
        if not ways:
            return self.note
        return " or ".join(ways) + (f" ({self.note})" if self.note else "")


DEVICES = (
    Device(
        name="cuda",
        providers=("CUDAExecutionProvider",),
        replaces="onnxruntime-gpu",
        # The search for the fastest kernel takes longer than a photograph.
        options={"cudnn_conv_algo_search": "HEURISTIC"},
        note="NVIDIA",
    ),
    Device(
        name="tensorrt",
        providers=("TensorrtExecutionProvider", "NvTensorRTRTXExecutionProvider"),
        replaces="onnxruntime-gpu",
        plugin="onnxruntime-ep-nv-tensorrt-rtx",
        fixed_shapes=True,
        is_slow_to_load=True,
        note="NVIDIA",
    ),
    Device(
        name="coreml",
        providers=("CoreMLExecutionProvider",),
        replaces="",
        options={"ModelFormat": "MLProgram", "RequireStaticInputShapes": "1"},
        fixed_shapes=True,
        note="part of onnxruntime on macOS",
    ),
    Device(
        name="directml",
        providers=("DmlExecutionProvider",),
        replaces="onnxruntime-directml",
        fixed_shapes=True,
        note="Windows",
    ),
    Device(
        name="openvino",
        providers=("OpenVINOExecutionProvider",),
        replaces="onnxruntime-openvino",
        plugin="onnxruntime-ep-openvino",
        note="Intel",
    ),
    Device(
        name="webgpu",
        providers=("WebGpuExecutionProvider",),
        replaces="",
        plugin="onnxruntime-ep-webgpu",
        note="any GPU",
    ),
)
"""By preference, where several are there."""
NAMES = (AUTO, CPU, *(each.name for each in DEVICES))
"""What can be asked for."""
PAGE = "docs/devices.md"


def find_device(name: str) -> Device:
    """Return a device by its name.

    Raises
    ------
    KeyError
        It is none of `DEVICES`.
    """
    return {each.name: each for each in DEVICES}[name]
