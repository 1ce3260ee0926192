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
        kept = shelf.keep(run)
        session.tell(f"Kept as {kept.name} ({len(shelf.runs)} of {MOST}): see Side by side, Kept.")

    st.button(
        "Keep",
        icon=":material/bookmark_add:",
        type="tertiary",
        on_click=keep,
        disabled=shelf.full,
        help=f"The shelf holds {MOST} runs: delete one under Side by side, Kept."
        if shelf.full
        else "Keep this run as it is, then change something and compare.",
        key="keep_run",
    )


def view(session: Session) -> None:
    """Show all kept runs."""
    shelf = session.shelf
    if not shelf.runs:
        st.html("<p class='story'>No run is kept yet. Train one in the playground and press Keep.</p>")
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
        e, state = kept.run.experiment, kept.run.keyframes.newest
        colour = line_of(number, theme())["color"]
        named = f"<b style='color:{colour}'>{escape(kept.name)}</b>"
        retuned = f" (retuned {len(state.retunings)}×)" if state.retunings else ""
        settings = [escape(to_text(getattr(e, name))) for name in names]
        outcome = [
            f"{state.step:,}{retuned}",
            "diverged" if state.divergence else _metric(seen),
            "–" if state.solved_at is None else f"{state.solved_at:,}",
            _decades(seen.before),
            _decades(seen.now),
        ]
        cells = "".join(f"<td>{cell}</td>" for cell in [*settings, *outcome])
        lines.append(f"<tr><th scope=row>{named}</th>{cells}</tr>")
    head = "".join(f"<th scope=col>{escape(text)}</th>" for text in heads)
    return f"<div class='kept-runs'><table><tr>{head}</tr>{''.join(lines)}</table></div>"


def _metric(drawn: KeptRun) -> str:
    value = float(drawn.progress.metric[-1])
    return percent(value) if drawn.progress.accuracy else plain(value, 3)


def _decades(curve: Array) -> str:
    """Return how many powers of ten an error gains on its way back, from the last step to the first."""
    first, *_, last = np.asarray(curve, dtype=float) if np.size(curve) > 1 else (1.0, 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        change = float(np.log10(first / last))
    return f"{change:+.1f}".replace("-", "−") if np.isfinite(change) else "–"


def _actions(session: Session) -> None:
    """Show what can be done with a run, or with two of them."""
    shelf = session.shelf
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="shelf_bar"):
        chosen = st.selectbox(
            "Run",
            range(len(shelf.runs)),
            format_func=lambda n: shelf.runs[n].name,
            key="shelf_run",
            width=150,
        )
        kept = shelf.runs[min(chosen or 0, len(shelf.runs) - 1)]
        st.text_input(
            "Name",
            kept.name,
            max_chars=LONGEST_NAME,
            key=f"shelf_name_{id(kept)}",
            on_change=lambda: shelf.rename(kept, st.session_state[f"shelf_name_{id(kept)}"]),
            width=150,
        )
        if st.button("Open in the playground", icon=":material/play_circle:", key="shelf_open"):
            session.runs.put(MAIN, kept.run.copy())
            st.switch_page(ENTRIES["playground"].page)
        st.button(
            "Delete", icon=":material/delete:", on_click=shelf.runs.remove, args=(kept,), key="shelf_drop"
        )
        others = [other for other in shelf.runs if other is not kept]
        if others:
            number = st.selectbox(
                "Compare with",
                range(len(others)),
                format_func=lambda n: others[n].name,
                key="shelf_other",
                width=150,
            )
            _pair_button(session, kept, others[min(number or 0, len(others) - 1)])


def _pair_button(session: Session, a: Kept, b: Kept) -> None:
    """Show the button that opens two runs' experiments as A and B."""
    names = differing([a, b])
    foreign = [choices()[name].title for name in names if name not in CHANGEABLE]

    def open_both() -> None:
        session.restart(a.run.experiment)
        changes = tuple((choices()[name].url, to_text(getattr(b.run.experiment, name))) for name in names)
        session.view = replace(session.view, changes=changes, equal=False, beside="seed")

    st.button(
        "Open as A and B",
        icon=":material/compare:",
        on_click=open_both,
        disabled=bool(foreign) or not names,
        help=f"A and B have the same data; these differ in {', '.join(foreign)}."
        if foreign
        else "Both train anew, side by side, from the same seed."
        if names
        else "They have the same settings.",
        key="shelf_pair",
    )
