"""Develop a denoised mosaic to RGB as LibRaw would develop the source.

Called by `pipeline` for TIFF output and by the DNG writer for previews. The one thing to know:
LibRaw is given samples already mapped to black 0, white 65535, because its own idea of black is out
of phase for odd active areas and rounded to whole DN, and its brightness would follow the maximum
of the data, which denoising lowers. Mosaics without colours do without it: see `grey`.
"""

import io
import struct
from functools import lru_cache

import numpy as np
import rawpy
from numpy.typing import NDArray

from fadn_cli.errors import FadnError, RawReadError
from fadn_cli.mosaic.values import Mosaic, RawImage
from fadn_cli.raw.develop.grey import develop_grey
from fadn_cli.raw.source.dng_checks import find_raw_ifd, image_size
from fadn_cli.raw.source.quiet import openable, quiet_stderr
from fadn_cli.raw.tiff.file import map_file, parse
from fadn_cli.raw.tiff.ifd import Ifd
from fadn_cli.raw.tiff.tags import Compression, PreviewSpace, Tag, make_field
from fadn_cli.raw.tiff.write import append, replace_ifd

_ROWS_PER_BLOCK = 256
_LIBRAW_WHITE = 65535
_LEAST_XTRANS = 512  # pixels: LibRaw's own method for X-Trans refuses less
_SPACES = {
    PreviewSpace.SRGB: (rawpy.ColorSpace.sRGB, (2.4, 12.92)),  # IEC 61966-2-1
    PreviewSpace.ADOBE_RGB: (rawpy.ColorSpace.Adobe, (563 / 256, 0)),  # Adobe RGB (1998), 4.3.4.2
    PreviewSpace.PRO_PHOTO: (rawpy.ColorSpace.ProPhoto, (1.8, 16)),  # ISO 22028-2
}
"""LibRaw's name of a colour space, and its curve as LibRaw spells it: exponent, slope at black."""


@lru_cache(maxsize=1)
def srgb_profile() -> bytes:
    """Return the ICC profile of what `develop` returns, unless it is told otherwise.

    Without the two things in it that differ from run to run.
    """
    from PIL import ImageCms  # here: DNGs do without

    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[24:36] = struct.pack(">6H", 2000, 1, 1, 0, 0, 0)  # creation date
    profile[40:44] = bytes(4)  # primary platform
    return bytes(profile)


def develop(
    raw_image: RawImage,
    mosaic: Mosaic,
    *,
    half_size: bool = False,
    space: PreviewSpace = PreviewSpace.SRGB,
    gain: float = 1.0,
) -> NDArray[np.uint16]:
    """Develop a mosaic with LibRaw: demosaicing, white balance, camera matrix, sRGB curve.

    Brightness depends on the levels alone, never on the data: no automatic exposure, no automatic
    white level. Pixels stay as the sensor has them; the orientation is the file's to state.

    Parameters
    ----------
    raw_image : RawImage
        The source; LibRaw opens its file again for matrices and margins.
    mosaic : Mosaic
        The samples to develop instead, of the source's size, with their levels.
    half_size : bool
        One pixel per 2x2 samples instead of demosaicing; quick, for previews.
    space : PreviewSpace
        The colours to develop to: sRGB, Adobe RGB or ProPhoto.
    gain : float
        How much brighter than the levels say, linear: 2 is one stop.

    Returns
    -------
    (height, width, 3) uint16, 0-65535
        Encoded for `space`; the area LibRaw takes for visible, which is the active area. Without
        colours, all three channels are the same memory.

    Raises
    ------
    RawReadError
        The source can no longer be opened, or says two things of its size.
    ValueError
        `mosaic` has another size than the source.
    """
    if mosaic.samples.shape != raw_image.mosaic.samples.shape:
        wanted = raw_image.mosaic.samples.shape
        raise ValueError(f"the mosaic is {mosaic.samples.shape}, the source {wanted}")
    if mosaic.cfa.kind == "mono":
        return develop_grey(mosaic, half_size=half_size, space=space, gain=gain)
    gains = raw_image.metadata.wb_gains
    color_space, curve = _SPACES[space]
    try:
        with quiet_stderr():
            opened = rawpy.imread(_openable(raw_image))
            opened.unpack()
        with opened as raw:
            _refuse_other_size(raw_image, raw.raw_image.shape)
            # Of some makers' raws (Panasonic's) LibRaw takes zeros for bad, and brightens the dark.
            _fill(raw.raw_image, mosaic, lowest=0 if raw_image.metadata.is_dng else 1)
            rgb: NDArray[np.uint16] = raw.postprocess(
                half_size=half_size,
                demosaic_algorithm=_demosaicing(mosaic),
                # Unknown gains: LibRaw's daylight, which unlike its automatic one ignores the data.
                user_wb=None if gains is None else [float(gains[i]) for i in (0, 1, 2, 1)],
                user_black=0,
                user_cblack=[0, 0, 0, 0],
                user_sat=_LIBRAW_WHITE,
                user_flip=0,
                no_auto_bright=True,
                adjust_maximum_thr=0,
                bright=gain,
                gamma=curve,
                output_color=color_space,
                output_bps=16,
            )
    except rawpy.LibRawError as error:
        raise RawReadError(
            f"{raw_image.path.name}: cannot be developed: {error}",
            advice="Check that the file has not been moved or changed meanwhile.",
        ) from error
    return rgb


