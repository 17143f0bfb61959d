"""Mosaics as arrays, in DN or normalized."""

import numpy as np

PATTERNS = ("RGGB", "BGGR", "GRBG", "GBRG")
SHOT, READ = 2e-3, 1e-5
"""The noise of `expose`."""


def noisy_samples(height=64, width=96, *, low=600, high=9000, seed=0):
    """A (H, W) uint16 mosaic without constant areas."""
    rng = np.random.default_rng(seed)
    return rng.integers(low, high, (height, width)).astype(np.uint16)


def smooth_samples(height=96, width=128, *, black=512, white=15000, seed=0):
    """A smooth noisy (H, W) uint16 mosaic with a saturated area; `black` may be a pattern."""
    rng = np.random.default_rng(seed)
    rows, cols = np.mgrid[:height, :width]
    x = 0.3 + 0.1 * np.sin(cols / 40 + seed) + 0.05 * np.cos(rows / 30)
    x += rng.normal(0, np.sqrt(4e-4 * x + 2e-5))
    x[20:40, 40:60] = 1.2
    pattern = np.atleast_2d(np.asarray(black, float))
    repeats = (-(-height // pattern.shape[0]), -(-width // pattern.shape[1]))
    black = np.tile(pattern, repeats)[:height, :width]
    return np.clip(np.rint(black + (white - black) * x), 0, white).astype(np.uint16)


def grey_scene(height=150, width=202):
    """A clean (H, W) float32 mosaic, normalized: one grey level per place, in all CFA phases."""
    rows, cols = np.mgrid[:height, :width]
    clean = 0.25 + 0.12 * np.sin(cols / 25) + 0.1 * ((rows // 26 + cols // 34) % 2)
    return clean.astype(np.float32)


def expose(clean, seed=0):
    """Add Poisson-Gaussian noise to a clean normalized mosaic."""
    rng = np.random.default_rng(seed)
    std = np.sqrt(SHOT * clean + READ)
    return (clean + std * rng.standard_normal(clean.shape)).astype(np.float32)
