"""The page Side by side: two networks on the same data, of which B differs in one thing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from html import escape
from typing import Any

import pandas as pd
import streamlit as st

from rnnviz.analysis.sweeps import SeedRun, seed_parts, seed_run
from rnnviz.experiment import Experiment, choices
from rnnviz.experiment.links import to_text
from rnnviz.experiment.pair import CHANGEABLE, Pair, paired, parameter_count
from rnnviz.figures.contest import look_of
from rnnviz.figures.pair import NAMES, PairPicture, Row
from rnnviz.figures.pair_seeds import outcomes, pair_seeds_spec, verdict_in_words
from rnnviz.model.activations import ACTIVATIONS
from rnnviz.model.cells import CELLS
from rnnviz.model.initializers import INITIALIZERS
from rnnviz.model.optimizers import OPTIMIZERS
from rnnviz.tasks import TASKS
from rnnviz.teaching.glossary import with_indices
from rnnviz.ui import controls, kept_runs, story
from rnnviz.ui.controls import CLIPS, RATES
from rnnviz.ui.instruments.reading import Reading
from rnnviz.ui.instruments.slow import SEEDS, UPDATES, Measurement, show_measurement
from rnnviz.ui.live_run import LiveRun
from rnnviz.ui.run_panel import LOWER_SECONDS, RunPanel
from rnnviz.ui.run_registry import RunKey
from rnnviz.ui.session import Session, in_words
from rnnviz.ui.style import theme
from rnnviz.ui.views import PAIR_VIEWS
from rnnviz.ui.widgets import one_of

PLACE = "pair"
TIMELINE_HEIGHT, CHART_HEIGHT, SEEDS_HEIGHT = 292, 176, 270
COLUMNS_WIDTH = 330.0
"""Pixels of the columns of each timeline at 1280x720."""

GAINS = (0.5, 0.9, 1.0, 1.1, 1.5, 2.0)
SIZES = (8, 16, 32, 64, 128)


def page(session: Session) -> None:
    """Show both networks; what B changes is part of the URL."""
    pair = paired(session.experiment, dict(session.view.changes), session.view.equal)
    panel = RunPanel(
        lambda: _runs(session, pair), session.widgets, lambda: _start(session, pair), prefix="pair_"
    )
    shown = _bar(session, panel)
    if shown == "kept":
        kept_runs.view(session)
        return
    _changes(session, pair)
    _held(pair, shown)
    if problems := {run.problem for run in panel.runs if run.problem}:
        st.html(f"<p class='story notice' role='status'>{escape(' '.join(problems))}</p>")
    if shown == "seeds":
        _over_seeds(session, pair)
        return
    for number, column in enumerate(st.columns(2, gap="small")):
        with column:
            _network(session, panel, pair, number)
    _progress(panel, pair)
    panel.live(session.screen)


def sidebar(session: Session) -> None:
    """Show the settings of A; kept runs have none that could be changed."""
    if session.view.beside == "kept":
        with st.sidebar:
            st.caption("Kept runs stay as they are: no setting changes them.")
    else:
        controls.sidebar(session)


# Both runs ----------------------------------------------------------------------------------------


def _runs(session: Session, pair: Pair) -> tuple[LiveRun, ...]:
    """Return the runs of both; new ones if either experiment has changed."""
    kept = [session.runs.get(RunKey(PLACE, name)) for name in NAMES]
    wanted = (pair.a, pair.b)
    if all(run and run.experiment == e for run, e in zip(kept, wanted, strict=True)):
        return tuple(run for run in kept if run)
    playing = any(run.plays_on for run in kept if run)
    runs = _start(session, pair)
    if playing:
        for run in runs:
            run.play()
    return runs


def _start(session: Session, pair: Pair) -> tuple[LiveRun, ...]:
    """Start new runs of both; the previous ones are paused for good."""
    before = session.runs.get(RunKey(PLACE, NAMES[0]))
    speed = before.speed if before else session.run.speed
    runs = [session.runs.start(RunKey(PLACE, n), e) for n, e in zip(NAMES, (pair.a, pair.b), strict=True)]
    for name, run in zip(NAMES, runs, strict=True):
        run.speed = speed
        run.beside = {other: runs[NAMES.index(other)] for other in NAMES if other != name}
    return tuple(runs)


# What differs -------------------------------------------------------------------------------------


def _bar(session: Session, panel: RunPanel) -> str:
    """Show the buttons of both runs; return which view is chosen."""
    shown = session.view.beside or next(iter(PAIR_VIEWS))

    def show(view: str | None) -> None:
        if view in PAIR_VIEWS:
            session.view = replace(session.view, beside=view)

    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="pair_bar"):
        story.name("side_by_side")
        if shown != "kept":  # nobody trains those
            panel.play_button()
            panel.step_button()
            panel.reset_button("Both back to their initial weights", "replay")
            st.button(
                "New seed",
                icon=":material/casino:",
                shortcut="N",
                on_click=lambda: session.choose(seed=session.experiment.seed + 1),
                key="pair_new_seed",
            )
            panel.speed()
        one_of("Shown", PAIR_VIEWS, PAIR_VIEWS.__getitem__, **session.widgets.bound("beside", shown, show))
        return shown


def _changes(session: Session, pair: Pair) -> None:
    """Show what B changes, to choose from, and the buttons that exchange or equalise both."""
    changes = session.view.changes

    def set_all(new: tuple[tuple[str, str], ...]) -> None:
        session.view = replace(session.view, changes=new)

    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="pair_changes"):
        st.html("<p class='pair-is'><b>B</b> is <b>A</b> with</p>", width="content")
        for number, change in enumerate(changes):
            _change(session, pair, number, change, set_all)
        unused = [name for name in CHANGEABLE if choices()[name].url not in dict(changes)]
        if unused:
            st.button(
                "Another",
                icon=":material/add:",
                type="tertiary",
                help="Change one more thing. With one change you can tell what made the difference.",
                on_click=lambda: set_all((*changes, _first_other(pair, unused[0]))),
                key="pair_more",
            )
        st.toggle(
            "Equal parameters",
            help="Chooses B's H so that both have as nearly as possible the same number of parameters.",
            **session.widgets.bound(
                "pair_equal",
                session.view.equal,
                lambda on: setattr(session, "view", replace(session.view, equal=on)),
            ),
        )
        st.button(
            "Swap",
            icon=":material/swap_horiz:",
            type="tertiary",
            on_click=_swap,
            args=(session, pair),
            key="pair_swap",
        )


def _change(
    session: Session,
    pair: Pair,
    number: int,
    change: tuple[str, str],
    set_all: Callable[[tuple[tuple[str, str], ...]], None],
) -> None:
    """Show one change: which setting, and its value in B."""
    changes = session.view.changes
    urls = {choices()[name].url: name for name in CHANGEABLE}
    name = urls.get(change[0])
    if name is None:  # a link asked for what cannot differ; the line below says so
        return
    taken = {url for url, _ in changes} - {change[0]}
    offered = [url for url in urls if url not in taken] + ([""] if len(changes) > 1 else [])

    def choose(url: str) -> None:
        new = [_first_other(pair, urls[url])] if url else []
        set_all((*changes[:number], *new, *changes[number + 1 :]))

    st.selectbox(
        f"Setting {number + 1} of B that differs",
        offered,
        format_func=lambda url: choices()[urls[url]].title if url else "– remove –",
        label_visibility="collapsed",
        filter_mode=None,
        width=160,
        **session.widgets.bound(f"pair_name_{number}", change[0], choose),
    )
    values = values_of(pair.b, name)
    values.setdefault(change[1], change[1])
    st.selectbox(
        f"B's {choices()[name].title}",
        list(values),
        format_func=values.__getitem__,
        label_visibility="collapsed",
        filter_mode=None,
        width=180,
        **session.widgets.bound(
            f"pair_value_{number}",
            change[1],
            lambda text: set_all((*changes[:number], (change[0], text), *changes[number + 1 :])),
        ),
    )


def values_of(e: Experiment, name: str) -> dict[str, str]:
    """Return the values of a setting that are offered, as text in a URL, with their names on screen."""
    cell = CELLS[e.cell]
    named: dict[str, Mapping[str, Any]] = {
        "cell": CELLS,
        "init": {n: INITIALIZERS[n] for n in cell.inits},
        "activation": {n: ACTIVATIONS[n] for n in cell.activations},
        "optimizer": OPTIMIZERS,
    }
    if name in named:
        return {value: str(item.title) for value, item in named[name].items()}
    numbers: dict[str, tuple[float | None, ...]] = {
        "gain": GAINS,
        "hidden_size": SIZES,
        "layers": (1, 2, 3),
        "learning_rate": RATES,
        "truncate": (None, 1, 2, 5, 10, 20, 50),
        "clip_norm": (None, *(clip for clip in CLIPS if clip is not None)),
    }
    return {to_text(value): "off" if value is None else to_text(value) for value in numbers[name]}


def _first_other(pair: Pair, name: str) -> tuple[str, str]:
    """Return a change of a setting to the first value offered that is not A's."""
    own = to_text(getattr(pair.a, name))
    other = next((value for value in values_of(pair.a, name) if value != own), own)
    return choices()[name].url, other


