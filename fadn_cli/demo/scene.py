"""The scene that `fadn demo` photographs: a harbour town at dusk, drawn with numpy.

`run` calls `draw_scene`. The one thing to know: it returns light, linear and unclipped above, and
holds what denoisers trip over: smooth gradients, fine lines, texture, colours and lamps.
"""

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]

_SEED = 7
_OVERSAMPLING = 2  # drawn finer and averaged, as a lens and a pixel's area would
_HORIZON = 0.32
_QUAY = 0.645
_WATER = 0.68
_WALLS = (
    (0.62, 0.16, 0.10),
    (0.75, 0.55, 0.12),
    (0.12, 0.30, 0.52),
    (0.70, 0.66, 0.58),
    (0.16, 0.42, 0.24),
    (0.78, 0.32, 0.10),
    (0.52, 0.20, 0.36),
    (0.10, 0.44, 0.46),
    (0.80, 0.70, 0.30),
    (0.40, 0.12, 0.12),
)
"""Reflectances of the houses' walls, linear sRGB."""


def draw_scene(height: int, width: int) -> NDArray[np.float32]:
    """Draw the harbour town.

    Parameters
    ----------
    height, width : int
        Pixels, at least 16; drawn for width = 1.5 height, others show more or less of the same.

    Returns
    -------
    (height, width, 3) float32
        Linear sRGB light, 0 = none, 1 = what saturates the sensor; lamps exceed it. The same
        on every call.
    """
    rows, cols = height * _OVERSAMPLING, width * _OVERSAMPLING
    y = np.linspace(0, 1, rows, dtype=np.float32)[:, None]
    x = np.linspace(0, width / height, cols, dtype=np.float32)[None, :]
    rng = np.random.default_rng(_SEED)
    light = _sky(rng, y, x)
    _mountains(rng, light, y, x)
    _houses(rng, light, y, x)
    _quay(rng, light, y, x)
    _lamps(light, y, x)
    _water(rng, light, y, x)
    _boat(light, y, x)
    cells = light.reshape(height, _OVERSAMPLING, width, _OVERSAMPLING, 3)
    scene: NDArray[np.float32] = cells.mean(axis=(1, 3), dtype=np.float32)
    return scene


def _rgb(*color: float) -> Plane:
    """A colour as a (3,) array."""
    return np.array(color, np.float32)


def _noise(rng: np.random.Generator, y: Plane, x: Plane, *, cells: tuple[int, int]) -> Plane:
    """Fractal texture, about -1 to 1: octaves of smoothly interpolated random grids."""
    total = np.zeros((y.size, x.size), np.float32)
    for octave in range(6):
        grid_rows, grid_cols = (count * 2**octave for count in cells)
        grid = rng.normal(0, 0.5, (grid_rows + 2, grid_cols + 2)).astype(np.float32)
        down = _along(grid, y.ravel() * grid_rows)
        total += _along(down.T, x.ravel() / x.max() * grid_cols).T / np.float32(1.7**octave)
    return total


def _along(grid: Plane, position: Plane) -> Plane:
    """Interpolate the rows of a grid at fractional positions, with zero slope at the nodes."""
    first = position.astype(int)
    share = position - first
    share = (share * share * (3 - 2 * share))[:, None]
    between: Plane = grid[first] * (1 - share) + grid[first + 1] * share
    return between


def _paint(light: Plane, mask: NDArray[np.bool_], color: Plane) -> None:
    """Put a colour, or one per pixel, where the mask is."""
    np.copyto(light, color, where=mask[..., None])


def _cut(
    light: Plane, y: Plane, x: Plane, *, rows: tuple[float, float], cols: tuple[float, float]
) -> tuple[Plane, Plane, Plane]:
    """Views of the part between two heights and two sides, so that small things cost little."""
    down = slice(*np.searchsorted(y.ravel(), rows))
    across = slice(*np.searchsorted(x.ravel(), cols))
    return light[down, across], y[down], x[:, across]


