"""A camera's name as Adobe spells it: what profiles are looked up by.

`dng.canonical` calls it. The one thing to know: Adobe's is not what cameras write. "NIKON
CORPORATION" and "NIKON D800E" are "Nikon D800E" in every profile, and a name spelt otherwise finds
none; makers that are not in the table keep their own spelling.

References
----------
DNG 1.7.1, tag 50708; UniqueCameraModel of the profiles that Adobe's software wrote, as RawTherapee
ships them.
"""

import re

_ADOBE = {
    "nikon": "Nikon",
    "sony": "Sony",
    "fujifilm": "Fujifilm",
    "olympus": "Olympus",
    "canon": "Canon",
    "panasonic": "Panasonic",
    "pentax": "PENTAX",
    "eastman": "Kodak",
    "kodak": "Kodak",
    "konica": "Konica Minolta",
}
"""By the first word of a maker's name."""
_MIXED_CASE = {"COOLPIX": "Coolpix"}
_GENERATION = re.compile(r"(?<=\w)Mark(?=[IVX]+$)")  # Olympus writes E-M1MarkII


def unique_name(make: str, model: str) -> str:
    """Return UniqueCameraModel for a camera; empty if neither make nor model is known.

    Examples
    --------
    >>> unique_name("NIKON CORPORATION", "NIKON D800E")
    'Nikon D800E'
    >>> unique_name("RICOH IMAGING COMPANY, LTD.", "PENTAX K-1")
    'PENTAX K-1'
    >>> unique_name("OLYMPUS CORPORATION", "E-M1MarkII")
    'Olympus E-M1 Mark II'
    """
    first = make.split()[0].casefold() if make else ""
    words = model.split()
    inner = words[0].casefold() if words else ""
    if inner in _ADOBE and first not in (inner, "eastman"):
        first = inner  # a brand sold by another company, as Pentax is
    brand = _ADOBE.get(first)
    if brand is None:
        starts = bool(first) and model.casefold().startswith(first)
        return model if starts else f"{make} {model}".strip()
    own = words[1:] if inner == brand.split()[0].casefold() else words
    spelt = " ".join([brand, *(_MIXED_CASE.get(word, word) for word in own)])
    return _GENERATION.sub(" Mark ", spelt)
