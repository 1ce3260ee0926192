"""A run's gradient from its first step to its last."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from rnnviz.figures.theme import LIGHT, Spec, Theme, axis, layout, mix, note
from rnnviz.figures.timeline import GRADIENT_RANGE, gradient_span, power_ticks, powers


def over_training_spec(
    curves: pd.DataFrame, norms: pd.DataFrame, clip_norm: float | None, theme: Theme = LIGHT
) -> Spec:
    """Draw log ||dL/dh_t|| over training step and time step, and the weight gradient's norm below.

    curves : one row a training step, one column a time step (History.curves).
    norms : columns step, grad_norm, clipped_grad_norm (History.frame).
    clip_norm : the threshold, drawn as a line; None for no clipping.
    """
    low, high = GRADIENT_RANGE
    heat: Spec = {
        "type": "heatmap",
        "name": "||dL/dh_t||",
        "x": curves.index.to_numpy(),
        "y": curves.columns.to_numpy(),
        "z": np.clip(powers(curves.to_numpy().T), -400.0, 400.0),
        "zmin": low,
        "zmax": high,
        "colorscale": theme.gradient,
        "showscale": False,
        "hovertemplate": "training step %{x}, t = %{y}: 10^%{z:.1f}<extra></extra>",
    }
    raw = _line("before clipping", norms, "grad_norm", {"color": theme.output, "width": 1.5})
    clipped = _line("after clipping", norms, "clipped_grad_norm", {"color": theme.hidden, "width": 2.5})
    span = gradient_span(norms["grad_norm"].to_numpy())
    last = float(norms["step"].iloc[-1])
    steps = {"range": [-0.5, last + 0.5], "showgrid": False}
    threshold = {"type": "line", "xref": "x domain", "x0": 0, "x1": 1, "yref": "y2", "y0": clip_norm}
    return {
        "data": [heat, raw, clipped],
        "layout": layout(
            theme,
            margin={"l": 72, "r": 24, "t": 34, "b": 44},
            showlegend=True,
            legend={"orientation": "h", "x": 1, "xanchor": "right", "y": 0.36, "yanchor": "bottom"},
            xaxis=axis(theme, "training step →", anchor="y2", **steps),
            yaxis=axis(
                theme,
                "time step t",
                domain=[0.46, 1.0],
                showgrid=False,
                range=[0.5, len(curves.columns) + 0.5],
            ),
            yaxis2=axis(
                theme, "||∂L/∂W||", domain=[0.0, 0.35], type="log", range=list(span), **power_ticks(span, 4)
            ),
            shapes=[]
            if clip_norm is None
            else [threshold | {"y1": clip_norm, "line": {"color": theme.bad, "width": 1.5, "dash": "dash"}}],
            annotations=[_scale(theme)],
        ),
    }


def _line(name: str, norms: pd.DataFrame, column: str, line: Spec) -> Spec:
    values = norms[column].to_numpy()
    return {
        "type": "scatter",
        "name": name,
        "mode": "lines" if len(values) > 1 else "markers",
        "x": norms["step"].to_numpy(),
        "y": np.where(np.isfinite(powers(values)), values, np.nan),
        "yaxis": "y2",
        "line": line,
        "hovertemplate": f"step %{{x}}, {name}: %{{y:.2e}}<extra></extra>",
    }


def _scale(theme: Theme) -> Spec:
    marks = "".join(f"<span style='color:{mix(theme.gradient, place / 8)}'>■</span>" for place in range(9))
    text = f"||∂L/∂h<sub>t</sub>||: 10⁻⁸ {marks} 10²   ▼ the gradient travels back, towards t = 1"
    font = {"size": 13, "color": theme.faint}
    return note(theme, text, 0.0, 1.0, xanchor="left", yanchor="bottom", yshift=6, font=font)


def over_training(
    curves: pd.DataFrame, norms: pd.DataFrame, clip_norm: float | None, theme: Theme = LIGHT
) -> go.Figure:
    """Draw a run's gradient over training (see ``over_training_spec``)."""
    return go.Figure(over_training_spec(curves, norms, clip_norm, theme))
