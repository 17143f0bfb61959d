"""What denoising may change is told, and every other difference breaks the contract."""

import struct
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fadn_cli.errors import RawReadError, UnsupportedRawError
from fadn_cli.mosaic.saturation import saturated_areas
from fadn_cli.raw.check.dng import check_file
from fadn_cli.raw.check.verify import LARGEST_SHIFT, verify
from fadn_cli.raw.develop.tiff_image import write_tiff
from fadn_cli.raw.dng.write import DngEdit, write_dng
from fadn_cli.raw.source.metadata import read_blocks
from fadn_cli.raw.source.reader import read_raw
from fadn_cli.raw.tiff.tags import Tag
from fadn_cli.raw.tiff.tree import parts_of
from tests.making.camera_tiff import CAMERAS, write_camera_tiff
from tests.making.dng.damage import (
    ifd0_entry,
    overwrite,
    parse_file,
    raw_entry,
    set_count,
    set_value,
)
from tests.making.dng.fields import NEUTRAL
from tests.making.dng.write import write_dng as write_source
from tests.making.mosaics import noisy_samples
from tests.making.pictures import jpeg
from tests.making.raf import write_raf
from tests.making.sensor_files import write_grey_tiff
from tests.making.tiff import BYTE, LONG, RATIONAL, SHORT, SRATIONAL

HEIGHT, WIDTH = 160, 200
AREA = (6, 9, 158, 195)
WHITE = 15000
EDIT = DngEdit(noise_profile=None, strength=1, unique_id=bytes(range(16)), description="test")


def scene():
    """Samples with a saturated patch in them."""
    samples = noisy_samples(HEIGHT, WIDTH)
    samples[40:60, 50:80] = WHITE
    return samples


def denoised(path, change=None):
    """Write `path`'s output beside it: every active sample that may change has, by 1 DN."""
    raw_image = read_raw(path)
    samples = raw_image.mosaic.samples.copy()
    free = np.zeros(samples.shape, bool)
    free[raw_image.mosaic.active_area.slices] = True
    saturated = saturated_areas(raw_image.mosaic)
    free &= ~saturated if saturated is not None else True
    samples[free] ^= 1
    if change is not None:
        change(samples)
    output = path.with_name("out.dng")
    write_dng(output, raw_image, replace(raw_image.mosaic, samples=samples), edit=EDIT)
    return output


@pytest.fixture
def pair(tmp_path):
    """A source with raw data in the middle of the file, and its output."""
    source = write_source(
        tmp_path / "in.dng",
        scene(),
        white=WHITE,
        active_area=AREA,
        in_subifd=True,
        rows_per_strip=40,
        extra={700: (BYTE, b"<x/>"), 50740: (BYTE, bytes(range(200)))},
    )
    return source, denoised(source)


