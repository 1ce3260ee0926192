"""Measurements over many seeds and many gains."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rnnviz.analysis.bench import Bench, decades, over_seeds
from rnnviz.analysis.gradient_flow import GradientFlow, gradient_flow
from rnnviz.analysis.shares import Share
from rnnviz.experiment import Experiment
from rnnviz.model.arrays import Array
from rnnviz.tasks import TASKS
from rnnviz.training.loop import train
from rnnviz.training.sweep import Sweep
from rnnviz.training.updates import is_measured

# Many seeds ---------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class SeedBand:
    """The last output's gradient over many seeds; S seeds, T steps.

    curves : (S, T), ||eps_t|| of the top layer, one row per seed. decades, verdicts : one per seed.
    """

    curves: Array
    decades: Array
    verdicts: list[str]

    def quantile(self, share: float) -> Array:
        """Return the curve (T,) below which this share of the seeds lies at each step.

        NaN comes from overflow and counts as larger than all other values.
        """
        sizes = np.where(np.isnan(self.curves), np.inf, self.curves)
        return np.quantile(sizes, share, axis=0, method="nearest")

    def share(self, verdict: str) -> float:
        """Return the share of seeds with this verdict."""
        return self.verdicts.count(verdict) / len(self.verdicts)

    @classmethod
    def of(cls, flows: Sequence[GradientFlow]) -> SeedBand:
        """Return the flows of several seeds as a band."""
        return cls(
            np.array([flow.per_output[-1] for flow in flows]),
            np.array([flow.decades for flow in flows]),
            [flow.verdict for flow in flows],
        )


def seed_parts(e: Experiment, seeds: int) -> list[Experiment]:
    """Return the experiment with ``seeds`` successive seeds, its own first."""
    return [replace(e, seed=(e.seed + k) % 2**31) for k in range(seeds)]


def seed_band(e: Experiment, seeds: int = 20, executor: Executor | None = None) -> SeedBand:
    """Measure the gradient at initialisation for several seeds (in this process if there is no executor)."""
    parts = seed_parts(e, seeds)
    return SeedBand.of(_each(gradient_flow, parts, executor))


# Training with many seeds ------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class SeedRun:
    """What became of one seed's training.

    steps, metric : (n,), the measurements.
    solved_at : updates after which the goal was first reached, None if it was not.
    solved_at_end : whether the last measurement reaches it. diverged : whether it diverged.
    milliseconds : processor time of an update, its measurements included.
    """

    steps: Array
    metric: Array
    solved_at: int | None
    solved_at_end: bool
    diverged: bool
    milliseconds: float


def seed_run(part: tuple[Experiment, int]) -> SeedRun:
    """Train an experiment for a number of updates and return what became of it."""
    e, updates = part
    began = time.process_time()
    state = train(e, updates).state
    spent = time.process_time() - began
    columns, task = state.history.columns, TASKS[e.task]
    measured = np.array([is_measured(int(step)) for step in columns["step"]])
    diverged = state.divergence is not None
    return SeedRun(
        np.append(columns["step"][measured], state.step),
        np.append(columns["metric"][measured], state.metric),
        state.solved_at,
        not diverged and bool(task.metric.reached(state.metric, task.goal)),
        diverged,
        1000.0 * spent / max(1, state.step),
    )


@dataclass(frozen=True)
class TrainingShares:
    """How many seeds reached the goal at least once, reach it at the end, and diverged."""

    solved: Share
    solved_at_end: Share
    diverged: Share

    @classmethod
    def of(cls, runs: Sequence[SeedRun]) -> TrainingShares:
        """Count the runs of several seeds."""
        counts = (
            sum(run.solved_at is not None for run in runs),
            sum(run.solved_at_end for run in runs),
            sum(run.diverged for run in runs),
        )
        return cls(*(Share(count, len(runs)) for count in counts))


def training_shares(
    e: Experiment, updates: int, seeds: int = 20, executor: Executor | None = None
) -> TrainingShares:
    """Train an experiment with several seeds and count the outcomes."""
    parts = [(part, updates) for part in seed_parts(e, seeds)]
    return TrainingShares.of(_each(seed_run, parts, executor))


# Phase diagrams -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class PhasePart:
    """One gain of a phase diagram: the bench at every value of the other axis, with several seeds."""

    bench: Bench
    across: str  # the field of Bench on the other axis
    values: tuple[float, ...]
    seeds: int


def phase_row(part: PhasePart) -> Array:
    """Return the median decades over the seeds for each value, (V,)."""
    rows = []
    for value in part.values:
        long = part.across == "seq_len"
        bench = replace(part.bench, seq_len=int(value)) if long else replace(part.bench, input_std=value)
        rows.append(np.median([decades(b) for b in over_seeds(bench, part.seeds)]))
    return np.array(rows)


def phase_parts(
    base: Bench, gains: Iterable[float], across: str, values: Iterable[float], seeds: int
) -> list[PhasePart]:
    """Return the parts of a phase diagram, one per gain.

    Raises
    ------
    ValueError
        If ``across`` is not "seq_len" or "input_std".
    """
    if across not in ("seq_len", "input_std"):
        raise ValueError(f"across must be 'seq_len' or 'input_std'; got {across!r}.")
    steps = tuple(float(value) for value in values)
    return [PhasePart(replace(base, gain=float(gain)), across, steps, seeds) for gain in gains]


def phase_diagram(
    base: Bench,
    gains: Iterable[float],
    across: str,
    values: Iterable[float],
    seeds: int = 5,
    executor: Executor | None = None,
) -> Array:
    """Return decades lost (-) or gained (+) over gain and sequence length or input strength, (G, V)."""
    parts = phase_parts(base, gains, across, values, seeds)
    return np.array(_each(phase_row, parts, executor))


def _each(function: Callable[[Any], Any], parts: Sequence[Any], executor: Executor | None) -> list[Any]:
    """Return the results of all parts, computed in this process if there is no executor."""
    return [function(part) for part in parts] if executor is None else Sweep(function, parts, executor).wait()
