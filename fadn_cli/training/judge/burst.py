"""A frame of a static scene against the mean of others: real noise, and almost the truth.

``python -m fadn_cli.training.judge.evaluate --burst FRAME MEAN`` calls it. The one thing to know:
the mean of a few frames has noise of its own, which is taken off.
"""

import math
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

import fadn_cli
from fadn_cli.denoise.sensors.kinds import pack_active
from fadn_cli.raw.source.reader import read_raw
from fadn_cli.training.judge.files import area_means, in_float, rms


def measure_burst(
    frame: Path, mean: Path, *, quality: str | None = None
) -> Mapping[str, tuple[float, float]]:
    """Denoise one frame of a static scene, against the mean of others.

    Parameters
    ----------
    frame : Path
        A raw.
    mean : Path
        An .npz file: "mean_x32", the mean of other frames, DN times 32, of the frame's size, and
        "frames", how many they are.
    quality : str, optional
        "max", "best" or "fast".

    Returns
    -------
    {"source" | "file" | "float": (rms error of samples, of means of 16x16 samples)}
        DN of the source. The noise that the mean itself has left is taken off the first; the second
        is without a common offset, since light drifts between frames.
    """
    with np.load(mean) as arrays:
        truth = arrays["mean_x32"].astype(np.float32) / 32
        frames = int(arrays["frames"])
    source = read_raw(frame).mosaic
    packed, packing = pack_active(source)
    sensor = packing.sensor
    clean, _ = pack_active(replace(source, samples=truth))
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder, "output.dng")
        options = fadn_cli.DenoiseOptions(quality=quality, device="cpu")
        report = fadn_cli.denoise_file(frame, output, options)
        after, _ = pack_active(read_raw(output).mosaic)
    assert report.noise_used is not None
    kept = in_float(packed, report.noise_used, quality, sensor)
    scale = source.white_level - float(source.black_level.mean())
    left = rms(packed, clean) ** 2 / (frames + 1)  # the variance of the mean
    return {
        name: (
            scale * math.sqrt(max(rms(each, clean) ** 2 - left, 0)),
            scale * float(area_means(sensor.unpack(each - clean)[None]).std()),
        )
        for name, each in (("source", packed), ("file", after), ("float", kept))
    }


def burst_table(errors: Mapping[str, tuple[float, float]]) -> str:
    """Format `measure_burst` as a Markdown table."""
    rows = (f"| {name} | {rms:.3f} | {areas:.3f} |" for name, (rms, areas) in errors.items())
    return "\n".join(["| DN rms | samples | means of areas |", "|---|---|---|", *rows])
