"""Bands of rows and columns are measured and taken away; what the scene draws stays."""

import numpy as np
import pytest

from fadn_cli.denoise.banding import measure_columns, measure_rows, remove_bands
from fadn_cli.denoise.sensors.kinds import pack_mosaic
from fadn_cli.denoise.sensors.sites import unpack_sites as unpack
from fadn_cli.mosaic.cfa import CfaPattern
from fadn_cli.noise import noise_model
from tests.making.scenes import COLS, HEIGHT, ROWS, WIDTH, light, mosaic

SHOT, READ = 1.6e-3, 6e-6
NOISE = noise_model(SHOT, READ, source="given")
BLACK = np.sqrt(READ)


def dark(factor=1.0):
    """A dark scene in neutral colours."""
    return mosaic(light()) * 0.06 * factor


def grainy(clean, seed=0):
    grain = np.random.default_rng(seed).normal(size=clean.shape)
    return clean + grain * np.sqrt(SHOT * np.maximum(clean, 0) + READ)


def bands(strength, axis, seed=1):
    """Offsets of rows (axis 1) or columns (axis 0)."""
    shape = (HEIGHT, 1) if axis == 1 else (1, WIDTH)
    return np.random.default_rng(seed).normal(size=shape) * strength * BLACK


def packed(x, colors="RGGB"):
    return pack_mosaic(x.astype(np.float32), CfaPattern(colors=colors))


def both(x):
    return measure_rows(x, NOISE), measure_columns(x, NOISE)


@pytest.mark.parametrize("axis", (0, 1))
@pytest.mark.parametrize("strength", (0.5, 1.0, 2.0))
@pytest.mark.parametrize("colors", ("RGGB", "BGGR", "GRBG", "GBRG"))
def test_bands_are_measured_on_their_axis_only(axis, strength, colors):
    x, _ = packed(grainy(dark()) + bands(strength, axis), colors)

    found = both(x)

    there, elsewhere = found[1 - axis], found[axis]
    assert there.is_clear
    assert strength * BLACK == pytest.approx(there.std, rel=0.15)
    assert not elsewhere.is_clear


@pytest.mark.parametrize("axis", (0, 1))
@pytest.mark.parametrize("colors", ("RGGB", "BGGR", "GRBG", "GBRG"))
def test_most_of_a_band_goes_and_levels_stay(axis, colors):
    clean, offsets = dark(), bands(1.0, axis)
    x, shift = packed(grainy(clean) + offsets, colors)
    truth, _ = packed(clean, colors)
    found = both(x)[1 - axis]
    name = "rows" if axis == 1 else "columns"
    level = x.mean()

    remove_bands(x, shift, **{name: found})

    left = (unpack(x) - unpack(truth)).mean(axis=axis)[1:-1].std()
    assert left < 0.35 * offsets.std()
    assert x.mean() == pytest.approx(level, abs=0.02 * BLACK)


def test_the_copies_at_the_border_follow_their_samples():
    x, shift = packed(grainy(dark()) + bands(1.0, 1), "GBRG")

    remove_bands(x, shift, rows=measure_rows(x, NOISE))

    again, _ = packed(unpack(x)[shift.top :, shift.left :], "GBRG")
    assert np.array_equal(again[:, :, :-1], x[:, :, :-1])


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
def test_what_the_scene_draws_is_no_band(name, turned):
    clean = DRAWN[name][:, :HEIGHT]
    x, _ = packed(grainy(clean.T if turned else clean))

    for found in both(x):
        assert not (found.is_clear and found.std > 0.1 * BLACK)


@pytest.mark.parametrize("name", ("a horizon", "lines", "blinds", "a gradient"))
def test_what_the_scene_draws_stays_where_there_are_bands(name):
    clean, offsets = DRAWN[name], bands(0.7, 1)
    x, shift = packed(grainy(clean) + offsets)
    before = unpack(x)
    drawn, _ = packed(clean - dark())

    remove_bands(x, shift, rows=measure_rows(x, NOISE))

    removed = (before - unpack(x)).mean(axis=1)
    structure = unpack(drawn).mean(axis=1)
    slope = (removed @ (structure - structure.mean())) / max(
        ((structure - structure.mean()) ** 2).sum(), 1e-12
    )
    assert abs(slope) < 0.05


def test_a_frame_too_small_to_tell_is_left_alone():
    x, _ = packed((grainy(dark()) + bands(1.0, 1))[:24, :24])

    assert [False, False] == [found.is_clear for found in both(x)]
