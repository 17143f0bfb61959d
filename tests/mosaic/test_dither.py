"""The dither of the last rounding: exact means, and nothing but the source decides it."""

import numpy as np
import pytest

from fadn_cli.mosaic.dither import dither

ROWS, COLS = 256, 320


def source(seed=0, height=ROWS, width=COLS):
    return np.random.default_rng(seed).integers(50, 70, (height, width)).astype(np.uint16)


def whole(samples):
    height, width = samples.shape
    return dither(samples, slice(0, height), slice(0, width))


def area_means(x):
    """Of each colour's 32x32 samples in areas of 64x64."""
    sites = np.stack([x[row::2, col::2] for row in (0, 1) for col in (0, 1)])
    _, height, width = sites.shape
    return sites.reshape(4, height // 32, 32, width // 32, 32).mean(axis=(2, 4))


@pytest.mark.parametrize("samples", (source(), np.full((ROWS, COLS), 60, np.uint16)))
@pytest.mark.parametrize("part", (0.0, 0.03, 0.25, 0.4, 0.5, 0.77, 0.99))
def test_the_mean_of_an_area_is_exact_to_a_fiftieth_of_a_step(samples, part):
    """Of every colour's share of it, whatever lies between two steps."""
    rounded = np.rint(np.float32(100 + part) + whole(samples))

    assert np.abs(area_means(rounded) - (100 + part)).max() < 1 / 50


def test_a_gradient_has_no_steps():
    ramp = np.linspace(0, 3, COLS, dtype=np.float32)
    rounded = np.rint(ramp + whole(source()))

    assert np.abs(rounded.mean(axis=0) - ramp).max() < 0.15
    assert np.abs((rounded - ramp).reshape(ROWS, -1, 32).mean(axis=(0, 2))).max() < 0.01


def test_it_is_even_within_half_a_step():
    spread = whole(source())

    assert np.float32 == spread.dtype
    assert -0.5 <= spread.min() < -0.499
    assert 0.499 < spread.max() < 0.5
    assert 0 == pytest.approx(spread.mean(), abs=1e-3)
    assert 1 / 12 == pytest.approx(spread.var(), rel=0.01)


@pytest.mark.parametrize(
    ("rows", "cols"),
    (
        (slice(0, 40), slice(3, 300)),
        (slice(37, 38), slice(0, 320)),
        (slice(200, 256), slice(9, 11)),
    ),
)
def test_a_strip_of_it_is_the_same_strip(rows, cols):
    samples = source()

    assert np.array_equal(whole(samples)[rows, cols], dither(samples, rows, cols))


@pytest.mark.parametrize("size", ((17, 31), (8, 8), (1, 3)))
def test_any_size_will_do(size):
    assert size == whole(source(height=size[0], width=size[1])).shape


def test_two_frames_of_a_still_scene_get_different_numbers():
    first, second = whole(source(1)), whole(source(2))

    assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 0.02


def test_it_follows_neither_the_samples_nor_the_other_colours():
    samples = source()
    spread = whole(samples)

    assert abs(np.corrcoef(spread.ravel(), samples.ravel())[0, 1]) < 0.02
    for row, col in ((0, 1), (1, 0), (1, 1)):
        other = np.corrcoef(spread[0::2, 0::2].ravel(), spread[row::2, col::2].ravel())[0, 1]
        assert abs(other) < 0.1  # of one 4x4 cell, all 16 agree or not


def test_the_source_is_not_modified():
    samples = source()
    before = samples.copy()

    whole(samples)

    assert np.array_equal(before, samples)
