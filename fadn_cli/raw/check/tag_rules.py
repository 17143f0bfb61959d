"""Which types and counts the standards allow for a tag.

`structure` holds every entry against this table. The one thing to know: counts that depend on other
tags (a CFAPattern's on its dimensions) are not here but in `image_rules`, and tags without a row,
those of EXIF, GPS and maker notes among them, may be anything.

References
----------
TIFF 6.0; TIFF supplement 1 (IFD); TIFF/EP (ISO 12234-2); DNG 1.7.1, chapters 2 to 4.
"""

from dataclasses import dataclass

from fadn_cli.raw.tiff.ifd import LETTERS, Entry, FieldType
from fadn_cli.raw.tiff.tags import (
    ASCII,
    BYTE,
    DOUBLE,
    FLOAT,
    LONG,
    RATIONAL,
    SHORT,
    SRATIONAL,
    UNDEFINED,
    Tag,
)


@dataclass(frozen=True, slots=True)
class Rule:
    """What the standards say of one tag."""

    types: tuple[FieldType, ...]
    """The types it may have."""
    count: int | None = None
    """How many values; None for any number but 0."""
    multiple: int = 1
    """What their number must be divisible by."""


_INTEGER = (SHORT, LONG)
_POINTER = (LONG, FieldType.IFD)
_TEXT = (ASCII, BYTE)  # ASCII, or UTF-8 as bytes
_FAMILIES = (
    (BYTE, SHORT, LONG, FieldType.SBYTE, FieldType.SSHORT, FieldType.SLONG, FieldType.IFD),
    (ASCII, BYTE, UNDEFINED, FieldType.UTF8),
    (RATIONAL, SRATIONAL, FLOAT, DOUBLE),
    (SHORT, LONG, RATIONAL),
)
"""Types that readers take for one another."""


def _rows(
    types: tuple[FieldType, ...], *tags: Tag, count: int | None = None, multiple: int = 1
) -> dict[int, Rule]:
    """Give several tags one rule."""
    return {int(tag): Rule(types, count, multiple) for tag in tags}


