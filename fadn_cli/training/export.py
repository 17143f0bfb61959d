"""A run to a bundled specialist: ``python -m fadn_cli.training.export RUN [RUN ...] --photos DIR
...``.

Writes weights/<name>.onnx and its row of weights/manifest.json, from the run's checkpoint and the
[specialist] table of its config. The one thing to know: nothing is written unless the float graph
agrees with the trained module, and every figure of the row is measured through the int8 file
itself.
"""

import argparse
import hashlib
import json
import math
import platform
import subprocess
import tempfile
import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray

from fadn_cli.denoise import network, specialists
from fadn_cli.noise import noise_model
from fadn_cli.training.evaluate import LEVELS, Denoise, evaluate, typical_read_noise
from fadn_cli.training.model import Denoiser, Student, macs_per_packed_pixel
from fadn_cli.training.onnx_graph import build_onnx
from fadn_cli.training.photos import draw_crops, load_photos, unprocess
from fadn_cli.training.quantize import quantize
from fadn_cli.training.synthesis import Dirt, add_noise, draw_sensors
from fadn_cli.training.train import TrainConfig, load_config

PARITY_TOLERANCE = 2e-4
"""Largest difference between the float graph and the module, in units of sigma."""
CALIBRATION_PATCHES = 40
SPOTLESS = Dirt(**{field.name: 0.0 for field in fields(Dirt)})


def load_run(run: Path) -> tuple[Denoiser, TrainConfig, dict[str, Any]]:
    """Return a run's trained module, its config, and its checkpoint's steps and seconds."""
    config = load_config(run / "config.toml")
    state = torch.load(run / "checkpoint.pt", map_location="cpu", weights_only=True)
    model = Denoiser(Student(config.network)).eval()
    model.load_state_dict(state["model"])
    return model, config, {"steps": state["step"], "seconds": round(state["seconds"])}


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


def calibration_batches(
    photos: list[torch.Tensor], config: TrainConfig, count: int = CALIBRATION_PATCHES
) -> list[NDArray[np.float32]]:
    """Synthesise the features of patches in the network's own noise range, without defects."""
    generator = torch.Generator().manual_seed(20_000_003 + config.seed)
    batches = []
    for _ in range(count):
        clean = unprocess(draw_crops(photos, 1, 256, generator), generator)
        shot, read, exposure = draw_sensors(1, config.noise, generator)
        noisy, _, told_shot, told_read = add_noise(
            clean * exposure, shot, read, SPOTLESS, generator
        )
        noise = noise_model(told_shot.flatten().numpy(), told_read.flatten().numpy(), source="")
        batches.append(network.make_features(noisy[0].numpy(), noise)[0])
    return batches


def check_parity(model: Denoiser, path: Path, batches: list[NDArray[np.float32]]) -> float:
    """Compare the float graph with the module; return the largest difference in units of sigma.

    Raises
    ------
    ValueError
        They differ by more than PARITY_TOLERANCE.
    """
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    worst = 0.0
    for batch in batches:
        with torch.no_grad():
            expected = model.student(torch.from_numpy(batch)).numpy()
        actual = session.run(None, {"features": batch})[0]
        worst = max(worst, float(np.abs(expected - actual).max()))
    if not worst <= PARITY_TOLERANCE:
        raise ValueError(f"{path.name}: differs from the module by {worst:.2e} sigma")
    return worst


def measure_residual(net: network.Network, noise_range: tuple[float, float]) -> list[list[float]]:
    """Measure the share of the noise's standard deviation that is left on flat areas.

    Returns
    -------
    list of [sigma at x = 0.18, share]
        At five noise levels over the specialist's range, flat patches of 5 to 80 % grey.
    """
    rng = np.random.default_rng(11)
    low, high = max(noise_range[0], 1.5e-3), min(noise_range[1], 0.12)
    rows = []
    for target in np.geomspace(low, high, 5):
        shots = np.geomspace(1e-6, 0.1, 400)
        greys = [noise_model(s, typical_read_noise(s), source="").grey_std for s in shots]
        shot = float(np.interp(target, greys, shots))
        noise = noise_model(shot, typical_read_noise(shot), source="")
        shares = []
        for grey in (0.05, 0.18, 0.4, 0.8):
            std = np.sqrt(noise.variance(grey)[0])
            flat = np.full((4, 128, 128), grey, np.float32)
            noisy = flat + std * rng.standard_normal(flat.shape).astype(np.float32)
            left = net(noisy, noise) - flat
            shares.append(float(left[:, 16:-16, 16:-16].std() / std))
        rows.append([round(float(target), 6), round(float(np.mean(shares)), 4)])
    return rows


