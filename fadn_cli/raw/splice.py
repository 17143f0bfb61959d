"""A denoised copy of a DNG that keeps every other byte of it.

Called by `dng`. The one thing to know: nothing of the source moves, so maker notes, previews and
private data with absolute offsets stay right. New tiles and the changed IFDs take the place of the
old samples or follow at the end, and only the pointers to them are overwritten.

References
----------
DNG 1.7.1; TIFF 6.0, section 15 (tiles).
"""

import struct
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from fadn_cli.errors import WriteError
from fadn_cli.mosaic import Mosaic, RawImage
from fadn_cli.raw.dng_checks import find_raw_ifd
from fadn_cli.raw.edit import RGB, DngEdit, edit_fields
from fadn_cli.raw.ifd import ByteOrder, FieldType, Ifd, TiffFile
from fadn_cli.raw.lossless import Span, seek_room, write_tiles
from fadn_cli.raw.marker import mark_denoised
from fadn_cli.raw.tags import Tag, make_field
from fadn_cli.raw.tiff import map_file, parse
from fadn_cli.raw.tiff_write import Field, rebuild_ifd
from fadn_cli.raw.tree import PADDING, data_spans, name_ifds, parts_of

_DIGESTS = (Tag.RAW_IMAGE_DIGEST, Tag.NEW_RAW_IMAGE_DIGEST)
_OLD_LAYOUT = (
    Tag.STRIP_OFFSETS,
    Tag.STRIP_BYTE_COUNTS,
    Tag.ROWS_PER_STRIP,
    Tag.LINEARIZATION_TABLE,  # LibRaw has applied it to the samples we were given
)
_LOSSLESS_JPEG_VERSION = (1, 1, 0, 0)  # before 1.1, a difference of 32768 was coded otherwise
_LARGEST_FILE = (1 << 32) - (1 << 20)  # of a classic TIFF, with room for the IFDs


def splice(
    path: Path, raw_image: RawImage, mosaic: Mosaic, edit: DngEdit, *, threads: int | None
) -> None:
    """Write a copy of a DNG source with other samples; `dng.write_dng` states the contract."""
    source = map_file(raw_image.path)
    tiff = parse(source, name=raw_image.path.name, tolerant=True)
    raw_ifd = find_raw_ifd(tiff)
    spans = _replaceable_spans(tiff, raw_ifd)
    with path.open("wb") as output:
        end = _without_trailing_span(source, spans)
        output.write(source[:end])
        free = [span for span in spans if span[0] < end]
        stated_bits = raw_ifd.first_int(Tag.BITS_PER_SAMPLE, 0)
        layout = write_tiles(
            output,
            mosaic.samples,
            stated_bits=stated_bits,
            free=free,
            threads=threads,
        )
        if output.tell() > _LARGEST_FILE:
            raise WriteError(
                f"{raw_image.path.name}: the DNG would exceed 4 GiB, the limit of the format",
                advice="Write a TIFF instead with --format tiff.",
            )
        bits_differ = make_field(Tag.BITS_PER_SAMPLE, stated_bits) not in layout
        if raw_ifd.get(Tag.WHITE_LEVEL) is None and bits_differ:  # its default follows from them
            layout.append(make_field(Tag.WHITE_LEVEL, int(mosaic.white_level)))
        _write_ifds(output, free, tiff, raw_ifd, layout, edit)


def _replaceable_spans(tiff: TiffFile, raw_ifd: Ifd) -> list[Span]:
    """Return where the old samples lie, neighbours joined; none if anything else lies there too."""
    spans: list[Span] = []
    for start, stop in sorted((start, stop) for _, start, stop in data_spans(raw_ifd)):
        if spans and start < spans[-1][1] + PADDING:
            spans[-1] = (spans[-1][0], max(stop, spans[-1][1]))
        else:
            spans.append((start, stop))
    ifds = name_ifds(tiff)
    others = [
        part for part in parts_of(tiff) if not (part.kind == "data" and ifds[part.ifd] is raw_ifd)
    ]
    inside_file = all(stop <= len(tiff.data) for _, stop in spans)
    alone = not any(
        start < other.stop and other.start < stop for start, stop in spans for other in others
    )
    return spans if inside_file and alone else []


