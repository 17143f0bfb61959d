"""The same plan on a cluster: the same bytes, and what goes wrong there is said."""

import sys
from concurrent.futures import CancelledError
from pathlib import Path

import pytest

from fadn_cli.batch import cluster, worker
from fadn_cli.batch import run as batch
from fadn_cli.batch.ledger import recipe
from fadn_cli.batch.planning import Job, plan
from fadn_cli.batch.run import Handling
from fadn_cli.batch.worker import Task
from fadn_cli.errors import FadnError
from fadn_cli.pipeline.options import DenoiseOptions
from tests.making.dng.write import write_dng
from tests.making.mosaics import noisy_samples

OPTIONS = DenoiseOptions(quality="fast")


def make_task(**options):
    options = DenoiseOptions(**options)
    job = Job(source=Path("a.dng"), output=Path("out/a.dng"))
    return Task(job=job, options=options, recipe=recipe(options))


def test_without_distributed_the_way_to_get_it_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)

    with pytest.raises(FadnError, match="not installed") as caught, cluster.connect("tcp://x:1"):
        pytest.fail("connected")

    assert 'pip install "fadn[cluster]"' in caught.value.advice


@pytest.mark.parametrize(("threads", "expected"), ((None, 1), (3, 3)))
def test_a_worker_uses_one_thread_per_file_unless_told(monkeypatch, threads, expected):
    monkeypatch.setattr(cluster, "work_here", lambda task: task.options.threads)

    assert expected == cluster.work(make_task(threads=threads))


def test_workers_are_given_paths_that_hold_anywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    job = cluster.absolute(make_task()).job

    assert (tmp_path / "a.dng", tmp_path / "out" / "a.dng") == (job.source, job.output)


def test_what_the_cluster_loses_is_no_bug():
    lost = type("KilledWorker", (Exception,), {"__module__": "distributed.scheduler"})

    for error in (lost("worker died"), CancelledError()):
        assert "a.dng: the Dask cluster has lost it" in str(cluster.explain(error, Path("a.dng")))
    assert cluster.explain(ValueError("a bug"), Path("a.dng")) is None


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_two_workers_write_the_same_bytes_as_this_process(tmp_path, monkeypatch):
    distributed = pytest.importorskip("distributed")
    monkeypatch.chdir(tmp_path)
    for seed in (1, 2, 3):
        write_dng(tmp_path / f"{seed}.dng", noisy_samples(64, 96, seed=seed))
    (tmp_path / "bad.dng").write_bytes(b"no raw")
    here, there = (
        plan([Path()], output=Path(name), name="{stem}{ext}") for name in ("here", "there")
    )
    local = batch.run(here, OPTIONS)

    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None
    ) as workers:
        handling = Handling(scheduler=workers.scheduler_address)
        first = batch.run(there, OPTIONS, handling)
        second = batch.run(there, OPTIONS, handling)

    assert {"denoised": 3, "failed": 1} == {k: n for k, n in first.counts.items() if n}
    assert {"done": 3, "failed": 1} == {k: n for k, n in second.counts.items() if n}
    assert [each.source for each in local.results] == [each.source for each in first.results]
    assert [Path("there", f"{seed}.dng") for seed in (1, 2, 3)] == [
        report.output for report in first.denoised
    ]
    for name in ("1.dng", "2.dng", "3.dng"):
        assert Path("here", name).read_bytes() == Path("there", name).read_bytes()
    assert "bad.dng" in str(first.errors[0])


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_scheduler_that_does_not_answer_is_named(tmp_path, monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr(cluster, "_TIMEOUT", "0.5s")
    write_dng(tmp_path / "a.dng", noisy_samples())

    with pytest.raises(FadnError, match="no Dask scheduler answers there"):
        batch.run(plan([tmp_path]), OPTIONS, Handling(scheduler="tcp://127.0.0.1:9"))


def test_a_task_survives_the_way_to_another_process():
    import pickle

    task = make_task(strength=0.5)

    assert task == pickle.loads(pickle.dumps(task))
    assert worker.work == pickle.loads(pickle.dumps(worker.work))
