"""Is this file one of our own outputs, and what does it say was done?

The batch asks, so that a folder can be run twice; the comparison tells the photographer.
"""

from pathlib import Path

from fadn_cli.errors import FadnError
from fadn_cli.raw.marker import is_denoised, stated_process
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


def read_process(path: Path) -> str | None:
    """Return what an output says of its own making: program, version, strength, network.

    Parameters
    ----------
    path : Path
        A DNG or TIFF. Only its TIFF structure is looked at, not the samples.

    Returns
    -------
    str or None
        As "fadn 0.1.0 strength=1 model=bayer-best-low"; None for whatever cannot be read, or was
        not written by us.
    """
    try:
        tiff = parse(map_file(path), name=path.name, tolerant=True)
        packet, software = (tiff.ifds[0].get(tag) for tag in (Tag.XMP, Tag.SOFTWARE))
        process = None if packet is None else stated_process(bytes(packet.data))
        if process is None and software is not None:
            text = bytes(software.data).rstrip(b"\0").decode("utf-8", "replace")
            process = text if text.startswith("fadn ") else None
    except FadnError:
        return None
    return process
