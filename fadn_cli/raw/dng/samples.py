"""The samples of a mosaic, written into a DNG as the user chose: lossless tiles, or plain.

Both DNG writers call it. The one thing to know: plain samples go into one strip, the simplest thing
to read, and keep the source's bit depth where the source was plain too, so that they take its place
exactly; else, and where rows would not end with a byte, they are 16-bit words.

References
----------
TIFF 6.0, BitsPerSample and FillOrder; DNG 1.7.1, BitsPerSample (packed samples begin with their
highest bit, whatever the byte order of the file).
"""

import numpy as np
from numpy.typing import NDArray

from fadn_cli.mosaic.values import Mosaic
from fadn_cli.raw.codec.lossless import Encoded, write_tiles
from fadn_cli.raw.tiff.ifd import ByteOrder
from fadn_cli.raw.tiff.room import Room
from fadn_cli.raw.tiff.tags import Compression, Tag, make_field
from fadn_cli.raw.tiff.write import Field

_ROWS_PER_BLOCK = 64
_WORD = 16  # bits


def write_samples(
    room: Room,
    samples: NDArray[np.uint16] | Encoded,
    *,
    compression: str,
    components: int = 2,
    stated_bits: int,
    plain_bits: int = 0,
    byteorder: ByteOrder = "<",
    threads: int | None = None,
) -> list[Field]:
    """Write a mosaic's samples into a file.

    Parameters
    ----------
    room : Room
        Of the file.
    samples : (H, W) uint16, or Encoded
        H and W at least 2. What is encoded is lossless tiles.
    compression : str
        "lj92" or "none", see `edit.WriteChoices`.
    components : int
        Of lossless tiles, see `lossless.encode_tiles`.
    stated_bits : int
        The source's bit depth, for lossless tiles.
    plain_bits : int
        The bit depth of an uncompressed source, 0 for any other.
    byteorder : {"<", ">"}
        Of the file.
    threads : int, optional
        How many to compress with; all cores the process may use if None.

    Returns
    -------
    list of Field
        What the raw IFD must say about where and how the samples lie.
    """
    if compression == "lj92" or isinstance(samples, Encoded):
        return write_tiles(
            room, samples, components=components, stated_bits=stated_bits, threads=threads
        )
    height, width = samples.shape
    fits = int(samples.max()).bit_length() <= plain_bits <= _WORD
    # Rows that end within a byte are read by all, but exiftool takes their padding for a fault.
    bits = plain_bits if fits and width * plain_bits % 8 == 0 else _WORD
    size = height * -(-width * bits // 8)
    offset = room.seek(size)
    for start in range(0, height, _ROWS_PER_BLOCK):
        room.output.write(pack_rows(samples[start : start + _ROWS_PER_BLOCK], bits, byteorder))
    return [
        make_field(Tag.BITS_PER_SAMPLE, bits),
        make_field(Tag.COMPRESSION, Compression.NONE),
        make_field(Tag.STRIP_OFFSETS, offset),
        make_field(Tag.ROWS_PER_STRIP, height),
        make_field(Tag.STRIP_BYTE_COUNTS, size),
    ]


def components_of(mosaic: Mosaic) -> int:
    """Return every how many samples of a row one is predicted by, see `TileEncoder`."""
    return 1 if mosaic.cfa.kind == "mono" else 2


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
