"""A batch's gallery leads to a page for each photograph, stays small, and goes on where it was."""

import io
import os
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from fadn_cli.batch import planning
from fadn_cli.batch import run as batch
from fadn_cli.batch.results import BatchResult, Done, FileResult
from fadn_cli.cli.app import app
from fadn_cli.compare import gallery
from fadn_cli.compare.gallery import check_places, write_gallery
from fadn_cli.compare.thumbnail import HEIGHT, WIDTH, thumbnail_jpeg
from fadn_cli.errors import FadnError, OutputExistsError, WriteError
from fadn_cli.pipeline.file import DenoiseOptions
from fadn_cli.pipeline.report import decodable
from tests.making.dng.write import write_dng
from tests.making.mosaics import noisy_samples
from tests.making.reports import make_report

GIVEN = DenoiseOptions(shot_noise=1e-3, read_noise=1e-5, quality="fast", threads=1)
ODD = "é #1 <b>%41?.dng"


@pytest.fixture
def compared(monkeypatch, comparison):
    """Pages without the work: every comparison is the same; which were asked for is noted."""
    asked = []

    def compare_files(before, after, options):
        asked.append(after.name)
        return comparison

    monkeypatch.setattr(gallery, "compare_files", compare_files)
    return asked


def made(*outputs, sha="1" * 64):
    """A batch that has made these outputs."""
    for output in outputs:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.touch()
    reports = (make_report(output.name, output, output_sha256=sha) for output in outputs)
    results = tuple(FileResult(source=report.source, report=report) for report in reports)
    return BatchResult(results=results, seconds=1.0)


def test_a_batch_on_the_disk_is_shown(tmp_path):
    for name in ("a.dng", ODD):
        write_dng(tmp_path / name, noisy_samples())
    (tmp_path / "broken.dng").write_bytes(b"II*\0")
    plan = planning.plan([tmp_path], output=tmp_path / "out")
    done = batch.run(plan, GIVEN)

    written = write_gallery(done, GIVEN, folder=tmp_path / "out")

    page = tmp_path / "out" / "fadn_preview.html"
    html = page.read_text(encoding="utf-8")
    assert ((page,), ()) == (written.pages, written.errors)
    assert 2 == html.count("<li><a href=")
    assert "é #1 &lt;b&gt;%41?_denoised.dng<small>" in html
    assert "2 photographs, 1 failed" in html
    assert "<li>broken.dng: " in html
    assert "Fadn Synthetic" in html


def test_every_name_leads_to_its_page_and_picture(tmp_path, compared, browser):
    write_gallery(made(tmp_path / ODD, tmp_path / "day 1" / "b.dng"), GIVEN, folder=tmp_path)

    browser.open(tmp_path / "fadn_preview.html")

    browser.wait(f"[...document.images].every(image => image.naturalWidth == {WIDTH})")
    assert 2 == browser.value("document.images.length")
    assert [] == browser.complaints()
    targets = browser.value("[...document.links].map(link => link.href)")
    for target in targets:
        browser.call("Page.navigate", url=target)
        browser.wait("document.querySelector('h1')?.textContent == 'IMG_1 <b>&é.dng'")
    assert 2 == len(set(targets))


def test_names_that_utf8_cannot_hold_are_reached(tmp_path, compared):
    output = tmp_path / os.fsdecode(b"caf\xe9.dng")

    write_gallery(made(output), GIVEN)

    html = (tmp_path / "fadn_preview.html").read_text(encoding="utf-8")
    assert 'href="fadn_preview/caf%E9.dng.html"' in html
    assert decodable(output.name) in html


def test_the_gallery_stays_small_for_a_large_batch(tmp_path, compared, monkeypatch):
    monkeypatch.setattr(gallery, "page_html", lambda comparison, made_of: "page")
    monkeypatch.setattr(gallery, "thumbnail_jpeg", lambda comparison: b"")

    write_gallery(made(*(tmp_path / f"IMG_{n}_denoised.dng" for n in range(300))), GIVEN)

    assert (tmp_path / "fadn_preview.html").stat().st_size < 300 * 500