LAYOUTS = {
    "one strip": {},
    "strips": {"rows_per_strip": 30},
    "tiles": {"tile": (32, 48)},
    "SubIFD": {"in_subifd": True},
    "MM": {"byteorder": ">", "in_subifd": True, "tile": (16, 16)},
    "odd area": {"active_area": (5, 3, 157, 196), "cfa": "GBRG"},
    "linearization": {"linearization": tuple(range(0, 65536, 4))[:15001], "white": 60000},
    "levels by site": {"black": (500, 510, 520, 530), "black_repeat": (2, 2)},
    "levels by line": {"delta_h": (0.5,) * WIDTH, "delta_v": tuple(np.arange(HEIGHT) / 100)},
    "no white level": {"white": None},
    "no white level, 8 bits": {
        "white": None,
        "black": (0,),
        "extra_raw": {258: (SHORT, 8), 279: (LONG, HEIGHT * WIDTH)},
    },
    "DNG 1.0": {"extra": {50706: (BYTE, (1, 0, 0, 0)), 50707: (BYTE, (1, 0, 0, 0))}},
    "digests": {"extra": {50972: (BYTE, bytes(16)), 51111: (BYTE, bytes(range(16)))}},
    "active area of zeros": {"active_area": (0, 0, 0, 0)},
    "levels whose repeat says 1x1": {"black": (500, 510, 520, 530)},
    "chain to nowhere": {"extra": {"next": lambda at: 0x7FFFFFFF}},
    "profile": {"noise_profile": (1e-4, 1e-6), "extra": {51182: (2, "Enhanced")}},
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_we_write_holds(tmp_path, layout):
    source = write_source(tmp_path / "in.dng", scene(), **LAYOUTS[layout])

    result = verify(source, denoised(source))

    assert () == result.violations
    assert result.holds
    assert all(change.allowed for change in result.tags)
    assert () == result.bytes


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_we_write_has_no_faults_that_its_source_has_not(tmp_path, layout):
    source = write_source(tmp_path / "in.dng", scene(), **LAYOUTS[layout])
    before = check_file(source)
    known = {fault.place for fault in before.findings}

    found = check_file(denoised(source))

    assert before.ok == found.ok
    assert [] == [str(fault) for fault in found.findings if fault.place not in known]


def test_byte_counts_that_claim_too_much_do_not_take_what_follows(tmp_path):
    source = write_source(tmp_path / "in.dng", scene(), white=WHITE)
    strip, size = raw_entry(source, Tag.STRIP_OFFSETS), raw_entry(source, Tag.STRIP_BYTE_COUNTS)
    end = len(source.read_bytes())
    trailer = b"a maker's trailer"
    overwrite(source, end, scene().tobytes() + trailer)
    set_value(source, strip, end)
    set_value(source, size, 2 * HEIGHT * WIDTH + len(trailer))

    output = denoised(source)

    assert verify(source, output).holds
    assert trailer in output.read_bytes()


def test_bytes_after_the_raw_data_are_compared_too(tmp_path):
    source = write_source(tmp_path / "in.dng", scene(), white=WHITE)
    source.write_bytes(source.read_bytes() + b"a maker's trailer")
    output = denoised(source)

    assert verify(source, output).holds
    at = source.read_bytes().index(b"trailer")
    overwrite(output, at, b"TRAILER")

    changes = verify(source, output).bytes

    assert [(at, 7)] == [(change.offset, change.length) for change in changes]


def test_a_file_is_its_own_copy(pair):
    source, _ = pair

    result = verify(source, source)

    assert result.holds
    assert () == result.tags
    assert 0 == result.pixels.changed


def test_what_changed_is_told(pair):
    result = verify(*pair)

    changed = {(change.ifd, change.tag): change for change in result.tags}
    assert {
        ("IFD0", "XMP"),
        ("IFD0", "RawDataUniqueID"),
        ("IFD0/SubIFD0", "Compression"),
        ("IFD0/SubIFD0", "NoiseReductionApplied"),
        ("IFD0/SubIFD0", "StripOffsets"),
        ("IFD0/SubIFD0", "StripByteCounts"),
        ("IFD0/SubIFD0", "RowsPerStrip"),
        ("IFD0/SubIFD0", "TileOffsets"),
        ("IFD0/SubIFD0", "TileByteCounts"),
        ("IFD0/SubIFD0", "TileWidth"),
        ("IFD0/SubIFD0", "TileLength"),
    } == set(changed)
    compression = changed["IFD0/SubIFD0", "Compression"]
    assert ("1", "7") == (compression.before, compression.after)
    assert changed["IFD0/SubIFD0", "RowsPerStrip"].after is None
    assert "4 bytes" != changed["IFD0", "XMP"].after


def test_samples_are_counted_by_what_may_become_of_them(pair):
    pixels = verify(*pair).pixels

    top, left, bottom, right = AREA
    active = (bottom - top) * (right - left)
    assert 20 * 30 == pixels.saturated
    assert (active, active - 600) == (pixels.active, pixels.changed)
    assert HEIGHT * WIDTH - active == pixels.outside
    assert (0, 0) == (pixels.saturated_changed, pixels.outside_changed)
    assert 4 == len(pixels.block_shift)
    assert pixels.worst_block_shift < 1e-3


def test_saturated_samples_must_not_change(pair):
    source, _ = pair

    def darken(samples):
        samples[45, 55:58] -= 1

    result = verify(source, denoised(source, darken))

    assert not result.holds
    assert 3 == result.pixels.saturated_changed
    assert result.pixels.active - 600 == result.pixels.changed
    assert ("3 of 600 saturated samples differ.",) == result.violations


def test_an_isolated_sample_at_white_may_change(tmp_path):
    samples = noisy_samples(HEIGHT, WIDTH)
    samples[80, 80] = WHITE
    source = write_source(tmp_path / "in.dng", samples, white=WHITE)

    def darken(changed):
        changed[80, 80] = 9000

    assert verify(source, denoised(source, darken)).holds


def test_samples_outside_the_active_area_must_not_change(pair):
    source, _ = pair

    def change(samples):
        samples[AREA[0] - 1, :5] += 1

    result = verify(source, denoised(source, change))

    assert 5 == result.pixels.outside_changed
    assert ["5 of"] == [words[:4] for words in result.violations]


def test_small_areas_must_keep_their_brightness(pair):
    source, _ = pair
    step = round(1.5 * LARGEST_SHIFT * (WHITE - 512))

    def brighten(samples):
        red = samples[AREA[0] : AREA[2] : 2, AREA[1] : AREA[3] : 2]
        red[red < WHITE] += step

    result = verify(source, denoised(source, brighten))

    [words] = result.violations
    assert words.startswith("Small areas of R ")
    assert 1.5 * LARGEST_SHIFT == pytest.approx(result.pixels.block_shift[0], rel=0.1)
    assert result.pixels.block_shift[3] < 1e-3


def test_repaired_samples_are_no_change_of_brightness(tmp_path):
    samples = noisy_samples(HEIGHT, WIDTH, low=3000, high=4000)
    hot = np.random.default_rng(1).random(samples.shape) < 0.01
    source = write_source(tmp_path / "in.dng", np.where(hot, WHITE, samples), white=WHITE)

    def repair(changed):
        changed[hot] = samples[hot]

    def darken(changed):
        changed[hot] = samples[hot]
        changed -= 80

    assert verify(source, denoised(source, repair)).holds
    assert 4 == len(verify(source, denoised(source, darken)).violations)


def test_areas_too_bright_to_compare_are_left_out(tmp_path):
    samples = noisy_samples(64, 128)
    samples[:, 64:] = noisy_samples(64, 64, low=14000, high=14500)
    source = write_source(tmp_path / "in.dng", samples, white=WHITE)

    def brighten(changed):
        changed[:, 64:] += 300

    result = verify(source, denoised(source, brighten))

    assert 1 == result.pixels.blocks
    assert result.holds


def test_black_levels_are_compared_to_the_last_row(tmp_path):
    deltas = tuple(np.arange(HEIGHT) / 100)
    source = write_source(tmp_path / "in.dng", scene(), delta_v=deltas)
    output = denoised(source)
    entry = raw_entry(output, Tag.BLACK_LEVEL_DELTA_V)
    overwrite(output, entry.value_offset + 8 * (HEIGHT - 1), struct.pack("<i", 9_000_000))

    result = verify(source, output)

    assert any("The mosaic has black level" in words for words in result.violations)


@pytest.mark.parametrize(
    ("options", "tag", "value"),
    (
        (LAYOUTS["no white level, 8 bits"], Tag.WHITE_LEVEL, 254),
        (LAYOUTS["DNG 1.0"], Tag.DNG_VERSION, 0x0401),
    ),
)
def test_what_may_be_stated_anew_must_be_stated_right(tmp_path, options, tag, value):
    source = write_source(tmp_path / "in.dng", scene(), **options)
    output = denoised(source)
    set_value(output, ifd0_entry(output, tag), value)

    assert f"IFD0 {tag.label}" in " ".join(verify(source, output).violations)


def test_a_linearization_table_may_go_but_not_change(tmp_path):
    source = write_source(tmp_path / "in.dng", scene(), **LAYOUTS["linearization"])
    output = tmp_path / "out.dng"
    output.write_bytes(source.read_bytes())
    set_count(output, raw_entry(output, Tag.LINEARIZATION_TABLE), 15000)

    result = verify(source, output)

    assert ["LinearizationTable"] == [change.tag for change in result.tags if not change.allowed]


def test_values_are_compared_whatever_the_byte_order(tmp_path):
    """Bytes lie elsewhere in such a copy, but every value that stayed is known as the same."""
    source = write_source(tmp_path / "in.dng", scene(), white=WHITE)
    other = write_source(tmp_path / "other.dng", scene(), white=WHITE, byteorder=">")

    result = verify(source, other)

    assert () == result.tags
    assert result.bytes


PACKET = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="rdf"><rdf:Description rdf:about=""'
    b' xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="4"/></rdf:RDF></x:xmpmeta>'
)


