"""`fadn doctor`: does fadn work here, and how fast? For before a long batch, and when one fails.

`cli` calls `examine`. The one thing to know: every check stands alone. A package that cannot be
imported or a folder that cannot be written is one line of the answer, not the end of it; that is
why whatever might be missing, numpy aside, is imported inside its own check.
"""

import platform
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

from fadn_cli import __version__
from fadn_cli.denoise.network import specialists
from fadn_cli.doctor import devices, machine
from fadn_cli.errors import FadnError
from fadn_cli.findings import Check, Diagnosis

_PACKAGES = ("numpy", "rawpy", "imagecodecs", "tifffile", "pillow", "rich", "typer")
_REINSTALL = "Reinstall fadn into a fresh environment: pip install --force-reinstall fadn."


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
        ("onnxruntime", devices.check_onnxruntime),
        ("Processor", machine.check_processor),
        ("Weights", _weights),
        *((f"Speed {quality}", machine.check_speed(quality)) for quality in specialists.QUALITIES),
        ("Devices", devices.check_devices),
        ("Settings", _settings),
        ("Folder", lambda: machine.check_space(folder)),
        ("Writing", lambda: machine.check_writing(folder)),
        ("Text", machine.check_text),
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
    names = (*_PACKAGES, *(devices.onnxruntime_packages() or ("onnxruntime",)))
    versions = {name: metadata.version(name) for name in names}
    listed = ", ".join(f"{name} {version}" for name, version in versions.items())
    return Check(name="Packages", value=listed, figures=versions)


def _libraw() -> Check:
    """The raw decoder, which says what cameras are known."""
    from fadn_cli.raw.source.reader import libraw_version

    version = libraw_version()
    return Check(name="LibRaw", value=version, figures={"version": version})


def _weights() -> Check:
    """Every network, and that it is the one of the manifest."""
    place = specialists.folder()
    bundled = specialists.bundled()
    twins = [each.twin for each in bundled if each.twin is not None]
    for specialist in bundled:
        specialists.read_weights(specialist)
    for twin in twins:
        specialists.read_weights(twin)
    return Check(
        name="Weights",
        value=f"{len(bundled)} networks and {len(twins)} float twins as they should be, in {place}",
        figures={"networks": len(bundled), "twins": len(twins), "path": str(place)},
    )


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
