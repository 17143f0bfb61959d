"""Outputs are called as the user wants, whatever a file says of itself."""

import os
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fadn_cli.batch.naming import (
    EXTENSIONS,
    FIELDS,
    UNKNOWN,
    NameTemplate,
    sanitize,
    suffix_template,
)
from fadn_cli.batch.shot import Shot, read_shot
from tests.making.dng.write import write_dng
from tests.making.mosaics import noisy_samples

SHOT = Shot(
    make="NIKON CORPORATION",
    camera="NIKON Z 8",
    iso=3200,
    date=datetime(2026, 11, 5, 17, 4, 9),
)
SOURCE = Path("trips/Rome/DSC_1.NEF")


def fill(text, shot=SHOT, *, source=SOURCE, format="dng"):
    return NameTemplate(text).fill(source, shot, format)


@pytest.mark.parametrize(
    ("text", "name"),
    (
        ("{stem}_denoised{ext}", "DSC_1_denoised.dng"),
        ("{camera} {iso}/{stem}{ext}".replace("/", "-"), "NIKON Z 8 3200-DSC_1.dng"),
        ("{stem}_{ext_source}{ext}", f"DSC_1_{SOURCE.suffix[1:]}.dng"),
        ("{make}{ext}", "NIKON CORPORATION.dng"),
        ("{date}_{stem}{ext}", "2026-11-05_DSC_1.dng"),
        ("{date:%Y%m%d-%H%M%S}{ext}", "20261105-170409.dng"),
        ("{folder}_{stem}.dng", "Rome_DSC_1.dng"),
        ("{{{stem}}}{ext}", "{DSC_1}.dng"),
    ),
)
def test_fields_are_filled_in(text, name):
    assert name == fill(text)


def test_the_extension_is_the_formats():
    assert "DSC_1.tif" == fill("{stem}{ext}", format="tiff")


@pytest.mark.parametrize("field", ("make", "camera", "iso", "date", "date:%H"))
def test_what_a_file_does_not_say_has_a_stand_in(field):
    assert f"{UNKNOWN}.dng" == fill(f"{{{field}}}{{ext}}", Shot())


@pytest.mark.parametrize(
    "text",
    (
        "a/{stem}{ext}",
        "a\\{stem}{ext}",
        "a\0{ext}",
        "{date:%Y/%m}{ext}",
        "{lens}{ext}",
        "{}{ext}",
        "{0}{ext}",
        "{stem.parent}{ext}",
        "{stem[0]}{ext}",
        "{stem!r}{ext}",
        "{iso:05d}{ext}",
        "{date:x}{ext}",
        "{stem",
        "stem}",
    ),
)
def test_what_is_no_template_is_refused(text):
    with pytest.raises(ValueError, match="cannot be used"):
        NameTemplate(text)


@pytest.mark.parametrize(
    ("text", "format", "fits"),
    (
        ("{stem}{ext}", "dng", True),
        ("{stem}.DNG", "dng", True),
        ("{stem}.tiff", "tiff", True),
        ("{stem}.tif", "dng", False),
        ("{stem}", "dng", False),
        ("{ext}{stem}", "dng", False),
    ),
)
def test_names_end_as_the_format_does(text, format, fits):
    template = NameTemplate(text)

    if fits:
        template.check(format)
    else:
        with pytest.raises(ValueError, match="must end in"):
            template.check(format)


@pytest.mark.parametrize("suffix", ("_x", "", " {a}", "}{"))
def test_a_suffix_is_short_for_a_template(suffix):
    assert f"DSC_1{suffix}.dng" == fill(suffix_template(suffix))


@settings(max_examples=40)
@given(st.text(st.characters(codec=None, exclude_categories=()), max_size=30))
def test_whatever_a_file_says_is_fit_for_a_name(text):
    shot = Shot(make=text, camera=text)

    name = fill("{make}-{camera}{ext}", shot)

    assert not set(name) & set('<>:"/\\|?*\0\n')
    assert name.endswith(EXTENSIONS["dng"])
    assert sanitize(text) not in ("", ".", "..")
    assert sanitize(text) == sanitize(sanitize(text))


def test_names_keep_bytes_that_are_not_utf_8():
    stem = os.fsdecode(b"caf\xe9")

    assert f"{stem}_{stem}.dng" == fill("{folder}_{stem}{ext}", source=Path(stem, f"{stem}.nef"))


def test_only_fields_of_the_shot_need_it():
    needing = {field for field in FIELDS if NameTemplate(f"{{{field}}}{{ext}}").needs_shot}

    assert {"make", "camera", "iso", "date"} == needing


def test_the_shot_is_read_from_the_file(tmp_path):
    path = write_dng(tmp_path / "a.dng", noisy_samples(), make="Fadn", model="One", iso=640)

    shot = read_shot(path)

    assert Shot(make="Fadn", camera="One", iso=640, date=datetime(2026, 1, 2, 3, 4, 5)) == shot


@pytest.mark.parametrize("date", ("    :  :     :  :  ", "0000:00:00 00:00:00", "yesterday", ""))
def test_a_date_that_is_none_is_unknown(tmp_path, date):
    extra = {306: (2, date), 34665: None}
    path = write_dng(tmp_path / "a.dng", noisy_samples(), extra=extra)

    assert read_shot(path).date is None


@pytest.mark.parametrize("content", (b"", b"nothing", None))
def test_a_file_that_cannot_be_read_says_nothing(tmp_path, content):
    path = tmp_path / "a.dng"
    if content is not None:
        path.write_bytes(content)

    assert Shot() == read_shot(path)


@pytest.mark.parametrize(
    "text",
    (
        *(" {ext}", "{ext}", ".{stem}{ext}", ".  {ext}", " {stem}{ext}"),
        *("CON{ext}", "con.x{ext}", "Lpt1 {ext}", "COM\u00b9{ext}", "nul.dng"),
        *("a:b{ext}", "*{stem}{ext}", "{stem}?{ext}", '"{stem}"{ext}', "<{stem}>{ext}"),
        *("a\n{ext}", "a\x1b[31m{ext}", "a\x85{ext}", "a\u202e{ext}", "\ufeff{stem}{ext}"),
        *("{date:%Y\udce9}{ext}", "{date:%900Y}{ext}"),
    ),
)
def test_what_would_not_do_on_every_disk_is_refused(text):
    with pytest.raises(ValueError, match="the name"):
        NameTemplate(text).check("dng")


@pytest.mark.parametrize(
    ("camera", "name"),
    (
        ("CON", "_CON.dng"),
        ("aux.1", "_aux.1.dng"),
        ("CONTAX", "CONTAX.dng"),
        ("X\u202e\x9b2J\u2028\u200f", "X__2J__.dng"),
        ("\u5bcc\u58eb \U0001f468\u200d\U0001f469", "\u5bcc\u58eb \U0001f468\u200d\U0001f469.dng"),
    ),
)
def test_what_a_camera_is_called_does_on_every_disk(camera, name):
    assert name == fill("{camera}{ext}", Shot(camera=camera))


def test_a_source_that_is_called_like_a_device_keeps_its_name():
    assert "con.dng" == fill("{stem}{ext}", source=Path("con.nef"))
