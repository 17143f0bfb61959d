"""Files of named parts: the one place that decides where IFDs, strips, tiles and pictures lie.

A part is bytes, the fields {tag: (type, values)} of an IFD, or a function of the offsets of all
parts by name that gives either; so may be the values of a field. A field "next" of an IFD leads to
the next one; a field or values of None are left out.
"""

from collections import defaultdict

from tests.making.codings import WORDS, cut
from tests.making.dng.fields import PIXELS, THUMBNAIL, mosaic_fields
from tests.making.tiff import LONG, TiffBuilder


def assemble(path, parts, *, byteorder="<"):
    """Write a TIFF of parts in their order, each at an even offset; return its path.

    All is laid out twice: sizes do not depend on offsets, so the second time the offsets are right.
    """
    offsets = defaultdict(int)
    for _ in range(2):
        tiff = TiffBuilder(byteorder)
        for name, part in parts.items():
            content = part(offsets) if callable(part) else part
            if isinstance(content, bytes):
                offsets[name] = tiff.add(content)
                continue
            following = content.get("next", lambda at: 0)
            fields = {
                tag: (item[0], item[1](offsets) if callable(item[1]) else item[1])
                for tag, item in content.items()
                if tag != "next" and item is not None and item[1] is not None
            }
            offsets[name] = tiff.add_ifd(fields, following(offsets))
    path.write_bytes(tiff.close(offsets["ifd0"]))
    return path


def point_to(name):
    """The field of a pointer to a part."""
    return LONG, lambda at: at[name]


def ifd0_with_raw(shared, raw, *, in_subifd):
    """IFD0 that holds the samples, or a thumbnail and the samples in a SubIFD."""
    if not in_subifd:
        return {"ifd0": raw | shared}
    pointers = {273: point_to("thumbnail"), 330: point_to("raw")}
    return {"thumbnail": PIXELS, "raw": raw, "ifd0": THUMBNAIL | pointers | shared}


def write_mosaic(
    path,
    samples,
    parts,
    order,
    *,
    coding=WORDS,
    byteorder="<",
    tile=None,
    rows=None,
    lead=b"",
    reverse=False,
):
    """Write a file of parts and a mosaic; return its path.

    Parameters
    ----------
    samples : (H, W) uint16
        As they are stored.
    parts : {name: part}
        One is "ifd0". The tags of the mosaic and of where it is come to "raw" if there is one, to
        "ifd0" otherwise, which may state others instead.
    order : sequence of str
        Names of parts: these come first, then the others, then the samples ("data"), unless they
        are named too. Names of parts that are not there are passed over.
    tile : (height, width), optional
        Write tiles instead of strips.
    rows : int, optional
        Of a strip.
    lead : bytes
        Put in front of every strip or tile.
    reverse : bool
        Put the last strip or tile first.
    """
    pieces = [coding.encode(piece, byteorder) for piece in cut(samples, tile, rows)]
    data = {f"data {index}": lead + piece for index, piece in enumerate(pieces)}
    offsets = (LONG, lambda at: [at[name] + len(lead) for name in data])
    sizes = (LONG, [len(piece) for piece in pieces])
    height, width = samples.shape
    if tile is None:
        located = {273: offsets, 278: (LONG, rows or height), 279: sizes}
    else:
        located = {322: (LONG, tile[1]), 323: (LONG, tile[0]), 324: offsets, 325: sizes}
    fields = mosaic_fields(height, width, bits=coding.bits, compression=coding.compression)
    holder = "raw" if "raw" in parts else "ifd0"
    parts = parts | {holder: fields | located | parts[holder]}
    names = [name for name in order if name in parts or name == "data"]
    names += [name for name in parts if name not in names]
    names += [] if "data" in names else ["data"]
    at = names.index("data")
    names[at : at + 1] = reversed(data) if reverse else data
    return assemble(path, {name: (parts | data)[name] for name in names}, byteorder=byteorder)
