"""A mosaic in JPEG XL is read, checked, compared and denoised as the same one in lossless JPEG."""

import numpy as np
import pytest
import rawpy

from fadn_cli.compare.pair import compare_files
from fadn_cli.errors import FadnError, RawReadError, UnsupportedRawError
from fadn_cli.pipeline.file import denoise_file
from fadn_cli.pipeline.options import DenoiseOptions
from fadn_cli.raw.check.dng import check_file
from fadn_cli.raw.check.verify import verify
from fadn_cli.raw.develop.render import develop
from fadn_cli.raw.source.dng_checks import find_raw_ifd
from fadn_cli.raw.source.reader import read_raw
from fadn_cli.raw.tiff.file import map_file, parse
from fadn_cli.raw.tiff.tags import Compression, Tag
from tests.making.codings import lossless
from tests.making.dng.damage import overwrite, raw_entry
from tests.making.jpegxl import NEW, interleaved, jpegxl, layouts
from tests.making.layouts.layout import structured
from tests.making.mosaics import smooth_samples
from tests.making.sensor_files import write_sensor
from tests.making.tiff import BYTE, LONG

LAYOUTS = layouts()
OPTIONS = {"shot_noise": 4e-4, "read_noise": 2e-5, "quality": "fast", "threads": 1}
every_layout = pytest.mark.parametrize("name", LAYOUTS)


@pytest.fixture
def source(tmp_path, name):
    path = tmp_path / "in.dng"
    LAYOUTS[name].write(path)
    return path


def raw_ifd(path):
    return find_raw_ifd(parse(map_file(path), name=path.name))


def versions(path):
    ifd0 = parse(map_file(path), name=path.name).ifds[0]
    return [ifd0.ints(tag) for tag in (Tag.DNG_VERSION, Tag.DNG_BACKWARD_VERSION)]


@every_layout
def test_it_is_read_as_it_was_written(source, name):
    assert np.array_equal(LAYOUTS[name].samples, read_raw(source).mosaic.samples)
    assert check_file(source).ok
    with pytest.raises(rawpy.LibRawError), rawpy.imread(str(source)) as raw:  # so it was not LibRaw
        raw.raw_image.copy()


@every_layout
def test_it_is_denoised_as_the_same_mosaic_in_lossless_jpeg(tmp_path, source, name):
    samples, twin = LAYOUTS[name].samples, tmp_path / "twin.dng"
    levels = {tag: (LONG, int(value)) for tag, value in levels_of(source).items()}
    structured(samples, coding=lossless(components=1), raw=levels).write(twin)
    outputs = [tmp_path / "out.dng", tmp_path / "twin_out.dng"]

    for path, output in zip((source, twin), outputs, strict=True):
        denoise_file(path, output, DenoiseOptions(**OPTIONS))

    first, second = (read_raw(output).mosaic for output in outputs)
    assert np.array_equal(first.samples, second.samples)
    assert first.white_level == second.white_level
    assert Compression.JPEG == raw_ifd(outputs[0]).first_int(Tag.COMPRESSION, 0)
    for tag in (Tag.ROW_INTERLEAVE_FACTOR, Tag.COLUMN_INTERLEAVE_FACTOR, Tag.JXL_DISTANCE):
        assert raw_ifd(outputs[0]).get(tag) is None
    assert () == verify(source, outputs[0]).violations


def levels_of(path):
    mosaic = read_raw(path).mosaic
    return {50714: mosaic.black_level.flat[0], 50717: mosaic.white_level}


@every_layout
def test_it_is_shown_as_the_same_mosaic_in_lossless_jpeg(tmp_path, source, name):
    output = tmp_path / "out.dng"
    denoise_file(source, output, DenoiseOptions(strength=0, **OPTIONS))
    before, after = read_raw(source), read_raw(output)

    assert np.array_equal(develop(before, before.mosaic), develop(after, after.mosaic))
    assert compare_files(source, output) is not None


