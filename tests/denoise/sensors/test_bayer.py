"""Packing is exactly invertible on every CFA phase and every parity of size."""

import numpy as np
import pytest

from fadn_cli.denoise.sensors.bayer import (
    own_samples,
    pack,
    pack_active,
    reflect_again,
    shift_back,
    shift_to_rggb,
    unpack,
    unpack_active,
)
from fadn_cli.mosaic.values import CfaPattern, Mosaic, Rect

PATTERNS = ("RGGB", "BGGR", "GRBG", "GBRG")
SIZES = ((8, 12), (7, 12), (8, 11), (7, 11), (2, 2), (3, 2))


def colours(cfa: CfaPattern, height: int, width: int) -> np.ndarray:
    """A mosaic whose value is the plane index of each sample."""
    rows, cols = np.mgrid[:height, :width]
    return np.vectorize(cfa.plane_at)(rows, cols).astype(np.float32)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("pattern", PATTERNS)
def test_shifting_and_packing_come_back_exactly(pattern, size):
    x = np.random.default_rng(3).normal(size=size).astype(np.float32)

    shifted, shift = shift_to_rggb(x, CfaPattern(colors=pattern))

    assert np.array_equal(x, shift_back(unpack(pack(shifted)), shift))


@pytest.mark.parametrize("corner", ((0, 0), (3, 5), (2, 1), (1, 4)))
@pytest.mark.parametrize("pattern", PATTERNS)
def test_an_active_area_comes_back_exactly_and_begins_with_its_own_red(pattern, corner):
    samples = np.random.default_rng(6).integers(0, 4000, (33, 40)).astype(np.uint16)
    mosaic = Mosaic(
        samples=samples,
        cfa=CfaPattern(colors=pattern),
        black_level=np.array([[64, 65], [66, 67]], np.float32),
        white_level=4095.0,
        active_area=Rect(top=corner[0], left=corner[1], height=25, width=30),
    )

    packed, shift = pack_active(mosaic)
    reds = mosaic.cfa.shifted(*corner).red_origin
    red = corner[0] + reds[0], corner[1] + reds[1]
    black = mosaic.black_level[red[0] % 2, red[1] % 2]

    assert np.array_equal(samples, unpack_active(packed, shift, mosaic).samples)
    expected = (samples[red] - black) / (4095 - black)
    assert expected == pytest.approx(packed[0, reds[0], reds[1]], abs=1e-6)


@pytest.mark.parametrize("size", SIZES[:4])
@pytest.mark.parametrize("pattern", PATTERNS)
def test_each_plane_holds_one_colour_even_where_padded(pattern, size):
    cfa = CfaPattern(colors=pattern)

    packed = pack(shift_to_rggb(colours(cfa, *size), cfa)[0])

    assert [[0], [1], [2], [3]] == [np.unique(plane).tolist() for plane in packed]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("pattern", PATTERNS)
def test_planes_without_copies_hold_each_sample_once(pattern, size):
    x = np.random.default_rng(8).permutation(size[0] * size[1]).reshape(size).astype(np.float32)
    shifted, shift = shift_to_rggb(x, CfaPattern(colors=pattern))

    planes = own_samples(pack(shifted), shift)

    found = np.concatenate([plane.ravel() for plane in planes])
    assert np.array_equal(np.sort(x, axis=None), np.sort(found))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("pattern", PATTERNS)
def test_copies_follow_the_samples_that_changed(pattern, size):
    rng = np.random.default_rng(9)
    before, after = rng.normal(size=(2, *size)).astype(np.float32)
    shifted, shift = shift_to_rggb(before, CfaPattern(colors=pattern))
    expected, _ = shift_to_rggb(after, CfaPattern(colors=pattern))
    packed = pack(shifted)

    for plane, wanted in zip(
        own_samples(packed, shift), own_samples(pack(expected), shift), strict=True
    ):
        plane[...] = wanted
    reflect_again(packed, shift)

    assert np.array_equal(expected, unpack(packed))


def test_float32_stays_float32():
    x = np.zeros((5, 7), np.float32)

    assert np.float32 == pack(shift_to_rggb(x, CfaPattern(colors="BGGR"))[0]).dtype


def test_odd_sides_are_refused_by_pack():
    with pytest.raises(ValueError, match="even sides, got 3x4"):
        pack(np.zeros((3, 4), np.float32))


def test_anything_but_a_plane_is_refused():
    with pytest.raises(ValueError, match="shape"):
        shift_to_rggb(np.zeros((4, 4, 3), np.float32), CfaPattern(colors="RGGB"))
