"""Patterns are known by what they are, whichever phase they begin in."""

import pytest

from fadn_cli.mosaic.cfa import CfaPattern
from tests.making.sensors import XTRANS_CELL


@pytest.mark.parametrize(
    ("colors", "kind", "name"),
    [
        ("RGGB", "bayer", "RGGB"),
        ("GBRG", "bayer", "GBRG"),
        ("Y", "mono", "MONO"),
        (XTRANS_CELL, "xtrans", XTRANS_CELL),
        ("CYMG", None, "CYGM"),
        ("RGEB", None, "RGBE"),
        ("RGBG", None, "2x2 of B, G, R"),
        ("RRGGRRGGGGBBGGBB", None, "Quad Bayer"),
        ("GRRGBGGBBGGBGRRG", None, "Quad Bayer"),
        ("WRWGRWGWWGWBGWBW", None, "RGBW"),
    ],
)
def test_a_pattern_has_a_kind_or_a_name(colors, kind, name):
    cfa = CfaPattern(colors=colors)

    assert (kind, name) == (cfa.kind, cfa.name)


def test_x_trans_has_eighteen_phases():
    """Three rows and three columns further it is the same again."""
    cfa = CfaPattern(colors=XTRANS_CELL)
    phases = {cfa.shifted(row, col).colors for row in range(6) for col in range(6)}

    assert len(phases) == 18
    assert {CfaPattern(colors=colors).kind for colors in phases} == {"xtrans"}
    assert cfa == cfa.shifted(3, 3)


@pytest.mark.parametrize("row", range(6))
@pytest.mark.parametrize("col", range(6))
def test_the_origin_leads_to_the_canonical_phase(row, col):
    cfa = CfaPattern(colors=XTRANS_CELL).shifted(row, col)

    assert cfa.shifted(*cfa.xtrans_origin).colors == XTRANS_CELL


def test_people_write_mono_and_letters():
    assert CfaPattern.parse("MONO").kind == "mono"
    assert CfaPattern.parse("BGGR").colors == "BGGR"


@pytest.mark.parametrize("text", ["", "RGB", "rggb", "mono", "RGG\xdc"])
def test_what_is_no_pattern_is_refused(text):
    with pytest.raises(ValueError, match="MONO"):
        CfaPattern.parse(text)


def test_a_shifted_pattern_is_what_a_crop_sees():
    cfa = CfaPattern(colors="RGGB")

    assert ["RGGB", "GRBG", "GBRG", "BGGR"] == [
        cfa.shifted(top, left).colors for top, left in ((0, 0), (4, 1), (3, 2), (1, 1))
    ]
