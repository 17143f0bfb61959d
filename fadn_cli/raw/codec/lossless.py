"""A mosaic as lossless-JPEG tiles, in the layout Adobe writes and every reader of DNG accepts.

Called by `dng.samples`, `check.dng` and `source.pieces`. The one thing to know: a tile goes in as
two interleaved components with predictor 1, so that in a Bayer mosaic each sample is predicted by
its neighbour of the same colour, or as one, where there are no colours; predictor 6 would be a
little smaller and is refused by released darktables.

References
----------
ITU-T T.81 (JPEG), annex H; DNG 1.7.1, "Compression"; rawspeed issue #895 (predictor 6).
"""

import struct
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Self

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from fadn_cli.system.cores import usable_threads

_TILE_SIDE = 256  # Adobe's choice
_SIDE_MULTIPLE = 16  # TIFF 6.0, section 15
_FEWEST_BITS = 10  # no raw reader is known to meet lossless JPEG of fewer
_MOST_BITS = 16
_ROWS_AHEAD = 4  # of tiles: so many may wait for their turn
_LONGEST_PADDING = 16  # bytes that writers leave after a stream
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # SOF0 to SOF15
_FILL = 0xFF
_START_OF_IMAGE, _END_OF_IMAGE, _START_OF_SCAN = b"\xff\xd8", b"\xff\xd9", b"\xff\xda"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Encoded:
    """A mosaic's samples, encoded."""

    tiles: tuple[bytes, ...] = field(repr=False)
    """One JPEG stream per tile of `tile_size`, row by row."""
    bits: int
    """Their precision."""
    shape: tuple[int, int]
    """Of the mosaic."""
    checksum: int
    """`checksum_of` its samples."""


