"""Isolated defects are found and repaired, and nothing else is: no star, texture or saturation."""

from functools import cache
from itertools import product

import numpy as np
import pytest

from fadn_cli.demo.scene import draw_scene
from fadn_cli.denoise.defects import grids, scattered
from fadn_cli.denoise.defects.hotpixels import find_defects, repair_defects
from fadn_cli.denoise.sensors.bayer import BAYER
from fadn_cli.denoise.sensors.kinds import pack_mosaic, sensor_of
from fadn_cli.denoise.sensors.sensor import Packing
from fadn_cli.mosaic.cfa import CfaPattern
from fadn_cli.noise import noise_model
from tests.making.defects import (
    add_noise,
    blur,
    draw_stars,
    level_noise,
    mask_of,
    plant,
    read,
    see,
    through,
)
from tests.making.sensors import XTRANS_CELL

XTRANS = CfaPattern(colors=XTRANS_CELL)
SENSORS = {"Bayer": "RGGB", "X-Trans": XTRANS_CELL, "mono": "Y"}
"""In the phases that need no padding."""
PHASES = {name: name for name in ("RGGB", "BGGR", "GRBG", "GBRG", "Y")} | {
    f"X-Trans {row} {col}": XTRANS.shifted(row, col).colors
    for row, col in ((0, 0), (1, 0), (2, 1), (4, 2), (5, 4))
}
UNSHIFTED = Packing(sensor=BAYER, cfa=CfaPattern(colors="RGGB"))
NOISE = noise_model(4e-4, 1.3e-7, source="given")
LEVELS = (1e-4, 1.6e-3, 6.4e-3)
REAL = ("canon_kiss_x4_colorchart", "gopro_hero6_iso100", "nikon_flower_rggb")


every_sensor = pytest.mark.parametrize("cfa", SENSORS.values(), ids=SENSORS)
every_phase = pytest.mark.parametrize("cfa", PHASES.values(), ids=PHASES)


def pack(x, cfa):
    """A mosaic's planes, how they were packed, and the noise of `smooth` on that sensor."""
    pattern = CfaPattern(colors=cfa)
    noise = noise_model(4e-4, 1.3e-7, source="given", colors=pattern.noise_colors)
    return *pack_mosaic(x, pattern), noise


@cache
def town():
    """The harbour town of the demonstration through a lens, all colours at every place."""
    return see(blur(draw_scene(640, 960)))[:636]  # whole cells, of every sensor


@cache
def drawn(shot, cfa="RGGB"):
    """The same on a sensor with noise: planes, noise, how they were packed."""
    pattern = CfaPattern(colors=cfa)
    packed, packing = pack_mosaic(through(town(), pattern), pattern)
    noise = level_noise(shot, pattern)
    return add_noise(packed, noise, rng=np.random.default_rng(1)), noise, packing


def smooth_clean(height, width):
    """A mosaic of slow waves."""
    rows, cols = np.mgrid[:height, :width].astype(np.float32)
    return 0.2 + 0.1 * np.sin(rows / 19) + 0.08 * np.cos(cols / 23)


def smooth(height, width, seed=0):
    """The same with noise, no two samples alike."""
    clean = smooth_clean(height, width)
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
    packed, packing, noise = pack(x, cfa)
    count = repair_defects(packed, packing, noise)
    assert np.array_equal(pack(packing.unpack(packed), cfa)[0], packed), "stale copies"
    repaired = packing.unpack(packed)
    assert (repaired != x).sum() == count
    return repaired, repaired != x


