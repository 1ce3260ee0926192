"""Runs on the shelf: kept as they are, compared, opened again, deleted."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape

import numpy as np
import pytest

from rnnviz import Experiment, train
from rnnviz.experiment.links import to_params
from rnnviz.figures.kept_runs import KeptRun, kept_runs_spec
from rnnviz.training.keyframes import Keyframes
from rnnviz.training.loop import start
from rnnviz.ui.live_run import COPY_BYTES, LiveRun
from rnnviz.ui.shelf import LONGEST_NAME, MOST, Shelf
from tests.visitor import Tab, train_here

SMALL = Experiment(seq_len=5, hidden_size=6, batch_size=8)


def trained(e: Experiment = SMALL, steps: int = 12) -> LiveRun:
    run = LiveRun(e)
    train_here(run, steps)
    run.keyframes.keep(run.state)
    return run


class Visitor(Tab):
    """A visitor who trains in the playground and keeps what comes of it."""

    def __init__(self, e: Experiment = SMALL) -> None:
        super().__init__("playground", **to_params(e))

    def train_and_keep(self, steps: int) -> None:
        train_here(self.run, steps)
        self.run.keyframes.keep(self.run.state)
        self.look()
        self.press("keep_run")

    def change(self, **settings: object) -> None:
        self.session.choose(**settings)
        self.look()

    def open_shelf(self) -> None:
        self.go("side_by_side")
        view = next(w for w in self.tab.segmented_control if "beside" in str(w.key))
        view.set_value("kept")
        self.look()

    @property
    def captions(self) -> str:
        return " ".join(caption.value for caption in self.tab.caption)

    @property
    def table(self) -> list[list[str]]:
        html = next(text for text in self.texts if "kept-runs" in text and "<table" in text)
        rows = re.findall(r"<tr>(.*?)</tr>", html, re.S)
        return [
            [unescape(re.sub("<[^>]+>", "", cell)) for cell in re.findall(r"<t[hd].*?</t[hd]>", row)]
            for row in rows
        ]


def test_a_copy_stays_as_it_was_and_the_run_goes_on() -> None:
    run = trained()
    copy = run.copy()
    train_here(run, 5)
    assert (copy.state.step, run.state.step) == (12, 17)
    assert not copy.playing
    assert (copy.state.params.flat() == train(SMALL, 12).params.flat()).all()
    assert (copy.initial.last[-1] == run.initial.last[-1]).all()


def test_a_copy_can_be_looked_back_at_in_less_memory() -> None:
    states = [start(Experiment(hidden_size=128, layers=3))]
    kept = Keyframes(states[0])
    for step in range(1, 8):
        kept.keep(replace(states[0], step=step))
    copy = kept.copy(COPY_BYTES)
    assert copy.nbytes <= max(COPY_BYTES, 2 * kept.nbytes / len(kept.steps))
    assert (copy.steps[0], copy.newest.step) == (0, 7)
    assert kept.steps == list(range(len(kept.steps))), "and the original has all it had"


def test_the_shelf_holds_eight_and_says_so() -> None:
    shelf, run = Shelf(), trained()
    names = [shelf.keep(run).name for _ in range(MOST)]
    assert names == [f"Run {n}" for n in range(1, MOST + 1)]
    with pytest.raises(ValueError, match="holds 8 runs"):
        shelf.keep(run)
    shelf.runs.remove(shelf.runs[0])
    assert shelf.keep(run).name == "Run 9", "a name is not given twice"


def test_a_name_that_is_empty_too_long_or_taken_is_refused() -> None:
    shelf, run = Shelf(), trained()
    kept, other = shelf.keep(run), shelf.keep(run)
    shelf.rename(kept, "  my  best  ")
    assert kept.name == "my best"
    for name, why in {
        " ": "needs a name",
        "x" * (LONGEST_NAME + 1): "at most 40 characters; got 41",
        "Run 2": "Another run is called Run 2",
        "RUN 2": "Another run is called",
    }.items():
        with pytest.raises(ValueError, match=why):
            shelf.rename(kept, name)
        assert kept.name == "my best"
    shelf.rename(other, "run 3")
    assert shelf.keep(run).name == "Run 4", "as the visitor gave the name Run 3 to another"


def test_the_metric_is_that_of_the_kept_weights() -> None:
    """Training measures after 10 and 20 updates: here the goal is first reached in between."""
    kept = Shelf().keep(trained(Experiment(seed=1), 19))
    alone = train(Experiment(seed=1), 19)
    assert (kept.metric, kept.drawn.metric) == (alone.metric, alone.metric)
    assert kept.solved_at == 19
    assert alone.state.metric != alone.metric
    shown = next(t for t in kept_runs_spec([kept.drawn])["data"] if t["xaxis"] == "x2")
    assert (shown["x"][-1], shown["y"][-1]) == (19, alone.metric)
    for step in range(1, 9):
        early = Shelf().keep(trained(SMALL, step))
        assert early.metric == train(SMALL, step).metric


def test_what_is_refused_is_said_and_a_renamed_run_stays_chosen() -> None:
    visitor = Visitor()
    visitor.train_and_keep(3)
    visitor.change(cell="gru")
    visitor.train_and_keep(3)
    visitor.open_shelf()
    visitor.widget("selectbox", "shelf_run").set_value(2)
    visitor.look()

    def rename(name: str) -> None:
        visitor.widget("text_input", "shelf_name").set_value(name)
        visitor.look()

    rename("<b>gru</b>, {mine}")
    chosen = visitor.widget("selectbox", "shelf_run")
    assert chosen.options == ["Run 1", "<b>gru</b>, {mine}"]
    assert chosen.value == 2
    rename("Run 1")
    assert "Another run is called Run 1: this one is still called" in visitor.html
    assert visitor.widget("selectbox", "shelf_run").value == 2
    assert visitor.widget("text_input", "shelf_name").value == "<b>gru</b>, {mine}"
    rename("gru")
    assert visitor.widget("selectbox", "shelf_run").value == 2
    assert "Another run" not in visitor.html


def test_the_chart_shows_a_name_as_it_was_written() -> None:
    kept = Shelf().keep(trained())
    kept.name = "<b>x</b>, %{y}"
    curves = kept_runs_spec([kept.drawn])["data"]
    assert {curve["legendgroup"] for curve in curves} == {"0"}
    for curve in curves:
        assert unescape(curve["name"]).startswith(kept.name)
        assert "<b>" not in curve["name"] + curve["hovertemplate"]
        assert "%{y}" not in curve["hovertemplate"]


def test_runs_of_different_tasks_are_said_not_to_be_comparable() -> None:
    visitor = Visitor()
    visitor.train_and_keep(3)
    visitor.change(seq_len=7)
    visitor.train_and_keep(3)
    visitor.open_shelf()
    assert "cannot be compared" not in visitor.html
    assert "cannot be A and B, which have the same data: they differ in" in visitor.captions
    visitor.go("playground")
    visitor.change(task="adding")
    visitor.train_and_keep(3)
    visitor.open_shelf()
    assert "whose losses and metrics cannot be compared" in visitor.html


def test_a_full_shelf_is_said_when_keep_is_pressed() -> None:
    visitor = Visitor()
    visitor.train_and_keep(3)
    for _ in range(MOST):
        visitor.press("keep_run")
    assert len(visitor.session.shelf.runs) == MOST
    assert "The shelf holds 8 runs: delete one under Side by side, Kept." in visitor.html


def test_the_table_shows_only_what_differs_and_what_came_of_it() -> None:
    visitor = Visitor()
    visitor.train_and_keep(10)
    assert any("Kept as Run 1 (1 of 8)" in note for note in visitor.notes + visitor.texts)
    visitor.change(cell="lstm", init="chrono")
    visitor.train_and_keep(4)
    visitor.open_shelf()
    head, first, second = visitor.table
    assert head[:4] == ["run", "Cell", "Initialisation", "updates"]
    assert (first[1], second[1]) == ("vanilla", "lstm")
    assert (first[3], second[3]) == ("10", "4")
    assert "kept_runs" in visitor.messages


def test_two_runs_open_as_a_and_b_unless_their_data_differ() -> None:
    visitor = Visitor()
    visitor.train_and_keep(3)
    visitor.change(cell="gru")
    visitor.train_and_keep(3)
    visitor.change(seq_len=7)
    visitor.train_and_keep(3)
    visitor.open_shelf()
    visitor.press("shelf_pair")
    params = dict(visitor.tab.query_params)
    assert visitor.session.experiment == SMALL
    assert params["b.cell"] in ("gru", ["gru"])
    visitor.open_shelf()
    visitor.widget("selectbox", "shelf_other").set_value(3)
    visitor.look()
    assert visitor.tab.button(key="shelf_pair").disabled


def test_kept_runs_have_no_settings_beside_them() -> None:
    visitor = Visitor()
    visitor.train_and_keep(3)
    visitor.go("side_by_side")
    assert [box.key for box in visitor.tab.sidebar.selectbox if box.key == "choose_task"]
    visitor.open_shelf()
    assert not visitor.tab.sidebar.selectbox
    assert not visitor.tab.sidebar.number_input
    assert not visitor.tab.sidebar.slider
    assert "no setting changes them" in visitor.captions


def test_deleted_runs_are_gone_and_an_empty_shelf_says_how_to_fill_it() -> None:
    visitor = Visitor()
    visitor.train_and_keep(3)
    visitor.open_shelf()
    visitor.press("shelf_drop")
    assert visitor.session.shelf.runs == []
    assert "press Keep" in visitor.html


def test_a_deleted_run_comes_back_in_its_place() -> None:
    visitor = Visitor()
    for _ in range(3):
        visitor.train_and_keep(3)
    visitor.open_shelf()
    assert not [b for b in visitor.tab.button if b.key == "shelf_undo"]
    runs = list(visitor.session.shelf.runs)
    visitor.widget("selectbox", "shelf_run").set_value(2)
    visitor.look()
    visitor.press("shelf_drop")
    assert visitor.session.shelf.runs == [runs[0], runs[2]]
    visitor.press("shelf_undo")
    assert visitor.session.shelf.runs == runs
    assert visitor.widget("selectbox", "shelf_run").value == 2
    assert visitor.widget("text_input", "shelf_name").value == "Run 2"
    assert not [b for b in visitor.tab.button if b.key == "shelf_undo"]


def test_the_last_run_comes_back_to_an_empty_shelf() -> None:
    visitor = Visitor()
    visitor.train_and_keep(3)
    visitor.open_shelf()
    visitor.press("shelf_drop")
    visitor.press("shelf_undo")
    assert [kept.name for kept in visitor.session.shelf.runs] == ["Run 1"]


def test_a_run_comes_back_only_where_there_is_room_and_never_with_the_name_of_another() -> None:
    shelf = Shelf()
    first = shelf.keep(trained())
    shelf.delete(first)
    for _ in range(MOST):
        shelf.keep(trained())
    assert not shelf.can_put_back
    shelf.put_back()
    assert len(shelf.runs) == MOST
    longest = "x" * (LONGEST_NAME - 2) + " 2"
    shelf.rename(shelf.runs[0], longest)
    shelf.delete(shelf.runs[0])
    shelf.rename(shelf.runs[0], longest.upper())
    shelf.put_back()
    assert [run.name for run in shelf.runs[:2]] == [f"Run {MOST + 2}", longest.upper()]


def test_each_run_has_its_own_line_and_infinite_values_are_left_out() -> None:
    drawn = []
    for number, kept in enumerate([trained()] * 8):
        seen = KeptRun.of(f"Run {number}", SMALL, kept.state, 1.0, kept.initial, kept.initial)
        drawn.append(seen)
    before, now = np.array([np.inf, 0.0, 1.0]), np.array([np.nan, 1.0, 2.0])
    broken = KeptRun("broken", drawn[0].progress, 12, 1.0, before, now)
    spec = kept_runs_spec([*drawn, broken])
    lines = {(trace["line"]["color"], trace["line"]["dash"]) for trace in spec["data"] if trace["showlegend"]}
    assert len(lines) == 9
    before = spec["data"][-2]["y"]
    assert np.isnan(before[:2]).all()
    assert before[2] == 1.0


def test_nothing_is_kept_before_the_first_update() -> None:
    visitor = Visitor()
    visitor.press("keep_run")
    assert visitor.session.shelf.runs == []
    assert "nothing to keep yet" in visitor.html
