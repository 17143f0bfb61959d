"""What contradicts a plain Bayer mosaic is found; scenes of any colour and pattern are believed."""

import numpy as np
import pytest

from fadn_cli.denoise.sense import Sense, judge
from fadn_cli.denoise.sensors.kinds import pack_mosaic
from fadn_cli.mosaic.cfa import CfaPattern
from tests.making.scenes import COLS, HEIGHT, LOUD, QUIET, ROWS, expose, light, mosaic


def judged(x, tags="RGGB"):
    return judge(pack_mosaic(x.astype(np.float32), CfaPattern(colors=tags))[0])


def doubts(sense):
    """What is found, but for the share of white."""
    found = Sense(white_share=sense.white_share)
    return [name for name in Sense.__slots__ if getattr(sense, name) != getattr(found, name)]


@pytest.mark.parametrize("noise", (QUIET, LOUD))
@pytest.mark.parametrize("textured", (False, True))
@pytest.mark.parametrize("side", (2, 3, 4))
@pytest.mark.parametrize("offset", ((0, 0), (1, 0), (3, 2)))
@pytest.mark.parametrize("tags", ("RGGB", "GBRG"))
def test_blocks_of_a_colour_are_found_wherever_they_begin(noise, textured, side, offset, tags):
    x = expose(mosaic(light(textured), side=side, offset=offset), noise)

    assert side == judged(x, tags).block


@pytest.mark.parametrize("gain", (4, 8, 16))
@pytest.mark.parametrize("offset", (0, 1, 2, 3))
@pytest.mark.parametrize("exposure", (0.06, 1.0, 2.5))
def test_rows_of_two_gains_are_found_dark_or_bright(gain, offset, exposure):
    factor = np.where((ROWS + offset) // 2 % 2, 1.0, 1 / gain)
    clean = mosaic(light()) * factor * exposure
    std = np.sqrt(1.6e-4 * factor * clean + 4e-6 * factor**1.5)
    x = np.minimum(clean + std * np.random.default_rng(1).normal(size=clean.shape), 1)

    sense = judged(x)

    assert ["row_gain"] == doubts(sense)
    assert gain == pytest.approx(sense.row_gain, rel=0.25)


@pytest.mark.parametrize("noise", (QUIET, LOUD))
@pytest.mark.parametrize("tags", ("GRBG", "GBRG"))
def test_greens_on_the_wrong_diagonal_are_found(noise, tags):
    assert judged(expose(mosaic(light()), noise), tags).greens_misplaced


@pytest.mark.parametrize("colors", ("RGGB", "BGGR", "GRBG", "GBRG"))
@pytest.mark.parametrize("noise", (QUIET, LOUD))
@pytest.mark.parametrize("exposure", (0.02, 1.0, 3.0))
def test_a_bayer_mosaic_is_believed(colors, noise, exposure):
    x = expose(mosaic(light() * exposure, colors=colors), noise)

    assert [] == doubts(judged(x, colors))


@pytest.mark.parametrize("gains", ((0.9, 0.1, 0.05), (0.03, 0.2, 0.9), (0.8, 0.3, 0.8), (1, 1, 1)))
@pytest.mark.parametrize("side", (1, 2))
def test_strong_colours_are_believed_and_so_is_grey_that_hides_the_filters(gains, side):
    x = expose(mosaic(light(), gains, side=side if len(set(gains)) == 1 else 1))

    assert [] == doubts(judged(x))


@pytest.mark.parametrize("period", (2, 3, 4, 5, 6, 8, 12))
@pytest.mark.parametrize("along", (ROWS, COLS, ROWS + COLS), ids=("rows", "columns", "diagonal"))
@pytest.mark.parametrize("noise", (QUIET, LOUD))
@pytest.mark.parametrize("dark", (0.5, 0.25, 0.05))
def test_stripes_are_believed(period, along, noise, dark):
    stripes = np.where(along % period < period / 2, 1.0, dark)

    assert [] == doubts(judged(expose(mosaic(light(textured=False)) * stripes, noise)))


@pytest.mark.parametrize("period", (2, 4, 6, 8))
def test_a_chequered_scene_is_believed(period):
    squares = (ROWS // (period // 2) + COLS // (period // 2)) % 2

    assert [] == doubts(judged(expose(mosaic(light()) * (0.4 + 0.6 * squares))))


def test_bands_of_rows_are_no_gains():
    offsets = 0.003 * np.random.default_rng(3).normal(size=(HEIGHT, 1))

    assert [] == doubts(judged(expose(mosaic(light()) * 0.05 + offsets, LOUD)))


def test_what_is_too_small_to_tell_is_believed():
    assert [] == doubts(judged(expose(mosaic(light(), side=2))[:48, :64]))


@pytest.mark.parametrize("clip", (1.0, 0.8))
def test_samples_at_white_or_at_the_clip_below_it_are_counted(clip):
    x = expose(mosaic(light()) * 0.4)
    x[: HEIGHT // 4] = clip

    assert pytest.approx(0.25, abs=0.01) == judged(x).white_share
