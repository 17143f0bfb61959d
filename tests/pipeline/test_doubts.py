"""A file that is not what its tags say is refused or told, once, and nothing is written then."""

import numpy as np
import pytest

from fadn_cli.errors import UnsupportedRawError
from fadn_cli.pipeline.file import denoise_file, inspect_file
from tests.making.dng.write import write_dng
from tests.making.scenes import LOUD, ROWS, expose, light, mosaic


def write(path, x, **options):
    """Write normalized samples as a 14-bit DNG."""
    samples = np.clip(np.rint(512 + x * 14488), 0, 15000).astype(np.uint16)
    return write_dng(path, samples, **options)


def quad():
    return expose(mosaic(light(), side=2))


@pytest.mark.parametrize("options", ({}, {"byteorder": ">", "tile": (64, 64), "in_subifd": True}))
def test_a_quad_bayer_mosaic_is_refused(tmp_path, options):
    path = write(tmp_path / "a.dng", quad(), **options)

    with pytest.raises(UnsupportedRawError, match="a.dng: looks like a Quad Bayer") as caught:
        denoise_file(path, tmp_path / "b.dng")

    assert caught.value.advice
    assert [path] == list(tmp_path.iterdir())


def test_unmerged_gains_are_refused(tmp_path):
    factor = np.where(ROWS // 2 % 2, 1.0, 1 / 8)
    clean = mosaic(light()) * factor
    std = np.sqrt(1.6e-4 * factor * clean + 4e-6 * factor**1.5)
    x = clean + std * np.random.default_rng(1).normal(size=clean.shape)
    path = write(tmp_path / "a.dng", x)

    with pytest.raises(UnsupportedRawError, match="a.dng: pairs of rows differ in gain, 8 times"):
        denoise_file(path, tmp_path / "b.dng")

    assert [path] == list(tmp_path.iterdir())


def test_wrong_tags_are_told_once_in_the_report_and_by_info(tmp_path):
    x = expose(mosaic(light()), LOUD)
    path = write(tmp_path / "a.dng", x, cfa="GRBG")

    report = denoise_file(path, tmp_path / "b.dng")

    (warning,) = report.warnings
    assert warning.startswith("the CFA tags look wrong: they say GRBG")
    assert report.warnings == inspect_file(path).warnings


def test_an_overexposed_photograph_is_told(tmp_path):
    x = expose(mosaic(light()), LOUD)
    x[:180] = 1
    path = write(tmp_path / "a.dng", x)

    (warning,) = inspect_file(path).warnings

    assert warning == "62% of the samples are at white: overexposed"
