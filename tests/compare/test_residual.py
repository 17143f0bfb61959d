"""What was removed is shown in units of the noise, as strong whole as at 100 %."""

import numpy as np
import pytest

from fadn_cli.compare.residual import RANGE, removed, residual_detail, residual_overview
from fadn_cli.noise import NoiseModel, noise_model

NOISE = NoiseModel(
    shot_noise=np.float32([1e-4, 2e-4, 2e-4, 3e-4]),
    read_noise=np.float32([1e-6, 2e-6, 2e-6, 3e-6]),
    source="given",
)


@pytest.fixture
def planes():
    """Clean planes, and the same with the noise of NOISE."""
    clean = np.full((4, 96, 120), 0.1, np.float32)
    std = np.sqrt(NOISE.shot_noise * 0.1 + NOISE.read_noise)[:, None, None]
    noise = np.random.default_rng(1).normal(size=clean.shape)
    return (clean + noise * std).astype(np.float32), clean


def test_removed_noise_has_unit_sigma_in_each_colour(planes):
    sigmas = removed(*planes, NOISE)

    assert (3, 96, 120) == sigmas.shape
    assert np.float32 == sigmas.dtype
    assert np.ones(3) == pytest.approx(sigmas.std(axis=(1, 2)), rel=0.03)


def test_nothing_removed_is_grey(planes):
    _, clean = planes

    assert (128 == residual_detail(clean, clean, NOISE)).all()
    assert (128 == residual_overview(clean, clean, NOISE, longest=50)).all()


def test_the_range_reaches_from_black_to_white():
    clean = np.zeros((4, 8, 8), np.float32)
    std = NOISE.read_noise[:, None, None] ** 0.5
    noise = noise_model(NOISE.shot_noise, NOISE.read_noise, source="given")

    # Both greens together are as noisy as one: half of RANGE's square each.
    step = np.float32(RANGE) * std * np.float32([1, 0.5**0.5, 0.5**0.5, 1])[:, None, None]

    assert (1 >= residual_detail(clean - step, clean, noise)).all()
    assert (254 <= residual_detail(clean + step, clean, noise)).all()


def test_a_detail_has_the_photographs_pixels(planes):
    detail = residual_detail(*planes, NOISE)

    assert (192, 240, 3) == detail.shape
    assert np.array_equal(detail[0::2, 0::2], detail[1::2, 1::2])


@pytest.mark.parametrize("longest", (120, 60, 40, 33))
def test_the_overview_is_small_and_its_noise_as_strong(planes, longest):
    overview = residual_overview(*planes, NOISE, longest=longest)

    assert max(overview.shape) <= longest
    spread = overview.astype(np.float32).std() * RANGE / 127
    assert 1 == pytest.approx(spread, rel=0.1)


def test_a_shape_below_the_noise_stands_out_in_the_overview(planes):
    before, after = planes
    after = after.copy()
    after[:, 24:72, 30:90] -= 0.002  # half a sigma

    overview = residual_overview(before, after, NOISE, longest=20).astype(np.float32)

    assert overview[6:10, 7:13].mean() > 128 + 2 * 127 / RANGE
    assert 128 == pytest.approx(overview[:3].mean(), abs=8)
