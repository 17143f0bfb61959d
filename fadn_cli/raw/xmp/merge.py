"""What other programs noted of a photograph beside it, laid over its own XMP packet.

The DNG writers merge, `batch` reads the sidecars, `verify` asks which properties a packet has. The
one thing to know: a property is taken whole or not at all, since no packet may hold it twice; and
what tells files or programs apart rather than photographs is not taken.

References
----------
XMP specification part 1, 7.4 (properties as attributes or elements of rdf:Description) and part 3
(sidecars); Namespaces in XML 1.0.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from xml.dom import minidom
from xml.parsers.expat import ExpatError

from fadn_cli.errors import RawReadError

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_XMLNS = "http://www.w3.org/2000/xmlns/"
_XML = "http://www.w3.org/XML/1998/namespace"
_PHOTOSHOP = "http://ns.adobe.com/photoshop/1.0/"
_NOT_TAKEN = (
    "http://ns.adobe.com/xap/1.0/mm/",  # which file it was made of
    "http://darktable.sf.net/",  # its history, which it reads from its own sidecar only
    "urn:fadn:1.0/",
)
_NOT_TAKEN_EITHER = (
    (_PHOTOSHOP, "SidecarForExtension"),
    (_PHOTOSHOP, "EmbeddedXMPDigest"),
    ("http://purl.org/dc/elements/1.1/", "format"),
    ("http://ns.adobe.com/camera-raw-settings/1.0/", "RawFileName"),
)
_BREAKS = {"\n": "\ue00a", "\r": "\ue00d", "\t": "\ue009"}
"""minidom writes these plainly into attributes, where they would be read as spaces."""
_ONCE_MORE = "Let the program that wrote it save it once more, or move it away."

Name = tuple[str, str]
"""Namespace and local name of a property."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edits:
    """The XMP of a photograph's sidecars."""

    names: tuple[str, ...] = ()
    """Of the files, for people."""
    packets: tuple[bytes, ...] = field(default=(), repr=False)
    """Their content; what a later one says holds against an earlier one."""

    @property
    def digest(self) -> str:
        """What tells these edits from others, hexadecimal; empty if there are none."""
        hashes = "".join(hashlib.sha256(packet).hexdigest() for packet in self.packets)
        return hashlib.sha256(hashes.encode()).hexdigest() if hashes else ""


NO_EDITS = Edits()
"""Those of a photograph without sidecars."""


def merge(packet: bytes, edits: Edits) -> bytes:
    """Lay what sidecars say over a packet.

    Parameters
    ----------
    packet : bytes
        UTF-8; what is not XMP at all is an empty one, and must have an rdf:RDF with two tags
        otherwise: see `raw.dng.marker.without_marks`.
    edits : Edits

    Returns
    -------
    bytes
        UTF-8. The same bytes if the sidecars say nothing that is taken.

    Raises
    ------
    RawReadError
        The packet, or a sidecar, is not well-formed, or the packet's rdf:RDF is none.
    """
    document, changed = _parse(packet, "its XMP"), False
    if not document.getElementsByTagNameNS(_RDF, "RDF"):  # as where one letter of it is damaged
        raise RawReadError(
            "its XMP has no rdf:RDF of the namespace that RDF has", advice=_ONCE_MORE
        )
    for name, content in zip(edits.names, edits.packets, strict=True):
        sidecar = _parse(content, name)
        for description in _descriptions(sidecar):
            taken = [each for each in _properties(description) if _is_taken(each[0])]
            if taken:
                changed = True
                _lay_over(document, description, taken)
    return _text(document) if changed else packet


def names_in(packet: bytes, *, name: str) -> frozenset[Name]:
    """Return the properties that a packet has.

    Raises
    ------
    RawReadError
        It is not well-formed; `name` is what people call it.
    """
    return frozenset(
        each for top in _descriptions(_parse(packet, name)) for each, _ in _properties(top)
    )


def value_of(packet: bytes, wanted: Name, *, name: str) -> str:
    """Return the value of a simple property; empty if there is none.

    Raises
    ------
    RawReadError
        As `names_in`.
    """
    for top in _descriptions(_parse(packet, name)):
        for found, node in _properties(top):
            if found == wanted:
                text = node.value if node.nodeType == node.ATTRIBUTE_NODE else _inner_text(node)
                return str(text).strip()
    return ""


