"""Seconds and memory of the whole command, by stage and by size, beside what they could be.

Run from a checkout: ``python benchmarks/speed.py [--megapixels 12 24 61 100] [--quality max]
[--jobs 20] [--peers] [--against CHECKOUT]``. Prints tables; asserts nothing, since times are the
machine's.

The mosaics are tiled from a real raw in steps of the CFA's period, and wrapped into uncompressed
DNGs; X-Trans ones (``--cfa xtrans``) hold its samples under an X-Trans pattern. The *floor* is what
the work takes with all cores busy: decode, encode, and one pass of the network without overlap.
With another checkout, both take turns, so that a slow spell of the machine meets both.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from fadn_cli.denoise.network import specialists  # noqa: E402
from fadn_cli.raw.source.reader import read_raw  # noqa: E402
from fadn_cli.system.cores import available_cores  # noqa: E402
from tests.making.dng.write import write_dng  # noqa: E402

ASPECT = 1.5
POLL = 0.01  # seconds between looks at a child's memory
USUAL = ("best", "fast")
PASSES = 3  # of which the least is the floor's
XTRANS = "GGRGGBGGBGGRBRGRBGGGBGGRGGRGGBRBGBRG"
JOB = """
import json, os, sys, time
os.environ["OPENBLAS_NUM_THREADS"] = "1"  # as the command has it
from contextlib import contextmanager
from pathlib import Path
from fadn_cli.pipeline import file
from fadn_cli.pipeline.options import DenoiseOptions
cpu = {}
class Watch(file.Stopwatch):
    @contextmanager
    def stage(self, name):
        start = time.process_time()
        with super().stage(name):
            yield
        cpu[name] = time.process_time() - start
file.Stopwatch = Watch
options = DenoiseOptions(overwrite=True, quality=sys.argv[3], preview="keep")
report = file.denoise_file(Path(sys.argv[1]), Path(sys.argv[2]), options).to_dict()
told = {key: report[key] for key in ("seconds", "tiles", "specialist", "source_bytes")}
print(json.dumps({**told, "cpu": {**cpu, "total": time.process_time()}}))
"""
FLOOR = """
import sys, time
from pathlib import Path
import numpy as np
from fadn_cli.denoise.network import specialists
from fadn_cli.denoise.network.inference import Network
from fadn_cli.denoise.sensors.kinds import SENSORS
from fadn_cli.noise import noise_model
from fadn_cli.raw.codec.lossless import encode_tiles
from fadn_cli.raw.source.reader import read_raw
passes = int(sys.argv[4])
def least(call):
    taken = []
    for _ in range(passes):
        start = time.process_time()
        call()
        taken.append(time.process_time() - start)
    return min(taken)
decode = least(lambda: read_raw(Path(sys.argv[1])))
samples = read_raw(Path(sys.argv[2])).mosaic.samples
encode = least(lambda: list(encode_tiles(samples, bits=16, threads=1)))
specialist = specialists.find(sys.argv[3])
sensor = SENSORS[specialist.cfa_kind]
noise = noise_model(1e-3, 1e-6, source="benchmark", colors=sensor.noise_colors)
x = np.random.default_rng(1).normal(0.2, 0.02, (sensor.planes, 512, 512)).astype(np.float32)
network = Network(specialist, threads=1)
once = least(lambda: network(x, noise))
print(decode, encode, once * samples.size / (512 * sensor.cell) ** 2)
"""


@dataclass
class Cost:
    """What the command took, run by run."""

    seconds: list[float] = field(default_factory=list)
    """Wall clock, the interpreter's start included."""
    cpu: list[float] = field(default_factory=list)
    """Of all threads."""
    peak: list[float] = field(default_factory=list)
    """VmHWM, MB."""
    anonymous: list[float] = field(default_factory=list)
    """VmHWM without the pages of mapped files, MB."""
    others: list[float] = field(default_factory=list)
    """CPU seconds that the rest of the machine took meanwhile: such a run says little."""

    def __str__(self) -> str:
        seconds, cpu = statistics.median(self.seconds), statistics.median(self.cpu)
        disturbed = f", others {max(self.others):.1f}" if max(self.others) > 0.1 * seconds else ""
        return (
            f"{seconds:.2f} s (least {min(self.seconds):.2f}{disturbed}) | {cpu:.2f} s | "
            f"{max(self.peak):.0f} | {max(self.anonymous):.0f}"
        )


