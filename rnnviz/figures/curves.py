"""Gradients over time: curves to compare, decay factors, and a band over many seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from rnnviz.analysis.decay_factors import DecayFactors
from rnnviz.analysis.sweeps import SeedBand
from rnnviz.figures.theme import LIGHT, Spec, Theme, axis, layout, note, pale, with_alpha
from rnnviz.figures.timeline import gradient_span, power_ticks, powers
from rnnviz.model.arrays import Array
from rnnviz.teaching.numbers import plain_all

DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
BACKWARD = "◀ the error travels back"


@dataclass(frozen=True, eq=False)
class Curve:
    """One curve ||dL/dh_t|| (T,) to compare; NaN where there is no value.

    kind : "main" (the experiment), "before" and "during" (the same at earlier training steps), "other"
        (another initialisation) or "theory".
    whole : of the whole loss; such curves have a separate panel, left of the others.
    """

    name: str
    values: Array
    kind: str = "other"
    whole: bool = False


def curves_spec(
    curves: Sequence[Curve], theme: Theme = LIGHT, relative: bool = False, items: Array | None = None
) -> Spec:
    """Draw gradient curves over one fixed log axis.

    items : (K, T), where several steps write: every output's error, as thin lines behind the others.
    """
    T = len(curves[0].values)
    two = any(curve.whole for curve in curves)
    span = gradient_span(*(curve.values for curve in curves))
    t = np.arange(1.0, T + 1.0)
    data: list[Spec] = [] if items is None else [_fan(items, t, theme)]
    count = {"other": 0, "during": 0}
    for curve in curves:
        drawn = [curve_trace(curve, t, theme, count.get(curve.kind, 0)), *curve_marks(curve, t, theme, span)]
        data += drawn if curve.whole or not two else [trace | RIGHT for trace in drawn]
        if curve.kind in count:
            count[curve.kind] += 1
    if items is not None and two:
        data[0] |= RIGHT
    _name_once(data)
    return {"data": data, "layout": _curves_layout(T, span, theme, relative, two)}


RIGHT = {"xaxis": "x2", "yaxis": "y2"}
"""Axes of traces in the right one of two panels."""


def _curves_layout(T: int, span: tuple[int, int], theme: Theme, relative: bool, two: bool) -> Spec:
    time = axis(theme, "time step t →", range=[0.5, T + 0.5], showgrid=False)
    title = "||∂L/∂h<sub>t</sub>||" + (", relative to the last output" if relative else "")
    size = axis(theme, title, type="log", range=list(span), **power_ticks(span, most=6))
    if not two:
        return _time_layout(theme, xaxis=time, yaxis=size)

    def named(name: str) -> Spec:
        font = {"size": 13, "color": theme.faint}
        return {"title": {"text": f"◀ <b>{name}</b> · time step t →", "font": font, "standoff": 6}}

    panels = {
        "xaxis": time | named("the whole loss") | {"domain": [0.0, 0.34]},
        "xaxis2": time | named("one output's error alone") | {"domain": [0.4, 1.0], "anchor": "y2"},
        "yaxis": size,
        "yaxis2": size | {"anchor": "x2", "showticklabels": False, "title": {"text": ""}},
    }
    return _time_layout(theme, **panels)


def _time_layout(theme: Theme, **changes: object) -> Spec:
    """Return the layout of figures over time: a legend above, and the direction of the gradient."""
    base: Spec = {
        "margin": {"l": 72, "r": 24, "t": 34, "b": 44},
        "hovermode": "x unified",
        "showlegend": True,
        "legend": {
            "orientation": "h",
            "traceorder": "normal",
            "x": 1,
            "xanchor": "right",
            "y": 1.0,
            "yanchor": "bottom",
        },
        "annotations": [_backward(theme)],
    }
    return layout(theme, **base | changes)


def _fan(items: Array, t: Array, theme: Theme) -> Spec:
    """Draw every output's error as one trace; each line goes back from its own output."""
    gap = np.full((len(items), 1), np.nan)
    drawn = np.hstack([np.where(np.isfinite(powers(items)), items, np.nan), gap])
    return {
        "type": "scatter",
        "name": "each output",
        "showlegend": False,
        "mode": "lines",
        "x": np.tile(np.append(t, np.nan), len(items)),
        "y": drawn.ravel(),
        "line": {"color": with_alpha(theme.output, 0.5), "width": 1},
        "hoverinfo": "skip",
    }


