"""Where weights come from: the runs, the photographs, the commit and the machine.

`weights` writes it into the manifest. The one thing to know: the photographs are named by a digest
of their bytes, so that anybody who has them can tell whether they are the same.
"""

import csv
import hashlib
import platform
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import torch

from fadn_cli.training.data.photos import SUFFIXES
from fadn_cli.training.run.config import load_config
from fadn_cli.training.run.thaw import THAWED

MANIFEST = "MANIFEST.csv"
"""Beside the folders of photographs: file, licence and source repository of each."""


def trained(run: Path) -> list[dict[str, Any]]:
    """Return what a run's weights cost: its own steps and seconds last, before them those of the
    runs that it started from; of a bundled network that was thawed (`run.thaw`), its name.
    """
    if not (run / "config.toml").exists():
        return [{"specialist": run.name.removesuffix(THAWED)}]
    state = torch.load(run / "checkpoint.pt", map_location="cpu", weights_only=True)
    config = load_config(run / "config.toml")
    before = trained(run.parent / config.start_from) if config.start_from else []
    return [
        *before,
        {
            "config": f"{run.name.removesuffix(THAWED)}.toml",
            "steps": state["step"],
            "seconds": round(state["seconds"]),
            "seed": config.seed,
            **({"teacher": f"{config.teacher}.toml"} if config.teacher else {}),
            **({"lessons": config.lessons} if config.lessons else {}),
        },
    ]


def data(folders: list[Path]) -> dict[str, Any]:
    """Describe the photographs of the folders.

    Returns
    -------
    dict
        "photographs": how many; "sha256": of all their names and bytes in order; "licences" and
        "sources": how many of each, where a MANIFEST.csv lies beside the folders.
    """
    digest, names = hashlib.sha256(), []
    for folder in folders:
        for path in sorted(folder.iterdir()):
            if path.suffix.lower() in SUFFIXES:
                names.append(f"{folder.name}/{path.name}")
                digest.update(names[-1].encode() + hashlib.sha256(path.read_bytes()).digest())
    rows = []
    for manifest in {folder.resolve().parent / MANIFEST for folder in folders}:
        if manifest.exists():
            with manifest.open(newline="", encoding="utf-8") as lines:
                rows += [row for row in csv.DictReader(lines) if row["file"] in set(names)]
    return {
        "photographs": len(names),
        "sha256": digest.hexdigest(),
        "licences": dict(sorted(Counter(row["licence"] for row in rows).items())),
        "sources": dict(sorted(Counter(row["source repository"] for row in rows).items())),
    }


def processor() -> str:
    """Return the processor's name, as Linux tells it, else its architecture."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.machine()
    names = [line.split(":")[1].strip() for line in text.splitlines() if "model name" in line]
    return names[0] if names else platform.machine()


def commit() -> str:
    """Return the checkout's commit, or "unknown"."""
    done = subprocess.run(
        ["git", "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or "unknown"
