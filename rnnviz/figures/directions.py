"""What the norm of a gradient hides: all singular values over time, and Lyapunov exponents."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from rnnviz.analysis.gradient_flow import VERDICT_DECADES
from rnnviz.analysis.jacobians import StateJacobians
from rnnviz.analysis.lyapunov import LyapunovExponents
from rnnviz.figures.curves import BACKWARD, Curve, curve_marks, curve_trace
from rnnviz.figures.theme import LIGHT, Spec, Theme, axis, heading, layout, note, with_alpha
from rnnviz.figures.timeline import gradient_span, power_ticks
from rnnviz.model.arrays import Array
from rnnviz.teaching.numbers import SUPERSCRIPTS, plain, plain_all

DEEPEST = 24
"""The fan ends so many powers of ten below the smallest of the largest singular values: a longer axis would
leave the band of two decades too narrow to see."""


def directions_spec(found: StateJacobians, norm: Array, theme: Theme = LIGHT) -> Spec:
    """Draw all singular values over the time step; beside them the count near the largest, and the norm.

    norm : (T,), ||dL/dh_t|| of the last output; NaN after it.
    """
    span = _fan_span(found.powers)
    return {
        "data": [
            *_band(found, span, theme),
            _fan(found, span, theme),
            _largest(found, theme),
            *_zeros(found, span, theme),
            _count(found, theme),
            *_norm(norm, theme),
        ],
        "layout": _directions_layout(found, norm, span, theme),
    }


def _fan_span(powers: Array) -> tuple[int, int]:
    """Return the range of the fan's axis in powers of ten."""
    there = powers[np.isfinite(powers)]
    largest = powers[:, 0][np.isfinite(powers[:, 0])]
    low = max(float(there.min()), float(largest.min()) - DEEPEST, -DEEPEST - 300.0)
    return int(np.floor(min(low, -VERDICT_DECADES))) - 1, int(np.ceil(max(1.0, there.max() + 0.5)))


def _band(found: StateJacobians, span: tuple[int, int], theme: Theme) -> list[Spec]:
    """Draw the area within two decades of the largest value."""
    top = np.where(np.isfinite(found.powers[:, 0]), found.powers[:, 0], np.nan)
    ends: Spec = {"type": "scatter", "mode": "lines", "x": found.steps, "line": {"width": 0}}
    ends |= {"hoverinfo": "skip", "showlegend": False}
    low = np.maximum(top - VERDICT_DECADES, span[0])
    fill = {"fill": "tonexty", "fillcolor": with_alpha(theme.hidden, 0.2)}
    return [
        ends | {"name": "band, lower end", "y": low},
        ends | fill | {"name": "within a hundredth", "y": top},
    ]


def _fan(found: StateJacobians, span: tuple[int, int], theme: Theme) -> Spec:
    """Draw every singular value but the largest as one trace; what is below the axis is cut off."""
    below = np.where(found.powers < span[0] - 5.0, np.nan, found.powers)[:, 1:].T
    gap = np.full((len(below), 1), np.nan)
    return {
        "type": "scatter",
        "name": "each singular value",
        "mode": "lines",
        "x": np.tile(np.append(found.steps.astype(float), np.nan), len(below)),
        "y": np.hstack([below, gap]).ravel(),
        "line": {"color": with_alpha(theme.hidden, 0.6), "width": 1},
        "hoverinfo": "skip",
    }


def _zeros(found: StateJacobians, span: tuple[int, int], theme: Theme) -> list[Spec]:
    """Draw marks near the bottom where all singular values are exactly 0."""
    t = found.steps[found.powers[:, 0] == -np.inf]
    marker = {"symbol": "triangle-down", "size": 8, "color": theme.bad}
    height = span[0] + 0.03 * (span[1] - span[0])
    marks: Spec = {"type": "scatter", "name": "exactly 0", "mode": "markers", "x": t, "marker": marker}
    told = "step %{x}: all exactly 0<extra></extra>"
    return [marks | {"y": np.full(len(t), height), "hovertemplate": told}] if len(t) else []