def curve_trace(curve: Curve, t: Array, theme: Theme, number: int) -> Spec:
    """Draw a curve over steps t (T,); number : how many of its kind were drawn before."""
    line = {
        "main": {"color": theme.ink, "width": 3.5},
        "before": {"color": theme.faint, "width": 2, "dash": "dot"},
        "during": {"color": theme.loss, "width": 1.5 + 0.75 * number, "dash": ("dot", "dash")[number % 2]},
        "theory": {"color": theme.bad, "width": 2, "dash": "dot"},
        "other": {
            "color": theme.series[number % len(theme.series)],
            "width": 2,
            "dash": DASHES[number % len(DASHES)],
        },
    }[curve.kind]
    drawn = np.where(np.isfinite(powers(curve.values)), curve.values, np.nan)
    return {
        "type": "scatter",
        "name": curve.name,
        "mode": line_mode(drawn),
        "x": t,
        "y": drawn,
        "line": line,
        "showlegend": not curve.whole,
        "customdata": plain_all(curve.values),
        "hovertemplate": f"{curve.name}: %{{customdata}}<extra></extra>",
    }


def line_mode(values: Array) -> str:
    """Return how to draw a line with gaps: with dots too if one of its points has no neighbour."""
    there = np.pad(np.isfinite(values), 1)
    alone = there[1:-1] & ~there[:-2] & ~there[2:]
    return "lines+markers" if alone.any() else "lines"


def curve_marks(curve: Curve, t: Array, theme: Theme, span: tuple[int, int]) -> list[Spec]:
    """Mark exact zeros at the bottom and inf at the top; NaN is not drawn."""
    kinds = (
        ("exactly 0", curve.values == 0.0, 10.0 ** (span[0] + 0.02 * (span[1] - span[0])), "triangle-down"),
        ("overflow", np.isinf(curve.values), 10.0 ** (span[1] - 0.02 * (span[1] - span[0])), "x-thin"),
    )
    line = {"color": theme.bad, "width": 2}
    return [
        {
            "type": "scatter",
            "name": name,
            "legendgroup": name,
            "mode": "markers",
            "showlegend": False,
            "x": t[where],
            "y": np.full(int(where.sum()), height),
            "marker": {"symbol": symbol, "size": 8, "color": theme.bad, "line": line},
            "hovertemplate": f"{curve.name}: {name}<extra></extra>",
        }
        for name, where, height, symbol in kinds
        if where.any()
    ]


def _name_once(data: list[Spec]) -> None:
    """Give each kind of mark a single legend entry, over all curves."""
    first = {trace["legendgroup"]: trace for trace in reversed(data) if "legendgroup" in trace}
    for trace in first.values():
        trace["showlegend"] = True


def _backward(theme: Theme) -> Spec:
    font = {"size": 14, "color": theme.output}
    return note(theme, BACKWARD, 0.0, 1.0, xanchor="left", yanchor="bottom", yshift=6, font=font)


def decay_factors_spec(causes: DecayFactors, theme: Theme = LIGHT, blocked: str = "saturated") -> Spec:
    """Draw the two factors of every step back and their product, over the share of blocked units.

    The product is a wide pale line beneath the others: where they coincide, all can be seen.

    blocked : the activation's word for them.
    """
    both = causes.slope_factor * causes.recurrent_factor
    lines = [
        (
            "both: one step back",
            both,
            {"color": pale(theme.ink, theme), "width": 8},
        ),
        (
            "through W<sub>hh</sub>",
            causes.recurrent_factor,
            {"color": theme.hidden, "width": 2.5, "dash": "dash"},
        ),
        ("through the slope φ′", causes.slope_factor, {"color": theme.output, "width": 2.5, "dash": "dot"}),
    ]
    data: list[Spec] = [
        {
            "type": "scatter",
            "name": name,
            "mode": line_mode(values),
            "cliponaxis": False,
            "x": causes.steps,
            "y": values,
            "line": line,
            "customdata": plain_all(values),
            "hovertemplate": f"{name}: ×%{{customdata}}<extra></extra>",
        }
        for name, values, line in lines
    ]
    shown = np.r_[1.2, both, causes.slope_factor, causes.recurrent_factor]
    top = 1.05 * float(shown[np.isfinite(shown)].max())
    return {
        "data": [*data, _blocked(causes, theme, blocked)],
        "layout": _causes_layout(causes, top, theme, blocked),
    }


