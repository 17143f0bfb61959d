"""The whole job: what changes, what must not, on synthetic and real raws."""

import json

import numpy as np
import pytest

import fadn_cli
from fadn_cli.denoise.network import specialists
from fadn_cli.denoise.sensors.kinds import pack_active
from fadn_cli.errors import (
    NoiseModelError,
    OutputExistsError,
    RawReadError,
    WeightsError,
    WriteError,
)
from fadn_cli.mosaic.saturation import saturated_areas
from fadn_cli.pipeline.file import (
    DenoiseOptions,
    denoise_file,
    inspect_file,
    is_marked,
)
from fadn_cli.pipeline.mosaic import denoise_mosaic
from fadn_cli.raw.check.dng import check_file
from fadn_cli.raw.check.verify import verify
from fadn_cli.raw.dng.edit import COMPRESSIONS, PREVIEWS
from fadn_cli.raw.source.reader import read_raw
from tests.making.camera_tiff import CAMERAS, write_camera_tiff
from tests.making.dng.fields import NEUTRAL
from tests.making.dng.write import write_dng
from tests.making.mosaics import PATTERNS, READ, SHOT, expose, grey_scene
from tests.making.pictures import jpeg
from tests.making.tiff import BYTE, RATIONAL
from tests.making.tiles import cut_small

REAL = (
    "canon_kiss_x4_colorchart.dng",
    "gopro_hero6_iso100.dng",
    "nikon_flower_rggb.dng",
    "nikon_flower_grbg.dng",
    "nikon_flower_gbrg.dng",
    "nikon_flower_bggr.dng",
)


def write_scene(path, **options):
    """Write a noisy 14-bit DNG with masked borders and a saturated patch."""
    samples = expose(grey_scene()) * (15000 - 512) + 512
    samples[40:60, 50:80] = 16383
    samples = samples.round().clip(0, 16383).astype(np.uint16)
    write_dng(path, samples, active_area=(3, 5, 147, 198), **options)
    return samples


@pytest.fixture
def one_of_each(tmp_path, monkeypatch):
    """A manifest of one network per quality, with different weights, for all noise."""
    rows = json.loads((specialists.folder() / "manifest.json").read_text())["specialists"]
    rows = [row for row in rows if row["cfa_kind"] == "bayer"]
    chosen = [
        row | {"name": quality, "quality": quality, "noise_range": [0, None]}
        for quality, row in (("fast", rows[0]), ("best", rows[-1]))
    ]
    folder = tmp_path / "weights"
    folder.mkdir()
    for row in chosen:
        (folder / row["file"]).write_bytes((specialists.folder() / row["file"]).read_bytes())
    (folder / "manifest.json").write_text(json.dumps({"specialists": chosen}))
    monkeypatch.setattr(specialists, "folder", lambda: folder)
    specialists.bundled.cache_clear()
    yield
    specialists.bundled.cache_clear()


