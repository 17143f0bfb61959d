"""What is sure wins: flat blocks over the ISO speed, the ISO speed over texture."""

import numpy as np
import pytest

from fadn_cli.denoise.noise.blocks import measure_blocks
from fadn_cli.denoise.noise.choice import choose_noise
from fadn_cli.denoise.noise.estimate import estimate, estimate_noise, measure
from fadn_cli.mosaic.steps import own_step
from fadn_cli.noise import noise_model

GAINS = np.array([0.5, 1, 1, 0.7])[:, None, None]


def noisy(clean, shot, read, *, seed=8):
    """Poisson-Gaussian noise; nothing clipped."""
    rng = np.random.default_rng(seed)
    x = rng.poisson(clean / shot) * shot + rng.normal(0, np.sqrt(read), clean.shape)
    return x.astype(np.float32)


def steps_of_grey(levels=(0.02, 0.05, 0.1, 0.2, 0.4), side=60):
    """A chart of flat patches, in the colours of a sensor without white balance."""
    return GAINS * np.repeat(levels, side)[:, None] * np.ones((4, 1, 240))


def texture(height=240, width=240, *, contrast, seed=5):
    """The same pattern in all colours, from leaf to blade: a mosaic cut into its planes."""
    rng = np.random.default_rng(seed)
    spectrum = np.fft.rfft2(rng.normal(size=(2 * height, 2 * width)))
    radius = np.hypot(np.fft.fftfreq(2 * height)[:, None], np.fft.rfftfreq(2 * width))
    pattern = np.fft.irfft2(spectrum / np.maximum(radius, 0.01), (2 * height, 2 * width))
    patchy = 0.6 + 0.5 * np.sin(np.arange(2 * width) / 37)
    mosaic = 0.25 * (1 + contrast * patchy * pattern / pattern.std())
    planes = [mosaic[row::2, col::2] for row in (0, 1) for col in (0, 1)]
    return (GAINS * np.stack(planes)).clip(0.002, 0.95)


def std_ratio(model, level, shot, read):
    """Estimated over true standard deviation at a level."""
    return float(np.sqrt(model.variance(level)[1] / (shot * level + read)))


@pytest.mark.parametrize("iso", (None, 100, 12800))
@pytest.mark.parametrize(("shot", "read"), ((6e-6, 6e-9), (1.5e-4, 4e-7), (1e-3, 1e-5)))
def test_flat_patches_are_measured_whatever_the_iso_speed_says(shot, read, iso):
    model = estimate_noise(noisy(steps_of_grey(), shot, read), iso=iso)

    for level in (0.05, 0.2, 0.4):
        assert 1 == pytest.approx(std_ratio(model, level, shot, read), abs=0.06)


def test_of_texture_alone_the_iso_speed_says_what_is_noise():
    shot, read = 6e-6, 6e-9
    x = noisy(texture(contrast=0.3), shot, read)

    found = estimate(measure(x), 100)

    assert std_ratio(found.measured, 0.18, shot, read) > 1.2
    assert 1 == pytest.approx(std_ratio(found.likely, 0.18, shot, read), abs=0.5)
    assert "weighed with what is usual at ISO 100" in found.likely.source


def test_texture_without_noise_is_not_taken_for_noise_at_base_iso():
    model = estimate_noise(texture(contrast=0.3).astype(np.float32), iso=100)

    assert model.variance(0.18)[1] < 0.18 * 1.5e-5


def test_a_stack_of_frames_is_measured_against_the_iso_speed_of_one():
    shot, read = 4.5e-4 / 64, 1e-6 / 64
    x = noisy(steps_of_grey(), shot, read)

    found = choose_noise(x, name="a.dng", given=None, profile=None, iso=12800, step=0.0)

    assert 1 == pytest.approx(std_ratio(found.used, 0.18, shot, read), abs=0.06)
    assert "surely and against what is usual at ISO 12800" in found.used.source
    assert found.usual[0] > shot


