"""Drawn mosaics, normalized: a scene through filters of any block size, with noise."""

import numpy as np

HEIGHT, WIDTH = 288, 384
GREY = (0.5, 1.0, 0.625)
QUIET, LOUD = (4e-5, 1e-8), (4e-3, 2e-5)
ROWS, COLS = np.mgrid[:HEIGHT, :WIDTH]


def light(textured=True):
    """A smooth scene, its right half textured."""
    wave = 0.25 + 0.12 * np.sin(COLS / 60) + 0.08 * np.cos(ROWS / 45)
    return wave + textured * 0.05 * np.sin((ROWS + COLS) / 6) * (WIDTH // 2 < COLS)


def mosaic(scene, gains=GREY, *, side=1, offset=(0, 0), colors="RGGB"):
    """Sample a grey scene through blocks of colours."""
    rows, cols = (ROWS + offset[0]) // side % 2, (COLS + offset[1]) // side % 2
    filters = np.array([gains["RGB".index(color)] for color in colors])
    return scene * filters[2 * rows + cols]


def expose(clean, noise=QUIET, seed=0):
    """Add noise, clip at white."""
    shot, read = noise
    std = np.sqrt(shot * np.maximum(clean, 0) + read)
    return np.minimum(clean + std * np.random.default_rng(seed).normal(size=clean.shape), 1)
