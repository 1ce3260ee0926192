"""What happens on the server, for whoever runs it: a line in the log and a number for each kind of event.

No visitor's data is in either: a run is named by its task and its size, a fault by its kind.
"""

from __future__ import annotations

import logging

from prometheus_client import CollectorRegistry, Counter, Histogram

from rnnviz.experiment import Experiment
from rnnviz.training.turns import Served

LOG = logging.getLogger("rnnviz")
REGISTRY = CollectorRegistry()

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)

_began = Counter("rnnviz_runs_begun", "Runs whose training began.", registry=REGISTRY)
_diverged = Counter("rnnviz_runs_diverged", "Runs whose numbers overflowed.", registry=REGISTRY)
_failed = Counter("rnnviz_runs_failed", "Runs that stopped because their work was lost.", registry=REGISTRY)
_faults = Counter("rnnviz_faults", "Calls that workers did not finish.", ["pool", "kind"], registry=REGISTRY)
_limits = Counter("rnnviz_limits_reached", "Times a limit was reached.", ["limit"], registry=REGISTRY)
_took = Histogram(
    "rnnviz_call_seconds",
    "Seconds that a worker took for a call: a chunk of updates, or a part of a sweep.",
    ["pool"],
    buckets=_SECONDS,
    registry=REGISTRY,
)
_waited = Histogram(
    "rnnviz_wait_seconds",
    "Seconds that a call waited for a worker.",
    ["pool"],
    buckets=_SECONDS,
    registry=REGISTRY,
)


def show() -> None:
    """Write the log to standard error, a line for each event."""
    if not LOG.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(asctime)s rnnviz: %(message)s"))
        LOG.addHandler(handler)
        LOG.setLevel(logging.INFO)


def run_began(run: int, e: Experiment) -> None:
    """Tell that a run makes its first update."""
    _began.inc()
    LOG.info("run %d began: %s, %s, T = %d, H = %d", run, e.task, e.cell, e.seq_len, e.hidden_size)


def run_diverged(run: int, step: int) -> None:
    """Tell that a run's numbers overflowed."""
    _diverged.inc()
    LOG.info("run %d diverged after %d updates", run, step)


def run_failed(run: int, step: int, failure: BaseException) -> None:
    """Tell that a run stopped because its work was lost again and again."""
    _failed.inc()
    LOG.error("run %d stopped after %d updates: %s", run, step, type(failure).__name__)


def limit_reached(limit: str, consequence: str) -> None:
    """Tell that a limit was reached, and what follows; limit : its name in the numbers."""
    _limits.labels(limit).inc()
    LOG.warning("limit reached, %s: %s", limit, consequence)


def served(pool: str, call: Served) -> None:
    """Tell that a worker has done a call, or did not finish it."""
    _took.labels(pool).observe(call.seconds)
    _waited.labels(pool).observe(call.waited)
    if call.failure is not None:
        kind = type(call.failure).__name__
        _faults.labels(pool, kind).inc()
        LOG.warning("a call was lost in the pool %s after %.1f s: %s", pool, call.seconds, kind)
