"""DNGs in every layout that the format allows, each with the samples it is to decode to."""

import struct
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tests.making.dng.write import (
    ASCII,
    BYTE,
    DOUBLE,
    LONG,
    MATRIX,
    RATIONAL,
    SHORT,
    SRATIONAL,
    UNDEFINED,
    At,
    TiffBuilder,
)
from tests.making.parts import (
    BYTES,
    WORDS,
    jpeg_picture,
    lossless,
    packed,
    preview_fields,
    rewrite_with_exiftool,
    scene,
    write_structured,
    write_with_tifffile,
)

FLOAT = 11
TRAILER = b"\x1c\x02\xdd\0\4\0\0\0\1\x1c\x02\xde\0\4\0\0\0\3" + b"\0\0\0\x12cbipcbbl"
"""What Photo Mechanic puts at the end of a file, where it looks for it: tagged, colour class 3."""
LEVELS = {50714: (SHORT, 512), 50717: (LONG, 15000)}
EIGHT_BITS = {50714: (SHORT, 8), 50717: (LONG, 234)}
ORDERS = {"II": "<", "MM": ">"}


class Layout(NamedTuple):
    """One kind of DNG."""

    write: Callable[[Path], None]
    samples: np.ndarray
    """(H, W) uint16: what it decodes to, LinearizationTable applied."""
    raw_last: bool = True
    """Whether the file ends with the samples, as most do."""
    baked: bool = False
    """Whether a LinearizationTable has to be baked in."""


def structured(samples, *, stored=None, raw=None, **options):
    """A layout written by `write_structured`, with usual levels if the raw tags state no others."""
    stored = samples if stored is None else stored
    raw = LEVELS | (raw or {})
    write = partial(write_structured, stored=stored, raw=raw, **options)
    last = options.get("order", ("data",))[-1] in ("data", "padding")
    return Layout(write, samples, raw_last=last, baked=50712 in raw)


def all_layouts():
    """Every layout by its name."""
    return (
        _basic()
        | _codings()
        | _pieces()
        | _tables()
        | _black_levels()
        | _areas()
        | _colors()
        | _private()
        | _places()
        | _rewritten()
    )


def _basic():
    """Where the samples are, how they are cut, in which byte order; by tifffile."""
    samples = scene()
    codings = {"words": WORDS, "lossless": lossless()}
    return {
        f"tifffile {order} {'SubIFD' if sub else 'IFD0'} {kind} {cut}": Layout(
            partial(
                write_with_tifffile,
                stored=samples,
                coding=coding,
                byteorder=ORDERS[order],
                in_subifd=sub,
                **pieces,
            ),
            samples,
        )
        for order in ORDERS
        for sub in (False, True)
        for kind, coding in codings.items()
        for cut, pieces in (("strips", {"rows": 48}), ("tiles", {"tile": (32, 48)}))
    } | {
        "tifffile chain of SubIFDs": Layout(
            partial(write_with_tifffile, stored=samples, in_subifd=True, previews=2), samples
        )
    }


def _codings():
    """How many bits a sample has, and how they are packed."""
    found = {}
    for bits, height, width in ((10, 96, 128), (12, 96, 131), (14, 97, 130)):
        black, white = 1 << bits - 4, (1 << bits) - 1
        levels = {50714: (SHORT, black), 50717: (LONG, white)}
        samples = scene(height, width, black=black, white=white)
        layout = partial(structured, samples, coding=packed(bits), raw=levels)
        found[f"{bits} bits packed, II"] = layout()
        found[f"{bits} bits packed, MM"] = layout(byteorder=">")
        found[f"{bits} bits packed, strips"] = layout(rows=10)
        found[f"{bits} bits packed, tiles, MM"] = layout(byteorder=">", tile=(32, 48))
    eight = scene(black=16, white=255)
    levels = {50714: (SHORT, 16), 50717: (LONG, None)}
    found["8 bits, no WhiteLevel"] = structured(eight, coding=BYTES, raw=levels)
    found["16 bits, no WhiteLevel"] = structured(
        scene(black=2000, white=65535), raw={50714: (SHORT, 2000), 50717: (LONG, None)}
    )
    jpegs = {
        "1 component": lossless(components=1),
        "predictor 7": lossless(components=1, predictor=7),
        "predictor 6": lossless(predictor=6),
        "precision 14 of 16 bits": lossless(precision=14),
        "14 bits": lossless(precision=14, bits=14),
    }
    for name, coding in jpegs.items():
        found[f"lossless, {name}"] = structured(scene(), coding=coding)
        found[f"lossless tiles, {name}"] = structured(scene(97, 131), coding=coding, tile=(32, 48))
    return found