@pytest.mark.parametrize(
    ("kind", "version", "factors"),
    (("bayer", (1, 7, 1, 0), 2), ("xtrans", (1, 7, 0, 0), 1), ("mono", (1, 7, 0, 0), 1)),
)
def test_it_is_written_where_it_is_asked_for(tmp_path, kind, version, factors):
    source, _ = write_sensor(tmp_path / "in.dng", kind, 300, 420)
    outputs = [tmp_path / f"{compression}.dng" for compression in ("lj92", "jxl")]

    for output in outputs:
        denoise_file(source, output, DenoiseOptions(compression=output.stem, **OPTIONS))

    plain, written = outputs
    ifd = raw_ifd(written)
    assert np.array_equal(read_raw(plain).mosaic.samples, read_raw(written).mosaic.samples)
    assert [Compression.JPEG, Compression.JPEG_XL] == [
        raw_ifd(path).first_int(Tag.COMPRESSION, 0) for path in outputs
    ]
    assert [version, version] == versions(written)
    assert versions(source) == versions(plain)
    assert factors == ifd.first_int(Tag.ROW_INTERLEAVE_FACTOR, 1)
    assert factors == ifd.first_int(Tag.COLUMN_INTERLEAVE_FACTOR, 1)
    assert written.stat().st_size < plain.stat().st_size
    assert () == verify(source, written).violations
    assert check_file(written).ok


def test_a_newer_version_is_kept_and_one_that_is_not_needed_is_a_change(tmp_path):
    source, output = tmp_path / "in.dng", tmp_path / "out.dng"
    shared = {50706: (BYTE, (1, 7, 2, 0)), 50707: (BYTE, (1, 4, 0, 0))}
    structured(smooth_samples(), shared=shared).write(source)

    denoise_file(source, output, DenoiseOptions(compression="jxl", **OPTIONS))
    assert [(1, 7, 2, 0), (1, 7, 1, 0)] == versions(output)
    assert verify(source, output).holds

    output = tmp_path / "jpeg.dng"
    denoise_file(source, output, DenoiseOptions(**OPTIONS))
    backward = parse(map_file(output), name="x").ifds[0].get(Tag.DNG_BACKWARD_VERSION)
    overwrite(output, backward.value_offset, bytes((1, 7, 1, 0)))
    assert ["DNGBackwardVersion"] == [c.tag for c in verify(source, output).tags if not c.allowed]


@pytest.mark.parametrize("bits", (10, 12, 14))
def test_depths_that_readers_take_for_different_ones_are_refused(tmp_path, bits):
    """Adobe's SDK stretches them to 16 bits, whatever BitsPerSample and WhiteLevel say."""
    path = tmp_path / "a.dng"
    samples = smooth_samples(black=16, white=(1 << bits) - 1)
    structured(samples, coding=jpegxl(bits, stated=bits), shared=NEW).write(path)

    with pytest.raises(UnsupportedRawError, match=f"a.dng: JPEG XL of {bits} bits") as caught:
        read_raw(path)

    assert caught.value.advice


@pytest.mark.parametrize("damage", ("cut", "noise", "size"))
def test_a_damaged_tile_is_named(tmp_path, damage):
    path = tmp_path / "a.dng"
    tile = (48, 64) if damage != "size" else (96, 128)
    interleaved(smooth_samples(), coding=jpegxl(), shared=NEW, tile=tile).write(path)
    start = raw_entry(path, Tag.TILE_OFFSETS).ints[-1]
    if damage == "cut":
        overwrite(path, start + 200, bytes(path.stat().st_size - start - 200))
    elif damage == "noise":
        overwrite(path, start, bytes(range(64)))
    else:
        entry = raw_entry(path, Tag.TILE_WIDTH)
        overwrite(path, entry.value_offset, b"\x90\0\0\0")

    with pytest.raises(RawReadError, match=r"a\.dng: strip or tile \d of \d") as caught:
        read_raw(path)

    assert caught.value.advice
    found = check_file(path)
    assert not found.ok


def test_lossy_jpeg_xl_is_read_too(tmp_path):
    path = tmp_path / "a.dng"
    samples = smooth_samples(256, 256)
    interleaved(samples, coding=jpegxl(lossless=False), shared=NEW, tile=(256, 256)).write(path)

    found = read_raw(path).mosaic.samples

    assert np.abs(found.astype(int) - samples).mean() < 100


def test_one_bad_file_stops_nothing(tmp_path):
    path = tmp_path / "a.dng"
    structured(smooth_samples(), coding=jpegxl(12), shared=NEW).write(path)

    with pytest.raises(FadnError):
        denoise_file(path, tmp_path / "out.dng", DenoiseOptions(**OPTIONS))

    assert [path] == list(tmp_path.iterdir())
