"""A written DNG holds the samples it was given, and otherwise what the source held."""

import struct
from dataclasses import replace

import numpy as np
import pytest

from fadn_cli.mosaic.cfa import CfaPattern
from fadn_cli.mosaic.values import Rect
from fadn_cli.noise import noise_model
from fadn_cli.raw.check.dng import check_dng
from fadn_cli.raw.check.verify import verify
from fadn_cli.raw.dng.marker import is_denoised
from fadn_cli.raw.dng.write import WriteChoices, write_dng
from fadn_cli.raw.source.dng_checks import find_raw_ifd
from fadn_cli.raw.source.metadata import read_blocks
from fadn_cli.raw.source.reader import read_raw
from fadn_cli.raw.tiff.file import map_file, parse
from fadn_cli.raw.tiff.tags import Tag
from fadn_cli.raw.tiff.tree import parts_of
from tests.making.camera_tiff import CAMERAS, write_camera_tiff
from tests.making.dng.denoised import EDIT
from tests.making.dng.fields import NEUTRAL
from tests.making.dng.foreign import write_with_tifffile
from tests.making.dng.write import write_dng as write_source
from tests.making.mosaics import noisy_samples
from tests.making.tiff import BYTE, DOUBLE, LONG, RATIONAL, SHORT

LAYOUT_TAGS = {259, 273, 278, 279, 322, 323, 324, 325}
STATED_TAGS = {700, 50781, 50935, 51041}
POINTERS = {330, 34665, 34853}


def structure(path):
    return parse(map_file(path), name=path.name)


def write(path, source, *, samples=None, edit=EDIT, **options):
    raw_image = read_raw(source)
    mosaic = raw_image.mosaic
    if samples is not None:
        mosaic = replace(mosaic, samples=samples)
    write_dng(path, raw_image, mosaic, edit=edit, **options)
    check_dng(path, mosaic, source=source)
    return path


def changed_tags(before, after):
    """Tags whose type or values differ between two IFDs, or that only one of them has."""
    first, second = (
        {e.tag: (e.type, bytes(e.data)) for e in ifd.entries} for ifd in (before, after)
    )
    return {tag for tag in first | second if first.get(tag) != second.get(tag)}


def write_dng_ending_with_samples(path, samples, **options):
    """A DNG whose image data is the last thing in it, as cameras write it."""
    start = write_source(path, samples, **options).stat().st_size
    write_source(path, samples, extra_raw={273: (LONG, [start])}, **options)
    with path.open("ab") as file:
        file.write(samples.astype("<u2").tobytes())
    return path, start


@pytest.fixture
def samples():
    return noisy_samples(301, 279)


@pytest.mark.parametrize(
    "options",
    (
        {},
        {"byteorder": ">"},
        {"in_subifd": True},
        {"in_subifd": True, "byteorder": ">", "tile": (64, 48)},
        {"rows_per_strip": 7},
        {"tile": (128, 128), "cfa": "GBRG"},
        {"cfa": "BGGR", "active_area": (5, 12, 290, 271)},
        {
            "active_area": (3, 7, 299, 260),
            "black": (500.25, 510.5, 520.75, 530.125),
            "black_repeat": (2, 2),
            "cfa": "GRBG",
        },
    ),
)
def test_the_samples_of_a_dng_are_replaced_and_nothing_else_it_states(tmp_path, samples, options):
    source = write_source(tmp_path / "in.dng", samples, **options)

    output = write(tmp_path / "out.dng", source, samples=samples[::-1, ::-1].copy())

    before, after = read_raw(source), read_raw(output)
    assert np.array_equal(samples[::-1, ::-1], after.mosaic.samples)
    assert np.array_equal(before.mosaic.black_level, after.mosaic.black_level)
    for name in ("make", "model", "iso", "exposure_time", "orientation"):
        assert getattr(before.metadata, name) == getattr(after.metadata, name)
    first, second = structure(source), structure(output)
    may = LAYOUT_TAGS | STATED_TAGS | POINTERS
    assert may >= changed_tags(find_raw_ifd(first), find_raw_ifd(second))
    assert may >= changed_tags(first.ifds[0], second.ifds[0])


