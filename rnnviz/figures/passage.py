"""One sequence through a network: inputs, hidden states and outputs step by step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from rnnviz.figures.theme import LIGHT, Spec, Theme, axis, heading, layout, note
from rnnviz.model.arrays import Array, Mask

BACK = "↩"
"""Label of a step that reads the network's own previous output."""

BEST = 3
"""Number of most likely answers in the hover label."""


@dataclass(frozen=True, eq=False)
class Written:
    """A network's outputs step by step; T steps, O signs, H units.

    reads : the input at each step (T,), "" for none.
    hidden : (T, H), the states. probabilities : (T, O), of the signs, at every step.
    writes : which steps write (T,). signs : names of the O signs.
    wanted : the target sign at each step, "" where there is none; None if the targets are unknown.
    """

    reads: list[str]
    hidden: Array
    probabilities: Array
    writes: Mask
    signs: tuple[str, ...]
    wanted: list[str] | None = None

    @property
    def T(self) -> int:
        """Number of steps."""
        return len(self.reads)

    @property
    def answers(self) -> list[str]:
        """The most likely sign at every step that writes, "" elsewhere."""
        chosen = self.probabilities.argmax(axis=1)
        return [self.signs[i] if writes else "" for i, writes in zip(chosen, self.writes, strict=True)]


@dataclass(frozen=True, eq=False)
class Judged:
    """A verdict after every word; T steps, H units.

    reads : the words (T,). hidden : (T, H). positive : probability of "positive" after each word, (T,).
    """

    reads: list[str]
    hidden: Array
    positive: Array


def written_spec(view: Written, theme: Theme = LIGHT) -> Spec:
    """Return a network's outputs as plain data: confidence above, states, and inputs below."""
    t = np.arange(1, view.T + 1, dtype=float)
    said, best = view.answers, view.probabilities.max(axis=1)
    wrong = np.array(
        [view.wanted is not None and a != w for a, w in zip(said, view.wanted or said, strict=True)]
    )
    bars = {
        "type": "bar",
        "name": "confidence",
        "x": t[view.writes],
        "y": best[view.writes],
        "width": 0.62,
        "marker": {
            "color": [theme.bad if bad else theme.output for bad in wrong[view.writes]],
            "opacity": 0.75,
        },
        "hovertext": [_likeliest(view, int(i)) for i in np.flatnonzero(view.writes)],
        "hovertemplate": "%{hovertext}<extra></extra>",
    }
    signs = [
        _above(
            theme,
            f"<b>{said[i]}</b>{' ✗' if wrong[i] else ''}",
            t[i],
            best[i],
            theme.bad if wrong[i] else theme.ink,
        )
        for i in np.flatnonzero(view.writes)
    ]
    return _composed(
        theme,
        view.reads,
        view.hidden,
        [bars],
        "writes, with its probability" + (" (↩ its own output fed back)" if BACK in view.reads else ""),
        signs,
        [0.0, 1.32],
    )


def judged_spec(view: Judged, theme: Theme = LIGHT) -> Spec:
    """Return the verdict after every word as plain data: up is positive, down is negative."""
    t = np.arange(1, len(view.reads) + 1, dtype=float)
    heard = np.array([bool(word) for word in view.reads])
    bars = {
        "type": "bar",
        "name": "verdict",
        "x": t[heard],
        "y": view.positive[heard] - 0.5,
        "base": 0.5,
        "width": 0.62,
        "marker": {"color": theme.output, "opacity": 0.75},
        "customdata": view.positive[heard],
        "hovertemplate": "positive: %{customdata:.0%}<extra></extra>",
    }
    middle = {
        "type": "scatter",
        "name": "undecided",
        "mode": "lines",
        "x": np.array([0.5, len(view.reads) + 0.5]),
        "y": np.array([0.5, 0.5]),
        "line": {"color": theme.target, "width": 1.4, "dash": "dash"},
        "hoverinfo": "skip",
    }
    spec = _composed(
        theme, view.reads, view.hidden, [middle, bars], "verdict after each word", [], [0.0, 1.0]
    )
    spec["layout"]["yaxis"]["ticktext"] = ["negative", "undecided", "positive"]
    return spec