class TestDenoiseMosaic:
    @pytest.mark.parametrize("size", ((150, 202), (149, 203), (37, 41)))
    @pytest.mark.parametrize("cfa", PATTERNS)
    def test_noise_goes_and_shape_type_and_source_stay(self, cfa, size):
        clean = grey_scene(*size)
        noisy = expose(clean)
        before = noisy.copy()

        out = denoise_mosaic(noisy, cfa=cfa, shot_noise=SHOT, read_noise=READ)

        assert (size, np.float32) == (out.shape, out.dtype)
        assert np.mean((out - clean) ** 2) < 0.25 * np.mean((noisy - clean) ** 2)
        assert np.array_equal(before, noisy)

    @pytest.mark.parametrize("cfa", PATTERNS)
    def test_strength_0_is_the_identity(self, cfa):
        noisy = expose(grey_scene(149, 203))

        assert np.array_equal(noisy, denoise_mosaic(noisy, cfa=cfa, strength=0))

    def test_strength_blends_linearly(self):
        noisy = expose(grey_scene())
        full, half = (
            denoise_mosaic(noisy, shot_noise=SHOT, read_noise=READ, strength=s) for s in (1, 0.5)
        )

        np.testing.assert_allclose(half, (noisy + full) / 2, atol=1e-6)

    def test_no_phase_is_treated_differently(self):
        noisy = expose(grey_scene(160, 200))
        whole = denoise_mosaic(noisy, cfa="RGGB", shot_noise=SHOT, read_noise=READ)
        std = np.sqrt(SHOT * noisy.mean() + READ)

        for cfa, top, left in (("GRBG", 0, 1), ("GBRG", 1, 0), ("BGGR", 1, 1)):
            cut = denoise_mosaic(noisy[top:, left:], cfa=cfa, shot_noise=SHOT, read_noise=READ)
            assert np.sqrt(np.mean((cut - whole[top:, left:]) ** 2)) < 0.1 * std

    def test_noise_may_differ_between_colours(self):
        noisy = expose(grey_scene())

        out = denoise_mosaic(noisy, shot_noise=[SHOT] * 4, read_noise=[READ] * 4)

        assert np.array_equal(out, denoise_mosaic(noisy, shot_noise=SHOT, read_noise=READ))

    def test_noise_is_estimated_if_it_is_not_given(self):
        clean = grey_scene(300, 400)
        noisy = expose(clean)

        out = denoise_mosaic(noisy)

        assert np.mean((out - clean) ** 2) < 0.3 * np.mean((noisy - clean) ** 2)

    def test_nothing_is_clipped(self):
        noisy = expose(np.zeros((64, 96), np.float32))

        out = denoise_mosaic(noisy - 0.2, shot_noise=SHOT, read_noise=READ)

        assert out.max() < 0

    @pytest.mark.parametrize(
        ("change", "message"),
        (
            ({"cfa": "RGBG"}, "RGBG"),
            ({"strength": 1.5}, "strength"),
            ({"quality": "medium"}, "quality"),
            ({"read_noise": None}, "together"),
            ({"x": np.zeros((4, 4, 3), np.float32)}, "shape"),
            ({"x": np.full((8, 8), np.nan, np.float32)}, "finite"),
        ),
    )
    def test_wrong_arguments_are_value_errors(self, change, message):
        arguments = {"x": expose(grey_scene()), "shot_noise": SHOT, "read_noise": READ, **change}

        with pytest.raises(ValueError, match=message):
            denoise_mosaic(arguments.pop("x"), **arguments)

    @pytest.mark.usefixtures("one_of_each")
    def test_each_quality_has_its_network_and_the_default_is_best(self):
        noisy = expose(grey_scene())
        given = {"shot_noise": SHOT, "read_noise": READ}

        best, fast = (denoise_mosaic(noisy, **given, quality=each) for each in ("best", "fast"))

        assert not np.array_equal(best, fast)
        assert np.array_equal(best, denoise_mosaic(noisy, **given))
        assert np.array_equal(fast, denoise_mosaic(noisy, **given, specialist="fast"))

    def test_a_network_by_name_goes_before_the_quality(self):
        name = [each.name for each in specialists.bundled() if each.cfa_kind == "bayer"][-1]
        noisy = expose(grey_scene())
        given = {"shot_noise": SHOT, "read_noise": READ, "specialist": name}

        asked = [denoise_mosaic(noisy, **given, quality=each) for each in specialists.QUALITIES]

        assert all(np.array_equal(denoise_mosaic(noisy, **given), each) for each in asked)

    def test_a_network_that_is_not_bundled_is_named(self):
        with pytest.raises(WeightsError, match="nonsense"):
            denoise_mosaic(expose(grey_scene()), specialist="nonsense")

    def test_a_constant_frame_has_no_measurable_noise(self):
        with pytest.raises(NoiseModelError):
            denoise_mosaic(np.full((64, 64), 0.3, np.float32))


