"""What was removed, as a picture: the source minus the output, in units of the noise's sigma.

`pair` calls it. The one thing to know: grey is no change. What a good denoiser removes is noise,
and looks like it: even, without a shape. Where the photograph can be recognised, detail went too.
"""

import numpy as np
from numpy.typing import NDArray

from fadn_cli.noise import NoiseModel

RANGE = 4.0
"""Sigmas from grey to black and to white."""

Picture = NDArray[np.uint8]


def removed(
    before: NDArray[np.float32], after: NDArray[np.float32], noise: NoiseModel
) -> NDArray[np.float32]:
    """Return what was removed, in units of sigma.

    Parameters
    ----------
    before, after : (4, h, w) float32, normalized
        Planes R, Gr, Gb, B, or the same part of them.
    noise : NoiseModel
        Of `before`; its sigma is taken at the levels of `after`.

    Returns
    -------
    (3, h, w) float32
        Red, green (both greens, as noisy as one) and blue; about N(0, 1) where all noise is gone.
    """
    shot, read = noise.shot_noise[:, None, None], noise.read_noise[:, None, None]
    std = np.sqrt(shot * np.maximum(after, 0) + read + np.float32(1e-12))
    sigmas = (before - after) / std
    green = (sigmas[1] + sigmas[2]) * np.float32(0.5**0.5)
    return np.stack([sigmas[0], green, sigmas[3]])


def residual_detail(
    before: NDArray[np.float32], after: NDArray[np.float32], noise: NoiseModel
) -> Picture:
    """Draw what was removed from a detail, every packed pixel two by two pixels large.

    Parameters
    ----------
    before, after : (4, h, w) float32, normalized

    Returns
    -------
    (2h, 2w, 3) uint8
    """
    return _draw(removed(before, after, noise)).repeat(2, axis=0).repeat(2, axis=1)


def residual_overview(
    before: NDArray[np.float32], after: NDArray[np.float32], noise: NoiseModel, *, longest: int
) -> Picture:
    """Draw what was removed from the whole frame.

    Each pixel is a square of packed pixels added up, in units of the sigma that such a sum of noise
    has: noise stays as strong as it is at 100 %, and whatever has a shape stands out from it.

    Parameters
    ----------
    before, after : (4, h, w) float32, normalized
    longest : int
        Pixels of the longer side at most.

    Returns
    -------
    (rows, columns, 3) uint8
        A margin smaller than one square is left out.
    """
    _, height, width = before.shape
    side = -(-max(height, width) // longest)
    rows, columns = height // side, width // side
    sums = np.empty((3, rows, columns), np.float32)
    for row in range(rows):  # in strips: the whole residual would be one more array of that size
        strip = (slice(None), slice(row * side, (row + 1) * side), slice(0, columns * side))
        sigmas = removed(before[strip], after[strip], noise)
        sums[:, row] = sigmas.reshape(3, side, columns, side).sum(axis=(1, 3))
    sums /= np.float32(side)
    return _draw(sums)


def _draw(sigmas: NDArray[np.float32]) -> Picture:
    """Map -RANGE..RANGE sigma to black..white, 0 to grey; (3, h, w) to (h, w, 3)."""
    scale = np.float32(127 / RANGE)
    drawn: Picture = np.clip(np.rint(128 + sigmas.transpose(1, 2, 0) * scale), 0, 255).astype(
        np.uint8
    )
    return drawn
