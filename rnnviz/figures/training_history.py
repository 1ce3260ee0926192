"""The gradient over a whole training run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from rnnviz.figures.curves import line_mode
from rnnviz.figures.theme import LIGHT, Spec, Theme, axis, layout, note, pale, squares
from rnnviz.figures.timeline import GRADIENT_RANGE, power_ticks, powers
from rnnviz.model.arrays import Array
from rnnviz.teaching.numbers import plain_all

if TYPE_CHECKING:
    import pandas as pd

FEW = 60
"""The largest number of training steps at which the line also has a dot per step."""


def over_training_spec(
    curves: pd.DataFrame, norms: pd.DataFrame, clip_norm: float | None, theme: Theme = LIGHT
) -> Spec:
    """Draw log ||dL/dh_t|| over training step and time step, and the weight gradient's norm below.

    curves : one row per training step, one column per time step (History.curves). inf and NaN, both from
        overflow, have the strongest colour and a mark.
    norms : columns step, grad_norm, clipped_grad_norm (History.frame).
    clip_norm : the threshold, drawn as a line; None for no clipping.
    """
    span = _span(norms["grad_norm"].to_numpy())
    lines = [_line("before clipping", norms, "grad_norm", {"color": theme.output, "width": 1.5})]
    if clip_norm is not None:  # a wide line beneath: where nothing is clipped they coincide
        wide = {"color": pale(theme.hidden, theme), "width": 6}
        lines.insert(0, _line("after clipping", norms, "clipped_grad_norm", wide))
    marks = [_overflowed_cells(curves, theme), *_broken_norms(norms, span, theme)]
    look = _layout(curves, norms, span, theme) | _threshold(clip_norm, theme)
    return {"data": [_heat(curves, theme), *lines, *marks], "layout": look}


def _heat(curves: pd.DataFrame, theme: Theme) -> Spec:
    sizes = curves.to_numpy().T
    low, high = GRADIENT_RANGE
    sizes = np.where(np.isnan(sizes), np.inf, sizes)
    shown = np.where(np.isinf(sizes), "overflow", plain_all(sizes))
    return {
        "type": "heatmap",
        "name": "||∂L/∂h<sub>t</sub>||",
        "x": curves.index.to_numpy(),
        "y": curves.columns.to_numpy(),
        "z": np.clip(powers(sizes), -400.0, 400.0),
        "zmin": low,
        "zmax": high,
        "colorscale": theme.gradient,
        "showscale": False,
        "customdata": shown,
        "hovertemplate": "update %{x}, t = %{y}: %{customdata}<extra></extra>",
    }


def _line(name: str, norms: pd.DataFrame, column: str, line: Spec) -> Spec:
    values = norms[column].to_numpy()
    drawn = np.where(np.isfinite(powers(values)), values, np.nan)
    return {
        "type": "scatter",
        "name": name,
        "mode": "lines+markers" if len(values) <= FEW else line_mode(drawn),
        "x": norms["step"].to_numpy(),
        "y": drawn,
        "yaxis": "y2",
        "line": line,
        "customdata": plain_all(values),
        "hovertemplate": f"update %{{x}}, {name}: %{{customdata}}<extra></extra>",
    }


def _overflowed_cells(curves: pd.DataFrame, theme: Theme) -> Spec:
    """Draw marks on the heatmap where a gradient is inf or NaN."""
    t, n = np.nonzero(~np.isfinite(curves.to_numpy().T))
    return _marks(curves.index.to_numpy()[n], curves.columns.to_numpy()[t], theme.paper)


def _broken_norms(norms: pd.DataFrame, span: tuple[int, int], theme: Theme) -> list[Spec]:
    """Draw marks for norms off a log axis: inf and NaN at the top, exact zeros at the bottom."""
    sizes, steps = norms["grad_norm"].to_numpy(), norms["step"].to_numpy()
    low, high = 10.0 ** (span[0] + 0.5), 10.0 ** (span[1] - 0.5)
    beyond, nothing = steps[~np.isfinite(sizes)], steps[sizes == 0.0]
    over = _marks(beyond, np.full(len(beyond), high), theme.bad)
    zero = _marks(nothing, np.full(len(nothing), low), theme.bad, "exactly 0", "triangle-down")
    return [over | {"yaxis": "y2"}, zero | {"yaxis": "y2"}]


def _marks(x: Array, y: Array, colour: str, name: str = "overflow", symbol: str = "x-thin") -> Spec:
    return {
        "type": "scatter",
        "name": name,
        "mode": "markers",
        "showlegend": False,
        "x": x,
        "y": y,
        "marker": {"symbol": symbol, "size": 7, "color": colour, "line": {"color": colour, "width": 1.5}},
        "hovertemplate": f"update %{{x}}: {name}<extra></extra>",
    }


def _span(sizes: Array) -> tuple[int, int]:
    """Return the range of the norm's axis: whole powers of ten that hold every finite value."""
    there = powers(sizes)[np.isfinite(powers(sizes))]
    low, high = (there.min(), there.max()) if there.size else (0.0, 0.0)
    return min(-4, int(np.floor(low)) - 1), max(2, int(np.ceil(high)) + 1)