@pytest.fixture(params=("DNG", "NEF"))
def rated(request, tmp_path):
    """A source of each kind with a rating in its XMP packet, and its output."""
    write = {"DNG": write_source, "NEF": write_camera_tiff}[request.param]
    source = write(tmp_path / "in.raw", scene(), extra={700: (BYTE, PACKET)})
    return source, denoised(source)


def test_nothing_but_our_marks_may_come_into_the_xmp_packet(rated):
    source, output = rated
    assert verify(source, output).holds
    entry = ifd0_entry(output, Tag.XMP)

    overwrite(output, entry.value_offset + bytes(entry.data).index(b'"4"') + 1, b"5")

    assert ["XMP"] == [tag.tag for tag in verify(source, output).tags if not tag.allowed]


def test_an_xmp_packet_must_not_go(rated):
    source, output = rated
    overwrite(output, ifd0_entry(output, Tag.XMP).location, struct.pack("<H", 699))

    result = verify(source, output)

    assert ["XMP"] == [tag.tag for tag in result.tags if not (tag.allowed or tag.after)]
    assert not result.holds


def test_an_xmp_packet_that_cannot_be_read_is_found(rated):
    source, output = rated
    set_value(output, ifd0_entry(output, Tag.XMP), 2**31)

    assert any("IFD0 XMP" in words for words in verify(source, output).violations)


