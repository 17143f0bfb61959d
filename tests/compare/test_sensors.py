"""Photographs of X-Trans and monochrome sensors are compared as Bayer ones are."""

import numpy as np
import pytest

from fadn_cli.compare.curves import measure_curves, noise_left
from fadn_cli.compare.pair import compare_files
from fadn_cli.compare.picking import pick_details
from fadn_cli.compare.residual import removed, residual_detail
from fadn_cli.demo import run as demo
from fadn_cli.demo.scene import draw_scene
from fadn_cli.denoise.sensors.kinds import SENSORS
from fadn_cli.errors import FadnError
from fadn_cli.noise import noise_model

KINDS = ("xtrans", "mono")
LEFT = 0.2  # of the noise's standard deviation


@pytest.fixture(params=KINDS)
def sensor(request):
    return SENSORS[request.param]


@pytest.fixture
def noise(sensor):
    """Of each colour another."""
    shot = 1e-4 * (1 + np.arange(len(sensor.noise_colors)))
    return noise_model(shot, shot / 50, source="given", colors=sensor.noise_colors)


def with_noise(clean, sensor, noise):
    """Planes of a (h, w) scene, and the same with a part of the noise."""
    clean = np.stack([clean] * sensor.planes).astype(np.float32)
    shot, read = sensor.noise_of_planes(noise)
    grain = np.random.default_rng(2).normal(size=clean.shape) * np.sqrt(shot * clean + read)
    return (clean + grain).astype(np.float32), (clean + LEFT * grain).astype(np.float32)


def test_removed_noise_has_unit_sigma_in_each_colour(sensor, noise):
    before, after = with_noise(np.full((96, 120), 0.1), sensor, noise)

    sigmas = removed(before, after, noise, sensor)

    assert (3, 96, 120) == sigmas.shape
    assert np.full(3, 1 - LEFT) == pytest.approx(sigmas.std(axis=(1, 2)), rel=0.03)
    assert ("mono" == sensor.kind) == np.array_equal(sigmas[0], sigmas[2])
    cell = sensor.cell
    assert (96 * cell, 120 * cell, 3) == residual_detail(before, after, noise, sensor).shape


def test_the_curves_are_those_of_the_greens(sensor, noise):
    ramp = np.exp2(np.linspace(-8, -0.5, 768))[None].repeat(512, axis=0)

    points = measure_curves(*with_noise(ramp, sensor, noise), noise, sensor)

    green = sensor.noise_index[sensor.greens[0]]
    assert len(points) >= 10
    for point in points:
        assert noise.variance(point.level)[green] ** 0.5 == pytest.approx(point.before, rel=0.12)
    assert LEFT == pytest.approx(noise_left(points), rel=0.05)


def test_details_lie_inside(sensor, noise):
    ramp = np.exp2(np.linspace(-8, -0.5, 300))[None].repeat(200, axis=0)
    before, _ = with_noise(ramp, sensor, noise)

    places = pick_details(before, noise, sensor)

    assert places
    for place in places:
        assert 0 <= place.area.top <= sensor.cell * 200 - place.area.height
        assert 0 <= place.area.left <= sensor.cell * 300 - place.area.width


def drawn(folder, kind, size=(329, 490)):
    """A noisy DNG of the demonstration's scene, and a clean one."""
    cfa = demo.SENSORS[kind].shifted(1, 1)
    clean = demo.expose(draw_scene(330, 490)[: size[0], : size[1]], cfa)
    paths = folder / "noisy.dng", folder / "clean.dng"
    scale = 15871 - 1024
    exact = np.clip(np.rint(clean * scale + 1024), 0, 15871).astype(np.uint16)
    for path, samples in zip(paths, (demo.add_noise(clean), exact), strict=True):
        path.write_bytes(demo.build_dng(samples, cfa))
    return paths


@pytest.mark.parametrize("kind", KINDS)
def test_a_pair_is_developed_and_shown(tmp_path, kind):
    comparison = compare_files(*drawn(tmp_path, kind))

    assert (329, 490, 3) == comparison.before.shape
    assert len(comparison.details) >= 2
    for detail in comparison.details:
        assert detail.before.shape == detail.after.shape == detail.residual.shape
    assert comparison.points
    pictures = (comparison.before, comparison.after, comparison.residual)
    is_grey = all(np.array_equal(each[..., 0], each[..., 2]) for each in pictures)
    assert ("mono" == kind) == is_grey


def test_pictures_of_different_sensors_are_no_pair(tmp_path):
    (tmp_path / "other").mkdir()
    xtrans, _ = drawn(tmp_path, "xtrans")
    mono, _ = drawn(tmp_path / "other", "mono")

    with pytest.raises(FadnError, match=r"none: monochrome pixels, .* X-Trans"):
        compare_files(xtrans, mono)
