"""The bundled networks: what each is for, which one suits a noise, and where its weights lie.

`pipeline` asks `choose`, `inference` asks `read_weights`. The one thing to know:
weights/manifest.json is the only list of specialists; weights are looked for beside this package
and nowhere else, and never downloaded.
"""

import hashlib
import json
import math
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from fadn_cli.denoise.sensors.kinds import SENSORS
from fadn_cli.errors import ConfigError, WeightsError
from fadn_cli.noise import NoiseModel

MANIFEST = "manifest.json"
QUALITIES = ("max", "best", "fast")
"""From the cleanest picture to the quickest: the order of all lists."""
_PREFERRED = ("best", "fast", "max")  # where none is asked for: nobody waits for max unasked
_REINSTALL = "Reinstall fadn: the weights belong to the package."


@dataclass(frozen=True, slots=True, kw_only=True)
class Twin:
    """A network's float twin, for devices that have no kernels for 8 bits."""

    file: str
    """File name in weights/."""
    sha256: str
    """Of the file, hexadecimal."""
    parity_sigma: float
    """Root mean square of what it differs by from the int8 file, in units of the noise's sigma."""
    psnr: dict[str, float] = field(hash=False)
    """dB per level of the ruler, measured through the shipped file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Specialist:
    """What a caller must know of one network."""

    name: str
    """"bayer-fast-low": colour filter array, quality, noise range."""
    file: str
    """File name in weights/."""
    sha256: str
    """Of the file, hexadecimal."""
    cfa_kind: str
    """The kind of sensor: "bayer", "xtrans" or "mono"."""
    quality: str
    """One of `QUALITIES`."""
    noise_range: tuple[float, float]
    """sigma at x = 0.18, mean of the greens, normalized: from (inclusive) to (exclusive)."""
    alignment: int
    """Packed sides must be multiples of this."""
    receptive_field: int
    """Packed pixels per side that one output pixel depends on, at most."""
    reach: int
    """Packed pixels that a tile's border shows inside of it."""
    overlap: int
    """Packed pixels that neighbouring tiles share."""
    tile: int
    """Largest side of a tile, packed pixels."""
    inputs: str
    """Name of the features it was trained on: a key of `stabilize.KINDS`."""
    parameters: int
    """Number of weights."""
    macs_per_packed_pixel: int
    """Multiply-accumulates per packed pixel (four samples; X-Trans: nine)."""
    residual_std: tuple[tuple[float, float], ...]
    """(sigma at x = 0.18, share of the noise's sigma left on flat areas), ascending."""
    psnr: dict[str, float] = field(hash=False)
    """dB per level of the ruler, measured through the shipped file."""
    turned_correlation: tuple[tuple[float, float], ...] = ((0.0, 1.0),)
    """(sigma at x = 0.18, correlation between what is left by two ways up of an ensemble there),
    ascending; 1: their mean leaves as much as each."""
    twin: "Twin | None" = None
    """The same network without 8 bits; None: none is bundled."""

    def residual_at(self, grey_std: float, *, strength: float = 1.0, ensemble: int = 1) -> float:
        """Return the share of the noise's standard deviation that is left on flat areas.

        What is left after full denoising is a smoothed part of the same noise: its variance is also
        its covariance with the noise, so a blend's variance is r^2 + (1 - strength)^2 (1 - r^2).
        The mean of n ways up has the same covariance, and r^2 (c + (1 - c) / n) as its variance.

        Parameters
        ----------
        grey_std : float
            Of the noise, at x = 0.18.
        strength : float
            0 to 1.
        ensemble : int
            Ways up that the mean is taken of: n, c being their correlation.

        Examples
        --------
        >>> bundled()[0].residual_at(0.01, strength=0, ensemble=8)
        1.0
        """
        left = _interpolate(self.residual_std, grey_std)
        alike = _interpolate(self.turned_correlation, grey_std)
        averaged = left**2 * (1 - alike) * (1 - 1 / ensemble)
        blended = left**2 + (1 - strength) ** 2 * (1 - left**2)
        return math.sqrt(blended - strength**2 * averaged)


def _interpolate(curve: tuple[tuple[float, float], ...], grey_std: float) -> float:
    """Return a curve's value at a noise, held beyond both ends."""
    noises, values = zip(*curve, strict=True)
    return float(np.interp(grey_std, noises, values))


def folder() -> Path:
    """Find the weights: inside the package (a wheel), else its sibling (a checkout).

    Raises
    ------
    WeightsError
        There are none in either place.
    """
    package = Path(__file__).resolve().parents[2]
    places = (package / "weights", package.parent / "weights")
    for place in places:
        if (place / MANIFEST).is_file():
            return place
    looked = " nor ".join(str(place) for place in places)
    raise WeightsError(f"no {MANIFEST} in {looked}", advice=_REINSTALL)


