"""What cannot be said is not said, and nothing else changes."""

import io
import sys

import pytest

from fadn_cli.errors import WriteError
from fadn_cli.screen import console
from fadn_cli.screen.streams import Unfailing, unfailing


class Broken(io.StringIO):
    """A stream whose reader has gone."""

    def write(self, text):
        raise BrokenPipeError

    def flush(self):
        raise BrokenPipeError


def test_what_a_broken_stream_does_not_take_is_dropped():
    stream = unfailing(Broken())

    assert 3 == stream.write("abc")
    stream.writelines(["a", "b"])
    stream.flush()


def test_a_closed_stream_is_as_good_as_none():
    closed = io.StringIO()
    closed.close()

    assert 1 == Unfailing(closed).write("a")
    assert not Unfailing(closed).isatty()


def test_everything_else_is_the_stream_s_own(tmp_path):
    with (tmp_path / "a").open("w", encoding="latin-1", errors="replace") as file:
        stream = unfailing(unfailing(file))
        stream.write("é")
        assert ("latin-1", "replace") == (stream.encoding, stream.errors)
        assert file.fileno() == stream.fileno()
        stream.close()
        assert not file.closed

    assert b"\xe9" == (tmp_path / "a").read_bytes()


def test_errors_are_shown_to_nobody_if_there_is_nobody(monkeypatch):
    for stream in (None, Broken()):
        monkeypatch.setattr(sys, "stderr", stream)
        console.show_error(WriteError("what", advice="do"))
        console.show_warning("beware")


def test_what_was_asked_for_needs_a_stdout(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)

    with pytest.raises(WriteError, match="standard output is closed"):
        console.show_json({})