def _parse(packet: bytes, name: str) -> Any:
    """Parse a packet, which must not define entities: they can grow without end."""
    try:
        if b"<!DOCTYPE" in packet or b"<!ENTITY" in packet:
            raise ValueError("it defines a document type")
        return minidom.parseString(packet.strip(b"\0 \t\r\n"))
    except (ExpatError, ValueError, LookupError) as error:
        raise RawReadError(
            f"{name} is not well-formed XML: {error}",
            advice=_ONCE_MORE,
        ) from error


def _descriptions(document: Any) -> list[Any]:
    """Return the rdf:Description elements that say something of the photograph itself."""
    return [
        child
        for rdf in document.getElementsByTagNameNS(_RDF, "RDF")
        for child in rdf.childNodes
        if child.nodeType == child.ELEMENT_NODE
        and (child.namespaceURI, child.localName) == (_RDF, "Description")
    ]


def _properties(description: Any) -> Iterator[tuple[Name, Any]]:
    """Yield the properties of an rdf:Description: attributes and elements."""
    attributes = [description.attributes.item(n) for n in range(description.attributes.length)]
    for node in (*attributes, *description.childNodes):
        is_property = node.nodeType in (node.ATTRIBUTE_NODE, node.ELEMENT_NODE)
        if is_property and node.namespaceURI and node.namespaceURI not in (_RDF, _XMLNS, _XML):
            yield (node.namespaceURI, node.localName), node


def _is_taken(name: Name) -> bool:
    """Tell whether a property says something of the photograph."""
    return name[0] not in _NOT_TAKEN and name not in _NOT_TAKEN_EITHER


def _lay_over(document: Any, source: Any, taken: list[tuple[Name, Any]]) -> None:
    """Put properties of a sidecar's rdf:Description in place of a packet's own."""
    names = {name for name, _ in taken}
    own = _descriptions(document)
    about = next((each.getAttributeNS(_RDF, "about") for each in own), "")
    for description in own:
        for name, node in list(_properties(description)):
            if name in names:
                _remove(description, node)
    rdf = document.getElementsByTagNameNS(_RDF, "RDF")[-1]
    added = document.createElementNS(
        _RDF, f"{rdf.prefix}:Description" if rdf.prefix else "Description"
    )
    for prefix, uri in _namespaces(source).items():
        added.setAttributeNS(_XMLNS, f"xmlns:{prefix}" if prefix else "xmlns", uri)
    if rdf.prefix:  # the sidecar may use it otherwise
        added.setAttributeNS(_XMLNS, f"xmlns:{rdf.prefix}", _RDF)
        added.setAttributeNS(_RDF, f"{rdf.prefix}:about", about)
    for _, node in taken:
        if node.nodeType == node.ATTRIBUTE_NODE:
            added.setAttributeNS(node.namespaceURI, node.nodeName, node.value)
        else:
            added.appendChild(document.importNode(node, True))
    rdf.appendChild(added)
    rdf.appendChild(document.createTextNode("\n"))


def _remove(description: Any, node: Any) -> None:
    """Take a property out of an rdf:Description."""
    if node.nodeType == node.ATTRIBUTE_NODE:
        description.removeAttributeNode(node)
    else:
        description.removeChild(node)


def _namespaces(element: Any) -> dict[str, str]:
    """Return the namespaces by prefix that hold inside an element."""
    found: dict[str, str] = {}
    while element is not None and element.nodeType == element.ELEMENT_NODE:
        for number in range(element.attributes.length):
            attribute = element.attributes.item(number)
            if attribute.namespaceURI == _XMLNS:
                prefix = attribute.localName if attribute.prefix else ""
                found.setdefault(prefix, attribute.value)
        element = element.parentNode
    return found


def _inner_text(element: Any) -> str:
    """Return the text in an element."""
    nodes = (child for child in element.childNodes if child.nodeType == child.TEXT_NODE)
    return "".join(child.data for child in nodes)


def _text(document: Any) -> bytes:
    """Return a document as a packet."""
    for element in document.getElementsByTagName("*"):
        for number in range(element.attributes.length):
            attribute = element.attributes.item(number)
            for plain, kept in _BREAKS.items():
                attribute.value = attribute.value.replace(plain, kept)
    text = "\n".join(node.toxml() for node in document.childNodes)
    for plain, kept in _BREAKS.items():
        text = text.replace(kept, f"&#{ord(plain)};")
    return text.encode()
