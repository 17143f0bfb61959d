"""What is exported is what was trained."""

import logging

import numpy as np
import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")

import onnxruntime  # noqa: E402

from fadn_cli.training.export import check_parity  # noqa: E402
from fadn_cli.training.model import Denoiser, Student, StudentConfig  # noqa: E402
from fadn_cli.training.onnx_graph import build_onnx  # noqa: E402
from fadn_cli.training.quantize import quantize  # noqa: E402

TINY = StudentConfig(widths=(8, 8, 8), embedding=4)


@pytest.fixture(scope="module")
def trained():
    """A tiny network with weights that do something."""
    torch.manual_seed(3)
    student = Student(TINY).eval()
    torch.nn.init.normal_(student.leave.weight, std=0.2)
    return Denoiser(student)


@pytest.fixture(scope="module")
def batches():
    """Inputs as a photograph's would be: noise of half a unit."""
    rng = np.random.default_rng(1)
    return [rng.normal(0, 0.6, (1, 20, 24, 32)).astype(np.float32) for _ in range(4)]


def test_the_float_graph_is_the_module(trained, batches, tmp_path):
    path = tmp_path / "float.onnx"
    onnx.save(build_onnx(trained.student), str(path))

    assert check_parity(trained, path, batches) < 1e-4


def test_a_graph_that_differs_is_not_exported(trained, batches, tmp_path):
    other = Student(TINY).eval()
    torch.nn.init.normal_(other.leave.weight)
    path = tmp_path / "other.onnx"
    onnx.save(build_onnx(other), str(path))

    with pytest.raises(ValueError, match=r"other\.onnx: differs"):
        check_parity(trained, path, batches)


def test_every_layer_keeps_its_name(trained):
    nodes = {node.name for node in build_onnx(trained.student).graph.node if node.op_type == "Conv"}
    layers = {
        name.removeprefix("student.")
        for name, layer in trained.named_modules()
        if isinstance(layer, torch.nn.Conv2d)
    }

    assert layers == nodes


def test_the_same_weights_give_the_same_bytes(trained):
    first = build_onnx(trained.student).SerializeToString(deterministic=True)

    assert first == build_onnx(trained.student).SerializeToString(deterministic=True)


def test_the_int8_form_stays_close_and_keeps_the_named_layers_in_float(trained, batches, tmp_path):
    logging.getLogger().setLevel(logging.ERROR)
    plain, int8 = tmp_path / "float.onnx", tmp_path / "int8.onnx"
    onnx.save(build_onnx(trained.student), str(plain))

    quantize(plain, int8, batches, keep_float=("leave",))

    model = onnx.load(str(int8))
    floats = {tensor.name for tensor in model.graph.initializer if tensor.data_type == 1}
    assert "leave.weight" in floats
    assert "encode.0.0.first.weight" not in floats
    outputs = [
        onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"]).run(
            None, {"features": batches[0]}
        )[0]
        for path in (plain, int8)
    ]
    error = np.sqrt(np.mean((outputs[0] - outputs[1]) ** 2)) / outputs[0].std()
    assert 0 < error < 0.1
