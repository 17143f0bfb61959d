"""Seconds and peak memory of the whole command on a 24-megapixel raw, and of the network alone.

Run from a checkout: ``python benchmarks/speed.py [--raw FILE] [--yardstick FILE.onnx]``. Prints
tables; asserts nothing, since times are the machine's. The 24 MP mosaic is tiled from a real raw in
steps of the CFA's period, and wrapped into an uncompressed DNG.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from fadn_cli.denoise.network import specialists  # noqa: E402
from fadn_cli.denoise.network.inference import Network  # noqa: E402
from fadn_cli.noise import noise_model  # noqa: E402
from fadn_cli.raw.source.reader import read_raw  # noqa: E402
from tests.making.dng.write import write_dng  # noqa: E402

HEIGHT, WIDTH = 4000, 6000
REPEATS = 20
IN_A_ROW = 5
JOB = """
import json, sys
from pathlib import Path
from fadn_cli.pipeline.file import denoise_file
from fadn_cli.pipeline.options import DenoiseOptions
options = DenoiseOptions(overwrite=True, quality=sys.argv[3])
report = denoise_file(Path(sys.argv[1]), Path(sys.argv[2]), options)
print(json.dumps(report.to_dict()))
"""


def write_24_megapixels(raw: Path, path: Path) -> None:
    """Tile a raw's active area to 24 MP, keeping the CFA phase, and wrap it into a DNG."""
    mosaic = read_raw(raw).mosaic
    area = mosaic.active_area
    part = mosaic.samples[area.slices]
    part = part[: part.shape[0] // 2 * 2, : part.shape[1] // 2 * 2]
    repeats = (-(-HEIGHT // part.shape[0]), -(-WIDTH // part.shape[1]))
    samples = np.tile(part, repeats)[:HEIGHT, :WIDTH]
    write_dng(
        path,
        samples,
        cfa=mosaic.cfa.shifted(area.top, area.left).colors,
        black=(int(mosaic.black_level.mean()),),
        white=int(mosaic.white_level),
    )


def run_measured(command: list[str]) -> tuple[float, float, str]:
    """Run a child alone; return its seconds, its peak memory in MB, and its output."""
    start = time.perf_counter()
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as child:
        output = child.stdout.read() if child.stdout else ""
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{command[:4]} failed")
    scale = 1e6 if sys.platform == "darwin" else 1e3
    return time.perf_counter() - start, usage.ru_maxrss / scale, output


def median_seconds(calls: dict[str, Callable[[], object]], repeats: int = REPEATS) -> list[float]:
    """Return the median time of each call, five at a time in turn: a slow spell meets them all."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(0, repeats, IN_A_ROW):
        for name, call in calls.items():
            call()  # its weights and buffers come back into the caches
            for _ in range(IN_A_ROW):
                start = time.perf_counter()
                call()
                times[name].append(time.perf_counter() - start)
    return [statistics.median(of_one) for of_one in times.values()]


def whole_command(source: Path, quality: str) -> None:
    """Print the whole command's time and memory at a quality, and its parts."""
    output = source.with_name("out.dng")
    command = [sys.executable, "-m", "fadn_cli", "denoise", str(source), "--overwrite", "-q"]
    seconds, memory, _ = run_measured([*command, "-o", str(output), "--quality", quality])
    print(f"| 24 MP, whole command, {quality} | {seconds:.2f} s | {memory:.0f} MB peak |")
    _, _, text = run_measured([sys.executable, "-c", JOB, str(source), str(output), quality])
    report = json.loads(text)
    for stage, taken in report["seconds"].items():
        print(f"| - {stage} | {taken:.2f} s | |")
    print(f"| - tiles, network | {report['tiles']} | {report['specialist']} |")
    sizes = (report["source_bytes"] / 1e6, report["output_bytes"] / 1e6)
    print(f"| - file size before, after | {sizes[0]:.1f} MB | {sizes[1]:.1f} MB |")


def networks(yardstick: Path | None) -> None:
    """Print each network's time per raw megapixel: 512x512 packed, untiled, two threads."""
    packed = np.random.default_rng(1).random((4, 512, 512), np.float32)
    noise = noise_model(1e-3, 1e-6, source="benchmark")
    calls: dict[str, Callable[[], object]] = {}
    if yardstick is not None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 2
        session = onnxruntime.InferenceSession(
            str(yardstick), options, providers=["CPUExecutionProvider"]
        )
        name = session.get_inputs()[0].name
        calls["yardstick (fp32)"] = lambda: session.run(None, {name: packed[None]})
    for specialist in specialists.bundled():
        network = Network(specialist, threads=2)
        calls[specialist.name] = lambda network=network: network(packed, noise)
    medians = median_seconds(calls)
    for name, seconds in zip(calls, medians, strict=True):
        ratio = f"{seconds / medians[0]:.2f}" if yardstick is not None else ""
        print(f"| {name} | {seconds / 1.048576:.4f} s/MP | {ratio} |")


def main() -> None:
    """Run the command line."""
    shared = Path(os.environ.get("FADN_SHARED", ROOT.parent / "shared"))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--raw", type=Path, default=shared / "raws/canon_kiss_x4_colorchart.dng")
    parser.add_argument("--yardstick", type=Path, default=shared / "bench/yardstick.onnx")
    arguments = parser.parse_args()
    print("| what | time | |\n|---|---|---|")
    command = [sys.executable, "-m", "fadn_cli", "--help"]
    [help_seconds] = median_seconds({"help": lambda: run_measured(command)}, repeats=5)
    print(f"| fadn --help | {help_seconds:.2f} s | |")
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "24mp.dng"
        write_24_megapixels(arguments.raw, source)
        for quality in specialists.QUALITIES:
            whole_command(source, quality)
    networks(arguments.yardstick if arguments.yardstick.exists() else None)


if __name__ == "__main__":
    main()
