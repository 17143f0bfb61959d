"""A raw file, read: path -> RawImage. The only importer of rawpy together with `render`.

`pipeline` calls it. The one thing to know: LibRaw decodes the samples (but for the few layouts that
`pieces` knows, and monochrome TIFFs), and for a DNG nothing else: colours, levels, matrix, white
balance and noise come from the file's own tags, which LibRaw rounds, averages or shifts. For any
other format LibRaw knows the camera, and its levels are taken.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import rawpy
from numpy.typing import NDArray

from fadn_cli.errors import FadnError, Needs, RawReadError, UnsupportedRawError
from fadn_cli.limits import MEGAPIXELS
from fadn_cli.mosaic.cfa import CfaPattern
from fadn_cli.mosaic.values import Mosaic, RawImage, RawMetadata
from fadn_cli.raw.makers.containers import PHASE_ONE_NOTE
from fadn_cli.raw.source.beside import refuse_several_mosaics, warn_of_developed
from fadn_cli.raw.source.blocks import MetadataBlocks
from fadn_cli.raw.source.camera import camera_metadata, camera_mosaic, refuse_frames
from fadn_cli.raw.source.defects import read_defects, read_zero_marks
from fadn_cli.raw.source.dng_checks import (
    check_complete,
    check_pointers,
    check_size,
    check_sizes,
    check_supported,
    find_raw_ifd,
    image_size,
    is_dng,
)
from fadn_cli.raw.source.dng_colors import read_color_matrix, read_wb_gains
from fadn_cli.raw.source.dng_tags import (
    read_active_area,
    read_cfa,
    read_crop,
    read_mosaic,
    read_noise_profile,
    read_pixel_aspect,
    warn_of_levels,
    warn_of_profile,
)
from fadn_cli.raw.source.metadata import read_blocks
from fadn_cli.raw.source.pieces import (
    libraw_misplaces,
    read_samples,
    refuse_lossy,
    samples_in_place,
)
from fadn_cli.raw.source.quiet import openable, quiet_stderr
from fadn_cli.raw.source.tiff_raws import find_monochrome
from fadn_cli.raw.tiff.file import Ifd, TiffFile, map_file, parse

MIN_SIDE = 16
"""Smallest side of a mosaic, pixels: below it there is nothing to denoise."""
MAX_ZEROS = 0.995
"""Largest share of zero samples; a truncated file that LibRaw padded has more."""

_TIFF_SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")  # + is BigTIFF's 43
_NOT_RAW = (
    (b"\xff\xd8\xff", "a JPEG"),
    (b"\x89PNG", "a PNG"),
    (b"GIF8", "a GIF"),
    (b"%PDF", "a PDF"),
    (b"RIFF", "a RIFF file (WebP, AVI or WAV)"),
)
_COPY_AGAIN = "The file looks truncated or damaged; copy it again from the card."


def libraw_version() -> str:
    """Return the version of the LibRaw inside rawpy."""
    return ".".join(str(part) for part in rawpy.libraw_version)


def read_raw(path: Path, *, max_megapixels: float = MEGAPIXELS) -> RawImage:
    """Read a raw file that holds a Bayer, X-Trans or monochrome mosaic.

    Parameters
    ----------
    path : Path
        Any raw file LibRaw decodes; opened read-only.
    max_megapixels : float
        What claims to be larger is refused before there is memory for it.

    Returns
    -------
    RawImage
        The full mosaic, masked borders included, as decoded (LinearizationTable applied).

    Raises
    ------
    RawReadError
        Missing, unreadable, empty, truncated, corrupt, zero-filled, or not a raw file.
    MemoryError
        As it says.
    UnsupportedRawError
        Recognised, but no mosaic that we know, or of a kind LibRaw does not decode or not
        calibrate.
    """
    data = map_file(path)
    _refuse_by_signature(bytes(data[:16]), path.name)
    if bytes(data[:4]) in _TIFF_SIGNATURES:
        tiff = parse(data, name=path.name, tolerant=True)
        if is_dng(tiff):
            return _read_dng(path, tiff, max_megapixels)
        ifd = find_monochrome(tiff)
        if ifd is not None:
            return _read_monochrome_tiff(path, tiff, ifd, max_megapixels)
    return _read_camera_raw(path, max_megapixels)


def claimed_megapixels(path: Path) -> float:
    """Return how large LibRaw takes a file's mosaic to be; 0 if it cannot tell."""
    try:
        with quiet_stderr(), rawpy.imread(openable(path)) as raw:
            return float(raw.sizes.raw_height * raw.sizes.raw_width / 1e6)
    except (rawpy.LibRawError, OSError, FadnError):
        return 0.0


