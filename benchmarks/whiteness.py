"""Whether what was removed from a real raw is white noise, and none of the picture.

``python benchmarks/whiteness.py RAW``, for ../shared/raws/canon_kiss_x4_colorchart.dng. Residual:
(noisy - denoised) / sigma, sigma by the chart's calibration, 2.04 DN per DN and 130 DN^2. White:
its autocorrelation at all lags of up to 4 packed pixels, pooled over the 150 flattest blocks of 24
by 24 of every plane, quadratic surfaces taken out. Of the picture: the share of one green plane's
detail that was removed, told by the other green plane, whose noise is another.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.chart import (  # noqa: E402
    BLOCKS,
    READ,
    SHOT,
    SIDE,
    detrended,
    flattened,
    noise_variance,
    planes,
)
from fadn_cli.denoise.noise.low_pass import low_pass
from fadn_cli.pipeline.file import DenoiseOptions, denoise_file

LAGS = 4


def residual_blocks(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Return (blocks, side, side): the flattest blocks' residual in units of sigma, all planes."""
    found = []
    for source, result in zip(before, after, strict=True):
        flat = np.argsort(detrended(source) / np.sqrt(np.maximum(noise_variance(source), 1)))
        residual = (source - result) / np.sqrt(np.maximum(SHOT * result + READ, 1))
        found.append(flattened(residual)[flat[:BLOCKS]])
    return np.concatenate(found).reshape(-1, SIDE, SIDE)


def autocorrelation(blocks: np.ndarray) -> dict[tuple[int, int], float]:
    """Return the correlation of pixels (rows, columns) apart within blocks, pooled."""
    power = np.mean(blocks**2)
    found = {}
    for rows in range(LAGS + 1):
        for cols in range(-LAGS, LAGS + 1):
            if (rows, cols) <= (0, 0):
                continue
            here = blocks[:, : SIDE - rows, max(-cols, 0) : SIDE - max(cols, 0)]
            there = blocks[:, rows:, max(cols, 0) : SIDE + min(cols, 0)]
            found[rows, cols] = float(np.mean(here * there) / power)
    return found


def detail(plane: np.ndarray) -> np.ndarray:
    """Return a plane less its 5x5 mean, inside the border."""
    return plane[2:-2, 2:-2] - low_pass(plane)


def picture_in(before: np.ndarray, after: np.ndarray) -> tuple[float, float]:
    """Return the share of the picture's detail that was removed: everywhere, and at the top 1 %.

    Told by the other green of each cell, which shows nearly the same picture with noise of its own.
    Clipped samples are left out, since what is clipped is no longer noise.
    """
    found = []
    for mine, other in ((1, 2), (2, 1)):
        sigma = np.sqrt(np.maximum(SHOT * after[mine] + READ, 1))[2:-2, 2:-2]
        removed, whole, twin = (
            detail(plane) / sigma
            for plane in (before[mine] - after[mine], before[mine], before[other])
        )
        unclipped = before[mine, 2:-2, 2:-2] < 0.9 * before.max()
        found.append([each[unclipped] for each in (removed, whole, twin)])
    removed, whole, twin = (np.concatenate(each) for each in zip(*found, strict=True))
    strong = np.abs(twin) > np.quantile(np.abs(twin), 0.99)
    return tuple(
        float(np.mean((removed * twin)[where]) / np.mean((whole * twin)[where]))
        for where in (slice(None), strong)
    )


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("raw", type=Path)
    parser.add_argument("--quality")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "out.dng"
        denoise_file(arguments.raw, output, DenoiseOptions(quality=arguments.quality))
        before, after = planes(arguments.raw), planes(output)
    blocks = residual_blocks(before, after)
    lags = autocorrelation(blocks)
    worst = max(lags, key=lambda lag: abs(lags[lag]))
    everywhere, strong = picture_in(before, after)
    print(f"| samples | {blocks.size} |\n|---|---|\n| std, sigma | {blocks.std():.3f} |")
    print(f"| largest autocorrelation | {lags[worst]:+.4f} at {worst} |")
    for lag in ((0, 1), (1, 0), (1, 1), (1, -1), (0, 2), (2, 0)):
        print(f"| at {lag} | {lags[lag]:+.4f} |")
    print(f"| picture's detail that was removed | {everywhere:+.2%} |")
    print(f"| the same where it is strongest (1 %) | {strong:+.2%} |")


if __name__ == "__main__":
    main()
