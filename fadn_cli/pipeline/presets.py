"""Choices the user made once for all: a TOML file of presets, and which of them hold.

The commands call `choose` with the flags they were given. The one thing to know: flags win over
the preset that is named, it wins over `[default]`, which always holds, and that over what is built
in; functions called from Python never read the file.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from fadn_cli.denoise.network import specialists
from fadn_cli.errors import ConfigError, OutputExistsError, shown
from fadn_cli.pipeline.options import DenoiseOptions
from fadn_cli.system.files import atomic_output, make_folder
from fadn_cli.system.folders import config_folder
from fadn_cli.system.opening import read_plain, write_plain

MAX_BYTES = 1 << 20
"""Of the file."""
DEFAULT = "default"
"""The preset that always holds."""
KEYS = tuple(field.name for field in fields(DenoiseOptions) if field.name != "overwrite")
"""What a preset may choose. Not what can destroy a file: that is for the command at hand."""
_REPLACES = {
    "strength": ("luma", "chroma"),
    "specialist": ("quality",),
    "quality": ("specialist",),
    "shot_noise": ("read_noise",),
    "read_noise": ("shot_noise",),
}
"""A choice of one layer makes these of the layers below it meaningless."""
_OF_DNGS = ("preview", "compression")  # these mean nothing for a TIFF
TEMPLATE = """\
# Presets of fadn. A flag on the command line wins over the preset named with --preset, that wins
# over [default], which always holds, and [default] wins over what is built in.
# `fadn config` shows what holds. Remove the # in front of what you want.

[default]
# strength = 1.0         # how much of the noise to remove: 0 none, 1 all
# luma = 1.0             # the same for grain; where it is not given: strength
# chroma = 1.0           # the same for coloured specks; where it is not given: strength
# hot_pixels = false     # true: repair isolated defects
# banding = true         # remove bands of rows and columns; else: those that would show
# bad_pixels = "a7.txt"  # repair what this list names (see `fadn bad-pixels`); it lies beside this
#                        # file, unless its folder is named too
# quality = "best"       # "max" (Bayer sensors only, slow), "best" or "fast"
# specialist = ""        # always this network (see `fadn models`), whatever the noise
# ensemble = 8           # see each photograph 2, 4 or 8 ways up: better, as many times as slow
# format = "dng"         # "dng" or "tiff"
# preview = "render"     # of a DNG: "render", "keep" or "none"
# compression = "lj92"   # of a DNG: "lj92", "jxl" or "none"
# bits = "auto"          # steps as fine as what is left of the noise; "source": as the source has
# iso = 800              # instead of the files' ISO speed
# shot_noise = 1.0e-4    # instead of measuring: the variance of a sample x, 0 black and 1 white,
# read_noise = 1.0e-6    # is shot_noise * x + read_noise; the two belong together
# max_megapixels = 400   # a file that claims more pixels is damaged, and refused
# threads = 4            # else all cores
# device = "auto"        # what networks run on: "auto", "cpu", "cuda", ... (see docs/devices.md)

# Any other name is a preset of yours, used with --preset: fadn denoise IMG_1.NEF --preset grain

[grain]
luma = 0.5
chroma = 1.0
"""
"""What `fadn config --create` writes."""

_EXISTS = "Edit it, or move it away: fadn config --create replaces nothing."


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A choice, and who made it."""

    value: Any
    """As in DenoiseOptions."""
    source: str
    """"built in", "[default]", "[name]" or "command line"."""


def config_path() -> Path:
    """Return where the file of presets is, or would be."""
    return config_folder() / "config.toml"