def test_only_ifd0_states_what_belongs_there(tmp_path):
    options = {"in_subifd": True, "extra_raw": {700: (BYTE, b"<x/>")}}
    source = write_source(tmp_path / "in.dng", scene(), **options)
    output = denoised(source)
    set_value(output, raw_entry(output, Tag.XMP), 7)

    assert not verify(source, output).holds


def test_a_picture_that_is_no_preview_must_stay_what_it_is(tmp_path):
    options = {"in_subifd": True, "extra": {254: (LONG, 4)}}
    source = write_source(tmp_path / "in.dng", scene(), **options)
    output = denoised(source)
    end = len(output.read_bytes())
    old = ifd0_entry(source, Tag.STRIP_OFFSETS)
    set_value(output, ifd0_entry(output, Tag.STRIP_OFFSETS), end)

    overwrite(output, end, source.read_bytes()[old.ints[0] : old.ints[0] + 192])
    assert verify(source, output).holds

    overwrite(output, end, bytes([1]) * 192)
    result = verify(source, output)
    assert [(old.ints[0], 192)] == [(change.offset, change.length) for change in result.bytes]


def test_an_ifd_too_many_is_found(tmp_path):
    source = write_source(tmp_path / "in.dng", scene(), in_subifd=True)
    output = denoised(source)
    pointer = ifd0_entry(output, Tag.SUB_IFDS)
    exif = ifd0_entry(output, Tag.EXIF_IFD)
    end = len(output.read_bytes())
    tiff = parse_file(output)
    copy = tiff.data[exif.ints[0] : exif.ints[0] + 2 + 12 * 3 + 4]
    overwrite(output, end, struct.pack("<II", *pointer.ints, end + 8) + bytes(copy))
    set_count(output, pointer, 2)
    set_value(output, pointer, end)

    result = verify(source, output)

    assert ("SubIFDs", "1 IFDs", "2 IFDs") in [
        (change.tag, change.before, change.after) for change in result.tags
    ]


