"""Training of an experiment as a pure function from one state to a later state."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from rnnviz.experiment import Experiment
from rnnviz.model.batch import Batch
from rnnviz.model.network import Network, Params
from rnnviz.tasks import TASKS
from rnnviz.training.state import Divergence, TrainingState, Tuning
from rnnviz.training.updates import Problem, first_state, run_updates

if TYPE_CHECKING:
    import pandas as pd


@lru_cache(maxsize=4)
def held_out(e: Experiment) -> Batch:
    """Return the held-out sequences of an experiment (cached)."""
    return TASKS[e.task].held_out(e)


def held_out_metric(e: Experiment, network: Network, params: Params) -> float:
    """Return the task's metric on the held-out sequences; with output feedback the network runs free."""
    batch = held_out(e)
    with np.errstate(over="ignore", invalid="ignore"):
        return TASKS[e.task].score(e, e.answers(network, params, batch), batch)


def start(e: Experiment) -> TrainingState:
    """Return the state before the first update."""
    return first_state(e.init(e.rng("weights")), e.rng("training"), e.seq_len)


def advance(
    e: Experiment,
    state: TrainingState,
    seconds: float | None = None,
    steps: int | None = None,
    until_solved: bool = False,
) -> TrainingState:
    """Train until the time is up, the updates are made, or numbers overflow.

    The result depends on ``e``, ``state`` and the number of updates only, never on the clock. ``e`` may
    have a different learning rate or clipping threshold than before; the state records the change.

    until_solved : also stop at the measurement that first reaches the task's goal.

    Raises
    ------
    ValueError
        If neither ``seconds`` nor ``steps`` says when to stop.
    """
    return run_updates(problem_of(e), state, seconds, steps, until_solved)


def problem_of(e: Experiment) -> Problem:
    """Return an experiment as a ``Problem`` for ``run_updates``."""
    network, task = e.network(), TASKS[e.task]
    return Problem(
        network,
        e.sample,
        lambda params: held_out_metric(e, network, params),
        lambda metric: task.metric.reached(metric, task.goal),
        e.optimizer,
        e.learning_rate,
        e.clip_norm,
        e.truncate,
    )


@dataclass(frozen=True, eq=False)
class Run:
    """A finished training run."""

    experiment: Experiment
    state: TrainingState

    @property
    def history(self) -> pd.DataFrame:
        """One row per kept step: step, loss, metric, grad_norm, clipped_grad_norm."""
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
        """Where the run diverged, None if it did not."""
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
    tunings : changes of learning rate and clipping threshold during the run, by ascending step; with those
        of an earlier run, this run repeats it.
    """
    state = start(e)
    while state.step < steps and not state.divergence and not (until_solved and state.solved_at is not None):
        e, stop = _tuned(e, state, steps, tunings)
        state = advance(e, state, seconds=0.5, steps=stop - state.step, until_solved=until_solved)
        if on_progress is not None:
            on_progress(state)
    return Run(e, state)


def retrace(e: Experiment, state: TrainingState, steps: int, tunings: Sequence[Tuning]) -> TrainingState:
    """Return the state of a run after ``steps`` updates in all, from an earlier one, bit for bit.

    tunings : all learning rates and clipping thresholds of the run, by ascending step.
    """
    while state.step < steps and not state.divergence:
        e, stop = _tuned(e, state, steps, tunings)
        state = advance(e, state, steps=stop - state.step)
    return state


def _tuned(
    e: Experiment, state: TrainingState, steps: int, tunings: Sequence[Tuning]
) -> tuple[Experiment, int]:
    """Return the experiment with what is in force after a state, and the step up to which it is."""
    for tuning in (t for t in tunings if t.step <= state.step):
        e = replace(e, learning_rate=tuning.learning_rate, clip_norm=tuning.clip_norm)
    return e, min([steps, *(t.step for t in tunings if t.step > state.step)])
