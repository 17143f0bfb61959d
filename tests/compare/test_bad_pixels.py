"""A page shows photographs as developers do: without the pixels that the files call bad."""

import numpy as np

from fadn_cli.compare.pair import compare_files
from fadn_cli.pipeline.file import DenoiseOptions, denoise_file
from tests.making.bad_pixels import PLACES, clean, exposed, marked
from tests.making.dng.write import write_dng
from tests.making.opcodes import fix_constant, in_raw

OPTIONS = DenoiseOptions(quality="fast", shot_noise=4e-4, read_noise=2e-5)


def pictures(folder, samples):
    """Before and after, of a file that marks bad pixels with 0."""
    folder.mkdir()
    path = write_dng(folder / "a.dng", samples, extra_raw=in_raw(fix_constant(0)))
    denoise_file(path, folder / "b.dng", OPTIONS)
    shown = compare_files(path, folder / "b.dng", OPTIONS)
    return shown.before.astype(float), shown.after.astype(float)


def test_marks_are_not_shown(tmp_path):
    samples = exposed(clean())

    plain = pictures(tmp_path / "plain", samples)
    others = pictures(tmp_path / "marked", marked(samples, PLACES["clusters"]))

    for first, second in zip(plain, others, strict=True):
        assert np.abs(first - second).max() < 0.15 * plain[0].max()
