"""The ruler's photographs: clean mosaics by the published recipe, noisy ones, the same everywhere.

`evaluate`, `files` and `robustness` measure on them. The one thing to know: levels A to E have shot
noise 1e-4 to 2.56e-2, S has C's noise, 3 EV underexposed; crops, draws and seeds are fixed, and
photographs, cameras and light are the same for every sensor.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fadn_cli.denoise.sensors.bayer import BAYER
from fadn_cli.denoise.sensors.sensor import Sensor
from fadn_cli.mosaic.cfa import CANONICAL
from fadn_cli.training.data.photos import RGB_TO_XYZ, SUFFIXES, XYZ_TO_CAMERA
from fadn_cli.training.data.synthesis import CAMERA_OFFSET, CAMERA_SLOPE, READ_OFFSET, READ_SLOPE

Levels = Mapping[str, tuple[float, float]]
"""Name -> (shot noise, exposure)."""
LEVELS: Levels = {
    "A": (1e-4, 1.0),
    "B": (4e-4, 1.0),
    "C": (1.6e-3, 1.0),
    "D": (6.4e-3, 1.0),
    "E": (2.56e-2, 1.0),
    "S": (1.6e-3, 0.125),
}
CROP = 320
"""Samples per side, at most; an X-Trans mosaic has the nearest number that suits it."""
GREY = (0.25, 0.5, 0.25)
"""What a sensor without colours sees of a camera's red, green and blue."""
SEED = 7


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Case:
    """One photograph at one level."""

    name: str
    """File stem of the photograph."""
    level: str
    """"A" to "E" or "S"."""
    clean: NDArray[np.float32]
    """(planes, h, w) normalized."""
    noisy: NDArray[np.float32]
    """(planes, h, w) normalized."""
    shot_noise: float
    """Variance per unit signal."""
    read_noise: float
    """Variance."""


def shot_noise_at(grey_std: float) -> float:
    """Return the shot noise of a typical sensor whose noise at x = 0.18 has this sigma."""
    shots = np.geomspace(1e-6, 0.1, 400)
    greys = np.sqrt(0.18 * shots + typical_read_noise(shots))
    return float(np.interp(grey_std, greys, shots))


def typical_read_noise(shot_noise: Any) -> Any:
    """Return the read noise of a sensor with this shot noise [Brooks et al., CVPR 2019]."""
    return np.exp(READ_SLOPE * np.log(shot_noise) + READ_OFFSET)


def camera_read_noise(shot_noise: float) -> float:
    """Return the read noise of a camera with this shot noise, a typical one of its calibrations."""
    return math.exp(CAMERA_SLOPE * math.log(shot_noise) + CAMERA_OFFSET)


def colors_exactly(
    rgb: NDArray[np.uint8], rng: np.random.Generator, sensor: Sensor = BAYER
) -> NDArray[np.float64]:
    """Turn an (H, W, 3) sRGB photograph into what each colour of a camera's sensor sees.

    The training's `photos.unprocess` is the same recipe in tensors, float32 and wider draws; the
    ruler keeps float64 and its sequence of draws so that its numbers stay the same everywhere.

    Returns
    -------
    (H, W, colours) float64, normalized, 0..1
        Red, green and blue, or `GREY` of them, as bright as green.
    """
    x = rgb.astype(np.float64) / 255
    x = 0.5 - np.sin(np.arcsin(1.0 - 2.0 * x) / 3.0)
    x = np.clip(x, 1e-8, 1) ** 2.2
    cameras = XYZ_TO_CAMERA.double().numpy().round(7)
    matrix = np.tensordot(rng.dirichlet(np.ones(len(cameras))), cameras, 1)
    matrix = matrix @ RGB_TO_XYZ.double().numpy().round(7)
    matrix /= matrix.sum(1, keepdims=True)
    x = np.clip(x @ matrix.T, 0, 1)
    brightness = 1 / np.clip(rng.normal(0.8, 0.1), 0.5, 1.1)
    gains = np.array([1 / rng.uniform(1.9, 2.4), 1.0, 1 / rng.uniform(1.5, 1.9)]) / brightness
    mask = (np.clip(x.mean(-1, keepdims=True) - 0.9, 0, None) / 0.1) ** 2
    if not sensor.has_color:
        x, gains = x @ np.array(GREY)[:, None], gains[1:2]
    seen: NDArray[np.float64] = x * np.maximum(mask + (1 - mask) * gains, gains)
    return seen