def read_presets(path: Path | None = None) -> dict[str, dict[str, Any]]:
    """Read and check the presets.

    Parameters
    ----------
    path : Path, optional
        None: `config_path`.

    Returns
    -------
    dict
        By name, in the file's order: choices by DenoiseOptions' names. Empty without a file.

    Raises
    ------
    ConfigError
        The file cannot be read, is no TOML, or holds something that is not allowed.
    """
    path = path or config_path()
    try:
        found = tomllib.loads(read_plain(path, limit=MAX_BYTES).decode("utf-8-sig"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise _error(path, f"cannot be read ({error.strerror})", "Check the file.") from error
    except RecursionError as error:
        raise _error(path, "brackets are nested too deeply", "Remove them.") from error
    except ValueError as error:  # no UTF-8, or no TOML
        raise _error(path, f"is not valid TOML: {error}", "Correct that line.") from error
    for name, section in found.items():
        if not isinstance(section, dict):
            raise _error(
                path,
                f"{name} = {shown(section)} stands outside of any preset",
                f"Put it below a line that names one, as [{DEFAULT}].",
            )
        _check(path, name, section)
        if "bad_pixels" in section:
            section["bad_pixels"] = str(path.parent / Path(section["bad_pixels"]).expanduser())
    return found


def resolve(
    presets: Mapping[str, Mapping[str, Any]],
    name: str | None = None,
    flags: Mapping[str, Any] | None = None,
    *,
    path: Path | None = None,
) -> dict[str, Choice]:
    """Lay the choices over one another: built in, [default], the preset, flags.

    Parameters
    ----------
    presets : mapping
        From `read_presets`.
    name : str, optional
        Of the preset asked for.
    flags : mapping, optional
        What the command line says, by DenoiseOptions' names; None where it says nothing.
    path : Path, optional
        Where the presets are from, for the error; None: `config_path`.

    Returns
    -------
    dict
        A choice for each of `KEYS`.

    Raises
    ------
    ConfigError
        There is no preset of that name.
    """
    if name is not None and name not in presets:
        known = ", ".join(presets) or "none"
        raise _error(path or config_path(), f"holds no preset called {name!r}", f"It has: {known}.")
    built_in = DenoiseOptions()
    chosen = {key: Choice(value=getattr(built_in, key), source="built in") for key in KEYS}
    layers = [(f"[{each}]", presets.get(each, {})) for each in (DEFAULT, name) if each]
    given = {key: value for key, value in (flags or {}).items() if value is not None}
    for source, layer in (*layers, ("command line", given)):
        for key in layer:
            for other in _REPLACES.get(key, ()):
                chosen[other] = Choice(value=getattr(built_in, other), source="built in")
        for key, value in layer.items():
            chosen[key] = Choice(value=value, source=source)
    if chosen["format"].value != built_in.format:
        chosen |= {key: Choice(value=getattr(built_in, key), source="built in") for key in _OF_DNGS}
    return chosen


def choose(name: str | None, flags: Mapping[str, Any]) -> dict[str, Any]:
    """Return DenoiseOptions' arguments: the flags, and what the presets say besides.

    Raises
    ------
    ConfigError
        The presets have a mistake, or there is none of that name.
    """
    chosen = resolve(read_presets(), name, flags)
    return {key: choice.value for key, choice in chosen.items()}


def create_config(path: Path | None = None) -> Path:
    """Write a file of presets with everything commented, and return its path.

    Raises
    ------
    OutputExistsError
        There is one.
    WriteError
        The system refused.
    """
    path = path or config_path()
    make_folder(path.parent, advice="Create it yourself, or check its permissions.")
    try:
        with atomic_output(path, overwrite=False) as temporary:
            write_plain(temporary, TEMPLATE)
    except OutputExistsError as error:
        raise OutputExistsError(f"{path}: exists already", advice=_EXISTS) from error
    return path


def _check(path: Path, name: str, section: Mapping[str, Any]) -> None:
    """Refuse a preset that holds what is not allowed."""
    for key, value in section.items():
        if key not in KEYS:
            near = get_close_matches(key, KEYS, 1)
            hint = f"Did you mean {near[0]}? " if near else ""
            allowed = f"{hint}A preset may hold {', '.join(KEYS)}."
            raise _error(path, f"in [{name}], {key} = {shown(value)} is unknown", allowed)
    try:
        options = DenoiseOptions(**section)
    except ValueError as error:
        raise _error(path, f"in [{name}], {error}", "Correct it.") from error
    if options.specialist is None:
        return
    known = [each.name for each in specialists.bundled() if options.quality in (None, each.quality)]
    if options.specialist not in known:
        quality = f" of quality {options.quality}" if options.quality else ""
        raise _error(
            path,
            f"in [{name}], specialist must be a network{quality}, got {shown(options.specialist)}",
            f"Use one of: {', '.join(known)}.",
        )


def _error(path: Path, what: str, advice: str) -> ConfigError:
    """Make the error for a file of presets."""
    return ConfigError(f"{path}: {what}", advice=advice)
