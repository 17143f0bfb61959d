"""Previews are kept, rendered anew from the denoised samples, or left out, as was asked for."""

import io
import shutil

import numpy as np
import pytest
from PIL import Image

from fadn_cli.raw.check.dng import check_dng, check_file
from fadn_cli.raw.check.verify import verify
from fadn_cli.raw.dng.edit import COMPRESSIONS, PREVIEWS
from fadn_cli.raw.dng.write import WriteChoices, write_dng
from fadn_cli.raw.previews import renew
from fadn_cli.raw.previews.shown import show
from fadn_cli.raw.source.dng_checks import find_raw_ifd
from fadn_cli.raw.source.reader import read_raw
from fadn_cli.raw.tiff.file import map_file, parse
from fadn_cli.raw.tiff.tags import Tag
from fadn_cli.raw.tiff.tree import name_ifds
from tests.making.dng.damage import overwrite, set_value
from tests.making.dng.denoised import EDIT, write_copy
from tests.making.dng.previewed import (
    HEIGHT,
    WIDTH,
    Preview,
    drawn,
    noisy_scene,
    write_previewed,
)
from tests.making.layouts.catalogue import all_layouts
from tests.making.pictures import encoded, jpeg_bytes, light
from tests.making.tiff import BYTE, LONG, SHORT, SRATIONAL, UNDEFINED
from tests.programs.exiftool import exiftool, need_exiftool

ALL_LAYOUTS = all_layouts()
CHOICES = (("render", "lj92"), ("none", "none"), ("keep", "none"), ("render", "none"))
LAYOUTS = {
    "in front": {"before": (Preview(96, 144), Preview(192, 288)), "behind": ()},
    "behind": {},
    "at the end": {"raw_last": True},
    "big endian": {"byteorder": ">", "orientation": 6},
    "upright": {"orientation": 8, "behind": (Preview(144, 96, upright=True),), "thumbnail": None},
    "only small": {"behind": ()},
    "none at all": {"behind": (), "thumbnail": None},
    "in the chain": {"behind": (), "thumbnail": None, "chained": (Preview(80, 120, "exif"),)},
    "two in the chain": {"chained": (Preview(80, 120, "exif"), Preview(40, 60, "exif"))},
    "raw in IFD0": {"thumbnail": None},
    "other shapes": {"behind": (Preview(90, 160), Preview(120, 120, bars=False))},
    "packed": {"bits": 14},
    "last": {"raw_last": True, "tail": Preview(192, 288)},
}


def structure(path):
    return parse(map_file(path), name=path.name, tolerant=True)


def previews_of(path):
    """Every picture of a file by the name of its IFD: (height, width, 3) uint8."""
    tiff = structure(path)
    found = {}
    for name, ifd in name_ifds(tiff).items():
        jpeg = ifd.first_int(Tag.JPEG_INTERCHANGE_FORMAT, 0)
        if not jpeg and ifd.first_int(Tag.NEW_SUBFILE_TYPE, 0) not in (1, 0x10001):
            continue
        start = jpeg or ifd.first_int(Tag.STRIP_OFFSETS, 0)
        size = ifd.first_int(Tag.JPEG_INTERCHANGE_FORMAT_LENGTH, 0)
        data = bytes(tiff.data[start : start + (size or ifd.first_int(Tag.STRIP_BYTE_COUNTS, 0))])
        shape = (ifd.first_int(Tag.IMAGE_LENGTH, 0), ifd.first_int(Tag.IMAGE_WIDTH, 0), 3)
        if ifd.first_int(Tag.COMPRESSION, 1) == 1:
            found[name] = np.frombuffer(data, np.uint8).reshape(shape)
        else:
            found[name] = np.asarray(Image.open(io.BytesIO(data)))
            assert jpeg or shape == found[name].shape
    return found


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(("preview", "compression"), CHOICES[:3])
def test_every_choice_holds_for_every_layout(tmp_path, layout, preview, compression):
    source = write_previewed(tmp_path / "in.dng", **LAYOUTS[layout])
    known = {fault.place for fault in check_file(source).findings}

    output, _ = write_copy(source, preview, compression)

    assert () == verify(source, output).violations
    found = check_file(output)
    assert [] == [str(fault) for fault in found.findings if fault.place not in known]