def measure(cost: Cost, command: list[str], root: Path) -> str:
    """Run a child of a checkout, add what it took, and return its output."""
    # Bytecode is kept, as it is of an installed command.
    environment = {**os.environ, "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": ""}
    start, busy = time.perf_counter(), _busy()
    with subprocess.Popen(
        command, cwd=root, env=environment, stdout=subprocess.PIPE, text=True
    ) as child:
        peak = mapped = 0
        while True:
            pid, status, usage = os.wait4(child.pid, os.WNOHANG)
            if pid:
                break
            seen = _memory(child.pid)
            peak, mapped = max(peak, seen.get("VmHWM", 0)), max(mapped, seen.get("RssFile", 0))
            time.sleep(POLL)
        seconds = time.perf_counter() - start
        child.returncode = os.waitstatus_to_exitcode(status)
        output = child.stdout.read() if child.stdout else ""
    if child.returncode:
        raise SystemExit(f"{command[:4]} failed")
    cost.seconds.append(seconds)
    cost.cpu.append(usage.ru_utime + usage.ru_stime)
    cost.others.append(max(0.0, _busy() - busy - cost.cpu[-1]))
    cost.peak.append(peak / 1024)
    cost.anonymous.append((peak - mapped) / 1024)
    return output


def _memory(pid: int) -> dict[str, int]:
    """Return a process' memory by Linux' names, KiB; empty elsewhere."""
    try:
        text = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return {}
    pairs = (line.split(":", 1) for line in text.splitlines() if line.endswith("kB"))
    return {name: int(value.split()[0]) for name, value in pairs}


def _busy() -> float:
    """Return the seconds that all processors have worked since the machine began; 0 if unknown."""
    try:
        first = Path("/proc/stat").read_text(encoding="ascii").splitlines()[0]
    except OSError:
        return 0.0
    return sum(int(ticks) for ticks in first.split()[1:4]) / os.sysconf("SC_CLK_TCK")


