"""What is likely before looking: cameras by ISO speed, tails that never rule out, grain."""

import numpy as np
import pytest

from fadn_cli.denoise.noise.prior import (
    iso_range,
    log_read_density,
    log_shot_density,
    split_grain,
)


def test_cameras_lie_where_their_calibrations_say():
    least, most = iso_range(100)

    assert (1e-6, 6e-5) == pytest.approx((least, most), rel=0.1)
    assert (64 * least, 64 * most) == pytest.approx(iso_range(6400))
    assert iso_range(None) is None is iso_range(0)


def test_the_usual_is_likeliest_and_nothing_is_ruled_out():
    shot = np.geomspace(1e-9, 1e-1, 400)
    density = log_shot_density(shot, 100)

    assert 3.5e-6 == pytest.approx(shot[density.argmax()], rel=0.1)
    assert density.max() - density.min() < 20


def test_without_an_iso_speed_more_noise_is_a_little_likelier():
    assert 0.5 * np.log(4) == pytest.approx(np.diff(log_shot_density(np.array([1e-4, 4e-4]), None)))


def test_read_noise_goes_with_shot_noise():
    read = np.geomspace(1e-12, 1e-3, 400)

    for shot in (1e-5, 1e-3):
        likeliest = read[log_read_density(read, np.array(shot)).argmax()]
        assert np.exp(1.24 * np.log(shot) - 3.33) == pytest.approx(likeliest, rel=0.1)


def test_without_an_iso_speed_nothing_is_taken_for_grain():
    slope = np.array([1e-6, 1e-4])

    assert slope is split_grain(slope, None, bright=1, unevenness=1)[1]


def test_far_above_the_usual_grain_is_likelier_where_blocks_differ():
    slope = np.array([3e-5])

    even = split_grain(slope, 100, bright=1, unevenness=0.02)[1]
    uneven = split_grain(slope, 100, bright=1, unevenness=1)[1]

    assert even > 0.95 * slope
    assert uneven < 0.5 * slope


def test_where_light_is_scarce_grain_is_too_weak_to_matter():
    slope = np.array([2e-5])

    assert split_grain(slope, 100, bright=0.03, unevenness=1)[1] > 0.85 * slope
