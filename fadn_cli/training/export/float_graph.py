"""Float twins of int8 networks, for GPUs: a bundled file in, the same network without 8 bits out.

`export.twins` writes and measures them. The one thing to know: no training run is needed; the
weights are those of the int8 file, stored in 16 bits, and the graph computes in float32, of which a
provider may make what its device likes (TF32, float16): GPUs of before 2017 take 64 times as long
in float16.
"""

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

_ROUNDS = ("QuantizeLinear", "DequantizeLinear")


def float_twin(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a network of `onnx_graph.build_onnx` with int8's rounding taken out.

    Parameters
    ----------
    model : ModelProto
        Int8, in QDQ form. Not modified.

    Returns
    -------
    onnx.ModelProto
        The same input and output, both float32; weights in float16, cast to float32. What 8 bits
        would have clipped is not clipped.

    Raises
    ------
    ValueError
        It holds a rounding that is none of `build_onnx`.
    """
    twin = _Twin(model.graph)
    graph = helper.make_graph(
        twin.nodes(),
        model.graph.name,
        model.graph.input,
        model.graph.output,
        twin.initializers,
    )
    made = helper.make_model(
        graph,
        opset_imports=model.opset_import,
        ir_version=model.ir_version,
        producer_name=model.producer_name,
    )
    onnx.checker.check_model(made, full_check=True)
    return made


class _Twin:
    """The nodes and initializers of a twin."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        self.initializers: list[Any] = []
        self._graph = graph
        self._makers = {node.output[0]: node for node in graph.node}
        self._stored = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
        self._made: set[str] = set()

    def nodes(self) -> list[Any]:
        """Return the nodes that are left, each before those that need it."""
        wanted = self._needed()
        nodes = []
        for node in self._graph.node:
            if node.output[0] not in wanted:
                continue
            inputs = [self._source(name) for name in node.input]
            if node.op_type == "Conv":
                inputs[1:] = self._weights(node)
            for name in inputs:
                nodes.extend(self._constant(name))
            attributes = {each.name: helper.get_attribute_value(each) for each in node.attribute}
            made = helper.make_node(node.op_type, inputs, node.output, name=node.name, **attributes)
            nodes.append(made)
        return nodes

    def _needed(self) -> set[str]:
        """Return the outputs of nodes that are left when rounding is taken out."""
        needed: set[str] = set()
        waiting = [each.name for each in self._graph.output]
        while waiting:
            name = self._source(waiting.pop())
            maker = self._makers.get(name)
            if name in needed or maker is None or maker.op_type in _ROUNDS:  # or else: weights
                continue
            needed.add(name)
            waiting.extend(maker.input)
        return needed

    def _source(self, name: str) -> str:
        """Return the tensor that another one is a rounding of; itself, if it is none."""
        node = self._makers.get(name)
        if node is None or node.op_type not in _ROUNDS or node.input[0] in self._stored:
            return name
        before = self._makers[node.input[0]]
        if before.op_type != "QuantizeLinear":
            raise ValueError(f"{name}: rounded in a way that only a newer fadn writes")
        return self._source(before.input[0])

    def _weights(self, node: Any) -> list[str]:
        """Store a convolution's weights and biases as float16, under the int8 file's names."""
        weight, bias = (self._values(name) for name in node.input[1:])
        for name, values in zip(node.input[1:], (weight, bias), strict=True):
            self._stored[name] = values
        return list(node.input[1:])

    def _values(self, name: str) -> np.ndarray:
        """Return weights as float32."""
        node = self._makers.get(name)
        if node is None:
            return self._stored[name]
        steps, scale, zero = (self._stored[each].astype(np.float32) for each in node.input)
        shape = [-1, *[1] * (steps.ndim - 1)]
        return (steps - zero.reshape(shape)) * scale.reshape(shape)

    def _constant(self, name: str) -> list[Any]:
        """Add an initializer where a node needs one: weights as float16, biases whole."""
        if name not in self._stored or name in self._made:
            return []
        self._made.add(name)
        values = self._stored[name]
        if values.dtype != np.float32 or values.ndim < 2:
            self.initializers.append(numpy_helper.from_array(values, name))
            return []
        if np.abs(values).max() > np.finfo(np.float16).max:
            raise ValueError(f"{name}: {np.abs(values).max():.3g} is beyond float16")
        half = values.astype(np.float16)
        self.initializers.append(numpy_helper.from_array(half, f"{name}.half"))
        return [helper.make_node("Cast", [f"{name}.half"], [name], name=name, to=TensorProto.FLOAT)]
