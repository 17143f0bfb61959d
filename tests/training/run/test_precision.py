"""bfloat16 is used where the machine multiplies it, and nowhere else."""

import dataclasses

import pytest

torch = pytest.importorskip("torch")

from fadn_cli.training.run import precision  # noqa: E402
from fadn_cli.training.run.config import TrainConfig  # noqa: E402

CPU = torch.device("cpu")
OLD = {"architecture": "x86_64", "avx512_bf16": False, "amx_bf16": False}


@pytest.fixture
def processor(monkeypatch):
    """Say what processor this is, and forget it after the test."""

    def is_one(capabilities):
        precision.faster_dtype.cache_clear()
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)

    yield is_one
    precision.faster_dtype.cache_clear()


@pytest.mark.parametrize(
    ("capabilities", "wanted"),
    [
        (OLD, torch.float32),
        ({**OLD, "avx512_bf16": True}, torch.bfloat16),
        ({**OLD, "amx_bf16": True}, torch.bfloat16),
        ({"architecture": "aarch64"}, torch.bfloat16),
    ],
)
def test_convolutions_run_in_what_the_processor_multiplies(capabilities, wanted, processor):
    processor(capabilities)
    layer, x = torch.nn.Conv2d(1, 1, 1), torch.zeros(1, 1, 2, 2)

    with precision.convolutions(TrainConfig(), CPU):
        assert layer(x).dtype == wanted


def test_a_config_may_want_float32_everywhere(processor):
    processor({**OLD, "avx512_bf16": True})
    config = dataclasses.replace(TrainConfig(), bfloat16=False)

    with precision.convolutions(config, CPU):
        assert torch.nn.Conv2d(1, 1, 1)(torch.zeros(1, 1, 2, 2)).dtype == torch.float32


def test_other_devices_have_their_own():
    assert precision.faster_dtype("cuda") == torch.bfloat16
