"""Float twins are the bundled int8 files without their rounding, and nothing else."""

import hashlib
import json

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
torch = pytest.importorskip("torch")

from fadn_cli.denoise.network import specialists  # noqa: E402
from fadn_cli.denoise.network.inference import on_processor  # noqa: E402
from fadn_cli.denoise.network.trial import known_features  # noqa: E402
from fadn_cli.training.export.float_graph import float_twin  # noqa: E402
from fadn_cli.training.export.twins import TOLERANCE  # noqa: E402
from fadn_cli.training.export.weights import _read_manifest, add_to_row  # noqa: E402
from fadn_cli.training.network.config import StudentConfig  # noqa: E402
from fadn_cli.training.network.model import Student  # noqa: E402
from fadn_cli.training.network.onnx_graph import build_onnx  # noqa: E402
from fadn_cli.training.network.quantize import calibrate, set_rounding  # noqa: E402

BUNDLED = specialists.bundled()


@pytest.fixture(params=BUNDLED, ids=lambda each: each.name)
def specialist(request):
    return request.param


def run(model, features):
    data = model if isinstance(model, bytes) else model.SerializeToString()
    return on_processor("a test", data, 1).run(None, {"features": features})[0]


def test_each_is_made_of_the_int8_file_beside_it(specialist):
    graph = onnx.load_from_string(specialists.read_weights(specialist))

    data = float_twin(graph).SerializeToString(deterministic=True)

    assert specialist.twin.file == f"{specialist.name}.fp16.onnx"
    assert specialist.twin.sha256 == hashlib.sha256(data).hexdigest()


def test_each_is_as_near_to_the_int8_file_as_its_row_says(specialist):
    features = known_features(specialist, 128)
    int8, twin = (
        run(specialists.read_weights(each), features) for each in (specialist, specialist.twin)
    )

    rms = np.sqrt(np.mean((twin - int8) ** 2))
    assert 0 < rms < 2 * specialist.twin.parity_sigma < 2 * TOLERANCE


def test_none_is_worse_than_the_int8_file(specialist):
    """In the mean of its levels; what was trained long on the rounding may lean on it at one."""
    better = [specialist.twin.psnr[level] - value for level, value in specialist.psnr.items()]

    assert np.mean(better) > -0.01
    assert min(better) > -0.025


def test_nothing_rounds_and_the_weights_are_in_16_bits(specialist):
    graph = onnx.load_from_string(specialists.read_weights(specialist.twin)).graph

    kinds = {node.op_type for node in graph.node}
    half = sum(np.prod(each.dims) for each in graph.initializer if each.data_type == 10)
    assert not kinds & {"QuantizeLinear", "DequantizeLinear", "Slice", "Concat"}
    assert half > 0.98 * sum(np.prod(each.dims) for each in graph.initializer)
    assert {1} == {each.type.tensor_type.elem_type for each in (*graph.input, *graph.output)}


@pytest.mark.parametrize("inputs", ("highpass-20", "highpass-8"))
def test_a_twin_is_the_module_without_rounding(inputs):
    torch.manual_seed(2)
    config = StudentConfig(inputs=inputs, widths=(8, 12), encode=(1,), decode=(1,), int8=True)
    student = Student(config)
    torch.nn.init.normal_(student.leave.weight)
    batches = [(torch.randn(1, config.channels, 32, 32),) for _ in range(2)]
    calibrate(student, batches)
    twin = float_twin(build_onnx(student))
    with torch.no_grad():  # the weights as the file has them: 7 bits
        for layer in student.modules():
            if hasattr(layer, "output_range"):
                scale = layer.weight.abs().flatten(1).amax(1)[:, None, None, None] / 63
                layer.weight.copy_(torch.round(layer.weight / scale) * scale)
    set_rounding(student, False)

    with torch.no_grad():
        expected = student(batches[0][0]).numpy()

    off = run(twin, batches[0][0].numpy()) - expected
    assert np.abs(off).max() < 0.01 * expected.std()


def test_a_weight_beyond_16_bits_is_refused():
    student = Student(StudentConfig(widths=(8, 12), encode=(1,), decode=(1,)))
    student.leave.weight.data.fill_(1e6)

    with pytest.raises(ValueError, match="beyond float16"):
        float_twin(build_onnx(student))


def test_a_row_gets_its_twin_and_keeps_the_rest(tmp_path):
    rows = [{"name": "a", "cfa_kind": "bayer", "quality": "best", "noise_range": [0, 1], "x": 1}]
    (tmp_path / "manifest.json").write_text(json.dumps({"specialists": rows}))

    add_to_row(tmp_path, "a", twin={"file": "a.fp16.onnx"})

    assert [{**rows[0], "twin": {"file": "a.fp16.onnx"}}] == _read_manifest(tmp_path)["specialists"]
