"""Every way in which the tags of a DNG can contradict one another is seen."""

import pytest

from fadn_cli.raw.check.image_rules import check_images
from fadn_cli.raw.check.structure import check_tiff
from tests.making.dng.damage import parse_file
from tests.making.dng.write import write_dng as write_source
from tests.making.mosaics import noisy_samples
from tests.making.tiff import BYTE, LONG, RATIONAL, SHORT, SRATIONAL

HEIGHT, WIDTH = 64, 96


def faults(path):
    """What is wrong with a file whose structure is sound: (severity, kind, ifd, tag)."""
    tiff = parse_file(path)
    assert [] == list(check_tiff(tiff))
    return [(each.severity, *each.place) for each in check_images(tiff)]


def write(tmp_path, **options):
    return write_source(tmp_path / "a.dng", noisy_samples(HEIGHT, WIDTH), **options)


@pytest.mark.parametrize(
    "options",
    (
        {},
        {"in_subifd": True, "tile": (16, 32)},
        {"rows_per_strip": 10},
        {"active_area": (1, 3, 61, 91), "delta_h": (0.0,) * 88, "delta_v": (0.0,) * 60},
        {"black": (500, 510, 520, 530), "black_repeat": (2, 2)},
        {"linearization": list(range(1 << 14)), "white": 16383},
        {"extra": {50721: None, 50728: None}, "noise_profile": (1e-4, 1e-6)},
        {
            "active_area": (0, 8, 64, 96),
            "extra_raw": {
                50830: (LONG, (0, 0, 64, 4, 0, 4, 64, 8)),
                50719: (RATIONAL, [(4, 1), (5, 2)]),
                50720: (RATIONAL, [(84, 1), (123, 2)]),
            },
        },
    ),
)
def test_a_sound_dng_has_no_errors(tmp_path, options):
    assert [] == [fault for fault in faults(write(tmp_path, **options)) if fault[0] == "error"]


def test_a_good_dng_has_no_warnings_either(tmp_path):
    assert [] == faults(write(tmp_path, in_subifd=True))


REQUIRED_SHARED = ((50706, "DNGVersion"), (50708, "UniqueCameraModel"))
REQUIRED_RAW = (
    (258, "BitsPerSample"),
    (259, "Compression"),
    (277, "SamplesPerPixel"),
    (33421, "CFARepeatPatternDim"),
    (33422, "CFAPattern"),
)


@pytest.mark.parametrize(("tag", "label"), REQUIRED_SHARED)
def test_what_every_dng_needs_is_missed(tmp_path, tag, label):
    path = write(tmp_path, extra={tag: None})

    assert [("error", "required", "IFD0", label)] == faults(path)


@pytest.mark.parametrize(("tag", "label"), REQUIRED_RAW)
def test_what_every_raw_image_needs_is_missed(tmp_path, tag, label):
    path = write(tmp_path, in_subifd=True, extra_raw={tag: None})

    assert ("error", "required", "IFD0/SubIFD0", label) in faults(path)


@pytest.mark.parametrize(
    ("tag", "label", "kind"),
    (
        (274, "Orientation", "required"),
        (254, "NewSubfileType", "required"),
        (50721, "ColorMatrix1", "color"),
        (50778, "CalibrationIlluminant1", "color"),
    ),
)
def test_what_readers_can_do_without_is_a_warning(tmp_path, tag, label, kind):
    path = write(tmp_path, extra={tag: None}, extra_raw={tag: None})

    assert [("warning", kind, "IFD0", label)] == faults(path)


def test_a_file_without_a_raw_image_is_found(tmp_path):
    path = write(tmp_path, extra_raw={262: (SHORT, 2)})

    assert ("error", "raw", "", "") in faults(path)


