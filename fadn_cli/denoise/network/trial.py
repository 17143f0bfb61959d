"""Whether a device computes what the processor does: a known tile through both.

`place` asks before a network first runs on a device. The one thing to know: the verdict is kept in
the user's cache folder for exactly this network on this device with these drivers and this
onnxruntime, so that the second photograph need not wait for it; whatever of that changes, it is
tried anew.
"""

import contextlib
import hashlib
import json
import threading
import time
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fadn_cli.denoise.network.inference import Runs, first_line, make_features, on_processor
from fadn_cli.denoise.network.providers import Found, Session
from fadn_cli.denoise.network.specialists import Specialist, Twin, read_weights
from fadn_cli.denoise.noise import stabilize
from fadn_cli.denoise.sensors.kinds import SENSORS
from fadn_cli.errors import FadnError, InferenceError, WeightsError
from fadn_cli.noise import noise_model
from fadn_cli.system.files import atomic_output
from fadn_cli.system.folders import cache_folder
from fadn_cli.system.opening import read_plain, write_plain

FLOAT_TOLERANCE = 0.02
"""How far a device's output may be from the processor's for the same float file: root mean square,
in units of the noise's sigma. What the networks leave of the noise is 0.05 to 0.14."""
INT8_TOLERANCE = 0.05
"""The same for an int8 file, where kernels may round a tie to either side: as at its export."""
WORST = 1.0
"""The most that any one sample may differ by, in units of sigma."""
SIDE = 256
"""Packed pixels per side of the known tile."""
_GAINS = {"R": 0.6, "B": 0.75}  # of the known tile's colours
_FILE = "devices.json"
_MAX_BYTES = 1 << 20
_MOST = 64  # verdicts kept
_VERSION = 1  # of the trial itself
_RUNS = 3
_lock = threading.Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What came of a trial."""

    trouble: str = ""
    """Why the device is not to be used, in words; empty: it is right."""
    rms: float = 0.0
    """What its output differs by from the processor's, in units of sigma."""
    worst: float = 0.0
    """The same of the worst sample."""
    seconds: float = 0.0
    """For the known tile, the network alone."""
    processor_seconds: float = 0.0
    """The same of the processor's int8 file."""

    @property
    def is_slower(self) -> bool:
        """Whether the processor is at least as fast."""
        return self.seconds >= self.processor_seconds


_known: dict[str, Verdict] = {}  # in this process, whether or not they could be kept


def weights_of(specialist: Specialist, found: Found) -> Specialist | Twin:
    """Return the file that a device runs.

    Raises
    ------
    WeightsError
        There is none.
    """
    if not found.takes_float:
        return specialist
    if specialist.twin is None:
        raise WeightsError(f"{specialist.name} has no float twin, which {found.name} would run")
    return specialist.twin


def judge(specialist: Specialist, found: Found, *, threads: int) -> tuple[Verdict, bool]:
    """Tell whether a network may run on a device: by a verdict that is kept, or by a trial.

    Parameters
    ----------
    specialist : Specialist
    found : Found
    threads : int
        That the processor may use.

    Returns
    -------
    verdict : Verdict
    is_new : bool
        Whether the trial was made now.
    """
    with _lock:
        key = _key(specialist, found)
        kept = _known.get(key) or _read().get(key)
        verdict = kept or _try(specialist, found, threads)
        _known[key] = verdict
        if kept is None:
            _keep(key, verdict)
        return verdict, kept is None


def _key(specialist: Specialist, found: Found) -> str:
    """Name all that a verdict holds for."""
    file = specialist.twin if found.takes_float and specialist.twin else specialist
    told = (_VERSION, found.name, found.provider, found.hardware, found.identity, file.sha256)
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def _try(specialist: Specialist, found: Found, threads: int) -> Verdict:
    """Send the known tile through the device and through the processor."""
    features = known_features(specialist, SIDE)
    try:
        file = weights_of(specialist, found)
        weights = read_weights(file)
        actual, seconds = _time(Session(found, weights, threads), features)
    except (WeightsError, InferenceError) as error:
        return Verdict(trouble=str(error))
    expected, own_seconds = _time(_on_processor(specialist, threads), features)
    if file is not specialist:
        expected, _ = _time(on_processor(file.file, weights, threads), features, runs=1)
    verdict = _compare(expected, actual, INT8_TOLERANCE if file is specialist else FLOAT_TOLERANCE)
    return Verdict(**{**verdict, "seconds": seconds, "processor_seconds": own_seconds})