class TestDenoiseFile:
    @pytest.mark.parametrize("cfa", PATTERNS)
    def test_borders_and_saturated_areas_are_the_sources(self, tmp_path, cfa):
        samples = write_scene(tmp_path / "a.dng", cfa=cfa)

        denoise_file(tmp_path / "a.dng", tmp_path / "b.dng")

        source, output = (read_raw(tmp_path / name).mosaic for name in ("a.dng", "b.dng"))
        keep = saturated_areas(source)
        keep[:3] = keep[147:] = keep[:, :5] = keep[:, 198:] = True
        assert np.array_equal(samples, source.samples)
        assert np.array_equal(source.samples[keep], output.samples[keep])
        assert (source.samples != output.samples)[~keep].mean() > 0.9

    @pytest.mark.parametrize("cfa", PATTERNS)
    def test_strength_0_gives_the_sources_mosaic(self, tmp_path, cfa):
        samples = write_scene(tmp_path / "a.dng", cfa=cfa, byteorder=">")

        denoise_file(tmp_path / "a.dng", tmp_path / "b.dng", DenoiseOptions(strength=0))

        assert np.array_equal(samples, read_raw(tmp_path / "b.dng").mosaic.samples)

    def test_the_same_job_gives_the_same_bytes_whatever_the_threads(self, tmp_path, monkeypatch):
        write_scene(tmp_path / "a.dng")
        cut_small(monkeypatch, 96)

        for threads in (1, 2):
            output = tmp_path / f"{threads}.dng"
            denoise_file(tmp_path / "a.dng", output, DenoiseOptions(threads=threads))

        assert (tmp_path / "1.dng").read_bytes() == (tmp_path / "2.dng").read_bytes()

    def test_the_report_says_what_happened(self, tmp_path):
        write_scene(tmp_path / "a.dng", iso=800)
        seen = []

        report = denoise_file(
            tmp_path / "a.dng",
            tmp_path / "b.dng",
            DenoiseOptions(strength=0.8),
            on_tile=lambda *tiles: seen.append(tiles),
        )

        assert (800, 0.8, "dng", (150, 202)) == (
            report.iso,
            report.strength,
            report.format,
            (report.height, report.width),
        )
        assert report.noise_used.grey_std == pytest.approx((SHOT * 0.18 + READ) ** 0.5, rel=0.25)
        assert {"read", "estimate", "denoise", "write", "total"} == report.seconds.keys()
        assert (report.tiles, report.tiles) == seen[-1]
        assert report.noise_prior == pytest.approx((7.46e-6, 4.53e-4), rel=0.01)
        assert report.peak_memory_bytes > 20_000_000
        assert (tmp_path / "b.dng").stat().st_size == report.output_bytes
        assert 0 < report.residual_std_ratio < 0.6
        assert max(abs(shift) for shift in report.mean_shift) < 0.05

    def test_the_report_states_both_sizes_and_why_the_output_is_large(self, tmp_path):
        write_scene(tmp_path / "a.dng")
        plain, large = (
            denoise_file(tmp_path / "a.dng", tmp_path / name, options)
            for name, options in (
                ("b.dng", DenoiseOptions(preview="keep")),
                ("c.dng", DenoiseOptions(preview="render", compression="none")),
            )
        )

        for report in (plain, large):
            assert (tmp_path / "a.dng").stat().st_size == report.source_bytes
            assert report.output.stat().st_size == report.output_bytes
        assert () == tuple(plain.notes)
        assert large.notes[0].startswith("The previews take ")
        assert plain.output_bytes < large.output_bytes
        assert list(large.notes) == large.to_dict()["notes"]

    def test_choices_about_the_file_leave_the_mosaic_alone(self, tmp_path):
        write_scene(tmp_path / "a.dng")
        options = (
            DenoiseOptions(preview=preview, compression=compression)
            for preview in PREVIEWS
            for compression in COMPRESSIONS
        )

        outputs = []
        for number, choice in enumerate(options):
            denoise_file(tmp_path / "a.dng", tmp_path / f"{number}.dng", choice)
            outputs.append(read_raw(tmp_path / f"{number}.dng").mosaic.samples)

        assert all(np.array_equal(outputs[0], samples) for samples in outputs)

    @pytest.mark.usefixtures("one_of_each")
    @pytest.mark.parametrize(
        ("options", "expected"),
        [
            ({}, "best"),
            ({"quality": "best"}, "best"),
            ({"quality": "fast"}, "fast"),
            ({"quality": "best", "specialist": "fast"}, "fast"),
        ],
    )
    def test_info_and_report_name_the_network_and_its_quality(self, tmp_path, options, expected):
        write_scene(tmp_path / "a.dng")
        options = DenoiseOptions(**options)

        info = inspect_file(tmp_path / "a.dng", options)
        report = denoise_file(tmp_path / "a.dng", tmp_path / "b.dng", options)

        assert (expected, expected) == (info.specialist, info.quality)
        assert (expected, expected) == (report.specialist, report.quality)

    def test_where_no_network_ran_the_report_names_none(self, tmp_path):
        write_scene(tmp_path / "a.dng")

        report = denoise_file(tmp_path / "a.dng", tmp_path / "b.dng", DenoiseOptions(strength=0))

        assert (None, None) == (report.specialist, report.quality)

    def test_outputs_are_marked_and_sources_are_not(self, tmp_path):
        write_scene(tmp_path / "a.dng")
        denoise_file(tmp_path / "a.dng", tmp_path / "b.dng")

        assert (False, True) == (is_marked(tmp_path / "a.dng"), is_marked(tmp_path / "b.dng"))
        assert inspect_file(tmp_path / "b.dng").is_fadn_output

    def test_given_noise_is_used_and_not_measured(self, tmp_path):
        write_scene(tmp_path / "a.dng")
        name = specialists.bundled()[0].name
        options = DenoiseOptions(shot_noise=0.01, read_noise=1e-4, specialist=name)

        report = denoise_file(tmp_path / "a.dng", tmp_path / "b.dng", options)

        assert report.noise_prior is None
        assert (None, "given", name) == (
            report.noise_measured,
            report.noise_used.source,
            report.specialist,
        )

    def test_an_existing_output_is_kept(self, tmp_path):
        write_scene(tmp_path / "a.dng")
        (tmp_path / "b.dng").write_bytes(b"mine")

        with pytest.raises(OutputExistsError):
            denoise_file(tmp_path / "a.dng", tmp_path / "b.dng")

        assert b"mine" == (tmp_path / "b.dng").read_bytes()

    def test_the_source_is_never_the_output(self, tmp_path):
        write_scene(tmp_path / "a.dng")
        before = (tmp_path / "a.dng").read_bytes()
        (tmp_path / "link.dng").symlink_to("a.dng")

        for name in ("a.dng", "link.dng"):
            with pytest.raises(WriteError, match="is the source"):
                denoise_file(tmp_path / "a.dng", tmp_path / name, DenoiseOptions(overwrite=True))

        assert before == (tmp_path / "a.dng").read_bytes()

    def test_a_failure_leaves_nothing_behind(self, tmp_path):
        (tmp_path / "a.dng").write_bytes(b"no raw at all")

        with pytest.raises(RawReadError):
            denoise_file(tmp_path / "a.dng", tmp_path / "b.dng")

        assert ["a.dng"] == [path.name for path in tmp_path.iterdir()]

    @pytest.mark.parametrize("kind", CAMERAS)
    def test_other_raws_become_dngs_with_the_same_levels_and_colours(self, tmp_path, kind):
        make, model = CAMERAS[kind]
        samples = (
            (expose(grey_scene(160, 240)) * 12000 + 600).round().clip(0, 16383).astype(np.uint16)
        )
        path = write_camera_tiff(
            tmp_path / f"a.{kind}",
            samples,
            make=make,
            model=model,
            orientation=6,
            preview=jpeg(64),
            maker_note=(900, b"the camera's own notes"),
            extra={700: (BYTE, b"<rdf:RDF>...</rdf:RDF>"), 50728: (RATIONAL, NEUTRAL)},
        )

        denoise_file(path, tmp_path / "b.dng", DenoiseOptions(strength=0))
        report = denoise_file(path, tmp_path / "c.dng")

        for output in (tmp_path / "b.dng", tmp_path / "c.dng"):
            assert () == verify(path, output).violations
            assert () == check_file(output).findings
        source, same, clean = (
            read_raw(each) for each in (path, tmp_path / "b.dng", tmp_path / "c.dng")
        )
        assert np.array_equal(source.mosaic.samples, same.mosaic.samples)
        assert source.mosaic.samples.std() > clean.mosaic.samples.std()
        assert source.mosaic.cfa == clean.mosaic.cfa
        assert source.mosaic.white_level == clean.mosaic.white_level
        assert np.array_equal(source.mosaic.black_level, clean.mosaic.black_level)
        assert (make, model, 800) == (report.make, report.model, clean.metadata.iso)
        np.testing.assert_allclose(
            source.metadata.color_matrix, clean.metadata.color_matrix, atol=1e-4
        )

    def test_tiffs_are_written_from_any_source(self, tmp_path):
        write_scene(tmp_path / "a.dng")

        report = denoise_file(tmp_path / "a.dng", tmp_path / "b.tif", DenoiseOptions(format="tiff"))

        assert b"II*\0" == (tmp_path / "b.tif").read_bytes()[:4]
        assert "tiff" == report.format


