"""A run to a bundled specialist: ``python -m fadn_cli.training.export.weights RUN [RUN ...]
--photos DIR ...``.

Writes weights/<name>.onnx and its row of weights/manifest.json, from the run's checkpoint and the
[specialist] table of its config. The one thing to know: nothing is written unless the graph agrees
with the trained module, and every figure of the row is measured through the int8 file itself.
"""

import argparse
import hashlib
import json
import math
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray

from fadn_cli.denoise.network import inference as network
from fadn_cli.denoise.network import specialists
from fadn_cli.denoise.sensors.kinds import SENSORS
from fadn_cli.denoise.sensors.sensor import Sensor
from fadn_cli.noise import noise_model
from fadn_cli.training.data.photos import Photos, load_photos
from fadn_cli.training.export.provenance import commit, data, processor, trained
from fadn_cli.training.export.residual import as_denoise, measure_residual
from fadn_cli.training.export.tiling import lay
from fadn_cli.training.judge.evaluate import evaluate, torch_denoise
from fadn_cli.training.judge.ruler import LEVELS, Levels, typical_read_noise
from fadn_cli.training.network.model import Denoiser, Student, macs_per_packed_pixel, prune
from fadn_cli.training.network.onnx_graph import build_onnx
from fadn_cli.training.network.quantize import set_rounding
from fadn_cli.training.run.batches import make_batch
from fadn_cli.training.run.config import TrainConfig, load_config
from fadn_cli.training.run.state import load_denoiser

FLOAT_TOLERANCE = 2e-4
"""Largest difference between the float graph and the module, in units of sigma."""
INT8_TOLERANCE = 0.05
"""Root mean square of the same for int8: kernels and training may round a tie to either side, and
one step of 8 bits is coarse where strong edges stand beside faint noise."""
PARITY_BATCHES = 4
_UNLAID = {"reach": 0, "overlap": 8, "tile": 64}  # until `tiling` has measured the file itself


def check_parity(student: Student, features: list[NDArray[np.float32]]) -> float:
    """Compare a student's graph with itself; return the difference in units of sigma.

    Parameters
    ----------
    student : Student
        Float or int8.
    features : list of (1, channels, gh, gw) float32
        What to compare them on.

    Returns
    -------
    float
        The largest difference of a float student, the root mean square one of an int8 student.

    Raises
    ------
    ValueError
        They differ by more than their tolerance.
    """
    session = onnxruntime.InferenceSession(
        build_onnx(student).SerializeToString(), providers=["CPUExecutionProvider"]
    )
    differences = []
    for batch in features:
        with torch.no_grad():
            expected = student(torch.from_numpy(batch)).numpy()
        differences.append(session.run(None, {"features": batch})[0] - expected)
    errors = np.stack(differences)
    if student.config.int8:
        measured, tolerance = float(np.sqrt(np.mean(errors**2))), INT8_TOLERANCE
    else:
        measured, tolerance = float(np.abs(errors).max()), FLOAT_TOLERANCE
    if not measured <= tolerance:
        raise ValueError(f"the graph differs from the module by {measured:.2e} sigma")
    return measured


def parity_features(
    model: Denoiser, photos: Photos, config: TrainConfig
) -> list[NDArray[np.float32]]:
    """Return what the network sees of some training patches."""
    batches = (make_batch(photos, config, -1 - number) for number in range(PARITY_BATCHES))
    return [model.features(noisy, shot, read)[0][:1].numpy() for noisy, _, shot, read, _ in batches]


def export(run: Path, photos: Photos, ruler: Path | None, weights: Path) -> None:
    """Write one run's int8 file and its manifest row.

    Parameters
    ----------
    run : Path
        The run's folder; its network is int8, and its config has a [specialist] table with name,
        quality and noise_range.
    photos : Photos
        Parity is checked on training photographs.
    ruler : Path or None
        Folder of the ruler's photographs; None leaves the row's figures empty.
    weights : Path
        The folder of the manifest.

    Raises
    ------
    ValueError
        The network is not int8, or its graph differs from the module.
    """
    about = tomllib.loads((run / "config.toml").read_text(encoding="utf-8"))["specialist"]
    config = load_config(run / "config.toml")
    if not config.network.int8:
        raise ValueError(f"{run}: only an int8 network is exported; set int8 under [network]")
    model = load_denoiser(run, torch.device("cpu"))
    prune(model.student)
    parity = check_parity(model.student, parity_features(model, photos, config))
    target = weights / f"{about['name']}.onnx"
    write_onnx(model.student, target)
    low, high = about["noise_range"]
    row: dict[str, Any] = {
        "name": about["name"],
        "file": target.name,
        "sha256": hashlib.sha256(target.read_bytes()).hexdigest(),
        "cfa_kind": model.student.config.seen.kind,
        "quality": about["quality"],
        "noise_range": [low, None if math.isinf(high) else high],
        "alignment": model.student.alignment,
        "receptive_field": model.student.receptive_field,
        **_UNLAID,
        "inputs": model.student.config.inputs,
        "parameters": sum(weight.numel() for weight in model.parameters()),
        "macs_per_packed_pixel": round(macs_per_packed_pixel(model.student)),
        "residual_std": [[1.0, 0.5]],
        "psnr": {},
        "training": {
            "runs": trained(run),
            "commit": commit(),
            "hardware": f"{processor()}, torch {torch.__version__}",
            "parity_sigma": float(f"{parity:.1e}"),
        },
    }
    _write_row(weights, row)
    net = network.Network(specialists.find(about["name"]), threads=1)
    row |= lay(net.specialist)
    row |= measure_residual(net.specialist)
    if ruler is not None:
        row |= _figures(model, net, ruler, (low, high))
    _write_row(weights, row)


