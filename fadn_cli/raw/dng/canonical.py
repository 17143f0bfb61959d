"""A DNG built from nothing, for sources that are not DNGs themselves.

Called by `write`. The one thing to know: the layout is Adobe's, which every reader knows: IFD0
holds a thumbnail and what describes the photograph, its first SubIFD the samples, its second a
preview. What the source does not say is left out, never guessed. The file has the byte order of the
source's metadata, for the sake of its maker note.

References
----------
DNG 1.7.1, chapters 2 and 4; TIFF 6.0; Exif 2.32.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np

from fadn_cli.mosaic.cfa import CfaPattern
from fadn_cli.mosaic.steps import factor_between
from fadn_cli.mosaic.values import Mosaic, RawImage, RawMetadata, Rect
from fadn_cli.raw.codec.lossless import Encoded
from fadn_cli.raw.dng.edit import (
    BLUE,
    GREEN,
    RED,
    RGB,
    DngEdit,
    WriteChoices,
    edit_fields,
    edited_packet,
)
from fadn_cli.raw.dng.levels import rational, rationals
from fadn_cli.raw.dng.maker_notes import private_field, safety_field, write_in_place
from fadn_cli.raw.dng.samples import Storage, plan_storage, write_samples
from fadn_cli.raw.dng.size_notes import explain_build
from fadn_cli.raw.makers.names import unique_name
from fadn_cli.raw.previews.describe import APPLICATION, describe_jpeg
from fadn_cli.raw.previews.pictures import Picture, decode_jpeg, encode_jpeg
from fadn_cli.raw.previews.renew import PREVIEW_SIDE, THUMBNAIL_SIDE, Box, render_pictures
from fadn_cli.raw.previews.view import View
from fadn_cli.raw.source.blocks import MetadataBlocks
from fadn_cli.raw.source.embedded import read_frame
from fadn_cli.raw.source.metadata import read_blocks
from fadn_cli.raw.tiff.file import ByteOrder, FieldType, map_file
from fadn_cli.raw.tiff.room import Room, seek_even_end
from fadn_cli.raw.tiff.tags import Photometric, PreviewSpace, Tag, make_field
from fadn_cli.raw.tiff.write import Field, PlacedField, build_header, build_ifd
from fadn_cli.system.opening import open_anew

_FULL_SIZE, _REDUCED_SIZE = 0, 1  # NewSubfileType
_RECTANGULAR = 1  # CFALayout
_D65 = 21  # EXIF LightSource
_EXIF_SRGB = 1  # ColorSpace
_NUMBERS = {"R": RED, "G": GREEN, "B": BLUE}


def build(
    path: Path,
    raw_image: RawImage,
    mosaic: Mosaic,
    edit: DngEdit,
    *,
    choices: WriteChoices,
    threads: int | None,
    encoded: Encoded | None = None,
) -> tuple[str, ...]:
    """Write a DNG of a source that is none; `write.write_dng` states the contract."""
    blocks = read_blocks(raw_image.path).completed(raw_image.metadata)
    pictures = _pictures(raw_image, mosaic, blocks, choices)
    note = blocks.maker_note
    byteorder: ByteOrder = note.byteorder if note else "<"
    samples = mosaic.samples if encoded is None else encoded
    storage = plan_storage(
        samples,
        compression=choices.compression,
        kind=mosaic.cfa.kind,
        stated_bits=int(mosaic.white_level).bit_length(),
    )
    said = _raw_fields(mosaic, _shown_fields(mosaic, raw_image.metadata), edit)
    with open_anew(path) as output:
        output.write(build_header(byteorder, ifd0_offset=0))
        placed = write_in_place(output, note) if note else None
        thumbnail, *previews = (_write(output, picture) for picture in pictures)
        raw_offset = _append_ifd(output, [*said, *storage.fields()], byteorder)
        offsets = [raw_offset, *(_append_ifd(output, fields, byteorder) for fields in previews)]
        fields = [*thumbnail, make_field(Tag.SUB_IFDS, offsets)]
        fields += _camera_fields(raw_image.metadata, storage)
        packet, unmerged = edited_packet(blocks.xmp or b"", edit)
        fields += _description_fields(raw_image, blocks, edit, packet)
        fields += _metadata_ifds(output, blocks, placed, byteorder)
        if note:
            fields.append(safety_field(note) if placed else private_field(note))
        ifd0_offset = _append_ifd(output, fields, byteorder)
        layout = write_samples(Room(output), samples, storage, byteorder=byteorder, threads=threads)
        size = output.seek(0, 2)
        output.seek(0)
        output.write(build_header(byteorder, ifd0_offset=ifd0_offset))
        output.seek(raw_offset)
        output.write(build_ifd([*said, *layout], byteorder=byteorder, at_offset=raw_offset))
    return *unmerged, *explain_build(
        len(map_file(raw_image.path)),
        size,
        compression=choices.compression,
        factor=factor_between(raw_image.mosaic.white_level, mosaic.white_level),
    )


def _append_ifd(
    output: BinaryIO, fields: Sequence[Field | PlacedField], byteorder: ByteOrder
) -> int:
    """Write an IFD at the end of a file and return its offset."""
    offset = seek_even_end(output)
    output.write(build_ifd(fields, byteorder=byteorder, at_offset=offset))
    return offset


def _metadata_ifds(
    output: BinaryIO, blocks: MetadataBlocks, note: PlacedField | None, byteorder: ByteOrder
) -> list[Field]:
    """Write the EXIF, interoperability and GPS IFDs; return what points to them."""
    exif: list[Field | PlacedField] = list(blocks.exif)
    if note:
        exif.append(note)
    if blocks.interoperability:
        offset = _append_ifd(output, blocks.interoperability, byteorder)
        exif.append(make_field(Tag.INTEROPERABILITY_IFD, offset))
    return [
        make_field(tag, _append_ifd(output, block, byteorder))
        for tag, block in ((Tag.EXIF_IFD, exif), (Tag.GPS_IFD, blocks.gps))
        if block
    ]


def _raw_fields(mosaic: Mosaic, shown: Sequence[Field], edit: DngEdit) -> list[Field]:
    """Describe the samples, but for where they lie.

    Patterns begin at the active area's corner, as DNG has it. LibRaw, which wants that corner at
    whole cells of an X-Trans sensor, puts it there itself.
    """
    height, width = mosaic.samples.shape
    area = mosaic.active_area
    black = np.roll(mosaic.black_level, (-area.top, -area.left), axis=(0, 1))
    corners = (area.top, area.left, area.top + area.height, area.left + area.width)
    return [
        make_field(Tag.NEW_SUBFILE_TYPE, _FULL_SIZE),
        make_field(Tag.IMAGE_WIDTH, width),
        make_field(Tag.IMAGE_LENGTH, height),
        make_field(Tag.SAMPLES_PER_PIXEL, 1),
        make_field(Tag.PLANAR_CONFIGURATION, 1),
        *_color_fields(mosaic.cfa.shifted(area.top, area.left)),
        make_field(Tag.BLACK_LEVEL_REPEAT_DIM, black.shape),
        make_field(Tag.BLACK_LEVEL, rationals(black)),
        make_field(Tag.WHITE_LEVEL, int(mosaic.white_level)),
        make_field(Tag.ACTIVE_AREA, corners),
        *shown,
        *edit_fields(edit),
    ]


def _shown_fields(mosaic: Mosaic, metadata: RawMetadata) -> list[Field]:
    """Say what of the active area is to be shown, and how wide its pixels are."""
    shown = _shown(mosaic, metadata)
    fields = [
        make_field(Tag.DEFAULT_CROP_ORIGIN, (shown.left, shown.top)),
        make_field(Tag.DEFAULT_CROP_SIZE, (shown.width, shown.height)),
    ]
    if metadata.pixel_aspect != 1:
        scale = [rational(metadata.pixel_aspect), (1, 1)]
        fields.append(make_field(Tag.DEFAULT_SCALE, scale))
    return fields


def _shown(mosaic: Mosaic, metadata: RawMetadata) -> Rect:
    """Return what is to be shown, in pixels of the active area."""
    area, crop = mosaic.active_area, metadata.crop or mosaic.active_area
    top, left = crop.top - area.top, crop.left - area.left
    return Rect(top=top, left=left, height=crop.height, width=crop.width)


def _color_fields(cfa: CfaPattern) -> list[Field]:
    """Say which colour each sample saw, from the active area's corner."""
    if cfa.kind == "mono":
        return [make_field(Tag.PHOTOMETRIC_INTERPRETATION, Photometric.LINEAR_RAW)]
    return [
        make_field(Tag.PHOTOMETRIC_INTERPRETATION, Photometric.CFA),
        make_field(Tag.CFA_REPEAT_PATTERN_DIM, (cfa.period, cfa.period)),
        make_field(Tag.CFA_PATTERN, [_NUMBERS[color] for color in cfa.colors]),
        make_field(Tag.CFA_PLANE_COLOR, RGB),
        make_field(Tag.CFA_LAYOUT, _RECTANGULAR),
    ]


