"""Random DNGs for property tests: any tags of any type, in any tree, their values anywhere.

Nothing of the product's TIFF code is used.
"""

from dataclasses import dataclass, field

import numpy as np
from hypothesis import strategies as st

from tests.making.dng.fields import CAMERA, PIXELS, THUMBNAIL, mosaic_fields
from tests.making.mosaics import noisy_samples
from tests.making.tiff import (
    ASCII,
    BYTE,
    DOUBLE,
    LONG,
    RATIONAL,
    SHORT,
    SIZES,
    UNDEFINED,
    TiffBuilder,
    encode,
    encode_ifd,
)

UNKNOWN_TYPE = 200
SUB_IFDS, EXIF, GPS, INTEROP = 330, 34665, 34853, 40965
NAMES = {SUB_IFDS: "SubIFD", EXIF: "EXIF", GPS: "GPS", INTEROP: "Interop"}
UNASSIGNED = (10_000, 18_000), (52_600, 60_000)
"""Tags that no standard and no camera uses; before and after those that describe the samples."""
OWN_CAMERA = CAMERA | {272: (ASCII, "Random tree"), 50708: (ASCII, "Fadn Random tree")}
"""What IFD0 says of the camera."""
SMALL = THUMBNAIL | {273: (LONG, 0)}
"""What an IFD says of a picture of 8 x 8 pixels."""
DIGEST = (BYTE, bytes(range(16)))
PROFILE = (DOUBLE, (1e-3, 1e-6))
PACKET = b'<rdf:RDF><rdf:Description rdf:about="" a:b="c"/></rdf:RDF>'


@dataclass
class Value:
    """The values of a tag."""

    kind: int
    count: int
    data: bytes


@dataclass
class Node:
    """An IFD."""

    tags: dict[int, Value]
    children: dict[int, list["Node"]] = field(default_factory=dict)
    pixels: bytes = b""
    offset: int = 0

    def walk(self):
        """Yield this IFD and all below it."""
        yield self
        for nodes in self.children.values():
            for node in nodes:
                yield from node.walk()


@dataclass
class Tree:
    """A DNG."""

    byteorder: str
    ifds: list[Node]
    raw: Node
    data: bytes = b""

    def walk(self):
        """Yield every IFD."""
        for ifd in self.ifds:
            yield from ifd.walk()

    def by_name(self):
        """Every IFD by name: {"IFD0/SubIFD1": Node}."""
        found = {}

        def name(stem, node):
            found[stem] = node
            for tag, nodes in node.children.items():
                for index, child in enumerate(nodes):
                    number = str(index) if tag == SUB_IFDS or index else ""
                    name(f"{stem}/{NAMES[tag]}{number}", child)

        for index, ifd in enumerate(self.ifds):
            name(f"IFD{index}", ifd)
        return found


@st.composite
def trees(draw):
    """A whole DNG of an uncompressed mosaic of 16 bits."""
    byteorder = draw(st.sampled_from("<>"))
    raw = draw(_mosaics(byteorder))
    place = draw(st.sampled_from(("IFD0", "SubIFD", "SubIFD", "IFD1")))
    others = draw(st.lists(_others(byteorder), max_size=2))
    ifd0 = raw
    if place != "IFD0":
        ifd0 = Node(draw(_extras()) | _encode(SMALL, byteorder), pixels=PIXELS)
    if place == "SubIFD":
        others.insert(draw(st.integers(0, len(others))), raw)
    if others:
        ifd0.children[SUB_IFDS] = others
    exif = Node(draw(_extras()) | _encode({34855: (SHORT, 400)}, byteorder))
    ifd0.children[EXIF] = [exif]
    for tag, parent in ((INTEROP, exif), (GPS, ifd0)):
        if draw(st.booleans()):
            parent.children[tag] = [Node(draw(_extras(1)))]
    packet = (draw(st.sampled_from((BYTE, UNDEFINED))), PACKET)
    stated = {700: packet, 50740: (BYTE, b"private\0\1"), 50935: (RATIONAL, (0.0,))}
    stated |= {50781: DIGEST, 50972: DIGEST, 51041: PROFILE, 51111: DIGEST}
    ifd0.tags |= _encode(OWN_CAMERA | draw(_optional(stated)), byteorder)
    chain = [raw] if place == "IFD1" else []
    chain += [Node(tags) for tags in draw(st.lists(_extras(1), max_size=1))]
    tree = Tree(byteorder, [ifd0, *chain], raw)
    tree.data = _lay_out(tree, draw)
    return tree


