"""What a file calls bad: repaired before the network, and marked again where readers repair."""

import io
from dataclasses import replace

import numpy as np
import pytest
import tifffile
from PIL import Image

from fadn_cli.denoise.sensors.kinds import pack_active
from fadn_cli.mosaic.cfa import CfaPattern
from fadn_cli.pipeline.defects.repair import repair
from fadn_cli.pipeline.file import DenoiseOptions, denoise_file, inspect_file
from fadn_cli.pipeline.preparation import prepare
from fadn_cli.raw.check.dng import check_file
from fadn_cli.raw.check.verify import verify
from fadn_cli.raw.source.metadata import read_blocks
from fadn_cli.raw.source.reader import read_raw
from tests.making.bad_pixels import (
    BLACK,
    GAINS,
    HEIGHT,
    PLACES,
    READ,
    SHOT,
    WHITE,
    WIDTH,
    clean,
    exposed,
    marked,
)
from tests.making.camera_tiff import write_camera_tiff
from tests.making.codings import lossless, packed
from tests.making.dng.write import write_dng
from tests.making.layouts.layout import write_structured
from tests.making.opcodes import fix_constant, fix_list, in_raw
from tests.making.sensors import XTRANS_CELL

LAYOUTS = {
    "little-endian": {},
    "big-endian": {"byteorder": ">"},
    "in a SubIFD": {"in_subifd": True},
    "tiles": {"tile": (64, 64)},
    "strips": {"rows_per_strip": 31},
    "BGGR": {"cfa": "BGGR"},
    "GRBG": {"cfa": "GRBG"},
    "GBRG": {"cfa": "GBRG"},
    "odd active area": {"active_area": (3, 5, 122, 190)},
    "another odd active area": {"active_area": (2, 7, 127, 191), "cfa": "GBRG", "byteorder": ">"},
}
PANASONIC = {"make": "Panasonic", "model": "DMC-GH4"}
PANASONIC_LEVELS = {50714: (3, 128), 50728: (5, [(1, 2), (1, 1), (5, 8)])}


def at(samples, places):
    return samples[tuple(np.transpose(places))]


def denoised(path, tmp_path, name="out.dng", **options):
    """Denoise with the noise given, so that no test waits for a measurement."""
    given = {"quality": "fast", "shot_noise": SHOT, "read_noise": READ}
    return denoise_file(path, tmp_path / name, DenoiseOptions(**(given | options)))


def samples_of(path):
    return read_raw(path).mosaic.samples


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize("constant", [0, 16383])
def test_in_every_layout_marks_stay_marks_and_nothing_around_them_suffers(
    tmp_path, layout, constant
):
    top, left, *_ = layout.get("active_area", (0, 0))
    samples, places = exposed(clean(layout.get("cfa", "RGGB"), top, left)), PLACES["scattered"]
    opcodes = in_raw(fix_constant(constant, phase=3))
    with_marks = marked(samples, places, constant)
    path = write_dng(tmp_path / "a.dng", with_marks, extra_raw=opcodes, **layout)
    plain = write_dng(tmp_path / "b.dng", samples, **layout)

    report = denoised(path, tmp_path)
    denoised(plain, tmp_path, "plain.dng")

    before, after = read_raw(path), read_raw(tmp_path / "out.dng")
    assert before.defects.sites.tolist() == after.defects.sites.tolist()
    assert (at(after.mosaic.samples, places) == constant).all()
    inside = np.zeros((HEIGHT, WIDTH), np.bool_)
    inside[after.mosaic.active_area.slices] = True
    assert at(inside, places).sum() == report.bad_pixels
    inside = marked(inside, places, False)
    expected = samples_of(tmp_path / "plain.dng")[inside]
    difference = np.abs(after.mosaic.samples[inside] - expected.astype(float))
    assert np.percentile(difference, 99.9) < 0.01 * WHITE
    assert verify(path, tmp_path / "out.dng").holds
    assert check_file(tmp_path / "out.dng").ok


