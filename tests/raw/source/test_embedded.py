"""A preview is described as its own header does, and what cannot be described is no preview."""

import io

import numpy as np
import pytest
from PIL import Image

from fadn_cli.raw.source.embedded import largest_jpeg, read_frame

SIZE = (40, 24)


def encode(mode="RGB", size=SIZE, **options):
    pixels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(buffer, "JPEG", **options)
    return buffer.getvalue()


@pytest.mark.parametrize("progressive", (False, True))
@pytest.mark.parametrize(
    ("subsampling", "expected"), (("4:4:4", (1, 1)), ("4:2:2", (2, 1)), ("4:2:0", (2, 2)))
)
def test_the_frame_says_what_the_encoder_wrote(subsampling, expected, progressive):
    frame = read_frame(encode(subsampling=subsampling, progressive=progressive))

    assert (*SIZE, expected) == (frame.width, frame.height, frame.sub_sampling)


def with_frame(change):
    """A JPEG whose frame header is changed by a function of the bytes after its marker."""
    whole = bytearray(encode())
    at = whole.index(b"\xff\xc0")
    change(whole, at)
    return bytes(whole)


def put(at, value):
    def change(whole, start):
        whole[start + at : start + at + len(value)] = value

    return with_frame(change)


UNUSABLE = {
    "lossless": put(0, b"\xff\xc3"),
    "12 bits": put(4, b"\x0c"),
    "no height": put(5, b"\0\0"),
    "no width": put(7, b"\0\0"),
    "luma below chroma": put(11, b"\x11\1\2\x22\1\3\x22"),
    "unequal chroma": put(11, b"\x22\1\2\x11\1\3\x21"),
    "three to one": put(11, b"\x31\1\2\x11\1\3\x11"),
    "no factor": put(11, b"\x22\1\2\x01\1\3\x01"),
    "grey": encode("L"),
    "four inks": encode("CMYK"),
    "short": encode()[:30],
    "no JPEG": b"<a preview that is none>",
    "nothing": b"",
}


@pytest.mark.parametrize("jpeg", UNUSABLE.values(), ids=UNUSABLE)
def test_what_a_tiff_cannot_describe_is_no_preview(jpeg):
    assert read_frame(jpeg) is None


def test_chroma_factors_count_in_proportion():
    assert (1, 2) == read_frame(put(11, b"\x22\1\2\x21\1\3\x21")).sub_sampling


def test_the_largest_that_can_be_used_is_taken():
    small, large = encode(), encode(size=(80, 60))
    candidates = [small, large, UNUSABLE["lossless"] + bytes(99_999)]

    assert large == largest_jpeg(map(memoryview, candidates))
    assert largest_jpeg([]) is None