@pytest.mark.parametrize("number", range(0, len(ALL_LAYOUTS), 3))
def test_choices_hold_for_layouts_of_every_kind(tmp_path, number):
    """Every third of those that the format allows, and for the next the next choice."""
    layout = list(ALL_LAYOUTS.values())[number]
    source, output = tmp_path / "in.dng", tmp_path / "out.dng"
    layout.write(source)
    preview, compression = CHOICES[number % len(CHOICES)]
    raw_image = read_raw(source)

    choices = WriteChoices(preview=preview, compression=compression)
    write_dng(output, raw_image, raw_image.mosaic, edit=EDIT, choices=choices)

    check_dng(output, raw_image.mosaic, source=source)
    assert () == verify(source, output).violations


@pytest.mark.parametrize("layout", LAYOUTS)
def test_new_previews_show_the_denoised_photograph_where_and_as_the_old_ones_did(tmp_path, layout):
    source = write_previewed(tmp_path / "in.dng", **LAYOUTS[layout])
    before = previews_of(source)

    after = previews_of(write_copy(source)[0])

    assert before.keys() <= after.keys()
    for name, old in before.items():
        assert old.shape == after[name].shape
        assert np.abs(old.astype(int) - after[name]).mean() < 4


@pytest.mark.parametrize("stops", (-0.8, 0.8, 1.6))
def test_a_new_preview_is_as_bright_as_the_cameras(tmp_path, stops):
    sizes = ((80, 120, "rgb"), (96, 144), (192, 288))
    small, *large = (Preview(*size, stops=stops) for size in sizes)
    source = write_previewed(tmp_path / "in.dng", thumbnail=small, behind=large)
    before = previews_of(source)

    after = previews_of(write_copy(source)[0])

    for name, old in before.items():
        assert old.mean() == pytest.approx(after[name].mean(), rel=0.06)


@pytest.mark.parametrize("orientation", (1, 2, 3, 6, 8))
@pytest.mark.parametrize("upright", (False, True))
def test_nothing_turns_that_did_not_turn_before(tmp_path, orientation, upright):
    shape = (192, 288) if not upright or orientation < 5 else (288, 192)
    preview = Preview(*shape, upright=upright, stops=0.5)
    source = write_previewed(tmp_path / "in.dng", behind=(preview,), orientation=orientation)

    after = previews_of(write_copy(source)[0])["IFD0/SubIFD1"]

    assert np.abs(drawn(preview, orientation).astype(int) - after).mean() < 8


def test_a_preview_that_cannot_be_seen_is_rendered_as_the_sensor_lies(tmp_path):
    source = write_previewed(tmp_path / "in.dng", behind=(Preview(192, 288),), orientation=6)
    ifd = structure(source).ifds[0].sub_ifds(Tag.SUB_IFDS)[1]
    overwrite(source, ifd.first_int(Tag.STRIP_OFFSETS, 0) + 2, bytes(20))

    after = previews_of(write_copy(source)[0])["IFD0/SubIFD1"]

    assert np.abs(encoded(light()).astype(int) - after).mean() < 4


@pytest.mark.parametrize(
    "options",
    ({"behind": ()}, {"behind": (), "thumbnail": None}, {"thumbnail": None, "before": ()}),
)
def test_a_dng_without_a_jpeg_gets_one_and_any_other_none(tmp_path, options):
    source = write_previewed(tmp_path / "in.dng", **options)
    before = previews_of(source)

    after = previews_of(write_copy(source)[0])

    added = set(after) - set(before)
    had_jpeg = "behind" not in options
    assert (0 if had_jpeg else 1) == len(added)
    for name in added:
        assert (HEIGHT, WIDTH, 3) == after[name].shape
        assert np.abs(encoded(light()).astype(int) - after[name]).mean() < 4


