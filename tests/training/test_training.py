"""Training is a function: the same experiment gives the same run, in any process and any chunks."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnviz import OPTIMIZERS, TASKS, Experiment, TrainingState, advance, start, train
from rnnviz.training.loop import Run, held_out_metric
from rnnviz.training.state import Divergence, Tuning
from rnnviz.training.updates import gradient_curve, is_measured
from rnnviz.training.worker_pool import WorkerPool

SMALL = Experiment(seq_len=6, hidden_size=8, batch_size=4)


def everything(state: TrainingState) -> list[object]:
    """All that a state holds, in a form that compares bit for bit."""
    history = state.history.frame(), state.history.curves()
    arrays = [state.params.flat(), state.moments.first, state.moments.second]
    arrays += [table.to_numpy() for table in history]
    rest = [state.step, state.moments.count, state.rng, repr(state.metric), state.solved_at, state.divergence]
    return [*(array.tobytes() for array in arrays), *rest]


def reach(e: Experiment, state: TrainingState, step: int) -> TrainingState:
    """Advance to a step."""
    return advance(e, state, steps=step - state.step)


def pickled(state: TrainingState) -> TrainingState:
    return pickle.loads(pickle.dumps(state))  # noqa: S301


# The same experiment, the same run


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_the_same_experiment_is_the_same_run_bit_for_bit(optimizer: str) -> None:
    e = replace(SMALL, optimizer=optimizer)
    assert everything(train(e, 60).state) == everything(train(e, 60).state)


def test_another_seed_is_another_run() -> None:
    assert not np.array_equal(train(SMALL, 3).params.flat(), train(replace(SMALL, seed=1), 3).params.flat())


EVERYTHING_AT_120 = everything(reach(SMALL, start(SMALL), 120))


@settings(max_examples=15, deadline=None, database=None)
@given(chunks=st.lists(st.integers(0, 40), max_size=6), by_pickle=st.booleans())
def test_chunks_and_pickling_change_nothing(chunks: list[int], by_pickle: bool) -> None:
    state = start(SMALL)
    for steps in chunks:
        state = advance(SMALL, state, steps=min(steps, 120 - state.step))
        state = pickled(state) if by_pickle else state
    assert everything(reach(SMALL, state, 120)) == EVERYTHING_AT_120


def test_the_clock_only_decides_how_far_it_gets() -> None:
    state = start(SMALL)
    for _ in range(4):
        state = advance(SMALL, state, seconds=0.01)
    assert state.step > 0
    assert everything(state) == everything(reach(SMALL, start(SMALL), state.step))


def test_time_that_is_up_still_makes_progress() -> None:
    # Otherwise a slow machine would get chunks for ever without making an update.
    assert advance(SMALL, start(SMALL), seconds=0.0).step == 1


def test_no_steps_change_nothing() -> None:
    state = advance(SMALL, start(SMALL), steps=7)
    assert everything(advance(SMALL, state, steps=0)) == everything(state)


def test_advance_leaves_the_given_state_as_it_was() -> None:
    state = advance(SMALL, start(SMALL), steps=20)
    before = everything(pickled(state))
    for _ in range(2):
        advance(SMALL, state, steps=30)
        assert everything(state) == before


def test_several_futures_can_branch_off_one_state() -> None:
    state = advance(SMALL, start(SMALL), steps=10)
    one, other = advance(SMALL, state, steps=50), advance(SMALL, state, steps=50)
    assert everything(one) == everything(other)


@pytest.fixture(scope="module")
def worker() -> Iterator[WorkerPool]:
    with WorkerPool(1) as executor:
        yield executor


@pytest.mark.parametrize("hidden_size", [8, 128])
def test_a_worker_process_computes_the_same_bits(worker: WorkerPool, hidden_size: int) -> None:
    e = replace(SMALL, hidden_size=hidden_size, layers=2, seq_len=20)
    here = train(e, 30).state
    there = worker.submit(train, e, 30).result(timeout=60).state
    assert everything(there) == everything(here)
    onward = worker.submit(advance, e, here, None, 12).result(timeout=60)
    assert everything(onward) == everything(train(e, 42).state)


# What a run records


def test_history_has_one_row_a_step_and_the_norms_of_the_definition() -> None:
    e = replace(SMALL, clip_norm=0.05, optimizer="sgd", learning_rate=0.1)
    run = train(e, 25)
    assert run.history["step"].tolist() == list(range(25))

    network, rng = e.network(), e.rng("training")
    params = e.init(e.rng("weights"))
    curves = run.state.history.curves().to_numpy()
    for row, kept in zip(run.history.itertuples(), curves, strict=True):
        result = network.loss_and_gradients(params, e.sample(rng))
        gradient = result.gradients.flat()
        norm = float(np.sqrt(np.sum(gradient**2)))
        assert row.loss == pytest.approx(result.loss, rel=1e-12)
        assert row.grad_norm == pytest.approx(norm, rel=1e-12)
        assert row.clipped_grad_norm == pytest.approx(min(norm, 0.05), rel=1e-12)
        curve = np.sqrt((result.hidden_gradients[-1] ** 2).sum(axis=2)).sum(axis=1)
        np.testing.assert_allclose(kept, curve, rtol=1e-12)
        params = params.with_flat(params.flat() - 0.1 * gradient * min(1.0, 0.05 / norm))
    np.testing.assert_allclose(run.params.flat(), params.flat(), rtol=1e-12)


def test_metric_is_that_of_the_newest_measurement() -> None:
    run = train(SMALL, 130)
    metric = dict(zip(run.history["step"], run.history["metric"], strict=True))
    for step in (0, 7, 15, 99, 129):
        measured = max(s for s in range(step + 1) if is_measured(s))
        params = train(SMALL, measured).params
        assert metric[step] == held_out_metric(SMALL, SMALL.network(), params)
    assert run.metric == held_out_metric(SMALL, SMALL.network(), run.params)


def test_measurements_thin_out() -> None:
    measured = [step for step in range(301) if is_measured(step)]
    assert measured == [*range(10), *range(10, 100, 10), 100, 150, 200, 250, 300]


def test_metric_before_training_is_near_chance() -> None:
    e = Experiment(task="recall", seq_len=50, init="small-normal")
    assert train(e, 1).history["metric"][0] == pytest.approx(TASKS["recall"].chance(e), abs=0.1)


def test_curve_is_the_mean_over_samples_not_the_norm_of_the_mean() -> None:
    opposite = np.array([[[3.0, 4.0], [-3.0, -4.0]]])  # (1, 2, 2): the mean over the batch is 0
    np.testing.assert_allclose(gradient_curve(opposite), [10.0])


def test_curve_does_not_stop_where_squares_underflow() -> None:
    np.testing.assert_allclose(gradient_curve(np.full((1, 1, 4), 1e-200)), [2e-200], rtol=1e-12)


def test_progress_is_told_and_the_state_is_the_caller_s() -> None:
    seen: list[TrainingState] = []
    run = train(SMALL, 40, on_progress=seen.append)
    assert seen[-1].step == 40
    assert everything(seen[-1]) == everything(run.state)


# Learning


def test_an_easy_task_is_solved_and_the_run_says_when() -> None:
    e = Experiment(task="recall", seq_len=5)
    run = train(e, 300, until_solved=True)
    solved_at = run.state.solved_at
    assert solved_at is not None
    assert run.state.step == solved_at < 300
    assert is_measured(solved_at)
    assert run.metric >= TASKS["recall"].goal
    assert (run.history["metric"] < TASKS["recall"].goal).all()


def test_a_solved_run_can_go_on_and_keeps_the_first_time() -> None:
    e = Experiment(task="recall", seq_len=5)
    solved = train(e, 300, until_solved=True).state
    further = advance(e, solved, steps=60)
    assert further.step == solved.step + 60
    assert further.solved_at == solved.solved_at
    assert everything(train(e, solved.step + 60).state) == everything(further)


def test_advance_makes_every_step_even_after_the_goal() -> None:
    e = Experiment(task="recall", seq_len=5)
    state = advance(e, start(e), steps=300)
    assert state.step == 300
    assert state.solved_at is not None
    assert state.solved_at < 300


def test_advance_stops_at_the_goal_if_asked_to() -> None:
    e = Experiment(task="recall", seq_len=5)
    state = advance(e, start(e), steps=1000, until_solved=True)
    assert state.step == state.solved_at == train(e, 300, until_solved=True).state.step
    assert advance(e, state, steps=7, until_solved=True).step == state.step + 7, "it was solved before"


def test_what_cannot_be_learned_is_never_solved() -> None:
    e = Experiment(task="recall", seq_len=50, init="small-normal")
    run = train(e, 60, until_solved=True)
    assert run.state.solved_at is None
    assert run.state.step == 60


def test_the_learning_rate_can_change_on_the_way() -> None:
    before = advance(SMALL, start(SMALL), steps=30)
    slower = replace(SMALL, learning_rate=1e-6)
    after = advance(slower, before, steps=30)
    assert after.step == after.moments.count == 60
    assert after.history.frame()["step"].tolist() == list(range(60))
    assert 0.0 < np.abs(after.params.flat() - before.params.flat()).max() <= 60 * 1e-6
    # The batches are the same as without the change.
    assert after.rng == advance(SMALL, before, steps=30).rng


def test_changes_on_the_way_are_recorded_and_the_run_can_be_replayed() -> None:
    state = advance(SMALL, start(SMALL), steps=12)
    state = advance(replace(SMALL, learning_rate=0.05), state, steps=5)
    state = advance(replace(SMALL, learning_rate=0.05, clip_norm=None), state, steps=8)
    assert state.tunings == (
        Tuning(0, SMALL.learning_rate, SMALL.clip_norm),
        Tuning(12, 0.05, SMALL.clip_norm),
        Tuning(17, 0.05, None),
    )
    replayed = train(SMALL, 25, tunings=state.tunings).state
    assert everything(replayed) == everything(state)
    assert replayed.tunings == state.tunings
    # the last values alone give another run: the page must say so about the link
    assert everything(train(replace(SMALL, learning_rate=0.05, clip_norm=None), 25).state) != everything(
        state
    )


def test_a_change_that_is_undone_before_the_next_update_is_no_change() -> None:
    state = advance(SMALL, start(SMALL), steps=3)
    state = advance(replace(SMALL, learning_rate=0.05), state, steps=0)
    assert advance(SMALL, state, steps=4).retunings == ()


# Divergence


def diverged(e: Experiment, steps: int = 200) -> Run:
    run = train(e, steps)
    assert run.divergence is not None
    return run


WAVE = Experiment(task="sine", topology="many-to-many", seq_len=40, optimizer="sgd", learning_rate=0.1)


EXPLODING = [("linear", "orthogonal", 1.2), ("relu", "scaled-gaussian", 2.0)]


@pytest.mark.parametrize(("activation", "init", "gain"), EXPLODING)
def test_exploding_gradients_end_a_run_that_is_not_clipped(activation: str, init: str, gain: float) -> None:
    e = replace(WAVE, activation=activation, init=init, gain=gain)
    for seed in range(3):
        run = diverged(replace(e, seed=seed, clip_norm=None), 50)
        assert run.divergence is not None
        assert run.divergence.step <= 5
        clipped = train(replace(e, seed=seed, clip_norm=1.0), 50)
        assert clipped.divergence is None
        assert np.isfinite(clipped.params.flat()).all()


def test_divergence_names_the_first_state_that_overflowed() -> None:
    # A factor of 10 per step and 30 per layer over 200 steps overflows float64.
    e = Experiment(seq_len=200, activation="linear", init="identity", gain=10.0, layers=3, optimizer="sgd")
    large = replace(e, noise=2.0)
    state = start(e)
    huge = state.params.with_flat(state.params.flat() * 30.0)
    after = advance(large, replace(state, params=huge), steps=1)
    assert after.divergence is not None
    assert (after.divergence.step, after.divergence.what) == (0, "hidden state")
    batch = TASKS["recall"].sample(large, large.rng("training"))
    first = next(h for h in e.network().loss_and_gradients(huge, batch).hidden if not np.isfinite(h).all())
    bad = [t for t in range(201) if not np.isfinite(first[t]).all()]
    assert after.divergence.time_step == bad[0]
    assert after.divergence.value in ("inf", "nan")
    assert f"at time step {bad[0]}" in str(after.divergence)


def test_divergence_of_the_loss_alone() -> None:
    e = replace(WAVE, activation="linear", init="identity", gain=1.0)
    state = start(e)
    huge = replace(state.params, W_hy=np.full_like(state.params.W_hy, 1e200))
    after = advance(e, replace(state, params=huge), steps=1)
    assert after.divergence == Divergence(0, "loss", "inf")
    assert str(after.divergence) == "After 0 updates the loss overflowed (inf)."


def test_divergence_of_a_gradient_says_at_which_step() -> None:
    # The error grows by 1e200 per step back; nothing grows forward, as the first states are 0.
    e = Experiment(task="recall", seq_len=4, noise=0.0, activation="linear", init="identity", hidden_size=4)
    state = start(e)
    layer = replace(state.params.layers[0], W_xh=np.zeros((4, 4)), W_hh=1e200 * np.eye(4))
    after = advance(e, replace(state, params=replace(state.params, layers=(layer,))), steps=1)
    assert after.divergence is not None
    assert (after.divergence.what, after.divergence.value) == ("gradient", "inf")
    assert after.divergence.time_step == 2  # t = 4: 1, t = 3: 1e200, t = 2: 1e400


def test_divergence_of_the_weights() -> None:
    e = replace(SMALL, optimizer="sgd", learning_rate=10.0, clip_norm=None)
    state = start(e)
    nearly = replace(state.params, b_y=np.array([1.79e308, 0.0, 0.0, 0.0]))
    moments = replace(state.moments, first=np.full(state.params.count, 1e308))
    e = replace(e, optimizer="momentum")
    after = advance(e, replace(state, params=nearly, moments=moments), steps=1)
    assert after.divergence is not None
    assert after.divergence.what in ("weights", "loss")
    np.testing.assert_array_equal(after.params.flat(), nearly.flat())


def test_a_broken_off_run_keeps_its_history_and_its_last_good_weights() -> None:
    run = diverged(replace(WAVE, activation="linear", gain=1.2, clip_norm=None))
    assert run.divergence is not None
    history = run.history
    assert history["step"].tolist() == list(range(run.divergence.step + 1))
    assert np.isfinite(history[["loss", "grad_norm"]].iloc[:-1]).all().all()
    assert run.state.step == run.divergence.step
    assert np.isfinite(run.params.flat()).all()


def test_nothing_moves_after_divergence() -> None:
    e = replace(WAVE, activation="linear", gain=1.2, clip_norm=None)
    state = diverged(e).state
    assert everything(advance(e, state, steps=10)) == everything(state)
    assert everything(pickled(state)) == everything(state)


def test_a_finite_gradient_whose_square_overflows_is_clipped_like_any_other() -> None:
    # 1e200 is finite; only its square overflows.
    e = replace(SMALL, activation="linear", init="identity", clip_norm=1.0, optimizer="sgd")
    state = start(e)
    layer = replace(state.params.layers[0], W_hh=1e40 * np.eye(8), W_xh=1e-190 * np.ones((4, 8)))
    after = advance(e, replace(state, params=replace(state.params, layers=(layer,))), steps=1)
    assert after.divergence is None
    assert after.history.frame()["grad_norm"][0] > 1e160
    assert after.history.frame()["clipped_grad_norm"][0] == 1.0
