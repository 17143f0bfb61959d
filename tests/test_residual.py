"""What is taken out of a real raw is noise: white, and nothing of the picture."""

import numpy as np
import pytest

from benchmarks.chart import planes
from benchmarks.whiteness import autocorrelation, picture_in, residual_blocks

CHART = "canon_kiss_x4_colorchart.dng"


@pytest.fixture(scope="module")
def chart(raws, denoised):
    """The colour chart's packed planes before and after."""
    return planes(raws / CHART), planes(denoised(CHART)[0])


@pytest.mark.raw
def test_on_flat_areas_it_is_white(chart):
    blocks = residual_blocks(*chart)

    assert blocks.size >= 20_000
    assert blocks.std() > 0.9
    assert max(map(abs, autocorrelation(blocks).values())) < 0.05


@pytest.mark.raw
def test_none_of_the_picture_is_in_it(chart):
    assert max(map(abs, picture_in(*chart))) < 0.03


def test_correlated_noise_and_a_blurred_picture_would_be_told():
    rng = np.random.default_rng(1)
    white = rng.standard_normal((20, 24, 24))
    picture = 500 + 400 * np.sin(np.arange(200) / 2) * np.ones((4, 200, 1), np.float32)
    noisy = picture + rng.normal(0, 20, picture.shape)
    blurred = (picture + np.roll(picture, 1, axis=2)) / 2

    lags = autocorrelation(white + np.roll(white, 1, axis=2))

    assert max(map(abs, autocorrelation(white).values())) < 0.05
    assert lags[0, 1] == pytest.approx(0.5, abs=0.05)
    assert max(map(abs, picture_in(noisy, picture))) < 0.03
    assert min(picture_in(noisy, blurred)) > 0.03
