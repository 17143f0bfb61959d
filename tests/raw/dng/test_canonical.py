"""A DNG built from a camera's raw says all that the raw said, as other readers see it."""

import io
import json
import struct
from dataclasses import replace

import numpy as np
import pytest
import rawpy
from PIL import Image

from fadn_cli.raw.check.dng import check_dng
from fadn_cli.raw.check.verify import verify
from fadn_cli.raw.dng.edit import PREVIEWS
from fadn_cli.raw.dng.write import WriteChoices, write_dng
from fadn_cli.raw.source.dng_checks import find_raw_ifd
from fadn_cli.raw.source.metadata import read_blocks
from fadn_cli.raw.source.reader import read_raw
from fadn_cli.raw.tiff.file import map_file, parse
from fadn_cli.raw.tiff.tags import Tag
from tests.making.camera_tiff import CAMERAS, write_camera_tiff
from tests.making.dng.denoised import EDIT
from tests.making.dng.fields import NEUTRAL
from tests.making.dng.previewed import Preview, drawn, noisy_scene
from tests.making.mosaics import noisy_samples
from tests.making.pictures import jpeg, jpeg_bytes
from tests.making.raf import write_raf
from tests.making.tiff import ASCII, LONG, RATIONAL, SHORT, UNDEFINED, TiffBuilder
from tests.programs.exiftool import exiftool, need_exiftool

LENS = {
    42033: (ASCII, "000123"),
    42034: (RATIONAL, [(24, 1), (70, 1), (28, 10), (0, 0)]),
    42036: (ASCII, "24-70mm f/2.8"),
    36868: (ASCII, "2026:01:02 03:04:06"),
    37121: (UNDEFINED, b"\1\2\3\0"),
}
LEVELS = {50713: (SHORT, (2, 2)), 50714: (SHORT, (510, 511, 512, 513)), 50728: (RATIONAL, NEUTRAL)}
NOTES = {
    "nef": (b"Nikon\0\2\x10\0\0", 0x0087, ASCII, "ON"),
    "arw": (b"SONY DSC \0\0\0", 0xB001, SHORT, (306, 0)),
    "pef": (b"AOC\0", 0x0008, SHORT, 2),
    "cr2": (b"", 0x0008, LONG, 1000001),
}
"""What each maker's notes begin with, and one of its tags: number, type, value."""


def write_source(tmp_path, suffix="arw", **options):
    make, model = CAMERAS[suffix]
    options = {"extra": LEVELS, "extra_exif": LENS} | options
    return write_camera_tiff(
        tmp_path / f"in.{suffix}", noisy_samples(200, 300), make=make, model=model, **options
    )


def write_note(suffix, byteorder):
    """A maker note of one tag, as the maker of that raw writes it."""
    start, tag, kind, values = NOTES[suffix]
    tiff = TiffBuilder(byteorder)
    header = tiff.close(8)[:8]
    tiff.add_ifd({tag: (kind, values)})
    own_header = {"nef": header, "pef": header[:2]}.get(suffix, b"")
    return start + own_header + bytes(tiff.buffer[8:])


def convert(source, **choices):
    """The canonical DNG of a raw, checked."""
    raw_image, output = read_raw(source), source.with_name("out.dng")
    write_dng(output, raw_image, raw_image.mosaic, edit=EDIT, choices=WriteChoices(**choices))
    check_dng(output, raw_image.mosaic)
    return output


@need_exiftool
@pytest.mark.parametrize("byteorder", ("<", ">"))
@pytest.mark.parametrize("suffix", CAMERAS)
def test_exiftool_finds_nothing_wrong(tmp_path, suffix, byteorder):
    note = (900, write_note(suffix, byteorder))
    source = write_source(tmp_path, suffix, byteorder=byteorder, preview=jpeg(64), maker_note=note)

    output = convert(source)

    assert "OK\n" == exiftool(output, "-validate", "-warning", "-error", "-a", "-s3")
    notes = [exiftool(path, "-MakerNotes:all", "-s") for path in (source, output)]
    assert notes[0]
    assert notes[0] == notes[1]


