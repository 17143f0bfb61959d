"""Each defect is measured where it bites, alone, and has its ablation."""

import dataclasses
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("torch")

from fadn_cli.denoise.network import specialists
from fadn_cli.pipeline import mosaic as pipeline
from fadn_cli.training.data.synthesis import SPOTLESS, Dirt
from fadn_cli.training.judge import robustness
from fadn_cli.training.judge.robustness import DEFECTS, main, measure, table_text
from fadn_cli.training.run.train import load_config

CONFIGS = Path(robustness.__file__).parents[1] / "configs"


@pytest.fixture
def grey(tmp_path):
    """A folder of two flat photographs."""
    for name, level in (("dark", 100), ("light", 240)):
        Image.fromarray(np.full((96, 96, 3), level, np.uint8)).save(tmp_path / f"{name}.png")
    return tmp_path


def test_doing_nothing_gains_nothing_and_averaging_what_it_averages(grey):
    def mean(packed, shot, read):
        return np.broadcast_to(packed.mean((1, 2), keepdims=True), packed.shape)

    gains = measure(grey, {"nothing": lambda packed, shot, read: packed, "mean": mean})

    assert dict.fromkeys(DEFECTS, 0.0) == gains["nothing"]
    # 48 x 48 samples of which 1 degree of freedom is left.
    assert gains["mean"]["none"] == pytest.approx(10 * np.log10(48 * 48), abs=3)


@pytest.fixture
def inputs(grey):
    """What two runs were given: {run: [(packed, shot noise, read noise), ...]}."""
    seen = {"first": [], "second": []}

    def recorder(row):
        def denoise(*arguments):
            seen[row].append(arguments)
            return arguments[0]

        return denoise

    measure(grey, {row: recorder(row) for row in seen})
    return seen


def test_every_run_sees_the_same_samples(inputs):
    assert 2 * len(DEFECTS) == len(inputs["first"])
    for (first, *told), (second, *told_too) in zip(*inputs.values(), strict=True):
        assert np.array_equal(first, second)
        assert told == told_too


def test_each_defect_is_alone(inputs):
    light = dict(zip(DEFECTS, inputs["first"][len(DEFECTS) :], strict=True))

    shots, reads = ({name: light[name][i] for name in DEFECTS} for i in (1, 2))
    assert shots["none"] == shots["hot pixels"] == pytest.approx(1.6e-3)
    assert reads["none"] == reads["hot pixels"]
    assert shots["none"] != shots["parameter error"] == pytest.approx(1.6e-3, rel=0.16)
    assert light["white clipping"][0].max() == 1
    assert light["black clipping"][0].min() == 0 > light["deep shadows"][0].min()


def test_a_photograph_that_is_white_all_over_does_not_count(grey):
    before = measure(grey, {"x": lambda packed, shot, read: packed / 2})["x"]["white clipping"]
    Image.fromarray(np.full((96, 96, 3), 255, np.uint8)).save(grey / "white.png")

    after = measure(grey, {"x": lambda packed, shot, read: packed / 2})["x"]["white clipping"]

    assert before == after


def test_every_defect_has_a_config_that_differs_by_its_switch_alone():
    everything = load_config(CONFIGS / "ablation-robust-all.toml")
    changes = {}
    for path in CONFIGS.glob("ablation-robust-without-*.toml"):
        name = path.stem.removeprefix("ablation-robust-without-").replace("-", "_")
        config = load_config(path)
        if name == "deep_shadows":
            assert config.noise == dataclasses.replace(everything.noise, dark_fraction=0.0)
            config = dataclasses.replace(config, noise=everything.noise)
        else:
            assert config.dirt == everything.dirt.without(name)
            config = dataclasses.replace(config, dirt=everything.dirt)
        changes[name.replace("_", " ")] = config

    assert DEFECTS.keys() - {"none"} == changes.keys()
    assert all(config == everything for config in changes.values())
    assert everything.dirt == Dirt()


def test_the_defects_measured_are_always_on():
    for name, defect in DEFECTS.items():
        if name in ("none", "deep shadows"):
            assert SPOTLESS == defect.dirt
        else:
            switch = name.replace(" ", "_")
            assert dataclasses.replace(SPOTLESS, **{switch: 1.0}) == defect.dirt


def test_the_table_has_a_row_per_run_and_a_column_per_defect():
    lines = table_text({"a": dict.fromkeys(DEFECTS, 1.234)}).splitlines()

    assert [*DEFECTS] == [cell.strip() for cell in lines[0].split("|")[2:-1]]
    assert "| a |" + " 1.23 |" * len(DEFECTS) == lines[2]


def test_without_a_run_every_bundled_quality_is_measured(grey, monkeypatch, capsys):
    asked = set()

    def denoise_mosaic(x, *, cfa, shot_noise, read_noise, quality, specialist, **rest):
        asked.add((quality, specialist))
        return x

    monkeypatch.setattr(pipeline, "denoise_mosaic", denoise_mosaic)
    monkeypatch.setattr(sys, "argv", ["robustness", "--photos", str(grey)])

    main()

    qualities = {each.quality for each in specialists.bundled()}
    assert {(quality, None) for quality in qualities} == asked
    assert 2 + len(qualities) == len(capsys.readouterr().out.splitlines())
