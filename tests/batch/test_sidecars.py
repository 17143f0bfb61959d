"""Sidecars follow their photograph, and nobody's edits are lost."""

import pytest

from fadn_cli.batch.sidecars import copy_sidecars, read_edits
from tests.making.xmp import xmp


@pytest.fixture
def pair(tmp_path):
    """A source and an output in another folder."""
    (tmp_path / "out").mkdir()
    source, output = tmp_path / "IMG_1.CR2", tmp_path / "out" / "IMG_1_denoised.dng"
    source.write_bytes(b"raw")
    output.write_bytes(b"denoised")
    return source, output


@pytest.mark.parametrize(
    ("name", "copy"),
    (
        ("IMG_1.xmp", "IMG_1_denoised.xmp"),
        ("IMG_1.XMP", "IMG_1_denoised.xmp"),
        ("IMG_1.CR2.xmp", "IMG_1_denoised.dng.xmp"),
        ("IMG_1.CR2.XMP", "IMG_1_denoised.dng.xmp"),
        ("IMG_1_01.CR2.xmp", "IMG_1_denoised_01.dng.xmp"),
        ("IMG_1_12.CR2.xmp", "IMG_1_denoised_12.dng.xmp"),
        ("IMG_1.CR2.pp3", "IMG_1_denoised.dng.pp3"),
        ("IMG_1.CR2.arp", "IMG_1_denoised.dng.arp"),
        ("IMG_1.CR2.dop", "IMG_1_denoised.dng.dop"),
        ("IMG_1.on1", "IMG_1_denoised.on1"),
    ),
)
def test_every_programs_way_of_naming_is_known(pair, name, copy):
    source, output = pair
    source.with_name(name).write_bytes(b"<x/>")

    assert () == copy_sidecars(source, output)

    assert b"<x/>" == output.with_name(copy).read_bytes()
    assert {copy, output.name, ".fadn-state.jsonl"} == {p.name for p in output.parent.iterdir()}


def test_without_sidecars_nothing_is_written(pair):
    source, output = pair

    assert () == copy_sidecars(source, output)

    assert [output] == list(output.parent.iterdir())


def test_a_copy_of_ours_follows_its_original(pair):
    source, output = pair
    sidecar, copy = source.with_suffix(".xmp"), output.with_suffix(".xmp")
    for content in (b"<one/>", b"<two/>", b"<two/>", b"<one/>"):
        sidecar.write_bytes(content)

        assert () == copy_sidecars(source, output)
        assert content == copy.read_bytes()


def test_what_was_edited_or_is_not_ours_stays(pair):
    source, output = pair
    source.with_suffix(".xmp").write_bytes(b"<one/>")
    copy_sidecars(source, output)
    output.with_suffix(".xmp").write_bytes(b"edited")
    source.with_name("IMG_1.CR2.xmp").write_bytes(b"<theirs/>")
    output.with_name("IMG_1_denoised.dng.xmp").write_bytes(b"mine")

    warnings = copy_sidecars(source, output)

    assert b"edited" == output.with_suffix(".xmp").read_bytes()
    assert b"mine" == output.with_name("IMG_1_denoised.dng.xmp").read_bytes()
    assert {"IMG_1.xmp", "IMG_1.CR2.xmp"} == {warning.split()[2] for warning in warnings}


def test_a_sidecar_that_serves_both_is_not_copied_onto_itself(pair):
    source, _ = pair
    source.with_suffix(".xmp").write_bytes(b"<one/>")

    assert () == copy_sidecars(source, source.with_suffix(".dng"))

    assert {"IMG_1.CR2", "IMG_1.xmp", "out"} == {path.name for path in source.parent.iterdir()}


def test_a_folder_in_the_way_is_a_warning(pair):
    source, output = pair
    source.with_suffix(".xmp").write_bytes(b"<one/>")
    output.with_suffix(".xmp").mkdir()

    assert 1 == len(copy_sidecars(source, output))


@pytest.mark.parametrize(
    "name",
    (
        "IMG_1.pp3",
        "IMG_1.CR2.on1",
        "IMG_10.CR2.xmp",
        "IMG_1_1.CR2.xmp",
        "IMG_1_01.NEF.xmp",
        "IMG_1",
    ),
)
def test_what_belongs_to_no_program_or_another_photograph_stays(pair, name):
    source, output = pair
    source.with_name(name).write_bytes(b"<x/>")

    assert () == copy_sidecars(source, output)

    assert [output] == list(output.parent.iterdir())


def test_a_photograph_called_like_a_duplicate_keeps_its_sidecar(pair):
    source, output = pair
    source.with_name("IMG_1_01.CR2").write_bytes(b"raw")
    source.with_name("IMG_1_01.CR2.xmp").write_bytes(b"<x/>")

    assert () == copy_sidecars(source, output)

    assert [output] == list(output.parent.iterdir())


@pytest.mark.parametrize(("extension", "count"), (("CR2", 1), ("cr2", 1), ("NEF", 0)))
def test_adobes_sidecar_says_of_which_of_two_raws_it_is(pair, extension, count):
    source, output = pair
    source.with_suffix(".xmp").write_bytes(xmp(f'photoshop:SidecarForExtension="{extension}"'))

    assert () == copy_sidecars(source, output)

    assert count == len(read_edits(source)[0].packets)
    assert (count == 1) == output.with_suffix(".xmp").exists()


def test_edits_are_darktables_and_then_adobes_and_not_those_of_duplicates(pair):
    source, _ = pair
    for name in ("IMG_1.xmp", "IMG_1.CR2.xmp", "IMG_1_01.CR2.xmp", "IMG_1.CR2.pp3"):
        source.with_name(name).write_bytes(xmp(f'xmp:Label="{name}"'))

    edits, warnings = read_edits(source)

    assert (("IMG_1.CR2.xmp", "IMG_1.xmp"), ()) == (edits.names, warnings)
    assert b"IMG_1.CR2.xmp" in edits.packets[0]


def test_xmp_that_does_not_parse_goes_nowhere_and_is_named(pair):
    source, output = pair
    source.with_suffix(".xmp").write_bytes(b"<x:xmpmeta")

    edits, [warning] = read_edits(source)

    assert () == edits.packets
    assert "IMG_1.xmp is not well-formed XML" in warning
    assert () == copy_sidecars(source, output)
    assert [output] == list(output.parent.iterdir())
