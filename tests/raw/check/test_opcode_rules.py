"""`fadn check` says what is wrong with opcode lists; an output inherits it from its source."""

import pytest

from fadn_cli.pipeline.file import DenoiseOptions, denoise_file
from fadn_cli.raw.check.dng import check_file
from tests.making.dng.write import write_dng
from tests.making.layouts.colors import opcode_lists
from tests.making.mosaics import noisy_samples
from tests.making.opcodes import fix_constant, fix_list, opcode, opcode_list

LISTS = {51008: "OpcodeList1", 51009: "OpcodeList2", 51022: "OpcodeList3"}


def findings_of(path, lists):
    write_dng(path, noisy_samples(), extra_raw={tag: (7, data) for tag, data in lists.items()})
    return check_file(path)


def test_sound_lists_are_sound(tmp_path):
    path = write_dng(tmp_path / "a.dng", noisy_samples(), extra_raw=opcode_lists())

    assert () == check_file(path).findings


@pytest.mark.parametrize("tag", LISTS)
def test_a_list_that_lies_about_its_length_is_an_error(tmp_path, tag):
    found = findings_of(tmp_path / "a.dng", {tag: opcode_list(opcode(1, bytes(8), size=9))})

    [finding] = found.findings
    assert f"IFD0 {LISTS[tag]} is damaged: opcode 1 of 1 says 9 bytes, 8 are left" == str(finding)
    assert not found.ok


@pytest.mark.parametrize("tag", LISTS)
def test_bytes_behind_the_last_opcode_are_a_warning(tmp_path, tag):
    found = findings_of(tmp_path / "a.dng", {tag: opcode_list(opcode(1, bytes(8))) + b"rest"})

    assert [f"IFD0 {LISTS[tag]} goes on for 4 bytes after its last opcode"] == [
        str(finding) for finding in found.findings
    ]
    assert found.ok


@pytest.mark.parametrize(
    ("entry", "severity"),
    [
        (opcode(4, bytes(4)), "error"),
        (fix_list([(1, 1)], counts=(2, 0)), "error"),
        (fix_constant(version=7), "error"),
        (fix_list([(64, 1)]), "warning"),
        (fix_list((), [(1, 1, 1, 1)]), "warning"),
        (fix_constant(phase=4), "warning"),
    ],
)
def test_bad_pixels_that_make_no_sense_are_found(tmp_path, entry, severity):
    found = findings_of(tmp_path / "a.dng", {51008: opcode_list(entry)})

    [finding] = found.findings
    assert (severity, "opcodes") == (finding.severity, finding.kind)
    assert str(finding).startswith("IFD0 OpcodeList1 has a fault: ")
    assert "FixBadPixels" in str(finding)


def test_a_source_s_damaged_list_does_not_stop_its_output(tmp_path):
    data = opcode_list(opcode(4, bytes(4)))
    path = write_dng(tmp_path / "a.dng", noisy_samples(), extra_raw={51008: (7, data)})
    options = DenoiseOptions(shot_noise=1e-3, read_noise=1e-5, quality="fast")

    report = denoise_file(path, tmp_path / "b.dng", options)

    assert "FixBadPixelsConstant has 4 bytes, not 8" in report.warnings[0]
    assert not check_file(tmp_path / "b.dng").ok
