"""The same photograph says the same in every container, and damage only leaves things out."""

import struct
from io import BytesIO

import pytest
from PIL import Image

from fadn_cli.errors import RawReadError, UnsupportedRawError
from fadn_cli.raw.source.metadata import MAX_MAKER_NOTE, MetadataBlocks, read_blocks
from fadn_cli.raw.source.reader import read_raw
from fadn_cli.raw.tiff.file import FieldType, parse
from fadn_cli.raw.tiff.tags import Tag
from fadn_cli.raw.tiff.write import build_header, build_ifd
from tests.making.camera_tiff import write_camera_tiff
from tests.making.containers import (
    CONTAINERS,
    EXIF,
    SHARED,
    XMP,
    as_cr3,
    exif_jpeg,
    olympus_note,
    tiff_bytes,
)
from tests.making.dng.write import write_dng
from tests.making.mosaics import noisy_samples
from tests.making.pictures import jpeg
from tests.making.tiff import LONG, RATIONAL, SHORT, UNDEFINED
from tests.programs.exiftool import need_exiftool, run, run_exiftool

LITTLE_ENDIAN = ("nef", "orf", "rw2", "cr3")


@pytest.mark.parametrize("suffix", CONTAINERS)
def test_every_container_says_the_same(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(CONTAINERS[suffix])

    blocks = read_blocks(path)

    assert ("Maker", "Model 5", 8) == (blocks.make, blocks.model, blocks.orientation)
    assert (3200, 1 / 60) == (blocks.iso, blocks.exposure_time)
    assert b"2026:01:02 03:04:05\0" == blocks.find(Tag.DATE_TIME_ORIGINAL).values
    assert b"A. Photographer\0" == blocks.find(Tag.ARTIST).values
    assert [(1, b"N\0"), (2, ((48, 1), (8, 1), (30, 1)))] == [
        (item.tag, item.values) for item in blocks.gps
    ]
    assert XMP == blocks.xmp
    assert blocks.find(Tag.MAKER_NOTE) is None


@pytest.mark.parametrize("suffix", CONTAINERS)
def test_the_maker_note_comes_with_its_place_and_byte_order(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(CONTAINERS[suffix])

    blocks = read_blocks(path)

    note = blocks.maker_note
    inner = CONTAINERS[suffix].find(note.data) - note.offset  # the TIFF it counts from
    assert ("<" if suffix in LITTLE_ENDIAN else ">") == note.byteorder
    assert CONTAINERS[suffix][inner : inner + 2] == (b"II" if note.byteorder == "<" else b"MM")
    if suffix == "cr3":
        assert note.data.startswith(b"\1\0\1\0\3\0")  # an IFD of one entry, tag 1, SHORT
    else:
        assert (olympus_note(jpeg()) if suffix == "orf" else EXIF[37500][1]) == note.data
        assert [(1, b"R98\0")] == [(item.tag, item.values) for item in blocks.interoperability]


@pytest.mark.parametrize("note", (b"IIII", bytes(MAX_MAKER_NOTE - 3)), ids=("raw", "huge"))
def test_a_maker_note_that_is_the_raw_data_is_none(tmp_path, note):
    path = tmp_path / "a.iiq"
    path.write_bytes(tiff_bytes(SHARED, exif=EXIF | {37500: (UNDEFINED, note + b"CwaR")}))

    assert read_blocks(path).maker_note is None


def test_the_full_size_jpeg_of_a_cr3_is_preferred_and_a_cut_off_one_is_not(tmp_path):
    path, full = tmp_path / "a.cr3", jpeg(48)

    path.write_bytes(as_cr3(full))
    assert full == read_blocks(path).preview

    path.write_bytes(as_cr3(full)[:-1])
    assert jpeg(16) == read_blocks(path).preview


@pytest.mark.parametrize("byteorder", ("<", ">"))
@pytest.mark.parametrize("new", (True, False))
@pytest.mark.parametrize("as_bytes", (True, False))
def test_the_preview_of_an_orf_is_in_its_maker_note(tmp_path, byteorder, new, as_bytes):
    path, picture = tmp_path / "a.orf", jpeg(48)
    note = olympus_note(picture, new=new, byteorder=byteorder, as_bytes=as_bytes)
    path.write_bytes(b"IIRO" + tiff_bytes(SHARED, exif={37500: (UNDEFINED, note)})[4:])

    assert picture == read_blocks(path).preview


@pytest.mark.parametrize("suffix", ("cr3", "raf", "orf"))
def test_previews_are_whole_jpegs(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(CONTAINERS[suffix])

    assert (16, 16) == Image.open(BytesIO(read_blocks(path).preview)).size


def test_the_larger_of_two_previews_is_taken_and_a_lossless_raw_is_none(tmp_path):
    large, small = jpeg(48), jpeg(16)
    lossless = large.replace(b"\xff\xc0", b"\xff\xc3", 1) + bytes(9999)
    path = write_camera_tiff(
        tmp_path / "a.nef",
        noisy_samples(),
        preview=small,
        extra={46: (UNDEFINED, large), 30000: (UNDEFINED, lossless)},
    )
    data = bytearray(path.read_bytes())
    ifd = parse(bytes(data), name="a").ifds[0]
    struct.pack_into("<H", data, ifd.get(Tag.COMPRESSION).value_offset, 7)
    raw_jpeg = data.find(lossless)
    struct.pack_into("<I", data, ifd.get(Tag.STRIP_OFFSETS).value_offset, raw_jpeg)
    struct.pack_into("<I", data, ifd.get(Tag.STRIP_BYTE_COUNTS).value_offset, len(lossless))
    path.write_bytes(data)

    assert large == read_blocks(path).preview


def test_panasonic_exif_is_completed_from_its_jpeg(tmp_path):
    inner = exif_jpeg(tiff_bytes({}, exif=EXIF))
    path = tmp_path / "a.rw2"
    own = {33434: (RATIONAL, [(1, 50)])}
    path.write_bytes(b"IIU\0" + tiff_bytes(SHARED | {46: (UNDEFINED, inner)}, exif=own)[4:])

    blocks = read_blocks(path)

    assert (3200, 1 / 50) == (blocks.iso, blocks.exposure_time)
    assert XMP == blocks.xmp
    assert 1 == sum(item.tag == Tag.EXPOSURE_TIME for item in blocks.exif)


@pytest.mark.parametrize(
    ("tags", "iso"),
    (
        ({34855: (SHORT, 65535), 34866: (LONG, 102400)}, 102400),
        ({34855: (SHORT, 0)}, None),
        ({34855: (SHORT, (0, 200))}, None),
        ({34867: (LONG, 51200)}, 51200),
        ({34855: (SHORT, 65535), 34866: (LONG, 0xFFFFFFFF)}, None),
        ({34867: (LONG, 0xFFFFFFFF), 34866: (LONG, 400)}, 400),
        ({34855: (LONG, 4_560_000)}, 4_560_000),
        ({}, None),
    ),
)
def test_the_iso_is_where_the_camera_put_it(tmp_path, tags, iso):
    path = tmp_path / "a.nef"
    path.write_bytes(tiff_bytes(SHARED, exif={36864: (UNDEFINED, b"0230")} | tags))

    assert iso == read_blocks(path).iso


@pytest.mark.parametrize(
    ("tags", "count"),
    (
        ({34855: (LONG, 0xFFFFFFFF)}, 1),
        ({34855: (SHORT, 65535), 34866: (LONG, 0xFFFFFFFF)}, 1),
        ({34855: (SHORT, 65535)}, 0),
        ({34855: (SHORT, 400), 34867: (LONG, 0xFFFFFFFF)}, 0),
    ),
)
def test_an_iso_that_no_camera_has_is_told_where_nothing_else_is_known(tmp_path, tags, count):
    path = tmp_path / "a.nef"
    path.write_bytes(tiff_bytes(SHARED, exif=tags))

    assert ["the file states ISO 4294967295, which cannot be: taken for unknown"] * count == list(
        read_blocks(path).warnings
    )


def test_numbers_for_a_text_are_left_out(tmp_path):
    path = tmp_path / "a.nef"
    path.write_bytes(tiff_bytes({315: (SHORT, (65, 66, 0)), 18246: (SHORT, 4)}))

    assert [(18246, (4,))] == [(item.tag, item.values) for item in read_blocks(path).shared]


def test_the_blocks_can_be_written_in_the_other_byte_order(tmp_path):
    path = write_dng(tmp_path / "a.dng", noisy_samples(), byteorder=">")
    fields = read_blocks(path).exif

    data = build_header("<") + build_ifd(fields, byteorder="<", at_offset=8)

    ifd = parse(data, name="b").ifds[0]
    assert 400 == ifd.first_int(Tag.ISO_SPEED_RATINGS, 0)
    assert (1 / 125,) == ifd.get(Tag.EXPOSURE_TIME).floats


def test_an_unknown_container_has_no_metadata(tmp_path):
    path = tmp_path / "a.xyz"
    path.write_bytes(b"who knows")

    assert MetadataBlocks() == read_blocks(path)


def test_a_path_that_cannot_be_opened_is_a_read_error(tmp_path):
    with pytest.raises(RawReadError, match=r"none.nef"):
        read_blocks(tmp_path / "none.nef")


NO_EXIF_READER = ("stub_CanonRaw.crw", "stub_Sigma.x3f", "stub_Issue247-1.nef")
"""CIFF, which has no EXIF, Foveon, and a JPEG by another name."""
TRUNCATED_FOR_EXIFTOOL = ("stub_fujifilm_xtrans_meta.raf",)
EXIF_NAMES = {
    Tag.DATE_TIME_ORIGINAL: "DateTimeOriginal",
    Tag.DATE_TIME_DIGITIZED: "CreateDate",
    Tag.EXPOSURE_TIME: "ExposureTime",
    Tag.F_NUMBER: "FNumber",
    Tag.FOCAL_LENGTH: "FocalLength",
    Tag.LENS_SPECIFICATION: "LensInfo",
    Tag.LENS_MODEL: "LensModel",
    Tag.BODY_SERIAL_NUMBER: "SerialNumber",
    Tag.ARTIST: "Artist",
    Tag.COPYRIGHT: "Copyright",
}


def plain(field):
    """A field's value as exiftool -n prints it."""
    if field is None:
        return ""
    if isinstance(field.values, bytes) and field.type == FieldType.ASCII:
        return field.values.split(b"\0")[0].decode().strip()
    numbers = [n[0] / (n[1] or 1) if isinstance(n, tuple) else n for n in field.values]
    return numbers[0] if len(numbers) == 1 else " ".join(f"{number:g}" for number in numbers)


def plain_gps(field):
    """The same for GPS: degrees are one number, a time has colons."""
    value = plain(field)
    if field.tag == 7:
        return ":".join(f"{int(part):02}" for part in value.split())
    if field.tag in (2, 4, 20, 22):
        return sum(n / d / 60**power for power, (n, d) in enumerate(field.values))
    return value


@pytest.mark.raw
@need_exiftool
def test_the_real_files_say_what_exiftool_reads(raws):
    """What only a maker-note table knows is absent: exiftool is asked for the EXIF group."""
    files = [
        path
        for path in sorted([*raws.glob("*.dng"), *(raws / "awkward").iterdir()])
        if path.name not in (*NO_EXIF_READER, *TRUNCATED_FOR_EXIFTOOL)
    ]
    names = ("Make", "Model", "ISO", "Orientation", *EXIF_NAMES.values())
    rows = run_exiftool(files, *(f"-EXIF:{name}" for name in names))
    gps_rows = run_exiftool(files, "-D", "-GPS:all")

    for path, row, gps_row in zip(files, rows, gps_rows, strict=True):
        blocks = read_blocks(path)
        assert row.get("Make", "") == blocks.make, path.name
        assert str(row.get("Model", "")) == blocks.model, path.name
        assert (row.get("ISO") or None) == blocks.iso, path.name
        assert row.get("Orientation") == blocks.orientation, path.name
        for tag, name in EXIF_NAMES.items():
            expected, found = row.get(name, ""), plain(blocks.find(tag))
            expected = str(expected) if isinstance(found, str) else expected
            assert expected == pytest.approx(found), (path.name, name)
        del gps_row["SourceFile"]
        position = {item["id"]: item["val"] for item in gps_row.values()}
        found = {field.tag: plain_gps(field) for field in blocks.gps}
        assert position == pytest.approx(found), path.name


@pytest.mark.raw
@need_exiftool
@pytest.mark.parametrize(
    ("name", "option"),
    (
        ("stub_canon-r6.cr3", "-PreviewImage"),
        ("stub_FujiFilm.raf", "-PreviewImage"),
        ("stub_Panasonic.rw2", "-JpgFromRaw"),
    ),
)
def test_the_preview_is_the_one_exiftool_extracts(raws, name, option):
    path = raws / "awkward" / name

    expected = run("exiftool", "-b", option, path)

    assert expected == read_blocks(path).preview


GPS_LATITUDE = 2
STUBS = {
    "stub_CanonRaw.cr2": ("Canon", "Canon EOS 350D DIGITAL", 400, 1 / 15, "2005:08:03 18:59:18"),
    "stub_CanonRaw.cr3": ("Canon", "Canon EOS M50", 12800, 1 / 80, "2018:02:21 12:08:56"),
    "stub_canon-r6.cr3": ("Canon", "Canon EOS R6", 25600, 1 / 100, "2025:09:06 20:24:47"),
    "stub_FujiFilm.raf": ("FUJIFILM", "FinePix S5Pro", 100, 1 / 250, "2007:05:22 13:58:30"),
    "stub_Minolta.mrw": (
        *("Konica Minolta Camera, Inc.", "DiMAGE A2"),
        *(64, 1 / 5, "2004:11:18 23:14:58"),
    ),
    "stub_Nikon.nef": ("NIKON CORPORATION", "NIKON D70", 200, 1 / 20, "2004:06:09 16:02:35"),
    "stub_Panasonic.rw2": ("Panasonic", "DMC-LX3", 80, 1 / 250, "2008:08:06 15:21:56"),
    "stub_PhaseOne.iiq": ("Leaf", "Credo 40", 100, 1 / 1250, "2013:06:19 15:44:21"),
}
"""What exiftool 12.57 reads from EXIF: make, model, ISO, seconds, date."""
LENSES = {
    "stub_CanonRaw.cr3": ("EF-M15-45mm f/3.5-6.3 IS STM", (15, 45)),
    "stub_canon-r6.cr3": ("EF100mm f/2.8L Macro IS USM", (100, 100)),
}
"""LensModel and the focal lengths of LensSpecification; the others name none in EXIF."""


@pytest.mark.raw
@pytest.mark.parametrize("name", STUBS)
def test_a_real_file_without_pixels_says_what_it_is_and_is_refused(raws, name):
    path = raws / "awkward" / name

    blocks = read_blocks(path)

    date, lens = plain(blocks.find(Tag.DATE_TIME_ORIGINAL)), plain(blocks.find(Tag.LENS_MODEL))
    assert STUBS[name] == (blocks.make, blocks.model, blocks.iso, blocks.exposure_time, date)
    assert LENSES.get(name, ("",))[0] == lens
    if lens:
        focal_lengths = blocks.find(Tag.LENS_SPECIFICATION).values[:2]
        assert LENSES[name][1] == tuple(first / second for first, second in focal_lengths)
    assert ("canon-r6" in name) == any(field.tag == GPS_LATITUDE for field in blocks.gps)
    with pytest.raises((RawReadError, UnsupportedRawError), match=f"^{name}: ") as caught:
        read_raw(path)
    assert caught.value.advice


@pytest.mark.raw
def test_the_stub_with_gps_keeps_its_position(raws):
    blocks = read_blocks(raws / "awkward" / "stub_canon-r6.cr3")

    assert 12 == len(blocks.gps)
    assert blocks.preview[:2] == b"\xff\xd8"
