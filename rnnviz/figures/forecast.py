"""A series, its split, and forecasts of the held-out part by a network and the baselines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from rnnviz.figures.theme import LIGHT, Spec, Theme, axis, heading, layout, note
from rnnviz.model.arrays import Array, Indices
from rnnviz.tasks.series import Series
from rnnviz.teaching.numbers import plain_all

SHOWN_BEFORE = 1.5
"""Length of the time shown before the held-out part, in multiples of that part."""

NAMED_ROWS = 6

WORDS_ROOM = 0.2
"""Room for the words below and above the curves, as a share of the measured values' range."""

MAX_POINTS = 1200
"""The largest number of points drawn; more than pixels would only cost time."""


@dataclass(frozen=True, eq=False)
class Forecasts:
    """Data of the figure.

    series : values, split and unit. ahead : (m,), one-step forecasts of the held-out part.
    free : (k,), free-running forecasts from the split on. future : (f,), forecasts beyond the last value.
    baseline : (m,), the better baseline; baseline_name : its name.
    unit : of the values. row_names : of the ``named_rows``; None where their times are numbers.
    """

    series: Series
    ahead: Array
    free: Array
    future: Array
    baseline: Array
    baseline_name: str
    unit: str
    row_names: Sequence[str] | None = None


def forecast_spec(view: Forecasts, theme: Theme = LIGHT) -> Spec:
    """Return the figure of data, split and forecasts as plain data."""
    s = view.series
    split = s.held_out
    first, end = _shown(s, len(view.ahead))
    step = float(s.times[-1] - s.times[-2])
    beyond = s.times[-1] + step * np.arange(1, len(view.future) + 1)
    whole = end == len(s.values)
    right = beyond[-1] if whole and len(beyond) else s.times[end - 1]
    traces = [
        _line("measured", s.times[first:end], s.values[first:end], theme.ink, 2.0),
        _line(view.baseline_name, s.times[split:end], view.baseline, theme.target, 1.4, "dot"),
        _line("free-running", s.times[split : split + len(view.free)], view.free, theme.hidden, 2.0, "dash"),
        _line("one step ahead", s.times[split:end], view.ahead, theme.output, 2.2),
    ]
    if whole:
        traces.append(_line("the future", beyond, view.future, theme.hidden, 2.0, "dash"))
    return {
        "data": traces,
        "layout": layout(
            theme,
            margin={"l": 58, "r": 14, "t": 50, "b": 34},
            xaxis=axis(
                theme,
                range=[float(s.times[first]), float(right)],
                nticks=9,
                showgrid=False,
                tickformat="d",
                **_names(view),
            ),
            yaxis=axis(theme, range=_span(s.values[first:end], view.free, view.future), nticks=6),
            shapes=_split(s.times[first], s.times[split], theme),
            annotations=[
                heading(theme, _legend(view, theme, whole), 0.0, theme.ink, size=13),
                _side("training part", s.times[split], theme, "right"),
                _side("held out", s.times[split], theme, "left"),
                _unit(view.unit, theme),
            ],
        ),
    }


def _split(first: float, split: float, theme: Theme) -> list[Spec]:
    """Return the shade behind the training part, and the line where it ends."""
    place = {"xref": "x", "yref": "paper", "x1": split, "y0": 0, "y1": 1}
    shade = {"type": "rect", "x0": first, "fillcolor": theme.grid, "opacity": 0.35, "layer": "below"}
    line = {"type": "line", "x0": split, "line": {"color": theme.faint, "width": 1.2}}
    return [place | shade | {"line": {"width": 0}}, place | line]


def _unit(unit: str, theme: Theme) -> Spec:
    """Return the unit as a note in the upper left corner."""
    font, place = {"size": 12, "color": theme.faint}, {"xanchor": "left", "yanchor": "top"}
    return note(theme, unit, 0.0, 1.0, **place, xshift=6, yshift=-2, font=font)


def _legend(view: Forecasts, theme: Theme, whole: bool) -> str:
    """Return the legend, with colours and dashes, as one line of text above the figure."""
    free = "free-running" + (", and the future" if whole and len(view.future) else "")
    parts = [
        (theme.ink, "━ measured"),
        (theme.output, "━ one step ahead"),
        (theme.hidden, f"╍ {free}"),
        (theme.faint, f"┄ {view.baseline_name}"),
    ]
    return "   ".join(f"<span style='color:{colour}'>{name}</span>" for colour, name in parts)


def _shown(s: Series, m: int) -> tuple[int, int]:
    """Return the first row shown and the end of the rows, if m held-out values are forecast."""
    end = min(len(s.values), s.held_out + m)
    return max(0, s.held_out - int(SHOWN_BEFORE * (end - s.held_out))), end


def named_rows(s: Series, m: int) -> Indices:
    """Return the rows that the time axis names if rows have names; m : number of forecast held-out values."""
    first, end = _shown(s, m)
    return np.unique(np.linspace(first, end - 1, NAMED_ROWS).astype(int))


def _names(view: Forecasts) -> Spec:
    """Return time-axis ticks for some rows, if rows have names."""
    if view.row_names is None:
        return {}
    rows = named_rows(view.series, len(view.ahead))
    return {"tickvals": view.series.times[rows].tolist(), "ticktext": list(view.row_names)}


def _side(text: str, x: float, theme: Theme, anchor: str) -> Spec:
    shift = -6 if anchor == "right" else 6
    font = {"size": 12, "color": theme.faint}
    return note(
        theme, text, float(x), 0.0, xref="x", xanchor=anchor, xshift=shift, yanchor="bottom", font=font
    )


def _span(values: Array, *forecasts: Array) -> list[float]:
    """Return the axis range for measured values and forecasts, with room for words above and below.

    A forecast further off than the measured values' range does not count: it leaves the picture.
    """
    low, high = float(values.min()), float(values.max())
    size = (high - low) or abs(high) or 1.0  # the values shown may all be equal
    made = np.concatenate(forecasts)
    near = made[(made > low - size) & (made < high + size)]  # NaN is neither
    low, high = min([low, *near.tolist()]), max([high, *near.tolist()])
    return [low - WORDS_ROOM * size, high + WORDS_ROOM * size]


def _line(name: str, x: Array, y: Array, colour: str, width: float, dash: str = "solid") -> Spec:
    keep = np.unique(np.linspace(0, max(len(x) - 1, 0), min(len(x), MAX_POINTS)).astype(int))
    x, y = x[keep], np.asarray(y)[keep]
    return {
        "type": "scatter",
        "name": name,
        "mode": "lines",
        "x": x,
        "y": np.where(np.isfinite(y) & (np.abs(y) < 1e15), y, np.nan),
        "line": {"color": colour, "width": width, "dash": dash},
        "customdata": plain_all(y, 4),
        "hovertemplate": f"{name}: %{{customdata}}<extra></extra>",
    }


def forecast(view: Forecasts, theme: Theme = LIGHT) -> go.Figure:
    """Draw a series with its split and its forecasts."""
    return go.Figure(forecast_spec(view, theme))
