"""Sweeps on a real Dask cluster on loopback: the same bits as here, and nobody waits for one that is away."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from rnnviz import Bench, Experiment, phase_diagram
from rnnviz.analysis.sweeps import SeedRun, seed_parts, seed_run
from rnnviz.command_line.main import main
from rnnviz.settings import Settings
from rnnviz.training import cluster as module
from rnnviz.training import executor
from rnnviz.training.cluster import Cluster
from rnnviz.training.executor import local_pool, new_sweep_pool
from rnnviz.training.sweep import Sweep
from rnnviz.training.turns import Turns
from rnnviz.training.worker_pool import WorkerPool
from tests.dask_cluster import SECONDS, Dask, connected, until

pytest.importorskip("distributed", reason="dask.distributed is not installed")

ROOT = Path(__file__).parents[2]
E = Experiment(task="echo", topology="many-to-many", seq_len=20, hidden_size=64, delay=3)
SWEEP = ["sweep", "--T", "6", "--H", "8", "--seed", "3", "--seeds", "3", "--updates", "20", "--json"]


@pytest.fixture(scope="module")
def dask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dask]:
    dask = Dask(tmp_path_factory.mktemp("dask"), workers=2)
    yield dask
    dask.end()


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is done every few seconds is done at once."""
    monkeypatch.setattr(module, "LOOK_EVERY", 0.05)
    monkeypatch.setattr(module, "RETRY_EVERY", 0.1)


@pytest.fixture
def pool(dask: Dask) -> Iterator[Cluster]:
    pool = connected(dask.address, workers=2)
    yield pool
    pool.close()


@pytest.fixture
def no_worker_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is computed is computed on the cluster."""

    def refuse(*_: Any) -> None:
        raise AssertionError("it was computed on this machine")

    monkeypatch.setattr(WorkerPool, "submit", refuse)


def away() -> str:
    """An address where nobody listens."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        return f"tcp://127.0.0.1:{closed.getsockname()[1]}"


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


# A part that waits for a file, and leaves one that tells which process computes it


def held(part: tuple[int, Path]) -> int:
    number, folder = part
    began = folder / f"{number}.{os.getpid()}.{time.monotonic_ns()}"
    began.touch()
    while not (folder / f"go{number}").exists():
        time.sleep(0.01)
    return number**2


def release(folder: Path, *numbers: int) -> None:
    for number in numbers:
        (folder / f"go{number}").touch()


def begun(folder: Path) -> list[tuple[int, int]]:
    """The parts that have begun, with the processes that have them."""
    names = (file.name.split(".") for file in folder.iterdir() if not file.name.startswith("go"))
    return [(int(number), int(process)) for number, process, _ in names]


def times(folder: Path) -> Counter[int]:
    return Counter(number for number, _ in begun(folder))


def blas_threads() -> set[int]:
    np.ones((4, 4)) @ np.ones((4, 4))
    return {one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"}


def told(run: SeedRun) -> tuple[bytes, bytes, int | None, bool, bool]:
    """All of a run that does not depend on the clock."""
    return run.steps.tobytes(), run.metric.tobytes(), run.solved_at, run.solved_at_end, run.diverged


# On the cluster


def test_seeds_are_the_same_bit_for_bit(pool: Cluster) -> None:
    parts = [(e, 25) for e in seed_parts(E, 4)]
    here = [told(run) for run in Sweep(seed_run, parts, local_pool()).wait()]
    line = Turns(lambda: pool, lambda: pool.at_once).line()  # as a visitor's
    assert line.at_once == 2
    assert [told(run) for run in Sweep(seed_run, parts, line).wait()] == here


def test_a_phase_diagram_is_the_same_bit_for_bit(pool: Cluster) -> None:
    asked = Bench(hidden_size=64, seq_len=30), [0.5, 1.0, 2.0], "input_std", [0.0, 1.0], 2
    there, here = phase_diagram(*asked, executor=pool), phase_diagram(*asked, executor=local_pool())
    assert there.tobytes() == here.tobytes()


def test_the_command_line_prints_the_same(
    dask: Dask, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], request: Any
) -> None:
    assert main(SWEEP) == 0
    here = capsys.readouterr().out
    request.getfixturevalue("no_worker_here")
    monkeypatch.setattr(executor, "SETTINGS", Settings(scheduler=dask.address))
    assert main(SWEEP) == 0
    assert capsys.readouterr() == (here, "")


@pytest.mark.usefixtures("no_worker_here")
def test_calls_go_to_workers_with_one_thread_and_failures_come_back(dask: Dask, pool: Cluster) -> None:
    processes = {pool.submit(os.getpid).result(SECONDS) for _ in range(8)}
    assert processes <= {worker.pid for worker in dask.workers}
    assert pool.submit(blas_threads).result(SECONDS) == {1}
    written = pool.submit(np.zeros, 3).result(SECONDS)
    written += 1  # as from a pool on this machine, not a view of a message
    failure = pool.submit(int, "x").exception(SECONDS)
    assert isinstance(failure, ValueError)
    assert "In a worker process" in failure.__notes__[0]


@pytest.mark.usefixtures("no_worker_here")
def test_equal_calls_are_all_made(pool: Cluster, tmp_path: Path) -> None:
    release(tmp_path, 7)
    assert Sweep(held, [(7, tmp_path)] * 3, pool).wait() == [49] * 3
    assert times(tmp_path) == {7: 3}


