"""The owner of a session's runs: which run is which, what is kept, and what goes on unseen (nothing)."""

from __future__ import annotations

from concurrent.futures import Executor, Future
from dataclasses import replace
from typing import Any

import pytest

from rnnviz import Experiment
from rnnviz.ui.live_run import LiveRun
from rnnviz.ui.run_registry import MAIN, MOST_RUNS, RunKey, RunRegistry

SMALL = Experiment(seq_len=5, hidden_size=8, batch_size=8)


class IdlePool(Executor):
    """Takes every chunk and does none."""

    def submit(self, *_: Any, **__: Any) -> Future[Any]:
        return Future()


@pytest.fixture
def runs() -> RunRegistry:
    return RunRegistry(lambda e: LiveRun(e, IdlePool()))


def job(seed: int) -> tuple[RunKey, Experiment]:
    e = replace(SMALL, seed=seed)
    return RunKey("job", e), e


def test_what_is_replaced_is_paused(runs: RunRegistry) -> None:
    first = runs.start(MAIN, SMALL)
    first.play()
    second = runs.start(MAIN, SMALL)
    assert runs[MAIN] is second is not first
    assert not first.playing


def test_the_same_experiment_opens_the_same_run(runs: RunRegistry) -> None:
    first = runs.open(MAIN, SMALL)
    first.play()
    assert runs.open(MAIN, SMALL) is first
    assert first.playing
    assert runs.open(MAIN, replace(SMALL, seed=1)) is not first
    assert not first.playing


def test_only_the_newest_are_kept_and_none_goes_on_unseen(runs: RunRegistry) -> None:
    main = runs.start(MAIN, SMALL)
    first = runs.open(*job(0))
    first.play()
    for seed in range(1, MOST_RUNS):
        runs.open(*job(seed))
    assert runs.open(*job(0)) is first, "asked for again, it is the newest"
    runs.open(*job(MOST_RUNS))
    assert len(runs.at("job")) == MOST_RUNS
    assert runs.get(job(1)[0]) is None
    assert first.playing
    for seed in range(1, MOST_RUNS):
        runs.open(*job(seed))
    assert runs.get(job(0)[0]) is None
    assert not first.playing
    assert runs[MAIN] is main, "another place's runs push nothing out"


def test_a_run_shown_at_two_places_is_paused_when_the_last_lets_go(runs: RunRegistry) -> None:
    run = runs.start(MAIN, SMALL)
    runs.put(RunKey("lesson", 0), run)
    run.play()
    runs.drop_all("lesson")
    assert run.playing
    assert runs.at("lesson") == {}
    runs.drop(MAIN)
    assert not run.playing


def test_two_runs_of_one_experiment_are_two(runs: RunRegistry) -> None:
    a, b = (runs.open(RunKey("side", name), SMALL) for name in "ab")
    assert a is not b
    assert runs.at("side") == {"a": a, "b": b}
