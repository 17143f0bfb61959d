"""Several files are checked in one go; a bad one does not stop the others."""

import pytest

from fadn_cli.errors import UnsupportedRawError
from fadn_cli.raw.check.dng import check_file
from fadn_cli.raw.check.verify import verify
from tests.making.dng.write import noisy_samples, write_camera_tiff, write_dng


def test_files_are_checked_in_their_order_whatever_they_are(tmp_path):
    good = write_dng(tmp_path / "good.dng", noisy_samples())
    missing = tmp_path / "missing.dng"

    found = [check_file(path) for path in (missing, tmp_path, good)]

    assert [missing, tmp_path, good] == [each.path for each in found]
    assert [False, False, True] == [each.ok for each in found]


def test_only_a_dng_is_compared(tmp_path):
    source = write_camera_tiff(tmp_path / "a.nef", noisy_samples())

    with pytest.raises(UnsupportedRawError, match="a.nef: is not a DNG"):
        verify(source, source)