def _encode(fields, byteorder):
    """Turn {tag: (type, values)} into {tag: Value}."""
    found = {}
    for tag, (kind, values) in fields.items():
        data = encode(kind, values, byteorder)
        found[tag] = Value(kind, len(data) // SIZES[kind], data)
    return found


@st.composite
def _optional(draw, fields):
    """Some of several fields."""
    return {tag: field for tag, field in fields.items() if draw(st.booleans())}


@st.composite
def _mosaics(draw, byteorder):
    """A raw IFD; where its strips lie is filled in later."""
    height, width = draw(st.integers(24, 28)), draw(st.integers(24, 28))  # LibRaw's least is 22
    rows = draw(st.integers(3, height))
    strips = [2 * width * min(rows, height - top) for top in range(0, height, rows)]
    fields = mosaic_fields(height, width) | {
        257: (SHORT, height),
        273: (LONG, [0] * len(strips)),
        278: (LONG, rows),
        279: (LONG, strips),
        50714: (RATIONAL, (512.25,)),
    }
    more = {50710: (BYTE, (0, 1, 2)), 50711: (SHORT, 1), 50717: (LONG, 15000), 51041: PROFILE}
    tags = draw(_extras()) | _encode(fields | draw(_optional(more)), byteorder)
    return Node(tags, pixels=noisy_samples(height, width).astype(byteorder + "u2").tobytes())


@st.composite
def _values(draw):
    """The values of any type, sometimes of one that TIFF does not know."""
    kind = draw(st.sampled_from((*SIZES, UNKNOWN_TYPE)))
    count = draw(st.integers(1, 5))
    size = 4 if kind == UNKNOWN_TYPE else count * SIZES[kind]
    return Value(kind, count, draw(st.binary(min_size=size, max_size=size)))


def _extras(least=0):
    """Tags without meaning."""
    numbers = st.one_of(*(st.integers(*bounds) for bounds in UNASSIGNED))
    return st.dictionaries(numbers, _values(), min_size=least, max_size=4)


@st.composite
def _others(draw, byteorder):
    """A SubIFD that does not hold the raw: a preview, or an IFD with another below it."""
    if draw(st.booleans()):
        tags = draw(_extras()) | _encode(SMALL, byteorder)
        return Node(tags, pixels=draw(st.binary(min_size=len(PIXELS), max_size=len(PIXELS))))
    below = [Node(tags) for tags in draw(st.lists(_extras(1), max_size=1))]
    return Node(draw(_extras(1)), {SUB_IFDS: below} if below else {})


def _lay_out(tree, draw):
    """Give every part a place, in any order and with gaps, and write the file."""
    nodes = list(tree.walk())
    parts = [("ifd", node, None) for node in nodes]
    parts += [("pixels", node, None) for node in nodes if node.pixels]
    parts += [
        ("value", node, tag)
        for node in nodes
        for tag, value in [*node.tags.items(), *_pointers(node).items()]
        if len(value.data) > 4
    ]
    share = draw(st.booleans())
    tiff, places, shared = TiffBuilder(tree.byteorder), {}, {}
    content = tiff.buffer
    for kind, node, tag in draw(st.permutations(parts)):
        content += draw(st.sampled_from((b"", b"", b"\xaa", b"gap!")))
        if kind == "ifd":
            content += bytes(len(content) % 2)
            node.offset = len(content)
            content += bytes(2 + 12 * (len(node.tags) + len(node.children)) + 4)
        elif kind == "pixels":
            places[id(node)] = len(content)
            content += node.pixels
        else:
            value = node.tags.get(tag)
            known = share and value is not None and tag not in (273, 279) and value.data
            places[id(node), tag] = shared.get(known, len(content)) if known else len(content)
            if places[id(node), tag] == len(content):
                shared[known] = len(content)
                content += value.data if value else bytes(len(_pointers(node)[tag].data))
    for node in nodes:
        if node.pixels:
            _point_to_pixels(node, places[id(node)], tree.byteorder)
        following = dict(zip(map(id, tree.ifds), [*tree.ifds[1:], None], strict=True))
        after = following.get(id(node))
        _write_ifd(content, node, places, after.offset if after else 0, tree.byteorder)
    return tiff.close(tree.ifds[0].offset)


def _pointers(node, byteorder="<"):
    """The tags that lead to the IFDs below."""
    return {
        tag: Value(LONG, len(nodes), encode(LONG, [node.offset for node in nodes], byteorder))
        for tag, nodes in node.children.items()
    }


def _point_to_pixels(node, start, byteorder):
    """Fill in where strips lie, one after the other."""
    sizes = np.frombuffer(node.tags[279].data, byteorder + "u4")
    offsets = start + np.cumsum(sizes) - sizes
    node.tags[273] = Value(LONG, len(sizes), encode(LONG, offsets, byteorder))


def _write_ifd(content, node, places, next_offset, byteorder):
    """Write an IFD where it has its place, and the values that are known only now."""
    entries = {}
    for tag, value in (node.tags | _pointers(node, byteorder)).items():
        field = value.data.ljust(4, b"\0")
        if len(value.data) > 4:
            at = places[id(node), tag]
            content[at : at + len(value.data)] = value.data
            field = encode(LONG, at, byteorder)
        entries[tag] = (value.kind, value.count, field)
    table = encode_ifd(entries, next_offset, byteorder)
    content[node.offset : node.offset + len(table)] = table
