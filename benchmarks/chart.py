"""Noise lost on flat patches and sharpness kept at patch edges of a colour chart.

``python benchmarks/chart.py RAW``, for ../shared/raws/canon_kiss_x4_colorchart.dng. Flat: the 150
blocks of 24x24 packed pixels per plane with the least deviation after a quadratic surface is taken
out, so that shading does not count as noise; and the same for luma, the mean of the four packed
planes, and chroma, what is left of each. Edges: the 10-90 % rise of a profile averaged over 24
rows, at the left and right borders of the chart's bottom two rows of patches.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from fadn_cli.denoise.sensors.sites import pack_sites as pack
from fadn_cli.pipeline.file import DenoiseOptions, denoise_file
from fadn_cli.raw.source.reader import read_raw

SIDE = 24
BLOCKS = 150
SHOT, READ = 2.04, 130.0  # the chart's calibration: DN per DN and DN^2
ROWS = ((395, 419), (452, 476))  # of the packed frame, inside the two rows of patches
WINDOW = 9  # packed pixels on each side of an edge
_RANGE = 12944  # the chart's own DN from black to white


def planes(path: Path) -> np.ndarray:
    """Return the packed active area above black, in the chart's DN whatever a file's steps."""
    mosaic = read_raw(path).mosaic
    samples = mosaic.samples[mosaic.active_area.slices].astype(np.float32)
    height, width = (length // 2 * 2 for length in samples.shape)
    black = mosaic.black_level.mean()
    return pack((samples[:height, :width] - black) * (_RANGE / (mosaic.white_level - black)))


def blocks_of(plane: np.ndarray) -> np.ndarray:
    """Return (blocks, pixels) float64: a plane cut into blocks, row by row."""
    height, width = (length // SIDE * SIDE for length in plane.shape)
    cells = plane[:height, :width].reshape(height // SIDE, SIDE, width // SIDE, SIDE)
    return cells.transpose(0, 2, 1, 3).reshape(-1, SIDE * SIDE).astype(np.float64)


def flattened(plane: np.ndarray) -> np.ndarray:
    """Return (blocks, pixels): each block of a plane less its own quadratic surface."""
    blocks = blocks_of(plane)
    rows, cols = np.mgrid[:SIDE, :SIDE] / SIDE
    terms = np.stack([rows**0, rows, cols, rows * cols, rows**2, cols**2], -1).reshape(-1, 6)
    return blocks - blocks @ (terms @ np.linalg.pinv(terms)).T


def detrended(plane: np.ndarray) -> np.ndarray:
    """Return the standard deviation of each block around its own quadratic surface."""
    return flattened(plane).std(axis=1)


def rise(profile: np.ndarray) -> float:
    """Return the 10-90 % rise of an edge profile, packed pixels; nan if it is no clean edge."""
    ends = profile[:3].mean(), profile[-3:].mean()
    scaled = (profile - ends[0]) / (ends[1] - ends[0])
    above = [int(np.argmax(scaled > level)) for level in (0.1, 0.9)]
    if min(above) == 0:
        return float("nan")
    places = [
        first - 1 + (level - scaled[first - 1]) / (scaled[first] - scaled[first - 1])
        for first, level in zip(above, (0.1, 0.9), strict=True)
    ]
    return places[1] - places[0]


def edges(source: np.ndarray) -> list[tuple[tuple[int, int], int]]:
    """Find the steepest places of the patch rows' profiles: ((first row, last row), column)."""
    found = []
    for rows in ROWS:
        profile = source[rows[0] : rows[1]].mean(axis=0)
        slope = np.abs(profile[4:] - profile[:-4])
        for _ in range(10):
            column = int(slope.argmax()) + 2
            if slope.max() < 300:
                break
            found.append((rows, column))
            slope[max(column - 14, 0) : column + 10] = 0
    return found


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("raw", type=Path)
    parser.add_argument("--strength", type=float, default=1.0)
    parser.add_argument("--luma", type=float)
    parser.add_argument("--chroma", type=float)
    arguments = parser.parse_args()
    options = DenoiseOptions(
        strength=arguments.strength, luma=arguments.luma, chroma=arguments.chroma
    )
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "out.dng"
        denoise_file(arguments.raw, output, options)
        before, after = planes(arguments.raw), planes(output)
    print(
        "| plane | noise lost on flat patches | 10-90 % rise of edges, after / before |\n"
        "|---|---|---|"
    )
    for name, source, result in zip(("R", "Gr", "Gb", "B"), before, after, strict=True):
        lost = noise_lost(source, result, source)
        ratios = []
        for (top, bottom), column in edges(source):
            window = slice(max(column - WINDOW, 0), column + WINDOW + 1)
            pair = [rise(plane[top:bottom, window].mean(axis=0)) for plane in (source, result)]
            ratios.append(pair[1] / pair[0])
        count = np.isfinite(ratios).sum()
        print(f"| {name} | {lost:.1%} | {np.nanmedian(ratios):.3f} ({count} edges) |")
    luma, *chroma = luma_and_chroma_lost(before, after)
    print(f"| luma | {luma:.1%} | |\n| chroma | {min(chroma):.1%} to {max(chroma):.1%} | |")


def noise_lost(source: np.ndarray, result: np.ndarray, reference: np.ndarray) -> float:
    """Return the share of noise lost on the flattest blocks of a reference of the same picture."""
    level = detrended(reference) / np.sqrt(np.maximum(noise_variance(reference), 1))
    flat = np.argsort(level)[:BLOCKS]
    return float(1 - np.median(detrended(result)[flat] / detrended(source)[flat]))


def luma_and_chroma_lost(before: np.ndarray, after: np.ndarray) -> list[float]:
    """Return the share of noise lost in luma, then in the chroma of each plane."""
    first, second = before.mean(axis=0), after.mean(axis=0)
    chroma = zip(before - first, after - second, strict=True)
    return [noise_lost(*pair, first) for pair in ((first, second), *chroma)]


def noise_variance(plane: np.ndarray) -> np.ndarray:
    """Return each block's noise variance by the chart's calibration."""
    return SHOT * blocks_of(plane).mean(axis=1) + READ


if __name__ == "__main__":
    main()
