"""`fadn compare` and `--preview-page` as users meet them."""

import os

import pytest
from typer.testing import CliRunner

from fadn_cli.cli.app import app
from fadn_cli.compare import gallery
from fadn_cli.pipeline import presets
from tests.making.dng.write import write_dng
from tests.making.mosaics import noisy_samples


@pytest.fixture
def raw(tmp_path):
    return write_dng(tmp_path / "IMG_1.dng", noisy_samples(), iso=3200)


def run(*arguments):
    return CliRunner().invoke(app, [*map(os.fspath, arguments)])


def test_compare_prints_the_name_of_the_page_and_nothing_else(raw):
    first = run("compare", raw, raw)
    again = run("compare", raw, raw)
    sheet = run("compare", raw, raw, "-o", raw.with_name("sheet.png"))

    assert (0, f"{raw.with_suffix('.html')}\n") == (first.exit_code, first.stdout)
    assert 8 == getattr(again.exception, "exit_code", None)
    assert (0, f"{raw.with_name('sheet.png')}\n") == (sheet.exit_code, sheet.stdout)


def test_compare_goes_by_the_noise_that_is_preset(raw, tmp_path, monkeypatch):
    settings = tmp_path / "config.toml"
    settings.write_text("[default]\nshot_noise = 1e-3\nread_noise = 1e-5\n")
    monkeypatch.setattr(presets, "config_path", lambda: settings)

    run("compare", raw, raw)

    assert "% (given)</dd>" in raw.with_suffix(".html").read_text(encoding="utf-8")


def test_a_batch_is_shown_beside_its_outputs(raw, tmp_path):
    (tmp_path / "broken.dng").write_bytes(b"II*\0")
    arguments = ("denoise", tmp_path, "-o", tmp_path / "out", "--quality", "fast")

    first = run(*arguments, "--preview-page")

    page = tmp_path / "out" / "fadn_preview.html"
    assert (1, "") == (first.exit_code, first.stdout)
    assert f"Before and after: {page}" in first.stderr
    assert "IMG_1_denoised.dng<small>" in page.read_text(encoding="utf-8")
    assert (tmp_path / "out" / "fadn_preview" / "IMG_1_denoised.dng.html").exists()


def test_without_being_asked_no_page_is_written(raw, tmp_path):
    run("denoise", raw, "--quality", "fast")

    assert not list(tmp_path.rglob("*.html"))


def test_a_photograph_that_cannot_be_shown_exits_1(raw, tmp_path, monkeypatch):
    def compare_files(before, after, options):
        raise IndexError("7")

    monkeypatch.setattr(gallery, "compare_files", compare_files)

    result = run("denoise", raw, "--quality", "fast", "--preview-page")

    assert 1 == result.exit_code
    assert "IMG_1_denoised.dng: no preview: internal error: IndexError: 7" in result.stderr
    assert (tmp_path / "IMG_1_denoised.dng").exists()
