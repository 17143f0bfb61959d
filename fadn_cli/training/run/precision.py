"""Numbers of half the size, where the machine multiplies them faster.

`train`, `teach` and `muon` ask. The one thing to know: a processor without instructions for
bfloat16 emulates it, and a step then takes two to three times as long as in float32.
"""

import functools

import torch

from fadn_cli.training.run.config import TrainConfig


@functools.cache
def faster_dtype(device: str) -> torch.dtype:
    """Return bfloat16 where a kind of device ("cpu", "cuda") multiplies it itself, else float32."""
    if device == "cpu" and not _multiplies_bfloat16(torch.cpu.get_capabilities()):
        return torch.float32
    return torch.bfloat16


def _multiplies_bfloat16(processor: dict[str, object]) -> bool:
    """Return whether a processor has the instructions; of others than x86 nothing is known."""
    has = (processor.get(name) for name in ("avx512_bf16", "amx_bf16"))
    return processor.get("architecture") != "x86_64" or any(has)


def convolutions(config: TrainConfig, device: torch.device) -> torch.autocast:
    """Return the context in which convolutions run in bfloat16, if the config wants it and the
    machine is faster with it."""
    worth_it = config.bfloat16 and faster_dtype(device.type) == torch.bfloat16
    return torch.autocast(device.type, torch.bfloat16, enabled=worth_it)
