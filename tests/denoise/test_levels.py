"""Brightness and colour stay: a bias is found and removed, an unbiased result is kept."""

import numpy as np
import pytest

from fadn_cli.denoise.levels import BLOCK, MeanShift, Strip
from fadn_cli.denoise.levels import keep_levels as keep_levels_of_rows
from fadn_cli.denoise.sensors.kinds import ArrayFrame
from fadn_cli.noise import noise_model

NOISE = noise_model(1e-3, 1e-5, source="test")


def keep_levels(packed, denoised, noise, rows=37):
    """All of it, given and taken some rows at a time."""
    strips = (
        (start, denoised[:, start : start + rows]) for start in range(0, len(packed[0]), rows)
    )
    kept = list(keep_levels_of_rows(ArrayFrame(packed), strips, noise))
    assert [strip.start for strip in kept] == list(
        np.cumsum([0, *(strip.after.shape[1] for strip in kept[:-1])])
    )
    return np.concatenate([strip.after for strip in kept], axis=1)


@pytest.fixture(params=((256, 320), (250, 333), (40, 47)))
def scene(request):
    """A clean ramp with a texture, its noisy exposure and sigma: (4, h, w) each."""
    rng = np.random.default_rng(8)
    rows, cols = np.mgrid[: request.param[0], : request.param[1]]
    clean = 0.3 + 0.25 * np.sin(cols / 40) + 0.05 * np.sin(rows / 3)
    clean = np.stack([clean, clean * 0.9, clean * 0.9, clean * 0.5]).astype(np.float32)
    std = np.sqrt(1e-3 * clean + 1e-5)
    return clean, clean + std * rng.standard_normal(clean.shape).astype(np.float32), std


def test_a_bias_that_grows_with_brightness_is_removed_from_every_plane(scene):
    clean, packed, std = scene
    biased = clean + 0.3 * std * np.array([1, -1, 0.5, 0], np.float32)[:, None, None]

    kept = keep_levels(packed, biased.copy(), NOISE)

    for plane in range(4):
        removed = (packed[plane] - kept[plane]).mean() / std[plane].mean()
        assert abs(removed) < 0.01
    rms = np.sqrt(np.mean(((kept - clean) / std) ** 2))
    assert rms < 0.08


def test_an_unbiased_result_gains_no_more_than_the_mean_noise_of_a_block(scene):
    clean, packed, std = scene

    kept = keep_levels(packed, clean.copy(), NOISE)

    side = min(BLOCK, np.sqrt(clean[0].size))  # a small frame is one block
    assert np.sqrt(np.mean(((kept - clean) / std) ** 2)) < 1.1 / side


def test_how_many_rows_come_at_once_does_not_show(scene):
    clean, packed, _ = scene

    expected = keep_levels(packed, clean.copy(), NOISE, rows=10_000)

    assert np.array_equal(expected, keep_levels(packed, clean.copy(), NOISE, rows=1))


def test_hot_pixels_do_not_brighten_the_picture(scene):
    clean, packed, std = scene
    packed = packed.copy()
    packed[:, ::16, ::16] = 0.9

    kept = keep_levels(packed, clean.copy(), NOISE)

    assert abs((kept - clean).mean()) < 0.01 * std.mean()


def test_saturated_areas_are_left_alone():
    packed, denoised = np.ones((2, 4, 64, 64), np.float32)
    denoised *= 0.97

    assert np.array_equal(denoised, keep_levels(packed, denoised.copy(), NOISE))


@pytest.mark.parametrize("size", ((1, 1), (3, 70), (33, 5)))
def test_small_frames_are_blocks_too(size):
    packed = np.full((4, *size), 0.31, np.float32)

    kept = keep_levels(packed, packed - np.float32(0.01), NOISE)

    np.testing.assert_allclose(packed, kept, atol=1e-6)


def test_float32_stays_and_the_source_is_not_modified(scene):
    clean, packed, _ = scene
    before = packed.copy()

    assert np.float32 == keep_levels(packed, clean.copy(), NOISE).dtype
    assert np.array_equal(before, packed)


def test_the_shift_of_means_is_told_in_sigma():
    packed = np.full((4, 30, 20), 0.25, np.float32)
    shift = MeanShift()

    for start in range(0, 30, 7):
        rows = packed[:, start : start + 7]
        shift.add(Strip(start, rows, rows + np.float32(0.01)))

    std = np.sqrt(1e-3 * 0.25 + 1e-5)
    assert shift.in_sigma(NOISE) == pytest.approx([0.01 / std] * 4, rel=1e-4)
