"""What other programs noted about a photograph, carried to its output: XMP sidecars.

`worker` calls it after an output is in place. The one thing to know: a sidecar that is not the copy
we made is somebody's work, and never replaced.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from fadn_cli.batch.ledger import Entry, append_entry, read_entries
from fadn_cli.errors import FadnError, OutputExistsError
from fadn_cli.system.files import atomic_output
from fadn_cli.system.opening import read_plain, write_plain

_SUFFIXES = (".xmp", ".XMP")
_LARGEST = 64 << 20  # bytes; what is larger is no sidecar
_KEY = "sidecar"  # copies are the same bytes, whatever the options


def copy_sidecars(source: Path, output: Path) -> tuple[str, ...]:
    """Copy a raw's XMP sidecars to its output's name, where they are new.

    Both ways of naming them: Adobe's `IMG_1.xmp` and darktable's `IMG_1.CR2.xmp`.

    Returns
    -------
    tuple of str
        What could not be copied and why, one sentence each.
    """
    warnings = []
    for sidecar, target in _pairs(source, output):
        try:
            _copy(sidecar, target)
        except OSError as error:
            warnings.append(f"The sidecar {sidecar.name} cannot be copied: {error.strerror}.")
        except FadnError as error:
            warnings.append(f"The sidecar {sidecar.name} was not copied: {error}.")
    return tuple(warnings)


def _pairs(source: Path, output: Path) -> Iterator[tuple[Path, Path]]:
    """Give each sidecar that exists, and what its copy is to be called."""
    for stem, target in (
        (source.with_suffix(""), output.with_suffix(".xmp")),
        (source, output.with_name(output.name + ".xmp")),
    ):
        found = (stem.with_name(stem.name + suffix) for suffix in _SUFFIXES)
        sidecar = next((path for path in found if path.is_file()), None)
        if sidecar is not None and not (target.exists() and target.samefile(sidecar)):
            yield sidecar, target


def _copy(sidecar: Path, target: Path) -> None:
    """Copy one sidecar, unless its copy is there already.

    Raises
    ------
    OutputExistsError
        Something else has the copy's name.
    """
    content = read_plain(sidecar, limit=_LARGEST)
    present = target.read_bytes() if target.is_file() else None
    if present == content:
        return
    ours = present is not None and _hash(present) in {
        entry.output_sha256 for entry in read_entries(target)
    }
    if present is not None and not ours:
        raise OutputExistsError(f"{target.name} exists, and is not the copy that fadn made")
    with atomic_output(target, overwrite=ours) as temporary:
        write_plain(temporary, content)
        name, made = target.name, _hash(content)
        entry = Entry(output=name, output_sha256=made, source_sha256=made, key=_KEY)
        append_entry(target.parent, entry)


def _hash(content: bytes) -> str:
    """Hash a sidecar, hexadecimal."""
    return hashlib.sha256(content).hexdigest()
