"""What LibRaw says of a raw that is no DNG: colours, levels, white balance, matrix.

The reader calls it with an unpacked rawpy object. The one thing to know: LibRaw knows the camera,
so its word is taken; but a pattern that no sensor module knows is refused by its name.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fadn_cli.errors import Needs, RawReadError, UnsupportedRawError
from fadn_cli.limits import MOST_ISO
from fadn_cli.mosaic.cfa import CfaPattern
from fadn_cli.mosaic.values import Mosaic, RawMetadata, Rect
from fadn_cli.raw.makers.containers import (
    fuji_black_levels,
    fuji_frames,
    fuji_records,
    fuji_sensor_data,
)
from fadn_cli.raw.makers.crops import canon_crop, fuji_crop
from fadn_cli.raw.makers.matrix import hidden_matrix
from fadn_cli.raw.source.blocks import ISO_OVERFLOW, MetadataBlocks
from fadn_cli.raw.tiff.file import map_file

_FLIP_ORIENTATION = {0: 1, 3: 3, 5: 8, 6: 6}  # LibRaw's flip -> EXIF orientation
_LONGEST_REPEAT = 16  # rows: LibRaw can state patterns of 16x2
_FUJI = b"FUJIFILM"
_FUJI_HEADER = 124  # bytes: the last field that is read here ends there
_FUJI_LAYOUT, _UPRIGHT = 0x130, 8  # the record, and the bit of its second byte [LibRaw, parse_fuji]
_LEAST = 1e-6  # of an exposure time; LibRaw has numbers near 0 and of any size for none
_COPY_AGAIN = "The file looks truncated or damaged; copy it again from the card."


def camera_mosaic(raw: Any, samples: NDArray[np.uint16], *, path: Path, model: str) -> Mosaic:
    """Give samples the colours and levels that LibRaw knows.

    `white_level` is LibRaw's maximum, which its development uses too. The lower
    `camera_white_level_per_channel` says where the camera stops being linear: samples above it
    still differ, and as white they would be lost.

    Parameters
    ----------
    raw : rawpy.RawPy
        Unpacked.
    samples : (H, W) uint16 DN
        Its full mosaic; kept, not copied.
    path : Path
        The file; a RAF states black levels of which LibRaw tells the least only.
    model : str
        Camera model as the file spells it.

    Raises
    ------
    UnsupportedRawError
        No sensor that we know has the mosaic's colours.
    RawReadError
        The levels contradict each other.
    """
    name = path.name
    cfa, channels = _colors(raw, path, model)
    black = np.array(raw.black_level_per_channel, np.float32)[channels]
    if cfa.kind == "xtrans":
        black = _fuji_black(path, black)
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
            advice=Needs.NEW_CAMERA,
        )
    return Mosaic(
        samples=samples,
        cfa=cfa,
        black_level=black,
        white_level=white,
        active_area=area,
        linear_level=_linear_level(raw, channels),
    )


def camera_metadata(raw: Any, blocks: MetadataBlocks, mosaic: Mosaic, path: Path) -> RawMetadata:
    """Collect what the container says, and LibRaw where it is silent; its samples may be lost."""
    has_color = mosaic.cfa.kind != "mono"
    other = raw.other
    return RawMetadata(
        make=blocks.make,
        model=blocks.model,
        iso=blocks.iso or _stated_iso(other.iso_speed),
        exposure_time=blocks.exposure_time or _stated(other.shutter_speed),
        wb_gains=_wb_gains(raw) if has_color else None,
        color_matrix=_color_matrix(raw) if has_color else None,
        orientation=blocks.orientation or _FLIP_ORIENTATION.get(raw.sizes.flip, 1),
        noise_profile=None,
        is_dng=False,
        f_number=_stated(other.aperture),
        focal_length=_stated(other.focal_length),
        lens=raw.lens.model.strip(),
        lens_range=_lens_range(raw.lens),
        pixel_aspect=raw.sizes.pixel_aspect,
        crop=_crop(raw.sizes, mosaic.active_area, blocks, path),
    )


def _stated(value: float) -> float | None:
    """Return a number that LibRaw tells; None for the 0 and the nonsense that stand for none."""
    return value if _LEAST < value < 1 / _LEAST else None


def _lens_range(lens: Any) -> tuple[float, float] | None:
    """Return the focal lengths of a lens that LibRaw knows from the maker's notes."""
    shortest, longest = _stated(lens.min_focal), _stated(lens.max_focal)
    if shortest is None or longest is None or shortest > longest:
        return None
    return shortest, longest


def _crop(sizes: Any, area: Rect, blocks: MetadataBlocks, path: Path) -> Rect | None:
    """Return what the camera shows of its sensor; None if that is not said, or cannot be."""
    stated = Rect(
        top=sizes.crop_top_margin,
        left=sizes.crop_left_margin,
        height=sizes.crop_height,
        width=sizes.crop_width,
    )
    whole = stated if _is_most_of(area, stated) else area
    data, note, part = map_file(path), blocks.maker_note, None
    if bytes(data[:8]) == _FUJI:
        part = fuji_crop(fuji_records(data), (whole.height, whole.width))
    elif note is not None and blocks.make.casefold().startswith("canon"):
        part = canon_crop(note.data, note.byteorder, note.offset)
    if part is not None:
        top, left, height, width = part
        wanted = Rect(top=whole.top + top, left=whole.left + left, height=height, width=width)
        whole = wanted if _is_most_of(whole, wanted) else whole
    return None if whole == area else whole


