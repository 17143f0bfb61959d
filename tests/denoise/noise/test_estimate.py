"""The noise of a scene is found again from its pixels: at every level, in every kind of dirt."""

import numpy as np
import pytest

from fadn_cli.denoise.noise.blocks import measure_blocks
from fadn_cli.denoise.noise.clipping import black_floor
from fadn_cli.denoise.noise.estimate import estimate_noise, reconcile, typical_levels
from fadn_cli.denoise.sensors.kinds import pack_mosaic
from fadn_cli.errors import NoiseModelError
from fadn_cli.mosaic.conversion import normalize
from fadn_cli.noise import noise_model
from fadn_cli.raw.source.reader import read_raw

SHOTS = (1e-4, 4e-4, 1.6e-3, 6.4e-3, 2.56e-2)


def read_of(shot):
    """A typical sensor's read noise (Brooks et al. 2019)."""
    return float(np.exp(2.18 * np.log(shot) + 1.20))


def scene(height=160, width=160, *, seed=3, texture=0.3):
    """Four planes with ramps, an edge, flat patches, and red (1/f) texture on half of them."""
    rng = np.random.default_rng(seed)
    spectrum = np.fft.rfft2(rng.normal(size=(height, width)))
    radius = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width))
    red = np.fft.irfft2(spectrum / np.maximum(radius, 1 / width) ** 1.5, (height, width))
    rows, cols = np.mgrid[:height, :width] / (height, width)[0]
    plane = 0.02 + 0.5 * rows + 0.05 * (cols > 0.5)
    plane *= 1 + texture * red / red.std() * (cols > 0.4)
    gains = np.array([0.5, 1, 1, 0.7])[:, None, None]
    return np.clip(gains * plane, 0.001, 0.9)


def noisy(clean, shot, read, *, seed=8):
    """Poisson-Gaussian noise; nothing clipped."""
    rng = np.random.default_rng(seed)
    x = rng.poisson(clean / shot) * shot + rng.normal(0, np.sqrt(read), clean.shape)
    return x.astype(np.float32)


def std_ratio(model, clean, shot, read):
    """Mean over the scene's own levels of estimated over true standard deviation."""
    x = clean[:, ::4, ::4].ravel()
    estimated = model.shot_noise[0] * x + model.read_noise[0]
    return float(np.sqrt(estimated / (shot * x + read)).mean())


@pytest.mark.parametrize("exposure", (1, 1 / 8))
@pytest.mark.parametrize("shot", SHOTS)
def test_noise_of_a_small_textured_scene_is_found_within_a_tenth(shot, exposure):
    clean = scene() * exposure

    model = estimate_noise(noisy(clean, shot, read_of(shot)))

    assert "measured" == model.source
    assert 1 == pytest.approx(std_ratio(model, clean, shot, read_of(shot)), abs=0.1)


def test_texture_everywhere_is_extrapolated_away():
    blurred = np.random.default_rng(6).normal(size=(1, 200, 200))
    for axis in (1, 2):
        blurred = (np.roll(blurred, -1, axis) + 6 * blurred + np.roll(blurred, 1, axis)) / 8
    contrast = np.geomspace(0.02, 0.1, 200)  # the least of it as strong as the noise
    clean = np.linspace(0.1, 0.3, 200)[:, None] * (1 + contrast * blurred) * np.ones((4, 1, 1))

    model = estimate_noise(noisy(clean, 1e-4, read_of(1e-4)))

    assert 1 == pytest.approx(std_ratio(model, clean, 1e-4, read_of(1e-4)), abs=0.08)


def test_a_few_calm_spots_bound_the_noise_of_a_frame_full_of_grain():
    rng = np.random.default_rng(6)
    grainy = np.kron(rng.random((20, 20)) > 0.03, np.ones((10, 10)))
    grain = 1 + 0.2 * grainy * rng.normal(size=(1, 200, 200)).clip(-2, 2)
    clean = np.linspace(0.1, 0.4, 200)[:, None] * grain * np.ones((4, 1, 1))

    model = estimate_noise(noisy(clean, 1e-4, read_of(1e-4)))

    assert std_ratio(model, clean, 1e-4, read_of(1e-4)) < 3


