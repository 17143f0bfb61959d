"""What is left on flat areas is told apart: fine grain from blotches."""

import numpy as np
import pytest

pytest.importorskip("torch")

from benchmarks.flats import block_means, left  # noqa: E402
from fadn_cli.training.judge.evaluate import shipped


def test_grain_is_no_blotch():
    rows, cols = np.mgrid[:32, :48]
    grain = np.stack([(-1.0) ** (rows + cols)] * 4)

    assert np.all(block_means(grain) == 0)


def test_blotches_are_kept_where_they_are():
    blotches = np.random.default_rng(1).normal(size=(4, 4, 6))

    means = block_means(np.repeat(np.repeat(blotches, 8, axis=1), 8, axis=2))

    np.testing.assert_allclose(means, blotches, rtol=1e-12)


def test_less_is_left_than_there_was_of_grain_and_still_less_of_blotches():
    samples, means = left(shipped(estimated=False, quality="fast"), 0.06, 0.18)

    # Means of 64 white samples have an eighth of their deviation: the networks leave less.
    assert 0 < means < samples < 0.2
    assert means < 1 / 8
