"""Reports hold plain values and become JSON whatever is in them."""

import json
import os
from pathlib import Path
from types import UnionType
from typing import get_args, get_origin, get_type_hints

import numpy as np
import pytest

from fadn_cli.noise import noise_model
from fadn_cli.pipeline.report import DenoiseReport, NoiseSummary, decodable, to_json
from tests.making.reports import make_info, make_report


@pytest.mark.parametrize("make", (make_report, make_info))
def test_reports_survive_the_way_through_json(make):
    report = make()

    assert report.to_dict() == json.loads(to_json(report))
    assert report.to_dict() == json.loads(json.dumps(report.to_dict()))


def test_paths_are_strings_and_tuples_are_lists():
    values = make_info("folder/IMG [raw].CR2").to_dict()

    assert str(Path("folder/IMG [raw].CR2")) == values["path"]
    assert [10, 20, 2980, 3960] == values["active_area"]
    assert [[512.0, 512.0], [512.0, 512.25]] == values["black_level"]
    assert "measured" == values["noise_used"]["source"]


def test_names_that_are_not_utf_8_become_ascii_json():
    text = to_json(make_info(os.fsdecode(b"caf\xe9\n.dng")))

    assert text.isascii()
    assert "caf\\udce9\n.dng" == json.loads(text)["path"]


def test_names_that_are_utf_8_are_kept():
    assert "Füße 写真.dng" == decodable("Füße 写真.dng")
    assert "Füße 写真.dng" == json.loads(to_json(make_info("Füße 写真.dng")))["path"]


@pytest.mark.parametrize("value", (float("nan"), float("inf"), float("-inf")))
def test_what_json_has_no_number_for_is_null(value):
    assert json.loads(to_json({"value": value})) == {"value": None}


def test_noise_is_summarized_in_the_digits_that_float32_holds():
    noise = noise_model([1e-4, 2e-4, 3e-4, 4e-4], 4e-6, source="NoiseProfile")

    summary = NoiseSummary.from_model(noise)

    assert (1e-4, 2e-4, 3e-4, 4e-4) == summary.shot_noise
    assert (4e-6,) * 4 == summary.read_noise
    assert "NoiseProfile" == summary.source
    assert summary.grey_std == pytest.approx(np.sqrt(2.5e-4 * 0.18 + 4e-6), rel=1e-6)


PAGE = Path(__file__).resolve().parents[2] / "docs" / "report.md"
WORDS = {str: "text", Path: "text", int: "whole number", float: "number", NoiseSummary: "noise"}
WORDS[bool] = "true or false"


def in_json(kind):
    """What a field's type is in JSON, in the words of docs/report.md."""
    if get_origin(kind) is UnionType:
        first, none = get_args(kind)
        assert none is type(None)
        return f"{in_json(first)} or null"
    if get_origin(kind) is tuple:
        return f"list of {in_json(get_args(kind)[0])}s"
    return "object" if get_origin(kind) is dict else WORDS[kind]


@pytest.mark.parametrize(
    ("kind", "heading"), [(DenoiseReport, "Each `report`:"), (NoiseSummary, "Each noise is")]
)
def test_the_page_names_every_field_and_its_type(kind, heading):
    table = PAGE.read_text(encoding="utf-8").split(heading)[1].split("\n\n")[1]
    rows = [[cell.strip() for cell in line.split("|")[1:4]] for line in table.splitlines()[2:]]

    expected = {f"`{name}`": in_json(hint) for name, hint in get_type_hints(kind).items()}
    assert expected == {name: said for name, said, _ in rows}
    assert all(len(what) > 3 for _, _, what in rows)


def test_the_values_are_of_those_types():
    kinds = {"text": str, "whole number": int, "number": (int, float), "object": dict}
    kinds |= {"noise": dict, "true or false": bool, "list of numbers": list, "list of texts": list}

    for report in (make_report(), make_report(iso=None, hot_pixels=None, noise_profile=None)):
        values = report.to_dict()
        for name, hint in get_type_hints(DenoiseReport).items():
            said = in_json(hint).removesuffix(" or null")
            assert isinstance(values[name], kinds[said]) or values[name] is None
            assert values[name] is not None or in_json(hint).endswith("or null")
