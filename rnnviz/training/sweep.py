"""Long computations in independent parts, with results available as they finish."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Executor, Future
from functools import partial
from typing import Any

from rnnviz.training.executor import at_once, in_a_line

MAX_LOSSES = 3
"""A sweep fails when one of its parts has been lost this often."""


def _always() -> bool:
    return True


def _nothing() -> None:
    """Do nothing when something has changed."""


class Sweep:
    """Parts of a computation in an executor, and their results so far.

    Only as many parts as can run at once are submitted, and the next one when a part is done: what a pool
    has in its queue can no longer be cancelled. Any executor with the ``concurrent.futures`` interface can be
    used; its workers need the library. A part that is lost (its worker died, or it raised an exception) is
    submitted again; if it is lost MAX_LOSSES times, the sweep fails.

    executor : where the parts are computed. most : how many at once, by default as many as it can run.
    wanted : whether further parts may begin. If not, the sweep stands still until it is resumed.
    changed : called after each part and each failure, on any thread; it must not wait.
    results : one per part, None where there is none yet.
    cancelled : whether it was stopped before the end, also by a failure.
    under_way : how many parts workers have, those of a cancelled sweep included.
    """

    def __init__(
        self,
        function: Callable[[Any], Any],
        parts: Sequence[Any],
        executor: Executor,
        most: int | None = None,
        wanted: Callable[[], bool] = _always,
        changed: Callable[[], None] = _nothing,
    ) -> None:
        self.parts = parts
        self.results: list[Any] = [None] * len(parts)
        self.cancelled = False
        self.under_way = 0
        self._function, self._executor, self._wanted, self._changed = function, executor, wanted, changed
        self._most = most
        self._lock = threading.RLock()
        self._waiting = deque(range(len(parts)))  # the numbers of the parts that no worker has
        self._losses: Counter[int] = Counter()
        self._done = 0
        self._failure: BaseException | None = None
        self._over = threading.Event()
        if not parts:
            self._over.set()
        self.resume()

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

    @property
    def problem(self) -> str | None:
        """Why it failed, in a line; None if it did not."""
        return None if self._failure is None else in_a_line(self._failure)

    @property
    def version(self) -> int:
        """A number that grows with each result, and at the end."""
        return self._done + self._over.is_set()

    def resume(self) -> None:
        """Begin as many parts as can run at once, if they are wanted."""
        while (number := self._next()) is not None:
            try:
                future = self._executor.submit(self._function, self.parts[number])
            except Exception as failure:  # the executor was shut down, or its workers died
                future = Future()
                future.set_exception(failure)
            future.add_done_callback(partial(self._receive, number))

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

    def _next(self) -> int | None:
        """Return the number of the next part, from now on under way; None if no part may begin."""
        with self._lock:
            room = self.under_way < (self._most or at_once(self._executor)) and bool(self._waiting)
            if not (self.running and room and self._wanted()):
                return None
            self.under_way += 1
            return self._waiting.popleft()

    def _receive(self, number: int, future: Future[Any]) -> None:
        """Keep a part's result and begin the next part; runs on one of the executor's threads."""
        failure = CancelledError() if future.cancelled() else future.exception()
        with self._lock:
            self.under_way -= 1
            if failure is not None:
                self._lose(number, failure)
            elif self.running:
                self._keep(number, future.result())
        self.resume()
        self._changed()

    def _keep(self, number: int, result: Any) -> None:
        self.results[number] = result
        self._done += 1
        if self._done == len(self.parts):
            self._over.set()

    def _lose(self, number: int, failure: BaseException) -> None:
        """Let a part be submitted again, or end."""
        self._losses[number] += 1
        self._waiting.appendleft(number)
        if self._losses[number] == MAX_LOSSES and self.running:
            self._failure = failure
            self.cancel()