def test_what_is_unchanged_is_not_made_again(tmp_path, compared):
    first = made(tmp_path / "a.dng", tmp_path / "b.dng")
    write_gallery(first, GIVEN)
    (changed,) = made(tmp_path / "b.dng", sha="2" * 64).results
    done = Done(output=tmp_path / "a.dng", source_sha256="0" * 64, output_sha256="1" * 64)
    same = FileResult(source=Path("a.dng"), done=done)

    write_gallery(replace(first, results=(same, changed)), GIVEN)

    assert ["a.dng", "b.dng", "b.dng"] == compared


def test_photographs_of_earlier_runs_stay_while_their_outputs_do(tmp_path, compared):
    write_gallery(made(tmp_path / "a.dng", tmp_path / "b.dng"), GIVEN)
    (tmp_path / "a.dng").unlink()

    write_gallery(made(tmp_path / "c.dng"), GIVEN)

    html = (tmp_path / "fadn_preview.html").read_text(encoding="utf-8")
    assert ["b.dng", "c.dng"] == re.findall(r'">([abc]\.dng)<small>', html)


def test_outputs_beside_their_sources_have_a_gallery_in_each_folder_given(tmp_path, compared):
    outputs = (
        tmp_path / "x" / "a.dng",
        tmp_path / "x" / "deep" / "b.dng",
        tmp_path / "y" / "c.dng",
    )

    written = write_gallery(made(*outputs), GIVEN)

    assert {tmp_path / "x", tmp_path / "y"} == {page.parent for page in written.pages}
    assert (tmp_path / "x" / "fadn_preview" / "deep" / "b.dng.html").exists()


def test_a_photograph_that_cannot_be_shown_costs_the_others_nothing(
    tmp_path, compared, monkeypatch
):
    usual = gallery.compare_files

    def compare_files(before, after, options):
        if after.name == "bad.dng":
            raise FadnError("bad.dng: cannot be read")
        if after.name == "bug.dng":
            raise IndexError("7")
        return usual(before, after, options)

    monkeypatch.setattr(gallery, "compare_files", compare_files)
    outputs = (tmp_path / name for name in ("bad.dng", "bug.dng", "good.dng"))

    written = write_gallery(made(*outputs), GIVEN, jobs=2)

    html = (tmp_path / "fadn_preview.html").read_text(encoding="utf-8")
    assert 2 == len(written.errors)
    assert "good.dng<small>" in html
    assert "<li>bad.dng: cannot be read</li>" in html
    assert "internal error: IndexError: 7" in html


def test_a_batch_without_outputs_writes_nothing(tmp_path):
    failed = FileResult(source=Path("a.dng"), error=FadnError("a.dng: is empty"))

    written = write_gallery(BatchResult(results=(failed,), seconds=0.1), GIVEN, folder=tmp_path)

    assert ((), ()) == (written.pages, written.errors)
    assert [] == list(tmp_path.iterdir())


def test_a_gallery_that_cannot_be_written_is_told(tmp_path, compared):
    (tmp_path / "fadn_preview.html").mkdir()

    with pytest.raises(WriteError, match=r"fadn_preview\.html"):
        write_gallery(made(tmp_path / "a.dng"), GIVEN)


def test_ctrl_c_stops_the_pages_and_keeps_those_that_are_whole(tmp_path, compared):
    def interrupt(done, count):
        if done == 2:
            raise KeyboardInterrupt

    outputs = [tmp_path / f"{n}.dng" for n in range(5)]
    with pytest.raises(KeyboardInterrupt):
        write_gallery(made(*outputs), GIVEN, on_page=interrupt)

    names = sorted(path.name for path in (tmp_path / "fadn_preview").iterdir())
    assert ["0.dng.html", "0.dng.jpg", "1.dng.html", "1.dng.jpg"] == names


