"""The files a user means, each once, and what is wrong with the other paths."""

import os
import socket
from pathlib import Path

import pytest

from fadn_cli.batch import sources
from fadn_cli.batch.sources import OURS, Selection, collect
from fadn_cli.errors import RawReadError
from tests.making.folders import fill


@pytest.fixture
def folder(tmp_path):
    return fill(
        tmp_path / "photos",
        "IMG_10.CR2",
        "IMG_2.cr2",
        "img_1.Nef",
        "notes.txt",
        "IMG_2.jpg",
        "._IMG_2.cr2",
        "trip/IMG_3.dng",
        "trip/day 2/IMG_4.ARW",
        ".Trashes/IMG_5.dng",
    )


def find(*paths, is_marked=lambda path: False, **selection):
    def why_ours(path):
        return OURS if is_marked(path) else ""

    return collect(paths, Selection(**selection), why_ours=why_ours)


def names(found):
    return [source.path.name for source in found.sources]


def reasons(found):
    assert all(isinstance(failure.error, RawReadError) for failure in found.failures)
    return [str(failure.error) for failure in found.failures]


def test_a_folder_stands_for_its_raw_files_in_natural_order(folder):
    assert ["img_1.Nef", "IMG_2.cr2", "IMG_10.CR2"] == names(find(folder))


def test_recursion_adds_the_folders_inside_but_not_hidden_ones(folder):
    found = find(folder, recursive=True)

    assert ["img_1.Nef", "IMG_2.cr2", "IMG_10.CR2", "IMG_3.dng", "IMG_4.ARW"] == names(found)
    assert [".", ".", ".", "trip", str(Path("trip/day 2"))] == [
        str(source.subfolder) for source in found.sources
    ]


def test_a_file_named_itself_is_taken_whatever_it_is_called(folder):
    found = find(folder / "notes.txt", folder / "._IMG_2.cr2")

    assert ["notes.txt", "._IMG_2.cr2"] == names(found)
    assert {Path()} == {source.subfolder for source in found.sources}


def test_paths_keep_the_order_in_which_they_are_named(folder):
    found = find(folder / "IMG_10.CR2", folder / "trip", folder / "img_1.Nef")

    assert ["IMG_10.CR2", "IMG_3.dng", "img_1.Nef"] == names(found)


def test_a_file_met_twice_counts_once(folder, monkeypatch):
    link = folder / "IMG_99.dng"
    link.symlink_to(folder / "IMG_2.cr2")
    monkeypatch.chdir(folder)

    found = find(Path("IMG_2.cr2"), folder / "IMG_2.cr2", Path("trip/../IMG_2.cr2"), link, folder)

    assert ["IMG_2.cr2", "img_1.Nef", "IMG_10.CR2"] == names(found)


def test_our_own_outputs_are_skipped_in_folders_only(folder):
    def is_marked(path):
        return path.name == "IMG_2.cr2"

    in_folder = find(folder, is_marked=is_marked)
    named = find(folder, folder / "IMG_2.cr2", is_marked=is_marked)

    assert ["img_1.Nef", "IMG_10.CR2"] == names(in_folder)
    assert ["already denoised by fadn"] == [result.skipped for result in in_folder.skipped]
    assert ["img_1.Nef", "IMG_10.CR2", "IMG_2.cr2"] == names(named)
    assert () == named.skipped


def test_a_folder_of_outputs_only_is_no_failure(tmp_path):
    found = find(fill(tmp_path, "a.dng"), is_marked=lambda path: True)

    assert [(), 1, ()] == [found.sources, len(found.skipped), found.failures]


def test_a_missing_path_is_named_and_the_others_are_found(folder):
    found = find(folder / "gone.dng", folder / "img_1.Nef")

    assert ["img_1.Nef"] == names(found)
    assert [f"{folder / 'gone.dng'}: no such file or folder"] == reasons(found)


def test_a_folder_without_raws_is_named_and_recursion_advised(folder, tmp_path):
    fill(tmp_path, "empty/readme.txt", "empty/deep/a.dng")
    found = find(tmp_path / "empty")

    assert [f"{tmp_path / 'empty'}: no raw files in this folder"] == reasons(found)
    assert "--recursive" in found.failures[0].error.advice
    assert ["a.dng"] == names(find(tmp_path / "empty", recursive=True))


