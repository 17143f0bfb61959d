"""What other programs noted about a photograph, carried to its output: sidecars, and their XMP.

`worker` reads the XMP for the pipeline before a photograph is denoised, and has the files copied
once the output is in place. The one thing to know: a sidecar that is not the copy we made is
somebody's work, and never replaced.

References
----------
darktable's manual, "sidecar files" (duplicates); RawPedia, "Sidecar Files" (pp3); DxO PhotoLab
(dop); ON1 Photo RAW (on1); Adobe, XMP specification part 3 (photoshop:SidecarForExtension).
"""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

from fadn_cli.batch.ledger import Entry, append_entry, read_entries
from fadn_cli.errors import FadnError, OutputExistsError
from fadn_cli.raw.xmp.merge import Edits, names_in, value_of
from fadn_cli.system.files import atomic_output
from fadn_cli.system.opening import read_plain, write_plain

_OF_STEM = (".xmp", ".on1")
"""Of IMG_1.CR2, Adobe's is IMG_1.xmp, and ON1's IMG_1.on1."""
_OF_NAME = (".xmp", ".pp3", ".arp", ".dop")
"""IMG_1.CR2.xmp is darktable's, .pp3 RawTherapee's, .arp ART's, .dop DxO's."""
_DUPLICATE = re.compile(r"_\d\d+")
"""Between stem and suffix: darktable's IMG_1_01.CR2.xmp is of a duplicate of IMG_1.CR2."""
_LARGEST = 64 << 20  # bytes; what is larger is no sidecar
_KEY = "sidecar"  # copies are the same bytes, whatever the options
_FOR_EXTENSION = ("http://ns.adobe.com/photoshop/1.0/", "SidecarForExtension")


def read_edits(source: Path) -> tuple[Edits, tuple[str, ...]]:
    """Read the XMP that belongs to a photograph: darktable's, then Adobe's, which wins.

    Returns
    -------
    edits : Edits
        What can be merged into a DNG's own XMP.
    warnings : tuple of str
        What cannot be read and why, one sentence each.
    """
    found: dict[str, bytes] = {}
    warnings = []
    for sidecar, _ in sorted(_pairs(source, source), key=lambda pair: -len(pair[0].name)):
        if not _is_merged(sidecar, source):
            continue
        try:
            found[sidecar.name] = _read_xmp(sidecar)
        except FadnError as error:
            advice = f" {error.advice}" if error.advice else ""
            warnings.append(f"The sidecar was neither merged nor copied: {error}.{advice}")
        except OSError as error:
            warnings.append(f"The sidecar {sidecar.name} cannot be read: {error.strerror}.")
    return Edits(names=tuple(found), packets=tuple(found.values())), tuple(warnings)


def copy_sidecars(source: Path, output: Path) -> tuple[str, ...]:
    """Copy a raw's sidecars to its output's name, where they are new.

    Each program's way of naming them is kept: what belongs to IMG_1.CR2 by its whole name belongs
    to IMG_1_denoised.dng by its whole name.

    Returns
    -------
    tuple of str
        What could not be copied and why, one sentence each. XMP that does not parse is passed over
        here: `read_edits` names it.
    """
    warnings = []
    for sidecar, target in _pairs(source, output):
        if target.exists() and target.samefile(sidecar):
            continue
        try:
            _copy(sidecar, target, is_xmp=_is_merged(sidecar, source))
        except OSError as error:
            warnings.append(f"The sidecar {sidecar.name} cannot be copied: {error.strerror}.")
        except FadnError as error:
            warnings.append(f"The sidecar {sidecar.name} was not copied: {error}.")
    return tuple(warnings)


def _pairs(source: Path, output: Path) -> Iterator[tuple[Path, Path]]:
    """Give each sidecar that exists, and what its copy is to be called."""
    try:
        names = sorted(each.name for each in source.parent.iterdir())
    except OSError:  # the source's own trouble, which is told elsewhere
        return
    taken = set()
    for name in names:
        copy = _copy_of(name, source, output, beside=names)
        sidecar = source.with_name(name)
        if copy is None or copy in taken or not sidecar.is_file():
            continue
        if _is_of_another(sidecar, source):
            continue
        taken.add(copy)
        yield sidecar, output.with_name(copy)


def _copy_of(name: str, source: Path, output: Path, *, beside: list[str]) -> str | None:
    """Return what the copy of a sidecar is called; None if it is none of this photograph."""
    base, ending = Path(name).stem, Path(name).suffix.lower()
    if base == source.stem and ending in _OF_STEM:
        return output.stem + ending
    if base == source.name and ending in _OF_NAME:
        return output.name + ending
    between = base.removeprefix(source.stem).removesuffix(source.suffix)
    if ending != ".xmp" or base != f"{source.stem}{between}{source.suffix}":
        return None
    if not _DUPLICATE.fullmatch(between) or base in beside:  # a photograph of that name
        return None
    return f"{output.stem}{between}{output.suffix}{ending}"


def _is_merged(sidecar: Path, source: Path) -> bool:
    """Tell whether a sidecar says what this photograph's own XMP is to say; duplicates do not."""
    return sidecar.suffix.lower() == ".xmp" and sidecar.stem in (source.stem, source.name)


def _is_of_another(sidecar: Path, source: Path) -> bool:
    """Tell whether an IMG_1.xmp says that it is of IMG_1.NEF, and this is IMG_1.DNG."""
    if sidecar.stem != source.stem or sidecar.suffix.lower() != ".xmp":
        return False
    try:
        stated = value_of(read_plain(sidecar, limit=_LARGEST), _FOR_EXTENSION, name=sidecar.name)
    except (FadnError, OSError):
        return False
    return bool(stated) and stated.casefold() != source.suffix[1:].casefold()


def _read_xmp(sidecar: Path) -> bytes:
    """Read an XMP file; raises RawReadError if it does not parse."""
    content = read_plain(sidecar, limit=_LARGEST)
    names_in(content, name=sidecar.name)
    return content


def _copy(sidecar: Path, target: Path, *, is_xmp: bool) -> None:
    """Copy one sidecar, unless its copy is there already, or it is XMP that does not parse.

    Raises
    ------
    OutputExistsError
        Something else has the copy's name.
    """
    content = read_plain(sidecar, limit=_LARGEST)
    if is_xmp:
        try:
            names_in(content, name=sidecar.name)
        except FadnError:
            return
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
