"""Two or three networks on one task: held-out metrics over training, with chance or a baseline."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from rnnviz.analysis.snapshot import Snapshot
from rnnviz.figures.labels import Panel, beside_level
from rnnviz.figures.theme import LIGHT, Spec, Theme, axis, heading, layout, note
from rnnviz.model.arrays import Array
from rnnviz.teaching.numbers import plain, plain_all
from rnnviz.training.state import TrainingState
from rnnviz.training.updates import is_measured

LEAST_PANEL = (364.0, 128.0)
"""Width and height of the panel in pixels, at least."""

LABEL_GAP = 0.17
"""Smallest distance between two labels at the right end, as a share of the axis."""


@dataclass(frozen=True, eq=False)
class Trained:
    """One network's metric over training.

    steps, metric : (n,) each, the measurements and the updates before them. step : updates so far.
    decades : as in ``Snapshot``, of the top layer. parameters : how many it has. solved_at : see
    ``TrainingState``.
    """

    name: str
    steps: Array
    metric: Array
    step: int
    decades: float = np.nan
    parameters: int = 0
    solved_at: int | None = None

    @property
    def newest(self) -> float:
        """The latest measurement; NaN if there is none."""
        return float(self.metric[-1]) if len(self.metric) else np.nan

    @classmethod
    def of(cls, name: str, state: TrainingState, snapshot: Snapshot | None = None) -> Trained:
        """Return the measurements of a run, including the latest one."""
        columns = state.history.columns
        past = np.array([is_measured(int(step)) for step in columns["step"]], bool)
        steps, metric = columns["step"][past], columns["metric"][past]
        if is_measured(state.step) and np.isfinite(state.metric):
            steps, metric = np.append(steps, state.step), np.append(metric, state.metric)
        decades = snapshot.decades[-1] if snapshot else np.nan
        return cls(name, steps, metric, state.step, decades, state.params.count, state.solved_at)


@dataclass(frozen=True, eq=False)
class Contest:
    """Data of the figure.

    trained : two or three networks; on the page Why the one without memory is the first.
    end : training steps of each.
    metric_title : the metric's name. accuracy : it is a share of right answers (higher is better).
    chance : the metric of a guess; guess : that guess in words, "" to leave them out;
    level : "chance" or "baseline".
    bound : the best possible metric without memory, where it is better than a guess.
    """

    trained: list[Trained]
    end: int
    metric_title: str
    accuracy: bool
    chance: float
    guess: str
    level: str
    bound: float | None = None

    @property
    def top(self) -> float:
        """Upper end of the metric's axis."""
        return 1.08 if self.accuracy else 2.0 * self.chance

    def in_words(self, value: float) -> str:
        """Return a measurement as text."""
        return f"{value:.0%}" if self.accuracy else f"{value:.1f}"


def contest_spec(view: Contest, theme: Theme = LIGHT) -> Spec:
    """Return the figure as plain data."""
    looks = [look_of(number, theme) for number in range(len(view.trained))]
    words = f"{view.level}: {view.guess}" if view.guess else view.level
    levels = [(view.level, view.chance, words)]
    if view.bound is not None:
        levels.append(("bound", view.bound, f"best possible without memory: {view.in_words(view.bound)}"))
    panel = _panel(view, [value for _, value, _ in levels])
    spots = [beside_level(panel, value, above=value == levels[-1][1]) for _, value, _ in levels]
    return {
        "data": [
            *[_level(name, value, view.end, theme) for name, value, _ in levels],
            *[
                _line(*both) for both in reversed(list(zip(view.trained, looks, strict=True)))
            ],  # dashes on top
        ],
        "layout": layout(
            theme,
            margin={"l": 46, "r": 150, "t": 26, "b": 36},
            xaxis=axis(theme, "update", range=[-0.005 * view.end, view.end], showgrid=False, nticks=6),
            yaxis=axis(theme, range=[0.0, view.top], nticks=5, tickformat=".0%" if view.accuracy else ".0f"),
            annotations=[
                heading(theme, view.metric_title, size=13),
                *[
                    panel.label(theme, text, places, 12, theme.faint)
                    for (_, _, text), places in zip(levels, spots, strict=True)
                ],
                *_end_labels(view, [str(look["color"]) for look in looks], theme),
            ],
        ),
    }


