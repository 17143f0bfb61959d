"""DNGs with previews of all kinds, as cameras write them, for the tests of what becomes of those.

Nothing of the product's own code is used.
"""

from typing import NamedTuple

import numpy as np
from PIL import Image

from tests.making.codings import plain
from tests.making.dng import fields
from tests.making.parts import point_to, write_mosaic
from tests.making.pictures import encoded, jpeg_bytes, light
from tests.making.tiff import ASCII, BYTE, LONG, RATIONAL, SHORT

BLACK, WHITE = 512, 15000
HEIGHT, WIDTH = 192, 288
UPRIGHT = {
    1: lambda p: p,
    2: lambda p: p[:, ::-1],
    3: lambda p: p[::-1, ::-1],
    6: lambda p: np.rot90(p, -1),
    8: lambda p: np.rot90(p, 1),
}
"""How a picture is turned upright, by EXIF orientation."""


class Preview(NamedTuple):
    """One preview; `kind` is jpeg, rgb or exif (a JPEG in the chain behind IFD0)."""

    height: int
    width: int
    kind: str = "jpeg"
    stops: float = 0.0
    upright: bool = False
    space: int | None = 2
    subfile_type: int = 1
    bars: bool = True


THUMBNAIL = Preview(80, 120, "rgb")
USUAL = (Preview(96, 144), Preview(192, 288))


def noisy_scene(height=HEIGHT, width=WIDTH, seed=0):
    """The drawn light as a (H, W) uint16 mosaic with noise."""
    clean = light(height, width)
    rng = np.random.default_rng(seed)
    x = clean + rng.normal(size=clean.shape) * np.sqrt(2e-3 * clean + 1e-5)
    return np.clip(np.rint(x * (WHITE - BLACK) + BLACK), 0, WHITE).astype(np.uint16)


def drawn(preview, orientation=1, shape=(HEIGHT, WIDTH)):
    """What a preview shows, (height, width, 3) uint8; black bars, or a cut, where it must."""
    picture = encoded(light(*shape), preview.stops)
    if preview.upright:
        picture = UPRIGHT[orientation](picture)
    height, width, _ = picture.shape
    limits = preview.height / height, preview.width / width
    scale = min(limits) if preview.bars else max(limits)
    if np.ptp(limits) < 0.02 * scale:
        size = (preview.width, preview.height)
    else:
        size = (round(width * scale), round(height * scale))
    small = Image.fromarray(picture).resize(size)
    canvas = Image.new("RGB", (preview.width, preview.height))
    canvas.paste(small, ((preview.width - size[0]) // 2, (preview.height - size[1]) // 2))
    return np.asarray(canvas)


def preview_parts(place, previews, **shown):
    """The data of each preview, and the fields of its IFD, called by its place and number."""
    parts = {}
    for name, preview in ((f"{place} {index}", each) for index, each in enumerate(previews)):
        picture = drawn(preview, **shown)
        is_jpeg = preview.kind != "rgb"
        data = jpeg_bytes(picture) if is_jpeg else picture.tobytes()
        size = (preview.height, preview.width, len(data))
        parts[f"{name} data"] = data
        parts[name] = fields.picture_fields(*size, is_jpeg=is_jpeg) | {
            254: (LONG, preview.subfile_type),
            273: point_to(f"{name} data"),
            50966: (ASCII, "Camera Firmware"),
            50967: (ASCII, "1.0"),
            50968: (ASCII, "Vivid"),
            50969: (BYTE, bytes(range(16))),
            50970: (LONG, preview.space),
            50971: (ASCII, "2026-01-02T03:04:05+00:00"),
        }
    return parts


def chained_parts(chained, **shown):
    """EXIF thumbnails, and the IFDs that lead from one to the next, the last one first."""
    parts = {}
    for index, preview in reversed(list(enumerate(chained))):
        data = jpeg_bytes(drawn(preview, **shown))
        parts[f"chained {index} data"] = data
        parts[f"chained {index}"] = {
            259: (SHORT, 6),
            513: point_to(f"chained {index} data"),
            514: (LONG, len(data)),
            "next": lambda at, following=f"chained {index + 1}": at[following],
        }
    return parts


def write_previewed(
    path,
    samples=None,
    *,
    thumbnail=THUMBNAIL,
    before=(),
    behind=USUAL,
    chained=(),
    orientation=1,
    byteorder="<",
    raw_last=False,
    tail=None,
    bits=16,
    extra=None,
    extra_raw=None,
):
    """Write a DNG whose raw image lies in a SubIFD, among previews, and return its path.

    Parameters
    ----------
    thumbnail : Preview, optional
        In IFD0; without one the raw image is there.
    before, behind : sequence of Preview
        SubIFDs with data before that of the raw image, and behind it.
    chained : sequence of Preview
        EXIF thumbnails in the chain behind IFD0; nothing but compression and place is stated.
    raw_last : bool
        Put the raw data at the file's end.
    tail : Preview, optional
        One more SubIFD, whose data follows the raw data that is last.
    bits : int
        Of the samples; below 16 they are packed.
    extra, extra_raw : {tag: (type, values)}, optional
        Added to IFD0 and the raw IFD.
    """
    samples = noisy_scene() if samples is None else samples
    shown = {"orientation": orientation, "shape": samples.shape}
    early = preview_parts("before", before, **shown)
    chain = chained_parts(chained, **shown)
    late = preview_parts("behind", behind, **shown)
    last = preview_parts("last", [tail] if tail else [], **shown)
    first = preview_parts("thumbnail", [thumbnail] if thumbnail else [], **shown)
    shared = fields.CAMERA | {
        274: (SHORT, orientation),
        306: fields.TIME,
        50728: (RATIONAL, (1.0, 1.0, 1.0)),
        "next": lambda at: at["chained 0"],
    }
    shared |= extra or {}
    raw = {50714: (RATIONAL, (BLACK,)), 50717: (LONG, WHITE)} | (extra_raw or {})
    subs = [name for name in (*early, "raw", *late, *last) if not name.endswith("data")]
    if thumbnail:
        own = {"raw": raw, "ifd0": first.pop("thumbnail 0") | shared}
    else:
        own = {"ifd0": raw | shared}
        subs.remove("raw")
    own["ifd0"] |= {330: (LONG, (lambda at: [at[name] for name in subs]) if subs else None)}
    front, rest = [*early], [*chain, *late, "thumbnail 0 data", "last 0", "raw", "ifd0"]
    return write_mosaic(
        path,
        samples,
        early | chain | late | last | first | own,
        [*front, *rest, "data", "last 0 data"] if raw_last else [*front, "data", *rest],
        coding=plain(bits),
        byteorder=byteorder,
    )
