"""Where a camera's maker note goes in a DNG built from nothing, so that its readers find it.

Called by `canonical`. The one thing to know: nearly every note holds offsets counted from the first
byte of the TIFF it lay in, so it is written to the very offset and in the byte order it came from,
and nobody has to know its format. Where that place is too far away, the note goes into
DNGPrivateData, which records the place.

References
----------
DNG 1.7.1, tags 50740 and 50741; ExifTool, "DNG Tags" (the Adobe convention in DNGPrivateData);
exiv2 issue #2913 (it reads the EXIF tag, not DNGPrivateData); exiv2, "MakerNote Formats and
Specifications" (which notes count from themselves).
"""

import struct
from typing import BinaryIO

from fadn_cli.raw.source.blocks import MakerNote
from fadn_cli.raw.tiff.fixed import SELF_CONTAINED_NOTES
from fadn_cli.raw.tiff.tags import Tag, make_field
from fadn_cli.raw.tiff.write import Field, PlacedField

MAX_GAP = 1 << 16
"""Bytes of zeros at most before a note; cameras have it within the first few thousand."""
_HEADER_SIZE = 8


def write_in_place(output: BinaryIO, note: MakerNote) -> PlacedField | None:
    """Write a note where it lay in its source; None if that is too far into the file.

    Parameters
    ----------
    output : binary file
        Holds nothing but a TIFF header yet; left at its end.
    note : MakerNote
        The note.

    Returns
    -------
    PlacedField or None
        For the EXIF IFD.
    """
    if not _HEADER_SIZE <= note.offset <= MAX_GAP:
        return None
    output.seek(note.offset)
    output.write(note.data)
    tag = Tag.MAKER_NOTE
    return PlacedField(tag=tag, type=tag.type, count=len(note.data), offset=note.offset)


def safety_field(note: MakerNote) -> Field:
    """Say whether a program that rewrites the DNG may move the note."""
    return make_field(Tag.MAKER_NOTE_SAFETY, int(note.data.startswith(SELF_CONTAINED_NOTES)))


def private_field(note: MakerNote) -> Field:
    """Wrap a note as Adobe's converter does, with its byte order and place.

    Examples
    --------
    >>> private_field(MakerNote(data=b"note!", byteorder="<", offset=900)).values
    b'Adobe\\x00MakN\\x00\\x00\\x00\\x0bII\\x00\\x00\\x03\\x84note!\\x00'
    """
    mark = b"II" if note.byteorder == "<" else b"MM"
    content = mark + struct.pack(">I", note.offset) + note.data
    block = b"MakN" + struct.pack(">I", len(content)) + content + bytes(len(content) % 2)
    return make_field(Tag.DNG_PRIVATE_DATA, b"Adobe\0" + block)
