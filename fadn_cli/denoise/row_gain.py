"""Whether pairs of rows were read out with two gains, as Magic Lantern's Dual ISO does.

`sense` asks. The one thing to know: stripes of the scene look the same but for the noise; rows with
more gain are noisier than other rows of the same brightness.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fadn_cli.denoise.cells import MARGIN, SATURATED, SIDE
from fadn_cli.quantiles import quantile, quantiles

_LEAST_TILES = 12
_LEAST_GAIN = 1.6
_AGREEING = 0.9  # share of the tiles that show the rows' gain
_SAME_GAIN = 1.3  # the planes' gains agree within that factor
_EXTRA_NOISE = 1.15  # times what light alone would add to the noise of brighter rows
_AT_SAME_LEVEL = 2.0  # times the noise of darker rows where both are equally bright
_STRIPES = 0.3  # columns may alternate by that share of what rows do
_FLAT = 0.15  # share of the tiles of one level, the weakest textured
_LEVELS = 8
_TEXTURED = 1.5  # times the variance between near samples that there is between far ones
_SEEN = 6.0  # standard errors of a tile's mean above black: others cannot agree or disagree

Samples = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Rows:
    """Rows of tiles, plane by plane, for one of the two parities of rows."""

    level: Samples
    """(N, 4) normalized means."""
    variance: Samples
    """(3, N, 4): of every other row of cells, which chooses; of the rest, which measures; of these
    at twice the distance, where texture shows more."""


def find_row_gain(bands: Samples) -> float:
    """Return by what factor every other pair of rows is brighter, with the noise of that gain.

    Parameters
    ----------
    bands : (bands, SIDE + 8, 24n + 8) float32, normalized
        Of `cells.sample_bands`.

    Returns
    -------
    float
        1 where rows are alike, or stripes of the scene.
    """
    cells = _cut(bands)
    whole = cells.max(axis=(2, 3, 4, 5)) < SATURATED
    if whole.sum(axis=0).min() < _LEAST_TILES and whole.sum() < 4 * _LEAST_TILES:
        return 1.0
    bright, dark = _split(cells)
    high, low = (np.where(whole, rows.level, 0).sum(axis=0) for rows in (bright, dark))
    seen = whole.sum(axis=0) >= _LEAST_TILES
    gains = (high / np.maximum(low, 1e-9))[seen]
    gain = float(np.exp(np.log(np.maximum(gains, 1e-3)).mean()))
    if not (gain > _LEAST_GAIN and gains.max() < _SAME_GAIN**2 * gains.min()):
        return 1.0
    if not (
        _is_everywhere(bright, dark, whole, gain)
        and _columns(cells, whole) < 1 + _STRIPES * (gain - 1)
    ):
        return 1.0
    bright, dark = (
        _Rows(level=rows.level[whole], variance=rows.variance[:, whole]) for rows in (bright, dark)
    )
    return gain if _is_amplified(bright, dark) else 1.0


def _cut(bands: Samples) -> Samples:
    """Cut bands into (N, plane, row parity, column parity, cell row, cell column)."""
    inner = slice(MARGIN, -MARGIN)
    own = bands[:, inner, inner]
    side = SIDE // 4
    tiles = own.reshape(len(own), side, 2, 2, -1, side, 2, 2)
    return tiles.transpose(0, 4, 3, 7, 2, 6, 1, 5).reshape(-1, 4, 2, 2, side, side)


def _split(cells: Samples) -> tuple[_Rows, _Rows]:
    """Return the brighter and the darker rows of each plane."""
    left, middle, right = cells[..., 0, :, :-1], cells[..., 1, :, :-1], cells[..., 0, :, 1:]
    near = np.square(2 * middle - left - right) / 6  # N, plane, row parity, cell row, cell column
    far = np.square(2 * left[..., 1:] - left[..., :-1] - right[..., 1:]) / 6
    halves = near[:, :, :, ::2], near[:, :, :, 1::2], far[:, :, :, 1::2]
    variance = np.stack([half.mean(axis=(3, 4)) for half in halves])
    level = cells.mean(axis=(3, 4, 5))  # N, plane, row parity
    bright = level.sum(axis=0).argmax(axis=1)
    planes = np.arange(4)
    first, second = (
        _Rows(level=level[:, planes, parity], variance=variance[:, :, planes, parity])
        for parity in (bright, 1 - bright)
    )
    return first, second


def _is_everywhere(bright: _Rows, dark: _Rows, whole: NDArray[np.bool_], gain: float) -> bool:
    """Tell whether nearly all tiles that are not black show the gain."""
    both = bright.level + dark.level
    samples = 2 * (SIDE // 4) ** 2
    error = np.sqrt((bright.variance[1] + dark.variance[1]) / samples)
    seen = whole & (both > _SEEN * error)
    shown = bright.level - dark.level > (gain - 1) / (gain + 1) / 2 * both
    return bool(seen.sum() >= _LEAST_TILES and shown[seen].mean() > _AGREEING)


def _columns(cells: Samples, whole: NDArray[np.bool_]) -> float:
    """Return how many times as bright every other column of a plane is."""
    columns = np.where(whole[..., None], cells.mean(axis=(2, 4, 5)), 0).sum(axis=0)
    return float((columns.max(axis=1) / np.maximum(columns.min(axis=1), 1e-9)).max())


def _is_amplified(bright: _Rows, dark: _Rows) -> bool:
    """Tell gains from stripes in the scene: those are no noisier than their light makes them."""
    high, low = bright.level, dark.level
    least, most = max(high.min(), low.min()), min(high.max(), low.max())
    edges = quantiles(np.append(high, low), np.linspace(0, 1, 2 * _LEVELS + 1).tolist())
    ratios, smooth = [], []
    for start, stop in zip(edges, edges[1:], strict=False):
        if start >= least and stop <= most:
            loud, rough = _flat_variance(bright.variance[:, (high >= start) & (high < stop)])
            quiet, _ = _flat_variance(dark.variance[:, (low >= start) & (low < stop)])
            if min(loud, quiet) > 0:
                ratios.append(loud / quiet)
                smooth.append(rough < _TEXTURED)
    if len(ratios) >= 2:
        shown = np.array(ratios)[smooth if sum(smooth) >= 2 else slice(None)]
        return quantile(shown, 0.5) > _AT_SAME_LEVEL
    # no level occurs in both: light alone adds as much variance as brightness, at most
    (loud, _), (quiet, _) = (_flat_variance(rows.variance) for rows in (bright, dark))
    return loud > _EXTRA_NOISE * float(high.sum() / max(low.sum(), 1e-9)) * quiet


def _flat_variance(variance: Samples) -> tuple[float, float]:
    """Average the (3, N) variances where they are weakest, 0 if there are few; and their texture.

    That is how many times as much samples differ that lie twice as far apart.
    """
    choosing, near, far = variance
    if len(choosing) < _LEAST_TILES:
        return 0.0, 0.0
    flat = np.argsort(choosing, kind="stable")[: max(round(_FLAT * len(choosing)), 4)]
    return float(near[flat].mean()), float(far[flat].mean() / max(near[flat].mean(), 1e-20))