def test_strips_beside_tiles_are_found(tmp_path):
    path = write(tmp_path, tile=(16, 16), extra_raw={273: (LONG, 8), 279: (LONG, 0)})

    tiff = parse_file(path)
    [fault] = [each for each in check_images(tiff) if each.severity == "error"]
    assert ("pieces", "IFD0", "StripOffsets") == fault.place
    assert "left beside the tiles" in fault.what


def test_neither_strips_nor_tiles_are_found(tmp_path):
    path = write(tmp_path, extra_raw={273: None, 279: None})

    assert [("error", "pieces", "IFD0", "")] == faults(path)


@pytest.mark.parametrize(
    ("changes", "tag", "severity"),
    (
        ({278: (LONG, 10)}, "StripOffsets", "error"),
        ({278: (LONG, 10)}, "StripByteCounts", "error"),
        ({257: (LONG, 32)}, "StripByteCounts", "warning"),
        ({279: (LONG, 5)}, "StripByteCounts", "warning"),
    ),
)
def test_strips_that_do_not_fit_the_image_are_found(tmp_path, changes, tag, severity):
    path = write(tmp_path, extra_raw=changes)

    assert (severity, "pieces", "IFD0", tag) in faults(path)


def test_more_pieces_than_the_image_takes_are_a_warning(tmp_path):
    path = write(tmp_path, rows_per_strip=16, extra_raw={257: (LONG, 48)})

    pieces = [fault for fault in faults(path) if fault[1] == "pieces"]
    assert ("warning", "pieces", "IFD0", "StripOffsets") in pieces
    assert {"warning"} == {severity for severity, *_ in pieces}


def test_a_last_strip_may_be_shorter_but_no_other(tmp_path):
    sizes = [10 * WIDTH * 2] * 6
    path = write(tmp_path, rows_per_strip=10, extra_raw={279: (LONG, [*sizes, sizes[0]])})

    assert [("warning", "pieces", "IFD0", "StripByteCounts")] == faults(path)


@pytest.mark.parametrize(("planar", "severities"), ((2, []), (1, ["warning", "warning"])))
def test_each_plane_has_pieces_of_its_own_if_planes_are_apart(tmp_path, planar, severities):
    linear = {262: (SHORT, 34892), 277: (SHORT, 2), 284: (SHORT, planar), 257: (LONG, 32)}
    black = {50713: (SHORT, (1, 1)), 50714: (RATIONAL, (512, 512))}
    path = write(tmp_path, rows_per_strip=32, extra_raw=linear | black)

    found = [severity for severity, kind, *_ in faults(path) if kind == "pieces"]
    assert severities == found[:2]


def test_each_plane_has_a_black_level_of_its_own(tmp_path):
    path = write(tmp_path, extra_raw={262: (SHORT, 34892), 277: (SHORT, 2)})

    assert ("error", "black", "IFD0", "BlackLevel") in faults(path)


def test_an_orientation_without_meaning_is_a_warning(tmp_path):
    assert [("warning", "color", "IFD0", "Orientation")] == faults(write(tmp_path, orientation=10))


@pytest.mark.parametrize("changes", ({256: (LONG, 0)}, {257: (LONG, 0)}, {278: (LONG, 0)}))
def test_an_image_without_size_is_found(tmp_path, changes):
    path = write(tmp_path, extra_raw=changes)

    assert ("error", "pieces", "IFD0", "") in faults(path)


def test_empty_tiles_of_a_compressed_image_are_found(tmp_path):
    sizes = [1] * 23 + [0]
    path = write(tmp_path, tile=(16, 16), extra_raw={259: (SHORT, 7), 325: (LONG, sizes)})

    assert [("error", "pieces", "IFD0", "TileByteCounts")] == faults(path)


def test_tiles_of_odd_sides_are_a_warning(tmp_path):
    path = write(tmp_path, tile=(20, 16))

    assert [("warning", "pieces", "IFD0", "TileWidth")] == faults(path)


