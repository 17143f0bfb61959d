"""Write a student as an ONNX graph, layer by layer under its own name.

`export` calls it. The one thing to know: the graph is built here and not traced, so its node names
are the module's names, its bytes depend on nothing but the weights, and no exporter has to be
installed.
"""

from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from fadn_cli.training.network.model import Block, FeatureAlign, Shift, Student
from fadn_cli.training.network.quantize import Conv, scale_and_zero, weight_scales

OPSET = 17
IR_VERSION = 9


class _Graph:
    """Nodes and initializers in the order they are added."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.initializers: list[Any] = []
        self.scales: dict[str, float] = {}  # of the tensors that are rounded to 8 bits

    def add(self, kind: str, inputs: list[str], name: str, **attributes: object) -> str:
        """Add a node with one output of the same name."""
        self.nodes.append(helper.make_node(kind, inputs, [name], name=name, **attributes))
        return name

    def constant(self, name: str, values: np.ndarray | np.generic) -> str:
        """Add an initializer."""
        self.initializers.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def conv(self, layer: Conv, source: str, name: str) -> str:
        """Add a convolution with its weights, its ReLU, and its rounding if it has them."""
        rounds = layer.rounds
        if rounds and source not in self.scales:
            source = self.rounded(source, layer.input_range, f"{name}.input")
        weight = self.rounded_weight(layer, source, name) if rounds else self.weight(layer, name)
        kernel, padding, stride = layer.kernel_size[0], layer.padding[0], layer.stride[0]
        result = self.add(
            "Conv",
            [source, *weight],
            name,
            kernel_shape=[kernel, kernel],
            pads=[int(padding)] * 4,
            strides=[stride, stride],
        )
        if layer.relu:
            result = self.relu(result)
        return self.rounded(result, layer.output_range, f"{name}.output") if rounds else result

    def weight(self, layer: torch.nn.Conv2d, name: str) -> tuple[str, str]:
        """Add float weights and biases."""
        assert layer.bias is not None
        return (
            self.constant(f"{name}.weight", layer.weight.detach().cpu().float().numpy()),
            self.constant(f"{name}.bias", layer.bias.detach().cpu().float().numpy()),
        )

    def rounded_weight(self, layer: Conv, source: str, name: str) -> tuple[str, str]:
        """Add 7-bit weights and 32-bit biases, one scale per output channel."""
        assert layer.bias is not None
        scales = weight_scales(layer.weight).cpu()
        steps = torch.round(layer.weight.detach().cpu().float() / scales[:, None, None, None])
        sums = scales.numpy() * self.scales[source]
        bias = np.round(layer.bias.detach().cpu().double().numpy() / sums)
        if np.abs(bias).max() > np.iinfo(np.int32).max:
            raise ValueError(f"{name}: its input's range is so narrow that its bias needs 33 bits")
        return (
            self.dequantized(f"{name}.weight", steps.numpy().astype(np.int8), scales.numpy()),
            self.dequantized(f"{name}.bias", bias.astype(np.int32), sums),
        )

    def dequantized(self, name: str, steps: np.ndarray, scales: np.ndarray) -> str:
        """Add integers and the node that makes them float again."""
        inputs = [
            self.constant(f"{name}.steps", steps),
            self.constant(f"{name}.scale", scales.astype(np.float32)),
            self.constant(f"{name}.zero", np.zeros(scales.shape, steps.dtype)),
        ]
        return self.add("DequantizeLinear", inputs, name, axis=0)

    def rounded(self, source: str, limits: torch.Tensor, name: str) -> str:
        """Add the rounding of a tensor to unsigned 8 bits."""
        scale, zero = (value.item() for value in scale_and_zero(limits.float().cpu()))
        inputs = [
            self.constant(f"{name}.scale", np.float32(scale)),
            self.constant(f"{name}.zero", np.uint8(zero)),
        ]
        steps = self.add("QuantizeLinear", [source, *inputs], f"{name}.steps")
        result = self.add("DequantizeLinear", [steps, *inputs], name)
        self.scales[result] = scale
        return result

    def relu(self, source: str) -> str:
        """Add a ReLU."""
        return self.add("Relu", [source], f"{source}.relu")

    def block(self, block: Block, source: str, view: str, name: str) -> str:
        """Add a block, Feature-Align layer included."""
        change = self.conv(block.first, source, f"{name}.first")
        change = self.conv(block.second, change, f"{name}.second")
        if block.align is not None:
            change = self.align(block.align, change, view, f"{name}.align")
        return self.add("Add", [source, change], f"{name}.sum")

    def blocks(self, blocks: torch.nn.ModuleList, source: str, view: str, name: str) -> str:
        """Add blocks in a row."""
        for number, block in enumerate(blocks):
            if isinstance(block, Shift):
                source = self.shift(block, source, f"{name}.{number}")
            else:
                source = self.block(block, source, view, f"{name}.{number}")
        return source

    def shift(self, layer: Shift, source: str, name: str) -> str:
        """Add a constant per channel."""
        values = layer.bias.detach().cpu().float().numpy().reshape(1, -1, 1, 1)
        return self.add("Add", [source, self.constant(f"{name}.bias", values)], f"{name}.sum")

    def align(self, layer: FeatureAlign, source: str, view: str, name: str) -> str:
        """Add a Feature-Align layer."""
        embedded = self.conv(layer.embed, view, f"{name}.embed")
        gamma = self.conv(layer.gamma, embedded, f"{name}.gamma")
        beta = self.conv(layer.beta, embedded, f"{name}.beta")
        scaled = self.add("Mul", [source, gamma], f"{name}.scaled")
        return self.add("Add", [scaled, beta], f"{name}.shifted")

    def product(self, layer: torch.nn.Conv2d, source: str, name: str) -> str:
        """Add a float 1x1 convolution as a matrix product over channels.

        onnxruntime keeps int8 tensors channels-last, and its float convolutions not: as a product,
        the network's last layer takes what comes from the blocks without turning it around.
        """
        assert layer.bias is not None and layer.kernel_size == (1, 1)
        weight = layer.weight.detach().cpu().float().numpy()[:, :, 0, 0]
        turned = self.add("Transpose", [source], f"{name}.channels_last", perm=[0, 2, 3, 1])
        factors = [turned, self.constant(f"{name}.weight", np.ascontiguousarray(weight.T))]
        result = self.add("MatMul", factors, f"{name}.product")
        bias = self.constant(f"{name}.bias", layer.bias.detach().cpu().float().numpy())
        result = self.add("Add", [result, bias], f"{name}.sum")
        return self.add("Transpose", [result], name, perm=[0, 3, 1, 2])

    def halve(self, source: str, name: str) -> str:
        """Add a 2x2 mean."""
        return self.add("AveragePool", [source], name, kernel_shape=[2, 2], strides=[2, 2])

    def double(self, source: str, name: str) -> str:
        """Add a nearest-neighbour doubling."""
        modes = {
            "mode": "nearest",
            "nearest_mode": "floor",
            "coordinate_transformation_mode": "asymmetric",
        }
        return self.add("Resize", [source, "", "double"], name, **modes)


def build_onnx(student: Student) -> onnx.ModelProto:
    """Write a student as ONNX: float, or int8 in QDQ form where its convolutions round.

    Returns
    -------
    onnx.ModelProto
        Input "features" (1, channels, gh, gw) float32, output "residual" (1, planes u^2, gh, gw)
        float32, with gh = h/u, gw = w/u of the packed tile, multiples of the student's alignment
        over its unshuffle u.
    """
    graph = _Graph()
    if student.down:
        graph.constant("double", np.array([1, 1, 2, 2], np.float32))
    views = ["features"]
    for scale in range(1, len(student.config.widths)):
        # What no layer looks at would still be made.
        seen = scale < student.config.aligned.stop
        views.append(graph.halve(views[-1], f"view.{scale}") if seen else "")
    x = graph.conv(student.enter, views[0], "enter")
    skips = []
    for scale, down in enumerate(student.down):
        x = graph.blocks(student.encode[scale], x, views[scale], f"encode.{scale}")
        skips.append(x)
        x = graph.conv(down, x, f"down.{scale}")
    x = graph.blocks(student.bottom, x, views[-1], "bottom")
    for scale in reversed(range(len(skips))):
        up = graph.double(graph.conv(student.up[scale], x, f"up.{scale}"), f"up.{scale}.double")
        x = graph.add("Add", [skips[scale], up], f"skip.{scale}")
        x = graph.blocks(student.decode[scale], x, views[scale], f"decode.{scale}")
    residual = graph.product(student.leave, x, "leave")
    graph.nodes[-1].output[0] = "residual"
    assert residual == "leave"
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "fadn-student",
            [_tensor("features", student.config.channels)],
            [_tensor("residual", student.leave.out_channels)],
            graph.initializers,
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="fadn",
    )
    onnx.checker.check_model(model)
    return model


def _tensor(name: str, channels: int) -> Any:
    """Describe an input or output of free size."""
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, channels, "gh", "gw"])
