"""The unrolled network with all numbers computed so far: forward pass and backpropagated gradient."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import plotly.graph_objects as go

from rnnviz.figures.theme import LIGHT, Spec, Theme, axis, layout, mix, readable, with_alpha
from rnnviz.figures.timeline import strength
from rnnviz.figures.unfolding import Text, Way, arrows, identify, words
from rnnviz.model.arrays import Array, Mask
from rnnviz.teaching.numbers import plain
from rnnviz.teaching.walkthrough import DIGITS, STOPS, Stop, T, Walk, written

WIDE, GAP = 0.24, 0.015
"""Width of a cell and the gap to the next one, in columns."""

Y_INPUT, Y_HIDDEN, Y_DELTA, Y_ERROR, Y_OUTPUT = 17.0, 94.0, 125.0, 188.0, 219.0
TALL, SMALL = 28.0, 26.0
"""Cell heights in pixels at the figure's usual size; gradients have the smaller cells."""

BINS = 32
"""Number of size classes of a gradient, each half a power of ten wide."""

X_PROBABILITY, X_LOSS = T + 0.97, T + 1.66
HIGH = 240.0


@dataclass(frozen=True, eq=False)
class ByHand:
    """Data of the figure.

    walk : all numbers. changed : names of those that differ from the original ones.
    stop : the latest computation, an index of STOPS.
    """

    walk: Walk
    changed: dict[str, Mask]
    stop: int

    @property
    def now(self) -> Stop:
        """The current stop."""
        return STOPS[self.stop]

    def known(self, kind: str, t: int = T) -> bool:
        """Return whether a quantity is already computed."""
        return STOPS.index(Stop(kind, t)) <= self.stop

    @property
    def back(self) -> bool:
        """Whether the backward pass has started."""
        return self.known("error")

    @cached_property
    def sizes(self) -> Array:
        """||dL/dh_t||, (T,)."""
        return np.asarray(np.linalg.norm(self.walk.delta, axis=1))

    def asked(self, letter: str) -> Array:
        """Return the norm of each step's contribution to the gradient of a matrix, (T,)."""
        return np.asarray(np.linalg.norm(self.walk.shares(letter), axis=(1, 2)))


@dataclass(frozen=True)
class Cell:
    """One number in the figure, with position, text and colours; empty if not yet computed."""

    x: float
    y: float
    name: str
    value: float
    digits: int
    rim: str
    fill: str
    known: bool = True
    changed: bool = False
    tall: float = TALL


# ---------------------------------------------------------------- the numbers


def _row(
    view: ByHand,
    name: str,
    x: float,
    y: float,
    rim: str,
    fills: list[str],
    known: bool = True,
    t: int | None = None,
) -> Iterator[Cell]:
    """Yield the cells of one vector, side by side around ``x``; ``t`` is its row in an array over time."""
    values, changed = getattr(view.walk, name), view.changed[name]
    if t is not None:
        values, changed = values[t], changed[t]
    tall = SMALL if name in ("delta", "G") else TALL
    left = x - (len(values) - 1) / 2.0 * (WIDE + GAP)
    for i, (value, other, fill) in enumerate(zip(values, changed, fills, strict=True)):
        place = left + i * (WIDE + GAP)
        digits = DIGITS.get(name, 3)
        yield Cell(place, y, name, float(value), digits, rim, fill, known, bool(other), tall)


