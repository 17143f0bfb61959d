"""Isolated defects are found and repaired, and nothing else is: no star, texture or saturation."""

from functools import cache
from itertools import product

import numpy as np
import pytest

from fadn_cli.demo.run import expose
from fadn_cli.demo.scene import draw_scene
from fadn_cli.denoise.defects import grids
from fadn_cli.denoise.defects.hotpixels import find_defects, repair_defects
from fadn_cli.denoise.sensors.bayer import BAYER
from fadn_cli.denoise.sensors.kinds import pack_mosaic
from fadn_cli.denoise.sensors.sensor import Packing
from fadn_cli.mosaic.cfa import CfaPattern
from fadn_cli.noise import noise_model
from tests.making.defects import add_noise, blur, draw_stars, mask_of, plant, read

PATTERNS = ("RGGB", "BGGR", "GRBG", "GBRG")
UNSHIFTED = Packing(sensor=BAYER, cfa=CfaPattern(colors="RGGB"))
NOISE = noise_model(4e-4, 1.3e-7, source="given")
LEVELS = (1e-4, 1.6e-3, 6.4e-3)
REAL = ("canon_kiss_x4_colorchart", "gopro_hero6_iso100", "nikon_flower_rggb")


def level_noise(shot):
    """The typical noise of a sensor with this shot noise [Brooks et al., CVPR 2019]."""
    return noise_model(shot, np.exp(2.18 * np.log(shot) + 1.20), source="given")


@cache
def town():
    """The harbour town of the demonstration through a lens."""
    return BAYER.pack(expose(blur(draw_scene(640, 960))))


@cache
def drawn(shot):
    """The same with noise."""
    return add_noise(town(), level_noise(shot), rng=np.random.default_rng(1)), level_noise(shot)


def smooth(height, width, seed=0):
    """A mosaic of slow waves with noise, no two samples alike."""
    rows, cols = np.mgrid[:height, :width].astype(np.float32)
    clean = 0.2 + 0.1 * np.sin(rows / 19) + 0.08 * np.cos(cols / 23)
    std = np.sqrt(NOISE.shot_noise[0] * clean + NOISE.read_noise[0])
    noise = np.random.default_rng(seed).standard_normal(clean.shape)
    return (clean + std * noise).astype(np.float32)


def speckled(height, width):
    """The same with some thirty hot pixels."""
    x = smooth(height, width)
    rng = np.random.default_rng(3)
    x[rng.integers(height, size=30), rng.integers(width, size=30)] += 0.4
    return x


def repair(x, cfa="RGGB"):
    """Repair a mosaic; return it, and which samples changed."""
    packed, shift = pack_mosaic(x, CfaPattern(colors=cfa))
    count = repair_defects(packed, shift, NOISE)
    expected, _ = pack_mosaic(shift.unpack(packed), CfaPattern(colors=cfa))
    assert np.array_equal(expected, packed), "the copies at the border are stale"
    repaired = shift.unpack(packed)
    assert (repaired != x).sum() == count
    return repaired, repaired != x


def share_found(packed, noise, *, seed=2, **kind):
    """Plant defects of one kind at 0.01 % or some more; return how many, and the share found."""
    density = max(1e-4, 200 / packed.size)
    x, planted = plant(packed, noise, rng=np.random.default_rng(seed), density=density, **kind)
    found = mask_of(find_defects(x, UNSHIFTED, noise), x.shape)
    return planted.sum(), (found & planted).sum() / planted.sum()


