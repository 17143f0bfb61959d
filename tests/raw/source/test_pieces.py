"""Strips and tiles that LibRaw would misplace come out where they belong."""

import imagecodecs
import numpy as np
import pytest

from fadn_cli.errors import RawReadError, UnsupportedRawError
from fadn_cli.raw.source.dng_checks import find_raw_ifd
from fadn_cli.raw.source.pieces import libraw_misplaces, read_samples
from fadn_cli.raw.source.reader import read_raw
from fadn_cli.raw.tiff.file import map_file, parse
from tests.making.codings import BYTES, WORDS, Coding, lossless, packed
from tests.making.dng.damage import overwrite, raw_entry, set_value
from tests.making.layouts.layout import structured
from tests.making.mosaics import smooth_samples


def parsed(path):
    tiff = parse(map_file(path), name=path.name)
    return tiff, find_raw_ifd(tiff)


def write(tmp_path, samples, **options):
    path = tmp_path / "a.dng"
    structured(samples, **options).write(path)
    return path


@pytest.mark.parametrize("byteorder", ("<", ">"))
@pytest.mark.parametrize(
    ("coding", "black", "white"),
    (
        (BYTES, 8, 255),
        *((packed(bits), 8, (1 << bits) - 1) for bits in (9, 10, 11, 12, 13, 14, 15)),
        (WORDS, 512, 65535),
        (lossless(components=1, precision=16), 512, 65535),
        (lossless(components=1, predictor=7, precision=14), 512, 16383),
    ),
)
@pytest.mark.parametrize("size", ((48, 64), (49, 67)))
def test_both_decoders_agree_where_libraw_is_right(tmp_path, byteorder, coding, black, white, size):
    samples = smooth_samples(*size, black=black, white=white)
    options = {"coding": coding, "byteorder": byteorder}

    for pieces in ({}, {"tile": (32, 48)}):
        path = write(tmp_path, samples, **options, **pieces)
        tiff, ifd = parsed(path)

        assert not libraw_misplaces(tiff, ifd)
        assert np.array_equal(samples, read_raw(path).mosaic.samples)
        assert np.array_equal(samples, read_samples(tiff, ifd))


@pytest.mark.parametrize(
    "options",
    (
        {"rows": 7, "lead": b"\xaa" * 40},
        {"rows": 7, "reverse": True},
        {"rows": 7, "coding": packed(12), "lead": b"\xaa"},
        {"rows": 20, "coding": lossless(components=1)},
        {"rows": 20, "coding": lossless(components=1), "byteorder": ">"},
        {"tile": (96, 112)},
        {"tile": (48, 112)},
        {"tile": (96, 112), "coding": lossless()},
        {"tile": (48, 112), "coding": lossless()},
    ),
)
def test_pieces_come_out_where_they_belong(tmp_path, options):
    samples = smooth_samples(96, 97, black=8, white=4095)
    path = write(tmp_path, samples, **options)

    assert libraw_misplaces(*parsed(path))
    assert np.array_equal(samples, read_raw(path).mosaic.samples)


def test_two_components_of_half_a_row_come_out_where_they_belong(tmp_path):
    samples = smooth_samples(96, 128)
    path = write(tmp_path, samples, coding=lossless(), tile=(48, 64))

    assert libraw_misplaces(*parsed(path))
    assert np.array_equal(samples, read_raw(path).mosaic.samples)


def test_the_linearization_table_is_applied(tmp_path):
    table = np.arange(4000, dtype=np.uint16) * 4 + 1
    stored = smooth_samples(48, 64, black=8, white=4095)
    path = write(tmp_path, stored, raw={50712: (3, table)}, rows=7, reverse=True)

    assert np.array_equal(table[np.minimum(stored, 3999)], read_raw(path).mosaic.samples)


@pytest.mark.parametrize(
    ("marker", "damage", "words"),
    (
        (b"\xff\xd8", bytes(2), "holds 0 samples, not 2560"),
        (b"\xff\xc3", b"\xff\xc3\0\x0e\x63", "cannot be decoded"),  # a precision of 99 bits
    ),
)
def test_damaged_streams_are_read_errors(tmp_path, marker, damage, words):
    path = write(tmp_path, smooth_samples(), coding=lossless(), rows=20)
    start = raw_entry(path, 273).ints[1]
    overwrite(path, path.read_bytes().index(marker, start), damage)

    with pytest.raises(RawReadError, match=f"a.dng: strip or tile 2 of 5 {words}") as caught:
        read_raw(path)

    assert caught.value.advice


@pytest.mark.parametrize("changes", ({258: (3, 0)}, {256: (4, 1 << 31)}))
def test_what_libraw_refuses_is_left_to_it(tmp_path, changes):
    path = write(tmp_path, smooth_samples(), coding=lossless(), rows=20, raw=changes)

    assert not libraw_misplaces(*parsed(path))
    with pytest.raises(RawReadError):
        read_raw(path)


def test_a_stream_of_another_size_is_a_read_error(tmp_path):
    path = write(tmp_path, smooth_samples(), coding=lossless(), rows=20)
    set_value(path, raw_entry(path, 278), 24)

    with pytest.raises(RawReadError, match="holds 2560 samples, not 3072"):
        read_raw(path)


@pytest.mark.parametrize("pieces", ({}, {"tile": (32, 48)}))
def test_lossy_jpeg_in_a_mosaic_is_named_for_what_it_is(tmp_path, pieces):
    lossy = Coding(
        lambda piece, _: imagecodecs.jpeg8_encode(np.ascontiguousarray(piece), bitspersample=12),
        12,
        compression=7,
    )
    path = write(tmp_path, smooth_samples(48, 96, black=8, white=4095), coding=lossy, **pieces)

    with pytest.raises(UnsupportedRawError, match="lossy JPEG in a mosaic") as caught:
        read_raw(path)

    assert "lossless" in caught.value.advice
