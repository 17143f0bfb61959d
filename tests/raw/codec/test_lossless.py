"""Tiles decode to the samples they were made of, and their bytes depend on nothing else."""

import re

import imagecodecs
import numpy as np
import pytest

from fadn_cli.raw.codec.lossless import (
    TileEncoder,
    bits_for,
    checksum_of,
    decode_otherwise,
    encode_tiles,
    stream_fault,
    tile_size,
)


def decode(tiles, height, width):
    tile_height, tile_width = tile_size((height, width))
    rows, cols = -(-height // tile_height), -(-width // tile_width)
    decoded = [imagecodecs.ljpeg_decode(t).reshape(tile_height, tile_width) for t in tiles]
    assert rows * cols == len(decoded)
    whole = np.block([decoded[row * cols : (row + 1) * cols] for row in range(rows)])
    return whole[:height, :width]


def samples_of(height, width, bits, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 1 << bits, (height, width)).astype(np.uint16)


@pytest.mark.parametrize("bits", (10, 12, 14, 15, 16))
@pytest.mark.parametrize("size", ((2, 2), (17, 31), (100, 300), (256, 256), (257, 511)))
def test_tiles_decode_to_the_samples(size, bits):
    samples = samples_of(*size, bits)
    samples.flat[0], samples.flat[-1] = 0, (1 << bits) - 1

    tiles = list(encode_tiles(samples, bits=bits, threads=1))

    assert np.array_equal(samples, decode(tiles, *size))


@pytest.mark.parametrize("size", ((17, 31), (256, 256), (257, 511)))
def test_one_component_decodes_to_the_samples_too(size):
    samples = samples_of(*size, 14)

    tiles = list(encode_tiles(samples, bits=14, components=1))

    assert np.array_equal(samples, decode(tiles, *size))
    assert 1 == tiles[0][tiles[0].index(b"\xff\xc3") + 9]


def test_without_colours_one_component_is_smaller():
    y, x = np.mgrid[:300, :300]
    samples = (3000 + 2000 * np.sin(x / 5) * np.cos(y / 9)).astype(np.uint16)

    one, two = (sum(map(len, encode_tiles(samples, bits=14, components=n))) for n in (1, 2))

    assert one < 0.95 * two


def test_the_largest_difference_of_16_bits_survives():
    samples = np.zeros((256, 256), np.uint16)
    samples[:, 2::4] = samples[:, 3::4] = 32768

    assert np.array_equal(samples, decode(encode_tiles(samples, bits=16), 256, 256))


def test_tiles_are_adobes_layout():
    """Frame header: lossless (C3), 256 rows of 128 pairs; scan header: predictor 1."""
    (tile,) = encode_tiles(samples_of(256, 256, 14), bits=14)

    frame = tile.index(b"\xff\xc3")
    scan = tile.index(b"\xff\xda")
    precision, height, width, components = (
        tile[frame + 4],
        int.from_bytes(tile[frame + 5 : frame + 7]),
        int.from_bytes(tile[frame + 7 : frame + 9]),
        tile[frame + 9],
    )
    assert (14, 256, 128, 2) == (precision, height, width, components)
    assert 1 == tile[scan + 5 + 2 * components]


def test_the_bytes_do_not_depend_on_the_number_of_threads():
    samples = samples_of(700, 900, 14)

    one = list(encode_tiles(samples, bits=14, threads=1))

    assert one == list(encode_tiles(samples, bits=14, threads=4))


def test_padding_costs_next_to_nothing():
    samples = samples_of(512, 512, 14)

    full = sum(map(len, encode_tiles(samples, bits=14)))
    padded = sum(map(len, encode_tiles(samples[:257, :257], bits=14)))

    assert padded < full * 0.35  # a bit per sample


def test_padding_continues_the_columns_of_a_colour():
    (_, tile) = encode_tiles(samples_of(256, 259, 14), bits=14)

    columns = imagecodecs.ljpeg_decode(tile).reshape(256, 256)
    assert np.array_equal(columns[:, 1:254], columns[:, 3:256])


def test_precision_is_the_sources_unless_a_sample_needs_more():
    samples = np.full((2, 2), 4095, np.uint16)

    assert [12, 14, 16, 10] == [
        bits_for(samples, stated=12),
        bits_for(samples, stated=14),
        bits_for(samples * 16, stated=12),
        bits_for(samples // 256, stated=8),
    ]


@pytest.mark.parametrize("width", range(480, 560))
def test_no_tile_is_half_as_wide_as_the_mosaic(width):
    _, tile_width = tile_size((300, width))

    assert 2 * tile_width != width
    assert 0 == tile_width % 16


@pytest.mark.parametrize("side", (16, 31, 100, 255, 256, 1000))
def test_no_tile_is_larger_than_the_mosaic(side):
    height, width = tile_size((side, side))

    assert height == width <= min(side, 256)
    assert 0 == width % 16


def test_the_mosaic_is_not_modified():
    samples = samples_of(300, 300, 14)
    before = samples.copy()

    list(encode_tiles(samples, bits=14))

    assert np.array_equal(before, samples)


@pytest.fixture
def stream():
    """A tile as we write it: 256 x 256 samples."""
    return next(encode_tiles(samples_of(256, 256, 14), bits=14))


@pytest.mark.parametrize("padding", (b"", bytes(3), b"\xff" * 16))
def test_a_whole_stream_has_no_fault(stream, padding):
    assert "" == stream_fault(stream + padding, 256 * 256)


def test_a_whole_stream_of_another_width_has_no_fault():
    samples = samples_of(128, 512, 14)
    single = imagecodecs.jpeg8_encode(samples, lossless=True, predictor=6, bitspersample=14)

    assert "" == stream_fault(single, 256 * 256)


@pytest.mark.parametrize(
    ("damage", "words"),
    (
        (lambda stream: b"", "does not begin"),
        (lambda stream: stream[2:], "does not begin"),
        (lambda stream: stream[:-1], "cut off"),
        (lambda stream: stream[: len(stream) // 2], "cut off"),
        (lambda stream: stream[: len(stream) // 2] + bytes(9000), "cut off"),
        (lambda stream: stream[:9000] + b"\xff\xd9" + stream[9000:], "ends before"),
        (lambda stream: stream.replace(b"\xff\xc3", b"\xff\xc9", 1), "cannot be decoded"),
        (lambda stream: stream[:2] + stream[-2:], "ends before|cannot be decoded"),
    ),
)
def test_a_stream_that_is_not_whole_has_a_fault(stream, damage, words):
    assert re.search(words, stream_fault(damage(stream), 256 * 256))


def test_a_stream_of_other_samples_has_a_fault(stream):
    assert "holds 65536 samples, not 65280" == stream_fault(stream, 255 * 256)


@pytest.mark.parametrize("rows", (1, 37, 256, 1000))
@pytest.mark.parametrize("components", (1, 2))
def test_rows_that_come_one_after_the_other_make_the_same_tiles(rows, components):
    samples = samples_of(600, 300, 14)
    expected = list(encode_tiles(samples, bits=14, components=components))

    with TileEncoder(samples.shape, bits=14, components=components, threads=3) as encoder:
        for start in range(0, 600, rows):
            encoder.add(samples[start : start + rows])
        encoded = encoder.finish()

    assert expected == list(encoded.tiles)
    assert checksum_of(samples) == encoded.checksum


def test_an_encoder_wants_all_rows():
    with TileEncoder((600, 300), bits=14) as encoder:
        encoder.add(samples_of(300, 300, 14))

        with pytest.raises(ValueError, match="of 600 rows"):
            encoder.finish()


@pytest.mark.parametrize("bits", (10, 12, 14, 16))
@pytest.mark.parametrize("components", (1, 2))
def test_the_other_decoder_reads_what_we_encode(bits, components):
    samples = samples_of(256, 256, bits)
    [tile] = encode_tiles(samples, bits=bits, components=components)

    assert np.array_equal(samples, decode_otherwise(tile))


def test_the_other_decoder_says_what_it_cannot_read():
    with pytest.raises(ValueError):
        decode_otherwise(b"no JPEG")
