"""The page Types: the five topologies side by side, stepped through together."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import streamlit as st

from rnnviz.applications.catalogue import APPLICATIONS
from rnnviz.experiment import Experiment
from rnnviz.experiment.fitting import nearest
from rnnviz.figures.unrolled import Unrolled, farthest, unrolled_spec
from rnnviz.tasks import TASKS
from rnnviz.tasks.topology import TOPOLOGIES, Masks
from rnnviz.teaching.shapes import NAMED, ORDER, shapes_of
from rnnviz.ui import story
from rnnviz.ui.controls import ARROWS
from rnnviz.ui.live_figure import show
from rnnviz.ui.session import Session
from rnnviz.ui.style import theme

IDEA = (
    "Which steps read, and which steps write? That is the only difference. "
    "The weights are the same three matrices at every step."
)

SHORTEST, LONGEST, FIRST_LENGTH, FIRST_STEP = 3, 10, 6, 4
GRAPH_HEIGHT = 160


@dataclass(frozen=True)
class Telling:
    """Text about a topology: an everyday example, what it reads and writes, how far its errors travel.

    application : an example on the page Real data, "" for none.
    travels : a format string with {T}, {far} (steps from the last output back to the first input) and
        {half} (reading steps).
    """

    example: str
    reads: str
    travels: str
    application: str = ""


TELLINGS = {
    "one-to-one": Telling(
        "A general machine-learning problem, such as naming the digit in an image",
        "Reads once, writes once. No loop is used.",
        "There is no earlier step: nothing can vanish over time.",
    ),
    "one-to-many": Telling(
        "Image captioning: one picture in, a sentence out",
        "Reads at the first step only, writes at every step.",
        "The last output depends on an input {far} steps earlier: its error must travel all the way back.",
        "captions",
    ),
    "many-to-one": Telling(
        "Sentiment of a sentence: words in, one verdict out",
        "Reads at every step, writes at the last.",
        "All error starts at step {T}: what it says about the first word must travel {far} steps back.",
        "sentiment",
    ),
    "many-to-many": Telling(
        "Labelling a video, frame by frame",
        "Reads and writes at every step.",
        "Each step has an error of its own, and each travels back to step 1: the last one {far} steps.",
        "text",
    ),
    "sequence-to-sequence": Telling(
        "Machine translation: the whole sentence in, then its translation out",
        "Reads {half} steps, then writes. Here one network does both; in Sutskever et al. (2014) encoder and "
        "decoder have their own weights.",
        "No error starts at the reading steps: each comes from a writing step, up to {far} steps later.",
        "translation",
    ),
}


def steps_of(name: str, length: int) -> int:
    """Return the number of steps at a chosen length; one to one always has a single step."""
    return 1 if name == "one-to-one" else length


@st.fragment
def page(session: Session) -> None:
    """Show the controls for length and current step, and all five topologies."""
    with session.hand.follows("types"):
        _page(session)


def _page(session: Session) -> None:
    left, right, switch = st.columns([0.43, 0.43, 0.14], gap="medium", vertical_alignment="bottom")
    hand = session.hand
    length = hand.slider("Sequence length T", SHORTEST, LONGEST, FIRST_LENGTH, key="types_T", box=left)
    if not hand.holds("types_t"):
        st.session_state["types_t"] = min(st.session_state.get("types_t", FIRST_STEP), length)
    now = hand.slider("Watch one pass: step t", 1, length, key="types_t", box=right)
    shapes = switch.toggle("Shapes", key="types_shapes", help=ORDER)
    for column, name in zip(st.columns(len(TOPOLOGIES), gap="small"), TOPOLOGIES, strict=True):
        with column, st.container(border=True, key=f"topology_{name}", gap="xxsmall", height="stretch"):
            _card(session, name, steps_of(name, length), now, shapes)


def _card(session: Session, name: str, T: int, now: int, shapes: bool) -> None:
    """Show one topology: name, graph at step ``now``, example or shapes, and links to try it."""
    topology, telling = TOPOLOGIES[name], TELLINGS[name]
    masks = topology.masks(T)
    st.html(f"<h2 class='section'>{topology.title} <small>{ARROWS[name]}</small></h2>")
    done = doing(masks, now)
    label = f"{topology.title}, unrolled over {T} step{'s' if T > 1 else ''}. At t = {now} it {done}"
    spec = unrolled_spec(Unrolled(masks, width=210, now=now, error_path=True), theme())
    show(spec, key=f"type_{name}", label=label, height=GRAPH_HEIGHT)
    usual = nearest({"topology": name}, first={"topology"})[0]
    st.html(f"<p class='now'>{done.removeprefix('is ').capitalize()}</p>")
    st.html(_shapes(usual, name, masks) if shapes else _told(name, masks, T))
    story.door(session, "playground", f"Try: {TASKS[usual.task].title}", usual)
    if telling.application:
        story.door(
            session,
            "real_data",
            f"Real data: {APPLICATIONS[telling.application].title}",
            application=telling.application,
        )


def _told(name: str, masks: Masks, T: int) -> str:
    """Return an example, what it reads and writes, and how far its errors travel, as HTML."""
    telling = TELLINGS[name]
    filled = {"T": T, "far": farthest(masks), "half": int(masks.reads.sum())}
    return (
        f"<p class='telling'><b>{escape(telling.example)}.</b> {escape(telling.reads.format(**filled))}</p>"
        f"<p class='telling far'>{escape(telling.travels.format(**filled))}</p>"
    )


def _shapes(usual: Experiment, name: str, masks: Masks) -> str:
    """Return the shapes of a topology's arrays, and other libraries' names, as HTML."""
    rows = "".join(
        f"<tr><th scope=row>{shape.symbol}</th><td>{shape.letters}</td>"
        f"<td>{escape(str(shape.numbers))}</td></tr>"
        for shape in shapes_of(usual, masks)
    )
    named = NAMED[name]
    return (
        f"<table class='shapes'>{rows}</table>"
        f"<p class='telling'><b>PyTorch.</b> {escape(named.pytorch)}</p>"
        f"<p class='telling'><b>Keras.</b> {escape(named.keras)}</p>"
    )


def doing(masks: Masks, now: int) -> str:
    """Return what the network does at step ``now`` (1-based); it follows "it" in a sentence."""
    if now > len(masks.reads):
        return "is done"
    verbs = ["reads"] * bool(masks.reads[now - 1]) + ["computes"] + ["writes"] * bool(masks.writes[now - 1])
    return ", ".join(verbs)
