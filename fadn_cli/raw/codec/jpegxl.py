"""A mosaic as lossless JPEG XL tiles, and any JPEG XL tile as samples.

Called by `dng.samples` and `source.pieces`. The one thing to know: JPEG XL predicts a sample from
its neighbours, which in a mosaic have other colours. So the colours of a Bayer mosaic are put
apart first, four quarters of the image, as DNG's interleave factors have it and as Adobe writes it;
without that the tiles are larger than lossless JPEG's, with it a tenth to a quarter smaller.

References
----------
ISO/IEC 18181-1:2022, annex D (image header), and 18181-2 (container); DNG 1.7.1, "Compression",
"RowInterleaveFactor" and "ColumnInterleaveFactor"; Adobe DNG SDK 1.7.1 (which takes streams of 16
bits for what they say, and stretches those of 9 to 15).
"""

import math
from collections.abc import Iterator

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from fadn_cli.raw.codec.lossless import encode_pieces

TILE_SIDE = 512
"""Pixels: two of the codec's groups; larger ones save nothing more."""
EFFORT = 3
"""Of 1 to 9: 18 megapixels a second on one core; 5 takes six times as long for next to nothing, and
1 has been seen to corrupt memory."""
KNOWN_BITS = (8, 16)
"""Of streams whose samples mean the same to every reader: Adobe's stretches others to 16 bits."""
_CONTAINER = b"\0\0\0\x0cJXL \r\n\x87\n"
_CODESTREAM = b"\xff\x0a"
_BOXES = (b"jxlc", b"jxlp")  # the codestream, or the first part of it
_SIDES = ((1, 9), (1, 13), (1, 18), (1, 30))  # (least, bits) of a side's length by its selector
_DEPTHS = ((8, 0), (10, 0), (12, 0), (1, 6))  # the same of BitsPerSample
_RATIOS = ((0, 0), (1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))  # width to height
_LONGEST_HEADER = 64  # bytes, of what is read here


def encode_tiles(samples: NDArray[np.uint16], *, threads: int | None = None) -> Iterator[bytes]:
    """Encode the tiles of an image, row by row from the top left.

    Parameters
    ----------
    samples : (H, W) uint16
        H and W at least 2; what is to be predicted well is smooth, see `interleave`.
    threads : int, optional
        How many to encode with; all cores the process may use if None. The bytes do not depend on
        it.

    Yields
    ------
    bytes
        One stream of 16 bits per tile of `lossless.tile_size` with TILE_SIDE.
    """
    yield from encode_pieces(samples, TILE_SIDE, _encode, components=1, threads=threads)


def decode_stream(stream: bytes, most: float = math.inf) -> NDArray[np.uint16]:
    """Decode a JPEG XL stream of one channel of 8 or 16 bits.

    Parameters
    ----------
    stream : bytes
    most : float
        Samples; a stream that claims more is refused before there is memory for them.

    Returns
    -------
    (H, W) uint16
        H and W are the stream's own.

    Raises
    ------
    ValueError
        It cannot be decoded, is too large, or is none of these.
    """
    height, width = stream_size(stream)
    if height * width > most:
        raise ValueError(f"JPEG XL claims {width}x{height} samples")
    bits = stream_bits(stream)
    if bits not in KNOWN_BITS:
        kind = f"samples of {bits} bits" if bits else "floating-point or unknown samples"
        raise ValueError(f"JPEG XL holds {kind}, not 8 or 16 bits")
    try:
        samples = np.asarray(imagecodecs.jpegxl_decode(stream, numthreads=1))
    except (RuntimeError, ValueError) as error:
        raise ValueError(str(error)) from error
    if samples.ndim == 3 and samples.shape[2] == 1:
        samples = samples[..., 0]
    if samples.ndim != 2 or samples.dtype.kind != "u":
        raise ValueError(f"JPEG XL holds {samples.dtype} of the shape {samples.shape}")
    return samples.astype(np.uint16, copy=False)