def _sky(rng: np.random.Generator, y: Plane, x: Plane) -> Plane:
    """Dusk: blue above, orange at the horizon, streaks of cloud, stars and a moon."""
    low = np.clip(y / _HORIZON, 0, 1)[..., None]
    zenith, middle, horizon = _rgb(0.006, 0.02, 0.07), _rgb(0.06, 0.09, 0.22), _rgb(0.62, 0.27, 0.1)
    clear = zenith + (middle - zenith) * low + (horizon - middle) * low**4
    clouds = np.clip(_noise(rng, y, x, cells=(14, 3)) - 0.15, 0, 1)[..., None]
    light: Plane = clear + clouds * (_rgb(0.30, 0.13, 0.11) * low**1.5)
    for down, across, glow in rng.random((60, 3)).astype(np.float32):
        row, col = int(down * 0.3 * y.size), int(across * (x.size - 4))
        light[row : row + 4, col : col + 4] += glow * np.float32(0.3)
    distance = np.sqrt((y - 0.15) ** 2 + (x - 1.16) ** 2)[..., None]
    light += np.exp(-distance / 0.05) * _rgb(0.16, 0.16, 0.18)
    craters = 1 + 0.12 * _noise(rng, y, x, cells=(16, 24))
    _paint(light, distance[..., 0] < 0.036, _rgb(0.72, 0.70, 0.62) * craters[..., None])
    return light


def _mountains(rng: np.random.Generator, light: Plane, y: Plane, x: Plane) -> None:
    """Three ridges, the farther the paler, with snow on the first."""
    rock = _noise(rng, y, x, cells=(12, 18))
    for base, color in ((0.27, (0.13, 0.11, 0.17)), (0.37, (0.06, 0.07, 0.10)), (0.45, None)):
        ridge = base - 0.045 * _noise(rng, np.zeros((1, 1), np.float32), x, cells=(1, 4))
        if color is None:
            shade = _rgb(0.02, 0.045, 0.025) * (1 + 0.9 * rock)[..., None]
        else:
            shade = _rgb(*color) * (1 + 0.35 * rock)[..., None]
        _paint(light, y > ridge, np.maximum(shade, 0.002))
        if base < 0.3:
            snow = (y > ridge) & (y < ridge + 0.03 + 0.025 * rock)
            _paint(light, snow, _rgb(0.34, 0.27, 0.30) * (1 + 0.15 * rock)[..., None])


def _houses(rng: np.random.Generator, light: Plane, y: Plane, x: Plane) -> None:
    """A row of gabled houses: planked walls, tiled roofs, windows lit and dark."""
    left = -0.02
    number = 0
    while left < x.max():
        width = 0.10 + 0.05 * rng.random()
        eaves = 0.50 - 0.07 * rng.random()
        color = _rgb(*_WALLS[number % len(_WALLS)]) * np.float32(0.30 + 0.15 * rng.random())
        wall, down, _ = _cut(light, y, x, rows=(eaves, _QUAY), cols=(left, left + width))
        planks = 1 - np.float32(0.35) * ((down * 150) % 1 < 0.3)
        wall[...] = color * planks[..., None]
        top = eaves - 0.055
        roof, down, across = _cut(light, y, x, rows=(top, eaves), cols=(left, left + width))
        tiles = 0.75 + 0.5 * ((down * 130 + 0.5 * ((across * 45) % 1 > 0.5)) % 1)
        below_gable = down > top + np.abs(across - left - width / 2) * 1.1
        color = _rgb(0.16, 0.06, 0.045) * tiles[..., None].astype(np.float32)
        _paint(roof, below_gable, color)
        for row in np.arange(eaves + 0.02, _QUAY - 0.04, 0.045):
            for col in left + width * np.array((0.1, 0.4, 0.7)):
                window = _cut(light, y, x, rows=(row, row + 0.028), cols=(col, col + width * 0.2))
                _window(rng, *window)
        left += width
        number += 1