RULES: dict[int, Rule] = {
    **_rows((LONG,), Tag.NEW_SUBFILE_TYPE, Tag.JPEG_INTERCHANGE_FORMAT, count=1),
    **_rows((LONG,), Tag.JPEG_INTERCHANGE_FORMAT_LENGTH, Tag.BAYER_GREEN_SPLIT, count=1),
    **_rows((LONG,), Tag.PROFILE_EMBED_POLICY, Tag.PREVIEW_COLOR_SPACE, count=1),
    **_rows((LONG,), Tag.PROFILE_HUE_SAT_MAP_ENCODING, Tag.PROFILE_LOOK_TABLE_ENCODING, count=1),
    **_rows((LONG,), Tag.DEFAULT_BLACK_RENDER, Tag.JXL_EFFORT, Tag.JXL_DECODE_SPEED, count=1),
    **_rows((LONG,), Tag.PROFILE_HUE_SAT_MAP_DIMS, Tag.PROFILE_LOOK_TABLE_DIMS, count=3),
    **_rows(_POINTER, Tag.EXIF_IFD, Tag.GPS_IFD, Tag.INTEROPERABILITY_IFD, count=1),
    **_rows(_POINTER, Tag.SUB_IFDS),
    **_rows(_INTEGER, Tag.IMAGE_WIDTH, Tag.IMAGE_LENGTH, Tag.ROWS_PER_STRIP, count=1),
    **_rows(_INTEGER, Tag.TILE_WIDTH, Tag.TILE_LENGTH, Tag.ROW_INTERLEAVE_FACTOR, count=1),
    **_rows(_INTEGER, Tag.COLUMN_INTERLEAVE_FACTOR, count=1),
    **_rows(_INTEGER, Tag.SUB_TILE_BLOCK_SIZE, Tag.ORIGINAL_DEFAULT_FINAL_SIZE, count=2),
    **_rows(_INTEGER, Tag.ORIGINAL_BEST_QUALITY_FINAL_SIZE, count=2),
    **_rows(_INTEGER, Tag.ACTIVE_AREA, count=4),
    **_rows(_INTEGER, Tag.MASKED_AREAS, multiple=4),
    **_rows(_INTEGER, Tag.STRIP_OFFSETS, Tag.STRIP_BYTE_COUNTS),
    **_rows(_INTEGER, Tag.TILE_OFFSETS, Tag.TILE_BYTE_COUNTS, Tag.WHITE_LEVEL),
    **_rows((SHORT,), Tag.COMPRESSION, Tag.PHOTOMETRIC_INTERPRETATION, Tag.FILL_ORDER, count=1),
    **_rows((SHORT,), Tag.ORIENTATION, Tag.SAMPLES_PER_PIXEL, Tag.PLANAR_CONFIGURATION, count=1),
    **_rows((SHORT,), Tag.RESOLUTION_UNIT, Tag.PREDICTOR, Tag.YCBCR_POSITIONING, count=1),
    **_rows((SHORT,), Tag.CFA_LAYOUT, Tag.MAKER_NOTE_SAFETY, Tag.COLORIMETRIC_REFERENCE, count=1),
    **_rows((SHORT,), Tag.CALIBRATION_ILLUMINANT_1, Tag.CALIBRATION_ILLUMINANT_2, count=1),
    **_rows((SHORT,), Tag.CALIBRATION_ILLUMINANT_3, count=1),
    **_rows((SHORT,), Tag.CFA_REPEAT_PATTERN_DIM, Tag.BLACK_LEVEL_REPEAT_DIM, count=2),
    **_rows((SHORT,), Tag.YCBCR_SUB_SAMPLING, count=2),
    **_rows((SHORT,), Tag.BITS_PER_SAMPLE, Tag.SAMPLE_FORMAT, Tag.LINEARIZATION_TABLE),
    **_rows((BYTE,), Tag.CFA_PATTERN, Tag.CFA_PLANE_COLOR, Tag.DNG_PRIVATE_DATA),
    **_rows((BYTE,), Tag.DNG_VERSION, Tag.DNG_BACKWARD_VERSION, Tag.TIFF_EP_STANDARD_ID, count=4),
    **_rows(
        (BYTE,), Tag.RAW_DATA_UNIQUE_ID, Tag.RAW_IMAGE_DIGEST, Tag.NEW_RAW_IMAGE_DIGEST, count=16
    ),
    **_rows((BYTE,), Tag.ORIGINAL_RAW_FILE_DIGEST, Tag.PREVIEW_SETTINGS_DIGEST, count=16),
    **_rows((BYTE, UNDEFINED), Tag.XMP),
    **_rows((BYTE, ASCII, LONG, UNDEFINED), Tag.IPTC),
    **_rows((UNDEFINED,), Tag.ICC_PROFILE, Tag.AS_SHOT_ICC_PROFILE, Tag.CURRENT_ICC_PROFILE),
    **_rows((UNDEFINED,), Tag.OPCODE_LIST_1, Tag.OPCODE_LIST_2, Tag.OPCODE_LIST_3),
    **_rows((UNDEFINED,), Tag.ORIGINAL_RAW_FILE_DATA),
    **_rows((ASCII,), Tag.MAKE, Tag.MODEL, Tag.UNIQUE_CAMERA_MODEL, Tag.SOFTWARE),
    **_rows((ASCII,), Tag.IMAGE_DESCRIPTION, Tag.ARTIST, Tag.COPYRIGHT),
    **_rows((ASCII,), Tag.CAMERA_SERIAL_NUMBER, Tag.PREVIEW_DATE_TIME),
    **_rows((ASCII,), Tag.DATE_TIME, count=20),
    **_rows(_TEXT, Tag.LOCALIZED_CAMERA_MODEL, Tag.ORIGINAL_RAW_FILE_NAME),
    **_rows(_TEXT, Tag.CAMERA_CALIBRATION_SIGNATURE, Tag.PROFILE_CALIBRATION_SIGNATURE),
    **_rows(_TEXT, Tag.AS_SHOT_PROFILE_NAME, Tag.PROFILE_NAME, Tag.PROFILE_COPYRIGHT),
    **_rows(_TEXT, Tag.PREVIEW_APPLICATION_NAME, Tag.PREVIEW_APPLICATION_VERSION),
    **_rows(_TEXT, Tag.PREVIEW_SETTINGS_NAME, Tag.ENHANCE_PARAMS),
    **_rows((RATIONAL,), Tag.X_RESOLUTION, Tag.Y_RESOLUTION, Tag.BASELINE_NOISE, count=1),
    **_rows((RATIONAL,), Tag.BASELINE_SHARPNESS, Tag.LINEAR_RESPONSE_LIMIT, count=1),
    **_rows(
        (RATIONAL,), Tag.CHROMA_BLUR_RADIUS, Tag.ANTI_ALIAS_STRENGTH, Tag.SHADOW_SCALE, count=1
    ),
    **_rows((RATIONAL,), Tag.BEST_QUALITY_SCALE, Tag.NOISE_REDUCTION_APPLIED, count=1),
    **_rows((RATIONAL,), Tag.DEFAULT_SCALE, Tag.AS_SHOT_WHITE_XY, count=2),
    **_rows((RATIONAL,), Tag.YCBCR_COEFFICIENTS, count=3),
    **_rows((RATIONAL,), Tag.LENS_INFO, Tag.DEFAULT_USER_CROP, count=4),
    **_rows((RATIONAL, LONG), Tag.REFERENCE_BLACK_WHITE, count=6),
    **_rows((RATIONAL,), Tag.ANALOG_BALANCE),
    **_rows((SHORT, RATIONAL), Tag.AS_SHOT_NEUTRAL),
    **_rows((SHORT, LONG, RATIONAL), Tag.BLACK_LEVEL),
    **_rows((SHORT, LONG, RATIONAL), Tag.DEFAULT_CROP_ORIGIN, Tag.DEFAULT_CROP_SIZE, count=2),
    **_rows((SHORT, LONG, RATIONAL), Tag.ORIGINAL_DEFAULT_CROP_SIZE, count=2),
    **_rows((SRATIONAL,), Tag.BLACK_LEVEL_DELTA_H, Tag.BLACK_LEVEL_DELTA_V),
    **_rows((SRATIONAL,), Tag.CAMERA_CALIBRATION_1, Tag.CAMERA_CALIBRATION_2),
    **_rows((SRATIONAL,), Tag.CAMERA_CALIBRATION_3),
    **_rows((SRATIONAL,), Tag.BASELINE_EXPOSURE, count=1),
    **_rows((SRATIONAL, RATIONAL), Tag.BASELINE_EXPOSURE_OFFSET, count=1),
    **_rows(
        (SRATIONAL,),
        *(Tag.COLOR_MATRIX_1, Tag.COLOR_MATRIX_2, Tag.COLOR_MATRIX_3),
        *(Tag.FORWARD_MATRIX_1, Tag.FORWARD_MATRIX_2, Tag.FORWARD_MATRIX_3),
        *(Tag.REDUCTION_MATRIX_1, Tag.REDUCTION_MATRIX_2),
        *(Tag.AS_SHOT_PRE_PROFILE_MATRIX, Tag.CURRENT_PRE_PROFILE_MATRIX),
        multiple=3,
    ),
    **_rows((FLOAT,), Tag.PROFILE_HUE_SAT_MAP_DATA_1, Tag.PROFILE_HUE_SAT_MAP_DATA_2),
    **_rows((FLOAT,), Tag.PROFILE_LOOK_TABLE_DATA),
    **_rows((FLOAT,), Tag.PROFILE_TONE_CURVE, multiple=2),
    **_rows((FLOAT,), Tag.JXL_DISTANCE, count=1),
    **_rows((DOUBLE,), Tag.NOISE_PROFILE, multiple=2),
    **_rows((DOUBLE,), Tag.RAW_TO_PREVIEW_GAIN, count=1),
    **_rows((RATIONAL,), Tag.EXPOSURE_TIME, Tag.F_NUMBER, Tag.FOCAL_LENGTH, count=1),
    **_rows((SHORT,), Tag.ISO_SPEED_RATINGS),
    **_rows((ASCII,), Tag.DATE_TIME_ORIGINAL, Tag.DATE_TIME_DIGITIZED, count=20),
}
"""The rule of each tag that has one."""


