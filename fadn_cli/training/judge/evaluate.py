"""PSNR and SSIM on the ruler: ``python -m fadn_cli.training.judge.evaluate --photos DIR [...]``.

The benchmark is made by `ruler` from a folder of photographs, for every kind of sensor. The one
thing to know: the default measures the shipped files through the public `denoise_mosaic`, once with
the true noise parameters and once with estimated ones; `--files` goes from file to file, which is
what a photographer gets.
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

import fadn_cli
from fadn_cli.denoise.network.devices import NAMES as DEVICES
from fadn_cli.denoise.network.specialists import QUALITIES
from fadn_cli.denoise.sensors.bayer import BAYER
from fadn_cli.denoise.sensors.kinds import SENSORS
from fadn_cli.denoise.sensors.sensor import Sensor
from fadn_cli.denoise.turns import COUNTS
from fadn_cli.noise import noise_model
from fadn_cli.training.judge.burst import burst_table, measure_burst
from fadn_cli.training.judge.files import files_table, measure_files
from fadn_cli.training.judge.ruler import (
    LEVELS,
    Levels,
    cases,
    pattern_of,
    typical_read_noise,
)
from fadn_cli.training.network.model import Denoiser
from fadn_cli.training.run.state import load_denoiser

BORDER = 16
"""Packed pixels along the sides of a flat area that do not count: networks see less there."""
Denoise = Callable[[NDArray[np.float32], float, float], NDArray[np.float32]]
"""(packed, shot_noise, read_noise) -> packed, of the planes of one sensor."""


def psnr(output: NDArray[np.float32], clean: NDArray[np.float32]) -> float:
    """Return dB of the packed mosaic, peak 1, both clipped to 0..1."""
    error = np.clip(output, 0, 1) - np.clip(clean, 0, 1)
    return float(-10 * np.log10(np.mean(error**2)))


def ssim(output: NDArray[np.float32], clean: NDArray[np.float32]) -> float:
    """Return the mean structural similarity of the planes, 7x7 windows, both clipped to 0..1.

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
    folder: Path,
    denoise: Denoise,
    levels: Levels = LEVELS,
    *,
    cameras: bool = False,
    sensor: Sensor = BAYER,
) -> dict[str, dict[str, float]]:
    """Return mean PSNR and SSIM per level over the folder's photographs.

    Parameters
    ----------
    folder : Path
    denoise : Denoise
        Of planes of `sensor`.
    levels : Levels
    cameras : bool
        Whether the read noise is a camera's, not a phone's.
    sensor : Sensor
        Whose mosaics are made of the photographs.

    Returns
    -------
    {"psnr": {level: dB, ..., "mean": dB}, "ssim": {level: ..., "mean": ...}}
    """
    scores: dict[str, dict[str, list[float]]] = {"psnr": {}, "ssim": {}}
    for case in cases(folder, levels, cameras=cameras, sensor=sensor):
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
    noise : (planes, h, w)
        In units of sigma.

    Returns
    -------
    (planes, h - 2 BORDER, w - 2 BORDER)
    """
    read = float(typical_read_noise(shot_noise))
    std = np.sqrt(noise_model(shot_noise, read, source="").variance(grey)[0])
    left = denoise(np.float32(grey) + std * noise, shot_noise, read) - np.float32(grey)
    return left[:, BORDER:-BORDER, BORDER:-BORDER] / std


def shipped(
    *,
    estimated: bool,
    quality: str | None = None,
    specialist: str | None = None,
    ensemble: int = 1,
    sensor: Sensor = BAYER,
    device: str = "cpu",
) -> Denoise:
    """Return the public API as a `Denoise`, told the noise or left to estimate it.

    Quality, specialist, ensemble and device are `denoise_mosaic`'s.
    """

    def denoise(packed: NDArray[np.float32], shot: float, read: float) -> NDArray[np.float32]:
        x = fadn_cli.denoise_mosaic(
            sensor.unpack(packed),
            cfa=pattern_of(sensor),
            shot_noise=None if estimated else shot,
            read_noise=None if estimated else read,
            quality=quality,
            specialist=specialist,
            ensemble=ensemble,
            device=device,
        )
        return sensor.pack(x)

    return denoise


def torch_denoise(model: Denoiser) -> Denoise:
    """Return a float module as the ruler's `Denoise`, padded to its alignment."""

    def denoise(packed: NDArray[np.float32], shot: float, read: float) -> NDArray[np.float32]:
        _, height, width = packed.shape
        step = model.student.alignment
        pad = ((0, 0), (0, -height % step), (0, -width % step))
        x = torch.from_numpy(np.pad(packed, pad, mode="reflect"))[None]
        shape = (1, model.student.config.seen.levels, 1, 1)
        shots, reads = (torch.full(shape, value) for value in (shot, read))
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


