"""A DNG built from nothing, for sources that are not DNGs themselves.

Called by `dng`. The one thing to know: the layout is Adobe's, which every reader knows: IFD0 holds
a thumbnail and what describes the photograph, its first SubIFD the samples, its second a preview.
What the source does not say is left out, never guessed. The file has the byte order of the source's
metadata, for the sake of its maker note.

References
----------
DNG 1.7.1, chapters 2 and 4; TIFF 6.0; Exif 2.32.
"""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fadn_cli.mosaic import Mosaic, RawImage, RawMetadata
from fadn_cli.raw.blocks import MetadataBlocks
from fadn_cli.raw.edit import BLUE, GREEN, RED, RGB, DngEdit, edit_fields
from fadn_cli.raw.lossless import seek_even_end, write_tiles
from fadn_cli.raw.maker_notes import private_field, safety_field, write_in_place
from fadn_cli.raw.marker import mark_denoised
from fadn_cli.raw.metadata import read_blocks
from fadn_cli.raw.previews import read_frame
from fadn_cli.raw.render import develop
from fadn_cli.raw.tags import Compression, Photometric, Tag, make_field
from fadn_cli.raw.tiff import ByteOrder, FieldType
from fadn_cli.raw.tiff_write import Field, PlacedField, build_header, build_ifd

_THUMBNAIL_SIDE = 256  # DNG asks for a small first picture; Adobe's is this size
_PREVIEW_SIDE = 1024
_JPEG_QUALITY = 90
_FULL_SIZE, _REDUCED_SIZE = 0, 1  # NewSubfileType
_RECTANGULAR = 1  # CFALayout
_D65 = 21  # EXIF LightSource
_UNKNOWN_SPACE, _SRGB = 0, 2  # PreviewColorSpace
_EXIF_SRGB = 1  # ColorSpace
_NUMBERS = {"R": RED, "G": GREEN, "B": BLUE}


def build(
    path: Path, raw_image: RawImage, mosaic: Mosaic, edit: DngEdit, *, threads: int | None
) -> None:
    """Write a DNG of a source that is none; `dng.write_dng` states the contract."""
    blocks = read_blocks(raw_image.path)
    rendered = _to_picture(develop(raw_image, mosaic, half_size=True))
    note = blocks.maker_note
    byteorder: ByteOrder = note.byteorder if note else "<"
    with path.open("wb") as output:
        output.write(build_header(byteorder, ifd0_offset=0))
        placed = write_in_place(output, note) if note else None
        layout = write_tiles(
            output, mosaic.samples, stated_bits=_bits(mosaic.white_level), threads=threads
        )
        raw_offset = _append_ifd(output, _raw_fields(mosaic, layout, edit), byteorder)
        preview_offset = _append_ifd(output, _preview_fields(output, blocks, rendered), byteorder)
        fields = _picture_fields(output, _jpeg(rendered, _THUMBNAIL_SIDE), _SRGB)
        fields.append(make_field(Tag.SUB_IFDS, [raw_offset, preview_offset]))
        fields += _camera_fields(raw_image.metadata)
        fields += _description_fields(raw_image, blocks, edit)
        fields += _metadata_ifds(output, blocks, placed, byteorder)
        if note:
            fields.append(safety_field(note) if placed else private_field(note))
        ifd0_offset = _append_ifd(output, fields, byteorder)
        output.seek(0)
        output.write(build_header(byteorder, ifd0_offset=ifd0_offset))


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


def _raw_fields(mosaic: Mosaic, layout: Sequence[Field], edit: DngEdit) -> list[Field]:
    """Describe the samples; patterns begin at the active area's corner, as DNG has it."""
    height, width = mosaic.samples.shape
    area = mosaic.active_area
    cfa = mosaic.cfa.shifted(area.top, area.left).colors
    black = np.roll(mosaic.black_level, (-area.top, -area.left), axis=(0, 1))
    corners = (area.top, area.left, area.top + area.height, area.left + area.width)
    return [
        make_field(Tag.NEW_SUBFILE_TYPE, _FULL_SIZE),
        make_field(Tag.IMAGE_WIDTH, width),
        make_field(Tag.IMAGE_LENGTH, height),
        make_field(Tag.PHOTOMETRIC_INTERPRETATION, Photometric.CFA),
        make_field(Tag.SAMPLES_PER_PIXEL, 1),
        make_field(Tag.PLANAR_CONFIGURATION, 1),
        make_field(Tag.CFA_REPEAT_PATTERN_DIM, (2, 2)),
        make_field(Tag.CFA_PATTERN, [_NUMBERS[color] for color in cfa]),
        make_field(Tag.CFA_PLANE_COLOR, RGB),
        make_field(Tag.CFA_LAYOUT, _RECTANGULAR),
        make_field(Tag.BLACK_LEVEL_REPEAT_DIM, black.shape),
        make_field(Tag.BLACK_LEVEL, _rationals(black)),
        make_field(Tag.WHITE_LEVEL, int(mosaic.white_level)),
        make_field(Tag.ACTIVE_AREA, corners),
        make_field(Tag.DEFAULT_CROP_ORIGIN, (0, 0)),
        make_field(Tag.DEFAULT_CROP_SIZE, (area.width, area.height)),
        *layout,
        *edit_fields(edit),
    ]


