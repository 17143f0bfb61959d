"""`fadn doctor`: does fadn work here, and how fast? For before a long batch, and when one fails.

`cli` calls `examine`. The one thing to know: every check stands alone. A package that cannot be
imported or a folder that cannot be written is one line of the answer, not the end of it; that is
why whatever might be missing, numpy aside, is imported inside its own check.
"""

import locale
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path

import numpy as np

from fadn_cli import __version__
from fadn_cli.denoise.network import specialists
from fadn_cli.errors import FadnError
from fadn_cli.findings import Check, Diagnosis
from fadn_cli.noise import noise_model
from fadn_cli.pipeline.wording import spell_bytes
from fadn_cli.system.cores import available_cores

MEGAPIXELS = 24
"""The photograph that times are given for."""

_PACKAGES = ("numpy", "onnxruntime", "rawpy", "imagecodecs", "tifffile", "pillow", "rich", "typer")
_REINSTALL = "Reinstall fadn into a fresh environment: pip install --force-reinstall fadn."
_WRITTEN = 32_000_000  # bytes: about one output of 24 megapixels
_SLOW_DISK = 20e6  # bytes a second: below it the disk takes longer than the network
_LITTLE_SPACE = 2e9  # bytes: some eighty outputs
_LONG_ENOUGH = 5.0  # seconds: what took longer is not timed again
_BUSY = 0.5  # load per core by others, from which on times are no longer ours
_NOISE = noise_model(5e-4, 1e-5, source="given")  # a camera at ISO 3200


def examine(folder: Path) -> Diagnosis:
    """Look at everything that fadn needs.

    Parameters
    ----------
    folder : Path
        Where outputs would go; a file is written there and removed again.
    """
    checks: list[tuple[str, Callable[[], Check]]] = [
        ("fadn", _fadn),
        ("Python", _python),
        ("Packages", _packages),
        ("LibRaw", _libraw),
        ("onnxruntime", _onnxruntime),
        ("Processor", _processor),
        ("Weights", _weights),
        *((f"Speed {quality}", _speed(quality)) for quality in specialists.QUALITIES),
        ("Settings", _settings),
        ("Folder", lambda: _space(folder)),
        ("Writing", lambda: _writing(folder)),
        ("Text", _text),
    ]
    found = tuple(_guarded(name, check) for name, check in checks)
    return Diagnosis(ok=all(check.severity != "error" for check in found), checks=found)


def _guarded(name: str, check: Callable[[], Check]) -> Check:
    """Make a failed check a line of the answer."""
    try:
        return check()
    except FadnError as error:
        return Check(name=name, value=str(error), severity="error", advice=error.advice)
    except (ImportError, OSError, metadata.PackageNotFoundError) as error:
        what = f"{type(error).__name__}: {error}"
        return Check(name=name, value=what, severity="error", advice=_REINSTALL)


def _fadn() -> Check:
    """Which fadn this is, since there may be several."""
    place = Path(__file__).resolve().parents[1]
    return Check(
        name="fadn",
        value=f"{__version__}, in {place}",
        figures={"version": __version__, "path": str(place)},
    )


def _python() -> Check:
    """The interpreter and the system."""
    version, system = platform.python_version(), platform.platform(terse=True)
    return Check(
        name="Python",
        value=f"{version}, {sys.executable}, {system} {platform.machine()}",
        figures={"version": version, "executable": sys.executable, "system": system},
    )


def _packages() -> Check:
    """The packages that fadn is built on."""
    versions = {name: metadata.version(name) for name in _PACKAGES}
    listed = ", ".join(f"{name} {version}" for name, version in versions.items())
    return Check(name="Packages", value=listed, figures=versions)


def _libraw() -> Check:
    """The raw decoder, which says what cameras are known."""
    from fadn_cli.raw.source.reader import libraw_version

    version = libraw_version()
    return Check(name="LibRaw", value=version, figures={"version": version})


def _onnxruntime() -> Check:
    """What networks could run on, and what they do run on."""
    from fadn_cli.denoise.network.inference import PROVIDER, providers

    found = list(providers())
    if PROVIDER not in found:
        return Check(
            name="onnxruntime",
            value=f"without {PROVIDER}: {', '.join(found)}",
            severity="error",
            advice="Install the package onnxruntime itself.",
            figures={"providers": found},
        )
    others = ", ".join(name for name in found if name != PROVIDER)
    return Check(
        name="onnxruntime",
        value=f"runs on {PROVIDER}" + (f"; not used: {others}" if others else ""),
        figures={"providers": found, "used": PROVIDER},
    )


