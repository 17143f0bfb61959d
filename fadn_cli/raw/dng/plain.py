"""A plain, uncompressed DNG of samples that no camera took.

The demonstration wraps its drawn scene with it, and the judge of the networks its photographs. The
one thing to know: it says only what it is told, and the same bytes come out every time.

References
----------
DNG 1.7.1, chapter 4.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fadn_cli.mosaic.cfa import CANONICAL, CfaPattern
from fadn_cli.raw.tiff.tags import Compression, Photometric, Tag, make_field
from fadn_cli.raw.tiff.write import Field, build_header, build_ifd

"""The usual colours of a made-up camera."""
_D65 = 21  # CalibrationIlluminant1 [Exif 2.32, LightSource]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainCamera:
    """What a made-up camera says of itself."""

    make: str
    """Its maker."""
    model: str
    """Its model."""
    black_level: int
    """DN."""
    white_level: int
    """DN."""
    iso: int
    """ISO speed."""
    color_matrix: tuple[float, ...]
    """Nine numbers, row by row: XYZ under D65 to camera; none are stated of a sensor without
    colours."""
    neutral: tuple[float, ...]
    """What R, G and B of a white surface are; as the matrix."""
    cfa: CfaPattern = CANONICAL["bayer"]
    """The colours from sample (0, 0)."""


def build_plain(samples: NDArray[np.uint16], camera: PlainCamera) -> bytes:
    """Wrap a mosaic into a DNG.

    Parameters
    ----------
    samples : (H, W) uint16 DN
    camera : PlainCamera

    Returns
    -------
    bytes
        Of a whole file: little-endian, one strip of 16 bits.
    """
    height, width = samples.shape
    pixels = samples.astype("<u2").tobytes()
    exif_offset = 8 + len(pixels)
    exif_fields = [
        make_field(Tag.EXPOSURE_TIME, [(1, 60)]),
        make_field(Tag.ISO_SPEED_RATINGS, camera.iso),
        make_field(Tag.EXIF_VERSION, b"0231"),
    ]
    exif = build_ifd(exif_fields, byteorder="<", at_offset=exif_offset)
    fields = [
        *_camera_fields(camera),
        make_field(Tag.IMAGE_WIDTH, width),
        make_field(Tag.IMAGE_LENGTH, height),
        make_field(Tag.STRIP_OFFSETS, 8),
        make_field(Tag.ROWS_PER_STRIP, height),
        make_field(Tag.STRIP_BYTE_COUNTS, len(pixels)),
        make_field(Tag.EXIF_IFD, exif_offset),
    ]
    ifd0_offset = exif_offset + len(exif)
    ifd0 = build_ifd(fields, byteorder="<", at_offset=ifd0_offset)
    return build_header("<", ifd0_offset=ifd0_offset) + pixels + exif + ifd0


def _camera_fields(camera: PlainCamera) -> list[Field]:
    """What the camera says in every DNG: its name, levels and colours."""
    return [
        make_field(Tag.NEW_SUBFILE_TYPE, 0),
        make_field(Tag.BITS_PER_SAMPLE, 16),
        make_field(Tag.COMPRESSION, Compression.NONE),
        make_field(Tag.MAKE, camera.make),
        make_field(Tag.MODEL, camera.model),
        make_field(Tag.ORIENTATION, 1),
        make_field(Tag.SAMPLES_PER_PIXEL, 1),
        make_field(Tag.PLANAR_CONFIGURATION, 1),
        make_field(Tag.DNG_VERSION, bytes((1, 4, 0, 0))),
        make_field(Tag.DNG_BACKWARD_VERSION, bytes((1, 1, 0, 0))),
        make_field(Tag.UNIQUE_CAMERA_MODEL, camera.model),
        make_field(Tag.BLACK_LEVEL, [(camera.black_level, 1)]),
        make_field(Tag.WHITE_LEVEL, camera.white_level),
        *_color_fields(camera),
    ]


def _color_fields(camera: PlainCamera) -> list[Field]:
    """What it says of its colours."""
    if camera.cfa.kind == "mono":
        return [make_field(Tag.PHOTOMETRIC_INTERPRETATION, Photometric.LINEAR_RAW)]
    matrix = [(round(value * 10000), 10000) for value in camera.color_matrix]
    return [
        make_field(Tag.PHOTOMETRIC_INTERPRETATION, Photometric.CFA),
        make_field(Tag.CFA_REPEAT_PATTERN_DIM, (camera.cfa.period, camera.cfa.period)),
        make_field(Tag.CFA_PATTERN, bytes("RGB".index(color) for color in camera.cfa.colors)),
        make_field(Tag.CFA_LAYOUT, 1),
        make_field(Tag.COLOR_MATRIX_1, matrix),
        make_field(Tag.AS_SHOT_NEUTRAL, [(round(value * 1000), 1000) for value in camera.neutral]),
        make_field(Tag.CALIBRATION_ILLUMINANT_1, _D65),
    ]
