"""The ruler's photographs: clean mosaics by the published recipe, noisy ones, the same everywhere.

`evaluate`, `files` and `robustness` measure on them. The one thing to know: levels A to E have shot
noise 1e-4 to 2.56e-2, S has C's noise, 3 EV underexposed; crops, draws and seeds are fixed.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

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
CROP = 160
SEED = 7


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Case:
    """One photograph at one level."""

    name: str
    """File stem of the photograph."""
    level: str
    """"A" to "E" or "S"."""
    clean: NDArray[np.float32]
    """(4, h, w) normalized."""
    noisy: NDArray[np.float32]
    """(4, h, w) normalized."""
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


def unprocess_exactly(rgb: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.float32]:
    """Turn an (H, W, 3) sRGB photograph into a clean (4, H/2, W/2) mosaic, in the ruler's own
    order.

    The training's `photos.unprocess` is the same recipe in tensors, float32 and wider draws; the
    ruler keeps float64 and its sequence of draws so that its numbers stay the same everywhere.
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
    x = x * np.maximum(mask + (1 - mask) * gains, gains)
    height, width = (x.shape[0] // 2) * 2, (x.shape[1] // 2) * 2
    x = x[:height, :width]
    sites = (x[0::2, 0::2, 0], x[0::2, 1::2, 1], x[1::2, 0::2, 1], x[1::2, 1::2, 2])
    return np.stack(sites).astype(np.float32)


def cases(folder: Path, levels: Levels = LEVELS, *, cameras: bool = False) -> Iterator[Case]:
    """Yield every photograph of the folder at every level: central crops, fixed seeds.

    With `cameras`, the read noise is a camera's; the published ruler's is a phone's.
    """
    for index, path in enumerate(sorted(folder.iterdir())):
        if path.suffix.lower() not in SUFFIXES:
            continue
        rng = np.random.default_rng([SEED, index])
        with Image.open(path) as image:
            clean = unprocess_exactly(np.asarray(image.convert("RGB")), rng)
        _, height, width = clean.shape
        rows, cols = min(CROP, height), min(CROP, width)
        top, left = (height - rows) // 2, (width - cols) // 2
        clean = clean[:, top : top + rows, left : left + cols]
        for level, (shot, exposure) in levels.items():
            read = camera_read_noise(shot) if cameras else typical_read_noise(shot)
            target = clean * np.float32(exposure)
            photons = rng.poisson(np.clip(target, 0, None) / shot) * shot
            noisy = photons + rng.normal(0, np.sqrt(read), target.shape)
            yield Case(
                name=path.stem,
                level=level,
                clean=target,
                noisy=np.clip(noisy, -0.06, 1).astype(np.float32),
                shot_noise=shot,
                read_noise=read,
            )
