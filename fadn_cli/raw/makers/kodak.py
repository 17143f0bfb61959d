"""What Kodak's professional cameras (DCS, DCR files) say of the photograph: lines of text.

`source.metadata` calls it. The one thing to know: the text stands in an IFD that a tag of IFD0
points to; what is not in it, or cannot be read, is left out.

References
----------
ExifTool, "Kodak IFD Tags" and "Kodak TextualInfo Tags".
"""

import re
import struct
from collections.abc import Iterator

from fadn_cli.errors import FadnError
from fadn_cli.raw.tiff.file import TiffFile
from fadn_cli.raw.tiff.tags import Tag, make_field
from fadn_cli.raw.tiff.write import Field

_KODAK_IFD, _TEXT = 33424, 0x03F1
_MAX_TEXT = 1 << 16  # bytes; real ones have about a thousand
_MAX_ENTRIES = 512
_TEXTS = {"Lens": Tag.LENS_MODEL, "Serial Number": Tag.BODY_SERIAL_NUMBER}
_NUMBERS = {"Aperture": Tag.F_NUMBER, "Focal Length": Tag.FOCAL_LENGTH}
_FRACTION = re.compile(r"(\d{1,9})/(\d{1,9})")
_NUMBER = re.compile(r"\d{1,6}(?:\.\d{1,3})?")
_DATE = re.compile(r"(\d{4})[:/.-](\d\d)[:/.-](\d\d)")
_TIME = re.compile(r"(\d\d):(\d\d):(\d\d)")


def kodak_fields(tiff: TiffFile) -> tuple[Field, ...]:
    """Return the EXIF fields that Kodak's text makes; none for files without one."""
    text = _text(tiff).split(b"\0")[0].decode("ascii", "ignore")
    said: dict[str, str] = {}
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if colon and value.strip():
            said.setdefault(name.strip(), value.strip())
    return tuple(_fields(said))


def _fields(said: dict[str, str]) -> Iterator[Field]:
    """Yield what is said as EXIF has it."""
    speed = _NUMBER.search(said.get("ISO Speed", said.get("ISO", "")))
    if speed and 0 < float(speed[0]) < 0xFFFF:
        yield make_field(Tag.ISO_SPEED_RATINGS, round(float(speed[0])))
    shutter = said.get("Shutter", "")
    fraction, seconds = _FRACTION.search(shutter), _NUMBER.search(shutter)
    if fraction:
        yield make_field(Tag.EXPOSURE_TIME, [(int(fraction[1]), int(fraction[2]))])
    elif seconds:
        yield make_field(Tag.EXPOSURE_TIME, [_thousandths(seconds[0])])
    for name, tag in _NUMBERS.items():
        number = _NUMBER.search(said.get(name, ""))
        if number:
            yield make_field(tag, [_thousandths(number[0])])
    day, hour = _DATE.search(said.get("Date", "")), _TIME.search(said.get("Time", ""))
    if day and hour:
        stamp = f"{':'.join(day.groups())} {':'.join(hour.groups())}"
        yield _ascii(Tag.DATE_TIME_ORIGINAL, stamp)
    for name, tag in _TEXTS.items():
        if name in said:
            yield _ascii(tag, said[name])


def _thousandths(number: str) -> tuple[int, int]:
    """Spell a decimal as a fraction of as few digits."""
    _, _, decimals = number.partition(".")
    return int(number.replace(".", "")), 10 ** len(decimals)


def _ascii(tag: Tag, text: str) -> Field:
    """Make a field of text as other containers have it: bytes."""
    return Field(tag=tag, type=tag.type, values=text.encode("ascii", "ignore") + b"\0")


def _text(tiff: TiffFile) -> bytes:
    """Return the text of Kodak's IFD, empty if there is none."""
    data, order = tiff.data, tiff.byteorder
    try:
        start = tiff.ifds[0].first_int(_KODAK_IFD, 0)
    except FadnError:
        return b""
    if not 0 < start <= len(data) - 2:
        return b""
    (count,) = struct.unpack_from(order + "H", data, start)
    for at in range(start + 2, start + 2 + 12 * min(count, _MAX_ENTRIES), 12):
        if at + 12 > len(data):
            break
        tag, _, size, place = struct.unpack_from(order + "HHII", data, at)
        if tag == _TEXT and 4 < size <= _MAX_TEXT:
            return bytes(data[place : place + size])
    return b""
