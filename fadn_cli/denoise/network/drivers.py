"""What drives this machine's GPUs, as far as the system tells: what a verdict on one holds for.

`providers` calls it. The one thing to know: it is only compared with itself; whatever cannot be
read is left out. Drivers that are part of the system (macOS, Linux's own) change with it.
"""

import contextlib
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_NVIDIA = Path("/proc/driver/nvidia")
_DISPLAYS = r"SYSTEM\CurrentControlSet\Control\Class\{4d36e968-e325-11ce-bfc1-08002be10318}"
"""Windows' display adapters, numbered 0000 and so on [Microsoft, System-Defined Device Setup
Classes]."""
_MOST = 16  # adapters


def drivers() -> tuple[str, ...]:
    """Return the system's version, and that of every driver that is told."""
    return (platform.platform(), *_nvidia(), *_windows())


def _nvidia() -> Iterator[str]:
    """Yield the version of NVIDIA's driver on Linux, and which GPUs there are."""
    with contextlib.suppress(OSError):
        yield (_NVIDIA / "version").read_text(errors="replace").partition("\n")[0]
        for about in sorted(_NVIDIA.glob("gpus/*/information")):
            yield about.read_text(errors="replace").partition("\n")[0]


def _windows() -> Iterator[str]:
    """Yield what the registry of Windows says of display adapters."""
    try:
        import winreg as registry
    except ImportError:
        return
    winreg: Any = registry
    for number in range(_MOST):
        with (
            contextlib.suppress(OSError),
            winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, rf"{_DISPLAYS}\{number:04}") as key,
        ):
            names = ("DriverDesc", "DriverVersion")
            yield " ".join(str(winreg.QueryValueEx(key, name)[0]) for name in names)
