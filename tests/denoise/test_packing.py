"""Packing is exactly invertible on every CFA phase and every parity of size."""

import numpy as np
import pytest

from fadn_cli.denoise.packing import pack, shift_back, shift_to_rggb, unpack
from fadn_cli.mosaic import CfaPattern

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


@pytest.mark.parametrize("size", SIZES[:4])
@pytest.mark.parametrize("pattern", PATTERNS)
def test_each_plane_holds_one_colour_even_where_padded(pattern, size):
    cfa = CfaPattern(colors=pattern)

    packed = pack(shift_to_rggb(colours(cfa, *size), cfa)[0])

    assert [[0], [1], [2], [3]] == [np.unique(plane).tolist() for plane in packed]


def test_float32_stays_float32():
    x = np.zeros((5, 7), np.float32)

    assert np.float32 == pack(shift_to_rggb(x, CfaPattern(colors="BGGR"))[0]).dtype


def test_odd_sides_are_refused_by_pack():
    with pytest.raises(ValueError, match="even sides, got 3x4"):
        pack(np.zeros((3, 4), np.float32))


def test_anything_but_a_plane_is_refused():
    with pytest.raises(ValueError, match="shape"):
        shift_to_rggb(np.zeros((4, 4, 3), np.float32), CfaPattern(colors="RGGB"))
