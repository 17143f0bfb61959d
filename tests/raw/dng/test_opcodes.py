"""An OpcodeList1 does to finer steps what it did to the source's, or keeps them."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fadn_cli.raw.dng.opcodes import scale_opcodes, what_keeps_steps
from fadn_cli.raw.tiff.opcodes import Opcode, OpcodeId, build_opcodes, read_opcodes
from tests.making.dng.write import write_dng
from tests.making.mosaics import noisy_samples
from tests.making.tiff import UNDEFINED

AREA = (0, 0, 64, 96, 0, 1, 1, 1)
FACTORS = (1, 2, 8, 64)
RELATIVE = (
    OpcodeId.WARP_RECTILINEAR,
    OpcodeId.FIX_VIGNETTE_RADIAL,
    OpcodeId.FIX_BAD_PIXELS_LIST,
    OpcodeId.TRIM_BOUNDS,
    OpcodeId.GAIN_MAP,
    OpcodeId.SCALE_PER_ROW,
    OpcodeId.SCALE_PER_COLUMN,
)


def one(kind, layout, *values):
    return Opcode(kind, 0x01030000, 1, struct.pack(">" + layout, *values))


def scaled(opcode, factor):
    """The parameters of a list's only entry, scaled; its head must stay."""
    [found] = read_opcodes(scale_opcodes(build_opcodes([opcode]), factor))
    assert opcode[:3] == found[:3]
    return found.payload


def polynomial(*coefficients):
    layout = f"8II{len(coefficients)}d"
    return one(OpcodeId.MAP_POLYNOMIAL, layout, *AREA, len(coefficients) - 1, *coefficients)


def with_list(path, *opcodes, data=None, **options):
    data = build_opcodes(opcodes) if data is None else data
    return write_dng(path, noisy_samples(), extra_raw={51008: (UNDEFINED, data)}, **options)


@pytest.mark.parametrize("factor", FACTORS)
def test_the_constant_of_bad_pixels_is_multiplied_and_their_phase_is_not(factor):
    opcode = one(OpcodeId.FIX_BAD_PIXELS_CONSTANT, "2I", 517, 3)

    assert (517 * factor, 3) == struct.unpack(">2I", scaled(opcode, factor))


@pytest.mark.parametrize("kind", (OpcodeId.DELTA_PER_ROW, OpcodeId.DELTA_PER_COLUMN))
@pytest.mark.parametrize("factor", FACTORS)
def test_deltas_are_multiplied_and_their_area_is_not(kind, factor):
    opcode = one(kind, "8II3f", *AREA, 3, 0.5, -2.25, 7)

    found = struct.unpack(">8II3f", scaled(opcode, factor))

    assert (*AREA, 3, 0.5 * factor, -2.25 * factor, 7 * factor) == found


@given(
    coefficients=st.lists(st.floats(-4, 4, width=32), min_size=1, max_size=5),
    factor=st.sampled_from(FACTORS),
    x=st.floats(0, 1000),
)
def test_a_polynomial_of_finer_steps_is_the_polynomial_in_finer_steps(coefficients, factor, x):
    found = struct.unpack(f">8II{len(coefficients)}d", scaled(polynomial(*coefficients), factor))[
        9:
    ]

    expected = np.polynomial.polynomial.polyval(x, coefficients) * factor
    assert np.polynomial.polynomial.polyval(x * factor, found) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("kind", RELATIVE)
def test_what_is_relative_stays(kind):
    opcode = one(kind, "4I", 1, 2, 3, 4)

    assert opcode.payload == scaled(opcode, 16)


@pytest.mark.parametrize("kind", (OpcodeId.MAP_TABLE, 99))
def test_tables_and_unknown_opcodes_keep_the_steps(kind):
    data = build_opcodes([one(OpcodeId.TRIM_BOUNDS, "4I", 0, 0, 9, 9), one(kind, "4I", 0, 0, 9, 9)])

    assert scale_opcodes(data, 2) is None
    assert data == scale_opcodes(data, 1)


@pytest.mark.parametrize(
    "opcode",
    (
        one(OpcodeId.FIX_BAD_PIXELS_CONSTANT, "I", 5),
        one(OpcodeId.FIX_BAD_PIXELS_CONSTANT, "2I", 2**31, 0),
        one(OpcodeId.DELTA_PER_ROW, "8II2f", *AREA, 3, 1, 2),
        one(OpcodeId.DELTA_PER_ROW, "2I", 1, 2),
        one(OpcodeId.MAP_POLYNOMIAL, "8II2d", *AREA, 4, 1, 2),
        one(OpcodeId.MAP_POLYNOMIAL, "8II2d", *AREA, 2**32 - 1, 1, 2),
    ),
    ids=("short", "too large", "fewer than said", "cut off", "lower degree", "absurd"),
)
def test_parameters_that_do_not_fit_keep_the_steps(opcode):
    assert scale_opcodes(build_opcodes([opcode]), 4) is None


def test_a_list_that_lies_about_its_length_keeps_the_steps():
    assert scale_opcodes(build_opcodes([polynomial(0, 1)])[:-1], 4) is None


def test_a_file_says_what_keeps_its_steps(tmp_path):
    table = one(OpcodeId.MAP_TABLE, "8II2H", *AREA, 2, 0, 1)
    constant = one(OpcodeId.FIX_BAD_PIXELS_CONSTANT, "2I", 5, 0)
    reasons = [
        what_keeps_steps(path)
        for path in (
            write_dng(tmp_path / "none.dng", noisy_samples()),
            with_list(tmp_path / "fine.dng", constant, polynomial(0, 1)),
            with_list(tmp_path / "table.dng", table),
            with_list(tmp_path / "unknown.dng", one(77, "I", 1)),
            with_list(tmp_path / "short.dng", data=build_opcodes([constant])[:-2]),
            with_list(tmp_path / "before.dng", constant, linearization=range(9000)),
        )
    ]

    assert [
        "",
        "",
        "its OpcodeList1 holds MapTable, which goes by them",
        "its OpcodeList1 holds an unknown opcode (77), which goes by them",
        "its OpcodeList1 is damaged",
        "its OpcodeList1 speaks of samples before its LinearizationTable",
    ] == reasons
