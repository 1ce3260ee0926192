"""The app as a visitor uses it, control by control, without a browser."""

from __future__ import annotations

import ast
import base64
import json
import re
import time
from dataclasses import replace
from html import unescape
from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from streamlit.proto.LabelVisibility_pb2 import LabelVisibility
from streamlit.testing.v1 import AppTest

from rnnviz import PRESETS, TASKS, TOPOLOGIES, Experiment, Preset, gradient_flow, train
from rnnviz.experiment import choices
from rnnviz.experiment.links import from_params, to_params
from rnnviz.tasks.corpora import CORPORA, MAX_CHARACTERS
from rnnviz.ui import controls, run_view
from rnnviz.ui import widgets as widgets_module
from rnnviz.ui.controls import remedies, remedies_for_vanishing
from rnnviz.ui.session import Session, in_words
from rnnviz.ui.widgets import Widgets
from tests.visitor import Tab, train_here

ROOT = Path(__file__).parents[2]
CHARACTERS = {"task": "characters", "topology": "many-to-many"}


class Visitor(Tab):
    """One visitor of the playground; every action ends with the checks that hold after all of them."""

    def __init__(self, params: dict[str, str] | None = None) -> None:
        super().__init__("playground", **(params or {}))

    def look(self) -> None:
        super().look()
        assert self.params == to_params(self.experiment), "the URL tells the whole experiment"

    def set(self, key: str, value: object) -> None:
        """Give one control a value."""
        self.widget(KINDS[key], key).set_value(value)
        self.look()

    def step(self) -> None:
        self.press("step")
        self.look_until(lambda: not self.run.playing)
        self.look()  # the step may have ended between the last look and now

    @property
    def experiment(self) -> Experiment:
        return self.session.experiment

    @property
    def params(self) -> dict[str, str]:
        return {name: text for name, (text,) in self.lists.items()}

    @property
    def lists(self) -> dict[str, list[str]]:
        return {n: [v] if isinstance(v, str) else list(v) for n, v in dict(self.tab.query_params).items()}

    def marked(self, name: str) -> str:
        """The text of the one element of that class, or nothing."""
        found = [text for text in self.texts if re.match(rf"<\w+ class='[^']*\b{name}\b", text)]
        assert len(found) <= 1
        return unescape(re.sub(r"<[^>]+>", "", found[0])) if found else ""

    @property
    def notice(self) -> str:
        return self.marked("notice")

    @property
    def story(self) -> str:
        return self.marked("story")

    @property
    def numbers(self) -> str:
        line = self.figures["timeline"]["caption"]
        return unescape(re.sub(r"<[^>]+>", "", line))

    @property
    def figures(self) -> dict[str, dict[str, Any]]:
        """What the browser would draw, by name."""
        sent = [e.proto.bytes for e in self.tab.get("bidi_component") if e.proto.bytes]
        return {figure["name"]: figure for figure in map(json.loads, sent)}

    def trace(self, figure: str, name: str) -> dict[str, Any]:
        (trace,) = [t for t in self.figures[figure]["data"] if t["name"] == name]
        return dict(trace)


KINDS = {
    "choose_topology": "button_group",
    "choose_task": "selectbox",
    "choose_seq_len": "slider",
    "choose_init": "selectbox",
    "choose_gain": "slider",
    "choose_learning_rate": "select_slider",
    "choose_clip_norm": "select_slider",
    "choose_truncate": "select_slider",
    "choose_cell": "selectbox",
    "choose_activation": "selectbox",
    "choose_optimizer": "selectbox",
    "choose_hidden_size": "number_input",
    "choose_layers": "number_input",
    "choose_batch_size": "number_input",
    "choose_seed": "number_input",
    "choose_feedback": "toggle",
    "choose_symbols": "number_input",
    "choose_noise": "slider",
    "choose_delay": "number_input",
    "choose_items": "number_input",
    "choose_corpus": "selectbox",
    "pasted_text": "text_area",
    "scenario": "selectbox",
    "speed": "button_group",
    "layer": "button_group",
    "whole_loss": "toggle",
    "relative": "toggle",
    "pause_when_solved": "toggle",
}


def decoded(values: Any) -> np.ndarray:
    """A plotly array as the browser reads it."""
    if not isinstance(values, dict):
        return np.array(values)
    array = np.frombuffer(base64.b64decode(values["bdata"]), values["dtype"])
    return array.reshape([int(n) for n in values["shape"].split(",")]) if "shape" in values else array


# Opening


def test_the_app_opens_with_the_defaults() -> None:
    visitor = Visitor()
    assert visitor.experiment == Experiment()
    assert visitor.notice == ""
    assert TASKS["recall"].summary in visitor.story
    assert "Press Play" in visitor.story
    assert "update 0" in visitor.numbers
    assert "paused" in visitor.numbers
    assert list(visitor.figures) == ["timeline", "progress", "answers"]


