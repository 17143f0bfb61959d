"""The same photograph says the same in every container, and damage only leaves things out."""

import json
import shutil
import struct
import subprocess
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from fadn_cli.errors import RawReadError
from fadn_cli.raw.metadata import MetadataBlocks, read_blocks
from fadn_cli.raw.tags import Tag
from fadn_cli.raw.tiff import parse
from fadn_cli.raw.tiff_write import build_header, build_ifd
from tests.raw.builders import (
    ASCII,
    BYTE,
    LONG,
    RATIONAL,
    SHORT,
    UNDEFINED,
    TiffBuilder,
    noisy_samples,
    write_camera_tiff,
    write_dng,
)

XMP = b"<x:xmpmeta/>"
SHARED = {
    271: (ASCII, "Maker"),
    272: (ASCII, "Model 5"),
    274: (SHORT, 8),
    315: (ASCII, "A. Photographer"),
}
EXIF = {
    33434: (RATIONAL, [(1, 60)]),
    34855: (SHORT, 3200),
    36867: (ASCII, "2026:01:02 03:04:05"),
    37500: (UNDEFINED, b"a maker note, its offsets lost elsewhere"),
}
GPS = {1: (ASCII, "N"), 2: (RATIONAL, [(48, 1), (8, 1), (30, 1)])}


def jpeg(size=16, seed=0):
    """A small baseline JPEG."""
    pixels = np.random.default_rng(seed).integers(0, 256, (size, size, 3), dtype=np.uint8)
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG")
    return buffer.getvalue()


def tiff_bytes(fields, *, exif=None, gps=None, byteorder="<"):
    tiff = TiffBuilder(byteorder)
    fields = dict(fields)
    if exif:
        fields[34665] = (LONG, tiff.add_ifd(exif))
    if gps:
        fields[34853] = (LONG, tiff.add_ifd(gps))
    struct.pack_into(byteorder + "I", tiff.buffer, 4, tiff.add_ifd(fields))
    return bytes(tiff.buffer)


def box(kind, content):
    return struct.pack(">I4s", len(content) + 8, kind) + content


def exif_jpeg(inner):
    """A JPEG with EXIF and XMP segments."""
    exif, packet = b"Exif\0\0" + inner, b"http://ns.adobe.com/xap/1.0/\0" + XMP
    segments = b"".join(
        struct.pack(">HH", 0xFFE1, len(content) + 2) + content for content in (exif, packet)
    )
    return b"\xff\xd8" + segments + jpeg()[2:]


def as_tiff(byteorder):
    return tiff_bytes(SHARED | {700: (BYTE, XMP)}, exif=EXIF, gps=GPS, byteorder=byteorder)


def as_cr3():
    uuid = bytes.fromhex("85c0b687820f11e08111f4ce462b6a48")
    xmp_uuid = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
    preview_uuid = bytes.fromhex("eaf42b5e1c984b88b9fbb7dc406e4d16")
    parts = ((b"CMT1", SHARED), (b"CMT2", EXIF), (b"CMT3", {1: (SHORT, 1)}), (b"CMT4", GPS))
    canon = b"".join(box(kind, tiff_bytes(fields)) for kind, fields in parts)
    preview = bytes(8) + box(b"PRVW", bytes(16) + jpeg())
    return (
        box(b"ftyp", b"crx isom")
        + box(b"moov", box(b"uuid", uuid + canon) + box(b"trak", bytes(10)))
        + box(b"uuid", xmp_uuid + XMP)
        + box(b"uuid", preview_uuid + preview)
        + struct.pack(">I4sQ", 1, b"mdat", 16 + 5)
        + bytes(5)
    )


def as_raf():
    content = exif_jpeg(tiff_bytes(SHARED, exif=EXIF, gps=GPS, byteorder=">"))
    head = b"FUJIFILMCCD-RAW ".ljust(84, b"0") + struct.pack(">II", 148, len(content))
    return head.ljust(148, b"\0") + content


def as_mrw():
    inner = tiff_bytes(SHARED | {700: (BYTE, XMP)}, exif=EXIF, gps=GPS, byteorder=">")
    blocks = struct.pack(">4sI", b"\0PRD", 24) + bytes(24)
    blocks += struct.pack(">4sI", b"\0TTW", len(inner)) + inner
    return struct.pack(">4sI", b"\0MRM", len(blocks)) + blocks


CONTAINERS = {
    "nef": as_tiff("<"),
    "pef": as_tiff(">"),
    "orf": b"IIRO" + as_tiff("<")[4:],
    "rw2": b"IIU\0" + as_tiff("<")[4:],
    "cr3": as_cr3(),
    "raf": as_raf(),
    "mrw": as_mrw(),
}


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


@pytest.mark.parametrize("suffix", ("cr3", "raf"))
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
        ({}, None),
    ),
)
def test_the_iso_is_where_the_camera_put_it(tmp_path, tags, iso):
    path = tmp_path / "a.nef"
    path.write_bytes(tiff_bytes(SHARED, exif={36864: (UNDEFINED, b"0230")} | tags))

    assert iso == read_blocks(path).iso


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


@settings(max_examples=150, deadline=None)
@given(st.data(), st.sampled_from(sorted(CONTAINERS)))
def test_damage_never_raises(tmp_path_factory, data, suffix):
    damaged = bytearray(CONTAINERS[suffix])
    places = st.integers(4, len(damaged) - 1)
    for place, value in data.draw(st.lists(st.tuples(places, st.integers(0, 255)), max_size=8)):
        damaged[place] = value
    path = tmp_path_factory.getbasetemp() / f"fuzz.{suffix}"
    path.write_bytes(damaged[: data.draw(st.integers(5, len(damaged)))])

    blocks = read_blocks(path)

    assert blocks.orientation in (None, *range(1, 9))
    assert blocks.iso is None or blocks.iso > 0


NO_EXIF_READER = ("stub_CanonRaw.crw", "stub_Sigma.x3f", "stub_Issue247-1.nef")
"""CIFF, Foveon, and a JPEG by another name: nothing we denoise."""
TRUNCATED_FOR_EXIFTOOL = ("stub_fujifilm_xtrans_meta.raf",)


@pytest.mark.raw
@pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")
def test_the_real_files_say_what_exiftool_reads(raws):
    files = [
        path
        for path in sorted([*raws.glob("*.dng"), *(raws / "awkward").iterdir()])
        if path.name not in (*NO_EXIF_READER, *TRUNCATED_FOR_EXIFTOOL)
    ]
    names = ("Make", "Model", "ISO", "ExposureTime", "DateTimeOriginal")
    command = ["exiftool", "-j", "-n", *(f"-{name}" for name in names), *map(str, files)]
    rows = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)

    for path, row in zip(files, rows, strict=True):
        blocks = read_blocks(path)
        date = blocks.find(Tag.DATE_TIME_ORIGINAL)
        text = date.values.decode().strip("\0 ") if date is not None else ""
        assert row.get("Make", "") == blocks.make, path.name
        assert str(row.get("Model", "")) == blocks.model, path.name
        assert (row.get("ISO") or None) == blocks.iso, path.name
        assert (row.get("ExposureTime") or None) == pytest.approx(blocks.exposure_time)
        assert row.get("DateTimeOriginal", "") == text, path.name


@pytest.mark.raw
def test_the_stub_with_gps_keeps_its_position(raws):
    blocks = read_blocks(raws / "awkward" / "stub_canon-r6.cr3")

    assert 12 == len(blocks.gps)
    assert blocks.preview[:2] == b"\xff\xd8"
