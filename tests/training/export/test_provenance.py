"""The manifest says what the weights were made from."""

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")

from fadn_cli.training.export.provenance import data, trained  # noqa: E402


@pytest.fixture
def folder(tmp_path):
    """Two photographs, of which a table beside their folder knows one."""
    folder = tmp_path / "train"
    folder.mkdir()
    for number in range(2):
        pixels = np.full((8, 8, 3), 40 * number, np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    table = "file,licence,source repository\ntrain/0.png,CC0-1.0,a/b\nother/9.png,MIT,c/d\n"
    (tmp_path / "MANIFEST.csv").write_text(table)
    return folder


def test_photographs_are_counted_with_their_licences(folder):
    described = data([folder])

    assert 2 == described["photographs"]
    assert ({"CC0-1.0": 1}, {"a/b": 1}) == (described["licences"], described["sources"])


def test_another_photograph_gives_another_digest(folder):
    before = data([folder])["sha256"]
    assert before == data([folder])["sha256"]

    Image.fromarray(np.full((8, 8, 3), 1, np.uint8)).save(folder / "1.png")

    assert before != data([folder])["sha256"]


def test_a_run_names_those_that_it_started_from(tmp_path):
    for name, text in (("first", "seed = 3\n"), ("second", 'seed = 4\nstart_from = "first"\n')):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.toml").write_text(text)
        torch.save({"step": 7, "seconds": 1.6}, tmp_path / name / "checkpoint.pt")

    runs = trained(tmp_path / "second")

    assert ["first.toml", "second.toml"] == [run["config"] for run in runs]
    assert {"config": "first.toml", "steps": 7, "seconds": 2, "seed": 3} == runs[0]


def test_a_run_names_the_bundled_network_that_it_was_thawed_from(tmp_path):
    starts = {"bayer-x-thawed": "", "bayer-taught": "bayer-x-thawed", "bayer-x": "bayer-taught"}
    for name, start in starts.items():
        (tmp_path / name).mkdir()
        torch.save({"step": 7, "seconds": 1.6}, tmp_path / name / "checkpoint.pt")
        if start:
            (tmp_path / name / "config.toml").write_text(f'start_from = "{start}"\n')

    first, *others = trained(tmp_path / "bayer-x")

    assert {"specialist": "bayer-x"} == first
    assert ["bayer-taught.toml", "bayer-x.toml"] == [run["config"] for run in others]


def test_a_taught_run_names_its_lessons(tmp_path):
    torch.save({"step": 7, "seconds": 1.6}, tmp_path / "checkpoint.pt")
    (tmp_path / "config.toml").write_text('lessons = "x.lessons"\ntaught = [0.5, 0.5]\n')

    assert trained(tmp_path)[0]["lessons"] == "x.lessons"
