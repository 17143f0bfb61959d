"""TIFFs that are monochrome raws, told by their tags from greyscale pictures and from other raws.

The reader calls it for TIFFs that are no DNG. The one thing to know: such a file says what a raw
says (a camera, or a black or white level) and nothing of how a picture is to be shown (no ICC
profile, no transfer function); LibRaw takes all of them for Bayer mosaics.

References
----------
TIFF 6.0, sections 4 (greyscale images) and 20 (transfer functions); DNG 1.7.1, "BlackLevel".
"""

import math

from fadn_cli.errors import Needs, RawReadError, UnsupportedRawError
from fadn_cli.raw.source.dng_checks import is_monochrome
from fadn_cli.raw.tiff.ifd import Ifd, TiffFile
from fadn_cli.raw.tiff.tags import Compression, Tag
from fadn_cli.raw.tiff.tree import integer, is_image_ifd, layout_of

_LEAF_METADATA = 34310  # Leaf's backs have filters, and say so there alone [LibRaw, parse_mos]
_OF_PICTURES = (
    (Tag.ICC_PROFILE, "an ICC profile"),
    (Tag.GRAY_RESPONSE_CURVE, "a response curve"),
    (Tag.TRANSFER_FUNCTION, "a transfer function"),
)
_LEAST_BITS = 9  # a raw of 8 bits or less has been encoded for the screen
_READABLE = (Compression.NONE, Compression.JPEG)
_OF_TIFF = (5, 8, 32773, 32946)  # LZW, Deflate, PackBits, the older Deflate


def find_monochrome(tiff: TiffFile) -> Ifd | None:
    """Return the IFD of the samples if a TIFF is a monochrome raw; None if it is another raw.

    Parameters
    ----------
    tiff : TiffFile
        No DNG, parsed with `tolerant=True`.

    Raises
    ------
    RawReadError
        It is a greyscale picture.
    UnsupportedRawError
        It is a monochrome raw that is compressed in a way we do not know.
    """
    images = [ifd for ifd in tiff.walk() if is_image_ifd(ifd) and layout_of(ifd) is not None]
    if not images or tiff.ifds[0].get(_LEAF_METADATA) is not None:
        return None
    if any(ifd.get(Tag.CFA_PATTERN) or ifd.get(Tag.CFA_REPEAT_PATTERN_DIM) for ifd in tiff.walk()):
        return None
    main = max(images, key=_pixels)
    if not is_monochrome(main):
        return None
    compression = integer(main, Tag.COMPRESSION, 1)
    if compression not in (*_READABLE, *_OF_TIFF):  # a maker's own, and LibRaw knows which
        return None
    _refuse_picture(tiff, main)
    if compression not in _READABLE:
        raise UnsupportedRawError(
            f"{tiff.name}: monochrome samples of compression {compression} are not supported",
            advice=Needs.LOSSLESS_MOSAIC,
        )
    return main


def _refuse_picture(tiff: TiffFile, main: Ifd) -> None:
    """Raise RawReadError for what has been developed already, or says nothing of a camera."""
    reason = ""
    bits = integer(main, Tag.BITS_PER_SAMPLE, 1)
    if bits < _LEAST_BITS:
        reason = f"of {bits} bits"
    for tag, name in _OF_PICTURES:
        if main.get(tag) is not None:
            reason = f"with {name}"
    levels = main.get(Tag.BLACK_LEVEL) or main.get(Tag.WHITE_LEVEL)
    if not reason and levels is None and tiff.ifds[0].get(Tag.MAKE) is None:
        reason = "that names neither a camera nor its levels"
    if reason:
        raise RawReadError(
            f"{tiff.name}: is a greyscale picture {reason}, not a raw file",
            advice="Give the camera's raw file instead.",
        )


def _pixels(ifd: Ifd) -> int:
    """Return how large an image is."""
    return math.prod((integer(ifd, Tag.IMAGE_LENGTH, 0), integer(ifd, Tag.IMAGE_WIDTH, 0)))
