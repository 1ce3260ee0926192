"""The loop, folded and unfolded: one layer used T times, or T layers, each with its own weights."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import plotly.graph_objects as go

from rnnviz.figures.theme import LIGHT, Spec, Theme, axis, layout, note, with_alpha

MOST_STEPS = 8
LOOP = -1.75
"""x of the folded network; the steps are at 1, 2, ..., the initial state h_0 at 0.25."""

START = 0.25
Y_INPUT, Y_HIDDEN, Y_OUTPUT = 0.0, 1.0, 2.0
NODE = 38.0
"""Diameter of a node in pixels."""

RIM_X, RIM_Y = 0.21, 0.27
"""Radius of a node with a small margin, in units of the two axes."""


@dataclass(frozen=True)
class Unfolding:
    """Data of the figure.

    steps : number of unfolded steps; 0 shows the loop alone. own : every step has its own weights.
    feedback : each output is an input of the next step.
    """

    steps: int
    own: bool = False
    feedback: bool = False

    def index(self, t: int) -> str:
        """Return the index of a step's weights: none where all steps share them."""
        return f"<sub>{t}</sub>" if self.own else ""


Point = tuple[float, float]
Way = tuple[Point, ...]
Text = tuple[Point, str, str]
"""Position of a text, the text, and its side of the point ("middle right")."""


def arrows(
    name: str, ways: list[Way], colour: str, width: float, head: float = 11.0, dash: str = "solid"
) -> Spec:
    """Draw lines of one kind, each through its points, with an arrowhead at the end."""
    x: list[float] = []
    y: list[float] = []
    size: list[float] = []
    for way in ways:
        x += [*(point[0] for point in way), np.nan]
        y += [*(point[1] for point in way), np.nan]
        size += [*([0.0] * (len(way) - 1)), head, 0.0]
    marker = {"symbol": "arrow", "angleref": "previous", "size": np.array(size), "color": colour}
    return {
        "type": "scatter",
        "name": name,
        "mode": "lines+markers",
        "x": np.array(x),
        "y": np.array(y),
        "line": {"color": colour, "width": width, "dash": dash},
        "marker": marker | {"opacity": 1.0, "line": {"width": 0}},
        "hoverinfo": "skip",
    }


def words(name: str, places: list[Text], colour: str | list[str], size: float) -> Spec:
    """Draw texts of one size, in one colour or one colour each."""
    return {
        "type": "scatter",
        "name": name,
        "mode": "text",
        "x": np.array([point[0] for point, _, _ in places]),
        "y": np.array([point[1] for point, _, _ in places]),
        "text": [text for _, text, _ in places],
        "textposition": [side for _, _, side in places],
        "textfont": {"size": size, "color": colour},
        "hoverinfo": "skip",
    }


def identify(data: list[Spec]) -> None:
    """Set each trace's uid from its name, so that plotly recognises it; uids become CSS classes."""
    for trace in data:
        trace["uid"] = re.sub(r"\W+", "_", trace["name"])


def _up(x: float, low: float, high: float) -> Way:
    return (x, low + RIM_Y), (x, high - RIM_Y)


def _nodes(name: str, x: list[float], y: float, texts: list[str], colour: str, theme: Theme) -> Spec:
    return {
        "type": "scatter",
        "name": name,
        "mode": "markers+text",
        "x": np.array(x),
        "y": np.full(len(x), y),
        "text": texts,
        "textfont": {"size": 15, "color": colour},
        "marker": {
            "size": NODE,
            "color": theme.panel,
            "opacity": 1.0,
            "line": {"color": colour, "width": 2.2},
        },
        "hoverinfo": "skip",
    }


# ---------------------------------------------------------------- the loop


def _arc(centre: Point, radius: Point, start: float, end: float) -> Way:
    """Return points on an ellipse between two angles in degrees."""
    angles = np.radians(np.linspace(start, end, 40))
    x, y = centre[0] + radius[0] * np.cos(angles), centre[1] + radius[1] * np.sin(angles)
    return tuple(zip(x.tolist(), y.tolist(), strict=True))


