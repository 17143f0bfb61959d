"""Whether a DNG holds a mosaic we can denoise, decided from its tags before LibRaw sees it.

The reader calls it for every DNG, the DNG writer to find the IFD it replaces. The one thing to
know: LibRaw decodes some of what is refused here, but to something else than the file's own
samples.

References
----------
DNG 1.7.1, chapters 2 and 4.
"""

import math

from fadn_cli.errors import Needs, RawReadError, UnsupportedRawError, few
from fadn_cli.raw.tiff.file import Ifd, TiffFile
from fadn_cli.raw.tiff.tags import Compression, Photometric, Tag, tag_name
from fadn_cli.raw.tiff.tree import integer, layout_of

_MAIN_IMAGE = 0  # NewSubfileType
_FLOATING_POINT = 3  # SampleFormat
_UNREADABLE_COMPRESSIONS = {
    Compression.VC5: "GoPro VC-5",
    Compression.LOSSY_JPEG: "lossy JPEG",
}
_MOST_INTERLEAVED = 16  # rows or columns; Adobe's converter writes 2
_COPY_AGAIN = "The file looks truncated or damaged; copy it again from the card."


def is_dng(tiff: TiffFile) -> bool:
    """Tell a DNG from other TIFF-like raws."""
    return tiff.ifds[0].get(Tag.DNG_VERSION) is not None


def check_pointers(tiff: TiffFile) -> tuple[str, ...]:
    """Say which IFDs of a DNG cannot be found, if the samples are not among them.

    Other readers pass over a chain that ends nowhere, or EXIF and GPS that are not there.

    Parameters
    ----------
    tiff : TiffFile
        Parsed with `tolerant=True`.

    Raises
    ------
    RawReadError
        A SubIFD is missing, where the samples may be.
    """
    warnings = []
    for tag, error in tiff.lost:
        if tag == Tag.SUB_IFDS:
            raise error
        pointer = f"{tag_name(tag)} points" if tag else "the chain of IFDs leads"
        reason = str(error).rpartition(": ")[2]
        warnings.append(f"{pointer} nowhere, and what should be there is lost ({reason})")
    return tuple(warnings)


def find_raw_ifd(tiff: TiffFile) -> Ifd:
    """Return the IFD of the mosaic: the largest main image that is one, with colours or without.

    Raises
    ------
    UnsupportedRawError
        The main image is something else: linear, RGB.
    RawReadError
        There is no main image, or its tags are damaged.
    """
    images = [ifd for ifd in tiff.walk() if ifd.get(Tag.IMAGE_WIDTH) and ifd.get(Tag.IMAGE_LENGTH)]
    mains = [ifd for ifd in images if ifd.first_int(Tag.NEW_SUBFILE_TYPE, 0) == _MAIN_IMAGE]
    mosaics = [ifd for ifd in mains if _photometric(ifd) == Photometric.CFA]
    mosaics = mosaics or [ifd for ifd in mains if is_monochrome(ifd)]
    if mosaics:
        return max(mosaics, key=lambda ifd: math.prod(image_size(ifd)))
    if not mains:
        raise RawReadError(f"{tiff.name}: no main image among its IFDs", advice=_COPY_AGAIN)
    main = max(mains, key=lambda ifd: math.prod(image_size(ifd)))
    photometric = _photometric(main)
    kind, advice = f"an image of PhotometricInterpretation {photometric}", Needs.ORIGINAL_RAW
    if photometric == Photometric.LINEAR_RAW and main.first_int(Tag.SAMPLES_PER_PIXEL, 1) > 1:
        kind = "a linear DNG, already demosaiced"
    raise UnsupportedRawError(f"{tiff.name}: is {kind}; {Needs.ONLY_THESE}", advice=advice)


def is_monochrome(ifd: Ifd) -> bool:
    """Tell an image of one sample per pixel whose sensor has no colour filters."""
    photometric = integer(ifd, Tag.PHOTOMETRIC_INTERPRETATION, -1)
    return (
        photometric in (Photometric.BLACK_IS_ZERO, Photometric.LINEAR_RAW)
        and integer(ifd, Tag.SAMPLES_PER_PIXEL, 1) == 1
        and ifd.get(Tag.CFA_PATTERN) is None
    )


def image_size(ifd: Ifd) -> tuple[int, int]:
    """Return (height, width) in pixels of the IFD's image."""
    return ifd.first_int(Tag.IMAGE_LENGTH, 0), ifd.first_int(Tag.IMAGE_WIDTH, 0)


def check_size(size: tuple[int, ...], name: str, max_megapixels: float) -> None:
    """Refuse more pixels than a photograph has, before there is memory for them.

    Parameters
    ----------
    size : (int, int)
        Height and width in pixels.
    name : str
        Of the file.
    max_megapixels : float
        What the user allows.

    Raises
    ------
    RawReadError
        There are more.
    """
    height, width = size
    if height * width > max_megapixels * 1e6:
        raise RawReadError(
            f"{name}: claims {width}x{height} pixels, {height * width / 1e6:,.0f} megapixels, more "
            f"than the {max_megapixels:g} that are allowed",
            advice="The file is damaged, or made to take all memory; if it is a photograph, allow "
            "more with --max-megapixels.",
        )


