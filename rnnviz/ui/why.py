"""The page Why: a feed-forward and a recurrent network on the same problem, side by side."""

from __future__ import annotations

from html import escape

import streamlit as st

from rnnviz.experiment import Experiment
from rnnviz.figures.contest_pictures import ContestPicture, NetworkPicture, name_of
from rnnviz.model.cells import CELLS
from rnnviz.tasks import TASKS
from rnnviz.tasks.base import ACCURACY
from rnnviz.teaching.contest import ROUNDS, RUNNERS, STEPS
from rnnviz.teaching.glossary import explain, with_indices
from rnnviz.ui import story
from rnnviz.ui.live_run import LiveRun
from rnnviz.ui.run_panel import RunPanel
from rnnviz.ui.run_registry import RunKey
from rnnviz.ui.session import Session
from rnnviz.ui.style import theme
from rnnviz.ui.widgets import one_of

IDEA = (
    "A feed-forward network sees only the current input: information flows one way. "
    "A recurrent one has a loop, which gives it a memory of the past."
)

ONE_EXAMPLE = "<span>Below: one example, and what each network answers (✓ right, ✗ wrong).</span>"

SPEED = 100.0
"""Updates per second: slow enough to follow, and done within seconds."""

GRAPH_WIDTH, GRAPH_HEIGHT, CHART_HEIGHT = 560, 154, 172
FITS_A_PHONE = 10
"""Up to this many steps a graph is legible on a phone without scaling."""


def begin(session: Session, task: str) -> tuple[LiveRun, ...]:
    """Start new runs of both networks; the previous ones are paused for good."""
    runs = {cell: session.runs.start(RunKey("contest", cell), ROUNDS[task].runner(cell)) for cell in RUNNERS}
    for cell, run in runs.items():
        run.speed, run.until = SPEED, STEPS
        run.beside = {name_of(other): runs[other] for other in runs if other != cell}
    return tuple(runs.values())


def page(session: Session) -> None:
    """Show the problem picker, both networks and their progress."""
    if not session.runs.at("contest"):
        begin(session, next(iter(ROUNDS)))
    runs = tuple(session.runs[RunKey("contest", cell)] for cell in RUNNERS)
    task = runs[0].experiment.task
    panel = RunPanel(lambda: runs, session.widgets, lambda: begin(session, task), "contest_")
    _choose(session, task, panel)
    for number, (column, run) in enumerate(zip(st.columns(2, gap="medium"), runs, strict=True)):
        with column:
            _network(panel, run.experiment, number)
    _progress(panel)
    if problems := {run.problem for run in runs if run.problem}:
        st.html(f"<p class='story notice' role='status'>{escape(' '.join(problems))}</p>")
    panel.live(session.screen)


def _choose(session: Session, task: str, panel: RunPanel) -> None:
    """Show the problems, the buttons to start, pause and reset, and after the end what to try next."""
    chosen = ROUNDS[task]

    def take(wanted: str | None) -> None:
        if wanted in ROUNDS:
            begin(session, wanted)

    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="contest_bar"):
        bound = session.widgets.bound("contest_task", task, take)
        one_of("Problem", ROUNDS, lambda name: ROUNDS[name].name, **bound)
        panel.play_button(again="Play again")
        panel.reset_button("Back to the same initial weights")
        if all(run.state.step >= STEPS for run in panel.runs):
            story.door(session, "playground", chosen.further[0], chosen.next_experiment)
    marks = ONE_EXAMPLE if TASKS[task].metric is ACCURACY else ""
    st.html(f"<p class='needs'><b>{chosen.name}.</b> {escape(chosen.needs)} {marks}</p>")


def _network(panel: RunPanel, e: Experiment, number: int) -> None:
    """Show one network: its equation, its size, and its answers to one example."""
    st.html(_headline(e, panel.runs[number].initial.parameters))
    place = panel.place(e.cell, GRAPH_HEIGHT, GRAPH_WIDTH if e.seq_len > FITS_A_PHONE else 1)
    panel.picture(place, NetworkPicture(place, theme(), GRAPH_WIDTH), run=number)


def _progress(panel: RunPanel) -> None:
    """Show both networks' progress; the first of them that still plays draws it."""
    playing = next((number for number, run in enumerate(panel.runs) if run.playing), 0)
    place = panel.place("progress", CHART_HEIGHT, GRAPH_WIDTH)
    panel.picture(place, ContestPicture(place, theme()), footed=True, run=playing)


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
