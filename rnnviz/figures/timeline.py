"""The main figure: unrolled graph, hidden states and gradient as rows over one time axis.

compute -> place -> draw -> compose: ``Timeline`` holds the data and the column positions, one function
per row draws traces, ``timeline_spec`` composes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import plotly.graph_objects as go

from rnnviz.analysis.gradient_flow import probe_batch
from rnnviz.analysis.snapshot import Snapshot
from rnnviz.experiment import Experiment
from rnnviz.figures.theme import LIGHT, Spec, Theme, axis, layout, mix, note, squares
from rnnviz.model.arrays import Array, Mask
from rnnviz.model.cells import CELLS
from rnnviz.model.network import cut_rows, farthest_row
from rnnviz.tasks import TASKS
from rnnviz.tasks.topology import Masks
from rnnviz.teaching.numbers import SUPERSCRIPTS, plain_all

GRADIENT_RANGE = (-8, 8)
"""Powers of ten over which the gradient's colour and the ribbon's width change, in every figure."""

FLOORS = (-8, -16, -32, -64, -128, -256, -320)
CEILINGS = (2, 8, 32, 128, 308)
"""The gradient axis ends at one of these powers of ten; it follows the data no more closely."""

LABELLED_STEPS = 28
"""The largest number of steps at which nodes have room for letters, and the ribbon has room between them, at
the usual width."""

NAMES_WIDTH = 118.0
"""Pixels of the names of the rows."""

LOOPS = {
    "antisymmetric": (
        "1 + ε tanh′ (W<sub>hh</sub> − W<sub>hh</sub><sup>⊤</sup> − γ)",
        "the same W_hh − W_hh⊤",
    ),
    "lstm": ("", "the same gates"),
    "gru": ("", "the same gates"),
    "mingru": ("× (1 − z)", "the gate 1 − z"),
    "lru": ("s × λ", "the same λ"),
}
"""What carries the state of a cell from step to step, beside its row, and in a sentence; "" : B = W_hh."""

EDGE = 0.06
"""Distance of marks from the ends of the gradient axis, as a share of it: they are not cut off."""

WIDTH = 760.0
"""Usual total width of the columns in pixels at 1280 x 720; determines node sizes."""


@dataclass(frozen=True, eq=False)
class Timeline:
    """Data of the timeline.

    snapshot : the network now. initial : the same network before training (drawn as a faint line).
    masks : which steps read and write. labels : a short label of each step's input.
    layer : the layer whose states and gradient are shown in the lower rows (0 is the lowest).
    relative : gradient relative to that at the last output instead of absolute.
    whole_loss : ribbon and curve follow the whole loss instead of the last output's.
    feedback : draw the edges that carry an output into the next step.
    recurrent : draw the edges that carry a state into the next step, as wide as the gradient on them.
    cell : its name. truncate : the gradient is cut every so many steps, see ``network.cut_rows``.
    units : what of the units the middle row shows: "h" or a name of Snapshot.others.
    brief : headline and key for a narrow picture.
    width : of the columns together, in pixels.
    solved : the task is solved, so that a gradient that vanishes or explodes is no alarm.
    hover : the gradient's values can be read; writing them takes 3 ms at T = 200, half of the picture's time.
    """

    snapshot: Snapshot
    masks: Masks
    labels: list[str]
    initial: Snapshot | None = None
    layer: int = 0
    relative: bool = False
    whole_loss: bool = False
    feedback: bool = False
    recurrent: bool = True
    cell: str = "vanilla"
    truncate: int | None = None
    units: str = "h"
    brief: bool = False
    width: float = WIDTH
    solved: bool = False
    hover: bool = True

    @classmethod
    def of(cls, e: Experiment, snapshot: Snapshot, initial: Snapshot | None = None, **look: Any) -> Timeline:
        """Return the timeline of an experiment's network; ``look`` sets layer, relative and so on."""
        task = TASKS[e.task]
        labels = task.input_labels(e, probe_batch(e))
        cell = CELLS[e.cell]
        edges: dict[str, Any] = {"feedback": e.feedback, "recurrent": cell.recurrent, "cell": e.cell}
        return cls(snapshot, task.masks(e), labels, initial, truncate=e.truncate, **edges, **look)

    @property
    def T(self) -> int:
        """Number of steps."""
        return len(self.masks.reads)

    @property
    def layers(self) -> int:
        """Number of layers."""
        return len(self.snapshot.hidden)

    @cached_property
    def t(self) -> Array:
        """Steps 1..T, the columns."""
        return np.arange(1, self.T + 1, dtype=float)

    @cached_property
    def size(self) -> float:
        """Diameter of a node in pixels."""
        return float(np.clip(0.62 * self.width / self.T, 2.5, 23.0 - 2.0 * (self.layers - 1)))

    @cached_property
    def in_words(self) -> bool:
        """Whether inputs are words, which do not fit into a node and are drawn below it."""
        return max(map(len, self.labels), default=0) > 3

    @cached_property
    def shown_units(self) -> tuple[str, Array]:
        """What the middle row shows, in words, and its values (T, H)."""
        others = self.snapshot.others[self.layer] if self.snapshot.others else {}
        if self.units not in others:
            return "hidden state", self.snapshot.hidden[self.layer]
        named = self.units if self.units.endswith("gate") else f"state {self.units}"
        return named, others[self.units]

    @property
    def has_lane(self) -> bool:
        """Whether the ribbon has a lane of its own, beside the units instead of between them."""
        return self.recurrent and not self.lettered

    @property
    def lettered(self) -> bool:
        """Whether nodes have room for letters."""
        return LABELLED_STEPS * self.width >= self.T * WIDTH

    @property
    def several_write(self) -> bool:
        """Whether the whole loss differs from the last output's."""
        return int(self.masks.writes.sum()) > 1

    @cached_property
    def cuts(self) -> list[int]:
        """The rows from which no error goes back to the row before."""
        return sorted(cut_rows(self.T, self.truncate)) if self.recurrent else []

    @cached_property
    def first_reached(self) -> int:
        """The first row that the last output's error reaches."""
        return farthest_row(int(self.masks.write_steps[-1]), self.cuts)

    @cached_property
    def reached(self) -> Mask:
        """Whether a gradient can reach a step (T,): only steps up to the last output."""
        return np.arange(self.T) <= self.masks.write_steps[-1]

    def curve(self, snapshot: Snapshot, layer: int, whole: bool) -> Array:
        """Return the gradient curve (T,) of a layer as shown: NaN beyond the last output."""
        values = (snapshot.total if whole else snapshot.last)[layer]
        return self._shown(values, values)

    def part(self, name: str) -> Array:
        """Return the curve (T,) of one part of the state, for the last output's loss, as shown."""
        whole = self.snapshot.last[self.layer]
        return self._shown(self.snapshot.last_parts[self.layer][name], whole)

    def _shown(self, values: Array, whole: Array) -> Array:
        values = values.copy()
        if self.relative:
            with np.errstate(divide="ignore", invalid="ignore"):
                values[values != 0.0] /= whole[self.masks.write_steps[-1]]  # zeros stay 0: 0/0 is NaN
        values[~self.reached] = np.nan
        return values


