"""Outputs are whole or absent, and the source is never one of them."""

import errno
import os
import resource
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from fadn_cli.errors import OutputBusyError, OutputExistsError, WriteError
from fadn_cli.system import files, temporary
from fadn_cli.system.files import atomic_output, ensure_not_source
from fadn_cli.system.temporary import remove_leftovers, temporary_of


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


@pytest.mark.parametrize("overwrite", (False, True))
def test_the_final_name_appears_only_when_the_block_is_done(tmp_path, overwrite):
    output = tmp_path / "out.dng"

    with atomic_output(output, overwrite=overwrite) as temporary:
        temporary.write_bytes(b"half")
        assert not output.exists()
        assert temporary.parent == tmp_path

    assert b"half" == output.read_bytes()
    assert ["out.dng"] == names(tmp_path)


def test_permissions_follow_the_umask(tmp_path):
    plain = tmp_path / "plain"
    plain.touch()

    with atomic_output(tmp_path / "out.dng", overwrite=False):
        pass

    assert plain.stat().st_mode == (tmp_path / "out.dng").stat().st_mode


@pytest.mark.parametrize("error", (RuntimeError, KeyboardInterrupt, WriteError))
def test_any_exception_passes_through_and_leaves_nothing_behind(tmp_path, error):
    with (
        pytest.raises(error, match="stop"),
        atomic_output(tmp_path / "out.dng", overwrite=False) as temporary,
    ):
        temporary.write_bytes(b"half")
        raise error("stop")

    assert [] == names(tmp_path)


def test_a_failed_overwrite_keeps_the_earlier_file(tmp_path):
    output = tmp_path / "out.dng"
    output.write_bytes(b"earlier")

    with (
        pytest.raises(RuntimeError),
        atomic_output(output, overwrite=True) as temporary,
    ):
        temporary.write_bytes(b"half")
        raise RuntimeError

    assert b"earlier" == output.read_bytes()
    assert ["out.dng"] == names(tmp_path)


def test_an_existing_output_is_refused_before_any_work(tmp_path):
    output = tmp_path / "out.dng"
    output.write_bytes(b"earlier")

    with (
        pytest.raises(OutputExistsError, match=r"out\.dng: already exists") as caught,
        atomic_output(output, overwrite=False),
    ):
        pytest.fail("the block ran")

    assert "--overwrite" in caught.value.advice


def test_a_dangling_link_counts_as_an_existing_output(tmp_path):
    output = tmp_path / "out.dng"
    output.symlink_to(tmp_path / "nowhere")

    with pytest.raises(OutputExistsError), atomic_output(output, overwrite=False):
        pytest.fail("the block ran")


def test_a_file_that_appears_meanwhile_survives(tmp_path):
    output = tmp_path / "out.dng"

    with (
        pytest.raises(OutputExistsError),
        atomic_output(output, overwrite=False) as temporary,
    ):
        temporary.write_bytes(b"ours")
        output.write_bytes(b"theirs")

    assert b"theirs" == output.read_bytes()
    assert ["out.dng"] == names(tmp_path)


def test_a_failed_rename_gives_the_reserved_name_back(tmp_path, monkeypatch):
    def refuse(self, target):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(files.Path, "hardlink_to", refuse)
    monkeypatch.setattr(files.Path, "replace", refuse)
    with (
        pytest.raises(WriteError, match="Input/output error"),
        atomic_output(tmp_path / "out.dng", overwrite=False),
    ):
        pass

    assert [] == names(tmp_path)


@pytest.mark.parametrize("exists", (False, True))
def test_a_disk_without_hard_links_does_as_well(tmp_path, monkeypatch, exists):
    def refuse(self, target):
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(files.Path, "hardlink_to", refuse)
    output = tmp_path / "out.dng"
    with suppress(OutputExistsError), atomic_output(output, overwrite=False) as temporary:
        temporary.write_bytes(b"ours")
        if exists:
            output.write_bytes(b"theirs")

    assert (b"theirs" if exists else b"ours") == output.read_bytes()
    assert ["out.dng"] == names(tmp_path)


@pytest.mark.parametrize("overwrite", (False, True))
def test_an_output_is_written_by_one_at_a_time(tmp_path, overwrite):
    output = tmp_path / "out.dng"

    with atomic_output(output, overwrite=overwrite) as temporary:
        temporary.write_bytes(b"first")
        with (
            pytest.raises(OutputBusyError, match=r"out\.dng: another fadn"),
            atomic_output(output, overwrite=overwrite),
        ):
            pytest.fail("the block ran")
        with atomic_output(tmp_path / "other.dng", overwrite=overwrite):
            pass

    assert b"first" == output.read_bytes()
    assert ["other.dng", "out.dng"] == names(tmp_path)


HOLD = """
import sys, time; from pathlib import Path
from fadn_cli.system.files import atomic_output
with atomic_output(Path(sys.argv[1]), overwrite=False) as temporary:
    temporary.write_bytes(b'half'); print(flush=True); time.sleep(600)
"""