def _window(rng: np.random.Generator, light: Plane, y: Plane, x: Plane) -> None:
    """A window that fills the cut, lit or dark, with a white frame and crossbars."""
    lit = rng.random() < 0.4
    brightness = np.float32(0.5 + 0.7 * rng.random())
    light[...] = _rgb(1.1, 0.62, 0.2) * brightness if lit else _rgb(0.02, 0.03, 0.05)
    if light.size:
        down = np.abs(np.linspace(-0.5, 0.5, y.size))[:, None]
        across = np.abs(np.linspace(-0.5, 0.5, x.size))[None, :]
        bars = (np.minimum(down, 0.5 - down) < 0.06) | (np.minimum(across, 0.5 - across) < 0.07)
        _paint(light, bars, _rgb(0.30, 0.29, 0.27))


def _quay(rng: np.random.Generator, light: Plane, y: Plane, x: Plane) -> None:
    """A wall of stone blocks."""
    wall, y, x = _cut(light, y, x, rows=(_QUAY, _WATER), cols=(-1, 99))
    course = np.floor(y * 110)
    joints = ((y * 110) % 1 < 0.2) | ((x * 40 + 0.5 * (course % 2)) % 1 < 0.06)
    stone = np.where(joints, 0.03, 0.13) * (1 + 0.3 * _noise(rng, y - _QUAY, x, cells=(40, 60)))
    wall[...] = _rgb(1, 0.9, 0.8) * stone[..., None]


def _lamps(light: Plane, y: Plane, x: Plane) -> None:
    """Street lamps, bright enough to saturate, and their glow."""
    for lamp in np.arange(0.12, x.max(), 0.3):
        pole, _, _ = _cut(light, y, x, rows=(0.555, _QUAY), cols=(lamp - 0.0018, lamp + 0.0018))
        pole[...] = 0.02
        air, down, across = _cut(light, y, x, rows=(0.4, 0.7), cols=(lamp - 0.15, lamp + 0.15))
        near = np.sqrt((down - 0.55) ** 2 + (across - lamp) ** 2)[..., None]
        air += _rgb(1.0, 0.7, 0.35) * (0.35 * np.exp(-near / 0.02) + 4 * (near < 0.007))


def _water(rng: np.random.Generator, light: Plane, y: Plane, x: Plane) -> None:
    """The picture above the water line, upside down, drawn out by ripples."""
    rows, cols = light.shape[:2]
    first = int(np.searchsorted(y.ravel(), _WATER))
    depth = np.arange(rows - first)
    swell = _noise(rng, y, x, cells=(60, 8))[first:]
    nearness = (depth / depth.max())[:, None]
    offset = swell * (0.004 + 0.02 * nearness) * rows
    source = np.clip(first - 1 - 1.25 * depth[:, None] + offset, 0, first - 1).astype(int)
    columns = np.clip(np.arange(cols) + offset * 0.15, 0, cols - 1).astype(int)
    mirrored = np.minimum(light[source, columns], 1.2)
    light[first:] = mirrored * _rgb(0.5, 0.55, 0.6) + _rgb(0.004, 0.010, 0.016)


def _boat(light: Plane, y: Plane, x: Plane) -> None:
    """A sailing boat at anchor: a striped hull, a mast and its thin rigging."""
    light, y, x = _cut(light, y, x, rows=(0.5, 0.9), cols=(0.45, 0.79))
    across, down = (x - 0.62) / 0.15, (y - 0.80) / 0.045
    hull = (down > 0) & (down < 1) & (np.abs(across) < 1 - 0.35 * down**2)
    _paint(light, hull, _rgb(0.42, 0.40, 0.36))
    _paint(light, hull & (down > 0.3) & (down < 0.45), _rgb(0.45, 0.03, 0.03))
    _paint(light, hull & (down > 0.75), _rgb(0.03, 0.06, 0.16))
    aloft = (y > 0.53) & (y < 0.80)
    _paint(light, aloft & (np.abs(x - 0.62) < 0.0022), _rgb(0.34, 0.22, 0.12))
    for foot in (-0.14, -0.07, 0.07, 0.14):
        line = np.abs(x - 0.62 - foot * (y - 0.53) / 0.27) < 0.0009
        _paint(light, aloft & line, _rgb(0.28, 0.27, 0.25))
