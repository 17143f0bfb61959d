"""Bands of rows and columns are measured and taken away; what the scene draws stays."""

import numpy as np
import pytest

from fadn_cli.denoise.banding import line_levels, measure_columns, measure_rows, remove_bands
from fadn_cli.denoise.sensors.kinds import pack_mosaic
from fadn_cli.mosaic.cfa import CfaPattern
from fadn_cli.noise import noise_model
from tests.making.scenes import COLS, HEIGHT, ROWS, WIDTH, light
from tests.making.sensors import XTRANS_CELL, filtered

SHOT, READ = 1.6e-3, 6e-6
BLACK = np.sqrt(READ)


BAYERS = ("RGGB", "BGGR", "GRBG", "GBRG")
XTRANS = [CfaPattern(colors=XTRANS_CELL).shifted(*at).colors for at in ((0, 0), (1, 2), (4, 1))]
PATTERNS = (*BAYERS, *XTRANS, "Y")
NAMES = (*BAYERS, "X-Trans", "X-Trans 1 2", "X-Trans 4 1", "monochrome")
KINDS = ("RGGB", XTRANS[2], "Y")

every_pattern = pytest.mark.parametrize("colors", PATTERNS, ids=NAMES)
every_kind = pytest.mark.parametrize("colors", KINDS, ids=("bayer", "xtrans", "mono"))


def dark(factor=1.0):
    """A dark scene, grey."""
    return light() * 0.06 * factor


def grainy(scene, colors="RGGB", seed=0):
    """What filters of neutral colours leave of a scene, and the same with grain."""
    clean = filtered(scene, CfaPattern(colors=colors))
    grain = np.random.default_rng(seed).normal(size=clean.shape)
    return clean, clean + grain * np.sqrt(SHOT * np.maximum(clean, 0) + READ)


def bands(strength, axis, seed=1):
    """Offsets of rows (axis 1) or columns (axis 0)."""
    shape = (HEIGHT, 1) if axis == 1 else (1, WIDTH)
    return np.random.default_rng(seed).normal(size=shape) * strength * BLACK


def packed(x, colors="RGGB"):
    return pack_mosaic(x.astype(np.float32), CfaPattern(colors=colors))


def measured(x, packing, axis):
    """The bands of rows (axis 1) or columns (axis 0)."""
    noise = noise_model(SHOT, READ, source="given", colors=packing.sensor.noise_colors)
    levels = line_levels(x, packing.sensor)
    return (measure_columns, measure_rows)[axis](levels, noise, packing.sensor)


@pytest.mark.parametrize("axis", (0, 1))
@pytest.mark.parametrize("strength", (0.5, 1.0, 2.0))
@every_pattern
def test_bands_are_measured_on_their_axis_only(axis, strength, colors):
    offsets = bands(strength, axis)
    x, packing = packed(grainy(dark(), colors)[1] + offsets, colors)

    there, elsewhere = (measured(x, packing, each) for each in (axis, 1 - axis))
    assert there.is_clear
    assert offsets.std() == pytest.approx(there.std, rel=0.15)
    assert not elsewhere.is_clear


@pytest.mark.parametrize("axis", (0, 1))
@every_pattern
def test_most_of_a_band_goes_and_levels_stay(axis, colors):
    clean, noisy = grainy(dark(), colors)
    offsets = bands(1.0, axis)
    x, packing = packed(noisy + offsets, colors)
    name = "rows" if axis == 1 else "columns"
    level = x.mean()

    remove_bands(x, packing, **{name: measured(x, packing, axis)})

    left = (packing.unpack(x) - clean).mean(axis=axis)
    assert left[1:-1].std() < 0.25 * offsets.std()
    assert x.mean() == pytest.approx(level, abs=0.02 * BLACK)


@pytest.mark.parametrize("axis", (0, 1))
@every_pattern
def test_an_offset_goes_from_all_samples_of_its_row_alike(axis, colors):
    """Whatever the colour, and wherever the planes of a pair put it."""
    x, packing = packed(grainy(dark(), colors)[1] + bands(1.0, axis), colors)
    before = packing.unpack(x)
    name = "rows" if axis == 1 else "columns"

    remove_bands(x, packing, **{name: measured(x, packing, axis)})

    taken = before - packing.unpack(x)
    assert taken.std(axis=axis).max() < 1e-6
    assert taken.std(axis=1 - axis).min() > 0.5 * BLACK


@every_pattern
def test_the_copies_at_the_border_follow_their_samples(colors):
    x, packing = packed(grainy(dark(), colors)[1] + bands(1.0, 1), colors)

    remove_bands(x, packing, rows=measured(x, packing, 1))

    again, _ = packed(packing.unpack(x), colors)
    assert np.array_equal(again, x)


def line(rows, height):
    return np.isin(ROWS, [row + step for row in rows for step in range(height)])


DRAWN = {
    "nothing": dark(),
    "a gradient": dark() * (0.2 + ROWS / HEIGHT),
    "a horizon": dark() * np.where(ROWS < 140, 1, 4),
    "stripes of 2 rows": dark() * np.where(ROWS // 2 % 2, 1, 1.5),
    "stripes of 4 rows": dark() * np.where(ROWS // 4 % 2, 1, 1.5),
    "stripes of 10 rows": dark() * np.where(ROWS // 10 % 2, 1, 1.3),
    "soft stripes": dark() * (1 + 0.2 * np.sin(ROWS / 4)),
    "lines": dark() * np.where(line((50, 90, 91, 200), 2), 3, 1),
    "blinds": dark() * np.where((ROWS % 9 < 3) & (abs(COLS - 180) < 120), 0.3, 1),
    "uneven stripes": dark()
    * (1 + 0.3 * np.random.default_rng(4).random(HEIGHT // 6 + 1))[ROWS // 6],
}


@pytest.mark.parametrize("turned", (False, True))
@pytest.mark.parametrize("name", DRAWN)
@every_kind
def test_what_the_scene_draws_is_no_band(name, turned, colors):
    scene = DRAWN[name][:, :HEIGHT]
    x, packing = packed(grainy(scene.T if turned else scene, colors)[1], colors)

    for found in (measured(x, packing, axis) for axis in (0, 1)):
        assert not (found.is_clear and found.std > 0.1 * BLACK)


@pytest.mark.parametrize("name", ("a horizon", "lines", "blinds", "a gradient"))
@every_kind
def test_what_the_scene_draws_stays_where_there_are_bands(name, colors):
    clean, noisy = grainy(DRAWN[name], colors)
    x, packing = packed(noisy + bands(0.7, 1), colors)
    before = packing.unpack(x)

    remove_bands(x, packing, rows=measured(x, packing, 1))

    removed = (before - packing.unpack(x)).mean(axis=1)
    structure = (clean - grainy(dark(), colors)[0]).mean(axis=1)
    slope = (removed @ (structure - structure.mean())) / max(
        ((structure - structure.mean()) ** 2).sum(), 1e-12
    )
    assert abs(slope) < 0.05


@every_kind
def test_a_frame_too_small_to_tell_is_left_alone(colors):
    x, packing = packed((grainy(dark(), colors)[1] + bands(1.0, 1))[:24, :24], colors)

    assert [False, False] == [measured(x, packing, axis).is_clear for axis in (0, 1)]
