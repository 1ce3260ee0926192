"""The training loop of gradient descent, independent of experiments."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from threadpoolctl import ThreadpoolController

from rnnviz.model.arrays import Array, norms
from rnnviz.model.batch import Batch
from rnnviz.model.cells import Workspace
from rnnviz.model.network import Gradients, Network, Params
from rnnviz.model.optimizers import OPTIMIZERS, Moments, clip_by_norm
from rnnviz.training.history import History
from rnnviz.training.state import Divergence, TrainingState, Tuning


@dataclass(frozen=True, eq=False)
class Problem:
    """A learning problem and the optimizer settings.

    sample : draws a training batch. measure : the held-out metric of weights. is_solved : whether a metric
    reaches the goal. optimizer : a name of OPTIMIZERS. clip_norm : None for no clipping. truncate : steps of
    the blocks into which the backward pass is cut (see ``network.cut_rows``), None for a single one.
    """

    network: Network
    sample: Callable[[np.random.Generator], Batch]
    measure: Callable[[Params], float]
    is_solved: Callable[[float], bool]
    optimizer: str
    learning_rate: float
    clip_norm: float | None
    truncate: int | None = None


def first_state(params: Params, rng: np.random.Generator, seq_len: int) -> TrainingState:
    """Return the state before the first update. rng : draws the training batches."""
    moments = Moments.zero(params.count)
    return TrainingState(0, params, moments, rng.bit_generator.state, History(seq_len), metric=np.nan)


def is_measured(step: int) -> bool:
    """Return whether the held-out metric is measured after ``step`` updates.

    Often at first, when it changes fast, later every 50th step: it costs as much as several updates.
    """
    interval = 1 if step < 10 else 10 if step < 100 else 50
    return step % interval == 0


def run_updates(
    problem: Problem,
    state: TrainingState,
    seconds: float | None = None,
    steps: int | None = None,
    until_solved: bool = False,
) -> TrainingState:
    """Train until the time is up, the updates are made, or numbers overflow; ``state`` is not changed.

    until_solved : also stop at the measurement that first reaches the goal.

    Raises
    ------
    ValueError
        If neither ``seconds`` nor ``steps`` says when to stop.
    """
    if seconds is None and steps is None:
        raise ValueError("advance needs an end: give seconds, steps, or both; got neither.")
    if state.divergence is not None:
        return state
    workspace, rng = Workspace(), np.random.default_rng()
    rng.bit_generator.state = state.rng
    state = replace(state, history=state.history.copy(), tunings=_tuned(problem, state))
    deadline = np.inf if seconds is None else time.perf_counter() + seconds
    last_step = np.inf if steps is None else state.step + steps
    was_solved = state.solved_at is not None
    # One thread: sums are rounded in the same order in every process. Overflow is handled below.
    with _thread_pools().limit(limits=1), np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        while state.step < last_step and state.divergence is None:
            state = _update(problem, state, rng, workspace)
            solved_now = state.solved_at is not None and not was_solved
            if time.perf_counter() >= deadline or (until_solved and solved_now):
                break
    return replace(state, rng=rng.bit_generator.state)


@cache
def _thread_pools() -> ThreadpoolController:
    """Return the controller of this process's BLAS threads (cached: finding them takes a millisecond)."""
    return ThreadpoolController()


def _tuned(problem: Problem, state: TrainingState) -> tuple[Tuning, ...]:
    """Return the state's tunings, with the problem's settings appended if they differ from the last ones."""
    now = Tuning(state.step, problem.learning_rate, problem.clip_norm)
    earlier = tuple(t for t in state.tunings if t.step < state.step)
    last = earlier[-1] if earlier else None
    same = last is not None and (last.learning_rate, last.clip_norm) == (now.learning_rate, now.clip_norm)
    return earlier if same else (*earlier, now)


