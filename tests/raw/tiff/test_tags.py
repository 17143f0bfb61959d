"""The numbers are the standards' numbers."""

import pytest

from fadn_cli.raw.tiff.file import POINTER_TAGS, FieldType
from fadn_cli.raw.tiff.tags import DATA_OFFSETS, ILLUMINANT_KELVIN, Tag, make_field, tag_name
from fadn_cli.raw.tiff.write import build_header, build_ifd
from tests.programs.exiftool import exiftool, need_exiftool

EXIFTOOL_NAMES = {
    "NewSubfileType": "SubfileType",
    "ImageLength": "ImageHeight",
    "DateTime": "ModifyDate",
    "DateTimeDigitized": "CreateDate",
    "ISOSpeedRatings": "ISO",
    "ExposureBiasValue": "ExposureCompensation",
    "CFAPattern": "CFAPattern2",
    "TIFFEPStandardID": "TIFF-EPStandardID",
    "BodySerialNumber": "SerialNumber",
    "LensInfo": "DNGLensInfo",
    "LensSpecification": "LensInfo",
    "PixelXDimension": "ExifImageWidth",
    "PixelYDimension": "ExifImageHeight",
    "CameraCalibrationSignature": "CameraCalibrationSig",
    "ProfileCalibrationSignature": "ProfileCalibrationSig",
    "OriginalBestQualityFinalSize": "OriginalBestQualitySize",
}
"""Where ExifTool's names differ from the standards'."""
NOT_ASKED = (*POINTER_TAGS, *DATA_OFFSETS, *DATA_OFFSETS.values(), Tag.MAKER_NOTE, Tag.XMP)
"""Tags that ExifTool follows or interprets instead of printing."""
NOT_ASKED += (Tag.IPTC, Tag.ICC_PROFILE, Tag.DNG_PRIVATE_DATA, Tag.ORIGINAL_RAW_FILE_DATA)
SAMPLES = {FieldType.ASCII: "1", FieldType.UNDEFINED: b"0000", FieldType.BYTE: b"0000"}


def test_the_four_pointers_of_the_structure_have_names():
    names = {Tag.SUB_IFDS, Tag.EXIF_IFD, Tag.GPS_IFD, Tag.INTEROPERABILITY_IFD}

    assert POINTER_TAGS == {int(tag) for tag in names}


def test_unknown_tags_are_named_by_number():
    assert "tag 12345" == tag_name(12345)
    assert "NoiseProfile" == tag_name(51041)


@pytest.mark.parametrize(("tag", "value"), ((Tag.ORIENTATION, 1), (Tag.NOISE_PROFILE, 0.5)))
def test_a_single_number_needs_no_list(tag, value):
    assert (value,) == make_field(tag, value).values


def test_daylight_is_6504_kelvin():
    assert 6504 == ILLUMINANT_KELVIN[21]
    assert 2856 == ILLUMINANT_KELVIN[17]


@need_exiftool
def test_exiftool_knows_every_number_by_the_same_name(tmp_path):
    asked = [tag for tag in Tag if tag not in NOT_ASKED]
    fields = [
        make_field(tag, SAMPLES[tag.type])
        if tag.type in SAMPLES
        else make_field(tag, [(1, 1)] * 9 if "RATIONAL" in tag.type.name else (1, 1))
        for tag in asked
    ]
    path = tmp_path / "all.dng"
    path.write_bytes(build_header("<") + build_ifd(fields, byteorder="<", at_offset=8))

    said = exiftool(path, "-u", "-H", "-s", "-n", "-G1", "-a")

    rows = [line.split()[1:3] for line in said.splitlines() if line.startswith("[IFD0]")]
    found = {int(number, 16): name.lower() for number, name in rows if number.startswith("0x")}
    found = {number: name for number, name in found.items() if not name.startswith("exif_0x")}
    labels = {int(tag): EXIFTOOL_NAMES.get(tag.label, tag.label).lower() for tag in asked}
    assert len(found) > 0.9 * len(asked)
    assert {number: labels[number] for number in found} == found
