"""Coloured clouds left in photographs: ``python benchmarks/clouds.py [RUN ...] --photos DIR``.

The ruler's photographs at its two strongest levels of noise, denoised by every Bayer quality that
is bundled, or by the runs that are named, with the true noise given. Root mean square errors of
means over squares of packed pixels, in units of the noise there: of colour (red and blue, less
green) and of luma (the mean of the four planes), in dark, middle and bright places. The one thing
to know: PSNR is of single samples and hardly feels these means, but the eye sees them as clouds, in
the dark above all; and what is left on flat areas (`flats.py`) does not tell what is left here.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.flats import block_means, networks  # noqa: E402
from fadn_cli.denoise.sensors.bayer import BAYER  # noqa: E402
from fadn_cli.training.judge.evaluate import Denoise  # noqa: E402
from fadn_cli.training.judge.ruler import Case, cases  # noqa: E402

TAKEN = ("D", "E")
SIDES = (1, 8, 16)
PLACES = {"dark": (0.0, 0.03), "middle": (0.03, 0.15), "bright": (0.15, np.inf)}


def errors(case: Case, output: np.ndarray, side: int) -> Iterator[tuple[str, np.ndarray]]:
    """Yield each place's name and (3, n) errors of means there: luma, red, blue, in sigma."""
    means = block_means(output - case.clean, side)
    light = block_means(case.clean, side).mean(0)
    sigma = np.sqrt(case.shot_noise * light + case.read_noise)
    green = (means[1] + means[2]) / 2
    off = np.stack([means.mean(0), means[0] - green, means[3] - green]) / sigma
    for place, (low, high) in PLACES.items():
        yield place, off[:, (low <= light) & (light < high)]


def measure(denoise: Denoise, photos: Path) -> dict[tuple[str, str, int], tuple[float, float]]:
    """Return the errors of luma and of colour for each level, place and side of the squares."""
    squares: dict[tuple[str, str, int], list[np.ndarray]] = {}
    for case in cases(photos):
        if case.level not in TAKEN:
            continue
        output = denoise(case.noisy, case.shot_noise, case.read_noise)
        for side in SIDES:
            for place, off in errors(case, output, side):
                squares.setdefault((case.level, place, side), []).append(off**2)
    rms = {}
    for key, parts in squares.items():
        of = np.concatenate(parts, axis=1)
        rms[key] = float(np.sqrt(of[0].mean())), float(np.sqrt(of[1:].mean()))
    return rms


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("runs", type=Path, nargs="*", help="folders of runs; none: what is shipped")
    parser.add_argument("--photos", type=Path, required=True, metavar="DIR")
    arguments = parser.parse_args()
    columns = " | ".join(f"{place}, {side}x{side}" for place in PLACES for side in SIDES)
    print(f"| colour / luma | {columns} |")
    print("|---" * (1 + len(PLACES) * len(SIDES)) + "|")
    for name, (denoise, sensor) in networks(arguments.runs):
        if sensor is not BAYER:
            continue
        rms = measure(denoise, arguments.photos)
        for level in TAKEN:
            keys = [(level, place, side) for place in PLACES for side in SIDES]
            cells = [f"{rms[key][1]:.3f} / {rms[key][0]:.3f}" for key in keys]
            print(f"| {name}, {level} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
