"""What the networks see: means of the right samples around the right place."""

import numpy as np
import pytest

from fadn_cli.denoise.network.inference import make_features
from fadn_cli.denoise.noise import low_pass, stabilize
from fadn_cli.noise import noise_model


def plane_of_sites(function, height, width):
    """A packed mosaic of a function of the mosaic's rows and columns."""
    rows, cols = np.mgrid[: 2 * height, : 2 * width].astype(np.float32)
    x = function(rows, cols).astype(np.float32)
    return np.stack([x[0::2, 0::2], x[0::2, 1::2], x[1::2, 0::2], x[1::2, 1::2]])


@pytest.mark.parametrize("slope", [(1, 0), (0, 1), (2, -3)])
def test_greens_share_a_low_pass_around_their_own_places(slope):
    x = plane_of_sites(lambda rows, cols: slope[0] * rows + slope[1] * cols, 20, 24)

    level = low_pass.shared_low_pass(x)

    np.testing.assert_allclose(level, x[:, 3:-3, 3:-3], atol=1e-4)


def test_greens_share_a_low_pass_of_both_and_other_colours_do_not():
    shared = []
    for plane in range(4):
        x = np.zeros((4, 7, 7), np.float32)
        x[plane] = 1
        shared.append(low_pass.shared_low_pass(x)[:, 0, 0])

    half = np.float32(0.5)
    np.testing.assert_allclose(
        shared, [[1, 0, 0, 0], [0, half, half, 0], [0, half, half, 0], [0, 0, 0, 1]], atol=1e-6
    )


@pytest.mark.parametrize("size", [1, 2, 3, 5, 6, 7, 17])
def test_a_box_sum_is_the_sum_over_a_box(size):
    x = np.random.default_rng(size).normal(size=(2, 40, 44)).astype(np.float32)

    windows = np.lib.stride_tricks.sliding_window_view(x, (size, size), (1, 2))

    np.testing.assert_allclose(low_pass.box_sum(x, size), windows.sum((-2, -1)), atol=1e-4)


@pytest.mark.parametrize("name", ["bands-24", "bands-28", "bands-12", "bands-16"])
def test_noise_has_one_scale_in_every_channel_but_brightness(name):
    inputs = stabilize.KINDS[name]
    noise = noise_model(1e-2, 0.0, source="test")
    rng = np.random.default_rng(3)
    packed = 0.3 + np.sqrt(0.3e-2) * rng.standard_normal((4, 256, 256))

    features, _ = make_features(packed.astype(np.float32), noise, inputs)

    stds = features[0, :-4].std((1, 2))
    assert stds.min() > 0.15
    assert stds.max() < 0.6
    assert features[0, -4:].std((1, 2)).max() < 0.1


def test_a_middle_band_is_blind_to_slopes_and_sees_spots():
    x = plane_of_sites(lambda rows, cols: 0.2 + 1e-3 * rows - 5e-4 * cols, 96, 96)
    noise = noise_model(1e-3, 1e-5, source="test")
    inner = (0, slice(4, 12), slice(36, 60), slice(36, 60))
    flat = make_features(x, noise, stabilize.KINDS["bands-16"])[0][inner]
    x[:, 46:50, 46:50] += 0.05

    spot = make_features(x, noise, stabilize.KINDS["bands-16"])[0][inner]

    assert np.abs(flat).max() < 1e-3
    assert (spot[:, 10:14, 10:14] > 0.1).all()
