"""What of a photograph a preview shows: the crop and the brightness that its DNG states.

`renew` calls it. The one thing to know: it is what every reader of DNG shows before the
photographer touches anything; a value without meaning counts as not stated.

References
----------
DNG 1.7.1, tags 50718 (DefaultScale), 50719 and 50720 (DefaultCrop), 50730 (BaselineExposure), 51109
(BaselineExposureOffset), 51125 (DefaultUserCrop).
"""

import math
from dataclasses import dataclass

from fadn_cli.mosaic.values import Rect
from fadn_cli.raw.tiff.ifd import Ifd, TiffFile
from fadn_cli.raw.tiff.tags import Tag
from fadn_cli.raw.tiff.tree import numbers

_MOST_STOPS = 4.0  # of BaselineExposure; cameras state -2 to 2
_NARROWEST, _WIDEST = 0.5, 2.0  # pixels; the few cameras with oblong ones have 1.3 and 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What of a photograph is shown, and how bright."""

    area: Rect
    """In pixels of the active area."""
    pixel_ratio: float = 1.0
    """Width of a pixel over its height."""
    gain: float = 1.0
    """Linear: 2 is one stop brighter than the levels say."""

    @property
    def size(self) -> tuple[float, float]:
        """(height, width) in square pixels, none of which is made up."""
        height, width, ratio = self.area.height, self.area.width, self.pixel_ratio
        return height * min(1.0, 1 / ratio), width * min(1.0, ratio)


def read_view(tiff: TiffFile, raw_ifd: Ifd, active: Rect) -> View:
    """Return what of a DNG is to be shown: its default crop, at its baseline exposure."""
    scale = [value for value in numbers(raw_ifd, Tag.DEFAULT_SCALE) if value > 0]
    stops = [
        value
        for tag in (Tag.BASELINE_EXPOSURE, Tag.BASELINE_EXPOSURE_OFFSET)
        for value in numbers(tiff.ifds[0], tag)
        if math.isfinite(value)
    ]
    ratio = scale[0] / scale[1] if len(scale) == 2 else 1.0
    return View(
        area=_user_crop(raw_ifd, _default_crop(raw_ifd, active)),
        pixel_ratio=ratio if _NARROWEST <= ratio <= _WIDEST else 1.0,
        gain=2 ** min(max(sum(stops), -_MOST_STOPS), _MOST_STOPS),
    )


def _default_crop(raw_ifd: Ifd, active: Rect) -> Rect:
    """Return DefaultCrop in pixels of the active area; all of it if there is none that fits."""
    whole = Rect(top=0, left=0, height=active.height, width=active.width)
    origin = numbers(raw_ifd, Tag.DEFAULT_CROP_ORIGIN) or (0.0, 0.0)
    size = numbers(raw_ifd, Tag.DEFAULT_CROP_SIZE)
    if len(origin) != 2 or len(size) != 2:
        return whole
    (left, top), (width, height) = origin, size
    inside = 0 <= left <= active.width - width and 0 <= top <= active.height - height
    if not inside or width < 1 or height < 1:  # a value n/0 is not inside either
        return whole
    return Rect(top=int(top), left=int(left), height=int(height), width=int(width))


def _user_crop(raw_ifd: Ifd, crop: Rect) -> Rect:
    """Apply DefaultUserCrop, which is given as shares of the default crop."""
    shares = numbers(raw_ifd, Tag.DEFAULT_USER_CROP) or (0.0, 0.0, 1.0, 1.0)
    if len(shares) != 4 or not all(0 <= share <= 1 for share in shares):
        return crop
    top, left, bottom, right = shares
    height, width = int((bottom - top) * crop.height), int((right - left) * crop.width)
    if height < 1 or width < 1:
        return crop
    return Rect(
        top=crop.top + int(top * crop.height),
        left=crop.left + int(left * crop.width),
        height=height,
        width=width,
    )
