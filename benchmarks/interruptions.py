"""Stop a batch of 60 files at 20 random moments, finish it, and compare with an undisturbed run.

Run from a checkout: ``python benchmarks/interruptions.py [--raws FOLDER] [--kills N] [--small]``.
The folder is made of copies of real raws with altered EXIF (54 good ones, also in sub-folders and
under odd names), 5 corrupt ones, and a dangling link. The stops are SIGKILL, SIGINT, SIGTERM and
SIGHUP in turn, each of the last three as often as an impatient hand would send it.
Then: the bytes with several --jobs and --threads, and on a Dask cluster of two workers if
distributed is installed. Prints what it saw; exits with 1 if anything is not as it should be.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from fadn_cli.raw.source.reader import read_raw  # noqa: E402
from tests.making.dng.write import write_dng  # noqa: E402

SMALL = ("nikon_flower_rggb.dng", "nikon_flower_grbg.dng", "canon_kiss_x4_colorchart.dng")
STATE = ".fadn-state.jsonl"
ASKING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
GOOD, CORRUPT = 54, 5
START_SECONDS = 1.0  # in which the command starts, more or less
problems: list[str] = []


def check(holds: bool, what: str) -> None:
    """Note what is not as it should be."""
    print(f"{'ok  ' if holds else 'FAIL'} {what}")
    if not holds:
        problems.append(what)


def make_shoot(raws: Path, folder: Path, *, small: bool) -> None:
    """Fill a folder: 54 good raws, 5 corrupt ones, a dangling link, and two JPEG companions."""
    subfolders = ("", "day 1", "day 2/[RAW] Füße", os.fsdecode(b"caf\xe9"))
    for number in range(GOOD):
        place = folder / subfolders[number % 4]
        place.mkdir(parents=True, exist_ok=True)
        path = place / f"IMG_{number:03} ({number % 7}) [x].dng"
        copy_raw(raws / SMALL[number % len(SMALL)], path, number, small=small)
    donor = (folder / "IMG_000 (0) [x].dng").read_bytes()
    broken = (donor[: len(donor) // 2], b"", b"II*\0", os.urandom(5000), bytes(len(donor)))
    for number, content in enumerate(broken):
        (folder / f"broken {number}.dng").write_bytes(content)
    (folder / "dangling.dng").symlink_to("nowhere.dng")
    for name in ("IMG_000 (0) [x].jpg", "notes.txt"):
        (folder / name).write_bytes(b"companion")


def copy_raw(raw: Path, path: Path, number: int, *, small: bool) -> None:
    """Copy a raw with another date in its EXIF, or a piece of its mosaic as a DNG of its own."""
    if small:
        mosaic = read_raw(raw).mosaic
        area = mosaic.active_area
        part = mosaic.samples[area.slices][: 256 + 2 * number, :384]
        black = (round(float(mosaic.black_level.mean())),)
        cfa = mosaic.cfa.shifted(area.top, area.left).colors
        iso = 100 * (number + 1)
        write_dng(path, part, cfa=cfa, black=black, white=int(mosaic.white_level), iso=iso)
        return
    # The EXIF's own field for whatever: no length changes, so nothing else in the file does.
    data = bytearray(raw.read_bytes())
    model = data.find(b"Canon EOS Kiss X4\0") if raw.name.startswith("canon") else -1
    if model >= 0:
        data[model : model + 17] = f"Canon EOS No {number:04}".encode()
    path.write_bytes(data + f"photograph {number}".encode())


def command(source: Path, output: Path, *arguments: str) -> list[str]:
    """Return the command line of one batch."""
    fadn = [sys.executable, "-m", "fadn_cli", "denoise", str(source), "-o", str(output)]
    return [*fadn, "--recursive", "--quality", "fast", *arguments]


def run(*arguments, **options) -> subprocess.CompletedProcess:
    """Run one batch to its end."""
    return subprocess.run(
        command(*arguments), cwd=ROOT, capture_output=True, text=True, check=False, **options
    )


def contents(folder: Path) -> dict[str, bytes]:
    """Return every visible file below a folder, by its path."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(".fadn-")
    }


def leftovers(folder: Path) -> list[Path]:
    """Return the temporary files below a folder."""
    return [*folder.rglob(".fadn-*.part"), *folder.rglob(".fadn-*.batch")]


def hear_all() -> None:
    """Ignore no signal, whatever this was started by."""
    for kill in ASKING:
        signal.signal(kill, signal.SIG_DFL)


def stop_once(source: Path, output: Path, kill: signal.Signals, moment: float) -> str:
    """Start the batch and stop it after some seconds; say what came of it."""
    known = set(leftovers(output))  # of a killed run before: they say nothing of this one
    process = subprocess.Popen(
        command(source, output, "--jobs", "2"),
        cwd=ROOT,
        stderr=subprocess.PIPE,
        preexec_fn=hear_all,
    )
    while process.poll() is None and set(leftovers(output)) <= known and moment > 0:
        time.sleep(0.01)  # until it has begun, however slow the machine is
    time.sleep(abs(moment))
    for _ in range(1 if kill == signal.SIGKILL else 5):
        process.send_signal(kill)
        time.sleep(0.01)
    start = time.perf_counter()
    process.communicate()
    seconds = time.perf_counter() - start
    if kill in ASKING:
        check(seconds < 2, f"{kill.name} is heard within two seconds")
        # 1: of the corrupt files, where the batch came to its end first
        ends = (128 + kill, -kill, *([1] if len(contents(output)) == GOOD else []))
        check(process.returncode in ends, f"and exits with {128 + kill}")
    return f"{kill.name} after {moment:.2f} s: exit {process.returncode}, ended in {seconds:.2f} s"