@pytest.fixture
def killed(tmp_path):
    """An output that another process is writing, and the process, to be killed."""
    output = tmp_path / "out.dng"
    with subprocess.Popen([sys.executable, "-c", HOLD, output], stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        yield output, process
        process.kill()


def test_what_another_process_is_writing_is_left_to_it_until_it_dies(killed):
    output, process = killed

    assert 0 == remove_leftovers(output.parent)
    with pytest.raises(OutputBusyError), atomic_output(output, overwrite=False):
        pytest.fail("the block ran")
    assert b"half" == temporary_of(output).read_bytes()

    process.kill()
    process.wait()
    with atomic_output(output, overwrite=False) as temporary:
        assert b"" == temporary.read_bytes()


def test_what_a_killed_process_left_is_removed_and_nothing_else(killed):
    output, process = killed
    process.kill()
    process.wait()
    kept = [".fadn-state.jsonl", ".fadn-0123.part", "x.fadn-0123456789abcdef.part"]
    for name in kept:
        (output.parent / name).touch()

    assert 1 == remove_leftovers(output.parent)

    assert sorted(kept) == names(output.parent)
    assert 0 == remove_leftovers(output.parent / "nowhere")


def test_a_leftover_that_has_its_name_already_takes_nothing_with_it(tmp_path):
    output = tmp_path / "out.dng"
    output.write_bytes(b"whole")
    temporary_of(output).hardlink_to(output)  # killed after it got its name

    with atomic_output(output, overwrite=True) as temporary:
        assert b"whole" == output.read_bytes()
        temporary.write_bytes(b"new")

    assert b"new" == output.read_bytes()
    assert ["out.dng"] == names(tmp_path)


def test_where_there_are_no_locks_nothing_is_said_of_whoever_writes_it(tmp_path, monkeypatch):
    def refuse(descriptor):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(temporary, "try_lock", refuse)
    output = tmp_path / "out.dng"

    with atomic_output(output, overwrite=False):
        assert 0 == remove_leftovers(tmp_path)
        with (
            pytest.raises(OutputExistsError, match="cannot be told on this disk") as caught,
            atomic_output(output, overwrite=False),
        ):
            pytest.fail("the block ran")

    assert OutputExistsError is type(caught.value)  # a batch passes over what is only busy
    assert ["out.dng"] == names(tmp_path)


def prepare(path, kind):
    """Put something where only fadn's own temporary file should be."""
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to({"dangling": "nowhere", "link": "victim"}[kind])


@pytest.mark.parametrize("kind", ("folder", "pipe", "dangling", "link"))
@pytest.mark.parametrize("overwrite", (False, True))
def test_what_fadn_cannot_have_made_is_named_and_left_as_it_is(tmp_path, kind, overwrite):
    output = tmp_path / "out.dng"
    (tmp_path / "victim").write_bytes(b"theirs")
    prepare(temporary_of(output), kind)

    with (
        pytest.raises(WriteError, match=r"out\.dng: .*\.part is in the way") as caught,
        atomic_output(output, overwrite=overwrite),
    ):
        pytest.fail("the block ran")

    assert "remove it" in caught.value.advice
    assert 0 == remove_leftovers(tmp_path)
    assert [temporary_of(output).name, "victim"] == names(tmp_path)
    assert b"theirs" == (tmp_path / "victim").read_bytes()


def test_another_user_s_leftover_is_told_apart_from_one_at_work(tmp_path, monkeypatch):
    def refuse(path, **how):
        raise PermissionError(errno.EACCES, "Permission denied")

    temporary_of(tmp_path / "out.dng").touch()
    monkeypatch.setattr(temporary, "open_plain", refuse)

    with (
        pytest.raises(WriteError, match=r"in the way \(Permission denied\)") as caught,
        atomic_output(tmp_path / "out.dng", overwrite=False),
    ):
        pytest.fail("the block ran")

    assert "Another user's fadn" in caught.value.advice


def test_what_is_put_there_again_and_again_is_not_waited_for(tmp_path, monkeypatch):
    temporary_of(tmp_path / "out.dng").touch()
    monkeypatch.setattr(temporary, "_remove_if_abandoned", lambda path: True)

    with pytest.raises(OutputBusyError), atomic_output(tmp_path / "out.dng", overwrite=False):
        pytest.fail("the block ran")


@pytest.mark.parametrize("overwrite", (False, True))
def test_a_temporary_file_that_was_replaced_never_becomes_the_output(tmp_path, overwrite):
    output = tmp_path / "out.dng"

    with (
        pytest.raises(WriteError, match="was removed or replaced while it was written"),
        atomic_output(output, overwrite=overwrite) as path,
    ):
        path.unlink()
        path.write_bytes(b"theirs")

    assert not output.exists()


def test_overwriting_a_link_replaces_the_link_and_not_what_it_points_to(tmp_path):
    source = tmp_path / "source.dng"
    source.write_bytes(b"original")
    output = tmp_path / "out.dng"
    output.symlink_to(source)

    with atomic_output(output, overwrite=True) as temporary:
        temporary.write_bytes(b"ours")

    assert b"original" == source.read_bytes()
    assert b"ours" == output.read_bytes()
    assert not output.is_symlink()


def test_a_name_at_the_file_systems_limit_can_be_written(tmp_path):
    output = tmp_path / ("x" * 251 + ".dng")

    with atomic_output(output, overwrite=False):
        pass

    assert output.exists()


@pytest.mark.parametrize(
    ("code", "advice"),
    ((errno.ENOSPC, "Free some disk space"), (errno.EACCES, "may write"), (errno.EIO, "Check")),
)
def test_a_refusal_of_the_system_says_what_to_do(tmp_path, code, advice):
    with (
        pytest.raises(WriteError, match=rf"out\.dng.*{os.strerror(code)}") as caught,
        atomic_output(tmp_path / "out.dng", overwrite=False),
    ):
        raise OSError(code, os.strerror(code))

    assert advice in caught.value.advice
    assert isinstance(caught.value.__cause__, OSError)
    assert [] == names(tmp_path)


@pytest.mark.parametrize("overwrite", (False, True))
def test_a_disk_that_is_found_full_only_when_told_to_store_leaves_nothing(
    tmp_path, monkeypatch, overwrite
):
    """A network's, a quota's: whatever was written until then was in memory only."""
    output = tmp_path / "out.dng"
    stored = []

    def refuse(descriptor):
        stored.append((os.fstat(descriptor).st_size, output.exists()))
        raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))

    monkeypatch.setattr(os, "fsync", refuse)

    with (
        pytest.raises(WriteError, match="out.dng: cannot be written to"),
        atomic_output(output, overwrite=overwrite) as temporary,
    ):
        temporary.write_bytes(b"whole")

    assert [(5, False)] == stored
    assert [] == names(tmp_path)


