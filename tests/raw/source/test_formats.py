"""docs/formats.md says what is read of each format, and that is what is read."""

from pathlib import Path

import pytest

from fadn_cli.raw.source.metadata import read_blocks
from fadn_cli.raw.tiff.tags import Tag
from tests.making import containers
from tests.making.ciff import as_crw, photograph
from tests.making.containers import EXIF, GPS, SHARED, XMP, exif_jpeg, tiff_bytes
from tests.making.kodak import as_dcr
from tests.making.pictures import jpeg
from tests.making.tiff import ASCII, BYTE, RATIONAL, UNDEFINED

PAGE = Path(__file__).parents[3] / "docs" / "formats.md"
LENS = {
    42033: (ASCII, "000123"),
    42034: (RATIONAL, [(24, 1), (70, 1), (28, 10), (0, 0)]),
    33437: (RATIONAL, [(28, 10)]),
    37386: (RATIONAL, [(50, 1)]),
}
ROOT = SHARED | {700: (BYTE, XMP)}
IN_IFD0 = {  # as a DC120 has them
    tag: (EXIF | LENS)[tag] for tag in (33434, 33437, 36867, 37386)
}


def as_tiff(magic=b"", **more):
    """A TIFF with everything, and a JPEG."""
    preview = {46: (UNDEFINED, exif_jpeg(tiff_bytes({}, exif=EXIF)))}
    content = tiff_bytes(ROOT | preview | more.get("extra", {}), exif=EXIF | LENS, gps=GPS)
    return magic + content[len(magic) :]


FILES = {
    "DNG": lambda: as_tiff(extra={50706: (BYTE, (1, 4, 0, 0))}),
    "NEF": as_tiff,
    "ORF": lambda: as_tiff(b"IIRO"),
    "RW2": lambda: as_tiff(b"IIU\0"),
    "CR3": containers.as_cr3,
    "RAF": containers.as_raf,
    "MRW": containers.as_mrw,
    "CRW": lambda: as_crw(photograph() | {0x2007: jpeg()}),
    "DCR": lambda: as_dcr(SHARED),
    "KDC": lambda: tiff_bytes(SHARED | IN_IFD0, byteorder=">"),
    "any": lambda: b"who knows" * 30,
}
"""A file of each row, by the row's first word."""


def rows():
    """The rows of the table: {first word: {field: cell}}."""
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line[:1] == "|"]
    (_, *fields), _, *table = ([cell.strip() for cell in line.split("|")[1:-1]] for line in lines)
    return {
        cells[0].split()[0].strip(","): dict(zip(fields, cells[1:], strict=True)) for cells in table
    }


def said(blocks):
    """What a file says, in the table's words."""
    exposure = (blocks.exposure_time, blocks.find(Tag.F_NUMBER), blocks.find(Tag.FOCAL_LENGTH))
    lens = blocks.find(Tag.LENS_SPECIFICATION) or blocks.find(Tag.LENS_MODEL)
    return {
        "camera": bool(blocks.make and blocks.model and blocks.orientation),
        "ISO speed": blocks.iso is not None,
        "exposure": all(exposure),
        "date": blocks.find(Tag.DATE_TIME_ORIGINAL) is not None,
        "lens": lens is not None,
        "serial number": blocks.find(Tag.BODY_SERIAL_NUMBER) is not None,
        "GPS": bool(blocks.gps),
        "maker note": blocks.maker_note is not None,
        "XMP": blocks.xmp is not None,
        "preview": blocks.preview is not None,
    }


def test_every_row_has_its_file():
    assert list(FILES) == list(rows())


@pytest.mark.parametrize("name", FILES)
def test_what_the_table_says_is_read_is_read_and_nothing_else(tmp_path, monkeypatch, name):
    monkeypatch.setattr(containers, "EXIF", EXIF | LENS)
    path = tmp_path / "a.raw"
    path.write_bytes(FILES[name]())

    found = said(read_blocks(path))

    assert {field: cell == "yes" for field, cell in rows()[name].items()} == found
