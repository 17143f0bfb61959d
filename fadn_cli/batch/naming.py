"""How outputs are called: a template, filled in for each photograph.

`planning` calls it. The one thing to know: the template is checked once, before any file is looked
at; what a file says of itself may be anything, and is made fit for a file name.
"""

import re
import string
import unicodedata
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from fadn_cli.batch.shot import Shot

DEFAULT = "{stem}_denoised{ext}"
"""The template where none is given."""
EXTENSIONS = {"dng": (".dng",), "tiff": (".tif", ".tiff")}
"""How the names of each format end; the first is what {ext} stands for."""
FIELDS = ("stem", "ext", "ext_source", "make", "camera", "iso", "date", "folder")
"""What may stand between braces; ext_source is the source's, without the dot."""
UNKNOWN = "unknown"
"""Stands for what a file does not say."""

_OF_THE_SHOT = {"make", "camera", "iso", "date"}
_JOINERS = "\u200c\u200d"
_ANY_DAY = datetime(2026, 11, 5, 17, 4, 9)
_LONGEST = 200  # characters of a date; names may have 255 bytes
_DATE = "%Y-%m-%d"
_FORBIDDEN = '<>:"/\\|?*'  # some disk or other refuses each of them in names
# Names of devices on Windows, whatever follows after a dot. [Microsoft, "Naming Files"]
_RESERVED = re.compile(r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9\u00b9\u00b2\u00b3])")


class NameTemplate:
    """A template such as "{stem}_denoised{ext}".

    Parameters
    ----------
    text : str
        With `FIELDS` between braces; {date:%Y%m%d} takes the date in another form, as `strftime`
        spells it, and {{ and }} stand for braces.

    Raises
    ------
    ValueError
        It is no template, would name a folder, or its names would not do on every disk.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        try:
            self._parts = tuple(_parse(text))
        except ValueError as error:
            raise ValueError(f"the name {text!r} cannot be used: {error}") from error

    @property
    def needs_shot(self) -> bool:
        """Whether the photograph must be asked for anything."""
        return any(field in _OF_THE_SHOT for _, field, _ in self._parts)

    def check(self, format: str) -> None:
        """Refuse a template whose names do not end as a format's files do.

        Raises
        ------
        ValueError
            They do not, or nothing would stand before that ending.
        """
        sample = self._fill(Path("IMG_1.raw"), Shot(), format)
        if not sample.lower().endswith(EXTENSIONS[format]):
            endings = " or ".join(EXTENSIONS[format])
            raise ValueError(f"the name {self._text!r} must end in {{ext}}, or in {endings}")
        if not sample[: sample.rindex(".")].strip(" .") or sample[0] in " .":
            raise ValueError(f"the name {self._text!r} begins with what hides it, or is blank")
        if is_reserved(sample):
            raise ValueError(f"the name {self._text!r} is that of a device on Windows")

    def fill(self, source: Path, shot: Shot, format: str) -> str:
        """Name the output of one photograph.

        Parameters
        ----------
        source : Path
            The raw file; gives stem, extension and folder.
        shot : Shot
            What it says of itself.
        format : str
            "dng" or "tiff".

        Returns
        -------
        str
            With _ in front if what the photograph says would make it the name of a device.
        """
        name = self._fill(source, shot, format)
        return f"_{name}" if is_reserved(name) and not is_reserved(source.name) else name

    def _fill(self, source: Path, shot: Shot, format: str) -> str:
        """Fill in the template."""
        values = {
            "stem": source.stem,
            "ext": EXTENSIONS[format][0],
            "ext_source": sanitize(source.suffix.removeprefix(".")),
            "make": sanitize(shot.make),
            "camera": sanitize(shot.camera),
            "iso": sanitize("" if shot.iso is None else str(shot.iso)),
            "folder": sanitize(source.parent.resolve().name),
        }
        name = ""
        for literal, field, spec in self._parts:
            name += literal
            if field == "date":
                name += sanitize("" if shot.date is None else shot.date.strftime(spec or _DATE))
            elif field:
                name += values[field]
        return name


def suffix_template(suffix: str) -> str:
    """Return the template that adds a suffix to the source's name."""
    return "{stem}" + suffix.replace("{", "{{").replace("}", "}}") + "{ext}"


def sanitize(value: str) -> str:
    """Make a text fit to be part of a file name on any disk; "unknown" if nothing is left.

    Examples
    --------
    >>> sanitize("NIKON/Z 8: v2. ")
    'NIKON_Z 8_ v2'
    >>> sanitize("  ")
    'unknown'
    """
    kept = "".join("_" if is_unfit(letter) else letter for letter in value)
    return kept.strip(" .") or UNKNOWN


def is_unfit(letter: str) -> bool:
    """Whether a letter is none for file names: refused by some disk, or never seen as it is.

    Control characters, and marks that turn the direction of what follows; what stands for a byte
    of a name that is no UTF-8 is fit, and so are joiners, without which emoji fall apart.
    """
    hidden = unicodedata.category(letter) in ("Cc", "Cf", "Zl", "Zp") and letter not in _JOINERS
    return letter in _FORBIDDEN or hidden


def is_reserved(name: str) -> bool:
    """Whether a name is a device's on Windows.

    Examples
    --------
    >>> [is_reserved(name) for name in ("CON.dng", "com1 .x.dng", "CONTAX.dng", "a.con")]
    [True, True, False, False]
    """
    return _RESERVED.fullmatch(name.partition(".")[0].rstrip(" ").casefold()) is not None


def _parse(text: str) -> Iterator[tuple[str, str, str]]:
    """Yield each literal with the field behind it (empty at the end) and the field's form."""
    for literal, field, spec, conversion in string.Formatter().parse(text):
        if any(letter in "/\\\0" for letter in literal + (spec or "")):
            raise ValueError("it would lead into another folder")
        if unfit := next(filter(is_unfit, literal), ""):
            raise ValueError(f"{unfit!r} cannot be part of a name on every disk")
        if field is not None and field not in FIELDS:
            known = ", ".join(f"{{{name}}}" for name in FIELDS)
            raise ValueError(f"there is no {{{field}}}; there are {known}")
        if conversion or (spec and (field != "date" or "%" not in spec)):
            raise ValueError(f"{{{field}}} takes no form; only the date does, as {{date:%Y%m%d}}")
        if spec and not 0 < len(_ANY_DAY.strftime(spec)) < _LONGEST:
            raise ValueError("the date would be too long, or empty")
        yield literal, field or "", spec or ""