@need_exiftool
@pytest.mark.parametrize("suffix", CAMERAS)
def test_exiftool_reads_the_same_photograph(tmp_path, suffix):
    source = write_source(tmp_path, suffix, orientation=6)
    groups = ("-ExifIFD:all", "-GPS:all", "-IFD0:Make", "-IFD0:Model", "-IFD0:Orientation")
    shared = ("-IFD0:ImageDescription", "-IFD0:Software", "-IFD0:ModifyDate", "-IFD0:Artist")
    options = ("-j", "-n", "-a", "-G1", *groups, *shared, "-IFD0:Copyright")

    (before,), (after,) = (json.loads(exiftool(p, *options)) for p in (source, convert(source)))

    assert {"ExifIFD:LensModel", "GPS:GPSLatitude", "IFD0:Artist"} < before.keys()
    assert before | {"SourceFile": ""} == after | {"SourceFile": ""}


@pytest.mark.parametrize("suffix", CAMERAS)
def test_libraw_reads_the_same_samples_levels_and_colours(tmp_path, suffix):
    source = write_source(tmp_path, suffix)
    output = convert(source)

    with rawpy.imread(str(source)) as before, rawpy.imread(str(output)) as after:
        assert np.array_equal(before.raw_image, after.raw_image)
        assert np.array_equal(before.raw_pattern, after.raw_pattern)
        assert before.black_level_per_channel == after.black_level_per_channel
        assert before.white_level == after.white_level
        assert before.color_desc == after.color_desc
        assert before.sizes[:6] == after.sizes[:6]
        assert before.sizes.flip == after.sizes.flip
        assert before.camera_whitebalance[1] > 0
        gains = (np.array(raw.camera_whitebalance[:3]) for raw in (before, after))
        first, second = (gain / gain[1] for gain in gains)
        assert first == pytest.approx(second, rel=1e-5)
        assert before.rgb_xyz_matrix == pytest.approx(after.rgb_xyz_matrix, abs=1e-4)


@pytest.mark.parametrize("suffix", CAMERAS)
def test_the_preview_is_the_cameras_own_bytes_beside_a_thumbnail(tmp_path, suffix):
    preview = jpeg(300)
    output = convert(write_source(tmp_path, suffix, preview=preview))

    tiff = parse(map_file(output), name="out.dng")

    ifd = tiff.ifds[0].sub_ifds(Tag.SUB_IFDS)[1]
    (start,), (length,) = ifd.ints(Tag.STRIP_OFFSETS), ifd.ints(Tag.STRIP_BYTE_COUNTS)
    assert preview == bytes(tiff.data[start : start + length])
    assert (300,) == ifd.ints(Tag.IMAGE_WIDTH) == ifd.ints(Tag.IMAGE_LENGTH)
    assert max(tiff.ifds[0].ints(Tag.IMAGE_WIDTH)) <= 256


@pytest.mark.parametrize("stops", (-0.5, 1.2))
@pytest.mark.parametrize("shape", ((192, 288), (120, 160)))
def test_a_rendered_preview_is_as_large_and_as_bright_as_the_cameras(tmp_path, stops, shape):
    own = Preview(*shape, stops=stops)
    samples = noisy_scene(400, 600) - 512
    preview = jpeg_bytes(drawn(own, shape=(400, 600)))
    neutral = {50728: (RATIONAL, (1.0, 1.0, 1.0))}
    source = write_camera_tiff(tmp_path / "in.nef", samples, preview=preview, extra=neutral)

    output = convert(source, preview="render")

    content = output.read_bytes()
    assert preview not in content
    ifd = parse(map_file(output), name="out.dng").ifds[0].sub_ifds(Tag.SUB_IFDS)[1]
    [start], [size] = ifd.ints(Tag.STRIP_OFFSETS), ifd.ints(Tag.STRIP_BYTE_COUNTS)
    shown = np.asarray(Image.open(io.BytesIO(content[start : start + size])))
    assert (*shape, 3) == shown.shape
    assert drawn(own, shape=(400, 600)).mean() == pytest.approx(shown.mean(), rel=0.02)
    assert (2, "fadn") == (
        ifd.first_int(Tag.PREVIEW_COLOR_SPACE, 0),
        ifd.get(Tag.PREVIEW_APPLICATION_NAME).text,
    )


