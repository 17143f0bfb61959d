"""What every DNG has to say, as {tag: (type, values)}."""

from tests.making.tiff import ASCII, BYTE, LONG, RATIONAL, SHORT, SRATIONAL, UNDEFINED

MATRIX = (0.6722, -0.0635, -0.0963, -0.4287, 1.2460, 0.2028, -0.0908, 0.2162, 0.5668)
NEUTRAL = (0.5, 1.0, 0.625)
TIME = (ASCII, "2026:01:02 03:04:05")
CAMERA = {
    271: (ASCII, "Fadn"),
    272: (ASCII, "Synthetic"),
    274: (SHORT, 1),
    50706: (BYTE, (1, 4, 0, 0)),
    50707: (BYTE, (1, 1, 0, 0)),
    50708: (ASCII, "Fadn Synthetic"),
    50721: (SRATIONAL, MATRIX),
    50728: (RATIONAL, NEUTRAL),
    50778: (SHORT, 21),
}
"""Of IFD0, wherever the samples are."""
EXIF = {
    33434: (RATIONAL, [(1, 125)]),
    33437: (RATIONAL, [(28, 10)]),
    34855: (SHORT, 400),
    36864: (UNDEFINED, b"0230"),
    36867: TIME,
}
GPS = {
    0: (BYTE, (2, 3, 0, 0)),
    1: (ASCII, "N"),
    2: (RATIONAL, [(48, 1), (8, 1), (30, 1)]),
    3: (ASCII, "E"),
    4: (RATIONAL, [(11, 1), (34, 1), (31, 1)]),
}
CFA = {33421: (SHORT, (2, 2)), 33422: (BYTE, (0, 1, 1, 2))}


def mosaic_fields(height, width, *, bits=16, compression=1):
    """A mosaic's, but for where its strips or tiles are."""
    return {
        254: (LONG, 0),
        256: (LONG, width),
        257: (LONG, height),
        258: (SHORT, bits),
        259: (SHORT, compression),
        262: (SHORT, 32803),
        277: (SHORT, 1),
        284: (SHORT, 1),
        **CFA,
    }


def picture_fields(height, width, size, *, is_jpeg=True):
    """Those of a picture of one strip of so many bytes, but for where that is."""
    return {
        254: (LONG, 1),
        256: (LONG, width),
        257: (LONG, height),
        258: (SHORT, (8, 8, 8)),
        259: (SHORT, 7 if is_jpeg else 1),
        262: (SHORT, 6 if is_jpeg else 2),
        277: (SHORT, 3),
        278: (LONG, height),
        279: (LONG, size),
        284: (SHORT, 1),
    }


PIXELS = bytes(range(192))
"""A picture of 8 x 8 pixels."""
THUMBNAIL = picture_fields(8, 8, len(PIXELS), is_jpeg=False)