def test_what_lies_among_the_samples_must_stay(tmp_path):
    source = write_source(tmp_path / "in.dng", scene(), white=WHITE)
    strip = raw_entry(source, Tag.STRIP_OFFSETS).ints[0]
    matrix = ifd0_entry(source, Tag.COLOR_MATRIX_1)
    values = bytes(matrix.data)
    overwrite(source, strip + 100, values)
    set_value(source, matrix, strip + 100)
    output = denoised(source)

    assert verify(source, output).holds
    overwrite(output, strip + 100, b"!")

    assert [strip + 100] == [change.offset for change in verify(source, output).bytes]


def test_a_short_trailer_must_stay_too(tmp_path):
    source = write_source(tmp_path / "in.dng", scene(), white=WHITE)
    end = len(source.read_bytes())
    overwrite(source, end, scene().tobytes() + b"short")
    set_value(source, raw_entry(source, Tag.STRIP_OFFSETS), end)
    output = denoised(source)
    assert verify(source, output).holds

    overwrite(output, source.stat().st_size - 3, b"x")

    assert [1] == [change.length for change in verify(source, output).bytes]


@pytest.mark.parametrize(
    ("tag", "value"),
    ((Tag.ORIENTATION, 6), (Tag.CALIBRATION_ILLUMINANT_1, 17), (Tag.MODEL, 8)),
)
def test_a_tag_that_must_not_change_is_found(pair, tag, value):
    source, output = pair
    entry = ifd0_entry(output, tag)
    set_value(output, entry, value) if entry.size <= 4 else set_count(output, entry, value)

    result = verify(source, output)

    assert (f"Tags differ that must not: IFD0 {tag.label}.",) == result.violations
    assert [tag.label] == [change.tag for change in result.tags if not change.allowed]


@pytest.mark.parametrize("tag", (Tag.ACTIVE_AREA, Tag.CFA_LAYOUT))
def test_a_tag_of_the_raw_ifd_that_must_not_go_is_found(pair, tag):
    source, output = pair
    entry = raw_entry(output, tag)
    overwrite(output, entry.location, struct.pack("<H", 65000))

    result = verify(source, output)

    assert any(f"IFD0/SubIFD0 {tag.label}" in words for words in result.violations)


def test_values_that_changed_in_place_are_found_as_tags_and_as_bytes(pair):
    source, output = pair
    at = source.read_bytes().index(bytes(range(200)))
    overwrite(output, at + 5, b"ab")

    result = verify(source, output)

    assert ["DNGPrivateData"] == [change.tag for change in result.tags if not change.allowed]
    assert [(at + 5, 2)] == [(change.offset, change.length) for change in result.bytes]


def test_a_lost_ifd_is_found(pair):
    source, output = pair
    overwrite(output, ifd0_entry(output, Tag.EXIF_IFD).location, struct.pack("<H", 34664))

    result = verify(source, output)

    assert not result.holds
    lost = [(change.ifd, change.tag) for change in result.tags if change.after is None]
    assert ("IFD0/EXIF", "ExposureTime") in lost


def test_a_file_cut_short_is_found(pair):
    source, output = pair
    with_trailer = source.read_bytes() + bytes([7]) * 100_000
    source.write_bytes(with_trailer)

    result = verify(source, output)

    assert not result.holds
    assert len(with_trailer) == result.bytes[-1].offset + result.bytes[-1].length


def test_a_preview_that_is_kept_must_not_be_damaged(pair):
    source, output = pair
    strip = ifd0_entry(source, Tag.STRIP_OFFSETS).ints[0]
    overwrite(output, strip, b"new")

    damaged = verify(source, output)

    assert [(strip, 3)] == [(change.offset, change.length) for change in damaged.bytes]


