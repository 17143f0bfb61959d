"""Whether the pattern of the cell shows on flat areas: ``python benchmarks/cell_patterns.py``.

Flat coloured mosaics, drawn at three levels of noise, denoised by each quality of each sensor. Two
figures: the largest autocorrelation, colour by colour, of what was removed, at lags of up to 6
samples; and how far means of the output over each site of the CFA's cell are from their colour's,
in units of the noise. Both are 0 where nothing but white noise was removed.
"""

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import fadn_cli  # noqa: E402
from fadn_cli.denoise.network.specialists import bundled  # noqa: E402
from fadn_cli.mosaic.cfa import CANONICAL, CfaPattern  # noqa: E402

SIDE, BORDER = 768, 48
LAGS = 6
LEVELS = {"A": (1e-4, 6.3e-9), "C": (1.6e-3, 2.6e-6), "E": (2.56e-2, 1.1e-3)}
"""Shot and read noise."""
LIGHT = {"R": 0.11, "G": 0.18, "B": 0.14, "Y": 0.18}


def autocorrelation(removed: np.ndarray, colors: np.ndarray) -> float:
    """Return the largest, in magnitude, of pairs of samples of one colour up to LAGS apart."""
    most = 0.0
    for color in np.unique(colors):
        own = np.where(colors == color, removed, 0)
        own = own - np.where(colors == color, own.sum() / (colors == color).sum(), 0)
        is_own = (colors == color).astype(np.float32)
        power = (own**2).sum() / is_own.sum()
        for row in range(LAGS + 1):
            for col in range(-LAGS, LAGS + 1):
                if (row, col) <= (0, 0):
                    continue
                here = slice(row, None), slice(max(col, 0), SIDE + min(col, 0))
                there = slice(None, SIDE - row), slice(max(-col, 0), SIDE - max(col, 0))
                pairs = (is_own[here] * is_own[there]).sum()
                if pairs:
                    found = (own[here] * own[there]).sum() / pairs / power
                    most = max(most, abs(float(found)))
    return most


def site_means(left: np.ndarray, cfa: CfaPattern) -> float:
    """Return the largest distance of a site's mean from its colour's, of what is left."""
    side = cfa.period
    inner = left[BORDER:-BORDER, BORDER:-BORDER]
    inner = inner[: inner.shape[0] // side * side, : inner.shape[1] // side * side]
    means = inner.reshape(-1, side, inner.shape[1] // side, side).mean(axis=(0, 2))
    start = cfa.shifted(BORDER, BORDER)
    colors = np.array([[start.at(row, col) for col in range(side)] for row in range(side)])
    away = [means[colors == each] - means[colors == each].mean() for each in np.unique(colors)]
    return float(max(np.abs(each).max() for each in away))


def measure(kind: str, quality: str, shot: float, read: float) -> tuple[float, float]:
    """Return both figures of one quality of a sensor."""
    cfa = CANONICAL[kind]
    rows, cols = np.mgrid[:SIDE, :SIDE]
    letters = np.vectorize(cfa.at)(rows, cols)
    clean = np.vectorize(LIGHT.get)(letters).astype(np.float32)
    std = np.sqrt(shot * clean + read)
    noise = np.random.default_rng(3).standard_normal(clean.shape).astype(np.float32)
    noisy = (clean + std * noise).astype(np.float32)
    given = {"shot_noise": shot, "read_noise": read, "quality": quality}
    output = fadn_cli.denoise_mosaic(noisy, cfa=cfa.name, **given)
    removed = (noisy - output) / std
    return autocorrelation(removed, letters), site_means((output - clean) / std, cfa)


def main() -> None:
    """Print the table."""
    print("| | " + " | ".join(f"{level}: lags, sites" for level in LEVELS) + " |")
    print("|---" * (len(LEVELS) + 1) + "|")
    for kind, quality in dict.fromkeys((each.cfa_kind, each.quality) for each in bundled()):
        figures = (measure(kind, quality, *noise) for noise in LEVELS.values())
        cells = " | ".join(f"{lags:.3f}, {sites:.4f}" for lags, sites in figures)
        print(f"| {kind} {quality} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