def _camera_fields(metadata: RawMetadata) -> list[Field]:
    """Describe the camera and its colours."""
    make, model = metadata.make, metadata.model
    brand = make.split()[0].casefold() if make else ""
    unique = model if brand and model.casefold().startswith(brand) else f"{make} {model}".strip()
    fields = [
        make_field(Tag.DNG_VERSION, (1, 4, 0, 0)),
        make_field(Tag.DNG_BACKWARD_VERSION, (1, 1, 0, 0)),  # what lossless JPEG needs
        make_field(Tag.UNIQUE_CAMERA_MODEL, unique or "Unknown"),
        make_field(Tag.ORIENTATION, metadata.orientation),
    ]
    fields += [make_field(tag, s) for tag, s in ((Tag.MAKE, make), (Tag.MODEL, model)) if s]
    if metadata.color_matrix is not None:
        fields.append(make_field(Tag.COLOR_MATRIX_1, _rationals(metadata.color_matrix)))
        fields.append(make_field(Tag.CALIBRATION_ILLUMINANT_1, _D65))
    if metadata.wb_gains is not None:
        fields.append(
            make_field(Tag.AS_SHOT_NEUTRAL, _rationals(np.float32(1) / metadata.wb_gains))
        )
    return fields


def _description_fields(raw_image: RawImage, blocks: MetadataBlocks, edit: DngEdit) -> list[Field]:
    """Describe the photograph and the file."""
    fields = list(blocks.shared)
    if all(field.tag != Tag.SOFTWARE for field in fields):
        fields.append(make_field(Tag.SOFTWARE, edit.description))
    packet = mark_denoised(blocks.xmp or b"", strength=edit.strength, process=edit.description)
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


def _preview_fields(output: BinaryIO, blocks: MetadataBlocks, rendered: Image.Image) -> list[Field]:
    """Write the camera's own preview, or a rendered one, and describe it."""
    if blocks.preview is None:
        return _picture_fields(output, _jpeg(rendered, _PREVIEW_SIDE), _SRGB)
    color_space = blocks.find(Tag.COLOR_SPACE)
    known = color_space is not None and tuple(color_space.values) == (_EXIF_SRGB,)
    return _picture_fields(output, blocks.preview, _SRGB if known else _UNKNOWN_SPACE)


def _picture_fields(output: BinaryIO, jpeg: bytes, color_space: int) -> list[Field]:
    """Write a colour JPEG and describe it."""
    frame = read_frame(jpeg)
    if frame is None:
        raise ValueError("not a colour JPEG")
    offset = seek_even_end(output)
    output.write(jpeg)
    return [
        make_field(Tag.NEW_SUBFILE_TYPE, _REDUCED_SIZE),
        make_field(Tag.IMAGE_WIDTH, frame.width),
        make_field(Tag.IMAGE_LENGTH, frame.height),
        make_field(Tag.BITS_PER_SAMPLE, (8, 8, 8)),
        make_field(Tag.COMPRESSION, Compression.JPEG),
        make_field(Tag.PHOTOMETRIC_INTERPRETATION, Photometric.YCBCR),
        make_field(Tag.SAMPLES_PER_PIXEL, 3),
        make_field(Tag.PLANAR_CONFIGURATION, 1),
        make_field(Tag.STRIP_OFFSETS, offset),
        make_field(Tag.ROWS_PER_STRIP, frame.height),
        make_field(Tag.STRIP_BYTE_COUNTS, len(jpeg)),
        make_field(Tag.YCBCR_SUB_SAMPLING, frame.sub_sampling),
        make_field(Tag.PREVIEW_COLOR_SPACE, color_space),
    ]


def _to_picture(rgb: NDArray[np.uint16]) -> Image.Image:
    """Make an 8-bit picture of (height, width, 3) uint16."""
    return Image.fromarray((rgb >> 8).astype(np.uint8))


def _jpeg(picture: Image.Image, side: int) -> bytes:
    """Encode a picture, shrunk so that neither side exceeds `side`."""
    small = picture.copy()
    small.thumbnail((side, side))
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=_JPEG_QUALITY, subsampling="4:2:0")
    return buffer.getvalue()


def _bits(white_level: float) -> int:
    """Return how many bits the source's samples take, white included."""
    return int(white_level).bit_length()


def _rationals(values: NDArray[np.float32]) -> list[tuple[int, int]]:
    """Return values as fractions with a round denominator: most were round decimals once."""
    return [_rational(float(value)) for value in values.ravel()]


def _rational(value: float) -> tuple[int, int]:
    """Return the first fraction that is the same float32, else one to six decimals."""
    for denominator in (1, 10_000, 1_000_000):
        numerator = round(value * denominator)
        if np.float32(numerator / denominator) == np.float32(value):
            break
    return numerator, denominator