@pytest.mark.raw
class TestRealRaws:
    @pytest.mark.parametrize("name", REAL)
    def test_strength_0_is_the_sources_mosaic(self, raws, tmp_path, name):
        denoise_file(raws / name, tmp_path / name, DenoiseOptions(strength=0))

        source, output = read_raw(raws / name).mosaic, read_raw(tmp_path / name).mosaic
        assert np.array_equal(source.samples, output.samples)

    @pytest.mark.parametrize("name", REAL)
    def test_brightness_stays_and_metadata_too(self, raws, denoised, name):
        path, report = denoised(name)

        source, output = read_raw(raws / name), read_raw(path)
        assert source.mosaic.cfa == output.mosaic.cfa
        assert source.mosaic.white_level * report.step_factor == output.mosaic.white_level
        assert source.metadata.iso == output.metadata.iso
        assert np.array_equal(source.metadata.wb_gains, output.metadata.wb_gains)
        for shifts in brightness_shifts(source, output, report):
            assert shifts.max() < 1, shifts

    def test_the_four_phases_of_one_scene_agree(self, raws, denoised):
        frames = {}
        for phase, top, left in (("rggb", 0, 0), ("grbg", 0, 1), ("gbrg", 1, 0), ("bggr", 1, 1)):
            name = f"nikon_flower_{phase}.dng"
            path, report = denoised(name)
            samples = read_raw(path).mosaic.samples / np.float32(report.step_factor)
            frames[phase] = np.full((513, 769), np.nan, np.float32)
            frames[phase][top : top + samples.shape[0], left : left + samples.shape[1]] = samples
        mosaic = read_raw(raws / "nikon_flower_rggb.dng").mosaic
        span = mosaic.white_level - mosaic.black_level.mean()
        x = (frames["rggb"] - mosaic.black_level.mean()) / span
        noise = report.noise_used
        std = np.sqrt(noise.shot_noise[0] * np.maximum(x, 0) + noise.read_noise[0]) * span

        for phase in ("grbg", "gbrg", "bggr"):
            difference = (frames[phase] - frames["rggb"]) / std
            assert np.sqrt(np.nanmean(difference**2)) < 0.1

    def test_every_awkward_file_is_named_and_the_good_one_is_done(self, raws, tmp_path):
        from fadn_cli.batch import planning
        from fadn_cli.batch import run as batch

        paths = [*sorted((raws / "awkward").iterdir()), raws / "nikon_flower_rggb.dng"]
        plan = planning.plan(paths, output=tmp_path / "out")

        result = batch.run(plan, DenoiseOptions())

        done = [each for each in result.results if each.report]
        failed = [each for each in result.results if each.error]
        assert ["nikon_flower_rggb.dng"] == [each.source.name for each in done]
        assert len(paths) - 1 == len(failed)
        assert all(each.source.name in str(each.error) and each.error.advice for each in failed)
        assert 1 == result.exit_code
        assert ["nikon_flower_rggb_denoised.dng"] == [
            path.name for path in (tmp_path / "out").glob("*.dng")
        ]


