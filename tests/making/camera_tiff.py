"""A camera's plain uncompressed raw: a stand-in for a NEF, ARW, PEF or CR2."""

from tests.making.dng.fields import GPS, TIME
from tests.making.parts import point_to, write_mosaic
from tests.making.tiff import ASCII, LONG, RATIONAL, SHORT, UNDEFINED, At

CAMERAS = {
    "nef": ("NIKON CORPORATION", "NIKON D800"),
    "arw": ("SONY", "ILCE-7"),
    "pef": ("PENTAX", "PENTAX K-5"),
    "cr2": ("Canon", "Canon EOS 550D"),
}
"""Cameras whose uncompressed 14-bit TIFF LibRaw decodes bit for bit, by suffix."""
HEADER = 8


def write_camera_tiff(
    path,
    samples,
    *,
    make="NIKON CORPORATION",
    model="NIKON D800",
    byteorder="<",
    iso=800,
    exposure_time=(1, 60),
    orientation=1,
    gps=True,
    preview=None,
    maker_note=None,
    extra=None,
    extra_exif=None,
):
    """Write a camera's plain uncompressed raw and return its path.

    LibRaw goes by Make and Model: it decodes the samples bit for bit as RGGB and adds that
    camera's matrix and white level. It hides the last 46 columns of a D800, as masked.
    BlackLevel (50714) and AsShotNeutral (50728) in `extra` give black and white balance; without
    them black is 0 and the white balance unknown.

    Parameters
    ----------
    samples : (H, W) uint16
        At most 14 bits, even sides.
    preview : bytes, optional
        A JPEG, put into a second IFD.
    maker_note : (offset, bytes), optional
        The camera's own notes, and the even offset they are to lie at.
    extra, extra_exif : {tag: (type, values)}, optional
        Added to, or replacing in, IFD0 and the EXIF IFD; values None drop the tag.
    """
    exif = {
        33434: (RATIONAL, [exposure_time]),
        33437: (RATIONAL, [(28, 10)]),
        34855: (SHORT, iso),
        36864: (UNDEFINED, b"0230"),
        36867: TIME,
        37386: (RATIONAL, [(50, 1)]),
    }
    fields = {
        258: (SHORT, 14),
        270: (ASCII, "A synthetic scene"),
        271: (ASCII, make),
        272: (ASCII, model),
        274: (SHORT, orientation),
        305: (ASCII, "Ver.1.00"),
        306: TIME,
        315: (ASCII, "A. Photographer"),
        33432: (ASCII, "(c) A. Photographer"),
        34665: point_to("exif"),
        "next": lambda at: at["ifd1"],
    }
    parts = {}
    if maker_note is not None:
        offset, note = maker_note
        parts |= {"padding": bytes(offset - HEADER), "note": note}
        exif[37500] = (UNDEFINED, lambda at: At(at["note"], len(note)))
    if gps:
        parts["gps"] = GPS
        fields[34853] = point_to("gps")
    if preview is not None:
        parts["preview"] = preview
        parts["ifd1"] = {259: (SHORT, 6), 513: point_to("preview"), 514: (LONG, len(preview))}
    parts |= {"exif": exif | (extra_exif or {}), "ifd0": fields | (extra or {})}
    order = ("padding", "note", "exif", "data", "gps", "preview", "ifd1", "ifd0")
    return write_mosaic(path, samples, parts, order, byteorder=byteorder)
