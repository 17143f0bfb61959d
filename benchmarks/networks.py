"""Seconds per megapixel of each bundled network, beside a yardstick in float.

Run from a checkout: ``python benchmarks/networks.py [--yardstick FILE.onnx]``. Prints a table;
asserts nothing, since times are the machine's.
"""

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from fadn_cli.denoise.network import specialists  # noqa: E402
from fadn_cli.denoise.network.inference import Network  # noqa: E402
from fadn_cli.denoise.sensors.kinds import SENSORS  # noqa: E402
from fadn_cli.noise import noise_model  # noqa: E402

REPEATS = 20
IN_A_ROW = 5
SIDE = 512  # packed pixels


def median_seconds(calls: dict[str, Callable[[], object]]) -> list[float]:
    """Return the median time of each call, five at a time in turn: a slow spell meets them all."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(0, REPEATS, IN_A_ROW):
        for name, call in calls.items():
            call()  # its weights and buffers come back into the caches
            for _ in range(IN_A_ROW):
                start = time.perf_counter()
                call()
                times[name].append(time.perf_counter() - start)
    return [statistics.median(of_one) for of_one in times.values()]


def main() -> None:
    """Print each network's time per raw megapixel: 512x512 packed, untiled, two threads."""
    shared = Path(os.environ.get("FADN_SHARED", ROOT.parent / "shared"))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--yardstick", type=Path, default=shared / "bench/yardstick.onnx")
    yardstick = parser.parse_args().yardstick
    calls: dict[str, Callable[[], object]] = {}
    megapixels: list[float] = []
    rng = np.random.default_rng(1)
    if yardstick.exists():
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 2
        session = onnxruntime.InferenceSession(
            str(yardstick), options, providers=["CPUExecutionProvider"]
        )
        seen = {session.get_inputs()[0].name: rng.random((1, 4, SIDE, SIDE), np.float32)}
        calls["yardstick (fp32)"] = lambda: session.run(None, seen)
        megapixels.append(4 * SIDE**2 / 1e6)
    for specialist in specialists.bundled():
        sensor = SENSORS[specialist.cfa_kind]
        noise = noise_model(1e-3, 1e-6, source="benchmark", colors=sensor.noise_colors)
        packed = rng.random((sensor.planes, SIDE, SIDE), np.float32)
        network = Network(specialist, threads=2)
        calls[specialist.name] = lambda network=network, x=packed, noise=noise: network(x, noise)
        megapixels.append(sensor.cell**2 * SIDE**2 / 1e6)
    print("| network | s/MP | of the yardstick |\n|---|---|---|")
    rates = [t / size for t, size in zip(median_seconds(calls), megapixels, strict=True)]
    for name, rate in zip(calls, rates, strict=True):
        ratio = f"{rate / rates[0]:.2f}" if yardstick.exists() else ""
        print(f"| {name} | {rate:.4f} | {ratio} |")


if __name__ == "__main__":
    main()