def write_onnx(student: Student, target: Path) -> None:
    """Write a student's graph; a failure leaves no half file under the name."""
    partial = target.with_suffix(".tmp")
    partial.write_bytes(build_onnx(student).SerializeToString(deterministic=True))
    partial.replace(target)


def _figures(
    model: Denoiser, net: network.Network, ruler: Path, noise_range: tuple[float, float]
) -> dict[str, Any]:
    """Measure the int8 file at the levels of its range; print its float twin beside it."""
    levels, sensor = levels_within(noise_range), _sensor_of(net)
    int8 = evaluate(ruler, as_denoise(net), levels, sensor=sensor)["psnr"]
    set_rounding(model, False)
    plain = evaluate(ruler, torch_denoise(model), levels, sensor=sensor)["psnr"]
    print(net.specialist.name, "int8", int8, "float", plain)
    int8.pop("mean")
    return {"psnr": {level: round(value, 2) for level, value in int8.items()}}


def levels_within(noise_range: tuple[float, float]) -> Levels:
    """Return the levels of the ruler whose noise is within a range."""
    low, high = noise_range
    return {
        level: (shot, exposure)
        for level, (shot, exposure) in LEVELS.items()
        if low <= noise_model(shot, typical_read_noise(shot), source="").grey_std < high
    }


def _sensor_of(net: network.Network) -> Sensor:
    """Return the sensor that an int8 file is for."""
    return SENSORS[net.specialist.cfa_kind]


def _write_row(weights: Path, row: dict[str, Any]) -> None:
    """Put one row into the manifest, in the order of sensors, quality and noise."""
    rows = [each for each in _read_manifest(weights)["specialists"] if each["name"] != row["name"]]
    kinds = list(SENSORS)

    def order(each: dict[str, Any]) -> tuple[int, int, float]:
        quality = specialists.QUALITIES.index(each["quality"])
        return kinds.index(each["cfa_kind"]), quality, each["noise_range"][0]

    rows = sorted([*rows, row], key=order)
    _write_manifest(weights, specialists=rows)


def add_to_row(weights: Path, name: str, **parts: object) -> None:
    """Add parts to a network's row of the manifest."""
    rows = _read_manifest(weights)["specialists"]
    _write_row(weights, next(row for row in rows if row["name"] == name) | parts)


def _read_manifest(weights: Path) -> dict[str, Any]:
    """Return the manifest, an empty one where there is none."""
    path = weights / specialists.MANIFEST
    empty: dict[str, Any] = {"format": 1, "data": {}, "specialists": []}
    return empty | (json.loads(path.read_text(encoding="utf-8")) if path.exists() else {})


def _write_manifest(weights: Path, **changes: object) -> None:
    """Write the manifest with some parts changed; forget what was read before."""
    text = json.dumps(_read_manifest(weights) | changes, indent=1) + "\n"
    (weights / specialists.MANIFEST).write_text(text, encoding="utf-8")
    specialists.bundled.cache_clear()


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("runs", type=Path, nargs="+", help="folders of finished runs")
    parser.add_argument("--photos", type=Path, nargs="+", required=True, metavar="DIR")
    parser.add_argument("--ruler", type=Path, metavar="DIR", help="photographs never trained on")
    arguments = parser.parse_args()
    weights = Path(specialists.__file__).resolve().parents[3] / "weights"
    weights.mkdir(exist_ok=True)
    photos = load_photos(arguments.photos, torch.device("cpu"))
    for run in arguments.runs:
        export(run, photos, arguments.ruler, weights)
    _write_manifest(weights, data=data(arguments.photos))


if __name__ == "__main__":
    main()
