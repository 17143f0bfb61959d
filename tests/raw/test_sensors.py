"""X-Trans and monochrome raws go in and come out as they are, in every phase and container."""

from dataclasses import replace

import numpy as np
import pytest
import tifffile

from fadn_cli.mosaic.cfa import CfaPattern
from fadn_cli.noise import noise_model
from fadn_cli.pipeline.file import denoise_file
from fadn_cli.pipeline.options import DenoiseOptions
from fadn_cli.raw.check.dng import check_dng, check_file
from fadn_cli.raw.check.verify import verify
from fadn_cli.raw.develop.render import develop
from fadn_cli.raw.dng.write import WriteChoices, write_dng
from fadn_cli.raw.source.reader import read_raw
from fadn_cli.raw.tiff.file import map_file, parse
from fadn_cli.raw.tiff.tags import Tag
from tests.making.dng.denoised import EDIT
from tests.making.dng.fields import NEUTRAL
from tests.making.raf import write_raf
from tests.making.sensor_files import BLACK, photograph, scene, write_grey_tiff, write_sensor
from tests.making.sensors import XTRANS_CELL
from tests.making.tiff import DOUBLE
from tests.programs.exiftool import exiftool, need_exiftool

PHASES = [(row, col) for row in range(6) for col in range(6)]
XTRANS = CfaPattern(colors=XTRANS_CELL)
OF_COLORS = (Tag.CFA_PATTERN, Tag.CFA_REPEAT_PATTERN_DIM, Tag.CFA_PLANE_COLOR)
OF_CAMERA = (Tag.COLOR_MATRIX_1, Tag.AS_SHOT_NEUTRAL, Tag.CALIBRATION_ILLUMINANT_1)


def copy(source, mosaic=None, *, noise=None, **choices):
    """The DNG of a raw with other samples, or its own; checked as every output is."""
    raw_image, output = read_raw(source), source.with_name("out.dng")
    mosaic = raw_image.mosaic if mosaic is None else mosaic
    noise = noise or noise_model(1e-4, 1e-6, source="test", colors=mosaic.cfa.noise_colors)
    edit = replace(EDIT, noise_profile=noise)
    write_dng(output, raw_image, mosaic, edit=edit, choices=WriteChoices(**choices))
    check_dng(output, mosaic, source=source)
    return output


def sources(folder):
    """A raw of each kind and container, by name."""
    phase = XTRANS.shifted(2, 5)
    raf = photograph(phase, 101, 133)
    found = {
        "raf": write_raf(folder / "a.raf", raf, pattern=phase.colors, origin=(5, 7), black=BLACK),
        "tiff": write_grey_tiff(folder / "a.tif", photograph(CfaPattern(colors="Y"), 75, 99)),
    }
    for kind in ("xtrans", "mono"):
        path = folder / f"{kind}.dng"
        found[kind], _ = write_sensor(path, kind, phase=(1, 2), area=(3, 5, 90, 120))
    return found


NAMES = ("raf", "tiff", "xtrans", "mono")


@pytest.fixture(params=NAMES)
def source(request, tmp_path):
    return sources(tmp_path)[request.param]


@pytest.mark.parametrize("phase", PHASES)
def test_every_phase_of_x_trans_comes_back_bit_for_bit(tmp_path, phase):
    """Of odd sizes, with masked borders of odd sides."""
    path, samples = write_sensor(tmp_path / "a.dng", "xtrans", phase=phase, area=(5, 3, 90, 126))

    mosaic = read_raw(path).mosaic
    output = copy(path)

    assert XTRANS.shifted(*phase) == mosaic.cfa.shifted(5, 3)
    assert np.array_equal(samples, mosaic.samples)
    assert np.array_equal(samples, read_raw(output).mosaic.samples)