@pytest.mark.parametrize("width", (32, 48, 279, 511, 512, 513, 514))
def test_unchanged_samples_come_back_bit_for_bit(tmp_path, width):
    samples = noisy_samples(48, width)
    source = write_source(tmp_path / "in.dng", samples)

    assert np.array_equal(samples, read_raw(write(tmp_path / "out.dng", source)).mosaic.samples)


@pytest.mark.parametrize("in_subifd", (False, True))
def test_every_byte_before_the_samples_but_pointers_stays_in_its_place(
    tmp_path, samples, in_subifd
):
    source, start = write_dng_ending_with_samples(tmp_path / "in.dng", samples, in_subifd=in_subifd)
    output = write(tmp_path / "out.dng", source)

    before, after = (
        np.frombuffer(path.read_bytes()[:start], np.uint8) for path in (source, output)
    )
    tiff = structure(source)
    kept = before == after
    for pointer in (tiff.ifds[0].pointer_offset, find_raw_ifd(tiff).pointer_offset):
        kept[pointer : pointer + 4] = True
    assert kept.all()


def test_samples_at_the_end_of_the_file_are_cut_off(tmp_path, samples):
    source, start = write_dng_ending_with_samples(tmp_path / "in.dng", samples // 64 + 600)

    output = write(tmp_path / "out.dng", source)

    assert source.read_bytes()[8:start] == output.read_bytes()[8:start]
    assert output.stat().st_size < source.stat().st_size


def test_what_follows_the_samples_takes_their_place_and_they_come_last(tmp_path, samples):
    source = write_source(tmp_path / "in.dng", samples // 64 + 600, in_subifd=True)

    output = write(tmp_path / "out.dng", source)

    tiff = structure(output)
    raw_ifd = find_raw_ifd(tiff)
    tiles, sizes = raw_ifd.ints(Tag.TILE_OFFSETS), raw_ifd.ints(Tag.TILE_BYTE_COUNTS)
    assert max(part.stop for part in parts_of(tiff) if part.tag != Tag.TILE_OFFSETS) <= min(tiles)
    assert output.stat().st_size == max(tiles) + sizes[-1]
    assert tiff.ifds[0].sub_ifds(Tag.EXIF_IFD)[0].offset < 2 * samples.size
    rest = source.stat().st_size - 2 * samples.size
    assert output.stat().st_size < sum(sizes) + rest + 2500  # the changed IFDs


def test_samples_that_share_bytes_with_a_preview_are_left_alone(tmp_path, samples):
    source = write_source(tmp_path / "in.dng", samples, in_subifd=True, extra={273: (LONG, [100])})

    output = write(tmp_path / "out.dng", source, samples=np.roll(samples, 2))

    old = slice(8, 8 + samples.size * 2)
    assert source.read_bytes()[old] == output.read_bytes()[old]


def test_a_raw_that_follows_ifd0_in_the_chain_is_found_and_replaced(tmp_path, samples):
    source = write_source(tmp_path / "in.dng", samples, in_subifd=True)
    tiff = structure(source)
    pointer = tiff.ifds[0].get(Tag.SUB_IFDS)
    data = bytearray(source.read_bytes())
    struct.pack_into("<H", data, pointer.location, Tag.SUB_IFDS + 1)  # a tag without meaning
    data[-4:] = struct.pack("<I", pointer.ints[0])  # the builder ends with IFD0
    source.write_bytes(data)

    output = write(tmp_path / "out.dng", source, samples=np.roll(samples, 2))

    assert 2 == len(structure(output).ifds)


def test_a_chain_of_subifds_leads_to_the_new_one(tmp_path, samples):
    source = tmp_path / "in.dng"
    write_with_tifffile(source, samples, in_subifd=True, previews=2)

    tiff = structure(write(tmp_path / "out.dng", source, samples=np.roll(samples, 2)))

    first, second, raw = tiff.ifds[0].sub_ifds(Tag.SUB_IFDS)
    assert find_raw_ifd(tiff) is raw
    assert [second.offset, raw.offset, 0] == [ifd.next_offset for ifd in (first, second, raw)]
    assert verify(source, tmp_path / "out.dng").holds


def test_a_linearization_table_goes_and_the_bits_grow_with_it(tmp_path):
    table = np.arange(4096) * 4 + 3
    stored = noisy_samples(64, 96, high=4095)
    source = write_source(
        tmp_path / "in.dng",
        stored,
        linearization=table,
        black=(2000,),
        extra_raw={50717: None},
    )

    output = write(tmp_path / "out.dng", source)

    ifd = find_raw_ifd(structure(output))
    after = read_raw(output).mosaic
    assert ifd.get(Tag.LINEARIZATION_TABLE) is None
    assert np.array_equal(table[stored], after.samples)
    assert 65535 == after.white_level


def test_the_default_white_level_is_stated_where_it_would_change(tmp_path):
    bare = {50713: None, 50714: None, 50717: None}
    words = write_source(tmp_path / "a.dng", noisy_samples(), extra_raw=bare)
    size = {258: (SHORT, 8), 279: (LONG, 64 * 96)}
    octets = write_source(tmp_path / "b.dng", noisy_samples(), extra_raw=bare | size)

    stated = [
        find_raw_ifd(structure(write(tmp_path / "out.dng", path))).get(Tag.WHITE_LEVEL)
        for path in (words, octets)
    ]

    assert stated[0] is None
    assert (255,) == stated[1].values


@pytest.mark.parametrize(
    ("planes", "expected"),
    (
        (None, (1e-4, 1e-6, 3e-4, 2e-6, 1e-4, 5e-6)),
        ((1, 0, 2), (3e-4, 2e-6, 1e-4, 1e-6, 1e-4, 5e-6)),
    ),
)
def test_the_noise_profile_follows_cfa_plane_color(tmp_path, samples, planes, expected):
    extra = {} if planes is None else {50710: (BYTE, planes)}
    source = write_source(tmp_path / "in.dng", samples, noise_profile=(1e-2, 1e-3), extra_raw=extra)

    output = write(tmp_path / "out.dng", source)

    entry = find_raw_ifd(structure(output)).get(Tag.NOISE_PROFILE)
    assert expected == pytest.approx(entry.floats, rel=1e-6)


def test_colours_that_agree_share_one_noise_profile(tmp_path, samples):
    source = write_source(tmp_path / "in.dng", samples)
    edit = replace(EDIT, noise_profile=noise_model(2e-4, 0, source="test"))

    output = write(tmp_path / "out.dng", source, edit=edit)

    assert 2 == find_raw_ifd(structure(output)).get(Tag.NOISE_PROFILE).count


@pytest.mark.parametrize("known", (True, False))
def test_no_ifd_keeps_a_stale_noise_profile_or_digest(tmp_path, samples, known):
    profile = {51041: (DOUBLE, (1e-2, 1e-3))}
    digests = {tag: (BYTE, bytes(16)) for tag in (50972, 51111)}
    source = write_source(
        tmp_path / "in.dng",
        samples,
        in_subifd=True,
        extra=profile | digests,
        extra_raw=profile | digests,
    )
    edit = EDIT if known else replace(EDIT, noise_profile=None)

    output = write(tmp_path / "out.dng", source, edit=edit)

    tiff = structure(output)
    assert not any(ifd.get(tag) for ifd in tiff.walk() for tag in (50972, 51111))
    profiles = [ifd.get(Tag.NOISE_PROFILE) for ifd in (tiff.ifds[0], find_raw_ifd(tiff))]
    assert [6, 6] == [p.count for p in profiles] if known else [None, None] == profiles


def test_strength_unique_id_and_marker_are_stated(tmp_path, samples):
    packet = b'<rdf:RDF xmlns:rdf="r"><rdf:Description rdf:about="" a:b="c"/></rdf:RDF>'
    source = write_source(tmp_path / "in.dng", samples, in_subifd=True, extra={700: (BYTE, packet)})

    tiff = structure(write(tmp_path / "out.dng", source))

    marked = bytes(tiff.ifds[0].get(Tag.XMP).data)
    assert ((3, 4),) == find_raw_ifd(tiff).get(Tag.NOISE_REDUCTION_APPLIED).values
    assert bytes(range(16)) == bytes(tiff.ifds[0].get(Tag.RAW_DATA_UNIQUE_ID).data)
    assert is_denoised(marked)
    assert marked.startswith(packet[: -len("</rdf:RDF>")])


def test_versions_before_lossless_jpeg_are_raised_and_others_kept(tmp_path, samples):
    old = {50706: (BYTE, (1, 0, 0, 0)), 50707: (BYTE, (1, 0, 0, 0))}
    source = write_source(tmp_path / "in.dng", samples, extra=old)

    ifd0 = structure(write(tmp_path / "out.dng", source)).ifds[0]

    assert (1, 1, 0, 0) == ifd0.ints(Tag.DNG_VERSION) == ifd0.ints(Tag.DNG_BACKWARD_VERSION)


@pytest.mark.parametrize("camera", (False, True))
def test_the_bytes_depend_on_nothing_but_the_input(tmp_path, samples, camera):
    make = write_camera_tiff if camera else write_source
    source = make(tmp_path / "in.dng", samples[:300, :278])

    first = write(tmp_path / "first.dng", source, threads=1).read_bytes()

    assert first == write(tmp_path / "second.dng", source, threads=3).read_bytes()


@pytest.mark.parametrize("camera", (False, True))
def test_the_source_is_not_modified(tmp_path, samples, camera):
    make = write_camera_tiff if camera else write_source
    source = make(tmp_path / "in.dng", samples[:300, :278])
    before = source.read_bytes()

    write(tmp_path / "out.dng", source)

    assert before == source.read_bytes()


def test_a_mosaic_of_another_size_is_refused(tmp_path, samples):
    raw_image = read_raw(write_source(tmp_path / "in.dng", samples))

    with pytest.raises(ValueError, match="300"):
        write_dng(
            tmp_path / "out.dng",
            raw_image,
            replace(raw_image.mosaic, samples=samples[:300]),
            edit=EDIT,
        )


def test_an_id_of_another_length_is_refused():
    with pytest.raises(ValueError, match="16 bytes, got 3"):
        replace(EDIT, unique_id=b"abc")


@pytest.mark.parametrize("suffix", CAMERAS)
def test_a_camera_raw_becomes_a_dng_that_says_the_same(tmp_path, suffix):
    make, model = CAMERAS[suffix]
    samples = noisy_samples(200, 300)
    source = write_camera_tiff(
        tmp_path / f"in.{suffix}",
        samples,
        make=make,
        model=model,
        orientation=6,
        extra={50714: (3, (600,)), 50728: (RATIONAL, NEUTRAL)},
    )

    output = write(tmp_path / "out.dng", source, samples=samples[::-1].copy())

    before, after = read_raw(source), read_raw(output)
    assert (make, model, 6, 800) == (
        after.metadata.make,
        after.metadata.model,
        after.metadata.orientation,
        after.metadata.iso,
    )
    assert np.array_equal(before.metadata.color_matrix, after.metadata.color_matrix)
    assert before.metadata.wb_gains == pytest.approx(after.metadata.wb_gains, rel=1e-6)
    assert EDIT.noise_profile.read_noise[0] == after.metadata.noise_profile.read_noise[0]
    first, second = read_blocks(source), read_blocks(output)
    for name in ("exif", "gps", "shared"):
        assert {f.tag: f.encode("<") for f in getattr(first, name)} == {
            f.tag: f.encode("<") for f in getattr(second, name)
        }


def test_a_camera_raw_becomes_a_dng_of_adobes_layout(tmp_path):
    samples = noisy_samples(700, 600)
    source = write_camera_tiff(tmp_path / "in.nef", samples)

    tiff = structure(write(tmp_path / "out.dng", source))

    (ifd0,) = tiff.ifds
    raw, preview = ifd0.sub_ifds(Tag.SUB_IFDS)
    kinds = [ifd.first_int(Tag.NEW_SUBFILE_TYPE, -1) for ifd in (ifd0, raw, preview)]
    assert [1, 0, 1] == kinds
    assert [0] * 5 == [ifd.next_offset for ifd in tiff.walk()]
    assert 256 == max(ifd0.ints(Tag.IMAGE_WIDTH) + ifd0.ints(Tag.IMAGE_LENGTH))
    assert is_denoised(bytes(ifd0.get(Tag.XMP).data))
    assert "in.nef" == ifd0.get(Tag.ORIGINAL_RAW_FILE_NAME).text
    for ifd in (ifd0, preview):
        start = ifd.first_int(Tag.STRIP_OFFSETS, 0)
        assert b"\xff\xd8\xff" == bytes(tiff.data[start : start + 3])


def test_patterns_begin_at_an_odd_active_area(tmp_path):
    source = write_camera_tiff(tmp_path / "in.arw", noisy_samples(100, 120))
    raw_image = read_raw(source)
    mosaic = replace(
        raw_image.mosaic,
        cfa=CfaPattern(colors="GBRG"),
        black_level=np.array(((500.25, 510.5), (520.75, 530)), np.float32),
        active_area=Rect(top=3, left=7, height=90, width=101),
    )

    write_dng(tmp_path / "out.dng", raw_image, mosaic, edit=EDIT)

    check_dng(tmp_path / "out.dng", mosaic)


def test_the_cameras_own_preview_is_kept_byte_for_byte(tmp_path):
    samples = noisy_samples(100, 120)
    plain = write_camera_tiff(tmp_path / "plain.arw", samples)
    preview = read_blocks(write(tmp_path / "plain.dng", plain)).preview
    source = write_camera_tiff(tmp_path / "in.arw", samples, preview=preview + b"camera")

    output = write(tmp_path / "out.dng", source)

    assert preview + b"camera" == read_blocks(output).preview


def test_a_broken_preview_is_rendered_anew(tmp_path):
    broken = b"\xff\xd8\xff\xc0\0\4\0\0" + bytes(5000)
    source = write_camera_tiff(tmp_path / "in.arw", noisy_samples(100, 120), preview=broken)

    output = write(tmp_path / "out.dng", source)

    assert broken not in output.read_bytes()


def test_what_the_source_does_not_say_is_left_out(tmp_path):
    source = write_camera_tiff(tmp_path / "in.arw", noisy_samples(100, 120), gps=False)
    raw_image = read_raw(source)
    unknown = replace(raw_image.metadata, wb_gains=None, color_matrix=None)

    write_dng(
        tmp_path / "out.dng",
        replace(raw_image, metadata=unknown),
        raw_image.mosaic,
        edit=EDIT,
    )

    ifd0 = structure(tmp_path / "out.dng").ifds[0]
    absent = (Tag.AS_SHOT_NEUTRAL, Tag.COLOR_MATRIX_1, Tag.CALIBRATION_ILLUMINANT_1, Tag.GPS_IFD)
    assert [None] * 4 == [ifd0.get(tag) for tag in absent]


@pytest.mark.raw
@pytest.mark.parametrize(
    "name",
    (
        "canon_kiss_x4_colorchart",
        "gopro_hero6_iso100",
        "nikon_flower_bggr",
        "nikon_flower_gbrg",
        "nikon_flower_grbg",
        "nikon_flower_rggb",
    ),
)
def test_real_dngs_keep_everything_but_the_expected_tags_and_shrink(tmp_path, raws, name):
    source = raws / f"{name}.dng"

    output = write(tmp_path / "out.dng", source)

    first, second = structure(source), structure(output)
    expected = LAYOUT_TAGS | STATED_TAGS | {51111}
    assert expected >= changed_tags(first.ifds[0], second.ifds[0])
    assert output.stat().st_size < source.stat().st_size * 0.6
    start = first.ifds[0].first_int(Tag.STRIP_OFFSETS, 0)
    assert bytes(first.data[8:start]) == bytes(second.data[8:start])


@pytest.mark.parametrize("preview", ("render", "keep", "none"))
@pytest.mark.parametrize("suffix", ("dng", "nef"))
def test_an_output_that_is_written_again_leaves_no_room_unused(tmp_path, samples, suffix, preview):
    source = tmp_path / f"in.{suffix}"
    if suffix == "dng":
        write_source(source, samples, in_subifd=True)
    else:
        write_camera_tiff(source, samples)
    choices = WriteChoices(preview=preview)

    first = write(tmp_path / "first.dng", source, choices=choices)
    second = write(tmp_path / "second.dng", first, choices=choices)

    for path in (first, second):
        ifd = find_raw_ifd(structure(path))
        tiles, sizes = ifd.ints(Tag.TILE_OFFSETS), ifd.ints(Tag.TILE_BYTE_COUNTS)
        assert path.stat().st_size == max(tiles) + sizes[-1]
    assert second.stat().st_size < first.stat().st_size + 3000  # the IFDs that changed
    assert verify(first, second).holds
