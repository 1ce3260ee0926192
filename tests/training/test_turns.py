"""Fair turns: nobody starves, nothing is handed over too early, nobody waits for a pool."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnviz.training.turns import Turns


class AtOnce(Executor):
    """Runs a call in the thread that submits it."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        fn(*args, **kwargs)
        return Future()


class Workers(Executor):
    """A pool whose tasks a test ends by hand; ``now`` is its clock."""

    def __init__(self) -> None:
        self.now = 0.0
        self.running: list[tuple[Any, Future[Any]]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_running_or_notify_cancel()
        self.running.append((fn(*args, **kwargs), future))
        return future

    def finish(self, number: int = 0) -> Any:
        value, future = self.running.pop(number)
        future.set_result(value)
        return value

    @property
    def names(self) -> list[Any]:
        return [value for value, _ in self.running]


def name(value: str) -> str:
    return value


def turns_of(pool: Workers, workers: int = 1, **more: Any) -> Turns:
    return Turns(lambda: pool, lambda: workers, clock=lambda: pool.now, aside=AtOnce(), **more)


def test_a_result_and_an_error_reach_the_caller() -> None:
    with ThreadPoolExecutor(2) as pool:
        line = Turns(lambda: pool, lambda: 2).line()
        assert line.submit(divmod, 7, 2).result(timeout=10) == (3, 1)
        with pytest.raises(ZeroDivisionError):
            line.submit(divmod, 7, 0).result(timeout=10)


def test_no_more_is_handed_over_than_the_workers_can_run() -> None:
    pool = Workers()
    line = turns_of(pool, workers=2).line()
    for k in range(5):
        line.submit(name, k)
    assert pool.names == [0, 1]
    pool.finish(1)
    assert pool.names == [0, 2]


def test_what_waits_can_be_cancelled_and_costs_no_worker() -> None:
    pool = Workers()
    line = turns_of(pool).line()
    line.submit(name, "first")
    second, third = line.submit(name, "second"), line.submit(name, "third")
    assert second.cancel()
    pool.finish()
    assert pool.names == ["third"]
    assert pool.finish() == third.result(timeout=1)


def test_a_small_task_waits_for_at_most_one_large_one() -> None:
    """Ten visitors whose tasks take a second each, and one whose tasks take 10 ms."""
    pool = Workers()
    turns = turns_of(pool)
    large, small = [turns.line() for _ in range(10)], turns.line()
    for line in large:
        line.submit(name, line)
    small.submit(name, small)
    served = []
    for _ in range(200):
        line = pool.names[0]
        pool.now += 0.01 if line is small else 1.0
        line.submit(name, line)  # before it ends, as a run that plays has its next chunk at once
        served.append(pool.finish())
    at_first, *waits = "".join("s" if line is small else "L" for line in served).split("s")
    assert len(at_first) <= 10, "nobody knows yet which tasks are large"
    assert max(map(len, waits)) == 1
    assert served.count(small) >= 80


def test_who_was_away_saves_up_nothing() -> None:
    pool = Workers()
    turns = turns_of(pool)
    busy, late = turns.line(), turns.line()
    for _ in range(100):
        busy.submit(name, "busy")
        pool.now += 1.0
        pool.finish()
    for _ in range(4):
        busy.submit(name, "busy")
        late.submit(name, "late")
    order = []
    for _ in range(8):
        pool.now += 1.0
        order.append(pool.finish())
    assert order[1:].count("late") == 4
    assert "late late late" not in " ".join(order)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.floats(0.02, 2.0), min_size=2, max_size=6), st.integers(1, 3))
def test_time_is_shared_evenly_whatever_tasks_take(seconds: list[float], workers: int) -> None:
    """Lines that always have work get the same time, up to one task of each."""
    pool = Workers()
    turns = turns_of(pool, workers)
    lines = [turns.line() for _ in seconds]
    given_time = [0.0] * len(lines)
    for k, line in enumerate(lines):
        for _ in range(workers + 1):
            line.submit(name, k)
    ends: list[tuple[float, int]] = [(pool.now + seconds[k], k) for k in pool.names]
    while pool.now < 50:
        pool.now, k = min(ends)
        ends.remove((pool.now, k))
        lines[k].submit(name, k)
        before = len(pool.running)
        pool.finish(pool.names.index(k))
        given_time[k] += seconds[k]
        ends += [(pool.now + seconds[new], new) for new in pool.names[before - 1 :]]
    share = min(workers, len(lines)) * 50 / len(lines)
    if len(lines) > workers:
        assert min(given_time) >= share - (workers + 2) * max(seconds)


def test_a_pool_that_cannot_be_had_fails_the_task_and_not_the_next() -> None:
    pool = Workers()
    fails = [RuntimeError("no pool")]

    def get() -> Executor:
        if fails:
            raise fails.pop()
        return pool

    line = Turns(get, lambda: 1, aside=AtOnce()).line()
    lost, kept = line.submit(name, "lost"), line.submit(name, "kept")
    with pytest.raises(RuntimeError, match="no pool"):
        lost.result(timeout=1)
    assert pool.finish() == kept.result(timeout=1)


def test_nobody_waits_while_a_pool_is_started() -> None:
    begun, go = threading.Event(), threading.Event()

    def slow() -> Executor:
        begun.set()
        go.wait(10)
        return pool

    with ThreadPoolExecutor(1) as pool:
        result = Turns(slow, lambda: 1).line().submit(divmod, 7, 2)
        assert begun.wait(10)
        assert not result.done()
        go.set()
        assert result.result(timeout=10) == (3, 1)


def test_a_task_may_submit_the_next_one_when_it_is_done() -> None:
    """As a run does in the callback of a chunk."""
    over = threading.Event()
    count = []

    with ThreadPoolExecutor(2) as pool:
        line = Turns(lambda: pool, lambda: 2).line()

        def again(done: Future[Any]) -> None:
            count.append(done.result())
            if len(count) == 50:
                over.set()
            else:
                line.submit(time.sleep, 0).add_done_callback(again)

        line.submit(time.sleep, 0).add_done_callback(again)
        assert over.wait(20)
