"""A network as float weights for a run of another sensor, or from int8, to start from:
``python -m fadn_cli.training.run.thaw SPECIALIST|RUN CONFIG.toml``.

Writes runs/<specialist>-thawed/ of a bundled file, runs/<run>-thawed/ of a run's folder, which the
config then names under `start_from`. The one thing to know: a Bayer network serves a run for a mono
sensor, whose planes lie at the same four sites; what the four brightnesses said is said by the one
that is left, and so with middle bands, or they begin unseen where the network had none.
"""

import argparse
import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper

from fadn_cli.denoise.network import specialists
from fadn_cli.denoise.noise.stabilize import KINDS, Inputs
from fadn_cli.training.network.model import Denoiser, Student
from fadn_cli.training.run.config import TrainConfig, load_config
from fadn_cli.training.run.start import silence_blocks
from fadn_cli.training.run.state import load_denoiser

THAWED = "-thawed"
"""After the name of a run or of a bundled network, in the name of the folder of its weights.

Of a run, its config lies there too, and with the weights what they cost.
"""


def thaw(graph: onnx.GraphProto, student: Student, seen: Inputs) -> list[str]:
    """Give a student the weights of an int8 graph of the same widths.

    Parameters
    ----------
    graph : GraphProto
        Written by `onnx_graph.build_onnx`.
    student : Student
        Modified. Blocks that the graph has not add nothing.
    seen : Inputs
        What the graph's network saw.

    Returns
    -------
    list of str
        The parameters that the graph had no value for.

    Raises
    ------
    ValueError
        The widths differ.
    """
    stored = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
    return _give(student, lambda name: _value(stored, name), seen)


def take_over(other: Student, student: Student) -> list[str]:
    """Give a student the weights of another of the same widths, as `thaw` does those of a file."""
    weights = dict(other.named_parameters())
    return _give(
        student,
        lambda name: weights[name].detach().numpy() if name in weights else None,
        other.config.seen,
    )


def _give(student: Student, value: Callable[[str], np.ndarray | None], seen: Inputs) -> list[str]:
    silence_blocks(student)
    missing = []
    for name, parameter in student.named_parameters():
        values = value(name)
        if values is None:
            missing.append(name)
            continue
        if name == "enter.weight" or name.endswith("align.embed.weight"):
            values = _resee(values, seen, student.config.seen)
        if values.shape != tuple(parameter.shape):
            raise ValueError(f"{name}: {values.shape} in the file, {tuple(parameter.shape)} wanted")
        parameter.data.copy_(torch.from_numpy(np.array(values, np.float32)))
    return missing


def _value(stored: dict[str, np.ndarray], name: str) -> np.ndarray | None:
    """Return a parameter as float; None if the graph has it not."""
    if name == "leave.weight":
        return stored[name].T[:, :, None, None]
    if name in stored:
        return stored[name]
    steps = stored.get(f"{name}.steps")
    if steps is None:
        return None
    scale = stored[f"{name}.scale"]
    return steps * scale.reshape(-1, *[1] * (steps.ndim - 1))


def _resee(weight: np.ndarray, seen: Inputs, wanted: Inputs) -> np.ndarray:
    """Return (out, c, k, k) weights for other inputs of as many samples."""
    if seen.samples != wanted.samples:
        raise ValueError(f"{seen.name} has {seen.samples} samples, {wanted.name} {wanted.samples}")
    result = np.zeros((len(weight), wanted.channels, *weight.shape[2:]), np.float32)
    result[:, : seen.samples] = weight[:, : seen.samples]
    # Middle bands, finest first, then brightness.
    bands = [(band, band) for band in range(min(seen.bands, wanted.bands))]
    for old, new in [*bands, (seen.bands, wanted.bands)]:
        start = seen.channels - seen.levels * (seen.bands + 1 - old)
        values = weight[:, start : start + seen.levels]
        if wanted.levels != seen.levels:
            values = values.sum(axis=1, keepdims=True) / wanted.levels
        start = wanted.channels - wanted.levels * (wanted.bands + 1 - new)
        result[:, start : start + wanted.levels] = values
    return result


def thaw_run(run: Path, config: TrainConfig, runs: Path) -> tuple[Path, list[str]]:
    """Write the folder of a run's weights for another network; return it and what is new there."""
    state = torch.load(run / "checkpoint.pt", map_location="cpu", weights_only=True)
    model = Denoiser(Student(config.network))
    missing = take_over(load_denoiser(run, torch.device("cpu")).student, model.student)
    folder = runs / f"{run.name}{THAWED}"
    _save(model, config, folder, step=state["step"], seconds=state["seconds"])
    shutil.copyfile(run / "config.toml", folder / "config.toml")
    return folder, missing


def thaw_bundled(name: str, config: TrainConfig, runs: Path) -> tuple[Path, list[str]]:
    """Write the folder of a bundled network's weights; return it and what is new there."""
    specialist = specialists.find(name)
    graph = onnx.load_from_string(specialists.read_weights(specialist)).graph
    model = Denoiser(Student(config.network))
    missing = thaw(graph, model.student, KINDS[specialist.inputs])
    folder = runs / f"{specialist.name}{THAWED}"
    _save(model, config, folder, step=config.steps, seconds=0.0)
    return folder, missing


def _save(model: Denoiser, config: TrainConfig, folder: Path, **cost: float) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    state = {"model": model.state_dict(), "config": dataclasses.asdict(config), **cost}
    torch.save(state, folder / "checkpoint.pt")


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("source", help="name of a bundled network, or a run's folder")
    parser.add_argument("config", type=Path, help="of the run that is to start from it")
    parser.add_argument("--runs", type=Path, default=Path("runs"), metavar="DIR")
    arguments = parser.parse_args()
    config = load_config(arguments.config)
    torch.manual_seed(config.seed)
    run = Path(arguments.source)
    if (run / "checkpoint.pt").is_file():
        folder, missing = thaw_run(run, config, arguments.runs)
    else:
        folder, missing = thaw_bundled(arguments.source, config, arguments.runs)
    print(f"{folder}: {len(missing)} parameters are new: {', '.join(missing)}")


if __name__ == "__main__":
    main()
