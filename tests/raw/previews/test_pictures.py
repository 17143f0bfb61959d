"""Pictures fit, are turned as their camera turned them, and are as bright as what they replace."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fadn_cli.raw.previews.pictures import (
    decode_jpeg,
    encode_jpeg,
    fitted_size,
    frame,
    is_stored_upright,
    picture_of_bytes,
    shows_the_same,
    turn_upright,
)
from tests.making.dng.previewed import Preview, drawn
from tests.making.pictures import encoded, light

SIDES = st.integers(1, 5000)


@given(size=st.tuples(SIDES, SIDES), box=st.tuples(SIDES, SIDES))
def test_a_fitted_picture_lies_in_its_box_and_keeps_its_shape(size, box):
    height, width = fitted_size(size, box)

    assert 1 <= height <= box[0]
    assert 1 <= width <= box[1]
    exact = height * size[1] / size[0]
    assert abs(exact - width) <= max(0.045 * width, 1.5 * size[1] / size[0], 1.5)


@given(size=st.tuples(SIDES, SIDES))
def test_a_picture_of_the_boxs_size_is_left_alone(size):
    assert size == fitted_size(size, size)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_turned_as_exif_says(orientation):
    """Exif: where row 0 and column 0 of the stored picture are, seen upright."""
    stored = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    row0 = {1: "top", 2: "top", 3: "bottom", 4: "bottom", 5: "left", 6: "right", 7: "right"}
    column0 = {1: "left", 2: "right", 3: "right", 4: "left", 5: "top", 6: "top", 7: "bottom"}

    upright = turn_upright(stored, orientation)

    sides = {
        "top": upright[0],
        "bottom": upright[-1],
        "left": upright[:, 0],
        "right": upright[:, -1],
    }
    for line, place in (
        (stored[0], row0.get(orientation, "left")),
        (stored[:, 0], column0.get(orientation, "bottom")),
    ):
        side = sides[place]
        assert np.array_equal(line, side) or np.array_equal(line, side[::-1])


@pytest.mark.parametrize("orientation", (2, 3, 6, 8))
@pytest.mark.parametrize("is_upright", (False, True))
def test_it_is_seen_whether_a_preview_was_turned(orientation, is_upright):
    lying = encoded(light(96, 144))
    shape = (96, 144) if not is_upright or orientation in (2, 3) else (144, 96)
    old = drawn(Preview(*shape, upright=is_upright, stops=1), orientation)

    assert is_upright is is_stored_upright(old, lying, orientation)


def test_an_unrelated_preview_is_no_guide():
    old = np.random.default_rng(0).integers(0, 256, (96, 144, 3)).astype(np.uint8)
    blank = np.zeros((96, 144, 3), np.uint8)
    picture = encoded(light(96, 144))

    assert not is_stored_upright(old, picture, 6)
    assert [False, False] == [shows_the_same(each, picture) for each in (old, blank)]


def test_noise_and_brightness_hide_no_scene_and_flat_pictures_are_alike():
    old = encoded(light(96, 144), 1.5)
    noise = np.random.default_rng(0).normal(0, 40, old.shape)
    noisy = np.clip(old + noise, 0, 255).astype(np.uint8)
    grey, white = (np.full((48, 72, 3), level, np.uint8) for level in (90, 200))

    assert shows_the_same(noisy, encoded(light(96, 144)))
    assert shows_the_same(grey, white)


@pytest.mark.parametrize(
    ("box", "bars"), (((90, 90), True), ((90, 90), False), ((60, 140), True), ((60, 140), False))
)
def test_another_shape_is_filled_as_it_was(box, bars):
    preview = Preview(*box, bars=bars)
    old = drawn(preview)

    new = frame(encoded(light()), box, like=old)

    assert old.shape == new.shape
    assert np.abs(old.astype(int) - new).mean() < 4
    assert bars == (new[:5, :5].max() == 0)


def test_bars_are_left_where_nothing_was():
    new = frame(encoded(light()), (90, 90))

    assert 0 == new[:14].max()
    assert new[16:74].min() > 0


@pytest.mark.parametrize("damage", (lambda j: j[:100], lambda j: b"", lambda j: j[:2] + bytes(999)))
def test_a_broken_jpeg_is_none(damage):
    assert decode_jpeg(damage(encode_jpeg(encoded(light())))) is None


def test_a_jpeg_decodes_to_its_picture():
    picture = encoded(light())

    assert np.abs(decode_jpeg(encode_jpeg(picture)).astype(int) - picture).mean() < 2


def test_a_large_jpeg_is_decoded_small():
    picture = np.repeat(np.repeat(encoded(light()), 12, axis=0), 12, axis=1)

    small = decode_jpeg(encode_jpeg(picture))

    assert picture.shape[0] // 8 == small.shape[0]
    assert small.shape[0] >= 256


@pytest.mark.parametrize("size", (0, 17, 19))
def test_plain_bytes_of_another_length_are_none(size):
    assert picture_of_bytes(bytes(size), (2, 3)) is None
    assert (2, 3, 3) == picture_of_bytes(bytes(18), (2, 3)).shape


def test_grey_bytes_are_a_picture_of_three_equal_colours():
    picture = picture_of_bytes(bytes(range(6)), (2, 3))

    assert np.array_equal(np.arange(6).reshape(2, 3, 1).repeat(3, axis=2), picture)