def _cells(view: ByHand, theme: Theme) -> Iterator[Cell]:
    walk = view.walk
    for t in range(T + 1):
        states = [mix(theme.state, (value + 1.0) / 2.0) for value in walk.h[t]]
        known = t == 0 or view.known("state", t)
        yield from _row(view, "h", t, Y_HIDDEN, theme.hidden, states, known, t)
        if t:
            plain = [theme.panel] * walk.x.shape[1]
            yield from _row(view, "x", t, Y_INPUT, theme.input, plain, t=t - 1)
        if t and view.known("back", t):
            yield from _row(view, "delta", t, Y_DELTA, theme.ink, _strong(walk.delta[t - 1], theme), t=t - 1)
    plain = [theme.panel] * len(walk.y)
    yield from _row(view, "y", T, Y_OUTPUT, theme.output, plain, view.known("answer"))
    yield from _row(view, "p", X_PROBABILITY, Y_OUTPUT, theme.output, plain, view.known("loss"))
    yield from _row(view, "L", X_LOSS, Y_OUTPUT, theme.loss, plain[:1], view.known("loss"))
    if view.back:
        yield from _row(view, "G", T, Y_ERROR, theme.ink, _strong(walk.G, theme))


def _strong(values: Array, theme: Theme) -> list[str]:
    """Return the colours of gradients by absolute value."""
    return [mix(theme.gradient, float(place)) for place in strength(np.abs(values))]


def _numbers(view: ByHand, theme: Theme) -> Spec:
    """Return all cells as bars of one trace, whose text shrinks if there is little room."""
    cells = list(_cells(view, theme))
    texts = [written(cell.value, cell.digits) if cell.known else "" for cell in cells]
    rims = [
        theme.ink if cell.changed and cell.known else cell.rim if cell.known else theme.grid for cell in cells
    ]
    return {
        "type": "bar",
        "name": "numbers",
        "x": np.array([cell.x for cell in cells]),
        "y": np.array([cell.tall for cell in cells]),
        "base": np.array([cell.y - cell.tall / 2.0 for cell in cells]),
        "width": WIDE,
        "text": [f"<b>{t}</b>" if cell.changed else t for t, cell in zip(texts, cells, strict=True)],
        "textposition": "inside",
        "insidetextanchor": "middle",
        "textangle": 0,
        "textfont": {"size": 14, "color": [readable(cell.fill) for cell in cells]},
        "marker": {
            "color": [cell.fill if cell.known else theme.paper for cell in cells],
            "line": {
                "color": rims,
                "width": np.array([2.4 if cell.changed and cell.known else 1.2 for cell in cells]),
            },
        },
        "customdata": [
            f"{cell.name} = {plain(cell.value, 6)}" if cell.known else "not computed yet" for cell in cells
        ],
        "hovertemplate": "%{customdata}<extra></extra>",
    }


# ---------------------------------------------------------------- the edges

SIDE, SIDE_2, SIDE_1 = 0.4, 0.275, 0.145
"""Distance from the middle of a row to its end, for three cells, two and one."""


def _ways(view: ByHand) -> dict[str, list[Way]]:
    """Return the start and end of every edge; that of step t is at index t - 1."""
    top = Y_DELTA + SMALL / 2 if view.known("back") else Y_HIDDEN + TALL / 2
    roof = Y_ERROR - SMALL / 2 if view.back else Y_OUTPUT - TALL / 2
    at = T - 0.08 if view.now.letter == "C" else T  # at the sum it is as wide as the error's way beside it
    steps = range(1, T + 1)
    return {
        "A": [((t, Y_INPUT + TALL / 2 + 1), (t, Y_HIDDEN - TALL / 2 - 2)) for t in steps],
        "B": [((t - 1 + SIDE, Y_HIDDEN), (t - SIDE, Y_HIDDEN)) for t in steps],
        "C": [((at, top + 1), (at, roof - 2))],
        "loss": [
            ((T + SIDE_2, Y_OUTPUT), (X_PROBABILITY - SIDE_2 - 0.08, Y_OUTPUT)),
            ((X_PROBABILITY + SIDE_2, Y_OUTPUT), (X_LOSS - SIDE_1, Y_OUTPUT)),
        ],
    }


