"""A DNG that is larger than it might be says why, and by how much; any other says nothing."""

import re

import pytest

from fadn_cli.mosaic.conversion import normalize
from fadn_cli.raw.dng.write import WriteChoices, write_dng
from fadn_cli.raw.source.dng_checks import find_raw_ifd
from fadn_cli.raw.source.reader import read_raw
from fadn_cli.raw.tiff.file import map_file, parse
from fadn_cli.raw.tiff.tags import Tag
from tests.making.camera_tiff import write_camera_tiff
from tests.making.dng.damage import raw_entry, set_value
from tests.making.dng.denoised import EDIT
from tests.making.dng.previewed import noisy_scene, write_previewed
from tests.making.mosaics import noisy_samples
from tests.making.tiff import SHORT

LAST = {"raw_last": True, "behind": (), "thumbnail": None}


def sentences(source, name="out.dng", **choices):
    """What is said of a copy with the source's own samples."""
    raw_image = read_raw(source)
    assert normalize(raw_image.mosaic).std() > 0
    output = source.with_name(name)
    choices = WriteChoices(**choices)
    return write_dng(output, raw_image, raw_image.mosaic, edit=EDIT, choices=choices)


def with_trailer(path):
    """A file at whose end a program looks for something of its own."""
    path.write_bytes(path.read_bytes() + b"a trailer that has to stay the last")
    return path


def numbers(sentence):
    return [int(text.replace(",", "")) for text in re.findall(r"\d[\d,]*", sentence)]


def raw_size(path):
    tiff = parse(map_file(path), name="x")
    ifd = find_raw_ifd(tiff)
    return sum(ifd.ints(Tag.TILE_BYTE_COUNTS) or ifd.ints(Tag.STRIP_BYTE_COUNTS))


def test_raw_data_that_is_last_leaves_nothing_to_say(tmp_path):
    source = write_previewed(tmp_path / "in.dng", **LAST)

    assert () == sentences(source)
    assert () == sentences(source, preview="none")
    assert () == sentences(source, compression="none")
    assert (tmp_path / "out.dng").stat().st_size < source.stat().st_size + 3000


def test_denoised_samples_take_no_more_than_the_noisy_ones(tmp_path):
    flat, noisy = noisy_samples(200, 300, low=2000, high=2004), noisy_samples(200, 300)
    sizes = []
    for name, samples in (("noisy", noisy), ("flat", flat)):
        path = write_previewed(tmp_path / f"{name}.dng", samples, **LAST)
        sentences(path, f"{name}_out.dng")
        sizes.append((tmp_path / f"{name}_out.dng").stat().st_size)

    assert sizes[1] < sizes[0]


def test_what_lies_unused_in_the_middle_is_told(tmp_path):
    source = with_trailer(write_previewed(tmp_path / "in.dng"))

    [said] = sentences(source)

    saved = raw_size(source) - raw_size(tmp_path / "out.dng")
    assert said.endswith("must stay in its place: bytes are there that no known tag leads to.")
    assert saved - 4000 < numbers(said)[0] <= saved  # the new IFDs take some of it


def test_what_could_be_moved_leaves_nothing_to_say(tmp_path):
    source = write_previewed(tmp_path / "in.dng")

    assert () == sentences(source)

    saved = raw_size(source) - raw_size(tmp_path / "out.dng")
    new = (tmp_path / "out.dng").stat().st_size
    assert new < source.stat().st_size - saved + 3000  # the new IFDs


def test_samples_that_find_no_room_in_the_middle_are_told(tmp_path):
    compressed = with_trailer(write_previewed(tmp_path / "in.dng", noisy_scene(), bits=14))
    assert 1 == len(sentences(compressed, "tight.dng"))
    tight = tmp_path / "tight.dng"

    grown, displaced, unused = sentences(tight, compression="none")

    assert "uncompressed" in grown
    assert [raw_size(tmp_path / "out.dng"), raw_size(tight)] == numbers(grown)
    assert [raw_size(tmp_path / "out.dng")] == numbers(displaced)
    assert raw_size(tight) >= numbers(unused)[0] > raw_size(tight) - 4000


def test_a_linearization_table_that_is_baked_in_is_told(tmp_path):
    table = {50712: (SHORT, tuple(range(0, 16384, 64)))}
    source = write_previewed(
        tmp_path / "in.dng", noisy_scene() // 64, bits=8, extra_raw=table, **LAST
    )

    [said] = sentences(source)

    assert "LinearizationTable" in said
    new = raw_size(tmp_path / "out.dng")
    assert [14, 8, new, raw_size(source)] == numbers(said)


def test_raw_data_that_cannot_be_given_up_is_told(tmp_path):
    source = write_previewed(tmp_path / "in.dng", raw_last=True)
    strip = raw_entry(source, Tag.STRIP_OFFSETS)
    spare = parse(map_file(source), name="x").ifds[0].get(Tag.COLOR_MATRIX_1)
    set_value(source, spare, strip.ints[0] + 100)

    [said] = sentences(source)

    assert "still in the file, unused" in said
    assert [raw_size(source)] == numbers(said)


def test_a_tighter_compression_than_ours_is_told(tmp_path):
    source = write_previewed(tmp_path / "in.dng", noisy_scene() // 200, bits=8, **LAST)

    said = sentences(source)

    assert raw_size(tmp_path / "out.dng") < raw_size(source)
    assert () == said
    noise = noisy_samples(200, 300, low=0, high=256)
    source = write_previewed(tmp_path / "noise.dng", noise, bits=8, **LAST)
    [said] = sentences(source)
    assert "Lossless JPEG makes" in said
    assert [raw_size(tmp_path / "out.dng"), raw_size(source)] == numbers(said)


def test_a_preview_that_is_added_is_told_where_the_file_grows(tmp_path):
    plain = write_previewed(tmp_path / "plain.dng", **LAST)
    assert () == sentences(plain, "in.dng", preview="render")
    source = write_previewed(tmp_path / "in.dng", noisy_samples(96, 128), bits=14, **LAST)

    [said] = sentences(source, preview="render")

    tiff = parse(map_file(tmp_path / "out.dng"), name="x")
    [preview] = tiff.ifds[0].sub_ifds(Tag.SUB_IFDS)
    assert said.startswith("The previews take ")
    assert list(preview.ints(Tag.STRIP_BYTE_COUNTS)) == numbers(said)


@pytest.mark.parametrize(
    ("compression", "reason"), (("none", "uncompressed"), ("lj92", "as tightly"))
)
def test_a_dng_that_is_larger_than_the_camera_raw_says_why(tmp_path, compression, reason):
    source = write_camera_tiff(tmp_path / "in.nef", noisy_samples(64, 96))

    [said] = sentences(source, compression=compression)

    grown = (tmp_path / "out.dng").stat().st_size - source.stat().st_size
    assert [grown] == numbers(said)
    assert reason in said


def test_a_dng_that_is_smaller_than_the_camera_raw_says_nothing(tmp_path):
    source = write_camera_tiff(tmp_path / "in.nef", noisy_samples(400, 600, low=600, high=640))

    assert () == sentences(source)