def interrupt(
    source: Path, output: Path, expected: dict[str, bytes], kills: int, seconds: float
) -> None:
    """Stop the batch at random moments; check every state in between.

    `seconds` is how long it takes in peace: a stop comes after its share of that at most, counted
    from when the first file is at work; every tenth one while it starts. What is done before the
    last stop begins anew.
    """
    rng = random.Random(5)
    stamps: dict[str, int] = {}
    before: set[Path] = set()
    for number in range(kills):
        kill = (signal.SIGKILL, *ASKING)[number % (1 + len(ASKING))]
        moment = rng.uniform(0, max(2.0, seconds / kills))
        if number % 10 == 9:
            moment = -rng.uniform(0, START_SECONDS)
        said = stop_once(source, output, kill, moment)
        found = contents(output) if output.exists() else {}
        whole = all(expected.get(name) == data for name, data in found.items())
        now = {name: (output / name).stat().st_mtime_ns for name in found}
        kept = all(now.get(name) == stamp for name, stamp in stamps.items())
        left = leftovers(output)
        print(f"     {said}; {len(found)} outputs, {len(left)} hidden leftovers")
        check(whole and kept, f"stop {number + 1}: only whole outputs, none made twice")
        folders = len({path.parent for path in left})
        check(len(left) <= 2 + folders, "at most one leftover per job, and a claim per folder")
        check(kill == signal.SIGKILL or set(left) <= before, f"{kill.name} leaves none")
        stamps, before = now, set(left)  # a run that ends early may not have come to cleaning
        if len(found) == GOOD:
            check(found == expected, "all is done: the outputs are those of an undisturbed run")
            shutil.rmtree(output)
            stamps, before = {}, set()
    last = run(source, output, "--jobs", "2", "--json")
    batch = json.loads(last.stdout)
    print(f"     the last run: exit {last.returncode}, {batch['counts']}")
    check(last.returncode == 1 and batch["counts"]["failed"] == 6, "the last run exits with 1")
    check(contents(output) == expected, "in the end the outputs are those of an undisturbed run")
    check(not leftovers(output), "nothing partial is left")
    notes = Counter()
    for state in output.rglob(STATE):
        for line in state.read_text().splitlines():
            notes[state.parent, json.loads(line)["output"]] += 1
    print(f"     notes per output: {sorted(Counter(notes.values()).items())}")


def undisturbed(source: Path, output: Path) -> tuple[dict[str, bytes], float]:
    """Run the batch in peace; return its outputs, and how many seconds it took."""
    start = time.perf_counter()
    done = run(source, output, "--json", "--report", str(output / "report.json"))
    batch = json.loads(done.stdout)
    seconds = time.perf_counter() - start
    print(f"     {seconds:.0f} s, {batch['counts']}")
    check(done.returncode == 1, "an undisturbed run exits with 1")
    check(batch["counts"]["denoised"] == GOOD, f"{GOOD} good outputs")
    failed = [each for each in batch["files"] if each["state"] == "failed"]
    check(len(failed) == CORRUPT + 1, "each failure is named")
    check(all(Path(each["source"]).name in done.stderr for each in failed), "also on stderr")
    check(batch == json.loads((output / "report.json").read_text()), "the report is the JSON")
    (output / "report.json").unlink()
    again = run(source, output, "--json")
    check(json.loads(again.stdout)["counts"]["done"] == GOOD, "run again, nothing is done again")
    return contents(output), seconds


def on_a_cluster(source: Path, output: Path, expected: dict[str, bytes]) -> None:
    """Run the batch on two Dask workers, if distributed is installed."""
    try:
        import distributed
    except ImportError:
        print("     distributed is not installed: no cluster")
        return
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None
    ) as cluster:
        run(source, output, "--scheduler", cluster.scheduler_address)
    check(contents(output) == expected, "two Dask workers: the same bytes")


def main() -> None:
    """Run the command line."""
    shared = Path(os.environ.get("FADN_SHARED", ROOT.parent / "shared"))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--raws", type=Path, default=shared / "raws")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--small", action="store_true", help="pieces of the raws instead of all")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = folder / "shoot"
        make_shoot(arguments.raws, source, small=arguments.small)
        before = contents(source)
        print("An undisturbed run, one file at a time:")
        expected, seconds = undisturbed(source, folder / "undisturbed")
        print(f"{arguments.kills} stops at random moments:")
        interrupt(source, folder / "stopped", expected, arguments.kills, seconds)
        for jobs, threads in (("2", "1"), ("2", "2"), ("1", "1")):
            output = folder / f"{jobs}-{threads}"
            run(source, output, "--jobs", jobs, "--threads", threads)
            check(contents(output) == expected, f"--jobs {jobs} --threads {threads}: same bytes")
            shutil.rmtree(output)
        on_a_cluster(source, folder / "cluster", expected)
        check(contents(source) == before, "the sources are untouched")
    print(f"{len(problems)} problems" if problems else "everything is as it should be")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
