"""Pictures of the gradient laboratory: curves compared, causes, the itemised triangle, the spectrum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from rnnviz.arrays import Array
from rnnviz.causes import Causes
from rnnviz.figures.theme import LIGHT, Spec, Theme, axis, layout, note
from rnnviz.figures.timeline import GRADIENT_RANGE, gradient_span, power_ticks, powers
from rnnviz.gradient_flow import GradientFlow
from rnnviz.spectrum import Spectrum
from rnnviz.sweeps import SeedBand
from rnnviz.triangle import Triangle

DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
BACKWARD = "◀ the gradient travels back"


@dataclass(frozen=True, eq=False)
class Curve:
    """One curve ||dL/dh_t|| (T,) to compare; NaN where there is nothing.

    kind : "main" (the experiment), "other" (another initialisation), "total" (the whole loss) or
        "theory".
    """

    name: str
    values: Array
    kind: str = "other"


def curves_spec(curves: Sequence[Curve], theme: Theme = LIGHT, relative: bool = False) -> Spec:
    """Draw gradient curves over one fixed log axis, each named at its left end."""
    T = len(curves[0].values)
    span = gradient_span(*(curve.values for curve in curves))
    t = np.arange(1.0, T + 1.0)
    data: list[Spec] = []
    others = 0
    for curve in curves:
        data += [_curve(curve, t, theme, others), *_marks(curve, t, theme, span)]
        others += curve.kind == "other"
    return {
        "data": data,
        "layout": layout(
            theme,
            margin={"l": 72, "r": 24, "t": 34, "b": 44},
            hovermode="x unified",
            showlegend=True,
            legend={"orientation": "h", "x": 1, "xanchor": "right", "y": 1.0, "yanchor": "bottom"},
            xaxis=axis(theme, "time step t →", range=[0.5, T + 0.5], showgrid=False),
            yaxis=axis(
                theme,
                "||∂L/∂h<sub>t</sub>||" + (", relative to the last output" if relative else ""),
                type="log",
                range=list(span),
                **power_ticks(span, most=6),
            ),
            annotations=[_backward(theme)],
        ),
    }


def _curve(curve: Curve, t: Array, theme: Theme, number: int) -> Spec:
    line = {
        "main": {"color": theme.ink, "width": 3.5},
        "total": {"color": theme.output, "width": 2, "dash": "dash"},
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
        "mode": "lines" if len(t) > 1 else "markers",
        "x": t,
        "y": drawn,
        "line": line,
        "hovertemplate": f"{curve.name}: %{{y:.2e}}<extra></extra>",
    }


def _marks(curve: Curve, t: Array, theme: Theme, span: tuple[int, int]) -> list[Spec]:
    """Exact zeros at the floor, inf at the ceiling; NaN means that there is nothing to show."""
    kinds = (
        ("exactly 0", curve.values == 0.0, 10.0 ** (span[0] + 0.02 * (span[1] - span[0])), "triangle-down"),
        ("overflow", np.isinf(curve.values), 10.0 ** (span[1] - 0.02 * (span[1] - span[0])), "x-thin"),
    )
    line = {"color": theme.bad, "width": 2}
    return [
        {
            "type": "scatter",
            "name": f"{curve.name}: {name}",
            "mode": "markers",
            "showlegend": False,
            "x": t[where],
            "y": np.full(int(where.sum()), height),
            "marker": {"symbol": symbol, "size": 8, "color": theme.bad, "line": line},
            "hovertemplate": f"{name}<extra></extra>",
        }
        for name, where, height, symbol in kinds
        if where.any()
    ]


def _backward(theme: Theme) -> Spec:
    font = {"size": 14, "color": theme.output}
    return note(theme, BACKWARD, 0.0, 1.0, xanchor="left", yanchor="bottom", yshift=6, font=font)


def _title(theme: Theme, text: str, x: float) -> Spec:
    font = {"size": 14, "color": theme.ink}
    return note(theme, f"<b>{text}</b>", x, 1.0, xanchor="left", yanchor="bottom", yshift=6, font=font)


def causes_spec(causes: Causes, theme: Theme = LIGHT) -> Spec:
    """Draw the two factors of every step back and their product, over the share of saturated units."""
    both = causes.slope_factor * causes.recurrent_factor
    T = len(causes.saturated)
    top = float(np.nanmax(np.r_[1.2, both, causes.slope_factor, causes.recurrent_factor]))
    lines = [
        ("through W_hh", causes.recurrent_factor, {"color": theme.hidden, "width": 2.5, "dash": "dash"}),
        ("through the slope φ′", causes.slope_factor, {"color": theme.output, "width": 2.5, "dash": "dot"}),
        ("both: one step back", both, {"color": theme.ink, "width": 3}),
    ]
    data: list[Spec] = [
        {
            "type": "scatter",
            "name": name,
            "mode": "lines",
            "x": causes.steps,
            "y": values,
            "line": line,
            "hovertemplate": f"{name}: ×%{{y:.3f}}<extra></extra>",
        }
        for name, values, line in lines
    ]
    data.append(
        {
            "type": "bar",
            "name": "saturated units",
            "showlegend": False,
            "x": np.arange(1, T + 1),
            "y": causes.saturated,
            "yaxis": "y2",
            "marker": {"color": theme.faint},
            "hovertemplate": "saturated: %{y:.0%}<extra></extra>",
        }
    )
    one = {"type": "line", "x0": 0, "x1": 1, "xref": "paper", "y0": 1, "y1": 1, "yref": "y"}
    return {
        "data": data,
        "layout": layout(
            theme,
            margin={"l": 72, "r": 24, "t": 34, "b": 44},
            hovermode="x unified",
            hoversubplots="axis",
            showlegend=True,
            legend={"orientation": "h", "x": 1, "xanchor": "right", "y": 1.0, "yanchor": "bottom"},
            shapes=[one | {"line": {"color": theme.faint, "width": 1}}],
            xaxis=axis(theme, "time step t →", range=[0.5, T + 0.5], showgrid=False, anchor="y2"),
            yaxis=axis(theme, "factor per step back", domain=[0.34, 1.0], range=[0.0, 1.05 * top], nticks=6),
            yaxis2=axis(theme, "saturated", domain=[0.0, 0.26], range=[0.0, 1.0], tickformat=".0%", nticks=3),
            annotations=[_backward(theme)],
        ),
    }


SHARE_RANGE = 0.1
"""Signed shares beyond this have full colour: most items of a long sequence are far smaller."""


def triangle_spec(triangle: Triangle, flow: GradientFlow, theme: Theme = LIGHT) -> Spec:
    """Draw ||C_kt|| and the signed shares as triangles, and the lag profile beside them."""
    T = triangle.size.shape[1]
    later = triangle.outputs[:, None] < np.arange(1, T + 1)
    low, high = GRADIENT_RANGE
    with np.errstate(divide="ignore"):
        logs = np.where(later, np.nan, np.maximum(powers(triangle.size), -400.0))
    heat: Spec = {"type": "heatmap", "x": np.arange(1, T + 1), "y": triangle.outputs, "showscale": False}
    size = heat | {
        "name": "size",
        "z": logs,
        "zmin": low,
        "zmax": high,
        "colorscale": theme.gradient,
        "hovertemplate": "output %{y}, step %{x}: 10^%{z:.1f}<extra></extra>",
    }
    share = heat | {
        "name": "share",
        "z": np.where(later, np.nan, triangle.share),
        "zmin": -SHARE_RANGE,
        "zmax": SHARE_RANGE,
        "colorscale": theme.state,
        "xaxis": "x2",
        "yaxis": "y2",
        "hovertemplate": "output %{y}, step %{x}: %{z:.2%}<extra></extra>",
    }
    profile: Spec = {
        "type": "scatter",
        "name": "lag profile",
        "mode": "lines+markers" if len(flow.lag_profile) < 40 else "lines",
        "x": np.arange(len(flow.lag_profile)),
        "y": np.where(flow.lag_profile > 0, flow.lag_profile, np.nan),
        "xaxis": "x3",
        "yaxis": "y3",
        "line": {"color": theme.ink, "width": 3},
        "hovertemplate": "%{x} steps back: %{y:.2e}<extra></extra>",
    }
    return {"data": [size, share, profile], "layout": _triangle_layout(triangle, flow, theme)}


def _triangle_layout(triangle: Triangle, flow: GradientFlow, theme: Theme) -> Spec:
    T = triangle.size.shape[1]
    span = gradient_span(flow.lag_profile)
    outputs = [triangle.outputs[0] - 0.5, triangle.outputs[-1] + 0.5]
    time = axis(theme, "used at step t →", range=[0.5, T + 0.5], showgrid=False, nticks=6)
    rows = axis(
        theme,
        "loss of output k",
        range=outputs,
        showgrid=False,
        tickformat="d",
        dtick=max(1, len(triangle.outputs) // 5),
    )
    titles = ("size ||C<sub>kt</sub>||, log", "signed share of ∂L/∂W<sub>hh</sub>", "lag profile")
    domains = ([0.0, 0.28], [0.36, 0.64], [0.74, 1.0])
    return layout(
        theme,
        margin={"l": 56, "r": 16, "t": 34, "b": 44},
        xaxis=time | {"domain": domains[0]},
        xaxis2=time | {"domain": domains[1], "anchor": "y2"},
        xaxis3=axis(theme, "steps back from the output →", domain=domains[2], anchor="y3", showgrid=False),
        yaxis=rows,
        yaxis2=rows | {"anchor": "x2", "title": {"text": ""}},
        yaxis3=axis(theme, anchor="x3", type="log", range=list(span), **power_ticks(span, most=6)),
        annotations=[_title(theme, title, domain[0]) for title, domain in zip(titles, domains, strict=True)],
    )


def spectrum_spec(now: Spectrum, before: Spectrum | None = None, theme: Theme = LIGHT) -> Spec:
    """Draw eigenvalues in the complex plane with the unit circle, and singular values with the bound."""
    data = []
    for name, spectrum, hollow in (("before training", before, True), ("now", now, False)):
        if spectrum is not None:
            data += _spectrum(name, spectrum, hollow, theme)
    shown = [s for s in (now, before) if s is not None]
    reach = 1.15 * max(1.0, *(s.rho for s in shown))
    top = 1.1 * max(1.0 / now.gamma, *(s.sigma_max for s in shown))
    circle = {"type": "circle", "x0": -1, "x1": 1, "y0": -1, "y1": 1, "xref": "x", "yref": "y"}
    bound = {"type": "line", "x0": 0, "x1": 1, "xref": "x2 domain", "yref": "y2"}
    words = f"1/γ = {1.0 / now.gamma:g}: all below, and every gradient surely vanishes"
    H = len(now.singular_values)
    return {
        "data": data,
        "layout": layout(
            theme,
            margin={"l": 60, "r": 16, "t": 34, "b": 44},
            showlegend=before is not None,
            legend={"orientation": "h", "x": 1, "xanchor": "right", "y": 1.0, "yanchor": "bottom"},
            shapes=[
                circle | {"line": {"color": theme.faint, "width": 1.5}},
                bound
                | {"y0": 1.0 / now.gamma, "y1": 1.0 / now.gamma}
                | {"line": {"color": theme.bad, "width": 1.5, "dash": "dash"}},
            ],
            xaxis=axis(theme, "real part", domain=[0.0, 0.46], range=[-reach, reach], constrain="domain"),
            yaxis=axis(theme, "imaginary part", range=[-reach, reach], scaleanchor="x", constrain="domain"),
            xaxis2=axis(theme, "number, by size", domain=[0.56, 1.0], anchor="y2", range=[0, H + 1]),
            yaxis2=axis(theme, "singular value", anchor="x2", range=[0.0, top]),
            annotations=[
                _title(theme, "eigenvalues and the unit circle", 0.0),
                _title(theme, "singular values", 0.56),
                note(
                    theme, words, 1.0, 1.0 / now.gamma, xref="x2 domain", yref="y2",
                    xanchor="right", yanchor="bottom", font={"size": 12, "color": theme.bad},
                ),
            ],
        ),
    }  # fmt: skip


def _spectrum(name: str, spectrum: Spectrum, hollow: bool, theme: Theme) -> list[Spec]:
    colour = theme.faint if hollow else theme.hidden
    marker = {"size": 8, "color": colour, "symbol": "circle-open" if hollow else "circle"}
    return [
        {
            "type": "scatter",
            "name": name,
            "mode": "markers",
            "x": spectrum.eigenvalues.real,
            "y": spectrum.eigenvalues.imag,
            "marker": marker,
            "hovertemplate": "%{x:.3f} + %{y:.3f} i<extra></extra>",
        },
        {
            "type": "scatter",
            "name": name,
            "mode": "markers",
            "showlegend": False,
            "x": np.arange(1, len(spectrum.singular_values) + 1),
            "y": spectrum.singular_values,
            "xaxis": "x2",
            "yaxis": "y2",
            "marker": marker,
            "hovertemplate": "%{y:.3f}<extra></extra>",
        },
    ]


def curves(lines: Sequence[Curve], theme: Theme = LIGHT, relative: bool = False) -> go.Figure:
    """Draw gradient curves to compare (see ``Curve``)."""
    return go.Figure(curves_spec(lines, theme, relative))


def causes(view: Causes, theme: Theme = LIGHT) -> go.Figure:
    """Draw the two causes of a gradient's decay."""
    return go.Figure(causes_spec(view, theme))