def powers(values: Array) -> Array:
    """Return log10 of sizes; -inf for an exact zero, no warnings."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log10(values)


def strength(values: Array) -> Array:
    """Return sizes as positions in [0, 1] on the fixed gradient scale; NaN counts as above the top."""
    low, high = GRADIENT_RANGE
    return np.clip(
        (np.nan_to_num(powers(values), nan=high, posinf=high, neginf=low) - low) / (high - low), 0, 1
    )


AT_EVERY_STEP = "cut at every step: no error reaches an earlier step"
ONE_STEP = "one step: no recurrence, so no gradient can vanish or explode"
NO_RECURRENCE = "no recurrence: each step reads only its own input, and no error reaches an earlier step"


# ---------------------------------------------------------------- row 1: the unrolled graph

Y_INPUT, Y_HIDDEN, LAYER_STEP = 0.0, 1.0, 0.8
WORD_GAP = 0.62
"""Distance of a word below its node."""

LANE, LANE_ROOM, LAST_ROOM = 0.6, 0.4, 0.8
"""Distance of the ribbon's own lane above its units, and the height that it adds above each layer; the last
room also has the label of C."""

RIBBON_BINS = GRADIENT_RANGE[1] - GRADIENT_RANGE[0]
"""One power of ten each."""

CUT_WIDTH, CUT_HEIGHT = 7.0, 0.13
"""Width in pixels and half of the height of the two strokes that mark a cut."""

WIDEST, WIDEST_IN_LANE = 20.0, 16.0
"""Width in pixels of the ribbon at the upper end of the scale."""


DRAWING = "drawing"
"""The ``meta`` of a trace that shows no number: a file with the figure's numbers leaves it out. A trace whose
points stand elsewhere than their values has the value there, as ``y``."""


def _rows(view: Timeline) -> tuple[list[float], float]:
    """Return the heights of the hidden layers and of the outputs in the graph."""
    room, last = (LANE_ROOM, LAST_ROOM) if view.has_lane else (0.0, 0.0)
    hidden = [Y_HIDDEN + (LAYER_STEP + room) * layer for layer in range(view.layers)]
    return hidden, hidden[-1] + 1.0 + last


def segments(x0: Array, y0: Array | float, x1: Array, y1: Array | float) -> tuple[Array, Array]:
    """Return edges joined with NaN gaps, so that one trace draws them all."""
    gap = np.full_like(x0, np.nan)
    x = np.stack([x0, x1, gap], axis=1).ravel()
    y = np.stack([np.broadcast_to(y0, x0.shape), np.broadcast_to(y1, x0.shape), gap], axis=1).ravel()
    return x, y


def _joined(x: Array, y: Array) -> tuple[Array, Array]:
    """Return edges in a row without the gap between one and the next where that begins at its end.

    Where no node hides it a seam would show between them.
    """
    kept = np.ones(len(x), bool)
    kept[2:-1:3] = x[1:-2:3] != x[3::3]
    return x[kept], y[kept]


def _edge(name: str, x: Array, y: Array, colour: str, width: float, **changes: object) -> Spec:
    line = {"color": colour, "width": width}
    return {
        "type": "scatter",
        "name": name,
        "mode": "lines",
        "x": x,
        "y": y,
        "line": line,
        "hoverinfo": "skip",
        "meta": DRAWING,
    } | changes


def _edges(view: Timeline, theme: Theme) -> list[Spec]:
    """Draw the edges up through the layers: A where a step reads, C where it writes."""
    hidden, output = _rows(view)
    reading, writing = view.t[view.masks.reads], view.t[view.masks.writes]
    width, opacity = (1.6, 0.55) if view.T <= 60 else (0.8, 0.3)
    traces = [
        _edge(
            "A = W_xh", *segments(reading, Y_INPUT, reading, hidden[0]), theme.input, width, opacity=opacity
        ),
        _edge(
            "C = W_hy", *segments(writing, hidden[-1], writing, output), theme.output, width, opacity=opacity
        ),
    ]
    if view.has_lane:
        start, heights = np.tile(view.t[:-1], view.layers), np.repeat(hidden, view.T - 1)
        along = segments(start, heights, start + 1.0, heights)
        traces.append(_edge("B = W_hh", *along, theme.hidden, width, opacity=opacity))
    for below, above in pairwise(hidden):
        traces.append(
            _edge("between layers", *segments(view.t, below, view.t, above), theme.faint, width, opacity=0.35)
        )
    if view.feedback:
        sources = view.t[:-1][view.masks.writes[:-1]]
        x, y = segments(sources, output, sources + 1.0, hidden[0])
        traces.append(
            _edge("output fed back", x, y, theme.output, 1.2, opacity=0.45)
            | {"line": {"color": theme.output, "width": 1.2, "dash": "dot"}}
        )
    return traces


def _ribbon(view: Timeline, theme: Theme) -> list[Spec]:
    """Draw the gradient on the recurrent edges, binned in width and colour.

    Between many small units there is no room for it: then it has a lane above them.
    """
    hidden, _ = _rows(view)
    lane = LANE if view.has_lane else 0.0
    bins: list[list[tuple[Array, Array]]] = [[] for _ in range(RIBBON_BINS + 1)]
    for layer, height in enumerate(hidden):
        # the gradient on the edge t -> t+1 is the one that reaches h_t
        crossing = view.curve(view.snapshot, layer, view.whole_loss)[:-1]
        size = np.where(view.reached[:-1], strength(crossing), 0.0)  # NaN from overflow is the strongest
        for number in range(RIBBON_BINS + 1):
            chosen = (np.rint(size * RIBBON_BINS) == number) & view.recurrent
            chosen[[row - 1 for row in view.cuts]] = False
            parts = segments(view.t[:-1][chosen], height + lane, view.t[1:][chosen], height + lane)
            bins[number].append(_joined(*parts) if view.has_lane else parts)
    widest = WIDEST_IN_LANE if view.has_lane else WIDEST
    ribbon = [
        _edge(
            f"B = W_hh, bin {number}",
            np.concatenate([x for x, _ in parts]),
            np.concatenate([y for _, y in parts]),
            mix(theme.gradient, number / RIBBON_BINS),
            1.0 + (widest - 1.0) * number / RIBBON_BINS,
        )
        for number, parts in enumerate(bins)
    ]
    return [*ribbon, *_cut_marks(view, theme, [height + lane for height in hidden])]


def _cut_marks(view: Timeline, theme: Theme, heights: list[float]) -> list[Spec]:
    """Draw two strokes across each recurrent edge on which the gradient is cut; no trace if none is."""
    if not view.cuts:
        return []
    shift = min(CUT_WIDTH * view.T / WIDTH, 0.3) / 2.0
    between = np.tile(np.array(view.cuts) + 0.5, len(heights))
    at, height = np.repeat(between, 2), np.repeat(np.repeat(heights, len(view.cuts)), 2)
    middle = at + np.tile([-shift, shift], len(between)) / 2.0
    x, y = segments(middle - shift / 2.0, height - CUT_HEIGHT, middle + shift / 2.0, height + CUT_HEIGHT)
    return [_edge("cut", x, y, theme.ink, 1.6 if view.T <= 60 else 1.2)]


def _nodes(view: Timeline, theme: Theme) -> list[Spec]:
    hidden, output = _rows(view)
    reads, writes = view.masks.reads, view.masks.writes
    labels = np.array(view.labels, dtype=object)
    traces = [
        _node_row(
            "input x",
            view,
            view.t[reads],
            Y_INPUT,
            theme.input,
            ["x" if view.in_words else label or "x" for label in labels[reads]],
            theme,
        )
        | {
            "hovertext": [label or "–" for label in labels[reads]],
            "hovertemplate": "reads %{hovertext}<extra></extra>",
        },
        _node_row("output y", view, view.t[writes], output, theme.output, ["y"] * int(writes.sum()), theme),
    ]
    if view.in_words:
        traces.append(_words(view, theme))
    for layer, height in enumerate(hidden):
        chosen = layer == view.layer or view.layers == 1
        colour = theme.hidden if chosen else theme.faint
        traces.append(
            _node_row(f"hidden h, layer {layer + 1}", view, view.t, height, colour, ["h"] * view.T, theme)
        )
    return traces


def _node_row(
    name: str, view: Timeline, x: Array, y: float, colour: str, labels: list[str], theme: Theme
) -> Spec:
    lettered = view.lettered
    small = view.size < 8
    return {
        "type": "scatter",
        "name": name,
        "mode": "markers+text" if lettered else "markers",
        "x": x,
        "y": np.full(len(x), y),
        "text": labels if lettered else None,
        "textfont": {"size": min(13, 0.52 * view.size), "color": colour},
        "marker": {
            "size": view.size,
            "color": colour if small else theme.panel,
            "line": {"color": colour, "width": 0 if small else 2},
        },
        "hoverinfo": "skip",
        "meta": DRAWING,
    }


def _words(view: Timeline, theme: Theme) -> Spec:
    """Draw the words read, below their nodes.

    Steps without a word are left out: plotly.js would never again write a text where an empty one was.
    """
    t = [step for step, word in zip(view.t, view.labels, strict=True) if word]
    return {
        "type": "scatter",
        "name": "words",
        "mode": "text",
        "x": np.array(t),
        "y": np.full(len(t), Y_INPUT - WORD_GAP),
        "text": [word for word in view.labels if word],
        "textfont": {"size": 12, "color": theme.input},
        "hoverinfo": "skip",
        "meta": DRAWING,
    }


# ---------------------------------------------------------------- row 2: the hidden states


def _states(view: Timeline, theme: Theme) -> list[Spec]:
    name, values = view.shown_units
    states = values.T  # (H, T)
    heatmap: Spec = {
        "type": "heatmap",
        "name": name,
        "x": view.t,
        "y": np.arange(1, len(states) + 1),
        "z": np.where(np.isfinite(states), np.clip(states, -1e30, 1e30), np.nan).astype(np.float32),
        "zmin": -1,
        "zmax": 1,
        "colorscale": theme.state,
        "yaxis": "y2",
        "hovertemplate": f"{name}, unit %{{y}}: %{{z:.3f}}<extra></extra>",
        "showscale": False,  # the key below the figure costs a tenth of the time
    }
    overflowed = view.t[~np.isfinite(states).all(axis=0)]
    marks: Spec = {
        "type": "scatter",
        "name": "overflow",
        "mode": "markers",
        "x": overflowed,
        "y": np.full(len(overflowed), (len(states) + 1) / 2),
        "yaxis": "y2",
        "marker": {"symbol": "x-thin", "size": 9, "line": {"color": theme.bad, "width": 2}},
        "hovertemplate": "the state overflowed<extra></extra>",
        "meta": {"y": ""},
    }
    return [heatmap, marks]


# ---------------------------------------------------------------- row 3: the gradient


def gradient_span(*curves: Array) -> tuple[int, int]:
    """Return the axis range (powers of ten): the narrowest FLOORS and CEILINGS that hold every value."""
    sizes = np.concatenate([powers(curve) for curve in curves])
    sizes = sizes[np.isfinite(sizes)]
    low, high = (sizes.min(), sizes.max()) if sizes.size else (0.0, 0.0)
    floor = next((f for f in FLOORS if f <= low), FLOORS[-1])
    return floor, next((c for c in CEILINGS if c >= high), CEILINGS[-1])


def _gradient(view: Timeline, theme: Theme, span: tuple[int, int]) -> list[Spec]:
    main = view.curve(view.snapshot, view.layer, view.whole_loss)
    traces = []
    if view.initial is not None:
        ghost = view.curve(view.initial, view.layer, view.whole_loss)
        traces.append(
            _curve("before training", view, ghost, {"color": theme.faint, "width": 2, "dash": "dot"})
        )
    if view.several_write:
        other = view.curve(view.snapshot, view.layer, not view.whole_loss)
        name = "last output alone" if view.whole_loss else "whole loss"
        traces.append(_curve(name, view, other, {"color": theme.output, "width": 1.6, "dash": "dash"}))
    parts = {} if view.whole_loss or not view.snapshot.last_parts else view.snapshot.last_parts[view.layer]
    for part, colour in zip(parts, (theme.hidden, theme.input), strict=False):
        line = {"color": colour, "width": 1.6}
        traces.append(_curve(f"∂L/∂{part}<sub>t</sub>", view, view.part(part), line))
    name = "whole loss" if view.whole_loss or not view.several_write else "last output alone"
    traces.append(
        _curve(name, view, main, {"color": theme.ink, "width": 1.2})
        | {
            "mode": "lines+markers",
            "marker": {
                "size": float(np.clip(view.size * 0.42, 4, 9)),
                "color": strength(main),
                "cmin": 0,
                "cmax": 1,
                "colorscale": theme.gradient,
                "line": {"color": theme.ink, "width": 0.6 if view.T <= 60 else 0},
            },
        }
    )
    return [*traces, *_broken(view, theme, main, span)]


def _curve(name: str, view: Timeline, values: Array, line: Spec) -> Spec:
    curve: Spec = {
        "type": "scatter",
        "name": name,
        "mode": "lines",
        "x": view.t,
        "y": np.where(np.isfinite(powers(values)), values, np.nan),
        "yaxis": "y3",
        "line": line,
    }
    if not view.hover:
        return curve
    return curve | {
        "customdata": plain_all(values),
        "hovertemplate": f"{name}: %{{customdata}}<extra></extra>",
    }


def _broken(view: Timeline, theme: Theme, values: Array, span: tuple[int, int]) -> list[Spec]:
    """Draw marks for values off a log axis: exact zeros at the bottom, inf and NaN at the top."""
    zero, edge = view.reached & (values == 0.0), EDGE * (span[1] - span[0])
    low, high = 10.0 ** (span[0] + edge), 10.0 ** (span[1] - edge)
    beyond = zero & (np.arange(view.T) < view.first_reached)
    kinds = [
        ("exactly 0", 0, zero & ~beyond, low, "triangle-down", theme.faint),
        ("overflow", "overflow", view.reached & ~np.isfinite(values), high, "x-thin", theme.bad),
    ]
    if view.cuts:
        kinds.append(("exactly 0: cut off", 0, beyond, low, "triangle-down", theme.faint))
    return [
        {
            "type": "scatter",
            "name": name,
            "mode": "markers",
            "x": view.t[where],
            "y": np.full(int(where.sum()), height),
            "yaxis": "y3",
            "marker": {"symbol": symbol, "size": 8, "color": colour, "line": {"color": colour, "width": 2}},
            "hovertemplate": f"{name}<extra></extra>",
            "meta": {"y": value},
        }
        for name, value, where, height, symbol, colour in kinds
    ]


# ---------------------------------------------------------------- the figure


def timeline_spec(view: Timeline, theme: Theme = LIGHT, span: tuple[int, int] | None = None) -> Spec:
    """Return the timeline as plain data.

    span : range of the gradient axis (powers of ten), for callers that keep it fixed during a run;
        default: ``gradient_span``.
    """
    shown = [view.snapshot] + ([view.initial] if view.initial is not None else [])
    if span is None:
        both = (True, False) if view.several_write else (view.whole_loss,)
        span = gradient_span(*(view.curve(s, view.layer, whole) for s in shown for whole in both))
    data = [
        *_edges(view, theme),
        *_ribbon(view, theme),
        *_nodes(view, theme),
        *_states(view, theme),
        *_gradient(view, theme, span),
    ]
    for number, trace in enumerate(data):
        trace["uid"] = f"trace{number}"  # identifies traces across redraws, though empty ones are left out
    return {"data": data, "layout": _layout(view, theme, span)}


def _domains(view: Timeline) -> tuple[tuple[float, float], ...]:
    """Return the vertical domains of the three rows, as shares of the height from the bottom."""
    graph = 0.39 + 0.06 * (view.layers - 1) + 0.06 * view.has_lane
    rest = 1.0 - graph
    return (1.0 - graph, 1.0), (0.52 * rest, 0.96 * rest), (0.0, 0.45 * rest)


def _layout(view: Timeline, theme: Theme, span: tuple[int, int]) -> Spec:
    hidden, output = _rows(view)
    graph, states, gradient = _domains(view)
    H = len(view.snapshot.hidden[view.layer][0])
    which = f",<br>layer {view.layer + 1}" if view.layers > 1 else ""  # on one line it is longer than its row
    return layout(
        theme,
        margin={"l": 132, "r": 16, "t": 26, "b": 36},
        hovermode="x unified",
        hoversubplots="axis",
        xaxis=axis(
            theme,
            range=[0.4, view.T + 0.6],
            showgrid=False,
            anchor="y3",
            showspikes=True,
            spikemode="across",
            spikesnap="data",
            spikedash="solid",
            spikethickness=1,
            spikecolor=theme.faint,
            unifiedhovertitle={"text": "<b>t = %{x}</b>"},
            **_steps(view.T),
        ),
        yaxis=axis(
            theme,
            domain=graph,
            range=[-0.4 - WORD_GAP * view.in_words, output + 0.4],
            showgrid=False,
            **_row_names(view, hidden, output, theme),
        ),
        yaxis2=axis(theme, f"unit{which}", domain=states, range=[H + 0.5, 0.5], showgrid=False, nticks=4),
        yaxis3=axis(
            theme,
            f"||∂L/∂{_whole_state(view)}||" + (",<br>relative" if view.relative else ""),
            domain=gradient,
            type="log",
            range=list(span),
            **power_ticks(span, most=5 if view.layers == 1 else 2),
        ),
        annotations=_notes(view, theme),
        meta={"opensAtEnd": True},  # where it is wider than the screen: there the network answers
    )


def _whole_state(view: Timeline) -> str:
    """Return the symbol of the whole state: h_t, or (h, c)_t if it has more parts."""
    parts = list(view.snapshot.last_parts[view.layer]) if view.snapshot.last_parts else []
    return f"({', '.join(parts)})<sub>t</sub>" if parts else "h<sub>t</sub>"


def power_ticks(span: tuple[int, int], most: int) -> Spec:
    """Return ticks at whole powers of ten on a log axis, in at most ``most`` intervals, including 1."""
    low, high = span
    pitch = next(
        p for p in (1, 2, 4, 5, 8, 10, 16, 20, 32, 50, 64, 100, 128, 200) if (high - low) / p <= most
    )
    powers = range(-(-low // pitch) * pitch, high + 1, pitch)
    return {
        "tickvals": [10.0**power for power in powers],
        "ticktext": ["1" if power == 0 else f"10<sup>{power}</sup>".replace("-", "−") for power in powers],
    }


def _row_names(view: Timeline, hidden: list[float], output: float, theme: Theme) -> Spec:
    """Label the rows of nodes, and between them the matrix from one to the next."""

    def matrix(letter: str, index: str, colour: str) -> str:
        return f"<span style='color:{colour}'><b>{letter}</b> = W<sub>{index}</sub></span>"

    rows = {Y_INPUT: "input x", (Y_INPUT + hidden[0]) / 2: matrix("A", "xh", theme.input)}
    for i, height in enumerate(hidden):
        name = "hidden h" if len(hidden) == 1 else f"hidden h<sup>{i + 1}</sup>"
        looped = view.T > 1 and view.recurrent
        by = LOOPS.get(view.cell, ("", ""))[0]
        by = (
            f"<span style='color:{theme.hidden}'><b>{by}</b></span>"
            if by
            else matrix("B", "hh", theme.hidden)
        )
        loop = f" <span style='color:{theme.hidden}'>↻</span> {by}"
        rows[height] = f"{name}{loop}" if looped else name
        if view.has_lane and i == view.layer:
            rows[height + LANE] = f"◀ ∂L/∂{_whole_state(view)}"
    rows |= {
        (hidden[-1] + LANE * view.has_lane + output) / 2: matrix("C", "hy", theme.output),
        output: "output y",
    }
    return {"tickvals": list(rows), "ticktext": list(rows.values())}


def _steps(T: int) -> Spec:
    """Return ticks at 1, 5, 10, ... as room allows, always whole numbers."""
    pitch = next(
        p for p in (1, 5, 10, 20) if T / p <= 12
    )  # each label costs a quarter of a millisecond per redraw
    return {"tickmode": "array", "tickvals": sorted({1, *range(pitch, T + 1, pitch)})}


def _notes(view: Timeline, theme: Theme) -> list[Spec]:
    """Return the headline on the two directions of time, and the key to the lines."""
    t = "t →" if view.brief and view.initial is not None else "time step t →"  # the key needs the room
    forward = note(theme, t, 1.0, 0.0, xanchor="right", yanchor="top", yshift=-18)
    return [_headline(view, theme), _key(view, theme), forward]


def _headline(view: Timeline, theme: Theme) -> Spec:
    """Return a note on the gradient's direction and its change."""
    if view.T == 1 or not view.recurrent or view.truncate == 1:
        text = ONE_STEP if view.T == 1 else AT_EVERY_STEP if view.recurrent else NO_RECURRENCE
        return note(
            theme, text, 0.5, 1.0, yanchor="bottom", yshift=4, font={"size": 14, "color": theme.faint}
        )
    now, first = view.snapshot, view.first_reached
    fate = now.verdict[view.layer]
    colour = theme.good if fate == "healthy" else theme.ink if view.solved else theme.bad
    change = change_in_words(now.decades[view.layer], int(view.masks.write_steps[-1]) - first, first + 1)
    through = LOOPS.get(view.cell, ("", "the same B"))[1]
    way = "◀" if view.brief else f"◀ the error travels back, always through {through}"
    yet = ", yet solved" if view.solved and fate != "healthy" else ""
    text = f"{way} <span style='color:{colour}'> <b>{fate}</b>: {change}{yet}</span>{cut_in_words(view)}"
    return note(theme, text, 0.5, 1.0, yanchor="bottom", yshift=4, font={"size": 14, "color": theme.output})


