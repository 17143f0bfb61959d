"""The search trains what is fast enough, lets the best go on, and tells all it found."""

import json
import random
import sys

import pytest

pytest.importorskip("torch")

from fadn_cli.training.judge import search
from fadn_cli.training.judge.search import (
    draw_candidates,
    draw_network,
    halve,
    main,
    name_of,
    table_text,
)
from fadn_cli.training.network.config import StudentConfig
from fadn_cli.training.network.model import Student
from fadn_cli.training.run.config import TrainConfig

NETWORKS = [StudentConfig(widths=(8, 8), encode=(n,), decode=(1,)) for n in (1, 2, 3)]


def test_every_drawn_network_can_be_built_and_differs_in_name_if_it_differs_at_all():
    rng = random.Random(1)
    drawn = {draw_network(rng) for _ in range(60)}

    assert len({name_of(network) for network in drawn}) == len(drawn) > 40
    for network in list(drawn)[:5]:
        Student(network)


def test_slower_networks_are_not_candidates(monkeypatch):
    monkeypatch.setattr(search, "relative_seconds", lambda network, _: len(network.widths) / 2)
    base = StudentConfig(widths=(40, 48, 64))

    found = draw_candidates(base, 3, seed=1)

    assert len(found) == 3
    assert {len(network.widths) for network in found} == {2}
    assert draw_candidates(base, 3, seed=1) == found
    monkeypatch.setattr(search, "relative_seconds", lambda *_: 1.1)
    assert draw_candidates(base, 1, seed=1) == {}


def test_the_best_of_each_rung_go_on_from_where_they_were(monkeypatch, tmp_path):
    trained = []

    def train_and_measure(config, folder, *_):
        trained.append((config.network, config.steps, folder))
        return {"psnr": {"mean": next(scores)}}

    scores = iter([40.0, 42.0, 41.0, 41.5, 42.5, 43.0])
    monkeypatch.setattr(search, "train_and_measure", train_and_measure)
    halve(
        TrainConfig(),
        dict.fromkeys(NETWORKS, 1.0),
        ((2, 3), (4, 2), (8, 1)),
        photos=None,
        ruler=tmp_path,
        runs=tmp_path / "runs",
        results=tmp_path / "found.json",
    )

    first, second, third = NETWORKS
    order = [(first, 2), (second, 2), (third, 2), (second, 4), (third, 4), (third, 8)]
    assert [(network, steps) for network, steps, _ in trained] == order
    assert len({folder for *_, folder in trained}) == 3
    rows = json.loads((tmp_path / "found.json").read_text())
    assert [row["psnr"] for row in rows] == [
        {"2": 40.0},
        {"2": 42.0, "4": 41.5},
        {"2": 41.0, "4": 42.5, "8": 43.0},
    ]


def test_it_runs_and_prints_what_it_found(monkeypatch, photos, ruler, tmp_path, capsys):
    config, results = tmp_path / "arena-tiny.toml", tmp_path / "found.json"
    config.write_text(
        "steps = 2\nbatch = 2\npatch = 16\nwarmup = 1\n[network]\nwidths = [8, 8, 8]\n"
    )
    monkeypatch.setattr(search, "load_photos", lambda *_: photos)
    monkeypatch.setattr(search, "draw_candidates", lambda *_: {NETWORKS[0]: 0.9, NETWORKS[1]: 1.0})
    monkeypatch.setattr(search, "RUNGS", ((1, 2), (2, 1)))
    command = ["search", str(config), "--photos", "x", "--ruler", str(ruler)]
    command += ["--runs", str(tmp_path / "runs"), "--results", str(results)]
    monkeypatch.setattr(sys, "argv", command)
    main()

    monkeypatch.setattr(sys, "argv", ["search", "--table", "--results", str(results)])
    main()

    rows = json.loads(results.read_text())
    assert sorted(len(row["psnr"]) for row in rows) == [1, 2]
    assert capsys.readouterr().out.strip() == table_text(rows)


def test_the_furthest_and_best_are_told_first():
    rows = [
        {"network": "short", "macs": 24089, "time": 1.0, "psnr": {"375": 43.0}},
        {"network": "worse", "macs": 24089, "time": 1.0, "psnr": {"375": 42.0, "750": 42.5}},
        {"network": "best", "macs": 24089, "time": 0.951, "psnr": {"375": 42.0, "750": 42.75}},
    ]

    lines = table_text(rows).splitlines()

    assert lines[0].endswith("| 375 steps, dB | 750 steps, dB |")
    assert [line.split("|")[1].strip() for line in lines[2:]] == ["best", "worse", "short"]
    assert lines[2] == "| best | 24.1 | 0.95 | 42.00 | 42.75 |"
    assert lines[4] == "| short | 24.1 | 1.00 | 43.00 |  |"