def test_recursion_is_not_advised_to_who_asked_for_it(tmp_path):
    found = find(tmp_path, recursive=True)

    assert "--recursive" not in found.failures[0].error.advice


@pytest.mark.parametrize("in_folder", (False, True))
def test_broken_links_are_named(tmp_path, in_folder):
    link = tmp_path / "a.dng"
    link.symlink_to("gone.dng")

    found = find(tmp_path if in_folder else link)

    assert [f"{link}: a broken link to gone.dng"] == reasons(found)


def test_links_in_a_circle_are_named(tmp_path):
    (tmp_path / "a.dng").symlink_to("b.dng")
    (tmp_path / "b.dng").symlink_to("a.dng")

    found = find(tmp_path / "a.dng")

    assert len(found.failures) == 1
    assert "cannot be read" in reasons(found)[0]


def test_folders_linked_into_themselves_end(folder):
    (folder / "trip" / "again").symlink_to(folder)

    assert len(names(find(folder, recursive=True))) == 5


def test_a_folder_with_the_name_of_a_raw_is_a_folder(tmp_path):
    fill(tmp_path, "shots.dng/a.dng", "b.dng")

    assert ["b.dng"] == names(find(tmp_path))
    assert ["b.dng", "a.dng"] == names(find(tmp_path, recursive=True))
    assert ["a.dng"] == names(find(tmp_path / "shots.dng"))


def test_what_is_neither_file_nor_folder_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # a socket's name must be short
    with socket.socket(socket.AF_UNIX) as unusual:
        unusual.bind("a.dng")

        assert ["a.dng: neither a file nor a folder"] == reasons(find(Path("a.dng")))


def test_a_folder_that_cannot_be_searched_is_named_and_the_others_are(folder, monkeypatch):
    real = os.scandir

    def scandir(path):
        if Path(path).name == "trip":
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)

    found = find(folder, recursive=True)

    assert ["img_1.Nef", "IMG_2.cr2", "IMG_10.CR2"] == names(found)
    assert [f"{folder / 'trip'}: cannot be searched: Permission denied"] == reasons(found)


def test_a_path_behind_a_locked_folder_is_named(tmp_path, monkeypatch):
    def stat(path, **options):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "stat", stat)

    assert ["locked/a.dng: cannot be read: Permission denied"] == reasons(
        find(Path("locked/a.dng"))
    )


def test_names_that_are_not_utf_8_are_found(tmp_path):
    name = os.fsdecode(b"caf\xe9.dng")

    assert [name] == names(find(fill(tmp_path, name)))


def test_all_listed_suffixes_are_lower_case_and_have_their_dot():
    assert all(
        suffix == suffix.lower() and suffix.startswith(".") for suffix in sources.RAW_SUFFIXES
    )


def test_a_folder_called_like_a_raw_is_named_where_nothing_is_found_in_it(tmp_path):
    fill(tmp_path, "shots.dng/a.dng", "empty.dng/notes.txt", "b.dng")

    here, deep = find(tmp_path), find(tmp_path, recursive=True)

    assert ["empty.dng", "shots.dng"] == [each.source.name for each in here.failures]
    assert ["empty.dng"] == [each.source.name for each in deep.failures]
    assert "--recursive" in here.failures[0].error.advice
    assert () == find(tmp_path, exclude=("*.dng",), recursive=True).sources


@pytest.mark.parametrize(
    ("pattern", "expected"),
    (
        ("*.cr2", ["IMG_2.cr2"]),
        ("IMG_*", ["IMG_2.cr2", "IMG_10.CR2"]),
        ("[iI][mM]*", ["img_1.Nef", "IMG_2.cr2", "IMG_10.CR2"]),
        ("*/*.dng", ["IMG_3.dng"]),
        ("**/*.dng", ["IMG_3.dng"]),
        ("tr?p", ["IMG_3.dng"]),
        ("trip/*", ["IMG_4.ARW", "IMG_3.dng"]),
    ),
)
def test_a_pattern_stands_for_the_raws_and_folders_that_match(folder, pattern, expected):
    assert expected == names(find(folder / pattern))
    assert () == find(folder / pattern).failures


