"""What a DNG that was built from another raw says otherwise than that raw and LibRaw do.

`verify` asks where the source is no DNG itself. The one thing to know: what the source says of the
photograph is to be taken over, so no difference is allowed.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fadn_cli.findings import TagChange
from fadn_cli.mosaic.values import RawImage
from fadn_cli.raw.check.tag_changes import show
from fadn_cli.raw.dng.marker import packets_agree
from fadn_cli.raw.previews.describe import is_ours
from fadn_cli.raw.source.blocks import MetadataBlocks
from fadn_cli.raw.source.embedded import jpegs_in
from fadn_cli.raw.source.metadata import read_blocks
from fadn_cli.raw.tiff.ifd import TiffFile
from fadn_cli.raw.tiff.tags import Tag, tag_name
from fadn_cli.raw.tiff.tree import integer
from fadn_cli.raw.tiff.write import Field


def camera_changes(before: RawImage, after: RawImage) -> Iterator[TagChange]:
    """Yield what the output says otherwise of the camera than LibRaw and the source do."""
    old, new = before.metadata, after.metadata
    for tag, first, second in (
        (Tag.MAKE, old.make, new.make),
        (Tag.MODEL, old.model, new.model),
        (Tag.ORIENTATION, old.orientation, new.orientation),
        (Tag.ISO_SPEED_RATINGS, old.iso, new.iso),
        (Tag.EXPOSURE_TIME, old.exposure_time, new.exposure_time),
        (Tag.DEFAULT_SCALE, old.pixel_aspect, new.pixel_aspect),
        (Tag.DEFAULT_CROP_SIZE, old.crop or before.mosaic.active_area, new.crop),
    ):
        equal = first == second
        if isinstance(first, float) and isinstance(second, float):
            equal = bool(np.isclose(first, second, rtol=1e-5))
        if not equal:
            yield _change("IFD0", tag, _shown(first), _shown(second))
    for tag, ours, theirs in (
        (Tag.COLOR_MATRIX_1, old.color_matrix, new.color_matrix),
        (Tag.AS_SHOT_NEUTRAL, old.wb_gains, new.wb_gains),
    ):
        if not _close(ours, theirs):
            yield _change("IFD0", tag, _shown(ours), _shown(theirs))


def metadata_changes(old: MetadataBlocks, tiff: TiffFile, output: Path) -> Iterator[TagChange]:
    """Yield what the source says of the photograph and the output does not say, or otherwise."""
    new = read_blocks(output)
    for name, fields, taken_over in (
        ("IFD0", old.shared, new.shared),
        ("IFD0/EXIF", old.exif, new.exif),
        ("IFD0/EXIF/Interop", old.interoperability, new.interoperability),
        ("IFD0/GPS", old.gps, new.gps),
    ):
        by_tag = {field.tag: field for field in taken_over}
        for field in fields:
            other = by_tag.get(field.tag)
            if other is None or _values(field) != _values(other):
                yield _change(name, field.tag, _shown_field(field), _shown_field(other))
    if not packets_agree(old.xmp or b"", new.xmp or b""):
        yield _change("IFD0", Tag.XMP, _size(old.xmp), _size(new.xmp))
    note = old.maker_note
    if note is None or note == new.maker_note:
        return
    private = tiff.ifds[0].get(Tag.DNG_PRIVATE_DATA)
    if private is None or note.data not in bytes(private.data):
        after = _size(new.maker_note.data) if new.maker_note else None
        yield _change("IFD0/EXIF", Tag.MAKER_NOTE, _size(note.data), after)


def _change(ifd: str, tag: int, before: str | None, after: str | None) -> TagChange:
    """Make a change that is not allowed: these tags are to be taken over."""
    return TagChange(ifd=ifd, tag=tag_name(tag), before=before, after=after, allowed=False)


def _close(first: NDArray[np.float32] | None, second: NDArray[np.float32] | None) -> bool:
    """Tell whether two arrays are equal but for what fractions of integers round away."""
    if first is None or second is None:
        return first is second
    return bool(np.allclose(first, second, rtol=1e-5, atol=1e-6))


def _shown(value: object) -> str | None:
    """Show a value of the camera's; None if it is unknown."""
    if isinstance(value, np.ndarray):
        return show([float(number) for number in value.ravel()])
    return None if value is None or value == "" else str(value)


def _shown_field(field: Field | None) -> str | None:
    """Show the values of a field."""
    if field is None:
        return None
    values = field.values
    if isinstance(values, bytes):
        values = values.rstrip(b"\0").decode("utf-8", "replace")
    return show(values)


def _values(field: Field) -> tuple[object, ...]:
    """Return what makes two fields say the same."""
    values = field.values
    return field.type, values if isinstance(values, bytes | str) else tuple(values)


def _size(content: bytes | None) -> str | None:
    """Show how much there is of something that is too long to show."""
    return None if content is None else f"{len(content)} bytes"


def preview_violation(preview: bytes | None, output: TiffFile) -> str:
    """Say that the camera's preview is not kept; empty if we rendered another, or left it out."""
    subs = output.ifds[0].sub_ifds(Tag.SUB_IFDS)
    shown = [ifd for ifd in subs if integer(ifd, Tag.NEW_SUBFILE_TYPE, 0) & 1]
    kept = preview is None or any(jpeg == preview for jpeg in jpegs_in(output))
    if kept or not shown or any(map(is_ours, shown)):
        return ""
    return f"The camera's own preview of {_size(preview)} is missing or differs."
