"""A Dask cluster in place of this machine's worker processes, for as long as it can be used.

Dask is imported only where a cluster is named; it comes with the extra ``cluster``. Calls and results travel
as pickles of our own, as they do to a worker process, so they arrive as the same objects from both. The
cluster's workers need this library, too.
"""

from __future__ import annotations

import asyncio
import logging
import platform
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, InvalidStateError
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import cloudpickle
import numpy as np
from threadpoolctl import threadpool_limits

from rnnviz.training.worker import answer
from rnnviz.training.worker_pool import WorkerPool

CONNECTING, PATIENCE = 3.0, 10.0
"""Seconds in which a scheduler must accept a connection, and in which it must answer a question."""

LOOK_EVERY, RETRY_EVERY = 1.0, 10.0
"""Seconds between two questions how many workers there are, and between two attempts to connect."""

log = logging.getLogger(__name__)


def answer_on_one_thread(message: bytes) -> bytes:
    """Do a call in a worker of the cluster; on one thread sums are rounded as they are here."""
    threadpool_limits(1)  # for good, and for each thread: some libraries count them so
    return answer(message)


def _task() -> Callable[[bytes], bytes]:
    """Return ``answer_on_one_thread`` as an inner function: its whole code is sent, and the scheduler, which
    unpickles it, need not have this library.
    """

    def rnnviz(message: bytes) -> bytes:
        from rnnviz.training.cluster import answer_on_one_thread

        return answer_on_one_thread(message)

    return rnnviz


def versions() -> dict[str, str]:
    """Return what must be the same everywhere, so that results are."""
    major, minor, _ = platform.python_version_tuple()
    return {"Python": f"{major}.{minor}", "NumPy": np.__version__}


async def _reach(address: str) -> None:
    """Return once a scheduler answers; Dask's client would wait for good for one that accepts and is silent.

    Raises
    ------
    Exception
        If it does not answer in time.
    """
    from distributed.comm import connect
    from distributed.security import Security

    safely = Security().get_connection_args("client")
    comm = await asyncio.wait_for(connect(address, timeout=CONNECTING, **safely), CONNECTING)
    comm.abort()


def _problem(worker: str, told: dict[str, str] | Exception) -> str:
    """Return why a worker's results could not be used, "" if they can."""
    if isinstance(told, Exception):
        return f"The worker {worker} cannot use this library ({told})"
    differing = [name for name, here in versions().items() if told.get(name) != here]
    if not differing:
        return ""
    theirs = ", ".join(f"{name} {told.get(name)} in place of {versions()[name]}" for name in differing)
    return f"The worker {worker} has {theirs}"


@dataclass(eq=False)
class Crew:
    """The cluster while it can be used. executor : Dask's own. at_once : threads of all workers."""

    client: Any
    executor: Executor
    at_once: int