def type_fault(entry: Entry) -> str:
    """Say what is wrong with an entry's type; empty if nothing is."""
    rule = RULES.get(entry.tag)
    if rule is None or entry.type in rule.types:
        known = entry.type in LETTERS
        return "" if known else f"has type {entry.type}, which TIFF does not know"
    allowed = " or ".join(kind.name for kind in rule.types)
    return f"has type {_type_name(entry.type)}, not {allowed}"


def is_readable_as_meant(entry: Entry) -> bool:
    """Tell whether readers will understand an entry in spite of its wrong type."""
    rule = RULES.get(entry.tag)
    if rule is None:
        return True
    return any(
        entry.type in family and not set(family).isdisjoint(rule.types) for family in _FAMILIES
    )


def count_fault(entry: Entry) -> str:
    """Say what is wrong with the number of an entry's values; empty if nothing is."""
    rule = RULES.get(entry.tag)
    if entry.count == 0:
        return "has no values"
    if rule is None:
        return ""
    if rule.count is not None and entry.count != rule.count:
        return f"has {entry.count} values, not {rule.count}"
    if entry.count % rule.multiple:
        return f"has {entry.count} values, no multiple of {rule.multiple}"
    return ""


def _type_name(number: int) -> str:
    """Name a type."""
    return FieldType(number).name if number in LETTERS else str(number)