def _forward_edges(view: ByHand, theme: Theme) -> list[Spec]:
    """Draw thin arrows for all edges, thick ones for those that this stop uses."""
    ways, now = _ways(view), view.now
    colours = {"A": theme.input, "B": theme.hidden, "C": theme.output, "loss": theme.faint}
    used: dict[str, set[int]] = {
        "state": {"A": {now.t}, "B": {now.t}},
        "answer": {"C": {1}},
        "loss": {"loss": {1, 2}},
    }.get(now.kind, {})
    data = []
    for name, colour in colours.items():
        thin: list[Way] = []
        thick: list[Way] = []
        for t, way in enumerate(ways[name], start=1):
            (thick if t in used.get(name, ()) else thin).append(way)
        data.append(arrows(name, thin, colour, 1.6, 8.0) | {"opacity": 0.75})
        data.append(arrows(f"{name}, active", thick, colour, 5.0, 16.0))
    return data


def _gradient_edges(view: ByHand, theme: Theme) -> list[Spec]:
    """Draw the path of the error, as far back as it is computed."""
    if not view.back:
        return []
    around: Way = ((X_LOSS, Y_OUTPUT - TALL / 2 - 2), (X_LOSS, Y_ERROR), (T + SIDE_2, Y_ERROR))
    down: Way = ((T + 0.05, Y_ERROR - SMALL / 2 - 1), (T + 0.05, Y_DELTA + SMALL / 2 + 2))
    left: list[Way] = [((t + 1 - SIDE, Y_DELTA), (t + SIDE, Y_DELTA)) for t in range(1, T)]
    hops = [(Stop("back", t), way) for t, way in enumerate([*left, down], start=1) if view.known("back", t)]
    sizes = [float(view.sizes[stop.t - 1]) for stop, _ in hops]
    hops.append((Stop("error", T), around))
    sizes.append(float(np.linalg.norm(view.walk.G)))
    stops, ways = zip(*hops, strict=True)
    return _sized("gradient", list(ways), sizes, [stop == view.now for stop in stops], theme)


def _shares(view: ByHand, theme: Theme) -> list[Spec]:
    """At a sum: draw every edge of the matrix in the colour of its step's contribution."""
    if view.now.kind != "sum":
        return []
    ways = _ways(view)[view.now.letter]
    asked = view.asked(view.now.letter)[T - len(ways) :]
    return _sized("share", ways, asked.tolist(), [True] * len(ways), theme)


def _sized(name: str, ways: list[Way], sizes: list[float], active: list[bool], theme: Theme) -> list[Spec]:
    """Draw arrows with colour and width by gradient norm; equal ones share a trace."""
    alike: dict[tuple[int, bool], list[Way]] = {}
    for way, place, now in zip(ways, strength(np.array(sizes)), active, strict=True):
        alike.setdefault((round(float(place) * BINS), now), []).append(way)
    return [
        arrows(
            f"{name}, bin {number}{', active' * now}",
            group,
            mix(theme.gradient, number / BINS),
            2.0 + 8.0 * number / BINS + 3.0 * now,
            15.0 + 5.0 * now,
        )
        for (number, now), group in alike.items()
    ]


# ---------------------------------------------------------------- the letters


def _names(view: ByHand) -> list[Text]:
    """Return the names of the vectors."""
    steps = range(1, T + 1)
    back = [t for t in steps if view.known("back", t)]
    names: list[Text] = [
        *(((t - SIDE_2, Y_INPUT), f"x<sub>{t}</sub>", "middle left") for t in steps),
        *(((t - SIDE + 0.05, Y_HIDDEN - 23), f"h<sub>{t}</sub>", "middle right") for t in range(T + 1)),
        *(((t - SIDE + 0.05, Y_DELTA + 23), f"δ<sub>{t}</sub>", "middle right") for t in back),
        ((T - SIDE_2, Y_OUTPUT), f"y<sub>{T}</sub>", "middle left"),
        ((X_PROBABILITY - SIDE_2 - 0.02, Y_OUTPUT), "p", "middle left"),
        ((X_LOSS + SIDE_1 + 0.02, Y_OUTPUT), "L", "middle right"),
    ]
    if view.back:
        names.append(((T - SIDE_2, Y_ERROR), f"∂L/∂y<sub>{T}</sub>", "middle left"))
    return names


