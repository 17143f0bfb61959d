"""Numbers, names, types and meanings of the TIFF, EXIF and DNG tags we touch.

Everything in `raw` that gives a tag meaning imports this. The one thing to know: a number is
written down here and nowhere else (`tiff` alone knows which four tags point to further IFDs).

References
----------
TIFF 6.0; TIFF/EP (ISO 12234-2); Exif 2.32; DNG 1.7.1.
"""

from collections.abc import Sequence
from enum import IntEnum
from typing import Self

from fadn_cli.raw.tiff import FieldType, Number
from fadn_cli.raw.tiff_write import Field

BYTE, ASCII, UNDEFINED = FieldType.BYTE, FieldType.ASCII, FieldType.UNDEFINED
SHORT, LONG, FLOAT, DOUBLE = FieldType.SHORT, FieldType.LONG, FieldType.FLOAT, FieldType.DOUBLE
RATIONAL, SRATIONAL = FieldType.RATIONAL, FieldType.SRATIONAL


class Tag(IntEnum):
    """Tags of IFD0, the raw and preview IFDs, and the EXIF IFD: number, and the type we write."""

    type: FieldType

    def __new__(cls, number: int, kind: FieldType) -> Self:
        """Make the tag with this number and type."""
        tag = int.__new__(cls, number)
        tag._value_ = number
        tag.type = kind
        return tag

    NEW_SUBFILE_TYPE = 254, LONG
    IMAGE_WIDTH = 256, LONG
    IMAGE_LENGTH = 257, LONG
    BITS_PER_SAMPLE = 258, SHORT
    COMPRESSION = 259, SHORT
    PHOTOMETRIC_INTERPRETATION = 262, SHORT
    IMAGE_DESCRIPTION = 270, ASCII
    MAKE = 271, ASCII
    MODEL = 272, ASCII
    STRIP_OFFSETS = 273, LONG
    ORIENTATION = 274, SHORT
    SAMPLES_PER_PIXEL = 277, SHORT
    ROWS_PER_STRIP = 278, LONG
    STRIP_BYTE_COUNTS = 279, LONG
    X_RESOLUTION = 282, RATIONAL
    Y_RESOLUTION = 283, RATIONAL
    PLANAR_CONFIGURATION = 284, SHORT
    RESOLUTION_UNIT = 296, SHORT
    SOFTWARE = 305, ASCII
    DATE_TIME = 306, ASCII
    ARTIST = 315, ASCII
    TILE_WIDTH = 322, LONG
    TILE_LENGTH = 323, LONG
    TILE_OFFSETS = 324, LONG
    TILE_BYTE_COUNTS = 325, LONG
    SUB_IFDS = 330, LONG
    SAMPLE_FORMAT = 339, SHORT
    JPEG_INTERCHANGE_FORMAT = 513, LONG
    JPEG_INTERCHANGE_FORMAT_LENGTH = 514, LONG
    YCBCR_SUB_SAMPLING = 530, SHORT
    REFERENCE_BLACK_WHITE = 532, RATIONAL
    XMP = 700, BYTE
    CFA_REPEAT_PATTERN_DIM = 33421, SHORT
    CFA_PATTERN = 33422, BYTE
    COPYRIGHT = 33432, ASCII
    EXPOSURE_TIME = 33434, RATIONAL
    F_NUMBER = 33437, RATIONAL
    IPTC = 33723, UNDEFINED
    EXIF_IFD = 34665, LONG
    ICC_PROFILE = 34675, UNDEFINED
    EXPOSURE_PROGRAM = 34850, SHORT
    GPS_IFD = 34853, LONG
    ISO_SPEED_RATINGS = 34855, SHORT
    SENSITIVITY_TYPE = 34864, SHORT
    STANDARD_OUTPUT_SENSITIVITY = 34865, LONG
    RECOMMENDED_EXPOSURE_INDEX = 34866, LONG
    ISO_SPEED = 34867, LONG
    EXIF_VERSION = 36864, UNDEFINED
    DATE_TIME_ORIGINAL = 36867, ASCII
    DATE_TIME_DIGITIZED = 36868, ASCII
    FOCAL_LENGTH = 37386, RATIONAL
    TIFF_EP_STANDARD_ID = 37398, BYTE
    MAKER_NOTE = 37500, UNDEFINED
    COLOR_SPACE = 40961, SHORT
    PIXEL_X_DIMENSION = 40962, LONG
    PIXEL_Y_DIMENSION = 40963, LONG
    INTEROPERABILITY_IFD = 40965, LONG
    BODY_SERIAL_NUMBER = 42033, ASCII
    LENS_MODEL = 42036, ASCII
    DNG_VERSION = 50706, BYTE
    DNG_BACKWARD_VERSION = 50707, BYTE
    UNIQUE_CAMERA_MODEL = 50708, ASCII
    LOCALIZED_CAMERA_MODEL = 50709, ASCII
    CFA_PLANE_COLOR = 50710, BYTE
    CFA_LAYOUT = 50711, SHORT
    LINEARIZATION_TABLE = 50712, SHORT
    BLACK_LEVEL_REPEAT_DIM = 50713, SHORT
    BLACK_LEVEL = 50714, RATIONAL
    BLACK_LEVEL_DELTA_H = 50715, SRATIONAL
    BLACK_LEVEL_DELTA_V = 50716, SRATIONAL
    WHITE_LEVEL = 50717, LONG
    DEFAULT_SCALE = 50718, RATIONAL
    DEFAULT_CROP_ORIGIN = 50719, LONG
    DEFAULT_CROP_SIZE = 50720, LONG
    COLOR_MATRIX_1 = 50721, SRATIONAL
    COLOR_MATRIX_2 = 50722, SRATIONAL
    CAMERA_CALIBRATION_1 = 50723, SRATIONAL
    CAMERA_CALIBRATION_2 = 50724, SRATIONAL
    ANALOG_BALANCE = 50727, RATIONAL
    AS_SHOT_NEUTRAL = 50728, RATIONAL
    AS_SHOT_WHITE_XY = 50729, RATIONAL
    BASELINE_EXPOSURE = 50730, SRATIONAL
    BASELINE_NOISE = 50731, RATIONAL
    BASELINE_SHARPNESS = 50732, RATIONAL
    BAYER_GREEN_SPLIT = 50733, LONG
    LINEAR_RESPONSE_LIMIT = 50734, RATIONAL
    CAMERA_SERIAL_NUMBER = 50735, ASCII
    LENS_INFO = 50736, RATIONAL
    ANTI_ALIAS_STRENGTH = 50738, RATIONAL
    DNG_PRIVATE_DATA = 50740, BYTE
    MAKER_NOTE_SAFETY = 50741, SHORT
    CALIBRATION_ILLUMINANT_1 = 50778, SHORT
    CALIBRATION_ILLUMINANT_2 = 50779, SHORT
    RAW_DATA_UNIQUE_ID = 50781, BYTE
    ORIGINAL_RAW_FILE_NAME = 50827, ASCII
    ORIGINAL_RAW_FILE_DATA = 50828, UNDEFINED
    ACTIVE_AREA = 50829, LONG
    MASKED_AREAS = 50830, LONG
    NOISE_REDUCTION_APPLIED = 50935, RATIONAL
    FORWARD_MATRIX_1 = 50964, SRATIONAL
    FORWARD_MATRIX_2 = 50965, SRATIONAL
    PREVIEW_APPLICATION_NAME = 50966, ASCII
    PREVIEW_COLOR_SPACE = 50970, LONG
    RAW_IMAGE_DIGEST = 50972, BYTE
    OPCODE_LIST_1 = 51008, UNDEFINED
    OPCODE_LIST_2 = 51009, UNDEFINED
    OPCODE_LIST_3 = 51022, UNDEFINED
    NOISE_PROFILE = 51041, DOUBLE
    NEW_RAW_IMAGE_DIGEST = 51111, BYTE
    ENHANCE_PARAMS = 51182, ASCII
    CALIBRATION_ILLUMINANT_3 = 52529, SHORT
    COLOR_MATRIX_3 = 52531, SRATIONAL
    JXL_DISTANCE = 52553, FLOAT
    JXL_EFFORT = 52554, LONG
    JXL_DECODE_SPEED = 52555, LONG

    @property
    def label(self) -> str:
        """The name the standards give it.

        Examples
        --------
        >>> Tag.CFA_PATTERN.label, Tag.NEW_SUBFILE_TYPE.label, Tag.F_NUMBER.label
        ('CFAPattern', 'NewSubfileType', 'FNumber')
        """
        words = self.name.split("_")
        return "".join(word if word in _ACRONYMS else word.capitalize() for word in words)


