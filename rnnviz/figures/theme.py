"""The only place that defines colours. A colour means the same in every figure.

All palettes remain distinguishable under the common colour-vision deficiencies: blue against orange
for the sign of a state, and scales of monotonic lightness for magnitudes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

Scale = list[tuple[float, str]]
Spec = dict[str, Any]
"""A plotly figure as plain data: {"data": [...], "layout": {...}}; arrays may be numpy's."""

FONT = '"Source Sans", "Source Sans 3", "Source Sans Pro", "Segoe UI", "Helvetica Neue", sans-serif'


@dataclass(frozen=True)
class Theme:
    """The colours of one theme.

    paper : background of the figure; panel : background of plotted data.
    ink, faint, grid : text and strong lines, secondary text, grid lines.
    input, hidden, output : the three kinds of node.
    target : the targets.
    loss : the loss of the training batch; metric : the held-out measurement.
    state : diverging, for values in [-1, 1]. gradient : sequential, weak to strong, over 16
        powers of ten.
    bad, good : an error; something right.
    series : for several curves of one kind, always combined with different dashes.
    """

    name: str
    paper: str
    panel: str
    ink: str
    faint: str
    grid: str
    input: str
    hidden: str
    output: str
    target: str
    loss: str
    metric: str
    state: Scale
    gradient: Scale
    bad: str
    good: str
    series: tuple[str, ...]

    def high_contrast(self) -> Theme:
        """Return the theme with stronger text and grid, for a projector in a bright room."""
        light = self.name == "light"
        return replace(
            self,
            paper="#FFFFFF" if light else "#000000",
            panel="#FFFFFF" if light else "#0B0B12",
            ink="#000000" if light else "#FFFFFF",
            faint="#3A3744" if light else "#D2CFE0",
            grid="#CFC9BC" if light else "#3D4158",
        )


LIGHT = Theme(
    name="light",
    paper="#FBFAF7",
    panel="#FFFFFF",
    ink="#1C1B2E",
    faint="#6A6678",
    grid="#E7E2D7",
    input="#1F6FB2",
    hidden="#3B3578",
    output="#B4481E",
    target="#8A8496",
    loss="#4B3FC8",
    metric="#0B7A6F",
    state=[(0.0, "#0B4F8A"), (0.25, "#6BA9D6"), (0.5, "#F5F2EC"), (0.75, "#EE9B5F"), (1.0, "#A8400B")],
    gradient=[
        (0.0, "#E4DCCB"),
        (3 / 16, "#F2B25C"),
        (5.5 / 16, "#E0663A"),
        (8 / 16, "#B32B5C"),
        (10 / 16, "#8A1F74"),
        (13 / 16, "#4A0D67"),
        (1.0, "#12021F"),
    ],
    bad="#B3261E",
    good="#0B7A6F",
    series=("#1F6FB2", "#0B7A6F", "#8E3B8A", "#7A6A00", "#5B5F73", "#C2476B"),
)

DARK = Theme(
    name="dark",
    paper="#11121C",
    panel="#161826",
    ink="#ECEAF4",
    faint="#A19DB5",
    grid="#2A2D40",
    input="#6FB7F2",
    hidden="#B9B2FF",
    output="#FF9A6B",
    target="#9490A8",
    loss="#9D93FF",
    metric="#4FD1BD",
    state=[(0.0, "#62B6FF"), (0.25, "#2F6AA3"), (0.5, "#1C1F2E"), (0.75, "#A4592A"), (1.0, "#FFA25E")],
    gradient=[
        (0.0, "#33304A"),
        (3 / 16, "#6A2C8E"),
        (5.5 / 16, "#C23B7A"),
        (8 / 16, "#F58A4B"),
        (10 / 16, "#FFB85C"),
        (13 / 16, "#FFE680"),
        (1.0, "#FFFFF2"),
    ],
    bad="#FF7A70",
    good="#4FD1BD",
    series=("#6FB7F2", "#4FD1BD", "#E38BE0", "#D9C64A", "#B3B6CC", "#FF8FA8"),
)

THEMES = {theme.name: theme for theme in (LIGHT, DARK)}


def mix(scale: Scale, position: float) -> str:
    """Return the colour of a scale at ``position`` in [0, 1], as #rrggbb."""
    position = min(max(position, 0.0), 1.0)
    for (left, low), (right, high) in pairwise(scale):
        if position <= right:
            share = (position - left) / (right - left)
            pairs = zip(_channels(low), _channels(high), strict=True)
            return "#" + "".join(f"{round(a + share * (b - a)):02x}" for a, b in pairs)
    return scale[-1][1]


