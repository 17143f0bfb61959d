"""As many threads as there is processor time for, in containers too."""

import os
import threading

import pytest

from fadn_cli.system import cores
from fadn_cli.system.cores import (
    available_cores,
    most_open_files,
    start_together,
    usable_jobs,
    usable_threads,
)

MANY = 1 << 10


@pytest.fixture
def groups(tmp_path, monkeypatch):
    """A tree of control groups, this process in a/b, on a machine of many cores."""
    (tmp_path / "cgroup").write_text("0::/a/b\n")
    (tmp_path / "fs/a/b").mkdir(parents=True)
    monkeypatch.setattr(cores, "_GROUP", tmp_path / "cgroup")
    monkeypatch.setattr(cores, "_GROUPS", tmp_path / "fs")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(MANY), raising=False)
    return tmp_path / "fs"


def test_without_a_limit_it_is_what_the_process_may_run_on(groups):
    (groups / "a/cpu.max").write_text("max 100000\n")

    assert MANY == available_cores()


@pytest.mark.parametrize(("limit", "expected"), (("150000 100000", 2), ("1000 100000", 1)))
@pytest.mark.parametrize("group", (".", "a", "a/b"))
def test_a_share_of_the_time_bounds_it_wherever_it_is_set(groups, group, limit, expected):
    (groups / "a/b/cpu.max").write_text("400000 100000\n")
    (groups / group / "cpu.max").write_text(limit)

    assert expected == available_cores()


@pytest.mark.parametrize("content", ("", "nonsense", "5 0", "a b"))
def test_what_cannot_be_understood_bounds_nothing(groups, content):
    (groups / "a/b/cpu.max").write_text(content)

    assert MANY == available_cores()


def test_without_control_groups_too(groups, monkeypatch):
    monkeypatch.setattr(cores, "_GROUP", groups / "none")

    assert MANY == available_cores()


def test_this_machine_has_some():
    assert 1 <= available_cores() <= (os.cpu_count() or 1)


def test_calls_are_made_on_no_more_threads_than_there_are_to_use():
    calls = [lambda: threading.current_thread().name] * 6

    for threads in (1, 2):
        names = {each.result() for each in start_together(threads, *calls)}
        assert 1 <= len(names) <= threads


def test_what_a_call_raises_is_its_own():
    good, bad = start_together(None, lambda: 3, lambda: 1 / 0)

    assert 3 == good.result()
    with pytest.raises(ZeroDivisionError):
        bad.result()


def test_no_more_threads_are_started_than_do_some_good(monkeypatch):
    monkeypatch.setattr(cores, "available_cores", lambda: 2)
    assert [2, 1, 16, 16] == [usable_threads(asked) for asked in (None, 1, 16, 999)]

    monkeypatch.setattr(cores, "available_cores", lambda: 64)
    assert [64, 3, 64] == [usable_threads(asked) for asked in (None, 3, 999)]


def test_open_files_are_limited():
    assert 16 <= most_open_files() <= 1 << 16


@pytest.mark.parametrize(("files", "jobs"), ((20, 1), (28, 2), (1024, 4)))
def test_no_more_files_at_once_than_may_be_open(monkeypatch, files, jobs):
    monkeypatch.setattr(cores, "most_open_files", lambda: files)

    assert jobs == usable_jobs(4)