def test_both_parameters_are_found_where_both_matter():
    shot, read = 4e-4, 4e-5
    model = estimate_noise(noisy(scene(320, 320, texture=0.1), shot, read))

    assert shot == pytest.approx(model.shot_noise[0], rel=0.15)
    assert read == pytest.approx(model.read_noise[0], rel=0.15)


@pytest.mark.parametrize("shot", (4e-4, 6.4e-3))
@pytest.mark.parametrize("stops", (6, 8))
def test_deep_shadows_are_measured(shot, stops):
    clean = scene() / 2**stops

    model = estimate_noise(noisy(clean, shot, read_of(shot)))

    assert 1 == pytest.approx(std_ratio(model, clean, shot, read_of(shot)), abs=0.1)


@pytest.mark.parametrize("stops", (0, 4, 6, 8))
def test_clipping_at_black_does_not_hide_the_noise(stops):
    shot = 2.56e-2
    clean = scene() / 2**stops
    x = np.maximum(noisy(clean, shot, read_of(shot)), 0)

    model = estimate_noise(x)

    assert model.source.startswith("measured, clipped at black")
    assert 1 == pytest.approx(std_ratio(model, clean, shot, read_of(shot)), abs=0.15)


@pytest.mark.parametrize("bits", (10, 12, 14))
def test_quantisation_counts_as_noise(bits):
    shot, step = 4e-4, 1 / 2**bits
    clean = scene()
    x = np.rint(noisy(clean, shot, read_of(shot)) / step).astype(np.float32) * np.float32(step)

    model = estimate_noise(x, step=step)

    true_read = read_of(shot) + step**2 / 12
    assert 1 == pytest.approx(std_ratio(model, clean, shot, true_read), abs=0.12)


def test_read_noise_is_never_below_that_of_rounding():
    x = noisy(scene(), 1e-4, 1e-10)

    assert estimate_noise(x, step=0.01).read_noise[0] >= np.float32(0.01**2 / 12)


def test_hot_pixels_do_not_matter():
    shot = 4e-4
    clean = scene(320, 320)
    x = noisy(clean, shot, read_of(shot))
    hot = np.random.default_rng(1).random(x.shape) < 1e-4
    x[hot] = 0.9

    model = estimate_noise(x)

    assert hot.sum() > 20
    assert 1 == pytest.approx(std_ratio(model, clean, shot, read_of(shot)), abs=0.1)


def test_noise_clipped_at_white_does_not_count():
    shot = 1.6e-3
    clean = scene()
    clean[:, 40:] = 0.99
    x = np.minimum(noisy(clean, shot, read_of(shot)), 1)

    model = estimate_noise(x)

    assert 1 == pytest.approx(std_ratio(model, clean, shot, read_of(shot)), abs=0.1)


def test_row_noise_is_not_taken_for_pixel_noise():
    shot = 1e-4
    clean = np.full((4, 160, 160), 0.1)
    x = noisy(clean, shot, read_of(shot))
    x += np.random.default_rng(2).normal(0, 0.01, (4, 160, 1)).astype(np.float32)

    assert 1 == pytest.approx(std_ratio(estimate_noise(x), clean, shot, read_of(shot)), abs=0.1)


def test_twice_the_signal_and_noise_is_twice_the_standard_deviation():
    x = noisy(scene() / 4, 4e-4, 4e-5)

    once, twice = estimate_noise(x), estimate_noise(2 * x)

    for level in (0.02, 0.1):
        before, after = once.variance(level)[1], twice.variance(2 * level)[1]
        assert 4 == pytest.approx(after / before, rel=0.1)


def test_one_level_only_gives_the_noise_at_that_level():
    clean = np.full((4, 160, 160), 0.2)

    model = estimate_noise(noisy(clean, 1.6e-3, 1e-5))

    assert 1.6e-3 * 0.2 + 1e-5 == pytest.approx(model.variance(0.2)[1], rel=0.1)


