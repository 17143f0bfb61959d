"""Samples that are known to be bad: whatever they hold, what replaces them fits in."""

import numpy as np
import pytest

from fadn_cli.denoise.defects import badpixels
from fadn_cli.denoise.defects.badpixels import interpolate

SIZE = 40, 56
PATTERNS = {
    "one": ((20, 20),),
    "a pair beside each other": ((20, 20), (20, 21)),
    "a cluster": tuple((row, col) for row in range(10, 14) for col in range(30, 35)),
    "a column": tuple((row, 17) for row in range(SIZE[0])),
    "two columns of one colour": tuple((row, col) for row in range(SIZE[0]) for col in (17, 19)),
    "a row": tuple((8, col) for col in range(SIZE[1])),
    "a rectangle": tuple((row, col) for row in range(12, 28) for col in range(20, 41)),
    "corners": ((0, 0), (0, 55), (39, 0), (39, 55)),
    "a corner's block": tuple((row, col) for row in range(5) for col in range(4)),
    "borders": tuple((row, col) for row in range(SIZE[0]) for col in (0, 1, 54, 55)),
}


def bad_at(sites, size=SIZE):
    bad = np.zeros(size, np.bool_)
    bad[tuple(np.transpose(sites))] = True
    return bad


def repaired(x, bad):
    """What becomes of a mosaic whose bad samples hold nothing."""
    holed = np.where(bad, np.float32(np.nan), x).astype(np.float32)
    left = bad.copy()
    interpolate(holed, left)
    assert not left.any()
    return holed


def of_colors(colors=(0.2, 0.5, 0.4, 0.3), size=SIZE):
    """A mosaic of four flat planes."""
    x = np.empty(size, np.float32)
    for plane, value in enumerate(colors):
        x[plane // 2 :: 2, plane % 2 :: 2] = value
    return x


def scene(size=SIZE, *, gains=(0.5, 1.0, 1.0, 0.625)):
    """Texture of every colour that samples of one colour can just tell."""
    rows, cols = np.mgrid[: size[0], : size[1]]
    light = (
        0.4 + 0.1 * np.sin(rows / 5) + 0.1 * np.cos(cols / 4) + 0.1 * np.sin((rows + cols) / 1.6)
    )
    return (of_colors(gains, size) * light).astype(np.float32)


@pytest.mark.parametrize("sites", PATTERNS.values(), ids=PATTERNS)
def test_a_flat_of_four_colours_comes_back_whatever_is_bad(sites):
    x = of_colors()

    np.testing.assert_allclose(repaired(x, bad_at(sites)), x, rtol=1e-5)


@pytest.mark.parametrize(
    "name", ["one", "a cluster", "a column", "two columns of one colour", "a row"]
)
def test_a_ramp_comes_back_inside_the_frame(name):
    rows, cols = np.mgrid[: SIZE[0], : SIZE[1]]
    x = (of_colors() + 0.003 * rows + 0.005 * cols).astype(np.float32)

    found = repaired(x, bad_at(PATTERNS[name]))

    np.testing.assert_allclose(found[4:-4, 4:-4], x[4:-4, 4:-4], rtol=2e-3)


@pytest.mark.parametrize("sites", PATTERNS.values(), ids=PATTERNS)
def test_good_samples_stay_and_bad_ones_are_not_looked_at(sites):
    x, bad = scene(), bad_at(sites)

    found = repaired(x, bad)

    assert np.array_equal(x[~bad], found[~bad])
    assert np.isfinite(found).all()


def test_how_many_were_repaired_is_said():
    x, bad = scene(), bad_at(PATTERNS["a cluster"])

    assert 20 == interpolate(x, bad)


def test_a_colour_without_a_good_sample_is_left_and_said_to_be_bad():
    x, bad = of_colors(), np.zeros(SIZE, np.bool_)
    bad[0::2, 1::2] = True
    bad[1, 1] = True

    assert 1 == interpolate(x, bad)
    assert bad[0::2, 1::2].all()
    assert not bad[1, 1]


@pytest.mark.parametrize("sites", PATTERNS.values(), ids=PATTERNS)
def test_rows_and_columns_are_treated_alike(sites):
    x, bad = scene(), bad_at(sites)

    across = repaired(np.ascontiguousarray(x.T), np.ascontiguousarray(bad.T)).T

    np.testing.assert_allclose(across, repaired(x, bad), rtol=1e-4)


def test_the_phase_does_not_matter():
    x, bad = scene(), bad_at(PATTERNS["a cluster"])

    for top, left in ((0, 1), (1, 0), (1, 1)):
        found = repaired(x[top:, left:], bad[top:, left:])
        np.testing.assert_allclose(found, repaired(x, bad)[top:, left:], rtol=1e-5)


@pytest.mark.parametrize("sites", PATTERNS.values(), ids=PATTERNS)
def test_the_result_does_not_depend_on_how_the_work_is_cut(sites, monkeypatch):
    x, bad = scene(), bad_at(sites)
    expected = repaired(x, bad)

    monkeypatch.setattr(badpixels, "_SITES_PER_BLOCK", 3)

    assert np.array_equal(expected, repaired(x, bad))


def test_light_twice_as_bright_is_repaired_twice_as_bright():
    x, bad = scene(), bad_at(PATTERNS["a cluster"])

    np.testing.assert_allclose(repaired(2 * x, bad), 2 * repaired(x, bad), rtol=1e-3)


def test_among_saturated_neighbours_a_sample_is_saturated_to_the_last_bit():
    x, bad = scene(), bad_at(((20, 20),))
    x[14:27, 14:27] = 1

    assert 1 == repaired(x, bad)[20, 20]


def test_an_edge_is_continued_along_itself():
    rows, cols = np.mgrid[: SIZE[0], : SIZE[1]]
    for edge in (cols < 28, rows < 20, rows + 3 < cols, rows + cols < 48):
        x = (of_colors() * np.where(edge, 0.2, 1.0)).astype(np.float32)
        bad = np.zeros(SIZE, np.bool_)
        bad[8:-8:6, 8:-8:7] = True
        error = np.abs(repaired(x, bad) - x)[bad] / x[bad]
        assert np.median(error) < 0.01
        assert (error > 0.1).mean() < 0.08


def test_texture_is_guessed_better_than_by_the_median_of_the_neighbours():
    x, bad = scene((96, 128)), np.zeros((96, 128), np.bool_)
    bad[6:-6:5, 6:-6:7] = True
    rows, cols = np.nonzero(bad)
    around = [
        x[rows + row, cols + col]
        for row in (-2, 0, 2)
        for col in (-2, 0, 2)
        if (row, col) != (0, 0)
    ]

    ours = np.sqrt(np.mean((repaired(x, bad) - x)[bad] ** 2))

    assert ours < 0.3 * np.sqrt(np.mean((np.median(around, axis=0) - x[bad]) ** 2))


@pytest.mark.parametrize("sites", PATTERNS.values(), ids=PATTERNS)
def test_noise_is_not_made_worse(sites):
    x = of_colors()
    noisy = (x + np.random.default_rng(3).normal(0, 0.02, SIZE)).astype(np.float32)
    bad = bad_at(sites)

    assert np.abs(repaired(noisy, bad) - x)[bad].max() < 4 * 0.02


def test_a_spike_of_another_colour_does_not_reach_over():
    x, bad = of_colors(), bad_at(((20, 20),))
    for row, col in ((20, 19), (20, 21), (19, 20), (21, 20)):
        x[row, col] = 1

    assert 0.2 == pytest.approx(repaired(x, bad)[20, 20])
