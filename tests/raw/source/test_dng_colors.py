"""The colours of a DNG are the tags' colours."""

import numpy as np
import pytest

from fadn_cli.raw.source.dng_colors import read_color_matrix, read_wb_gains
from fadn_cli.raw.tiff.file import map_file, parse
from tests.making.dng.fields import MATRIX
from tests.making.dng.write import write_dng
from tests.making.mosaics import noisy_samples
from tests.making.tiff import RATIONAL, SHORT, SRATIONAL


def open_dng(tmp_path, **options):
    path = write_dng(tmp_path / "a.dng", noisy_samples(16, 20), **options)
    return parse(map_file(path), name=path.name)


OTHER = tuple(value + 0.25 for value in MATRIX)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    ((17, 21, OTHER), (21, 17, MATRIX), (None, 17, OTHER), (None, None, MATRIX), (23, 20, OTHER)),
)
def test_the_matrix_nearest_daylight_is_taken(tmp_path, first, second, expected):
    extra = {50778: (SHORT, first), 50779: (SHORT, second), 50722: (SRATIONAL, OTHER)}
    tiff = open_dng(tmp_path, extra=extra)

    assert expected == pytest.approx(read_color_matrix(tiff).ravel())


@pytest.mark.parametrize("matrix", (None, [(0, 0)] * 9, (0,) * 9, (1, 2, 3)))
def test_a_matrix_without_meaning_is_none(tmp_path, matrix):
    tiff = open_dng(tmp_path, color_matrix=matrix)

    assert read_color_matrix(tiff) is None


def test_a_white_point_gives_the_gains_of_the_neutral_it_means(tmp_path):
    d65 = (0.3127, 0.3290)
    tiff = open_dng(tmp_path, neutral=None, extra={50729: (RATIONAL, d65)})
    matrix = read_color_matrix(tiff)

    gains = read_wb_gains(tiff, matrix)

    neutral = matrix @ np.array([0.95046, 1, 1.08906])
    assert neutral[1] / neutral == pytest.approx(gains, rel=1e-3)
    assert read_wb_gains(tiff, None) is None


@pytest.mark.parametrize("neutral", (None, [(0, 0)] * 3, (0, 1, 1), (1, 1)))
def test_an_unknown_white_balance_is_none(tmp_path, neutral):
    tiff = open_dng(tmp_path, neutral=neutral)

    assert read_wb_gains(tiff, read_color_matrix(tiff)) is None
