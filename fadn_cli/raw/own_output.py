"""Is this file one of our own outputs? The batch asks, so that a folder can be run twice."""

from pathlib import Path

from fadn_cli.errors import FadnError
from fadn_cli.raw.marker import is_denoised
from fadn_cli.raw.tags import Tag
from fadn_cli.raw.tiff import map_file, parse


def is_marked(path: Path) -> bool:
    """Tell whether a file carries fadn's XMP marker; False for whatever cannot be read.

    Only the TIFF structure is looked at, not the samples.
    """
    try:
        tiff = parse(map_file(path), name=path.name, tolerant=True)
        entry = tiff.ifds[0].get(Tag.XMP)
        return entry is not None and is_denoised(bytes(entry.data))
    except FadnError:
        return False
