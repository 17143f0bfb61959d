"""Colours of one place tell noise, which grows with the light, from grain, which grows with its
square."""

import numpy as np
import pytest

from fadn_cli.denoise.noise.blocks import measure_blocks
from fadn_cli.denoise.noise.colors import SHARES, ColorLevels, log_likelihood, measure_colors
from fadn_cli.denoise.noise.estimate import estimate, measure
from fadn_cli.denoise.noise.levels import measure_levels
from fadn_cli.denoise.noise.prior import split_grain

SHOT, READ = 6e-6, 6e-9
LEVELS = np.array([0.5, 1.0, 1.0, 0.65])
SLOPES = np.array([1.0, 3.0]) * SHOT


def wall(contrast=0.0, gains=LEVELS, seed=3, side=240):
    """An evenly lit wall of white grain, in steps of brightness, with noise."""
    rng = np.random.default_rng(seed)
    light = np.repeat([0.02, 0.04, 0.06, 0.1, 0.2, 0.4], side // 6)[:, None]
    light = light * (
        1 + contrast * rng.normal(size=(len(gains), side, side)) / np.sqrt(light / 0.1)
    )
    clean = np.maximum(gains[:, None, None] * light, 1e-4)
    x = rng.poisson(clean / SHOT) * SHOT + rng.normal(0, np.sqrt(READ), clean.shape)
    return x.astype(np.float32)


def drawn(share, *, slope=SHOT, levels=LEVELS * 0.1, uncertainty=0.05):
    """Variances of one level of which `share` is noise and the rest grain, or nearly."""
    middle = np.mean(levels)
    high = slope * (share * levels + (1 - share) * levels**2 / middle) + READ
    return ColorLevels(
        level=levels[None],
        high=high[None],
        uncertainty=np.array([uncertainty]),
        variance=np.array([slope * middle + READ]),
        check=np.array([slope * middle + READ]),
    )


def likeliest(colors, slope=SHOT):
    found = log_likelihood(colors, np.array([slope]), np.array([READ]))
    return SHARES[found[0].argmax()]


def test_the_law_of_noise_is_told_from_that_of_grain():
    assert likeliest(drawn(1.0)) > 0.9
    assert likeliest(drawn(0.0)) < 0.25
    assert likeliest(drawn(0.3)) < likeliest(drawn(0.7))


@pytest.mark.parametrize("planes", (2, 3, 4, 6))
def test_any_number_of_planes_can_be_compared(planes):
    levels = 0.1 * np.linspace(0.4, 1, planes)

    assert likeliest(drawn(1.0, levels=levels)) > likeliest(drawn(0.0, levels=levels)) + 0.5


def test_colors_of_one_level_never_speak_for_grain():
    assert 1 == likeliest(drawn(0.5, levels=np.full(4, 0.1)))


def test_a_level_says_nothing_of_slopes_far_from_its_own():
    found = log_likelihood(drawn(0.0), np.array([SHOT, 10 * SHOT]), np.array([READ, READ]))

    assert np.ptp(found[0]) > 1
    assert np.ptp(found[1]) == pytest.approx(0, abs=1e-6)


def test_what_one_level_says_is_bounded():
    found = log_likelihood(drawn(0.0, uncertainty=1e-4), SLOPES[:1], np.array([READ]))

    assert np.ptp(found) < 3


def test_planes_are_averaged_in_their_order_at_the_calmest_places():
    planes, places = measure_blocks(wall())
    levels = measure_levels(places, SHOT, READ, None)

    colors = measure_colors(planes, places, levels)

    assert (len(levels.mean), 4) == colors.level.shape == colors.high.shape
    ratio = colors.level / colors.level[:, 1:2]
    assert np.allclose(LEVELS, ratio, atol=0.02)
    noise = SHOT * colors.level + READ
    assert np.median(colors.high / noise) == pytest.approx(1, abs=0.1)


def test_even_white_grain_is_not_taken_for_noise():
    """A photograph of cloth, or of a photograph: as even as noise, three times as strong."""
    x = wall(contrast=0.011)

    found = estimate(measure(x), 100)

    assert 1.25 > found.likely.grey_std / np.sqrt(SHOT * 0.18 + READ) > 0.8


@pytest.mark.parametrize("iso", (None, 100))
def test_noise_without_grain_stays_what_it_was_measured(iso):
    found = estimate(measure(wall()), iso)

    assert found.likely.grey_std / np.sqrt(SHOT * 0.18 + READ) == pytest.approx(1, abs=0.05)


def test_even_grain_is_believed_where_colours_tell_it_from_noise_only():
    slope = np.array([3e-5])
    silent = np.zeros((1, len(SHARES)))
    telling = -20.0 * (SHARES[None] - 0.2) ** 2

    without = split_grain(slope, 100, bright=1, unevenness=0.02, by_color=silent)[1]
    shot = split_grain(slope, 100, bright=1, unevenness=0.02, by_color=telling)[1]

    assert without > 0.95 * slope
    assert shot < 0.6 * slope


def test_colours_count_where_the_iso_speed_is_unknown():
    slope = np.array([3e-5])
    telling = -20.0 * (SHARES[None] - 0.2) ** 2

    assert split_grain(slope, None, bright=1, unevenness=0.02, by_color=telling)[1] < 0.7 * slope