def _largest(found: StateJacobians, theme: Theme) -> Spec:
    there = np.isfinite(found.powers[:, 0])
    size = len(found.powers[0])
    medians = np.median(found.powers, axis=1)
    told = [
        f"{power_text(top)}, median {power_text(middle)}, {near} of {size} within a hundredth"
        for top, middle, near in zip(found.powers[:, 0], medians, found.within, strict=True)
    ]
    return {
        "type": "scatter",
        "name": "largest",
        "mode": "lines+markers" if len(there) <= 40 else "lines",
        "x": found.steps,
        "y": np.where(there, found.powers[:, 0], np.nan),
        "line": {"color": theme.ink, "width": 3},
        "customdata": told,
        "hovertemplate": "step %{x}: largest %{customdata}<extra></extra>",
    }


def power_text(power: float) -> str:
    """Return 10 to this power as text; it may be beyond the range of floating point."""
    if power > -300.0 or power == -np.inf:
        return plain(10.0**power, 2)
    return f"10{str(round(power)).translate(SUPERSCRIPTS)}"


def _count(found: StateJacobians, theme: Theme) -> Spec:
    return {
        "type": "scatter",
        "name": "directions left",
        "mode": "lines+markers" if len(found.steps) <= 40 else "lines",
        "x": found.steps,
        "y": found.within,
        "xaxis": "x2",
        "yaxis": "y2",
        "cliponaxis": False,
        "line": {"color": theme.hidden, "width": 2.5},
        "fill": "tozeroy",
        "fillcolor": with_alpha(theme.hidden, 0.2),
        "hovertemplate": f"step %{{x}}: %{{y}} of {found.powers.shape[1]}<extra></extra>",
    }


def _norm(norm: Array, theme: Theme) -> list[Spec]:
    """Draw the gradient's norm, with marks for zeros and overflow."""
    t, curve = np.arange(1.0, len(norm) + 1.0), Curve("norm", norm, "main")
    drawn = [curve_trace(curve, t, theme, 0), *curve_marks(curve, t, theme, gradient_span(norm))]
    return [trace | {"xaxis": "x3", "yaxis": "y3", "showlegend": False} for trace in drawn]


def _directions_layout(found: StateJacobians, norm: Array, span: tuple[int, int], theme: Theme) -> Spec:
    T, S = int(found.steps[-1]), found.powers.shape[1]
    time = axis(theme, "time step t →", range=[0.5, T + 0.5], showgrid=False, nticks=6)
    if T <= 6:
        time["dtick"] = 1
    bare = {"title": {"text": ""}}
    pitch = next(p for p in (1, 2, 4, 5, 8, 10, 16, 20, 40, 80, 160) if (span[1] - span[0]) / p <= 7)
    powers = [power for power in range(span[0], span[1] + 1) if power % pitch == 0]
    names = ["1" if power == 0 else f"10<sup>{power}</sup>".replace("-", "−") for power in powers]
    sizes = gradient_span(norm)
    left, right = [0.0, 0.56], [0.66, 1.0]
    band = f"<span style='color:{theme.hidden}'>▒</span> within a hundredth of the largest"
    sigma = f"singular values of ∂s<sub>T</sub>/∂s<sub>t</sub></b>  {band}<b>"
    return layout(
        theme,
        margin={"l": 60, "r": 16, "t": 34, "b": 44},
        xaxis=time | {"domain": left},
        yaxis=axis(theme, range=list(span), tickvals=powers, ticktext=names),
        xaxis2=time | bare | {"domain": right, "anchor": "y2", "matches": "x", "showticklabels": False},
        yaxis2=axis(theme, anchor="x2", domain=[0.6, 1.0], range=[0, 1.06 * S], nticks=5, tickformat="d"),
        xaxis3=time | {"domain": right, "anchor": "y3"},
        yaxis3=axis(
            theme,
            anchor="x3",
            domain=[0.0, 0.44],
            type="log",
            range=list(sizes),
            **power_ticks(sizes, most=4),
        ),
        annotations=[
            heading(theme, sigma),
            heading(theme, f"how many of {S} lie within it", right[0]),
            heading(theme, "the single number ||∂L/∂h<sub>t</sub>||", right[0]) | {"y": 0.44},
            note(theme, BACKWARD, 0.01, 0.02, xanchor="left", yanchor="bottom")
            | {"font": {"size": 13, "color": theme.output}, "bgcolor": theme.panel},
        ],
    )


def lyapunov_spec(
    now: LyapunovExponents, before: LyapunovExponents | None = None, theme: Theme = LIGHT
) -> Spec:
    """Draw sorted Lyapunov exponents with their standard errors, now and before training, about zero."""
    shown = [
        (name, e, hollow) for name, e, hollow in (("before training", before, True), ("now", now, False)) if e
    ]
    span = _exponent_span([e for _, e, _ in shown])
    data = [trace for name, e, hollow in shown for trace in _exponents(name, e, hollow, span, theme)]
    return {"data": data, "layout": _lyapunov_layout(now, before, span, theme)}