def write_source(raw: Path, path: Path, megapixels: float, cfa: str) -> None:
    """Tile a raw's active area to a size, keeping the CFA phase, and wrap it into a DNG."""
    mosaic = read_raw(raw).mosaic
    area, period = mosaic.active_area, 12
    height = round((megapixels * 1e6 / ASPECT) ** 0.5) // period * period
    width = round(height * ASPECT) // period * period
    part = mosaic.samples[area.slices]
    part = part[: part.shape[0] // period * period, : part.shape[1] // period * period]
    repeats = (-(-height // part.shape[0]), -(-width // part.shape[1]))
    is_xtrans = cfa == "xtrans"
    write_dng(
        path,
        np.tile(part, repeats)[:height, :width],
        cfa=XTRANS if is_xtrans else mosaic.cfa.shifted(area.top, area.left).colors,
        cfa_dim=(6, 6) if is_xtrans else (2, 2),
        black=(int(mosaic.black_level.mean()),),
        white=int(mosaic.white_level),
    )


def command_for(source: Path, output: Path, quality: str) -> list[str]:
    """Return the whole command."""
    command = [sys.executable, "-m", "fadn_cli", "denoise", str(source), "--overwrite", "-q"]
    return [*command, "-o", str(output), "--quality", quality, "--preview", "keep"]


def one_size(
    source: Path, megapixels: float, roots: list[Path], passes: int, qualities: list[str]
) -> dict[str, float]:
    """Print what a size takes at each quality; return the seconds of this checkout."""
    output, found = source.with_name("out.dng"), {}
    for quality in qualities:
        costs = [Cost() for _ in roots]
        for _ in range(passes):
            for cost, root in zip(costs, roots, strict=True):
                measure(cost, command_for(source, output, quality), root)
        for cost, root in reversed(list(zip(costs, roots, strict=True))):
            told = json.loads(
                measure(
                    Cost(), [sys.executable, "-c", JOB, str(source), str(output), quality], root
                )
            )
            rate = megapixels / statistics.median(cost.seconds)
            name = f"{megapixels:g} MP, {quality}, {'now' if root == ROOT else root.name}"
            print(f"| {name} | {cost} | {rate:.1f} MP/s, {told['tiles']} tiles |")
            stages = (f"{stage} {taken:.2f}" for stage, taken in told["seconds"].items())
            used = (f"{stage} {taken:.2f}" for stage, taken in told["cpu"].items())
            print(f"| - stages | {', '.join(stages)} | {', '.join(used)} | | | |")
        floor_of(source, output, told["specialist"], statistics.median(cost.seconds))
        found[quality] = statistics.median(cost.seconds)
    return found


def floor_of(source: Path, output: Path, specialist: str, seconds: float) -> None:
    """Print what the work takes at least, and what the command takes over it."""
    command = [sys.executable, "-c", FLOOR, str(source), str(output), specialist, str(PASSES)]
    parts = [float(part) for part in measure(Cost(), command, ROOT).split()]
    floor = sum(parts) / available_cores()
    names = zip(("decode", "encode", "network"), parts, strict=True)
    said = ", ".join(f"{name} {part:.2f}" for name, part in names)
    print(f"| - floor | {floor:.2f} s; {seconds / floor:.2f} times | {said} | | | |")


def growth(seconds: dict[float, dict[str, float]]) -> None:
    """Print how seconds grow with pixels: a straight line, and what it leaves."""
    for quality in next(iter(seconds.values())):
        sizes = np.array(list(seconds))
        taken = np.array([each[quality] for each in seconds.values()])
        slope, start = np.polyfit(sizes, taken, 1)
        left = np.abs(taken - start - slope * sizes).max()
        print(
            f"| growth, {quality} | {start:.2f} s + {slope:.3f} s/MP | off by {left:.2f} s | | | |"
        )


def jobs(raw: Path, folder: Path, count: int) -> None:
    """Print what many files of 12 MP take: two at once, one, and a command for each."""
    sources = folder / "many"
    sources.mkdir()
    write_source(raw, sources / "0.dng", 12, "bayer")
    for number in range(1, count):
        shutil.copy(sources / "0.dng", sources / f"{number}.dng")
    for at_once in (2, 1):
        cost = Cost()
        command = [sys.executable, "-m", "fadn_cli", "denoise", str(sources), "-q", "--overwrite"]
        command += ["-o", str(folder / "outputs"), "--jobs", str(at_once), "--preview", "keep"]
        measure(cost, command, ROOT)
        print(f"| {count} files of 12 MP, --jobs {at_once} | {cost} | |")
    cost = Cost()
    for path in sorted(sources.iterdir()):
        measure(cost, command_for(path, folder / "out.dng", "best"), ROOT)
    print(f"| {count} files of 12 MP, a command each | {sum(cost.seconds):.2f} s | | | | |")


def peers(source: Path, folder: Path) -> None:
    """Print what others take for the same file, where they are installed."""
    noise = folder / "noise.pp3"
    noise.write_text("[Directional Pyramid Denoising]\nEnabled=true\nLuma=40\nChroma=15\n")
    output = str(folder / "peer.tif")
    therapee = ["rawtherapee-cli", "-o", output, "-Y", "-t"]
    darktable = ["darktable-cli", str(source), output, "--core", "--disable-opencl"]
    commands = {
        "RawTherapee": [*therapee, "-d", "-c", str(source)],
        "RawTherapee, noise reduction": [*therapee, "-d", "-p", str(noise), "-c", str(source)],
        "darktable": [*darktable, "--configdir", str(folder), "--library", ":memory:"],
    }
    for name, command in commands.items():
        if shutil.which(command[0]):
            cost = Cost()
            measure(cost, command, folder)
            print(f"| {name} | {cost} | |")


def main() -> None:
    """Run the command line."""
    shared = Path(os.environ.get("FADN_SHARED", ROOT.parent / "shared"))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--raw", type=Path, default=shared / "raws/canon_kiss_x4_colorchart.dng")
    parser.add_argument("--megapixels", type=float, nargs="+", default=[24.0])
    parser.add_argument("--cfa", choices=("bayer", "xtrans"), default="bayer")
    parser.add_argument(
        "--quality",
        nargs="+",
        choices=specialists.QUALITIES,
        default=USUAL,
        help="default: %(default)s",
    )
    parser.add_argument("--passes", type=int, default=3, help="runs of each, taking turns")
    parser.add_argument("--jobs", type=int, default=0, metavar="FILES", help="a batch of so many")
    parser.add_argument("--peers", action="store_true", help="RawTherapee and darktable too")
    parser.add_argument("--against", type=Path, help="another checkout to take turns with")
    given = parser.parse_args()
    roots = [ROOT] if given.against is None else [given.against.resolve(), ROOT]
    print(
        "| what | wall clock | CPU | peak MB | without mapped files | |\n|---|---|---|---|---|---|"
    )
    seconds = {}
    with tempfile.TemporaryDirectory() as name:
        source = Path(name) / "source.dng"
        for megapixels in given.megapixels:
            write_source(given.raw, source, megapixels, given.cfa)
            seconds[megapixels] = one_size(source, megapixels, roots, given.passes, given.quality)
        if len(seconds) > 1:
            growth(seconds)
        if given.jobs:
            jobs(given.raw, Path(name), given.jobs)
        if given.peers:
            peers(source, Path(name))


if __name__ == "__main__":
    main()
