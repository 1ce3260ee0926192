"""What a recurrent matrix is asked and what it allows: the itemised triangle and the spectrum."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from rnnviz.figures.theme import LIGHT, Spec, Theme, axis, heading, layout, note
from rnnviz.figures.timeline import GRADIENT_RANGE, gradient_span, power_ticks, powers
from rnnviz.gradient_flow import GradientFlow
from rnnviz.spectrum import Spectrum
from rnnviz.triangle import Triangle

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
        "customdata": np.where(triangle.size == 0.0, "exactly 0", np.char.mod("%.2e", triangle.size)),
        "hovertemplate": "output %{y}, step %{x}: %{customdata}<extra></extra>",
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
    time = axis(
        theme, "◀ gradient goes back · used at step t", range=[0.5, T + 0.5], showgrid=False, nticks=6
    )
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
        annotations=[heading(theme, title, domain[0]) for title, domain in zip(titles, domains, strict=True)],
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
                heading(theme, "eigenvalues and the unit circle", 0.0),
                heading(theme, "singular values", 0.56),
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


def triangle(view: Triangle, flow: GradientFlow, theme: Theme = LIGHT) -> go.Figure:
    """Draw the itemised triangle and the lag profile."""
    return go.Figure(triangle_spec(view, flow, theme))


def spectrum(now: Spectrum, before: Spectrum | None = None, theme: Theme = LIGHT) -> go.Figure:
    """Draw the spectrum of W_hh, if wanted with the one before training."""
    return go.Figure(spectrum_spec(now, before, theme))
