"""What a DNG says of its camera's colours: the matrix nearest daylight, and the white balance.

The reader calls it. The one thing to know: LibRaw would mix illuminants; here one is taken as it
is.

References
----------
DNG 1.7.1, chapter 4 (ColorMatrix, CalibrationIlluminant, AsShotNeutral, AsShotWhiteXY).
"""

import math

import numpy as np
from numpy.typing import NDArray

from fadn_cli.raw.tiff.file import TiffFile
from fadn_cli.raw.tiff.tags import D65_KELVIN, ILLUMINANT_KELVIN, Tag

_MATRICES = (
    (Tag.COLOR_MATRIX_1, Tag.CALIBRATION_ILLUMINANT_1),
    (Tag.COLOR_MATRIX_2, Tag.CALIBRATION_ILLUMINANT_2),
    (Tag.COLOR_MATRIX_3, Tag.CALIBRATION_ILLUMINANT_3),
)


def read_color_matrix(tiff: TiffFile) -> NDArray[np.float32] | None:
    """Return the (3, 3) ColorMatrix (XYZ -> camera) whose illuminant is nearest D65."""
    best = None
    best_distance = math.inf
    for matrix_tag, illuminant_tag in _MATRICES:
        entry = tiff.ifds[0].get(matrix_tag)
        kelvin = ILLUMINANT_KELVIN.get(tiff.ifds[0].first_int(illuminant_tag, 0), 0)
        # Colour differences go with 1/kelvin; an unknown illuminant is the last resort.
        distance = abs(1 / kelvin - 1 / D65_KELVIN) if kelvin else 1.0
        if entry is None or entry.count != 9 or distance >= best_distance:
            continue
        matrix = np.array(entry.floats, np.float32).reshape(3, 3)
        if np.isfinite(matrix).all() and np.linalg.det(matrix.astype(np.float64)) != 0:
            best, best_distance = matrix, distance
    return best


def read_wb_gains(
    tiff: TiffFile, color_matrix: NDArray[np.float32] | None
) -> NDArray[np.float32] | None:
    """Return the (3,) gains with green = 1 from AsShotNeutral, else from AsShotWhiteXY."""
    neutral_entry = tiff.ifds[0].get(Tag.AS_SHOT_NEUTRAL)
    white_entry = tiff.ifds[0].get(Tag.AS_SHOT_WHITE_XY)
    if neutral_entry is not None and neutral_entry.count == 3:
        neutral = np.array(neutral_entry.floats, np.float32)
    elif white_entry is not None and white_entry.count == 2 and color_matrix is not None:
        x, y = white_entry.floats
        neutral = color_matrix @ np.array([x, y, 1 - x - y], np.float32)
    else:
        return None
    if not np.isfinite(neutral).all() or (neutral <= 0).any():
        return None
    gains: NDArray[np.float32] = neutral[1] / neutral
    return gains
