"""Workers: what they are sent and what comes back, and what their deaths cost."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future
from concurrent.futures.process import BrokenProcessPool
from typing import IO, Any

import numpy as np
import pytest

from rnnviz.training import worker
from rnnviz.training.worker_pool import WorkerPool

LARGE = 3_000_000
"""Bytes: far more than a pipe holds."""


@pytest.fixture(scope="module")
def pool() -> Iterator[WorkerPool]:
    """A pool that outlives what the tests do to it."""
    pool = WorkerPool(2)
    yield pool
    pool.close()


def everybody(pool: WorkerPool) -> list[int]:
    """The processes of a pool with two workers; both are busy for a moment."""
    together = [pool.submit(_process_after, 0.2) for _ in range(2)]
    return [one.result(timeout=60) for one in together]


def _process_after(seconds: float) -> int:
    time.sleep(seconds)
    return os.getpid()


def _end_this_process() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _end_in_the_middle_of_the_answer() -> bytes:
    def half(stream: IO[bytes], message: bytes) -> None:
        stream.write(worker.LENGTH.pack(len(message)))
        stream.write(message[: len(message) // 2])
        stream.flush()
        _end_this_process()

    worker.send = half
    return bytes(LARGE)


def _raise(failure: Exception) -> None:
    raise failure


class Unsendable(Exception):
    """An exception that cannot be pickled."""

    def __init__(self) -> None:
        super().__init__("with a lock")
        self.lock = threading.Lock()


class Unreadable:
    """A result that is pickled, but cannot be unpickled."""

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return _raise, (ValueError("not to be read"),)


def test_large_arguments_and_results_arrive_whole(pool: WorkerPool) -> None:
    sent = np.random.default_rng(0).normal(size=LARGE // 8)
    answers = [pool.submit(np.negative, sent) for _ in range(6)]
    for answer in answers:
        np.testing.assert_array_equal(answer.result(timeout=60), -sent)


def test_no_more_workers_are_started_than_are_needed() -> None:
    pool = WorkerPool(3)
    one_by_one = {pool.submit(os.getpid).result(timeout=60) for _ in range(5)}
    assert len(one_by_one) == 1
    assert len({*everybody(pool), *one_by_one}) == 2
    pool.close()


def test_what_a_call_prints_does_not_disturb_its_answer(capfd: pytest.CaptureFixture[str]) -> None:
    pool = WorkerPool(1)
    assert pool.submit(lambda: print("printed", flush=True)).result(timeout=60) is None
    pool.close()
    assert capfd.readouterr() == ("", "printed\n")


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: _raise(KeyError("missing")), KeyError, "missing"),
        (lambda: sys.exit(3), SystemExit, "3"),
        (lambda: _raise(Unsendable()), RuntimeError, "Unsendable: with a lock"),
        (lambda: threading.Lock(), TypeError, "lock"),  # a result that cannot be sent
        (lambda: Unreadable(), ValueError, "not to be read"),
    ],
)
def test_a_failure_is_the_calls_own_and_the_worker_goes_on(
    pool: WorkerPool, call: Callable[[], Any], error: type[BaseException], message: str
) -> None:
    before = everybody(pool)
    with pytest.raises(error, match=message):
        pool.submit(call).result(timeout=60)
    assert set(everybody(pool)) == set(before)


def test_a_failure_tells_where_in_the_worker_it_happened(pool: WorkerPool) -> None:
    failure = pool.submit(_raise, KeyError("missing")).exception(timeout=60)
    assert failure is not None
    assert "in _raise" in "".join(failure.__notes__)


def test_arguments_that_cannot_be_sent_fail_before_a_worker_is_asked(pool: WorkerPool) -> None:
    with pytest.raises(TypeError, match="lock"):
        pool.submit(id, threading.Lock()).result(timeout=60)


@pytest.mark.parametrize("death", [_end_this_process, _end_in_the_middle_of_the_answer])
def test_a_worker_that_dies_costs_its_own_call_alone(pool: WorkerPool, death: Callable[[], Any]) -> None:
    """In a pool with one queue for all results nobody is heard after half a message."""
    everybody(pool)
    lost, other = pool.submit(death), pool.submit(_process_after, 0.5)
    with pytest.raises(BrokenProcessPool):
        lost.result(timeout=60)
    assert other.result(timeout=60) in everybody(pool)


def test_a_worker_that_dies_while_it_is_sent_a_call_costs_that_call_alone(pool: WorkerPool) -> None:
    stopped, other = everybody(pool)
    os.kill(stopped, signal.SIGSTOP)
    calls = [pool.submit(len, bytes(LARGE)) for _ in range(2)]  # one of them fills the stopped one's pipe
    while not any(call.done() for call in calls):
        time.sleep(0.01)
    os.kill(stopped, signal.SIGKILL)
    outcomes = [call.exception(timeout=60) for call in calls]
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["BrokenProcessPool", "NoneType"]
    after = everybody(pool)
    assert other in after
    assert stopped not in after


def test_an_idle_worker_is_ended_and_replaced_when_there_is_work() -> None:
    pool = WorkerPool(1, idle_seconds=0.05)
    first = pool.submit(os.getpid).result(timeout=60)
    deadline = time.monotonic() + 20
    while True:
        try:
            os.kill(first, 0)
        except ProcessLookupError:
            break
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert pool.submit(os.getpid).result(timeout=60) != first
    pool.close()


def test_a_call_can_be_cancelled_until_a_worker_has_it(pool: WorkerPool) -> None:
    under_way = [pool.submit(_process_after, 0.3) for _ in range(2)]
    waiting = pool.submit(os.getpid)
    assert waiting.cancel()
    with pytest.raises(CancelledError):
        waiting.result()
    assert len({one.result(timeout=60) for one in under_way}) == 2
    assert not under_way[0].cancel()


def test_shutting_down_finishes_what_was_submitted() -> None:
    with WorkerPool(1) as pool:
        calls = [pool.submit(pow, 2, n) for n in range(4)]
    assert [call.result(timeout=0) for call in calls] == [1, 2, 4, 8]
    with pytest.raises(RuntimeError, match="was closed"):
        pool.submit(os.getpid)


def test_closing_ends_what_is_under_way_and_what_waits() -> None:
    pool = WorkerPool(1)
    process = pool.submit(os.getpid).result(timeout=60)
    under_way, waiting = pool.submit(time.sleep, 600), pool.submit(time.sleep, 600)
    while not under_way.running():
        time.sleep(0.01)
    told: list[Future[Any]] = []
    waiting.add_done_callback(told.append)
    pool.close()
    assert isinstance(under_way.exception(timeout=0), BrokenProcessPool)
    assert waiting.cancelled()
    assert told == [waiting]
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
    pool.close()  # once more does no harm
