"""Bad samples repaired, before anything is measured or looked for.

`file` calls `repair`, to denoise a photograph as much as to inspect it. The one thing to know: what
lies outside the active area passes through, bad or not.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np

from fadn_cli.denoise.defects.badpixels import interpolate
from fadn_cli.mosaic.conversion import normalize, with_values
from fadn_cli.mosaic.values import RawImage
from fadn_cli.pipeline.defects.listing import read_list


def repair(raw_image: RawImage, listed: Path | None = None) -> tuple[RawImage, int]:
    """Replace the samples that the file or the user calls bad by what those around them say.

    Parameters
    ----------
    raw_image : RawImage
        As it was read; not modified.
    listed : Path, optional
        The user's list.

    Returns
    -------
    raw_image : RawImage
        With other samples, and defects that include the user's.
    count : int
        How many samples of the active area were repaired.

    Raises
    ------
    ConfigError
        The list has a mistake, or names a point outside.
    """
    mosaic, defects = raw_image.mosaic, raw_image.defects
    if listed is not None:
        name = raw_image.path.name
        defects = defects.including(read_list(listed, size=mosaic.samples.shape, image=name))
    sites = defects.sites
    if not sites.size:
        return raw_image, 0
    is_bad, is_repaired = np.zeros((2, *mosaic.samples.shape), np.bool_)
    is_bad.ravel()[sites] = True
    area = mosaic.active_area
    active = area.slices
    x, left = normalize(mosaic), is_bad[active].copy()
    count = interpolate(x[active], left, mosaic.cfa.shifted(area.top, area.left))
    is_repaired[active] = is_bad[active] & ~left
    mosaic = with_values(mosaic, np.flatnonzero(is_repaired), x[is_repaired])
    return replace(raw_image, mosaic=mosaic, defects=defects), count
