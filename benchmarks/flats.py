"""What is left of the noise on flat areas: ``python benchmarks/flats.py``.

Flat mosaics of several brightnesses and noises, drawn, denoised by both qualities with the true
noise given. What is left, as a share of the noise that was there: of single samples, and of means
over 8x8 packed pixels. The one thing to know: the latter are blotches, which fill a flat sky and
are seen at any size; single samples are fine grain.
"""

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from fadn_cli.denoise.network.specialists import QUALITIES
from fadn_cli.training.judge.evaluate import flat_residual, shipped
from fadn_cli.training.judge.ruler import shot_noise_at

SIGMAS = (0.003, 0.012, 0.03, 0.06, 0.12)  # at x = 0.18
BRIGHTNESSES = (0.002, 0.05, 0.18, 0.8)
SIDE = 256  # packed pixels
BLOCK = 8


def block_means(x: np.ndarray) -> np.ndarray:
    """Return (4, h/8, w/8): the means of 8x8 packed pixels; h and w are multiples of 8."""
    planes, height, width = x.shape
    blocks = x.reshape(planes, height // BLOCK, BLOCK, width // BLOCK, BLOCK)
    return np.asarray(blocks.mean(axis=(2, 4)))


def left(quality: str, sigma: float, brightness: float) -> tuple[float, float]:
    """Return what is left of single samples and of block means, in units of the noise."""
    noise = np.random.default_rng(11).standard_normal((4, SIDE, SIDE)).astype(np.float32)
    denoise = shipped(estimated=False, quality=quality)
    rest = flat_residual(denoise, shot_noise_at(sigma), brightness, noise)
    return float(rest.std()), float(block_means(rest).std())


def main() -> None:
    """Print the table."""
    print("| quality, sigma | " + " | ".join(f"x = {each}" for each in BRIGHTNESSES) + " |")
    print("|---" * (len(BRIGHTNESSES) + 1) + "|")
    for quality in QUALITIES:
        for sigma in SIGMAS:
            cells = (left(quality, sigma, each) for each in BRIGHTNESSES)
            texts = (f"{samples:.3f}, {means:.3f}" for samples, means in cells)
            print(f"| {quality}, {sigma} | " + " | ".join(texts) + " |")


if __name__ == "__main__":
    main()
