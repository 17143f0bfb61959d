"""Keep runs beyond the machine: ``python -m fadn_cli.training.run.keep RUN [RUN ...] --to DIR``.

Writes DIR/<run>/ with the config and the average of the weights in float16, small enough to commit.
The one thing to know: it is a run's folder without the optimizers' state, so once it is copied back
other runs can start from it, learn from it or be measured against it; it can be resumed, too, but
warms up once more, and is not the run any more that it would have been.
"""

import argparse
import shutil
from pathlib import Path

import torch


def keep(run: Path, folder: Path) -> Path:
    """Write a run's config and weights under its name; return the new checkpoint's path."""
    state = torch.load(run / "checkpoint.pt", map_location="cpu", weights_only=True)
    # The ranges of int8 stay exact: a network rounds to them.
    state["model"] = {
        name: value if name.endswith("_range") else value.half()
        for name, value in state.pop("average", state["model"]).items()
    }
    state.pop("optimizers", None)
    target = folder / run.name
    target.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(run / "config.toml", target / "config.toml")
    torch.save(state, target / "checkpoint.pt")
    return target / "checkpoint.pt"


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("runs", type=Path, nargs="+", help="folders of runs")
    parser.add_argument("--to", type=Path, required=True, metavar="DIR")
    arguments = parser.parse_args()
    for run in arguments.runs:
        kept = keep(run, arguments.to)
        print(f"{kept}: {kept.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