def _loop(view: Unfolding, theme: Theme) -> list[Spec]:
    """Draw the folded network; grey if the steps have different weights and so cannot be folded."""
    paint: Callable[[str], str] = (lambda _: theme.grid) if view.own else (lambda colour: colour)
    inner, hidden, outer = paint(theme.input), paint(theme.hidden), paint(theme.output)
    around = _arc((LOOP + 0.42, Y_HIDDEN), (0.4, 0.44), 155, -150)
    letters = (
        ("A", (LOOP + 0.05, 0.5), inner),
        ("B", (LOOP + 0.84, 1.0), hidden),
        ("C", (LOOP + 0.05, 1.5), outer),
    )
    data = [
        arrows("loop A", [_up(LOOP, Y_INPUT, Y_HIDDEN)], inner, 2.2),
        arrows("loop B", [around], hidden, 3.0),
        arrows("loop C", [_up(LOOP, Y_HIDDEN, Y_OUTPUT)], outer, 2.2),
        _nodes("loop x", [LOOP], Y_INPUT, ["x"], inner, theme),
        _nodes("loop h", [LOOP], Y_HIDDEN, ["h"], hidden, theme),
        _nodes("loop y", [LOOP], Y_OUTPUT, ["y"], outer, theme),
        *(
            words(f"loop letter {letter}", [(point, f"<b>{letter}</b>", "middle right")], colour, 17)
            for letter, point, colour in letters
        ),
    ]
    if view.feedback:
        back = _arc((LOOP - RIM_X, 1.5), (0.42, 0.52), 95, 262)
        data.append(arrows("loop feedback", [back], outer, 1.8, dash="dot"))
    return data


# ---------------------------------------------------------------- unfolded


def _steps(view: Unfolding, theme: Theme) -> list[Spec]:
    """Draw one column per step: input, hidden and output node."""
    t = range(1, view.steps + 1)
    x = [float(step) for step in t]
    indexed = {letter: [f"{letter}<sub>{step}</sub>" for step in t] for letter in "xhy"}
    across: list[Way] = [((a + RIM_X, Y_HIDDEN), (b - RIM_X, Y_HIDDEN)) for a, b in pairwise([START, *x])]
    data = [
        arrows("A", [_up(place, Y_INPUT, Y_HIDDEN) for place in x], theme.input, 2.2),
        arrows("B", across, theme.hidden, 3.0),
        arrows("C", [_up(place, Y_HIDDEN, Y_OUTPUT) for place in x], theme.output, 2.2),
        _nodes("h0", [START], Y_HIDDEN, ["0"], theme.faint, theme),
        _nodes("x", x, Y_INPUT, indexed["x"], theme.input, theme),
        _nodes("h", x, Y_HIDDEN, indexed["h"], theme.hidden, theme),
        _nodes("y", x, Y_OUTPUT, indexed["y"], theme.output, theme),
    ]
    if view.feedback and view.steps > 1:
        ways: list[Way] = [((a + 0.17, Y_OUTPUT - 0.16), (b - 0.17, Y_HIDDEN + 0.2)) for a, b in pairwise(x)]
        data.append(arrows("feedback", ways, theme.output, 1.8, dash="dot"))
    return data


def _letters(view: Unfolding, theme: Theme) -> list[Spec]:
    """Draw the matrix labels on the edges, with an index if each step has its own weights."""
    x = [float(step) for step in range(1, view.steps + 1)]
    middles = [(a + b) / 2.0 for a, b in pairwise([START, *x])]
    places: dict[str, tuple[list[Point], str, str]] = {
        "A": ([(place + 0.04, 0.5) for place in x], theme.input, "middle right"),
        "B": ([(place, Y_HIDDEN + 0.04) for place in middles], theme.hidden, "top center"),
        "C": ([(place + 0.04, 1.5) for place in x], theme.output, "middle right"),
    }
    return [
        words(
            f"letter {letter}",
            [(point, f"<b>{letter}{view.index(t)}</b>", side) for t, point in enumerate(points, start=1)],
            colour,
            16,
        )
        for letter, (points, colour, side) in places.items()
    ]


