"""Figures of the recurrent matrix: contributions to its gradient, and its spectrum."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from rnnviz.analysis.contributions import Contributions
from rnnviz.analysis.gradient_flow import GradientFlow
from rnnviz.analysis.spectrum import Spectrum
from rnnviz.figures.curves import line_mode
from rnnviz.figures.theme import LIGHT, Spec, Theme, axis, heading, layout, mix, squares
from rnnviz.figures.timeline import GRADIENT_RANGE, gradient_span, power_ticks, powers
from rnnviz.model.arrays import Array
from rnnviz.teaching.numbers import plain, plain_all

SHARE_RANGE = 0.1
"""Signed shares beyond this have full colour: most contributions in a long sequence are far smaller."""


def contributions_spec(triangle: Contributions, flow: GradientFlow, theme: Theme = LIGHT) -> Spec:
    """Draw ||D_kt|| and the signed shares, beside them what is left of an error l steps back.

    Triangular heatmaps if several steps write; if a single one does, lines and bars over the time step.
    """
    single = len(triangle.outputs) == 1
    items = _single_row(triangle, theme) if single else _triangles(triangle, theme)
    there = np.isfinite(powers(flow.lag_profile))
    profile: Spec = {
        "type": "scatter",
        "name": "error left",
        "mode": "lines+markers" if len(flow.lag_profile) < 40 else "lines",
        "x": np.arange(len(flow.lag_profile)),
        "y": np.where(there, flow.lag_profile, np.nan),
        "xaxis": "x3",
        "yaxis": "y3",
        "line": {"color": theme.ink, "width": 3},
        "customdata": plain_all(flow.lag_profile),
        "hovertemplate": "%{x} steps back: %{customdata}<extra></extra>",
    }
    axes = _single_axes(triangle, theme) if single else _triangle_axes(triangle, theme)
    return {"data": [*items, profile], "layout": _triangle_layout(triangle, flow, axes, theme)}


def _triangles(triangle: Contributions, theme: Theme) -> list[Spec]:
    """Draw norm and signed share of every contribution, output k upwards and time step t to the right."""
    steps = np.arange(1, triangle.size.shape[1] + 1)
    later = triangle.outputs[:, None] < steps
    low, high = GRADIENT_RANGE
    heat: Spec = {"type": "heatmap", "x": steps, "y": triangle.outputs, "showscale": False}
    size = heat | {
        "name": "size",
        "z": np.where(later, np.nan, np.maximum(powers(triangle.size), -400.0)),
        "zmin": low,
        "zmax": high,
        "colorscale": theme.gradient,
        "customdata": np.where(triangle.size == 0.0, "exactly 0", plain_all(triangle.size)),
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
    return [size, share]


def _single_row(triangle: Contributions, theme: Theme) -> list[Spec]:
    """Draw norm and signed share of the only output's contributions over the time step."""
    size, share = triangle.size[0], triangle.share[0]
    t = np.arange(1.0, len(size) + 1.0)
    drawn = np.where(size > 0.0, size, np.nan)
    line: Spec = {
        "type": "scatter",
        "name": "size",
        "mode": "lines+markers" if len(t) < 40 else line_mode(drawn),
        "x": t,
        "y": drawn,
        "line": {"color": theme.ink, "width": 3},
        "customdata": plain_all(size),
        "hovertemplate": "step %{x}: %{customdata}<extra></extra>",
    }
    bars: Spec = {
        "type": "bar",
        "name": "share",
        "x": t,
        "y": share,
        "xaxis": "x2",
        "yaxis": "y2",
        "marker": {"color": [mix(theme.state, 0.85 if part >= 0 else 0.15) for part in share]},
        "hovertemplate": "step %{x}: %{y:.2%}<extra></extra>",
    }
    return [line, bars, _zeros(size, t, theme)]


def _zeros(size: Array, t: Array, theme: Theme) -> Spec:
    """Draw marks near the bottom for norms that are exactly 0."""
    low, high = gradient_span(size)
    return {
        "type": "scatter",
        "name": "exactly 0",
        "mode": "markers",
        "x": t[size == 0.0],
        "y": np.full(int((size == 0.0).sum()), 10.0 ** (low + 0.02 * (high - low))),
        "marker": {"symbol": "triangle-down", "size": 8, "color": theme.bad},
        "hovertemplate": "step %{x}: exactly 0<extra></extra>",
    }


