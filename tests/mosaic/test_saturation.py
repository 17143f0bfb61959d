"""A clip is where samples pile up; a bright scene without one has none."""

from dataclasses import replace

import numpy as np
import pytest

from fadn_cli.mosaic.cfa import CfaPattern
from fadn_cli.mosaic.conversion import denormalize
from fadn_cli.mosaic.saturation import clip_levels, saturated_areas
from fadn_cli.mosaic.values import Mosaic, Rect
from tests.making.sensors import XTRANS_CELL

HEIGHT, WIDTH = 256, 320
NEUTRAL = np.array([[0.5, 1.0], [1.0, 0.625]])
SENSORS = {  # bits, black, shot noise, read noise
    "14 bits, high ISO": (14, 600, 4e-4, 2e-5),
    "14 bits, base ISO": (14, 1024, 6e-6, 1e-8),
    "12 bits": (12, 256, 2e-5, 4e-8),
    "10 bits": (10, 64, 1.5e-4, 4e-7),
}


@pytest.fixture(params=SENSORS.values(), ids=SENSORS)
def sensor(request):
    return request.param


def scene(spots=1.8, radii=(30, 45, 18)):
    """A clean mosaic, 0.25 to 0.45 of white in green, with bright spots."""
    rows, cols = np.mgrid[:HEIGHT, :WIDTH]
    clean = 0.35 + 0.1 * np.sin(cols / 60)
    for row, col, radius in zip((70, 170, 80), (80, 190, 270), radii, strict=True):
        clean = np.where((rows - row) ** 2 + (cols - col) ** 2 < radius**2, spots, clean)
    return clean * over_sites(NEUTRAL)


