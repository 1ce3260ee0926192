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
    if "task" in differing(shelf.runs):
        st.caption("These runs learn different tasks, whose losses and metrics cannot be compared.")
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
    return f"<div class='kept-runs'><table><tr>{head}</tr>{''.join(lines)}</table></div>"


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
        kept = _choice("Run", shelf.runs, _key(session, "run"))
        st.text_input(
            "Name",
            kept.name,
            max_chars=LONGEST_NAME,
            key=f"shelf_name_{id(kept)}",
            on_change=_rename,
            args=(session, kept),
            width=150,
        )
        if st.button("Open in the playground", icon=":material/play_circle:", key="shelf_open"):
            session.runs.put(MAIN, kept.run.copy())
            st.switch_page(ENTRIES["playground"].page)
        st.button("Delete", icon=":material/delete:", on_click=shelf.delete, args=(kept,), key="shelf_drop")
        _undo_button(session)
        others = [other for other in shelf.runs if other is not kept]
        if others:
            pair = kept, _choice("Compare with", others, _key(session, "other"))
            _pair_button(session, *pair)
    if shelf.problem:
        refusal(shelf.problem)
        shelf.problem = ""
    if pair and (why := why_not(*pair)):
        st.caption(why)


def _undo_button(session: Session) -> None:
    """Show the button that puts back the run that was deleted last."""
    shelf = session.shelf
    if shelf.can_put_back:
        st.button(
            "Undo",
            icon=":material/undo:",
            type="tertiary",
            on_click=shelf.put_back,
            help="Put the deleted run back.",
            key="shelf_undo",
        )


def _key(session: Session, name: str) -> str:
    """Return the key of a choice of runs: a new one when names or places change; browsers keep old names."""
    return f"shelf_{name}__{session.shelf.changes}"


def _choice(label: str, runs: list[Kept], key: str) -> Kept:
    """Let the visitor choose one of several runs."""
    number = st.selectbox(label, range(len(runs)), format_func=lambda n: runs[n].name, key=key, width=150)
    return runs[min(number or 0, len(runs) - 1)]


def _rename(session: Session, kept: Kept) -> None:
    """Give a run the name that the visitor wrote; the choices stay as they are."""
    shelf, field = session.shelf, f"shelf_name_{id(kept)}"
    chosen = {name: st.session_state.get(_key(session, name)) for name in ("run", "other")}
    try:
        shelf.rename(kept, st.session_state[field])
    except ValueError as problem:
        shelf.problem = str(problem)
    else:
        for name, number in chosen.items():
            if number is not None:
                st.session_state[_key(session, name)] = number
    st.session_state[field] = kept.name


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
