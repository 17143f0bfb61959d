"""A bundled network thawed denoises as it did, and serves a sensor of the same cells."""

import dataclasses

import numpy as np
import onnx
import pytest
import torch

from fadn_cli.denoise.network import specialists
from fadn_cli.denoise.network.inference import Network
from fadn_cli.denoise.noise.stabilize import KINDS
from fadn_cli.noise import noise_model
from fadn_cli.training.export.provenance import trained
from fadn_cli.training.network.config import StudentConfig
from fadn_cli.training.network.model import Denoiser, Student
from fadn_cli.training.run.config import TrainConfig
from fadn_cli.training.run.thaw import take_over, thaw, thaw_run

NAME = "bayer-fast-high"
SIZE = {"widths": (48, 64, 64), "encode": (1, 1), "decode": (2, 1), "aligned_scales": 1}
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
    model, missing = thawed("bands-24")
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
    model, _ = thawed("bands-24")
    deeper, missing = thawed("bands-24", encode=(1, 2))

    assert {name.rsplit(".", 2)[0] for name in missing} == {"encode.1.1"}
    np.testing.assert_allclose(denoised(model, noisy, 4), denoised(deeper, noisy, 4), atol=1e-5)


def test_other_widths_are_refused():
    with pytest.raises(ValueError, match="wanted"):
        thawed("bands-24", widths=(48, 48, 64))


def test_other_cells_are_refused():
    with pytest.raises(ValueError, match="samples"):
        thawed("xtrans-bands-16")


def test_a_bayer_run_sees_of_grey_what_it_saw():
    """Middle bands and brightness once instead of four times: the first layer answers alike."""
    torch.manual_seed(3)
    bayer = Student(StudentConfig(inputs="bands-16", **SIZE))
    mono = Student(StudentConfig(inputs="mono-bands-7", **SIZE))

    assert take_over(bayer, mono) == []

    samples, smooth = torch.randn(1, 4, 8, 8), torch.randn(1, 3, 8, 8)
    four = smooth.repeat_interleave(4, dim=1)
    result = mono.enter(torch.cat([samples, smooth], dim=1))
    torch.testing.assert_close(result, bayer.enter(torch.cat([samples, four], dim=1)))


def test_a_thawed_run_says_what_its_weights_cost(tmp_path):
    config = TrainConfig(network=StudentConfig(inputs="bands-16", **SIZE))
    run = tmp_path / "bayer-x"
    run.mkdir()
    (run / "config.toml").write_text("seed = 8\n")
    model = Denoiser(Student(config.network))
    state = {"model": model.state_dict(), "config": dataclasses.asdict(config)}
    torch.save({**state, "step": 41, "seconds": 9.0}, run / "checkpoint.pt")
    mono = TrainConfig(network=StudentConfig(inputs="mono-bands-7", **SIZE))

    folder, missing = thaw_run(run, mono, tmp_path)

    assert missing == []
    cost = {"config": "bayer-x.toml", "steps": 41, "seconds": 9, "seed": 8}
    assert trained(folder) == [cost]
