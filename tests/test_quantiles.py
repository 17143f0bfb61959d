"""Quantiles are numpy's, to float32's last digits."""

import numpy as np
import pytest

from fadn_cli.quantiles import medians, quantile, quantiles


@pytest.mark.parametrize("size", [1, 2, 3, 10, 1001])
def test_quantiles_are_those_of_numpy(size):
    values = np.random.default_rng(size).normal(0.2, 0.1, size).astype(np.float32)
    shares = (0, 0.02, 0.5, 0.777, 1)

    assert quantiles(values, shares) == pytest.approx(np.quantile(values, shares), rel=1e-5)


def test_any_shape_is_one_set_of_values_and_stays_as_it_was():
    values = np.array([[4, 1], [3, 2]], np.uint16)
    before = values.copy()

    assert 2.5 == quantile(values, 0.5)
    assert np.array_equal(before, values)


@pytest.mark.parametrize("size", [1, 2, 7, 8])
def test_medians_are_those_of_numpy(size):
    values = np.random.default_rng(size).normal(0, 1, (2, 3, size)).astype(np.float32)

    assert np.array_equal(np.median(values, axis=-1), medians(values))


def test_what_is_nan_does_not_count():
    values = np.random.default_rng(1).normal(0, 1, (5, 9)).astype(np.float32)
    values[values > 0.8] = np.nan

    assert np.array_equal(np.nanmedian(values, axis=-1), medians(values))
