"""Worker processes on this machine, each with a connection of its own.

Pools whose workers share one queue for results, as Python's own and loky's, stop for good if a worker is
killed while it sends: the rest of its message never comes, and meanwhile nobody else is heard. Here a worker
that dies, whenever that is, costs the one call that it had. Nor do workers import the main module of the
process that has the pool: in a Streamlit app that would be a page.
"""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import IO, Any

import cloudpickle

from rnnviz.training.worker import receive, send

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""Parallelism comes from the pool, and sums are rounded the same everywhere."""

WORK = "from rnnviz.training.worker import work; work({})"


@dataclass(eq=False)
class Call:
    """A call that waits for a worker, and the future that its caller was given."""

    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    result: Future[Any] = field(default_factory=Future)


class WorkerPool(Executor):
    """Worker processes, started when they are needed and ended when they have been idle.

    A call fails with ``BrokenProcessPool`` if its worker dies; the next one starts another worker. Ctrl-C
    does not reach workers: what it ends is for the process that has the pool to decide.

    workers : how many at most. niceness : how far they stand back for all other processes, as in nice(1).
    idle_seconds : how long an idle worker is kept.
    """

    def __init__(self, workers: int, niceness: int = 0, idle_seconds: float = 120.0) -> None:
        self._idle_seconds = idle_seconds
        self._calls: queue.SimpleQueue[Call | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._workers = [Worker(niceness) for _ in range(workers)]
        self._keepers: list[threading.Thread] = []  # one for each worker that was ever needed
        self._unfinished = 0
        self._closed = False

    @property
    def at_once(self) -> int:
        """The number of calls that can run at the same time."""
        return len(self._workers)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Queue a call; its future can be cancelled until a worker has it.

        Raises
        ------
        RuntimeError
            If the pool was closed.
        """
        call = Call(fn, args, kwargs)
        with self._lock:
            if self._closed:
                raise RuntimeError("the pool of workers was closed")
            self._unfinished += 1
            self._calls.put(call)
            number = len(self._keepers)
            if number < min(self._unfinished, len(self._workers)):
                keeper = threading.Thread(target=self._keep, args=[self._workers[number]], daemon=True)
                keeper.name = f"worker-keeper-{number}"
                keeper.start()
                self._keepers.append(keeper)
        return call.result

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more calls; with ``wait``, return when those that wait or run are done."""
        with self._lock:
            self._closed = True
        while cancel_futures:
            try:
                call = self._calls.get_nowait()
            except queue.Empty:
                break
            if call is not None:
                call.result.cancel()
        for _ in self._keepers:
            self._calls.put(None)  # behind all calls
        if wait:
            for keeper in self._keepers:
                keeper.join()

    def close(self) -> None:
        """End the pool and its workers for good, whatever they are doing."""
        self.shutdown(wait=False, cancel_futures=True)
        for worker in self._workers:
            worker.end(for_good=True)
        self.shutdown()

    def _keep(self, worker: Worker) -> None:
        """Pass calls to a worker until the pool is shut down."""
        while True:
            try:
                call = self._calls.get(timeout=self._idle_seconds)
            except queue.Empty:
                worker.end()
                continue
            if call is None:
                worker.end()
                return
            wanted = call.result.set_running_or_notify_cancel()
            tell = _outcome(worker, call) if wanted else None
            with self._lock:
                self._unfinished -= 1
            if tell is not None:
                tell()
            del call, tell  # nothing is kept for longer than whoever asked for it keeps it


def _outcome(worker: Worker, call: Call) -> Callable[[], None]:
    """Do a call; return what tells its future."""
    try:
        value = worker.do(call)
    except BaseException as failure:
        return partial(call.result.set_exception, failure)
    return partial(call.result.set_result, value)


class Worker:
    """A process that does one call after the other, started with the first one."""

    def __init__(self, niceness: int) -> None:
        self._niceness = niceness
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._ended = False

    def do(self, call: Call) -> Any:
        """Return the result of a call.

        Raises
        ------
        BrokenProcessPool
            If the process was ended meanwhile.
        BaseException
            What the call raised, or what prevents that it is sent or that its result is.
        """
        message = cloudpickle.dumps((call.function, call.args, call.kwargs))
        try:
            calls, answers = self._streams()
            send(calls, message)
            answer = receive(answers)
        except (EOFError, OSError) as lost:
            self.end()
            raise BrokenProcessPool("a worker process was ended, perhaps for want of memory") from lost
        succeeded, outcome = cloudpickle.loads(answer)
        if not succeeded:
            raise outcome
        return outcome

    def end(self, for_good: bool = False) -> None:
        """End the process, whatever it is doing.

        for_good : whether no other one shall be started with the next call.
        """
        with self._lock:
            self._ended = self._ended or for_good
            if self._process is None:
                return
            self._process.kill()
            for stream in (self._process.stdout, self._process.stdin):
                if stream is not None:
                    with suppress(OSError):  # half a message may be left to be sent
                        stream.close()
            self._process.wait()
            self._process = None

    def _streams(self) -> tuple[IO[bytes], IO[bytes]]:
        """Return where calls go and where answers come from; start the process if there is none."""
        with self._lock:
            if self._ended:
                raise EOFError("the pool of workers was closed")
            if self._process is None:
                self._process = subprocess.Popen(  # noqa: S603 - it runs what is written here
                    [sys.executable, "-c", WORK.format(self._niceness)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    env=os.environ | ONE_THREAD | {"PYTHONPATH": os.pathsep.join(sys.path)},
                    process_group=0
                    if os.name == "posix"
                    else None,  # Ctrl-C goes to the terminal's own group
                )
            calls, answers = self._process.stdin, self._process.stdout
        if calls is None or answers is None:
            raise EOFError("a worker without standard streams")
        return calls, answers