def _blocked(causes: DecayFactors, theme: Theme, word: str) -> Spec:
    return {
        "type": "bar",
        "name": f"units that are {word}",
        "showlegend": False,
        "x": np.arange(1, len(causes.saturated) + 1),
        "y": causes.saturated,
        "yaxis": "y2",
        "marker": {"color": theme.faint},
        "hovertemplate": f"{word}: %{{y:.0%}}<extra></extra>",
    }


def _causes_layout(causes: DecayFactors, top: float, theme: Theme, blocked: str) -> Spec:
    one = {"type": "line", "x0": 0, "x1": 1, "xref": "paper", "y0": 1, "y1": 1, "yref": "y"}
    notes = [_backward(theme)]
    if not causes.saturated.any():
        notes.append(note(theme, f"no unit is {blocked}", 0.5, 0.5, yref="y2 domain", bgcolor=theme.panel))
    factors = {"range": [0.0, top], "nticks": 6, "exponentformat": "power"}
    shares = {"range": [0.0, 1.0], "nticks": 3, "tickformat": ".0%"}
    ends = [0.5, len(causes.saturated) + 0.5]
    return _time_layout(
        theme,
        hoversubplots="axis",
        annotations=notes,
        shapes=[one | {"layer": "below", "line": {"color": theme.faint, "width": 1}}],
        xaxis=axis(theme, "time step t →", range=ends, showgrid=False, anchor="y2"),
        yaxis=axis(theme, "factor per step back", domain=[0.34, 1.0], **factors),
        yaxis2=axis(theme, blocked, domain=[0.0, 0.26], **shares),
    )


def seeds_spec(band: SeedBand, own: Array, theme: Theme = LIGHT) -> Spec:
    """Draw the median over seeds, the middle half, the full range, and the curve of the current seed."""
    T = band.curves.shape[1]
    t = np.arange(1.0, T + 1.0)
    low, quarter, median, three_quarters, high = (band.quantile(q) for q in (0.0, 0.25, 0.5, 0.75, 1.0))
    span = gradient_span(low, high)
    floor, ceiling = 10.0 ** span[0], 10.0 ** span[1]
    data = []
    for name, bottom, top, opacity in (
        ("all seeds", low, high, 0.14),
        ("middle half", quarter, three_quarters, 0.28),
    ):
        ends = {"type": "scatter", "mode": "lines", "x": t, "line": {"width": 0}, "hoverinfo": "skip"}
        data.append(
            ends | {"name": f"{name}, lower end", "y": bottom.clip(floor, ceiling), "showlegend": False}
        )
        fill = {"fill": "tonexty", "fillcolor": with_alpha(theme.hidden, opacity)}
        data.append(ends | fill | {"name": name, "y": top.clip(floor, ceiling)})
    for name, values, line in (
        ("median", median, {"color": theme.hidden, "width": 3}),
        ("this seed", own, {"color": theme.ink, "width": 2, "dash": "dot"}),
    ):
        data.append(curve_trace(Curve(name, values), t, theme, 0) | {"line": line})
    data += curve_marks(Curve("median", median), t, theme, span)
    _name_once(data)
    spec = curves_spec([Curve("median", low), Curve("", high)], theme)
    return {"data": data, "layout": spec["layout"]}


def curves(
    lines: Sequence[Curve], theme: Theme = LIGHT, relative: bool = False, items: Array | None = None
) -> go.Figure:
    """Draw gradient curves to compare (see ``curves_spec``)."""
    return go.Figure(curves_spec(lines, theme, relative, items))


def decay_factors(view: DecayFactors, theme: Theme = LIGHT) -> go.Figure:
    """Draw the two factors of a gradient's decay."""
    return go.Figure(decay_factors_spec(view, theme))


def seeds(band: SeedBand, own: Array, theme: Theme = LIGHT) -> go.Figure:
    """Draw the gradient over many seeds, and the curve (T,) of one of them."""
    return go.Figure(seeds_spec(band, own, theme))
