"""Stored samples are as fine as what is left of the noise, and no finer."""

import struct
from dataclasses import replace

import numpy as np
import pytest

from fadn_cli.denoise.sensors.kinds import pack_active
from fadn_cli.mosaic.conversion import normalize
from fadn_cli.noise import noise_model
from fadn_cli.pipeline.file import denoise_file
from fadn_cli.pipeline.mosaic import denoise_mosaic
from fadn_cli.pipeline.options import DenoiseOptions
from fadn_cli.pipeline.steps import choose_steps
from fadn_cli.raw.check.verify import verify
from fadn_cli.raw.develop.tiff_image import read_tiff
from fadn_cli.raw.source.reader import read_raw
from fadn_cli.raw.tiff.opcodes import Opcode, build_opcodes
from tests.making.camera_tiff import write_camera_tiff
from tests.making.dng.write import write_dng
from tests.making.tiff import UNDEFINED

HEIGHT, WIDTH = 150, 202
BLACK = 64


def expose(shot, read, *, white=1023, level=0.02, black=BLACK, seed=0):
    """A dark, flat scene with a bright corner; black in its first rows."""
    rng = np.random.default_rng(seed)
    clean = np.full((HEIGHT, WIDTH), level)
    clean[:20], clean[100:, 150:] = 0.0, 0.4
    x = clean + rng.normal(size=clean.shape) * np.sqrt(shot * clean + read)
    return np.rint(black + x * (white - black)).clip(0, white).astype(np.uint16)


def options(shot, read, **others):
    chosen = {"quality": "fast", "shot_noise": shot, "read_noise": read} | others
    return DenoiseOptions(**chosen)


def write(path, shot, read, *, white=1023, **others):
    return write_dng(path, expose(shot, read, white=white), black=(BLACK,), white=white, **others)


FAINT = 1e-5, 3e-7
"""Of 10 bits: half a DN at black, of which a twentieth is left."""
STRONG = 2e-3, 4e-4
"""Of 10 bits: 19 DN at black."""


def test_faint_noise_asks_for_finer_steps_and_gets_them(tmp_path):
    source = write(tmp_path / "in.dng", *FAINT)
    report = denoise_file(source, tmp_path / "out.dng", options(*FAINT))
    before, after = read_raw(source).mosaic, read_raw(tmp_path / "out.dng").mosaic

    factor = report.step_factor
    assert factor in (16, 32, 64)
    assert (factor * 1023, factor * BLACK) == (after.white_level, after.black_level[0, 0])
    assert not report.dithered
    assert np.count_nonzero(after.samples % factor) > 0.5 * after.samples.size
    assert verify(source, tmp_path / "out.dng").holds
    clean = denoise_mosaic(
        normalize(before), quality="fast", shot_noise=FAINT[0], read_noise=FAINT[1]
    )
    np.testing.assert_allclose(normalize(after), clean, atol=0.51 / 959 / factor)


def test_strong_noise_changes_nothing(tmp_path):
    """Not one byte: what is left is many steps anyway."""
    source = write(tmp_path / "in.dng", *STRONG)
    reports = [
        denoise_file(source, tmp_path / f"{bits}.dng", options(*STRONG, bits=bits))
        for bits in ("auto", "source")
    ]

    assert [(1, False)] * 2 == [(report.step_factor, report.dithered) for report in reports]
    assert (tmp_path / "auto.dng").read_bytes() == (tmp_path / "source.dng").read_bytes()


def test_whoever_wants_the_sources_steps_gets_them(tmp_path):
    source = write(tmp_path / "in.dng", *FAINT)
    report = denoise_file(source, tmp_path / "out.dng", options(*FAINT, bits="source"))

    after = read_raw(tmp_path / "out.dng").mosaic
    assert (1, False) == (report.step_factor, report.dithered)
    assert (1023, BLACK) == (after.white_level, after.black_level[0, 0])


@pytest.mark.parametrize("suffix", ("dng", "nef"))
def test_strength_0_is_the_source_bit_for_bit(tmp_path, suffix):
    path = tmp_path / f"in.{suffix}"
    noise = 1e-9, 1e-10  # so little that any strength but 0 asks for finer steps
    samples = expose(*noise, white=4095)
    source = write_dng(path, samples) if suffix == "dng" else write_camera_tiff(path, samples)
    denoise_file(source, tmp_path / "out.dng", options(*noise, strength=0.0))

    assert np.array_equal(samples, read_raw(tmp_path / "out.dng").mosaic.samples)


