"""The samples of a DNG put together from its strips or tiles, where LibRaw would misplace them.

The reader calls it. The one thing to know: some layouts that DNG allows come out of LibRaw
scrambled, and without a word. Of several strips it looks up the first alone; it wraps the rows of a
tile at the width of the image; it takes a row of some two-component JPEGs for two, and interleaved
rows and columns as they are stored. JPEG XL it does not know, as rawpy builds it.

References
----------
TIFF 6.0, sections 3, 9 and 15; DNG 1.7.1, "BitsPerSample", "Compression", "RowInterleaveFactor" and
"ColumnInterleaveFactor"; LibRaw 0.22, packed_dng_load_raw and lossless_dng_load_raw.
"""

import struct
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import cast

import numpy as np
from numpy.typing import NDArray

from fadn_cli.errors import Needs, RawReadError, UnsupportedRawError
from fadn_cli.raw.codec import jpegxl
from fadn_cli.raw.codec.jpegxl import KNOWN_BITS, deinterleave, stream_bits
from fadn_cli.raw.codec.lossless import decode_stream
from fadn_cli.raw.makers.containers import jpeg_segments
from fadn_cli.raw.source.dng_checks import image_size, interleave_factors
from fadn_cli.raw.tiff.ifd import Ifd, TiffFile
from fadn_cli.raw.tiff.tags import Compression, Tag
from fadn_cli.raw.tiff.tree import Layout, layout_of
from fadn_cli.system.cores import usable_threads
from fadn_cli.system.snapshot import is_held

READABLE = (Compression.NONE, Compression.JPEG, Compression.JPEG_XL)
"""How samples may be stored that can be put together here."""
_LOSSLESS_FRAME = 0xC3  # the marker SOF3
_LOSSY_FRAMES = (0xC0, 0xC1, 0xC2)  # SOF0 to SOF2
_NATIVE = "<" if sys.byteorder == "little" else ">"
_LONGEST_SIDE = 65535  # LibRaw's limit; it refuses what is larger
_COPY_AGAIN = "The file looks truncated or damaged; copy it again from the card."


def refuse_lossy(tiff: TiffFile, ifd: Ifd) -> None:
    """Refuse a mosaic in JPEGs that are not lossless, which LibRaw decodes to nothing.

    Raises
    ------
    UnsupportedRawError
        Its pieces are such JPEGs, as in some of Blackmagic's files.
    """
    layout = layout_of(ifd)
    if layout is None or ifd.first_int(Tag.COMPRESSION, 1) != Compression.JPEG:
        return
    stream = tiff.data[_offsets(ifd, layout)[0] :]
    if any(marker in _LOSSY_FRAMES for marker, _ in jpeg_segments(stream)):
        raise UnsupportedRawError(
            f"{tiff.name}: lossy JPEG in a mosaic (Compression {Compression.JPEG}, which is to be "
            "lossless) is not supported",
            advice=Needs.LOSSLESS_MOSAIC,
        )


def libraw_misplaces(tiff: TiffFile, ifd: Ifd) -> bool:
    """Tell whether LibRaw reads the samples of a raw IFD from the wrong places.

    Parameters
    ----------
    tiff, ifd : TiffFile, Ifd
        A mosaic that `dng_checks` has let pass.
    """
    layout = layout_of(ifd)
    height, width = image_size(ifd)
    if layout is None or max(height, width) > _LONGEST_SIDE:
        return False
    compression = ifd.first_int(Tag.COMPRESSION, 1)
    if compression not in READABLE or ifd.first_int(Tag.BITS_PER_SAMPLE, 0) < 1:
        return False
    if compression == Compression.JPEG_XL or interleave_factors(ifd) != (1, 1):
        return True
    if layout.tiled and layout.cols > width:
        return True
    offsets = _offsets(ifd, layout)
    if compression == Compression.JPEG:
        _, pairs, components = _frame(tiff.data[offsets[0] :])
        return (not layout.tiled and layout.count > 1) or (
            components > 1 and components**2 * pairs == width
        )
    return not layout.tiled and any(
        offset + layout.size != following
        for offset, following in zip(offsets, offsets[1:], strict=False)
    )


def samples_in_place(tiff: TiffFile, ifd: Ifd) -> NDArray[np.uint16] | None:
    """Return the samples of a raw IFD where they lie in the file; None if they are to be decoded.

    Returns
    -------
    (H, W) uint16 DN, or None
        Read-only. Uncompressed 16-bit words in one piece, of this machine's byte order, that stand
        for themselves.
    """
    layout, (height, width) = layout_of(ifd), image_size(ifd)
    plain = ifd.first_int(Tag.COMPRESSION, 1) == Compression.NONE
    words = ifd.ints(Tag.BITS_PER_SAMPLE) == (16,) and tiff.byteorder == _NATIVE
    if layout is None or layout.tiled or not plain or not words:
        return None
    start = _offsets(ifd, layout)[0]
    stop = start + 2 * height * width
    lies_whole = start % 2 == 0 and stop <= len(tiff.data)
    if ifd.ints(Tag.LINEARIZATION_TABLE) or not lies_whole or not is_held(tiff.data):
        return None
    return np.frombuffer(tiff.data[start:stop], np.uint16).reshape(height, width)


