"""What else a DNG holds at full size beside its mosaic: more mosaics, or a developed image.

The reader calls it once the mosaic is found. The one thing to know: what denoising would leave as
it was, while the file claims to be denoised, is refused or told.

References
----------
DNG 1.7.1, tag 254 (NewSubfileType).
"""

from collections.abc import Iterator

from fadn_cli.errors import Needs, UnsupportedRawError
from fadn_cli.raw.source.dng_checks import image_size, is_monochrome
from fadn_cli.raw.tiff.file import Ifd, TiffFile
from fadn_cli.raw.tiff.tags import Photometric, Tag

_FULL_SIZE = 0.9  # of each side of the mosaic: frames may be cropped by their alignment
_MAIN, _ENHANCED = 0, 16  # NewSubfileType
_COLOURS = 3  # samples per pixel of a developed image


def refuse_several_mosaics(tiff: TiffFile, mosaic: Ifd) -> None:
    """Refuse a DNG with several mosaics of full size: pixel shift, or HDR in the camera.

    Smaller mosaics are proxies; two IFDs that share their samples are one mosaic.

    Raises
    ------
    UnsupportedRawError
        There are several.
    """
    is_one = is_monochrome if is_monochrome(mosaic) else _is_cfa
    others = (ifd for ifd in _full_size(tiff, mosaic) if is_one(ifd))
    count = len({_offsets(ifd) for ifd in others} | {_offsets(mosaic)})
    if count > 1:
        raise UnsupportedRawError(
            f"{tiff.name}: holds {count} mosaics of full size (pixel shift, or HDR in the camera); "
            "one is denoised",
            advice=Needs.ONE_MOSAIC,
        )


def warn_of_developed(tiff: TiffFile, mosaic: Ifd) -> tuple[str, ...]:
    """Say that a file holds an enhanced or linear image at full size, which is not denoised."""
    for ifd in _full_size(tiff, mosaic):
        is_enhanced = ifd.first_int(Tag.NEW_SUBFILE_TYPE, _MAIN) == _ENHANCED
        if _photometric(ifd) == Photometric.LINEAR_RAW and (
            is_enhanced or ifd.first_int(Tag.SAMPLES_PER_PIXEL, 1) >= _COLOURS
        ):
            kind = "enhanced" if is_enhanced else "linear"
            return (
                f"beside the mosaic the file holds {'an' if is_enhanced else 'a'} {kind} image of "
                "full size, which stays as it was; Adobe's programs show that one",
            )
    return ()


def _full_size(tiff: TiffFile, mosaic: Ifd) -> Iterator[Ifd]:
    """Yield the images that are no previews and about as large as the mosaic, or larger."""
    for ifd in tiff.walk():
        if ifd.get(Tag.IMAGE_WIDTH) is None or ifd.get(Tag.IMAGE_LENGTH) is None:
            continue
        is_image = ifd.first_int(Tag.NEW_SUBFILE_TYPE, _MAIN) in (_MAIN, _ENHANCED)
        sides = zip(image_size(ifd), image_size(mosaic), strict=True)
        if is_image and all(side >= _FULL_SIZE * of_mosaic for side, of_mosaic in sides):
            yield ifd


def _is_cfa(ifd: Ifd) -> bool:
    """Tell whether an image is a colour filter array."""
    return _photometric(ifd) == Photometric.CFA


def _photometric(ifd: Ifd) -> int:
    """Return PhotometricInterpretation, -1 if absent."""
    return ifd.first_int(Tag.PHOTOMETRIC_INTERPRETATION, -1)


def _offsets(ifd: Ifd) -> tuple[int, ...]:
    """Return where an image's samples lie, which tells images apart."""
    return ifd.ints(Tag.TILE_OFFSETS) or ifd.ints(Tag.STRIP_OFFSETS)
