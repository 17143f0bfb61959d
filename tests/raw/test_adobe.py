"""Adobe's DNG SDK opens every DNG of ours, decodes our mosaic, and says no more than of the source.

Its warnings are what Lightroom and Camera Raw would stumble over, or its engineers frown at.
"""

import shutil
import subprocess
import sys

import numpy as np
import pytest

from fadn_cli.pipeline.file import denoise_file
from fadn_cli.pipeline.options import DenoiseOptions
from fadn_cli.raw.dng.write import WriteChoices, write_dng
from fadn_cli.raw.source.reader import read_raw
from fadn_cli.raw.tiff.file import map_file, parse
from fadn_cli.raw.tiff.tags import Photometric, Tag
from tests.making import jpegxl
from tests.making.camera_tiff import CAMERAS, write_camera_tiff
from tests.making.dng.denoised import EDIT
from tests.making.layouts.catalogue import all_layouts
from tests.making.mosaics import noisy_samples
from tests.making.raf import write_raf
from tests.making.sensors import XTRANS_CELL
from tests.programs.adobe import ask, need_sdk

LAYOUTS, JPEG_XL = all_layouts(), jpegxl.layouts()
CHOICES = (
    WriteChoices(preview="render"),
    WriteChoices(preview="keep", compression="none"),
    WriteChoices(preview="none", compression="jxl"),
)
OF_ANY_CAMERA = ("Too little padding on ", "Neither AsShotNeutral nor AsShotWhiteXY included")
"""What the SDK says of a mosaic whose edges are shown, and where no white balance is known; both
are as the camera has it."""
RAWS = (
    *("canon_kiss_x4_colorchart.dng", "gopro_hero6_iso100.dng"),
    *(f"nikon_flower_{phase}.dng" for phase in ("rggb", "grbg", "gbrg", "bggr")),
    *("canon_g2_0305.crw", "canon_s40_0119.crw", "kodak_dc120_3908.kdc", "kodak_dc50_0012.kdc"),
    "micasense_rededge_mono.tif",
)


@pytest.fixture(autouse=True)
def sdk():
    need_sdk()


def written(path, source, choices):
    """Write a copy of a source with other samples, as all outputs are; return its mosaic."""
    raw_image = read_raw(source)
    write_dng(path, raw_image, raw_image.mosaic, edit=EDIT, choices=choices, threads=1)
    return read_raw(path).mosaic


def unexpected(output, source=None):
    """What the SDK says of an output and not of its source."""
    known = ask(source).said if source is not None else frozenset()
    new = ask(output).said - known
    return {line for line in new if source is not None or not any(o in line for o in OF_ANY_CAMERA)}


@pytest.mark.parametrize("name", LAYOUTS)
def test_it_reads_every_layout_as_it_reads_the_source(tmp_path, name):
    source = tmp_path / "in.dng"
    LAYOUTS[name].write(source)

    for number, choices in enumerate(CHOICES):
        output = tmp_path / f"{number}.dng"
        mosaic = written(output, source, choices)

        assert np.array_equal(mosaic.samples, ask(output).samples), choices
        assert set() == unexpected(output, source), choices


@pytest.mark.parametrize("name", JPEG_XL)
def test_it_agrees_what_jpeg_xl_in_a_dng_means(tmp_path, name):
    """So that what we read, and the tests write, is what Adobe's converter writes."""
    source = tmp_path / "in.dng"
    JPEG_XL[name].write(source)

    assert np.array_equal(JPEG_XL[name].samples, ask(source).samples)
    assert np.array_equal(JPEG_XL[name].samples, read_raw(source).mosaic.samples)


@pytest.mark.parametrize("suffix", (*CAMERAS, "raf"))
def test_it_reads_what_is_built_of_other_raws(tmp_path, suffix):
    source = tmp_path / f"in.{suffix}"
    if suffix == "raf":
        write_raf(source, noisy_samples(300, 400), pattern=XTRANS_CELL)
    else:
        write_camera_tiff(source, noisy_samples(200, 300))

    for number, choices in enumerate(CHOICES):
        output = tmp_path / f"{number}.dng"
        mosaic = written(output, source, choices)

        assert np.array_equal(mosaic.samples, ask(output).samples), choices
        assert set() == unexpected(output), choices


@pytest.mark.raw
@pytest.mark.parametrize("name", RAWS)
def test_it_reads_every_real_output(raws, denoised, name):
    is_dng = name.endswith(".dng")
    output, _ = denoised(name)
    source, answer = raws / name, ask(output)

    assert set() == unexpected(output, source if is_dng else None)
    # The SDK finds no main image in the flowers, which do not say that theirs is one.
    if not is_dng or ask(source).samples is not None:
        assert np.array_equal(read_raw(output).mosaic.samples, answer.samples)


@pytest.mark.raw
def test_no_real_raw_is_forgotten(raws):
    assert set(RAWS) == {path.name for path in raws.iterdir() if path.suffix not in (".md", "")}


@pytest.mark.raw
def test_reduced_raw_pixels_for_quick_display_are_gone(shared, tmp_path):
    """The SDK shows those, where they are, before it develops anything."""
    case = shared / "cases" / "05_fast_load_preview.py"
    subprocess.run([sys.executable, case], cwd=tmp_path, check=True, capture_output=True)
    source, output = tmp_path / "05.dng", tmp_path / "out.dng"

    denoise_file(source, output, DenoiseOptions(quality="fast", threads=1))

    kinds = [
        [ifd.first_int(Tag.PHOTOMETRIC_INTERPRETATION, 0) for ifd in parse_file(path).walk()]
        for path in (source, output)
    ]
    assert [True, False] == [Photometric.LINEAR_RAW in each for each in kinds]
    assert set() == unexpected(output, source)
    assert np.array_equal(read_raw(output).mosaic.samples, ask(output).samples)


def parse_file(path):
    """The tree of a file."""
    return parse(map_file(path), name=path.name)


def test_what_it_says_is_heard(tmp_path):
    """Or the tests above could not fail."""
    source = tmp_path / "in.dng"
    LAYOUTS[next(key for key in LAYOUTS if "chain of SubIFDs" in key)].write(source)
    broken = shutil.copyfile(source, tmp_path / "broken.dng")
    broken.write_bytes(broken.read_bytes()[: source.stat().st_size // 2])

    assert any("non-zero NextIFD (N)" in line for line in ask(source).said)
    assert any("failed to read" in line for line in ask(broken).said)
