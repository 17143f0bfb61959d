"""PSNR and SSIM on the ruler: ``python -m fadn_cli.training.evaluate --photos DIR [...]``.

The benchmark is made here from a folder of photographs, by the published recipe and fixed seeds:
levels A to E (shot noise 1e-4 to 2.56e-2) and S (C's noise, 3 EV underexposed). The one thing to
know: the default measures the shipped files through the public `denoise_mosaic`, once with the true
noise parameters and once with estimated ones, which is what a photographer gets.
"""

import argparse
import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

import fadn_cli
from fadn_cli.denoise.packing import pack, unpack
from fadn_cli.denoise.specialists import QUALITIES
from fadn_cli.noise import noise_model
from fadn_cli.training.model import Denoiser
from fadn_cli.training.photos import RGB_TO_XYZ, SUFFIXES, XYZ_TO_CAMERA
from fadn_cli.training.run import load_denoiser
from fadn_cli.training.synthesis import CAMERA_OFFSET, CAMERA_SLOPE, READ_OFFSET, READ_SLOPE

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
BORDER = 16
"""Packed pixels along the sides of a flat area that do not count: networks see less there."""
SEED = 7

Denoise = Callable[[NDArray[np.float32], float, float], NDArray[np.float32]]
"""(packed, shot_noise, read_noise) -> packed."""


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


def psnr(output: NDArray[np.float32], clean: NDArray[np.float32]) -> float:
    """Return dB of the packed mosaic, peak 1, both clipped to 0..1."""
    error = np.clip(output, 0, 1) - np.clip(clean, 0, 1)
    return float(-10 * np.log10(np.mean(error**2)))


def ssim(output: NDArray[np.float32], clean: NDArray[np.float32]) -> float:
    """Return the mean structural similarity of the four planes, 7x7 windows, both clipped to 0..1.

    References
    ----------
    Wang et al., IEEE TIP 13(4), 2004, doi:10.1109/TIP.2003.819861.
    """
    a, b = np.clip(output, 0, 1).astype(np.float64), np.clip(clean, 0, 1).astype(np.float64)

    def mean(planes: NDArray[np.float64]) -> NDArray[np.float64]:
        total = np.pad(planes.cumsum(1).cumsum(2), ((0, 0), (1, 0), (1, 0)))
        corners = total[:, 7:, 7:] - total[:, :-7, 7:] - total[:, 7:, :-7] + total[:, :-7, :-7]
        return corners / 49

    mean_a, mean_b = mean(a), mean(b)
    var_a, var_b = mean(a * a) - mean_a**2, mean(b * b) - mean_b**2
    covariance = mean(a * b) - mean_a * mean_b
    c1, c2 = 0.01**2, 0.03**2
    luminance = (2 * mean_a * mean_b + c1) / (mean_a**2 + mean_b**2 + c1)
    return float((luminance * (2 * covariance + c2) / (var_a + var_b + c2)).mean())


def evaluate(
    folder: Path, denoise: Denoise, levels: Levels = LEVELS, *, cameras: bool = False
) -> dict[str, dict[str, float]]:
    """Return mean PSNR and SSIM per level over the folder's photographs.

    Returns
    -------
    {"psnr": {level: dB, ..., "mean": dB}, "ssim": {level: ..., "mean": ...}}
    """
    scores: dict[str, dict[str, list[float]]] = {"psnr": {}, "ssim": {}}
    for case in cases(folder, levels, cameras=cameras):
        output = denoise(case.noisy, case.shot_noise, case.read_noise)
        scores["psnr"].setdefault(case.level, []).append(psnr(output, case.clean))
        scores["ssim"].setdefault(case.level, []).append(ssim(output, case.clean))
    table: dict[str, dict[str, float]] = {}
    for metric, per_level in scores.items():
        means = {level: float(np.mean(values)) for level, values in per_level.items()}
        table[metric] = {**means, "mean": float(np.mean(list(means.values())))}
    return table