def over_sites(values):
    return np.tile(np.reshape(values, (2, 2)), (HEIGHT // 2, WIDTH // 2))


def expose(clean, sensor, full, *, smear=0.0, active_area=None, **fields):
    """Photograph a scene; `full` is where the four sites clip, 0 black and 1 white."""
    bits, black, shot, read = sensor
    white = 2**bits - 1
    rng = np.random.default_rng(3)
    x = clean + rng.normal(size=clean.shape) * np.sqrt(shot * clean + read)
    level = np.round(black + over_sites(np.broadcast_to(full, 4)) * (white - black))
    clip = level + smear * rng.normal(size=clean.shape)
    samples = np.rint(np.minimum(black + x * (white - black), clip)).clip(0, white)
    mosaic = Mosaic(
        samples=samples.astype(np.uint16),
        cfa=CfaPattern(colors="RGGB"),
        black_level=np.full((1, 1), black, np.float32),
        white_level=float(white),
        active_area=active_area or Rect(top=0, left=0, height=HEIGHT, width=WIDTH),
        **fields,
    )
    return mosaic, level[:2, :2]


@pytest.mark.parametrize("full", (0.93, 0.8, 0.6))
def test_a_clip_below_white_is_found(sensor, full):
    mosaic, level = expose(scene(2.4), sensor, full)

    assert np.array_equal(level, clip_levels(mosaic))


@pytest.mark.parametrize("corner", ((0, 0), (3, 5), (2, 7)))
def test_every_site_has_its_own(sensor, corner):
    top, left = corner
    area = Rect(top=top, left=left, height=HEIGHT - 9, width=WIDTH - 12)
    mosaic, level = expose(scene(), sensor, (0.55, 0.93, 0.9, 0.7), active_area=area)

    assert np.array_equal(level, clip_levels(mosaic))


def test_plateaus_pass_and_nothing_ends_above_them(sensor):
    mosaic, level = expose(scene(), sensor, (0.55, 0.93, 0.9, 0.7))
    full = mosaic.samples >= over_sites(level)
    inside = saturated_areas(mosaic)

    x = np.full(mosaic.samples.shape, 1.2, np.float32)
    after = denormalize(x, mosaic).samples

    assert (scene() > 1.05 * over_sites((0.55, 0.93, 0.9, 0.7)))[inside].all()
    assert inside.sum() > 0.99 * full.sum()
    assert np.array_equal(mosaic.samples[inside], after[inside])
    assert (after <= over_sites(level)).all()


def test_a_clip_that_is_smeared_is_a_band(sensor):
    bits, *_ = sensor
    smear = 2 if bits > 10 else 1
    mosaic, level = expose(scene(2.4), sensor, 0.9, smear=smear)

    found = clip_levels(mosaic)

    assert (np.abs(found - level) <= 4 * smear).all()
    assert saturated_areas(mosaic)[scene(2.4) > 1].mean() > 0.97


@pytest.mark.parametrize("spots", (0.35, 0.8))
@pytest.mark.parametrize("less", (1, 64, 6400), ids=("one", "a stack", "almost no noise"))
def test_a_scene_without_clipping_has_none(sensor, spots, less):
    bits, black, shot, read = sensor
    mosaic, _ = expose(scene(spots), (bits, black, shot / less, read / less), 4)

    assert (clip_levels(mosaic) == mosaic.white_level).all()
    assert saturated_areas(mosaic) is None


@pytest.mark.parametrize("level", (0.0, 0.02, 0.5, 0.9))
def test_an_even_frame_has_none(sensor, level):
    mosaic, _ = expose(np.full((HEIGHT, WIDTH), level), sensor, 4)

    assert (clip_levels(mosaic) == mosaic.white_level).all()


def test_a_ceiling_that_is_too_low_to_be_the_sensors_is_none(sensor):
    mosaic, _ = expose(scene(), sensor, 0.2)

    assert (clip_levels(mosaic) == mosaic.white_level).all()


def test_a_plateau_below_what_is_known_to_be_linear_is_none(sensor):
    mosaic, level = expose(scene(), sensor, 0.6)
    known = np.array([[level[0, 0] + 1, 0], [0, 0]], np.float32)

    found = clip_levels(replace(mosaic, linear_level=known))

    assert found[0, 0] == mosaic.white_level
    assert (found.ravel()[1:] == level.ravel()[1:]).all()


def test_a_few_hot_pixels_above_a_plateau_do_not_hide_it(sensor):
    mosaic, level = expose(scene(), sensor, 0.6)
    mosaic.samples[11:13, 17:19] = mosaic.white_level

    assert np.array_equal(level, clip_levels(mosaic))


XTRANS = CfaPattern(colors=XTRANS_CELL)
CLIPS = {"R": 0.55, "G": 0.93, "B": 0.7, "Y": 0.8}
"""Where each colour clips, 0 black and 1 white."""


def expose_colors(cfa, sensor, corner=(0, 0)):
    """Photograph the bright spots with a sensor whose colours clip at other levels."""
    bits, black, shot, read = sensor
    white = 2**bits - 1
    clean = scene(2.4) / over_sites(NEUTRAL)
    rng = np.random.default_rng(3)
    x = clean + rng.normal(size=clean.shape) * np.sqrt(shot * clean + read)
    rows, cols = np.indices(clean.shape)
    cell = np.array([CLIPS[color] for color in cfa.colors]).reshape(cfa.period, cfa.period)
    level = np.round(black + cell * (white - black))
    clip = level[rows % cfa.period, cols % cfa.period]
    top, left = corner
    mosaic = Mosaic(
        samples=np.rint(np.minimum(black + x * (white - black), clip)).clip(0).astype(np.uint16),
        cfa=cfa,
        black_level=np.full((1, 1), black, np.float32),
        white_level=float(white),
        active_area=Rect(top=top, left=left, height=HEIGHT - 9, width=WIDTH - 12),
    )
    return mosaic, level


@pytest.mark.parametrize("corner", ((0, 0), (3, 5), (2, 7)))
@pytest.mark.parametrize("phase", ((0, 0), (1, 2), (4, 3)))
def test_every_colour_of_x_trans_has_its_own(sensor, phase, corner):
    mosaic, level = expose_colors(XTRANS.shifted(*phase), sensor, corner)

    assert np.array_equal(level, clip_levels(mosaic))


def test_without_colours_there_is_one_clip(sensor):
    mosaic, level = expose_colors(CfaPattern(colors="Y"), sensor)

    assert np.array_equal(level, clip_levels(mosaic))


@pytest.mark.parametrize("colors", (XTRANS_CELL, "Y"))
def test_a_saturated_area_passes_and_what_is_alone_does_not(colors):
    """Of an area, the corner of which has fewest neighbours that are saturated too."""
    cfa = CfaPattern(colors=colors)
    samples = np.full((60, 72), 1000, np.uint16)
    samples[12:24, 12:24] = 15000
    samples[40, 40] = samples[48:50, 30] = 15000
    mosaic = Mosaic(
        samples=samples,
        cfa=cfa,
        black_level=np.zeros((1, 1), np.float32),
        white_level=15000.0,
        active_area=Rect(top=0, left=0, height=60, width=72),
    )

    inside = saturated_areas(mosaic)

    assert inside[14:22, 14:22].all()
    assert inside[12:24, 12:24].mean() > 0.9
    assert not inside[30:].any()


@pytest.mark.parametrize("color", "RGB")
def test_other_colours_at_white_do_not_make_an_x_trans_area(color):
    """Where one colour is clipped in an area, samples of the others there are not."""
    cell = np.array([each == color for each in XTRANS_CELL]).reshape(6, 6)
    is_color = np.tile(cell, (10, 12))
    samples = np.where(is_color, 15000, 1000).astype(np.uint16)
    other = np.argwhere(~is_color[24:30, 24:30])[0] + 24
    samples[tuple(other)] = 15000
    mosaic = Mosaic(
        samples=samples,
        cfa=XTRANS,
        black_level=np.zeros((1, 1), np.float32),
        white_level=15000.0,
        active_area=Rect(top=0, left=0, height=60, width=72),
    )

    inside = saturated_areas(mosaic)

    assert inside[6:-6, 6:-6][is_color[6:-6, 6:-6]].all()
    assert not inside[~is_color].any()