def _make_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--photos", type=Path, metavar="DIR", help="needed but for --burst")
    parser.add_argument("--run", type=Path, help="a run's folder: evaluate its float checkpoint")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--quality", choices=QUALITIES, help="default: best")
    which.add_argument("--specialist", help="use this one at every level, not the chosen one")
    parser.add_argument("--ensemble", type=int, default=1, choices=COUNTS, help="ways up")
    parser.add_argument(
        "--sensor", choices=SENSORS, help="whose mosaics; default: the run's, else bayer"
    )
    parser.add_argument("--device", choices=DEVICES, default="cpu", help="default: cpu")
    parser.add_argument("--levels", default="ABCDES")
    parser.add_argument(
        "--cameras", action="store_true", help="the read noise of cameras, not of phones"
    )
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--files", action="store_true", help="integer raws, from file to file")
    parser.add_argument("--only", default="", help="with --files: part of an exposure's name")
    parser.add_argument("--most", type=int, default=12, help="with --files: photographs")
    parser.add_argument(
        "--burst", type=Path, nargs=2, metavar=("FRAME", "MEAN"), help="a frame and others' mean"
    )
    return parser


def _measure(arguments: argparse.Namespace) -> dict[str, dict[str, dict[str, float]]]:
    """Measure a run, or what is shipped, as the command line says."""
    sensor: Sensor = SENSORS[arguments.sensor or BAYER.kind]
    if arguments.run:
        model = load_denoiser(arguments.run, torch.device("cpu"))
        sensor = model.student.config.seen.sensor
        if arguments.sensor not in (None, sensor.kind):
            raise SystemExit(f"{arguments.run} is a network for {sensor.kind} sensors")
        rows = {arguments.run.name: torch_denoise(model)}
    else:
        names = ("quality", "specialist", "ensemble", "device")
        chosen = {name: getattr(arguments, name) for name in names}
        rows = {
            f"{name} noise": shipped(estimated=name == "estimated", sensor=sensor, **chosen)
            for name in ("true", "estimated")
        }
    levels = {name: LEVELS[name] for name in arguments.levels}
    how = {"cameras": arguments.cameras, "sensor": sensor}
    return {
        name: evaluate(arguments.photos, denoise, levels, **how) for name, denoise in rows.items()
    }


def main() -> None:
    """Run the command line."""
    parser = _make_parser()
    arguments = parser.parse_args()
    if arguments.burst:
        print(burst_table(measure_burst(*arguments.burst, quality=arguments.quality)))
        return
    if arguments.photos is None:
        parser.error("--photos is needed")
    if arguments.files:
        chosen = {"quality": arguments.quality, "only": arguments.only, "most": arguments.most}
        sensor = SENSORS[arguments.sensor or BAYER.kind]
        for line in files_table(measure_files(arguments.photos, **chosen, sensor=sensor)):
            print(line, flush=True)
        return
    results = _measure(arguments)
    print(json.dumps(results, indent=1) if arguments.json else table_text(results))


if __name__ == "__main__":
    main()
