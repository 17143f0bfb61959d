"""Move a mosaic to the RGGB phase and split it into colour planes, and back.

Networks and estimators only ever see RGGB planes. The one thing to know: the phase is moved by
*reflect* padding, which keeps a Bayer phase (`symmetric` and `edge` break it), so all four patterns
and odd sizes come back exactly.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fadn_cli.mosaic.conversion import denormalize, normalize
from fadn_cli.mosaic.steps import SOURCE_STEPS, Steps
from fadn_cli.mosaic.values import CfaPattern, Mosaic


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseShift:
    """How many reflected rows and columns `shift_to_rggb` added on each side."""

    top: int
    """Rows added above; 0 or 1."""
    left: int
    """Columns added on the left; 0 or 1."""
    bottom: int
    """Rows added below, to an even height; 0 or 1."""
    right: int
    """Columns added on the right, to an even width; 0 or 1."""


def shift_to_rggb(
    x: NDArray[np.float32], cfa: CfaPattern
) -> tuple[NDArray[np.float32], PhaseShift]:
    """Pad a mosaic by reflection so that (0, 0) is red and both sides are even.

    Parameters
    ----------
    x : (H, W) float32, normalized
        H and W at least 2.
    cfa : CfaPattern
        The colours of `x`, from its (0, 0).

    Returns
    -------
    x : (H', W') float32, normalized
        H' and W' even; `x` itself where no padding is needed.
    shift : PhaseShift
        What `shift_back` needs.

    Raises
    ------
    ValueError
        `x` is not two-dimensional or is smaller than 2x2.
    """
    if x.ndim != 2 or min(x.shape) < 2:
        raise ValueError(f"a mosaic is (H, W) with H, W >= 2, got shape {x.shape}")
    top, left = cfa.red_origin
    height, width = x.shape
    shift = PhaseShift(top=top, left=left, bottom=(height + top) % 2, right=(width + left) % 2)
    if shift == PhaseShift(top=0, left=0, bottom=0, right=0):
        return x, shift
    pad = ((shift.top, shift.bottom), (shift.left, shift.right))
    return np.pad(x, pad, mode="reflect"), shift


def shift_back(x: NDArray[np.float32], shift: PhaseShift) -> NDArray[np.float32]:
    """Crop what `shift_to_rggb` added: the exact inverse. Returns a view."""
    height, width = x.shape
    return x[shift.top : height - shift.bottom, shift.left : width - shift.right]


def pack(mosaic: NDArray[np.float32]) -> NDArray[np.float32]:
    """Split an RGGB mosaic into its four colour planes.

    Parameters
    ----------
    mosaic : (H, W) float32, normalized
        H and W even; sample (0, 0) is red.

    Returns
    -------
    (4, H/2, W/2) float32, normalized
        Planes R, Gr, Gb, B. A copy; `unpack` is the exact inverse.

    Raises
    ------
    ValueError
        H or W is odd.

    Examples
    --------
    >>> pack(np.array([[1, 2], [3, 4]], np.float32)).ravel()
    array([1., 2., 3., 4.], dtype=float32)
    """
    height, width = mosaic.shape
    if height % 2 or width % 2:
        raise ValueError(f"pack needs even sides, got {height}x{width}")
    cells = mosaic.reshape(height // 2, 2, width // 2, 2)
    planes = cells.transpose(1, 3, 0, 2).reshape(4, height // 2, width // 2)
    return np.ascontiguousarray(planes)


def unpack(packed: NDArray[np.float32]) -> NDArray[np.float32]:
    """Interleave four colour planes into an RGGB mosaic: the exact inverse of `pack`.

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


def own_samples(packed: NDArray[np.float32], shift: PhaseShift) -> list[NDArray[np.float32]]:
    """Return the four planes without what `shift_to_rggb` added: views, of sizes that may differ.

    The added rows and columns repeat samples of the same plane two places further in, so a plane
    with them is not what the sensor saw.
    """
    _, height, width = packed.shape
    return [
        packed[
            2 * row + col,
            shift.top * (1 - row) : height - shift.bottom * row,
            shift.left * (1 - col) : width - shift.right * col,
        ]
        for row in (0, 1)
        for col in (0, 1)
    ]


def reflect_again(packed: NDArray[np.float32], shift: PhaseShift) -> None:
    """Renew what `shift_to_rggb` added after samples were changed, in place."""
    if shift.top:
        packed[:2, 0] = packed[:2, 1]
    if shift.bottom:
        packed[2:, -1] = packed[2:, -2]
    if shift.left:
        packed[0::2, :, 0] = packed[0::2, :, 1]
    if shift.right:
        packed[1::2, :, -1] = packed[1::2, :, -2]


def pack_active(mosaic: Mosaic) -> tuple[NDArray[np.float32], PhaseShift]:
    """Normalize and pack the active area of a mosaic; masked borders never reach the network.

    Returns
    -------
    packed : (4, h, w) float32, normalized
        Planes R, Gr, Gb, B.
    shift : PhaseShift
        What `unpack_active` needs.
    """
    area = mosaic.active_area
    x = normalize(mosaic)[area.slices]
    rggb, shift = shift_to_rggb(x, mosaic.cfa.shifted(area.top, area.left))
    return pack(rggb), shift


def unpack_active(
    packed: NDArray[np.float32],
    shift: PhaseShift,
    source: Mosaic,
    steps: Steps = SOURCE_STEPS,
) -> Mosaic:
    """Undo `pack_active`, with `denormalize`'s one rounding and clipping.

    Parameters
    ----------
    packed : (4, h, w) float32, normalized
        Of the shape `pack_active` gave.
    shift : PhaseShift
        From `pack_active`.
    source : Mosaic
        What `pack_active` was given.
    steps : Steps
        What to round to.
    """
    x = np.zeros(source.samples.shape, np.float32)
    x[source.active_area.slices] = shift_back(unpack(packed), shift)
    return denormalize(x, source, steps)


def reflected(index: NDArray[np.intp], length: int) -> NDArray[np.intp]:
    """Turn indices beyond 0..length-1 back by reflection without repeating the edge.

    In a mosaic's rows or columns, that keeps the CFA's phase.
    """
    if length == 1:
        return np.zeros_like(index)
    period = 2 * (length - 1)
    index = index % period
    return np.where(index < length, index, period - index)
