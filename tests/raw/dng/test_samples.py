"""Plain samples are those that were given, in every depth, and everyone reads them."""

import io

import numpy as np
import pytest
import rawpy
from hypothesis import given
from hypothesis import strategies as st

from fadn_cli.raw.dng.samples import pack_rows, plan_storage, write_samples
from fadn_cli.raw.tiff.room import Room
from fadn_cli.raw.tiff.tags import Compression, Tag
from tests.making.codings import plain
from tests.making.dng.previewed import write_previewed
from tests.making.mosaics import noisy_samples

DEPTHS = (8, 10, 12, 14, 16)


@given(
    bits=st.integers(1, 16),
    width=st.integers(1, 40),
    byteorder=st.sampled_from("<>"),
    seed=st.integers(0, 99),
)
def test_rows_are_packed_as_tiff_says(bits, width, byteorder, seed):
    """Against arithmetic with long integers."""
    samples = np.random.default_rng(seed).integers(0, 1 << bits, (3, width)).astype(np.uint16)

    assert plain(bits).encode(samples, byteorder) == pack_rows(samples, bits, byteorder)


@pytest.mark.parametrize("bits", DEPTHS)
def test_libraw_reads_packed_samples(tmp_path, bits):
    samples = noisy_samples(33, 44, low=1, high=(1 << bits) - 1)
    place = io.BytesIO()
    storage = plan_storage(samples, compression="none", stated_bits=bits, plain_bits=bits)
    write_samples(Room(place), samples, storage, byteorder=">")
    path = write_previewed(
        tmp_path / "in.dng", samples, bits=bits, byteorder=">", thumbnail=None, behind=()
    )

    assert place.getvalue() in path.read_bytes()
    with rawpy.imread(str(path)) as raw:
        assert np.array_equal(samples, raw.raw_image)


@pytest.mark.parametrize(
    ("plain_bits", "highest", "expected"),
    ((0, 100, 16), (12, 4095, 12), (12, 4096, 16), (8, 255, 8), (14, 100, 14), (16, 100, 16)),
)
def test_the_depth_of_a_plain_source_is_kept_and_any_other_becomes_16_bits(
    plain_bits, highest, expected
):
    samples = np.full((20, 32), highest, np.uint16)

    storage = plan_storage(samples, compression="none", stated_bits=10, plain_bits=plain_bits)
    fields = write_samples(Room(io.BytesIO()), samples, storage)

    said = {field.tag: tuple(field.values) for field in fields}
    assert (expected,) == said[Tag.BITS_PER_SAMPLE]
    assert (Compression.NONE,) == said[Tag.COMPRESSION]
    assert (20 * 32 * expected // 8,) == said[Tag.STRIP_BYTE_COUNTS]


def test_rows_that_would_end_within_a_byte_become_words():
    samples = np.full((20, 31), 100, np.uint16)

    assert 16 == plan_storage(samples, compression="none", stated_bits=12, plain_bits=12).bits


@pytest.mark.parametrize("kind", ("bayer", "xtrans", "mono"))
@pytest.mark.parametrize("compression", ("lj92", "jxl", "none"))
@pytest.mark.parametrize("size", ((20, 31), (300, 700)))
def test_what_is_said_of_samples_takes_the_same_room_before_they_are_written(
    compression, size, kind
):
    samples = noisy_samples(*size)
    storage = plan_storage(samples, compression=compression, kind=kind, stated_bits=14)

    before, after = storage.fields(), write_samples(Room(io.BytesIO()), samples, storage)

    assert [(f.tag, len(f.values)) for f in before] == [(f.tag, len(f.values)) for f in after]


def test_samples_in_any_memory_layout_are_the_same():
    samples = noisy_samples(32, 48)

    assert pack_rows(samples[::-1, ::-1], 14, "<") == pack_rows(samples[::-1, ::-1].copy(), 14, "<")
    assert pack_rows(samples.T, 16, ">") == pack_rows(samples.T.copy(), 16, ">")
