"""The loss surface of a network of one unit, and two descents on it: with and without clipping."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import plotly.graph_objects as go

from rnnviz.arrays import Array
from rnnviz.cliff import B_RANGE, W_RANGE, Descent, measure
from rnnviz.figures.theme import LIGHT, Spec, Theme, axis, heading, layout, mix

GRID, FINER = 121, 12
"""Points along each side of the drawn surface, and how many times more along b are measured for its colour:
the wall is thinner than any grid, so the colour of a point is the steepest place in its cell."""

COLOUR_RANGE = (-3, 3)
"""Powers of ten of the gradient's size over which the colour changes."""

TOP = 0.5
"""The surface ends below this loss: (sigmoid - 0.7)^2 is at most 0.49."""


@lru_cache
def _surface() -> tuple[Array, Array, Array, Array]:
    """Return w (G,), b (G,), the loss and the steepest gradient in every cell, (G, G) each, b down."""
    w, b = np.linspace(*W_RANGE, GRID), np.linspace(*B_RANGE, GRID)
    within = np.linspace(-0.5, 0.5, FINER) * (b[1] - b[0])
    steepest = measure(w, (b[:, None] + within).reshape(-1, 1)).norm.reshape(GRID, FINER, GRID).max(axis=1)
    return w, b, measure(w, b[:, None]).error, steepest


def cliff_spec(free: Descent, clipped: Descent, theme: Theme = LIGHT) -> Spec:
    """Draw the loss over (w, b) in 3D and from above, coloured by the gradient's size.

    free, clipped : the descents without and with clipping, from the same start.
    """
    w, b, error, steepest = _surface()
    low, high = COLOUR_RANGE
    powers = np.log10(steepest)
    colours = {"colorscale": theme.gradient, "showscale": False}
    surface: Spec = {
        "type": "surface",
        "name": "loss",
        "x": w,
        "y": b,
        "z": error,
        "surfacecolor": powers,
        "cmin": low,
        "cmax": high,
        "lighting": {"ambient": 0.75, "diffuse": 0.5, "specular": 0.05, "roughness": 0.9},
        "hovertemplate": "w %{x:.2f}, b %{y:.2f}: loss %{z:.3f}<extra></extra>",
    } | colours
    above: Spec = {
        "type": "heatmap",
        "name": "gradient",
        "x": w,
        "y": b,
        "z": powers,
        "zmin": low,
        "zmax": high,
        "customdata": steepest,
        "hovertemplate": "w %{x:.2f}, b %{y:.2f}: ||∂E|| up to %{customdata:.2g}<extra></extra>",
    } | colours
    data = [surface, above]
    for name, path, colour, dash in (
        ("without clipping", free, theme.bad, "dash"),
        ("with clipping", clipped, theme.good, "solid"),
    ):
        data += [_walk(name, path, colour, dash), *_map(name, path, colour, dash, theme)]
    return {"data": data, "layout": _layout(theme)}


def inside(path: Descent) -> int:
    """Return how many places of a descent lie on the drawn surface before it first leaves it."""
    seen = (path.w >= W_RANGE[0]) & (path.w <= W_RANGE[1]) & (path.b >= B_RANGE[0]) & (path.b <= B_RANGE[1])
    return len(seen) if seen.all() else int(np.argmin(seen))


def _to_the_edge(path: Descent) -> tuple[Array, Array, Array]:
    """Return (w, b, error) up to where the path leaves the surface, its last step cut off at the edge."""
    n = inside(path)
    places = np.stack([path.w, path.b, path.error])
    if n in (0, places.shape[1]):
        return places[0, :n], places[1, :n], places[2, :n]
    start, end = places[:, n - 1], places[:, n]
    shares = [
        (edge - s) / (e - s)
        for s, e, ends in zip(start[:2], end[:2], (W_RANGE, B_RANGE), strict=True)
        for edge in ends
        if e != s and (edge - s) / (e - s) >= 0
    ]
    places[:, n] = start + min(shares) * (end - start)
    return places[0, : n + 1], places[1, : n + 1], places[2, : n + 1]