def _update(
    problem: Problem, state: TrainingState, rng: np.random.Generator, workspace: Workspace
) -> TrainingState:
    """Make one update, or record a divergence. Appends to ``state.history``."""
    if state.step == 0:
        state = _measured(problem, state)
    found = _descend(problem, state, problem.sample(rng), workspace)
    gradient, norm, clipped_norm = clip_by_norm(found.gradient, problem.clip_norm)
    state.history.record((state.step, found.loss, state.metric, norm, clipped_norm), found.curve)
    if not (np.isfinite(found.loss) and np.isfinite(norm)):
        return replace(state, divergence=found.divergence or _in_sum(state.step, found.gradient))
    change, moments = OPTIMIZERS[problem.optimizer].update(gradient, state.moments, problem.learning_rate)
    change += state.params.flat()
    if not np.isfinite(change).all():
        return replace(state, divergence=Divergence(state.step, "weights", _kind(change)))
    state = replace(state, step=state.step + 1, params=state.params.with_flat(change), moments=moments)
    return _measured(problem, state) if is_measured(state.step) else state


@dataclass(frozen=True, eq=False)
class _Found:
    """What a training batch gave.

    gradient : (P,), raw. curve : the top layer's ||dL/dh_t|| (T,), if the history wants it.
    divergence : where numbers overflowed, None if they did not.
    """

    loss: float
    gradient: Array
    curve: Array | None
    divergence: Divergence | None


def _descend(problem: Problem, state: TrainingState, batch: Batch, workspace: Workspace) -> _Found:
    """Compute a batch's loss and gradient; in parts if it is large, as it could take gigabytes at once."""
    T, B, _ = batch.inputs.shape
    wants_curve = state.history.wants_curve(state.step)
    loss, gradient, curve = 0.0, np.zeros(state.params.count), np.zeros(T) if wants_curve else None
    divergence = None
    for part in batch.parts(problem.network.at_once(T)):
        result = problem.network.gradients(state.params, part, workspace, problem.truncate)
        share, flat = part.inputs.shape[1] / B, result.gradients.flat()
        if divergence is None and not (np.isfinite(result.loss) and np.isfinite(flat).all()):
            divergence = _locate(state.step, result)
        loss += share * result.loss
        gradient += share * flat
        if curve is not None:
            curve += share * gradient_curve(*result.state_gradients[-1])
    return _Found(loss, gradient, curve, divergence)


def _measured(problem: Problem, state: TrainingState) -> TrainingState:
    """Return the state with a new measurement of the metric, and ``solved_at`` set if the goal is reached."""
    metric = problem.measure(state.params)
    solved = state.solved_at is None and problem.is_solved(metric)
    return replace(state, metric=metric, solved_at=state.step if solved else state.solved_at)


def gradient_curve(*dL_dstate: Array) -> Array:
    """Return the gradient's size over time (T,) from dL/dstate, (T, B, H) for each array of the state.

    More leading axes are allowed. The norms of the whole state are summed over the batch: dL/dstate includes
    1/B, so this is the mean of the samples' norms.
    """
    whole = dL_dstate[0] if len(dL_dstate) == 1 else np.concatenate(dL_dstate, axis=-1)
    with np.errstate(over="ignore"):
        return np.asarray(norms(whole).sum(axis=-1))


def _kind(values: Array) -> str:
    return "nan" if np.isnan(values).any() else "inf"


def _locate(step: int, result: Gradients) -> Divergence:
    """Find what overflowed first: forward in time for states, backward for gradients."""
    for hidden in result.hidden:
        bad = np.flatnonzero(~np.isfinite(hidden).all(axis=(1, 2)))
        if bad.size:
            return Divergence(step, "hidden state", _kind(hidden[bad[0]]), time_step=int(bad[0]))
    if not np.isfinite(result.loss):
        return Divergence(step, "loss", _kind(np.array(result.loss)))
    for states in reversed(result.state_gradients):
        whole = np.concatenate(states, axis=-1)
        bad = np.flatnonzero(~np.isfinite(whole).all(axis=(1, 2)))
        if bad.size:
            return Divergence(step, "gradient", _kind(whole[bad[-1]]), time_step=int(bad[-1]) + 1)
    return _in_sum(step, result.gradients.flat())


def _in_sum(step: int, gradient: Array) -> Divergence:
    """Return the divergence of a gradient (P,) whose parts did not overflow, only their sum."""
    return Divergence(step, "gradient", _kind(gradient))