def test_without_a_preview_the_thumbnail_is_all_there_is(tmp_path):
    preview = jpeg(300)
    output = convert(write_source(tmp_path, preview=preview), preview="none")

    [ifd0] = parse(map_file(output), name="out.dng").ifds
    [raw] = ifd0.sub_ifds(Tag.SUB_IFDS)
    assert 0 == raw.first_int(Tag.NEW_SUBFILE_TYPE, 1)
    assert max(ifd0.ints(Tag.IMAGE_WIDTH)) <= 256
    assert preview not in output.read_bytes()


@need_exiftool
@pytest.mark.parametrize("preview", PREVIEWS)
def test_exiftool_finds_nothing_wrong_with_any_choice(tmp_path, preview):
    note = (900, write_note("arw", ">"))
    source = write_source(tmp_path, byteorder=">", preview=jpeg(64), maker_note=note)

    output = convert(source, preview=preview, compression="none")

    assert "OK\n" == exiftool(output, "-validate", "-warning", "-error", "-a", "-s3")
    with rawpy.imread(str(source)) as before, rawpy.imread(str(output)) as after:
        assert np.array_equal(before.raw_image, after.raw_image)


@pytest.mark.parametrize(("stated", "expected"), ((1, 2), (65535, 0), (None, 0)))
def test_the_previews_colour_space_is_what_exif_says_or_unknown(tmp_path, stated, expected):
    source = write_source(tmp_path, preview=jpeg(64), extra_exif={40961: (SHORT, stated)})

    ifd0 = parse(map_file(convert(source)), name="out.dng").ifds[0]

    preview = ifd0.sub_ifds(Tag.SUB_IFDS)[1]
    assert (expected, 2) == (preview.ints(Tag.PREVIEW_COLOR_SPACE)[0], ifd0.ints(50970)[0])


def test_lens_and_serial_number_stand_where_dng_readers_look(tmp_path):
    ifd0 = parse(map_file(convert(write_source(tmp_path))), name="out.dng").ifds[0]

    assert ((24, 1), (70, 1), (28, 10), (0, 0)) == ifd0.get(Tag.LENS_INFO).values
    assert "000123" == ifd0.get(Tag.CAMERA_SERIAL_NUMBER).text


@pytest.mark.parametrize(
    "odd",
    (
        {42034: (RATIONAL, [(24, 1)]), 42033: (SHORT, 7)},
        {42034: (ASCII, "non"), 42033: (UNDEFINED, b"777")},
    ),
)
def test_a_lens_or_serial_number_of_another_kind_stays_in_exif(tmp_path, odd):
    ifd0 = parse(map_file(convert(write_source(tmp_path, extra_exif=odd))), name="o").ifds[0]

    assert ifd0.get(Tag.LENS_INFO) is None
    assert ifd0.get(Tag.CAMERA_SERIAL_NUMBER) is None


def test_the_interoperability_ifd_is_kept(tmp_path):
    """The builder writes none, so the pointer leads to Canon's maker note, which is an IFD."""
    note = (900, write_note("cr2", "<"))
    source = write_source(tmp_path, "cr2", maker_note=note, extra_exif=LENS | {40965: (LONG, 900)})

    fields = read_blocks(convert(source)).interoperability

    assert [(0x0008, (1000001,))] == [(field.tag, field.values) for field in fields]


@pytest.mark.parametrize("high", (1000, 16383))
def test_the_bit_depth_is_the_sources_however_dark_the_photograph(tmp_path, high):
    source = write_camera_tiff(tmp_path / "in.nef", noisy_samples(100, 120, low=500, high=high))

    ifd = find_raw_ifd(parse(map_file(convert(source)), name="out.dng"))

    assert (14,) == ifd.ints(Tag.BITS_PER_SAMPLE)
    assert ifd.ints(Tag.WHITE_LEVEL)[0] < 2**14