def test_a_large_photograph_gets_a_preview_of_1024_pixels(tmp_path):
    source = write_previewed(tmp_path / "in.dng", noisy_scene(800, 1300), thumbnail=None, behind=())

    assert [(630, 1024, 3)] == [p.shape for p in previews_of(write_copy(source)[0]).values()]


def test_the_default_crop_and_baseline_exposure_are_shown(tmp_path):
    crop = {50719: (LONG, (40, 30)), 50720: (LONG, (200, 120))}
    source = write_previewed(
        tmp_path / "in.dng",
        thumbnail=None,
        behind=(),
        extra={50730: (SRATIONAL, [(1, 1)])} | crop,
    )

    [picture] = previews_of(write_copy(source)[0]).values()

    expected = encoded(light()[30:150, 40:240], stops=1)
    assert np.abs(expected.astype(int) - picture).mean() < 4


@pytest.mark.parametrize(
    ("stated", "expected"), ((2, 2), (3, 3), (4, 4), (0, 2), (1, 2), (None, 2))
)
def test_the_colour_space_is_the_old_one_or_srgb(tmp_path, monkeypatch, stated, expected):
    developed = []

    def watched(*arguments, space, **options):
        developed.append(space)
        return show(*arguments, space=space, **options)

    monkeypatch.setattr(renew, "show", watched)
    preview = Preview(96, 144, space=stated)
    source = write_previewed(tmp_path / "in.dng", behind=(preview,))

    tiff = structure(write_copy(source)[0])

    assert (expected,) == tiff.ifds[0].sub_ifds(Tag.SUB_IFDS)[1].ints(Tag.PREVIEW_COLOR_SPACE)
    assert {2, expected} == set(developed)  # IFD0's is sRGB
    assert expected == developed[0]  # the look is found in the largest one's


def test_what_was_said_of_the_old_preview_is_gone_and_nothing_else(tmp_path):
    kept = {33432: (2, "(c) A. Photographer"), 34675: (UNDEFINED, b"of the old preview")}
    source = write_previewed(tmp_path / "in.dng", extra=kept)

    output, _ = write_copy(source)

    for ifd in (structure(output).ifds[0], structure(output).ifds[0].sub_ifds(Tag.SUB_IFDS)[1]):
        assert "fadn" == ifd.get(Tag.PREVIEW_APPLICATION_NAME).text
        for tag in (
            Tag.PREVIEW_APPLICATION_VERSION,
            Tag.PREVIEW_SETTINGS_NAME,
            Tag.PREVIEW_SETTINGS_DIGEST,
            Tag.PREVIEW_DATE_TIME,
            Tag.ICC_PROFILE,
        ):
            assert ifd.get(tag) is None
    assert b"(c) A. Photographer" == bytes(structure(output).ifds[0].get(Tag.COPYRIGHT).data)[:-1]


def test_the_same_in_gives_the_same_out(tmp_path):
    source = write_previewed(tmp_path / "in.dng")

    first = write_copy(source, threads=1)[0].read_bytes()

    assert first == write_copy(source, threads=3)[0].read_bytes()


def test_a_new_preview_takes_the_place_of_the_old_one(tmp_path):
    source = write_previewed(tmp_path / "in.dng", raw_last=True)

    before, after = structure(source), structure(write_copy(source)[0])

    for name in ("IFD0", "IFD0/SubIFD1", "IFD0/SubIFD2"):
        old, new = (name_ifds(tiff)[name] for tiff in (before, after))
        [start], [size] = old.ints(Tag.STRIP_OFFSETS), old.ints(Tag.STRIP_BYTE_COUNTS)
        assert start == new.first_int(Tag.STRIP_OFFSETS, 0)
        used = new.first_int(Tag.STRIP_BYTE_COUNTS, 0)
        assert used <= size
        rest = slice(start + used, start + size)
        assert used == size or before.data[rest] != after.data[rest]


