"""What is left of a network is what said most, and all of it where the rest said nothing."""

import dataclasses

import pytest
import torch

from fadn_cli.training.network.config import StudentConfig
from fadn_cli.training.network.model import Block, Denoiser, Student
from fadn_cli.training.run.config import TrainConfig
from fadn_cli.training.run.narrow import narrow, narrow_run
from fadn_cli.training.run.state import load_denoiser, save_start

SMALL = StudentConfig(widths=(6, 8, 10), embedding=4, encode=(0, 1), decode=(2, 1))
LARGE = dataclasses.replace(SMALL, widths=(8, 12, 16), decode=(3, 1))


def drawn(config, seed=1):
    torch.manual_seed(seed)
    student = Student(config).eval()
    torch.nn.init.normal_(student.leave.weight, std=0.1)
    return student


@torch.no_grad()
def seen_by(student):
    generator = torch.Generator().manual_seed(2)
    return student(torch.randn(1, student.config.channels, 16, 16, generator=generator))


@torch.no_grad()
def with_idle_channels(student, config):
    """The same network behind channels that do nothing, and with a block that does nothing."""
    larger = drawn(config, seed=3)
    for parameter in larger.parameters():
        parameter.zero_()
    target = larger.state_dict()
    for name, value in student.state_dict().items():
        room = target[name.replace("decode.0.1.", "decode.0.2.")]
        slices = [
            slice(size - used, None) for size, used in zip(room.shape, value.shape, strict=True)
        ]
        room[tuple(slices)] = value
    return larger


def test_a_network_narrowed_to_its_own_size_is_itself():
    student, other = drawn(SMALL), drawn(SMALL, seed=4)

    narrow(student, other)

    assert torch.equal(seen_by(student), seen_by(other))


def test_what_does_nothing_goes_first():
    student, narrower = drawn(SMALL), drawn(SMALL, seed=4)
    larger = with_idle_channels(student, LARGE)

    narrow(larger, narrower)

    assert torch.allclose(seen_by(larger), seen_by(student), atol=1e-6)
    assert torch.allclose(seen_by(narrower), seen_by(student), atol=1e-6)


def test_a_block_with_a_feature_align_layer_stays():
    larger, narrower = drawn(LARGE), drawn(dataclasses.replace(LARGE, decode=(1, 1)))
    with torch.no_grad():
        larger.decode[0][2].first.weight.mul_(1e-6)

    narrow(larger, narrower)

    assert isinstance(narrower.decode[0][0], Block)
    assert torch.equal(
        narrower.decode[0][0].align.embed.weight, larger.decode[0][2].align.embed.weight
    )


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"widths": (9, 12, 16)}, id="wider"),
        pytest.param({"decode": (4, 1)}, id="deeper"),
        pytest.param({"widths": (8, 12), "encode": (0,), "decode": (3,)}, id="scales"),
        pytest.param({"inputs": "bands-24"}, id="other inputs"),
    ],
)
def test_another_network_is_refused(other):
    with pytest.raises(ValueError, match="narrower|wanted"):
        narrow(drawn(LARGE), drawn(dataclasses.replace(LARGE, **other)))


def test_a_run_is_written_with_what_it_cost(tmp_path):
    run = tmp_path / "large"
    save_start(Denoiser(drawn(LARGE)), TrainConfig(network=LARGE), run, step=7, seconds=3.0)
    (run / "config.toml").write_text("steps = 7\n")

    folder = narrow_run(run, TrainConfig(network=SMALL), tmp_path)

    assert folder.name == "large-narrowed"
    assert load_denoiser(folder, torch.device("cpu")).student.config == SMALL
    assert torch.load(folder / "checkpoint.pt", weights_only=True)["step"] == 7
    assert (folder / "config.toml").exists()
