"""Packing is exactly invertible for every sensor, on every phase and every parity of size."""

import numpy as np
import pytest

from fadn_cli.denoise.sensors.bayer import BAYER
from fadn_cli.denoise.sensors.kinds import (
    SENSORS,
    ActiveFrame,
    pack_active,
    pack_mosaic,
    sensor_of,
    unpack_active,
    unpack_rows,
)
from fadn_cli.denoise.sensors.xtrans import XTRANS
from fadn_cli.mosaic.cfa import CfaPattern
from fadn_cli.mosaic.values import Mosaic, Rect
from tests.making.sensors import XTRANS_CELL

BAYERS = ("RGGB", "BGGR", "GRBG", "GBRG")
XTRANS_PHASES = [
    CfaPattern(colors=XTRANS_CELL).shifted(row, col).colors for row in range(6) for col in range(6)
]
PATTERNS = (*BAYERS, "Y", *XTRANS_PHASES)
NAMES = [name if len(name) < 9 else f"X-Trans {i}" for i, name in enumerate(PATTERNS, -5)]
SIZES = ((18, 12), (17, 12), (18, 19), (13, 14))

every_pattern = pytest.mark.parametrize("pattern", PATTERNS, ids=NAMES)
every_size = pytest.mark.parametrize("size", SIZES)


@every_size
@every_pattern
def test_packing_comes_back_exactly(pattern, size):
    x = np.random.default_rng(3).normal(size=size).astype(np.float32)

    packed, packing = pack_mosaic(x, CfaPattern(colors=pattern))

    assert packed.dtype == np.float32
    assert np.array_equal(x, packing.unpack(packed))


@pytest.mark.parametrize("size", [(2, 2), (3, 2), (7, 11)])
@pytest.mark.parametrize("pattern", [*BAYERS, "Y"])
def test_small_mosaics_come_back_too(pattern, size):
    x = np.random.default_rng(3).normal(size=size).astype(np.float32)

    packed, packing = pack_mosaic(x, CfaPattern(colors=pattern))

    assert np.array_equal(x, packing.unpack(packed))


@every_size
@every_pattern
def test_each_plane_holds_one_colour_even_where_padded(pattern, size):
    cfa = CfaPattern(colors=pattern)
    rows, cols = np.mgrid[: size[0], : size[1]]
    x = np.vectorize(cfa.noise_index)(rows, cols).astype(np.float32)

    packed, packing = pack_mosaic(x, cfa)

    sensor = packing.sensor
    assert [[index] for index in sensor.noise_index] == [
        np.unique(plane).tolist() for plane in packed
    ]
    assert [sensor.noise_colors[index] for index in sensor.noise_index] == list(sensor.colors)


@pytest.mark.parametrize("origin", [(0, 0), (1, 2), (4, 1)])
def test_an_x_trans_cell_is_centred_on_its_colours(origin):
    """The mean of each colour's samples lies at the centre: in every cell, padded ones included."""
    rows, cols = np.mgrid[:31, :29].astype(np.float32)
    cfa = CfaPattern(colors=XTRANS_CELL).shifted(*origin)

    for place in (rows, cols):
        packed, packing = pack_mosaic(place, cfa)
        inside = packing.sensor.own_samples(packed, packing)
        red, green, blue = (
            np.mean([inside[p] for p, c in enumerate(packing.sensor.colors) if c == color], axis=0)
            for color in "RGB"
        )
        np.testing.assert_allclose(red, green, atol=1e-5)
        np.testing.assert_allclose(blue, green, atol=1e-5)


