"""The outcome of a lesson's run: its numbers as text for the page and as claims for a test."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from rnnviz.analysis.jacobians import state_jacobians
from rnnviz.analysis.snapshot import Snapshot, take_snapshot
from rnnviz.experiment import Experiment
from rnnviz.model.network import Params
from rnnviz.tasks import TASKS
from rnnviz.teaching.numbers import plain
from rnnviz.teaching.presets import STUCK_WITHIN
from rnnviz.training.loop import Run, start
from rnnviz.training.state import TrainingState

VERDICTS = ("vanishing", "healthy", "exploding")
WRITTEN_OUT = 4.0
"""Powers of ten up to which a factor is written without an exponent."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """A finished run.

    state : of the run. before, after : snapshots of the network before the first update and at the end.
    """

    experiment: Experiment
    state: TrainingState
    before: Snapshot
    after: Snapshot

    @classmethod
    def of(cls, run: Run) -> Outcome:
        """Measure a finished run before and after its training."""
        e, state = run.experiment, run.state
        return cls(e, state, take_snapshot(e, start(e).params, 0), take_snapshot(e, state.params, state.step))

    @property
    def chance(self) -> float:
        """The metric of a guess."""
        return TASKS[self.experiment.task].chance(self.experiment)

    @property
    def solved_at_end(self) -> bool:
        """Whether the last measurement reaches the task's goal."""
        task = TASKS[self.experiment.task]
        return self.state.divergence is None and task.metric.reached(self.state.metric, task.goal)

    @property
    def steps_back(self) -> int:
        """Number of steps from the last output back to step 1."""
        return int(self.experiment.masks.write_steps[-1])

    @property
    def kept_per_step(self) -> float:
        """Mean factor per step back of the last output's error, before training."""
        return float(10.0 ** (self.before.decades[-1] / max(self.steps_back, 1)))

    @property
    def whole_decades(self) -> float:
        """Powers of ten between the whole loss's gradient at the first output and at the last."""
        writing = self.experiment.masks.write_steps
        first, last = self.before.total[-1][writing[[0, -1]]]
        return float(np.log10(first / last))

    @property
    def first_gradient(self) -> float:
        """The norm of the raw gradient before the first update."""
        return float(self.state.history.columns["grad_norm"][0])

    @property
    def largest_gradient(self) -> float:
        """The largest finite norm of a raw gradient."""
        sizes = self.state.history.columns["grad_norm"]
        return float(np.max(sizes[np.isfinite(sizes)], initial=0.0))

    @property
    def clipped(self) -> float:
        """The share of updates that were clipped."""
        columns = self.state.history.columns
        return float(np.mean(columns["clipped_grad_norm"] < columns["grad_norm"]))

    @cached_property
    def directions_before(self) -> float:
        """In how many directions of the last state an error gets back to step 1, before training."""
        return _directions(self.experiment, start(self.experiment).params)

    @cached_property
    def directions_after(self) -> float:
        """The same after training; NaN if the states overflow."""
        return _directions(self.experiment, self.state.params)

    def words(self) -> dict[str, str]:
        """Return the values for the names in braces, as text."""
        return {name: told(self) for name, told in WORDS.items()}

    def broken(self, claims: Mapping[str, Any]) -> list[str]:
        """Return the claims that do not hold, each with the actual value."""
        failed = [name for name, value in claims.items() if not CLAIMS[name].holds(self, value)]
        return [f"{name} = {claims[name]}, but it is {CLAIMS[name].seen(self)}" for name in failed]


def _directions(e: Experiment, params: Params) -> float:
    """Return how many singular values of ds_T/ds_1 lie within two decades of the largest."""
    try:
        return float(state_jacobians(e, params, most=2).within[0])
    except ValueError:  # states that overflow have no Jacobian
        return np.nan


# ---------------------------------------------------------------- numbers in words


def percent(share: float) -> str:
    """Return a share as whole percent, with more digits near 0 and 1."""
    if 0.995 <= share < 1.0:
        return f"{min(100 * share, 99.9):.1f}%"  # do not round up to 100%
    return f"{100 * share:.0f}%" if share >= 0.01 or share == 0.0 else f"{100 * share:.1g}%"


def size(value: float) -> str:
    """Return a number of any magnitude with two digits."""
    if np.isnan(value):
        return "not a number"
    if np.isinf(value):
        return "infinite"
    if 1e-4 <= abs(value) < 1e4 or value == 0.0:
        return f"{value:.0f}" if abs(value) >= 100 else f"{value:.2g}"
    return plain(value, 2)


def factor(decades: float) -> str:
    """Return the factor, 1 or more, that corresponds to a change in powers of ten."""
    far = abs(decades)
    if far <= WRITTEN_OUT:
        return f"{10.0**far:,.0f}" if far >= 2.0 else f"{10.0**far:.1f}"
    return size(10.0**far)


def score(o: Outcome, value: float) -> str:
    """Return a value of a run's metric as text."""
    return percent(value) if TASKS[o.experiment.task].metric.higher_is_better else size(value)


