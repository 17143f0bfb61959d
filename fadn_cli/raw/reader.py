"""A raw file, read: path -> RawImage. The only importer of rawpy together with `render`.

`pipeline` calls it. The one thing to know: LibRaw decodes the samples, and for a DNG nothing else:
colours, levels, matrix, white balance and noise come from the file's own tags, which LibRaw rounds,
averages or shifts. For any other format LibRaw knows the camera, and its levels are taken.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import rawpy
from numpy.typing import NDArray

from fadn_cli.errors import RawReadError, UnsupportedRawError
from fadn_cli.mosaic import CfaPattern, Mosaic, RawImage, RawMetadata, Rect
from fadn_cli.raw.dng_checks import (
    check_complete,
    check_supported,
    find_raw_ifd,
    image_size,
    is_dng,
)
from fadn_cli.raw.dng_tags import (
    read_active_area,
    read_cfa,
    read_color_matrix,
    read_mosaic,
    read_noise_profile,
    read_wb_gains,
)
from fadn_cli.raw.metadata import read_blocks
from fadn_cli.raw.quiet import openable, quiet_stderr
from fadn_cli.raw.tiff import Ifd, TiffFile, map_file, parse

MIN_SIDE = 16
"""Smallest side of a mosaic, pixels: below it there is nothing to denoise."""
MAX_ZEROS = 0.995
"""Largest share of zero samples; a truncated file that LibRaw padded has more."""

_FLIP_ORIENTATION = {0: 1, 3: 3, 5: 8, 6: 6}  # LibRaw's flip -> EXIF orientation
_TIFF_SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")  # + is BigTIFF's 43
_NOT_RAW = (
    (b"\xff\xd8\xff", "a JPEG"),
    (b"\x89PNG", "a PNG"),
    (b"GIF8", "a GIF"),
    (b"%PDF", "a PDF"),
    (b"RIFF", "a RIFF file (WebP, AVI or WAV)"),
)
_ONLY_BAYER = "only 2x2 Bayer mosaics are denoised"
_UNSUPPORTED_SENSOR = "This camera's sensor is not supported yet."
_COPY_AGAIN = "The file looks truncated or damaged; copy it again from the card."


def read_raw(path: Path) -> RawImage:
    """Read a raw file that holds a 2x2 Bayer mosaic.

    Parameters
    ----------
    path : Path
        Any raw file LibRaw decodes; opened read-only.

    Returns
    -------
    RawImage
        The full mosaic, masked borders included, as decoded (LinearizationTable applied).

    Raises
    ------
    RawReadError
        Missing, unreadable, empty, truncated, corrupt, zero-filled, or not a raw file.
    UnsupportedRawError
        Recognised, but not a Bayer mosaic, or of a kind LibRaw does not decode.
    """
    data = map_file(path)
    _refuse_by_signature(bytes(data[:16]), path.name)
    if bytes(data[:4]) in _TIFF_SIGNATURES and is_dng(parse(data, name=path.name, tolerant=True)):
        return _read_dng(path, parse(data, name=path.name))
    return _read_camera_raw(path)


def _read_dng(path: Path, tiff: TiffFile) -> RawImage:
    """Read a DNG: samples from LibRaw, everything else from the tags."""
    ifd = find_raw_ifd(tiff)
    _refuse_tiny(image_size(ifd), tiff.name)
    check_supported(tiff, ifd)
    read_cfa(tiff, ifd)  # an X-Trans mosaic is to be refused before it is decoded
    read_active_area(tiff, ifd)
    check_complete(tiff, ifd)
    with _decoded(path) as raw:
        samples = _samples(raw, path.name)
    if samples.shape != image_size(ifd):
        height, width = image_size(ifd)
        raise UnsupportedRawError(
            f"{tiff.name}: decodes to {samples.shape[1]}x{samples.shape[0]} samples, "
            f"its tags say {width}x{height}",
            advice=_UNSUPPORTED_SENSOR,
        )
    mosaic = read_mosaic(tiff, ifd, samples)
    _refuse_blank(mosaic, path.name)
    return RawImage(path=path, mosaic=mosaic, metadata=_dng_metadata(path, tiff, ifd))


def _dng_metadata(path: Path, tiff: TiffFile, ifd: Ifd) -> RawMetadata:
    """Collect what a DNG's tags say."""
    blocks = read_blocks(path)
    color_matrix = read_color_matrix(tiff)
    return RawMetadata(
        make=blocks.make,
        model=blocks.model,
        iso=blocks.iso,
        exposure_time=blocks.exposure_time,
        wb_gains=read_wb_gains(tiff, color_matrix),
        color_matrix=color_matrix,
        orientation=blocks.orientation or 1,
        noise_profile=read_noise_profile(tiff, ifd),
        is_dng=True,
    )


