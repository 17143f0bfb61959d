"""DNGs with previews of all kinds, as cameras write them, for the tests of what becomes of those.

The photograph is one that cannot be mistaken for itself turned or mirrored. Nothing of the
product's own code is used.
"""

import io
from typing import NamedTuple

import numpy as np
from PIL import Image

from tests.making.dng.write import (
    ASCII,
    BYTE,
    LONG,
    MATRIX,
    RATIONAL,
    SHORT,
    SRATIONAL,
    TiffBuilder,
)

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


def scene(height=HEIGHT, width=WIDTH):
    """Linear light, 0 to 1, grey: a slope, a bright disc at the top left, a dark one below."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32) / np.float32(min(height, width))
    light = 0.12 + 0.1 * x + 0.05 * y
    light += 0.5 * ((x - 0.4) ** 2 + (y - 0.35) ** 2 < 0.05)
    light -= 0.1 * ((x - 0.9) ** 2 + (y - 0.8) ** 2 < 0.02)
    return light


def noisy_scene(height=HEIGHT, width=WIDTH, seed=0):
    """The scene as a (H, W) uint16 mosaic with noise."""
    light = scene(height, width)
    rng = np.random.default_rng(seed)
    x = light + rng.normal(size=light.shape) * np.sqrt(2e-3 * light + 1e-5)
    return np.clip(np.rint(x * (WHITE - BLACK) + BLACK), 0, WHITE).astype(np.uint16)


def encoded(light, stops=0.0):
    """Linear light as an sRGB picture, (height, width, 3) uint8."""
    light = np.clip(light * 2**stops, 0, 1)
    tones = np.where(light < 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.repeat(np.rint(tones * 255).astype(np.uint8)[..., None], 3, axis=2)


def drawn(preview, orientation=1, shape=(HEIGHT, WIDTH)):
    """What a preview shows, (height, width, 3) uint8; black bars, or a cut, where it must."""
    picture = encoded(scene(*shape), preview.stops)
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


def jpeg_bytes(picture, quality=95):
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def picture_fields(tiff, preview, **shown):
    """Append a preview's data; return the tags that describe it."""
    picture = drawn(preview, **shown)
    is_rgb = preview.kind == "rgb"
    data = picture.tobytes() if is_rgb else jpeg_bytes(picture)
    fields = {
        254: (LONG, preview.subfile_type),
        256: (LONG, preview.width),
        257: (LONG, preview.height),
        258: (SHORT, (8, 8, 8)),
        259: (SHORT, 1 if is_rgb else 7),
        262: (SHORT, 2 if is_rgb else 6),
        273: (LONG, tiff.add(data)),
        277: (SHORT, 3),
        278: (LONG, preview.height),
        279: (LONG, len(data)),
        50966: (ASCII, "Camera Firmware"),
        50967: (ASCII, "1.0"),
        50968: (ASCII, "Vivid"),
        50969: (BYTE, bytes(range(16))),
        50971: (ASCII, "2026-01-02T03:04:05+00:00"),
    }
    if preview.space is not None:
        fields[50970] = (LONG, preview.space)
    return fields


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
    height, width = samples.shape
    tiff = TiffBuilder(byteorder)
    shown = {"orientation": orientation, "shape": (height, width)}
    early = [tiff.add_ifd(picture_fields(tiff, each, **shown)) for each in before]
    strip = pack(samples, bits, byteorder)
    place = 0 if raw_last else tiff.add(strip)
    raw = {
        254: (LONG, 0),
        256: (LONG, width),
        257: (LONG, height),
        258: (SHORT, bits),
        259: (SHORT, 1),
        262: (SHORT, 32803),
        273: (LONG, place),
        277: (SHORT, 1),
        278: (LONG, height),
        279: (LONG, len(strip)),
        284: (SHORT, 1),
        33421: (SHORT, (2, 2)),
        33422: (BYTE, (0, 1, 1, 2)),
        50714: (RATIONAL, (BLACK,)),
        50717: (LONG, WHITE),
    } | (extra_raw or {})
    shared = {
        271: (ASCII, "Fadn"),
        272: (ASCII, "Synthetic"),
        274: (SHORT, orientation),
        306: (ASCII, "2026:01:02 03:04:05"),
        50706: (BYTE, (1, 4, 0, 0)),
        50707: (BYTE, (1, 1, 0, 0)),
        50708: (ASCII, "Fadn Synthetic"),
        50721: (SRATIONAL, MATRIX),
        50728: (RATIONAL, (1.0, 1.0, 1.0)),
        50778: (SHORT, 21),
    } | (extra or {})
    chain = 0
    for each in reversed(chained):
        data = jpeg_bytes(drawn(each, **shown))
        fields = {259: (SHORT, 6), 513: (LONG, tiff.add(data)), 514: (LONG, len(data))}
        chain = tiff.add_ifd(fields, chain)
    late = [tiff.add_ifd(picture_fields(tiff, each, **shown)) for each in behind]
    first = picture_fields(tiff, thumbnail, **shown) if thumbnail else {}
    last = {}
    if tail:
        last = picture_fields(TiffBuilder(byteorder), tail, **shown)
        picture = jpeg_bytes(drawn(tail, **shown))
    if raw_last:  # where things are is known once everything else is laid out
        end = len(finished(tiff, raw, first | shared, early, late, chain, tail and last).buffer)
        raw[273] = (LONG, end + end % 2)
        last[273] = (LONG, end + end % 2 + len(strip) + len(strip) % 2)
    done = finished(tiff, raw, first | shared, early, late, chain, tail and last)
    if raw_last:
        done.add(strip)
    if tail:
        done.add(picture)
    path.write_bytes(done.buffer)
    return path


def finished(tiff, raw, shared, early, late, chain, tail):
    """A copy of a file with its raw IFD, one more preview's, and IFD0 added."""
    done = TiffBuilder(tiff.byteorder)
    done.buffer = bytearray(tiff.buffer)
    late = [*late, done.add_ifd(tail)] if tail else late
    if 262 in shared:
        subs = [*early, done.add_ifd(raw), *late]
    else:
        shared, subs = shared | raw, [*early, *late]
    fields = shared | ({330: (LONG, subs)} if subs else {})
    ifd0 = done.add_ifd(fields, chain)
    done.buffer[4:8] = done.encode(LONG, ifd0)
    return done


def pack(samples, bits, byteorder):
    """Samples as a strip; packed ones begin with their highest bit, rows with a byte."""
    if bits == 16:
        return samples.astype(byteorder + "u2").tobytes()
    rows = []
    for row in samples.tolist():
        text = "".join(f"{value:0{bits}b}" for value in row)
        text += "0" * (-len(text) % 8)
        rows.append(int(text, 2).to_bytes(len(text) // 8, "big"))
    return b"".join(rows)
