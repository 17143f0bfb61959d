"""The ruler is the published one, and its measures are what their names say."""

import json
import sys

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("torch")

from fadn_cli.denoise.sensors.kinds import SENSORS, pack_mosaic
from fadn_cli.mosaic.cfa import CfaPattern
from fadn_cli.pipeline import mosaic as pipeline
from fadn_cli.training.judge.evaluate import evaluate, main, psnr, ssim, table_text
from fadn_cli.training.judge.ruler import LEVELS, cases, pattern_of, side_in_cells


@pytest.mark.raw
def test_the_ruler_agrees_with_the_published_one(shared, monkeypatch):
    monkeypatch.syspath_prepend(str(shared / "bench"))
    import rawset

    folder = shared / "photos" / "val"
    for ours, theirs in zip(cases(folder), rawset.cases(folder), strict=False):
        name, level, clean, noisy, shot, read = theirs
        assert (name, level, shot) == (ours.name, ours.level, ours.shot_noise)
        assert ours.read_noise == pytest.approx(read)
        assert psnr(ours.noisy, ours.clean) == pytest.approx(rawset.psnr(noisy, clean), abs=0.05)
        if level == "S":
            break
    del sys.modules["rawset"]


@pytest.mark.raw
@pytest.mark.parametrize(("kind", "mean"), [("bayer", 38.01), ("xtrans", 37.88)])
def test_every_sensor_is_as_noisy_on_the_ruler_as_is_known(shared, kind, mean):
    noisy = evaluate(shared / "photos" / "val", lambda x, *_: x, sensor=SENSORS[kind])

    assert noisy["psnr"]["mean"] == pytest.approx(mean, abs=0.01)


@pytest.mark.parametrize("kind", SENSORS)
def test_the_sensors_see_the_middle_of_the_same_photograph(tmp_path, kind):
    sensor = SENSORS[kind]
    rows, cols = np.mgrid[:400, :500]
    grey = np.uint8(40 + rows / 4 + cols / 8)[..., None].repeat(3, axis=2)
    Image.fromarray(grey).save(tmp_path / "ramp.png")

    [case] = cases(tmp_path, {"A": LEVELS["A"]}, sensor=sensor)

    assert min(sensor.unpack(case.clean).shape) == (324 if kind == "xtrans" else 320)
    green = np.mean([case.clean[i].mean() for i, c in enumerate(sensor.colors) if c in "GY"])
    [bayer] = cases(tmp_path, {"A": LEVELS["A"]})
    assert green == pytest.approx(bayer.clean[1:3].mean(), rel=0.01)
    std = (case.noisy - case.clean)[0].std()
    assert std == pytest.approx(np.sqrt(1e-4 * case.clean[0].mean() + case.read_noise), rel=0.05)


def test_sides_of_an_x_trans_mosaic_are_multiples_of_twelve():
    sides = [3 * side_in_cells(length, 320, SENSORS["xtrans"]) for length in (13, 300, 323, 5000)]

    assert [12, 300, 312, 324] == sides


@pytest.mark.parametrize("kind", SENSORS)
def test_the_pattern_is_the_one_the_sensor_is_packed_from(kind):
    sensor = SENSORS[kind]

    pattern = CfaPattern.parse(pattern_of(sensor))

    assert kind == pattern.kind
    _, packing = pack_mosaic(np.zeros((36, 36), np.float32), pattern)
    assert (0, 0, 0, 0) == (packing.top, packing.left, packing.bottom, packing.right)


def test_psnr_of_a_known_error():
    clean = np.full((4, 16, 16), 0.5, np.float32)

    assert psnr(clean + np.float32(0.01), clean) == pytest.approx(40, abs=1e-3)


def test_ssim_is_one_for_equals_and_falls_with_noise():
    rng = np.random.default_rng(1)
    clean = rng.random((4, 32, 32), np.float32)
    noise = rng.normal(0, 1, clean.shape).astype(np.float32)

    assert ssim(clean, clean) == pytest.approx(1)
    assert 1 > ssim(clean + 0.05 * noise, clean) > ssim(clean + 0.2 * noise, clean)


def test_the_table_has_a_row_per_measure_and_a_column_per_level():
    scores = {"psnr": {"A": 48.884, "mean": 48.884}, "ssim": {"A": 0.99, "mean": 0.99}}

    lines = table_text({"noisy": scores}).splitlines()

    assert "| noisy, dB | 48.88 |  |  |  |  |  | 48.88 |" == lines[2]
    assert lines[3].startswith("| noisy, SSIM | 0.9900 |")


def test_every_photograph_of_a_folder_is_scored(tmp_path):
    pixels = np.random.default_rng(2).integers(0, 256, (40, 40, 3)).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "noise.png")
    levels = {level: LEVELS[level] for level in "AE"}

    scores = evaluate(tmp_path, lambda packed, shot, read: packed, levels)

    assert scores["psnr"]["A"] > scores["psnr"]["E"] > 10
    assert scores["psnr"]["mean"] == pytest.approx((scores["psnr"]["A"] + scores["psnr"]["E"]) / 2)


def test_a_cameras_read_noise_is_not_a_phones(tmp_path):
    Image.fromarray(np.zeros((64, 64, 3), np.uint8)).save(tmp_path / "black.png")
    level = {"A": LEVELS["A"]}

    [phone], [camera] = (cases(tmp_path, level, cameras=each) for each in (False, True))

    assert camera.shot_noise == phone.shot_noise
    assert camera.read_noise > 30 * phone.read_noise
    for case in (phone, camera):
        assert case.noisy.var() == pytest.approx(case.read_noise, rel=0.1)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], (None, None, 1, "cpu")),
        (["--quality", "fast"], ("fast", None, 1, "cpu")),
        (["--quality", "best"], ("best", None, 1, "cpu")),
        (["--specialist", "bayer-x"], (None, "bayer-x", 1, "cpu")),
        (["--ensemble", "8"], (None, None, 8, "cpu")),
        (["--device", "openvino"], (None, None, 1, "openvino")),
    ],
)
def test_the_public_function_is_measured_with_the_network_asked_for(
    tmp_path, monkeypatch, capsys, arguments, expected
):
    asked = []

    def denoise_mosaic(x, *, cfa, shot_noise, read_noise, **choices):
        assert "RGGB" == cfa
        names = ("quality", "specialist", "ensemble", "device")
        asked.append((*(choices.pop(name) for name in names), shot_noise, read_noise is None))
        assert not choices
        return x

    monkeypatch.setattr(pipeline, "denoise_mosaic", denoise_mosaic)
    Image.fromarray(np.zeros((40, 40, 3), np.uint8)).save(tmp_path / "black.png")
    command = ["evaluate", "--photos", str(tmp_path), "--levels", "A", "--json", *arguments]
    monkeypatch.setattr(sys, "argv", command)

    main()

    assert {"true noise", "estimated noise"} == json.loads(capsys.readouterr().out).keys()
    assert [(*expected, 1e-4, False), (*expected, None, True)] == asked


def test_a_quality_and_a_network_by_name_exclude_each_other(tmp_path, monkeypatch, capsys):
    command = ["evaluate", "--photos", str(tmp_path), "--quality", "fast", "--specialist", "x"]
    monkeypatch.setattr(sys, "argv", command)

    with pytest.raises(SystemExit):
        main()

    assert "not allowed with" in capsys.readouterr().err