def share_found(packed, noise, packing=UNSHIFTED, *, planted=200, **kind):
    """Plant so many defects of one kind; return how many are visible, and the share found."""
    rng = np.random.default_rng(2)
    x, visible = plant(packed, noise, rng=rng, density=planted / packed.size, **kind)
    found = mask_of(find_defects(x, packing, noise), x.shape)
    return visible.sum(), (found & visible).sum() / visible.sum()


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
    @every_sensor
    def test_hot_stuck_and_dead_pixels_are_found_where_nothing_hides_them(self, cfa, shot, kind):
        noise = level_noise(shot, CfaPattern(colors=cfa))
        rows, cols = np.mgrid[:510, :510]
        clean = np.float32(0.12 + 0.05 * np.sin(rows / 38) + 0.04 * np.cos(cols / 46))
        packed, packing, _ = pack(clean, cfa)
        packed = add_noise(packed, noise, rng=np.random.default_rng(0))

        count, share = share_found(packed, noise, packing, **kind)

        assert count > 100
        assert share >= 0.95

    @pytest.mark.parametrize(
        ("shot", "value", "least"), [(1e-4, 1.0, 0.95), (1.6e-3, 1.0, 0.95), (1e-4, 0.0, 0.93)]
    )
    @every_sensor
    def test_stuck_and_dead_pixels_are_found_in_a_drawn_town(self, cfa, shot, value, least):
        count, share = share_found(*drawn(shot, cfa), planted=600, value=value)

        assert count > 300
        assert share >= least

    @pytest.mark.parametrize("shot", LEVELS)
    @every_sensor
    def test_less_than_a_thousandth_of_a_percent_of_a_drawn_town_is_taken_for_one(self, cfa, shot):
        packed, noise, packing = drawn(shot, cfa)

        assert len(find_defects(packed, packing, noise).values) < 1e-5 * packed.size

    @every_sensor
    def test_noise_alone_holds_none(self, cfa):
        noise = level_noise(6.4e-3, CfaPattern(colors=cfa))
        packed, packing, _ = pack(np.full((1000, 1000), 0.02, np.float32), cfa)
        packed = add_noise(packed, noise, rng=np.random.default_rng(4))

        assert [] == list(find_defects(packed, packing, noise).values)

    @pytest.mark.parametrize(("sigma", "count"), [(4, 0), (8, 1), (-4, 0), (-8, 1)])
    @every_sensor
    def test_what_noise_explains_is_none_even_where_all_else_is_equal(self, cfa, sigma, count):
        packed, packing, noise = pack(np.full((78, 96), 0.1, np.float32), cfa)
        std = np.sqrt(noise.shot_noise[0] * 0.1 + noise.read_noise[0])
        packed[1, 20, 30] += sigma * std

        assert count == len(find_defects(packed, packing, noise).values)

    def test_each_colour_is_judged_by_its_own_noise(self):
        for cfa, quiet in (("RGGB", 0), ("RGGB", 3), (XTRANS_CELL, 0), (XTRANS_CELL, 2)):
            packed, packing, _ = pack(np.full((78, 96), 0.1, np.float32), cfa)
            colors = packing.sensor.noise_colors
            read = np.where(np.arange(len(colors)) == quiet, 1e-6, 1e-3)
            noise = noise_model(1e-9, read, source="given", colors=colors)
            for plane, index in enumerate(packing.sensor.noise_index):
                for cell in ((10, 10), (10, 11)):  # X-Trans: planes change places in between
                    x = packed.copy()
                    x[(plane, *cell)] += 0.02
                    assert (index == quiet) == len(find_defects(x, packing, noise).values)

    @pytest.mark.parametrize("mean", (-2, -1, 0))
    @every_sensor
    def test_a_frame_clipped_at_black_holds_none(self, cfa, mean):
        rng = np.random.default_rng(10)
        x = (0.01 * (mean + rng.standard_normal((600, 600)))).astype(np.float32)
        packed, packing, _ = pack(np.maximum(x, 0), cfa)
        colors = packing.sensor.noise_colors
        noise = noise_model(1e-4, 1e-4, source="given", colors=colors)

        found = find_defects(packed, packing, noise)

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
    @every_sensor
    def test_stars_survive(self, cfa, psf_std):
        pattern = CfaPattern(colors=cfa)
        noise = level_noise(1.6e-3, pattern)
        std = float(np.sqrt(noise.variance(0.01)[0]))
        clean, _, chosen = draw_stars(
            498,
            498,
            cfa=pattern,
            count=1000,
            psf_std=psf_std,
            peaks=[10 * std, 20 * std, 50 * std, 200 * std, 1.5],
            rng=np.random.default_rng(6),
        )
        packed = add_noise(clean, noise, rng=np.random.default_rng(7))

        packing = Packing(sensor=sensor_of(pattern), cfa=pattern)
        lost = len(find_defects(packed, packing, noise).values)

        assert 1000 == len(chosen)
        assert lost <= (5 if psf_std == 0.5 else 1)

    @every_sensor
    def test_a_speck_of_dust_survives(self, cfa):
        pattern = CfaPattern(colors=cfa)
        noise, rng = level_noise(4e-4, pattern), np.random.default_rng(8)
        stars, _, _ = draw_stars(
            204, 204, count=100, psf_std=0.7, peaks=[0.5], rng=rng, sky=0, cfa=pattern
        )
        packed = add_noise(0.6 - np.minimum(stars, 0.55), noise, rng=np.random.default_rng(9))

        packing = Packing(sensor=sensor_of(pattern), cfa=pattern)
        assert [] == list(find_defects(packed, packing, noise).values)

    @every_sensor
    def test_small_bright_dots_survive(self, cfa):
        """Lamps of a few samples, as sharp as pixels allow."""
        for height, width in ((1, 2), (2, 1), (2, 2), (3, 3), (1, 40)):
            x = smooth(120, 150)
            for row, col in product(range(9, 110, 13), range(9, 100, 11)):
                x[row : row + height, col : col + width] = 0.9

            assert not repair(x, cfa)[1].any()

    @every_sensor
    def test_fine_texture_survives(self, cfa):
        rng, noise = np.random.default_rng(11), smooth(240, 240) - smooth_clean(240, 240)
        rows, cols = np.mgrid[:240, :240]
        gravel = rng.random((240, 240)) ** 3
        fabric = (np.sin(rows * 2.2) * np.sin(cols * 1.9) > 0.3) * 0.5 + 0.1
        leaves = blur(rng.random((240, 240, 1)) ** 8 * 2)[..., 0]
        for clean in (gravel, fabric, leaves):
            changed = repair((clean + noise).astype(np.float32), cfa)[1]

            assert changed.mean() < 1e-4

    @every_sensor
    def test_saturated_samples_beside_one_another_are_left_alone(self, cfa):
        x, pair = smooth(60, 80), {"RGGB": (40, 42), "Y": (40, 41), XTRANS_CELL: (38, 39)}[cfa]
        x[20:30, 20:40] = 1.2
        x[22, 22] = 1.5
        x[41, pair] = 1.1

        _, changed = repair(x, cfa)

        assert not changed.any()

    @every_sensor
    def test_a_dead_pixel_among_saturated_ones_is_white_again(self, cfa):
        x = smooth(60, 80)
        x[20:30, 20:40] = 1.2
        x[25, 30] = 0.0

        repaired, changed = repair(x, cfa)

        assert [[25, 30]] == np.argwhere(changed).tolist()
        assert 1 == repaired[25, 30]

    def test_a_frame_too_small_to_judge_is_left_alone(self):
        for size in ((2, 2), (2, 30), (5, 7)):
            x = np.full(size, 0.1, np.float32)
            x[0, 0] = 1

            assert np.array_equal(x, repair(x)[0])


