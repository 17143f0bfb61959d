"""What a container does not say of the exposure is completed, and nothing else is touched."""

import pytest

from fadn_cli.mosaic.values import RawMetadata
from fadn_cli.raw.source.blocks import MetadataBlocks
from fadn_cli.raw.tiff.tags import Tag, make_field

KNOWN = RawMetadata(
    make="",
    model="",
    iso=400,
    exposure_time=0.0166,
    wb_gains=None,
    color_matrix=None,
    orientation=1,
    noise_profile=None,
    is_dng=False,
    f_number=2.8,
    focal_length=7.09375,
    lens="18-55mm",
    lens_range=(18.0, 55.0),
)


def test_what_is_missing_is_added():
    blocks = MetadataBlocks().completed(KNOWN)

    assert (400, 0.0166) == (blocks.iso, pytest.approx(blocks.exposure_time))
    assert [(14, 5)] == blocks.find(Tag.F_NUMBER).values
    assert [(227, 32)] == blocks.find(Tag.FOCAL_LENGTH).values
    assert b"18-55mm\0" == blocks.find(Tag.LENS_MODEL).values
    assert [(18, 1), (55, 1), (0, 0), (0, 0)] == blocks.find(Tag.LENS_SPECIFICATION).values


def test_what_is_said_stays():
    fields = (
        make_field(Tag.ISO_SPEED_RATINGS, 100),
        make_field(Tag.EXPOSURE_TIME, [(1, 8)]),
        make_field(Tag.F_NUMBER, [(4, 1)]),
        make_field(Tag.FOCAL_LENGTH, [(50, 1)]),
        make_field(Tag.LENS_MODEL, "50mm"),
        make_field(Tag.LENS_SPECIFICATION, [(50, 1), (50, 1), (0, 0), (0, 0)]),
    )
    blocks = MetadataBlocks(exif=fields)

    assert blocks == blocks.completed(KNOWN)


def test_a_value_that_says_nothing_is_replaced():
    blocks = MetadataBlocks(exif=(make_field(Tag.EXPOSURE_TIME, [(0, 1)]),)).completed(KNOWN)

    assert 0.0166 == pytest.approx(blocks.exposure_time)
    assert 1 == sum(item.tag == Tag.EXPOSURE_TIME for item in blocks.exif)


@pytest.mark.parametrize(
    ("stated", "tag"),
    [
        ((), Tag.ISO_SPEED_RATINGS),
        ((Tag.ISO_SPEED_RATINGS,), Tag.ISO_SPEED),
        ((Tag.ISO_SPEED_RATINGS, Tag.ISO_SPEED), Tag.RECOMMENDED_EXPOSURE_INDEX),
    ],
)
def test_an_iso_speed_goes_where_nothing_is_said(stated, tag):
    blocks = MetadataBlocks(exif=tuple(make_field(each, 0) for each in stated))

    completed = blocks.completed(KNOWN)

    assert 400 == completed.iso
    assert (400,) == completed.find(tag).values
    assert all((0,) == completed.find(each).values for each in stated)


def test_what_nobody_knows_stays_unknown():
    nothing = RawMetadata(
        make="",
        model="",
        iso=None,
        exposure_time=None,
        wb_gains=None,
        color_matrix=None,
        orientation=1,
        noise_profile=None,
        is_dng=False,
    )

    assert MetadataBlocks() == MetadataBlocks().completed(nothing)
