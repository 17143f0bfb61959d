"""The contact sheet shows the same pictures, without a browser."""

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from fadn_cli.compare.sheet import sheet_png


@pytest.fixture(scope="module")
def sheet(comparison):
    return sheet_png(comparison)


def shown(png):
    with Image.open(io.BytesIO(png)) as image:
        return np.asarray(image)


def contains(sheet, part):
    """Whether a picture is in the sheet, pixel for pixel."""
    height, width, _ = part.shape
    corners = np.argwhere((sheet[: -height + 1, : -width + 1] == part[0, 0]).all(axis=2))
    return any(
        np.array_equal(sheet[top : top + height, left : left + width], part)
        for top, left in corners
    )


def test_pictures_and_details_are_there_pixel_for_pixel(sheet, comparison):
    sheet = shown(sheet)

    assert contains(sheet, comparison.before)
    assert contains(sheet, comparison.after)
    for detail in comparison.details:
        for part in (detail.before, detail.after, detail.residual):
            assert contains(sheet, part[:264, :400])


def test_a_large_picture_is_shrunk_and_its_details_are_cut(comparison):
    rng = np.random.default_rng(1)
    large = rng.integers(0, 256, (900, 1600, 3)).astype(np.uint8)
    detail = replace(comparison.details[0], before=large[:400, :608])

    sheet = shown(sheet_png(replace(comparison, before=large, after=large, details=(detail,))))

    assert sheet.shape[1] < 1300
    assert contains(sheet, large[68:332, 104:504])


def test_the_sheet_is_the_same_every_time(sheet, comparison):
    assert sheet == sheet_png(comparison)


def test_a_developed_output_has_no_column_for_what_was_removed(comparison):
    (detail, *_) = comparison.details
    bare = replace(comparison, residual=None, details=(replace(detail, residual=None),), points=())

    sheet = shown(sheet_png(bare))

    assert contains(sheet, detail.after[:264, :400])
    assert not contains(sheet, detail.residual[:264, :400])


def test_odd_names_break_nothing(comparison):
    facts = (("Before", "caf\udce9 写真.dng"),)

    assert sheet_png(replace(comparison, facts=facts, details=())).startswith(b"\x89PNG")
