"""Are the opcode lists of a raw image what they say, and are the bad pixels they name in the image?

`image_rules` calls it for every raw image. The one thing to know: an entry that cannot be read
counts as absent here, since `structure` has already said what is wrong with it.

References
----------
DNG 1.7.1, chapter 7.
"""

from collections.abc import Iterator

from fadn_cli.errors import RawReadError
from fadn_cli.findings import Finding
from fadn_cli.raw.check.level_rules import about
from fadn_cli.raw.source.defects import read_bad_pixels
from fadn_cli.raw.tiff.ifd import Ifd
from fadn_cli.raw.tiff.opcodes import build_opcodes, read_opcodes
from fadn_cli.raw.tiff.tags import Tag
from fadn_cli.raw.tiff.tree import integer

_LISTS = (Tag.OPCODE_LIST_1, Tag.OPCODE_LIST_2, Tag.OPCODE_LIST_3)


def check_opcodes(name: str, ifd: Ifd) -> Iterator[Finding]:
    """Yield what is wrong with the opcode lists of a raw image.

    Parameters
    ----------
    name : str
        Of the IFD.
    ifd : Ifd
        The raw image's.

    Yields
    ------
    Finding
        Of kind "opcodes".
    """
    size = integer(ifd, Tag.IMAGE_LENGTH, 0), integer(ifd, Tag.IMAGE_WIDTH, 0)
    for tag in _LISTS:
        data = _data(ifd, tag)
        try:
            rest = len(data) - len(build_opcodes(read_opcodes(data))) if data else 0
        except ValueError as error:
            yield about(ifd, name, tag, "opcodes", f"is damaged: {error}")
            continue
        if rest:
            what = f"goes on for {rest} bytes after its last opcode"
            yield about(ifd, name, tag, "opcodes", what, "warning")
        if tag == Tag.OPCODE_LIST_1:
            found = read_bad_pixels(data, size)
            for fault in found.errors:
                yield about(ifd, name, tag, "opcodes", f"has a fault: {fault}")
            for fault in found.warnings:
                yield about(ifd, name, tag, "opcodes", f"has a fault: {fault}", "warning")


def _data(ifd: Ifd, tag: Tag) -> bytes:
    """Return a list's bytes; none if it is absent or unreadable."""
    entry = ifd.get(tag)
    try:
        return b"" if entry is None else bytes(entry.data)
    except RawReadError:
        return b""