def flat_residual(
    denoise: Denoise, shot_noise: float, grey: float, noise: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return what is left of the noise on a flat grey area, as a share of its sigma.

    Parameters
    ----------
    denoise : Denoise
        Told the true noise: this shot noise, and a typical sensor's read noise.
    shot_noise, grey : float
        Variance per unit signal, and the area's normalized signal.
    noise : (4, h, w)
        In units of sigma.

    Returns
    -------
    (4, h - 2 BORDER, w - 2 BORDER)
    """
    read = float(typical_read_noise(shot_noise))
    std = np.sqrt(noise_model(shot_noise, read, source="").variance(grey)[0])
    left = denoise(np.float32(grey) + std * noise, shot_noise, read) - np.float32(grey)
    return left[:, BORDER:-BORDER, BORDER:-BORDER] / std


def shipped(
    *, estimated: bool, quality: str | None = None, specialist: str | None = None
) -> Denoise:
    """Return the public API as a `Denoise`, told the noise or left to estimate it.

    Quality and specialist are `denoise_mosaic`'s.
    """

    def denoise(packed: NDArray[np.float32], shot: float, read: float) -> NDArray[np.float32]:
        x = fadn_cli.denoise_mosaic(
            unpack(packed),
            shot_noise=None if estimated else shot,
            read_noise=None if estimated else read,
            quality=quality,
            specialist=specialist,
        )
        return pack(x)

    return denoise


def torch_denoise(model: Denoiser) -> Denoise:
    """Return a float module as the ruler's `Denoise`, padded to its alignment."""

    def denoise(packed: NDArray[np.float32], shot: float, read: float) -> NDArray[np.float32]:
        _, height, width = packed.shape
        step = model.student.alignment
        pad = ((0, 0), (0, -height % step), (0, -width % step))
        x = torch.from_numpy(np.pad(packed, pad, mode="reflect"))[None]
        shots, reads = (torch.full((1, 4, 1, 1), value) for value in (shot, read))
        with torch.no_grad():
            out: NDArray[np.float32] = model(x, shots, reads)[0].numpy()
        return out[:, :height, :width]

    return denoise


def table_text(rows: dict[str, dict[str, dict[str, float]]]) -> str:
    """Format results as a Markdown table, PSNR and SSIM."""
    levels = [*LEVELS, "mean"]
    lines = ["| | " + " | ".join(levels) + " |", "|---" * (len(levels) + 1) + "|"]
    for name, table in rows.items():
        for metric, digits in (("psnr", 2), ("ssim", 4)):
            values = table[metric]
            cells = (f"{values[lv]:.{digits}f}" if lv in values else "" for lv in levels)
            unit = "dB" if metric == "psnr" else "SSIM"
            lines.append(f"| {name}, {unit} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--photos", type=Path, required=True, metavar="DIR")
    parser.add_argument("--run", type=Path, help="a run's folder: evaluate its float checkpoint")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--quality", choices=QUALITIES, help="default: the best that is bundled")
    which.add_argument("--specialist", help="use this one at every level, not the chosen one")
    parser.add_argument("--levels", default="ABCDES")
    parser.add_argument(
        "--cameras", action="store_true", help="the read noise of cameras, not of phones"
    )
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if arguments.run:
        model = load_denoiser(arguments.run, torch.device("cpu"))
        rows = {arguments.run.name: torch_denoise(model)}
    else:
        chosen = {"quality": arguments.quality, "specialist": arguments.specialist}
        rows = {
            "true noise": shipped(estimated=False, **chosen),
            "estimated noise": shipped(estimated=True, **chosen),
        }
    levels = {name: LEVELS[name] for name in arguments.levels}
    results = {
        name: evaluate(arguments.photos, denoise, levels, cameras=arguments.cameras)
        for name, denoise in rows.items()
    }
    print(json.dumps(results, indent=1) if arguments.json else table_text(results))


if __name__ == "__main__":
    main()