def _decades(value: float) -> str:
    return f"{abs(value):.1f}"


def _count(value: float) -> str:
    return "not a number" if np.isnan(value) else f"{value:.0f}"


def _radius(value: float) -> str:
    return f"{value:.2f}" if value < 100 else size(value)


WORDS: dict[str, Callable[[Outcome], str]] = {
    "steps": lambda o: f"{o.state.step:,}",
    "metric": lambda o: score(o, o.state.metric),
    "chance": lambda o: score(o, o.chance),
    "goal": lambda o: score(o, TASKS[o.experiment.task].goal),
    "solved_at": lambda o: "never" if o.state.solved_at is None else f"{o.state.solved_at:,}",
    "divergence": lambda o: str(o.state.divergence or "Nothing overflowed."),
    "verdict_before": lambda o: o.before.verdict[-1],
    "verdict_after": lambda o: o.after.verdict[-1],
    "decades_before": lambda o: _decades(o.before.decades[-1]),
    "decades_after": lambda o: _decades(o.after.decades[-1]),
    "factor_before": lambda o: factor(o.before.decades[-1]),
    "kept_before": lambda o: percent(o.kept_per_step),
    "whole_factor_before": lambda o: factor(o.whole_decades),
    "rho_before": lambda o: _radius(o.before.spectral_radius[-1]),
    "rho_after": lambda o: _radius(o.after.spectral_radius[-1]),
    "directions_before": lambda o: _count(o.directions_before),
    "directions_after": lambda o: _count(o.directions_after),
    "first_gradient": lambda o: size(o.first_gradient),
    "largest_gradient": lambda o: size(o.largest_gradient),
    "clipped": lambda o: percent(o.clipped),
}
"""Names that `why` may put into braces; README.md in this folder explains each."""


# ---------------------------------------------------------------- claims


@dataclass(frozen=True)
class Claim:
    """A claim about a run.

    kind : "number", "switch", "verdict", or "span" for [lowest, highest].
    seen : returns the actual value. meets : returns whether an actual value meets the claimed one.
    """

    kind: str
    seen: Callable[[Outcome], Any]
    meets: Callable[[Any, Any], bool] = operator.eq

    def check(self, value: Any) -> str:
        """Return what is wrong with a claimed value, "" if it is valid."""
        fits, wanted = KINDS[self.kind]
        return "" if fits(value) else f"must be {wanted}; got {value!r}"

    def holds(self, outcome: Outcome, value: Any) -> bool:
        """Return whether a run meets the claim."""
        return bool(self.meets(self.seen(outcome), value))


def is_number(value: Any) -> bool:
    """Return whether a value is a number; booleans are not."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_span(value: Any) -> bool:
    pair = isinstance(value, list) and len(value) == 2 and all(map(is_number, value))
    return pair and value[0] <= value[1]


KINDS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "number": (is_number, "a number"),
    "switch": (lambda value: isinstance(value, bool), "true or false"),
    "verdict": (lambda value: value in VERDICTS, "one of " + ", ".join(VERDICTS)),
    "span": (_is_span, "[lowest, highest]"),
}


def _within(seen: float, span: list[float]) -> bool:
    return span[0] <= seen <= span[1]


def _diverged_after(o: Outcome) -> float:
    return np.inf if o.state.divergence is None else o.state.divergence.step


CLAIMS: dict[str, Claim] = {
    "metric_at_least": Claim("number", lambda o: o.state.metric, operator.ge),
    "metric_at_most": Claim("number", lambda o: o.state.metric, operator.le),
    "near_chance": Claim("switch", lambda o: bool(abs(o.state.metric - o.chance) < STUCK_WITHIN)),
    "solved": Claim("switch", lambda o: o.state.solved_at is not None),
    "solved_at_end": Claim("switch", lambda o: o.solved_at_end),
    "diverges": Claim("switch", lambda o: o.state.divergence is not None),
    "diverges_by": Claim("number", _diverged_after, operator.le),
    "verdict_before": Claim("verdict", lambda o: o.before.verdict[-1]),
    "verdict_after": Claim("verdict", lambda o: o.after.verdict[-1]),
    "decades_before": Claim("span", lambda o: o.before.decades[-1], _within),
    "decades_after": Claim("span", lambda o: o.after.decades[-1], _within),
    "whole_before": Claim("span", lambda o: o.whole_decades, _within),
    "rho_before": Claim("span", lambda o: o.before.spectral_radius[-1], _within),
    "rho_after": Claim("span", lambda o: o.after.spectral_radius[-1], _within),
    "directions_before": Claim("span", lambda o: o.directions_before, _within),
    "directions_after": Claim("span", lambda o: o.directions_after, _within),
    "first_gradient": Claim("span", lambda o: o.first_gradient, _within),
    "largest_gradient": Claim("span", lambda o: o.largest_gradient, _within),
    "clipped": Claim("span", lambda o: o.clipped, _within),
}
"""Claims that `expect` may make; README.md in this folder explains each."""
