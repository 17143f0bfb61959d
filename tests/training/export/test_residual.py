"""What a row says is left of the noise is what is left, several ways up too."""

import numpy as np
import pytest

pytest.importorskip("torch")

from fadn_cli.denoise.network import specialists  # noqa: E402
from fadn_cli.denoise.sensors.kinds import SENSORS  # noqa: E402
from fadn_cli.training.export.residual import GREYS, measure_residual, side_of  # noqa: E402
from fadn_cli.training.judge.evaluate import flat_residual, shipped  # noqa: E402
from fadn_cli.training.judge.ruler import shot_noise_at  # noqa: E402

TOLERANCE = 0.04
"""Of what is left. An ensemble of two leaves 5 to 9 % less than one, one of eight 9 to 17 %."""
NOISE = {"low": 0.01, "extreme": 0.05}
"""sigma at x = 0.18; neither is one that was measured for the rows."""


def left(specialist, std, **how):
    """The share of the noise's standard deviation that is left, in the mean of some greys."""
    sensor = SENSORS[specialist.cfa_kind]
    denoise = shipped(estimated=False, specialist=specialist.name, sensor=sensor, **how)
    shares, side = [], side_of(specialist)
    for seed, grey in enumerate(GREYS):
        rng = np.random.default_rng(100 + seed)  # not the rows' own
        noise = rng.standard_normal((sensor.planes, side, side)).astype(np.float32)
        shares.append(flat_residual(denoise, shot_noise_at(std), grey, noise).std())
    return np.mean(shares)


@pytest.mark.parametrize("ensemble", (1, 2, 4, 8))
@pytest.mark.parametrize("name", ("bayer-fast-low", "bayer-best-extreme", "xtrans-fast"))
def test_what_is_stated_is_left(name, ensemble):
    specialist = specialists.find(name)
    std = NOISE.get(name.rpartition("-")[2], 0.02)

    stated = specialist.residual_at(std, ensemble=ensemble)

    assert left(specialist, std, ensemble=ensemble) == pytest.approx(stated, rel=TOLERANCE)


@pytest.mark.parametrize(
    "name", ("bayer-max-low", "bayer-max-high", "bayer-max-extreme", "mono-fast")
)
def test_what_is_stated_of_eight_ways_up_is_left(name):
    specialist = specialists.find(name)
    std = NOISE.get(name.rpartition("-")[2], 0.02)

    stated = specialist.residual_at(std, ensemble=8)

    assert left(specialist, std, ensemble=8) == pytest.approx(stated, rel=TOLERANCE)
    assert stated < (1 - TOLERANCE) ** 2 * specialist.residual_at(std)


def test_the_rows_are_what_is_measured():
    specialist = specialists.find("bayer-fast-high")

    measured = measure_residual(specialist)

    for name, curve in measured.items():
        np.testing.assert_allclose(curve, getattr(specialist, name), rtol=0.01)
