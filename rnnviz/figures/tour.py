"""The pictures of the tour: a network's recurrent edges as a strip, and factors that are multiplied up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rnnviz.figures.theme import LIGHT, Spec, Theme, axis, layout, mix, note
from rnnviz.figures.timeline import gradient_key, power_ticks, segments, strength
from rnnviz.model.arrays import Array
from rnnviz.teaching.numbers import plain_all

WIDEST = 34.0
"""Width in pixels of an edge on which a gradient of the fixed scale's upper end travels."""

BINS = 16


@dataclass(frozen=True, eq=False)
class Strip:
    """One network's ribbon.

    title : the network's name, in its ``colour``. told : what becomes of its error, and when; below it.
    share : (T,), the last output's gradient at each step, as a share of that at the last step.
    """

    title: str
    colour: str
    told: str
    share: Array


def strip_spec(view: Strip, theme: Theme = LIGHT) -> Spec:
    """Draw the edges from state to state, as wide as the share of the error on each, and the states."""
    T = len(view.share)
    t = np.arange(1.0, T + 1.0)
    size = np.rint(BINS * strength(view.share[:-1])).astype(int)
    edges = [_edges(t[:-1][size == number], number, theme) for number in range(BINS + 1)]
    states = {
        "type": "scatter",
        "name": "states",
        "mode": "markers",
        "x": t,
        "y": np.zeros(T),
        "marker": {"size": 7, "color": theme.hidden, "line": {"color": theme.hidden, "width": 0}},
        "hoverinfo": "skip",
    }
    data = [*edges, states]
    for number, trace in enumerate(data):
        trace["uid"] = f"trace{number}"
    text = f"<span style='color:{view.colour}'><b>{view.title}</b></span><br>{view.told}"
    font = {"size": 14, "color": theme.ink}
    return {
        "data": data,
        "layout": layout(
            theme,
            margin={"l": 18, "r": 18, "t": 44, "b": 22},
            xaxis=axis(
                theme,
                range=[0.3, T + 0.7],
                showgrid=False,
                tickvals=[1, T],
                ticktext=["step 1", f"step {T}"],
            ),
            yaxis=axis(theme, range=[-1, 1], visible=False),
            annotations=[
                note(theme, text, 0.0, 1.0, **ABOVE, font=font),
                note(theme, f"as a share of that at step {T}: {gradient_key(theme)}", 0.5, 0.0, **KEY),
            ],
        ),
    }


ABOVE: Spec = {"xanchor": "left", "yanchor": "bottom", "yshift": 2, "align": "left"}
"""The place of the two lines of text."""

KEY: Spec = {"xanchor": "center", "yanchor": "top", "yshift": -4, "font": {"size": 12}}
"""The place of the key: between the names of the first and the last step."""


def _edges(start: Array, number: int, theme: Theme) -> Spec:
    x, y = segments(start, 0.0, start + 1.0, 0.0)
    width = 1.0 + (WIDEST - 1.0) * number / BINS
    return {
        "type": "scatter",
        "name": f"edges, bin {number}",
        "mode": "lines",
        "x": x,
        "y": y,
        "line": {"color": mix(theme.gradient, number / BINS), "width": width},
        "hoverinfo": "skip",
    }


@dataclass(frozen=True, eq=False)
class Decay:
    """One network's error on its way back.

    look : its line. share : as in ``Strip``. told : the label at step 1.
    """

    title: str
    look: Spec
    share: Array
    told: str


def decay_spec(views: Sequence[Decay], theme: Theme = LIGHT) -> Spec:
    """Draw the share of the error that is left at each step, over a logarithmic axis."""
    T = len(views[0].share)
    low = 10 * int(np.floor(np.log10(min(view.share.min() for view in views)) / 10))
    span = (low, 5)
    t = np.arange(1.0, T + 1.0)
    return {
        "data": [
            {
                "type": "scatter",
                "name": view.title,
                "mode": "lines+markers",
                "x": t,
                "y": view.share,
                "line": view.look,
                "marker": {"size": 4, "color": view.look["color"]},
                "customdata": plain_all(view.share, 2),
                "hovertemplate": f"{view.title}, step %{{x}}: %{{customdata}}<extra></extra>",
            }
            for view in views
        ],
        "layout": layout(
            theme,
            margin={"l": 62, "r": 20, "t": 28, "b": 44},
            xaxis=axis(theme, "◀ time step t: the error travels back", range=[0, T + 1], showgrid=False),
            yaxis=axis(theme, type="log", range=list(span), **power_ticks(span, most=7)),
            annotations=[
                note(
                    theme,
                    "<b>share of the error that is left</b>",
                    0.0,
                    1.0,
                    xanchor="left",
                    yanchor="bottom",
                    yshift=5,
                    font={"size": 13, "color": theme.ink},
                ),
                *[_label(view, theme) for view in views],
            ],
        ),
    }


def _label(view: Decay, theme: Theme) -> Spec:
    """Name a curve near its left end, on the side where it leaves room."""
    T = len(view.share)
    at = T // 4
    height = float(np.log10(view.share[at]))
    return note(
        theme,
        f"<b>{view.title}</b>  {view.told}",
        at + 1,
        height,
        xref="x",
        yref="y",
        xanchor="left",
        yanchor="top",
        yshift=-4,
        font={"size": 17, "color": view.look["color"]},
    )