def check_sizes(tiff: TiffFile, ifd: Ifd, max_megapixels: float) -> None:
    """Do what `check_size` does, for an image and for the strips or tiles it is said to be of."""
    check_size(image_size(ifd), tiff.name, max_megapixels)
    layout = layout_of(ifd)
    if layout is not None:
        check_size((layout.rows, layout.cols), f"{tiff.name}: a strip or tile", max_megapixels)


def check_supported(tiff: TiffFile, ifd: Ifd) -> None:
    """Refuse what LibRaw cannot decode or decodes to something else than the file's samples.

    Raises
    ------
    UnsupportedRawError
        VC-5, lossy JPEG, floating-point or over 16-bit samples, several samples per pixel, samples
        in blocks, or interleaved in a way that makes no sense.
    """
    compression = ifd.first_int(Tag.COMPRESSION, 1)
    reason = ""
    advice = Needs.LOSSLESS_MOSAIC
    if compression in _UNREADABLE_COMPRESSIONS:
        name = _UNREADABLE_COMPRESSIONS[Compression(compression)]
        reason = f"{name} compression ({compression}) is not supported"
    elif ifd.first_int(Tag.SAMPLE_FORMAT, 1) == _FLOATING_POINT:
        reason = "floating-point samples (SampleFormat 3) are not supported"
        advice = Needs.INTEGER_RAW
    elif (bits := ifd.first_int(Tag.BITS_PER_SAMPLE, 16)) > 16:
        reason = f"{bits}-bit samples are not supported (at most 16)"
    elif (planes := ifd.first_int(Tag.SAMPLES_PER_PIXEL, 1)) != 1:
        reason = f"{planes} samples per pixel are no mosaic"
        advice = Needs.ORIGINAL_RAW
    elif not all(1 <= factor <= _MOST_INTERLEAVED for factor in interleave_factors(ifd)):
        rows, cols = interleave_factors(ifd)
        reason = (
            f"samples interleaved by RowInterleaveFactor {rows} and ColumnInterleaveFactor {cols} "
            "are not supported"
        )
    elif (blocks := ifd.ints(Tag.SUB_TILE_BLOCK_SIZE)) not in ((), (1, 1)):
        size = few(blocks, "x")
        reason = f"samples in blocks (SubTileBlockSize {size}) are not supported"
    if reason:
        raise UnsupportedRawError(f"{tiff.name}: {reason}", advice=advice)


def interleave_factors(ifd: Ifd) -> tuple[int, int]:
    """Return every how many rows and columns of the image are stored side by side."""
    rows, cols = Tag.ROW_INTERLEAVE_FACTOR, Tag.COLUMN_INTERLEAVE_FACTOR
    return ifd.first_int(rows, 1), ifd.first_int(cols, 1)


def check_complete(tiff: TiffFile, ifd: Ifd) -> None:
    """Refuse a file whose strips or tiles lie beyond its end: LibRaw may pad them silently.

    Raises
    ------
    RawReadError
        Strips or tiles are missing or cut off.
    """
    height, width = image_size(ifd)
    tiled = ifd.get(Tag.TILE_OFFSETS) is not None
    if tiled:
        rows, cols = ifd.first_int(Tag.TILE_LENGTH, 0), ifd.first_int(Tag.TILE_WIDTH, 0)
    else:
        rows, cols = min(ifd.first_int(Tag.ROWS_PER_STRIP, height), height), width
    if min(height, width, rows, cols) < 1:
        raise RawReadError(
            f"{tiff.name}: image size {width}x{height} in pieces of {cols}x{rows}",
            advice=_COPY_AGAIN,
        )
    offsets = ifd.ints(Tag.TILE_OFFSETS if tiled else Tag.STRIP_OFFSETS)
    lengths = ifd.ints(Tag.TILE_BYTE_COUNTS if tiled else Tag.STRIP_BYTE_COUNTS)
    expected = -(-height // rows) * -(-width // cols)
    if expected <= len(offsets) and ifd.first_int(Tag.COMPRESSION, 1) == Compression.NONE:
        # Byte counts of uncompressed files are often wrong and never needed.
        row_bytes = -(-cols * ifd.first_int(Tag.BITS_PER_SAMPLE, 16) // 8)
        last = rows if tiled else height - (expected - 1) * rows
        lengths = (rows * row_bytes,) * (expected - 1) + (last * row_bytes,)
    listed = min(len(offsets), len(lengths))
    if listed < expected:
        raise RawReadError(
            f"{tiff.name}: damaged: {listed} of {expected} strips or tiles are listed",
            advice=_COPY_AGAIN,
        )
    end = max(offset + length for offset, length in zip(offsets, lengths, strict=False))
    if end > len(tiff.data):
        raise RawReadError(
            f"{tiff.name}: truncated: image data up to byte {end}, "
            f"the file has {len(tiff.data)} bytes",
            advice=_COPY_AGAIN,
        )


def _photometric(ifd: Ifd) -> int:
    """Return PhotometricInterpretation, -1 if absent."""
    return ifd.first_int(Tag.PHOTOMETRIC_INTERPRETATION, -1)
