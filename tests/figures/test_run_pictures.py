"""Pictures that workers draw: they can be pickled, compared, and show the moment they are given."""

from __future__ import annotations

import json
import pickle
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from rnnviz import Experiment, take_snapshot, train
from rnnviz.figures import DARK, LIGHT
from rnnviz.figures.message import CAPTION_HEIGHT, Place
from rnnviz.figures.run_pictures import (
    AnswersPicture,
    Draw,
    Moment,
    ProgressPicture,
    TimelinePicture,
    curves_only,
    in_figures,
)
from rnnviz.figures.timeline import FLOORS

PLACE = Place("somewhere", 200)


def moment(e: Experiment, steps: int = 3, **changes: Any) -> Moment:
    """A moment as a worker knows it."""
    state = train(e, steps).state
    initial = curves_only(take_snapshot(e, e.init(e.rng("weights")), 0))
    return replace(Moment(e, state, take_snapshot(e, state.params, steps), initial), **changes)


@pytest.mark.parametrize(
    "draw", [TimelinePicture(PLACE, LIGHT), ProgressPicture(PLACE, LIGHT), AnswersPicture(PLACE, LIGHT)]
)
def test_a_picture_travels_to_a_worker_and_is_the_same_there(draw: Draw) -> None:
    copy, now = pickle.loads(pickle.dumps(draw)), moment(Experiment(seq_len=6))  # noqa: S301
    assert copy == draw
    assert copy(now) == draw(now)
    message = json.loads(draw(now))
    assert (message["name"], message["height"]) == ("somewhere", 200)
    assert len(message["data"]) > 0
    other = replace(draw, theme=DARK)  # type: ignore[type-var]
    assert other != draw


def test_the_timeline_shows_the_initial_curve_without_its_other_arrays() -> None:
    now = moment(Experiment(seq_len=6))
    assert now.initial.hidden == ()
    traces = {trace["name"] for trace in json.loads(TimelinePicture(PLACE, LIGHT)(now))["data"]}
    assert "before training" in traces


def test_a_painted_timeline_lacks_nothing_but_the_values_to_hover_over() -> None:
    now = moment(Experiment(task="echo", topology="many-to-many", delay=2, seq_len=6))
    read, painted = (
        json.loads(TimelinePicture(PLACE, LIGHT)(replace(now, painted=p))) for p in (False, True)
    )
    values = [(trace.pop("customdata"), trace.pop("hovertemplate")) for trace in read["data"][-3:]]
    assert all(len(told) == 6 for told, _ in values)
    assert read == painted


def test_the_axis_of_the_gradient_never_becomes_narrower() -> None:
    now = moment(Experiment(seq_len=6))
    draw = TimelinePicture(PLACE, LIGHT)
    axis = "yaxis3"
    before = json.loads(draw(now))["layout"][axis]["range"]
    now.spans[(0, False, False)] = (FLOORS[3], 2)
    assert before[0] > FLOORS[3]
    assert json.loads(draw(now))["layout"][axis]["range"][0] == FLOORS[3]
    assert now.spans[(0, False, False)] == (FLOORS[3], 2)


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"rate": 1234.0}, "1,234 updates/s"), ({"playing": True}, "training…"), ({}, "paused")],
)
def test_the_key_numbers_say_how_fast_it_trains(changes: dict[str, Any], words: str) -> None:
    line = re.sub("<.*?>", "", in_figures(moment(Experiment(seq_len=6), **changes), 0))
    assert line.startswith("update 3")
    assert words in line
    assert "gradient healthy" in line


def test_a_vanishing_gradient_is_no_alarm_once_the_task_is_solved() -> None:
    now = moment(Experiment(seq_len=50, init="small-normal"))
    solved = replace(now, state=replace(now.state, metric=1.0))
    red, calm = in_figures(now, 0), in_figures(solved, 0)
    assert "class='verdict vanishing'" in red
    assert "class='verdict solved'" in calm
    assert "gradient <b>vanishing</b>" in calm, "the verdict stays what it is"
    assert "Units may saturate" in calm
    assert "Units may saturate" not in red
    for theme in (LIGHT, DARK):
        drawn = [TimelinePicture(PLACE, theme)(m).decode() for m in (now, solved)]
        assert [f"color:{theme.bad}" in picture for picture in drawn] == [True, False]
        assert ["yet solved" in picture for picture in drawn] == [False, True]


def test_a_place_on_a_projector_is_larger_in_all_that_counts() -> None:
    small, large = PLACE, replace(PLACE, projector=True)
    assert large.room() > small.room() == 200
    assert small.room(captioned=True) == 200 + CAPTION_HEIGHT
    assert large.room(captioned=True) - large.room() > CAPTION_HEIGHT
    spec = {"data": [{"x": np.arange(3.0)}, {"x": []}], "layout": {"font": {"size": 10}}}
    drawn = [json.loads(place.message(spec, "a line", "words")) for place in (small, large)]
    assert [message["layout"]["font"]["size"] for message in drawn] == [10, 14]
    assert [len(message["data"]) for message in drawn] == [1, 1], "empty traces are left out"
    assert drawn[0]["caption"] == "words"