def _read_dng(path: Path, tiff: TiffFile, max_megapixels: float) -> RawImage:
    """Read a DNG: samples from LibRaw, everything else from the tags."""
    doubts = check_pointers(tiff)
    ifd, cfa = _find_mosaic(tiff, max_megapixels)
    if libraw_misplaces(tiff, ifd):
        samples = read_samples(tiff, ifd)
    else:
        in_place = samples_in_place(tiff, ifd)
        samples = _decode(path, max_megapixels) if in_place is None else in_place
    if samples.shape != image_size(ifd):
        raise _other_size(tiff, ifd, samples.shape)
    mosaic = read_mosaic(tiff, ifd, samples)
    _refuse_blank(mosaic, path.name)
    blocks = read_blocks(path)
    doubts += warn_of_levels(tiff, ifd) + blocks.warnings + warn_of_profile(tiff, ifd)
    return RawImage(
        path=path,
        mosaic=mosaic,
        metadata=_metadata(blocks, tiff, ifd, cfa),
        warnings=warn_of_developed(tiff, ifd) + doubts,
        defects=read_defects(tiff, ifd, samples),
    )


def read_levels(path: Path) -> Mosaic:
    """Read all that a DNG says of its mosaic, and let LibRaw open it, but decode nothing.

    Returns
    -------
    Mosaic
        Its samples are all 0 and take no memory.

    Raises
    ------
    RawReadError, UnsupportedRawError
        As `read_raw`, but for what only decoding shows; LibRaw sees another size than the tags.
    """
    tiff = parse(map_file(path), name=path.name, tolerant=True)
    check_pointers(tiff)
    ifd, _ = _find_mosaic(tiff, math.inf)
    height, width = image_size(ifd)
    if not libraw_misplaces(tiff, ifd):
        with _opened(path) as raw:
            seen = raw.sizes.raw_height, raw.sizes.raw_width
        if seen != (height, width):
            raise _other_size(tiff, ifd, seen)
    return read_mosaic(tiff, ifd, np.broadcast_to(np.uint16(0), (height, width)))


def _find_mosaic(tiff: TiffFile, max_megapixels: float) -> tuple[Ifd, CfaPattern]:
    """Find the mosaic of a DNG, and refuse what we do not decode."""
    ifd = find_raw_ifd(tiff)
    check_sizes(tiff, ifd, max_megapixels)
    _refuse_tiny(image_size(ifd), tiff.name)
    check_supported(tiff, ifd)
    cfa = read_cfa(tiff, ifd)  # a mosaic of another kind is to be refused before it is decoded
    read_active_area(tiff, ifd)
    check_complete(tiff, ifd)
    refuse_lossy(tiff, ifd)
    refuse_several_mosaics(tiff, ifd)
    return ifd, cfa


def _other_size(tiff: TiffFile, ifd: Ifd, seen: tuple[int, ...]) -> UnsupportedRawError:
    """Make the error for a mosaic that is not of the size that its tags say."""
    height, width = image_size(ifd)
    return UnsupportedRawError(
        f"{tiff.name}: decodes to {seen[1]}x{seen[0]} samples, its tags say {width}x{height}",
        advice=Needs.NEW_CAMERA,
    )


def _read_monochrome_tiff(path: Path, tiff: TiffFile, ifd: Ifd, max_megapixels: float) -> RawImage:
    """Read a monochrome raw that is a TIFF but no DNG: everything from the tags.

    LibRaw, which takes it for a Bayer mosaic if it takes it at all, has no part in it.
    """
    check_sizes(tiff, ifd, max_megapixels)
    _refuse_tiny(image_size(ifd), tiff.name)
    check_supported(tiff, ifd)
    check_complete(tiff, ifd)
    mosaic = read_mosaic(tiff, ifd, read_samples(tiff, ifd))
    _refuse_blank(mosaic, path.name)
    blocks = read_blocks(path)
    metadata = _metadata(blocks, tiff, ifd, mosaic.cfa)
    return RawImage(path=path, mosaic=mosaic, metadata=metadata, warnings=blocks.warnings)


