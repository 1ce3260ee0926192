"""Training progress: loss and held-out metric against the training step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from rnnviz.experiment import Experiment
from rnnviz.figures.labels import Panel, Spot, beside_level
from rnnviz.figures.theme import LIGHT, Spec, Theme, axis, heading, layout
from rnnviz.figures.timeline import power_ticks
from rnnviz.model.arrays import Array
from rnnviz.tasks import TASKS
from rnnviz.teaching.numbers import plain, plain_all
from rnnviz.training.state import TrainingState

OFF_THE_CHART = 1e3
"""In multiples of chance: larger errors are drawn here, above the axis; browsers fail at huge numbers."""

LEAST_PANEL = (190.0, 98.0)
"""Width and height of each panel in pixels, at least."""

MEASURED = "update (measured every 10–50)"
"""The axis of the metric: it is measured after each of the first updates only, see ``is_measured``."""

LEVEL_SIZE = 11
"""Font size of the label of chance, or of the baseline."""

MAX_POINTS = 400
"""The largest number of points drawn: more would be indistinguishable, and each costs redraw time."""


@dataclass(frozen=True, eq=False)
class Progress:
    """Data of the progress figure.

    steps, loss, metric : (n,) each, measurements of a run (``of`` takes MAX_POINTS of them at most).
    chance_loss, chance : loss and metric of a guess; guess : that guess in words.
    loss_title, metric_title : their names, with units.
    accuracy : whether the metric is a share of right answers, in [0, 1] (higher is better).
    level : the name of what that guess scores, "chance" or "baseline".
    broke_off : step at which numbers overflowed. solved_at : step at which the task was solved.
    cursor : step that the other pictures show, if it is not the last one.
    """

    steps: Array
    loss: Array
    metric: Array
    chance_loss: float
    chance: float
    guess: str
    level: str
    loss_title: str
    metric_title: str
    accuracy: bool
    broke_off: int | None = None
    solved_at: int | None = None
    cursor: int | None = None

    @staticmethod  # a class method would be sent to workers with all of its code
    def of(e: Experiment, state: TrainingState) -> Progress:
        """Return the progress of a run."""
        task, columns = TASKS[e.task], state.history.columns
        count = len(columns["step"])
        shown = np.unique(np.linspace(0, max(count - 1, 0), min(count, MAX_POINTS)).astype(int))
        return Progress(
            steps=columns["step"][shown],
            loss=columns["loss"][shown],
            metric=columns["metric"][shown],
            chance_loss=task.chance_loss(e),
            chance=task.chance(e),
            guess=task.guess,
            level=task.level,
            loss_title=task.loss.title,
            metric_title=f"{task.measured_on(e)} {task.metric.title}",
            accuracy=task.metric.higher_is_better,
            broke_off=state.divergence.step if state.divergence else None,
            solved_at=state.solved_at,
        )


def progress_spec(view: Progress, theme: Theme = LIGHT) -> Spec:
    """Return the figure of loss (left) and metric (right) as plain data."""
    end = axis_end(view.steps[-1] if len(view.steps) else 0)
    span = _loss_span(view)
    data = [
        _line("loss, training batch", view.steps, view.loss, theme.loss, "x", "y", 1.4),
        _line("metric, held out", view.steps, _on_the_chart(view), theme.metric, "x2", "y2", 2.4),
        _level(view, view.chance_loss, end, "x", "y", theme),
        _level(view, view.chance, end, "x2", "y2", theme),
        _cursor(view, 10.0 ** span[0], 10.0 ** span[1], "", theme),
        _cursor(view, 0.0, _top(view), "2", theme),
    ]
    metric = _panel(view, end)
    events = [_event(metric, theme, step, name) for step, name in _events(view)]
    level = beside_level(metric, view.chance, above=view.accuracy)
    words = f"{view.level}: {view.guess}" if view.guess else view.level
    words = words if metric.has_room(words, level, LEVEL_SIZE) else view.level
    steps = axis(theme, "update", range=[-0.01 * end, end], nticks=4, showgrid=False)
    measured = steps["title"] | {"text": MEASURED}
    return {
        "data": data,
        "layout": layout(
            theme,
            margin={"l": 46, "r": 22, "t": 30, "b": 40},
            xaxis=steps | {"domain": [0.0, 0.44]},
            xaxis2=steps | {"domain": [0.56, 1.0], "anchor": "y2", "title": measured},
            yaxis=axis(theme, type="log", range=list(span), **power_ticks(span, most=4)),
            yaxis2=axis(theme, anchor="x2", nticks=5, **_metric_range(view)),
            shapes=[_event_line(theme, step, name) for step, name in _events(view)],
            annotations=[
                heading(theme, f"loss: {view.loss_title}", 0.0, theme.loss, size=13),
                heading(theme, view.metric_title, 0.56, theme.metric, size=13),
                metric.label(theme, words, level, LEVEL_SIZE, theme.faint),
                *events,
            ],
        ),
    }


def _on_the_chart(view: Progress) -> Array:
    """Return the metric, clipped to what browsers can draw; inf and NaN are kept."""
    finite = np.isfinite(view.metric)
    return np.where(finite, np.minimum(view.metric, OFF_THE_CHART * view.chance), view.metric)


def _line(name: str, x: Array, y: Array, colour: str, xaxis: str, yaxis: str, width: float) -> Spec:
    return {
        "type": "scatter",
        "name": name,
        "mode": "lines" if np.isfinite(y).sum() > 3 else "lines+markers",
        "x": x,
        "y": np.where(np.isfinite(y), y, np.nan),
        "xaxis": xaxis,
        "yaxis": yaxis,
        "line": {"color": colour, "width": width},
        "customdata": plain_all(y),
        "hovertemplate": f"{name}, update %{{x}}: %{{customdata}}<extra></extra>",
    }


def axis_end(step: float) -> float:
    """Return a round number of steps, 50 or more, that leaves at most a quarter of the axis empty.

    An axis that grew with every step would be drawn anew with every picture.
    """
    power = 10.0 ** np.floor(np.log10(max(step, 50.0)))
    ends = power * np.array([1.0, 1.25, 1.6, 2.0, 2.5, 3.2, 4.0, 5.0, 6.5, 8.0, 10.0])
    return float(ends[ends >= max(step, 50.0)][0])


def _level(view: Progress, value: float, end: float, xaxis: str, yaxis: str, theme: Theme) -> Spec:
    return {
        "type": "scatter",
        "name": view.level,
        "mode": "lines",
        "x": np.array([0.0, end]),
        "y": np.array([value, value]),
        "xaxis": xaxis,
        "yaxis": yaxis,
        "line": {"color": theme.target, "width": 1.6, "dash": "dash"},
        "hovertemplate": f"{view.level}: {plain(value)}<extra></extra>",
    }


def _loss_span(view: Progress) -> tuple[int, int]:
    """Return the axis as powers of ten: from two below chance to one above, extended as needed."""
    seen = view.loss[np.isfinite(view.loss) & (view.loss > 0)]
    centre = np.log10(view.chance_loss)
    low = min(np.floor(np.log10(seen.min())) if seen.size else 0.0, np.floor(centre) - 2)
    high = max(np.ceil(np.log10(seen.max())) if seen.size else 0.0, np.ceil(centre + 0.2))
    return int(low), int(high)


def _metric_range(view: Progress) -> Spec:
    return {"range": [0.0, _top(view)]} | ({"tickformat": ".0%"} if view.accuracy else {})


def _top(view: Progress) -> float:
    return 1.05 if view.accuracy else 1.6 * view.chance


def _panel(view: Progress, end: float) -> Panel:
    """Return the right panel, with the lines that its labels should not cover."""
    top = _top(view)
    lines = [(view.steps, _on_the_chart(view)), (np.array([0.0, end]), np.full(2, view.chance))]
    lines += [(np.full(2, float(step)), np.array([0.0, top])) for step, _ in _events(view)]
    return Panel((-0.01 * end, end), (0.0, top), *LEAST_PANEL, lines, {"xref": "x2", "yref": "y2"})


def _events(view: Progress) -> list[tuple[int, str]]:
    events = [(view.broke_off, "diverged"), (view.solved_at, "solved")]
    return [(step, name) for step, name in events if step is not None]


def _event_line(theme: Theme, step: int, name: str) -> Spec:
    """Mark one training step in the right panel."""
    line = {"type": "line", "x0": step, "x1": step, "y0": 0, "y1": 1, "xref": "x2", "yref": "y2 domain"}
    return line | {"line": {"color": _event_colour(theme, name), "width": 1.5}}


def _cursor(view: Progress, low: float, high: float, axes: str, theme: Theme) -> Spec:
    """Mark the step that the other pictures show, from the foot of a panel to its top.

    A trace, as the browser paints these while the visitor looks back; without a cursor it has no points.
    """
    there = [] if view.cursor is None else [float(view.cursor)] * 2
    return {
        "type": "scatter",
        "mode": "lines",
        "x": np.array(there),
        "y": np.array([low, high][: len(there)]),
        "xaxis": f"x{axes}",
        "yaxis": f"y{axes}",
        "line": {"color": theme.ink, "width": 1.5},
        "hoverinfo": "skip",
        "name": "shown",
    }


def _event_colour(theme: Theme, name: str) -> str:
    return theme.good if name == "solved" else theme.bad


def _event(panel: Panel, theme: Theme, step: int, name: str) -> Spec:
    """Label the mark of a training step, on the side where there is room."""
    top = panel.y[1]
    sides = [("left", 3.0), ("right", -3.0)]
    spots = [
        Spot(step, height, anchor, upright, shift, inwards)
        for height, upright, inwards in ((0.0, "bottom", 2.0), (top, "top", -2.0), (0.5 * top, "middle", 0.0))
        for anchor, shift in (sides if step <= panel.x[1] / 2 else sides[::-1])
    ]
    return panel.label(theme, name, spots, 12, _event_colour(theme, name))


def progress(view: Progress, theme: Theme = LIGHT) -> go.Figure:
    """Draw loss and held-out metric against the training step, each with its chance or baseline."""
    return go.Figure(progress_spec(view, theme))
