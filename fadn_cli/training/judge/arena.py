"""Experiments on equal terms: ``python -m fadn_cli.training.judge.arena CONFIG [CONFIG ...]
--photos DIR ... --ruler DIR``, and ``python -m fadn_cli.training.judge.arena --table``.

Every config is trained for the same few steps, measured on the ruler in float, and timed as the
int8 graph that it would become, in turn with the base. What was found goes into
docs/experiments.json, from which the table is printed; what loses is deleted from the code and
lives on there. The one thing to know: such short training tells networks of one cost apart, not
how good they become.
"""

import argparse
import dataclasses
import json
import math
import statistics
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch

from fadn_cli.training.data.photos import Photos, load_photos
from fadn_cli.training.judge.evaluate import evaluate, torch_denoise
from fadn_cli.training.judge.ruler import LEVELS
from fadn_cli.training.network.config import StudentConfig
from fadn_cli.training.network.model import Student, macs_per_packed_pixel
from fadn_cli.training.network.onnx_graph import build_onnx
from fadn_cli.training.network.quantize import calibrate
from fadn_cli.training.run.config import TrainConfig, load_config
from fadn_cli.training.run.state import load_denoiser
from fadn_cli.training.run.train import train

STEPS = 1500
"""Of every experiment."""
BASE = "arena-base"
"""The experiment that others are compared with."""
RESULTS = Path("docs/experiments.json")
SIDE = 1024
"""Samples per side of what is timed, as nearly as the network's alignment lets it be."""
_ROUNDS, _IN_A_ROW = 6, 4


def int8_session(network: StudentConfig) -> onnxruntime.InferenceSession:
    """Build the int8 graph of a network with random weights, as fast as a trained one's.

    On one thread: on two, other work on the machine decides between networks as alike as these.
    """
    torch.manual_seed(1)
    student = Student(dataclasses.replace(network, int8=True)).eval()
    calibrate(student, [(torch.randn(1, network.channels, 64, 64),)])
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    graph = build_onnx(student).SerializeToString()
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def relative_seconds(network: StudentConfig, base: StudentConfig) -> float:
    """Time a network's int8 graph in turn with the base's; return the median of the ratios, for
    as many samples of a sensor."""
    session, reference = int8_session(network), int8_session(base)
    feed, other = _feed(network), _feed(base)
    rounds = range(_ROUNDS)
    ratios = (_median_seconds(session, feed) / _median_seconds(reference, other) for _ in rounds)
    return statistics.median(ratios) * (_side(base) / _side(network)) ** 2


def _side(network: StudentConfig) -> int:
    """Return the samples per side of what is timed of a network."""
    step = network.seen.sensor.cell * network.alignment
    return round(SIDE / step) * step


def _feed(network: StudentConfig) -> dict[str, Any]:
    """Return random features of what is timed, as a network sees them."""
    grid = _side(network) // (network.seen.sensor.cell * network.unshuffle)
    features = np.random.default_rng(1).standard_normal((1, network.channels, grid, grid))
    return {"features": features.astype(np.float32)}


def _median_seconds(session: onnxruntime.InferenceSession, feed: Mapping[str, Any]) -> float:
    """Return the median time of some calls in a row, after one to warm up."""
    session.run(None, feed)
    times = []
    for _ in range(_IN_A_ROW):
        start = time.perf_counter()
        session.run(None, feed)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def train_and_measure(
    config: TrainConfig, folder: Path, photos: Photos, ruler: Path
) -> dict[str, dict[str, float]]:
    """Train a run in its folder, and measure it on the ruler in float."""
    folder.mkdir(parents=True, exist_ok=True)
    train(config, photos, folder, minutes=math.inf)
    denoise = torch_denoise(load_denoiser(folder, torch.device("cpu")))
    return evaluate(ruler, denoise, sensor=config.network.seen.sensor)