def look_of(number: int, theme: Theme) -> Spec:
    """Return the line of the network with this number, by which it is known in every figure."""
    return (
        {"color": theme.series[2], "width": 2.6, "dash": "dash"},
        {"color": theme.metric, "width": 3.0, "dash": "solid"},
        {"color": theme.series[3], "width": 2.6, "dash": "dot"},
    )[number]


def _line(trained: Trained, look: Spec) -> Spec:
    return {
        "type": "scatter",
        "name": trained.name,
        "mode": "lines" if len(trained.steps) > 1 else "markers",
        "x": trained.steps,
        "y": np.where(np.isfinite(trained.metric), trained.metric, np.nan),
        "line": look,
        "marker": {"color": look["color"], "size": 8},
        "customdata": plain_all(trained.metric),
        "hovertemplate": f"{trained.name}, update %{{x}}: %{{customdata}}<extra></extra>",
    }


def _level(name: str, value: float, end: int, theme: Theme) -> Spec:
    return {
        "type": "scatter",
        "name": name,
        "mode": "lines",
        "x": np.array([0.0, end]),
        "y": np.array([value, value]),
        "line": {"color": theme.target, "width": 1.4, "dash": "dot" if name == "bound" else "dashdot"},
        "hovertemplate": f"{name}: {plain(value)}<extra></extra>",
    }


def _panel(view: Contest, levels: list[float]) -> Panel:
    """Return the panel, with the lines that its labels should not cover."""
    lines = [(trained.steps, trained.metric) for trained in view.trained]
    lines += [(np.array([0.0, view.end]), np.full(2, level)) for level in levels]
    return Panel((-0.005 * view.end, float(view.end)), (0.0, view.top), *LEAST_PANEL, lines)


def _end_labels(view: Contest, colours: list[str], theme: Theme) -> list[Spec]:
    """Label each curve with its latest value at the right; close labels are moved apart."""
    last = [trained.newest for trained in view.trained]
    if not np.isfinite(last).all():
        return []
    heights = moved_apart(np.clip(last, 0.0, view.top), LABEL_GAP * view.top, view.top)
    return [
        note(
            theme,
            f"{trained.name} <b>{view.in_words(last[i])}</b>",
            1.01,
            float(heights[i]),
            yref="y",
            xanchor="left",
            font={"size": 14, "color": colours[i]},
        )
        for i, trained in enumerate(view.trained)
    ]


def moved_apart(wanted: Array, gap: float, top: float) -> Array:
    """Return heights in [0, top] that are a gap apart, in the same order, and close to the wanted ones.

    Less ``gap`` for each label below, the heights must not fall: the nearest such sequence has the means of
    those that would (pool adjacent violators; Barlow et al. 1972).
    """
    order = np.argsort(wanted, kind="stable")
    below = gap * np.arange(len(wanted))
    pools: list[tuple[float, int]] = []
    for height in wanted[order] - below:
        pools.append((float(height), 1))
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (low, n), (high, m) = pools[-2:]
            pools[-2:] = [((n * low + m * high) / (n + m), n + m)]
    rising = np.repeat([mean for mean, _ in pools], [count for _, count in pools])
    heights = np.empty(len(wanted))
    heights[order] = np.clip(rising, 0.0, top - below[-1]) + below
    return heights


def contest(view: Contest, theme: Theme = LIGHT) -> go.Figure:
    """Draw the networks' progress on one task."""
    return go.Figure(contest_spec(view, theme))
