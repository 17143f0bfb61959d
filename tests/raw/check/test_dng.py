"""The check passes what was meant and names whatever differs, in our outputs and in any file."""

import struct
from dataclasses import replace

import imagecodecs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fadn_cli.errors import WriteError
from fadn_cli.findings import errors_among
from fadn_cli.mosaic.cfa import CfaPattern
from fadn_cli.mosaic.values import Rect
from fadn_cli.raw.check.dng import MAX_FINDINGS, check_dng, check_file
from fadn_cli.raw.dng.write import DngEdit, WriteChoices, encoder_for, write_dng
from fadn_cli.raw.source.reader import read_raw
from fadn_cli.raw.tiff.tags import Tag
from tests.making.camera_tiff import write_camera_tiff
from tests.making.dng.damage import ifd0_entry, overwrite, raw_entry, set_count
from tests.making.dng.write import write_dng as write_source
from tests.making.mosaics import noisy_samples
from tests.making.tiff import BYTE, LONG

EDIT = DngEdit(noise_profile=None, strength=1, unique_id=bytes(16), description="test")


@pytest.fixture
def written(tmp_path):
    source = write_source(tmp_path / "in.dng", noisy_samples(300, 300), rows_per_strip=300)
    raw_image = read_raw(source)
    write_dng(tmp_path / "out.dng", raw_image, raw_image.mosaic, edit=EDIT)
    return tmp_path / "out.dng", raw_image.mosaic


def test_a_dng_as_meant_passes_whatever_its_name_ends_with(written):
    path, mosaic = written

    check_dng(path.rename(path.with_suffix(".part")), mosaic)


def test_one_differing_sample_is_found(written):
    path, mosaic = written
    samples = mosaic.samples.copy()
    samples[299, 299] ^= 1

    with pytest.raises(WriteError, match="1 samples differ") as caught:
        check_dng(path, replace(mosaic, samples=samples))

    assert "disk" in caught.value.advice


@pytest.fixture
def encoded(tmp_path):
    """A DNG written of samples that were encoded before, its levels, and what was encoded."""
    source = write_source(tmp_path / "source.dng", noisy_samples(300, 300), rows_per_strip=300)
    raw_image = read_raw(source)
    choices = WriteChoices(preview="keep")
    with encoder_for(raw_image, raw_image.mosaic, choices) as encoder:
        for start in range(0, 300, 70):
            encoder.add(raw_image.mosaic.samples[start : start + 70])
        tiles = encoder.finish()
    path = tmp_path / "encoded.dng"
    levels = replace(raw_image.mosaic, samples=np.broadcast_to(np.uint16(0), (300, 300)))
    write_dng(path, raw_image, levels, edit=EDIT, choices=choices, encoded=tiles)
    return path, levels, tiles


def test_what_was_encoded_row_by_row_passes_and_is_the_same_file(encoded, written):
    path, levels, tiles = encoded

    check_dng(path, levels, encoded=tiles)

    assert np.array_equal(written[1].samples, read_raw(path).mosaic.samples)


def test_a_differing_sample_shows_in_the_checksum(encoded):
    path, levels, tiles = encoded

    with pytest.raises(WriteError, match="samples differ"):
        check_dng(path, levels, encoded=replace(tiles, checksum=tiles.checksum ^ 1))


def test_tiles_that_have_changed_places_are_found(encoded):
    path, levels, tiles = encoded
    data = bytearray(path.read_bytes())
    first, second = (data.find(tile) for tile in tiles.tiles[:2])
    size = min(len(tile) for tile in tiles.tiles[:2])
    data[first : first + size] = tiles.tiles[1][:size]
    path.write_bytes(data)

    assert 0 < first < second
    with pytest.raises(WriteError, match="samples differ|cannot be decoded"):
        check_dng(path, levels, encoded=tiles)


def test_a_differing_level_is_named_without_the_samples_too(encoded):
    path, levels, tiles = encoded

    with pytest.raises(WriteError, match="white level 15000"):
        check_dng(path, replace(levels, white_level=15001.0), encoded=tiles)


@pytest.mark.parametrize(
    ("changes", "message"),
    (
        ({"samples": np.zeros((300, 302), np.uint16)}, "size"),
        ({"cfa": CfaPattern(colors="BGGR")}, "CFA RGGB instead of BGGR"),
        ({"white_level": 15001.0}, "white level 15000"),
        ({"black_level": np.array([[512.5]], np.float32)}, "black level"),
        ({"black_delta_v": np.ones(300, np.float32)}, "black level"),
        ({"active_area": Rect(top=0, left=0, height=300, width=299)}, "active area"),
    ),
)
def test_every_differing_level_is_named(written, changes, message):
    path, mosaic = written

    with pytest.raises(WriteError, match=message):
        check_dng(path, replace(mosaic, **changes))


def test_one_black_level_may_be_written_as_several_equal_ones(written):
    path, mosaic = written

    check_dng(path, replace(mosaic, black_level=np.full((2, 2), 512, np.float32)))


