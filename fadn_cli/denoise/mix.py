"""Blend the denoised samples with the source: strength, for luma and chroma apart.

`frame` calls `mix` after the network, `pipeline.preparation` states what `equivalent_strength`
says. The one thing to know: the blend is linear in normalized units, and at its ends it returns
the source or the denoised samples bit for bit.
"""

import math

import numpy as np
from numpy.typing import NDArray

_ROWS_PER_BLOCK = 256  # keeps temporaries small: memory must not grow with the image


def mix(
    packed: NDArray[np.float32],
    denoised: NDArray[np.float32],
    *,
    strength: float = 1.0,
    luma: float | None = None,
    chroma: float | None = None,
) -> NDArray[np.float32]:
    """Blend source and denoised linearly, in place in `denoised`.

    Parameters
    ----------
    packed : (planes, h, w) float32, normalized
        The source. Not modified.
    denoised : (planes, h, w) float32, normalized
        Overwritten with the result.
    strength : float
        Share of the denoised samples: 0 gives exactly `packed`, 1 exactly `denoised`.
    luma, chroma : float, optional
        The same for the mean of the planes of a cell, and for what each plane differs from
        it; `strength` where not given.

    Returns
    -------
    (planes, h, w) float32, normalized
        `denoised` itself.

    Raises
    ------
    ValueError
        The shapes differ, or a share is not within 0..1.
    """
    luma = strength if luma is None else luma
    chroma = strength if chroma is None else chroma
    if packed.shape != denoised.shape:
        raise ValueError(f"packed is {packed.shape}, denoised {denoised.shape}")
    if not (0 <= luma <= 1 and 0 <= chroma <= 1):
        raise ValueError(f"strength must be within 0..1, got luma {luma}, chroma {chroma}")
    if luma == chroma == 1:
        return denoised
    if luma == chroma == 0:
        denoised[...] = packed
        return denoised
    keep_luma, keep_chroma = np.float32(1 - luma), np.float32(1 - chroma)
    for start in range(0, packed.shape[1], _ROWS_PER_BLOCK):
        rows = slice(start, start + _ROWS_PER_BLOCK)
        removed = packed[:, rows] - denoised[:, rows]
        if luma != chroma:
            denoised[:, rows] += (keep_luma - keep_chroma) * removed.mean(axis=0)
        denoised[:, rows] += keep_chroma * removed
    return denoised


def equivalent_strength(luma: float, chroma: float, *, planes: int = 4) -> float:
    """Return the strength that leaves as much noise as luma and chroma apart.

    Noise that is white and of one strength in n planes has 1/n of its variance in the mean of a
    cell, and the rest in what the planes differ from it.

    Examples
    --------
    >>> equivalent_strength(0.8, 0.8), round(equivalent_strength(0.3, 1), 2)
    (0.8, 0.65)
    """
    if luma == chroma:
        return luma
    return 1 - math.sqrt(((1 - luma) ** 2 + (planes - 1) * (1 - chroma) ** 2) / planes)