@pytest.mark.parametrize("bits", [10, 12, 14])
@pytest.mark.parametrize("constant", ["lowest", "highest"])
@pytest.mark.parametrize("compression", ["lj92", "none"])
def test_at_every_bit_depth_marks_stay_marks(tmp_path, bits, constant, compression):
    white, black = 2**bits - 1, 2 ** (bits - 4)
    value = 0 if constant == "lowest" else white
    samples = marked(exposed(clean(), white, black), PLACES["clusters"], value)
    raw = {50714: (3, black), 50717: (4, white), **in_raw(fix_constant(value))}
    write_structured(tmp_path / "a.dng", samples, coding=packed(bits), raw=raw)

    denoised(tmp_path / "a.dng", tmp_path, compression=compression)

    after = read_raw(tmp_path / "out.dng")
    factor = round(after.mosaic.white_level / white)
    marks = np.flatnonzero(after.mosaic.samples == value * factor)
    assert np.flatnonzero(samples == value).tolist() == marks.tolist()
    assert marks.tolist() == after.defects.sites.tolist()
    assert verify(tmp_path / "a.dng", tmp_path / "out.dng").holds


def test_a_mark_that_finer_steps_cannot_hold_is_another_one(tmp_path):
    white, black = 1023, 64
    samples = marked(exposed(clean(), white, black), PLACES["clusters"], 65535)
    raw = {50714: (3, black), 50717: (4, white), **in_raw(fix_constant(65535))}
    write_structured(tmp_path / "a.dng", samples, raw=raw)

    denoised(tmp_path / "a.dng", tmp_path)

    after = read_raw(tmp_path / "out.dng")
    assert after.mosaic.white_level > white
    assert np.flatnonzero(samples == 65535).tolist() == after.defects.sites.tolist()
    found = verify(tmp_path / "a.dng", tmp_path / "out.dng")
    assert found.holds, found.violations


def test_marks_in_lossless_jpeg_and_behind_a_table_stay_marks(tmp_path):
    table = np.arange(4096) * 3 + 500  # stored zeros become 500, and good samples become 0 nowhere
    stored = marked(exposed(clean(), 4095, 4), PLACES["scattered"])
    raw = {50712: (3, table), 50714: (3, 512), 50717: (4, 12785), **in_raw(fix_constant(0))}
    coding = lossless(bits=12, precision=12)
    write_structured(tmp_path / "a.dng", stored, coding=coding, raw=raw)

    denoised(tmp_path / "a.dng", tmp_path)

    after = read_raw(tmp_path / "out.dng")
    assert np.flatnonzero(stored == 0).tolist() == after.defects.sites.tolist()
    assert verify(tmp_path / "a.dng", tmp_path / "out.dng").holds


@pytest.mark.parametrize("kind", PLACES)
def test_repaired_samples_fit_in(tmp_path, kind):
    x, places = clean(), PLACES[kind]
    extra = in_raw(fix_list(places))
    path = write_dng(tmp_path / "a.dng", marked(exposed(x), places), extra_raw=extra)

    report = denoised(path, tmp_path)

    truth = BLACK + at(x, places) * (WHITE - BLACK)
    error = np.abs(at(samples_of(tmp_path / "out.dng"), places) - truth) / truth
    assert len(set(places)) == report.bad_pixels
    assert np.median(error) < 0.02
    assert error.max() < 0.1
    assert verify(path, tmp_path / "out.dng").holds


def test_a_list_s_rectangles_are_repaired(tmp_path):
    x = clean()
    samples = exposed(x)
    samples[40:52, 60:90] = WHITE
    extra = in_raw(fix_list((), [(40, 60, 52, 90)], phase=1))
    path = write_dng(tmp_path / "a.dng", samples, extra_raw=extra)

    report = denoised(path, tmp_path)

    truth = (BLACK + x * (WHITE - BLACK))[40:52, 60:90]
    found = samples_of(tmp_path / "out.dng")[40:52, 60:90]
    assert 12 * 30 == report.bad_pixels
    assert (np.abs(found - truth) / truth).max() < 0.2
    assert verify(path, tmp_path / "out.dng").holds