def test_damaged_tiles_are_found(written):
    path, mosaic = written
    offset = raw_entry(path, Tag.TILE_OFFSETS).ints[0]
    overwrite(path, offset + 2000, bytes(500))

    with pytest.raises(WriteError, match="differ|read back"):
        check_dng(path, mosaic)


def test_a_tile_beyond_the_end_is_found(written):
    path, mosaic = written
    entry = raw_entry(path, Tag.TILE_BYTE_COUNTS)
    overwrite(path, entry.value_offset, struct.pack("<I", 1 << 30))

    with pytest.raises(WriteError, match="TileOffsets 1 of 4 pieces of image data lie outside"):
        check_dng(path, mosaic)


def test_unsorted_tags_are_found(written):
    path, mosaic = written
    first = raw_entry(path, Tag.IMAGE_WIDTH)
    second = raw_entry(path, Tag.IMAGE_LENGTH)
    overwrite(path, first.location, second.encoded + first.encoded)

    with pytest.raises(WriteError, match="not ascending"):
        check_dng(path, mosaic)


def test_strips_beside_tiles_are_found(tmp_path, written):
    _, mosaic = written
    both = write_source(
        tmp_path / "both.dng",
        mosaic.samples,
        tile=(16, 16),
        extra_raw={273: (LONG, 8), 279: (LONG, 0)},
    )

    with pytest.raises(WriteError, match="StripOffsets is left beside the tiles"):
        check_dng(both, mosaic)


def test_a_file_that_is_no_dng_is_found(tmp_path, written):
    _, mosaic = written
    path = tmp_path / "other.dng"
    path.write_bytes(b"II*\0" + bytes(100))

    with pytest.raises(WriteError, match="cannot be read back"):
        check_dng(path, mosaic)


def test_a_fault_of_the_source_is_not_held_against_the_output(tmp_path):
    source = write_source(tmp_path / "in.dng", noisy_samples(), extra={50708: None})
    raw_image = read_raw(source)
    output = tmp_path / "out.dng"
    write_dng(output, raw_image, raw_image.mosaic, edit=EDIT)

    check_dng(output, raw_image.mosaic, source=source)

    with pytest.raises(WriteError, match="UniqueCameraModel is missing"):
        check_dng(output, raw_image.mosaic)


def test_a_new_fault_beside_an_old_one_is_found(tmp_path):
    source = write_source(tmp_path / "in.dng", noisy_samples(), extra={50708: None})
    raw_image = read_raw(source)
    output = tmp_path / "out.dng"
    write_dng(output, raw_image, raw_image.mosaic, edit=EDIT)
    set_count(output, ifd0_entry(output, Tag.COLOR_MATRIX_1), 8)

    with pytest.raises(WriteError, match="ColorMatrix1 has 8 values"):
        check_dng(output, raw_image.mosaic, source=source)


def kinds(path):
    """What `check_file` finds, as (severity, kind, tag)."""
    return [(each.severity, each.kind, each.tag) for each in check_file(path).findings]


def test_what_we_write_has_no_faults(written):
    path, _ = written

    found = check_file(path)

    assert found.ok
    assert () == found.findings
    assert path == found.path


@pytest.mark.parametrize("byteorder", "<>")
@pytest.mark.parametrize("in_subifd", (False, True))
@pytest.mark.parametrize("tile", (None, (16, 32)))
def test_a_sound_file_of_any_layout_has_no_faults(tmp_path, byteorder, in_subifd, tile):
    path = write_source(
        tmp_path / "a.dng", noisy_samples(), byteorder=byteorder, in_subifd=in_subifd, tile=tile
    )

    assert () == check_file(path).findings


@pytest.mark.parametrize("keep", (0.3, 0.999))
def test_a_tile_that_stops_early_is_found_though_decoders_fill_it_up(written, keep):
    path, _ = written
    offset, size = raw_entry(path, Tag.TILE_OFFSETS).ints[1], raw_entry(path, 325).ints[1]
    kept = int(size * keep)
    overwrite(path, offset + kept, bytes(size - kept))

    [fault] = check_file(path).findings

    assert ("decode", "IFD0", "TileOffsets") == fault.place
    assert "piece 2 of 4 is cut off" in fault.what
    assert offset == fault.offset


def test_the_last_strip_of_jpegs_may_be_shorter(tmp_path):
    """As Adobe's converter and cameras write it: one JPEG per strip."""
    samples = np.add.outer(np.arange(40), np.arange(600, 632)).astype(np.uint16)
    strips = [
        imagecodecs.jpeg8_encode(
            samples[top : top + 16].reshape(-1, 16, 2), lossless=True, predictor=1, bitspersample=14
        )
        for top in (0, 16, 32)
    ]
    path = write_source(tmp_path / "a.dng", samples, rows_per_strip=16)
    entry = raw_entry(path, Tag.STRIP_OFFSETS)
    for index, (offset, strip) in enumerate(zip(entry.ints, strips, strict=True)):
        overwrite(path, offset, strip)
        sizes = raw_entry(path, Tag.STRIP_BYTE_COUNTS)
        overwrite(path, sizes.value_offset + 4 * index, struct.pack("<I", len(strip)))
    overwrite(path, raw_entry(path, Tag.COMPRESSION).location + 8, struct.pack("<H", 7))

    assert () == check_file(path).findings


