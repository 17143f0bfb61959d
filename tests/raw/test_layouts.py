"""Whatever the layout of a DNG, its denoised copy is the same file with a cleaner mosaic."""

import struct
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import rawpy
import tifffile

from fadn_cli.errors import FadnError, UnsupportedRawError
from fadn_cli.pipeline.file import denoise_file
from fadn_cli.pipeline.options import DenoiseOptions
from fadn_cli.raw.check.dng import check_file
from fadn_cli.raw.check.verify import verify
from fadn_cli.raw.source.reader import read_raw
from fadn_cli.raw.tiff.file import map_file, parse
from fadn_cli.raw.tiff.tree import joined, parts_of
from tests.making.codings import lossless
from tests.making.layouts.catalogue import all_layouts
from tests.making.mosaics import smooth_samples
from tests.programs.exiftool import MAY_DIFFER, differing, dump, faults, need

LAYOUTS = all_layouts()
OF_RAW = {
    "SubfileType", "StripOffsets", "StripByteCounts", "RowsPerStrip", "TileWidth", "TileLength",
    "TileOffsets", "TileByteCounts", "Compression", "BitsPerSample", "LinearizationTable",
}  # fmt: skip
"""What of MAY_DIFFER may do so in the IFD of the samples only."""
OF_PICTURES = {"StripOffsets", "PreviewImageStart", "JpgFromRawStart", "ThumbnailOffset"}
"""Where exiftool finds previews, whose bytes `verify` compares: what follows the samples moves."""
SMALL = [
    name for name, layout in LAYOUTS.items() if not layout.baked and "strips apart" not in name
]
"""Where the file must not be larger than its source: nothing had to be baked in, and the old
samples leave room for a tile."""
LAST = [
    name
    for name in SMALL
    if LAYOUTS[name].raw_last and not any(side % 16 for side in LAYOUTS[name].samples.shape)
]
"""Where it must not be larger than a lossless DNG of its source; in files as small as these, it
would be for tiles that are hardly filled."""
STAYING = [
    name
    for name in LAYOUTS
    if any(text in name for text in ("apart", "trailing", "MakerNote last"))
]
"""Where something behind the samples is not known, or counts from the file's beginning."""
NEIGHBOUR = 16
"""Fewer bytes than that between strips or tiles, or zeros after the last, belong to nothing."""


def at_end(name):
    """Whether nothing follows the samples."""
    return LAYOUTS[name].raw_last


every_layout = pytest.mark.parametrize("name", LAYOUTS)


class Pair(NamedTuple):
    """A source and what came of it."""

    source: Path
    denoised: Path
    unchanged: Path
    """With strength 0."""


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """Write and denoise the layout of a name, once, in its own steps (for finer ones, see
    dng/test_finer_steps.py)."""
    folder = tmp_path_factory.mktemp("layouts")

    @cache
    def make(name):
        stem = name.replace(" ", "_").replace(",", "")
        paths = [folder / f"{stem}{kind}.dng" for kind in ("", "_denoised", "_unchanged")]
        LAYOUTS[name].write(paths[0])
        for output, strength in zip(paths[1:], (1, 0), strict=True):
            options = DenoiseOptions(
                strength=strength,
                shot_noise=4e-4,
                read_noise=2e-5,
                quality="fast",
                threads=1,
                bits="source",
                preview="keep",
            )
            denoise_file(paths[0], output, options)
        return Pair(*paths)

    return make


@pytest.fixture(scope="module")
def pairs(pair):
    """All pairs that could be made, by name; the others fail in tests of their own."""
    found = {}
    for name in LAYOUTS:
        try:
            found[name] = pair(name)
        except FadnError:
            continue
    return found


def in_one_go(ask, pairs):
    """What exiftool says of each source and each denoised file, by name."""
    need("exiftool")
    said = iter(ask([path for each in pairs.values() for path in each[:2]]))
    return {name: (next(said), next(said)) for name in pairs}


@pytest.fixture(scope="module")
def dumps(pairs):
    return in_one_go(dump, pairs)


@pytest.fixture(scope="module")
def complaints(pairs):
    return in_one_go(faults, pairs)


def mosaic_of(path):
    """The samples as LibRaw decodes them."""
    with rawpy.imread(str(path)) as raw:
        return raw.raw_image.copy()


def grain(samples):
    """How much samples differ from their neighbours of the same colour, off borders and whites."""
    inner = samples[6:20, 20:-10].astype(float)
    return np.abs(inner[:, :-4] - 2 * inner[:, 2:-2] + inner[:, 4:]).mean()


def libraw_facts(path):
    """All that LibRaw knows of a file but the samples."""
    with rawpy.imread(str(path)) as raw:
        names = (
            *("sizes", "other", "lens", "raw_type", "num_colors", "color_desc", "raw_pattern"),
            *("white_level", "camera_white_level_per_channel", "black_level_per_channel"),
            *("camera_whitebalance", "daylight_whitebalance", "color_matrix", "rgb_xyz_matrix"),
        )
        facts = {name: getattr(raw, name) for name in names}
        try:
            facts["thumbnail"] = raw.extract_thumb()
        except rawpy.LibRawError as error:
            facts["thumbnail"] = type(error)
    return {
        name: fact.tolist() if isinstance(fact, np.ndarray) else fact
        for name, fact in facts.items()
    }


def read_long(path, at, byteorder):
    """The LONG at an offset of a file."""
    return struct.unpack_from(byteorder + "I", path.read_bytes(), at)[0]