def test_a_pattern_works_below_the_current_folder(folder, monkeypatch):
    monkeypatch.chdir(folder)

    assert [Path("IMG_2.cr2"), Path("IMG_10.CR2")] == [
        source.path for source in find(Path("IMG*")).sources
    ]


def test_brackets_in_the_name_of_what_exists_are_just_brackets(tmp_path):
    fill(tmp_path, "a[1].dng", "a1.dng", "day [x]/b1.dng", "day x/b2.dng")

    assert ["a[1].dng"] == names(find(tmp_path / "a[1].dng"))
    assert ["b1.dng"] == names(find(tmp_path / "day [x]" / "*.dng"))
    assert ["a1.dng"] == names(find(tmp_path / "a[0-9].dng"))


def test_a_pattern_mirrors_the_tree_below_its_fixed_part(folder):
    found = find(folder / "**" / "*.[Ad]*", recursive=True)

    assert [("IMG_4.ARW", Path("trip/day 2")), ("IMG_3.dng", Path("trip"))] == [
        (source.path.name, source.subfolder) for source in found.sources
    ]


def test_a_pattern_that_nothing_matches_is_named(folder):
    found = find(folder / "*.raf", folder / "*.txt")

    assert [f"{folder / name}: no raw files match" for name in ("*.raf", "*.txt")] == reasons(found)


def test_outputs_of_ours_are_skipped_where_a_pattern_matches_them(folder):
    found = find(folder / "IMG*", is_marked=lambda path: path.name == "IMG_2.cr2")

    assert ["IMG_10.CR2"] == names(found)
    assert ["IMG_2.cr2"] == [result.source.name for result in found.skipped]


@pytest.mark.parametrize(
    ("selection", "expected"),
    (
        ({"include": ("*.cr2",)}, ["IMG_2.cr2", "IMG_10.CR2"]),
        ({"include": ("trip/*",)}, ["IMG_3.dng", "IMG_4.ARW"]),
        ({"include": ("*.dng", "img_1.*")}, ["img_1.Nef", "IMG_3.dng"]),
        ({"exclude": ("trip",)}, ["img_1.Nef", "IMG_2.cr2", "IMG_10.CR2"]),
        ({"exclude": ("*.CR2", "day*")}, ["img_1.Nef", "IMG_3.dng"]),
        ({"include": ("IMG*",), "exclude": ("*1*", "*/*")}, ["IMG_2.cr2"]),
    ),
)
def test_patterns_choose_from_folders(folder, selection, expected):
    assert expected == names(find(folder, recursive=True, **selection))


def test_patterns_do_not_touch_files_that_are_named(folder):
    assert ["img_1.Nef"] == names(find(folder / "img_1.Nef", include=("*.dng",)))


def test_a_folder_from_which_nothing_is_chosen_is_named(folder):
    assert "that --include and --exclude let through" in reasons(find(folder, include=("x",)))[0]


def test_the_list_stands_for_what_is_in_it(folder):
    listed = (folder / "IMG_2.cr2", folder / "trip", folder / "IMG_*")

    found = find(folder / "img_1.Nef", Path("-"), listed=listed)

    assert ["img_1.Nef", "IMG_2.cr2", "IMG_3.dng"] == names(found)
    assert [f"{folder / 'IMG_*'}: no such file or folder"] == reasons(found)


def test_an_empty_list_is_a_failure():
    assert ["-: no names on standard input"] == reasons(find(Path("-")))


@pytest.mark.parametrize("end", (b"\n", b"\r\n", b"\0"))
def test_lists_keep_any_name(end):
    names = [b"a b.dng", b"caf\xe9.dng", " é[1].dng".encode()]

    found = sources.read_list(end.join(names) + end)

    assert names == [os.fsencode(path) for path in found]


@pytest.mark.parametrize(
    ("name", "advice"), (("circle.dng", "leads in a circle"), ("a" * 300 + ".dng", "spelled"))
)
def test_what_no_permission_would_help_is_not_said_to_need_one(tmp_path, name, advice):
    (tmp_path / "circle.dng").symlink_to("circle.dng")

    [failure] = find(tmp_path / name).failures

    assert advice in failure.error.advice