def pale(colour: str, theme: Theme) -> str:
    """Return a colour #rrggbb for a wide line beneath others, which must remain visible on it."""
    return mix([(0.0, theme.panel), (1.0, colour)], 0.35)


def _channels(colour: str) -> list[int]:
    return [int(colour[i : i + 2], 16) for i in (1, 3, 5)]


def layout(theme: Theme, **changes: Any) -> Spec:
    """Return the layout that all figures share, with ``changes`` on top."""
    base: Spec = {
        "template": None,
        "paper_bgcolor": theme.paper,
        "plot_bgcolor": theme.panel,
        "font": {"family": FONT, "size": 13, "color": theme.ink},
        "margin": {"l": 56, "r": 16, "t": 30, "b": 38},
        "showlegend": False,
        "hoverlabel": {
            "bgcolor": theme.panel,
            "bordercolor": theme.grid,
            "font": {"family": FONT, "size": 13, "color": theme.ink},
        },
        "uirevision": "keep",
    }
    return base | changes


def axis(theme: Theme, title: str = "", **changes: Any) -> Spec:
    """Return the settings that all axes share, with ``changes`` on top."""
    base: Spec = {
        "title": {"text": title, "font": {"size": 13, "color": theme.faint}, "standoff": 6},
        "gridcolor": theme.grid,
        "linecolor": theme.grid,
        "tickfont": {"size": 12, "color": theme.faint},
        "zeroline": False,
        "fixedrange": True,
        "ticklabeloverflow": "allow",  # hiding overflow would measure every label at every redraw
    }
    return base | changes


def note(theme: Theme, text: str, x: float, y: float, **changes: Any) -> Spec:
    """Return an annotation in paper coordinates, without an arrow."""
    base: Spec = {
        "text": text,
        "x": x,
        "y": y,
        "xref": "paper",
        "yref": "paper",
        "showarrow": False,
        "font": {"size": 13, "color": theme.faint},
    }
    return base | changes


def heading(theme: Theme, text: str, x: float = 0.0, colour: str = "", size: int = 14) -> Spec:
    """Return the name of a panel, above its left end at ``x`` in paper coordinates."""
    font = {"size": size, "color": colour or theme.ink}
    return note(theme, f"<b>{text}</b>", x, 1.0, xanchor="left", yanchor="bottom", yshift=6, font=font)


def squares(scale: Scale, count: int = 9) -> str:
    """Return a row of small squares from one end of a scale to the other, for a line of text."""
    colours = (mix(scale, place / (count - 1)) for place in range(count))
    return "".join(f"<span style='color:{colour}'>■</span>" for colour in colours)


def with_alpha(colour: str, opacity: float) -> str:
    """Return a colour #rrggbb as rgba() with this opacity."""
    red, green, blue = _channels(colour)
    return f"rgba({red},{green},{blue},{opacity})"


def readable(fill: str) -> str:
    """Return the colour of text on a fill, in either theme: white or near black."""
    dark, light = DARK.paper, LIGHT.panel
    on_dark = (_lightness(light) + 0.05) / (_lightness(fill) + 0.05)
    on_light = (_lightness(fill) + 0.05) / (_lightness(dark) + 0.05)
    return light if on_dark > on_light else dark


def _lightness(colour: str) -> float:
    """Return the relative luminance of #rrggbb (WCAG 2)."""
    parts = (int(colour[i : i + 2], 16) / 255.0 for i in (1, 3, 5))
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


LARGER, THICKER = 1.4, 1.6
"""Scale factors of text and of lines for a projector."""

TEXT = {"font", "tickfont", "textfont"}


def magnify(spec: Any, parent: str = "") -> Any:
    """Return a figure for a projector: larger text and marks, thicker lines, wider margins."""
    if isinstance(spec, list):
        return [magnify(part, parent) for part in spec]
    if not isinstance(spec, dict):
        return spec
    arrow = spec.get("symbol") == "arrow"
    return {name: _magnified(name, value, parent, arrow) for name, value in spec.items()}


def _magnified(name: str, value: Any, parent: str, arrow: bool) -> Any:
    if value is None or isinstance(value, (str, bool)):
        return value
    if name == "size" and parent in TEXT:
        return value * LARGER
    if name == "size" and parent == "marker":
        return np.asarray(value) * (THICKER if arrow else 1.2)  # a head stays wider than its line
    if name == "width" and parent == "line":
        return value * THICKER
    if name in ("l", "t", "b", "r") and parent == "margin":
        return value * 1.3
    if name in ("yshift", "xshift"):
        return value * LARGER
    return magnify(value, name)