def _read_camera_raw(path: Path) -> RawImage:
    """Read any other raw: everything from LibRaw but what only the container says."""
    with _decoded(path) as raw:
        mosaic = _camera_mosaic(raw, path.name)
        blocks = read_blocks(path)
        metadata = RawMetadata(
            make=blocks.make,
            model=blocks.model,
            iso=blocks.iso or round(raw.other.iso_speed) or None,
            exposure_time=blocks.exposure_time or raw.other.shutter_speed or None,
            wb_gains=_camera_wb_gains(raw),
            color_matrix=_camera_color_matrix(raw),
            orientation=blocks.orientation or _FLIP_ORIENTATION.get(raw.sizes.flip, 1),
            noise_profile=None,
            is_dng=False,
        )
    _refuse_blank(mosaic, path.name)
    return RawImage(path=path, mosaic=mosaic, metadata=metadata)


def _camera_mosaic(raw: Any, name: str) -> Mosaic:
    """Take samples, colours and levels from LibRaw.

    `white_level` is LibRaw's maximum, which its development uses too. The lower
    `camera_white_level_per_channel` says where the camera stops being linear: samples above it
    still differ, and as white they would be lost.
    """
    samples = _samples(raw, name)
    _refuse_tiny(samples.shape, name)
    colors = _camera_colors(raw, name)
    # Black levels come per LibRaw channel (R, G of red rows, B, G of blue rows), the pattern says
    # which channel each site of the full mosaic is.
    black = np.array(raw.black_level_per_channel, np.float32)[raw.raw_pattern]
    white = float(raw.white_level)
    if not white > black.max():
        raise RawReadError(
            f"{name}: white level {white:g} is not above black level {black.max():g}",
            advice=_COPY_AGAIN,
        )
    sizes = raw.sizes
    area = Rect(
        top=sizes.top_margin, left=sizes.left_margin, height=sizes.height, width=sizes.width
    )
    height, width = samples.shape
    if area.top + area.height > height or area.left + area.width > width:
        raise UnsupportedRawError(
            f"{name}: visible area {area.width}x{area.height} exceeds the {width}x{height} mosaic",
            advice=_UNSUPPORTED_SENSOR,
        )
    return Mosaic(
        samples=samples,
        cfa=CfaPattern(colors=colors),
        black_level=black,
        white_level=white,
        active_area=area,
    )


def _camera_colors(raw: Any, name: str) -> str:
    """Return the Bayer colours from sample (0, 0); UnsupportedRawError if there are none."""
    pattern = raw.raw_pattern
    names = raw.color_desc.decode("ascii", "replace")
    kind = ""
    colors = ""
    if raw.num_colors == 1 or pattern is None:
        kind = "monochrome"
    elif pattern.shape == (6, 6):
        kind = "X-Trans"
    elif raw.num_colors != 3 or names != "RGBG":
        kind = f"a 4-colour filter array ({names})"
    elif pattern.shape != (2, 2) or not _repeats(raw):
        kind = "a filter array that does not repeat every 2x2 samples"
    else:
        colors = "".join(names[channel] for channel in pattern.ravel())
        if colors not in ("RGGB", "BGGR", "GRBG", "GBRG"):
            kind = f"a filter array {colors}"
    if kind:
        raise UnsupportedRawError(
            f"{name}: the sensor is {kind}; {_ONLY_BAYER}", advice=_UNSUPPORTED_SENSOR
        )
    return colors


