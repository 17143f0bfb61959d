"""The same photograph in every container the metadata reader knows, written with `struct` alone."""

import struct

from tests.making.dng.fields import TIME
from tests.making.pictures import jpeg
from tests.making.tiff import (
    ASCII,
    BYTE,
    LONG,
    RATIONAL,
    SHORT,
    UNDEFINED,
    TiffBuilder,
    encode,
    encode_ifd,
)

XMP = b"<x:xmpmeta/>"
SHARED = {
    271: (ASCII, "Maker"),
    272: (ASCII, "Model 5"),
    274: (SHORT, 8),
    315: (ASCII, "A. Photographer"),
}
EXIF = {
    33434: (RATIONAL, [(1, 60)]),
    34855: (SHORT, 3200),
    36867: TIME,
    37500: (UNDEFINED, b"a maker note with offsets of its own"),
}
GPS = {1: (ASCII, "N"), 2: (RATIONAL, [(48, 1), (8, 1), (30, 1)])}


def tiff_bytes(fields, *, exif=None, gps=None, byteorder="<"):
    """A TIFF without pixels; its EXIF IFD has an interoperability IFD."""
    tiff = TiffBuilder(byteorder)
    fields = dict(fields)
    if exif:
        exif = exif | {40965: (LONG, tiff.add_ifd({1: (ASCII, "R98")}))}
        fields[34665] = (LONG, tiff.add_ifd(exif))
    if gps:
        fields[34853] = (LONG, tiff.add_ifd(gps))
    return tiff.close(tiff.add_ifd(fields))


def box(kind, content):
    return struct.pack(">I4s", len(content) + 8, kind) + content


def exif_jpeg(inner):
    """A JPEG with EXIF and XMP segments."""
    exif, packet = b"Exif\0\0" + inner, b"http://ns.adobe.com/xap/1.0/\0" + XMP
    segments = b"".join(
        struct.pack(">HH", 0xFFE1, len(content) + 2) + content for content in (exif, packet)
    )
    return b"\xff\xd8" + segments + jpeg()[2:]


def as_tiff(byteorder, note=EXIF[37500][1]):
    exif = EXIF | {37500: (UNDEFINED, note)}
    return tiff_bytes(SHARED | {700: (BYTE, XMP)}, exif=exif, gps=GPS, byteorder=byteorder)


def as_cr3(full_size=b""):
    """A CR3 with a preview and, in its track, a picture of full size."""
    uuid = bytes.fromhex("85c0b687820f11e08111f4ce462b6a48")
    xmp_uuid = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
    preview_uuid = bytes.fromhex("eaf42b5e1c984b88b9fbb7dc406e4d16")
    parts = ((b"CMT1", SHARED), (b"CMT2", EXIF), (b"CMT3", {1: (SHORT, 1)}), (b"CMT4", GPS))
    canon = b"".join(box(kind, tiff_bytes(fields)) for kind, fields in parts)
    preview = bytes(8) + box(b"PRVW", bytes(16) + jpeg())
    others = box(b"uuid", xmp_uuid + XMP) + box(b"uuid", preview_uuid + preview)
    head = box(b"ftyp", b"crx isom")

    def movie(offset):
        sizes = box(b"stsz", struct.pack(">4I", 0, 0, 1, len(full_size)))
        tables = box(b"stbl", sizes + box(b"co64", struct.pack(">2IQ", 0, 1, offset)))
        track = box(b"trak", box(b"mdia", box(b"minf", tables)))
        return box(b"moov", box(b"uuid", uuid + canon) + track)

    start = len(head) + len(movie(0)) + len(others) + 16
    media = struct.pack(">I4sQ", 1, b"mdat", 16 + len(full_size)) + full_size
    return head + movie(start) + others + media


def olympus_note(picture, *, new=True, byteorder="<", as_bytes=False):
    """An Olympus or OM System maker note with a preview in it."""
    mark = b"II" if byteorder == "<" else b"MM"
    start = b"OM SYSTEM\0\0\0" + mark + b"\4\0" if new else b"OLYMPUS\0" + mark + b"\3\0"
    tiff = TiffBuilder(byteorder)
    tiff.buffer = bytearray(start + bytes(2 + 12 + 4))  # an IFD of one entry comes first
    at = tiff.add(picture)
    settings = {0x0101: (LONG, at), 0x0102: (LONG, len(picture))}
    place = tiff.add_ifd(settings)
    kind, count = (UNDEFINED, len(tiff.buffer) - place) if as_bytes else (LONG, 1)
    entry = (kind, count, encode(LONG, place, byteorder))
    first = encode_ifd({0x2020: entry}, byteorder=byteorder)
    tiff.buffer[len(start) : len(start) + len(first)] = first
    return bytes(tiff.buffer)


def as_raf():
    content = exif_jpeg(tiff_bytes(SHARED, exif=EXIF, gps=GPS, byteorder=">"))
    head = b"FUJIFILMCCD-RAW ".ljust(84, b"0") + struct.pack(">II", 148, len(content))
    return head.ljust(148, b"\0") + content


def as_mrw():
    inner = tiff_bytes(SHARED | {700: (BYTE, XMP)}, exif=EXIF, gps=GPS, byteorder=">")
    blocks = struct.pack(">4sI", b"\0PRD", 24) + bytes(24)
    blocks += struct.pack(">4sI", b"\0TTW", len(inner)) + inner
    return struct.pack(">4sI", b"\0MRM", len(blocks)) + blocks


CONTAINERS = {
    "nef": as_tiff("<"),
    "pef": as_tiff(">"),
    "orf": b"IIRO" + as_tiff("<", olympus_note(jpeg()))[4:],
    "rw2": b"IIU\0" + as_tiff("<")[4:],
    "cr3": as_cr3(),
    "raf": as_raf(),
    "mrw": as_mrw(),
}
