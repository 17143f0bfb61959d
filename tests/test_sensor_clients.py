"""Other people's programs open our X-Trans and monochrome DNGs, and develop them as their twins.

A twin is the source, where that is a DNG, else one with the same samples and levels that is not
ours. `tests/test_clients.py` does the same with real Bayer raws.
"""

import numpy as np
import pytest

from fadn_cli.mosaic.cfa import CfaPattern
from fadn_cli.pipeline.file import denoise_file
from fadn_cli.pipeline.options import DenoiseOptions
from fadn_cli.raw.source.reader import read_raw
from tests.making.dng.write import write_dng
from tests.making.raf import write_raf
from tests.making.sensor_files import (
    BLACK,
    MONO_TAGS,
    NO_COLORS,
    photograph,
    write_grey_tiff,
    write_sensor,
)
from tests.making.sensors import XTRANS_CELL
from tests.programs.adobe import ask, need_sdk
from tests.programs.developers import PROGRAMS, WHITE, block_means, comparable, develop, to_linear

HEIGHT, WIDTH = 546, 634
AREA = (3, 5, 540, 630)
LARGEST_SHIFT = 0.5 / 255
"""Of a block's mean, of black to white."""
OFF_GREY = 1 / 255
"""By how much darktable's grey is coloured, of any file; the others' is grey."""


def of_raf(folder):
    """A RAF, and a DNG of its samples."""
    cfa = CfaPattern(colors=XTRANS_CELL).shifted(1, 4)
    samples = photograph(cfa, HEIGHT, WIDTH)
    source = write_raf(folder / "a.raf", samples, pattern=cfa.colors, origin=(5, 7), black=BLACK)
    raw = read_raw(source)
    fields = {"neutral": None, "color_matrix": raw.metadata.color_matrix.ravel()}
    fields |= {"make": "FUJIFILM", "model": "X-T2", "white": raw.mosaic.white_level}
    fields |= {"cfa": cfa.shifted(6, 12).colors, "cfa_dim": (6, 6), "black": (BLACK,)}
    return source, write_dng(
        folder / "twin.dng", samples, active_area=(6, 12, HEIGHT, WIDTH), **fields
    )


def of_tiff(folder):
    """A monochrome TIFF, and a DNG of its samples."""
    samples = photograph(CfaPattern(colors="Y"), HEIGHT, WIDTH) * np.uint16(4)
    source = write_grey_tiff(folder / "a.tif", samples)
    fields = {"make": "MicaSense", "model": "RedEdge", "white": 65535, "black": (BLACK,)}
    fields |= NO_COLORS | {"extra_raw": MONO_TAGS}
    return source, write_dng(folder / "twin.dng", samples, **fields)


def of_dng(kind, make="Fadn"):
    """A DNG, its own twin."""

    def write(folder):
        source, _ = write_sensor(folder / "a.dng", kind, HEIGHT, WIDTH, area=AREA, make=make)
        return source, source

    return write


SOURCES = {
    "raf": of_raf,
    "mono tiff": of_tiff,
    "x-trans dng": of_dng("xtrans"),
    "x-trans dng by fujifilm": of_dng("xtrans", "FUJIFILM"),
    "mono dng": of_dng("mono"),
}


@pytest.fixture(params=SOURCES)
def twins(request, tmp_path):
    """A twin, our DNG at strength 0, and whether they are monochrome."""
    source, twin = SOURCES[request.param](tmp_path)
    output = tmp_path / "out.dng"
    denoise_file(source, output, DenoiseOptions(strength=0, preview="render"))
    return twin, output, "mono" in request.param


@pytest.mark.slow
@pytest.mark.parametrize("program", PROGRAMS)
def test_it_is_developed_to_the_same_colours(twins, program):
    twin, output, is_mono = twins

    expected, picture = develop(program, twin), develop(program, output)

    assert expected.shape == picture.shape
    expected, picture = (
        each if each.ndim == 3 else np.repeat(each[..., None], 3, axis=2)
        for each in (expected, picture)
    )
    shift = np.abs(block_means(expected) - block_means(picture)) / WHITE
    assert shift.max() < LARGEST_SHIFT
    if is_mono:
        usable = comparable(block_means(to_linear(picture, program)) / WHITE)
        means = block_means(picture)[usable] / WHITE
        assert usable.mean() > 0.4
        assert np.ptp(means, axis=1).max() < OFF_GREY


def test_adobes_sdk_reads_the_same_samples(twins):
    need_sdk()
    _, output, is_mono = twins

    found = ask(output)

    assert np.array_equal(read_raw(output).mosaic.samples, found.samples)
    assert is_mono == found.is_monochrome
