"""Luma, chroma and hot pixels through the whole job: samples, what the file states, the report."""

import numpy as np
import pytest

from benchmarks.chart import luma_and_chroma_lost, planes
from fadn_cli.mosaic.saturation import saturated_areas
from fadn_cli.noise import noise_model
from fadn_cli.pipeline.file import DenoiseOptions, denoise_file, inspect_file
from fadn_cli.pipeline.mosaic import denoise_mosaic
from fadn_cli.raw.check.verify import verify
from fadn_cli.raw.source.dng_checks import find_raw_ifd
from fadn_cli.raw.source.metadata import read_blocks
from fadn_cli.raw.source.reader import read_raw
from fadn_cli.raw.tiff.file import map_file, parse
from fadn_cli.raw.tiff.ifd import FieldType
from fadn_cli.raw.tiff.tags import Tag
from tests.making.dng.write import write_dng
from tests.making.mosaics import PATTERNS, READ, SHOT, expose, grey_scene

BLACK, WHITE = 512, 15000
HOT = ((20, 31), (60, 90), (65, 123), (100, 14), (142, 190))


def write_defective(path, *, cfa="RGGB"):
    """A noisy 14-bit DNG with a saturated patch, masked borders, and five pixels stuck at most."""
    samples = expose(grey_scene()) * (WHITE - BLACK) + BLACK
    samples[40:50, 50:80] = 16383
    samples = samples.round().clip(0, 16383).astype(np.uint16)
    samples[tuple(zip(*HOT, strict=True))] = 16383
    write_dng(path, samples, cfa=cfa, active_area=(3, 5, 147, 198), white=WHITE)
    return samples


def fields_of(path):
    """What the raw IFD of a DNG states of its noise: (NoiseReductionApplied, NoiseProfile)."""
    ifd = find_raw_ifd(parse(map_file(path), name=path.name))
    applied, profile = (ifd.get(tag) for tag in (Tag.NOISE_REDUCTION_APPLIED, Tag.NOISE_PROFILE))
    assert FieldType.DOUBLE == profile.type
    ((numerator, denominator),) = applied.values
    return numerator / denominator, profile.values


