"""The text of Kodak's professional cameras, in an IFD of theirs."""

from tests.making.tiff import ASCII, BYTE, LONG, TiffBuilder

TEXT = """Camera body: DCS Pro SLR/n
Serial Number: 512-0815
Date: 2004/01/02
Time: 03:04:05
ISO Speed: 400
Aperture: f5.6
Shutter: 1/125
Focal Length: 35.0 mm
Lens: 24.0 to 85.0 mm f/2.8-4.0
"""


def as_dcr(fields, *, text=TEXT, byteorder=">"):
    """A TIFF without pixels whose IFD0 points to Kodak's IFD."""
    tiff = TiffBuilder(byteorder)
    inner = {0x0000: (BYTE, (1, 0, 0, 0)), 0x03F1: (ASCII, text)}
    fields = dict(fields) | {33424: (LONG, tiff.add_ifd(inner))}
    return tiff.close(tiff.add_ifd(fields))
