"""What a raw file itself calls bad is found, wherever and however the file says it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fadn_cli.errors import RawReadError
from fadn_cli.mosaic.cfa import CfaPattern
from fadn_cli.mosaic.values import Mosaic, Rect
from fadn_cli.raw.source import defects
from fadn_cli.raw.source.defects import MOST_ZEROS, read_bad_pixels, read_zero_marks
from fadn_cli.raw.source.reader import read_raw
from tests.making.camera_tiff import write_camera_tiff
from tests.making.dng.write import write_dng
from tests.making.mosaics import noisy_samples
from tests.making.opcodes import LIST_1, fix_constant, fix_list, in_raw, opcode, opcode_list

HEIGHT, WIDTH = 64, 96
PLACES = [(0, 0), (0, 95), (63, 0), (63, 95), (5, 8), (5, 9), (6, 8), (20, 41), (33, 60)]
SITES = sorted(row * WIDTH + col for row, col in PLACES)
OTHER = opcode(9, bytes(76))  # a GainMap, of which nothing is read


def marked(constant=0):
    samples = noisy_samples(HEIGHT, WIDTH)
    samples[tuple(np.transpose(PLACES))] = constant
    return samples


def defects_of(path, samples, **options):
    return read_raw(write_dng(path, samples, **options)).defects


@pytest.mark.parametrize(
    "layout",
    [
        {},
        {"byteorder": ">"},
        {"in_subifd": True},
        {"tile": (32, 32)},
        {"rows_per_strip": 7},
        {"cfa": "GBRG"},
        {"active_area": (3, 5, 61, 94)},
    ],
    ids=str,
)
@pytest.mark.parametrize("constant", [0, 300, 16383, 65535])
def test_marks_are_found_in_the_image_as_it_is_stored(tmp_path, layout, constant):
    opcodes = in_raw(fix_constant(constant, phase=2))

    found = defects_of(tmp_path / "a.dng", marked(constant), extra_raw=opcodes, **layout)

    [marks] = found.marks
    assert constant == marks.constant
    assert SITES == marks.sites.tolist() == found.sites.tolist()
    assert () == found.warnings


def test_marks_count_before_the_linearization_table(tmp_path):
    samples = np.tile(np.arange(64, dtype=np.uint16), (HEIGHT, 2))[:, :WIDTH]
    table = np.maximum(np.arange(64) * 100, 1000)  # the first eleven values become one
    opcodes = in_raw(fix_constant(3))

    found = defects_of(
        tmp_path / "a.dng", samples, extra_raw=opcodes, linearization=table, black=(0,), white=6300
    )

    assert np.flatnonzero(samples == 3).tolist() == found.sites.tolist()


def test_what_only_libraw_can_decode_is_a_warning_and_its_constant_is_known(tmp_path, monkeypatch):
    def fail(tiff, ifd):
        raise RawReadError(f"{tiff.name}: strip 1 of 1 cannot be decoded")

    monkeypatch.setattr(defects, "read_stored", fail)
    table = np.arange(16384)

    found = defects_of(
        tmp_path / "a.dng", marked(), extra_raw=in_raw(fix_constant(3)), linearization=table
    )

    assert [(3, 0)] == [(marks.constant, len(marks.sites)) for marks in found.marks]
    [warning] = found.warnings
    assert warning.endswith("cannot be read; bad pixels that it names are not repaired.")


def test_two_constants_are_two_kinds_of_marks(tmp_path):
    samples = marked(0)
    samples[40, 40] = 65535
    opcodes = in_raw(fix_constant(0), fix_constant(65535), fix_constant(0))

    found = defects_of(tmp_path / "a.dng", samples, extra_raw=opcodes)

    assert [0, 65535] == [marks.constant for marks in found.marks]
    assert [40 * WIDTH + 40] == found.marks[1].sites.tolist()


def test_a_constant_that_no_sample_has_marks_none(tmp_path):
    found = defects_of(tmp_path / "a.dng", marked(), extra_raw=in_raw(fix_constant(70000)))

    assert [] == found.sites.tolist()


def test_a_list_names_points_and_rectangles_of_the_whole_image(tmp_path):
    opcodes = in_raw(fix_list([(1, 2), (63, 95), (1, 2)], [(10, 20, 12, 23), (11, 22, 13, 24)]))

    found = defects_of(
        tmp_path / "a.dng", noisy_samples(), extra_raw=opcodes, active_area=(3, 5, 61, 94)
    )

    expected = {(1, 2), (63, 95)}
    expected |= {(row, col) for row in (10, 11) for col in (20, 21, 22)}
    expected |= {(row, col) for row in (11, 12) for col in (22, 23)}
    assert sorted(row * WIDTH + col for row, col in expected) == found.others.tolist()
    assert () == found.marks == found.warnings


def test_lists_and_marks_may_stand_together(tmp_path):
    opcodes = in_raw(fix_list([(1, 2)]), fix_constant(0), fix_list([(1, 3)]), OTHER)

    found = defects_of(tmp_path / "a.dng", marked(), extra_raw=opcodes)

    assert sorted([*SITES, WIDTH + 2, WIDTH + 3]) == found.sites.tolist()


@pytest.mark.parametrize(
    ("opcodes", "reason"),
    [
        (opcode_list(count=1), "opcode 1 of 1 begins beyond the list's end"),
        (opcode_list(fix_constant(size=9)), "opcode 1 of 1 says 9 bytes, 8 are left"),
        (opcode_list(fix_constant())[:3], "an opcode list of 3 bytes has no number of entries"),
        (opcode_list(opcode(4, bytes(4))), "FixBadPixelsConstant has 4 bytes, not 8"),
        (opcode_list(opcode(5, bytes(8))), "FixBadPixelsList has 8 bytes, not even its 12 first"),
        (
            opcode_list(fix_list([(1, 2)], counts=(2, 0))),
            "FixBadPixelsList says 2 points and 0 rectangles in 20 bytes",
        ),
        (
            opcode_list(fix_list([(1, 2)], counts=(0xFFFFFFFF, 0xFFFFFFFF))),
            "FixBadPixelsList says 4294967295 points and 4294967295 rectangles in 20 bytes",
        ),
        (
            opcode_list(fix_constant(version=0x02000000)),
            "FixBadPixelsConstant is of version 2.0.0.0, which is unknown",
        ),
        (
            opcode_list(OTHER, fix_constant()),
            "FixBadPixelsConstant follows operations that change what it speaks of",
        ),
    ],
)
def test_what_cannot_be_read_is_a_warning_and_repairs_nothing(tmp_path, opcodes, reason):
    found = defects_of(tmp_path / "a.dng", marked(), extra_raw={LIST_1: (7, opcodes)})

    assert (f"OpcodeList1: {reason}; bad pixels that it names are not repaired.",) == found.warnings
    assert [] == found.sites.tolist()


def test_what_came_before_the_damage_is_repaired(tmp_path):
    opcodes = in_raw(fix_constant(), fix_constant(size=9))

    found = defects_of(tmp_path / "a.dng", marked(), extra_raw=opcodes)

    assert SITES == found.sites.tolist()
    assert 1 == len(found.warnings)


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (
            fix_list([(64, 0), (0, 96), (1, 1)]),
            "2 of 3 points of FixBadPixelsList lie outside the 96x64 image",
        ),
        (
            fix_list((), [(1, 1, 1, 5), (60, 1, 65, 2), (1, 1, 2, 2)]),
            "2 of 3 rectangles of FixBadPixelsList are empty or reach outside the 96x64 image",
        ),
        (fix_list([(1, 1)], phase=4), "FixBadPixelsList has BayerPhase 4; 0 to 3 have a meaning"),
    ],
)
def test_what_makes_no_sense_is_a_warning_and_the_rest_is_repaired(tmp_path, entry, reason):
    found = defects_of(tmp_path / "a.dng", noisy_samples(), extra_raw=in_raw(entry))

    assert (f"OpcodeList1: {reason}.",) == found.warnings
    assert WIDTH + 1 in found.sites


def test_a_tag_beyond_the_end_of_the_file_is_a_warning(tmp_path):
    path = write_dng(tmp_path / "a.dng", marked(), extra_raw=in_raw(fix_constant()))
    data = path.read_bytes()
    entry = LIST_1.to_bytes(2, "little") + b"\x07\0"
    at = data.index(entry)
    path.write_bytes(data[: at + 8] + b"\xff\xff\xff\x7f" + data[at + 12 :])

    found = read_raw(path).defects

    assert [] == found.sites.tolist()
    assert "OpcodeList1 cannot be read (a.dng: the value of tag 51008 ends at" in found.warnings[0]


WHOLE = opcode_list(fix_list([(1, 1)], [(2, 2, 4, 4)]))


@settings(max_examples=300)
@given(
    st.binary(max_size=120)
    | st.builds(lambda cut, end: WHOLE[:cut] + end, st.integers(0, 60), st.binary(max_size=60))
)
def test_no_bytes_raise(data):
    found = read_bad_pixels(data, (HEIGHT, WIDTH))

    assert all(0 <= site < HEIGHT * WIDTH for site in found.sites((HEIGHT, WIDTH)))


def test_a_million_rectangles_take_no_longer_than_one(tmp_path):
    rects = [(0, 0, HEIGHT, WIDTH)] * 100_000

    found = read_bad_pixels(opcode_list(fix_list((), rects)), (HEIGHT, WIDTH))

    assert HEIGHT * WIDTH == len(found.sites((HEIGHT, WIDTH)))


def panasonic(path, samples, make="Panasonic", black=128):
    extra = {50714: (3, black), 50728: (5, [(1, 2), (1, 1), (5, 8)])}
    return read_raw(
        write_camera_tiff(path, samples, make=make, model="DMC-GH4", extra=extra)
    ).defects


def test_zeros_of_a_panasonic_are_marks(tmp_path):
    samples = np.minimum(marked(), 4095)

    found = panasonic(tmp_path / "a.rw2", samples)

    assert set(found.others.tolist()) <= set(SITES)
    assert {5 * WIDTH + 8, 20 * WIDTH + 41} <= set(found.others.tolist())
    assert () == found.marks


def test_zeros_of_a_nikon_are_light(tmp_path):
    path = write_camera_tiff(tmp_path / "a.nef", marked(), extra={50714: (3, 128)})

    assert [] == read_raw(path).defects.sites.tolist()


def mosaic(samples, black=128.0):
    height, width = samples.shape
    return Mosaic(
        samples=samples,
        cfa=CfaPattern(colors="RGGB"),
        black_level=np.full((2, 2), black, np.float32),
        white_level=4095.0,
        active_area=Rect(top=0, left=0, height=height, width=width - 16),
    )


def test_zeros_outside_the_active_area_are_no_defects():
    samples = marked()
    samples[:, -16:] = 0

    assert 7 == len(read_zero_marks(mosaic(samples), "LEICA CAMERA AG").others)  # 2 of 9 there


def test_where_much_is_zero_it_is_darkness():
    samples = noisy_samples()
    samples.ravel()[: int(MOST_ZEROS * HEIGHT * (WIDTH - 16)) + 20] = 0

    assert [] == read_zero_marks(mosaic(samples), "Panasonic").others.tolist()


def test_where_black_is_zero_zeros_are_light():
    assert [] == read_zero_marks(mosaic(marked(), black=0), "Panasonic").others.tolist()
