"""What is left of the picture by the aspect ratio that the photographer chose in the camera.

`source.camera` calls it. The one thing to know: the raw keeps the whole sensor, and LibRaw's crop
is that of the whole picture; which part of it was wanted stands in the maker's own structures.

References
----------
ExifTool, "Canon AspectInfo Tags" and "FujiFilm RAF Tags" (RawImageAspectRatio).
"""

import struct
from collections.abc import Mapping

from fadn_cli.raw.tiff.file import ByteOrder

Crop = tuple[int, int, int, int]
"""Top, left, height and width, pixels."""

_CANON_ASPECT, _LONG, _MOST_ENTRIES = 0x009A, 4, 512
_FUJI_ASPECT = 0x0115


def canon_crop(note: bytes, byteorder: ByteOrder, offset: int) -> Crop | None:
    """Return the part of the whole picture that a Canon maker note states; None if all of it.

    Parameters
    ----------
    note : bytes
        An IFD, as every note of Canon's is.
    byteorder, offset
        What its values' places depend on; see `MakerNote`.
    """
    if len(note) < 2:
        return None
    (count,) = struct.unpack_from(byteorder + "H", note)
    for at in range(2, min(2 + 12 * min(count, _MOST_ENTRIES), len(note) - 11), 12):
        tag, kind, values, place = struct.unpack_from(byteorder + "HHII", note, at)
        start = place - offset
        if (tag, kind) == (_CANON_ASPECT, _LONG) and values >= 5 and 0 <= start <= len(note) - 20:
            _, width, height, left, top = struct.unpack_from(byteorder + "5I", note, start)
            return top, left, height, width
    return None


def fuji_crop(records: Mapping[int, memoryview], whole: tuple[int, int]) -> Crop | None:
    """Return the middle of a whole picture (height, width) in the aspect ratio that a RAF states.

    Parameters
    ----------
    records : mapping
        From `containers.fuji_records`.
    """
    record = records.get(_FUJI_ASPECT, b"")
    if len(record) < 4:
        return None
    tall, wide = struct.unpack_from(">HH", record)
    height, width = whole
    if not tall or not wide:
        return None
    rows, cols = min(height, round(width * tall / wide)), min(width, round(height * wide / tall))
    return (height - rows) // 2, (width - cols) // 2, rows, cols
