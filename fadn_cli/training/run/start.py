"""What a run starts from: another run's weights, in a network that may be deeper, shallower or half
dead.

`train` calls it. The one thing to know: what is added changes nothing at first, and what is drawn
anew next to nothing, so a run starts where the other ended; what is left out it has to make up for.

References
----------
Chen et al., "Net2Net: Accelerating Learning via Knowledge Transfer", ICLR 2016, arXiv 1511.05641
(more blocks). Sanh et al., "DistilBERT", arXiv 1910.01108 (a student of its teacher's own layers).
"""

import re
import statistics
from collections.abc import Collection, Sequence

import torch
from torch import nn

from fadn_cli.training.network.model import Block, Denoiser
from fadn_cli.training.network.quantize import alive

DEAD = 0.25
"""Share of its inner channels below which a block counts as dead. Blocks that work have most of
them; those that had died had less than a tenth."""

_BLOCK = re.compile(r"student\.((?:encode\.\d+|decode\.\d+|bottom)\.\d+)\.")


def leave_out(start: dict[str, torch.Tensor], blocks: Collection[str]) -> dict[str, torch.Tensor]:
    """Return a network's state without some of its blocks; the later ones of a scale move up.

    Parameters
    ----------
    start : dict of tensors
        The state of a `Denoiser`.
    blocks : collection of str
        As the student names them: "decode.0.3" is the fourth on the way up at the finest scale.

    Raises
    ------
    ValueError
        A block that the network has not.
    """
    there = sorted({found[1] for name in start if (found := _BLOCK.match(name))})
    if unknown := set(blocks).difference(there):
        raise ValueError(f"left_out: {', '.join(sorted(unknown))}, but it has {', '.join(there)}")
    kept = {}
    for name, values in start.items():
        found = _BLOCK.match(name)
        if found is None:
            kept[name] = values
        elif found[1] not in blocks:
            scale, number = found[1].rsplit(".", 1)
            before = [f"{scale}.{i}" for i in range(int(number))]
            moved = sum(each not in blocks for each in before)
            kept[f"student.{scale}.{moved}.{name[found.end() :]}"] = values
    return kept


def load_start(model: Denoiser, start: dict[str, torch.Tensor]) -> list[str]:
    """Load the weights of a network that may have fewer blocks.

    Blocks that it has not change nothing at first: their second convolution is zero, so a deeper
    network starts where the shallower one ended.

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
    if any(name not in state or state[name].shape != start[name].shape for name in start):
        return list(state)
    missing, _ = model.load_state_dict(start, strict=False)
    for name, block in model.named_modules():
        if isinstance(block, Block) and block.align is None and f"{name}.first.weight" in missing:
            silence_blocks(block)
            missing = [other for other in missing if not other.startswith(f"{name}.")]
    return missing


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