def test_texture_that_all_colours_share_does_not_count():
    shot, read = 1e-4, 1e-7
    x = noisy(texture(contrast=0.1), shot, read)

    blocks, places = measure_blocks(x)
    model = estimate_noise(x)

    assert 1.15 > std_ratio(model, 0.18, shot, read) > 0.85
    of_planes = np.median(blocks.high / (shot * blocks.mean + read))
    assert np.median(places.high / (shot * places.mean + read)) < of_planes / 1.4


def test_white_noise_has_its_variance_in_blocks_and_in_places():
    shot, read = 1e-3, 1e-5
    clean = GAINS * np.full((4, 240, 240), 0.1)

    for found in measure_blocks(noisy(clean, shot, read)):
        ratio = found.high.mean() / (shot * found.mean.mean() + read)
        assert 1 == pytest.approx(ratio, abs=0.02)


def test_rows_and_columns_of_noise_of_single_planes_do_not_count():
    rng = np.random.default_rng(3)
    x = rng.normal(0.1, 1e-3, (4, 240, 240))
    x += rng.normal(0, 0.01, (4, 240, 1)) + rng.normal(0, 0.01, (4, 1, 240))

    _, places = measure_blocks(x.astype(np.float32))

    assert 1e-6 == pytest.approx(places.high.mean(), rel=0.05)


@pytest.mark.parametrize("shift", ((1, 0), (0, 1), (3, 5)))
def test_measurements_do_not_depend_on_where_the_frame_begins(shift):
    x = noisy(texture(contrast=0.02), 1e-3, 1e-5)
    moved = x[:, shift[0] :, shift[1] :]

    once, again = estimate_noise(x, iso=800), estimate_noise(moved, iso=800)

    assert 1 == pytest.approx(once.grey_std / again.grey_std, abs=0.04)


def test_a_small_crop_is_measured_as_the_frame():
    shot, read = 2e-4, 1e-6
    clean = np.tile(steps_of_grey((0.05, 0.1, 0.2), 24), (1, 6, 4))

    small = estimate_noise(noisy(clean[:, :72, :72], shot, read))
    large = estimate_noise(noisy(clean, shot, read))

    for model in (small, large):
        assert 1 == pytest.approx(std_ratio(model, 0.18, shot, read), abs=0.1)


def test_noise_that_does_not_grow_with_light_is_found_where_black_is_clipped():
    """As in Kodak's DC120: 8 bits, 2.2 DN at every level, all below black lost."""
    rng = np.random.default_rng(4)
    clean = steps_of_grey((0.0, 0.008, 0.02, 0.06, 0.2, 0.4), 50)
    x = np.rint(255 * clean + rng.normal(0, 2.2, clean.shape)).clip(0, 255).astype(np.float32)

    model = estimate_noise(x / np.float32(255), iso=160, step=1 / 255)

    for level in (0, 0.02, 0.1, 0.4):
        assert 2.2 == pytest.approx(255 * float(np.sqrt(model.variance(level)[1])), rel=0.15)


def test_a_profile_that_each_plane_bears_out_is_not_doubted():
    """Codecs that store differences of colours lose their noise, and keep what all planes share."""
    rng = np.random.default_rng(9)
    clean = 0.2 * np.ones((4, 240, 240))
    shared = np.repeat(rng.normal(0, 3e-3, (1, 240, 240)), 4, axis=0)
    x = (clean + shared + rng.normal(0, 5e-4, clean.shape)).astype(np.float32)
    profile = noise_model(1e-9, 9e-6, source="NoiseProfile")

    found = choose_noise(x, name="a.dng", given=None, profile=profile, iso=None, step=0.0)

    assert found.used is profile
    assert () == found.warnings


@pytest.mark.parametrize("padding", (1, 4, 16))
def test_the_step_of_padded_samples_is_found(padding):
    samples = (padding * np.random.default_rng(2).integers(0, 900, (90, 120))).astype(np.uint16)

    assert padding == own_step(samples)
    assert 1 == own_step(np.full((4, 4), 7, np.uint16))