def test_marks_do_not_change_what_is_measured_or_found(tmp_path):
    samples, places = exposed(clean()), PLACES["scattered"] + PLACES["a column"]

    def treatment(path):
        raw_image, _ = repair(read_raw(path))
        packed_samples, shift = pack_active(raw_image.mosaic)
        return prepare(packed_samples, shift, raw_image, DenoiseOptions(hot_pixels=True))

    plain = treatment(write_dng(tmp_path / "a.dng", samples))
    extra = in_raw(fix_constant(0))
    other = treatment(write_dng(tmp_path / "b.dng", marked(samples, places), extra_raw=extra))

    assert other.noise.used.grey_std == pytest.approx(plain.noise.used.grey_std, rel=0.03)
    assert 0 == plain.hot_pixels == other.hot_pixels


def test_strength_0_gives_a_dng_s_own_samples_marks_included(tmp_path):
    samples = marked(exposed(clean()), PLACES["clusters"])
    path = write_dng(tmp_path / "a.dng", samples, extra_raw=in_raw(fix_constant(0)))

    denoised(path, tmp_path, strength=0.0)

    assert np.array_equal(samples, samples_of(tmp_path / "out.dng"))


def test_a_good_sample_that_falls_on_the_constant_is_moved_off_it(tmp_path):
    constant = round(BLACK + 0.25 * (WHITE - BLACK))
    samples = exposed(np.full((HEIGHT, WIDTH), 0.25))
    samples[samples == constant] += 1
    samples = marked(samples, PLACES["scattered"], constant)
    path = write_dng(tmp_path / "a.dng", samples, extra_raw=in_raw(fix_constant(constant)))

    denoised(path, tmp_path)

    after = samples_of(tmp_path / "out.dng")
    expected = np.flatnonzero(samples == constant).tolist()
    assert expected == np.flatnonzero(after == constant).tolist()
    assert np.isin(after, (constant - 1, constant + 1)).sum() > 20  # else nothing was tried


def test_a_tiff_shows_no_marks(tmp_path):
    samples = exposed(clean())
    extra = in_raw(fix_constant(0))
    with_marks = marked(samples, PLACES["clusters"])
    path = write_dng(tmp_path / "a.dng", with_marks, extra_raw=extra)
    plain = write_dng(tmp_path / "b.dng", samples)

    denoised(path, tmp_path, "a.tif", format="tiff")
    denoised(plain, tmp_path, "b.tif", format="tiff")

    first, second = (tifffile.imread(tmp_path / name).astype(float) for name in ("a.tif", "b.tif"))
    assert np.abs(first - second).max() < 0.05 * 65535


def test_a_new_preview_shows_no_marks(tmp_path):
    samples, extra = exposed(clean()), in_raw(fix_constant(0))
    with_marks = marked(samples, PLACES["clusters"])
    path = write_dng(tmp_path / "a.dng", with_marks, extra_raw=extra, in_subifd=True)
    plain = write_dng(tmp_path / "b.dng", samples, extra_raw=extra, in_subifd=True)

    denoised(path, tmp_path, "a_out.dng", preview="render")
    denoised(plain, tmp_path, "b_out.dng", preview="render")

    first, second = (preview_of(tmp_path / f"{name}_out.dng") for name in "ab")
    assert first.shape == second.shape
    assert np.abs(first - second).max() < 12


def preview_of(path):
    """The largest JPEG of a DNG."""
    with Image.open(io.BytesIO(read_blocks(path).preview)) as picture:
        return np.asarray(picture.convert("RGB")).astype(float)