def _walk(name: str, path: Descent, colour: str, dash: str) -> Spec:
    """The path on the surface, lifted a little so that it is not buried in it."""
    w, b, error = _to_the_edge(path)
    return {
        "type": "scatter3d",
        "name": name,
        "mode": "lines+markers",
        "x": w,
        "y": b,
        "z": error + 0.012,
        "line": {"color": colour, "width": 5, "dash": dash},
        "marker": {"size": 2.5, "color": colour},
        "hovertemplate": f"{name}: w %{{x:.2f}}, b %{{y:.2f}}<extra></extra>",
        "showlegend": False,
    }


def _map(name: str, path: Descent, colour: str, dash: str, theme: Theme) -> list[Spec]:
    """The path from above on a pale ground of its own; a step that leaves the map is drawn to its edge."""
    w, b, _ = _to_the_edge(path)
    ground: Spec = {
        "type": "scatter",
        "name": f"{name}, ground",
        "mode": "lines",
        "x": w,
        "y": b,
        "line": {"color": theme.panel, "width": 6},
        "hoverinfo": "skip",
        "showlegend": False,
    }
    line = {
        "name": name,
        "mode": "lines+markers",
        "line": {"color": colour, "width": 2.5, "dash": dash},
        "marker": {
            "size": np.where(np.arange(len(w)) == 0, 12, 3),
            "color": colour,
            "line": {"color": theme.panel, "width": np.where(np.arange(len(w)) == 0, 2, 0)},
        },
        "hovertemplate": f"{name}: w %{{x:.3f}}, b %{{y:.3f}}<extra></extra>",
        "hoverinfo": "all",
        "showlegend": True,
    }
    return [ground, ground | line]


def _layout(theme: Theme) -> Spec:
    scene_axis: Spec = {
        "color": theme.faint,
        "gridcolor": theme.grid,
        "backgroundcolor": theme.paper,
        "showbackground": False,
        "tickfont": {"size": 11},
        "showspikes": False,
    }

    def titled(text: str, low: float, high: float) -> Spec:
        return scene_axis | {"title": {"text": text, "font": {"size": 14}}, "range": [low, high]}

    marks = "".join(f"<span style='color:{mix(theme.gradient, place / 8)}'>■</span>" for place in range(9))
    low, high = COLOUR_RANGE
    scale = f"colour: ||∂E|| 10<sup>{low}</sup> {marks} 10<sup>{high}</sup>".replace("-", "−")
    notes = [
        heading(theme, "loss E"),
        heading(theme, f"from above</b>  ● start   {scale}<b>", 0.52, theme.faint, size=13),
    ]
    return layout(
        theme,
        margin={"l": 8, "r": 16, "t": 34, "b": 44},
        showlegend=True,
        legend={
            "x": 0.53,
            "y": 0.02,
            "xanchor": "left",
            "yanchor": "bottom",
            "bgcolor": theme.paper,
            "font": {"size": 13},
        },
        scene={
            "domain": {"x": [0.0, 0.46], "y": [0.0, 1.0]},
            "xaxis": titled("w", *W_RANGE),
            "yaxis": titled("b", *B_RANGE),
            "zaxis": titled("E", 0.0, TOP),
            "aspectratio": {"x": 1.25, "y": 1.25, "z": 0.75},
            "camera": {"eye": {"x": -0.9, "y": 1.75, "z": 0.75}, "center": {"x": 0, "y": 0, "z": -0.15}},
        },
        xaxis=axis(theme, "recurrent weight w", domain=[0.52, 1.0], range=list(W_RANGE), showgrid=False),
        yaxis=axis(theme, "bias b", range=list(B_RANGE), showgrid=False),
        annotations=notes,
    )


def cliff(free: Descent, clipped: Descent, theme: Theme = LIGHT) -> go.Figure:
    """Draw the cliff with two descents (see ``cliff_spec``)."""
    return go.Figure(cliff_spec(free, clipped, theme))
