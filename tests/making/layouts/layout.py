"""One kind of DNG, and how all of them but those of other writers are written."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tests.making.dng.fields import CAMERA, EXIF, GPS, TIME
from tests.making.parts import ifd0_with_raw, point_to, write_mosaic
from tests.making.tiff import LONG, SHORT

LEVELS = {50714: (SHORT, 512), 50717: (LONG, 15000)}
ORDERS = {"II": "<", "MM": ">"}
USUAL = ("ifd0", "raw", "exif", "gps", "thumbnail")


class Layout(NamedTuple):
    """One kind of DNG."""

    write: Callable[[Path], None]
    samples: np.ndarray
    """(H, W) uint16: what it decodes to, LinearizationTable applied."""
    raw_last: bool = True
    """Whether the file ends with the samples, as most do."""
    baked: bool = False
    """Whether a LinearizationTable has to be baked in."""


def structured(samples, *, stored=None, raw=None, **options):
    """A layout written by `write_structured`, with usual levels if the raw tags state no others."""
    stored = samples if stored is None else stored
    raw = LEVELS | (raw or {})
    write = partial(write_structured, stored=stored, raw=raw, **options)
    last = options.get("order", ("data",))[-1] in ("data", "padding")
    return Layout(write, samples, raw_last=last, baked=50712 in raw)


def write_structured(
    path,
    stored,
    *,
    in_subifd=False,
    raw=None,
    shared=None,
    exif=None,
    parts=None,
    order=USUAL,
    **cutting,
):
    """Write a DNG with EXIF and a position.

    Parameters
    ----------
    stored : (H, W) uint16
        Before any LinearizationTable.
    raw, shared, exif : {tag: (type, values)}, optional
        Added to, or replacing in, the raw IFD, IFD0 and the EXIF IFD; values None drop the tag.
    parts : {name: part}, optional
        More parts, which the tags may point to.
    order, **cutting
        As `write_mosaic` takes them.
    """
    pointers = {34665: point_to("exif"), 34853: point_to("gps")}
    ifd0 = CAMERA | {306: TIME} | pointers | (shared or {})
    others = {"exif": EXIF | (exif or {}), "gps": GPS}
    main = ifd0_with_raw(ifd0, raw or {}, in_subifd=in_subifd)
    write_mosaic(path, stored, others | main | (parts or {}), order, **cutting)
