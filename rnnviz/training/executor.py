"""Where long work runs: by default in worker processes on this machine.

Any executor with the ``concurrent.futures`` interface can replace them, for instance Dask's
``Client.get_executor()``.
"""

from __future__ import annotations

from rnnviz.settings import SETTINGS
from rnnviz.training.worker_pool import WorkerPool

WORKERS = SETTINGS.workers
SWEEP_NICENESS = 10
"""The kernel gives a process that is so much nicer about a tenth of the time that another one gets."""


def in_a_line(failure: BaseException) -> str:
    """Return the first line of a failure's message; without a message, the failure's kind."""
    return (str(failure).strip() or type(failure).__name__).splitlines()[0]


_live, _sweeps = WorkerPool(WORKERS), WorkerPool(WORKERS, SWEEP_NICENESS)


def local_pool() -> WorkerPool:
    """Return the pool of whatever somebody watches. After ``close_pools`` it takes no more work."""
    return _live


def sweep_pool() -> WorkerPool:
    """Return the pool of sweeps, which take what time the other one leaves."""
    return _sweeps


def close_pools() -> None:
    """End both pools and their workers for good, whatever they are doing."""
    _live.close()
    _sweeps.close()
