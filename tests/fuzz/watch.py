"""Cases run one after the other in a process that may die of them, and what became of each.

The one thing to know: a case is its number and the seed, so each can be run again alone; a process
that ends, hangs or takes too much memory loses that case only, and the next one goes on behind it.
"""

import multiprocessing
import os
import random
import re
import resource
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

from fadn_cli.errors import FadnError, WriteError
from tests.fuzz.mutation import hot_spots, mutate
from tests.fuzz.targets import Seed

SECONDS = 20.0
"""Of the processor that one case may take."""
MOST_SECONDS = 300.0
"""That one case may take, however busy the machine is."""
ADDRESSES = 3 << 30
"""Bytes of addresses that the process may take beyond what it has."""
RESIDENT = 400 << 20
"""Bytes that one case may add to what the process holds."""
_STATUS = Path("/proc/self/status")


class Outcome(NamedTuple):
    """What became of a case."""

    number: int
    name: str
    """Of its seed."""
    error: str
    """Name of the FadnError, "" for none."""
    finding: str
    """What is wrong; "" if nothing is."""


def make_case(seeds: Sequence[Seed], seed: int, number: int) -> tuple[Seed, bytes, random.Random]:
    """Return a case's file, its damaged bytes, and what decides the rest."""
    rng = random.Random(f"{seed} {number}")
    [chosen] = rng.choices(seeds, [each.weight for each in seeds])
    return chosen, mutate(chosen.data, _spots(chosen), rng), rng


def run_case(seeds: Sequence[Seed], seed: int, number: int) -> Outcome:
    """Run one case in this process."""
    chosen, data, rng = make_case(seeds, seed, number)
    error = finding = ""
    before = _peak(reset=True)
    with tempfile.TemporaryDirectory(prefix="fuzz") as folder, warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            chosen.target(data, Path(folder), rng)
        except FadnError as told:
            error = type(told).__name__
            if isinstance(told, WriteError) and "as written is wrong" in str(told):  # our own fault
                finding = f"{told}"
            if "\n" in str(told) or len(str(told)) > 1000:
                finding = f"an error of {len(str(told))} characters: {str(told)[:300]!r}"
        except Exception:
            finding = _told(sys.exc_info()[1])
    grown = _peak() - before
    if not finding and grown > RESIDENT:
        finding = f"took {grown >> 20} MB"
    return Outcome(number, chosen.name, error, finding)


def _told(error: BaseException | None) -> str:
    """Spell an exception and where it came from, in a few lines."""
    frames = traceback.extract_tb(error.__traceback__) if error is not None else []
    places = [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]
    return f"{type(error).__name__}: {str(error)[:300]}\n    " + " > ".join(places[-6:])


def run(seeds: Sequence[Seed], seed: int, first: int, until: float) -> Iterator[Outcome]:
    """Run cases from a number on, until a time of `time.monotonic`."""
    number = first
    context = multiprocessing.get_context("spawn")  # LibRaw may not be forked
    while time.monotonic() < until:
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=_work, args=(seeds, seed, number, theirs), daemon=True)
        process.start()
        theirs.close()
        try:
            while time.monotonic() < until:
                if not _answers(ours, process.pid or 0):
                    yield _lost(seeds, seed, number, f"takes more than {SECONDS:g} s")
                    number += 1
                    break
                try:
                    outcome = ours.recv()
                except EOFError:
                    process.join()
                    yield _lost(seeds, seed, number, f"ends the process: {process.exitcode}")
                    number += 1
                    break
                yield outcome
                number += 1
        finally:
            process.kill()
            process.join()
            ours.close()


def _answers(told: Connection, pid: int) -> bool:
    """Wait for the end of a case; False if it takes too long, as the processor counts it."""
    begun, used = time.monotonic(), _cpu_seconds(pid)
    while not told.poll(0.5):
        if _cpu_seconds(pid) - used > SECONDS or time.monotonic() - begun > MOST_SECONDS:
            return False
    return True


def _cpu_seconds(pid: int) -> float:
    """Return how long a process has worked; 0 if it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _work(seeds: Sequence[Seed], seed: int, first: int, told: Connection) -> None:
    """Run cases until the process is ended."""
    used = int(_number("VmSize"))
    resource.setrlimit(resource.RLIMIT_AS, (used + ADDRESSES, resource.RLIM_INFINITY))
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 2)  # what C libraries say of damaged files
    number = first
    while True:
        told.send(run_case(seeds, seed, number))
        number += 1


def _lost(seeds: Sequence[Seed], seed: int, number: int, finding: str) -> Outcome:
    """Make the outcome of a case that never ended."""
    return Outcome(number, make_case(seeds, seed, number)[0].name, "", finding)


_known: dict[str, tuple[int, ...]] = {}


def _spots(seed: Seed) -> tuple[int, ...]:
    """Return a seed's places that decide something, found once."""
    if seed.name not in _known:
        _known[seed.name] = hot_spots(seed.data)
    return _known[seed.name]


def _peak(*, reset: bool = False) -> int:
    """Return the most memory held since the last reset, in bytes."""
    if reset:
        Path("/proc/self/clear_refs").write_text("5")
    return _number("VmHWM")


def _number(name: str) -> int:
    """Return one of the process' numbers, in bytes; 0 where there is no /proc."""
    found = re.search(rf"^{name}:\s*(\d+) kB", _STATUS.read_text(), re.MULTILINE)
    return int(found[1]) * 1024 if found else 0
