"""A DNG that is no mosaic we know is refused from its tags, saying what it is."""

import pytest

from fadn_cli.errors import RawReadError, UnsupportedRawError
from fadn_cli.raw.source.dng_checks import check_complete, check_supported, find_raw_ifd, is_dng
from fadn_cli.raw.source.reader import read_raw
from fadn_cli.raw.tiff.file import map_file, parse
from fadn_cli.raw.tiff.tags import Tag
from tests.making.camera_tiff import write_camera_tiff
from tests.making.dng.write import write_dng
from tests.making.mosaics import noisy_samples
from tests.making.tiff import BYTE, LONG, SHORT

QUAD = [0, 0, 1, 1] * 2 + [1, 1, 2, 2] * 2


def parsed(path):
    return parse(map_file(path), name=path.name)


@pytest.mark.parametrize(
    ("changes", "reason"),
    (
        ({259: (SHORT, 9)}, r"VC-5 compression \(9\)"),
        ({259: (SHORT, 34892)}, "lossy JPEG"),
        ({262: (SHORT, 34892), 277: (SHORT, 3)}, "a linear DNG"),
        ({262: (SHORT, 34892)}, "PhotometricInterpretation 34892"),
        ({262: (SHORT, 0), 33422: None}, "PhotometricInterpretation 0"),
        ({262: (SHORT, 2)}, "PhotometricInterpretation 2"),
        ({339: (SHORT, 3)}, "floating-point"),
        ({258: (SHORT, 32)}, "32-bit"),
        ({277: (SHORT, 2)}, "2 samples per pixel"),
        ({50975: (SHORT, 0)}, "RowInterleaveFactor 0 and ColumnInterleaveFactor 1"),
        ({52547: (SHORT, 17)}, "RowInterleaveFactor 1 and ColumnInterleaveFactor 17"),
        ({50974: (SHORT, (2, 4))}, "SubTileBlockSize 2x4"),
        ({33421: (SHORT, (6, 6)), 33422: (BYTE, [0, 1, 1, 2, 1, 1] * 6)}, "CFA is 6x6 of B, G, R"),
        ({33421: (SHORT, (4, 4)), 33422: (BYTE, [0, 1, 1, 2] * 4)}, "CFA is 4x4 of B, G, R"),
        ({33421: (SHORT, (4, 4)), 33422: (BYTE, QUAD)}, "CFA is Quad Bayer"),
        ({33421: (SHORT, (4, 2)), 33422: (BYTE, [0, 1, 1, 2] * 2)}, "every 4x2"),
        ({33421: (SHORT, (6, 6))}, "every 6x6 samples, in 4 colours"),
        ({33422: (BYTE, (3, 4, 5, 1))}, "CFA is CYGM"),
        ({33422: (BYTE, (0, 1, 6, 2))}, "CFA is RGBW"),
        ({33422: (BYTE, (0, 1, 1, 9))}, "CFAPattern names colour 9"),
        ({33422: (BYTE, (0, 1, 2, 1))}, "CFA is 2x2 of B, G, R"),
        ({50711: (SHORT, 4)}, "CFALayout 4"),
    ),
)
@pytest.mark.parametrize("in_subifd", (False, True))
def test_what_is_no_mosaic_we_know_is_named(tmp_path, changes, reason, in_subifd):
    path = write_dng(tmp_path / "a.dng", noisy_samples(), extra_raw=changes, in_subifd=in_subifd)

    with pytest.raises(UnsupportedRawError, match=f"a.dng: .*{reason}") as caught:
        read_raw(path)

    assert caught.value.advice


@pytest.mark.parametrize(
    ("changes", "reason"),
    (
        ({50974: (SHORT, range(5000))}, r"0x1x2x3x4x5x6x7x8x\.\.\. \(5000 values\)"),
        ({33421: (SHORT, range(5000))}, r"every 0x1x2x3x4x5x6x7x8x\.\.\. \(5000 values\)"),
        ({50714: (SHORT, range(5000)), 50713: (SHORT, (7, 7))}, r"BlackLevel .*\(5000 values\)"),
    ),
)
def test_thousands_of_values_do_not_fill_the_screen(tmp_path, changes, reason):
    path = write_dng(tmp_path / "a.dng", noisy_samples(), extra_raw=changes)

    with pytest.raises((RawReadError, UnsupportedRawError), match=f"a.dng: .*{reason}") as caught:
        read_raw(path)

    assert len(str(caught.value)) < 300


def test_the_mosaic_is_found_beside_thumbnail_and_previews(tmp_path):
    path = write_dng(tmp_path / "a.dng", noisy_samples(), in_subifd=True)

    ifd = find_raw_ifd(parsed(path))

    assert Tag.SUB_IFDS == ifd.pointer_tag
    assert (64, 96) == (ifd.first_int(Tag.IMAGE_LENGTH, 0), ifd.first_int(Tag.IMAGE_WIDTH, 0))


def test_only_a_dng_is_a_dng(tmp_path):
    assert is_dng(parsed(write_dng(tmp_path / "a.dng", noisy_samples())))
    assert not is_dng(parsed(write_camera_tiff(tmp_path / "a.nef", noisy_samples())))


@pytest.mark.parametrize(
    ("changes", "reason"),
    (
        ({273: None}, "0 of 1 strips"),
        ({278: (LONG, 10)}, "1 of 7 strips"),
        ({278: (LONG, 1), 257: (LONG, 2**32 - 1)}, "1 of 4294967295"),
        ({257: (LONG, 0)}, "image size 96x0"),
        ({273: (LONG, 2**32 - 1)}, "truncated"),
        ({254: (LONG, 1)}, "no main image"),
        ({257: (LONG, 640), 278: (LONG, 640)}, "truncated"),
    ),
)
def test_missing_and_cut_off_pixels_are_read_errors(tmp_path, changes, reason):
    path = write_dng(tmp_path / "a.dng", noisy_samples(), extra_raw=changes, in_subifd=True)
    whole = path.read_bytes()
    tiff = parse(whole, name="a.dng")

    with pytest.raises(RawReadError, match=reason):
        check_complete(tiff, find_raw_ifd(tiff))


def test_rows_of_packed_samples_end_with_a_whole_byte(tmp_path):
    """Rows of 97 samples of 12 bits take 146 bytes, 64 of them 9344, not 9312."""
    last = {258: (SHORT, 12), 273: (LONG, [8])}
    path = write_dng(tmp_path / "a.dng", noisy_samples(64, 97), extra_raw=last)
    whole = path.read_bytes()
    place = parse(whole, name="a.dng").ifds[0].get(273).location + 8

    for missing, fits in ((9344, True), (9343, False)):
        data = whole[:place] + (len(whole) - missing).to_bytes(4, "little") + whole[place + 4 :]
        tiff = parse(data, name="a.dng")
        if fits:
            check_complete(tiff, tiff.ifds[0])
        else:
            with pytest.raises(RawReadError, match="truncated"):
                check_complete(tiff, tiff.ifds[0])


def test_wrong_byte_counts_of_an_uncompressed_file_do_no_harm(tmp_path):
    path = write_dng(tmp_path / "a.dng", noisy_samples(), extra_raw={279: (LONG, 10**9)})
    tiff = parsed(path)
    ifd = find_raw_ifd(tiff)

    check_supported(tiff, ifd)
    check_complete(tiff, ifd)
