"""What networks leave of the noise on flat areas: ``python -m fadn_cli.training.export.residual``.

`weights` writes it into the manifest; the command measures it again for the bundled files that are
named, or for all. Outputs state it, and how fine their steps are follows from it. The one thing to
know: it is measured on drawn flats through the int8 file itself, several ways up too.
"""

import argparse
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fadn_cli.denoise.network import specialists
from fadn_cli.denoise.network.inference import Network
from fadn_cli.denoise.network.specialists import Specialist
from fadn_cli.denoise.sensors.kinds import SENSORS
from fadn_cli.denoise.turns import COUNTS
from fadn_cli.noise import noise_model
from fadn_cli.training.judge.evaluate import Denoise, flat_residual, shipped
from fadn_cli.training.judge.ruler import shot_noise_at

GREYS = (0.05, 0.18, 0.4, 0.8)
"""The flats' normalized signals."""
_SIDE = 128  # of the flats, packed pixels
_FAR = 100  # packed pixels that a network sees to each side: what it leaves is coarse and little
_LEVELS = 5  # of noise, over a network's range


def as_denoise(net: Network) -> Denoise:
    """Return an int8 file as the ruler's `Denoise`."""
    colors = SENSORS[net.specialist.cfa_kind].noise_colors

    def denoise(packed: NDArray[np.float32], shot: float, read: float) -> NDArray[np.float32]:
        return net(packed, noise_model(shot, read, source="", colors=colors))

    return denoise


def measure_residual(specialist: Specialist) -> dict[str, Any]:
    """Return what the manifest says of it.

    Parameters
    ----------
    specialist : Specialist
        A bundled one.

    Returns
    -------
    dict
        "residual_std": rows of (sigma at x = 0.18, share of the noise's standard deviation that is
        left), at five noise levels over the specialist's range; "turned_correlation": rows of
        (sigma, correlation between what two ways up leave).
    """
    alone = as_denoise(Network(specialist, threads=1))
    sensor = SENSORS[specialist.cfa_kind]
    ways = {
        count: shipped(estimated=False, specialist=specialist.name, ensemble=count, sensor=sensor)
        for count in COUNTS
    }
    left: dict[float, list[float]] = {}
    alike: dict[float, list[float]] = {}
    for std, grey, noise in _flats(specialist):
        shot = shot_noise_at(std)
        left.setdefault(std, []).append(float(flat_residual(alone, shot, grey, noise).std()))
        each, *means = (flat_residual(way, shot, grey, noise).var() for way in ways.values())
        for count, mean in zip(COUNTS[1:], means, strict=True):
            alike.setdefault(std, []).append(_correlation(mean / each, count))
    return {
        name: [[round(std, 6), round(float(np.mean(values)), 4)] for std, values in curve.items()]
        for name, curve in {"residual_std": left, "turned_correlation": alike}.items()
    }


def side_of(specialist: Specialist) -> int:
    """Return the side of a network's flats, packed pixels: four times as many where what is left is
    so coarse that a few would tell another figure each time.
    """
    return 2 * _SIDE if specialist.reach > _FAR else _SIDE


def _flats(specialist: Specialist) -> Iterator[tuple[float, float, NDArray[np.float32]]]:
    """Yield (sigma at x = 0.18, grey, noise in units of sigma) over a specialist's range."""
    rng = np.random.default_rng(11)
    planes, side = SENSORS[specialist.cfa_kind].planes, side_of(specialist)
    low, high = max(specialist.noise_range[0], 1.5e-3), min(specialist.noise_range[1], 0.12)
    for std in np.geomspace(low, high, _LEVELS):
        for grey in GREYS:
            noise = rng.standard_normal((planes, side, side)).astype(np.float32)
            yield float(std), grey, noise


def _correlation(ratio: float, count: int) -> float:
    """Return the correlation of so many equal variances, given that of their mean over theirs.

    Examples
    --------
    >>> [_correlation(ratio, 8) for ratio in (1.0, 0.125)]
    [1.0, 0.0]
    """
    return (count * ratio - 1) / (count - 1)


def main() -> None:
    """Measure the bundled networks again."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("names", nargs="*", metavar="NAME", help="networks; default: all")
    names = parser.parse_args().names
    path = specialists.folder() / specialists.MANIFEST
    manifest = json.loads(path.read_text(encoding="utf-8"))
    for row in manifest["specialists"]:
        if not names or row["name"] in names:
            row |= measure_residual(specialists.find(row["name"]))
            print(row["name"], row["residual_std"], row["turned_correlation"], flush=True)
    path.write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
