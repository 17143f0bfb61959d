"""How outputs are called: a template, filled in for each photograph.

`planning` calls it. The one thing to know: the template is checked once, before any file is looked
at; what a file says of itself may be anything, and is made fit for a file name.
"""

import string
from collections.abc import Iterator
from pathlib import Path

from fadn_cli.batch.shot import Shot

DEFAULT = "{stem}_denoised{ext}"
"""The template where none is given."""
EXTENSIONS = {"dng": (".dng",), "tiff": (".tif", ".tiff")}
"""How the names of each format end; the first is what {ext} stands for."""
FIELDS = ("stem", "ext", "make", "camera", "iso", "date", "folder")
"""What may stand between braces."""
UNKNOWN = "unknown"
"""Stands for what a file does not say."""

_OF_THE_SHOT = {"make", "camera", "iso", "date"}
_DATE = "%Y-%m-%d"
_FORBIDDEN = '<>:"/\\|?*'  # some disk or other refuses each of them in names


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
        It is no template, or would name a folder.
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
            They do not.
        """
        sample = self.fill(Path("IMG_1.raw"), Shot(), format)
        if not sample.lower().endswith(EXTENSIONS[format]):
            endings = " or ".join(EXTENSIONS[format])
            raise ValueError(f"the name {self._text!r} must end in {{ext}}, or in {endings}")

    def fill(self, source: Path, shot: Shot, format: str) -> str:
        """Name the output of one photograph.

        Parameters
        ----------
        source : Path
            The raw file; gives stem and folder.
        shot : Shot
            What it says of itself.
        format : str
            "dng" or "tiff".
        """
        values = {
            "stem": source.stem,
            "ext": EXTENSIONS[format][0],
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
    kept = (
        "_" if letter in _FORBIDDEN or ord(letter) < 32 or ord(letter) == 127 else letter
        for letter in value
    )
    return "".join(kept).strip(" .") or UNKNOWN


def _parse(text: str) -> Iterator[tuple[str, str, str]]:
    """Yield each literal with the field behind it (empty at the end) and the field's form."""
    for literal, field, spec, conversion in string.Formatter().parse(text):
        if any(letter in "/\\\0" for letter in literal + (spec or "")):
            raise ValueError("it would lead into another folder")
        if field is not None and field not in FIELDS:
            known = ", ".join(f"{{{name}}}" for name in FIELDS)
            raise ValueError(f"there is no {{{field}}}; there are {known}")
        if conversion or (spec and (field != "date" or "%" not in spec)):
            raise ValueError(f"{{{field}}} takes no form; only the date does, as {{date:%Y%m%d}}")
        yield literal, field or "", spec or ""