def test_a_new_preview_that_is_larger_goes_elsewhere(tmp_path):
    source = write_previewed(tmp_path / "in.dng")
    tiff = structure(source)
    ifd = tiff.ifds[0].sub_ifds(Tag.SUB_IFDS)[2]
    small = jpeg_bytes(drawn(Preview(192, 288)), quality=5)
    start = ifd.first_int(Tag.STRIP_OFFSETS, 0)
    overwrite(source, start, small)
    set_value(source, ifd.get(Tag.STRIP_BYTE_COUNTS), len(small))

    output, _ = write_copy(source)

    new = structure(output).ifds[0].sub_ifds(Tag.SUB_IFDS)[2]
    assert new.first_int(Tag.STRIP_BYTE_COUNTS, 0) > len(small)
    assert start != new.first_int(Tag.STRIP_OFFSETS, 0)
    assert verify(source, output).holds


def test_an_added_preview_comes_before_the_samples(tmp_path):
    source = write_previewed(tmp_path / "in.dng", behind=(), thumbnail=None)

    output, _ = write_copy(source, compression="none")

    tiff = structure(output)
    preview, strip = (
        ifd.first_int(Tag.STRIP_OFFSETS, 0)
        for ifd in (*tiff.ifds[0].sub_ifds(Tag.SUB_IFDS), find_raw_ifd(tiff))
    )
    assert preview < strip
    assert output.stat().st_size < source.stat().st_size + 20_000


@pytest.mark.parametrize("preview", ("render", "none"))
def test_a_preview_that_shares_bytes_with_something_else_leaves_them_alone(tmp_path, preview):
    source = write_previewed(tmp_path / "in.dng")
    ifd = structure(source).ifds[0].sub_ifds(Tag.SUB_IFDS)[1]
    [start], [size] = ifd.ints(Tag.STRIP_OFFSETS), ifd.ints(Tag.STRIP_BYTE_COUNTS)
    spare = structure(source).ifds[0].sub_ifds(Tag.SUB_IFDS)[2].get(Tag.PREVIEW_SETTINGS_NAME)
    note = Tag.PREVIEW_SETTINGS_NAME  # its bytes are now a part of the preview
    set_value(source, spare, start + 10)
    assert structure(source).ifds[0].sub_ifds(Tag.SUB_IFDS)[2].get(note)

    output, _ = write_copy(source, preview)

    assert source.read_bytes()[start : start + size] == output.read_bytes()[start : start + size]


@pytest.mark.parametrize(
    "other",
    (
        {254: (LONG, 4)},  # a transparency mask
        {254: (LONG, 0x10004)},
    ),
)
def test_what_is_no_picture_is_left_as_it_is(tmp_path, other):
    source = write_previewed(tmp_path / "in.dng")
    ifd = structure(source).ifds[0].sub_ifds(Tag.SUB_IFDS)[1]
    for tag, (_, value) in other.items():
        set_value(source, ifd.get(tag), value)
        if tag == 258:
            overwrite(source, ifd.get(tag).location + 4, b"\1\0\0\0")
    [start], [size] = ifd.ints(Tag.STRIP_OFFSETS), ifd.ints(Tag.STRIP_BYTE_COUNTS)

    output, _ = write_copy(source)

    new = structure(output).ifds[0].sub_ifds(Tag.SUB_IFDS)[1]
    now = new.first_int(Tag.STRIP_OFFSETS, 0)
    assert source.read_bytes()[start : start + size] == output.read_bytes()[now : now + size]
    assert "Camera Firmware" == new.get(Tag.PREVIEW_APPLICATION_NAME).text