def test_a_tile_of_another_size_is_found(written):
    path, _ = written
    tiles = raw_entry(path, Tag.TILE_OFFSETS)
    start = path.read_bytes()[tiles.ints[0] :]
    frame = start.index(b"\xff\xc3")
    overwrite(path, tiles.ints[0] + frame + 5, struct.pack(">H", 128))

    assert ("error", "decode", "TileOffsets") in kinds(path)


@pytest.mark.parametrize(
    ("content", "words"),
    (
        (b"", "empty"),
        (b"\xff\xd8\xff\xe0" + bytes(100), "not a TIFF-based raw file"),
        (b"II*\0" + bytes(100), "IFD"),
        (b"II+\0" + bytes(100), "BigTIFF"),
    ),
)
def test_what_is_no_tiff_is_an_error_in_words_that_do_not_repeat_the_name(tmp_path, content, words):
    path = tmp_path / "a.dng"
    path.write_bytes(content)

    found = check_file(path)

    [fault] = found.findings
    assert not found.ok
    assert words in fault.what
    assert "a.dng" not in fault.what


def test_a_file_that_does_not_exist_is_an_error(tmp_path):
    assert [("error", "file", "")] == kinds(tmp_path / "a.dng")


def test_files_are_checked_in_their_order_whatever_they_are(tmp_path):
    good = write_source(tmp_path / "good.dng", noisy_samples())
    missing = tmp_path / "missing.dng"

    found = [check_file(path) for path in (missing, tmp_path, good)]

    assert [missing, tmp_path, good] == [each.path for each in found]
    assert [False, False, True] == [each.ok for each in found]


def test_a_raw_that_is_no_dng_is_an_error(tmp_path):
    path = write_camera_tiff(tmp_path / "a.nef", noisy_samples(high=9000))

    assert [("error", "raw", "")] == kinds(path)


def test_what_we_cannot_decode_but_others_may_is_a_warning(tmp_path):
    path = write_source(
        tmp_path / "a.dng",
        noisy_samples(),
        extra_raw={33422: (BYTE, (3, 4, 5, 1)), 50710: (BYTE, (3, 4, 5, 1))},
    )

    found = check_file(path)

    assert found.ok
    assert ["decode"] == [fault.kind for fault in found.findings]


def test_samples_without_a_picture_are_an_error(tmp_path):
    path = write_source(tmp_path / "a.dng", np.full((64, 64), 600, np.uint16))

    assert [("error", "decode", "")] == kinds(path)


def test_a_file_that_is_wrong_all_over_says_so_and_stops(tmp_path):
    extra = {60000 + index: (LONG, (1 << 31, 0)) for index in range(MAX_FINDINGS + 10)}
    path = write_source(tmp_path / "a.dng", noisy_samples(), extra=extra)
    content = bytearray(path.read_bytes())
    for tag in extra:
        at = content.rindex(struct.pack("<HHI", tag, LONG, 2))
        content[at + 8 : at + 12] = bytes([255]) * 4
    path.write_bytes(content)

    found = check_file(path)

    assert not found.ok
    assert MAX_FINDINGS + 1 == len(found.findings)
    assert "10 more findings" in found.findings[-1].what


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    """A DNG as we write it, and where its tiles end."""
    folder = tmp_path_factory.mktemp("good")
    source = write_source(folder / "in.dng", noisy_samples(32, 32), in_subifd=True)
    raw_image = read_raw(source)
    write_dng(folder / "out.dng", raw_image, raw_image.mosaic, edit=EDIT)
    return (folder / "out.dng").read_bytes()


@given(data=st.data())
def test_whatever_the_damage_the_check_answers(tmp_path_factory, content, data):
    damaged = bytearray(content)
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        damaged[at] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "damaged.dng"
    path.write_bytes(damaged[: data.draw(st.just(len(content)) | st.integers(0, len(content)))])

    found = check_file(path)

    assert found.ok == all(fault.severity == "warning" for fault in found.findings)


@pytest.mark.raw
def test_real_dngs_have_no_errors(raws):
    paths = sorted(raws.glob("*.dng"))

    assert paths
    assert [] == [str(fault) for path in paths for fault in errors_among(check_file(path).findings)]


@pytest.mark.raw
def test_awkward_files_are_answered_too(raws):
    paths = sorted((raws / "awkward").iterdir())

    answers = {path.name: check_file(path).ok for path in paths}

    assert {"linear_16bit.dng", "gopro_fusion_vc5.gpr"} == {
        name for name, ok in answers.items() if ok
    }
