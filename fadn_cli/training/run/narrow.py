"""A network's strongest channels and blocks, for a narrower one to start from:
``python -m fadn_cli.training.run.narrow RUN CONFIG.toml``.

Writes runs/<run>-narrowed/, which the config then names under `start_from`. The one thing to know:
a channel counts by what is written to it times what is read of it, so that what goes is what said
least; the narrower network still has to be trained, but in a fraction of the steps.

References
----------
Li et al., "Pruning Filters for Efficient ConvNets", ICLR 2017, arXiv 1608.08710 (norms of weights
as the measure of a channel).
"""

import argparse
import shutil
from collections import defaultdict
from pathlib import Path

import torch

from fadn_cli.training.network.model import Denoiser, Student
from fadn_cli.training.run.config import TrainConfig, load_config
from fadn_cli.training.run.state import load_denoiser, save_start

NARROWED = "-narrowed"
"""After the name of a run, in the name of the folder of what is left of it."""

_FIXED = "fixed"

Weights = dict[str, torch.Tensor]


def narrow(student: Student, narrower: Student) -> None:
    """Give a student the strongest blocks and channels of a larger one.

    Parameters
    ----------
    student : Student
        Of as many scales and the same inputs.
    narrower : Student
        Modified.

    Raises
    ------
    ValueError
        It is no narrower network of that kind.
    """
    wanted = dict(narrower.named_parameters())
    weights = _fewer_blocks(dict(student.named_parameters()), wanted)
    if set(weights) != set(wanted) or any(
        size < other
        for name in wanted
        for size, other in zip(weights[name].shape, wanted[name].shape, strict=True)
    ):
        raise ValueError(f"{narrower.config} is no narrower network of {student.config}'s kind")
    scales = len(student.config.widths)
    kept = _strongest(weights, wanted, scales)
    for name, parameter in wanted.items():
        value = weights[name].detach()
        for axis, space in enumerate(_spaces(name, scales)[: value.ndim]):
            if space in kept:
                value = value.index_select(axis, kept[space])
        if value.shape != parameter.shape:
            raise ValueError(f"{name}: {tuple(value.shape)} in the run, {parameter.shape} wanted")
        parameter.data.copy_(value)


def narrow_run(run: Path, config: TrainConfig, runs: Path) -> Path:
    """Write the folder of what is left of a run in a config's network; return it."""
    model = Denoiser(Student(config.network))
    narrow(load_denoiser(run, torch.device("cpu")).student, model.student)
    state = torch.load(run / "checkpoint.pt", map_location="cpu", weights_only=True)
    folder = runs / f"{run.name}{NARROWED}"
    save_start(model, config, folder, step=state["step"], seconds=state["seconds"])
    shutil.copyfile(run / "config.toml", folder / "config.toml")
    return folder


def _fewer_blocks(weights: Weights, wanted: Weights) -> Weights:
    """Return the weights of each row's strongest blocks, numbered as in the narrower network.

    A block with a Feature-Align layer is the last of its row and stays.
    """
    rows = _blocks(wanted)
    result = {name: value for name, value in weights.items() if not _block(name)}
    for row, numbers in _blocks(weights).items():
        strength = {number: _strength(weights, f"{row}.{number}") for number in numbers}
        count = len(rows.get(row, ()))
        chosen = sorted(sorted(numbers, key=lambda n: strength[n], reverse=True)[:count])
        for new, old in enumerate(chosen):
            start = f"{row}.{old}."
            result |= {
                f"{row}.{new}.{name.removeprefix(start)}": value
                for name, value in weights.items()
                if name.startswith(start)
            }
    return result


def _blocks(weights: Weights) -> dict[str, set[int]]:
    """Return the numbers of the blocks of each row, as "decode.0"."""
    rows = defaultdict(set)
    for name in weights:
        if block := _block(name):
            row, _, number = block.rpartition(".")
            rows[row].add(int(number))
    return dict(rows)


def _block(name: str) -> str:
    """Return the name of the block that a parameter is in, or ""."""
    for part in (".first.", ".second.", ".align."):
        if part in name:
            return name.partition(part)[0]
    return ""


def _strength(weights: Weights, block: str) -> float:
    if f"{block}.align.gamma.weight" in weights:
        return float("inf")
    first, second = (weights[f"{block}.{layer}.weight"].detach() for layer in ("first", "second"))
    return float(first.norm() * second.norm())


def _spaces(name: str, scales: int) -> tuple[str, str]:
    """Return in which channels a layer's outputs and inputs are: of a scale, of a block, or fixed.

    The residual blocks of a scale all add to the same channels.
    """
    kind, *rest = name.rpartition(".")[0].split(".")
    if kind == "enter":
        return "scale 0", _FIXED
    if kind == "leave":
        return _FIXED, "scale 0"
    if kind in ("down", "up"):
        fine, deep = f"scale {int(rest[0])}", f"scale {int(rest[0]) + 1}"
        return (deep, fine) if kind == "down" else (fine, deep)
    scale = f"scale {scales - 1 if kind == 'bottom' else int(rest[0])}"
    if "align" in rest:
        return (_FIXED if "embed" in rest else scale), _FIXED
    inner = _block(name)
    return (inner, scale) if "first" in rest else (scale, inner)


def _strongest(weights: Weights, wanted: Weights, scales: int) -> dict[str, torch.Tensor]:
    """Return the channels that are kept of each scale and inside each block, in their order."""
    written: dict[str, list[torch.Tensor]] = defaultdict(list)
    read: dict[str, list[torch.Tensor]] = defaultdict(list)
    counts: dict[str, int] = {}
    for name, value in weights.items():
        if not name.endswith("weight"):
            continue
        squares = value.detach().square()
        outputs, inputs = _spaces(name, scales)
        written[outputs].append(squares.sum(dim=(1, 2, 3)))
        read[inputs].append(squares.sum(dim=(0, 2, 3)))
        counts[outputs], counts[inputs] = wanted[name].shape[:2]
    kept = {}
    for space in counts.keys() - {_FIXED}:
        strength = torch.stack(written[space]).sum(0) * torch.stack(read[space]).sum(0)
        kept[space] = strength.topk(counts[space]).indices.sort().values
    return kept


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("run", type=Path, help="folder of the larger network")
    parser.add_argument("config", type=Path, help="of the run that is to start from it")
    parser.add_argument("--runs", type=Path, default=Path("runs"), metavar="DIR")
    arguments = parser.parse_args()
    config = load_config(arguments.config)
    print(narrow_run(arguments.run, config, arguments.runs))


if __name__ == "__main__":
    main()