def test_settings_are_drawn_once_they_are_unfolded() -> None:
    visitor = Visitor()
    for unfolded in (False, True):
        visitor.tab.session_state["more"] = unfolded
        visitor.look()
        assert {"choose_cell", "choose_optimizer"} <= {
            box.key for box in visitor.tab.selectbox
        } or not unfolded
        assert any(box.key == "choose_seed" for box in visitor.tab.number_input) is unfolded


def test_every_control_shows_the_experiment() -> None:
    visitor = Visitor()
    hidden = {
        "cell",
        "feedback",
        "text",
        "corpus",
        "delay",
        "items",
        "jitter",
    }  # only where they mean something
    hidden |= {"series", "data", "language", "target", "grammar"}
    for name in set(choices()) - hidden:
        key = f"choose_{name}"
        assert visitor.widget(KINDS[key], key).value == getattr(Experiment(), name), name


def test_a_control_of_every_kind_reaches_the_experiment() -> None:
    visitor = Visitor()
    wanted = {
        "init": "scaled-gaussian",
        "gain": 1.5,
        "learning_rate": 0.01,
        "clip_norm": 3.0,
        "truncate": 5,
        "activation": "relu",
        "optimizer": "sgd",
        "hidden_size": 16,
        "batch_size": 8,
        "layers": 2,
        "seed": 7,
        "symbols": 3,
        "noise": 0.2,
    }
    for name, value in wanted.items():
        visitor.set(f"choose_{name}", value)
        assert getattr(visitor.experiment, name) == value
    assert visitor.experiment == replace(Experiment(), **wanted)


@pytest.mark.parametrize("cell", ["irnn", "antisymmetric", "lstm", "gru", "mingru", "lru"])
def test_every_cell_can_be_chosen_and_trained(cell: str) -> None:
    visitor = Visitor()
    visitor.set("choose_cell", cell)
    assert visitor.experiment.cell == cell
    assert ("ρ" in visitor.numbers) == (cell == "irnn"), "no single matrix has a spectral radius in others"
    assert "gradient" in visitor.numbers
    assert f"activation_of_{cell}" in {box.key for box in visitor.tab.selectbox}
    assert visitor.params["cell"] == cell
    visitor.step()
    assert visitor.run.state.step == 1


def test_a_deep_link_restores_the_whole_experiment() -> None:
    e = Experiment(
        topology="many-to-many",
        task="echo",
        seq_len=37,
        hidden_size=17,
        layers=3,
        activation="relu",
        init="scaled-gaussian",
        gain=4.25,  # beyond the slider's usual end
        optimizer="rmsprop",
        learning_rate=0.00123,  # between the slider's usual rates
        clip_norm=0.7,
        truncate=7,  # between the slider's usual lengths
        batch_size=5,
        seed=99,
        feedback=True,
        symbols=6,
        delay=12,
    )
    visitor = Visitor(to_params(e))
    assert visitor.experiment == e
    assert visitor.notice == ""
    assert visitor.widget("slider", "choose_gain").value == 4.25
    assert visitor.widget("select_slider", "choose_learning_rate").value == 0.00123
    assert visitor.widget("select_slider", "choose_clip_norm").value == 0.7
    assert visitor.widget("select_slider", "choose_truncate").value == 7


def test_the_gradient_can_be_cut_where_it_goes_back_more_than_a_step() -> None:
    visitor = Visitor({"bptt": "10"})
    slider = visitor.widget("select_slider", "choose_truncate")
    assert slider.options == ["off", "1 step", "2 steps", "5 steps", "10 steps"]
    assert "healthy, cut" in visitor.numbers
    visitor.step()
    visitor.set("choose_truncate", 5)
    assert visitor.experiment == Experiment(truncate=5)
    assert visitor.params["bptt"] == "5"
    assert visitor.notice == "Restarted: bptt = 5. Press Play."
    visitor.set("choose_cell", "feed-forward")
    assert "choose_truncate" not in {slider.key for slider in visitor.tab.select_slider}


@pytest.mark.parametrize("name", TASKS)
def test_every_task_opens_in_every_topology_that_it_fits(name: str) -> None:
    for topology in TASKS[name].fits:
        visitor = Visitor({"task": name, "topology": topology, "H": "8"})
        assert (visitor.experiment.task, visitor.experiment.topology) == (name, topology)
        assert len(visitor.figures) == 3


