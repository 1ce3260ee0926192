"""Live picture of two runs side by side: their metrics over training, and in a table what differs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from rnnviz.figures.contest import Contest, Trained, contest_spec, look_of
from rnnviz.figures.message import Place
from rnnviz.figures.progress import axis_end
from rnnviz.figures.run_pictures import Moment
from rnnviz.figures.theme import Theme
from rnnviz.tasks import TASKS
from rnnviz.tasks.base import ACCURACY
from rnnviz.teaching.glossary import with_indices
from rnnviz.teaching.numbers import plain

NAMES = ("A", "B")


@dataclass(frozen=True)
class Row:
    """A setting in which both differ: its name, and the two values as text."""

    name: str
    values: tuple[str, str]


@dataclass(frozen=True)
class PairPicture:
    """The held-out metrics of two runs over training, and a table of what differs and what came of it.

    name : "A" or "B", of the run that draws it. rows : the settings that differ.
    """

    place: Place
    theme: Theme
    name: str
    rows: tuple[Row, ...]

    def __call__(self, now: Moment) -> bytes:
        """Return both runs at a moment as a message."""
        known = {**now.beside, self.name: Trained.of(self.name, now.state, now.snapshot)}
        runs = [known[name] for name in NAMES]
        e = now.experiment
        task = TASKS[e.task]
        end = axis_end(max(run.step for run in runs))
        view = Contest(
            runs, int(end), f"{task.measured_on(e)} {task.metric.title}", task.metric is ACCURACY,
            task.chance(e), task.guess, task.level,
        )  # fmt: skip
        told = "; ".join(f"{run.name}: {_metric(view, run)}" for run in runs)
        return self.place.message(
            contest_spec(view, self.theme),
            f"{view.metric_title} of A and B over {max(run.step for run in runs):,} updates. {told}",
            footer=self._table(view, runs),
        )

    def _table(self, view: Contest, runs: Sequence[Trained]) -> str:
        """Return what differs, and what came of it, as HTML."""
        heads = "".join(
            f"<th scope='col' style='color:{look_of(number, self.theme)['color']}'>{name}</th>"
            for number, name in enumerate(NAMES)
        )
        results = [
            Row("parameters", _each(f"{run.parameters:,}" for run in runs)),
            Row("error at step 1 / last", _each(_decades(run.decades) for run in runs)),
            Row("solved after", _each(_solved(run) for run in runs)),
            Row(view.metric_title, _each(_metric(view, run) for run in runs)),
        ]
        lines = [_line(row, "differs") for row in self.rows] + [_line(row) for row in results]
        return f"<table class='pair'><thead><tr><th></th>{heads}</tr></thead>{''.join(lines)}</table>"


def _each(texts: Iterable[str]) -> tuple[str, str]:
    first, second = texts
    return first, second


def _line(row: Row, kind: str = "") -> str:
    cells = "".join(f"<td>{escape(value)}</td>" for value in row.values)
    return f"<tr class='{kind}'><th scope='row'>{with_indices(escape(row.name))}</th>{cells}</tr>"


def _metric(view: Contest, run: Trained) -> str:
    return "–" if np.isnan(run.newest) else view.in_words(run.newest)


def _solved(run: Trained) -> str:
    return "–" if run.solved_at is None else f"{run.solved_at:,} updates"


def _decades(decades: float) -> str:
    """Return the change of the last output's error on its way to step 1, as a factor."""
    return plain(10.0**decades) if abs(decades) < 300 else "0" if decades < 0 else "∞"
