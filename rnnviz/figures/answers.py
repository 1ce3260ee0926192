"""The network's answers next to the targets, in the form that suits the task."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from rnnviz.analysis.snapshot import Snapshot
from rnnviz.experiment import Experiment
from rnnviz.figures.theme import LIGHT, Spec, Theme, axis, heading, layout, note
from rnnviz.model.arrays import Array, Indices
from rnnviz.model.losses import softmax
from rnnviz.tasks import TASKS
from rnnviz.teaching.numbers import plain_all


@dataclass(frozen=True, eq=False)
class Answers:
    """Data of the answer figure; N probe sequences, the first of them in full.

    form : "classes", "series", "image" or "text" (see Task.form).
    inputs : (T, N, I), outputs : (T, N, O), targets : (T, N) classes or (T, N, O) values.
    steps : (K,) rows that write.
    names : names of the output classes, empty for values.
    scale : factor from the network's values to the data's own units.
    unit : name of those units.
    """

    form: str
    inputs: Array
    outputs: Array
    targets: Array | Indices
    steps: Indices
    names: list[str]
    scale: float = 1.0
    unit: str = "value"

    @classmethod
    def of(cls, e: Experiment, snapshot: Snapshot) -> Answers:
        """Return a network's answers to the probe sequences."""
        task = TASKS[e.task]
        classes = task.sizes(e)[1] if task.loss.name == "cross-entropy" else 0
        return cls(
            form=task.form,
            inputs=snapshot.inputs,
            outputs=snapshot.outputs,
            targets=snapshot.targets,
            steps=task.masks(e).write_steps,
            names=[task.output_label(e, k) for k in range(classes)],
            scale=task.scale,
            unit=task.unit,
        )


LETTERS_SHOWN, STEPS_SHOWN = 34, 40
"""The largest numbers of letters and of probability columns that fit side by side."""

NOTHING = "?"
"""The answer of a network whose outputs overflowed."""


def answers_spec(view: Answers, theme: Theme = LIGHT) -> Spec:
    """Return the figure as plain data, in the form that suits the task."""
    single = len(view.steps) == 1
    draw: dict[tuple[str, bool], Callable[[Answers, Theme], Spec]] = {
        ("classes", True): _probabilities,
        ("classes", False): _classes_over_time,
        ("series", True): _scatter,
        ("series", False): _series,
        ("image", True): _image,
        ("text", False): _letters,
    }
    with np.errstate(over="ignore", invalid="ignore"):
        return draw[view.form, single](view, theme)


def _frame(theme: Theme, title: str, **changes: object) -> Spec:
    name = heading(theme, title, colour=theme.output, size=13)
    return layout(theme, margin={"l": 46, "r": 10, "t": 30, "b": 40}, annotations=[name]) | changes


def _likeliest(scores: Array) -> Indices:
    """Return the class with the highest score (..., O); -1, which is never right, if a score overflowed."""
    return np.where(np.isfinite(scores).all(axis=-1), np.argmax(scores, axis=-1), -1)


def _drawable(values: Array, span: tuple[float, float]) -> Array:
    """Return values to draw on an axis from span[0] to span[1]: those far outside end just beyond it.

    A browser cannot place 1e200, and a line that leads there must still leave the picture. NaN and infinity
    are not drawn.
    """
    room = span[1] - span[0]
    return np.where(np.isfinite(values), np.clip(values, span[0] - room, span[1] + room), np.nan)


def _bars(view: Answers, theme: Theme, **place: str) -> Spec:
    """Draw the probabilities of all classes for the first sequence; the right class has full colour."""
    last = view.steps[-1]
    right = int(view.targets[last, 0])
    chances = softmax(view.outputs[last, 0])
    colours = [theme.output if k == right else theme.grid for k in range(len(chances))]
    return {
        "type": "bar",
        "name": "answer",
        "x": view.names,
        "y": np.nan_to_num(chances),
        "marker": {"color": colours, "line": {"color": theme.faint, "width": 1}},
        "hovertemplate": "%{x}: %{y:.1%}<extra></extra>",
    } | place


def _right_of_all(view: Answers) -> str:
    hits = _likeliest(view.outputs[view.steps]) == view.targets[view.steps]
    share = hits.mean(axis=0)
    things = "images" if view.form == "image" else "sequences"
    return f"{int((share == 1).sum())} of {len(share)} test {things} right"


def _probabilities(view: Answers, theme: Theme) -> Spec:
    right = view.names[int(view.targets[view.steps[-1], 0])]
    return {
        "data": [_bars(view, theme)],
        "layout": _frame(
            theme,
            f"answer at the last step · right: {right}",
            xaxis=axis(theme, _right_of_all(view), type="category", showgrid=False),
            yaxis=axis(theme, range=[0, 1.05], tickformat=".0%", nticks=4),
        ),
    }


