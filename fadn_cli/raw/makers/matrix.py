"""The colour matrix that LibRaw develops by where it tells none: found by developing four greys.

`source.camera` calls it. The one thing to know: of some old cameras (Kodak's DC50 and DC120)
LibRaw knows a matrix from the camera's colours straight to sRGB, and nothing but a development
shows it.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

_GREY, _STEP, _WHITE = 16000, 4000, 32000  # DN of what is developed
XYZ_OF_SRGB = np.array(
    [[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]]
)
"""Linear sRGB in XYZ D65, to the digits that LibRaw has of it [IEC 61966-2-1]."""
_NARROWEST = 64  # pixels: four bands with room between
_SMALLEST = 0.01  # a matrix nearer to none at all than that is none


def hidden_matrix(raw: Any) -> NDArray[np.float32] | None:
    """Return LibRaw's (3, 3) XYZ D65 -> camera matrix by what it makes of colours; None if none.

    Parameters
    ----------
    raw : rawpy.RawPy
        Unpacked, of three colours; its samples are overwritten.
    """
    if raw.sizes.width < _NARROWEST:
        return None
    rgb = _develop_bands(raw)
    _, width, _ = rgb.shape
    # Away from where bands meet.
    centres = [slice((2 * i + 1) * width // 8 - 2, (2 * i + 1) * width // 8 + 3) for i in range(4)]
    grey, *seen = [np.median(rgb[:, band].reshape(-1, 3), axis=0) for band in centres]
    if grey.min() <= 0:
        return None
    to_srgb = (np.stack(seen, axis=1) - grey[:, None]) / (grey.mean() * _STEP / _GREY)
    if abs(to_srgb - np.eye(3)).max() < _SMALLEST or abs(np.linalg.det(to_srgb)) < _SMALLEST:
        return None
    to_camera = np.linalg.inv(to_srgb)
    to_camera /= to_camera.sum(axis=1, keepdims=True)  # white is grey to the camera, as to LibRaw
    matrix: NDArray[np.float32] = (to_camera @ np.linalg.inv(XYZ_OF_SRGB)).astype(np.float32)
    return matrix


def _develop_bands(raw: Any) -> NDArray[np.uint16]:
    """Develop a grey band and, beside it, one with more red, green and blue each, linearly."""
    colors, samples = raw.raw_colors, raw.raw_image
    left, width = raw.sizes.left_margin, raw.sizes.width
    kept = samples.copy()  # whoever has read them sees this memory
    samples[:] = _GREY
    bands = [left + width * index // 4 for index in range(5)]
    for color in range(3):  # the first band stays grey
        band = np.s_[:, bands[color + 1] : bands[color + 2]]
        of_color = (colors[band] == color) | ((colors[band] == 3) & (color == 1))
        samples[band][of_color] += _STEP
    rgb: NDArray[np.uint16] = raw.postprocess(
        half_size=True,
        user_wb=[1.0, 1.0, 1.0, 1.0],
        user_black=0,
        user_cblack=[0, 0, 0, 0],
        user_sat=_WHITE,
        user_flip=0,
        no_auto_bright=True,
        adjust_maximum_thr=0,
        gamma=(1, 1),
        output_bps=16,
    )
    samples[:] = kept
    return rgb
