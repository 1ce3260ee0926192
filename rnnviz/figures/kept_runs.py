"""Kept runs over each other: loss, metric, and the gradient over time before and after training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from rnnviz.analysis.snapshot import Snapshot
from rnnviz.experiment import Experiment
from rnnviz.figures.progress import Progress, axis_end
from rnnviz.figures.theme import LIGHT, Spec, Theme, axis, heading, layout
from rnnviz.figures.timeline import power_ticks
from rnnviz.model.arrays import Array
from rnnviz.teaching.numbers import plain_all
from rnnviz.training.state import TrainingState

DASHES = ("solid", "dash", "dashdot")
POWERS = 30
"""Powers of ten below which a gradient is off the chart."""


@dataclass(frozen=True)
class KeptRun:
    """One run.

    name : as the visitor wrote it. updates, metric : how many were made, and the held-out metric after them.
    before, now : the last output's gradient (T,) before training and after it.
    """

    name: str
    progress: Progress
    updates: int
    metric: float
    before: Array
    now: Array

    @classmethod
    def of(
        cls,
        name: str,
        e: Experiment,
        state: TrainingState,
        metric: float,
        initial: Snapshot,
        now: Snapshot,
    ) -> KeptRun:
        """Return what is drawn of a run. metric : of the weights at its end."""
        return cls(name, Progress.of(e, state), state.step, metric, initial.last[-1], now.last[-1])


def line_of(number: int, theme: Theme) -> Spec:
    """Return the line of the run with this number, the same in every panel."""
    colours = theme.series
    return {"color": colours[number % len(colours)], "dash": DASHES[number // len(colours)], "width": 2.2}


def kept_runs_spec(runs: Sequence[KeptRun], theme: Theme = LIGHT) -> Spec:
    """Draw the runs over each other: loss, metric, and gradient against time step."""
    end = axis_end(max((run.updates for run in runs), default=0))
    data: list[Spec] = []
    for number, run in enumerate(runs):
        line, seen, name = line_of(number, theme), run.progress, as_text(run.name)
        t = np.arange(1.0, len(run.now) + 1)
        data += [
            curve | {"legendgroup": str(number)}
            for curve in (
                _curve(name, seen.steps, seen.loss, line, "", "update") | {"showlegend": True},
                _curve(name, *_measured(run), line, "2", "update"),
                _curve(f"{name}, before training", t, run.before, line | {"width": 1}, "3", "step"),
                _curve(f"{name}, now", t, run.now, line, "3", "step"),
            )
        ]
    titles = {run.progress.metric_title for run in runs}
    steps = axis(theme, "update", range=[0, end], nticks=4, showgrid=False)
    accuracy = all(run.progress.accuracy for run in runs)
    return {
        "data": data,
        "layout": layout(
            theme,
            margin={"l": 52, "r": 16, "t": 30, "b": 64},
            showlegend=True,
            legend={"orientation": "h", "x": 0, "y": -0.2, "yanchor": "top"},
            xaxis=steps | {"domain": [0.0, 0.27]},
            xaxis2=steps | {"domain": [0.345, 0.615], "anchor": "y2"},
            xaxis3=axis(theme, "time step t", nticks=6, showgrid=False)
            | {"domain": [0.70, 1.0], "anchor": "y3"},
            yaxis=_powers(theme, [run.progress.loss for run in runs]),
            yaxis2=axis(theme, anchor="x2", nticks=5) | (_SHARE if accuracy else {"rangemode": "tozero"}),
            yaxis3=_powers(theme, [c for run in runs for c in (run.before, run.now)]) | {"anchor": "x3"},
            annotations=[
                heading(theme, "loss, training batch", 0.0, size=13),
                heading(theme, titles.pop() if len(titles) == 1 else "held-out metric", 0.345, size=13),
                heading(theme, "||∂L/∂h<sub>t</sub>||: thin before training, thick now", 0.70, size=13),
            ],
        ),
    }


def as_text(name: str) -> str:
    """Return a name that plotly shows as it is: it takes tags for its own, and in hover texts braces too."""
    return escape(name, quote=False).replace("{", "&#123;")


def _measured(run: KeptRun) -> tuple[Array, Array]:
    """Return updates and held-out metric; the last measurement is that of the weights at the end."""
    steps, metric = run.progress.steps, run.progress.metric
    if len(steps) and steps[-1] >= run.updates:  # it diverged: no update was made after the last row
        return steps, metric
    return np.append(steps, run.updates), np.append(metric, run.metric)


def _powers(theme: Theme, curves: Sequence[Array]) -> Spec:
    """Return a logarithmic axis that holds all curves."""
    values = np.concatenate(curves)
    seen = np.log10(values[np.isfinite(values) & (values > 10.0**-POWERS)])
    span = (int(np.floor(seen.min())), int(np.ceil(seen.max()))) if seen.size else (-1, 1)
    span = (span[0], max(span[1], span[0] + 1))
    return axis(theme, type="log", range=list(span), **power_ticks(span, most=5))


_SHARE = {"range": [0.0, 1.05], "tickformat": ".0%"}


def _curve(name: str, x: Array, y: Array, line: Spec, axes: str, unit: str) -> Spec:
    """Draw what is finite, and above zero on the logarithmic axes, of a curve."""
    shown = np.isfinite(y) & ((y > 10.0**-POWERS) | (axes == "2"))
    return {
        "type": "scatter",
        "mode": "lines" if shown.sum() > 1 else "markers",
        "name": name,
        "x": x,
        "y": np.where(shown, y, np.nan),
        "xaxis": f"x{axes}",
        "yaxis": f"y{axes}",
        "line": line,
        "marker": {"color": line["color"]},
        "showlegend": False,
        "customdata": plain_all(y),
        "hovertemplate": f"{name}, {unit} %{{x}}: %{{customdata}}<extra></extra>",
    }
