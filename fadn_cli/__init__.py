"""fadn: denoise raw photographs.

The public face, stable from version 0.1 on. The one thing to know: names are looked up when they
are first used, so `import fadn_cli` costs nothing and the command line starts quickly.
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fadn_cli.errors import FadnError as FadnError
    from fadn_cli.pipeline.file import denoise_file as denoise_file
    from fadn_cli.pipeline.mosaic import denoise_mosaic as denoise_mosaic
    from fadn_cli.pipeline.options import DenoiseOptions as DenoiseOptions

# onnxruntime 1.32 keeps an identity of the machine in the user's cache and sends what it did to its
# makers. It looks here as it is imported, and only then: so before any module of ours can do that.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

__version__ = "0.1.0"

__all__ = ["DenoiseOptions", "FadnError", "__version__", "denoise_file", "denoise_mosaic"]

_HOMES = {
    "DenoiseOptions": "fadn_cli.pipeline.options",
    "FadnError": "fadn_cli.errors",
    "denoise_file": "fadn_cli.pipeline.file",
    "denoise_mosaic": "fadn_cli.pipeline.mosaic",
}


def __getattr__(name: str) -> Any:
    """Import a public name from the module where it lives."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """List the public names, as if they were all imported."""
    return sorted({*globals(), *__all__})
