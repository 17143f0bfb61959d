"""A bundled int8 network as float weights for a run to start from:
``python -m fadn_cli.training.run.thaw SPECIALIST CONFIG.toml``.

Writes runs/<specialist>/, which the config then names under `start_from`. The one thing to know:
the file of a Bayer network serves a run for a mono sensor, whose planes lie at the same four sites;
what the four brightnesses said is said by the one that is left, and middle bands begin unseen.
"""

import argparse
import dataclasses
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper

from fadn_cli.denoise.network import specialists
from fadn_cli.denoise.noise.stabilize import KINDS, Inputs
from fadn_cli.training.network.model import Denoiser, Student
from fadn_cli.training.run.config import load_config
from fadn_cli.training.run.start import silence_blocks


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
    silence_blocks(student)
    missing = []
    for name, parameter in student.named_parameters():
        values = _value(stored, name)
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
    start = seen.channels - seen.levels  # what follows are the finer steps of the same channels
    brightness = weight[:, start : start + seen.levels]
    if wanted.levels == seen.levels:
        result[:, -wanted.levels :] = brightness
    else:
        result[:, -wanted.levels :] = brightness.sum(axis=1, keepdims=True) / wanted.levels
    return result


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("specialist", help="name of a bundled network")
    parser.add_argument("config", type=Path, help="of the run that is to start from it")
    parser.add_argument("--runs", type=Path, default=Path("runs"), metavar="DIR")
    arguments = parser.parse_args()
    config = load_config(arguments.config)
    torch.manual_seed(config.seed)
    specialist = specialists.find(arguments.specialist)
    graph = onnx.load_from_string(specialists.read_weights(specialist)).graph
    model = Denoiser(Student(config.network))
    missing = thaw(graph, model.student, KINDS[specialist.inputs])
    folder = arguments.runs / specialist.name
    folder.mkdir(parents=True, exist_ok=True)
    state = {
        "model": model.state_dict(),
        "step": config.steps,
        "seconds": 0.0,
        "config": dataclasses.asdict(config),
    }
    torch.save(state, folder / "checkpoint.pt")
    print(f"{folder}: {len(missing)} parameters are new: {', '.join(missing)}")


if __name__ == "__main__":
    main()
