"""Write the model card's picture of what goes wrong: ``python benchmarks/failures.py OUTPUT.png``.

Three drawn mosaics that denoisers fail on, each clean, noisy and denoised with the default quality:
texture that fades below its noise from left to right, lines one pixel wide of falling contrast,
and noise that some camera has already smoothed.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from fadn_cli import denoise_mosaic  # noqa: E402

SIZE = 200
GAP = 12
SHOT, READ = 6.4e-3, 5.1e-5  # level D of the ruler
GREY = 0.18
SIGMA = (SHOT * GREY + READ) ** 0.5


def smoothed(values: np.ndarray, radius: int) -> np.ndarray:
    """Return the mean over a square of (2 radius + 1)^2, wrapped at the borders."""
    for axis in (0, 1):
        shifts = [np.roll(values, shift, axis) for shift in range(-radius, radius + 1)]
        values = np.mean(shifts, axis=0)
    return values


def fading_texture(rng: np.random.Generator) -> np.ndarray:
    """Draw random texture two pixels fine, from four sigma on the left to none on the right."""
    texture = smoothed(rng.standard_normal((SIZE, SIZE)), 1)
    return GREY + texture / texture.std() * SIGMA * np.linspace(4, 0, SIZE)


def fading_lines(_: np.random.Generator) -> np.ndarray:
    """Draw slanted lines one pixel wide, from eight sigma at the top to one at the bottom."""
    rows, columns = np.mgrid[:SIZE, :SIZE]
    line = (columns + rows // 4) % 12 == 0
    return GREY + line * SIGMA * np.linspace(8, 1, SIZE)[:, None]


def expose(clean: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the mosaic with the noise of the sensor."""
    noise = np.sqrt(SHOT * clean.clip(0) + READ) * rng.standard_normal(clean.shape)
    return clean + noise


def expose_smoothed(clean: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the mosaic with noise that was smoothed over 3x3 samples, of the same strength."""
    noise = smoothed(rng.standard_normal(clean.shape), 1)
    return clean + SIGMA * noise / noise.std()


def shown(mosaic: np.ndarray) -> np.ndarray:
    """Return grey levels, brightened and gamma-encoded, at 200 %."""
    encoded = (mosaic.clip(0, 0.5) / 0.5) ** (1 / 2.2) * 255
    return encoded.round().astype(np.uint8).repeat(2, axis=0).repeat(2, axis=1)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", type=Path)
    arguments = parser.parse_args()
    rng = np.random.default_rng(4)
    rows = []
    for draw, noisily in (
        (fading_texture, expose),
        (fading_lines, expose),
        (lambda _: np.full((SIZE, SIZE), GREY), expose_smoothed),
    ):
        clean = draw(rng)
        noisy = noisily(clean, rng).astype(np.float32)
        denoised = denoise_mosaic(noisy, shot_noise=SHOT, read_noise=READ)
        gap = np.full((2 * SIZE, GAP), 255, np.uint8)
        parts = [shown(part) for part in (clean, noisy, denoised)]
        rows.append(np.concatenate([parts[0], gap, parts[1], gap, parts[2]], axis=1))
        rows.append(np.full((GAP, rows[0].shape[1]), 255, np.uint8))
    Image.fromarray(np.concatenate(rows[:-1])).save(arguments.output)


if __name__ == "__main__":
    main()
