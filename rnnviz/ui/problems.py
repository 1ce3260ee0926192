"""The page Problems: vanishing and exploding gradients side by side, before and after training."""

from __future__ import annotations

from dataclasses import dataclass, replace
from html import escape

import numpy as np
import streamlit as st

from rnnviz.analysis.contributions import gradient_contributions
from rnnviz.analysis.gradient_flow import gradient_flow
from rnnviz.experiment import Experiment
from rnnviz.figures.curves import Curve, curves_spec
from rnnviz.model.activations import ACTIVATIONS
from rnnviz.tasks import TASKS
from rnnviz.teaching.glossary import with_small_indices
from rnnviz.teaching.lessons.outcome import size
from rnnviz.teaching.numbers import plain
from rnnviz.teaching.presets import PRESETS
from rnnviz.training.loop import advance, start
from rnnviz.ui import story
from rnnviz.ui.channel import follow
from rnnviz.ui.instruments.slow import SEEDS
from rnnviz.ui.live_figure import show
from rnnviz.ui.ribbon import ribbon
from rnnviz.ui.session import Session
from rnnviz.ui.style import theme

UPDATES = 300
HEALTHY = (("init", "orthogonal"), ("gain", "1"))
"""What the network without the problem changes, as names and values in a URL."""
CURVE_HEIGHT = 168
LARGER_WORDS_HEIGHT = 13
"""Extra pixels for the text around the curves in projector view."""
LENGTHS = (5, 10, 20, 30, 40, 50, 75, 100)


@dataclass(frozen=True)
class Problem:
    """One of the two problems: its name, its experiment, and the range of its gain slider."""

    name: str
    title: str
    base: Experiment
    gains: tuple[float, float, float]  # lowest, highest, first


VANISHING = Problem(
    "vanishing",
    "Vanishing",
    replace(PRESETS["vanishing"].experiment, init="scaled-gaussian"),
    (0.05, 1.0, 0.3),
)
EXPLODING = Problem(
    "exploding",
    "Exploding",
    PRESETS["exploding"].experiment,
    (1.0, 3.0, 2.0),
)
PROBLEMS = (VANISHING, EXPLODING)


@dataclass(frozen=True)
class Consequence:
    """The result of training.

    steps : updates made. metric : at the end. largest : finite norm of a gradient.
    broke_off : how it diverged, "" if it did not. moved : mean norm of W_hh's change in one update.
    long_range : share of W_hh's gradient before training that went back more than half of the sequence.
    """

    steps: int
    metric: float
    largest: float
    broke_off: str
    moved: float
    long_range: float


def consequence(e: Experiment) -> Consequence:
    """Train an experiment for UPDATES steps and summarise the result."""
    state, moves = start(e), []
    while state.step < UPDATES and state.divergence is None:
        later = advance(e, state, steps=1)
        moves.append(float(np.linalg.norm(later.params.layers[-1].W_hh - state.params.layers[-1].W_hh)))
        state = later
    norms = state.history.columns["grad_norm"]
    largest = float(np.max(norms[np.isfinite(norms)], initial=0.0))
    by_lag = gradient_contributions(e).share_by_lag
    return Consequence(
        state.step,
        state.metric,
        largest,
        str(state.divergence or ""),
        float(np.mean(moves)),
        float(by_lag[half_way(e) + 1 :].sum()),
    )


def half_way(e: Experiment) -> int:
    """Return the number of steps that is half of the way from the last output to step 1."""
    return int(e.masks.write_steps[-1]) // 2


def page(session: Session) -> None:
    """Show the controls, both gradients, and the results of training."""
    length = session.hand.select_slider("Sequence length T", LENGTHS, 50, key="problem_T")
    chosen = []
    for column, problem in zip(st.columns(2, gap="medium"), PROBLEMS, strict=True):
        with column:
            chosen.append(_picture(session, problem, length))
    _consequences(session, chosen)


def _picture(session: Session, problem: Problem, length: int) -> Experiment:
    """Show one problem's slider, ribbon and curve; return the chosen experiment."""
    words = st.container()
    low, high, first = problem.gains
    label, key = with_small_indices("Gain g of W_hh"), f"gain_{problem.name}"
    gain = session.hand.slider(label, low, high, first, step=0.05, key=key)
    e = replace(problem.base, seq_len=length, gain=gain)
    flow = gradient_flow(e)
    network = f"{TASKS[e.task].title.lower()}, {ACTIVATIONS[e.activation].title}"
    words.html(
        f"<h2 class='section'>{problem.title} <small>{network}</small></h2>"
        f"<p class='story' style='white-space:normal'>{idea(flow.decades, length - 1, flow.verdict)}</p>"
    )
    st.html(
        "<div class='ends'><span>t = 1</span><span>◀ the error travels back</span>"
        f"<span>t = {length}</span></div>"
        + ribbon(flow.per_output[-1], theme(), f"gradient, {flow.verdict}", height=26)
    )
    spec = curves_spec([Curve("before training", flow.per_output[-1], "main")], theme())
    spec["layout"] |= {"showlegend": False, "annotations": [], "margin": {"l": 72, "r": 8, "t": 8, "b": 40}}
    change = f"{flow.decades:.1f} powers of ten over {length - 1} steps"
    label = f"{problem.title}: gradient against time step, {change}"
    show(
        spec,
        key=f"problem_{problem.name}",
        label=label,
        height=CURVE_HEIGHT - LARGER_WORDS_HEIGHT * session.view.projector,
    )
    return e