def _camera_fields(metadata: RawMetadata, storage: Storage) -> list[Field]:
    """Describe the camera and its colours."""
    make, model = metadata.make, metadata.model
    unique = unique_name(make, model)
    fields = [
        make_field(Tag.DNG_VERSION, max((1, 4, 0, 0), storage.version)),
        make_field(Tag.DNG_BACKWARD_VERSION, storage.version),
        make_field(Tag.UNIQUE_CAMERA_MODEL, unique or "Unknown"),
        make_field(Tag.ORIENTATION, metadata.orientation),
    ]
    fields += [make_field(tag, s) for tag, s in ((Tag.MAKE, make), (Tag.MODEL, model)) if s]
    if metadata.color_matrix is not None:
        fields.append(make_field(Tag.COLOR_MATRIX_1, rationals(metadata.color_matrix)))
        fields.append(make_field(Tag.CALIBRATION_ILLUMINANT_1, _D65))
    if metadata.wb_gains is not None:
        fields.append(make_field(Tag.AS_SHOT_NEUTRAL, rationals(np.float32(1) / metadata.wb_gains)))
    return fields


def _description_fields(
    raw_image: RawImage, blocks: MetadataBlocks, edit: DngEdit, packet: bytes
) -> list[Field]:
    """Describe the photograph and the file."""
    fields = list(blocks.shared)
    if all(field.tag != Tag.SOFTWARE for field in fields):
        fields.append(make_field(Tag.SOFTWARE, edit.description))
    fields.append(make_field(Tag.XMP, packet))
    lens, serial = blocks.find(Tag.LENS_SPECIFICATION), blocks.find(Tag.BODY_SERIAL_NUMBER)
    if lens is not None and lens.type == FieldType.RATIONAL and len(lens.values) == 4:
        fields.append(make_field(Tag.LENS_INFO, lens.values))
    if serial is not None and serial.type == FieldType.ASCII:
        fields.append(make_field(Tag.CAMERA_SERIAL_NUMBER, serial.values))
    fields.append(_file_name_field(raw_image.path.name))
    fields.append(make_field(Tag.RAW_DATA_UNIQUE_ID, edit.unique_id))
    return fields


