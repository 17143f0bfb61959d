"""What is free is the least that the machine, the control groups and the limits leave."""

import pytest

from fadn_cli.system import memory

GB = 1 << 30


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine of files: 8 GB are available, and a process in the group a/b."""
    process, groups = tmp_path / "self", tmp_path / "groups"
    for folder in (process, groups / "a/b", groups / "memory/a/b"):
        folder.mkdir(parents=True)
    (tmp_path / "meminfo").write_text(f"MemTotal: 1 kB\nMemAvailable: {8 * GB // 1024} kB\n")
    (process / "status").write_text(f"VmSize:\t {GB // 1024} kB\n")
    (process / "cgroup").write_text("0::/a/b\n4:cpu,memory:/a/b\n3:cpu:/c\n")
    monkeypatch.setattr(memory, "_PROCESS", process)
    monkeypatch.setattr(memory, "_GROUPS", groups)
    monkeypatch.setattr(memory, "_MACHINE", tmp_path / "meminfo")
    monkeypatch.setattr(memory, "memory_limit", lambda: None)
    return groups


def limit(group, names, most, used, cached=0):
    for name, value in zip(names, (most, used), strict=True):
        (group / name).write_text(f"{value}\n")
    (group / "memory.stat").write_text(f"anon 5\ninactive_file {cached}\n")


def test_the_machine_alone(machine):
    assert 8 * GB == memory.free_memory()


def test_a_group_above_counts_and_copies_of_files_are_free(machine):
    limit(machine / "a", ("memory.max", "memory.current"), 4 * GB, 3 * GB, GB)
    limit(machine / "a/b", ("memory.max", "memory.current"), "max", 3 * GB)

    assert 2 * GB == memory.free_memory()


def test_groups_of_the_first_version(machine):
    names = "memory.limit_in_bytes", "memory.usage_in_bytes"
    limit(machine / "memory/a/b", names, 3 * GB, 2 * GB)
    limit(machine / "memory", names, (1 << 63) - 4096, 2 * GB)

    assert GB == memory.free_memory()


def test_a_limit_of_addresses_counts_what_is_taken(machine, monkeypatch):
    monkeypatch.setattr(memory, "memory_limit", lambda: 3 * GB)
    assert 2 * GB == memory.free_memory()

    monkeypatch.setattr(memory, "memory_limit", lambda: GB // 2)
    assert 0 == memory.free_memory()