def brightness_shifts(source, output, report, side=16):
    """Mean shift of 8 brightness bins of each channel, over 0.02 sigma + 3 standard errors.

    Bins are made of blocks of the source, whose mean hardly depends on their own noise.
    """
    before, shift = pack_active(source.mosaic)
    after, _ = pack_active(output.mosaic)
    noise = report.noise_used
    for plane in range(4):
        rows, cols = (length // side * side for length in before[plane].shape)

        def blocks(x, rows=rows, cols=cols):
            cells = x[:rows, :cols].reshape(rows // side, side, cols // side, side)
            return cells.mean(axis=(1, 3)).ravel()

        level, moved = blocks(before[plane]), blocks(after[plane] - before[plane])
        usable = level < 0.9  # saturated blocks pass through
        order = np.flatnonzero(usable)[np.argsort(level[usable])]
        ratios = []
        for group in np.array_split(order, 8):
            std = np.sqrt(
                noise.shot_noise[plane] * max(level[group].mean(), 0) + noise.read_noise[plane]
            )
            error = std / np.sqrt(group.size * side**2)
            ratios.append(abs(moved[group].mean()) / (0.02 * std + 3 * error))
        yield np.array(ratios)


def test_the_public_names_are_the_pipelines():
    assert denoise_file is fadn_cli.denoise_file
    assert denoise_mosaic is fadn_cli.denoise_mosaic