@pytest.mark.parametrize("layout", LAYOUTS)
def test_without_previews_nothing_is_left_of_them_but_ifd0s_thumbnail(tmp_path, layout):
    source = write_previewed(tmp_path / "in.dng", **LAYOUTS[layout])
    tiff = structure(source)
    jpegs = [
        bytes(tiff.data[start : start + size])
        for ifd in tiff.walk()
        for start, size in zip(
            (*ifd.ints(Tag.STRIP_OFFSETS), *ifd.ints(Tag.JPEG_INTERCHANGE_FORMAT)),
            (*ifd.ints(Tag.STRIP_BYTE_COUNTS), *ifd.ints(Tag.JPEG_INTERCHANGE_FORMAT_LENGTH)),
            strict=True,
        )
        if tiff.data[start : start + 2] == b"\xff\xd8"
    ]

    output, _ = write_copy(source, "none")

    content = output.read_bytes()
    assert not any(jpeg[200:260] in content for jpeg in jpegs)
    has_thumbnail = tiff.ifds[0].first_int(Tag.NEW_SUBFILE_TYPE, 0) == 1
    assert ["IFD0"] * has_thumbnail == list(previews_of(output))
    after = structure(output)
    assert 1 == len(after.ifds)
    subs = after.ifds[0].sub_ifds(Tag.SUB_IFDS)
    assert [find_raw_ifd(after)] * has_thumbnail == list(subs)
    assert (after.ifds[0].get(Tag.SUB_IFDS) is None) == (not has_thumbnail)


def test_raw_data_and_previews_at_the_end_are_cut_off(tmp_path):
    options = {"raw_last": True, "behind": (), "tail": Preview(192, 288)}
    source = write_previewed(tmp_path / "in.dng", noisy_scene() & 0xFFF0, **options)
    raw_start = find_raw_ifd(structure(source)).first_int(Tag.STRIP_OFFSETS, 0)

    gone, notes = write_copy(source, "none")

    new = find_raw_ifd(structure(gone))
    tiles, counts = new.ints(Tag.TILE_OFFSETS), new.ints(Tag.TILE_BYTE_COUNTS)
    assert () == notes
    assert raw_start <= tiles[0] < raw_start + 3000
    assert gone.stat().st_size < raw_start + sum(counts) + 3000
    assert verify(source, gone).holds
    assert verify(source, write_copy(source)[0]).holds


@pytest.mark.parametrize("kind", ("jpeg", "rgb"))
def test_without_previews_a_large_first_picture_becomes_a_thumbnail(tmp_path, kind):
    preview = Preview(384, 576, kind, stops=1)
    source = write_previewed(tmp_path / "in.dng", noisy_scene(400, 600), thumbnail=preview)

    output, _ = write_copy(source, "none")

    [(name, thumbnail)] = previews_of(output).items()
    assert ("IFD0", (171, 256, 3)) == (name, thumbnail.shape)
    assert drawn(preview, shape=(400, 600)).mean() == pytest.approx(thumbnail.mean(), rel=0.1)
    assert verify(source, output).holds


def test_masks_stay_without_previews(tmp_path):
    mask = Preview(96, 144, subfile_type=4)
    source = write_previewed(tmp_path / "in.dng", before=(mask,), behind=(Preview(96, 144), mask))

    output, _ = write_copy(source, "none")

    subs = structure(output).ifds[0].sub_ifds(Tag.SUB_IFDS)
    assert [4, 0, 4] == [ifd.first_int(Tag.NEW_SUBFILE_TYPE, 0) for ifd in subs]
    result = verify(source, output)
    assert result.holds
    assert {"IFD0/SubIFD2"} == {change.ifd for change in result.tags if change.after is None} - {
        "IFD0/SubIFD1"
    }