def _likeliest(view: Written, step: int) -> str:
    """Return the most likely signs of a step for the hover label."""
    order = np.argsort(-view.probabilities[step])[:BEST]
    return "<br>".join(f"{view.signs[i]}: {view.probabilities[step, i]:.1%}" for i in order)


def _above(theme: Theme, text: str, x: float, y: float, colour: str) -> Spec:
    font = {"size": 15, "color": colour}
    return note(theme, text, x, float(y), xref="x", yref="y", yanchor="bottom", yshift=2, font=font)


def _composed(
    theme: Theme, reads: list[str], hidden: Array, top: list[Spec], title: str, notes: list[Spec],
    span: list[float],
) -> Spec:  # fmt: skip
    """Return a figure with answers above hidden states in the same columns, and the words read below."""
    T, H = hidden.shape
    states = {
        "type": "heatmap",
        "name": "hidden state",
        "x": np.arange(1, T + 1, dtype=float),
        "y": np.arange(1, H + 1, dtype=float),
        "z": np.where(np.isfinite(hidden.T), hidden.T, np.nan).astype(np.float32),
        "zmin": -1,
        "zmax": 1,
        "colorscale": theme.state,
        "showscale": False,
        "yaxis": "y2",
        "hovertemplate": "step %{x}, unit %{y}: %{z:.2f}<extra></extra>",
    }
    words = [f"<b>{word}</b>" if word else "–" for word in reads]
    slant = 0 if max(map(len, reads)) * T <= 70 else -35
    return {
        "data": [*top, states],
        "layout": layout(
            theme,
            margin={"l": 78, "r": 12, "t": 30, "b": 30 if slant == 0 else 58},
            bargap=0.3,
            xaxis=axis(
                theme,
                range=[0.5, T + 0.5],
                tickvals=list(range(1, T + 1)),
                ticktext=words,
                tickangle=slant,
                anchor="y2",
                showgrid=False,
            )
            | {"tickfont": {"size": 13, "color": theme.input}},
            yaxis=axis(theme, domain=[0.62, 1.0], range=span, tickvals=[0.0, 0.5, 1.0], tickformat=".0%"),
            yaxis2=axis(theme, "unit", domain=[0.0, 0.56], range=[H + 0.5, 0.5], nticks=4, showgrid=False),
            annotations=[heading(theme, title, 0.0, theme.output, size=13), *notes],
        ),
    }


def letters_spec(signs: list[str], probabilities: Array, chosen: int | None, theme: Theme = LIGHT) -> Spec:
    """Return the probabilities (A,) of the next letter as plain data, with the drawn letter highlighted."""
    colours = [theme.output if i == chosen else theme.hidden for i in range(len(signs))]
    return {
        "data": [
            {
                "type": "bar",
                "name": "probability",
                "x": signs,
                "y": probabilities,
                "marker": {"color": colours, "opacity": 0.85},
                "hovertemplate": "%{x}: %{y:.1%}<extra></extra>",
            }
        ],
        "layout": layout(
            theme,
            margin={"l": 50, "r": 12, "t": 30, "b": 30},
            bargap=0.25,
            xaxis=axis(theme, type="category", tickvals=signs, tickangle=0, showgrid=False)
            | {"tickfont": {"size": 13, "color": theme.ink}},
            yaxis=axis(theme, range=[0.0, 1.05], tickformat=".0%", nticks=5),
            annotations=[heading(theme, "the next letter", 0.0, theme.output, size=13)],
        ),
    }


def written(view: Written, theme: Theme = LIGHT) -> go.Figure:
    """Draw a network's inputs, hidden states and outputs step by step."""
    return go.Figure(written_spec(view, theme))


def judged(view: Judged, theme: Theme = LIGHT) -> go.Figure:
    """Draw the verdict after every word of a sentence."""
    return go.Figure(judged_spec(view, theme))


def letters(
    signs: list[str], probabilities: Array, chosen: int | None = None, theme: Theme = LIGHT
) -> go.Figure:
    """Draw the probability of each letter to come next."""
    return go.Figure(letters_spec(signs, probabilities, chosen, theme))
