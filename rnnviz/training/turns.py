"""Fair turns of many visitors in one pool of workers.

Each visitor's work waits in a line of its own, first come, first served. Every line gets the same share of
the workers' time, and a short task waits for one long task at most, however many visitors have long ones.
This is worst-case fair weighted fair queueing (WF2Q+, Bennett & Zhang 1997), with seconds of a worker in
place of packets' lengths: each line has a virtual time at which its next task would begin if all lines were
served evenly and at once. Of the lines whose time has come, that one is next whose task would be done first.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any


@dataclass(eq=False)
class Task:
    """A call that waits for a worker.

    begin : submits it to a pool. result : the future that its caller was given. begun : when, by the clock.
    charged : the seconds that its line was charged in advance. queued : when it was submitted.
    """

    begin: Callable[[Executor], Future[Any]]
    result: Future[Any] = field(default_factory=Future)
    begun: float = 0.0
    charged: float = 0.0
    queued: float = 0.0


@dataclass(frozen=True)
class Served:
    """A task that is done: the seconds that it waited and took, and why it was lost; None if it was not."""

    waited: float
    seconds: float
    failure: BaseException | None


def _nothing(_: Served) -> None:
    """Do nothing when a task is done."""


class Turns:
    """Shares a pool among lines of tasks.

    A thread of its own gets the pool and hands tasks to it, so that whoever submits never waits, not even
    for workers that are being started anew. A task is handed over only when a worker is free to take it:
    what a pool has in its queue can no longer be cancelled, nor overtaken.

    pool : returns the pool. workers : returns how many tasks it can run at once.
    clock : the time in seconds. aside : runs the handing over; tests replace the two.
    told : called for each task that is done, on one of the pool's threads; it must not wait.
    """

    def __init__(
        self,
        pool: Callable[[], Executor],
        workers: Callable[[], int],
        clock: Callable[[], float] = time.perf_counter,
        aside: Executor | None = None,
        told: Callable[[Served], None] = _nothing,
    ) -> None:
        self._pool, self._workers, self._clock = pool, workers, clock
        self._aside = aside or ThreadPoolExecutor(max_workers=1, thread_name_prefix="turns")
        self._told = told
        self._lock = threading.Lock()
        self._lines: list[Line] = []  # those with tasks, waiting or under way
        self._under_way = 0
        self._now = 0.0  # virtual time: the seconds that each line has been due so far

    @property
    def at_once(self) -> int:
        """The number of tasks that can run at the same time."""
        return self._workers()

    def line(self) -> Line:
        """Return a new line, one for each visitor."""
        return Line(self)

    @property
    def waiting(self) -> int:
        """The number of tasks without a worker."""
        with self._lock:
            return sum(len(line.waiting) for line in self._lines)

    @property
    def under_way(self) -> int:
        """The number of tasks that workers have."""
        return self._under_way

    def _add(self, line: Line, task: Task) -> None:
        with self._lock:
            if line not in self._lines:
                line.next = max(line.next, self._now)  # who was away saves up nothing
                self._lines.append(line)
            task.queued = self._clock()
            line.waiting.append(task)
        self._aside.submit(self._hand_over)

    def _hand_over(self) -> None:
        """Give tasks to all free workers."""
        while (chosen := self._choose()) is not None:
            line, task = chosen
            if not task.result.set_running_or_notify_cancel():
                self._leave(line, task, seconds=0.0)
                continue
            task.begun = self._clock()
            try:
                future = task.begin(self._pool())
            except Exception as failure:  # the pool is closed, or cannot be started
                self._leave(line, task, seconds=0.0)
                task.result.set_exception(failure)
            else:
                future.add_done_callback(partial(self._receive, line, task))

    def _choose(self) -> tuple[Line, Task] | None:
        """Take the task whose turn it is; None if no worker is free or no task waits."""
        with self._lock:
            waiting = [line for line in self._lines if line.waiting]
            if self._under_way >= self._workers() or not waiting:
                return None
            self._now = max(self._now, min(line.next for line in waiting))
            due = [line for line in waiting if line.next <= self._now]
            line = min(due, key=lambda one: one.next + one.cost)
            task = line.waiting.popleft()
            task.charged = line.cost
            line.next += task.charged
            line.under_way += 1
            self._under_way += 1
            return line, task

    def _leave(self, line: Line, task: Task, seconds: float) -> None:
        """Free a worker; seconds : how long the task took."""
        with self._lock:
            self._now += seconds / len(self._lines)
            line.next += seconds - task.charged
            line.under_way -= 1
            self._under_way -= 1
            if not line.waiting and not line.under_way:
                self._lines.remove(line)

    def _receive(self, line: Line, task: Task, done: Future[Any]) -> None:
        """Begin the next task, then pass on the result of this one; runs on one of the pool's threads."""
        line.cost = self._clock() - task.begun
        self._leave(line, task, line.cost)
        self._aside.submit(self._hand_over)
        failure = RuntimeError("a worker was stopped") if done.cancelled() else done.exception()
        self._told(Served(task.begun - task.queued, line.cost, failure))
        if failure is None:
            task.result.set_result(done.result())
        else:
            task.result.set_exception(failure)


class Line(Executor):
    """One visitor's line of tasks: an executor that never makes its caller wait.

    waiting, under_way : its tasks without a worker, and the number of those with one.
    next : virtual time at which its next task would begin. cost : seconds that its last task took.
    """

    def __init__(self, turns: Turns) -> None:
        self.waiting: deque[Task] = deque()
        self.under_way = 0
        self.next = self.cost = 0.0
        self._turns = turns

    @property
    def at_once(self) -> int:
        """The number of tasks that the pool can run at the same time."""
        return self._turns.at_once

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Queue a call; its future can be cancelled for as long as it waits."""
        task = Task(lambda pool: pool.submit(fn, *args, **kwargs))
        self._turns._add(self, task)
        return task.result
