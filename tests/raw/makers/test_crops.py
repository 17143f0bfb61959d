"""The aspect ratio that was set in the camera is what a DNG shows."""

import struct

import pytest

from fadn_cli.raw.makers.crops import canon_crop, fuji_crop
from fadn_cli.raw.source.reader import read_raw
from tests.making.camera_tiff import CAMERAS, write_camera_tiff
from tests.making.mosaics import noisy_samples

OFFSET = 1000


def canon_note(*aspect, byteorder="<", offset=OFFSET):
    """A maker note of Canon's, with one tag before its AspectInfo."""
    head = struct.pack(byteorder + "HHHII", 2, 1, 3, 1, 0)
    head += struct.pack(byteorder + "HHII", 0x9A, 4, 5, offset + 30) + bytes(4)
    return head + struct.pack(byteorder + "5I", *aspect)


@pytest.mark.parametrize("byteorder", ("<", ">"))
def test_canon_states_the_part_of_the_picture(byteorder):
    note = canon_note(7, 5184, 2920, 0, 268, byteorder=byteorder)

    assert (268, 0, 2920, 5184) == canon_crop(note, byteorder, OFFSET)


def test_a_note_that_states_none_or_is_cut_off_has_none():
    note = canon_note(7, 5184, 2920, 0, 268)

    assert canon_crop(struct.pack("<H", 0), "<", 0) is None
    assert all(canon_crop(note[:end], "<", OFFSET) is None for end in range(len(note)))
    assert canon_crop(note, "<", OFFSET + 100) is None


@pytest.mark.parametrize(
    ("stated", "crop"),
    [
        ((2, 3), (0, 0, 200, 300)),
        ((1, 1), (0, 50, 200, 200)),
        ((9, 16), (15, 0, 169, 300)),
        ((0, 0), None),
    ],
)
def test_fujifilms_is_the_middle_of_the_picture(stated, crop):
    records = {0x0115: memoryview(struct.pack(">HH", *stated))}

    assert crop == fuji_crop(records, (200, 300))
    assert fuji_crop({}, (200, 300)) is None


@pytest.mark.parametrize(
    ("aspect", "shown"),
    [((1, 400, 400, 100, 0), (0, 100, 400, 400)), ((1, 40, 40, 0, 0), None), ((0,) * 5, None)],
)
def test_what_a_camera_shows_is_read_if_it_can_be(tmp_path, aspect, shown):
    make, model = CAMERAS["cr2"]
    path = write_camera_tiff(
        tmp_path / "a.cr2",
        noisy_samples(400, 600),
        make=make,
        model=model,
        maker_note=(OFFSET, canon_note(*aspect)),
    )

    raw_image = read_raw(path)

    area, crop = raw_image.mosaic.active_area, raw_image.metadata.crop
    found = crop and (crop.top - area.top, crop.left - area.left, crop.height, crop.width)
    assert shown == found
