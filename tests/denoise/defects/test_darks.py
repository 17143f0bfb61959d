"""What stands out in a dark frame is found at every site of every pattern; glow does not count."""

import numpy as np
import pytest

from fadn_cli.denoise.defects.darks import find_outstanding, lit_share

STEP = 1e-4
PERIODS = {"mono": 1, "Bayer": 2, "X-Trans": 6}

every_period = pytest.mark.parametrize("period", PERIODS.values(), ids=PERIODS)


def dark(period, *, size=(301, 407), glow=0.0):
    """Noise around a black level that differs from site to site, and an amplifier that glows."""
    rng = np.random.default_rng(5)
    rows, cols = np.mgrid[: size[0], : size[1]]
    levels = rng.uniform(-0.01, 0.01, (period, period))[rows % period, cols % period]
    x = levels + glow * np.exp(-(rows + cols) / 200) + rng.normal(0, 5e-4, size)
    return x.astype(np.float32)


@every_period
def test_hot_and_dead_pixels_are_found_at_every_site_and_nothing_else(period):
    x = dark(period, glow=0.01)
    places = [(row, col) for row in (0, 40, 163, 300) for col in range(3, 407, 31)]
    hot, dead = places[0::2], places[1::2]
    x[tuple(np.transpose(hot))] += 0.01
    x[tuple(np.transpose(dead))] -= 0.01

    bright, faint = find_outstanding(x, step=STEP, period=period)

    assert sorted(hot) == [tuple(at) for at in np.argwhere(bright).tolist()]
    assert sorted(dead) == [tuple(at) for at in np.argwhere(faint).tolist()]


@every_period
def test_noise_and_glow_hold_none(period):
    bright, faint = find_outstanding(dark(period, glow=0.05), step=STEP, period=period)

    assert not bright.any()
    assert not faint.any()


@every_period
def test_frames_of_a_few_samples_and_of_nothing_known_hold_none(period):
    for x in (dark(period, size=(5, 4)), np.full((40, 40), np.nan, np.float32)):
        bright, faint = find_outstanding(x, step=STEP, period=period)

        assert not bright.any()
        assert not faint.any()


@every_period
def test_the_share_of_a_frame_that_is_lit_is_that_of_its_area(period):
    x = dark(period, size=(384, 384))
    x[:, :96] += 0.1

    assert 0.25 == pytest.approx(lit_share(x, level=0.02, period=period), abs=0.1)
    assert 0 == lit_share(dark(period), level=0.02, period=period)
