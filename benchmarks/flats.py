"""What is left of the noise on flat areas: ``python benchmarks/flats.py [RUN ...]``.

Flat mosaics of several brightnesses and noises, drawn, denoised by all that is bundled, or by the
runs that are named, with the true noise given. What is left, as a share of the noise that was
there: of single samples, and of means over 8x8 packed pixels. The one thing to know: the latter are
blotches, which fill a flat sky and are seen at any size; single samples are fine grain.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from fadn_cli.denoise.network.specialists import bundled  # noqa: E402
from fadn_cli.denoise.sensors.kinds import SENSORS  # noqa: E402
from fadn_cli.denoise.sensors.sensor import Sensor  # noqa: E402
from fadn_cli.training.judge.evaluate import (  # noqa: E402
    Denoise,
    flat_residual,
    shipped,
    torch_denoise,
)
from fadn_cli.training.judge.ruler import shot_noise_at  # noqa: E402
from fadn_cli.training.run.state import load_denoiser

SIGMAS = (0.003, 0.012, 0.03, 0.06, 0.12)  # at x = 0.18
BRIGHTNESSES = (0.002, 0.05, 0.18, 0.8)
SIDE = 256  # packed pixels
BLOCK = 8


def block_means(x: np.ndarray, side: int = BLOCK) -> np.ndarray:
    """Return (planes, h / side, w / side): the means of so many packed pixels squared; what is left
    over at the right and below is left out."""
    planes, height, width = x.shape
    rows, cols = height // side, width // side
    blocks = x[:, : rows * side, : cols * side].reshape(planes, rows, side, cols, side)
    return np.asarray(blocks.mean(axis=(2, 4)))


def left(denoise: Denoise, sigma: float, brightness: float, planes: int = 4) -> tuple[float, float]:
    """Return what is left of single samples and of block means, in units of the noise."""
    noise = np.random.default_rng(11).standard_normal((planes, SIDE, SIDE)).astype(np.float32)
    rest = flat_residual(denoise, shot_noise_at(sigma), brightness, noise)
    return float(rest.std()), float(block_means(rest).std())


def networks(runs: list[Path]) -> Iterator[tuple[str, tuple[Denoise, Sensor]]]:
    """Yield the names of runs, or of what is bundled, how they denoise, and mosaics of what."""
    for run in runs:
        model = load_denoiser(run, torch.device("cpu"))
        yield run.name, (torch_denoise(model), model.student.config.seen.sensor)
    if runs:
        return
    for kind, quality in dict.fromkeys((each.cfa_kind, each.quality) for each in bundled()):
        name = quality if kind == "bayer" else f"{kind} {quality}"
        denoise = shipped(estimated=False, quality=quality, sensor=SENSORS[kind])
        yield name, (denoise, SENSORS[kind])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("runs", type=Path, nargs="*", help="folders of runs; none: what is shipped")
    runs = parser.parse_args().runs
    found = dict(networks(runs))
    brightnesses = " | ".join(f"x = {each}" for each in BRIGHTNESSES)
    print(f"| network, sigma | {brightnesses} | mean |")
    print("|---" * (len(BRIGHTNESSES) + 2) + "|")
    for name, (denoise, sensor) in found.items():
        for sigma in SIGMAS:
            rests = np.array([left(denoise, sigma, each, sensor.planes) for each in BRIGHTNESSES])
            cells = [f"{samples:.3f}, {means:.3f}" for samples, means in [*rests, rests.mean(0)]]
            print(f"| {name}, {sigma} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