def _repeats(raw: Any) -> bool:
    """Whether the colours of the first visible rows follow the 2x2 pattern (LibRaw allows 16x2)."""
    pattern = raw.raw_pattern
    top, left = raw.sizes.top_margin, raw.sizes.left_margin
    return all(
        raw.raw_color(row, col) == pattern[row % 2, col % 2]
        for row in range(top, top + MIN_SIDE)
        for col in range(left, left + 2)
    )


def _camera_wb_gains(raw: Any) -> NDArray[np.float32] | None:
    """Return the camera's white balance with green = 1; LibRaw says 0 where it knows none."""
    red, green, blue, _ = raw.camera_whitebalance
    if min(red, green, blue) <= 0:
        return None
    return np.array([red / green, 1, blue / green], np.float32)


def _camera_color_matrix(raw: Any) -> NDArray[np.float32] | None:
    """Return LibRaw's (3, 3) XYZ D65 -> camera matrix; zeros mean that it has none."""
    matrix: NDArray[np.float32] = np.array(raw.rgb_xyz_matrix[:3], np.float32)
    return matrix if matrix.any() else None


@contextmanager
def _decoded(path: Path) -> Iterator[Any]:
    """Open and unpack a file with LibRaw, its errors made ours."""
    try:
        with quiet_stderr():
            raw = rawpy.imread(openable(path))
            raw.unpack()
    except rawpy.LibRawFileUnsupportedError as error:
        raise RawReadError(
            f"{path.name}: not a raw file that LibRaw can decode",
            advice="Convert it to DNG, if it is a raw file of a new camera.",
        ) from error
    except rawpy.LibRawError as error:
        reason = error.args[0] if error.args else error
        text = reason.decode("ascii", "replace") if isinstance(reason, bytes) else str(reason)
        raise RawReadError(
            f"{path.name}: cannot be decoded ({text})", advice=_COPY_AGAIN
        ) from error
    with raw:
        yield raw


def _samples(raw: Any, name: str) -> NDArray[np.uint16]:
    """Copy the full mosaic out of LibRaw's memory."""
    if raw.raw_type != rawpy.RawType.Flat:
        raise UnsupportedRawError(
            f"{name}: holds full-colour pixels (sRAW, linear or Foveon); {_ONLY_BAYER}",
            advice="Set the camera to full-size RAW.",
        )
    samples: NDArray[np.uint16] = raw.raw_image.copy()
    return samples


def _refuse_by_signature(head: bytes, name: str) -> None:
    """Name what can be told from the first bytes."""
    for signature, kind in _NOT_RAW:
        if head.startswith(signature):
            raise RawReadError(
                f"{name}: is {kind}, not a raw file", advice="Give the camera's raw file instead."
            )
    if head.startswith(b"FOVb"):
        raise UnsupportedRawError(
            f"{name}: is a Sigma Foveon raw (X3F); {_ONLY_BAYER}", advice=_UNSUPPORTED_SENSOR
        )


def _refuse_tiny(size: tuple[int, ...], name: str) -> None:
    """Refuse mosaics with hardly a pixel."""
    height, width = size
    if min(height, width) < MIN_SIDE:
        raise UnsupportedRawError(
            f"{name}: the mosaic is {width}x{height} pixels; the smallest is {MIN_SIDE}x{MIN_SIDE}",
            advice="Give a photograph.",
        )


def _refuse_blank(mosaic: Mosaic, name: str) -> None:
    """Refuse samples without a picture: what LibRaw leaves where a file was cut off."""
    active = mosaic.samples[mosaic.active_area.slices]
    _refuse_tiny(active.shape, name)
    zeros = 1 - np.count_nonzero(active) / active.size
    lowest, highest = int(active.min()), int(active.max())
    reason = ""
    if lowest == highest:
        reason = f"all samples are {lowest}"
    elif zeros > MAX_ZEROS:
        reason = f"{zeros:.1%} of the samples are 0"
    if reason:
        raise RawReadError(f"{name}: no picture in it: {reason}", advice=_COPY_AGAIN)
