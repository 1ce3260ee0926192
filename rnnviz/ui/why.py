"""The page Why: a feed-forward and a recurrent network on the same problem, side by side."""

from __future__ import annotations

from html import escape

import streamlit as st

from rnnviz.analysis.snapshot import Snapshot
from rnnviz.experiment import Experiment
from rnnviz.figures.contest import Contest, Trained, contest_spec
from rnnviz.figures.run_pictures import Moment
from rnnviz.figures.unrolled import Unrolled, unrolled_spec
from rnnviz.model.cells import CELLS
from rnnviz.tasks import TASKS
from rnnviz.tasks.base import ACCURACY
from rnnviz.teaching.contest import ROUNDS, RUNNERS, STEPS, Round
from rnnviz.teaching.glossary import explain, with_indices
from rnnviz.ui.live_figure import show
from rnnviz.ui.live_run import LiveRun
from rnnviz.ui.run_panel import RunPanel
from rnnviz.ui.run_registry import RunKey
from rnnviz.ui.session import Session
from rnnviz.ui.style import theme

IDEA = (
    "A feed-forward network sees only the current input: information flows one way. "
    "A recurrent one has a loop, which gives it a memory of the past."
)

ONE_EXAMPLE = "<span>Below: one example, and what each network answers (✓ right, ✗ wrong).</span>"

TICK_SECONDS = 0.15
SPEED = 100.0
"""Updates per second: slow enough to follow, and done within seconds."""

GRAPH_WIDTH, GRAPH_HEIGHT, CHART_HEIGHT = 560, 154, 190
FITS_A_PHONE = 10
"""Up to this many steps a graph is legible on a phone without scaling."""


def begin(session: Session, task: str) -> tuple[LiveRun, ...]:
    """Start new runs of both networks; the previous ones are paused for good."""
    runs = tuple(session.runs.start(RunKey("contest", cell), ROUNDS[task].runner(cell)) for cell in RUNNERS)
    for run in runs:
        run.speed, run.until = SPEED, STEPS
    return runs


def page(session: Session) -> None:
    """Show the problem picker, both networks and their progress; redraw while they train."""
    if not session.runs.at("contest"):
        begin(session, next(iter(ROUNDS)))
    runs = {cell: session.runs[RunKey("contest", cell)] for cell in RUNNERS}
    task = next(iter(runs.values())).experiment.task
    panel = RunPanel(lambda: tuple(runs.values()), session.widgets, lambda: begin(session, task), "contest_")
    chosen = _choose(session, task, panel)

    def part() -> None:
        looks = {cell: run.look() for cell, run in runs.items()}
        for column, (cell, look) in zip(st.columns(2, gap="medium"), looks.items(), strict=True):
            with column:
                _network(chosen.runner(cell), look.snapshot)
        view = _measured(chosen, looks)
        _progress(view, looks)
        problems = {run.problem for run in runs.values() if run.problem}
        st.html(f"<p class='outcome'>{escape(' '.join(problems)) or _outcome(chosen, view, looks)}</p>")

    panel.repeat("contest", TICK_SECONDS, part)


def _choose(session: Session, task: str, panel: RunPanel) -> Round:
    """Show the problems and the buttons to start, pause and reset."""

    def take(wanted: str | None) -> None:
        if wanted in ROUNDS:
            begin(session, wanted)

    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="contest_bar"):
        st.segmented_control(
            "Problem",
            list(ROUNDS),
            format_func=lambda name: TASKS[name].title,
            required=True,
            label_visibility="collapsed",
            **session.widgets.bound("contest_task", task, take),
        )
        panel.play_button(again="Play again")
        panel.reset_button("Back to the same initial weights")
    chosen = ROUNDS[task]
    marks = ONE_EXAMPLE if TASKS[task].metric is ACCURACY else ""
    st.html(f"<p class='needs'><b>{TASKS[task].title}.</b> {escape(chosen.needs)} {marks}</p>")
    return chosen


def _network(e: Experiment, now: Snapshot) -> None:
    """Show one network: its equation, its size, and its answers to one example."""
    st.html(_headline(e, now.parameters))
    view = Unrolled.of(e, now, width=GRAPH_WIDTH, named=True)
    heard = (
        "every step receives the previous state" if view.recurrent else "no step receives the previous state"
    )
    label = f"{RUNNERS[e.cell]} network unrolled over {e.seq_len} steps: {heard}"
    least = GRAPH_WIDTH if e.seq_len > FITS_A_PHONE else 1
    spec = unrolled_spec(view, theme())
    show(spec, key=f"contest_{e.cell}", label=label, height=GRAPH_HEIGHT, least_width=least)


def _headline(e: Experiment, parameters: int) -> str:
    """Return name, equation and number of parameters as HTML; the recurrent term is marked."""
    recurrent, H = CELLS[e.cell].recurrent, e.hidden_size
    loop = (
        f" + <mark>{_symbol('h_t', 'h<sub>t−1</sub>')} {_symbol('B = W_hh', 'W_hh')}</mark>"
        if recurrent
        else ""
    )
    equation = (
        f"{_symbol('h_t')} = {_symbol('φ')}({_symbol('x_t')} {_symbol('A = W_xh', 'W_xh')}{loop} + "
        f"{with_indices('b_h')})"
    )
    loop_size = f"<abbr title='The recurrent weights: {H * H:,} numbers in W_hh'>{H} × {H}</abbr>"
    sum_ = f"{parameters - H * H:,} + {loop_size} = " if recurrent else ""
    return (
        f"<p class='network'><b>{RUNNERS[e.cell]}</b> <span>{equation}</span> "
        f"<span>{sum_}{parameters:,} parameters</span></p>"
    )


def _symbol(term: str, shown: str = "") -> str:
    """Return a symbol as HTML with its explanation on hover."""
    return f"<abbr title='{escape(explain(term))}'>{with_indices(shown or term)}</abbr>"


def _progress(view: Contest, looks: dict[str, Moment]) -> None:
    """Show both held-out metrics over training."""
    label = f"{view.metric_title} of both networks over training. {_numbers(view, looks)}"
    spec = contest_spec(view, theme())
    show(spec, key="contest", label=label, height=CHART_HEIGHT, least_width=GRAPH_WIDTH)


def _measured(chosen: Round, looks: dict[str, Moment]) -> Contest:
    e, task = chosen.experiment, TASKS[chosen.experiment.task]
    return Contest(
        [Trained.of(RUNNERS[cell].lower(), look.state) for cell, look in looks.items()],
        STEPS,
        f"{task.measured_on(e)} {task.metric.title}",
        task.metric is ACCURACY,
        task.chance(e),
        task.guess,
        chosen.bound,
    )


def _outcome(chosen: Round, view: Contest, looks: dict[str, Moment]) -> str:
    """Return both networks' results as HTML, at the end with the finding."""
    ended = all(look.state.step >= STEPS for look in looks.values())
    return f"<span>{_numbers(view, looks)}</span> {escape(chosen.finding) if ended else ''}"


def _numbers(view: Contest, looks: dict[str, Moment]) -> str:
    """Return both networks' results in a sentence."""
    step = min(look.state.step for look in looks.values())
    if step == 0:
        return f"Press Play: both train for {STEPS} updates, from the same seed, on the same sequences."
    scores = {cell: view.in_words(look.state.metric) for cell, look in looks.items()}
    start, by = ("gets {} right", "") if view.accuracy else ("is off by {} on average", "by ")
    return (
        f"After {step} updates the feed-forward network {start.format(scores['feed-forward'])}, "
        f"the recurrent one {by}{scores['vanilla']}; {view.guess}: {view.in_words(view.chance)}."
    )
