"""The measure of coloured clouds tells colour from light, and clouds from grain."""

import numpy as np
import pytest

pytest.importorskip("torch")

from benchmarks.clouds import errors  # noqa: E402
from fadn_cli.training.judge.ruler import Case  # noqa: E402

SHOT, READ = 0.01, 1e-4


@pytest.fixture
def case():
    """Two halves of 16x16 packed pixels: one dark, one bright."""
    clean = np.full((4, 16, 32), 0.01, np.float32)
    clean[:, :, 16:] = 0.5
    return Case(name="", level="E", clean=clean, noisy=clean, shot_noise=SHOT, read_noise=READ)


def test_a_cloud_of_red_is_colour_and_little_light(case):
    output = case.clean.copy()
    output[0, :, :16] += 0.004

    off = dict(errors(case, output, 8))

    sigma = np.sqrt(SHOT * 0.01 + READ)
    luma, red, blue = off["dark"]
    np.testing.assert_allclose(red, 0.004 / sigma, rtol=1e-4)
    np.testing.assert_allclose(luma, 0.001 / sigma, rtol=1e-4)
    assert np.all(blue == 0)
    assert (3, 0) == off["middle"].shape
    assert not off["bright"].any()


def test_grain_is_no_cloud(case):
    chessboard = np.where(np.indices((16, 32)).sum(0) % 2, 0.01, -0.01).astype(np.float32)

    off = {side: dict(errors(case, case.clean + chessboard, side)) for side in (1, 8)}

    assert np.abs(off[1]["dark"][0]).min() > 0.5
    assert np.abs(off[8]["dark"]).max() < 1e-5
