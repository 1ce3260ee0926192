"""What visitors take home from the playground: the run as code.

To add an export, write a function that shows it and name it in EXPORTS.
"""

from __future__ import annotations

from collections.abc import Callable
from html import escape

import streamlit as st

from rnnviz.experiment import Experiment
from rnnviz.export.code import notebook, numpy_script, pytorch_script
from rnnviz.export.report import report
from rnnviz.export.run_file import open_run, save_run
from rnnviz.tasks import TASKS
from rnnviz.ui.live_run import LiveRun
from rnnviz.ui.session import Session
from rnnviz.ui.style import theme
from rnnviz.ui.teach import link
from rnnviz.ui.uploads import taken
from rnnviz.ui.widgets import one_of

USUAL_UPDATES = 300
"""Updates that a script makes if the run has made none yet."""

CODE_HEIGHT = 360


def popover(session: Session) -> None:
    """Show the button that opens all exports over the page, which goes on meanwhile."""
    opened = st.popover(
        "Take it home", icon=":material/download:", type="tertiary", on_change="rerun", key="take_home"
    )
    if opened.open:
        with opened, st.container(key="take_home_body"):
            EXPORTS[one_of("What to take home", EXPORTS, key="take_home_kind")](session)


def _numpy(session: Session) -> None:
    _code(
        session,
        numpy_script,
        "numpy",
        "This experiment in plain NumPy: the same data, the same initial weights, every gradient by hand.",
    )


def _pytorch(session: Session) -> None:
    _code(
        session,
        pytorch_script,
        "pytorch",
        "The same network in PyTorch, with the same initial weights and the same ‖∂L/∂hₜ‖ before training.",
    )


def _run_file(session: Session) -> None:
    """Offer the run as a file, and open one."""
    st.html(
        "<p class='told-home'>The run with its weights, its optimizer and its history. Opened again, here or "
        "in a notebook, training goes on exactly as if it had not stopped.</p>"
    )
    run = session.run
    name = f"{run.experiment.task}-{run.experiment.cell}-{run.state.step}.zip"
    label = f"Run after {run.state.step:,} updates (.zip)"
    _of_the_run(run, label, lambda: save_run(run.experiment, run.state), name, "application/zip")
    key = f"run_file_{session.files_opened}"

    def take() -> None:
        file = taken(key)
        if file is None:
            return
        session.files_opened += 1
        try:
            found = open_run(file[1])
        except ValueError as problem:
            session.file_problem = f"{file[0][:40]} was rejected. {problem}"
            return
        session.file_problem = ""
        session.open_run(found, file[0][:40])

    st.file_uploader("Open a run (.zip)", type="zip", key=key, on_change=take)
    if session.file_problem:
        st.html(f"<p class='note' role='status'>{escape(session.file_problem)}</p>")


def _report(session: Session) -> None:
    """Offer a page on which anybody can look back through the run."""
    st.html(
        "<p class='told-home'>One page with a slider through the whole run: settings, loss, hidden states, "
        "gradient. It opens in any browser, without a server or network, and prints well. Making it can take "
        "as long as the run itself did.</p>"
    )
    run = session.run

    def made() -> str:
        copy = run.copy()  # what is computed again is computed by a worker
        return session.lines.sweeps.submit(report, copy.experiment, copy.keyframes).result()

    name = f"{run.experiment.task}-{run.experiment.cell}-report.html"
    _of_the_run(run, "Report (.html)", made, name, "text/html")


def _of_the_run(run: LiveRun, label: str, made: Callable[[], str | bytes], file: str, mime: str) -> None:
    """Show the button of a file that is made on download, from a run that stands still."""
    st.download_button(
        label,
        made,
        file,
        mime,
        icon=":material/download:",
        on_click="ignore",
        disabled=run.plays_on,
        help="Pause first." if run.plays_on else None,
        key="take_home_run",
    )


def _link(session: Session) -> None:
    """Show the link to this experiment, to copy."""
    told = (
        "Your run was retuned; the link starts a new one with the last values."
        if session.run.retunings
        else "Whoever opens this link sees the same numbers."
    )
    st.html(f"<p class='told-home'>{told}</p>")
    st.code(link("playground", session.experiment, session.view), language=None, wrap_lines=True)


EXPORTS: dict[str, Callable[[Session], None]] = {
    "NumPy script": _numpy,
    "PyTorch script": _pytorch,
    "Run file": _run_file,
    "Report": _report,
    "Link": _link,
}
"""What can be taken home, by its name on screen."""


def _code(session: Session, write: Callable[[Experiment, int], str], kind: str, told: str) -> None:
    """Show a script with its downloads, or why there is none."""
    e = session.experiment
    try:
        script = write(e, session.run.state.step or USUAL_UPDATES)
    except ValueError as problem:
        st.info(f"No script: {problem}")
        return
    tuned = " It keeps one learning rate; yours was changed during the run." if session.run.retunings else ""
    st.html(f"<p class='told-home'>{told}{tuned}</p>")
    with st.container(height=CODE_HEIGHT, border=False, key=f"take_home_{theme().name}"):
        st.code(script, language="python")
    name = f"{e.task}-{e.cell}-{kind}"
    with st.container(horizontal=True, gap="small", key="take_home_files"):
        _file("Script (.py)", script, f"{name}.py", "text/x-python")
        title = f"{TASKS[e.task].title}, T = {e.seq_len}"
        _file("Notebook (.ipynb)", notebook(script, title), f"{name}.ipynb", "application/x-ipynb+json")


def _file(label: str, content: str, file: str, mime: str) -> None:
    key = f"take_home_{file.rsplit('.', 1)[1]}"
    st.download_button(label, content, file, mime, icon=":material/download:", on_click="ignore", key=key)