def _bands(view: Unfolding, theme: Theme) -> list[Spec]:
    """Draw one band behind the hidden nodes for one layer, or a box for each layer."""
    band = {"type": "rect", "layer": "below", "y0": Y_HIDDEN - 0.36, "y1": Y_HIDDEN + 0.36}
    look = {"line": {"width": 0}, "fillcolor": with_alpha(theme.hidden, 0.13)}
    if view.own:
        return [band | look | {"x0": t - 0.3, "x1": t + 0.3} for t in range(1, view.steps + 1)]
    return [band | look | {"x0": 0.7, "x1": view.steps + 0.3}]


def _layers(view: Unfolding, theme: Theme) -> list[Spec]:
    """Label the layers below their boxes, if there are several."""
    place = {"xref": "x", "yref": "y", "xanchor": "right", "yanchor": "top", "yshift": -1}
    font = {"size": 12, "color": theme.hidden}
    steps = range(1, view.steps * view.own + 1)
    return [note(theme, f"layer {t}", t - 0.02, Y_HIDDEN - 0.36, font=font, **place) for t in steps]


def _formulae(view: Unfolding, theme: Theme) -> list[Spec]:
    """Draw the equations beside the folded loop."""
    A, B, C = (
        f"<span style='color:{colour}'><b>{letter}</b></span>"
        for letter, colour in zip("ABC", (theme.input, theme.hidden, theme.output), strict=True)
    )
    read = "[x<sub>t</sub>, y<sub>t−1</sub>]" if view.feedback else "x<sub>t</sub>"
    lines = {
        2.0: ("each step writes", f"y<sub>t</sub> = h<sub>t</sub> {C} + b<sub>y</sub>"),
        1.0: (
            "each step remembers",
            f"h<sub>t</sub> = φ( {read} {A} + h<sub>t−1</sub> {B} + b<sub>h</sub> )",
        ),
        0.0: ("each step reads", read),
    }
    place = {"xref": "x", "yref": "y", "xanchor": "left"}
    small: Spec = place | {"yanchor": "bottom", "yshift": 9}
    large: Spec = place | {"yanchor": "middle", "yshift": -6, "font": {"size": 21, "color": theme.ink}}
    return [
        note(theme, text, 1.0, y, **look)
        for y, texts in lines.items()
        for text, look in zip(texts, (small, large), strict=True)
    ]


def _headings(view: Unfolding, theme: Theme) -> list[Spec]:
    left = "cannot be folded" if view.own else "folded: one loop"
    many = view.steps > 1
    used = (
        f"{view.steps} layers"
        if view.own and many
        else f"one layer, used {view.steps} times"
        if many
        else "one layer"
    )
    right = f"unfolded: {view.steps} step{'s' if many else ''}, {used}" if view.steps else ""
    place = {"xref": "x", "yref": "y", "xanchor": "left", "yanchor": "middle"}
    font = {"size": 14, "color": theme.ink}
    return [
        note(theme, f"<b>{text}</b>", x, 2.62, font=font, **place)
        for text, x in ((left, LOOP - 0.6), (right, START - 0.2))
        if text
    ]


def unfolding_spec(view: Unfolding, theme: Theme = LIGHT) -> Spec:
    """Return the figure as plain data: the loop on the left, its steps on the right."""
    data = _loop(view, theme)
    if view.steps:
        data += _steps(view, theme) + _letters(view, theme)
    identify(data)
    aside = _layers(view, theme) if view.steps else _formulae(view, theme)
    bare: Spec = {"showgrid": False, "showline": False, "showticklabels": False}
    return {
        "data": data,
        "layout": layout(
            theme,
            margin={"l": 4, "r": 4, "t": 4, "b": 4},
            plot_bgcolor=theme.paper,
            xaxis=axis(theme, range=[LOOP - 0.75, MOST_STEPS + 0.45], **bare),
            yaxis=axis(theme, range=[-0.38, 2.85], **bare),
            shapes=_bands(view, theme) if view.steps else [],
            annotations=[*_headings(view, theme), *aside],
        ),
    }


def unfolding(view: Unfolding, theme: Theme = LIGHT) -> go.Figure:
    """Draw the loop, folded and unfolded."""
    return go.Figure(unfolding_spec(view, theme))