def triangle(view: Triangle, flow: GradientFlow, theme: Theme = LIGHT) -> go.Figure:
    """Draw the itemised triangle and the lag profile."""
    return go.Figure(triangle_spec(view, flow, theme))


def spectrum(now: Spectrum, before: Spectrum | None = None, theme: Theme = LIGHT) -> go.Figure:
    """Draw the spectrum of W_hh, if wanted with the one before training."""
    return go.Figure(spectrum_spec(now, before, theme))


def seeds_spec(band: SeedBand, own: Array, theme: Theme = LIGHT) -> Spec:
    """Draw the median over seeds, the middle half, the full range, and the curve of the seed in use."""
    T = band.curves.shape[1]
    t = np.arange(1.0, T + 1.0)
    low, quarter, median, three_quarters, high = (band.quantile(q) for q in (0.0, 0.25, 0.5, 0.75, 1.0))
    span = gradient_span(low, high)
    floor = 10.0 ** (span[0])
    data = []
    for name, bottom, top, opacity in (
        ("all seeds", low, high, 0.14),
        ("middle half", quarter, three_quarters, 0.28),
    ):
        ends = {"type": "scatter", "mode": "lines", "x": t, "line": {"width": 0}, "hoverinfo": "skip"}
        data.append(
            ends | {"name": f"{name}, lower end", "y": np.maximum(bottom, floor), "showlegend": False}
        )
        fill = {"fill": "tonexty", "fillcolor": _with_alpha(theme.hidden, opacity)}
        data.append(ends | fill | {"name": name, "y": np.maximum(top, floor)})
    for name, values, line in (
        ("median", median, {"color": theme.hidden, "width": 3}),
        ("this seed", own, {"color": theme.ink, "width": 2, "dash": "dot"}),
    ):
        data.append(_curve(Curve(name, values), t, theme, 0) | {"line": line})
    spec = curves_spec([Curve("median", low), Curve("", high)], theme)
    return {"data": data, "layout": spec["layout"]}