def _consequences(session: Session, chosen: list[Experiment]) -> None:
    """Show the results of training, which are measured in the workers, as they arrive."""

    @st.fragment(key="consequences")
    def part() -> None:
        if session.hand.grip:  # every value on the way would be trained
            return
        key = ("problems", *chosen)
        sweep = session.sweeps.open(key, consequence, lambda: chosen)
        version = sweep.version
        if sweep.problem:
            st.html(f"<p class='story notice' role='status'>Training stopped: {escape(sweep.problem)}</p>")
            st.button("Try again", on_click=session.sweeps.forget, args=(key,), key="problem_again")
        columns = st.columns(2, gap="medium")
        for column, problem, e, result in zip(columns, PROBLEMS, chosen, sweep.results, strict=True):
            if result or not sweep.problem:
                whose = f"<span class='whose'>{problem.title}: </span>"  # on a phone, see style.css
                column.html(f"<p class='consequence' role='status'>{whose}{tell(e, result)}</p>")
        with st.container(key="problem_doors"):
            for column, problem, e in zip(st.columns(2, gap="medium"), PROBLEMS, chosen, strict=True):
                with column:
                    st.html(f"<p class='whose'>{problem.title}</p>")
                    _doors(session, e)
        follow(session.screen, "consequences", sweep, version)

    part()


def _doors(session: Session, e: Experiment) -> None:
    """Show links to the laboratory, and to the same training with and without the problem."""
    with st.container(horizontal=True, gap="small"):
        story.door(session, "laboratory", "Measure it in the laboratory", e)
        label = f"Beside orthogonal weights, over {SEEDS} seeds"
        story.door(session, "side_by_side", label, e, beside="seeds", changes=HEALTHY, equal=False)


FATES = {
    "vanishing": "Far back, hardly anything is left.",
    "healthy": "That is mild enough: the error arrives.",
    "exploding": "One or two updates can then ruin the weights.",
}


def idea(decades: float, steps: int, verdict: str) -> str:
    """Return in HTML the mean factor per step back and its consequence."""
    if not np.isfinite(decades):
        return f"The numbers leave the range of floating point. {FATES[verdict]}"
    return (
        f"Each step back multiplies the error by {10 ** (decades / steps):.2g} on average. {FATES[verdict]}"
    )


def arrival(decades: float) -> str:
    """Return an HTML sentence on how much of the last output's error reaches step 1."""
    if not np.isfinite(decades):
        if decades < 0:
            return "None of the last output's error reaches step 1."
        return "The last output's error overflows before it reaches step 1."
    if decades >= 0:
        return f"The last output's error is {plain(10.0**decades, 2)} times as large when it reaches step 1."
    part = f"{10.0**decades:.1%}" if decades >= -3 else plain(10.0**decades, 2)
    return f"{'Only ' if decades < -1 else ''}{part} of the last output's error reaches step 1."


def tell(e: Experiment, result: Consequence | None) -> str:
    """Return the result of training as HTML."""
    if result is None:
        return f"Training it for {UPDATES} updates …"
    if result.broke_off:
        return (
            f"<b>Huge updates.</b> {escape(result.broke_off)} The largest gradient before that: "
            f"{size(result.largest)}. Training cannot recover from inf or NaN."
        )
    task = TASKS[e.task]
    chance, name = task.chance(e), task.metric.title
    flow = gradient_flow(e)
    digits = ".0%" if task.metric.higher_is_better else ".3f"
    score = f"{name} {result.metric:{digits}}, and {task.guess} gives {chance:{digits}}"
    learned = task.metric.reached(result.metric, task.goal)
    if learned:
        head = "It learns." if flow.verdict == "healthy" else "It learns anyway."
    else:
        head = "It survives, for now." if flow.decades > 0 else "It learns nothing from far back."
    parts = f"{arrival(flow.decades)} {_long_range(e, result)}"
    return f"<b>{head}</b> {parts} After {result.steps} updates: {score}."


def _long_range(e: Experiment, result: Consequence) -> str:
    """Return a sentence on the size of the updates and on their long-range part."""
    only = "only " if abs(result.long_range) < 0.01 else ""
    return (
        f"An update changes W<sub>hh</sub> by {size(result.moved)} (norm). Before training, "
        f"{only}{share_in_words(result.long_range)} of the gradient of W<sub>hh</sub> came from more than "
        f"{half_way(e)} steps back."
    )


def share_in_words(share: float) -> str:
    """Return a signed share as text: percent, or a power of ten if it is small."""
    text = f"{share:.0%}" if abs(share) >= 0.01 else size(share)
    return text.replace("-", "−")