@every_pattern
def test_padding_shows_the_mosaic_as_a_mirror_does(pattern):
    """A slope turns round at the border; no sample comes from far away."""
    rows, cols = np.mgrid[:25, :26].astype(np.float32)

    packed, packing = pack_mosaic(100 * rows + cols, CfaPattern(colors=pattern))
    whole = packing.sensor.unpack(packed)

    assert whole.shape[0] - 25 == packing.top + packing.bottom
    above, left = whole[: packing.top, packing.left], whole[packing.top, : packing.left]
    assert (above // 100 <= 6 + packing.top).all()
    assert (left % 100 <= 6 + packing.left).all()


@every_size
@every_pattern
def test_planes_without_copies_hold_no_sample_twice(pattern, size):
    x = np.random.default_rng(8).permutation(size[0] * size[1]).reshape(size).astype(np.float32)
    packed, packing = pack_mosaic(x, CfaPattern(colors=pattern))

    planes = packing.sensor.own_samples(packed, packing)

    found = np.concatenate([plane.ravel() for plane in planes])
    assert len(found) == len(np.unique(found))
    if packing.sensor is BAYER:
        assert np.array_equal(np.sort(x, axis=None), np.sort(found))


@every_size
@every_pattern
def test_copies_follow_the_samples_that_changed(pattern, size):
    rng = np.random.default_rng(9)
    before, after = rng.normal(size=(2, *size)).astype(np.float32)
    cfa = CfaPattern(colors=pattern)
    packed, packing = pack_mosaic(before, cfa)
    expected, _ = pack_mosaic(after, cfa)
    sensor = packing.sensor
    whole = sensor.unpack(packed)
    packing.cut(whole)[...] = after
    packed = sensor.pack(whole)

    sensor.mirror_again(packed, packing)

    assert np.array_equal(expected, packed)


@pytest.mark.parametrize("corner", [(0, 0), (3, 5), (2, 1), (1, 4)])
@every_pattern
def test_an_active_area_comes_back_exactly(pattern, corner):
    samples = np.random.default_rng(6).integers(0, 4000, (33, 40)).astype(np.uint16)
    cfa = CfaPattern(colors=pattern)
    levels = np.arange(64, 64 + cfa.period**2, dtype=np.float32)
    mosaic = Mosaic(
        samples=samples,
        cfa=cfa,
        black_level=levels.reshape(cfa.period, cfa.period),
        white_level=4095.0,
        active_area=Rect(top=corner[0], left=corner[1], height=25, width=30),
    )

    packed, packing = pack_active(mosaic)

    assert np.array_equal(samples, unpack_active(packed, packing, mosaic).samples)
    row, col = corner[0] + 6, corner[1] + 6
    black = mosaic.black_level[row % cfa.period, col % cfa.period]
    seen = packing.unpack(packed)[6, 6]
    assert (samples[row, col] - black) / (4095 - black) == pytest.approx(seen, abs=1e-6)


@pytest.mark.parametrize("sensor", SENSORS.values(), ids=SENSORS)
def test_sides_that_are_no_whole_cells_are_refused(sensor):
    with pytest.raises(ValueError, match="13x12"):
        sensor.pack(np.zeros((13, 12), np.float32))


@pytest.mark.parametrize("pattern", ["RGGB", "Y", XTRANS_CELL])
@pytest.mark.parametrize("shape", [(40, 40, 3), (1, 40)])
def test_anything_but_a_mosaic_is_refused(pattern, shape):
    with pytest.raises(ValueError, match="shape"):
        pack_mosaic(np.zeros(shape, np.float32), CfaPattern(colors=pattern))


@pytest.mark.parametrize("pattern", ["RGBG", "CYMG", XTRANS_CELL[::-1].replace("R", "B")])
def test_a_pattern_that_no_sensor_has_is_refused(pattern):
    with pytest.raises(ValueError, match=pattern):
        sensor_of(CfaPattern(colors=pattern))


def test_pairs_are_steady_in_the_mean_and_keep_their_noise():
    noise = np.random.default_rng(4).normal(size=(9, 500, 6, 6)).astype(np.float32)

    steady = XTRANS.steady(noise)

    assert steady.shape == (7, 500, 6, 6)
    own = (steady - steady.mean(axis=(2, 3), keepdims=True)).std(axis=(1, 2, 3))
    np.testing.assert_allclose(own, np.sqrt(35 / 36), rtol=0.03)


@pytest.mark.parametrize("corner", ((0, 0), (3, 5), (1, 2), (5, 4)))
@pytest.mark.parametrize("pattern", ("RGGB", "GBRG", "Y", XTRANS_CELL))
def test_rows_packed_as_they_are_asked_for_are_those_of_the_whole(pattern, corner):
    (top, left), (height, width) = corner, (61, 47)
    rng = np.random.default_rng(7)
    mosaic = Mosaic(
        samples=rng.integers(0, 16000, (height + top + 3, width + left + 4)).astype(np.uint16),
        cfa=CfaPattern(colors=pattern),
        black_level=np.array([[512, 510], [511, 513]], np.float32),
        white_level=15000.0,
        active_area=Rect(top=top, left=left, height=height, width=width),
        black_delta_v=rng.normal(0, 3, height + top + 3).astype(np.float32),
    )
    packed, packing = pack_active(mosaic)
    cell = packing.sensor.cell
    bands = [rng.normal(0, 0.1, (cell, side)).astype(np.float32) for side in packed.shape[1:]]
    lowered = packed.copy()
    for offsets, columns in zip(bands, (False, True), strict=True):
        packing.sensor.lower(lowered, offsets, columns=columns)
    packing.sensor.mirror_again(lowered, packing)
    cols = slice(2, 9)

    for start, stop in ((0, 1), (1, 4), (3, 9), (packed.shape[1] - 1, packed.shape[1])):
        plain = ActiveFrame(mosaic).rows(start, stop)
        assert np.array_equal(packed[:, start:stop], plain)
        assert np.array_equal(plain[:, :, cols], ActiveFrame(mosaic).rows(start, stop, cols))
        without_bands = ActiveFrame(mosaic, *bands).rows(start, stop)
        assert np.array_equal(lowered[:, start:stop], without_bands)


@pytest.mark.parametrize("pattern", ("BGGR", "Y", XTRANS_CELL))
def test_rows_are_put_together_where_they_were(pattern):
    x = np.random.default_rng(1).normal(0, 1, (61, 47)).astype(np.float32)
    packed, packing = pack_mosaic(x, CfaPattern(colors=pattern))
    found = np.empty_like(x)

    for start in range(0, packed.shape[1], 6):
        rows, first = unpack_rows(packed[:, start : start + 6], packing, start)
        found[first : first + len(rows)] = rows[: 61 - first]

    assert np.array_equal(x, found)
