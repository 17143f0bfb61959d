"""DN to normalized and back is exact, and what must pass through untouched does."""

from dataclasses import replace

import numpy as np
import pytest

from fadn_cli.mosaic.cfa import CfaPattern
from fadn_cli.mosaic.conversion import denormalize, normalize
from fadn_cli.mosaic.saturation import saturated_areas
from fadn_cli.mosaic.values import Mosaic, Rect


def make_mosaic(
    height=37, width=50, *, black=((500.25, 512.5), (511.0, 530.75)), white=15000.0, **changes
):
    samples = np.random.default_rng(5).integers(0, 16384, (height, width)).astype(np.uint16)
    fields = {
        "samples": samples,
        "cfa": CfaPattern(colors="GRBG"),
        "black_level": np.array(black, np.float32),
        "white_level": white,
        "active_area": Rect(top=3, left=5, height=height - 6, width=width - 7),
    }
    return Mosaic(**{**fields, **changes})


def test_unchanged_samples_come_back_bit_for_bit_even_above_white():
    mosaic = make_mosaic()

    assert np.array_equal(mosaic.samples, denormalize(normalize(mosaic), mosaic).samples)


def test_row_and_column_deltas_are_applied_and_undone():
    rng = np.random.default_rng(1)
    mosaic = make_mosaic(
        black_delta_h=rng.normal(0, 3, 50).astype(np.float32),
        black_delta_v=rng.normal(0, 3, 37).astype(np.float32),
    )

    x = normalize(mosaic)

    black = mosaic.black_level[1, 0] + mosaic.black_delta_h[8] + mosaic.black_delta_v[9]
    assert x[9, 8] == pytest.approx((mosaic.samples[9, 8] - black) / (15000 - black), abs=1e-6)
    assert np.array_equal(mosaic.samples, denormalize(x, mosaic).samples)


@pytest.mark.parametrize("pattern_rows", (1, 2, 3))
def test_black_is_zero_and_white_is_one_at_every_site(pattern_rows):
    black = np.arange(pattern_rows * 2, dtype=np.float32).reshape(pattern_rows, 2) * 10 + 100
    mosaic = make_mosaic(black=black)
    levels = np.tile(black, (20, 25))[:37]

    at_black = normalize(replace(mosaic, samples=levels.astype(np.uint16)))
    at_white = normalize(replace(mosaic, samples=np.full((37, 50), 15000, np.uint16)))

    assert (at_black == 0).all()
    assert (at_white == 1).all()


def test_normalized_samples_are_float32_and_keep_what_lies_below_black():
    mosaic = make_mosaic(white=15000.0)

    x = normalize(mosaic)

    assert np.float32 == x.dtype
    assert x.min() < 0


def test_results_are_rounded_and_clipped_to_white():
    mosaic = make_mosaic(samples=np.full((37, 50), 1000, np.uint16), black=((0, 0), (0, 0)))
    x = np.full((37, 50), 0.5, np.float32)
    x[10, 10], x[10, 11], x[10, 12] = -0.1, 1.7, 1000.6 / 15000

    after = denormalize(x, mosaic).samples

    assert [0, 15000, 1001] == after[10, 10:13].tolist()


def test_everything_outside_the_active_area_is_the_source():
    mosaic = make_mosaic()

    after = denormalize(np.zeros((37, 50), np.float32), mosaic).samples

    outside = np.ones((37, 50), bool)
    outside[mosaic.active_area.slices] = False
    assert np.array_equal(mosaic.samples[outside], after[outside])
    assert not np.array_equal(mosaic.samples, after)


def test_saturated_areas_keep_the_source_and_isolated_white_samples_do_not():
    samples = np.full((37, 50), 1000, np.uint16)
    samples[10:16, 10:16] = 15000
    samples[25, 30] = 15000
    mosaic = make_mosaic(samples=samples)

    mask = saturated_areas(mosaic)
    after = denormalize(np.full((37, 50), 0.5, np.float32), mosaic).samples

    assert mask[10:16, 10:16].all()
    assert 36 == mask.sum()
    assert (after[10:16, 10:16] == 15000).all()
    assert after[25, 30] < 15000


def test_source_is_not_modified():
    mosaic = make_mosaic()
    before = mosaic.samples.copy()

    denormalize(np.zeros((37, 50), np.float32), mosaic)

    assert np.array_equal(before, mosaic.samples)
