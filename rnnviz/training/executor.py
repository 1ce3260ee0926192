"""Where long work runs: in worker processes on this machine; sweeps on a Dask cluster, if one is named.

``RNNVIZ_SCHEDULER=tcp://host:port`` names one. Any other executor with the ``concurrent.futures`` interface
can be used as well.
"""

from __future__ import annotations

from concurrent.futures import Executor

from rnnviz.settings import SETTINGS
from rnnviz.training.cluster import CONNECTING, Cluster
from rnnviz.training.worker_pool import WorkerPool

WORKERS = SETTINGS.workers
SWEEP_NICENESS = 10
"""The kernel gives a process that is so much nicer about a tenth of the time that another one gets."""


def in_a_line(failure: BaseException) -> str:
    """Return the first line of a failure's message; without a message, the failure's kind."""
    return (str(failure).strip() or type(failure).__name__).splitlines()[0]


def at_once(executor: Executor) -> int:
    """Return how many calls an executor runs at once; one that does not say is taken to use all cores."""
    return int(getattr(executor, "at_once", WORKERS))


def new_sweep_pool(patient: bool = False) -> WorkerPool | Cluster:
    """Return another pool for sweeps, for its caller to close.

    patient : whether to wait for the connection to a cluster, some seconds at most.
    """
    here = WorkerPool(WORKERS, SWEEP_NICENESS)
    if not SETTINGS.scheduler:
        return here
    cluster = Cluster(SETTINGS.scheduler, here)
    if patient:
        cluster.connect(wait=2 * CONNECTING)
    return cluster


_live, _sweeps = WorkerPool(WORKERS), new_sweep_pool()


def local_pool() -> WorkerPool:
    """Return the pool of whatever somebody watches. After ``close_pools`` it takes no more work."""
    return _live


def sweep_pool() -> WorkerPool | Cluster:
    """Return the pool of sweeps, which take what time the other one leaves."""
    return _sweeps


def open_pools() -> None:
    """Begin to connect to the cluster, if one is named, so that the first sweep finds it."""
    if isinstance(_sweeps, Cluster):
        _sweeps.connect()


def close_pools() -> None:
    """End both pools and their workers for good, whatever they are doing."""
    _live.close()
    _sweeps.close()
