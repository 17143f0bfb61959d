"""Noise that is not the same everywhere: shaded corners and bands come out as clean as the rest."""

import numpy as np
import pytest

from fadn_cli.denoise.sensors.kinds import SENSORS, pack_mosaic
from fadn_cli.mosaic.cfa import CfaPattern
from fadn_cli.noise import noise_model
from fadn_cli.pipeline.file import DenoiseOptions, denoise_file, inspect_file
from fadn_cli.pipeline.uneven import settle_banding
from fadn_cli.raw.check.verify import verify
from fadn_cli.raw.source.reader import read_raw
from tests.making.dng.write import write_dng
from tests.making.scenes import HEIGHT, WIDTH, expose, light, mosaic
from tests.making.sensor_files import MONO_TAGS, NO_COLORS
from tests.making.sensors import COLORS, filtered

BLACK, WHITE = 512, 15000
READ = 6e-6


def write(path, x, **options):
    """Write normalized samples as a 14-bit DNG."""
    samples = np.clip(np.rint(BLACK + x * (WHITE - BLACK)), 0, WHITE).astype(np.uint16)
    return write_dng(path, samples, **options)


def written(path):
    """The normalized samples of a file."""
    return (read_raw(path).mosaic.samples.astype(np.float64) - BLACK) / (WHITE - BLACK)


def with_bands(clean, strength=1.0):
    """Add grain, and offsets to its rows."""
    offsets = np.random.default_rng(9).normal(size=(HEIGHT, 1)) * strength * np.sqrt(READ)
    return expose(clean, (1.6e-3, READ)) + offsets


def banded(path, strength=1.0, **options):
    """Write a dark scene with grain and bands; return its path and the scene."""
    clean = mosaic(light(), colors=options.get("cfa", "RGGB")) * 0.06
    return write(path, with_bands(clean, strength), **options), clean


def bands_of(path, clean):
    return float((written(path) - clean).mean(axis=1).std())


@pytest.mark.parametrize("quality", ("best", "fast"))
@pytest.mark.parametrize("options", ({}, {"byteorder": ">", "tile": (64, 64), "in_subifd": True}))
def test_shaded_corners_are_denoised_like_the_centre(tmp_path, quality, options):
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    squares = (y * 2 / HEIGHT - 1) ** 2 + (x * 2 / WIDTH - 1) ** 2
    gain, clean = 1 + 2.5 * squares, mosaic(light())
    noise = np.random.default_rng(9).normal(size=clean.shape)
    noise *= np.sqrt(gain * 4e-4 * clean + gain**2 * 2e-5)
    path = write(tmp_path / "a.dng", clean + noise, **options)

    report = denoise_file(path, tmp_path / "b.dng", DenoiseOptions(quality=quality))

    left = written(tmp_path / "b.dng") - clean
    assert 6 == pytest.approx(report.corner_gain, rel=0.2)
    for area, most in ((gain < 1.5, 0.22), ((gain > 4) & (x < WIDTH // 2), 0.25)):
        assert left[area].std() < most * noise[area].std()


def test_nothing_is_divided_where_the_noise_is_even(tmp_path):
    path = write(tmp_path / "a.dng", expose(mosaic(light()), (4e-4, 2e-5)))

    assert denoise_file(path, tmp_path / "b.dng").corner_gain is None


@pytest.mark.parametrize("cfa", ("RGGB", "GBRG"))
def test_bands_that_would_show_are_removed_told_and_verified(tmp_path, cfa):
    path, clean = banded(tmp_path / "a.dng", cfa=cfa)

    report = denoise_file(path, tmp_path / "b.dng")

    assert ("rows",) == report.banding_removed
    assert 1.0 == pytest.approx(report.row_noise, rel=0.25)
    assert bands_of(tmp_path / "b.dng", clean) < 0.35 * bands_of(path, clean)
    assert verify(path, tmp_path / "b.dng").holds
    info = inspect_file(path)
    assert (report.row_noise, report.column_noise) == (info.row_noise, info.column_noise)


def test_bands_stay_where_they_are_to_stay(tmp_path):
    path, clean = banded(tmp_path / "a.dng")

    report = denoise_file(path, tmp_path / "b.dng", DenoiseOptions(banding=False))

    assert () == report.banding_removed
    assert bands_of(tmp_path / "b.dng", clean) > 0.6 * bands_of(path, clean)


@pytest.mark.parametrize(("asked", "removed"), ((None, ()), (True, ("rows",))))
def test_faint_bands_go_only_where_that_is_asked_for(tmp_path, asked, removed):
    path, _ = banded(tmp_path / "a.dng", strength=0.2)
    options = DenoiseOptions(banding=asked, strength=0.5)

    assert removed == denoise_file(path, tmp_path / "b.dng", options).banding_removed


def test_at_strength_0_the_samples_stay(tmp_path):
    path, _ = banded(tmp_path / "a.dng", strength=2.0)

    denoise_file(path, tmp_path / "b.dng", DenoiseOptions(strength=0))

    assert np.array_equal(written(path), written(tmp_path / "b.dng"))


@pytest.mark.parametrize("asked", (None, True, False))
@pytest.mark.parametrize("kind", COLORS)
def test_bands_of_every_kind_of_sensor_are_settled(kind, asked):
    cfa = CfaPattern(colors=COLORS[kind]).shifted(2, 1)
    clean = filtered(light() * 0.06, cfa)
    packed, packing = pack_mosaic(with_bands(clean).astype(np.float32), cfa)
    noise = noise_model(1.6e-3, READ, source="given", colors=SENSORS[kind].noise_colors)

    banding = settle_banding(packed, packing, noise, asked=asked, left=0.5)

    assert (() if asked is False else ("rows",)) == banding.removed
    assert 1.0 == pytest.approx(banding.row_noise, rel=0.25)
    left = (packing.unpack(packed) - clean).mean(axis=1).std()
    assert (left > 0.8 * np.sqrt(READ)) == (asked is False)
    assert asked is False or left < 0.25 * np.sqrt(READ)


@pytest.mark.parametrize("kind", ("xtrans", "mono"))
def test_bands_of_other_sensors_are_told_from_their_files(tmp_path, kind):
    cfa = CfaPattern(colors=COLORS[kind])
    x = with_bands(filtered(light() * 0.06, cfa))
    options = {"cfa": cfa.colors, "cfa_dim": (6, 6)}
    if kind == "mono":
        options = NO_COLORS | {"extra_raw": MONO_TAGS}
    path = write(tmp_path / "a.dng", x, **options)

    report = denoise_file(path, tmp_path / "b.dng", DenoiseOptions(strength=0))

    assert 1.0 == pytest.approx(report.row_noise, rel=0.25)
    assert np.array_equal(written(path), written(tmp_path / "b.dng"))
