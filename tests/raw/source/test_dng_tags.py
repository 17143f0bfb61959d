"""The levels of a DNG are the tags' levels, aligned to the full mosaic."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fadn_cli.errors import FadnError, RawReadError
from fadn_cli.raw.source.dng_checks import check_complete, check_supported, find_raw_ifd
from fadn_cli.raw.source.dng_colors import read_color_matrix, read_wb_gains
from fadn_cli.raw.source.dng_tags import (
    read_mosaic,
    read_noise_profile,
    read_pixel_aspect,
    warn_of_levels,
    warn_of_profile,
)
from fadn_cli.raw.tiff.file import map_file, parse
from tests.making.dng.write import write_dng
from tests.making.mosaics import noisy_samples
from tests.making.tiff import BYTE, DOUBLE, LONG, RATIONAL, SHORT

AREA = (3, 5, 60, 90)


def open_dng(tmp_path, **options):
    path = write_dng(tmp_path / "a.dng", noisy_samples(63, 97), **options)
    tiff = parse(map_file(path), name=path.name)
    return tiff, find_raw_ifd(tiff)


def mosaic_of(tmp_path, **options):
    tiff, ifd = open_dng(tmp_path, **options)
    return read_mosaic(tiff, ifd, noisy_samples(63, 97))


@pytest.mark.parametrize("repeat", ((1, 1), (2, 2), (1, 2), (3, 2), (4, 3)))
@pytest.mark.parametrize("area", ((0, 0, 63, 97), AREA))
def test_any_repeat_of_black_levels_starts_at_the_active_area(tmp_path, repeat, area):
    levels = np.arange(repeat[0] * repeat[1]) * 7.25 + 500

    mosaic = mosaic_of(tmp_path, black=levels, black_repeat=repeat, active_area=area)

    top, left = area[:2]
    rows, cols = np.indices((63, 97))
    expected = levels.reshape(repeat)[(rows - top) % repeat[0], (cols - left) % repeat[1]]
    assert np.array_equal(expected.astype(np.float32), mosaic.black_rows(0, 63))


def test_deltas_cover_the_active_area_only(tmp_path):
    delta_h = np.arange(85) / 4 - 10
    delta_v = np.arange(57) / 8

    mosaic = mosaic_of(tmp_path, active_area=AREA, delta_h=delta_h, delta_v=delta_v)

    black = mosaic.black_rows(0, 63)
    assert 512 == black[0, 0]
    assert np.allclose(512 + delta_h + delta_v[:, None], black[3:60, 5:90])
    assert np.float32 == black.dtype


def test_deltas_of_zero_are_none(tmp_path):
    mosaic = mosaic_of(tmp_path, delta_h=np.zeros(97))

    assert mosaic.black_delta_h is None


def test_levels_left_out_have_the_standards_defaults(tmp_path):
    mosaic = mosaic_of(tmp_path, extra_raw={50713: None, 50714: None, 50717: None})

    assert (0, 65535) == (mosaic.black_level.max(), mosaic.white_level)


def test_a_linearization_table_does_not_change_the_default_white_level(tmp_path):
    mosaic = mosaic_of(tmp_path, linearization=range(4096), extra_raw={50717: None})

    assert 65535 == mosaic.white_level


@pytest.mark.parametrize(
    ("options", "reason"),
    (
        ({"active_area": (0, 0, 64, 97)}, "outside the 97x63 image"),
        ({"active_area": (9, 0, 9, 97)}, "outside the 97x63 image"),
        ({"active_area": (0, 0)}, "ActiveArea has 2 values instead of 4"),
        ({"black": (1, 2, 3), "black_repeat": (2, 2)}, "for a repeat of 2x2"),
        ({"black": (1, 2, 3)}, "for a repeat of 1x1"),
        ({"black": [(0, 0), (1, 1), (2, 1), (3, 1)]}, "BlackLevel"),
        ({"white": 512}, "WhiteLevel 512 is not above"),
        ({"white": 70000}, "WhiteLevel 70000 is more than 16 bits can hold"),
        ({"delta_h": (1, 2)}, "BlackLevelDeltaH has 2 values for 97"),
        ({"extra_raw": {33422: None}}, "without CFAPattern"),
    ),
)
def test_contradictory_levels_are_read_errors(tmp_path, options, reason):
    with pytest.raises(RawReadError, match=reason):
        mosaic_of(tmp_path, **options)


FOUR = {"black": (500, 510, 520, 530)}
ODD = {
    "1x1": (FOUR, "BlackLevelRepeatDim says 1x1 for 4 black levels: taken as 2x2"),
    "absent": (FOUR | {"extra_raw": {50713: None}}, "says nothing for 4 black levels"),
    "one value": ({"extra_raw": {50713: (SHORT, 1)}}, "says 1 for 1 black level: taken as 1x1"),
    "three values": (FOUR | {"black_repeat": (2, 2, 1)}, "says 2x2x1 for 4"),
    "zeros": (FOUR | {"black_repeat": (0, 0)}, "says 0x0 for 4 black levels: taken as 2x2"),
    "too few": ({"black": (512,) * 3}, "says 1x1 for 3 black levels: taken as 1x3"),
    "too many": ({"black_repeat": (2, 2)}, "says 2x2 for 1 black level: taken as 1x1"),
}


@pytest.mark.parametrize(("options", "warning"), ODD.values(), ids=ODD)
@pytest.mark.parametrize("area", (None, AREA))
def test_black_levels_are_read_whatever_their_repeat_says(tmp_path, options, warning, area):
    mosaic = mosaic_of(tmp_path, active_area=area, **options)
    found = warn_of_levels(*open_dng(tmp_path, active_area=area, **options))

    levels = options.get("black", (512,))
    expected = np.reshape(levels, (2, 2) if len(levels) == 4 else (1, -1))
    top, left = (area or (0, 0))[:2]
    black = mosaic.black_rows(0, 63)[top : top + 2, left : left + 2]
    assert np.array_equal(np.broadcast_to(expected[:2, :2], (2, 2)), black)
    assert len(found) == 1
    assert warning in found[0]


def test_black_levels_that_say_nothing_are_0(tmp_path):
    black = {"black": [(0, 0)]}

    assert not mosaic_of(tmp_path, **black).black_level.any()
    assert ("BlackLevel is n/0, which says nothing: taken as 0",) == warn_of_levels(
        *open_dng(tmp_path, **black)
    )


def test_an_active_area_of_zeros_is_the_whole_image(tmp_path):
    area = mosaic_of(tmp_path, active_area=(0, 0, 0, 0)).active_area
    found = warn_of_levels(*open_dng(tmp_path, active_area=(0, 0, 0, 0)))

    assert (0, 0, 63, 97) == (area.top, area.left, area.height, area.width)
    assert ("ActiveArea is 0 0 0 0: the whole image is taken",) == found


@pytest.mark.parametrize("repeat", ((1, 1), (2, 2), (3, 4)))
def test_levels_in_order_are_no_reason_to_warn(tmp_path, repeat):
    levels = np.arange(repeat[0] * repeat[1]) + 500

    assert () == warn_of_levels(*open_dng(tmp_path, black=levels, black_repeat=repeat))
    assert () == warn_of_levels(*open_dng(tmp_path, extra_raw={50713: None, 50714: None}))


def test_the_shape_of_pixels_is_read_and_what_cannot_be_is_1(tmp_path):
    def aspect(*scale):
        return read_pixel_aspect(open_dng(tmp_path, extra_raw={50718: (RATIONAL, list(scale))})[1])

    assert 1.5 == aspect((3, 2), (1, 1))
    assert 0.5 == aspect((1, 1), (2, 1))
    assert [1, 1, 1] == [aspect((0, 1), (1, 1)), aspect((1, 0), (1, 1)), aspect((2, 1))]


def test_one_noise_profile_counts_for_all_colours(tmp_path):
    profile = read_noise_profile(*open_dng(tmp_path, noise_profile=(1e-4, 2e-6)))

    assert [np.float32(1e-4)] * 4 == profile.shot_noise.tolist()
    assert [np.float32(2e-6)] * 4 == profile.read_noise.tolist()
    assert "NoiseProfile" == profile.source


@pytest.mark.parametrize(
    ("planes", "shot"), ((None, (1, 2, 2, 3)), ((0, 1, 2), (1, 2, 2, 3)), ((2, 1, 0), (3, 2, 2, 1)))
)
def test_noise_profiles_per_plane_are_ordered_by_colour(tmp_path, planes, shot):
    extra = {50710: (BYTE, planes)} if planes else None
    tiff, ifd = open_dng(
        tmp_path, noise_profile=(1 / 8, 4 / 8, 2 / 8, 5 / 8, 3 / 8, 6 / 8), extra_raw=extra
    )

    profile = read_noise_profile(tiff, ifd)

    assert list(shot) == (8 * profile.shot_noise).tolist()
    assert [s + 3 for s in shot] == (8 * profile.read_noise).tolist()


def test_a_noise_profile_in_ifd0_counts_too(tmp_path):
    tiff, ifd = open_dng(tmp_path, in_subifd=True, extra={51041: (DOUBLE, (1e-4, -1e-7))})

    assert [0] * 4 == read_noise_profile(tiff, ifd).read_noise.tolist()


@pytest.mark.parametrize(
    "values", ((0, 1e-6), (np.nan, 1), (1e-4,), (0.1, 0.2, 0.3, 0.4), (1e39, 1e-6))
)
def test_a_noise_profile_without_meaning_is_none(tmp_path, values):
    assert read_noise_profile(*open_dng(tmp_path, noise_profile=values)) is None


@pytest.fixture(scope="module")
def valid(tmp_path_factory):
    path = write_dng(
        tmp_path_factory.mktemp("dng") / "a.dng",
        noisy_samples(16, 20),
        black_repeat=(2, 2),
        black=(1, 2, 3, 4),
        active_area=(1, 2, 16, 20),
        delta_h=np.arange(18),
        noise_profile=(1e-4, 1e-6),
        extra_raw={254: (LONG, 0)},
    )
    return path.read_bytes()


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_damaged_tags_raise_nothing_but_our_errors(valid, data):
    damaged = bytearray(valid)
    places = st.integers(650, len(valid) - 1)  # behind the 16x20 samples
    for place, value in data.draw(
        st.lists(st.tuples(places, st.integers(0, 255)), min_size=1, max_size=4)
    ):
        damaged[place] = value

    try:
        tiff = parse(bytes(damaged), name="a.dng")
        ifd = find_raw_ifd(tiff)
        check_supported(tiff, ifd)
        check_complete(tiff, ifd)
        read_noise_profile(tiff, ifd)
        read_wb_gains(tiff, read_color_matrix(tiff))
        read_mosaic(tiff, ifd, np.zeros((16, 20), np.uint16))
    except FadnError as error:
        assert str(error).startswith("a.dng: ")


@pytest.mark.parametrize(
    ("values", "told"),
    ((None, 0), ((1e-4, 2e-6), 0), ((2.0, 0.0), 1), ((1e-4, 1e30), 1), ((float("nan"), 0.0), 1)),
)
def test_a_noise_profile_of_no_sensor_is_told(tmp_path, values, told):
    found = warn_of_profile(*open_dng(tmp_path, noise_profile=values))

    assert told == len(found)
    assert all("which cannot be: the noise is measured" in warning for warning in found)
