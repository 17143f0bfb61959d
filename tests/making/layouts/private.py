"""What only its maker understands, and what denoising has to replace."""

import struct
from functools import partial

from tests.making.layouts.layout import ORDERS, structured
from tests.making.mosaics import smooth_samples
from tests.making.tiff import (
    ASCII,
    BYTE,
    DOUBLE,
    LONG,
    SHORT,
    UNDEFINED,
    At,
    encode,
    encode_ifd,
)


def layouts():
    """What only its maker understands, and what denoising has to replace."""
    found = {}
    canon = {
        271: (ASCII, "Canon"),
        272: (ASCII, "Canon EOS 550D"),
        50708: (ASCII, "Canon EOS 550D"),
    }
    for order, byteorder in ORDERS.items():
        notes = partial(canon_notes, byteorder)
        size = len(notes(0))
        for place, sequence in (("first", ("note", "ifd0")), ("last", ("ifd0", "data", "note"))):
            found[f"MakerNote {place} {order}"] = structured(
                smooth_samples(),
                byteorder=byteorder,
                in_subifd=True,
                shared=canon | {50741: (SHORT, 1)},
                exif={37500: (UNDEFINED, lambda at, size=size: At(at["note"], size))},
                parts={"note": lambda at, notes=notes: notes(at["note"])},
                order=sequence,
            )
    private = b"Adobe\0MakN" + struct.pack(">I", 6 + len(notes(0))) + b"MM" + struct.pack(">I", 0)
    packet = (
        b'<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>\n<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
        b'rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="4" '
        b'xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/" crs:Exposure2012="+0.50"/>'
        b"</rdf:RDF></x:xmpmeta>" + b" " * 900 + b'<?xpacket end="w"?>'
    )
    digests = {50972: (BYTE, bytes(range(16))), 51111: (BYTE, bytes(range(16)))}
    profile_of_noise = {51041: (DOUBLE, (4e-4, 2e-5))}
    return found | {
        "DNGPrivateData": structured(
            smooth_samples(), shared=canon | {50740: (BYTE, private + notes(0))}
        ),
        "DNGPrivateData of another maker": structured(
            smooth_samples(), shared={50740: (BYTE, b"Fadn\0" + bytes(range(250)))}
        ),
        "XMP": structured(smooth_samples(), shared={700: (BYTE, packet)}, in_subifd=True),
        "empty XMP": structured(smooth_samples(), shared={700: (BYTE, bytes(64))}),
        "digests": structured(
            smooth_samples(), shared=digests | {50781: (BYTE, bytes(16))}, in_subifd=True
        ),
        "NoiseProfile": structured(
            smooth_samples(),
            raw={51041: (DOUBLE, (4e-4, 2e-5) * 3), 50710: (BYTE, bytes((0, 1, 2)))},
            in_subifd=True,
        ),
        "NoiseProfile in IFD0": structured(
            smooth_samples(), shared=profile_of_noise, in_subifd=True
        ),
        "original's name and data": structured(
            smooth_samples(),
            shared={50827: (ASCII, "IMG_1.CR2"), 50828: (UNDEFINED, bytes(range(256)))},
        ),
    }


def canon_notes(byteorder, start):
    """A Canon maker note at a file offset; its own offsets count from the file's beginning."""
    texts = {6: b"Fadn Synthetic\0", 7: b"Firmware Version 1.0.0\0", 9: b"A. Photographer\0"}
    at = start + 2 + 12 * len(texts) + 4
    entries = {}
    for tag, text in texts.items():
        entries[tag] = (ASCII, len(text), encode(LONG, at, byteorder))
        at += len(text)
    return encode_ifd(entries, byteorder=byteorder) + b"".join(texts.values())