def _metadata(blocks: MetadataBlocks, tiff: TiffFile, ifd: Ifd, cfa: CfaPattern) -> RawMetadata:
    """Collect what the tags of a DNG, or of a TIFF that is much like one, say."""
    has_color = cfa.kind != "mono"
    color_matrix = read_color_matrix(tiff) if has_color else None
    return RawMetadata(
        make=blocks.make,
        model=blocks.model,
        iso=blocks.iso,
        exposure_time=blocks.exposure_time,
        wb_gains=read_wb_gains(tiff, color_matrix) if has_color else None,
        color_matrix=color_matrix,
        orientation=blocks.orientation or 1,
        noise_profile=read_noise_profile(tiff, ifd),
        is_dng=is_dng(tiff),
        pixel_aspect=read_pixel_aspect(ifd),
        crop=read_crop(ifd, read_active_area(tiff, ifd)),
    )


def _read_camera_raw(path: Path, max_megapixels: float) -> RawImage:
    """Read any other raw: everything from LibRaw but what only the container says."""
    refuse_frames(path)
    with _opened(path) as raw:
        samples = _samples(raw, path.name, max_megapixels)
        _refuse_phase_one(path)
        _refuse_tiny(samples.shape, path.name)
        blocks = read_blocks(path)
        mosaic = camera_mosaic(raw, samples, path=path, model=blocks.model)
        metadata = camera_metadata(raw, blocks, mosaic, path)
    _refuse_blank(mosaic, path.name)
    defects = read_zero_marks(mosaic, metadata.make)
    return RawImage(
        path=path, mosaic=mosaic, metadata=metadata, warnings=blocks.warnings, defects=defects
    )


def _decode(path: Path, max_megapixels: float) -> NDArray[np.uint16]:
    """Return the mosaic of a file as LibRaw decodes it."""
    with _opened(path) as raw:
        return _samples(raw, path.name, max_megapixels)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """Open a file with LibRaw, its errors made ours.

    It is not closed, but goes with the last array of its samples.
    """
    try:
        with quiet_stderr():
            raw = rawpy.imread(openable(path))
        yield raw
    except rawpy.LibRawFileUnsupportedError as error:
        raise RawReadError(
            f"{path.name}: not a raw file that LibRaw can decode",
            advice="Convert it to DNG, if it is a raw file of a new camera.",
        ) from error
    except (rawpy.LibRawUnsufficientMemoryError, rawpy.LibRawMemPoolOverflowError) as error:
        reason = f"LibRaw could not decode {path.name}; a damaged file can ask for any amount"
        raise MemoryError(reason) from error
    except rawpy.LibRawTooBigError as error:
        raise RawReadError(
            f"{path.name}: asks for more memory than LibRaw takes for one photograph, 2 GB",
            advice="The file is damaged, or no photograph; copy it again from the card.",
        ) from error
    except rawpy.LibRawError as error:
        reason = error.args[0] if error.args else error
        text = reason.decode("ascii", "replace") if isinstance(reason, bytes) else str(reason)
        raise RawReadError(
            f"{path.name}: cannot be decoded ({text})", advice=_COPY_AGAIN
        ) from error


def _samples(raw: Any, name: str, max_megapixels: float) -> NDArray[np.uint16]:
    """Decode the full mosaic: an array in LibRaw's memory, which it keeps."""
    check_size((raw.sizes.raw_height, raw.sizes.raw_width), name, max_megapixels)
    with quiet_stderr():
        raw.unpack()
    if raw.raw_type != rawpy.RawType.Flat:
        raise UnsupportedRawError(
            f"{name}: is an sRAW, or another raw of full-colour pixels; {Needs.ONLY_THESE}",
            advice=Needs.FULL_SIZE_RAW,
        )
    samples: NDArray[np.uint16] = raw.raw_image
    samples.flags.writeable = False
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
            f"{name}: is a Sigma Foveon raw (X3F); {Needs.ONLY_THESE}", advice=Needs.FOVEON
        )


def _refuse_phase_one(path: Path) -> None:
    """Refuse an IIQ: LibRaw keeps its black levels to itself, and applies them as it develops."""
    # By the same 32 bytes LibRaw goes by. [LibRaw 0.22, identify and raw2image]
    if PHASE_ONE_NOTE.search(bytes(map_file(path)[:32])):
        raise UnsupportedRawError(
            f"{path.name}: is a Phase One raw (IIQ); a DNG of its samples would lose the "
            "calibration of its sensor",
            advice=Needs.CALIBRATED_RAW,
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