def _letters(view: ByHand) -> dict[str, list[Text]]:
    """Return the matrix labels on the edges; at a sum with the norm of each step's contribution."""
    steps = range(1, T + 1)
    summed = view.now.letter if view.now.kind == "sum" else ""

    def told(letter: str, t: int, between: str = " ") -> str:
        share = f"{between}length {written(view.asked(letter)[t - 1])}" if summed == letter else ""
        return f"<b>{letter}</b>{share}"

    middle = (Y_INPUT + Y_HIDDEN) / 2
    beside = Y_HIDDEN - (33 if summed == "B" else 13) if view.back else Y_HIDDEN + 13
    up = sum(height for _, height in _ways(view)["C"][0]) / 2
    answer = (
        ((T + 0.1, up), told("C", T), "middle right")
        if summed == "C"
        else ((T - 0.03, up), told("C", T), "middle left")
    )
    return {
        # at the sum, clear of the head of the widest arrow
        "A": [((t + (0.08 if summed == "A" else 0.02), middle), told("A", t), "middle right") for t in steps],
        "B": [((t - 0.5, beside), told("B", t, "<br>"), "middle center") for t in steps],
        "C": [answer],
    }


def _texts(view: ByHand, theme: Theme) -> Spec:
    """Return all names and matrix labels, each in its colour, as one trace."""
    names, letters = _names(view), _letters(view)
    colours = {"A": theme.input, "B": theme.hidden, "C": theme.output}
    every = [*names, *(place for places in letters.values() for place in places)]
    inks = [theme.ink] * len(names) + [colours[name] for name, places in letters.items() for _ in places]
    return words("texts", every, inks, 14)


def _spot(view: ByHand, theme: Theme) -> list[Spec]:
    """Highlight what this stop computes."""
    now = view.now
    heights = {"state": Y_HIDDEN, "answer": Y_OUTPUT, "loss": Y_OUTPUT, "error": Y_ERROR, "back": Y_DELTA}
    if now.kind not in heights:
        return []
    low, high = (T - SIDE_2, T + SIDE_2) if now.kind in ("answer", "error") else (now.t - SIDE, now.t + SIDE)
    if now.kind == "loss":
        low, high = X_PROBABILITY - SIDE_2, X_LOSS + SIDE_1
    y = heights[now.kind]
    patch = {
        "type": "rect",
        "layer": "below",
        "x0": low - 0.02,
        "x1": high + 0.02,
        "y0": y - 19,
        "y1": y + 19,
    }
    return [patch | {"line": {"width": 0}, "fillcolor": with_alpha(theme.loss, 0.28)}]


def by_hand_spec(view: ByHand, theme: Theme = LIGHT) -> Spec:
    """Return the figure as plain data."""
    data = [
        *_forward_edges(view, theme),
        *_gradient_edges(view, theme),
        *_shares(view, theme),
        _numbers(view, theme),
        _texts(view, theme),
    ]
    identify(data)
    bare: Spec = {"showgrid": False, "showline": False, "showticklabels": False}
    return {
        "data": data,
        "layout": layout(
            theme,
            margin={"l": 2, "r": 2, "t": 2, "b": 2},
            plot_bgcolor=theme.paper,
            barmode="overlay",
            xaxis=axis(theme, range=[-0.42, X_LOSS + 0.22], **bare),
            yaxis=axis(theme, range=[0.0, HIGH], **bare),
            shapes=_spot(view, theme),
        ),
    }


def by_hand(view: ByHand, theme: Theme = LIGHT) -> go.Figure:
    """Draw the unrolled network with the numbers computed up to one stop."""
    return go.Figure(by_hand_spec(view, theme))
