"""Choices that can never be carried out are refused before any file is opened."""

import pytest

from fadn_cli.options import DenoiseOptions


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"strength": 1.5}, r"strength must be within 0\.\.1, got 1\.5"),
        ({"strength": float("nan")}, "strength must be within 0"),
        ({"format": "jpeg"}, "format must be dng or tiff, got 'jpeg'"),
        ({"quality": "medium"}, "quality must be best or fast, got 'medium'"),
        ({"preview": "small"}, "preview must be keep, render or none, got 'small'"),
        ({"compression": "jxl"}, "compression must be lj92 or none, got 'jxl'"),
        ({"preview": "none", "format": "tiff"}, "format is tiff"),
        ({"compression": "none", "format": "tiff"}, "format is tiff"),
        ({"shot_noise": 1e-4}, "go together"),
        ({"read_noise": 1e-6}, "go together"),
    ],
)
def test_impossible_choices_are_value_errors(choice, message):
    with pytest.raises(ValueError, match=message):
        DenoiseOptions(**choice)