def test_where_16_bits_are_too_few_the_rounding_is_dithered(tmp_path):
    """White leaves no room at all here; the means of flat areas are exact all the same."""
    shot, read = 1e-9, (0.4 / 60000) ** 2
    source = write(tmp_path / "in.dng", shot, read, white=60000)
    means = []
    for bits in ("auto", "source"):
        output = tmp_path / f"{bits}.dng"
        report = denoise_file(source, output, options(shot, read, bits=bits))
        after = read_raw(output).mosaic
        means.append(after.samples[30:94, 20:148].mean())
        assert (1, bits == "auto") == (report.step_factor, report.dithered)
        assert verify(source, output).holds

    clean = denoise_mosaic(
        normalize(read_raw(source).mosaic), quality="fast", shot_noise=shot, read_noise=read
    )
    expected = BLACK + clean[30:94, 20:148].mean(dtype=np.float64) * (60000 - BLACK)
    assert abs(means[0] - expected) < 1 / 50


@pytest.mark.parametrize("format", ("dng", "tiff"))
def test_the_bytes_do_not_depend_on_threads(tmp_path, format):
    shot, read = 1e-7, 1e-10
    source = write(tmp_path / "in.dng", shot, read, white=40000)
    for threads in (1, 3):
        chosen = options(shot, read, threads=threads, format=format)
        report = denoise_file(source, tmp_path / f"{threads}.{format}", chosen)
        assert report.dithered

    assert (tmp_path / f"1.{format}").read_bytes() == (tmp_path / f"3.{format}").read_bytes()


def test_a_tiff_holds_what_lies_between_the_sources_steps(tmp_path):
    source = write(tmp_path / "in.dng", *FAINT)
    pictures = []
    for bits in ("auto", "source"):
        output = tmp_path / f"{bits}.tif"
        denoise_file(source, output, options(*FAINT, bits=bits, format="tiff"))
        pictures.append(read_tiff(output)[30:90, 20:140])

    fine, coarse = (len(np.unique(picture)) for picture in pictures)
    assert fine > 3 * coarse
    assert abs(pictures[0].mean() - pictures[1].mean()) < 0.02 * pictures[1].mean()


def test_the_noise_profile_counts_rounding_and_dither(tmp_path):
    shot, read = 1e-9, 1e-12
    source = write(tmp_path / "in.dng", shot, read, white=40000)
    report = denoise_file(source, tmp_path / "out.dng", options(shot, read))

    stated = read_raw(tmp_path / "out.dng").metadata.noise_profile
    expected = read * report.residual_std_ratio**2 + 1 / 6 / (40000 - BLACK) ** 2
    assert stated.read_noise[0] == pytest.approx(expected, rel=1e-4)


def test_a_table_of_stored_values_keeps_the_steps_and_the_report_says_so(tmp_path):
    table = Opcode(7, 0x01030000, 1, struct.pack(">8II2H", 0, 0, 9, 9, 0, 1, 1, 1, 2, 0, 1))
    source = write(
        tmp_path / "in.dng", *FAINT, extra_raw={51008: (UNDEFINED, build_opcodes([table]))}
    )
    report = denoise_file(source, tmp_path / "out.dng", options(*FAINT))

    assert (1, True) == (report.step_factor, report.dithered)
    assert report.notes[0] == (
        "The samples keep the source's steps: its OpcodeList1 holds MapTable, which goes by them."
    )
    assert verify(source, tmp_path / "out.dng").holds


def test_a_profile_without_read_noise_asks_for_what_the_sources_rounding_leaves(tmp_path):
    raw_image = read_raw(write(tmp_path / "in.dng", *FAINT))
    nothing, rounding = (
        choose_steps(raw_image, noise, DenoiseOptions(), residual=0.1)
        for noise in (
            noise_model(1e-9, 0, source=""),
            noise_model(1e-9, (1 / 959) ** 2 / 12, source=""),
        )
    )

    assert nothing == rounding
    assert 64 == nothing[0].factor


def test_a_bright_scene_needs_no_steps_for_blacks_it_does_not_have(tmp_path):
    raw_image = read_raw(write(tmp_path / "in.dng", *FAINT))
    mosaic = raw_image.mosaic
    bright = replace(mosaic, samples=np.maximum(mosaic.samples, 500))
    noise = noise_model(2e-3, 1e-9, source="")

    found = [
        choose_steps(replace(raw_image, mosaic=each), noise, DenoiseOptions(), residual=0.1)[0]
        for each in (mosaic, bright)
    ]

    assert 64 == found[0].factor
    assert 1 == found[1].factor
    assert pack_active(bright)[0].min() > 0.4


def test_nothing_is_dithered_where_the_steps_are_fine_enough_for_what_is_there(tmp_path):
    """However little noise the model says there would be at a black that does not occur."""
    raw_image = read_raw(write(tmp_path / "in.dng", *FAINT))
    bright = replace(raw_image.mosaic, samples=np.maximum(raw_image.mosaic.samples, 500))
    noise = noise_model(2e-3, 1e-9, source="")

    steps, _ = choose_steps(
        replace(raw_image, mosaic=bright), noise, DenoiseOptions(), residual=0.1
    )

    assert steps.dithers_below is None