class TestLumaAndChroma:
    def test_each_goes_its_own_way(self):
        noisy = expose(grey_scene())
        given = {"shot_noise": SHOT, "read_noise": READ, "hot_pixels": False}
        full = denoise_mosaic(noisy, **given)

        out = denoise_mosaic(noisy, **given, luma=0.3, chroma=1)

        before, after, wanted = (
            x.reshape(75, 2, 101, 2).transpose(1, 3, 0, 2).reshape(4, 75, 101)
            for x in (noisy, out, full)
        )
        np.testing.assert_allclose(
            0.7 * before.mean(axis=0) + 0.3 * wanted.mean(axis=0), after.mean(axis=0), atol=1e-6
        )
        np.testing.assert_allclose(
            wanted - wanted.mean(axis=0), after - after.mean(axis=0), atol=1e-6
        )

    @pytest.mark.parametrize("cfa", PATTERNS)
    def test_0_and_0_are_the_identity(self, tmp_path, cfa):
        samples = write_defective(tmp_path / "a.dng", cfa=cfa)
        options = DenoiseOptions(luma=0, chroma=0)

        report = denoise_file(tmp_path / "a.dng", tmp_path / "b.dng", options)

        assert np.array_equal(samples, read_raw(tmp_path / "b.dng").mosaic.samples)
        assert (None, None, 0) == (report.specialist, report.hot_pixels, report.strength)
        x = expose(grey_scene(149, 203))
        assert np.array_equal(x, denoise_mosaic(x, cfa=cfa, luma=0, chroma=0))

    def test_alike_they_are_the_strength(self, tmp_path):
        write_defective(tmp_path / "a.dng")
        for name, choice in (
            ("b.dng", {"strength": 0.6}),
            ("c.dng", {"luma": 0.6, "chroma": 0.6}),
            ("d.dng", {"strength": 0.6, "luma": 0.6}),
        ):
            denoise_file(tmp_path / "a.dng", tmp_path / name, DenoiseOptions(**choice))

        first = (tmp_path / "b.dng").read_bytes()
        assert first == (tmp_path / "c.dng").read_bytes() == (tmp_path / "d.dng").read_bytes()

    def test_what_is_stated_of_the_noise_is_what_is_left(self, tmp_path):
        rng = np.random.default_rng(3)
        flat = 0.2 + np.sqrt(SHOT * 0.2 + READ) * rng.standard_normal((400, 400))
        samples = (flat * (WHITE - BLACK) + BLACK).round().astype(np.uint16)
        write_dng(tmp_path / "a.dng", samples, black=(BLACK,), white=WHITE)
        options = DenoiseOptions(luma=0.3, chroma=1, shot_noise=SHOT, read_noise=READ)

        report = denoise_file(tmp_path / "a.dng", tmp_path / "b.dng", options)

        after = (read_raw(tmp_path / "b.dng").mosaic.samples - BLACK) / (WHITE - BLACK)
        applied, (shot, read) = fields_of(tmp_path / "b.dng")
        assert (0.3, 1.0) == (report.luma, report.chroma)
        assert report.residual_std_ratio == pytest.approx(after.std() / flat.std(), rel=0.05)
        assert (shot * 0.2 + read) ** 0.5 == pytest.approx(after.std(), rel=0.05)
        assert applied == pytest.approx(report.strength, abs=1e-3)
        assert applied == pytest.approx(0.65, abs=0.01)

    @pytest.mark.parametrize(
        ("choice", "said"),
        [
            ({}, "strength=1 model=bayer-"),
            ({"strength": 0.5, "luma": 0.5}, "strength=0.5 model=bayer-"),
            ({"luma": 0.3}, "luma=0.3 chroma=1 model=bayer-"),
            ({"strength": 0}, "strength=0 model=none"),
            ({"strength": 0, "hot_pixels": True}, "strength=0 model=none hot_pixels=on"),
            ({"hot_pixels": False}, "hot_pixels=off"),
        ],
    )
    def test_the_file_says_what_was_asked_for(self, tmp_path, choice, said):
        write_defective(tmp_path / "a.dng")
        options = DenoiseOptions(**choice)

        denoise_file(tmp_path / "a.dng", tmp_path / "b.dng", options)

        packet = read_blocks(tmp_path / "b.dng").xmp.decode()
        assert said in packet
        assert ("hot_pixels" in said) == ("hot_pixels" in packet)

    def test_a_tiff_says_so_too(self, tmp_path):
        write_defective(tmp_path / "a.dng")
        options = DenoiseOptions(luma=0.3, format="tiff")

        denoise_file(tmp_path / "a.dng", tmp_path / "b.tif", options)

        software = parse(map_file(tmp_path / "b.tif"), name="b.tif").ifds[0].get(Tag.SOFTWARE).text
        assert "luma=0.3 chroma=1" in software

    @pytest.mark.raw
    def test_on_the_chart_grain_stays_and_coloured_specks_go(self, raws, tmp_path):
        source = raws / "canon_kiss_x4_colorchart.dng"

        denoise_file(source, tmp_path / "b.dng", DenoiseOptions(luma=0.3, chroma=1))

        luma, *chroma = luma_and_chroma_lost(planes(source), planes(tmp_path / "b.dng"))
        assert 0.25 < luma < 0.40
        assert min(chroma) > 0.75


REPAIR = DenoiseOptions(hot_pixels=True)


