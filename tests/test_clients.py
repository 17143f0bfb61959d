"""Other people's programs open our outputs, and develop them as they develop the source."""

import shutil

import numpy as np
import pytest
import tifffile

from fadn_cli.pipeline import denoise_file
from tests.exiftool import MAY_DIFFER, differing, dump, faults, need, run

NAME = "canon_kiss_x4_colorchart.dng"


@pytest.fixture(scope="module")
def pair(shared, tmp_path_factory):
    """A real raw and its denoised twin, side by side under other names."""
    folder = tmp_path_factory.mktemp("clients")
    source, output = folder / "source.dng", folder / "output.dng"
    shutil.copyfile(shared / "raws" / NAME, source)
    denoise_file(source, output)
    return source, output


@pytest.mark.raw
def test_exiftool_sees_only_the_differences_that_denoising_makes(pair):
    need("exiftool")

    source, output = dump(pair)

    assert set() == {name for _, name in differing(source, output)} - MAY_DIFFER


@pytest.mark.raw
def test_exiftool_finds_no_new_fault(pair):
    need("exiftool")

    source, output = faults(pair)

    assert set() == set(output) - set(source)


def dcraw(path):
    run("dcraw_emu", "-w", "-W", "-c", "0", "-T", path)
    return tifffile.imread(path.with_name(path.name + ".tiff"))


def darktable(path):
    out = path.with_suffix(".dt.tif")
    settings = ["--configdir", path.parent / "dt", "--library", ":memory:", "--disable-opencl"]
    run("darktable-cli", path, out, "--core", *settings)
    return tifffile.imread(out)


def rawtherapee(path):
    out = path.with_suffix(".rt.tif")
    run("rawtherapee-cli", "-q", "-t", "-Y", "-o", out, "-c", path)
    return tifffile.imread(out)


@pytest.mark.raw
@pytest.mark.slow
@pytest.mark.parametrize(
    ("program", "develop"),
    (("dcraw_emu", dcraw), ("darktable-cli", darktable), ("rawtherapee-cli", rawtherapee)),
    ids=("dcraw_emu", "darktable", "rawtherapee"),
)
def test_it_is_developed_to_the_same_picture_without_the_noise(pair, program, develop):
    need(program)

    source, output = (develop(path).astype(np.float32) for path in pair)

    assert source.shape == output.shape
    full = 255 if source.max() < 256 else 65535
    side = 64
    height, width = (length // side * side for length in source.shape[:2])

    def blocks(picture):
        cells = picture[:height, :width].reshape(height // side, side, width // side, side, 3)
        return cells.mean(axis=(1, 3)) / full

    before, after = blocks(source), blocks(output)
    usable = ((before > 0.15) & (before < 0.9)).all(axis=2)  # encoded: linear 0.02 to 0.8
    shift = (after - before)[usable].mean(axis=0) * 255
    assert np.abs(shift).max() < 0.5, shift
    assert output.std() > 0
