"""Brightness and colour stay: a bias is found and removed, an unbiased result is kept."""

import numpy as np
import pytest

from fadn_cli.denoise.levels import keep_levels
from fadn_cli.noise import noise_model

NOISE = noise_model(1e-3, 1e-5, source="test")


@pytest.fixture
def scene():
    """A clean ramp with a texture, and its noisy exposure: (4, 256, 320) each."""
    rng = np.random.default_rng(8)
    rows, cols = np.mgrid[:256, :320]
    clean = 0.3 + 0.25 * np.sin(cols / 40) + 0.05 * np.sin(rows / 3)
    clean = np.stack([clean, clean * 0.9, clean * 0.9, clean * 0.5]).astype(np.float32)
    std = np.sqrt(1e-3 * clean + 1e-5)
    return clean, clean + std * rng.standard_normal(clean.shape).astype(np.float32), std


def worst_shift(packed, denoised, std):
    """The largest mean shift over 8 brightness bins of each plane, in sigma."""
    worst = 0.0
    for plane in range(4):
        order = np.argsort(denoised[plane].ravel())
        for group in np.array_split(order, 8):
            shift = (denoised[plane] - packed[plane]).ravel()[group].mean()
            worst = max(worst, abs(shift) / std[plane].ravel()[group].mean())
    return worst


def test_a_bias_that_grows_with_brightness_is_removed(scene):
    clean, packed, std = scene
    biased = clean + 0.3 * std - 0.1 * std.mean()

    kept = keep_levels(packed, biased.copy(), NOISE)

    assert worst_shift(packed, biased, std) > 0.2
    assert worst_shift(packed, kept, std) < 0.04


def test_planes_are_corrected_apart(scene):
    clean, packed, std = scene
    biased = clean.copy()
    biased[3] += 0.2 * std[3]

    kept = keep_levels(packed, biased.copy(), NOISE)

    assert np.abs(kept[:3] - clean[:3]).mean() < 0.02 * std[:3].mean()
    assert np.abs(kept[3] - clean[3]).mean() < 0.03 * std[3].mean()


def test_an_unbiased_result_is_all_but_kept(scene):
    clean, packed, std = scene

    kept = keep_levels(packed, clean.copy(), NOISE)

    assert np.sqrt(np.mean((kept - clean) ** 2)) < 0.02 * std.mean()


def test_hot_pixels_do_not_brighten_the_picture(scene):
    clean, packed, std = scene
    packed = packed.copy()
    packed[:, ::16, ::16] = 0.9

    kept = keep_levels(packed, clean.copy(), NOISE)

    assert np.abs(kept - clean).max() < 0.1 * std.mean()


def test_saturated_and_tiny_frames_are_left_alone():
    packed, denoised = np.ones((2, 4, 64, 64), np.float32)
    small = np.zeros((4, 8, 8), np.float32)

    assert np.array_equal(denoised, keep_levels(packed, denoised.copy(), NOISE))
    assert np.array_equal(small, keep_levels(small + 0.01, small.copy(), NOISE))


def test_float32_stays_and_the_source_is_not_modified(scene):
    clean, packed, _ = scene
    before = packed.copy()

    assert np.float32 == keep_levels(packed, clean.copy(), NOISE).dtype
    assert np.array_equal(before, packed)