def run_experiment(
    path: Path, seed: int, photos: Photos, ruler: Path, runs: Path
) -> dict[str, Any]:
    """Train one config from one seed, and measure it on the ruler.

    Returns
    -------
    dict
        "psnr" and "ssim" by level and their mean, and the "seconds" of training.

    Raises
    ------
    ValueError
        The config's budget is not the arena's.
    """
    config = dataclasses.replace(load_config(path), seed=seed)
    if config.steps != STEPS:
        raise ValueError(f"{path}: {config.steps} steps; every experiment has {STEPS}")
    folder = runs / f"{path.stem}-{seed}"
    table = train_and_measure(config, folder, photos, ruler)
    seconds = torch.load(folder / "checkpoint.pt", weights_only=True)["seconds"]
    return {**table, "seconds": round(seconds)}


def record(results: Path, path: Path, config: TrainConfig, **found: Any) -> None:
    """Put what was found of one experiment into the file of results.

    `found` may have "seeds" (seed -> `run_experiment`'s) and "time" (of `relative_seconds`, or
    None).
    """
    rows = json.loads(results.read_text(encoding="utf-8")) if results.exists() else {}
    row = rows.setdefault(path.stem, {"what": _what(path), "seeds": {}, "verdict": ""})
    row["seeds"] |= found.pop("seeds", {})
    macs = macs_per_packed_pixel(Student(config.network))
    row |= {**found, "steps": config.steps, "macs": round(macs)}
    results.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _what(path: Path) -> str:
    """Return what a config's first comment says."""
    lines = path.read_text(encoding="utf-8").splitlines()
    said = [line.removeprefix("#").strip() for line in lines if line.startswith("#")]
    return " ".join(said)


def table_text(rows: Mapping[str, Mapping[str, Any]]) -> str:
    """Format experiments as a Markdown table; dB and SSIM are means over the seeds."""
    levels = [*LEVELS, "mean"]
    head = ["experiment", *levels, "SSIM", "seeds", "time", "k MAC", "seconds", "verdict"]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for row in rows.values():
        seeds = list(row["seeds"].values())
        psnr = [f"{statistics.mean(s['psnr'][level] for s in seeds):.2f}" for level in levels]
        ssim = f"{statistics.mean(s['ssim']['mean'] for s in seeds):.4f}"
        means = [s["psnr"]["mean"] for s in seeds]
        count = str(len(seeds)) if len(seeds) < 2 else f"{len(seeds)} (±{_spread(means):.2f})"
        spent = f"{statistics.mean(s['seconds'] for s in seeds):.0f}"
        took = "" if row["time"] is None else f"{row['time']:.2f}"
        cost = [took, f"{row['macs'] / 1000:.1f}", spent]
        cells = [row["what"], *psnr, ssim, count, *cost, row["verdict"]]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _spread(values: list[float]) -> float:
    """Return half the distance from the least to the largest."""
    return (max(values) - min(values)) / 2


def make_parser(about: str, results: Path) -> argparse.ArgumentParser:
    """Return a parser of what experiments and the search have in common."""
    parser = argparse.ArgumentParser(description=about, allow_abbrev=False)
    parser.add_argument("--photos", type=Path, nargs="+", metavar="DIR")
    parser.add_argument("--ruler", type=Path, metavar="DIR", help="photographs never trained on")
    parser.add_argument("--runs", type=Path, default=Path("runs"), metavar="DIR")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--results", type=Path, default=results, metavar="FILE")
    parser.add_argument("--table", action="store_true", help="print what is known, and no more")
    return parser


def main() -> None:
    """Run the command line."""
    parser = make_parser(__doc__, RESULTS)
    parser.add_argument("configs", type=Path, nargs="*", help="training/configs/arena-*.toml")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    arguments = parser.parse_args()
    if arguments.table:
        print(table_text(json.loads(arguments.results.read_text(encoding="utf-8"))))
        return
    if not (arguments.configs and arguments.photos and arguments.ruler):
        parser.error("an experiment needs a config, --photos and --ruler")
    torch.set_num_threads(arguments.threads)
    photos = load_photos(arguments.photos, torch.device("cpu"))
    base = load_config(Path(__file__).parents[1] / "configs" / f"{BASE}.toml").network
    for path in arguments.configs:
        config = load_config(path)
        seconds = relative_seconds(config.network, base)
        for seed in arguments.seeds:
            found = run_experiment(path, seed, photos, arguments.ruler, arguments.runs)
            seeds = {str(seed): found}
            record(arguments.results, path, config, seeds=seeds, time=round(seconds, 3))


if __name__ == "__main__":
    main()