def test_a_bad_link_opens_and_says_in_one_line_what_was_ignored() -> None:
    visitor = Visitor({"T": "9999", "H": "16", "colour": "red", "task": "<script>alert(1)</script>"})
    assert visitor.experiment == Experiment(hidden_size=16)
    assert visitor.notice.startswith("Ignored in the link: ")
    assert "T=9999 (expected a whole number between 1 and 200)" in visitor.notice
    assert "colour (unknown)" in visitor.notice
    assert "\n" not in visitor.notice
    assert not any("<script" in text for text in visitor.texts)


def test_a_notice_leaves_with_the_next_choice() -> None:
    visitor = Visitor({"T": "9999"})
    assert visitor.notice
    visitor.set("choose_seed", 3)
    assert visitor.notice == ""


def test_a_link_that_contradicts_itself_says_what_gave_way() -> None:
    visitor = Visitor({"task": "echo", "topology": "one-to-one"})
    assert visitor.experiment.topology == "many-to-many"
    assert "Echo does not fit a one-to-one network, so the type is now many-to-many." in visitor.notice


def test_back_in_the_browser_opens_the_experiment_of_that_address() -> None:
    visitor = Visitor()
    visitor.step()
    visitor.go_back(**visitor.params | {"T": "33"})
    assert (visitor.experiment.seq_len, visitor.run.state.step) == (33, 0)


def test_back_to_an_address_without_parameters_changes_nothing() -> None:
    """A click in the navigation bar left it in the history: it asks for the page alone."""
    visitor = Visitor({"T": "33"})
    visitor.step()
    visitor.go_back()
    assert (visitor.experiment.seq_len, visitor.run.state.step) == (33, 1)


# Scenarios


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_a_scenario_opens_as_it_is_written(preset: Preset) -> None:
    visitor = Visitor({"seed": "5"})
    visitor.set("scenario", preset.name)
    assert visitor.experiment == preset.experiment
    assert preset.promise.replace("_", "") in visitor.story
    assert visitor.run.speed == preset.speed
    assert visitor.widget("selectbox", "scenario").value == preset.name
    assert len(visitor.figures) == 3
    assert visitor.notice == ""


def test_a_scenario_with_another_seed_is_still_that_scenario() -> None:
    visitor = Visitor()
    visitor.set("scenario", "vanishing")
    visitor.press("new_seed")
    assert visitor.experiment == replace(PRESETS["vanishing"].experiment, seed=1)
    assert visitor.widget("selectbox", "scenario").value == "vanishing"


def test_a_changed_scenario_is_ones_own() -> None:
    visitor = Visitor()
    visitor.set("scenario", "vanishing")
    visitor.set("choose_init", "orthogonal")
    assert visitor.widget("selectbox", "scenario").value == "orthogonal", "it has become the rescue"
    visitor.set("choose_seq_len", 49)
    assert visitor.widget("selectbox", "scenario").value is None
    assert TASKS["recall"].summary in visitor.story


def test_values_that_a_rerun_brings_late_undo_nothing() -> None:
    """A browser may report what its widgets showed before a scenario was opened."""
    visitor = Visitor()
    visitor.press("play")
    before = visitor.tab._tree.get_widget_states()
    visitor.set("scenario", "exploding")
    visitor.tab._run(before)
    visitor.look()
    assert visitor.experiment == PRESETS["exploding"].experiment
    assert visitor.run.speed == PRESETS["exploding"].speed


def round_trip(names: list[str]) -> list[str]:
    """Go from every name to every other, each once: the names in order, back to the first."""
    left = {name: [other for other in names if other != name] for name in names}
    way, path = [], [names[0]]
    while path:
        if left[path[-1]]:
            path.append(left[path[-1]].pop())
        else:
            way.append(path.pop())
    return way[::-1]


def test_from_every_scenario_to_every_other_while_it_runs_whatever_the_browser_reports_late() -> None:
    way = round_trip(list(PRESETS))
    assert len(set(pairwise(way))) == len(PRESETS) * (len(PRESETS) - 1)
    visitor = Visitor(to_params(PRESETS[way[0]].experiment))
    for name in way[1:]:
        if not visitor.run.playing:
            visitor.press("play")
        late = visitor.tab._tree.get_widget_states()
        (scenario,) = (widget for widget in late.widgets if widget.id.endswith("-scenario"))
        scenario.string_value = PRESETS[name].title
        visitor.set("scenario", name)
        visitor.tab._run(late)  # the browser knows what was chosen, and not yet what followed
        visitor.look()
        assert visitor.experiment == PRESETS[name].experiment, name
        assert visitor.params == to_params(PRESETS[name].experiment), name

    visitor.run.pause()


