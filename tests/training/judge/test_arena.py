"""Experiments are equal in budget, and what they found is kept and told."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from fadn_cli.denoise.noise import stabilize
from fadn_cli.training.judge import arena
from fadn_cli.training.judge.arena import main, relative_seconds, run_experiment, table_text
from fadn_cli.training.judge.ruler import LEVELS
from fadn_cli.training.network.config import StudentConfig
from fadn_cli.training.run.config import load_config

CONFIGS = sorted((Path(arena.__file__).parents[1] / "configs").glob("arena-*.toml"))
TINY = "# A tiny one\nsteps = 2\nbatch = 2\npatch = 16\nwarmup = 1\n[network]\nwidths = [8, 8]\n"
ONE_SCALE = "encode = [1]\ndecode = [1]\n"


@pytest.fixture
def config(tmp_path, monkeypatch):
    """A config of two steps, which is the arena's budget here."""
    monkeypatch.setattr(arena, "STEPS", 2)
    path = tmp_path / "arena-tiny.toml"
    path.write_text(TINY + ONE_SCALE, encoding="utf-8")
    return path


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_experiment_has_the_same_budget(path):
    config, base = load_config(path), load_config(path.with_name(f"{arena.BASE}.toml"))

    assert config.steps == arena.STEPS
    assert config.batch * config.patch**2 == pytest.approx(base.batch * base.patch**2, rel=0.03)


def test_another_budget_is_refused(config, photos, ruler, tmp_path):
    config.write_text(config.read_text().replace("steps = 2", "steps = 3"), encoding="utf-8")

    with pytest.raises(ValueError, match="3 steps; every experiment has 2"):
        run_experiment(config, 1, photos, ruler, tmp_path / "runs")


def test_seeds_are_runs_of_their_own_and_the_same_seed_gives_the_same(
    config, photos, ruler, tmp_path
):
    first, again, other = (
        run_experiment(config, seed, photos, ruler, tmp_path / where)["psnr"]
        for seed, where in ((1, "a"), (1, "b"), (2, "a"))
    )

    assert first == again
    assert first != other
    assert set(LEVELS) | {"mean"} == set(first)


def test_what_was_found_is_kept_beside_what_was_known_and_printed(
    config, ruler, photos, tmp_path, monkeypatch, capsys
):
    results = tmp_path / "results.json"
    monkeypatch.setattr(arena, "load_photos", lambda *_: photos)
    monkeypatch.setattr(arena, "relative_seconds", lambda network, base: 1.25)
    common = ["arena", "--results", str(results)]
    for seed in ("1", "2"):
        found = [str(config), "--photos", "x", "--ruler", str(ruler), "--runs", str(tmp_path)]
        monkeypatch.setattr(sys, "argv", [*common, *found, "--seeds", seed])
        main()

    monkeypatch.setattr(sys, "argv", [*common, "--table"])
    main()

    row = json.loads(results.read_text())["arena-tiny"]
    assert list(row["seeds"]) == ["1", "2"]
    mean = np.mean([seed["psnr"]["E"] for seed in row["seeds"].values()])
    cells = [cell.strip() for cell in capsys.readouterr().out.splitlines()[-1].split("|")]
    assert cells[1] == "A tiny one"
    assert cells[6] == f"{mean:.2f}"
    assert cells[10].startswith("2 (±")
    assert cells[11] == "1.25"


def test_verdicts_survive_another_seed(config, tmp_path):
    results = tmp_path / "results.json"
    arena.record(results, config, load_config(config), time=1.0)
    rows = json.loads(results.read_text())
    rows["arena-tiny"]["verdict"] = "dropped"
    results.write_text(json.dumps(rows))

    arena.record(results, config, load_config(config), time=1.1)

    assert json.loads(results.read_text())["arena-tiny"]["verdict"] == "dropped"


def test_a_network_of_many_more_operations_takes_longer(monkeypatch):
    monkeypatch.setattr(arena, "SIDE", 256)
    small = StudentConfig(widths=(8, 8), encode=(1,), decode=(1,))
    large = StudentConfig(widths=(96, 96), encode=(2,), decode=(2,))

    assert relative_seconds(large, small) > 3


def test_the_table_needs_no_spread_of_one_seed():
    scores = dict.fromkeys((*LEVELS, "mean"), 40.0)
    seed = {"psnr": scores, "ssim": {"mean": 0.9}, "seconds": 60}
    row = {"what": "x", "seeds": {"1": seed}, "time": 1.0, "macs": 24089, "verdict": "kept"}

    line = table_text({"x": row}).splitlines()[-1]

    assert line == f"| x | {'40.00 | ' * 7}0.9000 | 1 | 1.00 | 24.1 | 60 | kept |"


@pytest.mark.parametrize("inputs", stabilize.KINDS)
def test_networks_are_timed_on_as_many_samples_as_their_alignment_lets_them(inputs):
    network = StudentConfig(inputs=inputs)

    side = arena._side(network)

    assert side == pytest.approx(arena.SIDE, rel=0.02)
    assert side % (network.seen.sensor.cell * network.alignment) == 0
