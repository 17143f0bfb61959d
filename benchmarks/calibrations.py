"""Read noise against shot noise of the cameras that darktable's users have calibrated.

``python benchmarks/calibrations.py [noiseprofiles.json]``: a line through the logarithms of green's
a and b (variance = a x + b, x from 0 to 1), for ISO 100 and more. Robust: what lies over three
standard deviations away is left out, until nothing changes.
"""

import argparse
import json
from pathlib import Path

import numpy as np

PROFILES = Path("/usr/share/darktable/noiseprofiles.json")
LEAST = 1e-6  # smaller ones are no shot noise but mistakes
ROUNDS = 10


def calibrations(path: Path) -> tuple[np.ndarray, np.ndarray, int]:
    """Return log a, log b, and of how many cameras they are."""
    pairs, cameras = [], set()
    for maker in json.loads(path.read_text(encoding="utf-8"))["noiseprofiles"]:
        for model in maker["models"]:
            for profile in model["profiles"]:
                shot, read = profile["a"][1], profile["b"][1]
                if not profile.get("skip") and profile["iso"] >= 100 and shot > LEAST and read > 0:
                    pairs.append((shot, read))
                    cameras.add((maker["maker"], model["model"]))
    shot, read = np.log(np.array(pairs)).T
    return shot, read, len(cameras)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("profiles", type=Path, nargs="?", default=PROFILES)
    shot, read, cameras = calibrations(parser.parse_args().profiles)
    kept = np.ones(len(shot), bool)
    for _ in range(ROUNDS):
        line = np.polyfit(shot[kept], read[kept], 1)
        away = read - np.polyval(line, shot)
        kept = np.abs(away) < 3 * 1.4826 * np.median(np.abs(away - np.median(away)))
    print(f"{len(shot)} calibrations of {cameras} cameras, {kept.mean():.0%} of them kept")
    print(f"log b = {line[0]:.2f} log a {line[1]:+.2f}, standard deviation {away[kept].std():.2f}")


if __name__ == "__main__":
    main()
