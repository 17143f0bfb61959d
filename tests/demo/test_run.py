"""The demonstration is honest: a real raw, the real pipeline, a gain that can be computed again."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fadn_cli.demo import run as demo
from fadn_cli.demo.scene import draw_scene
from fadn_cli.errors import OutputExistsError, WriteError
from fadn_cli.mosaic.conversion import normalize
from fadn_cli.raw.source.reader import read_raw


@pytest.fixture(scope="module", autouse=True)
def small():
    """A quarter of the scene's pixels: quick."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(demo, "HEIGHT", 320)
        patch.setattr(demo, "WIDTH", 480)
        yield


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    return demo.run(tmp_path_factory.mktemp("demo") / "new" / "folder")


@pytest.fixture(scope="module")
def clean():
    return demo.expose(draw_scene(320, 480))


def test_three_files_are_made_and_no_others(shown):
    names = ("fadn_demo.dng", "fadn_demo_before_after.png", "fadn_demo_denoised.dng")

    assert names == tuple(sorted(path.name for path in shown.noisy.parent.iterdir()))
    assert {*names} == {path.name for path in (shown.noisy, shown.denoised, shown.picture)}


def test_the_gain_is_that_of_the_files(shown, clean):
    for path, claimed in ((shown.noisy, shown.psnr_before), (shown.denoised, shown.psnr_after)):
        error = np.clip(normalize(read_raw(path).mosaic), 0, 1) - np.clip(clean, 0, 1)
        assert claimed == pytest.approx(-10 * np.log10((error**2).mean()), abs=1e-3)


def test_denoising_gains_decibels(shown):
    assert shown.psnr_after > shown.psnr_before + 3


def test_the_quality_asked_for_is_denoised_by(tmp_path, monkeypatch):
    asked = []

    def denoise_file(source, output, options):
        asked.append(options.quality)
        raise WriteError("that was all")

    monkeypatch.setattr(demo, "denoise_file", denoise_file)
    with pytest.raises(WriteError, match="that was all"):
        demo.run(tmp_path, quality="fast")

    assert ["fast"] == asked


def test_the_noise_is_measured_not_told(shown):
    assert shown.report.noise_profile is None
    std = np.sqrt(0.18 * demo.SHOT_NOISE + demo.READ_NOISE)
    assert shown.report.noise_used.grey_std == pytest.approx(std, rel=0.15)


def test_the_noise_is_the_cameras(clean):
    noisy = (demo.add_noise(clean) - 1024.0) / (15871 - 1024)

    scaled = (noisy - clean) / np.sqrt(demo.SHOT_NOISE * clean + demo.READ_NOISE)

    inside = clean < 0.6
    assert abs(scaled[inside].mean()) < 0.02
    assert scaled[inside].std() == pytest.approx(1, abs=0.02)


def test_the_noisy_raw_says_what_a_camera_says(shown):
    image = read_raw(shown.noisy)

    assert ("fadn demo camera", 12800) == (image.metadata.model, image.metadata.iso)
    assert "RGGB" == image.mosaic.cfa.colors
    assert np.array([2, 1, 1 / 0.62]) == pytest.approx(image.metadata.wb_gains, rel=1e-3)
    assert image.mosaic.samples.max() == image.mosaic.white_level


def test_white_light_is_neutral_to_the_camera():
    mosaic = demo.expose(np.ones((4, 4, 3), np.float32))

    assert np.allclose([[0.5, 1.0], [1.0, 0.62]], mosaic[:2, :2], atol=1e-6)


def test_the_picture_shows_both_and_details(shown):
    with Image.open(shown.picture) as picture:
        assert (2 * 480 + 8, 2 * 320 + 2 * 8) == picture.size


def hashes(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def test_every_run_gives_the_same_bytes_and_asks_before_replacing(shown):
    folder = shown.noisy.parent
    before = hashes(folder)

    with pytest.raises(OutputExistsError, match=r"fadn_demo\.dng"):
        demo.run(folder)
    assert before == hashes(folder)

    demo.run(folder, overwrite=True)
    assert before == hashes(folder)


def test_one_file_in_the_way_stops_all(tmp_path):
    (tmp_path / "fadn_demo_before_after.png").write_bytes(b"mine")

    with pytest.raises(OutputExistsError, match="before_after"):
        demo.run(tmp_path)

    assert ["fadn_demo_before_after.png"] == [path.name for path in tmp_path.iterdir()]


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "wall").touch()

    with pytest.raises(WriteError, match="wall"):
        demo.run(tmp_path / "wall" / "demo")


def test_the_folder_may_be_the_current_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    assert demo.run(Path()).noisy.exists()


@pytest.mark.parametrize("kind", demo.SENSORS)
def test_the_camera_may_have_any_sensor(tmp_path, kind):
    cfa = demo.SENSORS[kind]
    samples = demo.add_noise(demo.expose(draw_scene(66, 96), cfa))
    path = tmp_path / "a.dng"
    path.write_bytes(demo.build_dng(samples, cfa))

    mosaic = read_raw(path).mosaic

    assert (cfa, kind) == (mosaic.cfa, mosaic.cfa.kind)
    assert np.array_equal(samples, mosaic.samples)
