"""A bundled network thawed denoises as it did, and serves a sensor of the same cells."""

import numpy as np
import onnx
import pytest
import torch

from fadn_cli.denoise.network import specialists
from fadn_cli.denoise.network.inference import Network
from fadn_cli.denoise.noise.stabilize import KINDS
from fadn_cli.noise import noise_model
from fadn_cli.training.network.config import StudentConfig
from fadn_cli.training.network.model import Denoiser, Student
from fadn_cli.training.run.thaw import thaw

NAME = "bayer-fast-high"
SIZE = {"widths": (32, 32, 64), "encode": (2, 1), "decode": (2, 1), "aligned_scales": 1}
SHOT, READ = 1.6e-3, 2.6e-6


def thawed(inputs, **size):
    specialist = specialists.find(NAME)
    graph = onnx.load_from_string(specialists.read_weights(specialist)).graph
    model = Denoiser(Student(StudentConfig(inputs=inputs, **{**SIZE, **size}))).eval()
    missing = thaw(graph, model.student, KINDS[specialist.inputs])
    return model, missing


@pytest.fixture(scope="module")
def grey():
    """A grey scene, and noise on it: (4, 96, 96) each."""
    rows, cols = np.mgrid[:96, :96]
    clean = (0.2 + 0.1 * np.sin(rows / 9) + 0.1 * (cols > 48)).astype(np.float32)
    clean = np.broadcast_to(clean, (4, 96, 96))
    noise = np.random.default_rng(5).normal(size=clean.shape) * np.sqrt(SHOT * clean + READ)
    return clean, (clean + noise).astype(np.float32)


def denoised(model, x, levels):
    with torch.no_grad():
        given = (torch.full((1, levels, 1, 1), value) for value in (SHOT, READ))
        return model(torch.from_numpy(x)[None], *given)[0].numpy()


def test_it_denoises_as_the_file_does(grey):
    _, noisy = grey
    model, missing = thawed("highpass-20")
    network = Network(specialists.find(NAME), threads=1)

    expected = network(noisy, noise_model(SHOT, READ, source="test"))
    result = denoised(model, noisy, 4)

    assert missing == []
    assert np.std(result - expected) < 0.1 * np.std(expected - noisy)


def test_it_denoises_a_mono_mosaic_from_the_start(grey):
    clean, noisy = grey
    model, missing = thawed("mono-bands-18")

    result = denoised(model, noisy, 1)

    assert missing == []
    assert np.std(result - clean) < 0.4 * np.std(noisy - clean)


def test_blocks_that_the_file_has_not_add_nothing(grey):
    _, noisy = grey
    model, _ = thawed("highpass-20")
    deeper, missing = thawed("highpass-20", encode=(2, 2))

    assert {name.rsplit(".", 2)[0] for name in missing} == {"encode.1.1"}
    np.testing.assert_allclose(denoised(model, noisy, 4), denoised(deeper, noisy, 4), atol=1e-5)


def test_other_widths_are_refused():
    with pytest.raises(ValueError, match="wanted"):
        thawed("highpass-20", widths=(32, 48, 64))


def test_other_cells_are_refused():
    with pytest.raises(ValueError, match="samples"):
        thawed("xtrans-bands-16")