def _threshold(clip_norm: float | None, theme: Theme) -> Spec:
    """Draw a line at the threshold; without one, the single norm needs no label."""
    if clip_norm is None:
        return {}
    across = {"type": "line", "xref": "x domain", "x0": 0, "x1": 1, "yref": "y2"}
    line = {"color": theme.bad, "width": 1.5, "dash": "dash"}
    return {"showlegend": True, "shapes": [across | {"y0": clip_norm, "y1": clip_norm, "line": line}]}


def _layout(curves: pd.DataFrame, norms: pd.DataFrame, span: tuple[int, int], theme: Theme) -> Spec:
    T, last = len(curves.columns), float(norms["step"].max()) if len(norms) else 0.0
    steps = {"range": [-0.5, last + 0.5], "showgrid": False, "dtick": 1 if last <= 12 else None}
    time = {"range": [0.5, T + 0.5], "showgrid": False, "dtick": 1 if T <= 4 else None, "nticks": 6}
    return layout(
        theme,
        margin={"l": 72, "r": 24, "t": 34, "b": 44},
        legend={"orientation": "h", "x": 1, "xanchor": "right", "y": 0.36, "yanchor": "bottom"}
        | {"bgcolor": "rgba(0,0,0,0)"},
        xaxis=axis(theme, "update →", anchor="y2", **steps),
        yaxis=axis(theme, "time step t", domain=[0.46, 1.0], **time),
        yaxis2=axis(
            theme, "||∂L/∂W||", domain=[0.0, 0.35], type="log", range=list(span), **power_ticks(span, 4)
        ),
        annotations=[_scale(theme, bool(np.isfinite(curves.to_numpy()).all()))],
    )


def _scale(theme: Theme, whole: bool) -> Spec:
    low, high = GRADIENT_RANGE
    text = (
        f"||∂L/∂h<sub>t</sub>||: 10<sup>{low}</sup> {squares(theme.gradient)} 10<sup>{high}</sup>"
        + ("" if whole else "   × overflow")
        + "   ▼ the error travels back, towards t = 1"
    ).replace("-", "−")
    font = {"size": 13, "color": theme.faint}
    return note(theme, text, 0.0, 1.0, xanchor="left", yanchor="bottom", yshift=6, font=font)


def over_training(
    curves: pd.DataFrame, norms: pd.DataFrame, clip_norm: float | None, theme: Theme = LIGHT
) -> go.Figure:
    """Draw a run's gradient over training (see ``over_training_spec``)."""
    return go.Figure(over_training_spec(curves, norms, clip_norm, theme))
