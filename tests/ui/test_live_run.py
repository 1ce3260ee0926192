"""A run that trains in worker processes: it never waits for its page, and never outlives it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from rnnviz import PRESETS, Experiment, Params, train
from rnnviz.training.executor import local_pool
from rnnviz.training.loop import advance
from rnnviz.ui.chunk import get_ready
from rnnviz.ui.live_run import MAX_FAILURES, LiveRun, Phase
from tests.watcher import Watcher, watched

SMALL = Experiment(seq_len=5, hidden_size=8, batch_size=8)
TICK = 0.1


@pytest.fixture(scope="module", autouse=True)
def _warm_pool() -> None:
    """Workers that have imported the library, so that times below are times of training."""
    for future in [local_pool().submit(get_ready) for _ in range(3)]:
        future.result(timeout=60)


def look_until(run: LiveRun, condition: Callable[[], bool], seconds: float = 20) -> None:
    """Do as a connection does: resume the run if it waits."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"still not true at step {run.state.step}; {run.problem}"
        run.resume()
        time.sleep(TICK)


def resume_for(run: LiveRun, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        run.resume()
        time.sleep(TICK)


def settled(run: LiveRun) -> int:
    """The step at which a run stays that was paused."""
    assert not run.playing
    return run.state.step


def played(e: Experiment = SMALL, **settings: Any) -> LiveRun:
    run = watched(LiveRun(e))
    for name, value in settings.items():
        setattr(run, name, value)
    run.play()
    return run


# What is measured


def pid_and_weight(e: Experiment, params: Params) -> tuple[int, float]:
    """Where this was measured, and the first weight."""
    return os.getpid(), float(params.flat()[0])


def test_while_a_run_trains_its_workers_measure() -> None:
    run = played(measure=pid_and_weight)
    for _ in range(3):
        step = run.state.step
        look_until(run, lambda step=step: run.state.step > step)  # type: ignore[misc]
        look = run.moment()
        pid, weight = look.measured
        assert pid != os.getpid()
        assert weight == look.state.params.flat()[0], "of the state shown"
    run.pause()
    assert run.moment().measured[0] != os.getpid(), "what stands still is still what a worker measured"


# Play, pause, step


def test_a_new_run_stands_still() -> None:
    run = watched(LiveRun(SMALL))
    look = run.moment()
    assert (look.state.step, look.snapshot.step, look.rate) == (0, 0, 0.0)
    assert not run.playing
    time.sleep(2 * TICK)
    assert run.state.step == 0


def test_a_run_trains_and_shows_what_it_trained() -> None:
    run = played()
    look_until(run, lambda: run.state.step > 50 and run.moment().rate > 0)  # a rate takes two chunks
    look = run.moment()
    assert look.snapshot.step == look.state.step, "the picture belongs to the numbers beside it"
    assert look.rate > 0
    run.pause()


def test_pause_stops_at_the_update_that_is_shown() -> None:
    run = played()
    look_until(run, lambda: run.state.step > 0)
    run.pause()
    step = settled(run)
    resume_for(run, 0.5)
    assert run.state.step == step
    assert run.moment().rate == 0.0
    run.play()
    look_until(run, lambda: run.state.step > step)
    run.pause()


def test_step_makes_one_update() -> None:
    run = watched(LiveRun(SMALL))
    for step in (1, 2, 3):
        run.step()
        look_until(run, lambda: not run.playing)
        assert run.state.step == step
    np.testing.assert_array_equal(run.state.params.flat(), train(SMALL, 3).params.flat())


def test_step_in_the_middle_of_a_run_pauses_it_and_loses_nothing() -> None:
    run = played(speed=2.0)
    look_until(run, lambda: run.state.step >= 1)
    run.step()
    look_until(run, lambda: not run.playing)
    step = settled(run)
    assert step >= 2
    np.testing.assert_array_equal(run.state.params.flat(), train(SMALL, step).params.flat())


def test_play_twice_is_one_run() -> None:
    run = played()
    run.play()
    run.play()
    look_until(run, lambda: run.state.step > 50)
    run.pause()
    step = settled(run)
    np.testing.assert_array_equal(run.state.params.flat(), train(SMALL, step).params.flat())


@pytest.mark.parametrize("speed", [None, 25.0])
def test_the_weights_are_those_of_a_run_in_one_piece_bit_for_bit(speed: float | None) -> None:
    run = played(replace(SMALL, layers=2, cell="vanilla", task="recall"), speed=speed)
    look_until(run, lambda: run.state.step > 20)
    run.pause()
    step = settled(run)
    whole = train(run.experiment, step)
    np.testing.assert_array_equal(run.state.params.flat(), whole.params.flat())
    assert run.state.history.frame().equals(whole.history)


# The lease


def test_a_run_that_nobody_watches_stops_by_itself() -> None:
    fast, slow, watcher = played(), played(speed=5.0), Watcher()
    for run in (fast, slow):
        run.watch(watcher, {})
        look_until(run, lambda run=run: run.state.step > 0)  # type: ignore[misc]
    watcher.open = False
    for run in (fast, slow):
        look_until(run, lambda run=run: run.phase is Phase.QUEUED)  # type: ignore[misc]
    steps = fast.state.step, slow.state.step
    time.sleep(1.0)
    assert (fast.state.step, slow.state.step) == steps, "they train for nobody"
    watcher.open = True
    for run, step in zip((fast, slow), steps, strict=True):
        look_until(run, lambda run=run, step=step: run.state.step > step, seconds=5)  # type: ignore[misc]
        run.pause()


def test_training_does_not_wait_for_the_page() -> None:
    run = played()
    look_until(run, lambda: run.state.step > 0)
    step = run.state.step
    time.sleep(0.4)
    assert run.state.step > step, "nobody has to ask"
    run.pause()


# Speed


def test_a_change_of_speed_takes_effect_during_the_run() -> None:
    run = played(speed=1.0)
    look_until(run, lambda: run.state.step >= 1)
    run.speed = None
    look_until(run, lambda: run.state.step > 100, seconds=5)
    run.pause()


# Retuning


def test_another_learning_rate_goes_on_with_the_same_weights() -> None:
    run = watched(LiveRun(SMALL))
    run.step()
    look_until(run, lambda: not run.playing)
    after_one = run.state
    retuned = replace(SMALL, learning_rate=0.1)
    run.retune(retuned)
    assert run.state is after_one
    run.step()
    look_until(run, lambda: not run.playing)
    expected = advance(retuned, after_one, steps=1)
    np.testing.assert_array_equal(run.state.params.flat(), expected.params.flat())
    assert not np.array_equal(run.state.params.flat(), train(SMALL, 2).params.flat())


# Ends


def test_a_run_stops_when_numbers_overflow() -> None:
    run = played(PRESETS["exploding"].experiment)
    look_until(run, lambda: not run.playing)
    assert run.finished
    divergence, step = run.state.divergence, run.state.step
    run.play()
    run.step()
    resume_for(run, 0.5)
    assert not run.playing
    assert (run.state.divergence, run.state.step) == (divergence, step)


def test_a_run_can_pause_when_it_is_solved() -> None:
    run = played(replace(SMALL, hidden_size=32, batch_size=32), pause_when_solved=True)
    look_until(run, lambda: not run.playing)
    assert run.state.solved_at == run.state.step
    run.play()
    look_until(run, lambda: run.state.step > (run.state.solved_at or 0))
    assert run.playing, "once solved, it can go on"
    run.pause()


def test_solving_does_not_pause_unless_wanted() -> None:
    run = played(replace(SMALL, hidden_size=32, batch_size=32))
    look_until(run, lambda: run.state.solved_at is not None and run.state.step > run.state.solved_at)
    assert run.playing
    run.pause()


@pytest.mark.parametrize("speed", [None, 200.0])
def test_a_run_stops_at_its_end_and_never_beyond(speed: float | None) -> None:
    run = watched(LiveRun(SMALL))
    run.until, run.speed = 30, speed
    run.play()
    look_until(run, lambda: not run.playing)
    assert run.state.step == 30
    run.play()
    run.step()
    resume_for(run, 0.3)
    assert run.state.step == 30
    run.until = 40
    run.play()
    look_until(run, lambda: not run.playing)
    assert run.state.step == 40


# Workers that die


def _end_this_process() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_worker_that_dies_costs_one_chunk() -> None:
    run = played()
    look_until(run, lambda: run.state.step > 20)
    step = run.state.step
    local_pool().submit(_end_this_process)
    look_until(run, lambda: run.state.step > step + 50)
    assert run.playing
    assert run.problem is None
    run.pause()
    reached = settled(run)
    np.testing.assert_array_equal(run.state.params.flat(), train(SMALL, reached).params.flat())


class BrokenPool(Executor):
    """Every chunk is lost, until it is mended by another pool."""

    def __init__(self) -> None:
        self.submitted, self.mended = 0, False

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        if self.mended:
            return local_pool().submit(fn, *args, **kwargs)
        self.submitted += 1
        future: Future[Any] = Future()
        future.set_exception(MemoryError("no room for this run"))
        return future


def test_a_run_that_cannot_go_on_says_so() -> None:
    pool = BrokenPool()
    run = watched(LiveRun(SMALL, executor=pool))
    run.play()
    resume_for(run, 0.6)
    assert not run.playing
    assert run.problem == "Training stopped: no room for this run"
    assert pool.submitted == MAX_FAILURES
    assert run.state.step == 0


def test_play_after_a_problem_tries_again() -> None:
    pool = BrokenPool()
    run = watched(LiveRun(SMALL, executor=pool))
    run.play()
    resume_for(run, 0.6)
    pool.mended = True
    run.play()
    assert run.problem is None
    look_until(run, lambda: run.state.step > 10)
    run.pause()


def test_several_runs_share_the_pool() -> None:
    runs = [played(replace(SMALL, seed=seed)) for seed in range(4)]
    deadline = time.monotonic() + 20
    while min(run.state.step for run in runs) < 50:
        assert time.monotonic() < deadline, [run.state.step for run in runs]
        for run in runs:
            run.resume()
        time.sleep(TICK)
    for run in runs:
        run.pause()
