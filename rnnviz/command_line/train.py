"""``rnnviz train``: train a network and report what it learned."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

from rnnviz.command_line import results
from rnnviz.command_line.settings import ExperimentCommand, as_told, in_a_line
from rnnviz.experiment import Experiment
from rnnviz.tasks import TASKS
from rnnviz.tasks.base import ACCURACY
from rnnviz.training.loop import held_out_metric
from rnnviz.training.state import TrainingState


@dataclass(frozen=True, eq=False)
class Outcome:
    """A run at its end.

    asked : the updates that were to be made. metric : of the weights at the end. solved_at : as in a
    ``TrainingState``, or the end, if the goal is only reached there.
    """

    e: Experiment
    state: TrainingState
    asked: int
    metric: float
    solved_at: int | None
    solved_at_end: bool

    @classmethod
    def of(cls, e: Experiment, state: TrainingState, asked: int) -> Outcome:
        """Measure the weights of a state."""
        task = TASKS[e.task]
        metric = held_out_metric(e, e.network(), state.params)
        reached = state.divergence is None and bool(task.metric.reached(metric, task.goal))
        solved_at = state.step if reached and state.solved_at is None else state.solved_at
        return cls(e, state, asked, metric, solved_at, reached)

    @property
    def loss(self) -> float | None:
        """The loss of the last training batch, before its update; None before the first."""
        latest = self.state.history.latest
        return None if latest is None else latest[1]

    def as_told(self) -> dict[str, Any]:
        """Return the outcome for JSON."""
        task, divergence = TASKS[self.e.task], self.state.divergence
        return {
            "experiment": as_told(self.e),
            "updates": self.state.step,
            "loss": self.loss,
            "metric": self.metric,
            "metric_name": task.metric.name,
            "measured_on": task.measured_on(self.e),
            "chance": task.chance(self.e),
            "goal": task.goal,
            "solved_at": self.solved_at,
            "solved_at_end": self.solved_at_end,
            "divergence": divergence and asdict(divergence),
        }

    def in_words(self) -> str:
        """Return the outcome as lines of text."""
        task = TASKS[self.e.task]

        def shown(value: float) -> str:
            return f"{value:.1%}" if task.metric is ACCURACY else f"{value:.4g}"

        level, goal = shown(task.chance(self.e)), shown(task.goal)
        measured = f"{shown(self.metric)} {task.measured_on(self.e)} ({task.level} {level}, goal {goal})"
        lines = {
            "Updates": results.count(self.state.step, self.asked),
            "Loss": "none yet"
            if self.loss is None
            else f"{self.loss:.4g} of the last training batch, before its update",
            task.metric.title.capitalize(): measured,
            "Solved": self._solved(),
            "Diverged": str(self.state.divergence or "no"),
        }
        width = max(map(len, lines))
        return "\n".join([in_a_line(self.e), *(f"{name:{width}}  {text}" for name, text in lines.items())])

    def _solved(self) -> str:
        if self.solved_at is None:
            return "no"
        later = "" if self.solved_at_end else ", but no longer at the end"
        return f"after {self.solved_at:,} updates{later}"


@click.command(cls=ExperimentCommand, short_help="Train a network; print loss and metric.")
@results.updates(1, 300)
@results.as_json
@results.out(results.TABLES, "Write the history of the run as .csv or .json.")
def train(e: Experiment, updates: int, as_json: bool, out: Path | None) -> int:
    """Train a network and print loss, metric and whether the task is solved.

    Ctrl-C ends the training early and keeps what was made.
    """
    state, interrupted = results.trained(e, updates)
    outcome = Outcome.of(e, state, updates)
    if as_json:
        results.write_json(outcome.as_told() | {"interrupted": interrupted})
    else:
        click.echo(outcome.in_words())
    results.save(state.history.frame(), out)
    return results.exit_code(state, interrupted)
