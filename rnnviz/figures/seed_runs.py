"""Training with many seeds: every run's metric over the updates, with the goal and chance or a baseline."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from rnnviz.analysis.sweeps import SeedRun
from rnnviz.experiment import Experiment
from rnnviz.figures.theme import LIGHT, Spec, Theme, axis, layout, with_alpha
from rnnviz.tasks import TASKS


def seed_runs_spec(e: Experiment, runs: Sequence[SeedRun], updates: int, theme: Theme = LIGHT) -> Spec:
    """Draw the metric of every run over the updates; the experiment's own seed is the first."""
    task = TASKS[e.task]
    top = 1.0 if task.metric.higher_is_better else 1.5 * task.chance(e)
    data = [_lines("other seeds", runs[1:], top, {"color": with_alpha(theme.metric, 0.45), "width": 1.3})]
    data.append(_lines("this seed", runs[:1], top, {"color": theme.ink, "width": 2, "dash": "dot"}))
    for name, value, dash in (("goal", task.goal, "solid"), (task.level, task.chance(e), "dash")):
        line = {"color": theme.faint, "width": 1.2, "dash": dash}
        data.append(
            {"type": "scatter", "mode": "lines", "name": name, "x": [0, updates], "y": [value] * 2}
            | {"line": line}
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


def _lines(name: str, runs: Sequence[SeedRun], top: float, line: Spec) -> Spec:
    """Draw runs as one trace; errors above the axis are drawn at its end."""
    x = [np.append(run.steps, np.nan) for run in runs] or [np.array([np.nan])]
    y = [np.append(np.minimum(run.metric, top), np.nan) for run in runs] or [np.array([np.nan])]
    drawn = np.concatenate(y)
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": np.concatenate(x),
        "y": np.where(np.isfinite(drawn), drawn, np.nan),
        "line": line,
        "hoverinfo": "skip",
    }


def seed_runs(e: Experiment, runs: Sequence[SeedRun], updates: int, theme: Theme = LIGHT) -> go.Figure:
    """Draw training with many seeds (see ``seed_runs_spec``)."""
    return go.Figure(seed_runs_spec(e, runs, updates, theme))
