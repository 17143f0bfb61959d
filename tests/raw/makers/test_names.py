"""Cameras are called as in the profiles that Adobe's software wrote."""

import pytest

from fadn_cli.raw.makers.names import unique_name

ADOBE = [
    ("Canon", "Canon EOS 450D", "Canon EOS 450D"),
    ("NIKON CORPORATION", "NIKON D800E", "Nikon D800E"),
    ("NIKON", "COOLPIX P7800", "Nikon Coolpix P7800"),
    ("SONY", "ILCE-7RM3", "Sony ILCE-7RM3"),
    ("FUJIFILM", "X-T30", "Fujifilm X-T30"),
    ("OLYMPUS IMAGING CORP.  ", "E-M5", "Olympus E-M5"),
    ("OLYMPUS CORPORATION", "E-M1MarkII", "Olympus E-M1 Mark II"),
    ("Panasonic", "DMC-FZ1000", "Panasonic DMC-FZ1000"),
    ("PENTAX", "PENTAX K-5 II", "PENTAX K-5 II"),
    ("RICOH IMAGING COMPANY, LTD.", "PENTAX K-1", "PENTAX K-1"),
    ("Eastman Kodak Company", "Kodak DC120 ZOOM Digital Camera", "Kodak DC120 ZOOM Digital Camera"),
]


@pytest.mark.parametrize(("make", "model", "name"), ADOBE)
def test_a_maker_that_adobe_spells_otherwise_is_spelt_so(make, model, name):
    assert name == unique_name(make, model)


@pytest.mark.parametrize(
    ("make", "model", "name"),
    [
        ("", "", ""),
        ("Maker", "Model 5", "Maker Model 5"),
        ("Maker", "maker Model 5", "maker Model 5"),
        ("", "Model 5", "Model 5"),
        ("Maker", "", "Maker"),
    ],
)
def test_any_other_keeps_its_own_spelling(make, model, name):
    assert name == unique_name(make, model)
