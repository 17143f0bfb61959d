"""The order of the parts of a file."""

from tests.making.codings import WORDS, lossless
from tests.making.dng.fields import picture_fields
from tests.making.layouts.layout import structured
from tests.making.mosaics import smooth_samples
from tests.making.pictures import jpeg
from tests.making.tiff import LONG

TRAILER = b"\x1c\x02\xdd\0\4\0\0\0\1\x1c\x02\xde\0\4\0\0\0\3" + b"\0\0\0\x12cbipcbbl"
"""What Photo Mechanic puts at the end of a file, where it looks for it: tagged, colour class 3."""


def layouts():
    """The order of the parts of a file."""
    jpegs = {f"preview {index}": jpeg(32, 48, seed=index) for index in (1, 2)}
    previews = {
        f"preview ifd {index}": preview_fields(picture)
        | {273: (LONG, lambda at, name=f"preview {index}": at[name])}
        for index, picture in enumerate(jpegs.values(), 1)
    }
    names = tuple(previews)
    parts = jpegs | previews
    three = {330: (LONG, lambda at: [at[name] for name in ("raw", *names)])}
    raw_second = {330: (LONG, lambda at: [at[name] for name in (names[0], "raw", names[1])])}
    picture = jpegs["preview 1"]
    thumbnail = preview_fields(picture) | {273: (LONG, lambda at: at["small"])}
    all_first = ("ifd0", "raw", *names, *jpegs, "exif", "gps", "thumbnail", "data")
    in_order = {
        "raw first": ("data", "ifd0"),
        "raw in the middle": ("ifd0", "raw", "preview 1", "data", "preview 2"),
        "raw last": all_first,
        "raw before the IFDs": ("preview 1", "preview 2", "data", "ifd0"),
    }
    found = {
        f"{name}, {kind}": structured(
            smooth_samples(),
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
        "raw in the second SubIFD": structured(smooth_samples(), **subifd | {"shared": raw_second}),
        "IFD0 is a JPEG": structured(
            smooth_samples(),
            **subifd | {"shared": three | thumbnail, "parts": parts | {"small": picture}},
        ),
        "raw in IFD0, previews in SubIFDs": structured(
            smooth_samples(),
            shared={330: (LONG, lambda at: [at[name] for name in names])},
            parts=parts,
        ),
        "raw in IFD0, thumbnail in IFD1": structured(
            smooth_samples(),
            shared={"next": lambda at: at["preview ifd 1"]},
            parts={name: parts[name] for name in ("preview ifd 1", "preview 1")},
        ),
        "padding after the samples": structured(
            smooth_samples(),
            **subifd | {"parts": parts | padding, "order": (*all_first, "padding")},
        ),
    }
    for kind, coding in (("words", WORDS), ("lossless", lossless(precision=14))):
        for name, trailer in (("unknown", b"trailing data" * 10), ("Photo Mechanic", TRAILER)):
            options = subifd | {"parts": parts | {"trailer": trailer}}
            found[f"trailing data, {name}, {kind}"] = structured(
                smooth_samples(), coding=coding, order=(*all_first, "trailer"), **options
            )
    return found


def preview_fields(picture):
    """The tags of a preview's IFD, but for where it is."""
    return picture_fields(32, 48, len(picture)) | {50970: (LONG, 2)}
