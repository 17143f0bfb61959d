"""A mosaic developed as large as previews need it, and no larger.

`renew` calls it. The one thing to know: what is no larger than half of the sensor is made of
squares of samples, in a fraction of a second; only small sensors are demosaiced for more, since a
preview is not to take seconds, so those of large ones come out at half of the sensor's size (a
third of X-Trans).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fadn_cli.mosaic.values import Mosaic, RawImage, Rect
from fadn_cli.raw.develop.grey import encoding_of
from fadn_cli.raw.develop.quick import develop_quickly, finest_step
from fadn_cli.raw.develop.render import develop
from fadn_cli.raw.previews.match import Look
from fadn_cli.raw.previews.pictures import Picture, resize
from fadn_cli.raw.previews.view import View
from fadn_cli.raw.tiff.tags import PreviewSpace

_DEMOSAICED = 1 << 20  # samples of a sensor that LibRaw demosaics in no time
_ENOUGH = 256  # pixels of the shorter side that are enough to compare pictures


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shown:
    """What a preview is to show, as the sensor lies."""

    levels: NDArray[np.uint16]
    """(3, height, width)."""
    encoding: NDArray[np.uint16]
    """(65536,) how each level is encoded for the screen."""
    size: tuple[int, int]
    """Its (height, width) in square pixels."""

    def picture(self, look: Look) -> Picture:
        """Return the picture with a look."""
        return self._picture(self.levels, look, self.size)

    def sketch(self, look: Look) -> Picture:
        """Return a small picture of it, of single pixels: enough to compare it."""
        _, height, width = self.levels.shape
        step = max(1, min(height, width) // _ENOUGH)
        size = (max(1, self.size[0] // step), max(1, self.size[1] // step))
        return self._picture(self.levels[:, ::step, ::step], look, size)

    def _picture(self, levels: NDArray[np.uint16], look: Look, size: tuple[int, int]) -> Picture:
        """Encode levels with a look."""
        picture = np.empty((*levels.shape[1:], 3), np.uint8)
        for number, table in enumerate(look.tables(self.encoding)):
            picture[..., number] = table[levels[number]]
        picture = look.mixed(picture)
        return picture if picture.shape[:2] == size else resize(picture, size)


def show(
    raw_image: RawImage, mosaic: Mosaic, view: View, *, side: int, space: PreviewSpace
) -> Shown:
    """Develop a mosaic for previews.

    Parameters
    ----------
    raw_image : RawImage
        The source.
    mosaic : Mosaic
        The samples to show.
    view : View
        What of them.
    side : int
        Longer side of the largest preview, pixels.
    space : PreviewSpace
        Its colours.

    Raises
    ------
    RawReadError
        The sensor is small, and the source can no longer be opened.
    """
    active = mosaic.active_area
    top, left = active.top + view.area.top, active.left + view.area.left
    area = Rect(top=top, left=left, height=view.area.height, width=view.area.width)
    step = _step(mosaic, view, side)
    if step > 1 and step <= min(area.height, area.width):
        levels = develop_quickly(mosaic, raw_image.metadata, area, step=step, space=space)
        encoding = encoding_of(space, view.gain)
    else:
        step, rgb = 1, develop(raw_image, mosaic, space=space, gain=view.gain)
        levels = np.moveaxis(rgb[_slices(view.area, active, rgb.shape)], 2, 0)
        encoding = np.arange(1 << 16, dtype=np.uint16)
    height, width = levels.shape[1:]
    if view.pixel_ratio != 1:
        height, width = (max(1, round(length / step)) for length in view.size)
    return Shown(levels=levels, encoding=encoding, size=(height, width))


def _step(mosaic: Mosaic, view: View, side: int) -> int:
    """Return how many samples a side become one pixel; 1 if they are to be demosaiced."""
    finest = max(2, finest_step(mosaic.cfa))
    most = min(int(max(view.size) / max(1, side)), view.area.height, view.area.width)
    if most < finest and mosaic.samples.size <= _DEMOSAICED:
        return 1
    return max(1, most // finest) * finest


def _slices(area: Rect, whole: Rect, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Return where an area lies in a developed picture of the whole."""
    down, across = shape[0] / whole.height, shape[1] / whole.width
    top, left = round(area.top * down), round(area.left * across)
    height, width = max(1, round(area.height * down)), max(1, round(area.width * across))
    return slice(top, top + height), slice(left, left + width)
