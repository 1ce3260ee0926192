"""The five topologies on their page: drawn from the engine's masks, lit up step by step, each with a door."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from rnnviz import TASKS, TOPOLOGIES
from rnnviz.experiment.links import from_params
from rnnviz.figures import DARK, LIGHT, Theme
from rnnviz.figures.unrolled import Unrolled, farthest, unrolled_spec
from rnnviz.ui.topologies import LONGEST, SHORTEST, TELLINGS, doing, steps_of
from tests.visitor import Tab

SHELL = Path(__file__).parents[2] / "rnnviz" / "ui" / "shell.py"
themes = pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
lengths = pytest.mark.parametrize("length", [SHORTEST, 6, LONGEST])


def drawn(spec: dict[str, Any], name: str) -> dict[str, Any]:
    (trace,) = [trace for trace in spec["data"] if trace["name"] == name]
    return dict(trace)


def ends(spec: dict[str, Any], name: str) -> np.ndarray:
    """The edges of one name, done and to come: (n, 2), from which step to which."""
    both = [np.reshape(drawn(spec, f"{name}, {when}")["x"], (-1, 4)) for when in ("done", "to come")]
    edges = np.concatenate(both)[:, [0, 2]]
    return edges[np.argsort(edges[:, 0])]


# The picture


@lengths
@pytest.mark.parametrize("name", TOPOLOGIES)
def test_nodes_and_edges_are_the_engines_masks(name: str, length: int) -> None:
    T = steps_of(name, length)
    masks = TOPOLOGIES[name].masks(T)
    reads, writes = 1 + np.flatnonzero(masks.reads), 1 + np.flatnonzero(masks.writes)
    for now in (None, 1, T):
        spec = unrolled_spec(Unrolled(masks, now=now))
        np.testing.assert_array_equal(drawn(spec, "input x")["x"], reads)
        np.testing.assert_array_equal(drawn(spec, "hidden h")["x"], np.arange(1, T + 1))
        np.testing.assert_array_equal(drawn(spec, "output y")["x"], writes)
        np.testing.assert_array_equal(ends(spec, "reads"), np.stack([reads, reads], axis=1))
        np.testing.assert_array_equal(ends(spec, "writes"), np.stack([writes, writes], axis=1))
        loop = np.arange(1, T)
        np.testing.assert_array_equal(ends(spec, "remembers"), np.stack([loop, loop + 1], axis=1))


@themes
def test_the_present_step_is_filled_the_future_is_grey(theme: Theme) -> None:
    spec = unrolled_spec(Unrolled(TOPOLOGIES["many-to-many"].masks(5), now=3), theme)
    for name, colour in (("input x", theme.input), ("hidden h", theme.hidden), ("output y", theme.output)):
        marker = drawn(spec, name)["marker"]
        filled = [inside == rim for inside, rim in zip(marker["color"], marker["line"]["color"], strict=True)]
        assert filled == [False, False, True, False, False]
        assert np.argmax(marker["size"]) == 2, "not by colour alone"
        assert marker["line"]["color"] == [colour] * 3 + [theme.target] * 2
    edges = np.reshape(drawn(spec, "remembers, done")["x"], (-1, 4))
    np.testing.assert_array_equal(edges[:, 2], [2, 3]), "the state has come as far as step 3"


@pytest.mark.parametrize("name", TOPOLOGIES)
def test_what_is_said_of_a_step_is_what_its_column_shows(name: str) -> None:
    masks = TOPOLOGIES[name].masks(steps_of(name, 6))
    for t in range(1, 7):
        said = doing(masks, t)
        if t > len(masks.reads):
            assert said == "is done"
            continue
        assert ("reads" in said, "writes" in said) == (masks.reads[t - 1], masks.writes[t - 1])
        assert "computes" in said


@lengths
@pytest.mark.parametrize("name", TOPOLOGIES)
def test_the_errors_way_leads_from_the_last_output_to_the_first_input(name: str, length: int) -> None:
    T = steps_of(name, length)
    masks = TOPOLOGIES[name].masks(T)
    spec = unrolled_spec(Unrolled(masks, error_path=True))
    text = spec["layout"]["annotations"][-1]["text"]
    assert farthest(masks) == T - 1
    if T == 1:
        assert "no earlier step to reach" in text
        return
    assert f"{T - 1} steps back" in text
    assert drawn(spec, "the error's path back")["x"].tolist() == [T, 1]


# The page


class Visitor:
    def __init__(self) -> None:
        self.tab = AppTest.from_file(str(SHELL), default_timeout=30)
        self.tab.switch_page(str(SHELL.parents[2] / "pages" / "types.py"))
        self.look()

    def look(self) -> None:
        self.tab.run()
        assert [error.message for error in self.tab.exception] == []

    def slide(self, key: str, value: int) -> None:
        self.tab.slider(key=key).set_value(value)
        self.look()

    @property
    def figures(self) -> dict[str, dict[str, Any]]:
        sent = [e.proto.bytes for e in self.tab.get("bidi_component") if e.proto.bytes]
        return {figure["name"]: figure for figure in map(json.loads, sent)}

    @property
    def words(self) -> str:
        html = " ".join(str(element.proto.body) for element in self.tab.get("html"))
        return unescape(re.sub(r"<style.*?</style>|<[^>]+>", "", html, flags=re.DOTALL))


def test_all_five_stand_side_by_side_with_name_example_and_distance() -> None:
    visitor = Visitor()
    assert list(visitor.figures) == [f"type_{name}" for name in TOPOLOGIES]
    assert list(TELLINGS) == list(TOPOLOGIES)
    for name, topology in TOPOLOGIES.items():
        assert topology.title in visitor.words
        assert TELLINGS[name].example in visitor.words
    assert "must travel 5 steps back" in visitor.words
    for example in ("general machine-learning", "captioning", "Sentiment", "frame by frame", "translation"):
        assert example in visitor.words


def test_a_slider_redraws_all_five_and_the_moment_stays_within() -> None:
    visitor = Visitor()
    visitor.slide("types_T", LONGEST)
    visitor.slide("types_t", LONGEST)
    assert (
        "unrolled over 10 steps. At t = 10 it reads, computes, writes"
        in (visitor.figures["type_many-to-one"]["label"])
    )
    visitor.slide("types_T", SHORTEST)
    assert visitor.tab.slider(key="types_t").value == SHORTEST
    assert "unrolled over 3 steps" in visitor.figures["type_one-to-many"]["label"]
    assert "unrolled over 1 step." in visitor.figures["type_one-to-one"]["label"]
    assert "must travel 2 steps back" in visitor.words


def test_every_topology_has_a_door_to_its_usual_task() -> None:
    links = [link.proto for link in Visitor().tab.get("page_link")]
    doors = [link for link in links if link.label.startswith("Try: ")]
    for topology, link in zip(TOPOLOGIES, doors, strict=True):
        assert link.page == "playground"
        opened = from_params(dict(parse_qsl(link.query_string)))
        assert (opened.ignored, opened.adjusted) == ([], [])
        assert opened.experiment.topology == topology
        assert link.label == f"Try: {TASKS[opened.experiment.task].title}"
        assert (
            topology == TASKS[opened.experiment.task].fits[0] or len(TASKS[opened.experiment.task].fits) > 1
        )
        opened.experiment.network()


def test_a_switch_shows_shapes_in_place_of_examples() -> None:
    tab = Tab("types")
    assert "class='shapes'" not in tab.html
    tab.tab.toggle(key="types_shapes").set_value(True)
    tab.look()
    assert tab.html.count("class='shapes'") == len(TOPOLOGIES)
    assert "(T, B, I)" in tab.html
    assert "return_sequences=True" in tab.html
    assert "Image captioning" not in tab.html
