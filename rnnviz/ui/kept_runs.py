"""The kept runs of a visitor: over each other, in a table of what differs, and what can be done with them."""

from __future__ import annotations

from dataclasses import replace
from html import escape

import numpy as np
import streamlit as st

from rnnviz.experiment import choices
from rnnviz.experiment.links import to_text
from rnnviz.experiment.pair import CHANGEABLE
from rnnviz.figures.kept_runs import KeptRun, kept_runs_spec, line_of
from rnnviz.model.arrays import Array
from rnnviz.teaching.numbers import percent, plain
from rnnviz.ui.catalogue import ENTRIES
from rnnviz.ui.live_figure import show
from rnnviz.ui.notes import refusal
from rnnviz.ui.run_registry import MAIN
from rnnviz.ui.session import Session
from rnnviz.ui.shelf import LONGEST_NAME, MOST, Kept
from rnnviz.ui.style import theme

HEIGHT = 300
LEAST_WIDTH = 860  # the three titles stand side by side
DIFFERENT_TASKS = "These runs learn different tasks, whose losses and metrics cannot be compared."
RUN, OTHER, NAME = "shelf_run", "shelf_other", "shelf_name"  # the keys of what is chosen


def keep_button(session: Session) -> None:
    """Show the button that keeps the current run."""
    run, shelf = session.run, session.shelf

    def keep() -> None:
        if run.keyframes.newest.step == 0:
            session.tell("There is nothing to keep yet: train the network first.")
            return
        try:
            kept = shelf.keep(run)
        except ValueError as full:
            session.tell(str(full))
            return
        session.tell(f"Kept as {kept.name} ({len(shelf.runs)} of {MOST}): see Side by side, Kept.")

    st.button(
        "Keep",
        icon=":material/bookmark_add:",
        type="tertiary",
        on_click=keep,
        help="Keep this run as it is, then change something and compare.",
        key="keep_run",
    )


def view(session: Session) -> None:
    """Show all kept runs."""
    shelf = session.shelf
    if not shelf.runs:
        st.html("<p class='story'>No run is kept yet. Train one in the playground and press Keep.</p>")
        _undo_button(session)
        return
    drawn = [kept.drawn for kept in shelf.runs]
    label = f"{len(drawn)} kept runs: loss, held-out metric, and gradient against time step"
    spec = kept_runs_spec(drawn, theme())
    show(spec, key="kept_runs", label=label, height=HEIGHT, least_width=LEAST_WIDTH)
    st.html(_table(shelf.runs, drawn))
    _actions(session)


def differing(runs: list[Kept]) -> list[str]:
    """Return the settings in which the runs differ."""
    experiments = [kept.run.experiment for kept in runs]
    return [name for name in choices() if len({getattr(e, name) for e in experiments}) > 1]


def _table(runs: list[Kept], drawn: list[KeptRun]) -> str:
    """Return a table of what differs, and of what came of it, as HTML."""
    names = differing(runs)
    heads = ["run", *(choices()[name].title for name in names), "updates", "metric", "solved after"]
    heads += ["gradient before, in powers of ten", "now"]
    lines = []
    for number, (kept, seen) in enumerate(zip(runs, drawn, strict=True)):
        e, state, solved_at = kept.run.experiment, kept.run.keyframes.newest, kept.solved_at
        colour = line_of(number, theme())["color"]
        named = f"<b style='color:{colour}'>{escape(kept.name)}</b>"
        retuned = f" (retuned {len(state.retunings)}×)" if state.retunings else ""
        settings = [escape(to_text(getattr(e, name))) for name in names]
        outcome = [
            f"{state.step:,}{retuned}",
            "diverged" if state.divergence else _metric(seen),
            "–" if solved_at is None else f"{solved_at:,}",
            _decades(seen.before),
            _decades(seen.now),
        ]
        cells = "".join(f"<td>{cell}</td>" for cell in [*settings, *outcome])
        lines.append(f"<tr><th scope=row>{named}</th>{cells}</tr>")
    head = "".join(f"<th scope=col>{escape(text)}</th>" for text in heads)
    caption = f"<caption>{DIFFERENT_TASKS}</caption>" if "task" in names else ""
    return f"<div class='kept-runs'><table>{caption}<tr>{head}</tr>{''.join(lines)}</table></div>"