def _is_most_of(whole: Rect, part: Rect) -> bool:
    """Tell whether a rectangle lies in another and is no mere detail of it."""
    inside = (
        whole.top <= part.top
        and whole.left <= part.left
        and part.top + part.height <= whole.top + whole.height
        and part.left + part.width <= whole.left + whole.width
    )
    return inside and 2 * part.height >= whole.height and 2 * part.width >= whole.width


def _stated_iso(speed: float) -> int | None:
    """Return LibRaw's ISO speed; None for what no camera has, and for EXIF's "more than that"."""
    return round(speed) or None if 0 <= speed <= MOST_ISO and speed != ISO_OVERFLOW else None


def refuse_frames(path: Path) -> None:
    """Refuse a RAF that holds two frames, or none.

    Raises
    ------
    UnsupportedRawError
        It is of a Super-CCD or EXR sensor with two kinds of samples.
    RawReadError
        It holds no samples.
    """
    data = map_file(path)
    if bytes(data[:8]) != _FUJI:
        return
    if len(data) < _FUJI_HEADER or not len(fuji_sensor_data(data)):
        raise RawReadError(f"{path.name}: a RAF without samples", advice=_COPY_AGAIN)
    if fuji_frames(data) > 1:
        raise UnsupportedRawError(
            f"{path.name}: holds two frames, as Super-CCD and EXR sensors take; {Needs.ONLY_THESE}",
            advice=Needs.ONE_MOSAIC,
        )


def _linear_level(raw: Any, channels: NDArray[np.intp]) -> NDArray[np.float32] | None:
    """Return up to where LibRaw knows each site of the full mosaic to be linear, DN."""
    levels = raw.camera_white_level_per_channel
    if levels is None or min(levels) <= 0:
        return None
    by_site: NDArray[np.float32] = np.array(levels, np.float32)[channels]
    return by_site


def _fuji_black(path: Path, least: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the black levels that a RAF states for each site, else LibRaw's."""
    data = map_file(path)
    stated = fuji_black_levels(data) if bytes(data[:8]) == _FUJI else ()
    if len(stated) != least.size:
        return least
    return np.array(stated, np.float32).reshape(least.shape)


def _colors(raw: Any, path: Path, model: str) -> tuple[CfaPattern, NDArray[np.intp]]:
    """Return the colours from sample (0, 0), and LibRaw's channel of each site of their cell.

    LibRaw's channels are R, G of red rows, B, G of blue rows, where there is a fourth.
    """
    letters = raw.color_desc.decode("ascii", "replace")
    if raw.num_colors == 1 or "monochrom" in model.casefold():
        return CfaPattern(colors="Y"), np.zeros((1, 1), np.intp)
    channels = _cell(raw)
    kind = "a filter array that does not repeat"
    if channels is not None:
        cfa = CfaPattern(colors="".join(letters[channel] for channel in channels.ravel()))
        if cfa.kind is not None and raw.num_colors == 3:
            return cfa, channels
        kind = f"a filter array {cfa.name}"
    if _is_tilted(path):
        kind = "a tilted grid, as Super-CCD and EXR sensors are"
    raise UnsupportedRawError(
        f"{path.name}: the sensor is {kind}; {Needs.ONLY_THESE}", advice=Needs.OTHER_FILTERS
    )


def _is_tilted(path: Path) -> bool:
    """Tell whether a RAF says that its sensor's rows run from corner to corner."""
    data = map_file(path)
    layout = bytes(fuji_records(data).get(_FUJI_LAYOUT, b"")) if bytes(data[:8]) == _FUJI else b""
    return len(layout) > 1 and not layout[1] & _UPRIGHT


def _cell(raw: Any) -> NDArray[np.intp] | None:
    """Return the smallest cell of channels that repeats, from sample (0, 0); None if none does."""
    # Seen from the visible corner: above and left of it, LibRaw looks beyond its own table.
    top, left = raw.sizes.top_margin, raw.sizes.left_margin
    side = range(_LONGEST_REPEAT)
    seen = np.array([[raw.raw_color(top + row, left + col) for col in side] for row in side])
    for period in (2, 4, 6, 8):
        cell = seen[:period, :period]
        times = -(-_LONGEST_REPEAT // period)
        if np.array_equal(seen, np.tile(cell, (times, times))[: len(seen), : len(seen)]):
            return np.roll(cell, (top, left), axis=(0, 1)).astype(np.intp)
    return None


def _wb_gains(raw: Any) -> NDArray[np.float32] | None:
    """Return the camera's white balance with green = 1; LibRaw says 0 where it knows none."""
    red, green, blue, _ = raw.camera_whitebalance
    if min(red, green, blue) <= 0:
        return None
    return np.array([red / green, 1, blue / green], np.float32)


def _color_matrix(raw: Any) -> NDArray[np.float32] | None:
    """Return LibRaw's (3, 3) XYZ D65 -> camera matrix; zeros mean that it tells none."""
    matrix: NDArray[np.float32] = np.array(raw.rgb_xyz_matrix[:3], np.float32)
    return matrix if matrix.any() else hidden_matrix(raw)
