"""A developed photograph as a 16-bit TIFF with profile, EXIF and GPS.

Called by `pipeline` with what `render.develop` returns. The one thing to know: tifffile writes the
pixels and refuses the EXIF pointer, so IFD0 is written once more behind them, with the metadata.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fadn_cli.errors import RawReadError, UnsupportedRawError
from fadn_cli.mosaic.values import RawImage
from fadn_cli.raw.develop.grey import GREY_PROFILE
from fadn_cli.raw.develop.render import srgb_profile
from fadn_cli.raw.source.metadata import MetadataBlocks, read_blocks
from fadn_cli.raw.tiff.file import ByteOrder, map_file, parse
from fadn_cli.raw.tiff.tags import Tag, make_field
from fadn_cli.raw.tiff.write import Field, build_ifd, rebuild_ifd
from fadn_cli.system.opening import open_anew

_BYTEORDER: ByteOrder = "<"
_ROWS_PER_STRIP = 64
_SRGB = 1  # EXIF ColorSpace
_ABOUT_OTHER_PIXELS = (Tag.COLOR_SPACE, Tag.PIXEL_X_DIMENSION, Tag.PIXEL_Y_DIMENSION)


def write_tiff(path: Path, rgb: NDArray[np.uint16], raw_image: RawImage, *, software: str) -> None:
    """Write an sRGB picture, or a grey one, with the source's metadata, losslessly compressed.

    Parameters
    ----------
    path : Path
        Written from scratch; best the temporary file of `files.atomic_output`.
    rgb : (height, width, 3) uint16, 0-65535
        sRGB-encoded, oriented as the sensor; the file states the orientation. Of a source without
        colours one channel is written.
    raw_image : RawImage
        The source; EXIF, GPS and description are read from its file.
    software : str
        The Software tag: program and version.

    Raises
    ------
    RawReadError
        The source can no longer be read.
    OSError
        Writing failed; `files.atomic_output` makes it a WriteError.
    """
    import tifffile  # here: DNGs do without

    has_color = raw_image.mosaic.cfa.kind != "mono"
    with open_anew(path) as output:
        tifffile.imwrite(
            output,
            rgb if has_color else rgb[..., 0],
            byteorder=_BYTEORDER,
            photometric="rgb" if has_color else "minisblack",
            compression="zlib",
            predictor=True,
            rowsperstrip=_ROWS_PER_STRIP,
            iccprofile=srgb_profile() if has_color else GREY_PROFILE,
            software=software,
            metadata=None,
        )
    _add_metadata(path, raw_image)


def read_tiff(path: Path) -> NDArray[np.uint16]:
    """Read a developed picture back.

    Returns
    -------
    (height, width, 3) uint16, 0-65535
        As stored, whatever orientation the file states; 8-bit samples are spread over 16 bits, and
        a grey picture has three channels that are the same memory.

    Raises
    ------
    RawReadError
        The file cannot be read or decoded.
    UnsupportedRawError
        It is not an RGB or grey picture of 8 or 16 bits.
    """
    import tifffile

    parse(map_file(path), name=path.name)  # names damage in our own words
    try:
        rgb: NDArray[Any] = tifffile.imread(path, key=0)
    except Exception as error:  # tifffile's and its codecs' exceptions share no base class
        raise RawReadError(
            f"{path.name}: cannot be decoded: {error}",
            advice="The file looks truncated or damaged, or is no TIFF.",
        ) from error
    if rgb.ndim == 2:
        rgb = np.broadcast_to(rgb[..., None], (*rgb.shape, 3))
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype not in (np.uint8, np.uint16):
        raise UnsupportedRawError(
            f"{path.name}: holds {rgb.dtype} samples of shape {rgb.shape}, not RGB or grey of 8 or "
            "16 bits",
            advice="Give a TIFF as `fadn denoise --format tiff` writes it.",
        )
    return rgb.astype(np.uint16) * np.uint16(257) if rgb.dtype == np.uint8 else rgb


def _add_metadata(path: Path, raw_image: RawImage) -> None:
    """Append EXIF, GPS and a copy of IFD0 that points to them."""
    blocks = read_blocks(raw_image.path)
    tiff = parse(map_file(path), name=path.name)
    start = len(tiff.data) + len(tiff.data) % 2
    addition = bytearray()
    fields = _ifd0_fields(raw_image, blocks)
    for tag, block in ((Tag.EXIF_IFD, _exif_fields(blocks)), (Tag.GPS_IFD, blocks.gps)):
        if block:
            offset = start + len(addition)
            fields.append(make_field(tag, offset))
            addition += build_ifd(block, byteorder=_BYTEORDER, at_offset=offset)
    ifd0_offset = start + len(addition)
    changes = {field.tag: field for field in fields}
    addition += rebuild_ifd(tiff.ifds[0], at_offset=ifd0_offset, replace=changes)
    pointer_offset = tiff.ifds[0].pointer_offset
    del tiff  # a mapped file cannot grow on every system
    with path.open("r+b") as output:
        output.seek(start)
        output.write(addition)
        output.seek(pointer_offset)
        output.write(ifd0_offset.to_bytes(4, "little"))


def _ifd0_fields(raw_image: RawImage, blocks: MetadataBlocks) -> list[Field]:
    """Describe the photograph and the camera."""
    metadata = raw_image.metadata
    fields = [field for field in blocks.shared if field.tag != Tag.SOFTWARE]
    fields.append(make_field(Tag.ORIENTATION, metadata.orientation))
    camera = ((Tag.MAKE, metadata.make), (Tag.MODEL, metadata.model))
    return fields + [make_field(tag, text) for tag, text in camera if text]


def _exif_fields(blocks: MetadataBlocks) -> list[Field]:
    """Return the source's EXIF, but what it says about other pixels."""
    fields = [field for field in blocks.exif if field.tag not in _ABOUT_OTHER_PIXELS]
    return [*fields, make_field(Tag.COLOR_SPACE, _SRGB)]
