"""A small figure of a network unrolled over a few steps: inputs, hidden states and outputs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import plotly.graph_objects as go

from rnnviz.analysis.snapshot import Snapshot
from rnnviz.experiment import Experiment
from rnnviz.figures.theme import LIGHT, Spec, Theme, axis, layout, note
from rnnviz.figures.timeline import segments
from rnnviz.model.arrays import Indices, Mask
from rnnviz.model.cells import CELLS
from rnnviz.tasks import TASKS
from rnnviz.tasks.base import ACCURACY
from rnnviz.tasks.topology import Masks

Y_ERROR, Y_INPUT, Y_HIDDEN, Y_OUTPUT = -0.85, 0.0, 1.0, 2.0
ROWS = {"input x": Y_INPUT, "hidden h": Y_HIDDEN, "output y": Y_OUTPUT}
LETTERED, HEADED = 13.0, 10.0
"""Smallest node sizes in pixels with room for a letter, and for arrowheads on the edges."""

COLUMNS = 3
"""The smallest number of columns, so that a single step is not drawn too large."""


@dataclass(frozen=True, eq=False)
class Unrolled:
    """Data of the figure.

    masks : which steps read and write, (T,) each.
    recurrent : whether a step depends on the previous state.
    width : approximate total width of the columns in pixels; determines the node size.
    now : the current step (1-based); None draws all steps alike.
    inputs : label of each step's input, one or two letters ("x" if empty).
    answers, right : the answer at each step, and whether it is right; shown where a step writes.
    named : label the rows at the left, and number the steps below.
    error_path : draw the path of the last output's error to the first input.
    """

    masks: Masks
    recurrent: bool = True
    width: float = 200.0
    now: int | None = None
    inputs: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    right: list[bool] = field(default_factory=list)
    named: bool = False
    error_path: bool = False

    @classmethod
    def of(cls, e: Experiment, now: Snapshot, **look: Any) -> Unrolled:
        """Return an experiment's network with its inputs and, if outputs are classes, its answers."""
        task = TASKS[e.task]
        labels = task.input_labels(e, task.as_batch(e, now.inputs, now.targets))
        look |= {"recurrent": CELLS[e.cell].recurrent, "inputs": [label or "x" for label in labels]}
        if task.metric is ACCURACY:
            decided, wanted = now.outputs[:, 0].argmax(axis=-1), now.targets[:, 0]
            look["answers"] = [task.output_label(e, int(answer)) for answer in decided]
            look["right"] = (decided == wanted).tolist()
        return cls(task.masks(e), **look)

    @property
    def T(self) -> int:
        """Number of steps."""
        return len(self.masks.reads)

    @property
    def size(self) -> float:
        """Diameter of a node in pixels."""
        share = 0.56 if self.T <= 24 else 0.5  # of a column; edges between small nodes must stay visible
        return float(np.clip(share * self.width / max(self.T, COLUMNS), 5.0, 24.0))

    @property
    def reads(self) -> Indices:
        """Steps (1-based) that read."""
        return 1 + np.flatnonzero(self.masks.reads)

    @property
    def writes(self) -> Indices:
        """Steps (1-based) that write."""
        return 1 + self.masks.write_steps

    @property
    def every(self) -> Indices:
        """All steps, 1..T."""
        return np.arange(1, self.T + 1)

    def is_past(self, steps: Indices) -> Mask:
        """Return which steps are past, the current one included."""
        return steps <= (self.T if self.now is None else self.now)


def farthest(masks: Masks) -> int:
    """Return the number of steps from the last output back to the first input."""
    return int(masks.write_steps[-1] - np.flatnonzero(masks.reads)[0])


def unrolled_spec(view: Unrolled, theme: Theme = LIGHT) -> Spec:
    """Return the figure as plain data."""
    low = Y_ERROR - 0.75 if view.error_path else Y_INPUT - 0.45
    high = Y_OUTPUT + (0.9 if view.answers else 0.45)
    empty = max(0, COLUMNS - view.T) / 2.0
    loop = (view.every[:-1], view.every[1:]) if view.recurrent else (view.every[:0], view.every[:0])
    data = [
        *_edges("reads", theme.input, view, (view.reads, view.reads), (Y_INPUT, Y_HIDDEN), theme),
        *_edges("writes", theme.output, view, (view.writes, view.writes), (Y_HIDDEN, Y_OUTPUT), theme),
        *_edges("remembers", theme.hidden, view, loop, (Y_HIDDEN, Y_HIDDEN), theme),
        _nodes("input x", theme.input, view, view.reads, Y_INPUT, view.inputs or ["x"] * view.T, theme),
        _nodes("hidden h", theme.hidden, view, view.every, Y_HIDDEN, ["h"] * view.T, theme),
        _nodes("output y", theme.output, view, view.writes, Y_OUTPUT, ["y"] * view.T, theme),
    ]
    if view.error_path and view.T > 1:
        data.append(_error_path(view, theme))
    for number, trace in enumerate(data):
        trace["uid"] = f"trace{number}"
    bare: Spec = {"showgrid": False, "showline": False, "showticklabels": view.named}
    steps = axis(theme, range=[0.4 - empty, view.T + 0.6 + empty], **bare, **_numbers(view.T))
    rows: Spec = {"tickvals": list(ROWS.values()), "ticktext": list(ROWS)}
    return {
        "data": data,
        "layout": layout(
            theme,
            margin={"l": 62, "r": 2, "t": 2, "b": 18} if view.named else {"l": 2, "r": 2, "t": 2, "b": 2},
            plot_bgcolor=theme.paper,
            xaxis=steps,
            yaxis=axis(theme, range=[low, high], **bare, **rows),
            annotations=[*_answers(view, theme), *_words(view, theme)],
        ),
    }