@pytest.mark.parametrize(
    ("name", "kind", "stated"),
    (
        ("IMG_0001.arw", 2, b"IMG_0001.arw\0"),
        ("Übung 1.arw", 1, "Übung 1.arw\0".encode()),
        ("bad\udcff.arw", 1, b"bad?.arw\0"),
    ),
)
def test_any_file_name_is_stated(tmp_path, name, kind, stated):
    raw_image = read_raw(write_source(tmp_path))
    renamed = raw_image.path.rename(tmp_path / name)
    output = tmp_path / "out.dng"

    write_dng(output, replace(raw_image, path=renamed), raw_image.mosaic, edit=EDIT)

    entry = parse(map_file(output), name="out.dng").ifds[0].get(Tag.ORIGINAL_RAW_FILE_NAME)
    assert (kind, stated) == (entry.type, bytes(entry.data))


@need_exiftool
def test_a_raf_goes_the_whole_way(tmp_path):
    """Its metadata is in a JPEG, which is the preview too, its samples in a TIFF of their own."""
    note = b"FUJIFILM" + struct.pack("<IHHHI4sI", 12, 1, 0, 7, 4, b"0130", 0)
    source = write_raf(
        tmp_path / "in.raf", noisy_samples(200, 300), model="X-A10", x_trans=False, note=note
    )
    groups = ("-j", "-n", "-ExifIFD:all", "-FujiFilm:all", "-IFD0:Make", "-IFD0:Model", "-G1")

    output = convert(source)

    (before,), (after,) = (json.loads(exiftool(path, *groups)) for path in (source, output))
    assert {"FujiFilm:Version", "ExifIFD:ISO"} < before.keys()
    assert before | {"SourceFile": ""} == after | {"SourceFile": ""}
    assert "OK\n" == exiftool(output, "-validate", "-warning", "-error", "-a", "-s3")
    assert read_blocks(source).preview in output.read_bytes()


REAL = ("kodak_dc120_3908.kdc", "kodak_dc50_0012.kdc", "canon_s40_0119.crw", "canon_g2_0305.crw")
SHAPES = {"kodak_dc120_3908.kdc": (976, 1301, 3)}  # of pixels 1.53 times as wide as high


@pytest.mark.raw
@pytest.mark.parametrize("name", REAL)
def test_libraw_develops_it_like_its_source_in_shape_and_colours(raws, denoised, name):
    source, output = (develop_with_libraw(path) for path in (raws / name, denoised(name)[0]))

    assert source.shape == output.shape
    assert source.shape == SHAPES.get(name, source.shape)
    means = [picture.reshape(-1, 3).mean(axis=0) for picture in (source, output)]
    assert abs(means[0] - means[1]).max() < 1
    assert () == verify(raws / name, denoised(name)[0]).violations


def develop_with_libraw(path):
    """A picture by LibRaw alone, with brightness by the levels."""
    with rawpy.imread(io.BytesIO(path.read_bytes())) as raw:
        return raw.postprocess(use_camera_wb=True, no_auto_bright=True, adjust_maximum_thr=0)


@pytest.mark.raw
@need_exiftool
def test_a_crw_keeps_camera_exposure_lens_crop_and_preview(raws, denoised, tmp_path):
    output, _ = denoised("canon_s40_0119.crw")
    names = "UniqueCameraModel ExposureTime FNumber ISO DateTimeOriginal FocalLength DNGLensInfo"

    said = exiftool(output, "-n", "-s3", *(f"-{name}" for name in names.split())).splitlines()

    assert "Canon PowerShot S40" == said[0]
    assert ["2.8", "50", "2021:03:26 21:18:06", "7.09375"] == said[2:6]
    assert 1 / 60 == pytest.approx(float(said[1]))
    assert said[6].startswith("7.09375 21.3125")
    ifd = find_raw_ifd(parse(map_file(output), name="out"))
    assert ((20, 8), (2272, 1704)) == (
        ifd.ints(Tag.DEFAULT_CROP_ORIGIN),
        ifd.ints(Tag.DEFAULT_CROP_SIZE),
    )
    kept = read_blocks(raws / "canon_s40_0119.crw").preview
    assert 66180 == len(kept)
    source = tmp_path / "canon_s40_0119.crw"
    source.write_bytes((raws / source.name).read_bytes())
    assert kept == read_blocks(convert(source, preview="keep")).preview
