"""What an IFD says of its preview, and which previews are ours.

The writers describe new pictures with it, the comparison tells by it what a changed picture voids.

References
----------
TIFF/EP (ISO 12234-2) for previews in IFDs; DNG 1.7.1, tags 50966 to 50971.
"""

from fadn_cli.errors import FadnError
from fadn_cli.raw.source.embedded import read_frame
from fadn_cli.raw.tiff.file import Ifd
from fadn_cli.raw.tiff.tags import Compression, Photometric, Tag, make_field
from fadn_cli.raw.tiff.tree import integer, is_preview
from fadn_cli.raw.tiff.write import Field

APPLICATION = "fadn"
"""PreviewApplicationName of every picture that we have rendered."""
PICTURE_TAGS = frozenset(
    {
        Tag.IMAGE_WIDTH,
        Tag.IMAGE_LENGTH,
        Tag.BITS_PER_SAMPLE,
        Tag.COMPRESSION,
        Tag.PHOTOMETRIC_INTERPRETATION,
        Tag.STRIP_OFFSETS,
        Tag.SAMPLES_PER_PIXEL,
        Tag.ROWS_PER_STRIP,
        Tag.STRIP_BYTE_COUNTS,
        Tag.PLANAR_CONFIGURATION,
        Tag.PREDICTOR,
        Tag.TILE_WIDTH,
        Tag.TILE_LENGTH,
        Tag.TILE_OFFSETS,
        Tag.TILE_BYTE_COUNTS,
        Tag.SAMPLE_FORMAT,
        Tag.JPEG_INTERCHANGE_FORMAT,
        Tag.JPEG_INTERCHANGE_FORMAT_LENGTH,
        Tag.YCBCR_COEFFICIENTS,
        Tag.YCBCR_SUB_SAMPLING,
        Tag.YCBCR_POSITIONING,
        Tag.REFERENCE_BLACK_WHITE,
        Tag.ICC_PROFILE,
        Tag.PREVIEW_APPLICATION_NAME,
        Tag.PREVIEW_APPLICATION_VERSION,
        Tag.PREVIEW_SETTINGS_NAME,
        Tag.PREVIEW_SETTINGS_DIGEST,
        Tag.PREVIEW_COLOR_SPACE,
        Tag.PREVIEW_DATE_TIME,
        Tag.RAW_TO_PREVIEW_GAIN,
        Tag.JXL_DISTANCE,
        Tag.JXL_EFFORT,
        Tag.JXL_DECODE_SPEED,
    }
)
"""What an IFD says of its preview, and of nothing else: with another picture, all of it is void."""
_RAW_TAGS = frozenset(
    {
        Tag.CFA_REPEAT_PATTERN_DIM,
        Tag.CFA_PATTERN,
        Tag.CFA_PLANE_COLOR,
        Tag.CFA_LAYOUT,
        Tag.LINEARIZATION_TABLE,
        Tag.BLACK_LEVEL_REPEAT_DIM,
        Tag.BLACK_LEVEL,
        Tag.BLACK_LEVEL_DELTA_H,
        Tag.BLACK_LEVEL_DELTA_V,
        Tag.WHITE_LEVEL,
        Tag.DEFAULT_SCALE,
        Tag.DEFAULT_CROP_ORIGIN,
        Tag.DEFAULT_CROP_SIZE,
        Tag.DEFAULT_USER_CROP,
        Tag.ACTIVE_AREA,
        Tag.MASKED_AREAS,
        Tag.BAYER_GREEN_SPLIT,
        Tag.CHROMA_BLUR_RADIUS,
        Tag.ANTI_ALIAS_STRENGTH,
        Tag.BEST_QUALITY_SCALE,
        Tag.ROW_INTERLEAVE_FACTOR,
        Tag.COLUMN_INTERLEAVE_FACTOR,
        Tag.SUB_TILE_BLOCK_SIZE,
        Tag.OPCODE_LIST_1,
        Tag.OPCODE_LIST_2,
        Tag.OPCODE_LIST_3,
        Tag.NOISE_PROFILE,
        Tag.NOISE_REDUCTION_APPLIED,
    }
)


def is_reduced_raw(ifd: Ifd) -> bool:
    """Tell whether a preview is made of raw pixels, for quick display: Adobe's fast load data."""
    photometric = integer(ifd, Tag.PHOTOMETRIC_INTERPRETATION, Photometric.YCBCR)
    return is_preview(ifd) and photometric in (Photometric.LINEAR_RAW, Photometric.CFA)


def void_tags(ifd: Ifd) -> frozenset[int]:
    """Return the tags by which an IFD describes the preview it holds: void with another picture."""
    return PICTURE_TAGS | _RAW_TAGS if is_reduced_raw(ifd) else frozenset(PICTURE_TAGS)


def is_ours(ifd: Ifd) -> bool:
    """Tell whether an IFD says that we have rendered its preview."""
    entry = ifd.get(Tag.PREVIEW_APPLICATION_NAME)
    try:
        return entry is not None and entry.text == APPLICATION
    except FadnError:
        return False


def describe_rgb(height: int, width: int, *, color_space: int) -> list[Field]:
    """Describe an uncompressed 8-bit picture, but for where it lies."""
    return [
        make_field(Tag.IMAGE_WIDTH, width),
        make_field(Tag.IMAGE_LENGTH, height),
        make_field(Tag.BITS_PER_SAMPLE, (8, 8, 8)),
        make_field(Tag.COMPRESSION, Compression.NONE),
        make_field(Tag.PHOTOMETRIC_INTERPRETATION, Photometric.RGB),
        make_field(Tag.SAMPLES_PER_PIXEL, 3),
        make_field(Tag.PLANAR_CONFIGURATION, 1),
        make_field(Tag.PREVIEW_COLOR_SPACE, color_space),
    ]


def describe_jpeg(jpeg: bytes, *, color_space: int) -> list[Field]:
    """Describe a colour JPEG, but for where it lies.

    Raises
    ------
    ValueError
        It is no colour JPEG that `read_frame` knows.
    """
    frame = read_frame(jpeg)
    if frame is None:
        raise ValueError("not a colour JPEG")
    fields = {
        field.tag: field
        for field in (
            *describe_rgb(frame.height, frame.width, color_space=color_space),
            make_field(Tag.COMPRESSION, Compression.JPEG),
            make_field(Tag.PHOTOMETRIC_INTERPRETATION, Photometric.YCBCR),
            make_field(Tag.YCBCR_SUB_SAMPLING, frame.sub_sampling),
        )
    }
    return list(fields.values())