class TestHotPixels:
    @pytest.mark.parametrize("cfa", PATTERNS)
    def test_they_are_counted_and_gone_and_the_file_verifies(self, tmp_path, cfa):
        samples = write_defective(tmp_path / "a.dng", cfa=cfa)

        report = denoise_file(tmp_path / "a.dng", tmp_path / "b.dng", REPAIR)

        after = read_raw(tmp_path / "b.dng").mosaic
        keep = saturated_areas(read_raw(tmp_path / "a.dng").mosaic)
        found = verify(tmp_path / "a.dng", tmp_path / "b.dng")
        assert len(HOT) == report.hot_pixels
        assert all(after.samples[place] < 9000 for place in HOT)
        assert keep.sum() == 300
        assert np.array_equal(samples[keep], after.samples[keep])
        assert found.holds, found.violations
        assert (300, 0) == (found.pixels.saturated, found.pixels.saturated_changed)

    def test_off_leaves_them_and_says_nothing(self, tmp_path):
        write_defective(tmp_path / "a.dng")
        noise = {"shot_noise": SHOT, "read_noise": READ}

        report = denoise_file(
            tmp_path / "a.dng", tmp_path / "b.dng", DenoiseOptions(hot_pixels=False, **noise)
        )

        x = (read_raw(tmp_path / "a.dng").mosaic.samples[3:147, 5:198] - 512.0) / (WHITE - BLACK)
        left = denoise_mosaic(x, cfa="RGGB", **noise, hot_pixels=False)
        expected = (left * (WHITE - BLACK) + BLACK).round().clip(0, WHITE)
        actual = read_raw(tmp_path / "b.dng").mosaic.samples[3:147, 5:198]
        assert report.hot_pixels is None
        assert (expected == actual).mean() > 0.97  # all but what is saturated, outside or rounded

    def test_info_counts_them_whether_or_not_they_would_be_repaired(self, tmp_path):
        write_defective(tmp_path / "a.dng")

        counts = [
            inspect_file(tmp_path / "a.dng", DenoiseOptions(hot_pixels=asked)).hot_pixels
            for asked in (None, True)
        ]

        assert [len(HOT)] * 2 == counts

    def test_they_are_left_unless_asked(self):
        assert not DenoiseOptions().repairs

    def test_strength_0_leaves_them_unless_asked(self, tmp_path):
        samples = write_defective(tmp_path / "a.dng")
        for name, asked in (("b.dng", None), ("c.dng", True)):
            options = DenoiseOptions(strength=0, hot_pixels=asked)
            denoise_file(tmp_path / "a.dng", tmp_path / name, options)

        left, repaired = (read_raw(tmp_path / name).mosaic.samples for name in ("b.dng", "c.dng"))
        assert np.array_equal(samples, left)
        assert sorted(HOT) == sorted(map(tuple, np.argwhere(samples != repaired).tolist()))
        assert verify(tmp_path / "a.dng", tmp_path / "c.dng").holds

    def test_they_go_whatever_the_strength(self):
        noisy = expose(grey_scene())
        noisy[60, 90] = 1.0

        out = denoise_mosaic(noisy, shot_noise=SHOT, read_noise=READ, strength=0.1, hot_pixels=True)

        assert out[60, 90] < 0.6

    def test_the_noise_is_measured_without_them(self, tmp_path):
        clean = expose(grey_scene(300, 400), seed=4)
        defective = clean.copy()
        rng = np.random.default_rng(5)
        defective[rng.random(clean.shape) < 3e-3] = 1.0
        for name, x in (("a.dng", clean), ("b.dng", defective)):
            samples = (x * (WHITE - BLACK) + BLACK).round().clip(0, WHITE).astype(np.uint16)
            write_dng(tmp_path / name, samples, black=(BLACK,), white=WHITE)

        first, second = (inspect_file(tmp_path / name, REPAIR) for name in ("a.dng", "b.dng"))

        assert first.noise_used.grey_std == pytest.approx(second.noise_used.grey_std, rel=0.05)
        assert (0, True) == (first.hot_pixels, second.hot_pixels > 200)

    def test_many_of_them_do_not_pass_for_a_shift_of_brightness(self, tmp_path):
        x = expose(grey_scene(256, 256), seed=6) * 0.5
        x[np.random.default_rng(7).random(x.shape) < 8e-3] = 1.0
        samples = (x * (WHITE - BLACK) + BLACK).round().clip(0, WHITE).astype(np.uint16)
        write_dng(tmp_path / "a.dng", samples, black=(BLACK,), white=WHITE)

        report = denoise_file(tmp_path / "a.dng", tmp_path / "b.dng", REPAIR)

        found = verify(tmp_path / "a.dng", tmp_path / "b.dng")
        assert report.hot_pixels > 300
        assert found.holds, found.violations

    def test_given_noise_is_kept(self, tmp_path):
        write_defective(tmp_path / "a.dng")
        options = DenoiseOptions(shot_noise=SHOT, read_noise=READ, hot_pixels=True)

        report = denoise_file(tmp_path / "a.dng", tmp_path / "b.dng", options)

        expected = noise_model(SHOT, READ, source="given")
        assert report.noise_used.shot_noise[0] == pytest.approx(float(expected.shot_noise[0]))
        assert len(HOT) == report.hot_pixels