def _numbers(T: int) -> Spec:
    """Number the steps, every fifth one if there are many; the first label names the unit."""
    pitch = 1 if T <= 20 else 5
    shown = sorted({1, *range(pitch, T + 1, pitch)})
    return {"tickvals": shown, "ticktext": [f"t = {t}" if t == 1 else str(t) for t in shown]}


def _edges(
    name: str,
    colour: str,
    view: Unrolled,
    steps: tuple[Indices, Indices],
    heights: tuple[float, float],
    theme: Theme,
) -> list[Spec]:
    """Draw edges between two sets of ``steps``, with arrowheads; those of later steps as a separate trace."""
    start, end = steps
    past = view.is_past(end)
    return [
        _arrows(f"{name}, {when}", start[chosen], end[chosen], heights, shown, view)
        for when, chosen, shown in (("to come", ~past, theme.grid), ("done", past, colour))
    ]


def _arrows(
    name: str, start: Indices, end: Indices, heights: tuple[float, float], colour: str, view: Unrolled
) -> Spec:
    """Draw lines with an arrowhead in the middle, as a triangular marker between the two ends."""
    x, y = segments(start.astype(float), heights[0], end.astype(float), heights[1])
    middle = np.insert(x.reshape(-1, 3), 1, (start + end) / 2.0, axis=1).ravel()
    centre = np.insert(y.reshape(-1, 3), 1, sum(heights) / 2.0, axis=1).ravel()
    sideways = heights[0] == heights[1]
    head = min(0.42 * view.size, 9.0) if view.size >= HEADED else 0.0
    return {
        "type": "scatter",
        "name": name,
        "mode": "lines+markers",
        "x": middle,
        "y": centre,
        "line": {"color": colour, "width": 2.4 if sideways else 1.6},
        "marker": {
            "symbol": "triangle-right" if sideways else "triangle-up",
            "size": np.tile([0.0, head, 0.0, 0.0], len(start)),
            "color": colour,
            "opacity": 1.0,
            "line": {"width": 0},
        },
        "hoverinfo": "skip",
    }


def _nodes(
    name: str, colour: str, view: Unrolled, steps: Indices, y: float, letters: list[str], theme: Theme
) -> Spec:
    """Draw a row of nodes: that of the current step is filled, later ones are empty and grey."""
    past, present = view.is_past(steps), steps == (view.now or 0)
    rim = np.where(past, colour, theme.target)
    small = view.size < LETTERED
    dots = past & (view.size < HEADED)
    ink = np.where(present, theme.panel, rim)
    return {
        "type": "scatter",
        "name": name,
        "mode": "markers" if small else "markers+text",
        "x": steps,
        "y": np.full(len(steps), y),
        "text": [letters[step - 1] for step in steps],
        "textfont": {"size": min(13.0, 0.58 * view.size), "color": ink.tolist()},
        "marker": {
            "size": np.where(present, 1.2, 1.0) * view.size,
            "opacity": 1.0,  # with individual sizes plotly would make markers transparent
            "color": np.where(present | dots, rim, theme.panel).tolist(),
            "line": {"color": rim.tolist(), "width": 2.0 if view.size >= HEADED else 1.0},
        },
        "hovertemplate": f"{name}<sub>%{{x}}</sub><extra></extra>",
    }


def _answers(view: Unrolled, theme: Theme) -> list[Spec]:
    """Draw each answer above its node, with a mark for right or wrong."""
    signs = {True: ("✓", theme.good), False: ("✗", theme.bad)}
    size = 13 if view.width / view.T > 40 else 11
    place: Spec = {"xref": "x", "yref": "y", "yanchor": "bottom", "yshift": view.size / 2 + 1}
    notes = []
    for step in view.writes if view.answers else ():
        sign, colour = signs[view.right[step - 1]]
        text = f"{view.answers[step - 1]}\u2009<span style='color:{colour}'><b>{sign}</b></span>"
        font = {"size": size, "color": theme.ink}
        notes.append(note(theme, text, int(step), Y_OUTPUT, font=font, **place))
    return notes


def _error_path(view: Unrolled, theme: Theme) -> Spec:
    """Draw the path of the last output's error, back to the first input."""
    first, last = int(view.reads[0]), int(view.writes[-1])
    return {
        "type": "scatter",
        "name": "the error's path back",
        "mode": "lines+markers",
        "x": np.array([last, first]),
        "y": np.array([Y_ERROR, Y_ERROR]),
        "line": {"color": theme.output, "width": 1.6, "dash": "dot"},
        "marker": {"symbol": ["line-ns", "triangle-left"], "size": 9, "color": theme.output},
        "hoverinfo": "skip",
    }


def _words(view: Unrolled, theme: Theme) -> list[Spec]:
    """Draw the row names beside a single step, and the label of the error path."""
    place = {"xref": "x", "yref": "y", "xanchor": "left", "font": {"size": 12, "color": theme.faint}}
    beside = view.T == 1 and not view.named
    notes = [note(theme, name, 1.45, y, **place) for name, y in ROWS.items()] if beside else []
    if view.error_path:
        steps = farthest(view.masks)
        far = f"◀ error: {steps} step{'s' if steps != 1 else ''} back"
        text = far if steps else "error: no earlier step to reach"
        middle = (view.reads[0] + view.writes[-1]) / 2.0
        font = {"size": 12, "color": theme.output}
        notes.append(
            note(theme, text, float(middle), Y_ERROR, xref="x", yref="y", yanchor="top", yshift=-4, font=font)
        )
    return notes


def unrolled(view: Unrolled, theme: Theme = LIGHT) -> go.Figure:
    """Draw a network unrolled over its steps."""
    return go.Figure(unrolled_spec(view, theme))