def _processor() -> Check:
    """Cores, and whether others keep them busy."""
    cores, all_cores = available_cores(), os.cpu_count() or 1
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    busy = load > _BUSY * cores
    return Check(
        name="Processor",
        value=f"{cores} of {all_cores} cores to use, load {load:.1f}",
        severity="warning" if busy else "ok",
        advice="Other programs keep the processor busy: everything takes longer." if busy else "",
        figures={"cores": cores, "load": load},
    )


def _weights() -> Check:
    """Every network, and that it is the one of the manifest."""
    place = specialists.folder()
    bundled = specialists.bundled()
    for specialist in bundled:
        specialists.read_weights(specialist)
    return Check(
        name="Weights",
        value=f"{len(bundled)} networks as they should be, in {place}",
        figures={"networks": len(bundled), "path": str(place)},
    )


def _speed(quality: str) -> Callable[[], Check]:
    """Make the check of one quality."""

    def check() -> Check:
        """Time as many tiles as work at once."""
        from fadn_cli.denoise.frame import MOST_WORKERS, TILE, denoise_packed

        specialist = specialists.choose(_NOISE, quality)
        tiles = min(available_cores(), MOST_WORKERS)
        rng = np.random.default_rng(0)
        packed = rng.normal(0.1, 0.01, (4, TILE, tiles * TILE)).astype(np.float32)
        times = []
        for _ in range(2):  # the first one loads the network
            start = time.perf_counter()
            denoise_packed(packed, _NOISE, specialist)
            times.append(time.perf_counter() - start)
            if times[-1] > _LONG_ENOUGH:
                break
        seconds = min(times) * MEGAPIXELS * 1e6 / packed.size
        return Check(
            name=f"Speed {quality}",
            value=f"{min(times):.2f} s for {packed.size / 1e6:.1f} megapixels:"
            f" {MEGAPIXELS} take about {seconds:.0f} s, files aside",
            figures={"seconds": seconds, "megapixels": MEGAPIXELS},
        )

    return check


def _settings() -> Check:
    """The file of presets, which must be right for any command to run."""
    from fadn_cli.pipeline import presets

    path, names = presets.config_path(), list(presets.read_presets())
    held = f", presets {', '.join(names)}" if names else ""
    return Check(
        name="Settings",
        value=str(path) + (held if path.exists() else ": no such file, nothing is preset"),
        figures={"path": str(path), "presets": names},
    )


def _space(folder: Path) -> Check:
    """Room for outputs."""
    with _trouble_in(folder):
        usage = shutil.disk_usage(folder)
    little = usage.free < _LITTLE_SPACE
    return Check(
        name="Folder",
        value=f"{folder.resolve()}, {spell_bytes(usage.free)} free",
        severity="warning" if little else "ok",
        advice="Free some disk space, or choose a folder on another disk." if little else "",
        figures={"path": str(folder.resolve()), "free_bytes": usage.free},
    )


def _writing(folder: Path) -> Check:
    """Write as much as an output, as safely."""
    block = os.urandom(1_000_000)

    # A file that has no name, and is gone whatever happens.
    with _trouble_in(folder), tempfile.TemporaryFile(dir=folder) as file:
        start = time.perf_counter()
        for _ in range(_WRITTEN // len(block)):
            file.write(block)
        file.flush()
        os.fsync(file.fileno())
        rate = _WRITTEN / max(time.perf_counter() - start, 1e-6)
    slow = rate < _SLOW_DISK
    return Check(
        name="Writing",
        value=f"{rate / 1e6:.0f} MB/s",
        severity="warning" if slow else "ok",
        advice="Writing takes longer than denoising: choose a folder on a faster disk."
        if slow
        else "",
        figures={"bytes_per_second": rate},
    )


@contextmanager
def _trouble_in(folder: Path) -> Iterator[None]:
    """Tell what fails as the folder's fault."""
    try:
        yield
    except OSError as error:
        raise FadnError(
            f"{folder}: {error.strerror or error}",
            advice="Choose a folder that exists and that you may write to.",
        ) from error


def _text() -> Check:
    """Whether names with accents come through."""
    names, output = sys.getfilesystemencoding(), sys.stdout.encoding or "unknown"
    language = ".".join(part or "none" for part in locale.getlocale())
    plain = {names.lower().replace("-", ""), output.lower().replace("-", "")} == {"utf8"}
    return Check(
        name="Text",
        value=f"file names {names}, output {output}, locale {language}",
        severity="ok" if plain else "warning",
        advice=""
        if plain
        else "Names with accents are shown as escapes: set the locale, as LANG=C.UTF-8.",
        figures={"file_names": names, "output": output},
    )