def _file_name_field(name: str) -> Field:
    """State a file name: ASCII, or UTF-8 as bytes, with ? for what is not even that."""
    encoded = name.encode("utf-8", "replace") + b"\0"
    kind = FieldType.ASCII if name.isascii() else FieldType.BYTE
    return Field(tag=Tag.ORIGINAL_RAW_FILE_NAME, type=kind, values=encoded)


def _pictures(
    raw_image: RawImage, mosaic: Mosaic, blocks: MetadataBlocks, choices: WriteChoices
) -> Iterator[tuple[bytes, list[Field]]]:
    """Yield the thumbnail and the preview, if there is to be one, and what is said of each."""
    kept = blocks.preview if choices.preview == "keep" else None
    boxes = [Box(height=THUMBNAIL_SIDE, width=THUMBNAIL_SIDE)]
    if choices.preview != "none" and kept is None:
        boxes.append(_box_like(blocks.preview))
    view = View(
        area=_shown(mosaic, raw_image.metadata), pixel_ratio=raw_image.metadata.pixel_aspect
    )
    for picture in render_pictures(raw_image, mosaic, boxes, view=view):
        yield _described(picture)
    if kept is not None:
        color_space = blocks.find(Tag.COLOR_SPACE)
        known = color_space is not None and tuple(color_space.values) == (_EXIF_SRGB,)
        space = PreviewSpace.SRGB if known else PreviewSpace.UNKNOWN
        yield kept, describe_jpeg(kept, color_space=space)


def _box_like(preview: bytes | None) -> Box:
    """Return the room for a rendered preview: the camera's own, if it has one."""
    frame = read_frame(preview or b"")
    if preview is None or frame is None:
        return Box(height=PREVIEW_SIDE, width=PREVIEW_SIDE)
    like = decode_jpeg(preview)
    return Box(height=frame.height, width=frame.width, is_filled=True, like=like)


def _described(picture: Picture) -> tuple[bytes, list[Field]]:
    """Encode a picture of our own, and describe it."""
    jpeg = encode_jpeg(picture)
    fields = describe_jpeg(jpeg, color_space=PreviewSpace.SRGB)
    return jpeg, [*fields, make_field(Tag.PREVIEW_APPLICATION_NAME, APPLICATION)]


def _write(output: BinaryIO, picture: tuple[bytes, list[Field]]) -> list[Field]:
    """Write a JPEG, and say where it is."""
    jpeg, fields = picture
    [height] = (field.values for field in fields if field.tag == Tag.IMAGE_LENGTH)
    offset = seek_even_end(output)
    output.write(jpeg)
    return [
        make_field(Tag.NEW_SUBFILE_TYPE, _REDUCED_SIZE),
        *fields,
        make_field(Tag.STRIP_OFFSETS, offset),
        make_field(Tag.ROWS_PER_STRIP, height),
        make_field(Tag.STRIP_BYTE_COUNTS, len(jpeg)),
    ]
