"""What other writers make of a DNG: tifffile, and exiftool, which lays a file out anew."""

from functools import partial

from tests.making.codings import WORDS, lossless
from tests.making.dng.foreign import rewrite_with_exiftool, write_with_tifffile
from tests.making.layouts.layout import LEVELS, ORDERS, Layout, write_structured
from tests.making.mosaics import smooth_samples


def basic():
    """Where the samples are, how they are cut, in which byte order; by tifffile."""
    samples = smooth_samples()
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


def rewritten():
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
    samples = smooth_samples(
        176, 240
    )  # large enough for what they save to matter beside the XMP packet
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
