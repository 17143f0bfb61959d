"""What is printed says what matters, takes no name for markup, and keeps stdout for data."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fadn_cli.errors import WriteError
from fadn_cli.findings import (
    ByteChange,
    FileFindings,
    Finding,
    PixelComparison,
    TagChange,
    Verification,
)
from fadn_cli.pipeline import wording
from fadn_cli.pipeline.report import plain
from fadn_cli.screen import console
from tests.making.reports import make_info


@pytest.fixture(autouse=True)
def no_terminal(monkeypatch):
    """Whatever the tests run in, nothing here is a terminal."""
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    "name", ("[raw].dng", "[/x].dng", "[red]a.dng", ":smile:.dng", "a\\[b].dng")
)
def test_names_are_never_taken_for_markup(capsys, name):
    console.show_error(WriteError(f"{name}: disk full", advice=f"Delete {name}."))
    console.show_warning(f"{name}: old")
    console.show_info(make_info(name))

    shown = capsys.readouterr()
    assert f"fadn: error: {name}: disk full\n  Delete {name}.\n" in shown.err
    assert f"fadn: warning: {name}: old\n" in shown.err
    assert f"File            {name}\n" in shown.out


def test_errors_take_one_line_however_long_and_go_to_stderr(capsys):
    console.show_error(WriteError("a.dng: " + "word " * 100, advice=""))

    shown = capsys.readouterr()
    assert 1 == shown.err.count("\n")
    assert "" == shown.out


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain name (1).dng", "plain name (1).dng"),
        ("Füße 写真.dng", "Füße 写真.dng"),
        ("a\nb.dng", "a\\nb.dng"),
        ("\x1b[2J.dng", "\\x1b[2J.dng"),
        (os.fsdecode(b"caf\xe9.dng"), "caf\\udce9.dng"),
    ],
)
def test_what_a_terminal_would_act_on_is_escaped(text, shown):
    assert shown == console.printable(text)


def test_json_on_stdout_is_json_even_for_the_longest_lines(capsys):
    info = make_info("x" * 500 + "[raw].dng")

    console.show_json(info)

    assert info.to_dict() == json.loads(capsys.readouterr().out)


def test_info_names_every_fact(capsys):
    console.show_info(make_info(warnings=("The profile is off.",)))

    shown = capsys.readouterr()
    for fact in (
        "Canon EOS 550D\n",
        "800",
        "1/125 s",
        "4000 x 3000",
        "3960 x 2980 from column 20, row 10",
        "RGGB",
        "512 512 / 512 512.25",
        "15000",
        "0.47 % (measured)",
        "bayer-fast-low",
        "not yet",
    ):
        assert fact in shown.out
    assert "fadn: warning: The profile is off." in shown.err


def test_info_says_what_it_does_not_know(capsys):
    info = make_info(
        make="", model="", iso=None, exposure_time=None, noise_measured=None, specialist=None
    )

    console.show_info(info)

    shown = capsys.readouterr().out
    assert "Camera          unknown camera\n" in shown
    assert "ISO             unknown\n" in shown
    assert "Exposure        unknown\n" in shown
    assert "Noise measured  none\n" in shown
    assert "Specialist      none\n" in shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(1 / 125, "1/125 s"), (1 / 3, "1/3 s"), (0.5, "0.5 s"), (30.0, "30 s"), (0.0, "0 s")],
)
def test_exposure_times_are_spelled_as_on_a_camera(capsys, seconds, shown):
    console.show_info(make_info(exposure_time=seconds))

    assert f"Exposure        {shown}\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("make", "model", "name"),
    [
        ("Canon", "Canon EOS 550D", "Canon EOS 550D"),
        ("NIKON CORPORATION", "NIKON D800", "NIKON D800"),
        ("SONY", "ILCE-7", "SONY ILCE-7"),
        ("", "X100", "X100"),
        ("Leica", "", "Leica"),
        ("", "", "unknown camera"),
        (" ", " ", "unknown camera"),
    ],
)
def test_cameras_are_named_without_saying_the_maker_twice(make, model, name):
    assert name == wording.name_camera(make, model)


MODELS = [
    {
        "name": "bayer-fast-low",
        "quality": "fast",
        "noise_range": (0.0, 0.008),
        "parameters": 123456,
        "macs_per_packed_pixel": 8000,
        "psnr": {"low": 45.678},
    },
    {
        "name": "bayer-best-high",
        "quality": "best",
        "noise_range": (0.008, float("inf")),
        "parameters": 7,
        "macs_per_packed_pixel": 4,
        "psnr": {"low": 40.0, "high": 30.0},
    },
]


def test_models_are_listed_with_their_ranges_and_figures(capsys):
    console.show_models(plain(MODELS))

    lines = capsys.readouterr().out.splitlines()
    low = next(line for line in lines if "bayer-fast-low" in line)
    high = next(line for line in lines if "bayer-best-high" in line)
    facts = (" fast ", "0 % to 0.8 %", "123,456", "2,000", "low 45.68 dB")
    assert all(fact in low for fact in facts)
    assert all(fact in high for fact in (" best ", "0.8 % and more", "low 40.00 dB, high 30.00 dB"))


def test_the_demonstration_states_its_files_and_its_gain(capsys):
    console.show_demo([("Denoised", Path("x [1].dng"))], psnr=(32.94, 38.06))

    shown = capsys.readouterr()
    assert "" == shown.out
    assert "Denoised        x [1].dng\n" in shown.err
    assert "32.9 dB before, 38.1 dB after (+5.1 dB)" in shown.err


def test_no_color_is_heeded_on_terminals(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    console.show_warning("coloured")
    monkeypatch.setenv("NO_COLOR", "1")
    console.show_warning("plain")

    coloured, uncoloured = capsys.readouterr().err.splitlines()
    assert "\x1b[" in coloured
    assert "33" not in uncoloured


def test_findings_are_counted_and_located(capsys):
    findings = (
        Finding(
            severity="error", kind="bounds", what="is [outside]", ifd="IFD0", tag="XMP", offset=9
        ),
        Finding(severity="error", kind="file", what="is odd"),
        Finding(severity="warning", kind="order", what="is new", ifd="IFD0/EXIF"),
    )

    console.show_findings([FileFindings(path=Path("[raw].dng"), ok=False, findings=findings)])

    assert [
        "[raw].dng: 2 errors, 1 warning",
        "  error    IFD0 XMP is [outside] (byte 9)",
        "  error    is odd",
        "  warning  IFD0/EXIF is new",
    ] == capsys.readouterr().out.splitlines()


def test_a_file_in_order_takes_one_line(capsys):
    console.show_findings([FileFindings(path=Path("a.dng"), ok=True, findings=())])

    assert "a.dng: nothing is wrong\n" == capsys.readouterr().out


def make_verification(**changes):
    """The verification of a pair of files."""
    tags = (
        TagChange(ifd="IFD0", tag="XMP", before=None, after="[4] bytes", allowed=True),
        TagChange(ifd="IFD0/EXIF", tag="ISO", before="400", after="800", allowed=False),
    )
    pixels = PixelComparison(
        active=12000,
        changed=11000,
        saturated=90,
        saturated_changed=2,
        outside=70,
        outside_changed=1,
        blocks=5,
        planes=("R", "Gr", "Gb", "B"),
        block_shift=(1e-4, 2e-4, 3e-4, 4e-4),
        worst_block_shift=5e-3,
    )
    values = {
        "source": Path("a.dng"),
        "output": Path("b.dng"),
        "holds": False,
        "violations": ("Something [else] differs.",),
        "tags": tags,
        "bytes": (ByteChange(offset=100, length=20),),
        "pixels": pixels,
    }
    return Verification(**{**values, **changes})


def test_every_difference_is_shown_with_the_verdict(capsys):
    console.show_verification(make_verification())

    shown = capsys.readouterr().out
    lines = [line.split() for line in shown.splitlines()]
    assert ["IFD0", "XMP", "none", "[4]", "bytes", "may", "differ"] in lines
    assert ["IFD0/EXIF", "ISO", "400", "800", "must", "not"] in lines
    for fact in (
        "Bytes 100 to 119 differ",
        "11,000 of 12,000",
        "2 of 90",
        "1 of 70",
        "R 0.01 %, Gr 0.02 %, Gb 0.03 %, B 0.04 % on average, 0.5 % at most",
        "Wrong: Something [else] differs.",
    ):
        assert fact in shown
    assert "Nothing differs" not in shown


def test_a_contract_that_holds_is_said_to_hold(capsys):
    result = make_verification(holds=True, violations=(), tags=(), bytes=(), pixels=None)

    console.show_verification(result)

    assert "Nothing differs but what denoising may change.\n" == capsys.readouterr().out


def test_a_verification_becomes_json(capsys):
    console.show_json(make_verification())

    found = json.loads(capsys.readouterr().out)
    assert {"offset": 100, "length": 20} == found["bytes"][0]
    assert found["tags"][0]["before"] is None
    assert [1e-4, 2e-4, 3e-4, 4e-4] == found["pixels"]["block_shift"]


WHILE_LIBRAW_DECODES = """
import os, sys, threading
from fadn_cli.screen import console
from fadn_cli.raw.source.quiet import quiet_stderr
console.make_console(stderr=True)
with quiet_stderr():
    with quiet_stderr():
        os.write(2, b"LibRaw 1\\n")
    os.write(2, b"LibRaw 2\\n")
    console.show_warning("ours")
os.write(2, b"after\\n")
"""


def test_messages_are_seen_while_libraw_decodes_in_another_thread():
    run = subprocess.run(
        [sys.executable, "-c", WHILE_LIBRAW_DECODES], capture_output=True, text=True, check=True
    )

    assert "fadn: warning: ours\nafter\n" == run.stderr


def test_a_plan_is_a_line_per_file(capsys):
    rows = [
        {"source": "a [1].dng", "output": "out/a.dng", "action": "redo", "reason": "x"},
        {"source": "b\n.dng", "output": None, "action": "skip", "reason": "ours"},
        {"source": "c.dng", "output": "c.tif", "action": "denoise", "reason": ""},
    ]

    console.show_plan(rows)

    assert [
        "redo a [1].dng -> out/a.dng (x)",
        r"skip b\n.dng (ours)",
        "denoise c.dng -> c.tif",
    ] == capsys.readouterr().out.splitlines()
