"""A state file is read once, and known again whatever happens to it."""

import os
import tracemalloc

import pytest

from fadn_cli.batch import history
from fadn_cli.batch.history import LONGEST_LINE, History
from fadn_cli.batch.ledger import STATE_FILE, Entry, append_entry, read_entries

ENTRY = Entry(output="a.dng", output_sha256="1" * 64, source_sha256="2" * 64, key="k")


@pytest.fixture
def path(tmp_path):
    return tmp_path / STATE_FILE


def line(name, key="k"):
    return Entry(output=name, output_sha256="1" * 64, source_sha256="2" * 64, key=key).line()


def test_what_is_appended_is_seen_and_nothing_read_twice(path, monkeypatch):
    path.write_bytes(b"".join(line(f"{number}.dng") for number in range(100)))
    known = History(path)
    asked = []
    monkeypatch.setattr(
        history, "_name_in", lambda line, ask=history._name_in: asked.append(line) or ask(line)
    )

    assert [line("7.dng")] == known.lines("7.dng")
    first = len(asked)
    with path.open("ab") as file:
        file.write(line("7.dng", "new"))
    assert [line("7.dng"), line("7.dng", "new")] == known.lines("7.dng")
    assert [line("8.dng")] == known.lines("8.dng")

    assert (100, 1) == (first - 1, sum(b"new" in each for each in asked))


def test_a_line_that_is_not_whole_yet_counts_once_it_can_be_read(path):
    known = History(path)
    assert [] == known.lines("a.dng")
    path.write_bytes(line("b.dng") + line("a.dng")[:-1])
    assert [line("a.dng")[:-1]] == known.lines("a.dng")
    with path.open("ab") as file:
        file.write(b"\n" + line("a.dng", "new"))

    assert [line("a.dng"), line("a.dng", "new")] == known.lines("a.dng")


def rewrite(path):
    path.write_bytes(line("b.dng") * 2)


def longer(path):
    path.write_bytes(line("b.dng") * 9)


def swap(path):
    path.unlink()
    path.write_bytes(line("b.dng"))


def cut(path):
    os.truncate(path, 10)


@pytest.mark.parametrize("change", (rewrite, longer, swap, cut, os.unlink))
def test_another_file_is_read_anew(path, change):
    path.write_bytes(line("a.dng") * 2)
    known = History(path)
    assert 2 == len(known.lines("a.dng"))

    change(path)

    assert [] == known.lines("a.dng")
    path.write_bytes(line("a.dng") * 3)
    assert 3 == len(known.lines("a.dng"))


@pytest.mark.parametrize("kind", ("pipe", "link", "dangling", "folder"))
def test_what_is_no_plain_file_says_nothing_and_is_not_written_to(tmp_path, path, kind):
    (tmp_path / "victim").write_bytes(line("a.dng"))
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to({"link": "victim", "dangling": "nowhere"}[kind])

    assert () == read_entries(tmp_path / "a.dng")
    with pytest.raises(OSError):
        append_entry(tmp_path, ENTRY)
    assert line("a.dng") == (tmp_path / "victim").read_bytes()
    assert not (tmp_path / "nowhere").exists()


def test_a_line_without_end_costs_no_memory(path):
    with path.open("wb") as file:
        file.write(line("a.dng"))
        file.seek(64 << 20, os.SEEK_CUR)
        file.write(b"\n" + line("a.dng", "new"))
    tracemalloc.start()

    found = History(path).lines("a.dng")
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert [line("a.dng"), line("a.dng", "new")] == found
    assert most < 8 * LONGEST_LINE


def test_a_large_state_file_is_read_once_for_all_outputs(tmp_path, path):
    with path.open("wb") as file:
        for number in range(60_000):
            file.write(line(f"{number % 3000}.dng", "k" * 64))
    tracemalloc.start()

    for number in range(300):
        assert 20 == len(read_entries(tmp_path / f"{number}.dng"))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert most < 8 << 20
