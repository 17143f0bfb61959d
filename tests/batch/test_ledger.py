"""What was written is known again, whatever happens to the state file."""

import os
import threading
from dataclasses import fields, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fadn_cli.batch.ledger import STATE_FILE, Entry, append_entry, content_key, read_entries, recipe
from fadn_cli.denoise.network import specialists
from fadn_cli.pipeline.options import DenoiseOptions

ENTRY = Entry(output="a.dng", output_sha256="1" * 64, source_sha256="2" * 64, key="k")
CHANGED = {
    "bad_pixels": os.devnull,
    "strength": 0.5,
    "luma": 0.5,
    "chroma": 0.5,
    "hot_pixels": True,
    "format": "tiff",
    "preview": "keep",
    "compression": "none",
    "bits": "source",
    "banding": True,
    "iso": 100,
    "shot_noise": 1e-4,
    "read_noise": 1e-6,
    "quality": "fast",
    "ensemble": 2,
    "specialist": specialists.bundled()[0].name,
    "overwrite": True,
    "threads": 3,
    "device": "cpu",
    "max_megapixels": 10,
}
"""Another value for each option."""


def test_entries_are_read_as_they_were_appended(tmp_path):
    other, later = replace(ENTRY, output="b.dng"), replace(ENTRY, key="new")
    for entry in (ENTRY, other, later):
        append_entry(tmp_path, entry)

    assert (ENTRY, later) == read_entries(tmp_path / "a.dng")
    assert (other,) == read_entries(tmp_path / "b.dng")
    assert () == read_entries(tmp_path / "c.dng")
    assert [STATE_FILE] == [path.name for path in tmp_path.iterdir()]


def test_a_note_is_on_the_disk_before_its_output_has_a_name(tmp_path, monkeypatch):
    """Else a power cut leaves an output that nobody knows."""
    stored = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: stored.append(os.fstat(descriptor).st_size))

    append_entry(tmp_path, ENTRY)

    assert [len(ENTRY.line())] == stored


@pytest.mark.parametrize(
    "name", (b"caf\xe9.dng", b"a\nb.dng", "Füße 写真.dng".encode(), b"[1] x.dng")
)
def test_any_file_name_survives(tmp_path, name):
    entry = replace(ENTRY, output=os.fsdecode(name))

    append_entry(tmp_path, entry)

    assert (entry,) == read_entries(tmp_path / entry.output)


def test_without_a_state_file_nothing_is_known(tmp_path):
    assert () == read_entries(tmp_path / "a.dng")
    (tmp_path / STATE_FILE).mkdir()
    assert () == read_entries(tmp_path / "a.dng")


@settings(max_examples=30)
@given(st.binary(max_size=60))
def test_damaged_lines_cost_nothing_but_themselves(tmp_path_factory, junk):
    folder = tmp_path_factory.mktemp("ledger")
    append_entry(folder, ENTRY)
    with (folder / STATE_FILE).open("ab") as file:
        file.write(junk)
    later = replace(ENTRY, key="new")

    append_entry(folder, later)

    assert (ENTRY, later) == read_entries(folder / "a.dng")


@pytest.mark.parametrize("line", ("[]", "7", "{}", '{"output": "a.dng"}', "[" * 10_000))
def test_lines_of_another_kind_are_passed_over(tmp_path, line):
    (tmp_path / STATE_FILE).write_text(f"{line}\n")

    assert () == read_entries(tmp_path / "a.dng")


def test_an_entry_of_wrong_types_is_passed_over(tmp_path):
    append_entry(tmp_path, replace(ENTRY, key=7))

    assert () == read_entries(tmp_path / "a.dng")


def test_a_note_of_an_earlier_version_is_one(tmp_path):
    append_entry(tmp_path, ENTRY)
    path = tmp_path / STATE_FILE
    path.write_bytes(path.read_bytes().replace(b', "source": ""', b""))

    assert (ENTRY,) == read_entries(tmp_path / "a.dng")


def test_every_line_cut_anywhere_is_closed_by_the_next(tmp_path):
    append_entry(tmp_path, ENTRY)
    whole = (tmp_path / STATE_FILE).read_bytes()

    for length in range(0, len(whole), 9):
        (tmp_path / STATE_FILE).write_bytes(whole[:length])
        append_entry(tmp_path, replace(ENTRY, key="new"))
        assert "new" == read_entries(tmp_path / "a.dng")[-1].key


def test_several_writers_do_not_mix_their_lines(tmp_path):
    def write(writer):
        for number in range(50):
            append_entry(tmp_path, replace(ENTRY, key=f"{writer}-{number}"))

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    keys = [entry.key for entry in read_entries(tmp_path / "a.dng")]
    assert {f"{writer}-{number}" for writer in range(4) for number in range(50)} == set(keys)
    assert 200 == len(keys)


@pytest.mark.parametrize("name", [field.name for field in fields(DenoiseOptions)])
def test_every_option_but_four_is_part_of_the_recipe(name):
    base = {"shot_noise": 1e-3, "read_noise": 1e-5} if name.endswith("_noise") else {}
    plain, other = DenoiseOptions(**base), DenoiseOptions(**{**base, name: CHANGED[name]})

    same = recipe(plain) == recipe(other)

    assert (name in ("overwrite", "threads", "device", "max_megapixels")) == same


def test_the_quality_that_is_taken_anyway_is_the_same_recipe():
    named = DenoiseOptions(quality=specialists.default_quality())

    assert recipe(DenoiseOptions()) == recipe(named)


def test_other_weights_are_another_recipe_where_they_may_be_used(monkeypatch):
    known = specialists.bundled()
    newer = tuple(
        replace(each, sha256="0" * 64) if each.quality == "fast" else each for each in known
    )
    fast, best = DenoiseOptions(quality="fast"), DenoiseOptions(quality="best")
    before = recipe(fast), recipe(best)

    monkeypatch.setattr(specialists, "bundled", lambda: newer)

    assert before[0] != recipe(fast)
    assert before[1] == recipe(best)


def test_another_version_is_another_recipe(monkeypatch):
    before = recipe(DenoiseOptions())
    monkeypatch.setattr("fadn_cli.batch.ledger.__version__", "99")

    assert before != recipe(DenoiseOptions())


def test_source_name_and_recipe_decide_the_key():
    keys = {content_key(*parts) for parts in (("a", "b", "c"), ("x", "b", "c"), ("a", "x", "c"))}

    assert 4 == len(keys | {content_key("a", "b", "x")})
    assert content_key("a", os.fsdecode(b"\xe9"), "c")