def test_a_value_on_its_way_to_a_widget_that_was_replaced_is_not_taken() -> None:
    widgets, taken = Widgets(), []
    with patch.object(widgets_module.st, "session_state", {}) as state:
        before = widgets.bound("T", 20, taken.append)
        after = widgets.bound("T", 50, taken.append)
        state[before["key"]] = 20
        before["on_change"]()
        assert (taken, after["key"] != before["key"]) == ([], True)
        state[after["key"]] = 60
        after["on_change"]()
        assert taken == [60]
        assert widgets.bound("T", 60, taken.append)["key"] == after["key"], "its own change keeps its key"


def test_ones_own_choice_can_be_undone_at_once_while_it_plays() -> None:
    visitor = Visitor()
    visitor.press("play")
    for key, values in {"choose_seq_len": (50, 20), "choose_seed": (7, 0)}.items():
        for value in values:
            visitor.set(key, value)
            assert getattr(visitor.experiment, key.removeprefix("choose_")) == value
            assert visitor.run.playing, "a run that plays goes on playing"
            assert visitor.notice == ""
    visitor.press("play")


@pytest.mark.parametrize(("key", "value"), [("choose_task", "Recall"), ("choose_seq_len", 9999)])
def test_what_an_option_was_called_before_is_no_choice(key: str, value: object) -> None:
    visitor = Visitor()
    with patch.object(TASKS["recall"], "lengths", lambda e: (1, 200)):
        session = visitor.session
        bound = controls._bound(session, key.removeprefix("choose_"))
    visitor.tab.session_state[bound["key"]] = value
    with patch.object(widgets_module.st, "session_state", {bound["key"]: value}):
        bound["on_change"]()
    assert visitor.experiment == Experiment()


# Training


def test_step_makes_one_step() -> None:
    visitor = Visitor()
    visitor.step()
    assert visitor.run.state.step == 1
    assert "update 1" in visitor.numbers
    assert "Press Play" not in visitor.story
    visitor.step()
    weights = visitor.run.state.params.flat()
    np.testing.assert_array_equal(weights, train(Experiment(), 2).params.flat())
    np.testing.assert_array_equal(decoded(visitor.trace("progress", "loss, training batch")["x"]), [0, 1])


def test_the_figures_show_the_newest_step() -> None:
    visitor = Visitor()
    before = visitor.trace("timeline", "whole loss")["y"]
    visitor.step()
    visitor.look()
    ghost, now = (visitor.trace("timeline", name)["y"] for name in ("before training", "whole loss"))
    np.testing.assert_array_equal(decoded(ghost), decoded(before))
    assert now != before


def test_a_request_with_the_address_from_before_undoes_nothing() -> None:
    visitor = Visitor()
    before = visitor.params
    visitor.set("choose_seq_len", 30)
    visitor.tab.query_params.update(before)  # as a browser sends it that has not heard of the new one
    visitor.set("choose_seq_len", 31)
    assert visitor.experiment.seq_len == 31
    time.sleep(1.0)
    visitor.tab.query_params.update(before)
    visitor.look()  # and the app writes its own once more
    assert visitor.experiment.seq_len == 31, "however late"
    visitor.go_back(**before)
    assert to_params(visitor.experiment) == before, "but the visitor may go back"


def test_a_link_inside_the_app_opens_its_experiment() -> None:
    visitor = Tab("playground", T="30")
    visitor.go("laboratory", **to_params(Experiment(seq_len=12)))
    assert visitor.session.experiment.seq_len == 12
    visitor.tab.query_params["T"] = "30"
    visitor.look()
    assert visitor.session.experiment.seq_len == 12, "only with another page an address is a link"


def test_play_trains_and_pause_stops() -> None:
    visitor = Visitor()
    visitor.set("speed", "max")
    visitor.press("play")
    assert visitor.tab.button(key="play").label == "Pause"
    visitor.look_until(lambda: visitor.run.state.step > 20 and "updates/s" in visitor.numbers)
    visitor.press("play")
    assert visitor.tab.button(key="play").label == "Play"
    assert not visitor.run.playing
    assert b"customdata" in visitor.messages["timeline"], "its values can be read again"


def test_reset_goes_back_to_the_same_first_weights() -> None:
    visitor = Visitor()
    first = visitor.run.state.params.flat().copy()
    visitor.step()
    visitor.press("reset")
    assert visitor.run.state.step == 0
    np.testing.assert_array_equal(visitor.run.state.params.flat(), first)


def test_a_new_seed_is_another_network() -> None:
    visitor = Visitor()
    first = visitor.run.state.params.flat().copy()
    visitor.press("new_seed")
    assert visitor.experiment == Experiment(seed=1)
    assert not np.array_equal(visitor.run.state.params.flat(), first)


