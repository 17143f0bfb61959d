"""Strength: exact at its ends, linear between, luma and chroma apart."""

import numpy as np
import pytest

from fadn_cli.denoise.mix import mix


@pytest.fixture
def pair():
    rng = np.random.default_rng(11)
    return rng.normal(0.2, 0.3, (2, 4, 300, 7)).astype(np.float32)


def test_strength_zero_is_the_source_bit_for_bit(pair):
    packed, denoised = pair

    assert np.array_equal(packed, mix(packed, denoised.copy(), strength=0))


def test_strength_one_is_the_denoised_bit_for_bit(pair):
    packed, denoised = pair

    assert np.array_equal(denoised, mix(packed, denoised.copy(), strength=1))


def test_strength_between_is_linear(pair):
    packed, denoised = pair

    result = mix(packed, denoised.copy(), strength=0.3)

    assert np.allclose(0.7 * packed + 0.3 * denoised, result, atol=1e-6)


def test_luma_alone_moves_the_mean_of_the_cell_and_nothing_else(pair):
    packed, denoised = pair

    result = mix(packed, denoised.copy(), luma=1, chroma=0)

    assert np.allclose(denoised.mean(axis=0), result.mean(axis=0), atol=1e-6)
    assert np.allclose(packed - packed.mean(axis=0), result - result.mean(axis=0), atol=1e-6)


def test_chroma_alone_keeps_the_mean_of_the_cell(pair):
    packed, denoised = pair

    result = mix(packed, denoised.copy(), strength=0, chroma=1)

    assert np.allclose(packed.mean(axis=0), result.mean(axis=0), atol=1e-6)
    assert np.allclose(denoised - denoised.mean(axis=0), result - result.mean(axis=0), atol=1e-6)


def test_result_is_written_into_denoised_and_the_source_is_left_alone(pair):
    packed, denoised = pair
    before = packed.copy()

    result = mix(packed, denoised, strength=0.5)

    assert result is denoised
    assert np.float32 == result.dtype
    assert np.array_equal(before, packed)


@pytest.mark.parametrize("shares", ({"strength": 1.1}, {"luma": -0.1}, {"chroma": float("nan")}))
def test_shares_outside_0_to_1_are_refused(pair, shares):
    with pytest.raises(ValueError, match="within 0..1"):
        mix(*pair, **shares)


def test_different_shapes_are_refused(pair):
    with pytest.raises(ValueError, match="denoised"):
        mix(pair[0], pair[1][:, 1:])
