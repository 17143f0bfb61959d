"""Mark an XMP packet: this raw has been denoised, by us, and how.

The DNG writers add the marker, the batch and the comparison look for it in files, `verify` takes it
off again to compare the rest. The one thing to know: the packet is edited as text, by one more
rdf:Description before </rdf:RDF>, so that every other property stays byte for byte what it was.

References
----------
XMP specification part 1, 7.4 (several rdf:Description elements describe one resource if their
rdf:about is the same) and part 3 (TIFF: tag 700, UTF-8); darktable pull request #21940
(darktable:neural_restore).
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from fadn_cli.errors import FadnError
from fadn_cli.raw.tiff.file import map_file, parse
from fadn_cli.raw.tiff.tags import Tag
from fadn_cli.raw.xmp.merge import names_in

_NAMESPACES = {"darktable": "http://darktable.sf.net/", "fadn": "urn:fadn:1.0/"}
_PROPERTIES = rb"(?:darktable:neural_restore|fadn:(?:Process|Strength|Sidecars))"
_OWN_ELEMENT = re.compile(  # as `_description` writes it: with nothing of another's in it
    rb"<(\w+):Description \1:about=QUOTED xmlns:darktable=QUOTED xmlns:fadn=\"urn:fadn:1\.0/\""
    rb" darktable:neural_restore=QUOTED fadn:Process=QUOTED fadn:Strength=QUOTED"
    rb"(?: fadn:Sidecars=QUOTED)?/>\n?".replace(b"QUOTED", rb"(?:\"[^\"<]*\"|'[^'<]*')")
)
_OWN_PROPERTIES = re.compile(
    rb"\s" + _PROPERTIES + rb"\s*=\s*(?:\"[^\"]*\"|'[^']*')"
    rb"|<(" + _PROPERTIES + rb")>[^<]*</\1>"
)
_SIDECARS = re.compile(rb"fadn:Sidecars\s*(?:=|>)")
_MARKER = re.compile(rb"fadn:Process\s*(?:=\s*[\"']|>)\s*[^\s\"'<]")
_PROCESS = re.compile(rb"fadn:Process\s*(?:=\s*([\"'])(.*?)\1|>([^<]*)<)")
_RDF_END = re.compile(rb"</(\w+):RDF\s*>")
_RDF_EMPTY = re.compile(rb"<(\w+):RDF(\s[^<>]*)?/>")
_ABOUT = re.compile(rb"\s(?:\w+:)?about\s*=\s*(\"[^\"]*\"|'[^']*')")
_ENTITIES = (("&", "&amp;"), (">", "&gt;"), ("<", "&lt;"), ('"', "&quot;"), ("'", "&apos;"))
_BLANKS = (("\n", "&#10;"), ("\r", "&#13;"), ("\t", "&#9;"))
_EMPTY_PACKET = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
    '<x:xmpmeta xmlns:x="adobe:ns:meta/">\n'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n'
    "</rdf:RDF>\n"
    "</x:xmpmeta>\n"
    '<?xpacket end="w"?>'
).encode()


def mark_denoised(
    packet: bytes, *, strength: float, process: str, sidecars: Sequence[str] = ()
) -> bytes:
    """Add the marker to an XMP packet, in place of an earlier one of ours.

    Parameters
    ----------
    packet : bytes
        UTF-8; what is not XMP at all (empty, zeros) is replaced by a new packet.
    strength : float
        How much of the noise was removed, 0-1.
    process : str
        What did it: program, version, options.
    sidecars : sequence of str
        Names of those whose XMP has been merged into the packet.

    Returns
    -------
    bytes
        The packet with `darktable:neural_restore`, which keeps darktable from denoising again, and
        `fadn:Process`, `fadn:Strength`, by which `is_denoised` recognises it.
    """
    packet = without_marks(packet)
    end = list(_RDF_END.finditer(packet))[-1]
    about = _ABOUT.search(packet)
    properties = {"Process": process, "Strength": f"{strength:g}"}
    if sidecars:
        properties["Sidecars"] = ", ".join(sidecars)
    element = _description(end[1].decode(), about[1].decode() if about else '""', properties)
    return packet[: end.start()] + element.encode() + packet[end.start() :]


def without_marks(packet: bytes) -> bytes:
    """Return what a packet is but for the marker, in the form that `mark_denoised` adds it to.

    Two packets differ by no more than markers if this makes them equal.

    Parameters
    ----------
    packet : bytes
        UTF-8, marked or not.

    Returns
    -------
    bytes
        An rdf:RDF without content has two tags; what is not XMP at all is an empty packet.

    Examples
    --------
    >>> marked = mark_denoised(b"<rdf:RDF>...</rdf:RDF>", strength=1, process="fadn 0.1.0")
    >>> without_marks(marked)
    b'<rdf:RDF>...</rdf:RDF>'
    """
    packet = _OWN_PROPERTIES.sub(b"", _OWN_ELEMENT.sub(b"", packet))
    packet = _RDF_EMPTY.sub(rb"<\1:RDF\2>\n</\1:RDF>", packet, count=1)
    return packet if _RDF_END.search(packet) else _EMPTY_PACKET


def packets_agree(before: bytes, after: bytes) -> bool:
    """Tell whether a packet of ours says what the source's does, but for markers.

    Where sidecars have been merged, as our marker says, any property may have another value, and
    there may be more of them; but none that the source has may be missing.
    """
    before = without_marks(before)
    if before == without_marks(after):
        return True
    if _SIDECARS.search(after) is None or not is_denoised(after):
        return False
    try:
        return names_in(before, name="before") <= names_in(after, name="after")
    except FadnError:
        return False


def is_denoised(packet: bytes) -> bool:
    """Tell whether an XMP packet carries our marker.

    Examples
    --------
    >>> is_denoised(mark_denoised(b"", strength=1, process="fadn 0.1.0")), is_denoised(b"<x/>")
    (True, False)
    """
    return _MARKER.search(packet) is not None


def stated_process(packet: bytes) -> str | None:
    """Return what our marker says was done; None without one.

    Examples
    --------
    >>> stated_process(mark_denoised(b"", strength=1, process="fadn 0.1.0 strength=1"))
    'fadn 0.1.0 strength=1'
    """
    found = _PROCESS.search(packet)
    if found is None:
        return None
    text = (found[2] or found[3] or b"").decode("utf-8", "replace")
    for char, entity in reversed(_ENTITIES):
        text = text.replace(entity, char)
    return text


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


def _quoted(value: str) -> str:
    """Write an attribute's value, as `xml.sax.saxutils` does, which takes long to import."""
    for char, entity in (*_ENTITIES[:3], *_BLANKS):
        value = value.replace(char, entity)
    if '"' not in value:
        return f'"{value}"'
    return "'" + value + "'" if "'" not in value else '"' + value.replace('"', "&quot;") + '"'


def _description(rdf: str, about: str, properties: Mapping[str, str]) -> str:
    """Write the element that holds our properties; `about` comes with its quotes."""
    namespaces = " ".join(f'xmlns:{name}="{uri}"' for name, uri in _NAMESPACES.items())
    # Attribute values hold no <, and _OWN_ELEMENT knows every attribute and their order.
    own = " ".join(f"fadn:{name}={_quoted(value)}" for name, value in properties.items())
    return (
        f"<{rdf}:Description {rdf}:about={about} {namespaces}"
        f' darktable:neural_restore="raw-denoise" {own}/>\n'
    )