def _swap(session: Session, pair: Pair) -> None:
    """Let A and B change places."""
    back = tuple((choices()[name].url, to_text(getattr(pair.a, name))) for name in pair.differences)
    session.restart(pair.b)
    session.view = replace(session.view, changes=back or session.view.changes, equal=False)


def _held(pair: Pair, shown: str) -> None:
    """Say what is the same in both, and what else had to change."""
    e, task = pair.a, TASKS[pair.a.task]
    shared = ("hidden_size", "cell", "init", "activation", "optimizer", "learning_rate", "clip_norm")
    same = [name for name in shared if name not in pair.differences]
    seed = f"each of {SEEDS} seeds" if shown == "seeds" else f"seed {e.seed}"
    held = ", ".join([task.title, f"T = {e.seq_len}", seed, *(in_words(e, n) for n in same)])
    told = [*pair.adjusted]
    if pair.ignored:
        told.append(f"Ignored in the link: {', '.join(pair.ignored)}.")
    if not pair.differences:
        told.append("A and B are the same: choose what B changes.")
    more = f" <span class='pair-note'>{escape(' '.join(told))}</span>" if told else ""
    st.html(f"<p class='pair-held'>Held constant: the sequences, {with_indices(escape(held))}.{more}</p>")


def rows(pair: Pair) -> tuple[Row, ...]:
    """Return the settings that differ, with both values in words."""
    return tuple(
        Row(choices()[name].title, (_value(pair.a, name), _value(pair.b, name))) for name in pair.differences
    )