_ACRONYMS = frozenset(
    {"EP", "TIFF", "CFA", "DNG", "GPS", "ICC", "ID", "IFD", "IPTC", "ISO", "JXL", "XMP", "XY"}
)
_BY_NUMBER = {int(tag): tag for tag in Tag}


def tag_name(tag: int) -> str:
    """Return the label of a tag, or "tag N" for one we do not know.

    Examples
    --------
    >>> tag_name(50829), tag_name(4)
    ('ActiveArea', 'tag 4')
    """
    known = _BY_NUMBER.get(tag)
    return known.label if known else f"tag {tag}"


DATA_OFFSETS: dict[Tag, Tag] = {
    Tag.STRIP_OFFSETS: Tag.STRIP_BYTE_COUNTS,
    Tag.TILE_OFFSETS: Tag.TILE_BYTE_COUNTS,
    Tag.JPEG_INTERCHANGE_FORMAT: Tag.JPEG_INTERCHANGE_FORMAT_LENGTH,
}
"""Tags whose values are file offsets of image data, and the tags with the lengths."""

D65_KELVIN = 6504
"""The correlated colour temperature nearest to which a ColorMatrix is chosen."""

ILLUMINANT_KELVIN = dict(zip(range(9, 16), (5500, 6500, 7500, 6430, 5050, 4230, 3450), strict=True))
ILLUMINANT_KELVIN |= dict(
    zip(range(16, 25), (2940, 2856, 4874, 6774, 5503, 6504, 7504, 5003, 3200), strict=True)
)
ILLUMINANT_KELVIN |= {1: 5500, 2: 4200, 3: 2850, 4: 5500}
"""EXIF LightSource (CalibrationIlluminant1-3) to kelvin. [Exif 2.32, tag 37384; CIE 15]"""


class Photometric(IntEnum):
    """Values of PhotometricInterpretation we meet."""

    RGB = 2
    YCBCR = 6
    CFA = 32803
    LINEAR_RAW = 34892


class Compression(IntEnum):
    """Values of Compression we meet."""

    NONE = 1
    OLD_JPEG = 6
    JPEG = 7
    DEFLATE = 8
    VC5 = 9
    LOSSY_JPEG = 34892
    JPEG_XL = 52546


def make_field(tag: Tag, values: Sequence[Number] | Number | bytes | str) -> Field:
    """Make a Field of the tag's type; a single number needs no list, a rational is a pair.

    Examples
    --------
    >>> make_field(Tag.ORIENTATION, 1)
    Field(tag=274, type=<FieldType.SHORT: 3>, values=(1,))
    """
    if isinstance(values, int | float):
        values = (values,)
    return Field(tag=int(tag), type=tag.type, values=values)