def _key(view: Timeline, theme: Theme) -> Spec:
    """Return the key to lines and colours; if there is little room it begins at the left edge."""
    drawn, other = (
        ("whole loss", "last output alone") if view.whole_loss else ("last output alone", "whole loss")
    )
    entries = [f"●━ {drawn if view.several_write else 'now'}"]
    if view.several_write:
        entries.append(f"<span style='color:{theme.output}'>╌╌ {other}</span>")
    if view.snapshot.last_parts and not view.whole_loss and not view.brief:
        named = zip(view.snapshot.last_parts[view.layer], (theme.hidden, theme.input), strict=False)
        entries += [f"<span style='color:{colour}'>━ ∂L/∂{part}<sub>t</sub></span>" for part, colour in named]
    if view.initial is not None:
        entries.append(f"<span style='color:{theme.faint}'>┄┄ before training</span>")
    if not (view.brief and (view.several_write or view.width < WIDTH)):
        entries.append(f"{view.shown_units[0]} −1 {squares(theme.state, 5)} +1")
    main = view.curve(view.snapshot, view.layer, view.whole_loss)
    if (view.reached & (main == 0.0) & (np.arange(view.T) >= view.first_reached)).any():
        entries.append(f"<span style='color:{theme.faint}'>▼ exactly 0</span>")
    if (view.reached & ~np.isfinite(main)).any():
        entries.append(f"<span style='color:{theme.bad}'>× overflow (inf)</span>")
    if view.recurrent and view.T > 1:
        entries.append(f"gradient {gradient_key(theme)}")
    if view.cuts and not view.brief:
        entries.append("<b>//</b> cut")
    indent = NAMES_WIDTH * (view.brief or view.several_write)
    place = {"xanchor": "left", "xshift": -indent, "yanchor": "top", "yshift": -18}
    return note(theme, "   ".join(entries), 0.0, 0.0, **place, font={"size": 12, "color": theme.ink})