def export(run: Path, photos: list[torch.Tensor], ruler: Path | None, weights: Path) -> None:
    """Write one run's int8 file and its manifest row.

    Parameters
    ----------
    run : Path
        The run's folder; its config has a [specialist] table with name and noise_range.
    photos : list of (3, H, W) uint8 tensors
        Calibration comes from training photographs, never from the ruler's.
    ruler : Path or None
        Folder of the ruler's photographs; None leaves the row's figures empty.
    weights : Path
        The folder of the manifest.
    """
    model, config, trained = load_run(run)
    about = tomllib.loads((run / "config.toml").read_text(encoding="utf-8"))["specialist"]
    batches = calibration_batches(photos, config)
    target = weights / f"{about['name']}.onnx"
    with tempfile.TemporaryDirectory() as scratch:
        plain = Path(scratch) / "float.onnx"
        onnx.save(build_onnx(model.student), str(plain))
        parity = check_parity(model, plain, batches[:8])
        quantize(plain, target, batches)
    low, high = about["noise_range"]
    row: dict[str, Any] = {
        "name": about["name"],
        "file": target.name,
        "sha256": hashlib.sha256(target.read_bytes()).hexdigest(),
        "cfa_kind": "bayer",
        "quality": about["quality"],
        "noise_range": [low, None if math.isinf(high) else high],
        "alignment": model.student.alignment,
        "receptive_field": model.student.receptive_field,
        "inputs": "highpass-20",
        "parameters": sum(weight.numel() for weight in model.parameters()),
        "macs_per_packed_pixel": round(macs_per_packed_pixel(model.student)),
        "residual_std": [[1.0, 0.5]],
        "psnr": {},
        "training": {
            **trained,
            "seed": config.seed,
            "start_from": config.start_from or None,
            "config": f"{run.name}.toml",
            "commit": _commit(),
            "hardware": f"{platform.machine()} CPU, torch {torch.__version__}",
            "parity_sigma": float(f"{parity:.1e}"),
        },
    }
    _write_row(weights, row)
    specialist = specialists.find(about["name"])
    net = network.Network(specialist, threads=1)
    row["residual_std"] = measure_residual(net, (low, high))
    if ruler is not None:
        row |= _figures(model, net, ruler, (low, high))
    _write_row(weights, row)


def _figures(
    model: Denoiser, net: network.Network, ruler: Path, noise_range: tuple[float, float]
) -> dict[str, Any]:
    """Measure the int8 file at the levels of its range; its float twin goes under training."""
    levels = ""
    for level, (shot, _) in LEVELS.items():
        grey = noise_model(shot, typical_read_noise(shot), source="").grey_std
        if noise_range[0] <= grey < noise_range[1]:
            levels += level

    def shipped(packed: NDArray[np.float32], shot: float, read: float) -> NDArray[np.float32]:
        return net(packed, noise_model(shot, read, source=""))

    int8 = evaluate(ruler, shipped, levels)["psnr"]
    plain = evaluate(ruler, torch_denoise(model), levels)["psnr"]
    print(net.specialist.name, "int8", int8, "float", plain)
    int8.pop("mean")
    return {"psnr": {level: round(value, 2) for level, value in int8.items()}}


def _write_row(weights: Path, row: dict[str, Any]) -> None:
    """Put one row into the manifest, in the order of noise; forget what was read before."""
    path = weights / specialists.MANIFEST
    rows = json.loads(path.read_text(encoding="utf-8"))["specialists"] if path.exists() else []
    rows = [other for other in rows if other["name"] != row["name"]] + [row]
    rows.sort(key=lambda each: (each["noise_range"][0], each["name"]))
    text = json.dumps({"format": 1, "specialists": rows}, indent=1) + "\n"
    path.write_text(text, encoding="utf-8")
    specialists.bundled.cache_clear()


def _commit() -> str:
    """Return the checkout's commit, or "unknown"."""
    done = subprocess.run(
        ["git", "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or "unknown"


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("runs", type=Path, nargs="+", help="folders of finished runs")
    parser.add_argument("--photos", type=Path, nargs="+", required=True, metavar="DIR")
    parser.add_argument("--ruler", type=Path, metavar="DIR", help="photographs never trained on")
    arguments = parser.parse_args()
    weights = Path(specialists.__file__).resolve().parents[2] / "weights"
    weights.mkdir(exist_ok=True)
    photos = load_photos(arguments.photos, torch.device("cpu"))
    for run in arguments.runs:
        export(run, photos, arguments.ruler, weights)


if __name__ == "__main__":
    main()