def test_large_frames_are_sampled_and_still_right():
    shot = 1.6e-3
    clean = np.tile(scene(), (1, 10, 14))
    x = noisy(clean, shot, read_of(shot))

    assert len(measure_blocks(x)[0].mean) <= 125_000
    assert 1 == pytest.approx(std_ratio(estimate_noise(x), clean, shot, read_of(shot)), abs=0.1)


def test_planes_are_pooled_and_float32():
    model = estimate_noise(noisy(scene(), 1.6e-3, 1e-5))

    assert 1 == len(set(model.shot_noise.tolist())) == len(set(model.read_noise.tolist()))
    assert np.float32 == model.shot_noise.dtype == model.read_noise.dtype


def test_source_is_not_modified_and_results_repeat():
    x = noisy(scene(), 1.6e-3, 1e-5)
    before = x.copy()

    first, second = estimate_noise(x), estimate_noise(x)

    assert np.array_equal(before, x)
    assert np.array_equal(first.shot_noise, second.shot_noise)
    assert np.array_equal(first.read_noise, second.read_noise)


@pytest.mark.parametrize(
    "packed",
    (
        np.full((4, 100, 100), 0.25, np.float32),
        np.ones((4, 100, 100), np.float32),
        np.zeros((4, 1, 1), np.float32),
        np.random.default_rng(0).normal(0.1, 0.01, (4, 8, 8)).astype(np.float32),
    ),
    ids=("constant", "saturated", "one cell", "tiny"),
)
def test_frames_in_which_nothing_can_be_measured_are_refused(packed):
    with pytest.raises(NoiseModelError, match="cannot be measured") as error:
        estimate_noise(packed)

    assert "--shot-noise" in error.value.advice


def test_floor_is_found_only_where_black_is_clipped():
    x = noisy(scene() / 64, 1.6e-3, 3e-6)
    steps = np.rint(x * 4095).astype(np.float32) / np.float32(4095)

    assert black_floor(x) is None
    assert black_floor(steps) is None
    assert 0 == black_floor(np.maximum(steps, 0))


def test_a_profile_that_is_borne_out_is_used_without_a_word():
    profile = noise_model(1e-4, 1e-8, source="NoiseProfile")

    for factor in (0.3, 1, 3):
        measured = noise_model(factor * 1e-4, factor * 1e-8, source="measured")

        assert (profile, None) == reconcile(measured, profile)
    assert (profile, None) == reconcile(None, profile)


@pytest.mark.parametrize(("factor", "winner"), ((0.2, "measured"), (5, "NoiseProfile")))
def test_of_a_profile_and_a_measurement_that_disagree_the_lower_is_used(factor, winner):
    profile = noise_model(1e-4, 1e-8, source="NoiseProfile")
    measured = noise_model(factor * 1e-4, factor * 1e-8, source="measured")

    used, warning = reconcile(measured, profile)

    assert winner == used.source
    assert "noise profile" in warning


def test_disagreement_at_the_levels_that_occur_counts():
    profile = noise_model(1e-4, 1e-4, source="NoiseProfile")
    measured = noise_model(1e-4, 1e-5, source="measured")
    dark = np.linspace(0, 0.02, 400, dtype=np.float32).reshape(4, 10, 10)

    assert measured is reconcile(measured, profile, levels=typical_levels(dark))[0]
    assert (0.002, 0.01, 0.018) == pytest.approx(typical_levels(dark), abs=1e-4)


@pytest.mark.raw
def test_noise_of_a_real_canon_is_what_its_flat_patches_say(raws):
    """var = 2.04 (x - 2056) + 130 DN^2, measured on patches of the colour chart."""
    mosaic = read_raw(raws / "canon_kiss_x4_colorchart.dng").mosaic
    area = mosaic.active_area
    x = normalize(mosaic)[area.slices]
    packed, _ = pack_mosaic(x, mosaic.cfa.shifted(area.top, area.left))
    step = 1 / 12944

    model = estimate_noise(packed, step=step)

    assert 2.04 == pytest.approx(model.shot_noise[0] / step, rel=0.1)
    assert 130 == pytest.approx(model.read_noise[0] / step**2, rel=0.15)
