"""Every bundled file is the one of the manifest, small, and as good as its row says."""

import hashlib
import json
import tomllib
from pathlib import Path

import numpy as np
import pytest

import fadn_cli
from fadn_cli.denoise.network import specialists
from fadn_cli.mosaic.cfa import MONO, CfaPattern
from fadn_cli.noise import noise_model
from tests.making.sensors import XTRANS_CELL

SPECIALISTS = specialists.bundled()
CONFIGS = Path(fadn_cli.__file__).parent / "training" / "configs"
SHOT_NOISES = {"faint": 1e-4, "low": 4e-4, "high": 1.6e-3, "extreme": 6.4e-3}
"""One inside each range of Bayer's networks."""
THAWED = "-thawed"
"""After the name of a run that was thawed before its end (`training.run.thaw`)."""
GOLDEN = {
    # quality: PSNR in dB of the drawn mosaic below at those; measured, not promised elsewhere
    "bayer-fast": {"faint": 51.85, "low": 48.46, "high": 44.6, "extreme": 40.53},
    "bayer-max": {"faint": 54.55, "low": 50.87, "high": 46.74, "extreme": 42.18},
    "bayer-best": {"faint": 53.6, "low": 50.14, "high": 46.05, "extreme": 41.76},
    "xtrans-fast": {"faint": 50.11, "low": 46.3, "high": 42.87, "extreme": 39.14},
    "xtrans-best": {"faint": 51.0, "low": 47.65, "high": 44.39, "extreme": 40.26},
    "mono-best": {"faint": 54.32, "low": 50.71, "high": 46.55, "extreme": 41.6},
    "mono-fast": {"faint": 51.25, "low": 47.8, "high": 44.01, "extreme": 39.55},
}
PATTERNS = {"bayer": "RGGB", "xtrans": XTRANS_CELL, "mono": MONO}
GAINS = {"R": 0.6, "B": 0.75}


def drawn_mosaic(shot_noise, kind, size=192):
    """A clean mosaic of gradients, edges and fine lines, and its noisy exposure."""
    rows, cols = np.mgrid[:size, :size]
    clean = 0.15 + 0.1 * np.sin(cols / 23) + 0.1 * ((rows // 29 + cols // 37) % 2)
    clean += 0.05 * np.sin(rows / 2.5) * (cols > size // 2)
    cfa = CfaPattern.parse(PATTERNS[kind])
    for row, col in np.ndindex(cfa.period, cfa.period):
        clean[row :: cfa.period, col :: cfa.period] *= GAINS.get(cfa.at(row, col), 1)
    rng = np.random.default_rng(12)
    noisy = rng.poisson(clean / shot_noise) * shot_noise + rng.normal(0, 1e-3, clean.shape)
    return clean.astype(np.float32), noisy.astype(np.float32)


@pytest.mark.parametrize("specialist", SPECIALISTS, ids=lambda each: each.name)
def test_the_hash_is_the_manifests(specialist):
    data = (specialists.folder() / specialist.file).read_bytes()

    assert specialist.sha256 == hashlib.sha256(data).hexdigest()


def test_all_weights_together_stay_small():
    # The wheel, which packs them, stays under 24 MB: see test_packaging.
    sizes = {path.name: path.stat().st_size for path in specialists.folder().glob("*.onnx")}
    twins = sum(size for name, size in sizes.items() if name.endswith(".fp16.onnx"))

    assert sum(sizes.values()) - twins < 11.5e6
    assert twins < 20.5e6


def test_every_file_in_the_folder_is_in_the_manifest():
    files = {path.name for path in specialists.folder().glob("*.onnx")}

    twins = {specialist.twin.file for specialist in SPECIALISTS if specialist.twin}
    assert {specialist.file for specialist in SPECIALISTS} | twins == files


@pytest.mark.parametrize(
    ("kind", "quality"), sorted({(each.cfa_kind, each.quality) for each in SPECIALISTS})
)
def test_each_qualitys_ranges_cover_all_noise_without_gaps_or_overlaps(kind, quality):
    known = [each for each in SPECIALISTS if (each.cfa_kind, each.quality) == (kind, quality)]
    ranges = [each.noise_range for each in known]

    assert (0, float("inf")) == (ranges[0][0], ranges[-1][1])
    assert [high for _, high in ranges[:-1]] == [low for low, _ in ranges[1:]]


def test_every_row_says_how_it_was_trained():
    rows = json.loads((specialists.folder() / "manifest.json").read_text())["specialists"]

    for row in rows:
        training = row["training"]
        assert {"runs", "commit", "hardware"} <= training.keys()
        before = None
        for run in training["runs"]:
            if "specialist" in run:  # thawed
                before, done, all_steps = run["specialist"], 0, 0
                continue
            config = tomllib.loads((CONFIGS / run["config"]).read_text(encoding="utf-8"))
            start = config.get("start_from")
            assert start in (before, f"{before}{THAWED}")
            if start != before:  # as far as that run had come, for another sensor
                assert done <= all_steps
            elif before is not None:
                assert done == all_steps
            assert run["seed"] == config["seed"]
            assert run["seconds"] > 0
            done, all_steps = run["steps"], config["steps"]
            before = Path(run["config"]).stem
        assert done == all_steps
        assert before.removesuffix("-int8") == row["name"]


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.toml")), ids=lambda path: path.stem)
def test_every_config_of_a_specialist_says_what_its_row_needs(path):
    about = tomllib.loads(path.read_text(encoding="utf-8")).get("specialist")

    if about is not None:
        assert {"name", "quality", "noise_range"} == about.keys()
        assert about["quality"] in specialists.QUALITIES


@pytest.mark.parametrize(
    ("kind", "quality"), sorted({(each.cfa_kind, each.quality) for each in SPECIALISTS})
)
@pytest.mark.parametrize("level", SHOT_NOISES)
def test_each_is_as_good_as_it_was(kind, quality, level):
    shot_noise = SHOT_NOISES[level]
    clean, noisy = drawn_mosaic(shot_noise, kind)
    noise = noise_model(shot_noise, 1e-6, source="")
    specialist = specialists.choose(noise, quality, kind)

    out = fadn_cli.denoise_mosaic(
        noisy,
        cfa=PATTERNS[kind],
        shot_noise=shot_noise,
        read_noise=1e-6,
        specialist=specialist.name,
    )

    expected = GOLDEN[f"{kind}-{quality}"][level]
    served = "low" if (quality, level) == ("max", "faint") else level
    assert specialist.name in (f"{kind}-{quality}", f"{kind}-{quality}-{served}")
    assert -10 * np.log10(np.mean((out - clean) ** 2)) == pytest.approx(expected, abs=0.1)
