"""JPEG XL tiles decode to the samples they were made of, and say how many bits these have."""

import imagecodecs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fadn_cli.raw.codec import lossless
from fadn_cli.raw.codec.jpegxl import (
    TILE_SIDE,
    decode_stream,
    deinterleave,
    encode_tiles,
    interleave,
    stream_bits,
)
from fadn_cli.raw.codec.lossless import tile_size
from tests.making.jpegxl import side_by_side
from tests.making.mosaics import noisy_samples


def samples_of(height, width, bits, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 1 << bits, (height, width)).astype(np.uint16)


@pytest.mark.parametrize("bits", (1, 10, 14, 16))
@pytest.mark.parametrize("size", ((2, 2), (17, 31), (512, 512), (513, 1030)))
def test_tiles_decode_to_the_samples(size, bits):
    samples = samples_of(*size, bits)
    height, width = tile_size(size, TILE_SIDE)

    tiles = [decode_stream(tile) for tile in encode_tiles(samples, threads=1)]

    across = -(-size[1] // width)
    rows = [np.hstack(tiles[first : first + across]) for first in range(0, len(tiles), across)]
    assert {(height, width)} == {tile.shape for tile in tiles}
    assert np.array_equal(samples, np.vstack(rows)[: size[0], : size[1]])


def test_the_bytes_do_not_depend_on_the_threads():
    samples = noisy_samples(600, 700)

    one = list(encode_tiles(samples, threads=1))

    assert one == list(encode_tiles(samples, threads=3))


def test_colours_apart_are_smaller_than_lossless_jpeg_and_side_by_side_larger():
    y, x = np.mgrid[:512, :512]
    grey = 3000 + 1000 * np.sin(x / 40) * np.cos(y / 60)
    noise = np.random.default_rng(0).normal(0, 4, grey.shape)
    grey[::2, ::2] *= 0.4
    grey[1::2, 1::2] *= 0.6
    samples = np.rint(grey + noise).astype(np.uint16)
    jpeg = sum(map(len, lossless.encode_tiles(samples, bits=14)))
    apart, together = (
        sum(map(len, encode_tiles(each))) for each in (interleave(samples, (2, 2)), samples)
    )

    assert apart < 0.95 * jpeg < jpeg < together


@given(
    size=st.tuples(st.integers(1, 20), st.integers(1, 20)),
    factors=st.tuples(st.integers(1, 4), st.integers(1, 4)),
)
def test_interleaving_is_undone(size, factors):
    samples = samples_of(*size, 16)

    stored = interleave(samples, factors)

    assert np.array_equal(side_by_side(samples, *factors), stored)
    assert np.array_equal(samples, deinterleave(stored, factors))


@pytest.mark.parametrize("container", (False, True))
@pytest.mark.parametrize("size", ((8, 8), (16, 16), (97, 131), (256, 256), (300, 3000), (9000, 8)))
@pytest.mark.parametrize("bits", (8, 9, 10, 12, 14, 16))
def test_streams_say_how_many_bits_their_samples_have(bits, size, container):
    samples = samples_of(*size, bits)
    depth = {} if bits == 8 else {"bitspersample": bits}
    stream = imagecodecs.jpegxl_encode(
        samples.astype(np.uint8) if bits == 8 else samples,
        lossless=True,
        effort=3,
        numthreads=1,
        usecontainer=container,
        **depth,
    )

    assert bits == stream_bits(stream)


def test_a_bare_codestream_is_known_too():
    stream = bytes(next(encode_tiles(samples_of(64, 64, 16))))
    bare = stream[stream.index(b"\xff\x0a") :]

    assert 16 == stream_bits(bare)


def test_floating_point_is_refused():
    stream = imagecodecs.jpegxl_encode(np.full((32, 32), 0.5, np.float32), lossless=True, effort=3)

    assert 0 == stream_bits(stream)
    with pytest.raises(ValueError, match="floating-point"):
        decode_stream(stream)


def test_other_depths_are_refused_since_readers_differ():
    stream = imagecodecs.jpegxl_encode(samples_of(32, 32, 12), lossless=True, bitspersample=12)

    with pytest.raises(ValueError, match="12 bits"):
        decode_stream(stream)


@pytest.mark.parametrize("cut", (0, 1, 3, 12, 40, 200, -1))
def test_a_stream_that_is_cut_off_is_refused(cut):
    stream = bytes(next(encode_tiles(noisy_samples(64, 64))))

    with pytest.raises(ValueError):
        decode_stream(stream[:cut])


def test_colours_are_refused():
    stream = imagecodecs.jpegxl_encode(np.zeros((16, 16, 3), np.uint16), lossless=True, effort=3)

    with pytest.raises(ValueError, match="shape"):
        decode_stream(stream)


@given(st.binary(max_size=80))
def test_arbitrary_bytes_have_no_depth_or_one(data):
    for head in (
        b"",
        b"\xff\x0a",
        b"\0\0\0\x0cJXL \r\n\x87\n",
        b"\0\0\0\x0cJXL \r\n\x87\n\0\0\0\0jxlc",
    ):
        assert 0 <= stream_bits(head + data) <= 64
