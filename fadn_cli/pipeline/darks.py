"""Dark frames to a list of bad pixels.

`fadn bad-pixels` calls `make_list`. The one thing to know: a defect has to stand out in every one
of the frames and in the same way; cosmic rays and flickering pixels do not.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fadn_cli import __version__
from fadn_cli.denoise.defects.darks import find_outstanding, lit_share
from fadn_cli.errors import UnsupportedRawError
from fadn_cli.limits import MEGAPIXELS
from fadn_cli.mosaic.conversion import normalize
from fadn_cli.mosaic.defects import Sites
from fadn_cli.mosaic.values import RawImage
from fadn_cli.pipeline.defects.listing import format_list
from fadn_cli.pipeline.wording import name_camera
from fadn_cli.raw.source.reader import read_raw
from fadn_cli.system.files import atomic_output, ensure_not_source
from fadn_cli.system.opening import write_plain

DARK = 0.02
"""Of the full scale: what the middle of a dark area does not exceed."""
MOST_LIT = 0.05
"""Share of the areas of a dark frame that may be lighter: those in which an amplifier glows."""


def make_list(
    darks: Sequence[Path],
    output: Path,
    *,
    overwrite: bool = False,
    max_megapixels: float = MEGAPIXELS,
) -> int:
    """Write the list of the pixels that stand out in all of several dark frames.

    Parameters
    ----------
    darks : sequence of Path
        Raw files of one camera, exposed with the cap on.
    output : Path
        The list; its folder must exist.
    overwrite : bool
        Whether an existing file is replaced.
    max_megapixels : float
        As for `read_raw`.

    Returns
    -------
    int
        How many pixels it names.

    Raises
    ------
    FadnError
        A frame cannot be read, is not dark, or is of another size than the first; the list exists,
        or cannot be written.
    """
    for path in darks:
        ensure_not_source(path, output)
    with atomic_output(output, overwrite=overwrite) as temporary:
        first, sites = _find_defects(darks, max_megapixels)
        camera = name_camera(first.metadata.make, first.metadata.model)
        height, width = first.mosaic.samples.shape
        frames = "1 dark frame" if len(darks) == 1 else f"{len(darks)} dark frames"
        comments = [
            f"fadn {__version__}: bad pixels of {camera}, {width}x{height}, from {frames}",
            "column and row of the full mosaic, from 0 0 at its top left",
        ]
        text = format_list(sites, width=width, comments=comments)
        write_plain(temporary, text)
    return len(sites)


def _find_defects(darks: Sequence[Path], max_megapixels: float) -> tuple[RawImage, Sites]:
    """Return the first frame, and what stands out in all of them."""
    first = bright = dark = None
    for path in darks:
        raw_image = read_raw(path, max_megapixels=max_megapixels)
        first = first or raw_image
        _refuse_other_size(raw_image, first)
        more_bright, more_dark = _outstanding(raw_image)
        bright = more_bright if bright is None else bright & more_bright
        dark = more_dark if dark is None else dark & more_dark
    if first is None or bright is None or dark is None:
        raise ValueError("no dark frames")
    found = np.zeros(first.mosaic.samples.shape, np.bool_)
    found[first.mosaic.active_area.slices] = bright | dark
    return first, np.flatnonzero(found)


def _outstanding(raw_image: RawImage) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return what stands out in the active area of one frame: bright, and dark."""
    mosaic = raw_image.mosaic
    x = normalize(mosaic)
    x.ravel()[raw_image.defects.sites] = np.nan  # these are repaired anyway
    x = x[mosaic.active_area.slices]
    period = mosaic.cfa.period
    share = lit_share(x, level=DARK, period=period)
    if share > MOST_LIT:
        raise UnsupportedRawError(
            f"{raw_image.path.name}: is no dark frame: {share:.0%} of it is lighter than "
            f"{DARK:.0%} of the full scale",
            advice="Put the cap on the lens and close the viewfinder, and photograph again.",
        )
    step = 1 / (mosaic.white_level - float(mosaic.black_level.mean()))
    return find_outstanding(x, step=step, period=period)


def _refuse_other_size(raw_image: RawImage, first: RawImage) -> None:
    """Refuse a frame whose pixels are not those of the first."""
    mosaic, expected = raw_image.mosaic, first.mosaic
    height, width = mosaic.samples.shape
    other_height, other_width = expected.samples.shape
    if (height, width) != (other_height, other_width):
        what = f"is {width}x{height}, {first.path.name} {other_width}x{other_height}"
    elif mosaic.active_area != expected.active_area:
        what = f"has another active area than {first.path.name}"
    else:
        return
    raise UnsupportedRawError(
        f"{raw_image.path.name}: {what}",
        advice="Give dark frames of one camera, taken with the same settings.",
    )
