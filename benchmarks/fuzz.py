"""Damage small files of every kind at random, and see that each is done or refused in one line.

Run from a checkout: ``python benchmarks/fuzz.py [--seed N] [--seconds S] [--raws FOLDER]``; with
``--only NUMBER`` one case is run again in this process, and ``--keep FILE`` writes its bytes.
Whatever is neither a success nor a FadnError, ends the process, takes over 20 s or 400 MB is a
finding: printed with its number, and the exit code is 1.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.fuzz import watch  # noqa: E402
from tests.fuzz.targets import all_seeds  # noqa: E402

_SHOWN = 3  # findings of one place


def main() -> int:
    """Run cases; return how it went."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--raws", type=Path, default=ROOT.parent / "shared" / "raws")
    parser.add_argument("--only", type=int)
    parser.add_argument("--keep", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        raws = arguments.raws if arguments.raws.is_dir() else None
        seeds = all_seeds(Path(folder), raws)
    if arguments.only is not None:
        if arguments.keep is not None:
            arguments.keep.write_bytes(watch.make_case(seeds, arguments.seed, arguments.only)[1])
        outcome = watch.run_case(seeds, arguments.seed, arguments.only)
        print(outcome.name, outcome.error, outcome.finding)
        return int(bool(outcome.finding))
    return fuzz(seeds, arguments.seed, arguments.first, arguments.seconds)


def fuzz(seeds: list, seed: int, first: int, seconds: float) -> int:
    """Run cases for so long, and print what came of them."""
    begun, outcomes, findings = time.monotonic(), Counter(), Counter()
    for outcome in watch.run(seeds, seed, first, begun + seconds):
        outcomes[outcome.error or "done"] += 1
        if not outcome.finding:
            continue
        findings[outcome.finding.rpartition("\n")[2]] += 1
        if findings[outcome.finding.rpartition("\n")[2]] <= _SHOWN:
            print(f"FINDING {outcome.number} {outcome.name}: {outcome.finding}", flush=True)
    took = time.monotonic() - begun
    print(f"{outcomes.total()} cases of {len(seeds)} files in {took:.0f} s, seed {seed}")
    print(", ".join(f"{name} {count}" for name, count in outcomes.most_common()))
    print(f"{findings.total()} findings, at {len(findings)} places")
    return int(findings.total() > 0)


if __name__ == "__main__":
    sys.exit(main())
