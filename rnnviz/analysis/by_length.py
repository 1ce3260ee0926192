"""Does the gradient matter? Success of training against the sequence length, with the gradient before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnviz.analysis.gradient_flow import gradient_flow
from rnnviz.analysis.shares import Share
from rnnviz.experiment import Experiment
from rnnviz.experiment.fitting import nearest
from rnnviz.model.arrays import Array
from rnnviz.tasks import TASKS
from rnnviz.training.loop import train


@dataclass(frozen=True)
class LengthPart:
    """One training: which choice, at which length, and with which seed."""

    choice: str
    length: int
    experiment: Experiment
    updates: int


@dataclass(frozen=True)
class LengthResult:
    """What became of one training.

    decades : what the gradient loses (-) before training, in powers of ten. metric : at the end.
    solved : whether the goal was reached, where the training ends.
    """

    choice: str
    length: int
    decades: float
    metric: float
    solved: bool


def by_length_parts(
    e: Experiment,
    choices: Mapping[str, Mapping[str, Any]],
    lengths: Sequence[int],
    seeds: int,
    updates: int,
) -> list[LengthPart]:
    """Return the parts, short sequences first, all choices in turn.

    choices : settings that each choice changes, by name. Lengths that the task does not allow are left out.
    """
    low, high = TASKS[e.task].lengths(e)
    return [
        LengthPart(name, T, _changed(e, changes, T, seed), updates)
        for T in lengths
        if low <= T <= high
        for seed in range(seeds)
        for name, changes in choices.items()
    ]


def _changed(e: Experiment, changes: Mapping[str, Any], T: int, seed: int) -> Experiment:
    wanted = {**changes, "seq_len": T, "seed": (e.seed + seed) % 2**31}
    return nearest(wanted, first=wanted, base=e)[0]


def length_result(part: LengthPart) -> LengthResult:
    """Measure the gradient before training; then train until the goal is reached or the updates are made."""
    e = part.experiment
    run = train(e, part.updates, until_solved=True)
    solved = run.state.solved_at is not None
    return LengthResult(part.choice, part.length, gradient_flow(e).decades, run.metric, solved)


@dataclass(frozen=True, eq=False)
class ByLength:
    """The results of one choice at every length so far; n lengths.

    lengths : (n,). decades : (n,), median over the seeds. metric : (3, n), lower quarter, median and upper
    quarter. solved : one share a length.
    """

    name: str
    lengths: Array
    decades: Array
    metric: Array
    solved: tuple[Share, ...]


def by_length(results: Sequence[LengthResult | None]) -> list[ByLength]:
    """Return the results so far by choice, in the order in which they came first."""
    known = [result for result in results if result is not None]
    return [
        _one(name, [r for r in known if r.choice == name]) for name in dict.fromkeys(r.choice for r in known)
    ]


def _one(name: str, results: Sequence[LengthResult]) -> ByLength:
    lengths = sorted({result.length for result in results})
    at = {T: [result for result in results if result.length == T] for T in lengths}
    sizes = {
        T: np.nan_to_num([r.decades for r in rs], nan=400.0, posinf=400.0, neginf=-400.0)
        for T, rs in at.items()
    }
    return ByLength(
        name,
        np.array(lengths, float),
        np.array([np.median(sizes[T]) for T in lengths]),
        np.array([np.quantile([_finite(r.metric) for r in at[T]], (0.25, 0.5, 0.75)) for T in lengths]).T,
        tuple(Share(sum(result.solved for result in at[T]), len(at[T])) for T in lengths),
    )


def _finite(metric: float) -> float:
    """Return a metric; that of a run that diverged is infinite for errors, and 0 for accuracies."""
    return metric if np.isfinite(metric) else 0.0