def interleave(samples: NDArray[np.uint16], factors: tuple[int, int]) -> NDArray[np.uint16]:
    """Put every so many rows and columns side by side; a copy.

    Examples
    --------
    >>> interleave(np.array([[1, 2, 3], [4, 5, 6]], np.uint16), (2, 2)).tolist()
    [[1, 3, 2], [4, 6, 5]]
    """
    rows, cols = (_order(side, factor) for side, factor in zip(samples.shape, factors, strict=True))
    return samples[rows][:, cols]


def deinterleave(stored: NDArray[np.uint16], factors: tuple[int, int]) -> NDArray[np.uint16]:
    """Undo `interleave`; a copy."""
    rows, cols = (_order(side, factor) for side, factor in zip(stored.shape, factors, strict=True))
    samples = np.empty_like(stored)
    samples[rows[:, None], cols] = stored
    return samples


def stream_size(stream: bytes) -> tuple[int, int]:
    """Return a stream's (height, width); zeros if it is none."""
    start = _codestream_at(stream)
    try:
        return _read_size(_Bits(stream[start + len(_CODESTREAM) :][:_LONGEST_HEADER]))
    except EOFError:
        return 0, 0


def stream_bits(stream: bytes) -> int:
    """Return the bits of a stream's integer samples; 0 if it is no such stream."""
    start = _codestream_at(stream)
    if start < 0:
        return 0
    bits = _Bits(stream[start + len(_CODESTREAM) :][:_LONGEST_HEADER])
    try:
        _read_size(bits)
        if bits.take(1):  # all as usual
            return 8
        if bits.take(1):  # extra fields
            bits.take(3)  # orientation
            if bits.take(1):
                _read_size(bits)  # of the picture as it is to be shown
            if bits.take(2):  # a preview, an animation: no tile
                return 0
        is_float = bits.take(1)
        return 0 if is_float else bits.choose(_DEPTHS)
    except EOFError:
        return 0


def _encode(tile: NDArray[np.uint16]) -> bytes:
    """Encode one tile."""
    return bytes(imagecodecs.jpegxl_encode(tile, lossless=True, effort=EFFORT, numthreads=1))


def _order(side: int, factor: int) -> NDArray[np.intp]:
    """Return which row or column of the image is stored where. [DNG SDK, dng_row_interleaved]"""
    return np.concatenate([np.arange(first, side, factor) for first in range(factor)])


def _codestream_at(stream: bytes) -> int:
    """Return where the codestream begins, in a container or without; -1 if there is none."""
    if stream.startswith(_CODESTREAM):
        return 0
    if not stream.startswith(_CONTAINER):
        return -1
    at = len(_CONTAINER)
    while at + 8 <= len(stream):
        size, kind = int.from_bytes(stream[at : at + 4], "big"), stream[at + 4 : at + 8]
        head = 8
        if size == 1:
            size, head = int.from_bytes(stream[at + 8 : at + 16], "big"), 16
        if kind in _BOXES:
            start = at + head + (4 if kind == b"jxlp" else 0)
            return start if stream[start : start + 2] == _CODESTREAM else -1
        if size < head:
            return -1
        at += size
    return -1


class _Bits:
    """The bits of a header, lowest first."""

    def __init__(self, data: bytes) -> None:
        self._rest = int.from_bytes(data, "little")
        self._left = 8 * len(data)

    def take(self, count: int) -> int:
        """Return the next bits as a number; raises EOFError past the end."""
        if count > self._left:
            raise EOFError
        value = self._rest & ((1 << count) - 1)
        self._rest >>= count
        self._left -= count
        return value

    def choose(self, kinds: tuple[tuple[int, int], ...]) -> int:
        """Return a number of one of four kinds: its least value, and its bits."""
        least, count = kinds[self.take(2)]
        return least + self.take(count)


def _read_size(bits: _Bits) -> tuple[int, int]:
    """Return an image's (height, width)."""
    is_small = bits.take(1)
    height = _read_side(bits, is_small)
    numerator, denominator = _RATIOS[bits.take(3)]
    width = height * numerator // denominator if denominator else _read_side(bits, is_small)
    return height, width


def _read_side(bits: _Bits, is_small: int) -> int:
    """Return one of them."""
    return 8 * (bits.take(5) + 1) if is_small else bits.choose(_SIDES)
