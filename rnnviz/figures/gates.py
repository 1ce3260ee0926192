"""The gates of an LSTM or a GRU: their means over time, and how much of its memory each unit keeps."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go

from rnnviz.figures.theme import LIGHT, Spec, Theme, axis, heading, layout
from rnnviz.model.arrays import Array
from rnnviz.teaching.numbers import plain_all

DASHES = (("dash", "╌╌"), ("dot", "┈┈"))
"""Of the lines of gates that do not keep the memory, and how the heading shows them."""

SPLIT = (0.46, 0.56)
"""Where the left panel ends and the right one begins, as shares of the width."""


def gates_spec(gates: Mapping[str, Array], kept: Array, keeper: str, theme: Theme = LIGHT) -> Spec:
    """Draw every gate's mean over time, and the units' factors per step, sorted.

    gates : (T,) by name. kept : (H,), each unit's factor per step along its own memory. keeper : the name of
    the gate that it comes from.
    """
    lines = {keeper: {"color": theme.ink, "width": 3.5}}
    keys = [f"<span style='color:{theme.ink}'>━━ {keeper}</span>"]
    others = [name for name in gates if name != keeper]
    for name, colour, (dash, key) in zip(others, theme.series, DASHES, strict=False):
        lines[name] = {"color": colour, "width": 2.5, "dash": dash}
        keys.append(f"<span style='color:{colour}'>{key} {name}</span>")
    data: list[Spec] = [
        {
            "type": "scatter",
            "name": f"{name} gate",
            "mode": "lines",
            "x": np.arange(1, len(gates[name]) + 1),
            "y": gates[name],
            "line": line,
            "customdata": plain_all(gates[name]),
            "hovertemplate": f"{name} gate, step %{{x}}: %{{customdata}}<extra></extra>",
        }
        for name, line in lines.items()
    ]
    ranked = np.sort(kept)[::-1]
    data.append(
        {
            "type": "scatter",
            "name": "units",
            "mode": "markers",
            "x": np.arange(1, len(kept) + 1),
            "y": ranked,
            "xaxis": "x2",
            "yaxis": "y2",
            "marker": {"size": 8, "color": theme.hidden},
            "customdata": plain_all(ranked),
            "hovertemplate": "×%{customdata} per step<extra></extra>",
        }
    )
    T, H = len(gates[keeper]), len(kept)
    return {"data": data, "layout": _layout(T, H, keeper, "  ".join(keys), theme)}


def _layout(T: int, H: int, keeper: str, keys: str, theme: Theme) -> Spec:
    share: Spec = {"range": [0.0, 1.03], "nticks": 6}
    left, right = SPLIT
    return layout(
        theme,
        margin={"l": 60, "r": 16, "t": 34, "b": 44},
        xaxis=axis(theme, "time step t →", domain=[0.0, left], range=[0.5, T + 0.5], showgrid=False),
        yaxis=axis(theme, "mean of all units", **share),
        xaxis2=axis(theme, "rank, most open first", domain=[right, 1.0], anchor="y2", range=[0, H + 1]),
        yaxis2=axis(theme, "factor per step", anchor="x2", **share),
        annotations=[
            heading(theme, f"gates</b>  {keys}<b>"),
            heading(theme, f"{keeper} gate of each unit", right),
        ],
    )


def gates(gates: Mapping[str, Array], kept: Array, keeper: str, theme: Theme = LIGHT) -> go.Figure:
    """Draw the gates of an LSTM or a GRU (see ``gates_spec``)."""
    return go.Figure(gates_spec(gates, kept, keeper, theme))
