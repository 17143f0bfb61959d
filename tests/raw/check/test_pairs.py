"""Previews may come and go as the choices have it, and in no other way."""

import pytest

from fadn_cli.raw.check.pairs import pair_ifds
from fadn_cli.raw.check.verify import verify
from fadn_cli.raw.tiff.tags import Tag
from fadn_cli.raw.tiff.tree import previews_below
from tests.making.dng.damage import ifd0_entry, overwrite, parse_file, set_count, set_value
from tests.making.dng.denoised import write_copy
from tests.making.dng.previewed import Preview, write_previewed


@pytest.fixture
def source(tmp_path):
    """A DNG with previews on both sides of its raw image."""
    return write_previewed(
        tmp_path / "in.dng", before=(Preview(96, 144),), behind=(Preview(192, 288),)
    )


def fates(source, output):
    pairs = pair_ifds(parse_file(source), parse_file(output))
    return {pair.name.removeprefix("IFD0/"): pair.fate for pair in pairs}


@pytest.mark.parametrize(
    ("preview", "thumbnail", "others"),
    (("keep", "kept", "kept"), ("render", "rendered", "rendered"), ("none", "kept", "dropped")),
)
def test_every_ifd_is_found_again_under_its_own_name(source, preview, thumbnail, others):
    output, _ = write_copy(source, preview)

    expected = {"IFD0": thumbnail, "SubIFD0": others, "SubIFD1": "kept", "SubIFD2": others}
    assert expected == fates(source, output)
    pairs = {pair.name: pair for pair in pair_ifds(parse_file(source), parse_file(output))}
    raw = pairs["IFD0/SubIFD1"]
    assert raw.before.ints(Tag.CFA_PATTERN) == raw.after.ints(Tag.CFA_PATTERN) == (0, 1, 1, 2)


def test_what_changed_is_told_under_the_names_of_the_source(source):
    output, _ = write_copy(source, "none")

    tags = verify(source, output).tags

    gone = {change.ifd for change in tags if change.after is None and change.tag == "ImageWidth"}
    assert {"IFD0/SubIFD0", "IFD0/SubIFD2"} == gone
    assert ("IFD0", "SubIFDs", "3 IFDs", "1 IFDs") in [
        (change.ifd, change.tag, change.before, change.after) for change in tags
    ]
    assert "Compression" in [change.tag for change in tags if change.ifd == "IFD0/SubIFD1"]


def test_some_previews_must_not_be_missing(source):
    output, _ = write_copy(source, "keep")
    set_count(output, ifd0_entry(output, Tag.SUB_IFDS), 2)

    result = verify(source, output)

    assert ["kept"] * 4 == list(fates(source, output).values())
    lost = [change for change in result.tags if change.ifd == "IFD0/SubIFD2"]
    assert lost
    assert not any(change.allowed for change in lost)
    assert any("IFD0 SubIFDs" in words for words in result.violations)


def test_a_preview_in_the_place_of_the_raw_image_is_no_file_without_previews(source):
    output, _ = write_copy(source, "none")
    preview = parse_file(source).ifds[0].sub_ifds(Tag.SUB_IFDS)[0]

    set_value(output, ifd0_entry(output, Tag.SUB_IFDS), preview.offset)  # it is still there

    assert "dropped" not in fates(source, output).values()


def test_a_preview_elsewhere_must_say_who_rendered_it(source):
    output, _ = write_copy(source, "keep")
    strip = ifd0_entry(output, Tag.STRIP_OFFSETS)
    overwrite(output, len(output.read_bytes()), bytes(80 * 120 * 3))
    set_value(output, strip, len(output.read_bytes()) - 80 * 120 * 3)

    result = verify(source, output)

    [start] = ifd0_entry(source, Tag.STRIP_OFFSETS).ints
    assert not result.holds
    assert {start} <= {change.offset for change in result.bytes} <= {*range(start, start + 28800)}


def test_an_added_preview_must_say_who_rendered_it(tmp_path):
    source = write_previewed(tmp_path / "in.dng", behind=(), thumbnail=None)
    output, _ = write_copy(source)
    assert ["kept", "added"] == list(fates(source, output).values())
    [preview] = parse_file(output).ifds[0].sub_ifds(Tag.SUB_IFDS)
    name = preview.get(Tag.PREVIEW_APPLICATION_NAME)

    overwrite(output, name.value_offset, b"fake")

    result = verify(source, output)
    assert {"IFD0", "IFD0/SubIFD0"} == {c.ifd for c in result.tags if not c.allowed}


@pytest.mark.parametrize("tag", (Tag.ORIENTATION, Tag.CALIBRATION_ILLUMINANT_1))
def test_with_a_new_thumbnail_ifd0_must_still_say_what_it_said(source, tag):
    output, _ = write_copy(source)
    set_value(output, ifd0_entry(output, tag), 7)

    assert (f"Tags differ that must not: IFD0 {tag.label}.",) == verify(source, output).violations


def test_bytes_of_a_kept_preview_must_stay_though_others_are_new(tmp_path):
    mask = Preview(96, 144, subfile_type=4)
    source = write_previewed(tmp_path / "in.dng", before=(mask,))
    output, _ = write_copy(source)
    at = parse_file(source).ifds[0].sub_ifds(Tag.SUB_IFDS)[0].first_int(Tag.STRIP_OFFSETS, 0)
    assert verify(source, output).holds

    overwrite(output, at + 50, b"!")

    assert [at + 50] == [change.offset for change in verify(source, output).bytes]


def test_a_chain_that_holds_more_than_previews_is_not_left_out(tmp_path):
    chained = (Preview(80, 120, "exif"), Preview(40, 60, "exif"))
    source = write_previewed(tmp_path / "in.dng", behind=(), chained=chained)
    assert 2 == len(previews_below(parse_file(source)))
    width = parse_file(source).ifds[2].get(Tag.JPEG_INTERCHANGE_FORMAT)

    overwrite(source, width.location, (0xC000).to_bytes(2, "little"))

    assert () == previews_below(parse_file(source))
    output, _ = write_copy(source, "none")
    assert 3 == len(parse_file(output).ifds)
    assert verify(source, output).holds
