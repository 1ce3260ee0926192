"""Success of training against the sequence length, above the gradient before training at the same length."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from rnnviz.analysis.by_length import ByLength
from rnnviz.analysis.gradient_flow import VERDICT_DECADES
from rnnviz.experiment import Experiment
from rnnviz.figures.theme import LIGHT, Spec, Theme, axis, heading, layout
from rnnviz.tasks import TASKS
from rnnviz.teaching.numbers import plain

LOWEST = -20.0
"""Powers of ten at which the lower panel ends; what lies below is drawn there."""


def by_length_spec(
    e: Experiment, rows: Sequence[ByLength], lengths: Sequence[int], theme: Theme = LIGHT
) -> Spec:
    """Draw the metric at the end (median, middle half of the seeds) and below it the gradient's decades."""
    task = TASKS[e.task]
    top = 1.0 if task.metric.higher_is_better else 1.5 * task.chance(e)
    span = [0.0, max(lengths) + 2.0]
    data = [
        _level(task.level, task.chance(e), span, "y", theme, "dash"),
        _level("goal", task.goal, span, "y", theme, "solid"),
        _level("vanishing below", -VERDICT_DECADES, span, "y2", theme, "dot"),
    ]
    for number, row in enumerate(rows):
        colour = theme.series[number % len(theme.series)]
        dash = ("solid", "dash", "dot", "dashdot")[number % 4]
        low, middle, high = np.minimum(row.metric, top)
        told = [
            f"{plain(value)}, solved: {share.count} of {share.seeds}"
            for value, share in zip(row.metric[1], row.solved, strict=True)
        ]
        mark = {"size": 8, "symbol": ("circle", "square", "diamond", "triangle-up")[number % 4]}
        base = {
            "type": "scatter",
            "mode": "lines+markers",
            "x": row.lengths,
            "line": {"color": colour, "width": 2, "dash": dash},
            "marker": mark | {"color": colour},
        }
        data.append(
            base
            | {"name": row.name, "y": middle, "customdata": told}
            | {"error_y": {"array": high - middle, "arrayminus": middle - low, "thickness": 1.2, "width": 3}}
            | {"hovertemplate": f"{row.name}, T = %{{x}}: %{{customdata}}<extra></extra>"}
        )
        data.append(
            base
            | {"name": row.name, "y": np.maximum(row.decades, LOWEST), "yaxis": "y2", "showlegend": False}
            | {"customdata": [f"{value:.1f}" for value in row.decades]}
            | {"hovertemplate": f"{row.name}, T = %{{x}}: 10^%{{customdata}}<extra></extra>"}
        )
    return {
        "data": data,
        "layout": layout(
            theme,
            margin={"l": 64, "r": 24, "t": 40, "b": 42},
            showlegend=True,
            legend={"orientation": "h", "x": 1, "xanchor": "right", "y": 1.02, "yanchor": "bottom"},
            xaxis=axis(theme, "sequence length T", range=span, tickvals=list(lengths), anchor="y2"),
            yaxis=axis(theme, domain=[0.5, 1.0], range=[0.0, 1.05 * top], nticks=5),
            yaxis2=axis(theme, "powers of ten", domain=[0.0, 0.4], range=[LOWEST - 1.0, 3.0], nticks=5),
            annotations=[
                heading(theme, f"{task.measured_on(e)} {task.metric.title} at the end", size=13),
                heading(theme, "gradient at step 1, before training", size=13) | {"y": 0.4},
            ],
        ),
    }


def _level(name: str, value: float, span: list[float], yaxis: str, theme: Theme, dash: str) -> Spec:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": span,
        "y": [value] * 2,
        "yaxis": yaxis,
        "line": {"color": theme.faint, "width": 1.2, "dash": dash},
        "showlegend": yaxis == "y",
        "hoverinfo": "skip",
    }


def by_length(
    e: Experiment, rows: Sequence[ByLength], lengths: Sequence[int], theme: Theme = LIGHT
) -> go.Figure:
    """Draw success against the sequence length (see ``by_length_spec``)."""
    return go.Figure(by_length_spec(e, rows, lengths, theme))