def read_samples(tiff: TiffFile, ifd: Ifd) -> NDArray[np.uint16]:
    """Decode the mosaic of a raw IFD, as `read_stored` does, and apply its LinearizationTable."""
    samples = read_stored(tiff, ifd)
    table = np.array(ifd.ints(Tag.LINEARIZATION_TABLE), np.int64).astype(np.uint16)
    return table[np.minimum(samples, table.size - 1)] if table.size else samples


def read_stored(tiff: TiffFile, ifd: Ifd) -> NDArray[np.uint16]:
    """Decode what a raw IFD stores, uncompressed, lossless JPEG or JPEG XL.

    Returns
    -------
    (H, W) uint16 DN
        As they are in the file: no LinearizationTable applied.

    Raises
    ------
    RawReadError
        A piece cannot be decoded, or holds other than its share of samples.
    """
    height, width = image_size(ifd)
    layout = cast(Layout, layout_of(ifd))  # `check_complete` has refused an image without pieces
    samples = np.empty((height, width), np.uint16)
    across = -(-width // layout.cols)
    offsets = _offsets(ifd, layout)

    def put(index: int) -> None:
        """Decode a piece into its place."""
        top, left = index // across * layout.rows, index % across * layout.cols
        place = samples[top : top + layout.rows, left : left + layout.cols]
        rows = layout.rows if layout.tiled else place.shape[0]
        piece = _decode(tiff, ifd, layout, index, offsets[index], rows)
        place[...] = piece[: place.shape[0], : place.shape[1]]

    with ThreadPoolExecutor(usable_threads(None)) as pool:
        list(pool.map(put, range(len(offsets))))
    factors = interleave_factors(ifd)
    return samples if factors == (1, 1) else deinterleave(samples, factors)


def _offsets(ifd: Ifd, layout: Layout) -> tuple[int, ...]:
    """Return where the pieces lie."""
    return ifd.ints(Tag.TILE_OFFSETS if layout.tiled else Tag.STRIP_OFFSETS)[: layout.count]


def _decode(
    tiff: TiffFile, ifd: Ifd, layout: Layout, index: int, offset: int, rows: int
) -> NDArray[np.uint16]:
    """Decode one piece of so many rows: (rows, layout.cols)."""
    if ifd.first_int(Tag.COMPRESSION, 1) == Compression.NONE:
        data = tiff.data[offset : offset + layout.size_of(index)]
        bits = ifd.first_int(Tag.BITS_PER_SAMPLE, 16)
        return _unpack(data, bits, tiff.byteorder, (rows, layout.cols))
    sizes = ifd.ints(Tag.TILE_BYTE_COUNTS if layout.tiled else Tag.STRIP_BYTE_COUNTS)
    stream = tiff.data[offset : offset + sizes[index]]
    if ifd.first_int(Tag.COMPRESSION, 1) == Compression.JPEG_XL:
        return _decode_jpegxl(tiff, stream, f"{index + 1} of {layout.count}", (rows, layout.cols))
    height, pairs, components = _frame(stream)
    reason = f"holds {height * pairs * components} samples, not {rows * layout.cols}"
    if height * pairs * components == rows * layout.cols:
        try:
            return decode_stream(bytes(stream)).reshape(rows, layout.cols)
        except ValueError as error:
            reason = f"cannot be decoded ({error})"
    raise RawReadError(
        f"{tiff.name}: strip or tile {index + 1} of {layout.count} {reason}", advice=_COPY_AGAIN
    )


def _decode_jpegxl(
    tiff: TiffFile, stream: memoryview, which: str, size: tuple[int, int]
) -> NDArray[np.uint16]:
    """Decode one JPEG XL piece of (rows, columns)."""
    content = bytes(stream)
    bits = stream_bits(content)
    if bits not in (0, *KNOWN_BITS):
        raise UnsupportedRawError(
            f"{tiff.name}: JPEG XL of {bits} bits is not supported (8 or 16)",
            advice=Needs.LOSSLESS_MOSAIC,
        )
    try:
        samples = jpegxl.decode_stream(content, most=size[0] * size[1])
    except ValueError as error:
        reason = f"cannot be decoded ({error})"
    else:
        if samples.shape == size:
            return samples
        reason = f"holds {samples.shape[1]}x{samples.shape[0]} samples, not {size[1]}x{size[0]}"
    raise RawReadError(f"{tiff.name}: strip or tile {which} {reason}", advice=_COPY_AGAIN)


def _frame(stream: memoryview) -> tuple[int, int, int]:
    """Return (lines, samples of a line, components) of a lossless JPEG; zeros if it is none."""
    for marker, content in jpeg_segments(stream):
        if marker == _LOSSLESS_FRAME and len(content) >= 6:
            _, lines, length, components = struct.unpack_from(">BHHB", content)
            return lines, length, components
    return 0, 0, 0


def _unpack(
    data: memoryview, bits: int, byteorder: str, shape: tuple[int, int]
) -> NDArray[np.uint16]:
    """Return uncompressed samples: words in the file's byte order, else the highest bit first."""
    rows, cols = shape
    if bits == 16:
        return np.frombuffer(data, byteorder + "u2").reshape(shape).astype(np.uint16)
    packed = np.frombuffer(data, np.uint8).reshape(rows, -1)  # each row begins with a byte
    weights = (1 << np.arange(bits)[::-1]).astype(np.uint16)
    samples = np.empty(shape, np.uint16)
    for row in range(rows):  # one by one: bits take ten times the room of samples
        digits = np.unpackbits(packed[row], count=cols * bits).reshape(cols, bits)
        np.matmul(digits, weights, out=samples[row])
    return samples
