"""The log and the numbers of what happens on the server: a line for each event, and nobody's data."""

from __future__ import annotations

import logging
from concurrent.futures import Executor, Future
from typing import Any

import pytest
from prometheus_client import generate_latest
from streamlit.runtime import Runtime

from rnnviz import PRESETS, Experiment
from rnnviz.training.turns import Served
from rnnviz.ui import events, operation
from rnnviz.ui.live_run import MAX_FAILURES, LiveRun
from tests.training.test_turns import Workers, name, turns_of
from tests.watcher import watched

SMALL = Experiment(seq_len=5, hidden_size=8, batch_size=8)
OWN_WORDS = "my diary"


class Here(Executor):
    """Computes at once."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


class Lost(Executor):
    """Loses every call."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_exception(ValueError(OWN_WORDS))
        return future


@pytest.fixture(autouse=True)
def _informed(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "rnnviz")


def value(sample: str, **labels: str) -> float:
    return events.REGISTRY.get_sample_value(sample, labels) or 0.0


def test_the_numbers_are_there_before_the_first_visitor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Runtime, "_instance", None)
    assert b"rnnviz_runs_playing" in generate_latest(operation.REGISTRY)


def test_a_run_is_told_of_when_it_makes_its_first_update_and_not_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    before = value("rnnviz_runs_begun_total")
    run = watched(LiveRun(SMALL, executor=Here()))
    assert not caplog.messages, "nobody has played it"
    for _ in range(3):
        run.step()
    assert run.state.step == 3
    assert caplog.messages == [f"run {run.id} began: recall, vanilla, T = 5, H = 8"]
    assert value("rnnviz_runs_begun_total") == before + 1


def test_a_run_of_own_words_does_not_tell_them(caplog: pytest.LogCaptureFixture) -> None:
    e = Experiment(task="characters", topology="many-to-many", seq_len=5, hidden_size=4)
    e = e.replace(corpus="own", text=OWN_WORDS * 5)
    watched(LiveRun(e, executor=Here())).step()
    assert len(caplog.messages) == 1
    assert OWN_WORDS not in caplog.text


def test_divergence_is_told_of(caplog: pytest.LogCaptureFixture) -> None:
    run = watched(LiveRun(PRESETS["exploding"].experiment, executor=Here()))
    before = value("rnnviz_runs_diverged_total")
    run.train(400)
    assert run.finished
    assert caplog.messages[-1] == f"run {run.id} diverged after {run.state.step} updates"
    assert value("rnnviz_runs_diverged_total") == before + 1


def test_a_run_that_cannot_go_on_is_told_of_by_the_kind_of_its_failure(
    caplog: pytest.LogCaptureFixture,
) -> None:
    run = watched(LiveRun(SMALL, executor=Lost()))
    before = value("rnnviz_runs_failed_total")
    run.play()
    for _ in range(MAX_FAILURES):
        run.resume()
    assert run.problem is not None
    assert caplog.messages[-1] == f"run {run.id} stopped after 0 updates: ValueError"
    assert OWN_WORDS not in caplog.text
    assert value("rnnviz_runs_failed_total") == before + 1


def test_calls_are_counted_with_their_times_and_faults_by_their_kind(
    caplog: pytest.LogCaptureFixture,
) -> None:
    before = {what: value(f"rnnviz_{what}_seconds_count", pool="tested") for what in ("call", "wait")}
    for failure in (None, MemoryError(OWN_WORDS)):
        events.served("tested", Served(waited=0.03, seconds=2.0, failure=failure))
    for what, count in before.items():
        assert value(f"rnnviz_{what}_seconds_count", pool="tested") == count + 2
    assert value("rnnviz_faults_total", pool="tested", kind="MemoryError") == 1
    assert caplog.messages == ["a call was lost in the pool tested after 2.0 s: MemoryError"]
    assert value("rnnviz_wait_seconds_bucket", pool="tested", le="0.025") == 0
    assert value("rnnviz_wait_seconds_bucket", pool="tested", le="0.05") == 2


def test_turns_tell_how_long_a_call_waited_and_took() -> None:
    pool, told = Workers(), list[Served]()
    turns = turns_of(pool, told=told.append)
    line = turns.line()
    line.submit(name, "first")
    second = line.submit(name, "second")
    assert (turns.under_way, turns.waiting) == (1, 1)
    pool.now = 3.0
    pool.finish()
    assert (turns.under_way, turns.waiting) == (1, 0)
    pool.now = 4.5
    failure = MemoryError()
    pool.running.pop()[1].set_exception(failure)
    assert told == [Served(0.0, 3.0, None), Served(3.0, 1.5, failure)]
    assert second.exception(timeout=0) is failure


def test_a_limit_is_told_of(caplog: pytest.LogCaptureFixture) -> None:
    before = value("rnnviz_limits_reached_total", limit="files")
    events.limit_reached("files", "a visitor already has 4; another upload is refused")
    assert caplog.messages == ["limit reached, files: a visitor already has 4; another upload is refused"]
    assert value("rnnviz_limits_reached_total", limit="files") == before + 1
