"""A photograph denoised row by row is the one denoised as a whole, whoever works on it."""

import numpy as np
import pytest

from fadn_cli.batch import run as batch
from fadn_cli.batch.planning import plan
from fadn_cli.denoise.frame import denoise_packed
from fadn_cli.denoise.sensors.kinds import pack_active, unpack_active
from fadn_cli.pipeline import output as writing
from fadn_cli.pipeline.file import denoise_file
from fadn_cli.pipeline.options import DenoiseOptions
from fadn_cli.pipeline.preparation import prepare
from fadn_cli.raw.source.reader import read_raw
from tests.making.dng.write import write_dng
from tests.making.mosaics import noisy_samples
from tests.making.sensors import XTRANS_CELL
from tests.making.tiles import cut_small

AREA = (3, 5, 257, 320)
NOISE = {"shot_noise": 1e-3, "read_noise": 1e-6}


@pytest.fixture(params=("RGGB", "GBRG", XTRANS_CELL), ids=("rggb", "gbrg", "xtrans"))
def source(request, tmp_path, monkeypatch):
    """A DNG with masked borders and a saturated area, of more than a row of tiles."""
    cut_small(monkeypatch, 64)
    samples = noisy_samples(260, 330)
    samples[40:60, 40:60] = 16000
    side = 2 if len(request.param) == 4 else 6
    return write_dng(
        tmp_path / "a.dng", samples, cfa=request.param, cfa_dim=(side, side), active_area=AREA
    )


@pytest.mark.parametrize("strength", (1, 0.5))
def test_row_by_row_is_as_a_whole(source, tmp_path, strength):
    options = DenoiseOptions(quality="fast", strength=strength, banding=False, **NOISE)
    report = denoise_file(source, tmp_path / "b.dng", options)

    before, after = read_raw(source).mosaic, read_raw(tmp_path / "b.dng").mosaic
    packed, packing = pack_active(before)
    treated = _treatment(source, options)
    denoised, tiles = denoise_packed(
        packed, treated.noise.used, treated.specialist, luma=strength, chroma=strength
    )

    assert tiles == report.tiles > 3
    expected = unpack_active(denoised, packing, before, treated.steps)
    assert np.array_equal(expected.samples, after.samples)


def test_neither_threads_nor_jobs_nor_what_is_rendered_show_in_the_samples(source, tmp_path):
    outputs = []
    for threads, preview in ((1, "keep"), (2, "keep"), (5, "render"), (1, "none")):
        output = tmp_path / f"{threads}{preview}.dng"
        options = DenoiseOptions(quality="fast", threads=threads, preview=preview)
        denoise_file(source, output, options)
        outputs.append(read_raw(output).mosaic.samples)
    copy = tmp_path / "copy.dng"
    copy.write_bytes(source.read_bytes())
    handling = batch.Handling(jobs=2)
    options = DenoiseOptions(quality="fast", preview="keep", threads=3)
    work = plan([source, copy], output=tmp_path / "out")
    batch.run(work, options, handling)

    assert all(np.array_equal(outputs[0], samples) for samples in outputs[1:])
    assert (tmp_path / "1keep.dng").read_bytes() == (tmp_path / "2keep.dng").read_bytes()
    together = [path.read_bytes() for path in sorted((tmp_path / "out").glob("*.dng"))]
    assert (tmp_path / "1keep.dng").read_bytes() in together


@pytest.mark.parametrize("compression", ("lj92", "none"))
def test_what_is_written_is_what_was_encoded(tmp_path, monkeypatch, compression):
    source = write_dng(tmp_path / "a.dng", noisy_samples(96, 128))
    options = DenoiseOptions(quality="fast", preview="keep", compression=compression)
    seen = []
    check = writing.check_dng
    monkeypatch.setattr(
        writing, "check_dng", lambda *given, **more: seen.append(more) or check(*given, **more)
    )

    denoise_file(source, tmp_path / "b.dng", options)

    assert (compression == "lj92") == (seen[0]["encoded"] is not None)


def _treatment(path, options):
    """What `denoise_file` would do with a file."""
    raw_image = read_raw(path)
    packed, packing = pack_active(raw_image.mosaic)
    return prepare(packed, packing, raw_image, options)