def _exponent_span(shown: list[LyapunovExponents]) -> tuple[float, float]:
    """Return the range of the axis: all finite exponents and zero, with room for marks below."""
    values = np.concatenate([e.exponents for e in shown])
    there = np.append(values[np.isfinite(values)], (-0.1, 0.05))
    room = 0.08 * float(np.ptp(there))
    return float(there.min()) - room, float(there.max()) + room


def _exponents(
    name: str, found: LyapunovExponents, hollow: bool, span: tuple[float, float], theme: Theme
) -> list[Spec]:
    colour = theme.faint if hollow else theme.hidden
    number, there = np.arange(1.0, len(found.exponents) + 1.0), np.isfinite(found.exponents)
    with np.errstate(over="ignore", under="ignore"):
        factors = plain_all(np.exp(found.exponents))
    told = [
        f"{plain(value)} ± {plain(error, 2)}: ×{factor} a step"
        for value, error, factor in zip(found.exponents, found.error, factors, strict=True)
    ]
    dots: Spec = {
        "type": "scatter",
        "name": name,
        "mode": "markers",
        "x": number[there],
        "y": found.exponents[there],
        "error_y": {"type": "data", "array": found.error[there], "color": colour, "thickness": 1, "width": 2},
        "marker": {"size": 8, "color": colour, "symbol": "circle-open" if hollow else "circle"},
        "customdata": np.array(told, dtype=object)[there],
        "hovertemplate": f"{name}, number %{{x}}: %{{customdata}}<extra></extra>",
    }
    if there.all():
        return [dots]
    look = {"symbol": "triangle-down-open" if hollow else "triangle-down", "size": 8, "color": theme.bad}
    height = span[0] + 0.03 * (span[1] - span[0])
    lost = dots | {
        "name": f"−∞, {name}",
        "x": number[~there],
        "y": np.full(int((~there).sum()), height),
        "marker": look,
        "showlegend": False,
        "customdata": None,
        "hovertemplate": f"{name}, number %{{x}}: −∞<extra></extra>",
    }
    del lost["error_y"]
    return [dots, lost]


def _lyapunov_layout(
    now: LyapunovExponents, before: LyapunovExponents | None, span: tuple[float, float], theme: Theme
) -> Spec:
    shown = [found.exponents for found in (now, before) if found is not None]
    lost = any((exponents == -np.inf).any() for exponents in shown)
    named = "± standard error" + f"  <span style='color:{theme.bad}'>▼</span> −∞" * lost
    zero = {"type": "line", "xref": "x domain", "yref": "y", "x0": 0, "x1": 1, "y0": 0, "y1": 0}
    font = {"size": 13, "color": theme.faint}
    place = {"xref": "x domain", "yref": "y", "xanchor": "right", "font": font, "bgcolor": theme.panel}
    return layout(
        theme,
        margin={"l": 64, "r": 16, "t": 34, "b": 44},
        showlegend=before is not None,
        legend={"orientation": "h", "x": 1, "xanchor": "right", "y": 1.0, "yanchor": "bottom"},
        shapes=[zero | {"layer": "below", "line": {"color": theme.bad, "width": 1.5, "dash": "dash"}}],
        xaxis=axis(theme, "number, by size", range=[0, len(now.exponents) + 1], showgrid=False, nticks=9),
        yaxis=axis(theme, "exponent λ per step", range=list(span), nticks=7),
        annotations=[
            heading(theme, f"Lyapunov exponents</b>  {named}<b>"),
            note(theme, "▲ differences grow", 0.995, 0.0, yanchor="bottom", **place),
            note(theme, "▼ differences shrink", 0.995, 0.0, yanchor="top", **place),
        ],
    )


def directions(found: StateJacobians, norm: Array, theme: Theme = LIGHT) -> go.Figure:
    """Draw all singular values over time, and the norm (see ``directions_spec``)."""
    return go.Figure(directions_spec(found, norm, theme))


def lyapunov(
    now: LyapunovExponents, before: LyapunovExponents | None = None, theme: Theme = LIGHT
) -> go.Figure:
    """Draw Lyapunov exponents, optionally with those before training."""
    return go.Figure(lyapunov_spec(now, before, theme))
