"""A Dask scheduler and its workers, as processes on loopback."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rnnviz.training.cluster import Cluster
from rnnviz.training.worker_pool import WorkerPool

ROOT = Path(__file__).parents[1]
SECONDS = 30.0
"""Until something has happened that certainly will."""


def until(happened: Callable[[], Any]) -> Any:
    """Wait for something to happen; return what the question gives then."""
    deadline = time.monotonic() + SECONDS
    while not (answer := happened()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)
    return answer


class Dask:
    """A scheduler and its workers: processes with one thread each and no one to restart them."""

    def __init__(self, folder: Path, workers: int) -> None:
        self._folder, self._processes = folder, list[subprocess.Popen[bytes]]()
        self.file = folder / "scheduler.json"
        self.scheduler = self._start("scheduler", "--port", "0")
        self.workers = [self.worker() for _ in range(workers)]
        self.address = str(json.loads(until(self._described))["address"])

    def _described(self) -> str:
        return self.file.read_text() if self.file.exists() else ""

    def _start(self, kind: str, *options: str, folder: Path = ROOT) -> subprocess.Popen[bytes]:
        where = ["--scheduler-file", str(self.file), "--host", "127.0.0.1", "--no-dashboard"]
        with (self._folder / "log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "dask", kind, *where, *options], cwd=folder, stdout=log, stderr=log
            )
        self._processes.append(process)
        return process

    def worker(self, folder: Path = ROOT) -> subprocess.Popen[bytes]:
        mine = ["--local-directory", str(self._folder), "--nthreads", "1", "--no-nanny"]
        return self._start("worker", *mine, folder=folder)

    def restart(self) -> None:
        """Start another scheduler at the same address, with a worker."""
        self.scheduler = self._start("scheduler", "--port", self.address.rpartition(":")[2])
        self.workers = [self.worker()]

    def end(self) -> None:
        for process in self._processes:
            process.kill()
            process.wait()


def connected(address: str, workers: int) -> Cluster:
    pool = Cluster(address, WorkerPool(1))
    pool.connect()
    until(lambda: pool._crew and pool.at_once == workers)
    return pool
