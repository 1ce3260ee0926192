"""The pass by hand and the unfolded loop: numbers, equations, pictures, and the page through the shell."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from autograd import grad
from streamlit.testing.v1 import AppTest

from rnnviz import TASKS, Experiment
from rnnviz.figures.by_hand import ByHand, by_hand_spec
from rnnviz.figures.theme import DARK, LIGHT, Theme, magnify, readable
from rnnviz.figures.unfolding import MOST_STEPS, Unfolding, unfolding_spec
from rnnviz.teaching.equations import Equations
from rnnviz.teaching.walkthrough import (
    DIGITS,
    EXPERIMENT,
    LIMIT,
    STOPS,
    Entry,
    Given,
    Sizes,
    T,
    Walk,
    entries,
    original,
    written,
)
from rnnviz.ui.by_hand import entry_name, stop_name, tell
from tests.plain_rnn import Case

SHELL = Path(__file__).parents[2] / "rnnviz" / "ui" / "shell.py"
CHANGES = [
    (Entry("A", 1, 2), -2.0),
    (Entry("B", 0, 1), 1.5),
    (Entry("C", 2, 0), 0.0),
    (Entry("x", 1, 0), 2.0),
]
CASES = [pytest.param(None, 0.0, id="as given"), *(pytest.param(*c, id=entry_name(c[0])) for c in CHANGES)]
LETTERS = {"A": LIGHT.input, "B": LIGHT.hidden, "C": LIGHT.output}


def given(entry: Entry | None, value: float) -> Given:
    return original() if entry is None else original().changed(entry, value)


def changed_walk(entry: Entry | None, value: float) -> tuple[Walk, dict[str, Any]]:
    walk = Walk.of(given(entry, value))
    return walk, walk.differs(Walk.of(original()))


# The numbers


def test_the_walk_begins_with_what_the_library_draws() -> None:
    start = original()
    params = EXPERIMENT.init(EXPERIMENT.rng("weights"))
    np.testing.assert_allclose(start.params.flat(), params.flat(), atol=0.05)
    assert not start.params.layers[0].b_h.any()
    for letter in "ABC":
        assert getattr(start, letter).all(), "a weight of zero would hide what it does"


@pytest.mark.parametrize(("entry", "value"), CASES)
def test_every_gradient_is_what_autograd_finds(entry: Entry | None, value: float) -> None:
    start, walk = given(entry, value), Walk.of(given(entry, value))
    H = len(start.B)
    weights = ([(start.A, start.B, np.zeros(H))], start.C, np.zeros(start.C.shape[1]))
    case = Case(weights, start.batch.inputs, start.batch.targets, [T - 1], "tanh", H)
    assert walk.L[0] == pytest.approx(case.loss(weights, case.no_nudges), rel=1e-12)
    (layer,), dC, _ = grad(case.loss, 0)(weights, case.no_nudges)
    for ours, theirs in ((walk.dA, layer[0]), (walk.dB, layer[1]), (walk.dC, dC)):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-14)
    ((delta,),) = grad(case.loss, 1)(weights, case.no_nudges)
    np.testing.assert_allclose(walk.delta, delta[:, 0], rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize(("entry", "value"), CASES)
def test_every_equation_on_the_page_holds(entry: Entry | None, value: float) -> None:
    walk = Walk.of(given(entry, value))
    close = np.testing.assert_allclose
    close(walk.h[1:], np.tanh(walk.a), rtol=1e-14)
    close(walk.a, walk.x @ walk.A + walk.h[:-1] @ walk.B, rtol=1e-14)
    close(walk.y, walk.h[T] @ walk.C, rtol=1e-14)
    close(walk.p, np.exp(walk.y) / np.exp(walk.y).sum(), rtol=1e-12)
    close(walk.L, -np.log(walk.p[walk.target]), rtol=1e-12)
    close(walk.delta[-1], walk.G @ walk.C.T, rtol=1e-12)
    close(walk.delta[:-1], walk.alpha[1:] @ walk.B.T, rtol=1e-12)
    close(walk.alpha, walk.delta * (1 - walk.h[1:] ** 2), rtol=1e-12)
    for letter in "ABC":
        close(walk.shares(letter).sum(axis=0), getattr(walk, f"d{letter}"), rtol=1e-10, atol=1e-15)


def test_only_what_follows_a_changed_number_changes() -> None:
    _, changed = changed_walk(Entry("x", 2, 0), 1.0)
    np.testing.assert_array_equal(changed["h"].any(axis=1), [False, False, False, True, True])
    assert changed["x"].sum() == 1
    assert not any(changed[letter].any() for letter in "ABC")
    _, changed = changed_walk(Entry("C", 0, 0), 1.0)
    assert not changed["h"].any()
    np.testing.assert_array_equal(changed["y"], [True, False])
    assert changed["L"].all()
    assert not any(mask.any() for mask in changed_walk(None, 0.0)[1].values())


@pytest.mark.parametrize("entry", entries(), ids=entry_name)
@pytest.mark.parametrize("value", [-LIMIT, 0.0, LIMIT])
def test_every_number_can_be_set_to_the_ends_of_its_slider(entry: Entry, value: float) -> None:
    walk, changed = changed_walk(entry, value)
    assert all(np.isfinite(getattr(walk, name)).all() for name in changed)
    for number in range(len(STOPS)):
        by_hand_spec(ByHand(walk, changed, number))
        assert "nan" not in Equations(walk, changed, LETTERS).of(STOPS[number])
        assert tell(walk, STOPS[number])


def test_numbers_as_they_are_written() -> None:
    assert written(-0.524, 2) == "−0.52"
    assert written(-0.0, 1) == "0.0"
    assert written(2.4e-5) == "2e−5"


# The equations


@pytest.mark.parametrize("stop", STOPS, ids=stop_name)
def test_the_equation_shows_the_librarys_numbers(stop: Any) -> None:
    walk, changed = changed_walk(*CHANGES[1])
    tex = Equations(walk, changed, LETTERS).of(stop)
    assert tex.count("{") == tex.count("}")
    results = {
        "state": ("h", walk.h[stop.t]),
        "answer": ("y", walk.y),
        "loss": ("L", walk.L),
        "error": ("G", walk.G),
        "back": ("alpha", walk.alpha[stop.t - 1]),
        "sum": (f"d{stop.letter}", getattr(walk, f"d{stop.letter}", walk.L)),
    }
    name, values = results[stop.kind]
    boxed = tex[tex.rindex(r"\boxed") :]
    shown = [float(number) for number in re.findall(r"-?\d+\.\d+", boxed)]
    np.testing.assert_allclose(shown, np.ravel(values), atol=0.5001 * 10.0 ** -DIGITS.get(name, 3))


def test_only_changed_numbers_are_underlined() -> None:
    walk, changed = changed_walk(*CHANGES[1])
    equations = Equations(walk, changed, LETTERS)
    first, second = equations.of(STOPS[0]), equations.of(STOPS[1])
    assert first.count(r"\underline") == 1, "B itself; the empty memory hides what it does"
    assert second.count(r"\underline") == 1 + 2 * int(changed["h"][2].sum())
    assert r"\underline" not in Equations(*changed_walk(None, 0.0), LETTERS).of(STOPS[-1])


# The pictures


def numbers_of(spec: dict[str, Any]) -> dict[str, Any]:
    (trace,) = [trace for trace in spec["data"] if trace["name"] == "numbers"]
    return dict(trace)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
@pytest.mark.parametrize("number", range(len(STOPS)), ids=lambda number: stop_name(STOPS[number]))
def test_the_picture_shows_what_is_computed_by_now_and_no_more(number: int, theme: Theme) -> None:
    walk, changed = changed_walk(*CHANGES[1])
    view = ByHand(walk, changed, number)
    spec = by_hand_spec(view, theme)
    assert go.Figure(spec)
    magnify(spec)
    shown = {text.removeprefix("<b>").removesuffix("</b>") for text in numbers_of(spec)["text"]}
    for t in range(1, T + 1):
        states = {written(float(value), 2) for value in walk.h[t]}
        assert (states <= shown) == view.known("state", t)
        errors = {written(float(value), 3) for value in walk.delta[t - 1]}
        assert (errors <= shown) == view.known("back", t)
    assert (written(float(walk.L[0])) in shown) == view.known("loss")
    arrows = [trace["x"] for trace in spec["data"] if trace["name"].startswith("gradient")]
    known = view.known("error") + sum(view.known("back", t) for t in range(1, T + 1))
    assert sum(int(np.isnan(x).sum()) for x in arrows) == known


def test_changed_numbers_are_framed_and_bold() -> None:
    walk, changed = changed_walk(*CHANGES[1])
    trace = numbers_of(by_hand_spec(ByHand(walk, changed, len(STOPS) - 1)))
    bold = np.array([text.startswith("<b>") for text in trace["text"]])
    framed = trace["marker"]["line"]["width"] > 2
    np.testing.assert_array_equal(bold, framed)
    assert bold.sum() == sum(int(changed[name].sum()) for name in ("x", "h", "y", "p", "L", "G", "delta"))


def contrast(one: str, other: str) -> float:
    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_every_number_can_be_read_on_its_colour(theme: Theme) -> None:
    for _, fill in (*theme.state, *theme.gradient):
        assert contrast(fill, readable(fill)) >= 4.5


@pytest.mark.parametrize("own", [False, True], ids=["shared", "own"])
@pytest.mark.parametrize("steps", range(MOST_STEPS + 1))
def test_the_same_letter_has_the_same_colour_everywhere(steps: int, own: bool) -> None:
    spec = unfolding_spec(Unfolding(steps, own=own, feedback=True))
    assert go.Figure(spec)
    drawn = {trace["name"]: trace for trace in spec["data"]}
    assert ("A" in drawn) == (steps > 0)
    for letter, colour in LETTERS.items() if steps else ():
        texts = [f"<b>{letter}{f'<sub>{t}</sub>' if own else ''}</b>" for t in range(1, steps + 1)]
        assert drawn[f"letter {letter}"]["text"] == texts
        assert drawn[letter]["line"]["color"] == drawn[f"letter {letter}"]["textfont"]["color"] == colour
        assert drawn[f"loop {letter}"]["line"]["color"] == (LIGHT.grid if own else colour)
    fed_back = drawn["feedback"]["x"] if "feedback" in drawn else []
    assert np.isnan(fed_back).sum() == max(0, steps - 1), "an edge from every output but the last"
    assert len(spec["layout"].get("shapes", [])) == (steps if own else min(steps, 1))


@pytest.mark.parametrize("view", [Unfolding(4, own=True, feedback=True), Unfolding(0)])
def test_plotly_can_make_selectors_of_all_names(view: Unfolding) -> None:
    walk, changed = changed_walk(None, 0.0)
    for spec in (unfolding_spec(view), by_hand_spec(ByHand(walk, changed, 12))):
        names = [trace["uid"] for trace in spec["data"]]
        assert len(set(names)) == len(names)
        assert all(re.fullmatch(r"\w+", name) for name in names)


# Parameters


@pytest.mark.parametrize("feedback", [False, True])
def test_the_shared_count_is_the_librarys(feedback: bool) -> None:
    e = Experiment(task="echo", topology="many-to-many", hidden_size=7, seq_len=9, delay=2, feedback=feedback)
    I, O = TASKS["echo"].sizes(e)  # noqa: E741
    sizes = Sizes(I, 7, O, feedback)
    assert sizes.shared == e.init(e.rng("weights")).count
    assert sizes.separate(9) == 9 * sizes.shared


# The page


def open_page() -> AppTest:
    tab = AppTest.from_file(str(SHELL), default_timeout=30)
    tab.switch_page(str(SHELL.parents[2] / "pages" / "how.py"))
    return look(tab)


def look(tab: AppTest) -> AppTest:
    tab.run()
    assert [error.message for error in tab.exception] == []
    return tab


def press(tab: AppTest, key: str) -> AppTest:
    tab.button(key=key).click()
    return look(tab)


def label(tab: AppTest, name: str) -> str:
    sent = [json.loads(e.proto.bytes) for e in tab.get("bidi_component") if e.proto.bytes]
    return str({figure["name"]: figure for figure in sent}[name]["label"])


def said(tab: AppTest) -> str:
    text = unescape(" ".join(str(h.proto.body) for h in tab.get("html")))
    return re.sub(r"<[^>]+>", "", text)


def test_the_loop_unfolds_step_by_step_and_counts() -> None:
    tab = open_page()
    assert tab.sidebar.children == {}
    assert "A hidden node h with a loop" in label(tab, "loop")
    assert tab.button(key="loop_steps_back").disabled
    for _ in range(3):
        press(tab, "loop_steps_next")
    assert "its 3 unfolded steps with the same weights" in label(tab, "loop")
    tab.slider(key="loop_H").set_value(5)
    tab.toggle(key="loop_own").set_value(True)
    look(tab)
    sizes = Sizes(4, 5, 2)
    assert f"4·5 + 5·5 + 5 + 5·2 + 2{sizes.shared}" in said(tab)
    assert f"3·(4·5 + 5·5 + 5 + 5·2 + 2){sizes.separate(3)}" in said(tab)
    assert "separate weights" in label(tab, "loop")
    tab.toggle(key="loop_feedback").set_value(True)
    assert f"(4+2)·5 + 5·5 + 5 + 5·2 + 2{Sizes(4, 5, 2, True).shared}" in said(look(tab))
    tab.select_slider(key="loop_steps").set_value(MOST_STEPS)
    assert look(tab).button(key="loop_steps_next").disabled


def by_hand_page() -> AppTest:
    tab = open_page()
    tab.button_group(key="half").set_value("by-hand")
    return look(tab)


def test_one_pass_step_by_step() -> None:
    tab, walk = by_hand_page(), Walk.of(original())
    equations = Equations(walk, walk.differs(walk), LETTERS)
    for stop in STOPS:
        assert stop_name(stop) in label(tab, "by_hand")
        assert equations.of(stop) in tab.latex[0].value
        if stop != STOPS[-1]:
            press(tab, "hand_stop_next")
    assert tab.button(key="hand_stop_next").disabled
    press(tab, "hand_stop_back")
    assert "∂L/∂B" in label(tab, "by_hand")


def test_a_number_changed_by_hand_and_set_back() -> None:
    tab = by_hand_page()
    tab.select_slider(key="hand_stop").set_value(len(STOPS) - 1)
    look(tab)
    assert "L = 0.968, the original value" in said(tab)
    assert tab.button(key="hand_reset").disabled
    tab.selectbox(key="hand_entry").set_value(Entry("x", 1, 0))
    look(tab)
    tab.slider(key="hand_x10").set_value(2.0)
    look(tab)
    loss = Walk.of(original().changed(Entry("x", 1, 0), 2.0)).L[0]
    assert f"L = {loss:.3f}, was 0.968. Changed: h2, h3, h4, y4, the gradient" in said(tab)
    assert r"\underline" in tab.latex[0].value
    press(tab, "hand_reset")
    assert "L = 0.968, the original value" in said(tab)
    assert r"\underline" not in tab.latex[0].value


def test_where_one_is_outlasts_a_look_at_the_other_view() -> None:
    tab = by_hand_page()
    press(tab, "hand_stop_next")
    tab.button_group(key="half").set_value("loop")
    press(look(tab), "loop_steps_next")
    tab.button_group(key="half").set_value("by-hand")
    assert look(tab).select_slider(key="hand_stop").value == 1
