"""Nothing waits for a pipe, nothing follows a link that fadn cannot have made."""

import errno
import os
from pathlib import Path

import pytest

from fadn_cli.system.opening import NotPlainError, open_plain, read_plain, unreadable, write_plain


@pytest.mark.parametrize("write", (False, True))
def test_a_pipe_is_refused_at_once(tmp_path, write):
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(NotPlainError, match="a named pipe, not a plain file"):
        open_plain(tmp_path / "pipe", write=write)


@pytest.mark.parametrize("target", ("there", "nowhere"))
def test_a_link_is_followed_only_where_it_may_be(tmp_path, target):
    (tmp_path / "there").write_bytes(b"content")
    (tmp_path / "link").symlink_to(target)

    with pytest.raises(NotPlainError, match="a symbolic link"):
        open_plain(tmp_path / "link", write=True, create=True, follow=False)

    assert not (tmp_path / "nowhere").exists()
    if target == "there":
        assert b"content" == read_plain(tmp_path / "link")


def test_a_folder_and_a_missing_file_keep_their_errors(tmp_path):
    with pytest.raises(IsADirectoryError):
        read_plain(tmp_path)
    with pytest.raises(FileNotFoundError):
        read_plain(tmp_path / "nowhere")


def test_a_device_is_refused_and_nothing_is_nothing():
    assert b"" == read_plain(Path(os.devnull))
    with pytest.raises(NotPlainError, match="a device"):
        read_plain(Path("/dev/zero"))


def test_what_is_too_large_is_not_read(tmp_path):
    (tmp_path / "large").write_bytes(bytes(11))

    assert 11 == len(read_plain(tmp_path / "large", limit=11))
    with pytest.raises(OSError, match="more than 10 bytes"):
        read_plain(tmp_path / "large", limit=10)


@pytest.mark.parametrize(
    ("code", "advice"),
    ((errno.EMFILE, "ulimit -n"), (errno.EACCES, "permissions"), (errno.EIO, "card")),
)
def test_the_machine_s_refusals_say_what_to_do_about_the_machine(tmp_path, code, advice):
    error = unreadable(tmp_path / "a.dng", OSError(code, os.strerror(code)))

    assert "a.dng: cannot be read" in str(error)
    assert advice in error.advice


def test_what_is_written_follows_no_link_that_was_put_in_its_place(tmp_path):
    (tmp_path / "victim").write_bytes(b"theirs")
    (tmp_path / "link").symlink_to("victim")

    with pytest.raises(OSError):
        write_plain(tmp_path / "link", b"ours")
    write_plain(tmp_path / "ours", b"a longer one")
    write_plain(tmp_path / "ours", "é")

    assert b"theirs" == (tmp_path / "victim").read_bytes()
    assert "é".encode() == (tmp_path / "ours").read_bytes()
