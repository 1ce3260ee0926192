"""Phase diagrams of vanishing and exploding gradients."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from rnnviz.figures.theme import LIGHT, Spec, Theme, axis, layout, note
from rnnviz.model.arrays import Array, Mask

DECADES_RANGE = 8.0
"""Decades beyond this have full colour in a phase diagram."""


def phase_spec(
    decades: Array, gains: Array, values: Array, across: str, critical: Array | None, theme: Theme = LIGHT
) -> Spec:
    """Draw decades (G, V) over gain (up) and sequence length or input strength, NaN where not yet computed.

    critical : (V,), the theory's critical gain at each value, drawn as a line where it lies within the gains.
    """
    data, words = [_heat(decades, gains, values, theme)], "vanishing below, exploding above"
    if critical is not None and (within := inside(critical, gains)).any():
        data.append(_border(np.where(within, critical, np.nan), values, theme))
        words += "; dashed: the theory's critical gain"
    title = "sequence length T →" if across == "seq_len" else "input strength (standard deviation) →"
    font = {"size": 13, "color": theme.faint}
    return {
        "data": data,
        "layout": layout(
            theme,
            margin={"l": 60, "r": 16, "t": 34, "b": 44},
            xaxis=axis(theme, title, showgrid=False),
            yaxis=axis(theme, "gain g of W<sub>hh</sub>", showgrid=False),
            annotations=[note(theme, words, 0.0, 1.0, xanchor="left", yanchor="bottom", yshift=6, font=font)],
        ),
    }


def _heat(decades: Array, gains: Array, values: Array, theme: Theme) -> Spec:
    most = DECADES_RANGE
    return {
        "type": "heatmap",
        "name": "decades",
        "x": values,
        "y": gains,
        "z": np.clip(decades, -1e6, 1e6),
        "zmin": -most,
        "zmax": most,
        "colorscale": theme.state,
        "hovertemplate": "gain %{y:.2f}, %{x:.3~r}: %{z:.1f} powers of ten<extra></extra>",
        "colorbar": {
            "thickness": 10,
            "outlinewidth": 0,
            "title": {"text": "powers<br>of ten", "font": {"size": 12, "color": theme.faint}},
            "tickfont": {"size": 11, "color": theme.faint},
            "tickvals": (-most, -0.5 * most, 0.0, 0.5 * most, most),
            "ticktext": (f"≤ −{most:g}", f"−{0.5 * most:g}", "0", f"{0.5 * most:g}", f"≥ {most:g}"),
        },
    }


def _border(critical: Array, values: Array, theme: Theme) -> Spec:
    return {
        "type": "scatter",
        "name": "critical gain (theory)",
        "mode": "lines",
        "x": values,
        "y": critical,
        "line": {"color": theme.ink, "width": 3, "dash": "dash"},
        "hovertemplate": "critical gain %{y:.2f}<extra></extra>",
    }


def inside(critical: Array, gains: Array) -> Mask:
    """Return which critical gains (V,) lie within the drawn range."""
    return (critical >= gains[0]) & (critical <= gains[-1])


def phase_diagram(
    decades: Array, gains: Array, values: Array, across: str, critical: Array | None, theme: Theme = LIGHT
) -> go.Figure:
    """Draw a phase diagram with the theory's critical line (see ``phase_spec``)."""
    return go.Figure(phase_spec(decades, gains, values, across, critical, theme))
