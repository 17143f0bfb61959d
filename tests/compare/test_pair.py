"""Both pictures are developed alike, from the files, and nothing but the samples differs."""

import shutil

import numpy as np
import pytest

from fadn_cli.compare.display import orient, shrink, to_8_bit
from fadn_cli.compare.pair import compare_files
from fadn_cli.errors import FadnError, NoiseModelError, RawReadError
from fadn_cli.pipeline.file import DenoiseOptions
from fadn_cli.raw.develop.render import develop
from fadn_cli.raw.source.reader import read_raw
from tests.making.camera_tiff import write_camera_tiff
from tests.making.dng.write import write_dng
from tests.making.mosaics import noisy_samples

GIVEN = DenoiseOptions(shot_noise=1e-3, read_noise=1e-5)


def test_the_pictures_are_what_develops_from_the_files(scene_files, comparison):
    before, after = (develop(raw, raw.mosaic) for raw in map(read_raw, scene_files))

    assert np.array_equal(shrink(before, 1600), comparison.before)
    assert np.array_equal(shrink(after, 1600), comparison.after)
    for detail in comparison.details:
        left, top, width, height = detail.place
        rows = slice(round(top * 320), round((top + height) * 320))
        columns = slice(round(left * 480), round((left + width) * 480))
        assert np.array_equal(to_8_bit(before[rows, columns], stops=detail.stops), detail.before)
        assert np.array_equal(to_8_bit(after[rows, columns], stops=detail.stops), detail.after)
        assert detail.before.shape == detail.residual.shape


def test_there_is_something_to_see(comparison):
    assert len(comparison.details) >= 3
    assert len(comparison.points) >= 4
    assert (comparison.residual.std(axis=(0, 1)) > 10).all()


def test_facts_name_camera_noise_and_network(comparison):
    facts = dict(comparison.facts)

    assert "fadn demo camera" == facts["Camera"]
    assert "12800" == facts["ISO"]
    assert "1/60 s" == facts["Exposure"]
    assert "480 x 320, 0.2 megapixels" == facts["Size"]
    assert facts["Noise at mid grey"].endswith("% (measured)")
    assert "model=bayer-fast-" in facts["Denoised by"]
    assert 5 < int(facts["Left in flat places"].split()[0]) < 50


def test_the_users_noise_is_used(scene_files):
    assert "given" == compare_files(*scene_files, GIVEN).noise.source


def test_a_photograph_against_itself_has_nothing_removed(scene_files):
    source, _ = scene_files

    same = compare_files(source, source)

    assert np.array_equal(same.before, same.after)
    assert (128 == same.residual).all()
    assert "unknown: no output of fadn" == dict(same.facts)["Denoised by"]
    assert "100 % of it, measured" == dict(same.facts)["Left in flat places"]


def test_a_tiff_is_compared_as_a_picture(scene_files, scene_tiff, comparison):
    found = compare_files(scene_files[0], scene_tiff, GIVEN)

    assert np.array_equal(comparison.before, found.before)
    assert np.array_equal(comparison.after, found.after)
    assert (None, (), None) == (found.residual, found.points, found.noise_after)
    assert all(detail.residual is None for detail in found.details)
    assert dict(found.facts)["Denoised by"].startswith("fadn ")


@pytest.mark.parametrize("orientation", (1, 2, 6, 8))
def test_pictures_stand_upright_and_details_lie_where_they_are_marked(tmp_path, orientation):
    rng = np.random.default_rng(9)
    levels = 700 + 60 * np.arange(150)[:, None] + 20 * np.arange(200)
    samples = (levels + rng.normal(size=levels.shape) * 40).astype(np.uint16)
    path = write_dng(tmp_path / "a.dng", samples, orientation=orientation)

    found = compare_files(path, path, GIVEN)

    raw = read_raw(path)
    upright = orient(develop(raw, raw.mosaic), orientation)
    assert np.array_equal(to_8_bit(upright), found.before)
    for detail in found.details:
        left, top, width, height = detail.place
        rows = slice(round(top * upright.shape[0]), round((top + height) * upright.shape[0]))
        columns = slice(round(left * upright.shape[1]), round((left + width) * upright.shape[1]))
        expected = to_8_bit(upright[rows, columns], stops=detail.stops)
        assert np.array_equal(expected, detail.before)


@pytest.mark.parametrize("cfa", ("RGGB", "BGGR", "GRBG", "GBRG"))
def test_every_phase_and_odd_sizes_are_compared(tmp_path, cfa):
    path = write_dng(tmp_path / "a.dng", noisy_samples(97, 131), cfa=cfa)

    assert (97, 131) == compare_files(path, path, GIVEN).before.shape[:2]


def test_other_raws_than_dngs_are_compared(tmp_path):
    path = write_camera_tiff(tmp_path / "a.nef", noisy_samples(100, 120))

    assert "NIKON D800" in dict(compare_files(path, path, GIVEN).facts)["Camera"]


def test_other_photographs_are_refused(scene_files, tmp_path):
    other = write_dng(tmp_path / "other.dng", noisy_samples())

    with pytest.raises(FadnError, match="96x64 RGGB pixels, .* 480x320 RGGB: not the same") as told:
        compare_files(scene_files[0], other)
    assert told.value.advice


def test_a_picture_of_another_size_is_refused(scene_tiff, tmp_path):
    other = write_dng(tmp_path / "other.dng", noisy_samples())

    with pytest.raises(FadnError, match=r"480x320 pixels, other.dng is 96x64"):
        compare_files(other, scene_tiff, GIVEN)


def test_the_wrong_way_round_is_told(scene_files):
    source, output = scene_files

    with pytest.raises(FadnError, match="IMG_1_denoised.dng is denoised by fadn") as told:
        compare_files(output, source)
    assert "source first" in told.value.advice


def test_two_outputs_may_be_compared(scene_files, tmp_path):
    copy = tmp_path / "again.dng"
    shutil.copyfile(scene_files[1], copy)

    assert compare_files(scene_files[1], copy, GIVEN).details


def test_what_cannot_be_read_or_measured_is_told(scene_files, tmp_path):
    source, _ = scene_files
    broken = tmp_path / "broken.tif"
    broken.write_bytes(b"II*\0\x08\0\0\0")
    tiny = write_dng(tmp_path / "tiny.dng", noisy_samples(22, 22))

    with pytest.raises(RawReadError, match="no such file"):
        compare_files(source, tmp_path / "missing.dng")
    with pytest.raises(RawReadError, match="broken.tif"):
        compare_files(source, broken, GIVEN)
    with pytest.raises(NoiseModelError, match="tiny.dng"):
        compare_files(tiny, tiny)


def test_both_are_brightened_as_the_source_needs(tmp_path):
    rng = np.random.default_rng(10)
    dark = write_dng(tmp_path / "dark.dng", rng.normal(560, 5, (200, 300)).astype(np.uint16))
    bright = write_dng(tmp_path / "bright.dng", rng.normal(5000, 5, (200, 300)).astype(np.uint16))

    found = compare_files(dark, bright, GIVEN)

    raw = read_raw(bright)
    lightest = to_8_bit(develop(raw, raw.mosaic), stops=3).min(axis=(0, 1))
    for detail in found.details:
        assert 3 == detail.stops
        assert (detail.after >= lightest).all()