class TileEncoder:
    """Encodes a mosaic's rows as they come, on threads of its own.

    Parameters
    ----------
    shape : (int, int)
        Of the mosaic: at least 2 each.
    bits : int
        Precision, see `precision`: no sample may need more.
    components : int
        Every how many samples of a row one is predicted by: 2 where colours take turns, 1 where
        there are none. On X-Trans mosaics 2 takes a hundredth less than 1, and is what Adobe
        writes.
    threads : int, optional
        How many to encode with; all cores the process may use if None. The bytes do not depend on
        it.
    """

    def __init__(
        self,
        shape: tuple[int, int],
        *,
        bits: int,
        components: int = 2,
        threads: int | None = None,
    ) -> None:
        self._shape, self._bits, self._checksum = shape, bits, 0
        self._size = tile_size(shape)
        self._encode = partial(_encode_padded, self._size, bits, components)
        self._pool = ThreadPoolExecutor(usable_threads(threads))
        self._rows: list[NDArray[np.uint16]] = []  # of the row of tiles to come
        self._height, self._done = 0, 0  # of these, and of all that went before
        self._tiles: list[Future[bytes]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def add(self, rows: NDArray[np.uint16]) -> None:
        """Take the next rows of the mosaic: (n, W), kept and not copied."""
        self._checksum = checksum_of(rows, self._checksum)
        while len(rows):
            wanted = min(self._size[0], self._shape[0] - self._done) - self._height
            self._rows.append(rows[:wanted])
            self._height, rows = self._height + len(self._rows[-1]), rows[wanted:]
            if self._height == min(self._size[0], self._shape[0] - self._done):
                self._start()

    def finish(self) -> Encoded:
        """Wait for the last tile, once all rows have come."""
        if self._done != self._shape[0]:
            raise ValueError(f"{self._done} of {self._shape[0]} rows came in")
        tiles = tuple(tile.result() for tile in self._tiles)
        self._tiles = []
        return Encoded(tiles=tiles, bits=self._bits, shape=self._shape, checksum=self._checksum)

    def _start(self) -> None:
        """Give a row of tiles out."""
        rows = self._rows[0] if len(self._rows) == 1 else np.concatenate(self._rows)
        width = self._size[1]
        pieces = [rows[:, left : left + width] for left in range(0, self._shape[1], width)]
        if len(self._tiles) >= _ROWS_AHEAD * len(pieces):  # memory must not grow with the image
            self._tiles[-_ROWS_AHEAD * len(pieces)].result()
        self._tiles += [self._pool.submit(self._encode, piece) for piece in pieces]
        self._done, self._rows, self._height = self._done + self._height, [], 0


def checksum_of(rows: NDArray[np.uint16], before: int = 0) -> int:
    """Return a checksum of rows that follow those of another one: CRC-32 of their 16-bit words."""
    return zlib.crc32(np.ascontiguousarray(rows).data, before)


def bits_for(samples: NDArray[np.uint16], stated: int = 0) -> int:
    """Return the precision to code with: the stated one, unless a sample needs more.

    Examples
    --------
    >>> bits_for(np.array([[16383]], np.uint16)), bits_for(np.array([[7]], np.uint16), stated=12)
    (14, 12)
    """
    return precision(int(samples.max()), stated)


def precision(highest: int, stated: int = 0) -> int:
    """Return the precision to code samples up to a level with; see `bits_for`."""
    return min(max(stated, highest.bit_length(), _FEWEST_BITS), _MOST_BITS)


def tile_size(shape: tuple[int, ...], largest: int = _TILE_SIDE) -> tuple[int, int]:
    """Return (height, width) of the tiles for a mosaic of that shape; sides up to the largest.

    LibRaw wraps a tile's rows at the width of the image, so no tile may be wider than the image;
    and where a tile is half as wide as the image, LibRaw takes each of its rows for two.

    Examples
    --------
    >>> tile_size((3000, 4000)), tile_size((100, 1000))
    ((256, 256), (96, 256))
    """
    height, width = (
        min(max(side // _SIDE_MULTIPLE * _SIDE_MULTIPLE, _SIDE_MULTIPLE), largest) for side in shape
    )
    if 2 * width == shape[1]:  # [LibRaw 0.22, lossless_dng_load_raw]
        width -= _SIDE_MULTIPLE
    return height, width


def encode_tiles(
    samples: NDArray[np.uint16], *, bits: int, components: int = 2, threads: int | None = None
) -> Iterator[bytes]:
    """Encode the tiles of a mosaic, row by row from the top left.

    At most one row of tiles is in memory at a time; the bytes do not depend on `threads`.

    Parameters
    ----------
    samples : (H, W) uint16
        H and W at least 2; values below 2**bits.
    bits : int
        Precision, see `bits_for`.
    components, threads : int
        As for `TileEncoder`.

    Yields
    ------
    bytes
        One JPEG stream per tile of `tile_size`.
    """
    encode = partial(_encode_tile, bits, components)
    yield from encode_pieces(samples, _TILE_SIDE, encode, components=components, threads=threads)


def encode_pieces(
    samples: NDArray[np.uint16],
    largest: int,
    encode: Callable[[NDArray[np.uint16]], bytes],
    *,
    components: int,
    threads: int | None,
) -> Iterator[bytes]:
    """Encode the tiles of a mosaic, those at its edges padded to full size, in any code.

    Parameters
    ----------
    samples : (H, W) uint16
        H and W at least 2.
    largest : int
        As for `tile_size`.
    encode : callable
        Encodes one tile, which is contiguous.
    components, threads
        As for `encode_tiles`.
    """
    height, width = samples.shape
    size = tile_height, tile_width = tile_size(samples.shape, largest)
    with ThreadPoolExecutor(usable_threads(threads)) as pool:
        for top in range(0, height, tile_height):
            tiles = [
                samples[top : top + tile_height, left : left + tile_width]
                for left in range(0, width, tile_width)
            ]
            yield from pool.map(lambda tile: bytes(encode(_pad(tile, size, components))), tiles)


def stream_fault(stream: bytes, samples: int) -> str:
    """Say why a JPEG stream does not hold a whole tile; empty if it does.

    Decoders fill up what is missing without a word, so the end of the stream is looked for too.

    Parameters
    ----------
    stream : bytes
        One strip or tile; some padding may follow it.
    samples : int
        How many it must hold, whatever its width, height and number of components.
    """
    if not stream.startswith(_START_OF_IMAGE):
        return "does not begin as a JPEG"
    end = stream.find(_END_OF_IMAGE, max(stream.find(_START_OF_SCAN), 0))
    if end < 0:
        return "is cut off: it does not end as a JPEG"
    if len(stream) - end - len(_END_OF_IMAGE) > _LONGEST_PADDING:
        return "ends before its last byte"
    claimed = claimed_samples(stream)
    if claimed not in (0, samples):  # before there is memory for them
        return f"holds {claimed} samples, not {samples}"
    if not claimed:
        return "cannot be decoded (no frame)"
    try:
        found = decode_stream(stream).size
    except ValueError as error:
        return f"cannot be decoded ({error})"
    return "" if found == samples else f"holds {found} samples, not {samples}"


def claimed_samples(stream: bytes) -> int:
    """Return how many samples a JPEG says it has; 0 if it has no frame."""
    at = 2
    while at + 10 <= len(stream):
        start, marker, length = struct.unpack_from(">BBH", stream, at)
        if start == marker == _FILL:
            at += 1
            continue
        if start != _FILL or marker == _START_OF_SCAN[1]:
            return 0
        if marker in _FRAMES:
            height, width, components = struct.unpack_from(">HHB", stream, at + 5)
            return int(height * width * components)
        at += 2 + length
    return 0


def decode_stream(stream: bytes) -> NDArray[np.uint16]:
    """Decode a JPEG stream, lossless or not, with any predictor.

    Returns
    -------
    (H, W) or (H, W, components) uint16
        H and W are the stream's own, which need not be those of the strip or tile it fills.

    Raises
    ------
    ValueError
        It cannot be decoded; decoders fill up what is cut off, see `stream_fault`.
    """
    try:
        samples: NDArray[np.uint16] = imagecodecs.jpeg8_decode(stream).astype(np.uint16, copy=False)
    except RuntimeError as error:
        raise ValueError(str(error)) from error
    return samples


def decode_otherwise(stream: bytes) -> NDArray[np.uint16]:
    """Decode a tile that `TileEncoder` has made, by code that has nothing to do with the encoder's.

    Returns
    -------
    (H, W) uint16
        The two components side by side, as they lie in the mosaic.

    Raises
    ------
    ValueError
        It cannot be decoded.
    """
    try:
        samples: NDArray[np.uint16] = imagecodecs.ljpeg_decode(stream)
    except RuntimeError as error:
        raise ValueError(str(error)) from error
    return samples.reshape(len(samples), -1)


def _encode_padded(
    size: tuple[int, int], bits: int, components: int, samples: NDArray[np.uint16]
) -> bytes:
    """Encode one tile, padded to full size."""
    return _encode_tile(bits, components, _pad(samples, size, components))


def _encode_tile(bits: int, components: int, tile: NDArray[np.uint16]) -> bytes:
    """Encode one tile."""
    if components > 1:
        height, width = tile.shape
        tile = tile.reshape(height, width // components, components)
    return bytes(imagecodecs.jpeg8_encode(tile, lossless=True, predictor=1, bitspersample=bits))


def _pad(samples: NDArray[np.uint16], size: tuple[int, int], components: int) -> NDArray[np.uint16]:
    """Fill a tile up with what costs least: all differences within a component are 0."""
    height, width = samples.shape
    if (height, width) == size:
        return np.ascontiguousarray(samples)
    padded = np.empty(size, np.uint16)
    padded[:height, :width] = samples
    for col in range(width, size[1]):  # keeps the colour of a column
        padded[:height, col] = padded[:height, max(col - components, 0)]
    for first in range(components):  # a row begins with the difference to the one above
        padded[height:, first::components] = padded[height - 1, first]
    return padded