@pytest.fixture(scope="module")
def contents(tmp_path_factory):
    """The bytes of a small source and of its output, and where the source's samples are not."""
    folder = tmp_path_factory.mktemp("pair")
    samples = noisy_samples(64, 64)
    source = write_source(folder / "in.dng", samples, in_subifd=True, extra={700: (BYTE, b"<x/>")})
    output = denoised(source)
    # Old IFDs and XMP are written anew; all else behind the samples moves into their place.
    kept = [
        part
        for part in parts_of(parse_file(source))
        if (part.kind != "ifd" or part.ifd == "IFD0/EXIF") and part.tag != 700
    ]
    shift = 2 * samples.size
    places = {at - shift for part in kept for at in range(part.start, part.stop) if at > shift}
    return source.read_bytes(), output.read_bytes(), sorted(places)


@given(data=st.data())
def test_no_byte_can_change_that_should_have_stayed(tmp_path_factory, contents, data):
    before, after, kept = contents
    folder = tmp_path_factory.getbasetemp()
    (folder / "in.dng").write_bytes(before)
    changed = bytearray(after)
    changed[data.draw(st.sampled_from(kept))] ^= data.draw(st.integers(1, 255))
    (folder / "out.dng").write_bytes(changed)

    try:
        result = verify(folder / "in.dng", folder / "out.dng")
    except (RawReadError, UnsupportedRawError):
        return

    assert not result.holds


@given(data=st.data())
def test_whatever_the_damage_verify_answers_or_says_what_it_cannot_read(
    tmp_path_factory, contents, data
):
    before, after, _ = contents
    folder = tmp_path_factory.getbasetemp()
    (folder / "in.dng").write_bytes(before)
    changed = bytearray(after)
    for _ in range(data.draw(st.integers(1, 5))):
        changed[data.draw(st.integers(0, len(after) - 1))] = data.draw(st.integers(0, 255))
    (folder / "out.dng").write_bytes(changed[: data.draw(st.integers(1, len(after)))])

    try:
        result = verify(folder / "in.dng", folder / "out.dng")
    except (RawReadError, UnsupportedRawError) as error:
        assert "out.dng" in str(error)
        return

    assert result.holds == (not result.violations)


def test_levels_that_differ_are_named(pair):
    source, output = pair
    set_value(output, raw_entry(output, Tag.WHITE_LEVEL), WHITE + 1)

    result = verify(source, output)

    assert f"The mosaic has white level {WHITE + 1} instead of {WHITE}." in result.violations


def test_two_photographs_of_one_size_are_told_apart(tmp_path, pair):
    source, _ = pair
    other = write_source(
        tmp_path / "other.dng",
        noisy_samples(HEIGHT, WIDTH, seed=5),
        white=WHITE,
        model="Another",
        tile=(16, 16),
    )

    result = verify(source, other)

    assert not result.holds
    assert result.bytes


def test_two_photographs_of_two_sizes_are_told_apart_in_one_sentence(tmp_path, pair):
    source, _ = pair
    other = write_source(tmp_path / "other.dng", noisy_samples(64, 96))

    result = verify(source, other)

    assert not result.holds
    assert result.pixels is None
    assert result.violations[0].startswith("The mosaic is 96x64, the source's 200x160")
    assert len(result.violations) <= 3


def test_a_tiff_is_refused_with_what_to_do_instead(tmp_path, pair):
    source, _ = pair
    rgb = np.zeros((HEIGHT, WIDTH, 3), np.uint16)
    write_tiff(tmp_path / "out.tif", rgb, read_raw(source), software="test")

    with pytest.raises(UnsupportedRawError, match="out.tif: is not a DNG") as caught:
        verify(source, tmp_path / "out.tif")

    assert "--format dng" in caught.value.advice


def test_files_that_cannot_be_read_are_named(tmp_path, pair):
    source, output = pair

    with pytest.raises(RawReadError, match="nowhere.dng"):
        verify(tmp_path / "nowhere.dng", output)
    with pytest.raises(RawReadError, match="nowhere.dng"):
        verify(source, tmp_path / "nowhere.dng")


