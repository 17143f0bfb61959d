"""Other people's programs open our outputs, and develop them as they develop the source."""

import shutil

import numpy as np
import pytest
import rawpy

from fadn_cli.pipeline.file import denoise_file
from fadn_cli.pipeline.options import DenoiseOptions
from tests.programs.developers import (
    PROGRAMS,
    SIDE,
    WHITE,
    block_means,
    comparable,
    develop,
    to_linear,
)
from tests.programs.exiftool import MAY_DIFFER, differing, dump, faults, need

CHART = "canon_kiss_x4_colorchart.dng"
GOPRO = "gopro_hero6_iso100.dng"
FLOWERS = tuple(f"nikon_flower_{phase}.dng" for phase in ("rggb", "grbg", "gbrg", "bggr"))
LARGEST_SHIFT = 0.5 / 255
"""By how much areas may become brighter or darker on average, of black to white."""
BLOWN = slice(150, 300), slice(200, 350)
"""Where a flower is overexposed: rows, columns."""
REACH = 16
"""Pixels: further than any demosaicing looks, and than RawTherapee's border."""


@pytest.fixture(scope="module")
def pair(raws, tmp_path_factory):
    """A real raw and its denoised twin, with the source's previews."""
    output = tmp_path_factory.mktemp("pair") / CHART
    denoise_file(raws / CHART, output, DenoiseOptions(preview="keep"))
    return raws / CHART, output


@pytest.fixture(scope="module")
def photo(raws, denoised, tmp_path_factory):
    """A function that copies a real raw and its twin to where a program may write beside them."""

    def copy(name):
        folder = tmp_path_factory.mktemp("clients")
        paths = folder / "source.dng", folder / "output.dng"
        for found, path in zip((raws / name, denoised(name)[0]), paths, strict=True):
            shutil.copyfile(found, path)
        return paths

    return copy


@pytest.fixture(scope="module")
def blown(raws, tmp_path_factory):
    """A real raw with an overexposed area, and its denoised twin."""
    folder = tmp_path_factory.mktemp("blown")
    source, output = folder / "source.dng", folder / "output.dng"
    content = bytearray((raws / FLOWERS[0]).read_bytes())
    samples = np.frombuffer(content, "<u2", 512 * 768, offset=512).reshape(512, 768)
    samples[BLOWN] = 16383
    source.write_bytes(content)
    denoise_file(source, output)
    return source, output


def numbers(values):
    """What exiftool read, as numbers, whether it gave one or several in a line."""
    return [float(number) for value in values for number in str(value).split()]


@pytest.mark.raw
def test_exiftool_sees_only_the_differences_that_denoising_makes(pair):
    need("exiftool")

    source, output = dump(pair)

    changed = differing(source, output)
    # Samples may have finer steps than the source's: all levels by the same factor then.
    levels = {key for key in changed if key[1] in ("BlackLevel", "WhiteLevel")}
    factors = {
        new / old
        for key in levels
        for old, new in zip(*map(numbers, (source[key], output[key])), strict=True)
    }
    assert len(factors) <= 1
    assert set() == {name for _, name in changed - levels} - MAY_DIFFER


@pytest.mark.raw
def test_exiftool_finds_no_new_fault(pair):
    need("exiftool")

    source, output = faults(pair)

    assert set() == set(output) - set(source)


@pytest.mark.raw
@pytest.mark.slow
@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("name", (CHART, GOPRO), ids=("chart", "gopro"))
def test_it_is_developed_to_the_same_picture(photo, program, name):
    """Of one size and turned alike, or the blocks would not agree one by one."""
    source, output = (develop(program, path) for path in photo(name))

    assert source.shape == output.shape
    usable = comparable(block_means(to_linear(source, program)) / WHITE)
    shift = np.abs(block_means(output) - block_means(source))[usable] / WHITE
    assert usable.mean() > 0.4
    assert shift.mean(axis=0).max() < LARGEST_SHIFT, shift.mean(axis=0) * 255


@pytest.mark.raw
@pytest.mark.slow
@pytest.mark.parametrize("program", PROGRAMS)
def test_overexposed_areas_are_developed_to_the_same_pixels(blown, program):
    """The last bit is darktable's: it guesses clipped colours from what surrounds all of them."""
    source, output = (develop(program, path) for path in blown)

    border = (512 - source.shape[0]) // 2
    inside = tuple(slice(s.start + REACH - border, s.stop - REACH - border) for s in BLOWN)
    before, after = (picture[inside].astype(int) for picture in (source, output))
    assert before.min() > 0.98 * WHITE
    # darktable guesses clipped colours from the whole picture.
    assert np.abs(after - before).max() <= (4 if program == "darktable-cli" else 0)


@pytest.mark.raw
def test_no_real_raw_is_forgotten(raws):
    assert {CHART, GOPRO, *FLOWERS} == {path.name for path in raws.glob("*.dng")}


@pytest.mark.raw
@pytest.mark.parametrize("name", (CHART, GOPRO, *FLOWERS))
def test_libraw_sees_the_same_mosaic_without_the_noise(raws, denoised, name):
    with rawpy.imread(str(raws / name)) as raw, rawpy.imread(str(denoised(name)[0])) as twin:
        before, after = raw.raw_image_visible.copy(), twin.raw_image_visible.copy()
        levels, finer = ((x.black_level_per_channel[0], x.white_level) for x in (raw, twin))
        assert raw.sizes == twin.sizes
        assert np.array_equal(raw.raw_pattern, twin.raw_pattern)

    saturated = is_saturated(before, levels[1])
    factor = finer[1] // levels[1]
    assert (levels[0] * factor, levels[1] * factor) == finer
    assert np.array_equal(before[saturated] * factor, after[saturated])
    source, output = by_site(before, *levels), by_site(after, *finer)
    usable = comparable(block_means(source, SIDE // 2))
    shift = np.abs(block_means(output - source, SIDE // 2))[usable]
    assert usable.sum() > 20
    assert shift.mean(axis=0).max() < LARGEST_SHIFT
    assert grain(output) < grain(source)


def by_site(samples, black, white):
    """(height / 2, width / 2, 4): the normalized samples of each site of the 2x2 pattern."""
    height, width = (length // 2 * 2 for length in samples.shape)
    sites = [samples[row:height:2, col:width:2] for row in (0, 1) for col in (0, 1)]
    return (np.stack(sites, axis=-1).astype(np.float32) - black) / (white - black)


def is_saturated(samples, white):
    """Which samples are at white, with three others of the eight around them of their colour."""
    full = np.pad(samples >= white, 2)
    height, width = samples.shape
    around = [
        full[row : row + height, col : col + width].astype(np.uint8)
        for row in (0, 2, 4)
        for col in (0, 2, 4)
        if (row, col) != (2, 2)
    ]
    return (samples >= white) & (sum(around) >= 3)


def grain(sites):
    """How much neighbours of one colour differ where the picture is flat."""
    return np.quantile(np.abs(np.diff(sites, axis=1)), 0.5)
