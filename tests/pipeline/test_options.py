"""Choices that can never be carried out are refused before any file is opened."""

import numpy as np
import pytest

from fadn_cli.pipeline.options import DenoiseOptions


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"strength": 1.5}, r"strength must be within 0\.\.1, got 1\.5"),
        ({"strength": float("nan")}, "strength must be within 0"),
        ({"luma": -0.1}, r"luma must be within 0\.\.1, got -0\.1"),
        ({"chroma": "much"}, r"chroma must be within 0\.\.1, got 'much'"),
        ({"strength": True}, "strength must be within"),
        ({"strength": None}, "strength must be within"),
        ({"hot_pixels": 1}, "hot_pixels must be true or false, got 1"),
        ({"iso": 0}, "iso must be a whole number, 1 to 10000000, got 0"),
        ({"iso": 800.5}, "iso must be a whole number"),
        ({"threads": 0}, "threads must be a whole number"),
        (
            {"shot_noise": 0, "read_noise": 0},
            "shot_noise must be a number greater than 0, at most 1, got",
        ),
        (
            {"shot_noise": 1e-4, "read_noise": -1},
            r"read_noise must be a number within 0\.\.1, got -1",
        ),
        ({"shot_noise": float("inf"), "read_noise": 0}, "shot_noise must be a number greater"),
        ({"iso": 10**7 + 1}, "iso must be a whole number"),
        ({"iso": 10**400}, "iso must be a whole number"),
        ({"strength": 10**400}, "strength must be within"),
        ({"threads": 10**20}, "threads must be a whole number, 1 to 1024"),
        ({"shot_noise": 1e30, "read_noise": 0}, "shot_noise must be a number greater"),
        ({"shot_noise": 1e-4, "read_noise": 1e300}, "read_noise must be a number within"),
        ({"specialist": 3}, "specialist must be the name of a network, got 3"),
        ({"format": "jpeg"}, "format must be dng or tiff, got 'jpeg'"),
        ({"quality": "medium"}, "quality must be max, best or fast, got 'medium'"),
        ({"preview": "small"}, "preview must be render, keep or none, got 'small'"),
        ({"compression": "zip"}, "compression must be lj92 or jxl or none, got 'zip'"),
        ({"preview": "none", "format": "tiff"}, "format is tiff"),
        ({"compression": "none", "format": "tiff"}, "format is tiff"),
        ({"shot_noise": 1e-4}, "go together"),
        ({"read_noise": 1e-6}, "go together"),
    ],
)
def test_impossible_choices_are_value_errors(choice, message):
    with pytest.raises(ValueError, match=message):
        DenoiseOptions(**choice)


def test_luma_and_chroma_are_the_strength_where_they_are_not_given():
    assert (0.7, 0.7) == DenoiseOptions(strength=0.7).shares
    assert (0.3, 0.7) == DenoiseOptions(strength=0.7, luma=0.3).shares
    assert (0.7, 0.0) == DenoiseOptions(strength=0.7, chroma=0).shares
    assert (0.3, 1.0) == DenoiseOptions(strength=0, luma=0.3, chroma=1).shares


@pytest.mark.parametrize(
    ("choice", "repairs"),
    [
        ({}, False),
        ({"strength": 0}, False),
        ({"hot_pixels": True}, True),
        ({"hot_pixels": False}, False),
        ({"strength": 0, "hot_pixels": True}, True),
    ],
)
def test_defects_are_repaired_only_where_asked(choice, repairs):
    assert repairs == DenoiseOptions(**choice).repairs


def test_numbers_of_numpy_are_numbers():
    options = DenoiseOptions(strength=np.float32(0.5), iso=np.int64(800))

    assert (0.5, 0.5) == options.shares