def _openable(raw_image: RawImage) -> str | io.BytesIO:
    """Return what rawpy can open.

    LibRaw rounds the margins of Fujifilm's X-Trans sensors up to whole cells; of a DNG it loses the
    pattern by that, and all would be red. So such a DNG is shown to it as of another maker. JPEG XL
    it does not know; in its place it is shown zeros, since the samples are put in afterwards.
    """
    if not raw_image.metadata.is_dng:
        return openable(raw_image.path)
    try:
        tiff = parse(map_file(raw_image.path), name=raw_image.path.name, tolerant=True)
        raw_ifd = find_raw_ifd(tiff)
    except FadnError:  # changed meanwhile: LibRaw is to say so
        return openable(raw_image.path)
    is_jpegxl = raw_ifd.first_int(Tag.COMPRESSION, 1) == Compression.JPEG_XL
    area, cfa = raw_image.mosaic.active_area, raw_image.mosaic.cfa
    is_red = cfa.kind == "xtrans" and (area.top % cfa.period or area.left % cfa.period)
    if not (is_red or is_jpegxl):
        return openable(raw_image.path)
    changed = bytearray(tiff.data)
    for tag in (Tag.MAKE, Tag.UNIQUE_CAMERA_MODEL) if is_red else ():
        entry = tiff.ifds[0].get(tag)
        if entry is not None and entry.count:
            changed[entry.value_offset] = ord("_")
    if is_jpegxl:
        _empty(changed, raw_ifd, image_size(raw_ifd))
    return io.BytesIO(changed)


def _empty(content: bytearray, raw_ifd: Ifd, size: tuple[int, int]) -> None:
    """Let a DNG say that its samples are uncompressed zeros."""
    height, width = size
    fields = [
        make_field(Tag.COMPRESSION, Compression.NONE),
        make_field(Tag.BITS_PER_SAMPLE, 16),
        make_field(Tag.STRIP_OFFSETS, append(content, bytes(2 * height * width))),
        make_field(Tag.ROWS_PER_STRIP, height),
        make_field(Tag.STRIP_BYTE_COUNTS, 2 * height * width),
    ]
    tiles = (Tag.TILE_WIDTH, Tag.TILE_LENGTH, Tag.TILE_OFFSETS, Tag.TILE_BYTE_COUNTS)
    replace_ifd(content, raw_ifd, replace={field.tag: field for field in fields}, drop=tiles)


def _refuse_other_size(raw_image: RawImage, size: tuple[int, ...]) -> None:
    """Raise RawReadError where LibRaw takes a photograph for another size than its tags say."""
    height, width = raw_image.mosaic.samples.shape
    if size != (height, width):
        raise RawReadError(
            f"{raw_image.path.name}: its tags say {width}x{height} samples, and can also be read as"
            f" {size[-1]}x{size[0]}",
            advice="The file looks damaged; copy it again from the card.",
        )


def _demosaicing(mosaic: Mosaic) -> rawpy.DemosaicAlgorithm | None:
    """Return how LibRaw is to find the colours between: as it likes, where it can."""
    area = mosaic.active_area
    if mosaic.cfa.kind == "xtrans" and min(area.height, area.width) < _LEAST_XTRANS:
        return rawpy.DemosaicAlgorithm.VNG
    return None


def _fill(frame: NDArray[np.uint16], mosaic: Mosaic, *, lowest: int) -> None:
    """Put a mosaic into LibRaw's frame, black at 0 and white at 65535, clipped at the lowest."""
    height, _ = frame.shape
    for start in range(0, height, _ROWS_PER_BLOCK):
        stop = min(start + _ROWS_PER_BLOCK, height)
        black = mosaic.black_rows(start, stop)
        scale = np.float32(_LIBRAW_WHITE) / (np.float32(mosaic.white_level) - black)
        x = (mosaic.samples[start:stop] - black) * scale
        frame[start:stop] = np.clip(np.rint(x), lowest, _LIBRAW_WHITE)
