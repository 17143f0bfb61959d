"""A search for networks: ``python -m fadn_cli.training.judge.search CONFIG --photos DIR ... --ruler
DIR``, and ``python -m fadn_cli.training.judge.search --table``.

Networks are drawn at random, and timed as the int8 graphs that they would become, in turn with the
config's own; those that take longer are not trained. The others are trained for a few steps and
measured on the ruler; the best go on for as many steps again, and so on (successive halving). What
was found goes into docs/search.json, from which the table is printed.

References
----------
Jamieson and Talwalkar, "Non-stochastic Best Arm Identification and Hyperparameter Optimization",
AISTATS 2016, arXiv 1502.07943.
"""

import dataclasses
import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from fadn_cli.training.data.photos import Photos, load_photos
from fadn_cli.training.judge.arena import make_parser, relative_seconds, train_and_measure
from fadn_cli.training.network.config import StudentConfig
from fadn_cli.training.network.model import Student, macs_per_packed_pixel
from fadn_cli.training.run.config import TrainConfig, load_config

CANDIDATES = 16
RUNGS = ((375, 16), (750, 6), (1500, 2))
"""Steps in all, and how many networks get so far. A run is resumed at half of its rates."""
SLOWEST = 1.05
"""Times the config's own network."""
RESULTS = Path("docs/search.json")
_DRAWS = 100  # per candidate wanted; one in some ten is a candidate
_FEWEST_MACS = 0.75  # of the config's own; networks of less never came near in short training


def draw_network(rng: random.Random) -> StudentConfig:
    """Draw a network of two or three scales whose widths are multiples of 16.

    int8 kernels work on 16 output channels at a time.
    """
    scales = rng.choice((2, 3, 3, 3))
    widths = sorted(rng.choices((32, 48, 64, 80), k=scales))
    return StudentConfig(
        widths=tuple(widths),
        encode=tuple(rng.choice((1, 2, 3)) for _ in widths[1:]),
        bottom=rng.choice((1, 1, 2)),
        decode=tuple(rng.choice((1, 2, 3)) for _ in widths[1:]),
        aligned_scales=1,
    )


def draw_candidates(base: StudentConfig, count: int, seed: int) -> dict[StudentConfig, float]:
    """Draw different networks that are no slower than the base; return their relative seconds.

    Fewer than `count` if so few are found among the first that are drawn.
    """
    rng = random.Random(seed)
    most = macs_per_packed_pixel(Student(base))
    found: dict[StudentConfig, float] = {}
    tried: set[StudentConfig] = set()
    for network in (draw_network(rng) for _ in range(_DRAWS * count)):
        if len(found) == count:
            break
        if network in tried:
            continue
        tried.add(network)
        # A network's time is its operations' within a third or so; timing takes seconds.
        macs = macs_per_packed_pixel(Student(network))
        if not _FEWEST_MACS <= macs / most <= 1.3:
            continue
        seconds = relative_seconds(network, base)
        if seconds <= SLOWEST:
            found[network] = seconds
    return found


def name_of(network: StudentConfig) -> str:
    """Return a network's size as text: widths, blocks down, deepest, up."""
    down, up = (" ".join(map(str, counts)) for counts in (network.encode, network.decode[::-1]))
    return f"{', '.join(map(str, network.widths))}: {down}, {network.bottom}, {up}"


def halve(
    config: TrainConfig,
    candidates: Mapping[StudentConfig, float],
    rungs: Sequence[tuple[int, int]],
    *,
    photos: Photos,
    ruler: Path,
    runs: Path,
    results: Path,
) -> None:
    """Train candidates rung by rung, the best of each going on; write what is found on the way.

    Parameters
    ----------
    config : TrainConfig
        Of every run, but for the network and the steps.
    candidates : mapping
        Networks and their relative seconds.
    rungs : sequence of (int, int)
        Steps in all and how many networks get so far.
    photos, ruler, runs, results
        As for `arena.run_experiment` and `arena.record`.
    """
    rows: dict[StudentConfig, dict[str, Any]] = {
        network: {
            "network": name_of(network),
            "macs": round(macs_per_packed_pixel(Student(network))),
            "time": round(seconds, 3),
            "psnr": {},
        }
        for network, seconds in candidates.items()
    }
    alive = list(candidates)
    for steps, count in rungs:
        alive = alive[:count]
        for network in alive:
            folder = runs / f"search-{name_of(network)}"
            run = dataclasses.replace(config, network=network, steps=steps)
            table = train_and_measure(run, folder, photos, ruler)
            rows[network]["psnr"][str(steps)] = round(table["psnr"]["mean"], 3)
            text = json.dumps(list(rows.values()), indent=1)
            results.write_text(text + "\n", encoding="utf-8")
        alive.sort(key=lambda network: -rows[network]["psnr"][str(steps)])


def table_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """Format what was found as a Markdown table, the furthest and best first."""
    steps = sorted({int(step) for row in rows for step in row["psnr"]})
    head = ["channels: blocks down, deepest, up", "k MAC", "time"]
    head += [f"{step:,} steps, dB" for step in steps]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for row in sorted(rows, key=lambda row: (-len(row["psnr"]), -max(row["psnr"].values()))):
        found = [f"{row['psnr'][str(s)]:.2f}" if str(s) in row["psnr"] else "" for s in steps]
        cells = [row["network"], f"{row['macs'] / 1000:.1f}", f"{row['time']:.2f}", *found]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Run the command line."""
    parser = make_parser(__doc__, RESULTS)
    parser.add_argument("config", type=Path, nargs="?", help="training/configs/arena-base.toml")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    if arguments.table:
        print(table_text(json.loads(arguments.results.read_text(encoding="utf-8"))))
        return
    if not (arguments.config and arguments.photos and arguments.ruler):
        parser.error("a search needs a config, --photos and --ruler")
    torch.set_num_threads(arguments.threads)
    config = load_config(arguments.config)
    halve(
        config,
        draw_candidates(config.network, CANDIDATES, arguments.seed),
        RUNGS,
        photos=load_photos(arguments.photos, torch.device("cpu")),
        ruler=arguments.ruler,
        runs=arguments.runs,
        results=arguments.results,
    )


if __name__ == "__main__":
    main()