def side_in_cells(length: int, most: int, sensor: Sensor) -> int:
    """Return how many cells of a side are kept: those of `most` samples, if there are as many.

    An X-Trans mosaic is cut to the multiple of 12 samples that is nearest.
    """
    whole = 12 // sensor.cell if sensor.kind == "xtrans" else 1  # cells
    return min(round(most / sensor.cell / whole), length // sensor.cell // whole) * whole


def cut_mosaic(
    colors: NDArray[np.float64], sensor: Sensor, rows: int, cols: int
) -> NDArray[np.float32]:
    """Cut the middle out of what each colour sees, as the mosaic of a sensor.

    Parameters
    ----------
    colors : (H, W, colours) float64
        Of `colors_exactly`.
    sensor : Sensor
    rows, cols : int
        Packed pixels to keep.

    Returns
    -------
    (planes, rows, cols) float32, normalized
        In the canonical phase.
    """
    cell = sensor.cell
    top, left = (
        (length // cell - kept) // 2 * cell
        for length, kept in zip(colors.shape[:2], (rows, cols), strict=True)
    )
    kept = colors[top : top + cell * rows, left : left + cell * cols]
    index = color_index(sensor, rows, cols)
    samples = np.take_along_axis(kept, index[..., None], axis=2)[..., 0]
    return sensor.pack(samples.astype(np.float32))


def color_index(sensor: Sensor, rows: int, cols: int) -> NDArray[np.intp]:
    """Return which of red, green and blue each sample of a mosaic sees; 0 without colours."""
    letters = "RGB" if sensor.has_color else sensor.noise_colors
    planes = np.array([letters.index(color) for color in sensor.colors], np.float32)
    mosaic = sensor.unpack(np.broadcast_to(planes[:, None, None], (len(planes), rows, cols)))
    return mosaic.astype(np.intp)


def pattern_of(sensor: Sensor) -> str:
    """Return the letters of a sensor's canonical pattern, as `denoise_mosaic` takes them."""
    return CANONICAL[sensor.kind].name


def add_noise(
    clean: NDArray[np.float32],
    sensor: Sensor,
    shot_noise: float,
    read_noise: float,
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    """Expose a sensor to clean planes: Poisson photons, Gaussian read noise, clipped at white.

    Drawn on the mosaic, but for Bayer's, whose published numbers were drawn on its planes.
    """
    x = clean if sensor is BAYER else sensor.unpack(clean)
    noisy = rng.poisson(np.clip(x, 0, None) / shot_noise) * shot_noise
    noisy = noisy + rng.normal(0, np.sqrt(read_noise), x.shape)
    seen = np.clip(noisy, -0.06, 1).astype(np.float32)
    return seen if sensor is BAYER else sensor.pack(seen)


def cases(
    folder: Path, levels: Levels = LEVELS, *, cameras: bool = False, sensor: Sensor = BAYER
) -> Iterator[Case]:
    """Yield every photograph of the folder at every level: central crops, fixed seeds.

    With `cameras`, the read noise is a camera's; the published ruler's is a phone's.
    """
    for index, path in enumerate(sorted(folder.iterdir())):
        if path.suffix.lower() not in SUFFIXES:
            continue
        rng = np.random.default_rng([SEED, index])
        with Image.open(path) as image:
            colors = colors_exactly(np.asarray(image.convert("RGB")), rng, sensor)
        rows, cols = (side_in_cells(length, CROP, sensor) for length in colors.shape[:2])
        clean = cut_mosaic(colors, sensor, rows, cols)
        for level, (shot, exposure) in levels.items():
            read = camera_read_noise(shot) if cameras else typical_read_noise(shot)
            target = clean * np.float32(exposure)
            yield Case(
                name=path.stem,
                level=level,
                clean=target,
                noisy=add_noise(target, sensor, shot, read, rng),
                shot_noise=shot,
                read_noise=read,
            )