def test_a_disk_that_cannot_be_told_to_store_does_as_well(tmp_path, monkeypatch):
    def refuse(descriptor):
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))

    monkeypatch.setattr(os, "fsync", refuse)

    with atomic_output(tmp_path / "out.dng", overwrite=False) as temporary:
        temporary.write_bytes(b"whole")

    assert ["out.dng"] == names(tmp_path)


def test_a_full_disk_leaves_nothing_behind(tmp_path):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with (
            pytest.raises(WriteError, match="File too large"),
            atomic_output(tmp_path / "out.dng", overwrite=False) as temporary,
        ):
            temporary.write_bytes(b"x" * 5000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert [] == names(tmp_path)


def test_a_missing_folder_and_a_folder_of_that_name_are_refused(tmp_path):
    with (
        pytest.raises(WriteError, match="No such file") as missing,
        atomic_output(tmp_path / "nowhere" / "out.dng", overwrite=False),
    ):
        pytest.fail("the block ran")
    with (
        pytest.raises(WriteError, match="Is a directory"),
        atomic_output(tmp_path, overwrite=True),
    ):
        pytest.fail("the block ran")

    assert "Create the folder" in missing.value.advice


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_write_permission_is_refused(tmp_path):
    tmp_path.chmod(0o500)
    with (
        pytest.raises(WriteError, match="Permission denied"),
        atomic_output(tmp_path / "out.dng", overwrite=False),
    ):
        pytest.fail("the block ran")


def test_ctrl_c_in_a_real_process_leaves_nothing_behind(tmp_path):
    code = (
        "import os, signal, sys; from pathlib import Path\n"
        "from fadn_cli.system.files import atomic_output\n"
        # a background job of a shell inherits an ignored SIGINT
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "with atomic_output(Path(sys.argv[1]), overwrite=False) as temporary:\n"
        "    temporary.write_bytes(b'half'); os.kill(os.getpid(), signal.SIGINT)\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "out.dng")], capture_output=True, check=False
    )

    assert b"KeyboardInterrupt" in done.stderr
    assert [] == names(tmp_path)


def test_every_way_to_the_source_is_refused(tmp_path):
    source = tmp_path / "a.dng"
    source.write_bytes(b"original")
    symbolic, hard = tmp_path / "symbolic.dng", tmp_path / "hard.dng"
    symbolic.symlink_to(source)
    hard.hardlink_to(source)
    (tmp_path / "folder").mkdir()

    for output in (source, symbolic, hard, tmp_path / "folder" / ".." / "a.dng"):
        with pytest.raises(WriteError, match="is the source"):
            ensure_not_source(source, output)
    with pytest.raises(WriteError, match="is the source"):
        ensure_not_source(symbolic, source)


def test_other_outputs_are_not_the_source(tmp_path):
    source, other = tmp_path / "a.dng", tmp_path / "b.dng"
    source.write_bytes(b"original")
    ensure_not_source(source, other)

    other.write_bytes(b"original")
    ensure_not_source(source, other)