class Cluster(Executor):
    """The workers of a Dask cluster; while it cannot be used, those of a pool on this machine.

    A thread of its own connects, counts the workers, and connects again when a cluster that was lost is back;
    whoever submits waits for none of this. If a worker dies, Dask has another one compute its calls again. If
    the scheduler or the last worker is lost, calls under way fail with ``BrokenProcessPool``; submitted
    again, they go to the pool on this machine. One line in the log says so.

    address : the scheduler's, as tcp://host:port. here : the pool on this machine.
    """

    def __init__(self, address: str, here: WorkerPool) -> None:
        self._address, self._here = address, here
        self._crew: Crew | None = None
        self._lock = threading.Lock()
        self._watcher: threading.Thread | None = None
        self._under_way: set[Future[Any]] = set()
        self._tried, self._closed = threading.Event(), threading.Event()
        self._told = ""

    @property
    def at_once(self) -> int:
        """The number of calls that can run at the same time."""
        crew = self._usable()
        return crew.at_once if crew else self._here.at_once

    def connect(self, wait: float = 0.0) -> None:
        """Begin to connect; wait so many seconds at most until that has succeeded or failed."""
        with self._lock:
            if self._watcher is None and not self._closed.is_set():
                self._watcher = threading.Thread(target=self._watch, name="cluster-watcher", daemon=True)
                self._watcher.start()
        self._tried.wait(wait)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Send a call to the cluster, or to the pool on this machine while there is no cluster."""
        self.connect()
        crew = self._usable()
        if crew is None:
            return self._here.submit(fn, *args, **kwargs)
        result: Future[Any] = Future()
        result.set_running_or_notify_cancel()
        sent = crew.executor.submit(_task(), cloudpickle.dumps((fn, args, kwargs)))
        with self._lock:
            self._under_way.add(result)
        sent.add_done_callback(partial(self._receive, result))
        if self._crew is not crew:  # it was given up meanwhile
            self._lose([result])
        return result

    def close(self) -> None:
        """End the connection and the pool on this machine; calls under way are lost."""
        self._closed.set()
        self._here.close()
        with self._lock:
            watcher = self._watcher
        if watcher is not None:
            watcher.join(CONNECTING)
        self._give_up()

    def _usable(self) -> Crew | None:
        crew = self._crew
        return crew if crew and crew.client.status == "running" else None

    def _receive(self, result: Future[Any], sent: Future[bytes]) -> None:
        """Pass on a result; runs on Dask's thread."""
        with self._lock:
            self._under_way.discard(result)
        if sent.cancelled():
            self._lose([result])
            return
        failure = sent.exception()
        with suppress(InvalidStateError):  # it was given up meanwhile
            try:
                succeeded, outcome = (False, failure) if failure else cloudpickle.loads(sent.result())
            except Exception as unreadable:
                succeeded, outcome = False, unreadable
            if succeeded:
                result.set_result(outcome)
            else:
                result.set_exception(outcome)

    def _lose(self, results: list[Future[Any]]) -> None:
        for result in results:
            with suppress(InvalidStateError):
                result.set_exception(BrokenProcessPool(f"the cluster at {self._address} was lost"))

    def _give_up(self) -> None:
        """Use the cluster no more, for now; whoever waits for it hears of that."""
        self._crew = None
        with self._lock:
            lost, self._under_way = list(self._under_way), set()
        self._lose(lost)

    def _tell(self, problem: str) -> None:
        """Log once why the cluster is not used; "" if it is."""
        if problem and problem != self._told and not self._closed.is_set():
            log.warning("%s; work is done on this machine.", problem)
        self._told = problem
        self._tried.set()

    def _watch(self) -> None:
        """Stay connected until the pool is closed."""
        try:
            from distributed import Client
        except ImportError:
            self._tell(
                "RNNVIZ_SCHEDULER is set, but dask.distributed is not installed (pip install distributed)"
            )
            return
        for name in ("distributed", "distributed.client"):
            logging.getLogger(name).setLevel(logging.CRITICAL)  # what happens is told here
        while not self._closed.is_set():
            problem = "cannot be reached"
            try:
                asyncio.run(_reach(self._address))
                with Client(self._address, timeout=CONNECTING, set_as_default=False) as client:
                    problem = "was lost"
                    self._follow(client)
            except Exception as failure:
                log.debug("No connection to %s", self._address, exc_info=failure)
            self._tell(f"The Dask cluster at {self._address} {problem}")
            self._closed.wait(RETRY_EVERY)

    def _follow(self, client: Any) -> None:
        """Let calls go to the workers that there are, for as long as there is a connection."""
        problems: dict[str, str] = {}  # of each worker, "" if it has none
        try:
            while not self._closed.is_set():
                threads = client.sync(client.scheduler.ncores, callback_timeout=PATIENCE)
                fresh = list(threads.keys() - problems.keys())
                found = client.run(versions, workers=fresh, on_error="return") if fresh else {}
                if client.status != "running":
                    return
                problems = {worker: problems.get(worker, "") for worker in threads}
                problems |= {worker: _problem(worker, told) for worker, told in found.items()}
                none = "" if threads else f"The Dask cluster at {self._address} has no workers"
                self._use(client, sum(threads.values()), none or next(filter(None, problems.values()), ""))
                self._closed.wait(LOOK_EVERY)
        finally:
            self._give_up()

    def _use(self, client: Any, at_once: int, problem: str) -> None:
        """Let calls go to the cluster from now on, unless there is a problem."""
        crew = self._crew
        if problem:
            self._give_up()
            if crew:
                crew.executor.shutdown(wait=False)  # nobody waits for those calls any more
        elif crew:
            crew.at_once = at_once
        else:
            self._crew = Crew(client, client.get_executor(pure=False), at_once)
        self._tell(problem)
