"""What LibRaw develops by is found, whether it tells it or not."""

import numpy as np
import pytest
import rawpy

from fadn_cli.raw.makers.matrix import hidden_matrix
from tests.making.camera_tiff import CAMERAS, write_camera_tiff
from tests.making.dng.write import write_dng
from tests.making.mosaics import noisy_samples


@pytest.fixture
def found(tmp_path):
    """The matrix that is found for a camera, and the one that LibRaw tells."""

    def find(make, model):
        path = write_camera_tiff(
            tmp_path / "a.nef", noisy_samples(200, 300), make=make, model=model
        )
        with rawpy.imread(str(path)) as raw:
            raw.unpack()
            return hidden_matrix(raw), np.array(raw.rgb_xyz_matrix[:3])

    return find


@pytest.mark.parametrize("suffix", CAMERAS)
def test_it_is_what_libraw_tells_of_other_cameras(found, suffix):
    matrix, told = found(*CAMERAS[suffix])

    white = np.array([0.95047, 1, 1.08883])
    expected = told / (told @ white)[:, None]  # grey to the camera where white is
    assert matrix is not None
    assert np.allclose(expected, matrix / (matrix @ white)[:, None], atol=2e-3)
    assert np.float32 == matrix.dtype


@pytest.mark.parametrize("size", ((32, 40), (64, 96)))
def test_of_what_is_tiny_or_developed_without_one_it_is_none(tmp_path, size):
    path = write_dng(tmp_path / "a.dng", noisy_samples(*size), color_matrix=None, neutral=None)

    with rawpy.imread(str(path)) as raw:
        raw.unpack()
        assert hidden_matrix(raw) is None


@pytest.mark.raw
def test_of_a_camera_without_one_it_is_none(raws):
    with rawpy.imread(str(raws / "micasense_rededge_mono.tif")) as raw:
        raw.unpack()
        assert hidden_matrix(raw) is None
