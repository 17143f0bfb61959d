"""Small synthetic DNGs, stated in words."""

from tests.making.dng.fields import CAMERA, MATRIX, NEUTRAL, TIME
from tests.making.parts import ifd0_with_raw, point_to, write_mosaic
from tests.making.tiff import ASCII, BYTE, DOUBLE, LONG, RATIONAL, SHORT, SRATIONAL


def write_dng(
    path,
    samples,
    *,
    cfa="RGGB",
    cfa_dim=(2, 2),
    byteorder="<",
    black=(512,),
    black_repeat=(1, 1),
    delta_h=None,
    delta_v=None,
    white=15000,
    active_area=None,
    noise_profile=None,
    linearization=None,
    tile=None,
    rows_per_strip=None,
    in_subifd=False,
    iso=400,
    exposure_time=(1, 125),
    orientation=1,
    make="Fadn",
    model="Synthetic",
    neutral=NEUTRAL,
    color_matrix=MATRIX,
    illuminant=21,
    extra=None,
    extra_raw=None,
):
    """Write an uncompressed 16-bit mosaic DNG and return its path.

    Parameters
    ----------
    samples : (H, W) uint16
        What LibRaw will decode (before `linearization`).
    cfa, cfa_dim : str, (rows, cols)
        Colours row by row from the active area's top-left; more letters with a larger dimension.
    black, black_repeat : sequence of numbers or (num, den) pairs in a list, (rows, cols)
        Pattern from the active area's top-left.
    active_area : (top, left, bottom, right), optional
    tile : (height, width), optional
        Write tiles instead of strips.
    in_subifd : bool
        Put a thumbnail into IFD0 and the raw into a SubIFD.
    extra, extra_raw : {tag: (type, values)}, optional
        Added to, or replacing in, IFD0 and the raw IFD; values None drop the tag.
    """
    raw = {
        33421: (SHORT, cfa_dim),
        33422: (BYTE, ["RGBCMYW".index(color) for color in cfa]),
        50711: (SHORT, 1),
        50712: (SHORT, linearization),
        50713: (SHORT, black_repeat),
        50714: (RATIONAL, black),
        50715: (SRATIONAL, delta_h),
        50716: (SRATIONAL, delta_v),
        50717: (LONG, white),
        50829: (LONG, active_area),
        51041: (DOUBLE, noise_profile),
    }
    exif = {33434: (RATIONAL, [exposure_time]), 34855: (SHORT, iso), 36867: TIME}
    shared = CAMERA | {
        271: (ASCII, make),
        272: (ASCII, model),
        274: (SHORT, orientation),
        306: TIME,
        34665: point_to("exif"),
        50708: (ASCII, f"{make} {model}"),
        50721: (SRATIONAL, color_matrix),
        50728: (RATIONAL, neutral),
        50778: (SHORT, illuminant),
    }
    parts = ifd0_with_raw(shared | (extra or {}), raw | (extra_raw or {}), in_subifd=in_subifd)
    return write_mosaic(
        path,
        samples,
        parts | {"exif": exif},
        ("data", "exif", "thumbnail", "raw", "ifd0"),
        byteorder=byteorder,
        tile=tile,
        rows=rows_per_strip,
    )
