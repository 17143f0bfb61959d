"""Photographs with bad pixels: a smooth noisy scene, and places where a value marks it."""

import numpy as np

HEIGHT, WIDTH, BLACK, WHITE = 128, 192, 512, 15000
GAINS = {"R": 0.5, "G": 1.0, "B": 0.625}
SHOT, READ = 4e-4, 2e-5
PLACES = {
    "scattered": [(row, col) for row in range(3, HEIGHT - 3, 17) for col in range(5, WIDTH, 23)],
    "borders and corners": [
        *((row, col) for row in (0, 1, HEIGHT - 1) for col in (0, 1, 50, WIDTH - 2, WIDTH - 1)),
        *((row, col) for row in (40, 41, 90) for col in (0, WIDTH - 1)),
    ],
    "a column": [(row, 77) for row in range(HEIGHT)],
    "clusters": [
        (row + down, col + right)
        for row, col in ((20, 30), (70, 120), (100, 44))
        for down in range(4)
        for right in range(3)
    ],
}


def clean(cfa="RGGB", top=0, left=0):
    """A smooth scene, as a mosaic whose pattern begins at (top, left)."""
    rows, cols = np.mgrid[:HEIGHT, :WIDTH]
    light = 0.3 + 0.12 * np.sin(cols / 30) + 0.08 * np.cos(rows / 22)
    colors = np.array(list(cfa)).reshape(2, 2)[(rows - top) % 2, (cols - left) % 2]
    return light * np.vectorize(GAINS.get)(colors)


def exposed(x, white=WHITE, black=BLACK):
    """Noise, rounded to DN and clipped to what the levels hold; 0 is left to marks."""
    rng = np.random.default_rng(1)
    noisy = x + rng.normal(0, 1, x.shape) * np.sqrt(SHOT * x + READ)
    return np.clip(np.rint(black + noisy * (white - black)), 1, white).astype(np.uint16)


def marked(samples, places, constant=0):
    samples = samples.copy()
    samples[tuple(np.transpose(places))] = constant
    return samples