def _with_alpha(colour: str, opacity: float) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"


DECADES_RANGE = 8.0
"""Decades beyond this have full colour in a phase diagram."""


def phase_spec(
    decades: Array, gains: Array, values: Array, across: str, critical: Array | None, theme: Theme = LIGHT
) -> Spec:
    """Draw decades (G, V) over gain (up) and sequence length or input strength, NaN where still open.

    critical : (V,), the theory's critical gain at each value, drawn as a line.
    """
    heat: Spec = {
        "type": "heatmap",
        "name": "decades",
        "x": values,
        "y": gains,
        "z": np.clip(decades, -1e6, 1e6),
        "zmin": -DECADES_RANGE,
        "zmax": DECADES_RANGE,
        "colorscale": theme.state,
        "hovertemplate": "gain %{y:.2f}, %{x:.3g}: %{z:.1f} decades<extra></extra>",
        "colorbar": {
            "thickness": 10,
            "outlinewidth": 0,
            "title": {"text": "decades", "font": {"size": 12, "color": theme.faint}},
            "tickfont": {"size": 11, "color": theme.faint},
        },
    }
    data = [heat]
    if critical is not None:
        data.append(
            {
                "type": "scatter",
                "name": "critical gain (theory)",
                "mode": "lines",
                "x": values,
                "y": np.where((critical >= gains[0]) & (critical <= gains[-1]), critical, np.nan),
                "line": {"color": theme.ink, "width": 3, "dash": "dash"},
                "hovertemplate": "critical gain %{y:.2f}<extra></extra>",
            }
        )
    title = "sequence length T →" if across == "seq_len" else "input strength (standard deviation) →"
    words = "vanishing below, exploding above; dashed: the theory's critical gain"
    font = {"size": 13, "color": theme.faint}
    return {
        "data": data,
        "layout": layout(
            theme,
            margin={"l": 60, "r": 16, "t": 34, "b": 44},
            xaxis=axis(theme, title, showgrid=False),
            yaxis=axis(theme, "gain g of W_hh", showgrid=False),
            annotations=[note(theme, words, 0.0, 1.0, xanchor="left", yanchor="bottom", yshift=6, font=font)],
        ),
    }
