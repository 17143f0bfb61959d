"""What a run starts from: another run's weights, in a network that may be larger or half dead.

`train` calls it. The one thing to know: what is added changes nothing at first, and what is drawn
anew next to nothing, so a run starts where the other ended.

References
----------
Chen et al., "Net2Net: Accelerating Learning via Knowledge Transfer", ICLR 2016, arXiv 1511.05641.
"""

import statistics
from collections.abc import Sequence

import torch
from torch import nn

from fadn_cli.training.network.model import Block, Denoiser
from fadn_cli.training.network.quantize import alive

DEAD = 0.25
"""Share of its inner channels below which a block counts as dead. Blocks that work have most of
them; those that had died had less than a tenth."""


def load_start(model: Denoiser, start: dict[str, torch.Tensor]) -> list[str]:
    """Load the weights of a network that may have fewer blocks and fewer channels.

    Blocks that it has not change nothing at first: their second convolution is zero. Channels that
    it has not are seen by none of those that it has. So a larger network starts where the smaller
    one ended.

    Parameters
    ----------
    model : Denoiser
        Modified.
    start : dict of tensors
        The state of the other network.

    Returns
    -------
    list of str
        What still misses a value; everything if the other is no smaller network of this kind.
    """
    state = model.state_dict()
    start = _aligned_last(start, state)
    if not all(name in state and _fits(start[name], state[name], name) for name in start):
        return list(state)
    grown = {name: _widened(value, state[name]) for name, value in start.items()}
    missing, _ = model.load_state_dict(grown, strict=False)
    for name, block in model.named_modules():
        if isinstance(block, Block) and block.align is None and f"{name}.first.weight" in missing:
            silence_blocks(block)
            missing = [other for other in missing if not other.startswith(f"{name}.")]
    return missing


def _aligned_last(
    start: dict[str, torch.Tensor], state: dict[str, torch.Tensor]
) -> dict[str, torch.Tensor]:
    """Return a state whose aligned blocks, each the last of its row, have the numbers that they
    have in another state."""
    numbers = dict(_aligned_block(name) for name in state)
    moved = dict(_aligned_block(name) for name in start)
    prefixes = {
        f"{row}.{number}.": f"{row}.{numbers[row]}."
        for row, number in moved.items()
        if row and row in numbers
    }
    renamed = {}
    for name, value in start.items():
        old = next((prefix for prefix in prefixes if name.startswith(prefix)), "")
        renamed[prefixes.get(old, "") + name.removeprefix(old)] = value
    return renamed


def _aligned_block(name: str) -> tuple[str, int]:
    """Return the row and the number of the block whose Feature-Align layer a name is in, or ""."""
    block, found, _ = name.partition(".align.")
    row, _, number = block.rpartition(".")
    return (row, int(number)) if found else ("", 0)


def _fits(value: torch.Tensor, wanted: torch.Tensor, name: str) -> bool:
    """Return whether a weight is as large as another or smaller, and sees the same inputs."""
    if value.ndim != wanted.ndim:
        return False
    sees = name.endswith(("enter.weight", "embed.weight"))
    shared = slice(1, None) if sees else slice(2, None)
    smaller = all(size <= other for size, other in zip(value.shape, wanted.shape, strict=True))
    return smaller and value.shape[shared] == wanted.shape[shared]


def _widened(value: torch.Tensor, drawn: torch.Tensor) -> torch.Tensor:
    """Return a weight with the channels that it has not: drawn, and seen by none that it has."""
    if value.shape == drawn.shape:
        return value
    result = drawn.clone()
    result[: len(value)] = 0
    result[tuple(slice(size) for size in value.shape)] = value
    return result


def silence_blocks(model: nn.Module) -> None:
    """Let blocks add nothing at first: their second convolutions start at zero.

    A Feature-Align layer then adds what it shifts by, next to nothing too.
    """
    for block in model.modules():
        if isinstance(block, Block):
            nn.init.zeros_(block.second.weight)
            nn.init.zeros_(block.second.bias)


def revive(model: Denoiser, batches: Sequence[tuple[torch.Tensor, ...]]) -> list[str]:
    """Draw blocks anew whose inner channels hardly ever fire; return their names.

    Their second convolution starts at zero, its bias is kept: what they added where nothing
    fired, they add still. Blocks with a Feature-Align layer are left alone.

    Parameters
    ----------
    model : Denoiser
        Modified.
    batches : sequence
        Of `batches.make_batch`.
    """
    dead = _dead_blocks(model, batches)
    for block in dead.values():
        nn.init.kaiming_normal_(block.first.weight, nonlinearity="relu")
        nn.init.zeros_(block.first.bias)
        nn.init.zeros_(block.second.weight)
    return list(dead)


def retire(model: Denoiser, batches: Sequence[tuple[torch.Tensor, ...]]) -> list[str]:
    """Silence such blocks of an int8 network for good; return their names.

    A fine-tuning is too short for them to find work, and ranges of 8 bits that were measured on
    what hardly ever fires would clip it. `model.prune` leaves them out of the file.

    Parameters
    ----------
    model : Denoiser
        Its ranges are known. Modified.
    batches : sequence
        Of `batches.make_batch`.
    """
    dead = _dead_blocks(model, batches)
    for block in dead.values():
        block.first.output_range.zero_()
    return list(dead)


def _dead_blocks(model: Denoiser, batches: Sequence[tuple[torch.Tensor, ...]]) -> dict[str, Block]:
    """Return the blocks that hardly ever fire, by name."""
    shares = [alive(model, batch) for batch in batches]
    return {
        name: block
        for name, block in model.named_modules()
        if isinstance(block, Block)
        and block.align is None
        and not block.is_constant
        and statistics.mean(share[f"{name}.first"] for share in shares) < DEAD
    }