class TestRepaired:
    @pytest.mark.parametrize("size", ((64, 72), (63, 73), (12, 13)))
    @every_phase
    def test_every_place_of_every_phase_and_size_is_judged(self, cfa, size):
        height, width = size
        borders = [(0, 1, 2, side - 3, side - 2, side - 1) for side in size]
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

    @pytest.mark.parametrize(("top", "left"), [(1, 0), (0, 1), (3, 3), (2, 5), (4, 4), (5, 1)])
    @pytest.mark.parametrize("cfa", ["Y", XTRANS_CELL], ids=["mono", "X-Trans"])
    def test_nor_does_that_of_other_sensors(self, cfa, top, left):
        x = speckled(90, 100)
        whole, _ = repair(x, cfa)

        cut, changed = repair(x[top:, left:], CfaPattern(colors=cfa).shifted(top, left).colors)

        assert changed.sum() > 10
        inner = slice(12, -12)
        assert np.array_equal(whole[top:, left:][inner, inner], cut[inner, inner])

    @every_sensor
    def test_a_scene_moved_by_a_cell_is_repaired_alike(self, cfa):
        x = speckled(90, 100)

        repaired, moved = repair(x, cfa)[0], repair(x[6:, 12:], cfa)[0]

        assert np.array_equal(repaired[16:-10, 22:-10], moved[10:-10, 10:-10])

    @pytest.mark.parametrize("rows", (1, 7, 50))
    @every_sensor
    def test_the_bands_do_not_show(self, monkeypatch, cfa, rows):
        packed, noise, packing = drawn(1e-4, cfa)
        side = 180 // packing.sensor.cell
        packed = packed[:, 102 : 102 + side, 60 : 60 + side]
        packed, _ = plant(packed, noise, rng=np.random.default_rng(5), density=3e-3, light=0.3)
        packed, _ = plant(packed, noise, rng=np.random.default_rng(6), density=3e-3, value=0)
        whole = find_defects(packed, packing, noise)
        monkeypatch.setattr(grids, "_ROWS_PER_BAND", rows)
        monkeypatch.setattr(scattered, "_PERIODS_PER_BAND", rows)

        banded = find_defects(packed, packing, noise)

        assert len(whole.values) > 50
        assert np.array_equal(whole.sites, banded.sites)
        assert np.array_equal(whole.values, banded.values)

    @every_sensor
    def test_what_is_put_in_place_is_near_the_truth(self, cfa):
        packed, noise, packing = drawn(1e-4, cfa)
        x, planted = plant(packed, noise, rng=np.random.default_rng(6), density=1e-3, value=1.0)
        repaired = x.copy()

        repair_defects(repaired, packing, noise)

        places = planted & (repaired != x)
        std = np.sqrt(noise.shot_noise[0] * packed[places] + noise.read_noise[0])
        error = np.abs(repaired[places] - packed[places]) / std
        assert np.median(error) < 2
        assert np.float32 == repaired.dtype

    @every_sensor
    def test_neither_frame_nor_result_hang_on_each_other(self, cfa):
        frame, noise, packing = drawn(1e-4, cfa)
        packed, _ = plant(frame, noise, rng=np.random.default_rng(7), density=1e-3, value=1.0)
        before = packed.copy()

        find_defects(packed, packing, noise)

        assert np.array_equal(before, packed)

    def test_the_nearest_are_of_the_colour_and_on_all_sides(self):
        for kind, offsets in enumerate(scattered._sites()[1]):
            row, col = divmod(kind, 6)
            seen = {XTRANS.at(row + down, col + right) for down, right in offsets}
            assert {XTRANS.at(row, col)} == seen
            assert 8 == len({tuple(offset) for offset in offsets.tolist()})
            assert np.abs(offsets.mean(axis=0)).max() < 0.3
