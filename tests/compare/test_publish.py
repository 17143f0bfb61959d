"""The comparison is written where the user says, whole or not at all."""

import pytest

from fadn_cli.compare.publish import publish
from fadn_cli.errors import OutputExistsError, WriteError
from fadn_cli.pipeline.file import DenoiseOptions
from tests.making.dng.write import write_dng
from tests.making.mosaics import noisy_samples

GIVEN = DenoiseOptions(shot_noise=1e-3, read_noise=1e-5)


@pytest.fixture
def raw(tmp_path):
    return write_dng(tmp_path / "a.dng", noisy_samples())


@pytest.mark.parametrize(
    ("output", "written", "begins"),
    [
        (None, "a.html", b"<!DOCTYPE html>"),
        (".", "a.html", b"<!DOCTYPE html>"),
        ("page.HTML", "page.HTML", b"<!DOCTYPE html>"),
        ("sheet.png", "sheet.png", b"\x89PNG"),
    ],
)
def test_the_name_says_what_is_written(raw, output, written, begins):
    target = None if output is None else raw.parent / output

    path = publish(raw, raw, target, options=GIVEN)

    assert raw.parent / written == path
    assert path.read_bytes().startswith(begins)


def test_other_names_are_refused(raw):
    with pytest.raises(ValueError, match="page.pdf"):
        publish(raw, raw, raw.with_name("page.pdf"))


def test_what_exists_is_kept_unless_asked(raw):
    page = raw.with_suffix(".html")
    page.write_text("mine")

    with pytest.raises(OutputExistsError):
        publish(raw, raw, options=GIVEN)
    assert "mine" == page.read_text()
    publish(raw, raw, options=GIVEN, overwrite=True)
    assert "mine" != page.read_text(encoding="utf-8")


def test_a_failure_leaves_nothing_behind(raw):
    with pytest.raises(WriteError):
        publish(raw, raw, raw.parent / "missing" / "page.html", options=GIVEN)
    (raw.parent / "b.dng").write_bytes(raw.read_bytes()[:-100])
    with pytest.raises(Exception, match="b.dng"):
        publish(raw, raw.parent / "b.dng", options=GIVEN)

    assert ["a.dng", "b.dng"] == sorted(path.name for path in raw.parent.iterdir())


def test_a_photograph_is_never_overwritten(raw):
    link = raw.with_name("page.html")
    link.symlink_to(raw)
    before = raw.read_bytes()

    with pytest.raises(WriteError, match="source"):
        publish(raw, raw, link, options=GIVEN, overwrite=True)
    assert before == raw.read_bytes()
