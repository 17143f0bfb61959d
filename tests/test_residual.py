"""What is taken out of a real raw is noise: white, and nothing of the picture."""

import numpy as np
import pytest

from benchmarks.chart import planes
from benchmarks.residuals import removed
from benchmarks.whiteness import autocorrelation, picture_in, residual_blocks
from fadn_cli.mosaic.cfa import CfaPattern
from fadn_cli.mosaic.values import Mosaic, Rect
from fadn_cli.pipeline.report import NoiseSummary

CHART = "canon_kiss_x4_colorchart.dng"


@pytest.fixture(scope="module")
def chart(raws, denoised):
    """The colour chart's packed planes before and after."""
    return planes(raws / CHART), planes(denoised(CHART)[0])


def mosaic(samples, colors):
    """Return a mosaic of black 0 and white 1000, all of it active."""
    return Mosaic(
        samples=samples,
        cfa=CfaPattern(colors=colors),
        black_level=np.zeros((1, 1), np.float32),
        white_level=1000.0,
        active_area=Rect(top=0, left=0, height=samples.shape[0], width=samples.shape[1]),
    )


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


@pytest.mark.parametrize("colors", ["RGGB", "BGGR", "GRBG", "GBRG"])
def test_its_picture_is_in_units_of_each_samples_noise_where_it_was_removed(colors):
    noise = NoiseSummary(
        shot_noise=(0.0,) * 4, read_noise=(1e-4, 4e-4, 4e-4, 16e-4), source="", grey_std=0.01
    )
    result = np.full((8, 10), 500, np.uint16)
    source = result.copy()
    source[2, 3] += 40
    sigma = {"R": 10, "G": 20, "B": 40}[colors[1]]  # (2, 3) is an even row's odd column

    picture = removed(mosaic(source, colors), mosaic(result, colors), noise)

    assert picture.shape == (8, 10)
    assert picture[2, 3] == pytest.approx(40 / sigma, rel=1e-5)
    assert np.count_nonzero(picture) == 1