def test_a_thumbnail_shows_source_and_output_of_a_dark_detail(comparison):
    with Image.open(io.BytesIO(thumbnail_jpeg(comparison))) as image:
        shown = np.asarray(image).astype(np.int16)

    assert (HEIGHT, WIDTH, 3) == shown.shape
    (detail, *_) = comparison.details
    height, width, _ = detail.before.shape
    top, left = (height - 110) // 2, (WIDTH - width) // 2
    strip = shown[-110:]
    halves = (slice(left, WIDTH // 2 - 4), slice(WIDTH // 2 + 4, left + width))
    for half, ours, theirs in zip(
        halves, (detail.before, detail.after), (detail.after, detail.before), strict=True
    ):
        part = slice(half.start - left, half.stop - left)
        near, far = (
            np.abs(strip[:, half] - rgb[top : top + 110, part].astype(np.int16)).mean()
            for rgb in (ours, theirs)
        )
        assert near < 0.7 * far


@pytest.mark.parametrize("size", [(90, 30), (30, 90), (8, 8)])
def test_thumbnails_have_one_size_whatever_the_photograph(comparison, size):
    small = np.zeros((*size, 3), np.uint8)

    png = thumbnail_jpeg(replace(comparison, before=small, after=small, details=()))

    with Image.open(io.BytesIO(png)) as image:
        assert (WIDTH, HEIGHT) == image.size


def test_a_page_that_is_not_ours_is_left_alone(tmp_path, compared):
    page, batch_done = tmp_path / "fadn_preview.html", made(tmp_path / "a.dng")
    page.write_text("my own notes")

    with pytest.raises(OutputExistsError, match="was not made by fadn"):
        check_places([tmp_path / "a.dng"])
    with pytest.raises(OutputExistsError, match="was not made by fadn"):
        write_gallery(batch_done, GIVEN)
    assert "my own notes" == page.read_text()

    write_gallery(batch_done, replace(GIVEN, overwrite=True))
    assert "fadn" in page.read_text()
    check_places([tmp_path / "a.dng"])
    write_gallery(batch_done, GIVEN)


def test_a_photograph_s_page_that_is_not_ours_is_left_alone(tmp_path, compared):
    page = tmp_path / "fadn_preview" / "a.dng.html"
    page.parent.mkdir()
    page.write_text("my own notes")

    written = write_gallery(made(tmp_path / "a.dng", tmp_path / "b.dng"), GIVEN)

    assert [OutputExistsError] == [type(error) for error in written.errors]
    assert "my own notes" == page.read_text()
    assert (tmp_path / "fadn_preview" / "b.dng.html").exists()


@pytest.mark.parametrize("link", ("fadn_preview", "fadn_preview.html", "fadn_preview/day 1"))
def test_links_lead_nowhere(tmp_path, compared, link):
    home, away = tmp_path / "out", tmp_path / "away"
    away.mkdir()
    (away / "fadn_preview.html").write_text("theirs")
    (home / link).parent.mkdir(parents=True, exist_ok=True)
    (home / link).symlink_to(away if "html" not in link else away / "fadn_preview.html")
    outputs = made(home / "day 1" / "a.dng", home / "b.dng")

    try:
        errors = write_gallery(outputs, GIVEN, folder=home).errors
    except FadnError as error:
        errors = (error,)

    assert 1 == len(errors)
    assert ["fadn_preview.html"] == [path.name for path in away.rglob("*")]
    assert "theirs" == (away / "fadn_preview.html").read_text()


def test_what_is_in_the_way_of_a_gallery_is_known_before_the_work(tmp_path):
    source = tmp_path / "in" / "a.dng"
    source.parent.mkdir()
    write_dng(source, noisy_samples())
    (tmp_path / "in" / "fadn_preview").symlink_to("nowhere")

    result = CliRunner().invoke(app, ["denoise", str(source.parent), "--preview-page"])

    assert 9 == result.exit_code or isinstance(result.exception, WriteError)
    assert not list(source.parent.glob("*_denoised.dng"))