@pytest.mark.parametrize("form", ("dng", "tiff"))
def test_strength_0_leaves_every_sample(source, form):
    output = source.with_name(f"out.{form}")

    report = denoise_file(source, output, DenoiseOptions(strength=0, format=form))

    before = read_raw(source)
    assert before.mosaic.cfa.name == report.cfa
    if form == "dng":
        after = read_raw(output)
        assert np.array_equal(before.mosaic.samples, after.mosaic.samples)
        assert before.mosaic.active_area == after.mosaic.active_area
        assert before.mosaic.cfa.noise_colors == after.metadata.noise_profile.colors
    else:
        picture = tifffile.imread(output)
        assert ("mono" == before.mosaic.cfa.kind) == (picture.ndim == 2)


@pytest.mark.parametrize("compression", ("lj92", "jxl", "none"))
@pytest.mark.parametrize("preview", ("keep", "render", "none"))
def test_nothing_is_wrong_with_a_copy(source, preview, compression):
    output = copy(source, preview=preview, compression=compression)

    assert () == check_file(output).findings
    assert () == verify(source, output).violations


@need_exiftool
def test_exiftool_finds_nothing_wrong(source):
    output = copy(source, preview="render")

    assert "OK\n" == exiftool(output, "-validate", "-warning", "-error", "-a", "-s3")


def test_a_monochrome_dng_that_is_built_says_nothing_of_colours(tmp_path):
    output = copy(sources(tmp_path)["tiff"])

    tiff = parse(map_file(output), name="out.dng")
    [raw_ifd] = (ifd for ifd in tiff.walk() if ifd.get(Tag.NOISE_PROFILE))
    assert (34892, 1) == tuple(
        raw_ifd.first_int(tag, 0) for tag in (Tag.PHOTOMETRIC_INTERPRETATION, Tag.SAMPLES_PER_PIXEL)
    )
    assert not any(ifd.get(tag) for ifd in tiff.walk() for tag in (*OF_COLORS, *OF_CAMERA))
    assert 2 == raw_ifd.get(Tag.NOISE_PROFILE).count


def test_an_x_trans_dng_that_is_built_begins_with_whole_cells(tmp_path):
    """LibRaw sees only red in one by Fujifilm that does not."""
    output = copy(sources(tmp_path)["raf"])

    tiff = parse(map_file(output), name="out.dng")
    [raw_ifd] = (ifd for ifd in tiff.walk() if ifd.ints(Tag.CFA_PATTERN))
    assert (6, 12) == raw_ifd.ints(Tag.ACTIVE_AREA)[:2]
    assert (6, 6) == raw_ifd.ints(Tag.CFA_REPEAT_PATTERN_DIM)
    assert (0, 1, 2) == raw_ifd.ints(Tag.CFA_PLANE_COLOR)


@pytest.mark.parametrize("kind", ("xtrans", "mono"))
def test_a_noise_profile_has_a_pair_for_each_colour(tmp_path, kind):
    values = {"xtrans": (1e-4, 1e-6, 2e-4, 2e-6, 3e-4, 3e-6), "mono": (1e-4, 1e-6)}[kind]
    path, _ = write_sensor(tmp_path / "a.dng", kind, noise_profile=values)

    profile = read_raw(path).metadata.noise_profile
    output = copy(path, noise=profile)

    assert np.allclose(values[0::2], profile.shot_noise)
    again = read_raw(output).metadata.noise_profile
    assert np.array_equal(profile.shot_noise, again.shot_noise)
    assert np.array_equal(profile.read_noise, again.read_noise)


def test_a_noise_profile_of_another_number_of_colours_is_none(tmp_path):
    extra = {51041: (DOUBLE, (1e-4, 1e-6, 2e-4, 2e-6))}
    path, _ = write_sensor(tmp_path / "a.dng", "xtrans", extra=extra)

    assert read_raw(path).metadata.noise_profile is None


def test_black_levels_may_differ_at_all_36_sites(tmp_path):
    levels = np.arange(36) + 500
    area = (4, 9, 90, 120)
    path, _ = write_sensor(
        tmp_path / "a.dng", "xtrans", area=area, black=levels, black_repeat=(6, 6)
    )

    mosaic = read_raw(path).mosaic
    output = copy(path)

    rows, cols = np.indices(mosaic.samples.shape)
    expected = levels.reshape(6, 6)[(rows - 4) % 6, (cols - 9) % 6]
    assert np.array_equal(expected, mosaic.black_rows(0, len(rows)))
    assert np.array_equal(mosaic.black_level, read_raw(output).mosaic.black_level)


