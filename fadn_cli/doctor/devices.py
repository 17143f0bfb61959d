"""What networks can run on here: which onnxruntime, which devices, whether they are right and fast.

`run` asks each of these. The one thing to know: a device is tried as `denoise` would try it, by the
known tile, and timed with all that a photograph takes, features included.
"""

import time
from importlib import metadata
from typing import TYPE_CHECKING

import numpy as np

from fadn_cli.denoise.network import specialists
from fadn_cli.denoise.network.devices import CPU, PAGE
from fadn_cli.findings import Check
from fadn_cli.noise import NoiseModel, noise_model

if TYPE_CHECKING:
    from fadn_cli.denoise.network.place import Place

_NOISE = noise_model(5e-4, 1e-5, source="given")  # a camera at ISO 3200
_TILES = 2
_RUNS = 2  # the first one loads the network


def onnxruntime_packages() -> tuple[str, ...]:
    """Return which installed packages bring onnxruntime: one, where nothing is mixed."""
    return tuple(sorted(set(metadata.packages_distributions().get("onnxruntime", ()))))


def check_onnxruntime() -> Check:
    """What networks could run on, and whether one onnxruntime lies over another."""
    from fadn_cli.denoise.network.inference import PROVIDER, providers

    found, packages = list(providers()), onnxruntime_packages()
    figures: dict[str, float | str | list[str]] = {
        "providers": found,
        "packages": list(packages),
        "used": PROVIDER,
    }
    if PROVIDER not in found:
        return Check(
            name="onnxruntime",
            value=f"without {PROVIDER}: {', '.join(found)}",
            severity="error",
            advice="Install the package onnxruntime itself.",
            figures=figures,
        )
    if len(packages) > 1:
        return Check(
            name="onnxruntime",
            value=f"a mixed install: {' and '.join(packages)} have written over one another",
            severity="warning",
            advice=f"Keep one: pip uninstall -y {' '.join(packages)}, and install that one again.",
            figures=figures,
        )
    return Check(
        name="onnxruntime",
        value=f"{packages[0] if packages else 'of no package'}, with {', '.join(found)}",
        figures=figures,
    )


def check_devices() -> Check:
    """Try every device that is there, and time it."""
    from fadn_cli.denoise.network.place import Place
    from fadn_cli.denoise.network.providers import found_devices

    specialist = specialists.choose(_NOISE)
    told, wrong = [], []
    figures: dict[str, float | str | list[str]] = {}
    for name in (CPU, *(each.name for each in found_devices())):
        place = Place(name)
        seconds = _seconds_per_megapixel(specialist, place, _NOISE)
        if place.device == name:
            told.append(f"{name} {seconds:.2g} s a megapixel")
            figures[name] = seconds
        else:
            wrong.append(str(place.fallback))
    return Check(
        name="Devices",
        value="; ".join([*told, *wrong]),
        severity="warning" if wrong else "ok",
        advice=f"The processor does its work; see {PAGE}." if wrong else "",
        figures=figures,
    )


def _seconds_per_megapixel(
    specialist: specialists.Specialist, place: "Place", noise: NoiseModel
) -> float:
    """Time some tiles where they run."""
    from fadn_cli.denoise.frame import denoise_packed

    rng = np.random.default_rng(0)
    side = specialist.tile
    width = _TILES * (side - specialist.overlap) + specialist.overlap
    packed = rng.normal(0.1, 0.01, (4, side, width)).astype(np.float32)
    times = []
    for _ in range(_RUNS):
        start = time.perf_counter()
        denoise_packed(packed, noise, specialist, place=place)
        times.append(time.perf_counter() - start)
    return min(times) * 1e6 / packed.size
