"""`fadn verify` counts the marks of bad pixels before and after, and minds those that differ."""

from dataclasses import replace

import numpy as np
import pytest

from fadn_cli.mosaic.defects import Defects
from fadn_cli.mosaic.values import RawImage
from fadn_cli.noise import noise_model
from fadn_cli.pipeline.defects.repair import repair
from fadn_cli.raw.check.verify import verify
from fadn_cli.raw.dng.write import DngEdit
from fadn_cli.raw.dng.write import write_dng as write_denoised
from fadn_cli.raw.source.reader import read_raw
from tests.making.dng.write import write_dng
from tests.making.mosaics import noisy_samples
from tests.making.opcodes import fix_constant, fix_list, in_raw

EDIT = DngEdit(
    noise_profile=noise_model(1e-4, 1e-6, source="test"),
    strength=1.0,
    unique_id=bytes(16),
    description="test",
)
PLACES = ((20, 30), (20, 31), (40, 50))


@pytest.fixture
def pair(tmp_path):
    """A function that writes a source and an output whose samples were changed."""

    def write(*opcodes, change=None, constant=0, places=PLACES):
        samples = noisy_samples()
        samples[tuple(np.transpose(places))] = constant
        source = write_dng(tmp_path / "a.dng", samples, extra_raw=in_raw(*opcodes))
        output = tmp_path / "b.dng"
        raw_image, _ = repair(read_raw(source))
        write_denoised(output, raw_image, raw_image.mosaic, edit=EDIT)
        if change is not None:
            data = read_raw(output).mosaic.samples.copy()
            change(data)
            output = rewritten(tmp_path, raw_image, data)
        return source, output

    return write


def rewritten(folder, raw_image: RawImage, samples):
    """The output with exactly these samples: marks are not put back."""
    bare = replace(raw_image, defects=Defects())
    mosaic = replace(raw_image.mosaic, samples=samples)
    write_denoised(folder / "c.dng", bare, mosaic, edit=EDIT)
    return folder / "c.dng"


def test_marks_that_are_kept_are_counted_and_hold(pair):
    found = verify(*pair(fix_constant(0)))

    assert (3, 0, 0) == (found.pixels.marks, found.pixels.marks_lost, found.pixels.marks_added)
    assert found.holds, found.violations


def test_a_mark_that_was_smeared_is_found(pair):
    def smear(samples):
        samples[20, 30] = 17

    found = verify(*pair(fix_constant(0), change=smear))

    assert "1 of 3 bad pixels are not marked as bad any more." in found.violations
    assert (3, 1, 0) == (found.pixels.marks, found.pixels.marks_lost, found.pixels.marks_added)


def test_a_good_sample_that_looks_like_a_mark_is_found(pair):
    def fake(samples):
        samples[10:12, 10] = 0

    found = verify(*pair(fix_constant(0), change=fake))

    assert "2 samples are marked as bad pixels, and are none." in found.violations
    assert 2 == found.pixels.marks_added


def test_samples_that_a_list_names_may_change(pair):
    found = verify(*pair(fix_list(PLACES)))

    assert found.holds, found.violations
    assert 3 == found.pixels.changed
    assert 0 == found.pixels.marks


def test_a_large_region_that_was_repaired_is_no_change_of_brightness(pair):
    def brighten(samples):
        samples[0:40, 0:40] = 60000

    source, output = pair(fix_list((), [(0, 0, 40, 40)]), change=brighten)

    assert verify(source, output).holds


def test_bad_pixels_at_white_are_no_saturation(pair):
    places = [(row, col) for row in (4, 6, 8) for col in (4, 6, 8)]

    def dim(samples):
        samples[4:9:2, 4:9:2] = 3000

    source, output = pair(fix_list(places), change=dim, constant=15000, places=places)

    assert verify(source, output).holds