class TestFound:
    @pytest.mark.parametrize(
        ("shot", "kind"),
        [
            (1e-4, {"value": 1.0}),
            (1e-4, {"value": 0.0}),
            (1e-4, {"light": 0.1}),
            (1e-4, {"sigma": 20}),
            (1.6e-3, {"value": 1.0}),
            (1.6e-3, {"light": 0.3}),
            (1.6e-3, {"sigma": 20}),
        ],
    )
    def test_hot_stuck_and_dead_pixels_are_found_where_nothing_hides_them(self, shot, kind):
        noise = level_noise(shot)
        rows, cols = np.mgrid[:256, :256]
        clean = np.float32(0.12 + 0.05 * np.sin(rows / 19) + 0.04 * np.cos(cols / 23))
        packed = add_noise(np.stack([clean] * 4), noise, rng=np.random.default_rng(0))

        count, share = share_found(packed, noise, **kind)

        assert count > 40
        assert share >= 0.95

    @pytest.mark.parametrize(
        ("shot", "value", "least"), [(1e-4, 1.0, 0.95), (1.6e-3, 1.0, 0.95), (1e-4, 0.0, 0.93)]
    )
    def test_stuck_and_dead_pixels_are_found_in_a_drawn_town(self, shot, value, least):
        count, share = share_found(*drawn(shot), value=value)

        assert count > 100
        assert share >= least

    @pytest.mark.parametrize("shot", LEVELS)
    def test_less_than_a_thousandth_of_a_percent_of_a_drawn_town_is_taken_for_one(self, shot):
        packed, noise = drawn(shot)

        assert len(find_defects(packed, UNSHIFTED, noise).values) < 1e-5 * packed.size

    def test_noise_alone_holds_none(self):
        rng = np.random.default_rng(4)
        packed = add_noise(np.full((4, 500, 500), 0.02), level_noise(6.4e-3), rng=rng)

        assert [] == list(find_defects(packed, UNSHIFTED, level_noise(6.4e-3)).values)

    @pytest.mark.parametrize(("sigma", "count"), [(4, 0), (8, 1), (-4, 0), (-8, 1)])
    def test_what_noise_explains_is_none_even_where_all_else_is_equal(self, sigma, count):
        packed = np.full((4, 40, 50), 0.1, np.float32)
        std = np.sqrt(NOISE.shot_noise[1] * 0.1 + NOISE.read_noise[1])
        packed[1, 20, 30] += sigma * std

        assert count == len(find_defects(packed, UNSHIFTED, NOISE).values)

    @pytest.mark.parametrize("mean", (-2, -1, 0))
    def test_a_frame_clipped_at_black_holds_none(self, mean):
        noise = noise_model(1e-4, 1e-4, source="given")
        rng = np.random.default_rng(10)
        packed = (0.01 * (mean + rng.standard_normal((4, 300, 300)))).astype(np.float32)

        found = find_defects(np.maximum(packed, 0), UNSHIFTED, noise)

        assert len(found.values) <= 1

    @pytest.mark.raw
    @pytest.mark.parametrize("name", REAL)
    def test_real_raws_give_theirs_up(self, raws, name):
        packed, shift, noise = read(raws / f"{name}.dng")
        if packed.size > 4e6:
            packed = packed[:, 400:1000, 600:1400].copy()
        rng = np.random.default_rng(5)
        density = max(1e-4, 500 / packed.size)
        judged = np.zeros(packed.shape, bool)
        for plane in BAYER.own_samples(judged, shift):
            plane[...] = True

        before = len(find_defects(packed, shift, noise).values)
        x, planted = plant(packed, noise, rng=rng, density=density, value=1.0, within=judged)
        found = mask_of(find_defects(x, shift, noise), x.shape)

        assert (found & planted).sum() >= 0.95 * planted.sum()
        # the Canon has 27 of its own: specks of one sample, up to 30 sigma, with dark neighbours
        assert before < (2e-5 if name.startswith("canon") else 1e-5) * packed.size


