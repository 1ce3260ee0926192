"""Training as a pure function: a state goes in, a later state comes out."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from rnnviz.experiment import Experiment
from rnnviz.model.arrays import Array, norms
from rnnviz.model.cells import Workspace
from rnnviz.model.network import LossAndGradients, Network, Params
from rnnviz.model.optimizers import OPTIMIZERS, Moments, clip_by_norm
from rnnviz.tasks import TASKS, Batch
from rnnviz.training.history import History


@dataclass(frozen=True)
class Divergence:
    """Where a run left the range of the numbers.

    step : updates made before the first bad one.
    what : what overflowed first: "hidden state", "loss", "gradient" or "weights".
    time_step : the step t at which it did, for states and gradients.
    value : "inf" or "nan".
    """

    step: int
    what: str
    value: str
    time_step: int | None = None

    def __str__(self) -> str:
        """Say it in one sentence."""
        place = f" at time step {self.time_step}" if self.time_step else ""
        updates = "1 update" if self.step == 1 else f"{self.step:,} updates"
        return f"After {updates} the {self.what} became {self.value}{place}."


@dataclass(frozen=True)
class Tuning:
    """The learning rate and the clipping threshold in force from the update after ``step`` on."""

    step: int
    learning_rate: float
    clip_norm: float | None


@dataclass(frozen=True, eq=False)
class TrainingState:
    """Everything that a run is, between two updates; it can be pickled.

    step : updates made so far.
    rng : state of the generator that draws the training batches.
    metric : the newest held-out measurement (NaN before the first update).
    solved_at : updates after which the task's goal was first reached.
    divergence : set once numbers overflowed; then ``advance`` changes nothing more.
    tunings : the learning rate and threshold at the start, then every change of them; with these ``train``
        replays the run exactly.
    """

    step: int
    params: Params
    moments: Moments
    rng: Mapping[str, Any]
    history: History
    metric: float
    solved_at: int | None = None
    divergence: Divergence | None = None
    tunings: tuple[Tuning, ...] = ()

    @property
    def retunings(self) -> tuple[Tuning, ...]:
        """The changes made during the run; empty if it kept what it started with."""
        return self.tunings[1:]


def is_measured(step: int) -> bool:
    """Tell whether the held-out metric is measured after ``step`` updates.

    Often at first, when much happens, every 50th step later: it costs as much as several updates.
    """
    interval = 1 if step < 10 else 10 if step < 100 else 50
    return step % interval == 0


@lru_cache(maxsize=4)
def held_out(e: Experiment) -> Batch:
    """Return (and keep) the held-out sequences of an experiment."""
    return TASKS[e.task].held_out(e)


def held_out_metric(e: Experiment, network: Network, params: Params) -> float:
    """Return the task's metric on the held-out sequences; with output feedback the network runs free."""
    batch = held_out(e)
    with np.errstate(over="ignore", invalid="ignore"):
        return TASKS[e.task].score(e, e.answers(network, params, batch), batch)


def start(e: Experiment) -> TrainingState:
    """Return the state before the first update."""
    params = e.init(e.rng("weights"))
    rng = e.rng("training").bit_generator.state
    return TrainingState(0, params, Moments.zero(params.count), rng, History(e.seq_len), metric=np.nan)


def advance(
    e: Experiment,
    state: TrainingState,
    seconds: float | None = None,
    steps: int | None = None,
    until_solved: bool = False,
) -> TrainingState:
    """Train until the time is up, the updates are made, or numbers overflow.

    The result depends on ``e``, ``state`` and the number of updates only, never on the clock. ``e`` may
    have another learning rate or clipping threshold than before; the state records the change.

    until_solved : also stop at the measurement that first reaches the task's goal.

    Raises
    ------
    ValueError
        If neither ``seconds`` nor ``steps`` says when to stop.
    """
    if seconds is None and steps is None:
        raise ValueError("advance needs an end: give seconds, steps, or both; got neither.")
    if state.divergence is not None:
        return state
    network, workspace = e.network(), Workspace()
    rng = np.random.default_rng()
    rng.bit_generator.state = state.rng
    state = replace(state, history=state.history.copy(), tunings=_tuned(e, state))
    deadline = np.inf if seconds is None else time.perf_counter() + seconds
    last_step = np.inf if steps is None else state.step + steps
    was_solved = state.solved_at is not None
    with threadpool_limits(1):  # sums are rounded in the same order in every process
        while state.step < last_step and state.divergence is None:
            state = _update(e, network, state, rng, workspace)
            solved_now = state.solved_at is not None and not was_solved
            if time.perf_counter() >= deadline or (until_solved and solved_now):
                break
    return replace(state, rng=rng.bit_generator.state)


