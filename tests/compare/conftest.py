"""A drawn photograph before and after, for all that shows them."""

from dataclasses import replace

import pytest

from fadn_cli.compare.pair import compare_files
from fadn_cli.demo import run as demo
from fadn_cli.demo.scene import draw_scene
from fadn_cli.pipeline.file import DenoiseOptions, denoise_file

OPTIONS = DenoiseOptions(quality="fast", threads=1)


@pytest.fixture(scope="session")
def scene_files(tmp_path_factory):
    """A noisy raw of the demonstration's scene, and the DNG denoised from it."""
    folder = tmp_path_factory.mktemp("scene")
    source, output = folder / "IMG_1 <b>&é.dng", folder / "IMG_1_denoised.dng"
    source.write_bytes(demo.build_dng(demo.add_noise(demo.expose(draw_scene(320, 480)))))
    denoise_file(source, output, OPTIONS)
    return source, output


@pytest.fixture(scope="session")
def scene_tiff(scene_files):
    """The same, denoised to a TIFF."""
    source, output = scene_files
    tiff = output.with_suffix(".tif")
    denoise_file(source, tiff, replace(OPTIONS, format="tiff"))
    return tiff


@pytest.fixture(scope="session")
def comparison(scene_files):
    """Both compared."""
    return compare_files(*scene_files)