def _on_processor(specialist: Specialist, threads: int) -> Runs:
    """Load the int8 file onto the processor."""
    return on_processor(specialist.file, read_weights(specialist), threads)


def _compare(
    expected: NDArray[np.float32], actual: NDArray[np.float32], tolerance: float
) -> dict[str, Any]:
    """Return how far a device's output is off, and what is wrong with it if it is too far."""
    if actual.shape != expected.shape or not np.isfinite(actual).all():
        return {"trouble": "its output is no picture"}
    errors = np.abs(actual.astype(np.float64) - expected)
    rms, worst = float(np.sqrt(np.mean(errors**2))), float(errors.max())
    wrong = rms > tolerance or worst > WORST
    trouble = f"its output is off by {rms:.2g} sigma, at worst {worst:.2g}" if wrong else ""
    return {"trouble": trouble, "rms": rms, "worst": worst}


def _time(
    session: Runs, features: NDArray[np.float32], *, runs: int = _RUNS
) -> tuple[NDArray[np.float32], float]:
    """Run a network several times; return its output and the least time it took.

    Raises
    ------
    InferenceError
        It failed.
    """
    times = []
    try:
        for _ in range(runs):
            start = time.perf_counter()
            residual = session.run(None, {"features": features})[0]
            times.append(time.perf_counter() - start)
    except InferenceError:
        raise
    except Exception as error:  # onnxruntime's exceptions share no base class
        raise InferenceError(f"it fails: {first_line(error)}") from error
    return residual, min(times)


@lru_cache(maxsize=2)
def known_features(specialist: Specialist, side: int) -> NDArray[np.float32]:
    """Return what a network sees of the known tile: edges, ramps and noise of its range.

    Parameters
    ----------
    specialist : Specialist
    side : int
        Packed pixels per side of the tile.

    Returns
    -------
    (1, channels, gh, gw) float32
    """
    sensor = SENSORS[specialist.cfa_kind]
    low, high = specialist.noise_range
    grey_std = (low + min(high, low + 0.03)) / 2
    shot, read = grey_std**2 / 0.18, 1e-7
    noise = noise_model(shot, read, source="known", colors=sensor.noise_colors)
    y, x = np.mgrid[:side, :side] / side
    scene = 0.02 + 0.5 * x * y + 0.3 * ((8 * x + 5 * y).astype(int) % 2)
    gains = np.array([_GAINS.get(color, 1.0) for color in sensor.colors])
    clean = gains[:, None, None] * scene
    grain = np.random.default_rng(19).standard_normal(clean.shape)
    drawn = clean + np.sqrt(shot * clean + read) * grain
    features, _ = make_features(drawn.astype(np.float32), noise, stabilize.KINDS[specialist.inputs])
    return features


def _read() -> dict[str, Verdict]:
    """Return the verdicts that are kept; what cannot be read is tried anew."""
    try:
        rows = json.loads(read_plain(cache_folder() / _FILE, limit=_MAX_BYTES))
        return {str(key): Verdict(**row) for key, row in rows.items()}
    except (OSError, FadnError, ValueError, TypeError, AttributeError, RecursionError):
        return {}


def _keep(key: str, verdict: Verdict) -> None:
    """Add a verdict to those that are kept; where that cannot be, the next run tries anew."""
    kept = [*_read().items(), (key, verdict)][-_MOST:]
    text = json.dumps({name: asdict(each) for name, each in kept}, indent=1)
    with contextlib.suppress(OSError, FadnError):
        folder = cache_folder()
        folder.mkdir(parents=True, exist_ok=True)
        with atomic_output(folder / _FILE, overwrite=True) as temporary:
            write_plain(temporary, text + "\n")
