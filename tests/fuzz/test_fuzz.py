"""A few hundred damaged files of every kind are done or refused: `benchmarks/fuzz.py` runs more."""

import random

import pytest

from fadn_cli.raw.source.reader import read_raw
from tests.fuzz.mutation import hot_spots, mutate
from tests.fuzz.targets import MOST_MEGAPIXELS, Seed, all_seeds, raw_file
from tests.fuzz.watch import run_case
from tests.making.dng.write import write_dng
from tests.making.mosaics import noisy_samples

SEED = 20_000
CASES = 300


@pytest.fixture(scope="module")
def seeds(tmp_path_factory):
    """Stand-ins only: the real files take longer, and are not there everywhere."""
    return all_seeds(tmp_path_factory.mktemp("seeds"), None)


@pytest.mark.parametrize("part", range(4))
def test_damaged_files_are_done_or_refused_in_one_line(seeds, part):
    numbers = range(part * CASES // 4, (part + 1) * CASES // 4)
    outcomes = [run_case(seeds, SEED, number) for number in numbers]

    assert [] == [outcome for outcome in outcomes if outcome.finding]
    assert {"", "RawReadError"} <= {outcome.error for outcome in outcomes}


def test_every_kind_of_file_is_done_undamaged(seeds, tmp_path):
    """Else what is fuzzed would be how they are refused. IIQ are, whole or not."""
    path = tmp_path / "a.raw"
    for seed in seeds:
        if seed.target is raw_file and seed.name != "phase-one.iiq":
            path.write_bytes(seed.data)
            read_raw(path, max_megapixels=MOST_MEGAPIXELS)


def test_whatever_else_happens_is_a_finding(tmp_path):
    def fails(data, folder, rng):
        raise ZeroDivisionError("oops")

    def takes(data, folder, rng):
        bytearray(500 << 20)[:] = b"x" * (500 << 20)

    found = [run_case([Seed("a", b"abc", each, 1)], 1, 1).finding for each in (fails, takes)]

    assert found[0].startswith("ZeroDivisionError: oops\n")
    assert found[1].startswith("took ")


def test_the_same_case_is_the_same_damage(tmp_path):
    data = write_dng(tmp_path / "a.dng", noisy_samples(64, 96)).read_bytes()
    spots = hot_spots(data)

    first, again, other = (mutate(data, spots, random.Random(seed)) for seed in (1, 1, 2))

    assert first == again
    assert first != other
