"""Finer steps: samples and levels times one power of two, and only what can be is rounded so."""

import numpy as np
import pytest

from fadn_cli.mosaic.cfa import CfaPattern
from fadn_cli.mosaic.conversion import denormalize, normalize, scaled
from fadn_cli.mosaic.steps import SOURCE_STEPS, Steps, factor_between, finest_factor, own_step
from fadn_cli.mosaic.values import Mosaic, Rect

HEIGHT, WIDTH = 37, 50
FACTORS = (1, 2, 4)
FINE = Steps(factor=4)
DITHERED = Steps(factor=4, dithers_below=np.inf)


def make_mosaic(top=15000, white=15000.0, **changes):
    rng = np.random.default_rng(5)
    fields = {
        "samples": rng.integers(0, top, (HEIGHT, WIDTH)).astype(np.uint16),
        "cfa": CfaPattern(colors="GRBG"),
        "black_level": np.array([[500.25, 512.5], [511.0, 530.75]], np.float32),
        "white_level": white,
        "active_area": Rect(top=3, left=5, height=HEIGHT - 6, width=WIDTH - 7),
        "black_delta_h": rng.normal(0, 3, WIDTH).astype(np.float32),
        "black_delta_v": rng.normal(0, 3, HEIGHT).astype(np.float32),
    }
    return Mosaic(**{**fields, **changes})


@pytest.mark.parametrize("factor", FACTORS)
def test_a_scaled_mosaic_is_the_same_photograph(factor):
    mosaic = make_mosaic()
    finer = scaled(mosaic, factor)

    assert np.array_equal(mosaic.samples.astype(int) * factor, finer.samples)
    np.testing.assert_allclose(normalize(mosaic), normalize(finer), atol=2e-7)
    assert finer.samples is not mosaic.samples


def test_what_would_not_fit_16_bits_is_a_mistake():
    with pytest.raises(ValueError, match="does not fit"):
        scaled(make_mosaic(), 8)


@pytest.mark.parametrize("steps", (SOURCE_STEPS, FINE))
def test_unchanged_samples_come_back_times_the_factor(steps):
    mosaic = make_mosaic(top=16384)

    after = denormalize(normalize(mosaic), mosaic, steps)

    assert np.array_equal(mosaic.samples.astype(int) * steps.factor, after.samples)
    assert mosaic.white_level * steps.factor == after.white_level


def test_finer_steps_hold_what_lies_between_those_of_the_source():
    mosaic = make_mosaic(top=9000)
    x = normalize(mosaic) + np.float32(0.26 / 14500)

    after = denormalize(x, mosaic, FINE).samples[mosaic.active_area.slices]

    expected = mosaic.samples[mosaic.active_area.slices].astype(int) * 4 + 1
    assert np.array_equal(expected, after)


@pytest.mark.parametrize("steps", (FINE, DITHERED))
def test_outside_and_saturated_samples_are_the_sources_times_the_factor(steps):
    mosaic = make_mosaic(top=9000)
    mosaic.samples[10:18, 12:30] = 15000
    x = np.full(mosaic.samples.shape, 0.3, np.float32)

    after = denormalize(x, mosaic, steps).samples

    outside = np.ones(after.shape, bool)
    outside[mosaic.active_area.slices] = False
    assert np.array_equal(mosaic.samples[outside].astype(int) * 4, after[outside])
    assert (after[10:18, 12:30] == 60000).all()


def test_dither_keeps_the_mean_and_plain_rounding_does_not():
    mosaic = make_mosaic(top=900, black_delta_h=None, black_delta_v=None)
    levels = mosaic.black_rows(0, HEIGHT) + 100.3
    x = (levels - mosaic.black_rows(0, HEIGHT)) / (15000 - mosaic.black_rows(0, HEIGHT))
    inside = mosaic.active_area.slices

    plain, dithered = (
        denormalize(x.astype(np.float32), mosaic, steps).samples[inside] - levels[inside]
        for steps in (SOURCE_STEPS, Steps(dithers_below=np.inf))
    )

    assert abs(plain.mean()) > 0.05
    assert abs(dithered.mean()) < 0.02


def test_only_what_lies_below_the_level_is_dithered():
    mosaic = make_mosaic(top=900)
    x = np.full(mosaic.samples.shape, 0.1, np.float32)
    x[:, 25:] = 0.4

    plain, dithered = (
        denormalize(x, mosaic, Steps(factor=4, dithers_below=below)).samples
        for below in (None, 0.2)
    )

    assert np.array_equal(plain[:, 25:], dithered[:, 25:])
    assert not np.array_equal(plain[:, :25], dithered[:, :25])


def test_dithered_samples_stay_between_black_and_white():
    mosaic = make_mosaic(top=900, black_level=np.zeros((1, 1), np.float32), black_delta_h=None)
    for level in (0.0, 1.0):
        x = np.full(mosaic.samples.shape, level, np.float32)

        after = denormalize(x, mosaic, Steps(factor=4, dithers_below=np.inf)).samples

        assert after.max() <= 60000


@pytest.mark.parametrize(
    ("highest", "factor"),
    ((255, 256), (1023, 64), (4095, 16), (4096, 8), (16383, 4), (32767, 2), (65535, 1), (65536, 1)),
)
def test_as_far_as_16_bits_go(highest, factor):
    assert factor == finest_factor(highest)
    assert factor == 1 or factor * highest <= 65535


def test_only_a_whole_power_of_two_is_a_factor():
    found = [factor_between(1000, white) for white in (500, 1000, 2000, 3000, 4000, 4001, 2500)]

    assert [1, 1, 2, 1, 4, 1, 1] == found


def test_variance_is_that_of_rounding_and_of_dither():
    assert 0 == SOURCE_STEPS.variance(1000)
    assert 1 / 12 / 4000**2 == pytest.approx(FINE.variance(1000))
    assert 1 / 6 / 4000**2 == pytest.approx(DITHERED.variance(1000))


@pytest.mark.parametrize("step", (1, 3, 16))
def test_the_own_step_is_the_least_that_samples_differ_by(step):
    samples = np.random.default_rng(1).integers(0, 200, (600, 40)).astype(np.uint16)

    assert step == own_step(7 + samples * np.uint16(step))


def test_one_odd_sample_is_enough_to_halve_it():
    samples = np.full((600, 40), 64, np.uint16)
    samples[:, 1] += 16
    samples[599, 39] += 8

    assert 8 == own_step(samples)


def test_an_even_frame_has_steps_of_one():
    assert 1 == own_step(np.full((4, 4), 64, np.uint16))