def test_alternate_previews_are_previews_too(tmp_path):
    alternate = Preview(96, 144, subfile_type=0x10001)
    source = write_previewed(tmp_path / "in.dng", behind=(alternate, Preview(192, 288)))

    rendered, _ = write_copy(source)
    gone, _ = write_copy(source, "none")

    new = structure(rendered).ifds[0].sub_ifds(Tag.SUB_IFDS)[1]
    assert (0x10001,) == new.ints(Tag.NEW_SUBFILE_TYPE)
    assert "fadn" == new.get(Tag.PREVIEW_APPLICATION_NAME).text
    assert 1 == len(structure(gone).ifds[0].sub_ifds(Tag.SUB_IFDS))


def test_private_bytes_stay_where_they_are_whatever_the_choice(tmp_path):
    private = bytes(range(1, 200))
    source = write_previewed(tmp_path / "in.dng", extra={50740: (BYTE, private)})
    at = source.read_bytes().index(private)

    for preview in PREVIEWS:
        for compression in COMPRESSIONS:
            output, _ = write_copy(source, preview, compression)
            assert private == output.read_bytes()[at : at + len(private)]


@need_exiftool
@pytest.mark.parametrize(("preview", "compression"), (("render", "none"), ("none", "lj92")))
def test_exiftool_finds_no_fault_that_the_source_has_not(tmp_path, preview, compression):
    source = write_previewed(tmp_path / "in.dng", orientation=6)

    output, _ = write_copy(source, preview, compression)

    before, after = (
        set(exiftool(path, "-validate", "-warning", "-error", "-a", "-s3").splitlines())
        for path in (source, output)
    )
    assert after <= before


@pytest.mark.raw
@pytest.mark.parametrize(("preview", "compression"), (("render", "none"), ("none", "lj92")))
def test_real_files_hold_whatever_the_choice(raws, tmp_path, preview, compression):
    for name in ("canon_kiss_x4_colorchart", "nikon_flower_gbrg"):
        source = shutil.copyfile(raws / f"{name}.dng", tmp_path / f"{name}.dng")
        raw_image, output = read_raw(source), tmp_path / "out.dng"
        choices = WriteChoices(preview=preview, compression=compression)

        write_dng(output, raw_image, raw_image.mosaic, edit=EDIT, choices=choices)

        check_dng(output, raw_image.mosaic, source=source)
        result = verify(source, output)
        assert () == result.violations
        assert 0 == result.pixels.changed
        shown = list(previews_of(output).values())
        assert (preview == "render") == len(shown)
        for picture in shown:
            assert 30 < picture.mean() < 120


def reduced(photometric, **extra):
    """The fields that make a preview one of raw pixels, or a grey one."""
    return {262: (SHORT, photometric)} | extra


@pytest.mark.parametrize("photometric", (34892, 32803, 1))
@pytest.mark.parametrize("plain", (True, False))
def test_reduced_raw_pixels_and_grey_pictures_are_renewed_too(tmp_path, photometric, plain):
    kind = "rgb" if plain else "jpeg"
    source = write_previewed(tmp_path / "in.dng", behind=(Preview(96, 144, kind),))
    ifd = structure(source).ifds[0].sub_ifds(Tag.SUB_IFDS)[1]
    set_value(source, ifd.get(Tag.PHOTOMETRIC_INTERPRETATION), photometric)
    spare = ifd.get(Tag.PREVIEW_DATE_TIME).location  # states a level now, as raw pixels do
    overwrite(source, spare, (50717).to_bytes(2, "little") + b"\4\0\1\0\0\0" + bytes(4))

    output, _ = write_copy(source)

    new = structure(output).ifds[0].sub_ifds(Tag.SUB_IFDS)[1]
    assert "fadn" == new.get(Tag.PREVIEW_APPLICATION_NAME).text
    assert new.first_int(Tag.PHOTOMETRIC_INTERPRETATION, 0) in (2, 6)
    assert (new.get(Tag.WHITE_LEVEL) is None) == (photometric != 1)
    shown = previews_of(output)["IFD0/SubIFD1"]
    assert np.abs(encoded(light()).mean() - shown.mean()) < 4
    assert verify(source, output).holds
