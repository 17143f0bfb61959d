"""Luma, chroma, hot pixels and presets from the command line to the file."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from fadn_cli.cli.app import app
from fadn_cli.pipeline import file as pipeline
from fadn_cli.pipeline import presets
from fadn_cli.raw.source.reader import read_raw
from fadn_cli.screen import console
from tests.making.dng.write import write_dng
from tests.making.reports import make_info, make_report
from tests.programs.fadn import fadn

PRESETS = """
[default]
quality = "fast"

[grain]
luma = 0.4
chroma = 0.9

[prints]
format = "tiff"
"""


@pytest.fixture
def config(tmp_path_factory, monkeypatch):
    """A file of presets that in-process commands read."""
    path = tmp_path_factory.mktemp("config") / "config.toml"
    path.write_text(PRESETS)
    monkeypatch.setattr(presets, "config_path", lambda: path)
    return path


@pytest.fixture
def chosen(tmp_path, monkeypatch):
    """Run `fadn denoise` on a file; return what reaches the pipeline."""

    def denoise(*arguments):
        seen = []

        def denoise_file(path, output, options, **others):
            seen.append(options)
            return make_report(path, output)

        monkeypatch.setattr(pipeline, "denoise_file", denoise_file)
        (tmp_path / "a.nef").touch()
        result = CliRunner().invoke(app, ["denoise", str(tmp_path / "a.nef"), *arguments])
        assert 0 == result.exit_code, result.output
        return seen[0]

    return denoise


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        ("--luma 0.3 --chroma 1", {"luma": 0.3, "chroma": 1.0}),
        ("--strength 0.5 --chroma 0.8", {"strength": 0.5, "chroma": 0.8}),
        ("--hot-pixels --strength 0", {"hot_pixels": True, "strength": 0.0}),
        ("--no-hot-pixels", {"hot_pixels": False}),
    ],
)
def test_the_choices_reach_the_pipeline(chosen, arguments, options):
    assert pipeline.DenoiseOptions(**options) == chosen(*arguments.split())


@pytest.mark.usefixtures("config")
@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        ("", {"quality": "fast"}),
        ("--quality best", {"quality": "best"}),
        ("--preset grain", {"quality": "fast", "luma": 0.4, "chroma": 0.9}),
        ("--preset grain --luma 0.6", {"quality": "fast", "luma": 0.6, "chroma": 0.9}),
        ("--preset grain --strength 0.6", {"quality": "fast", "strength": 0.6}),
        ("--preset prints", {"quality": "fast", "format": "tiff"}),
        ("--preset prints --format dng", {"quality": "fast"}),
        ("--preset prints -o x.dng", {"quality": "fast"}),
    ],
)
def test_flags_win_over_the_preset_and_it_over_default(
    chosen, tmp_path, monkeypatch, arguments, options
):
    monkeypatch.chdir(tmp_path)

    assert pipeline.DenoiseOptions(**options) == chosen(*arguments.split())


@pytest.mark.usefixtures("config")
def test_info_says_what_denoise_would_do(monkeypatch):
    seen = []
    monkeypatch.setattr(pipeline, "inspect_file", lambda path, choice: seen.append(choice))
    monkeypatch.setattr(console, "show_info", lambda info: None)

    for arguments in ([], ["--preset", "grain", "--quality", "best"]):
        assert 0 == CliRunner().invoke(app, ["info", "x", *arguments]).exit_code

    assert [("fast", None), ("best", 0.4)] == [(each.quality, each.luma) for each in seen]


def test_config_shows_what_holds_and_why(config):
    shown = CliRunner().invoke(app, ["config", "--preset", "grain"]).stdout

    rows = {line.split()[0]: line.split()[1:] for line in shown.splitlines() if line.strip()}
    assert [str(config)] == rows["File"]
    assert ["default,", "grain,", "prints"] == rows["Presets"]
    assert ['"fast"', "[default]"] == rows["quality"]
    assert ["0.4", "[grain]"] == rows["luma"]
    assert ["1.0", "built", "in"] == rows["strength"]
    assert rows.keys() > set(presets.KEYS)


def test_config_speaks_json(config):
    found = json.loads(CliRunner().invoke(app, ["config", "--json"]).stdout)

    assert (str(config), True, None) == (found["path"], found["exists"], found["preset"])
    assert ["default", "grain", "prints"] == found["presets"]
    assert {"value": "fast", "source": "[default]"} == found["values"]["quality"]
    assert {"value": None, "source": "built in"} == found["values"]["luma"]


def test_config_creates_a_file_that_works_and_never_replaces_one(tmp_path):
    home = {"XDG_CONFIG_HOME": str(tmp_path)}

    created = fadn("config", "--create", changes=home)
    again = fadn("config", "--create", changes=home)
    shown = json.loads(fadn("config", "--json", changes=home).stdout)

    assert (0, 8) == (created.returncode, again.returncode)
    assert shown["exists"] is True
    assert ["default", "grain"] == shown["presets"]
    assert shown["path"].startswith(str(tmp_path))


def test_a_mistake_in_the_file_stops_the_command_in_two_lines(tmp_path):
    (tmp_path / "fadn").mkdir()
    (tmp_path / "fadn" / "config.toml").write_text("[default]\nstrenght = 1\n")

    run = fadn("denoise", tmp_path, changes={"XDG_CONFIG_HOME": str(tmp_path)})

    assert 2 == run.returncode
    error, advice = run.stderr.splitlines()
    assert error.startswith("fadn: error: ")
    assert error.endswith("config.toml: in [default], strenght = 1 is unknown")
    assert "Did you mean strength?" in advice


def test_repairs_alone_change_the_defects_and_nothing_else(tmp_path):
    rng = np.random.default_rng(1)
    samples = rng.normal(3000, 40, (200, 260)).round().astype(np.uint16)
    samples[50, 60], samples[121, 201] = 16383, 16383
    source = write_dng(tmp_path / "a.dng", samples, black=(512,), white=16383)

    run = fadn(
        *("denoise", source, "--strength", "0", "--hot-pixels", "-o", tmp_path / "b.dng"),
    )

    assert 0 == run.returncode, run.stderr
    assert "2 hot pixels" in run.stderr
    changed = read_raw(tmp_path / "b.dng").mosaic.samples != samples
    assert [[50, 60], [121, 201]] == np.argwhere(changed).tolist()


def test_one_hot_pixel_is_one(capsys):
    from fadn_cli.batch.results import FileFinished, FileResult
    from fadn_cli.screen.progress import Display

    for count, shown in ((1, ", 1 hot pixel, "), (2, ", 2 hot pixels, "), (0, ""), (None, "")):
        report = make_report(hot_pixels=count)
        with Display(count=1) as display:
            display(FileFinished(result=FileResult(source=report.source, report=report)))

        said = capsys.readouterr().err
        assert shown in said
        assert shown or "hot" not in said


def test_info_counts_them(capsys):
    console.show_info(make_info(hot_pixels=7))

    assert "Hot pixels      7\n" in capsys.readouterr().out
