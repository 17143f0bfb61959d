"""Read noise against shot noise, and shot noise at an ISO speed, of the cameras that darktable's
users have calibrated.

``python benchmarks/calibrations.py [noiseprofiles.json]``: green's a and b (variance = a x + b, x
from 0 to 1), for ISO 100 and more. First a line through their logarithms. Robust: what lies over
three standard deviations away is left out, until nothing changes. Then the shot noise at ISO 100:
its median, and the scales on both sides of it of a Student's t with three degrees of freedom in
log(shot noise), by maximum likelihood; and what became of the median at higher ISO speeds, over
ISO/100. `fadn_cli.denoise.noise.prior` holds these figures.
"""

import argparse
import json
from pathlib import Path

import numpy as np

PROFILES = Path("/usr/share/darktable/noiseprofiles.json")
LEAST = 1e-6  # smaller ones are no shot noise but mistakes
ROUNDS = 10
FREEDOMS = 3
SCALES = np.linspace(0.1, 2, 191)
SPEEDS = (100, 200, 400, 800, 1600, 3200, 6400, 12800)
QUANTILES = (0.02, 0.16, 0.5, 0.84, 0.98)


def calibrations(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Return ISO speeds, a, b, and of how many cameras they are; b may be negative."""
    found, cameras = [], set()
    for maker in json.loads(path.read_text(encoding="utf-8"))["noiseprofiles"]:
        for model in maker["models"]:
            for profile in model["profiles"]:
                iso, shot, read = profile["iso"], profile["a"][1], profile["b"][1]
                if not profile.get("skip") and iso >= 100 and shot > LEAST:
                    found.append((iso, shot, read))
                    if read > 0:
                        cameras.add((maker["maker"], model["model"]))
    iso, shot, read = np.array(found).T
    return iso, shot, read, len(cameras)


def scale(deviations: np.ndarray) -> float:
    """Return the scale of half a Student's t that the deviations from its centre come from."""
    likelihoods = [
        -(FREEDOMS + 1) / 2 * np.log1p((deviations / scale) ** 2 / FREEDOMS).sum()
        - len(deviations) * np.log(scale)
        for scale in SCALES
    ]
    return float(SCALES[np.argmax(likelihoods)])


def print_line(shot: np.ndarray, read: np.ndarray, cameras: int) -> None:
    """Print read noise as a power of shot noise."""
    shot, read = np.log(shot[read > 0]), np.log(read[read > 0])
    kept = np.ones(len(shot), bool)
    for _ in range(ROUNDS):
        line = np.polyfit(shot[kept], read[kept], 1)
        away = read - np.polyval(line, shot)
        kept = np.abs(away) < 3 * 1.4826 * np.median(np.abs(away - np.median(away)))
    print(f"{len(shot)} calibrations of {cameras} cameras, {kept.mean():.0%} of them kept")
    print(f"log b = {line[0]:.2f} log a {line[1]:+.2f}, standard deviation {away[kept].std():.2f}")


def print_speeds(iso: np.ndarray, shot: np.ndarray) -> None:
    """Print what shot noise is usual at an ISO speed."""
    base = np.log(shot[iso == 100])
    away = base - np.median(base)
    print(
        f"a at ISO 100, {len(base)} calibrations: median {np.exp(np.median(base)):.2g},"
        f" scales of log a {scale(-away[away < 0]):.2f} below and {scale(away[away > 0]):.2f} above"
    )
    for speed in SPEEDS:
        quantiles = np.quantile(shot[iso == speed] / (speed / 100), QUANTILES)
        print(f"ISO {speed}: a / (ISO / 100)", " ".join(f"{value:.1e}" for value in quantiles))


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("profiles", type=Path, nargs="?", default=PROFILES)
    iso, shot, read, cameras = calibrations(parser.parse_args().profiles)
    print_line(shot, read, cameras)
    print_speeds(iso, shot)


if __name__ == "__main__":
    main()
