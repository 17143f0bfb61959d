"""The samples of a mosaic, written into a DNG as the user chose: lossless tiles, or plain.

Both DNG writers call it. The one thing to know: plain samples go into one strip, the simplest thing
to read, and keep the source's bit depth where the source was plain too, so that they take its place
exactly; else, and where rows would not end with a byte, they are 16-bit words. What an IFD says of
the samples takes the same room before they are written as after.

References
----------
TIFF 6.0, BitsPerSample and FillOrder; DNG 1.7.1, BitsPerSample (packed samples begin with their
highest bit, whatever the byte order of the file), Compression 52546 (JPEG XL), RowInterleaveFactor
and ColumnInterleaveFactor.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fadn_cli.raw.codec import jpegxl, lossless
from fadn_cli.raw.codec.lossless import Encoded, bits_for, tile_size
from fadn_cli.raw.tiff.ifd import ByteOrder
from fadn_cli.raw.tiff.room import Room
from fadn_cli.raw.tiff.tags import Compression, Tag, make_field
from fadn_cli.raw.tiff.write import Field

_ROWS_PER_BLOCK = 64
_WORD = 16  # bits
_COMPRESSIONS = {
    "lj92": Compression.JPEG,
    "jxl": Compression.JPEG_XL,
    "none": Compression.NONE,
}
_AS_THEY_ARE = (1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """How samples are stored."""

    shape: tuple[int, int]
    """(H, W) of the mosaic."""
    compression: str
    """As `edit.WriteChoices` has it."""
    bits: int
    """BitsPerSample."""
    components: int
    """Of lossless JPEG, see `lossless.encode_tiles`."""
    factors: tuple[int, int]
    """Every how many rows and columns are stored side by side; see `jpegxl.interleave`."""

    @property
    def version(self) -> tuple[int, int, int, int]:
        """The least version of DNG whose readers can read them."""
        if self.compression != "jxl":
            return 1, 1, 0, 0  # before, a difference of 32768 was coded otherwise in lossless JPEG
        return (1, 7, 0, 0) if self.factors == _AS_THEY_ARE else (1, 7, 1, 0)

    @property
    def piece(self) -> tuple[int, int]:
        """(height, width) of the strip or of each tile."""
        if self.compression == "none":
            return self.shape
        return tile_size(self.shape, *([jpegxl.TILE_SIDE] if self.compression == "jxl" else []))

    @property
    def pieces(self) -> int:
        """How many strips or tiles there are."""
        rows, cols = (-(-side // of) for side, of in zip(self.shape, self.piece, strict=True))
        return rows * cols

    def fields(
        self, offsets: Sequence[int] | None = None, sizes: Sequence[int] | None = None
    ) -> list[Field]:
        """Return what the raw IFD must say of where and how the samples lie; 0 for not yet."""
        offsets, sizes = offsets or [0] * self.pieces, sizes or [0] * self.pieces
        said = [
            make_field(Tag.BITS_PER_SAMPLE, self.bits),
            make_field(Tag.COMPRESSION, _COMPRESSIONS[self.compression]),
        ]
        if self.compression == "none":
            return [
                *said,
                make_field(Tag.STRIP_OFFSETS, offsets),
                make_field(Tag.ROWS_PER_STRIP, self.shape[0]),
                make_field(Tag.STRIP_BYTE_COUNTS, sizes),
            ]
        if self.compression == "jxl":
            said.append(make_field(Tag.JXL_DISTANCE, 0.0))
            said.append(make_field(Tag.JXL_EFFORT, jpegxl.EFFORT))
        if self.factors != _AS_THEY_ARE:
            rows, cols = self.factors
            said.append(make_field(Tag.ROW_INTERLEAVE_FACTOR, rows))
            said.append(make_field(Tag.COLUMN_INTERLEAVE_FACTOR, cols))
        tile_height, tile_width = self.piece
        return [
            *said,
            make_field(Tag.TILE_LENGTH, tile_height),
            make_field(Tag.TILE_WIDTH, tile_width),
            make_field(Tag.TILE_OFFSETS, offsets),
            make_field(Tag.TILE_BYTE_COUNTS, sizes),
        ]


def plan_storage(
    samples: NDArray[np.uint16] | Encoded,
    *,
    compression: str,
    kind: str | None = "bayer",
    stated_bits: int,
    plain_bits: int = 0,
) -> Storage:
    """Decide how a mosaic's samples are stored.

    Parameters
    ----------
    samples : (H, W) uint16, or Encoded
        H and W at least 2. What is encoded is lossless JPEG, and has its own bits.
    compression : str
        "lj92", "jxl" or "none", see `edit.WriteChoices`.
    kind : str, optional
        Of the sensor: "bayer", "xtrans" or "mono".
    stated_bits : int
        BitsPerSample of the source, kept in lossless JPEG unless a sample needs more (as it does
        after a linearization table).
    plain_bits : int
        The bit depth of an uncompressed source, 0 for any other.
    """
    height, width = samples.shape
    if isinstance(samples, Encoded):
        bits = samples.bits
    elif compression == "none":
        fits = int(samples.max()).bit_length() <= plain_bits <= _WORD
        # Rows that end within a byte are read by all, but exiftool takes their padding for a fault.
        bits = plain_bits if fits and width * plain_bits % 8 == 0 else _WORD
    elif compression == "jxl":
        bits = _WORD  # readers stretch others
    else:
        bits = bits_for(samples, stated=stated_bits)
    return Storage(
        shape=(height, width),
        compression=compression,
        bits=bits,
        components=components_of(kind),
        factors=(2, 2) if compression == "jxl" and kind == "bayer" else _AS_THEY_ARE,
    )


def write_samples(
    room: Room,
    samples: NDArray[np.uint16] | Encoded,
    storage: Storage,
    *,
    byteorder: ByteOrder = "<",
    threads: int | None = None,
) -> list[Field]:
    """Write a mosaic's samples into a file.

    Parameters
    ----------
    room : Room
        Of the file; tiles that fit nowhere else go to its end.
    samples : (H, W) uint16, or Encoded
        H and W at least 2.
    storage : Storage
        As planned for these samples.
    byteorder : {"<", ">"}
        Of the file.
    threads : int, optional
        How many to compress with; all cores the process may use if None.

    Returns
    -------
    list of Field
        What the raw IFD must say about where and how the samples lie.
    """
    if storage.compression == "none" and not isinstance(samples, Encoded):
        height, width = samples.shape
        size = height * -(-width * storage.bits // 8)
        offset = room.seek(size)
        for start in range(0, height, _ROWS_PER_BLOCK):
            rows = samples[start : start + _ROWS_PER_BLOCK]
            room.output.write(pack_rows(rows, storage.bits, byteorder))
        return storage.fields([offset], [size])
    offsets, sizes = [], []
    tiles: Iterable[bytes]
    tiles = samples.tiles if isinstance(samples, Encoded) else _encoded(samples, storage, threads)
    for tile in tiles:
        offsets.append(room.place(tile))
        sizes.append(len(tile))
    return storage.fields(offsets, sizes)


def _encoded(samples: NDArray[np.uint16], storage: Storage, threads: int | None) -> Iterator[bytes]:
    """Encode the tiles of a mosaic."""
    if storage.compression == "lj92":
        return lossless.encode_tiles(
            samples, bits=storage.bits, components=storage.components, threads=threads
        )
    if storage.factors != _AS_THEY_ARE:
        samples = jpegxl.interleave(samples, storage.factors)
    return jpegxl.encode_tiles(samples, threads=threads)


def components_of(kind: str | None) -> int:
    """Return every how many samples of a sensor's row one is predicted by, see `TileEncoder`."""
    return 1 if kind == "mono" else 2


def pack_rows(samples: NDArray[np.uint16], bits: int, byteorder: ByteOrder) -> bytes:
    """Encode rows of samples of 1 to 16 bits; each row begins with a byte of its own.

    Examples
    --------
    >>> pack_rows(np.array([[0xABC, 0xDEF]], np.uint16), 12, "<").hex()
    'abcdef'
    """
    if bits == _WORD:
        return samples.astype(byteorder + "u2").tobytes()
    rows, cols = samples.shape
    every_bit = np.unpackbits(np.ascontiguousarray(samples, ">u2").view(np.uint8), axis=1)
    wanted = every_bit.reshape(rows, cols, _WORD)[:, :, _WORD - bits :]
    return np.packbits(wanted.reshape(rows, cols * bits), axis=1).tobytes()
