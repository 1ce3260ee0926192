"""The home page: a picture that answers to one slider, the way into the tour, and the scenarios."""

from __future__ import annotations

from html import escape

import streamlit as st

from rnnviz.teaching.glossary import with_indices
from rnnviz.teaching.presets import PRESETS, Preset
from rnnviz.teaching.tour import IDEA, TITLE
from rnnviz.ui import story, tour
from rnnviz.ui.hand import Prepared
from rnnviz.ui.live_figure import send
from rnnviz.ui.prepared import FIGURE, HIGHEST, LOWEST, SEQ_LEN, STEP, pictures
from rnnviz.ui.ribbon import of_experiment
from rnnviz.ui.session import Session
from rnnviz.ui.style import theme

FIRST_GAIN = 0.35

CAPTION = (
    f"An untrained network that must remember its first input, ■, for {SEQ_LEN - 1} steps. "
    "Ribbon: the error on its way back, with a logarithmic width. Below it: what the 32 hidden units hold at "
    "each step, and the error as a curve. Healthy: the error changes by less than a factor of 100."
)
"""What the picture shows."""

CARDS_A_ROW = 5


def page(session: Session) -> None:
    """Show the first screen with the scenarios below it, or the tour once it was begun."""
    if session.view.tour:
        tour.page(session)
        return
    _first_screen(session)
    _scenarios(session)


def _first_screen(session: Session) -> None:
    """Say what this is, and show one large picture, one slider and one button."""
    words, start = st.columns([0.68, 0.32], gap="medium", vertical_alignment="center")
    with words:
        story.head(TITLE, escape(IDEA))
    with start, st.container(key="home_start", gap="xxsmall"):
        tour.start_button(session)
        with st.container(horizontal=True, gap="small", key="home_links"):
            story.door(session, "why", "Learn step by step")
            story.door(session, "playground", "Train a network yourself")
    _living_picture(session)


@st.fragment
def _living_picture(session: Session) -> None:
    """Show the unrolled network before training, with a slider for the gain."""
    prepared = pictures(st.context.theme.type or "light", "projector" if session.view.projector else "page")
    with session.hand.follows("home"):
        gain = session.hand.slider(
            "Try it: scale the recurrent weights",
            LOWEST,
            HIGHEST,
            FIRST_GAIN,
            step=STEP,
            key="home_gain",
            pictures=Prepared(FIGURE, prepared.url),
        )
        st.html(f"<p class='picture-caption'>{CAPTION}</p>")
        send(prepared.place, prepared.at(gain, playing=session.hand.grip is not None))


def _scenarios(session: Session) -> None:
    """Show every preset as a card: name, gradient before training, and promise."""
    st.html("<h2 class='section'>Or start with a scenario</h2>")
    presets = list(PRESETS.values())
    for start in range(0, len(presets), CARDS_A_ROW):
        for column, preset in zip(st.columns(CARDS_A_ROW, gap="small"), presets[start:], strict=False):
            with column:
                _card(session, preset)


def _card(session: Session, preset: Preset) -> None:
    with st.container(border=True, key=f"card_{preset.name}", gap="xxsmall"):
        story.door(session, "playground", preset.title, preset.experiment)
        promise = with_indices(escape(preset.promise))
        st.html(
            f"{of_experiment(preset.experiment, theme())}<p class='promise'>{promise}</p>"
            f"<p class='record' title='{escape(preset.record)}'>{escape(_in_short(preset))}</p>"
        )


def _in_short(preset: Preset) -> str:
    """Return a scenario's outcome over many seeds in a few words."""
    if preset.measured is None:
        return ""
    kept, at_end = preset.measured.kept, preset.measured.solved_at_end
    became = {"solved": "solved it", "stuck": "ended at chance", "diverged": "diverged"}[preset.outcome]
    fewer = preset.outcome == "solved" and at_end.count < kept.count
    return f"{kept.count} of {kept.seeds} seeds {became}{f', {at_end.count} still at the end' * fewer}"