@pytest.mark.usefixtures("no_worker_here")
def test_after_cancel_no_further_part_begins(pool: Cluster, tmp_path: Path) -> None:
    news: list[int] = []
    sweep = Sweep(held, [(k, tmp_path) for k in range(8)], pool, changed=lambda: news.append(sweep.done))
    release(tmp_path, 0)
    until(lambda: len(begun(tmp_path)) == 3)
    assert (sweep.results, sweep.progress) == ([0] + [None] * 7, 1 / 8)
    sweep.cancel()
    release(tmp_path, *range(1, 8))
    until(lambda: sweep.under_way == 0)
    assert times(tmp_path) == {0: 1, 1: 1, 2: 1}
    assert sweep.results == [0] + [None] * 7
    assert pool.submit(pow, 2, 3).result(SECONDS) == 8


@pytest.mark.usefixtures("no_worker_here")
def test_a_worker_that_is_killed_costs_the_part_that_it_had(
    dask: Dask, pool: Cluster, tmp_path: Path
) -> None:
    sweep = Sweep(held, [(k, tmp_path) for k in range(6)], pool)
    release(tmp_path, 0, 1)
    until(lambda: sweep.done == 2 and len(begun(tmp_path)) == 4)
    lost, process = next(pair for pair in begun(tmp_path) if pair[0] > 1)
    os.kill(process, signal.SIGSTOP)  # it is in the middle of its part
    os.kill(process, signal.SIGKILL)
    until(lambda: pool.at_once == 1)
    release(tmp_path, *range(2, 6))
    assert sweep.wait() == [0, 1, 4, 9, 16, 25]
    assert times(tmp_path) == {k: 2 if k == lost else 1 for k in range(6)}
    dask.workers = [worker for worker in dask.workers if worker.pid != process] + [dask.worker()]
    until(lambda: pool.at_once == 2)  # one that joins gets work


# Workers that cannot be used


def test_a_worker_without_the_library_is_named_once(
    dask: Dask, pool: Cluster, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    strange = dask.worker(folder=tmp_path)
    until(lambda: pool._crew is None)
    assert pool.submit(os.getpid).result(SECONDS) not in {worker.pid for worker in dask.workers}
    strange.kill()
    until(lambda: pool._crew)
    (line,) = said(caplog)
    assert "cannot use this library (ModuleNotFoundError" in line


def test_a_worker_with_another_numpy_is_not_used(
    dask: Dask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    there = np.__version__
    monkeypatch.setattr(np, "__version__", "1.0")
    pool = Cluster(dask.address, WorkerPool(1))
    pool.connect(wait=SECONDS)
    assert pool.submit(os.getpid).result(SECONDS) not in {worker.pid for worker in dask.workers}
    pool.close()
    (line,) = said(caplog)
    assert f"has NumPy {there} in place of 1.0; work is done on this machine." in line


# A cluster that is lost, or away


def test_a_sweep_outlives_the_cluster_and_uses_it_when_it_is_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (folder := tmp_path / "parts").mkdir()
    dask = Dask(tmp_path, workers=1)
    pool = connected(dask.address, workers=1)
    caplog.clear()  # it may have been there before its worker
    try:
        sweep = Sweep(held, [(k, folder) for k in range(3)], pool)
        until(lambda: len(begun(folder)) == 1)
        dask.scheduler.kill()
        until(lambda: len(begun(folder)) == 2)
        release(folder, 0, 1, 2)
        assert sweep.wait() == [0, 1, 4]
        assert times(folder) == {0: 2, 1: 1, 2: 1}
        (line,) = until(lambda: said(caplog))
        assert line == f"The Dask cluster at {dask.address} was lost; work is done on this machine."
        dask.restart()
        until(lambda: pool._crew)
        assert pool.submit(os.getpid).result(SECONDS) == dask.workers[0].pid
    finally:
        pool.close()
        dask.end()


@pytest.mark.parametrize("listens", [False, True], ids=["nobody listens", "nobody answers"])
def test_nobody_waits_for_a_scheduler_that_is_away(
    listens: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "CONNECTING", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}" if listens else away()
        pool = Cluster(address, local_pool())
        began = time.perf_counter()
        result = pool.submit(os.getpid)
        assert pool.at_once == local_pool().at_once
        assert time.perf_counter() - began < 0.2
        assert result.result(SECONDS) != os.getpid()
        until(lambda: pool._told)
        time.sleep(1.5)  # it tries again, and does not say so again
        monkeypatch.setattr(local_pool(), "close", lambda: None)  # other tests use it
        pool.close()
    assert said(caplog) == [f"The Dask cluster at {address} cannot be reached; work is done on this machine."]


def test_the_command_line_does_without_a_scheduler_that_is_away_and_says_so_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    address = away()
    ended = subprocess.run(
        [sys.executable, "-m", "rnnviz", *SWEEP],
        cwd=ROOT,
        env=os.environ | {"RNNVIZ_SCHEDULER": address},
        capture_output=True,
        text=True,
        check=False,
    )
    assert main(SWEEP) == ended.returncode == 0
    assert capsys.readouterr().out == ended.stdout
    assert ended.stderr == f"The Dask cluster at {address} cannot be reached; work is done on this machine.\n"


def test_without_dask_one_sentence_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    monkeypatch.setattr(executor, "SETTINGS", Settings(scheduler="tcp://127.0.0.1:8786"))
    pool = new_sweep_pool(patient=True)
    assert pool.submit(pow, 2, 3).result(SECONDS) == 8
    pool.close()
    (line,) = said(caplog)
    assert "dask.distributed is not installed (pip install distributed); work is done" in line


def test_without_the_setting_dask_is_not_imported() -> None:
    code = "import sys; from rnnviz.training.executor import open_pools, sweep_pool; open_pools()\n"
    code += "sweep_pool().submit(pow, 2, 3).result(); print('distributed' in sys.modules)"
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ended.stdout == "False\n"