@pytest.fixture
def camera(tmp_path):
    """A stand-in for a NEF, and the DNG that is built of it."""
    source = write_camera_tiff(
        tmp_path / "in.nef",
        noisy_samples(HEIGHT, WIDTH),
        extra={50714: (SHORT, 600), 50728: (RATIONAL, NEUTRAL)},
    )
    return source, denoised(source)


def test_a_dng_built_of_another_raw_holds(camera):
    result = verify(*camera)

    assert () == result.violations
    assert () == result.tags
    assert 0 == result.pixels.outside_changed
    assert result.pixels.changed > 0


@pytest.mark.parametrize(
    ("name", "tag", "value"),
    (
        ("IFD0/EXIF", Tag.ISO_SPEED_RATINGS, 801),
        ("IFD0", Tag.ORIENTATION, 3),
    ),
)
def test_exif_that_differs_from_another_raws_is_found(camera, name, tag, value):
    source, output = camera
    ifd0 = parse_file(output).ifds[0]
    [exif] = ifd0.sub_ifds(Tag.EXIF_IFD)
    entry = {"IFD0": ifd0, "IFD0/EXIF": exif}[name].get(tag)
    set_value(output, entry, value)

    result = verify(source, output)

    assert not result.holds
    assert (name, tag.label) in [(change.ifd, change.tag) for change in result.tags]


@pytest.mark.parametrize("place", (900, 200_000))
def test_a_maker_note_must_come_along(tmp_path, place):
    """In its place, or in DNGPrivateData where that is too far into the file."""
    note = b"a maker's note" * 9
    source = write_camera_tiff(
        tmp_path / "in.nef", noisy_samples(HEIGHT, WIDTH), maker_note=(place, note)
    )
    output = denoised(source)
    assert () == verify(source, output).violations

    at = output.read_bytes().index(note)
    overwrite(output, at + 20, b"?")

    assert ["MakerNote"] == [change.tag for change in verify(source, output).tags]