@lru_cache(maxsize=1)
def bundled() -> tuple[Specialist, ...]:
    """Return every bundled specialist: by sensor, Bayer first, each in the order of `QUALITIES`,
    and each from low noise to high.

    Raises
    ------
    WeightsError
        The manifest is missing, unreadable or empty.
    """
    path = folder() / MANIFEST
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))["specialists"]
        found = [_specialist(row) for row in rows]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WeightsError(f"{path}: unreadable manifest ({error})", advice=_REINSTALL) from error
    if not found:
        raise WeightsError(f"{path} lists no specialist", advice=_REINSTALL)
    return tuple(sorted(found, key=_place))


def _place(each: Specialist) -> tuple[int, int, tuple[float, float]]:
    """Return what a specialist is sorted by."""
    kinds = list(SENSORS)
    return kinds.index(each.cfa_kind), QUALITIES.index(each.quality), each.noise_range


def _specialist(row: dict[str, Any]) -> Specialist:
    """Read one row of the manifest; how it was trained is for people and stays behind."""
    fields = {key: value for key, value in row.items() if key != "training"}
    low, high = fields["noise_range"]
    fields["noise_range"] = (float(low), float("inf") if high is None else float(high))
    if fields["quality"] not in QUALITIES:
        raise ValueError(f"quality {fields['quality']!r}, not one of {', '.join(QUALITIES)}")
    for curve in {"residual_std", "turned_correlation"} & fields.keys():
        fields[curve] = tuple((float(std), float(value)) for std, value in fields[curve])
    if "twin" in fields:
        fields["twin"] = Twin(**fields["twin"])
    return Specialist(**fields)


def default_quality(kind: str = "bayer") -> str:
    """Return the quality to use where none is asked for: "best" if it is bundled, else "fast".

    Raises
    ------
    WeightsError
        No weights are bundled.
    """
    known = {specialist.quality for specialist in _of_kind(kind)}
    return next(quality for quality in _PREFERRED if quality in known)


def choose(noise: NoiseModel, quality: str | None = None, kind: str = "bayer") -> Specialist:
    """Pick the specialist whose range holds the noise at mid grey; the nearest one beyond both
    ends.

    Parameters
    ----------
    noise : NoiseModel
        What is to be removed.
    quality : str, optional
        One of `QUALITIES`; None: `default_quality`.
    kind : str
        Of the sensor.

    Raises
    ------
    ConfigError
        There is no network of that quality for the sensor.
    WeightsError
        There is none for the sensor at all.
    """
    suited = of_quality(quality, kind)
    level = noise.grey_std
    return next((each for each in suited if level < each.noise_range[1]), suited[-1])


def of_quality(quality: str | None, kind: str) -> list[Specialist]:
    """Return the specialists of a quality for a kind of sensor, from low noise to high; raises what
    `choose` does."""
    known = _of_kind(kind)
    wanted = quality or default_quality(kind)
    suited = [specialist for specialist in known if specialist.quality == wanted]
    if not suited:
        names = ", ".join(dict.fromkeys(specialist.quality for specialist in known))
        raise ConfigError(
            f"no specialist of quality {wanted} for {kind} sensors is bundled",
            advice=f"Use one of: {names}.",
        )
    return suited


def _of_kind(kind: str) -> list[Specialist]:
    """Return the specialists for a kind of sensor; WeightsError if there are none."""
    suited = [specialist for specialist in bundled() if specialist.cfa_kind == kind]
    if not suited:
        raise WeightsError(f"no specialist for {kind} sensors is bundled", advice=_REINSTALL)
    return suited


def find(name: str, kind: str | None = None) -> Specialist:
    """Return a specialist by its name.

    Parameters
    ----------
    name : str
    kind : str, optional
        Of the sensor that it is to serve.

    Raises
    ------
    WeightsError
        There is none of that name, or it is for other sensors.
    """
    suited = bundled() if kind is None else _of_kind(kind)
    known = ", ".join(specialist.name for specialist in suited)
    for specialist in bundled():
        if specialist.name == name:
            if specialist in suited:
                return specialist
            raise WeightsError(
                f"{name} is for {specialist.cfa_kind} sensors, and this one is {kind}",
                advice=f"Use one of: {known}.",
            )
    raise WeightsError(f"no specialist is called {name!r}", advice=f"Use one of: {known}.")


def read_weights(specialist: "Specialist | Twin") -> bytes:
    """Read the ONNX file of a specialist, or of its twin, and verify its hash.

    Raises
    ------
    WeightsError
        The file is missing, or is not the one the manifest was written for.
    """
    path = folder() / specialist.file
    try:
        data = path.read_bytes()
    except OSError as error:
        raise WeightsError(f"{path}: {error.strerror}", advice=_REINSTALL) from error
    seen = hashlib.sha256(data).hexdigest()
    if seen != specialist.sha256:
        raise WeightsError(
            f"{path}: sha256 is {seen[:16]}..., the manifest says {specialist.sha256[:16]}...",
            advice=_REINSTALL,
        )
    return data
