"""Read a DNG back before it gets its final name.

Called by `pipeline` on every DNG. The one thing to know: LibRaw, an independent decoder, must find
exactly the samples and levels that were meant; whatever differs is a WriteError, and the file is
thrown away.
"""

from itertools import pairwise
from pathlib import Path

import numpy as np

from fadn_cli.errors import FadnError, WriteError
from fadn_cli.mosaic import Mosaic
from fadn_cli.raw.dng_checks import find_raw_ifd
from fadn_cli.raw.reader import read_raw
from fadn_cli.raw.tags import Tag, tag_name
from fadn_cli.raw.tiff import map_file, parse

_ADVICE = "This is a bug in fadn, or a failing disk; try again, and report it if it happens again."
_STRIP_TAGS = (Tag.STRIP_OFFSETS, Tag.STRIP_BYTE_COUNTS, Tag.ROWS_PER_STRIP)


def check_dng(path: Path, expected: Mosaic) -> None:
    """Make sure that a DNG decodes to what was to be written.

    Parameters
    ----------
    path : Path
        The DNG, whatever its name ends with.
    expected : Mosaic
        The mosaic that was given to `dng.write_dng`.

    Raises
    ------
    WriteError
        The file cannot be read, its structure is wrong, or samples, CFA, levels or active area
        differ; the message says which.
    """
    try:
        _check_structure(path)
        found = read_raw(path).mosaic
    except WriteError:
        raise
    except FadnError as error:
        raise _wrong(f"cannot be read back: {error}") from error
    if found.samples.shape != expected.samples.shape:
        raise _wrong(f"size {found.samples.shape} instead of {expected.samples.shape}")
    differing = np.count_nonzero(found.samples != expected.samples)
    if differing:
        raise _wrong(f"{differing} samples differ")
    if found.cfa != expected.cfa:
        raise _wrong(f"CFA {found.cfa.colors} instead of {expected.cfa.colors}")
    if found.active_area != expected.active_area:
        raise _wrong(f"active area {found.active_area} instead of {expected.active_area}")
    if found.white_level != expected.white_level:
        raise _wrong(f"white level {found.white_level} instead of {expected.white_level}")
    height, _ = expected.samples.shape
    rows = min(height, expected.black_level.shape[0] * found.black_level.shape[0])
    if not np.array_equal(found.black_rows(0, rows), expected.black_rows(0, rows)):
        raise _wrong(f"black level {found.black_level} instead of {expected.black_level}")


def _check_structure(path: Path) -> None:
    """Check the IFDs that were written: order of tags, and that all tiles are in the file."""
    tiff = parse(map_file(path), name=path.name, tolerant=True)
    raw_ifd = find_raw_ifd(tiff)
    for ifd in (tiff.ifds[0], raw_ifd):
        tags = [entry.tag for entry in ifd.entries]
        if any(first >= second for first, second in pairwise(tags)):
            raise _wrong(f"the tags of the IFD at byte {ifd.offset} are not ascending")
    strips = [tag for tag in _STRIP_TAGS if raw_ifd.get(tag) is not None]
    if strips:
        raise _wrong(f"{tag_name(strips[0])} is left beside the tiles")
    offsets, sizes = raw_ifd.ints(Tag.TILE_OFFSETS), raw_ifd.ints(Tag.TILE_BYTE_COUNTS)
    if len(offsets) != len(sizes) or not offsets:
        raise _wrong(f"{len(offsets)} tile offsets, {len(sizes)} tile sizes")
    end = max(offset + size for offset, size in zip(offsets, sizes, strict=True))
    if end > len(tiff.data):
        raise _wrong(f"a tile ends at byte {end}, the file at {len(tiff.data)}")


def _wrong(what: str) -> WriteError:
    """Make the error for a DNG that is not what was to be written."""
    return WriteError(f"the DNG as written is wrong: {what}", advice=_ADVICE)