def _pieces():
    """Strips and tiles where some readers do not look for them."""
    samples = scene(96, 129)
    even = scene()
    return {
        "strips apart": structured(samples, rows=10, lead=b"\xaa" * 40),
        "strips in reverse": structured(
            samples,
            rows=10,
            reverse=True,
            parts={"filler": bytes(30000)},  # LibRaw reads on to there
            order=("ifd0", "data", "filler"),
        ),
        "strips at even offsets": structured(samples // 64, rows=7, coding=BYTES, raw=EIGHT_BITS),
        "samples at an odd offset": structured(samples, lead=b"\xaa"),
        "lossless strips": structured(even, rows=20, coding=lossless()),
        "lossless strips apart": structured(even, rows=20, coding=lossless(), lead=b"\xaa" * 40),
        "tiles in reverse": structured(samples, tile=(32, 48), reverse=True),
        "one tile, wider than the image": structured(samples, tile=(96, 144)),
        "one lossless tile, wider": structured(samples, tile=(96, 144), coding=lossless()),
        "lossless tiles, half as wide": structured(even, tile=(96, 64), coding=lossless()),
        "512 columns": structured(scene(32, 512), tile=(32, 256)),
        "no RowsPerStrip": structured(samples, raw={278: (LONG, None)}),
        "byte counts too large": structured(samples, raw={279: (LONG, 10**8)}),
    }


def _tables():
    """A LinearizationTable, which has to be baked in: LibRaw hands out what it makes of samples."""
    found = {}
    for name, codes, coding, white in (
        ("words", 4096, WORDS, 15000),
        ("words, no WhiteLevel", 4096, WORDS, None),
        ("8 bits", 256, BYTES, 15000),
        ("12 bits packed", 4096, packed(12), 15000),
        ("lossless", 4096, lossless(precision=12, bits=12), 15000),
        ("lossless, no WhiteLevel", 4096, lossless(), None),
    ):
        table = np.rint(np.linspace(0, np.sqrt(15000), codes) ** 2).astype(np.uint16)
        stored = np.searchsorted(table, scene()).astype(np.uint16)
        raw = {50712: (SHORT, table), 50717: (LONG, white)}
        found[f"LinearizationTable, {name}"] = structured(
            table[stored], stored=stored, coding=coding, raw=raw
        )
    return found


def _black_levels():
    """Black per site, per row and per column."""
    four = (500.25, 510.5, 520.75, 530.125)
    samples = scene(black=np.reshape(four, (2, 2)))
    area = {50829: (LONG, (3, 5, 94, 126))}
    rows, cols = np.arange(91) % 7 - 3.0, np.arange(121) % 5 / 4
    per_row, per_col = {50716: (SRATIONAL, rows)}, {50715: (SRATIONAL, cols)}
    site = {50713: (SHORT, (2, 2)), 50714: (RATIONAL, four)}
    longer = {50713: (SHORT, (4, 2)), 50714: (SHORT, range(500, 508))}
    return {
        "black per site": structured(samples, raw=site),
        "black per site, odd area": structured(samples, raw=site | area),
        "black per column": structured(
            scene(), raw={50713: (SHORT, (1, 2)), 50714: (SHORT, (500, 520))}
        ),
        "black per row": structured(
            scene(), raw={50713: (SHORT, (2, 1)), 50714: (SHORT, (500, 520))}
        ),
        "black repeats in 4 rows": structured(scene(), raw=longer),
        "BlackLevelDeltaH": structured(samples, raw=site | area | per_col),
        "BlackLevelDeltaV": structured(samples, raw=site | area | per_row),
        "BlackLevelDeltaH and V": structured(scene(), raw=area | per_row | per_col),
    }


def _areas():
    """Active areas of every phase, masked areas, crops."""
    found = {}
    origins = ((3, 5), (2, 5), (3, 4), (2, 4))
    for shift, colors in enumerate(("RGGB", "GRBG", "GBRG", "BGGR")):
        cfa = {33422: (BYTE, bytes("RGB".index(color) for color in colors))}
        found[colors] = structured(scene(97, 131, seed=shift), raw=cfa)
        for top, left in (origins[0], origins[1 + shift % 3]):
            area = {50829: (LONG, (top, left, 94 - shift, 126 - shift))}
            name = f"{colors} from {top} {left}"
            found[name] = structured(scene(97, 131, seed=shift), raw=cfa | area, tile=(32, 48))
    masked = {
        50829: (LONG, (4, 16, 96, 128)),
        50830: (LONG, (0, 0, 4, 128, 4, 0, 96, 12)),
    }
    samples = scene()
    samples[:4] = samples[:, :16] = 510
    crop = {50829: (LONG, (3, 5, 94, 126)), 50719: (SHORT, (7, 3)), 50720: (SHORT, (101, 83))}
    fractions = {
        50718: (RATIONAL, [(1, 1), (3, 2)]),
        50719: (RATIONAL, [(15, 2), (7, 2)]),
        50720: (RATIONAL, [(201, 2), (161, 2)]),
        50780: (RATIONAL, [(3, 2)]),
    }
    users = {51125: (RATIONAL, [(1, 10), (0, 1), (9, 10), (1, 1)])}
    return found | {
        "MaskedAreas": structured(samples, raw=masked),
        "DefaultCrop": structured(scene(), raw=crop),
        "DefaultCrop of fractions": structured(scene(), raw=fractions, shared=users),
        "upright": structured(scene(), shared={274: (SHORT, 6)}, in_subifd=True),
        "upside down": structured(scene(97, 131), shared={274: (SHORT, 3)}),
    }


def _colors():
    """What is said of the camera's colours, and what is to be done to the picture."""
    other = tuple(value * 0.9 for value in MATRIX)
    forward = (0.6, 0.2, 0.164, 0.25, 0.7, 0.05, 0.02, 0.1, 0.705)
    calibration = (0.98, 0, 0, 0, 1, 0, 0, 0, 1.02)
    dual = {
        50721: (SRATIONAL, MATRIX),
        50722: (SRATIONAL, other),
        50723: (SRATIONAL, calibration),
        50724: (SRATIONAL, calibration),
        50727: (RATIONAL, (1.0, 1.0, 1.0)),
        50778: (SHORT, 17),
        50779: (SHORT, 21),
        50931: (ASCII, "com.adobe"),
        50932: (ASCII, "com.adobe"),
        50964: (SRATIONAL, forward),
        50965: (SRATIONAL, forward),
    }
    triple = {
        50706: (BYTE, bytes((1, 6, 0, 0))),
        52529: (SHORT, 23),
        52530: (SRATIONAL, calibration),
        52531: (SRATIONAL, MATRIX),
        52532: (SRATIONAL, forward),
    }
    baseline = {
        50730: (SRATIONAL, [(-1, 4)]),
        50731: (RATIONAL, [(3, 2)]),
        50732: (RATIONAL, [(4, 3)]),
        50734: (RATIONAL, [(9, 10)]),
        51109: (SRATIONAL, [(1, 3)]),
    }
    of_raw = {50733: (LONG, 120), 50737: (RATIONAL, [(1, 1)]), 50738: (RATIONAL, [(1, 2)])}
    white = {50728: (RATIONAL, None), 50729: (RATIONAL, (0.3127, 0.329))}
    return {
        "dual illuminant": structured(scene(), shared=dual),
        "triple illuminant": structured(scene(), shared=dual | triple, in_subifd=True),
        "AsShotWhiteXY": structured(scene(), shared=white),
        "baseline": structured(scene(), shared=baseline, raw=of_raw, in_subifd=True),
        "opcodes": structured(scene(), raw=opcode_lists(), in_subifd=True),
        "opcodes MM": structured(scene(), raw=opcode_lists(), byteorder=">"),
        "camera profile": structured(scene(), shared=dual | profile()),
        "extra camera profiles": structured(
            scene(),
            shared=profile() | {50933: (LONG, lambda at: (at["profile 1"], at["profile 2"]))},
            parts={"profile 1": extra_profile("<"), "profile 2": extra_profile(">")},
        ),
    }


def opcode_lists():
    """A constant that marks bad pixels, a gain map, and a lens correction."""
    gains = struct.pack(
        ">10I4dI4f", 0, 0, 96, 128, 0, 1, 1, 1, 2, 2, 1, 1, 0, 0, 1, 1, 1.1, 1.1, 1.2
    )
    warp = struct.pack(">I8d", 1, 1, 0.01, 0, 0, 0, 0, 0.5, 0.5)
    lists = {51008: (4, struct.pack(">2I", 0, 0)), 51009: (9, gains), 51022: (1, warp)}
    return {
        tag: (UNDEFINED, struct.pack(">5I", 1, opcode, 0x01030000, 1, len(data)) + data)
        for tag, (opcode, data) in lists.items()
    }


def profile():
    """The tags of a camera profile."""
    cube = np.linspace(0.9, 1.1, 2 * 2 * 2 * 3)
    return {
        50934: (ASCII, "Fadn Standard"),
        50936: (ASCII, "Fadn Standard"),
        50937: (LONG, (2, 2, 2)),
        50938: (FLOAT, cube),
        50939: (FLOAT, cube[::-1]),
        50940: (FLOAT, (0, 0, 0.25, 0.4, 1, 1)),
        50941: (LONG, 0),
        50942: (ASCII, "(c) Fadn"),
        50981: (LONG, (2, 2, 2)),
        50982: (FLOAT, cube),
        51107: (LONG, 0),
        51108: (LONG, 1),
        51110: (LONG, 1),
    }


def extra_profile(byteorder):
    """A camera profile as a file in the file, all its offsets its own."""
    tiff = TiffBuilder(byteorder)
    fields = {
        50708: (ASCII, "Fadn Synthetic"),
        50721: (SRATIONAL, MATRIX),
        50778: (SHORT, 21),
        50936: (ASCII, "Fadn Portrait"),
        50940: (FLOAT, (0, 0, 0.5, 0.6, 1, 1)),
    }
    ifd = tiff.add_ifd(fields)
    struct.pack_into(byteorder + "HI", tiff.buffer, 2, 0x4352, ifd)
    return bytes(tiff.buffer)


def _private():
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
                scene(),
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
        "DNGPrivateData": structured(scene(), shared=canon | {50740: (BYTE, private + notes(0))}),
        "DNGPrivateData of another maker": structured(
            scene(), shared={50740: (BYTE, b"Fadn\0" + bytes(range(250)))}
        ),
        "XMP": structured(scene(), shared={700: (BYTE, packet)}, in_subifd=True),
        "empty XMP": structured(scene(), shared={700: (BYTE, bytes(64))}),
        "digests": structured(scene(), shared=digests | {50781: (BYTE, bytes(16))}, in_subifd=True),
        "NoiseProfile": structured(
            scene(),
            raw={51041: (DOUBLE, (4e-4, 2e-5) * 3), 50710: (BYTE, bytes((0, 1, 2)))},
            in_subifd=True,
        ),
        "NoiseProfile in IFD0": structured(scene(), shared=profile_of_noise, in_subifd=True),
        "original's name and data": structured(
            scene(),
            shared={50827: (ASCII, "IMG_1.CR2"), 50828: (UNDEFINED, bytes(range(256)))},
        ),
    }


