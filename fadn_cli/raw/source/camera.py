"""What LibRaw says of a raw that is no DNG: colours, levels, white balance, matrix.

The reader calls it with an unpacked rawpy object. The one thing to know: LibRaw knows the camera,
so its word is taken; but a pattern that is not plainly 2x2 Bayer is refused by its name.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fadn_cli.errors import Needs, RawReadError, UnsupportedRawError
from fadn_cli.limits import MOST_ISO
from fadn_cli.mosaic.values import CfaPattern, Mosaic, RawMetadata, Rect
from fadn_cli.raw.source.blocks import ISO_OVERFLOW, MetadataBlocks

_FLIP_ORIENTATION = {0: 1, 3: 3, 5: 8, 6: 6}  # LibRaw's flip -> EXIF orientation
_BAYER = ("RGGB", "BGGR", "GRBG", "GBRG")
_LONGEST_REPEAT = 16  # rows: LibRaw can state patterns of 16x2
_COPY_AGAIN = "The file looks truncated or damaged; copy it again from the card."


def camera_mosaic(raw: Any, samples: NDArray[np.uint16], *, name: str, model: str) -> Mosaic:
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
    name : str
        File name, for errors.
    model : str
        Camera model as the file spells it.

    Raises
    ------
    UnsupportedRawError
        The sensor is no 2x2 Bayer mosaic.
    RawReadError
        The levels contradict each other.
    """
    colors = _colors(raw, name, model)
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
            advice=Needs.NEW_CAMERA,
        )
    return Mosaic(
        samples=samples,
        cfa=CfaPattern(colors=colors),
        black_level=black,
        white_level=white,
        active_area=area,
        linear_level=_linear_level(raw),
    )


def camera_metadata(raw: Any, blocks: MetadataBlocks) -> RawMetadata:
    """Collect what the container says, and LibRaw where it is silent."""
    return RawMetadata(
        make=blocks.make,
        model=blocks.model,
        iso=blocks.iso or _stated_iso(raw.other.iso_speed),
        exposure_time=blocks.exposure_time or raw.other.shutter_speed or None,
        wb_gains=_wb_gains(raw),
        color_matrix=_color_matrix(raw),
        orientation=blocks.orientation or _FLIP_ORIENTATION.get(raw.sizes.flip, 1),
        noise_profile=None,
        is_dng=False,
    )


def _stated_iso(speed: float) -> int | None:
    """Return LibRaw's ISO speed; None for what no camera has, and for EXIF's "more than that"."""
    return round(speed) or None if 0 <= speed <= MOST_ISO and speed != ISO_OVERFLOW else None


def _linear_level(raw: Any) -> NDArray[np.float32] | None:
    """Return up to where LibRaw knows each site of the full mosaic to be linear, DN."""
    levels = raw.camera_white_level_per_channel
    if levels is None or min(levels) <= 0:
        return None
    by_site: NDArray[np.float32] = np.array(levels, np.float32)[raw.raw_pattern]
    return by_site


def _colors(raw: Any, name: str, model: str) -> str:
    """Return the Bayer colours from sample (0, 0); UnsupportedRawError if there are none."""
    pattern = raw.raw_pattern
    letters = raw.color_desc.decode("ascii", "replace")
    kind, advice, colors = "", Needs.OTHER_FILTERS, ""
    if raw.num_colors == 1 or pattern is None or "monochrom" in model.casefold():
        kind, advice = "monochrome", Needs.MONOCHROME
    elif pattern.shape == (6, 6):
        kind, advice = "X-Trans", Needs.X_TRANS
    elif raw.num_colors != 3 or letters != "RGBG":
        kind = f"a {len(set(letters))}-colour filter array ({letters})"
    elif pattern.shape != (2, 2) or not _repeats(raw):
        kind = "a filter array that does not repeat every 2x2 samples"
    else:
        colors = "".join(letters[channel] for channel in pattern.ravel())
        if colors not in _BAYER:
            kind = f"a filter array {colors}"
    if kind:
        raise UnsupportedRawError(
            f"{name}: the sensor is {kind}; {Needs.ONLY_BAYER}", advice=advice
        )
    return colors


def _repeats(raw: Any) -> bool:
    """Whether the colours of the first visible rows follow the 2x2 pattern."""
    pattern = raw.raw_pattern
    top, left = raw.sizes.top_margin, raw.sizes.left_margin
    return all(
        raw.raw_color(row, col) == pattern[row % 2, col % 2]
        for row in range(top, top + _LONGEST_REPEAT)
        for col in range(left, left + 2)
    )


def _wb_gains(raw: Any) -> NDArray[np.float32] | None:
    """Return the camera's white balance with green = 1; LibRaw says 0 where it knows none."""
    red, green, blue, _ = raw.camera_whitebalance
    if min(red, green, blue) <= 0:
        return None
    return np.array([red / green, 1, blue / green], np.float32)


def _color_matrix(raw: Any) -> NDArray[np.float32] | None:
    """Return LibRaw's (3, 3) XYZ D65 -> camera matrix; zeros mean that it has none."""
    matrix: NDArray[np.float32] = np.array(raw.rgb_xyz_matrix[:3], np.float32)
    return matrix if matrix.any() else None
