"""A preview shows what a DNG's default crop and baseline exposure say, if they say anything."""

import pytest

from fadn_cli.mosaic.values import Rect
from fadn_cli.raw.previews.view import View, read_view
from fadn_cli.raw.source.dng_checks import find_raw_ifd
from fadn_cli.raw.tiff.file import map_file, parse
from tests.making.dng.write import write_dng
from tests.making.mosaics import noisy_samples
from tests.making.tiff import LONG, RATIONAL, SHORT, SRATIONAL

ACTIVE = Rect(top=4, left=6, height=150, width=190)
WHOLE = Rect(top=0, left=0, height=150, width=190)


def view_of(tmp_path, extra_raw=None, extra=None):
    path = write_dng(tmp_path / "in.dng", noisy_samples(), extra=extra, extra_raw=extra_raw)
    tiff = parse(map_file(path), name="in.dng")
    return read_view(tiff, find_raw_ifd(tiff), ACTIVE)


def crop(top, left, height, width, kind=LONG):
    return {50719: (kind, (left, top)), 50720: (kind, (width, height))}


def test_what_states_nothing_is_shown_whole(tmp_path):
    assert View(area=WHOLE) == view_of(tmp_path)


@pytest.mark.parametrize("kind", (SHORT, LONG, RATIONAL))
def test_the_default_crop_is_shown(tmp_path, kind):
    expected = Rect(top=7, left=11, height=140, width=170)

    assert expected == view_of(tmp_path, crop(7, 11, 140, 170, kind)).area


def test_the_users_crop_is_a_part_of_the_default_crop(tmp_path):
    shares = {51125: (RATIONAL, (0.0, 0.25, 0.5, 1.0))}

    assert Rect(top=10, left=60, height=50, width=120) == (
        view_of(tmp_path, crop(10, 20, 100, 160) | shares).area
    )


@pytest.mark.parametrize(
    "nonsense",
    (
        crop(0, 0, 151, 190),
        crop(1, 0, 150, 190),
        crop(0, 0, 0, 190),
        {50719: (RATIONAL, [(0, 0), (1, 1)]), 50720: (LONG, (10, 10))},
        {50720: (RATIONAL, [(0, 0), (0, 0)])},
        {50719: (LONG, (1, 2, 3)), 50720: (LONG, (10, 10))},
        {51125: (RATIONAL, (0.5, 0.5, 0.5, 0.5))},
        {51125: (RATIONAL, [(0, 0), (0, 1), (1, 1), (1, 1)])},
        {51125: (RATIONAL, (0.0, 0.0, 2.0, 1.0))},
        {51125: (RATIONAL, (0.9, 0.0, 0.1, 1.0))},
    ),
)
def test_a_crop_without_meaning_is_none(tmp_path, nonsense):
    assert WHOLE == view_of(tmp_path, nonsense).area


@pytest.mark.parametrize(
    ("exposure", "gain"),
    (
        ({50730: (SRATIONAL, [(1, 1)])}, 2),
        ({50730: (SRATIONAL, [(-1, 2)]), 51109: (SRATIONAL, [(1, 4)])}, 2**-0.25),
        ({50730: (SRATIONAL, [(0, 0)])}, 1),
        ({50730: (SRATIONAL, [(999, 1)])}, 16),
    ),
)
def test_baseline_exposure_brightens(tmp_path, exposure, gain):
    assert gain == view_of(tmp_path, extra=exposure).gain


@pytest.mark.parametrize(
    ("scale", "size"),
    (([(2, 1), (1, 1)], (75, 190)), ([(1, 1), (2, 1)], (150, 95)), ([(9, 1), (1, 1)], (150, 190))),
)
def test_oblong_pixels_are_made_square_by_leaving_some_out(tmp_path, scale, size):
    assert size == view_of(tmp_path, {50718: (RATIONAL, scale)}).size