class TestSpared:
    @pytest.mark.parametrize("psf_std", (0.5, 0.7, 1.0, 1.5))
    def test_stars_survive(self, psf_std):
        noise = level_noise(1.6e-3)
        std = float(np.sqrt(noise.variance(0.01)[1]))
        clean, _, chosen = draw_stars(
            500,
            500,
            count=1000,
            psf_std=psf_std,
            peaks=[10 * std, 20 * std, 50 * std, 200 * std, 1.5],
            rng=np.random.default_rng(6),
        )
        packed = add_noise(clean, noise, rng=np.random.default_rng(7))

        lost = len(find_defects(packed, UNSHIFTED, noise).values)

        assert 1000 == len(chosen)
        assert lost <= (5 if psf_std == 0.5 else 1)

    def test_a_speck_of_dust_survives(self):
        noise = level_noise(4e-4)
        stars, _, _ = draw_stars(
            200, 200, count=100, psf_std=0.7, peaks=[0.5], rng=np.random.default_rng(8), sky=0
        )
        packed = add_noise(0.6 - np.minimum(stars, 0.55), noise, rng=np.random.default_rng(9))

        assert [] == list(find_defects(packed, UNSHIFTED, noise).values)

    def test_saturated_samples_beside_one_another_are_left_alone(self):
        x = smooth(60, 80)
        x[20:30, 20:40] = 1.2
        x[22, 22] = 1.5
        x[40, 40] = x[40, 42] = 1.1

        _, changed = repair(x)

        assert not changed.any()

    def test_a_dead_pixel_among_saturated_ones_is_white_again(self):
        x = smooth(60, 80)
        x[20:30, 20:40] = 1.2
        x[25, 30] = 0.0

        repaired, changed = repair(x)

        assert [[25, 30]] == np.argwhere(changed).tolist()
        assert 1 == repaired[25, 30]

    def test_a_frame_too_small_to_judge_is_left_alone(self):
        for size in ((2, 2), (2, 30), (5, 7)):
            x = np.full(size, 0.1, np.float32)
            x[0, 0] = 1

            assert np.array_equal(x, repair(x)[0])


class TestRepaired:
    @pytest.mark.parametrize("size", ((64, 72), (63, 73), (11, 12)))
    @pytest.mark.parametrize("cfa", PATTERNS)
    def test_every_place_of_every_phase_and_size_is_judged(self, cfa, size):
        height, width = size
        borders = [(0, 1, side - 2, side - 1) for side in size]
        for row, col in [(4, 5), *product(*borders)]:
            x = smooth(height, width)
            expected = x[row, col]
            x[row, col] = 1.0

            repaired, changed = repair(x, cfa)

            assert [[row, col]] == np.argwhere(changed).tolist()
            assert abs(repaired[row, col] - expected) < 0.06

    def test_the_phase_does_not_matter(self):
        x = speckled(90, 100)

        _, whole = repair(x)

        assert whole.sum() > 10
        for cfa, top, left in (("GRBG", 0, 1), ("GBRG", 1, 0), ("BGGR", 1, 1)):
            _, cut = repair(x[top:, left:], cfa)
            assert np.array_equal(whole[top + 4 :, left + 4 :], cut[4:, 4:])

    def test_a_scene_moved_by_a_cell_is_repaired_alike(self):
        x = speckled(90, 100)

        repaired, moved = repair(x)[0], repair(x[2:, 4:])[0]

        assert np.array_equal(repaired[8:, 12:], moved[6:, 8:])

    @pytest.mark.parametrize("rows", (1, 7, 50))
    def test_the_bands_do_not_show(self, monkeypatch, rows):
        cut, noise = drawn(1e-4)[0][:, 150:240, 100:200], drawn(1e-4)[1]
        packed, _ = plant(cut, noise, rng=np.random.default_rng(5), density=3e-3, light=0.3)
        packed, _ = plant(packed, noise, rng=np.random.default_rng(6), density=3e-3, value=0)
        whole = find_defects(packed, UNSHIFTED, noise)
        monkeypatch.setattr(grids, "_ROWS_PER_BAND", rows)

        banded = find_defects(packed, UNSHIFTED, noise)

        assert len(whole.values) > 50
        assert np.array_equal(whole.sites, banded.sites)
        assert np.array_equal(whole.values, banded.values)

    def test_what_is_put_in_place_is_near_the_truth(self):
        packed, noise = drawn(1e-4)
        x, planted = plant(packed, noise, rng=np.random.default_rng(6), density=1e-3, value=1.0)
        repaired = x.copy()

        repair_defects(repaired, UNSHIFTED, noise)

        places = planted & (repaired != x)
        std = np.sqrt(noise.shot_noise[0] * packed[places] + noise.read_noise[0])
        error = np.abs(repaired[places] - packed[places]) / std
        assert np.median(error) < 2
        assert np.float32 == repaired.dtype

    def test_neither_frame_nor_result_hang_on_each_other(self):
        packed, _ = plant(
            drawn(1e-4)[0], drawn(1e-4)[1], rng=np.random.default_rng(7), density=1e-3, value=1.0
        )
        before = packed.copy()

        find_defects(packed, UNSHIFTED, drawn(1e-4)[1])

        assert np.array_equal(before, packed)
