"""Mosaics of 2x2 cells into the planes of their four sites, and back."""

import numpy as np
from numpy.typing import NDArray

from fadn_cli.denoise.sensors.sensor import Group, Line

_FIRST, _SECOND, _THIRD, _FOURTH = (Group(planes=(plane,)) for plane in range(4))
ROW_LINES: tuple[Line, ...] = ((_FIRST, _SECOND), (_THIRD, _FOURTH))
"""What the rows of a cell hold."""
COLUMN_LINES: tuple[Line, ...] = ((_FIRST, _THIRD), (_SECOND, _FOURTH))
"""What its columns hold."""


def pack_sites(mosaic: NDArray[np.float32]) -> NDArray[np.float32]:
    """Split a mosaic into the planes of the four sites of each 2x2 cell.

    Parameters
    ----------
    mosaic : (H, W) float32, normalized
        H and W even.

    Returns
    -------
    (4, H/2, W/2) float32, normalized
        Row by row of the cell. A copy; `unpack_sites` is the exact inverse.

    Raises
    ------
    ValueError
        H or W is odd.

    Examples
    --------
    >>> pack_sites(np.array([[1, 2], [3, 4]], np.float32)).ravel()
    array([1., 2., 3., 4.], dtype=float32)
    """
    height, width = mosaic.shape
    if height % 2 or width % 2:
        raise ValueError(f"packing needs even sides, got {height}x{width}")
    cells = mosaic.reshape(height // 2, 2, width // 2, 2)
    planes = cells.transpose(1, 3, 0, 2).reshape(4, height // 2, width // 2)
    return np.ascontiguousarray(planes)


def unpack_sites(packed: NDArray[np.float32]) -> NDArray[np.float32]:
    """Interleave four planes into a mosaic: the exact inverse of `pack_sites`.

    Parameters
    ----------
    packed : (4, h, w) float32, normalized

    Returns
    -------
    (2h, 2w) float32, normalized
    """
    _, height, width = packed.shape
    cells = packed.reshape(2, 2, height, width).transpose(2, 0, 3, 1)
    return np.ascontiguousarray(cells).reshape(height * 2, width * 2)