def _named(e: Experiment, name: str) -> str:
    """Return a setting's value so that it can be read alone: "LSTM", "H = 32"."""
    choice, text = choices()[name], _value(e, name)
    return text if choice.kind == "name" else f"{choice.url} = {text}"


def _value(e: Experiment, name: str) -> str:
    text = to_text(getattr(e, name))
    return values_of(e, name).get(text, text)


# This seed ----------------------------------------------------------------------------------------


def _network(session: Session, panel: RunPanel, pair: Pair, number: int) -> None:
    """Show the timeline of one of both."""
    colour = look_of(number, theme())["color"]
    e = (pair.a, pair.b)[number]
    what = ", ".join(_named(e, name) for name in pair.differences) or CELLS[e.cell].title
    st.html(f"<p class='pair-name'><b style='color:{colour}'>{NAMES[number]}</b> {escape(what)}</p>")
    panel.timeline(
        TIMELINE_HEIGHT,
        run=number,
        key=f"timeline_{NAMES[number]}",
        least_width=460,
        figures=False,
        brief=True,
        relative=session.relative,
        whole_loss=session.whole_loss,
        width=COLUMNS_WIDTH,
    )


def _progress(panel: RunPanel, pair: Pair) -> None:
    """Show both metrics and the table; the first of the runs that still plays draws them."""
    playing = next((number for number, run in enumerate(panel.runs) if run.playing), 0)
    place = panel.place("progress", CHART_HEIGHT, 440)
    draw = PairPicture(place, theme(), NAMES[playing], rows(pair))
    with st.container(key="pair_result"):
        panel.picture(place, draw, seconds=LOWER_SECONDS, footed=True, run=playing)


# Many seeds ---------------------------------------------------------------------------------------


def _over_seeds(session: Session, pair: Pair) -> None:
    """Train both with many seeds in the worker pool, and show what became of them."""
    updates = session.preset.steps if session.preset else UPDATES

    def parts() -> list[tuple[Experiment, int]]:
        both = zip(seed_parts(pair.a, SEEDS), seed_parts(pair.b, SEEDS), strict=True)
        return [(e, updates) for two in both for e in two]

    def read(results: list[Any]) -> Reading | str:
        a, b = ([run for run in results[place::2] if run is not None] for place in (0, 1))
        if not (a and b):
            return f"Training A and B with {SEEDS} seeds for {updates:,} updates each …"
        return _reading(pair, a, b, updates)

    key = ("pair", pair.a, pair.b, updates)
    show_measurement(session, Measurement("pair_seeds", key, seed_run, parts, read, SEEDS_HEIGHT, "runs"))


def _reading(pair: Pair, a: list[SeedRun], b: list[SeedRun], updates: int) -> Reading:
    complete = len(a) == len(b) == SEEDS
    found = verdict_in_words(a, b) if complete else f"No verdict before all {2 * SEEDS} runs are done."
    how = f"{found} Lines are medians, bands the middle half of the seeds, over {updates:,} updates each."
    table = pd.concat(
        [
            pd.DataFrame({"network": name, "run": n, "update": run.steps, "metric": run.metric})
            for name, runs in zip(NAMES, (a, b), strict=True)
            for n, run in enumerate(runs)
        ]
    )
    figure = pair_seeds_spec(pair.a, (a, b), updates, theme())
    counts = [parameter_count(e) for e in (pair.a, pair.b)]
    return Reading(figure, f"A and B with {len(a)} seeds. {found}", how, outcomes(a, b, counts), table)
