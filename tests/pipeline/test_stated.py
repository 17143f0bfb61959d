"""What an output states of the noise that is left is what is left, in ensembles and blends too."""

import numpy as np
import pytest

from fadn_cli.mosaic.conversion import normalize
from fadn_cli.pipeline.file import denoise_file
from fadn_cli.pipeline.options import DenoiseOptions
from fadn_cli.raw.source.reader import read_raw
from tests.making.dng.write import write_dng

BLACK, WHITE, SIDE = 512, 15000, 640
GREYS = (0.05, 0.18, 0.4, 0.8)
SHOT, READ = 1e-3, 1e-6
_BORDER = 16


@pytest.fixture(scope="module")
def flats(tmp_path_factory):
    """Raws of nothing but grey and its noise."""
    folder, made = tmp_path_factory.mktemp("flats"), []
    for grey in GREYS:
        noise = np.random.default_rng(int(1000 * grey)).standard_normal((SIDE, SIDE))
        x = grey + noise * np.sqrt(SHOT * grey + READ)
        samples = np.clip(np.rint(BLACK + (WHITE - BLACK) * x), 0, WHITE).astype(np.uint16)
        made.append(write_dng(folder / f"{grey}.dng", samples, black=(BLACK,), white=WHITE))
    return made


@pytest.mark.parametrize("strength", (1.0, 0.6))
@pytest.mark.parametrize("ensemble", (1, 2, 4, 8))
def test_of_flats_as_much_is_left_as_report_and_profile_state(flats, tmp_path, ensemble, strength):
    given = {"quality": "fast", "shot_noise": SHOT, "read_noise": READ, "preview": "none"}
    options = DenoiseOptions(**given, ensemble=ensemble, strength=strength, overwrite=True)
    measured, stated = [], []
    for grey, source in zip(GREYS, flats, strict=True):
        report = denoise_file(source, tmp_path / "out.dng", options)
        output = read_raw(tmp_path / "out.dng")
        x = normalize(output.mosaic)[_BORDER:-_BORDER, _BORDER:-_BORDER]
        variance = SHOT * grey + READ
        profile = output.metadata.noise_profile
        measured.append(x.std() / variance**0.5)
        stated.append(np.sqrt(profile.variance(grey).mean() / variance))
        assert stated[-1] == pytest.approx(report.residual_std_ratio, rel=0.03)

    # It holds for the mean of these greys. Without an ensemble's gain, two ways up are 7 % off.
    assert np.mean(measured) == pytest.approx(np.mean(stated), rel=0.04)
