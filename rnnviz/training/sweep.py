"""Long computations in independent parts, with results available as they finish."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from typing import Any


class Sweep:
    """Parts of a computation in an executor, and their results so far.

    Only as many parts as can run at once are submitted, and the next one when a part is done: what a pool
    has in its queue can no longer be cancelled. Any executor with the ``concurrent.futures`` interface can be
    used; its workers need the library.

    results : one per part, None where there is none yet.
    cancelled : whether it was stopped before the end.
    """

    def __init__(
        self,
        function: Callable[[Any], Any],
        parts: Sequence[Any],
        executor: Executor,
        at_once: int | None = None,
    ) -> None:
        self.parts = parts
        self.results: list[Any] = [None] * len(parts)
        self.cancelled = False
        self._function, self._executor = function, executor
        self._lock = threading.RLock()
        self._begun = self._done = 0
        self._failure: BaseException | None = None
        self._over = threading.Event()
        for _ in range(at_once or os.cpu_count() or 1):
            self._begin_next()

    @property
    def done(self) -> int:
        """The number of finished parts."""
        return self._done

    @property
    def progress(self) -> float:
        """The share of finished parts, 0 to 1."""
        return self._done / max(1, len(self.parts))

    @property
    def running(self) -> bool:
        """Whether more results will come."""
        return not self._over.is_set()

    def cancel(self) -> None:
        """Stop; results of running parts are discarded."""
        with self._lock:
            if self.running:
                self.cancelled = True
                self._over.set()

    def wait(self) -> list[Any]:
        """Wait for every part and return the results.

        Raises
        ------
        Exception
            The exception of a part, or the one that ended the executor.
        """
        self._over.wait()
        if self._failure is not None:
            raise self._failure
        return self.results

    def _begin_next(self) -> None:
        with self._lock:
            if self._done == len(self.parts):
                self._over.set()
            if self._over.is_set() or self._begun == len(self.parts):
                return
            number = self._begun
            self._begun += 1
            try:
                future = self._executor.submit(self._function, self.parts[number])
            except RuntimeError as failure:  # the executor was shut down, or its workers died
                self._failure = failure
                self.cancel()
                return
        future.add_done_callback(lambda done: self._receive(number, done))

    def _receive(self, number: int, future: Future[Any]) -> None:
        with self._lock:
            if self._over.is_set():
                return
            self._failure = future.exception()
            if self._failure is not None:
                self.cancel()
                return
            self.results[number] = future.result()
            self._done += 1
        self._begin_next()