def _tuned(e: Experiment, state: TrainingState) -> tuple[Tuning, ...]:
    """Return the state's tunings with those of ``e`` at the end, if they are not the last ones."""
    now = Tuning(state.step, e.learning_rate, e.clip_norm)
    earlier = tuple(t for t in state.tunings if t.step < state.step)
    last = earlier[-1] if earlier else None
    same = last is not None and (last.learning_rate, last.clip_norm) == (now.learning_rate, now.clip_norm)
    return earlier if same else (*earlier, now)


def _update(
    e: Experiment, network: Network, state: TrainingState, rng: np.random.Generator, workspace: Workspace
) -> TrainingState:
    """Make one update, or find that it cannot be made. Appends to ``state.history``."""
    if state.step == 0:
        state = _measured(e, network, state)
    batch = e.sample(rng)
    result = network.loss_and_gradients(state.params, batch, workspace)
    gradient, norm, clipped_norm = clip_by_norm(result.gradients.flat(), e.clip_norm)
    curve = gradient_curve(result.hidden_gradients[-1]) if state.history.wants_curve(state.step) else None
    state.history.record((state.step, result.loss, state.metric, norm, clipped_norm), curve)
    if not (np.isfinite(result.loss) and np.isfinite(norm)):
        return replace(state, divergence=_locate(state.step, result))
    with np.errstate(over="ignore", invalid="ignore"):
        change, moments = OPTIMIZERS[e.optimizer].update(gradient, state.moments, e.learning_rate)
        weights = state.params.flat() + change
    step = state.step + 1
    if not np.isfinite(weights).all():
        return replace(state, divergence=Divergence(state.step, "weights", _kind(weights)))
    state = replace(state, step=step, params=state.params.with_flat(weights), moments=moments)
    return _measured(e, network, state) if is_measured(step) else state


def _measured(e: Experiment, network: Network, state: TrainingState) -> TrainingState:
    """Return the state with a fresh metric, and the note that the task is solved if it is."""
    metric, task = held_out_metric(e, network, state.params), TASKS[e.task]
    solved = state.solved_at is None and task.metric.reached(metric, task.goal)
    return replace(state, metric=metric, solved_at=state.step if solved else state.solved_at)


def gradient_curve(dL_dh: Array) -> Array:
    """Return the gradient's size over time (T,) from dL/dh (T, B, H).

    Summed over the batch: as 1/B is inside, this is the mean of the samples' norms.
    """
    with np.errstate(over="ignore"):
        return norms(dL_dh).sum(axis=1)


def _kind(values: Array) -> str:
    return "nan" if np.isnan(values).any() else "inf"


def _locate(step: int, result: LossAndGradients) -> Divergence:
    """Find what overflowed first: forward in time for states, backward for gradients."""
    for hidden in result.hidden:
        bad = np.flatnonzero(~np.isfinite(hidden).all(axis=(1, 2)))
        if bad.size:
            return Divergence(step, "hidden state", _kind(hidden[bad[0]]), time_step=int(bad[0]))
    if not np.isfinite(result.loss):
        return Divergence(step, "loss", _kind(np.array(result.loss)))
    for dL_dh in reversed(result.hidden_gradients):
        bad = np.flatnonzero(~np.isfinite(dL_dh).all(axis=(1, 2)))
        if bad.size:
            return Divergence(step, "gradient", _kind(dL_dh[bad[-1]]), time_step=int(bad[-1]) + 1)
    return Divergence(step, "gradient", _kind(result.gradients.flat()))


@dataclass(frozen=True, eq=False)
class Run:
    """A finished training run."""

    experiment: Experiment
    state: TrainingState

    @property
    def history(self) -> pd.DataFrame:
        """One row a kept step: step, loss, metric, grad_norm, clipped_grad_norm."""
        return self.state.history.frame()

    @property
    def params(self) -> Params:
        """The weights at the end."""
        return self.state.params

    @property
    def metric(self) -> float:
        """The held-out metric of the weights at the end."""
        return held_out_metric(self.experiment, self.experiment.network(), self.params)

    @property
    def divergence(self) -> Divergence | None:
        """Where the run broke off, if it did."""
        return self.state.divergence


def train(
    e: Experiment,
    steps: int,
    until_solved: bool = False,
    on_progress: Callable[[TrainingState], None] | None = None,
    tunings: Sequence[Tuning] = (),
) -> Run:
    """Train in this process; the same experiment gives the same run, bit for bit on one machine.

    until_solved : stop at the first measurement that reaches the task's goal.
    on_progress : called with the state about every half second.
    tunings : changes of learning rate and threshold to make on the way, by rising step; with those of an
        earlier run, this run repeats it.
    """
    state = start(e)
    while state.step < steps and not state.divergence and not (until_solved and state.solved_at is not None):
        for tuning in (t for t in tunings if t.step <= state.step):
            e = replace(e, learning_rate=tuning.learning_rate, clip_norm=tuning.clip_norm)
        stop = min([steps, *(t.step for t in tunings if t.step > state.step)])
        state = advance(e, state, seconds=0.5, steps=stop - state.step, until_solved=until_solved)
        if on_progress is not None:
            on_progress(state)
    return Run(e, state)
