"""Quick pictures are what LibRaw develops at half size, for every sensor and any step."""

from dataclasses import replace

import numpy as np
import pytest

from fadn_cli.mosaic.cfa import CfaPattern
from fadn_cli.mosaic.values import Mosaic, Rect
from fadn_cli.raw.develop.grey import encoding_of
from fadn_cli.raw.develop.quick import develop_quickly, finest_step
from fadn_cli.raw.develop.render import develop
from fadn_cli.raw.source.reader import read_raw
from fadn_cli.raw.tiff.tags import PreviewSpace
from tests.making.dng.previewed import noisy_scene, write_previewed
from tests.making.sensors import XTRANS_CELL

XTRANS = XTRANS_CELL
LIGHT = {"R": 0.2, "G": 0.5, "B": 0.35, "Y": 0.4}
BLACK, WHITE = 512, 15000


@pytest.fixture
def raw_image(tmp_path):
    return read_raw(write_previewed(tmp_path / "in.dng", noisy_scene()))


def flat(colors, area=None, shape=(50, 74)):
    """A mosaic that sees one colour everywhere."""
    cfa = CfaPattern(colors=colors)
    samples = [
        [BLACK + LIGHT[cfa.at(r, c)] * (WHITE - BLACK) for c in range(shape[1])]
        for r in range(shape[0])
    ]
    return Mosaic(
        samples=np.rint(samples).astype(np.uint16),
        cfa=cfa,
        black_level=np.full((1, 1), BLACK, np.float32),
        white_level=WHITE,
        active_area=area or Rect(top=0, left=0, height=shape[0], width=shape[1]),
    )


def developed(mosaic, metadata, area=None, **options):
    area = area or mosaic.active_area
    return develop_quickly(mosaic, metadata, area, **options)


@pytest.mark.parametrize("space", (2, 3))
def test_it_is_what_libraw_makes_of_it(raw_image, space):
    space = PreviewSpace(space)
    mosaic, metadata = raw_image.mosaic, raw_image.metadata

    linear = developed(mosaic, metadata, step=2, space=space)

    expected = develop(raw_image, mosaic, half_size=True, space=space)
    picture = np.moveaxis(encoding_of(space, 1.0)[linear], 0, 2)
    assert expected.shape == picture.shape
    assert np.abs(expected.astype(int) - picture).mean() < 0.1 * 257


@pytest.mark.parametrize("colors", ("RGGB", "GRBG", "GBRG", "BGGR", XTRANS, "Y"))
@pytest.mark.parametrize("corner", ((0, 0), (1, 0), (3, 5), (4, 1)))
@pytest.mark.parametrize("times", (1, 2, 3))
def test_every_phase_and_step_sees_the_same_colour(raw_image, colors, corner, times):
    area = Rect(top=corner[0], left=corner[1], height=44, width=68)
    mosaic = flat(colors)
    step = times * finest_step(mosaic.cfa)
    metadata = replace(raw_image.metadata, wb_gains=None, color_matrix=None)

    linear = developed(mosaic, metadata, area, step=step)

    assert (3, 44 // step, 68 // step) == linear.shape
    for plane, letter in zip(linear, "YYY" if colors == "Y" else "RGB", strict=True):
        assert np.abs(plane / 65535 - LIGHT[letter]).max() < 1e-4


def test_levels_that_differ_from_place_to_place_are_taken_off(raw_image):
    rng = np.random.default_rng(0)
    plain = flat("RGGB")
    across, down = (rng.integers(0, 300, n).astype(np.float32) for n in (74, 50))
    samples = plain.samples + across.astype(np.uint16) + down.astype(np.uint16)[:, None]
    mosaic = replace(plain, samples=samples, black_delta_h=across, black_delta_v=down)

    linear = developed(mosaic, raw_image.metadata, step=2).astype(int)

    assert np.abs(linear - developed(plain, raw_image.metadata, step=2)).max() <= 0.025 * 65535


def test_blacks_differ_by_colour(raw_image):
    plain = flat("RGGB")
    offsets = np.array([[0, 40], [40, 90]], np.float32)
    tiled = np.tile(offsets, (25, 37)).astype(np.uint16)
    mosaic = replace(plain, samples=plain.samples + tiled, black_level=BLACK + offsets)

    linear = developed(mosaic, raw_image.metadata, step=2).astype(int)

    assert np.abs(linear - developed(plain, raw_image.metadata, step=2)).max() <= 0.01 * 65535


def test_white_stays_white_whatever_the_balance(raw_image):
    plain = flat("RGGB")
    mosaic = replace(plain, samples=np.full_like(plain.samples, WHITE))
    metadata = replace(raw_image.metadata, wb_gains=np.array([2.1, 1, 1.6], np.float32))

    assert developed(mosaic, metadata, step=2).min() >= 65530


@pytest.mark.parametrize(("colors", "step"), (("RGGB", 3), ("RGGB", 0), (XTRANS, 4), ("Y", 60)))
def test_a_step_that_leaves_out_a_colour_is_refused(raw_image, colors, step):
    with pytest.raises(ValueError, match="samples a pixel"):
        developed(flat(colors), raw_image.metadata, step=step)
