"""Several files are checked in one go; a bad one does not stop the others."""

import pytest

from fadn_cli import examine
from fadn_cli.errors import UnsupportedRawError
from tests.raw.builders import noisy_samples, write_camera_tiff, write_dng


def test_files_are_checked_in_their_order_whatever_they_are(tmp_path):
    good = write_dng(tmp_path / "good.dng", noisy_samples())
    missing = tmp_path / "missing.dng"

    found = examine.check_files([missing, tmp_path, good])

    assert [missing, tmp_path, good] == [each.path for each in found]
    assert [False, False, True] == [each.ok for each in found]


def test_only_a_dng_is_compared(tmp_path):
    source = write_camera_tiff(tmp_path / "a.nef", noisy_samples())

    with pytest.raises(UnsupportedRawError, match="a.nef: is not a DNG"):
        examine.compare_files(source, source)