@pytest.mark.parametrize("make", ("Fadn", "FUJIFILM"))
@pytest.mark.parametrize("origin", [(0, 0), (6, 12), (3, 5)])
@pytest.mark.parametrize("size", [(130, 160), (530, 540)])
def test_x_trans_is_developed_in_the_right_colours(tmp_path, make, origin, size):
    """Of any maker, wherever the active area begins, and however small."""
    height, width = size
    area = (*origin, height - 2, width - 1)
    light = scene(height, width)
    path, _ = write_sensor(
        tmp_path / "a.dng", "xtrans", height, width, area=area, light=light, make=make
    )
    raw_image = read_raw(path)
    bayer, _ = write_sensor(tmp_path / "b.dng", "bayer", height, width, light=light)
    twin = read_raw(bayer)

    for step in (1, 2):
        picture, expected = (
            develop(each, each.mosaic, half_size=step == 2) for each in (raw_image, twin)
        )
        rows, cols = (-(-(area[end + 2] - area[end]) // step) for end in (0, 1))
        assert (rows, cols) == picture.shape[:2]
        expected = expected[origin[0] // step :, origin[1] // step :][:rows, :cols]
        means = [_block_means(each, 32 // step) for each in (picture, expected)]
        clipped = (means[1] > 50000).any(axis=-1)
        shift = np.abs(means[0] - means[1])[~clipped] / 65535
        assert shift.max() < 0.05
        assert np.median(shift) < 2 / 255


def test_a_monochrome_picture_has_no_colour_anywhere(tmp_path):
    path, _ = write_sensor(tmp_path / "a.dng", "mono", 96, 128)

    output = copy(path, preview="render")

    rgb = develop(read_raw(output), read_raw(output).mosaic)
    assert (96, 128, 3) == rgb.shape
    assert np.array_equal(rgb[..., 0], rgb[..., 1])
    assert np.array_equal(rgb[..., 0], rgb[..., 2])


def test_steps_may_be_finer(tmp_path):
    path, _ = write_sensor(tmp_path / "a.dng", "xtrans", phase=(1, 4), area=(1, 2, 90, 120))
    mosaic = read_raw(path).mosaic
    finer = replace(
        mosaic,
        samples=mosaic.samples * np.uint16(4),
        black_level=mosaic.black_level * 4,
        white_level=mosaic.white_level * 4,
    )

    output = copy(path, finer)

    assert () == verify(path, output).violations


def test_a_shift_of_one_colour_is_noticed(tmp_path):
    path, _ = write_sensor(tmp_path / "a.dng", "xtrans", 200, 260, phase=(1, 4))
    raw_image = read_raw(path)
    mosaic = raw_image.mosaic
    rows, cols = np.indices(mosaic.samples.shape)
    cell = np.array([letter == "B" for letter in mosaic.cfa.colors]).reshape(6, 6)
    is_blue = cell[rows % 6, cols % 6] & (mosaic.samples < 14000)
    brighter = mosaic.samples + (is_blue * 200).astype(np.uint16)

    output = copy(path, replace(mosaic, samples=brighter))

    pixels = verify(path, output)
    assert ("R", "G", "B") == pixels.pixels.planes
    assert any("of B became brighter" in violation for violation in pixels.violations)
    assert not any("of G became" in violation for violation in pixels.violations)


def _block_means(picture, side):
    rows, cols = (length // side for length in picture.shape[:2])
    whole = picture[: rows * side, : cols * side].reshape(rows, side, cols, side, 3)
    return whole.mean(axis=(1, 3))


def test_the_scene_is_grey_to_the_camera_where_its_colours_are_equal():
    assert (0.5, 1.0, 0.625) == NEUTRAL
