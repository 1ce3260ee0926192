"""Two experiments with many seeds: their metrics as bands, and their outcomes in numbers and in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from rnnviz.analysis.sweeps import SeedRun, TrainingShares
from rnnviz.experiment import Experiment
from rnnviz.figures.contest import look_of
from rnnviz.figures.pair import NAMES
from rnnviz.figures.theme import LIGHT, Spec, Theme, axis, layout, with_alpha
from rnnviz.model.arrays import Array
from rnnviz.tasks import TASKS
from rnnviz.teaching.numbers import plain_all

NEVER = r"\text{–}"
POINTS = 200
"""Updates at which the bands are drawn."""


def pair_seeds_spec(
    e: Experiment, runs: Sequence[Sequence[SeedRun]], updates: int, theme: Theme = LIGHT
) -> Spec:
    """Draw the median of the metric over the updates and the middle half of the seeds, for A and for B."""
    task = TASKS[e.task]
    top = 1.0 if task.metric.higher_is_better else 1.5 * task.chance(e)
    steps = np.unique(np.linspace(0, updates, POINTS).astype(int))
    data = []
    for number, (name, some) in enumerate(zip(NAMES, runs, strict=True)):
        line = look_of(number, theme)
        low, middle, high = np.minimum(
            np.quantile(np.array([_at(run, steps) for run in some]), (0.25, 0.5, 0.75), axis=0), top
        )
        edge = {"type": "scatter", "mode": "lines", "x": steps, "line": {"width": 0}, "hoverinfo": "skip"}
        fill = {"fill": "tonexty", "fillcolor": with_alpha(line["color"], 0.18)}
        data += [
            edge | {"name": f"{name}, lower quarter", "y": low, "showlegend": False},
            edge | fill | {"name": f"{name}, middle half", "y": high, "showlegend": False},
            {"type": "scatter", "mode": "lines", "name": f"{name}, median", "x": steps, "y": middle}
            | {"line": line, "customdata": plain_all(middle)}
            | {"hovertemplate": f"{name}, update %{{x}}: %{{customdata}}<extra></extra>"},
        ]
    for name, value, dash in (("goal", task.goal, "solid"), (task.level, task.chance(e), "dash")):
        data.append(
            {"type": "scatter", "mode": "lines", "name": name, "x": [0, updates], "y": [value] * 2}
            | {"line": {"color": theme.faint, "width": 1.2, "dash": dash}}
        )
    title = f"{task.measured_on(e)} {task.metric.title}"
    return {
        "data": data,
        "layout": layout(
            theme,
            margin={"l": 72, "r": 24, "t": 34, "b": 44},
            showlegend=True,
            legend={"orientation": "h", "x": 1, "xanchor": "right", "y": 1.0, "yanchor": "bottom"},
            xaxis=axis(theme, "update", range=[0, updates], showgrid=False),
            yaxis=axis(theme, title, range=[0.0, 1.03 * top], nticks=6),
        ),
    }


def _at(run: SeedRun, steps: Array) -> Array:
    """Return the newest measurement of a run at each of these updates; before the first one, the first."""
    place = np.maximum(np.searchsorted(run.steps, steps, side="right") - 1, 0)
    values = run.metric[place]
    return np.asarray(np.where(np.isfinite(values), values, np.inf))


def verdict_in_words(a: Sequence[SeedRun], b: Sequence[SeedRun]) -> str:
    """Return which of both reached the goal with more seeds, or that these seeds do not tell."""
    one, other = TrainingShares.of(a).solved, TrainingShares.of(b).solved
    told = f"**A reached the goal with {one}, B with {other}.**"
    if one.interval[0] > other.interval[1] or other.interval[0] > one.interval[1]:
        better = "A" if one.value > other.value else "B"
        return f"{told} The intervals do not overlap: {better} is better at this."
    return f"{told} The intervals overlap: {one.seeds} seeds do not tell them apart."


def outcomes(a: Sequence[SeedRun], b: Sequence[SeedRun], parameters: Sequence[int]) -> str:
    """Return a table of the outcomes in TeX."""
    rows = [
        ("", r"\textbf{A}", r"\textbf{B}"),
        (r"\text{parameters}", *(f"{count:,}".replace(",", r"{,}") for count in parameters)),
        (r"\text{reached the goal}", *(_share(runs) for runs in (a, b))),
        (r"\text{at the end}", *(_share(runs, "solved_at_end") for runs in (a, b))),
        (r"\text{updates until then}", *(_until(runs) for runs in (a, b))),
        (r"\text{seconds until then}", *(_seconds(runs) for runs in (a, b))),
        (r"\text{last metric}", *(f"{_median(run.metric[-1] for run in runs):.3g}" for runs in (a, b))),
        (
            r"\text{ms an update}",
            *(f"{_median(run.milliseconds for run in runs):.2g}" for runs in (a, b)),
        ),
    ]
    return r"\begin{array}{lrr} " + r" \\ ".join(" & ".join(row) for row in rows) + r" \end{array}"


def _median(values: Iterable[float]) -> float:
    return float(np.median(list(values)))


def _share(runs: Sequence[SeedRun], what: str = "solved") -> str:
    share = getattr(TrainingShares.of(runs), what)
    return f"{share.count}/{share.seeds}"


def _until(runs: Sequence[SeedRun]) -> str:
    solved = [run.solved_at for run in runs if run.solved_at is not None]
    return f"{_median(solved):.0f}" if solved else NEVER


def _seconds(runs: Sequence[SeedRun]) -> str:
    """Return the median processor time until the goal, of the seeds that reached it."""
    taken = [run.solved_at * run.milliseconds / 1000.0 for run in runs if run.solved_at is not None]
    return f"{_median(taken):.2g}" if taken else NEVER
