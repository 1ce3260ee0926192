"""The page for teachers: a link builder and the guide."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from urllib.parse import urlencode, urlsplit

import pandas as pd
import streamlit as st

from rnnviz.applications.catalogue import APPLICATIONS
from rnnviz.experiment import Experiment, choices
from rnnviz.experiment.links import to_params
from rnnviz.export.sheet_blocks import Sheet
from rnnviz.export.worksheet import class_sheet, observe, scenario_of
from rnnviz.teaching.glossary import with_small_indices
from rnnviz.teaching.guide import MISCONCEPTIONS, PLAN
from rnnviz.teaching.lessons import LESSONS
from rnnviz.teaching.presets import PRESETS
from rnnviz.ui.applications.page import TITLES
from rnnviz.ui.catalogue import ENTRIES
from rnnviz.ui.downloads import sheet_buttons
from rnnviz.ui.embedding import SETTING, frame_ancestors, iframe
from rnnviz.ui.session import Session
from rnnviz.ui.views import ADDRESSES, HALVES, HIDEABLE, INSTRUMENTS, View, view_params
from rnnviz.ui.widgets import one_of

OPEN = "current settings"

UPDATES, USUAL_UPDATES = (50, 100, 200, 300, 400, 500, 1000), 300
"""Updates that a worksheet can ask about, and the usual number."""


def link_builder(session: Session) -> None:
    """Show the controls for what a link opens, and the link."""
    left, right = st.columns([0.5, 0.5], gap="medium")
    with left:
        page, opened = _page()
        e = _experiment(session, disabled=bool(opened.application))
    with right:
        lesson = st.selectbox(
            "Lesson", ["", *LESSONS], 0, lambda n: LESSONS[n].title if n else "none", key="link_lesson"
        )
        hidden = st.multiselect(
            "Hide these controls",
            list(HIDEABLE),
            format_func=HIDEABLE.__getitem__,
            placeholder="none: everything can be changed",
            key="link_hidden",
            disabled=bool(opened.application),
        )
        projector = st.toggle("Projector view: large, without menus", key="link_projector")
        embedded = st.toggle("For a page of a learning platform (iframe)", key="link_embedded")
    view = replace(opened, projector=projector, lesson=lesson, hidden=frozenset(hidden))
    opens = link(ENTRIES["lessons" if lesson else page].path, e, view)
    st.html("<h2 class='section'>The link</h2>")
    st.code(iframe(opens) if embedded else opens, language=None, wrap_lines=True)
    if embedded:
        _who_may_embed()
    st.link_button("Try it in a new tab", opens, icon=":material/open_in_new:", key="try_link")
    here = " **This link works on this computer only.**" if is_local(opens) else ""
    st.caption(f"It carries all of the above. Hiding a control never hides a result.{here}")
    if lesson:
        st.caption("A lesson has a worksheet of its own, at its end.")
    elif not opened.application:
        _worksheet(session, e, link("playground", e, View(hidden=view.hidden)))


def _worksheet(session: Session, e: Experiment, opens: str) -> None:
    """Show the buttons that download a worksheet of an experiment."""
    st.html("<h2 class='section'>A worksheet: predict, observe, explain</h2>")
    scenario = scenario_of(e)
    usual = scenario.steps if scenario else USUAL_UPDATES
    with st.container(horizontal=True, vertical_alignment="bottom", key="worksheet"):
        updates = st.selectbox(
            "Updates", UPDATES, UPDATES.index(usual), "{:,}".format, key=f"sheet_updates_{usual}", width=140
        )
        answers = st.toggle(
            "With answers",
            key="sheet_answers",
            help="For you. The network is trained when you download the sheet, which can take some seconds.",
        )

        def sheet() -> Sheet:
            seen = session.lines.sweeps.submit(observe, e, updates).result() if answers else None
            return class_sheet(e, updates, opens, seen)

        sheet_buttons(sheet, f"{e.task}-{e.cell}-{'answers' if answers else 'worksheet'}")


def _who_may_embed() -> None:
    """Say which sites may show the app, and how to allow others."""
    _, *sites = frame_ancestors().split()
    allowed = f"These sites may show it: {', '.join(sites)}." if sites else "No other site may show it yet."
    st.caption(
        f"{allowed} Who runs the server allows sites by the setting `{SETTING}=https://lms.example.org`."
    )


def _page() -> tuple[str, View]:
    """Return the chosen page, and what is open there."""
    of_lesson = bool(st.session_state.get("link_lesson"))
    page = st.selectbox(
        "Page",
        list(ENTRIES),
        list(ENTRIES).index("playground"),
        _page_title,
        key="link_page",
        disabled=of_lesson,
        help="A lesson has its own page and its own settings.",
    )
    opened = View()
    if page == "real_data" and not of_lesson:
        alone = "Applications have their own settings."
        job = st.selectbox("Application", list(ADDRESSES), 0, _job_title, key="link_job", help=alone)
        opened = View(application=job)
    elif page == "laboratory" and not of_lesson:
        titles = INSTRUMENTS.__getitem__
        opened = View(instrument=st.selectbox("Instrument", INSTRUMENTS, 0, titles, key="link_instrument"))
    elif page == "how" and not of_lesson:
        opened = View(half=st.selectbox("View", HALVES, 0, HALVES.__getitem__, key="link_half"))
    return page, opened


def _experiment(session: Session, disabled: bool) -> Experiment:
    """Return the chosen experiment: the current one or a scenario, with the chosen seed."""
    start = st.selectbox(
        "Scenario",
        [OPEN, *PRESETS],
        0,
        lambda n: PRESETS[n].title if n in PRESETS else n,
        key="link_start",
        disabled=disabled,
    )
    e = session.experiment if start == OPEN else PRESETS[start].experiment
    low, high = int(choices()["seed"].low), int(choices()["seed"].high)
    seed = st.number_input("Seed", low, high, e.seed, key=f"link_seed_{start}", disabled=disabled)
    return replace(e, seed=seed)


def _job_title(address: str) -> str:
    application, variant = ADDRESSES[address]
    return (
        f"{TITLES[application]}: {APPLICATIONS[application].variants[variant].title}"
        if variant
        else TITLES[application]
    )


def _page_title(name: str) -> str:
    return f"{ENTRIES[name].title}: {ENTRIES[name].promise[:1].lower()}{ENTRIES[name].promise[1:]}"


def link(path: str, e: Experiment, view: View) -> str:
    """Return the full URL of a page with an experiment and a view."""
    return address(path, to_params(e) | view_params(view))


def address(path: str, params: Mapping[str, str]) -> str:
    """Return the full URL of a page with parameters."""
    here = urlsplit(st.context.url or "http://localhost:8501/")
    known = {entry.path for entry in ENTRIES.values()} - {""}
    folders = [part for part in here.path.split("/") if part and part not in known]
    base = "/".join([f"{here.scheme}://{here.netloc}", *folders])
    return f"{base}/{path}?{urlencode(params)}"


def is_local(address: str) -> bool:
    """Return whether a URL leads to the computer that opens it."""
    host = urlsplit(address).hostname or ""
    return host in ("localhost", "::1") or host.startswith("127.")


def plan(_: Session) -> None:
    """Show the 45-minute lesson plan as a table."""
    begins = 0
    rows = []
    for part in PLAN:
        rows.append(
            {
                "from": f"{begins}′",
                "minutes": part.minutes,
                "page": ENTRIES[part.page].title,
                "do": with_small_indices(part.do),
                "expect to see": with_small_indices(part.see),
            }
        )
        begins += part.minutes
    st.table(pd.DataFrame(rows).set_index("from"))


def misconceptions(_: Session) -> None:
    """Show common misconceptions and the answers to them."""
    columns = st.columns(2, gap="medium")
    for number, entry in enumerate(MISCONCEPTIONS):
        with columns[number % 2].container(border=True):
            st.markdown(with_small_indices(f"**“{entry.claim}”**  \n{entry.answer}"))


PARTS: dict[str, Callable[[Session], None]] = {
    "A link for your class": link_builder,
    "45-minute lesson plan": plan,
    "What students get wrong": misconceptions,
}


def page(session: Session) -> None:
    """Show the chosen part of the guide."""
    PARTS[one_of("Part", PARTS, key="teach")](session)