def canon_notes(byteorder, start):
    """A Canon maker note at a file offset; its own offsets count from the file's beginning."""
    texts = {6: b"Fadn Synthetic\0", 7: b"Firmware Version 1.0.0\0", 9: b"A. Photographer\0"}
    at = start + 2 + 12 * len(texts) + 4
    head = struct.pack(byteorder + "H", len(texts))
    for tag, text in texts.items():
        head += struct.pack(byteorder + "HHII", tag, ASCII, len(text), at)
        at += len(text)
    return head + bytes(4) + b"".join(texts.values())


def _places():
    """The order of the parts of a file."""
    jpegs = {f"preview {index}": jpeg_picture(seed=index) for index in (1, 2)}
    previews = {
        f"preview ifd {index}": preview_fields(jpeg)
        | {273: (LONG, lambda at, name=f"preview {index}": at[name])}
        for index, jpeg in enumerate(jpegs.values(), 1)
    }
    names = tuple(previews)
    parts = jpegs | previews
    three = {330: (LONG, lambda at: [at[name] for name in ("raw", *names)])}
    raw_second = {330: (LONG, lambda at: [at[name] for name in (names[0], "raw", names[1])])}
    jpeg = jpegs["preview 1"]
    thumbnail = preview_fields(jpeg) | {273: (LONG, lambda at: at["small"])}
    all_first = ("ifd0", "raw", *names, *jpegs, "exif", "gps", "thumbnail", "data")
    in_order = {
        "raw first": ("data", "ifd0"),
        "raw in the middle": ("ifd0", "raw", "preview 1", "data", "preview 2"),
        "raw last": all_first,
        "raw before the IFDs": ("preview 1", "preview 2", "data", "ifd0"),
    }
    found = {
        f"{name}, {kind}": structured(
            scene(),
            in_subifd=True,
            shared=three,
            parts=parts,
            order=order,
            coding=coding,
            tile=(96, 48),
        )
        for name, order in in_order.items()
        for kind, coding in (("words", WORDS), ("lossless", lossless(precision=14)))
    }
    subifd = {"in_subifd": True, "shared": three, "parts": parts}
    padding = {"padding": bytes(9)}
    found |= {
        "raw in the second SubIFD": structured(scene(), **subifd | {"shared": raw_second}),
        "IFD0 is a JPEG": structured(
            scene(), **subifd | {"shared": three | thumbnail, "parts": parts | {"small": jpeg}}
        ),
        "raw in IFD0, previews in SubIFDs": structured(
            scene(),
            shared={330: (LONG, lambda at: [at[name] for name in names])},
            parts=parts,
        ),
        "raw in IFD0, thumbnail in IFD1": structured(
            scene(),
            shared={"next": lambda at: at["preview ifd 1"]},
            parts={name: parts[name] for name in ("preview ifd 1", "preview 1")},
        ),
        "padding after the samples": structured(
            scene(), **subifd | {"parts": parts | padding, "order": (*all_first, "padding")}
        ),
    }
    for kind, coding in (("words", WORDS), ("lossless", lossless(precision=14))):
        for name, trailer in (("unknown", b"trailing data" * 10), ("Photo Mechanic", TRAILER)):
            options = subifd | {"parts": parts | {"trailer": trailer}}
            found[f"trailing data, {name}, {kind}"] = structured(
                scene(), coding=coding, order=(*all_first, "trailer"), **options
            )
    return found


