"""A phase diagram on a Dask cluster and on this machine's pool: `python -m tests.benchmarks.sweeps`.

Measures the same 24 x 24 phase diagram (5 seeds, H = 32, T = 100) on one Dask worker, on two and on two local
workers, in turns, and what a part costs that does nothing. Scheduler and workers are processes on loopback.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np

from rnnviz import Bench, Experiment, gradient_flow, phase_diagram
from rnnviz.model.arrays import Array
from rnnviz.training.executor import SWEEP_NICENESS
from rnnviz.training.sweep import Sweep
from rnnviz.training.worker_pool import WorkerPool
from tests.dask_cluster import Dask, connected

GAINS, STRENGTHS = np.linspace(0.1, 3.0, 24), np.linspace(0.0, 2.0, 24)
ROUNDS, EMPTY_PARTS = 3, 200


@contextmanager
def on_dask(workers: int) -> Iterator[Executor]:
    """A cluster with so many workers, as a pool."""
    with tempfile.TemporaryDirectory() as folder:
        dask = Dask(Path(folder), workers)
        pool = connected(dask.address, workers)
        yield pool
        pool.close()
        dask.end()


@contextmanager
def here(workers: int) -> Iterator[Executor]:
    """The pool of worker processes on this machine."""
    pool = WorkerPool(workers, SWEEP_NICENESS)
    yield pool
    pool.close()


def nothing(_: int) -> None:
    """Do nothing: all that such a part takes is its way there and back."""


def seconds(work: Callable[[], object]) -> float:
    """Return how long it takes."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def main() -> None:
    """Measure and print times, ratios and the cost of a part."""
    with ExitStack() as stack:
        pools = {
            "1 Dask worker": stack.enter_context(on_dask(1)),
            "2 Dask workers": stack.enter_context(on_dask(2)),
            "2 local workers": stack.enter_context(here(2)),
        }
        drawn: dict[str, Array] = {}

        def draw(name: str) -> None:
            bench = Bench(hidden_size=32, seq_len=100)
            drawn[name] = phase_diagram(bench, GAINS, "input_std", STRENGTHS, 5, pools[name])

        for pool in pools.values():  # every worker has imported the library
            Sweep(gradient_flow, [Experiment()] * 8, pool).wait()
        rounds = [{name: seconds(lambda name=name: draw(name)) for name in pools} for _ in range(ROUNDS)]
        parts = {
            name: 1000 * seconds(Sweep(nothing, range(EMPTY_PARTS), pool, most=1).wait) / EMPTY_PARTS
            for name, pool in pools.items()
        }
    assert len({array.tobytes() for array in drawn.values()}) == 1, "not the same bits"
    taken = {name: statistics.median(one[name] for one in rounds) for name in pools}
    for name in pools:
        print(f"{name:15}  {taken[name]:5.1f} s; a part that does nothing {parts[name]:.1f} ms")
    print(f"1 / 2 Dask workers: {taken['1 Dask worker'] / taken['2 Dask workers']:.2f}")
    print(f"2 Dask workers / 2 local workers: {taken['2 Dask workers'] / taken['2 local workers']:.2f}")


if __name__ == "__main__":
    main()