def _without_trailing_span(source: memoryview, spans: Sequence[Span]) -> int:
    """Return how many bytes to keep: all but old samples that the file ends with."""
    if spans:
        rest = bytes(source[spans[-1][1] :][:PADDING])
        if len(rest) < PADDING and not any(rest):
            return spans[-1][0]
    return len(source)


def _write_ifds(
    output: BinaryIO,
    free: list[Span],
    tiff: TiffFile,
    raw_ifd: Ifd,
    layout: list[Field],
    edit: DngEdit,
) -> None:
    """Write the new raw IFD and IFD0, and point to them."""
    ifd0 = tiff.ifds[0]
    stated = edit_fields(edit, plane_colors=raw_ifd.ints(Tag.CFA_PLANE_COLOR) or RGB)
    raw_changes = {field.tag: field for field in [*layout, *stated]}
    changes = _ifd0_changes(ifd0, edit)
    # IFD0 may repeat what belongs to the raw IFD; what it says must not be stale.
    changes |= {field.tag: field for field in stated if ifd0.get(field.tag) is not None}
    drop = {*_DIGESTS, Tag.NOISE_PROFILE}
    if raw_ifd is ifd0:
        _write_ifd(output, free, ifd0, changes | raw_changes, {*drop, *_OLD_LAYOUT})
        return
    new_raw = _write_ifd(output, free, raw_ifd, raw_changes, {*drop, *_OLD_LAYOUT})
    for ifd in tiff.walk():  # some writers chain SubIFDs
        if ifd.next_offset == raw_ifd.offset:
            _point(output, ifd.next_pointer, new_raw, ifd.byteorder)
    pointers = ifd0.get(Tag.SUB_IFDS)
    if raw_ifd in ifd0.children and pointers is not None:
        offsets = [new_raw if at == raw_ifd.offset else at for at in pointers.ints]
        changes[Tag.SUB_IFDS] = Field(
            tag=Tag.SUB_IFDS, type=FieldType(pointers.type), values=offsets
        )
    if ifd0.next_offset == raw_ifd.offset:
        ifd0 = replace(ifd0, next_offset=new_raw)
    _write_ifd(output, free, ifd0, changes, drop)


def _write_ifd(
    output: BinaryIO,
    free: list[Span],
    ifd: Ifd,
    changes: dict[int, Field],
    drop: Collection[int],
) -> int:
    """Write a changed copy of an IFD, make its old pointer lead there, and return its offset."""
    size = len(rebuild_ifd(ifd, at_offset=0, replace=changes, drop=drop))
    offset = seek_room(output, free, size)  # what others look for at the file's end stays there
    output.write(rebuild_ifd(ifd, at_offset=offset, replace=changes, drop=drop))
    _point(output, ifd.pointer_offset, offset, ifd.byteorder)
    return offset


def _point(output: BinaryIO, pointer: int, target: int, byteorder: ByteOrder) -> None:
    """Overwrite an offset of the source."""
    output.seek(pointer)
    output.write(struct.pack(byteorder + "I", target))


def _ifd0_changes(ifd0: Ifd, edit: DngEdit) -> dict[int, Field]:
    """Return the new values of tags that belong to IFD0 wherever the samples are."""
    packet = ifd0.get(Tag.XMP)
    marked = mark_denoised(
        bytes(packet.data) if packet else b"", strength=edit.strength, process=edit.description
    )
    fields = [make_field(Tag.XMP, marked), make_field(Tag.RAW_DATA_UNIQUE_ID, edit.unique_id)]
    for tag in (Tag.DNG_VERSION, Tag.DNG_BACKWARD_VERSION):
        if () < ifd0.ints(tag) < _LOSSLESS_JPEG_VERSION:
            fields.append(make_field(tag, _LOSSLESS_JPEG_VERSION))
    return {field.tag: field for field in fields}
