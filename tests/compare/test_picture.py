"""The picture holds both pictures pixel for pixel, and the details at 200 %."""

import numpy as np
import pytest
from PIL import Image

from fadn_cli.compare.picture import before_after_picture

LABEL = 34  # rows at the top of each part that the label may cover


@pytest.fixture
def pictures():
    rng = np.random.default_rng(4)
    return rng.integers(0, 65536, (2, 120, 160, 3)).astype(np.uint16)


def shown(path):
    with Image.open(path) as image:
        return np.asarray(image)


def test_both_pictures_are_there_side_by_side(pictures, tmp_path):
    before_after_picture(*pictures, tmp_path / "x.part")

    page = shown(tmp_path / "x.part")
    before, after = np.rint(pictures / 257.0).astype(np.uint8)
    assert 120 == page.shape[0]
    assert np.array_equal(before[LABEL:], page[LABEL:, :160])
    assert np.array_equal(after[LABEL:], page[LABEL:, -160:])


def test_details_repeat_every_pixel_twice_each_way(pictures, tmp_path):
    before_after_picture(*pictures, tmp_path / "x.png", crops=[(30, 40)])

    page = shown(tmp_path / "x.png")
    detail = np.rint(pictures[1, 30:60, 40:120] / 257.0).astype(np.uint8)
    assert np.array_equal(detail.repeat(2, 0).repeat(2, 1)[LABEL:], page[-60 + LABEL :, -160:])


def test_details_stay_inside_the_picture(pictures, tmp_path):
    before_after_picture(*pictures, tmp_path / "in.png", crops=[(90, 80), (0, 0)])
    before_after_picture(*pictures, tmp_path / "out.png", crops=[(999, 999), (-9, -9)])

    assert np.array_equal(shown(tmp_path / "in.png"), shown(tmp_path / "out.png"))


def test_the_bytes_are_the_same_every_time(pictures, tmp_path):
    for name in ("1.png", "2.png"):
        before_after_picture(*pictures, tmp_path / name, crops=[(0, 0)])

    assert (tmp_path / "1.png").read_bytes() == (tmp_path / "2.png").read_bytes()


def test_pictures_of_two_sizes_are_refused(pictures, tmp_path):
    with pytest.raises(ValueError, match="120"):
        before_after_picture(pictures[0], pictures[1, 1:], tmp_path / "x.png")
