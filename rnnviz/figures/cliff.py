"""The loss surface of a one-unit network, and gradient descent on it with and without clipping."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import plotly.graph_objects as go

from rnnviz.analysis.cliff import B_RANGE, W_RANGE, Descent, measure, wall
from rnnviz.figures.theme import LIGHT, Spec, Theme, axis, heading, layout, note, squares
from rnnviz.model.arrays import Array

GRID, BETWEEN = 121, 5
"""Points along each side of the drawn surface, and the number of points along b measured for the colour of
each: the largest gradient up to the next points. The wall is thinner than any grid, see ``_steepest``.
"""

COLOUR_RANGE = (-3, 3)
"""Colour range of the gradient norm, in powers of ten."""

TOP = 0.5
"""The surface ends below this loss: (sigmoid - 0.7)^2 is at most 0.49."""


@lru_cache
def _surface() -> tuple[Array, Array, Array, Array]:
    """Return w (G,), b (G,), the loss and the steepest gradient in every cell, (G, G) each, b down."""
    w, b = np.linspace(*W_RANGE, GRID), np.linspace(*B_RANGE, GRID)
    return w, b, measure(w, b[:, None]).error, _steepest(w, b)


def _steepest(w: Array, b: Array) -> Array:
    """Return the largest gradient around every point of the grid, (G, G), b down.

    The wall is located separately, to floating-point precision: at w = 6 it is only 10⁻⁸ thick.
    """
    pitch = b[1] - b[0]
    around = np.linspace(-pitch, pitch, BETWEEN)
    places = (b[:, None] + around).reshape(-1, 1)
    steepest = measure(w, places).norm.reshape(len(b), BETWEEN, len(w)).max(axis=1)
    middle, beside = wall(w), np.geomspace(1e-15, pitch, 100)
    peak = measure(w, middle + np.r_[-beside, 0.0, beside][:, None]).norm.max(axis=0)
    near = np.abs(b[:, None] - middle) < pitch
    return np.where(near, np.maximum(steepest, peak), steepest)


def cliff_spec(free: Descent, clipped: Descent, theme: Theme = LIGHT) -> Spec:
    """Draw the loss over (w, b) in 3D and from above, coloured by the gradient norm.

    free, clipped : the descents without and with clipping, from the same start.
    """
    data = _ground(theme)
    for name, path, colour, dash in (
        ("without clipping", free, theme.bad, "dash"),
        ("with clipping", clipped, theme.good, "solid"),
    ):
        data += [_walk(name, path, colour), *_map(name, path, colour, dash, theme)]
    return {"data": data, "layout": _layout(free, theme)}


def _ground(theme: Theme) -> list[Spec]:
    """Draw the surface in 3D and from above."""
    w, b, *heights = _surface()
    error, steepest = (part.astype(np.float32) for part in heights)  # a quarter of a megabyte less to send
    low, high = COLOUR_RANGE
    powers = np.log10(steepest)
    shared: Spec = {"x": w, "y": b, "colorscale": theme.gradient, "showscale": False}
    surface: Spec = {
        "type": "surface",
        "name": "loss",
        "z": error,
        "surfacecolor": powers,
        "cmin": low,
        "cmax": high,
        "lighting": {"ambient": 0.75, "diffuse": 0.5, "specular": 0.05, "roughness": 0.9},
        "hovertemplate": "w %{x:.2f}, b %{y:.2f}: loss %{z:.3f}<extra></extra>",
    }
    above: Spec = {
        "type": "heatmap",
        "name": "gradient",
        "z": powers,
        "zsmooth": "best",
        "zmin": low,
        "zmax": high,
        "customdata": steepest,
        "hovertemplate": "w %{x:.2f}, b %{y:.2f}: ||∇L|| up to %{customdata:.2~r}<extra></extra>",
    }
    return [shared | surface, shared | above]


def inside(path: Descent) -> int:
    """Return how many points of a descent lie on the drawn surface before it first leaves it."""
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


def _walk(name: str, path: Descent, colour: str) -> Spec:
    """Draw the path slightly above the surface, so that it stays visible."""
    w, b, error = _to_the_edge(path)
    return {
        "type": "scatter3d",
        "name": name,
        "mode": "lines+markers",
        "x": w,
        "y": b,
        "z": error + 0.012,
        "line": {"color": colour, "width": 5},
        "marker": {"size": np.where(np.arange(len(w)) == 0, 6.0, 2.5), "color": colour, "line": {"width": 0}},
        "hovertemplate": f"{name}: w %{{x:.2f}}, b %{{y:.2f}}<extra></extra>",
        "showlegend": False,
    }


def _map(name: str, path: Descent, colour: str, dash: str, theme: Theme) -> list[Spec]:
    """Draw the path on the map with a pale outline; a step that leaves the map is drawn to its edge."""
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


def _layout(free: Descent, theme: Theme) -> Spec:
    low, high = COLOUR_RANGE
    scale = f"colour: ||∇L|| 10<sup>{low}</sup> {squares(theme.gradient)} 10<sup>{high}</sup>"
    notes = [
        heading(theme, "loss L"),
        heading(theme, f"from above</b>  ● start   {scale}<b>".replace("-", "−"), 0.54, theme.faint, size=13),
        *_departure(free, theme),
    ]
    return layout(
        theme,
        margin={"l": 0, "r": 16, "t": 34, "b": 0},
        showlegend=True,
        legend={
            "x": 0.55,
            "y": 0.16,
            "xanchor": "left",
            "yanchor": "bottom",
            "bgcolor": theme.paper,
            "font": {"size": 13},
        },
        scene=_scene(theme),
        xaxis=axis(theme, "recurrent weight w", domain=[0.54, 1.0], range=list(W_RANGE), showgrid=False),
        yaxis=axis(theme, "bias b", domain=[0.14, 1.0], range=list(B_RANGE), showgrid=False),
        annotations=notes,
    )


def _scene(theme: Theme) -> Spec:
    """Return the 3D view from the low side: b points towards the viewer and w to the right, as on the map."""
    scene_axis: Spec = {
        "color": theme.faint,
        "gridcolor": theme.grid,
        "backgroundcolor": theme.paper,
        "showbackground": False,
        "tickfont": {"size": 11},
        "showspikes": False,
    }

    def titled(text: str, ends: tuple[float, float], ticks: list[float]) -> Spec:
        title = {"text": text, "font": {"size": 14, "color": theme.ink}}
        return scene_axis | {"title": title, "range": list(ends), "tickvals": ticks}

    return {
        "domain": {"x": [0.0, 0.5], "y": [0.0, 1.0]},
        "xaxis": titled("w", W_RANGE, [4.5, 5.0, 5.5, 6.0]),
        "yaxis": titled("b", B_RANGE[::-1], [-2.0, -2.5, -3.0, -3.5]),
        "zaxis": titled("L", (0.0, TOP), [0.2, 0.4]),
        "aspectratio": {"x": 1.35, "y": 1.1, "z": 0.75},
        "camera": {"eye": {"x": 0.1, "y": -1.72, "z": 0.92}, "center": {"x": -0.02, "y": 0.0, "z": -0.24}},
    }


def _departure(free: Descent, theme: Theme) -> list[Spec]:
    """Note on the map where a descent that leaves it lands."""
    n = inside(free)
    if n in (0, len(free.w)):
        return []
    w, b, _ = (float(place[-1]) for place in _to_the_edge(free))
    left, down = w > np.mean(W_RANGE), b > np.mean(B_RANGE)  # keep the text on the map
    to = [f"{place:,.{0 if abs(place) >= 10 else 1}f}" for place in (free.w[n], free.b[n])]
    text = f"jumped to w = {to[0]}, b = {to[1]}".replace("-", "−")
    arrow = {"showarrow": True, "arrowhead": 2, "arrowcolor": theme.bad, "arrowwidth": 1.5}
    place = {"xref": "x", "yref": "y", "ax": -56 if left else 56, "ay": 26 if down else -26}
    look = {"bgcolor": theme.panel, "borderpad": 3, "font": {"size": 13, "color": theme.bad}}
    return [note(theme, text, w, b, xanchor="right" if left else "left", **arrow, **place, **look)]


def cliff(free: Descent, clipped: Descent, theme: Theme = LIGHT) -> go.Figure:
    """Draw the cliff with two descents (see ``cliff_spec``)."""
    return go.Figure(cliff_spec(free, clipped, theme))