def gradient_key(theme: Theme) -> str:
    """Return the colours of a gradient between the ends of their scale."""
    low, high = (f"10{str(power).translate(SUPERSCRIPTS)}" for power in GRADIENT_RANGE)
    return f"{low} {squares(theme.gradient)} {high}"


def cut_in_words(view: Timeline) -> str:
    """Return how often the gradient is cut, as the end of a sentence; "" if it is not."""
    return f", cut every {view.truncate} steps" if view.cuts else ""


def change_in_words(decades: float, steps: int, first: int = 1) -> str:
    """Return the change of the last output's gradient as text: a factor if moderate, else powers of ten.

    steps : the number of steps from the last output back to step ``first``, the last that it reaches.
    """
    if steps == 0:
        return "no earlier step to reach"
    if np.isnan(decades):
        return "the numbers overflowed"
    if np.isinf(decades):
        return f"exactly 0 at step {first}" if decades < 0 else f"overflowed at step {first}"
    if abs(decades) < np.log10(1.05):
        return f"the same size at step {first}"
    factor = 10.0 ** min(abs(decades), 6.0)
    size = (
        f"{factor:,.{0 if factor >= 100 else 1}f} times"
        if factor < 1e6
        else f"{abs(decades):.1f} powers of ten"
    )
    return f"{size} {'smaller' if decades < 0 else 'larger'} at step {first}"


def timeline(view: Timeline, theme: Theme = LIGHT, span: tuple[int, int] | None = None) -> go.Figure:
    """Draw the timeline: unrolled graph, hidden states and gradient over one time axis."""
    return go.Figure(timeline_spec(view, theme, span))