@pytest.mark.parametrize(
    ("changes", "tag"),
    (
        ({33422: (BYTE, (0, 1, 1))}, "CFAPattern"),
        ({33422: (BYTE, (0, 1, 1, 3))}, "CFAPattern"),
        ({33422: (BYTE, (0, 1, 1, 1))}, "CFAPattern"),
        ({50710: (BYTE, (0, 1, 3))}, "CFAPattern"),
        ({50711: (SHORT, 0)}, "CFALayout"),
    ),
)
def test_a_filter_array_that_contradicts_itself_is_found(tmp_path, changes, tag):
    path = write(tmp_path, extra_raw=changes)

    assert ("error", "cfa", "IFD0", tag) in faults(path)


@pytest.mark.parametrize(
    ("changes", "tag", "severity"),
    (
        ({50829: (LONG, (0, 0, 65, 96))}, "ActiveArea", "error"),
        ({50829: (LONG, (10, 0, 10, 96))}, "ActiveArea", "error"),
        ({50830: (LONG, (0, 0, 64, 97))}, "MaskedAreas", "error"),
        ({50830: (LONG, (0, 0, 64, 8))}, "MaskedAreas", "warning"),
        ({50720: (LONG, (97, 64))}, "DefaultCropSize", "error"),
        ({50719: (LONG, (1, 0)), 50720: (LONG, (96, 64))}, "DefaultCropSize", "error"),
        ({50720: (LONG, (0, 64))}, "DefaultCropSize", "error"),
        ({50720: (RATIONAL, [(1, 0), (64, 1)])}, "DefaultCropSize", "error"),
    ),
)
def test_areas_outside_one_another_are_found(tmp_path, changes, tag, severity):
    path = write(tmp_path, extra_raw=changes)

    assert [(severity, "area", "IFD0", tag)] == faults(path)


def test_the_crop_is_measured_within_the_active_area(tmp_path):
    crop = {50719: (LONG, (8, 8)), 50720: (LONG, (80, 50))}
    path = write(tmp_path, active_area=(4, 4, 62, 92), extra_raw=crop)

    assert [] == faults(path)


@pytest.mark.parametrize(
    ("changes", "tag"),
    (
        ({50713: (SHORT, (2, 2))}, "BlackLevel"),
        ({50714: (RATIONAL, [(1, 1), (2, 1)])}, "BlackLevel"),
        ({50714: (RATIONAL, [(1, 0)])}, "BlackLevel"),
        ({50715: (SRATIONAL, [(1, 1)] * 95)}, "BlackLevelDeltaH"),
        ({50716: (SRATIONAL, [(1, 1)] * 96)}, "BlackLevelDeltaV"),
    ),
)
def test_black_levels_that_do_not_fit_are_found(tmp_path, changes, tag):
    path = write(tmp_path, extra_raw=changes)

    assert ("error", "black", "IFD0", tag) in faults(path)


@pytest.mark.parametrize(
    ("options", "tag", "severity"),
    (
        ({"white": 65536}, "WhiteLevel", "warning"),
        ({"white": 512}, "WhiteLevel", "error"),
        ({"linearization": [0, 600, 14999]}, "WhiteLevel", "warning"),
        ({"linearization": [15000]}, "LinearizationTable", "error"),
    ),
)
def test_a_white_level_that_cannot_be_is_found(tmp_path, options, tag, severity):
    path = write(tmp_path, **options)

    assert [(severity, "white", "IFD0", tag)] == faults(path)


@pytest.mark.parametrize(
    ("changes", "tag"),
    (
        ({50728: (RATIONAL, [(1, 1), (1, 1)])}, "AsShotNeutral"),
        ({50727: (RATIONAL, [(1, 1)] * 4)}, "AnalogBalance"),
    ),
)
def test_a_white_balance_of_other_colours_than_the_matrix_is_found(tmp_path, changes, tag):
    path = write(tmp_path, extra=changes)

    assert [("error", "color", "IFD0", tag)] == faults(path)