def _triangle_axes(triangle: Contributions, theme: Theme) -> Spec:
    """Return the y axes of two triangles and the names of their panels, with what the colours mean."""
    K = len(triangle.outputs)
    ends = [triangle.outputs[0] - 0.5, triangle.outputs[-1] + 0.5]
    whole = {"tickformat": "d", "dtick": max(1, K // 5)}
    rows = axis(theme, "loss of output k", range=ends, showgrid=False, **whole)
    low, high = GRADIENT_RANGE
    sizes = f"10<sup>−{-low}</sup> {squares(theme.gradient, 7)} 10<sup>{high}</sup>"
    shares = f"−{SHARE_RANGE:.0%} {squares(theme.state, 7)} +{SHARE_RANGE:.0%}"
    return {
        "yaxis": rows,
        "yaxis2": rows | {"anchor": "x2", "title": {"text": ""}},
        "names": (_scaled("size ||D<sub>kt</sub>||", sizes), _scaled("signed share", shares)),
    }


def _single_axes(triangle: Contributions, theme: Theme) -> Spec:
    """Return the y axes of a single output's lines and bars, and the names of their panels."""
    span = gradient_span(triangle.size)
    zeros = f"<span style='color:{theme.bad}'>▼ exactly 0</span>" if (triangle.size == 0.0).any() else ""
    look: Spec = {"tickformat": ".0%", "nticks": 7, "zeroline": True, "zerolinecolor": theme.faint}
    return {
        "yaxis": axis(theme, type="log", range=list(span), **power_ticks(span, most=6)),
        "yaxis2": axis(theme, anchor="x2", **look),
        "names": (_scaled("size ||D<sub>t</sub>||", zeros), "signed share of ∂L/∂W<sub>hh</sub>"),
    }


def _scaled(name: str, scale: str) -> str:
    """Append a scale to the name of a panel, not in ``heading``'s bold."""
    return f"{name}</b>  {scale}<b>"


def _triangle_layout(triangle: Contributions, flow: GradientFlow, axes: Spec, theme: Theme) -> Spec:
    T = triangle.size.shape[1]
    span = gradient_span(flow.lag_profile)
    pitch = {"dtick": 1} if T <= 6 else {"nticks": 6}
    time = axis(
        theme, "time step t at which W<sub>hh</sub> is used →", showgrid=False, range=[0.5, T + 0.5], **pitch
    )
    back = axis(theme, "steps back from the output, l →", anchor="y3", showgrid=False, **pitch)
    names = (*axes.pop("names"), "error left after l steps back")
    domains = ([0.0, 0.28], [0.36, 0.64], [0.76, 1.0])
    return layout(
        theme,
        margin={"l": 56, "r": 16, "t": 34, "b": 44},
        xaxis=time | {"domain": domains[0]},
        xaxis2=time | {"domain": domains[1], "anchor": "y2"},
        xaxis3=back | {"domain": domains[2]},
        yaxis3=axis(
            theme,
            "share of the output's error left",
            anchor="x3",
            type="log",
            range=list(span),
            **power_ticks(span, most=6),
        ),
        annotations=[heading(theme, name, domain[0]) for name, domain in zip(names, domains, strict=True)],
        **axes,
    )


def spectrum_spec(now: Spectrum, before: Spectrum | None = None, theme: Theme = LIGHT) -> Spec:
    """Draw eigenvalues in the complex plane with the unit circle, and singular values with the bound."""
    data = []
    for name, spectrum, hollow in (("before training", before, True), ("now", now, False)):
        if spectrum is not None:
            data += _spectrum(name, spectrum, hollow, theme)
    return {"data": data, "layout": _spectrum_layout(now, before, theme)}


def _spectrum_layout(now: Spectrum, before: Spectrum | None, theme: Theme) -> Spec:
    shown = [s for s in (now, before) if s is not None]
    bound = 1.0 / now.gamma
    reach = 1.15 * max(1.0, *(s.rho for s in shown))
    top = 1.1 * max(bound, *(s.sigma_max for s in shown))
    circle = {"type": "circle", "x0": -1, "x1": 1, "y0": -1, "y1": 1, "xref": "x", "yref": "y"}
    line = {"type": "line", "x0": 0, "x1": 1, "xref": "x2 domain", "yref": "y2", "y0": bound, "y1": bound}
    named = f"singular values</b>  <span style='color:{theme.bad}'>╌╌ bound 1/γ = {bound:g}</span><b>"
    plane = {"range": [-reach, reach], "constrain": "domain", "nticks": 6, "exponentformat": "power"}
    sizes = {"range": [0.0, top], "nticks": 7, "exponentformat": "power"}
    H = len(now.singular_values)
    return layout(
        theme,
        margin={"l": 60, "r": 16, "t": 34, "b": 44},
        showlegend=before is not None,
        legend={"orientation": "h", "x": 0.46, "xanchor": "right", "y": 1.0, "yanchor": "bottom"},
        shapes=[
            circle | {"line": {"color": theme.faint, "width": 1.5}},
            line | {"line": {"color": theme.bad, "width": 1.5, "dash": "dash"}},
        ],
        xaxis=axis(theme, "real part", domain=[0.0, 0.46], **plane),
        yaxis=axis(theme, "imaginary part", scaleanchor="x", **plane),
        xaxis2=axis(theme, "rank, largest first", domain=[0.56, 1.0], anchor="y2", range=[0, H + 1]),
        yaxis2=axis(theme, "singular value", anchor="x2", **sizes),
        annotations=[heading(theme, "eigenvalues, unit circle"), heading(theme, named, 0.56)],
    )


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
            "customdata": [_complex(value) for value in spectrum.eigenvalues],
            "hovertemplate": "%{customdata}<extra></extra>",
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
            "customdata": plain_all(spectrum.singular_values),
            "hovertemplate": "%{customdata}<extra></extra>",
        },
    ]


def _complex(value: complex) -> str:
    return f"{plain(value.real)} {'−' if value.imag < 0 else '+'} {plain(abs(value.imag))} i"


def contributions(view: Contributions, flow: GradientFlow, theme: Theme = LIGHT) -> go.Figure:
    """Draw the contributions, and what is left of an error l steps back."""
    return go.Figure(contributions_spec(view, flow, theme))


def spectrum(now: Spectrum, before: Spectrum | None = None, theme: Theme = LIGHT) -> go.Figure:
    """Draw the spectrum of W_hh, optionally with the one before training."""
    return go.Figure(spectrum_spec(now, before, theme))
