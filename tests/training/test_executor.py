"""One shared pool of workers, started once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from threadpoolctl import threadpool_info

from rnnviz.training.executor import local_pool, sweep_pool
from rnnviz.ui.chunk import get_ready

ROOT = Path(__file__).parents[2]


def _blas_threads() -> list[dict[str, Any]]:
    import numpy as np

    np.ones((4, 4)) @ np.ones((4, 4))
    return threadpool_info()


def _end_this_process() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _niceness() -> int:
    return os.nice(0)


def test_sweeps_stand_back_for_what_somebody_watches() -> None:
    own = os.nice(0)
    assert local_pool().submit(_niceness).result(timeout=60) == own
    assert sweep_pool().submit(_niceness).result(timeout=60) == min(19, own + 10)
    assert sweep_pool() is not local_pool()


def test_a_warm_pool_answers_at_once() -> None:
    for future in [local_pool().submit(get_ready) for _ in range(3)]:
        future.result(timeout=60)
    begun = time.perf_counter()
    local_pool().submit(os.getpid).result(timeout=60)
    assert time.perf_counter() - begun < 0.25, "a worker had to be started first"


def test_work_is_done_elsewhere() -> None:
    assert local_pool().submit(os.getpid).result(timeout=60) != os.getpid()


def test_a_worker_computes_on_one_thread() -> None:
    libraries = local_pool().submit(_blas_threads).result(timeout=60)
    blas = [library["num_threads"] for library in libraries if library["user_api"] == "blas"]
    assert blas
    assert set(blas) == {1}


def test_workers_end_with_a_server_that_was_killed() -> None:
    """No worker is left behind, even if the server was killed."""
    script = "from rnnviz.training.executor import local_pool; import os, time; "
    script += "print(local_pool().submit(os.getpid).result(), flush=True); time.sleep(60)"
    server = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    worker = int(server.stdout.readline())
    os.kill(worker, 0)  # it is there
    server.kill()
    server.wait()
    server.stdout.close()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            os.kill(worker, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    pytest.fail(f"worker {worker} outlived its server")


def test_a_pool_that_was_closed_leaves_nothing_to_a_signal_that_ends_the_process() -> None:
    """A signal ends a process without its exit handlers: whatever is left by then is reported as leaked."""
    script = "from rnnviz.training.executor import close_pools, local_pool; import os, signal, time\n"
    script += "pool = local_pool(); print(pool.submit(os.getpid).result(), flush=True)\n"
    script += "for _ in range(9): pool.submit(time.sleep, 60)\n"  # work under way, and work that waits
    script += "close_pools()\ntry: local_pool().submit(os.getpid)\n"
    script += "except RuntimeError: os.kill(os.getpid(), signal.SIGTERM)"
    begun = time.perf_counter()
    ended = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=50, check=False
    )
    assert (ended.returncode, ended.stderr) == (-signal.SIGTERM, "")
    assert time.perf_counter() - begun < 30, "closing waited for the work"
    with pytest.raises(ProcessLookupError):
        os.kill(int(ended.stdout), 0)
