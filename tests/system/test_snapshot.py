"""A source is what it was when it was opened, or the work on it counts for nothing."""

import os

import pytest

from fadn_cli.errors import RawReadError, SourceChangedError
from fadn_cli.raw.tiff.file import map_file
from fadn_cli.system import snapshot
from fadn_cli.system.snapshot import Snapshot, hash_file, held_bytes, hold, open_held


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "a.dng"
    path.write_bytes(b"photograph A")
    return path


def replace(path, content):
    """Put another file in a file's place, as rename does."""
    other = path.with_name("other")
    other.write_bytes(content)
    other.replace(path)


def test_what_is_held_stays_whatever_becomes_of_the_file(source):
    with hold(source) as held:
        source.write_bytes(b"B")

        assert b"photograph A" == bytes(map_file(source)) == open_held(source).read()
        assert held.sha256 != hash_file(source)
        with hold(source) as again:
            assert held is again
    assert held_bytes(source) is None
    assert b"B" == bytes(map_file(source))


@pytest.mark.parametrize("content", (b"photograph B", b"photo", b""))
@pytest.mark.parametrize("renamed", (False, True))
def test_another_content_is_noticed(source, content, renamed):
    with hold(source) as held:
        replace(source, content) if renamed else source.write_bytes(content)
        os.utime(source, ns=(1, 1))

        with pytest.raises(SourceChangedError, match=r"a\.dng: was 12 bytes, is") as caught:
            held.check()

    assert "run the same command again" in caught.value.advice
    assert 3 == caught.value.exit_code


def test_a_file_that_is_gone_is_noticed(source):
    held = Snapshot(source)
    source.unlink()

    with pytest.raises(SourceChangedError, match="is gone"):
        held.check()


def test_the_same_content_is_the_same_file(source):
    held = Snapshot(source)
    replace(source, b"photograph A")  # as some network disks seem to do at any moment
    source.chmod(0o600)

    held.check()


def test_a_file_too_large_to_hold_is_mapped_and_watched(source, monkeypatch):
    monkeypatch.setattr(snapshot, "LARGEST_HELD", 4)
    with hold(source) as held:
        assert held_bytes(source) is None
        assert b"photograph A" == bytes(map_file(source))
        assert hash_file(source) == held.sha256
        held.check()
        replace(source, b"photograph A")
        with pytest.raises(SourceChangedError):
            held.check()


@pytest.mark.parametrize("kind", ("empty", "pipe", "folder", "nothing"))
def test_what_cannot_be_read_is_refused(tmp_path, kind):
    path = tmp_path / "a.dng"
    {"empty": path.touch, "folder": path.mkdir, "pipe": lambda: os.mkfifo(path)}.get(kind, str)()

    with pytest.raises(RawReadError, match=r"a\.dng"):
        Snapshot(path)