def raw_page(path):
    """The IFD of the samples, as tifffile parses it, and the places of the pointers to it."""
    with tifffile.TiffFile(path) as tiff:
        first = tiff.pages[0]
        if first.tags[254].value == 0:
            return first, [(4, 8)]
        (index,) = [n for n, page in enumerate(first.pages) if page.tags[254].value == 0]
        raw = first.pages[index]
        at = [4, first.tags[330].valueoffset + 4 * index]
        # the last 4 bytes of the IFDs before it, where they are a chain
        links = [page.offset + 2 + 12 * len(page.tags) for page in first.pages[:index]]
        at += [link for link in links if read_long(path, link, tiff.byteorder) == raw.offset]
        return raw, [(start, start + 4) for start in at]


def sample_spans(path):
    """Where the samples lie, in order; byte counts may claim too much."""
    page, _ = raw_page(path)
    size = path.stat().st_size
    pairs = zip(page.dataoffsets, page.databytecounts, strict=True)
    return sorted((start, min(start + count, size)) for start, count in pairs)


def replaced(path):
    """Where a file may change: old samples, with what is only padding between, and pointers."""
    _, places = raw_page(path)
    for start, stop in sample_spans(path):
        near = 0 <= start - places[-1][1] < NEIGHBOUR
        places.append((places[-1][1] if near else start, stop))
    return places


@every_layout
def test_it_is_read_as_it_was_written(pair, name):
    assert np.array_equal(LAYOUTS[name].samples, read_raw(pair(name).source).mosaic.samples)


@every_layout
def test_strength_0_gives_the_same_mosaic_bit_for_bit(pair, name):
    assert np.array_equal(LAYOUTS[name].samples, mosaic_of(pair(name).unchanged))


@every_layout
def test_the_noise_is_less(pair, name):
    samples, denoised = LAYOUTS[name].samples, mosaic_of(pair(name).denoised)

    assert grain(denoised) < 0.5 * grain(samples)


@every_layout
def test_it_is_its_source_with_a_cleaner_mosaic(pair, name):
    found = verify(*pair(name)[:2])

    assert () == found.violations
    assert found.holds


@every_layout
def test_libraw_knows_the_same_of_it(pair, name):
    source, denoised, _ = pair(name)

    assert libraw_facts(source) == libraw_facts(denoised)


@every_layout
def test_it_has_no_fault_that_its_source_has_not(pair, name):
    source, denoised = (
        {finding.place for finding in each.findings} for each in map(check_file, pair(name)[:2])
    )

    assert set() == denoised - source


@every_layout
def test_exiftool_sees_only_the_differences_that_denoising_makes(dumps, name):
    source, denoised = dumps[name]
    raw_group = next(
        group
        for (group, tag), values in source.items()
        if tag == "PhotometricInterpretation" and "Color Filter Array" in values
    )

    found = differing(source, denoised)
    may_differ = MAY_DIFFER | {"Validate", "Warning"}  # faults, which have a test of their own
    if (raw_group, "WhiteLevel") not in source and (raw_group, "BitsPerSample") in found:
        may_differ = may_differ | {"WhiteLevel"}  # its default depends on BitsPerSample

    found = {(group, tag) for group, tag in found if tag not in OF_PICTURES or group == raw_group}

    assert set() == {(group, tag) for group, tag in found if tag not in may_differ}
    assert set() == {(group, tag) for group, tag in found if tag in OF_RAW and group != raw_group}


@every_layout
def test_exiftool_has_no_more_to_say_against_it(complaints, name):
    source, denoised = complaints[name]

    assert set() == set(denoised) - set(source)


@pytest.mark.parametrize("name", [name for name in LAYOUTS if name in STAYING or at_end(name)])
def test_bytes_that_are_not_replaced_stay_where_they_are(pair, name):
    source, denoised, _ = pair(name)
    before, after = (np.fromfile(path, np.uint8) for path in (source, denoised))
    kept = np.ones(before.size, bool)
    for start, stop in replaced(source):
        kept[start:stop] = False
    end = np.flatnonzero(kept & (before != 0))[-1] + 1  # zeros at the end may be padding

    assert np.array_equal(before[:end][kept[:end]], after[:end][kept[:end]])


@pytest.mark.parametrize(
    "name", [name for name in LAYOUTS if name not in STAYING and not LAYOUTS[name].baked]
)
def test_no_room_is_left_where_nothing_has_to_stay(pair, name):
    """But where the IFDs were that are written anew, and zeros that the source has."""
    denoised = parse(map_file(pair(name).denoised), name=name)
    spans = joined((part.start, part.stop) for part in parts_of(denoised))
    unused = len(denoised.data) - sum(stop - start for start, stop in spans)
    unused -= 30000 * ("in reverse" in name and "strips" in name)

    assert unused < (5000 if "exiftool" in name else 2500)


@pytest.mark.parametrize("name", SMALL)
def test_it_is_no_larger_than_its_source(pair, name):
    source, denoised, _ = pair(name)

    assert denoised.stat().st_size <= source.stat().st_size


@pytest.mark.parametrize("name", LAST)
def test_it_is_no_larger_than_a_lossless_dng_of_its_source(pair, name):
    source, denoised, _ = pair(name)
    spans, size = sample_spans(source), source.stat().st_size
    samples = LAYOUTS[name].samples
    bits = max(int(samples.max()).bit_length(), 10)

    rest = size - sum(stop - start for start, stop in spans)

    assert size - spans[-1][1] < NEIGHBOUR
    assert denoised.stat().st_size <= rest + len(lossless(precision=bits).encode(samples, "<"))


def test_a_big_tiff_is_refused_by_its_name(tmp_path):
    path = tmp_path / "big.dng"
    tifffile.imwrite(path, smooth_samples(), bigtiff=True, photometric="minisblack")

    with pytest.raises(UnsupportedRawError, match="big.dng: is a BigTIFF") as caught:
        denoise_file(path, tmp_path / "out.dng")

    assert caught.value.advice
    assert [path] == list(tmp_path.iterdir())