def test_zeros_of_a_panasonic_are_repaired_in_its_dng(tmp_path):
    x, places = clean(), PLACES["scattered"]
    samples = marked(exposed(x, 4095, 128), places)
    path = write_camera_tiff(tmp_path / "a.rw2", samples, **PANASONIC, extra=PANASONIC_LEVELS)

    report = denoised(path, tmp_path)

    mosaic = read_raw(path).mosaic
    active = np.zeros(samples.shape, np.bool_)
    active[mosaic.active_area.slices] = True
    places = [place for place in places if active[place]]
    truth = 128 + at(x, places) * (4095 - 128)
    found = at(samples_of(tmp_path / "out.dng"), places)
    assert len(places) == report.bad_pixels > 20
    assert (np.abs(found - truth) / truth).max() < 0.2
    assert verify(path, tmp_path / "out.dng").holds


def test_what_is_wrong_with_a_list_is_reported_and_the_file_denoised(tmp_path):
    extra = in_raw(fix_list([(1, 1), (HEIGHT, 0)]), fix_constant(size=900))
    path = write_dng(tmp_path / "a.dng", exposed(clean()), extra_raw=extra)

    report, info = denoised(path, tmp_path), inspect_file(path)

    for warnings in (report.warnings, info.warnings):
        first, second = warnings[:2]
        assert "opcode 2 of 2 says 900 bytes, 8 are left" in first
        assert "1 of 2 points of FixBadPixelsList lie outside" in second
    assert 1 == report.bad_pixels == info.bad_pixels


def test_info_counts_what_would_be_repaired(tmp_path):
    places = PLACES["clusters"]
    samples = marked(exposed(clean()), places)
    path = write_dng(tmp_path / "a.dng", samples, extra_raw=in_raw(fix_constant(0)))

    info = inspect_file(path)

    assert (len(places), 0) == (info.bad_pixels, info.hot_pixels)


def test_what_was_read_is_not_touched(tmp_path):
    samples = marked(exposed(clean()), PLACES["clusters"])
    path = write_dng(tmp_path / "a.dng", samples, extra_raw=in_raw(fix_constant(0)))
    raw_image = read_raw(path)

    repaired, _ = repair(raw_image)

    assert np.array_equal(samples, raw_image.mosaic.samples)
    assert not np.array_equal(samples, repaired.mosaic.samples)


@pytest.mark.parametrize("colors", ["Y", XTRANS_CELL], ids=["mono", "X-Trans"])
@pytest.mark.parametrize("corner", [(0, 0), (3, 5), (2, 1)])
def test_on_other_sensors_samples_are_repaired_by_those_of_their_colour(tmp_path, colors, corner):
    path = write_dng(tmp_path / "a.dng", exposed(clean()), active_area=(*corner, 122, 190))
    raw_image = read_raw(path)
    cfa = CfaPattern(colors=colors)
    gains = np.array([{"Y": 0.8, **GAINS}[cfa.at(*at)] for at in np.ndindex(HEIGHT, WIDTH)])
    truth = clean("GGGG") * gains.reshape(HEIGHT, WIDTH)
    mosaic = replace(raw_image.mosaic, samples=exposed(truth), cfa=cfa)
    places = [(row + down, col) for row, col in PLACES["scattered"] for down in (0, 1)]
    sites = np.sort([row * WIDTH + col for row, col in places])
    defects = raw_image.defects.including(sites)
    bad = replace(mosaic, samples=marked(mosaic.samples, places))

    repaired, count = repair(replace(raw_image, mosaic=bad, defects=defects))

    inside = np.zeros((HEIGHT, WIDTH), np.bool_)
    inside[mosaic.active_area.slices] = True
    assert at(inside, places).sum() == count > 60
    at_places = ~marked(np.ones((HEIGHT, WIDTH), np.bool_), places, False) & inside
    found = (repaired.mosaic.samples[at_places] - float(BLACK)) / (WHITE - BLACK)
    error = np.abs(found - truth[at_places]) / truth[at_places]
    assert np.median(error) < 0.04
    assert error.max() < 0.2