def test_a_run_can_be_made_to_pause_when_it_is_solved() -> None:
    visitor = Visitor({"T": "5"})
    visitor.set("speed", "max")
    visitor.set("pause_when_solved", True)
    visitor.press("play")
    visitor.look_until(lambda: not visitor.run.playing)
    assert visitor.run.state.solved_at == visitor.run.state.step


def test_a_choice_during_a_run_starts_the_new_run_which_plays_on() -> None:
    visitor = Visitor()
    visitor.set("speed", "max")
    visitor.press("play")
    visitor.look_until(lambda: visitor.run.state.step > 0)
    old = visitor.run
    visitor.set("choose_seq_len", 30)
    assert visitor.run is not old
    assert not old.playing
    assert (visitor.run.playing, visitor.run.speed) == (True, None)
    visitor.run.pause()


def test_a_run_that_ends_while_the_page_is_drawn_leaves_no_pause_button(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The button was drawn before the run ended; pressed as Pause it would do nothing."""
    header = run_view.header

    def end_the_run(session: Session) -> None:
        session.run.stops += 1
        header(session)

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(run_view, "header", end_the_run)
        visitor = Visitor()
    assert visitor.session.screen.stale, "the browser is told to let the page be drawn anew"
    visitor.look()
    assert not visitor.session.screen.stale


# What a choice does to a run


@pytest.mark.parametrize(
    ("key", "value", "title"),
    [
        ("choose_seq_len", 50, "T = 50"),
        ("choose_init", "small-normal", "Small normal"),
        ("choose_gain", 1.5, "gain = 1.5"),
        ("choose_optimizer", "sgd", "SGD"),
        ("choose_hidden_size", 16, "H = 16"),
    ],
)
def test_what_changes_the_network_starts_anew_and_says_so(key: str, value: object, title: str) -> None:
    visitor = Visitor()
    visitor.step()
    visitor.set(key, value)
    assert visitor.run.state.step == 0
    assert visitor.notice == f"Restarted: {title}. Press Play."
    visitor.go("glossary")
    assert visitor.notice == "", "it is about the playground"
    visitor.go("playground")
    assert visitor.notice == f"Restarted: {title}. Press Play."
    visitor.step()
    assert visitor.notice == ""


def test_play_takes_the_word_of_a_restart_away() -> None:
    visitor = Visitor()
    visitor.step()
    visitor.set("choose_seq_len", 50)
    assert "Press Play." in visitor.notice
    visitor.press("play")
    assert "Press Play" not in visitor.html
    visitor.press("play")
    visitor.press("reset")
    assert visitor.notice == "", "going back to the beginning is no restart by a choice"


def test_settings_are_named_by_the_words_of_the_controls() -> None:
    e = Experiment(task="characters", topology="many-to-many", corpus="countries")
    named = {name: in_words(e, name) for name in choices()}
    assert (named["task"], named["topology"], named["cell"]) == (
        "Characters",
        "Many to many",
        "Simple RNN",
    )
    assert (named["corpus"], named["text"], named["seq_len"]) == (
        CORPORA["countries"],
        "your own text",
        "T = 20",
    )


def test_before_the_first_step_there_is_nothing_to_say() -> None:
    visitor = Visitor()
    visitor.set("choose_seq_len", 50)
    assert visitor.experiment.seq_len == 50
    assert visitor.notice == ""


@pytest.mark.parametrize(("name", "value"), [("learning_rate", 0.1), ("clip_norm", 0.1)])
def test_what_only_changes_the_updates_keeps_the_run(name: str, value: float) -> None:
    visitor = Visitor()
    visitor.step()
    weights = visitor.run.state.params.flat().copy()
    visitor.set(f"choose_{name}", value)
    assert getattr(visitor.experiment, name) == value
    assert visitor.run.state.step == 1
    np.testing.assert_array_equal(visitor.run.state.params.flat(), weights)
    assert visitor.notice == ""
    visitor.step()
    assert visitor.run.state.step == 2


def test_a_retuned_run_says_that_its_address_does_not_repeat_it() -> None:
    visitor = Visitor()
    visitor.set("choose_learning_rate", 0.01)
    assert "Retuned" not in visitor.html, "before the first step the address still tells everything"
    visitor.step()
    visitor.step()
    visitor.set("choose_learning_rate", 0.1)
    told = (
        "Retuned at update 2: learning rate 0.1, clipping at 1. "
        "The address starts a new run with these values."
    )
    assert visitor.marked("retuned") == told
    visitor.step()
    assert visitor.marked("retuned") == told
    assert [t.step for t in visitor.run.state.retunings] == [2]
    visitor.set("choose_clip_norm", 3.0)
    assert visitor.marked("retuned").startswith(
        "Retuned at 2 updates, the last one 3: learning rate 0.1, clipping at 3."
    )
    visitor.press("reset")
    assert visitor.marked("retuned") == ""
    visitor.step()
    assert visitor.marked("retuned") == "", "the run is the one that its address starts"


@pytest.mark.parametrize("topology", [name for name in TOPOLOGIES if name != "many-to-one"])
def test_another_topology_brings_a_task_that_fits_and_says_so(topology: str) -> None:
    visitor = Visitor()
    visitor.set("choose_topology", topology)
    e = visitor.experiment
    assert e.topology == topology
    assert topology in TASKS[e.task].fits
    assert f"Recall needs a many-to-one network, so the task is now {TASKS[e.task].title}." in visitor.notice
    offered = visitor.widget("selectbox", "choose_task").options
    assert offered == [task.title for task in TASKS.values() if topology in task.fits]


def test_a_task_that_fits_keeps_the_topology() -> None:
    visitor = Visitor()
    visitor.set("choose_task", "adding")
    assert (visitor.experiment.task, visitor.experiment.topology) == ("adding", "many-to-one")
    assert visitor.experiment.seq_len == Experiment().seq_len != TASKS["adding"].usual_length


def test_a_delay_longer_than_the_sequence_lengthens_it_and_says_so() -> None:
    visitor = Visitor({"task": "echo", "topology": "many-to-many", "T": "20"})
    visitor.set("choose_delay", 30)
    assert (visitor.experiment.delay, visitor.experiment.seq_len) == (30, 31)
    assert "T is 31" in visitor.notice


def test_one_step_has_no_slider_for_its_length() -> None:
    visitor = Visitor({"task": "digits", "topology": "one-to-one"})
    assert "choose_seq_len" not in [slider.key for slider in visitor.tab.slider]
    assert any("T = 1" in caption.value for caption in visitor.tab.caption)


def test_the_output_can_be_fed_back_where_a_topology_allows_it() -> None:
    visitor = Visitor({"task": "sine", "topology": "many-to-many"})
    visitor.set("choose_feedback", True)
    assert visitor.experiment.feedback
    assert visitor.trace("timeline", "output fed back")
    visitor.set("choose_topology", "many-to-one")
    assert not visitor.experiment.feedback
    assert "Outputs are not fed back" in visitor.notice


# What is shown


def test_another_layer_changes_the_picture_and_not_the_run() -> None:
    visitor = Visitor({"layers": "3", "H": "8"})
    visitor.step()
    low = decoded(visitor.trace("timeline", "hidden state")["z"])
    visitor.set("layer", 2)
    high = decoded(visitor.trace("timeline", "hidden state")["z"])
    assert not np.array_equal(low, high)
    np.testing.assert_allclose(high, visitor.run.moment().snapshot.hidden[2].T, rtol=1e-6)
    assert visitor.run.state.step == 1


def test_fewer_layers_never_leave_a_layer_shown_that_is_gone() -> None:
    visitor = Visitor({"layers": "3", "H": "8"})
    visitor.set("layer", 2)
    visitor.set("choose_layers", 1)
    assert visitor.session.layer == 0


def test_the_whole_loss_can_be_shown_where_several_steps_write() -> None:
    visitor = Visitor({"task": "echo", "topology": "many-to-many"})
    alone = visitor.trace("timeline", "last output alone")
    assert "markers" in alone["mode"]
    visitor.set("whole_loss", True)
    assert "markers" in visitor.trace("timeline", "whole loss")["mode"]
    assert "markers" not in visitor.trace("timeline", "last output alone")["mode"]
    assert "whole_loss" not in [toggle.key for toggle in Visitor().tab.toggle]


def test_the_curve_can_be_relative_to_the_last_step() -> None:
    visitor = Visitor()
    visitor.set("relative", True)
    assert decoded(visitor.trace("timeline", "whole loss")["y"])[-1] == 1.0


# A text of one's own


def learn(visitor: Visitor, text: str) -> None:
    visitor.set("pasted_text", text)
    visitor.press("use_text")


def test_a_pasted_text_is_learned_from() -> None:
    visitor = Visitor(CHARACTERS)
    text = "to be, or not to be, that is the question"
    learn(visitor, text)
    assert (visitor.experiment.corpus, visitor.experiment.text) == ("own", text)
    assert from_params(visitor.params).experiment == visitor.experiment, "the link holds the text"
    visitor.step()
    assert visitor.run.state.step == 1


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "got 0. Paste a few words more."),
        ("a", "got 1. Paste a few words more."),
        ("aaaaaaaaaaaaaaaa", "at least 2 different characters"),
        ("spam " * 200_000, "got 1,000,000. Paste a shorter passage."),
    ],
    ids=["nothing", "one character", "one character many times", "a megabyte"],
)
def test_a_text_that_cannot_be_learned_from_is_refused_in_words(text: str, problem: str) -> None:
    visitor = Visitor(CHARACTERS)
    before = visitor.experiment
    learn(visitor, text)
    assert visitor.experiment == before
    assert problem in visitor.notice
    assert len(visitor.notice) < 250
    visitor.step()
    assert visitor.run.state.step == 1


def test_a_text_full_of_markup_stays_text() -> None:
    visitor = Visitor(CHARACTERS)
    learn(visitor, "<img src=x onerror=alert(1)> **bold** $x$ ")
    assert visitor.experiment.corpus == "own"
    assert not any("<img" in text for text in visitor.texts)


def test_the_longest_text_still_fits_into_the_link() -> None:
    visitor = Visitor(CHARACTERS)
    learn(visitor, ("0123456789" * 200)[:MAX_CHARACTERS])
    assert from_params(visitor.params).experiment.text == visitor.experiment.text


# A run that breaks off


def diverged() -> Visitor:
    visitor = Visitor()
    visitor.set("scenario", "exploding")
    visitor.set("speed", "max")
    visitor.press("play")
    visitor.look_until(lambda: visitor.run.finished)
    visitor.look()
    return visitor


def test_a_run_that_broke_off_explains_itself_with_its_own_numbers() -> None:
    visitor = diverged()
    divergence = visitor.run.state.divergence
    assert divergence is not None
    lesson = visitor.marked("lesson")
    assert str(divergence) in lesson
    assert re.search(r"the error grew by \d\.\d powers of ten over 39 steps\. The largest gradient", lesson)
    assert re.search(r"gradient of all weights had norm \d(\.\d)?·10\S+ \(clipping", lesson)
    assert "clipping was off" in lesson
    assert re.search(r"ρ\(Whh\) \d(\.\d)?·10[⁰¹²³⁴-⁹]+ ?σ", visitor.numbers), (
        "thrown far away, and still one short number"
    )
    assert visitor.tab.button(key="play").disabled
    assert visitor.tab.button(key="step").disabled
    assert list(visitor.figures) == ["timeline", "progress"], "there are no answers to show"
    assert not visitor.run.playing


def test_the_remedies_fit_what_happened() -> None:
    visitor = diverged()
    buttons = [b.label for b in visitor.tab.button if str(b.key).startswith("remedy")]
    assert buttons == ["Clip at 1", "Gain 1"]


@pytest.mark.parametrize("number", range(2))
def test_every_remedy_starts_a_run_that_goes_on(number: int) -> None:
    visitor = diverged()
    norms = visitor.run.state.history.columns["grad_norm"]
    cure = list(remedies(visitor.experiment, norms).values())[number]
    broken = visitor.run
    visitor.press(f"remedy_{number}")
    assert {name: getattr(visitor.experiment, name) for name in cure} == cure
    assert visitor.run is not broken
    assert visitor.run.playing or visitor.run.finished
    visitor.look_until(lambda: visitor.run.state.step > 20 or visitor.run.finished)
    assert visitor.run.state.step > 20, str(visitor.run.state.divergence)
    assert visitor.marked("lesson") == ""


def test_a_gradient_that_vanishes_gets_remedies_and_each_starts_a_run() -> None:
    visitor = Visitor()
    visitor.set("scenario", "vanishing")
    buttons = {b.label: str(b.key) for b in visitor.tab.button if str(b.key).startswith("remedy")}
    assert list(buttons) == ["Orthogonal Wₕₕ", "T = 10"]
    visitor.press(buttons["Orthogonal Wₕₕ"])
    assert (visitor.experiment.init, visitor.experiment.seq_len) == ("orthogonal", 50)
    assert visitor.run.playing
    visitor.run.pause()
    visitor.look()
    assert not [b for b in visitor.tab.button if str(b.key).startswith("remedy")], "it does not vanish"


def test_a_remedy_keeps_the_speed_and_the_axis_so_that_before_and_after_compare() -> None:
    visitor = Visitor()
    visitor.set("scenario", "vanishing")
    visitor.run.speed = None
    visitor.press("play")
    visitor.look_until(lambda: visitor.run.state.step > 5 and bool(visitor.run.spans))
    visitor.press("play")
    spans = dict(visitor.run.spans)
    assert min(low for low, _ in spans.values()) <= -60
    visitor.press("remedy_0")
    assert visitor.run.speed is None
    assert {name: visitor.run.spans[name] for name in spans} == spans


def test_a_scenario_pauses_after_the_updates_that_its_words_speak_of_and_play_goes_on() -> None:
    visitor, scenario = Visitor(), PRESETS["vanishing"]
    visitor.set("scenario", "vanishing")
    train_here(visitor.run, scenario.steps - 1)
    visitor.look()
    assert scenario.promise in visitor.marked("story")
    visitor.press("play")
    visitor.look_until(lambda: not visitor.run.playing)
    visitor.look()
    assert visitor.run.state.step == scenario.steps
    said = visitor.marked("story")
    assert f"Paused after {scenario.steps:,} updates" in said
    assert f"accuracy {visitor.run.state.metric:.0%}, and guessing among the symbols gives 25%" in said
    visitor.press("play")
    visitor.look_until(lambda: visitor.run.state.step > scenario.steps)
    visitor.look()
    assert visitor.run.playing
    assert "the weights may grow" in visitor.marked("story")
    assert scenario.promise not in visitor.marked("story")


@pytest.mark.parametrize("name", [name for name, preset in PRESETS.items() if preset.ends is None])
def test_a_scenario_that_names_no_number_of_updates_plays_on(name: str) -> None:
    visitor = Visitor()
    visitor.set("scenario", name)
    assert visitor.run.until is None


def test_a_solved_task_needs_no_remedy_even_if_its_gradient_vanishes() -> None:
    visitor = Visitor(to_params(Experiment(seq_len=50, gain=0.9)))
    assert [b for b in visitor.tab.button if str(b.key).startswith("remedy")], "it vanishes at first"
    now = visitor.run.moment()
    visitor.run._newest = replace(now.state, metric=1.0), now.snapshot
    visitor.look()
    assert not [b for b in visitor.tab.button if str(b.key).startswith("remedy")]


@pytest.mark.parametrize(
    ("settings", "offered"),
    [
        ({"activation": "relu"}, ["Identity W_hh", "T = 10"]),
        ({"activation": "relu", "init": "identity"}, ["T = 10"]),
        ({"cell": "gru"}, ["Chrono initialisation", "T = 10"]),
        ({"cell": "gru", "init": "chrono"}, ["T = 10"]),
        ({"cell": "lru"}, ["T = 10"]),
        ({"gain": 0.9}, ["Orthogonal W_hh", "T = 10"]),
        ({"cell": "feed-forward"}, []),
    ],
)
def test_remedies_for_vanishing_are_those_that_change_something(
    settings: dict[str, Any], offered: list[str]
) -> None:
    assert list(remedies_for_vanishing(Experiment(seq_len=50, **settings))) == offered


@pytest.mark.parametrize("init", ["small-normal", "pytorch", "orthogonal"])
@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_a_gated_cell_alone_is_no_remedy_but_chrono_is(cell: str, init: str) -> None:
    """So only chrono is offered; as the README says, gates alone do not save a gradient."""
    flows = [gradient_flow(Experiment(seq_len=50, cell=cell, init=init, seed=seed)) for seed in range(5)]
    assert {flow.verdict for flow in flows} == {"vanishing"}
    flows = [gradient_flow(Experiment(seq_len=50, cell=cell, init="chrono", seed=seed)) for seed in range(20)]
    assert {flow.verdict for flow in flows} == {"healthy"}


def test_after_a_break_off_a_gentler_update_starts_anew() -> None:
    visitor = diverged()
    visitor.set("choose_clip_norm", 1.0)
    assert visitor.run.state.step == 0
    assert not visitor.run.finished
    assert not visitor.tab.button(key="play").disabled


def test_a_problem_with_the_workers_is_said_on_the_page() -> None:
    visitor = Visitor()
    visitor.run.problem = "Training stopped: no <b>room</b>"
    visitor.look()
    assert visitor.notice == "Training stopped: no <b>room</b>"


def _choice_of_one() -> None:
    import streamlit as st

    from rnnviz.ui.widgets import one_of

    st.write(one_of("Colour", {"red": 1, "blue": 2}, str.upper, key="colour"))


def test_a_choice_of_one_begins_with_the_first_and_is_seen_without_its_label() -> None:
    tab = AppTest.from_function(_choice_of_one).run()
    choice = tab.button_group(key="colour")
    assert (tab.markdown[0].value, choice.options) == ("red", ["RED", "BLUE"])
    assert choice.proto.label_visibility.value == LabelVisibility.COLLAPSED
    choice.set_value("blue")
    assert tab.run().markdown[0].value == "blue"
    assert tab.run().markdown[0].value == "blue", "a rerun keeps it"


def test_choices_without_a_visible_label_are_made_in_one_place() -> None:
    for file in (ROOT / "rnnviz" / "ui").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(".segmented_control"):
                unlabelled = "label_visibility" in {keyword.arg for keyword in node.keywords}
                assert unlabelled == (file.name == "widgets.py"), f"{file.name}: use widgets.one_of"