def _classes_over_time(view: Answers, theme: Theme) -> Spec:
    """Draw the probability of each class at each step, and the right class."""
    shown = view.steps[:STEPS_SHOWN]
    t, chances = shown + 1, softmax(view.outputs[shown, 0])
    pitch = len(view.names) // 12 + 1 if len(view.names) > 12 else 1
    return {
        "data": [
            _probability_map(view, theme, t, chances),
            _right_answers(view, theme, t, chances, view.targets[shown, 0]),
        ],
        "layout": _frame(
            theme,
            "answers over time",
            xaxis=axis(
                theme,
                "time step t · ○ right, × wrong",
                range=[t[0] - 0.6, t[-1] + 0.6],
                showgrid=False,
                tickformat="d",
                dtick=max(1, len(t) // 8),
            ),
            yaxis=axis(
                theme,
                range=[-0.6, len(view.names) - 0.4],
                tickvals=list(range(0, len(view.names), pitch)),
                ticktext=view.names[::pitch],
                showgrid=False,
            ),
        ),
    }


def _probability_map(view: Answers, theme: Theme, t: Indices, chances: Array) -> Spec:
    """Draw the probabilities (K, O) as a heatmap."""
    return {
        "type": "heatmap",
        "name": "probability",
        "x": t,
        "y": np.arange(len(view.names)),
        "z": chances.T,
        "zmin": 0,
        "zmax": 1,
        "colorscale": [(0.0, theme.panel), (1.0, theme.output)],
        "showscale": False,
        "hovertemplate": "t = %{x}: %{z:.1%}<extra></extra>",
    }


def _right_answers(view: Answers, theme: Theme, t: Indices, chances: Array, right: Indices) -> Spec:
    """Mark the right class (K,) at each step: a ring where it is the most likely, else a cross."""
    said = _likeliest(chances)
    hit = said == right
    return {
        "type": "scatter",
        "name": "right answer",
        "mode": "markers",
        "x": t,
        "y": right,
        "marker": {
            "symbol": ["circle-open" if h else "x-thin" for h in hit],
            "size": 9 if len(t) <= 24 else 7,
            "line": {"width": 1.5, "color": theme.ink},
            "color": theme.ink,
        },
        "text": [view.names[k] if k >= 0 else NOTHING for k in said],
        "hovertemplate": "t = %{x}: output %{text}<extra></extra>",
    }


def _letters(view: Answers, theme: Theme) -> Spec:
    """Draw three aligned rows of letters: the input, the prediction and the target."""
    shown = view.steps[:LETTERS_SHOWN]
    t, right = shown + 1, view.targets[shown, 0]
    said = _likeliest(view.outputs[shown, 0])
    read = np.argmax(view.inputs[shown, 0, : len(view.names)], axis=-1)
    hit = said == right
    should_say, says, reads = (
        [view.names[k] if k >= 0 else NOTHING for k in classes] for classes in (right, said, read)
    )
    says = [letter if good else f"<b>{letter}</b>" for letter, good in zip(says, hit, strict=True)]
    return {
        "data": [
            _wrong(theme, t[~hit]),
            _letter_row("target", t, 0, should_say, theme.faint),
            _letter_row("output", t, 1, says, theme.output),
            _letter_row("input", t, 2, reads, theme.input),
        ],
        "layout": _frame(
            theme,
            f"next letter · {int(hit.sum())} of {len(hit)} right, the others on grey",
            xaxis=axis(theme, "time step t", range=[0.4, t[-1] + 0.6], showgrid=False, nticks=8),
            yaxis=axis(
                theme,
                range=[-0.6, 2.6],
                tickvals=[0, 1, 2],
                ticktext=["target", "output", "input"],
                showgrid=False,
            ),
            margin={"l": 72, "r": 10, "t": 30, "b": 40},
        ),
    }


def _wrong(theme: Theme, t: Indices) -> Spec:
    """Draw a grey background under the wrong letters."""
    return {
        "type": "scatter",
        "name": "wrong",
        "mode": "markers",
        "x": t,
        "y": np.full(len(t), 1.0),
        "marker": {"symbol": "square", "size": 14, "color": theme.grid},
        "hoverinfo": "skip",
    }


def _letter_row(name: str, t: Indices, row: int, letters: list[str], colour: str) -> Spec:
    return {
        "type": "scatter",
        "name": name,
        "mode": "text",
        "x": t,
        "y": np.full(len(t), float(row)),
        "text": letters,
        "textfont": {"size": 14 if len(t) <= 24 else 11, "color": colour},
        "hovertemplate": f"t = %{{x}}: {name} %{{text}}<extra></extra>",
    }


def _scatter(view: Answers, theme: Theme) -> Spec:
    """Draw output against target, one point per probe sequence."""
    last = view.steps[-1]
    truth, said = view.targets[last, :, 0] * view.scale, view.outputs[last, :, 0] * view.scale
    low, high = min(0.0, float(truth.min())), max(2.0, float(truth.max()))  # fixed during training
    span = [low - 0.05 * (high - low), high + 0.05 * (high - low)]
    diagonal: Spec = {
        "type": "scatter",
        "name": "right",
        "mode": "lines",
        "x": span,
        "y": span,
        "line": {"color": theme.target, "dash": "dash", "width": 1.6},
        "hoverinfo": "skip",
    }
    points: Spec = {
        "type": "scatter",
        "name": "answer",
        "mode": "markers",
        "x": truth,
        "y": _drawable(said, (span[0], span[1])),
        "marker": {"color": theme.output, "size": 9, "line": {"color": theme.panel, "width": 1}},
        "hovertemplate": "target %{x:.2f}, output %{y:.2f}<extra></extra>",
    }
    return {
        "data": [diagonal, points],
        "layout": _frame(
            theme,
            "answer against truth",
            xaxis=axis(theme, f"true {view.unit}", range=span, nticks=5),
            yaxis=axis(theme, range=span, nticks=5),
        ),
    }


def _series(view: Answers, theme: Theme) -> Spec:
    """Draw output and target over time for the first sequence."""
    t = view.steps + 1
    truth, said = (values[view.steps, 0, 0] * view.scale for values in (view.targets, view.outputs))
    low, high = float(truth.min()), float(truth.max())
    room = 0.35 * (high - low) + 1e-9
    span = (low - room, high + room)
    lines = [
        ("target", truth, {"color": theme.target, "width": 3}),
        ("output", said, {"color": theme.output, "width": 2}),
    ]
    return {
        "data": [
            {
                "type": "scatter",
                "name": name,
                "mode": "lines+markers" if name == "output" and len(t) <= 60 else "lines",
                "x": t,
                "y": _drawable(values, span),
                "customdata": plain_all(values),
                "line": line,
                "marker": {"size": 4},
                "hovertemplate": f"{name} %{{customdata}}<extra></extra>",
            }
            for name, values, line in lines
        ],
        "layout": _frame(
            theme,
            "output",
            hovermode="x unified",
            xaxis=axis(theme, "time step t", showgrid=False, range=[t[0] - 0.5, t[-1] + 0.5], nticks=8),
            yaxis=axis(theme, range=list(span), nticks=4),
        )
        | {"annotations": _legend(theme, view.unit)},
    }


def _legend(theme: Theme, unit: str) -> list[Spec]:
    text = (
        f"<b>output</b> <span style='color:{theme.faint}'>and</span> "
        f"<span style='color:{theme.target}'><b>target</b>, {unit}</span>"
    )
    font = {"size": 13, "color": theme.output}
    return [note(theme, text, 0.0, 1.0, xanchor="left", yanchor="bottom", yshift=6, font=font)]


def _image(view: Answers, theme: Theme) -> Spec:
    """Draw the input image and the probabilities of the classes."""
    last = view.steps[-1]
    picture: Spec = {
        "type": "heatmap",
        "name": "image",
        "z": view.inputs[last, 0, :64].reshape(8, 8)[::-1],
        "zmin": 0,
        "zmax": 1,
        "colorscale": [(0.0, theme.panel), (1.0, theme.ink)],
        "showscale": False,
        "hoverinfo": "skip",
    }
    right = view.names[int(view.targets[last, 0])]
    blank = {"showticklabels": False, "showgrid": False}
    return {
        "data": [picture, _bars(view, theme, xaxis="x2", yaxis="y2")],
        "layout": _frame(
            theme,
            f"input and answer · right: {right}",
            xaxis=axis(theme, domain=[0.0, 0.3], constrain="domain") | blank,
            yaxis=axis(theme, scaleanchor="x", constrain="domain") | blank,
            xaxis2=axis(
                theme, _right_of_all(view), domain=[0.4, 1.0], anchor="y2", type="category", showgrid=False
            ),
            yaxis2=axis(theme, range=[0, 1.05], tickformat=".0%", anchor="x2", nticks=4),
        ),
    }


def answers(view: Answers, theme: Theme = LIGHT) -> go.Figure:
    """Draw the network's answers next to the targets."""
    return go.Figure(answers_spec(view, theme))
