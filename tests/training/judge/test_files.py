"""From file to file: what is counted is what the files hold."""

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")

from fadn_cli.training.judge import files  # noqa: E402
from fadn_cli.training.judge.burst import burst_table, measure_burst  # noqa: E402
from fadn_cli.training.judge.files import (  # noqa: E402
    EXPOSURES,
    area_error,
    files_table,
    measure_files,
)


def test_an_offset_of_a_whole_area_counts_in_full_and_noise_hardly():
    clean = np.zeros((4, 64, 64), np.float32)
    noise = np.random.default_rng(1).normal(0, 1, clean.shape).astype(np.float32)

    assert 0.25 == area_error(clean + np.float32(0.25), clean)
    assert area_error(noise, clean) == pytest.approx(1 / 16, rel=0.3)


@pytest.fixture(scope="module")
def scores(tmp_path_factory):
    """One photograph at one exposure, small."""
    folder = tmp_path_factory.mktemp("val")
    rows, cols = np.mgrid[:128, :128]
    grey = 90 + 60 * np.sin(cols / 20) + 20 * (rows > 64)
    Image.fromarray(np.repeat(grey.astype(np.uint8)[..., None], 3, 2)).save(folder / "a.png")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "CROP", 128)
        return dict(measure_files(folder, quality="fast", only="ISO 3200", most=1))


def test_a_photograph_gains_from_file_to_file_and_is_told_against_float(scores):
    [(name, [score])] = scores.items()

    assert "14 bits, ISO 3200, -2 EV" == name
    assert score.source + 3 < score.file <= score.kept_float + 0.1
    assert score.file == pytest.approx(score.kept_float, abs=0.1)
    assert 0.5 < score.noise < 2


def test_the_table_has_a_row_per_exposure_and_names_what_came_out_worse(scores):
    worse = [
        files.FileScore(name="x", source=50, file=49.5, kept_float=49.6, areas=(1, 2, 3), noise=1.5)
    ]

    lines = list(files_table([*scores.items(), ("bad", worse)]))

    assert "| 0 of 1 |" in lines[2]
    assert "1.000 | 2.000 | 3.000 | 1.50 | 1.50 | 1 of 1 |" in lines[3]
    assert "bad: x by 0.500 dB" == lines[-1]


def test_the_noise_of_an_exposure_holds_its_rounding():
    exposure = EXPOSURES["10 bits, base ISO, -3 EV"]

    assert 959 == exposure.scale
    assert exposure.grey_std**2 == pytest.approx(1.5e-4 * 0.18 + (0.6 / 959) ** 2 + 1 / 12 / 959**2)


@pytest.mark.raw
def test_the_burst_tells_the_samples_from_their_areas(shared):
    folder = shared / "raws" / "bursts"

    errors = measure_burst(
        folder / "imx296_static_1.dng", folder / "imx296_static_1_mean.npz", quality="fast"
    )

    assert errors["source"] == pytest.approx((0.922, 0.063), abs=0.002)
    assert errors["float"][0] < 0.25
    assert "| source | 0.9" in burst_table(errors)