@pytest.mark.parametrize("place", (0, 1, -1), ids=("its beginning", "its header", "its end"))
def test_the_cameras_preview_must_come_along_byte_for_byte(tmp_path, place):
    preview = jpeg(300)
    source = write_camera_tiff(tmp_path / "in.nef", scene() // 2, preview=preview)
    output = denoised(source)
    assert () == verify(source, output).violations

    at = output.read_bytes().index(preview) + place % len(preview)
    overwrite(output, at, b"?")

    expected = f"The camera's own preview of {len(preview)} bytes is missing or differs."
    assert (expected,) == verify(source, output).violations


def add_to_preview(path, tag, values):
    """Write the preview's IFD anew at the end of a DNG, with one more tag of ASCII."""
    content = bytearray(path.read_bytes())
    preview = parse_file(path).ifds[0].sub_ifds(Tag.SUB_IFDS)[1]
    content += bytes(len(content) % 2) + values.ljust(8, b"\0")
    entries = [(entry.tag, entry.encoded) for entry in preview.entries]
    entries.append((tag, struct.pack("<HHII", tag, 2, len(values), len(content) - 8)))
    struct.pack_into("<I", content, preview.pointer_offset, len(content))
    content += struct.pack("<H", len(entries)) + b"".join(e for _, e in sorted(entries)) + bytes(4)
    path.write_bytes(content)


@pytest.mark.parametrize(("application", "holds"), ((b"fadn\0", True), (b"Another\0", False)))
def test_a_preview_that_we_say_to_have_rendered_may_be_another(tmp_path, application, holds):
    preview = jpeg(300)
    source = write_camera_tiff(tmp_path / "in.nef", scene() // 2, preview=preview)
    output = denoised(source)
    overwrite(output, output.read_bytes().index(preview) + 700, b"?")

    add_to_preview(output, Tag.PREVIEW_APPLICATION_NAME, application)

    assert holds == verify(source, output).holds


def test_previews_may_be_left_out(tmp_path):
    source = write_camera_tiff(tmp_path / "in.nef", scene() // 2, preview=jpeg(300))
    output = denoised(source)
    pointer = ifd0_entry(output, Tag.SUB_IFDS)

    set_value(output, pointer, pointer.ints[0])
    set_count(output, pointer, 1)

    assert () == verify(source, output).violations


def test_a_preview_of_ours_stands_for_none_of_the_cameras(camera):
    """The source has no preview: what the output shows is rendered."""
    source, output = camera
    preview = read_blocks(output).preview

    overwrite(output, output.read_bytes().index(preview) + 700, b"?")

    assert verify(source, output).holds


def test_exif_that_another_raw_has_and_the_output_lacks_is_found(camera):
    source, output = camera
    [exif] = parse_file(output).ifds[0].sub_ifds(Tag.EXIF_IFD)
    overwrite(output, exif.get(Tag.F_NUMBER).location, struct.pack("<H", 33438))

    result = verify(source, output)

    [lost] = result.tags
    assert ("FNumber", "28/10", None) == (lost.tag, lost.before, lost.after)


@pytest.mark.parametrize("tag", (Tag.AS_SHOT_NEUTRAL, Tag.COLOR_MATRIX_1))
def test_colours_that_differ_from_another_raws_are_found(camera, tag):
    source, output = camera
    entry = ifd0_entry(output, tag)
    overwrite(output, entry.value_offset, struct.pack("<ii", 7, 8))

    result = verify(source, output)

    assert [tag.label] == [change.tag for change in result.tags]
    assert not result.holds


REAL = {".dng", ".crw", ".kdc", ".tif"}
"""Suffixes of the real raws that can be denoised."""


@pytest.mark.raw
def test_real_files_hold_whatever_their_container(raws, tmp_path):
    files = [path for path in sorted(raws.iterdir()) if path.suffix in REAL]
    assert REAL == {path.suffix for path in files}
    for path in files:
        raw_image = read_raw(path)
        write_dng(tmp_path / "out.dng", raw_image, raw_image.mosaic, edit=EDIT)

        result = verify(path, tmp_path / "out.dng")

        assert () == result.violations, path.name
        assert 0 == result.pixels.changed


STAND_INS = {
    **{
        suffix: partial(write_camera_tiff, samples=noisy_samples(200, 300), make=make, model=model)
        for suffix, (make, model) in CAMERAS.items()
    },
    "unknown exposure": partial(
        write_camera_tiff,
        samples=noisy_samples(200, 300),
        extra_exif={33434: (RATIONAL, [(0, 1)]), 34855: (SHORT, 0), 37377: (SRATIONAL, [(6, 1)])},
    ),
    "ISO beyond 16 bits": partial(
        write_camera_tiff,
        samples=noisy_samples(200, 300),
        extra_exif={34855: (SHORT, 65535), 34866: (LONG, 102400)},
    ),
    "exposure in IFD0": partial(
        write_camera_tiff,
        samples=noisy_samples(200, 300),
        extra={33434: (RATIONAL, [(1, 275)]), 37385: (SHORT, 0), 37397: (RATIONAL, [(160, 1)])},
        extra_exif={33434: (RATIONAL, [(1, 275)]), 34855: None},
    ),
    "X-Trans": write_raf,
    "Bayer RAF": partial(write_raf, model="X-A2", x_trans=False),
    "grey TIFF": lambda path: write_grey_tiff(path, noisy_samples(200, 300)),
}


@pytest.mark.parametrize("name", STAND_INS)
def test_what_was_built_of_any_stand_in_holds(tmp_path, name):
    source = tmp_path / "in.raw"
    STAND_INS[name](source)

    result = verify(source, denoised(source))

    assert () == result.violations


def test_only_a_dng_is_compared(tmp_path):
    source = write_camera_tiff(tmp_path / "a.nef", noisy_samples())

    with pytest.raises(UnsupportedRawError, match="a.nef: is not a DNG"):
        verify(source, source)
