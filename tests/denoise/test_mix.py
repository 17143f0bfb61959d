"""Strength: exact at its ends, linear between, luma and chroma apart."""

import numpy as np
import pytest

from fadn_cli.denoise.mix import equivalent_strength, mix


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


@pytest.mark.parametrize("share", (0.0, 0.1, 0.3, 0.7, 1.0))
def test_one_share_for_both_is_its_own_equivalent(share):
    assert share == equivalent_strength(share, share)


@pytest.mark.parametrize(("luma", "chroma"), ((0.3, 1.0), (1.0, 0.0), (0.0, 0.6), (0.5, 0.8)))
def test_the_equivalent_strength_leaves_as_much_noise_as_both(luma, chroma):
    noise = np.random.default_rng(12).normal(0, 0.1, (4, 200, 300)).astype(np.float32)
    clean = np.zeros_like(noise)

    apart = mix(noise, clean.copy(), luma=luma, chroma=chroma).std()
    together = mix(noise, clean.copy(), strength=equivalent_strength(luma, chroma)).std()

    assert together == pytest.approx(apart, rel=0.01)


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