def _metric(drawn: KeptRun) -> str:
    return percent(drawn.metric) if drawn.progress.accuracy else plain(drawn.metric, 3)


def _decades(curve: Array) -> str:
    """Return how many powers of ten an error gains on its way back, from the last step to the first."""
    first, *_, last = np.asarray(curve, dtype=float) if np.size(curve) > 1 else (1.0, 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        change = float(np.log10(first / last))
    return f"{change:+.1f}".replace("-", "−") if np.isfinite(change) else "–"


def _actions(session: Session) -> None:
    """Show what can be done with a run, or with two of them."""
    shelf, pair = session.shelf, None
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="shelf_bar"):
        kept = _choice("Run", shelf.runs, RUN)
        _name_field(session, kept)
        if st.button("Open in the playground", icon=":material/play_circle:", key="shelf_open"):
            session.runs.put(MAIN, kept.run.copy())
            st.switch_page(ENTRIES["playground"].page)
        st.button("Delete", icon=":material/delete:", on_click=shelf.delete, args=(kept,), key="shelf_drop")
        _undo_button(session)
        others = [other for other in shelf.runs if other is not kept]
        if others:
            pair = kept, _choice("Compare with", others, OTHER)
            _pair_button(session, *pair)
    if shelf.problem:
        refusal(shelf.problem)
        shelf.problem = ""
    if pair and (why := why_not(*pair)):
        st.caption(why)


def _undo_button(session: Session) -> None:
    """Show the button that puts back the run that was deleted last, and chooses it."""
    shelf = session.shelf

    def undo() -> None:
        kept = shelf.put_back()
        if kept:
            st.session_state[RUN] = kept.number

    if shelf.can_put_back:
        st.button(
            "Undo",
            icon=":material/undo:",
            type="tertiary",
            on_click=undo,
            help="Put the deleted run back.",
            key="shelf_undo",
        )


def _choice(label: str, runs: list[Kept], key: str) -> Kept:
    """Let the visitor choose one of several runs: the first one, if what was chosen is gone."""
    numbered = {kept.number: kept for kept in runs}
    number = st.selectbox(label, numbered, format_func=lambda n: numbered[n].name, key=key, width=150)
    return numbered[number]


def _name_field(session: Session, kept: Kept) -> None:
    """Show the name of the chosen run, which can be written over."""
    shelf = session.shelf

    def rename() -> None:
        try:
            shelf.rename(kept, st.session_state[NAME])
        except ValueError as problem:
            shelf.problem = str(problem)
        for key in (RUN, OTHER):  # the browser knows what is chosen by its name alone
            if key in st.session_state:
                st.session_state[key] = st.session_state[key]
        st.session_state[NAME] = kept.name

    if shelf.named != kept.number or NAME not in st.session_state:
        shelf.named = kept.number
        st.session_state[NAME] = kept.name
    st.text_input("Name", max_chars=LONGEST_NAME, key=NAME, on_change=rename, width=150)


def why_not(a: Kept, b: Kept) -> str:
    """Return why two runs cannot be opened as A and B, "" if they can."""
    names = differing([a, b])
    foreign = [choices()[name].title for name in names if name not in CHANGEABLE]
    if foreign:
        return f"These two cannot be A and B, which have the same data: they differ in {', '.join(foreign)}."
    return "" if names else "These two have the same settings: as A and B they would be the same."


def _pair_button(session: Session, a: Kept, b: Kept) -> None:
    """Show the button that opens two runs' experiments as A and B."""

    def open_both() -> None:
        session.restart(a.run.experiment)
        changes = tuple(
            (choices()[name].url, to_text(getattr(b.run.experiment, name))) for name in differing([a, b])
        )
        session.view = replace(session.view, changes=changes, equal=False, beside="seed")

    why = why_not(a, b)
    st.button(
        "Open as A and B",
        icon=":material/compare:",
        on_click=open_both,
        disabled=bool(why),
        help=why or "Both train anew, side by side, from the same seed.",
        key="shelf_pair",
    )
