"""Any earlier state of a run comes again, bit for bit, from few kept ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnviz import PRESETS, Experiment
from rnnviz.model.optimizers import Moments
from rnnviz.training.keyframes import MOST_BYTES, Keyframes, Way
from rnnviz.training.loop import advance, retrace, start
from rnnviz.training.state import TrainingState

SMALL = Experiment(seq_len=5, hidden_size=6, batch_size=4)


def same(one: TrainingState, other: TrainingState) -> None:
    """Fail unless everything that training depends on, and all that was measured, is equal."""
    for name in ("step", "metric", "solved_at", "rng"):
        assert getattr(one, name) == getattr(other, name), name
    assert (one.params.flat() == other.params.flat()).all()
    assert (one.moments.first == other.moments.first).all()
    assert (one.moments.second == other.moments.second).all()
    assert one.tunings == other.tunings
    assert one.history.frame().equals(other.history.frame())
    assert one.history.curves().equals(other.history.curves())
    assert one.history.latest == other.history.latest


def came(e: Experiment, way: Way) -> TrainingState:
    return retrace(e, way.state, way.step, way.tunings)


@settings(max_examples=40, deadline=None)
@given(
    chunks=st.lists(st.integers(1, 40), min_size=1, max_size=8), share=st.floats(0, 1), most=st.integers(2, 5)
)
def test_every_state_on_the_way_comes_again(chunks: list[int], share: float, most: int) -> None:
    state = start(SMALL)
    kept = Keyframes(state, most_bytes=most * 24 * state.params.count)
    for steps in chunks:
        state = advance(SMALL, state, steps=steps)
        kept.keep(state)
    wanted = round(share * state.step)
    expected = advance(SMALL, start(SMALL), steps=wanted) if wanted else start(SMALL)
    assert len(kept.steps) <= most
    found = came(SMALL, kept.way_to(wanted))
    if wanted:
        same(found, expected)
    else:
        assert (found.params.flat() == expected.params.flat()).all()


def test_a_run_that_was_retuned_comes_again_with_what_was_in_force() -> None:
    slow = replace(SMALL, learning_rate=1e-4, clip_norm=None)
    states = [start(SMALL)]
    kept = Keyframes(states[0])
    for e in (SMALL, slow, SMALL):
        states.append(advance(e, states[-1], steps=30))
        kept.keep(states[-1])
    only = Keyframes(states[0])
    only.keep(states[-1])
    for e in (SMALL, slow):  # what is chosen now does not matter
        found = came(e, only.way_to(60))
        assert (found.params.flat() == states[2].params.flat()).all()
        assert found.tunings == states[2].tunings
    same(came(SMALL, only.way_to(90)), states[3])


def test_a_diverged_run_can_be_looked_back_at_up_to_where_it_broke_off() -> None:
    e = PRESETS["exploding"].experiment
    state = advance(e, start(e), steps=300)
    assert state.divergence is not None
    kept = Keyframes(start(e))
    kept.keep(state)
    assert came(e, kept.way_to(10**6)).divergence == state.divergence
    assert came(e, kept.way_to(0)).divergence is None


def test_kept_states_stay_within_their_memory_over_100_000_steps_and_evenly_spaced() -> None:
    """Without training: only sizes and steps matter."""
    first = start(Experiment())
    kept = Keyframes(first)
    for step in range(0, 100_001, 100):
        kept.keep(replace(first, step=step, moments=Moments.zero(first.params.count)))
        assert kept.nbytes <= MOST_BYTES
    gaps = np.diff(kept.steps)
    assert kept.nbytes > MOST_BYTES / 3, "and they use it"
    assert gaps.max() <= 2 * gaps.min()
    assert kept.steps[0] == 0
    assert kept.newest.step == 100_000


def test_the_largest_network_keeps_at_least_its_start_and_one_more() -> None:
    largest = start(Experiment(hidden_size=128, layers=3, cell="lstm"))
    kept = Keyframes(largest, most_bytes=1)
    kept.keep(replace(largest, step=1))
    assert len(kept.steps) == 2


def test_what_came_after_a_state_can_be_forgotten() -> None:
    states = [start(SMALL)]
    kept = Keyframes(states[0])
    for _ in range(3):
        states.append(advance(SMALL, states[-1], steps=10))
        kept.keep(states[-1])
    kept.end_at(states[1])
    assert kept.steps == [0, 10]
    assert kept.newest is states[1]


@pytest.mark.parametrize("step", [-3, 0])
def test_there_is_nothing_before_the_start(step: int) -> None:
    kept = Keyframes(start(SMALL))
    kept.keep(advance(SMALL, start(SMALL), steps=10))
    assert came(SMALL, kept.way_to(step)).step == 0