def _rewritten():
    """Files that exiftool has laid out anew, with more tags."""
    arguments = (
        "-IFD0:Artist=A. Photographer",
        "-IFD0:CameraSerialNumber=1234",
        "-IFD0:DNGLensInfo=24-70mm f/2.8",
        "-ExifIFD:LensModel=Fadn 24-70",
        "-ExifIFD:UserComment=A comment",
        "-InteropIFD:InteropIndex=R98",
        "-GPS:GPSAltitude=120.5",
        "-IPTC:Keywords=one",
        "-IPTC:Keywords=two",
        "-XMP-dc:Title=A title",
        "-XMP-xmp:Rating=3",
    )
    samples = scene(176, 240)  # large enough for what they save to matter beside the XMP packet
    options = {"stored": samples, "raw": LEVELS}
    tiles = {"coding": lossless(), "tile": (32, 48)}
    sources = {
        "exiftool II IFD0": partial(write_with_tifffile, stored=samples),
        "exiftool MM SubIFD": partial(
            write_structured, **options, byteorder=">", in_subifd=True, rows=32
        ),
        "exiftool II lossless tiles": partial(write_structured, **options, **tiles),
    }

    def write(path, first):
        first(path)
        rewrite_with_exiftool(path, *arguments)

    return {
        name: Layout(partial(write, first=first), samples, raw_last="II" in name)
        for name, first in sources.items()
    }
