"""A link holds the whole experiment, and no link can break the app."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rnnviz import PRESETS, TASKS, TOPOLOGIES, Experiment
from rnnviz.experiment import Choice, choices
from rnnviz.experiment.fitting import nearest
from rnnviz.experiment.links import from_params, to_params

READABLE = st.characters(codec="utf-8", exclude_categories=["C"])
WELL_KNOWN = {"topology", "task", "T", "H", "layers", "cell", "activation", "init", "gain"} | {
    *("optimizer", "lr", "clip", "batch", "seed")
}
HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[click](javascript:alert(1))",
    "**bold** _it_ `code` $x$ \\[ \\]",
    "&lt;b&gt;",
    "\x00\x1b[31m\n\r\t",
    "‮ reversed",
    "'; DROP TABLE runs; --",
    "{0.__class__}",
)
NONSENSE = (
    "",
    " ",
    "abc",
    "nan",
    "-nan",
    "inf",
    "-inf",
    "1e999",
    "9" * 4000,
    "-1",
    "9999",
    "٣٢",  # 32 in Arabic digits, which int() reads
    "３２",
    "0x20",
    "1e3j",
    "None",
    "x" * 1_000_000,
    *HOSTILE,
)

SERIES_DATA = (
    "",
    "1 2 3",
    "no numbers, but thirty words: " * 6,
    "5 " * 40,
    " ".join(str(n * n % 17) for n in range(30)),
    " ".join(str(100 + n * n % 17) for n in range(400)),
    " ".join(f"{1.1**n:.6g}" for n in range(64)),
)
"""User series: the first four are invalid."""


def values(name: str, choice: Choice) -> st.SearchStrategy[Any]:
    """Every value that is valid for a field by itself."""
    if name == "text":
        return st.text(READABLE, min_size=0, max_size=60)
    if name == "data":
        return st.sampled_from(SERIES_DATA)
    if choice.kind == "name":
        return st.sampled_from(sorted(choice.names))
    if choice.kind == "switch":
        return st.booleans()
    span: st.SearchStrategy[Any] = (
        st.integers(int(choice.low), int(choice.high))
        if choice.kind == "integer"
        else st.floats(choice.low, choice.high)
    )
    return st.none() | span if choice.optional else span


WISHES = st.fixed_dictionaries({}, optional={name: values(name, c) for name, c in choices().items()})
"""Some fields, each valid by itself, possibly in conflict."""

EXPERIMENTS = WISHES.map(lambda wishes: nearest(wishes)[0])
"""Valid experiments."""


def told(e: Experiment) -> Experiment:
    """The experiment with the options of other tasks, which change nothing in it, at their defaults."""
    unread = {option for task in TASKS.values() for option in task.options} - set(TASKS[e.task].options)
    if e.corpus != "own":
        unread |= {"text"}
    if e.series != "own":
        unread |= {"data"}
    return replace(e, **{name: getattr(Experiment(), name) for name in unread})


# Round trip


@settings(max_examples=150, deadline=None)
@given(e=EXPERIMENTS)
@example(e=Experiment(gain=0.1 + 0.2, learning_rate=1e-6, clip_norm=None))
@example(e=PRESETS["echo"].experiment)
@example(e=Experiment(truncate=10))
def test_a_link_opens_the_experiment_that_it_was_made_from(e: Experiment) -> None:
    opened = from_params(to_params(e))
    assert opened.experiment == told(e)
    assert (opened.ignored, opened.adjusted) == ([], [])


def test_truncation_is_in_a_link_only_where_there_is_some() -> None:
    assert to_params(Experiment(truncate=10))["bptt"] == "10"
    assert "bptt" not in to_params(Experiment())
    assert from_params({"bptt": "none"}).experiment == Experiment()
    assert from_params({"bptt": "0"}).ignored == [
        "bptt=0 (expected a whole number between 1 and 200 or none)"
    ]


@given(e=EXPERIMENTS)
def test_the_well_known_parameters_are_always_there(e: Experiment) -> None:
    params = to_params(e)
    assert set(params) >= WELL_KNOWN
    assert set(params) <= {choice.url for choice in choices().values()}
    assert all(isinstance(text, str) for text in params.values())


def test_numbers_are_written_as_a_person_would() -> None:
    params = to_params(Experiment(gain=1.0, learning_rate=0.003, clip_norm=None, feedback=False))
    assert (params["gain"], params["lr"], params["clip"], params["T"]) == ("1", "0.003", "none", "20")
    assert "feedback" not in params


@pytest.mark.parametrize("task", TASKS)
def test_a_link_holds_the_options_of_its_own_task_only(task: str) -> None:
    e, _ = nearest({"task": task}, first={"task"})
    others = {option for other in TASKS.values() for option in other.options} - set(TASKS[task].options)
    assert not set(to_params(e)) & {choices()[name].url for name in others}


def test_an_own_text_travels_in_the_link() -> None:
    text = "to be, or not to be?\n= & % + # é 日本"
    e = Experiment(task="characters", topology="many-to-many", corpus="own", text=text)
    assert from_params(to_params(e)).experiment.text == text


def test_an_own_series_travels_in_the_link() -> None:
    data = SERIES_DATA[-1]
    e = Experiment(task="series", topology="many-to-many", seq_len=12, series="own", data=data)
    assert to_params(e)["data"] == data
    assert from_params(to_params(e)).experiment == e
    assert "data" not in to_params(replace(e, series="stock")), "a series that is not used stays at home"


def test_an_empty_link_opens_the_defaults() -> None:
    assert from_params({}).experiment == Experiment()


def test_some_parameters_are_enough() -> None:
    assert from_params({"T": "50", "init": "small-normal"}).experiment == Experiment(
        seq_len=50, init="small-normal"
    )


# Invalid links


@pytest.mark.parametrize("name", [name for name, choice in choices().items() if choice.kind != "text"])
def test_a_bad_value_is_ignored_and_said(name: str) -> None:
    url = choices()[name].url
    for nonsense in set(NONSENSE) - ({"9999"} if name == "seed" else set()):  # a seed may be that large
        opened = from_params({url: nonsense, "text": "kept"})
        assert opened.experiment == Experiment(text="kept"), nonsense[:40]
        assert [entry.split("=")[0] for entry in opened.ignored] == [url], nonsense[:40]


def test_what_is_wrong_leaves_what_is_right() -> None:
    opened = from_params({"T": "9999", "H": "16", "task": "recal", "seed": "7", "colour": "red"})
    assert opened.experiment == Experiment(hidden_size=16, seed=7)
    assert [entry.split("=")[0].split(" ")[0] for entry in opened.ignored] == ["T", "task", "colour"]
    assert opened.ignored[0] == "T=9999 (expected a whole number between 1 and 200)"


@pytest.mark.parametrize("hostile", HOSTILE)
def test_what_is_said_of_a_hostile_link_is_harmless(hostile: str) -> None:
    opened = from_params({"T": hostile, hostile: "1", "topology": hostile})
    assert len(opened.ignored) == 3
    for entry in opened.ignored:
        foreign = entry.split(" (")[0]
        assert not set(foreign.split("=", 1)[-1]) & set("<>&`*_[]$\\\n\r\t\x00\x1b")
        assert foreign.isprintable()
        assert len(entry.partition(" (expected")[0]) < 60, (
            "the rest lists the choices, none of it from the link"
        )


@pytest.mark.parametrize("name", ["T", "lr", "task", "text", "feedback", "x" * 1_000_000])
def test_a_megabyte_is_refused_at_once(name: str) -> None:
    begun = time.perf_counter()
    opened = from_params({"task": "characters", "corpus": "own"} | {name: "7" * 1_000_000})
    assert time.perf_counter() - begun < 1.0
    assert sum(map(len, [*opened.ignored, *opened.adjusted])) < 500


@pytest.mark.parametrize("data", ["7" * 1_000_000, "7 " * 500_000, "7 8 " * 40_000 + "x"])
def test_a_megabyte_of_data_is_refused_at_once(data: str) -> None:
    begun = time.perf_counter()
    opened = from_params({"task": "series", "series": "own", "data": data})
    assert time.perf_counter() - begun < 1.0
    assert (opened.experiment.series, opened.experiment.data) == ("airline", "")
    assert [note.split(":")[0] for note in opened.adjusted] == ["Your series was not used"]
    assert len(opened.adjusted[0]) < 250


SAID = ("own", "true", "0", "1", "200", "-5")


@settings(max_examples=150, deadline=None)
@given(
    params=st.dictionaries(
        st.sampled_from([choice.url for choice in choices().values()]) | st.text(max_size=8),
        st.text(max_size=12) | st.sampled_from([*TASKS, *TOPOLOGIES, *SERIES_DATA, *SAID]),
        max_size=8,
    )
)
def test_no_link_can_raise(params: dict[str, str]) -> None:
    opened = from_params(params)
    known = {choice.url for choice in choices().values()}
    assert len([entry for entry in opened.ignored if entry.endswith("(unknown)")]) == len(set(params) - known)
    assert from_params(to_params(opened.experiment)).experiment == told(opened.experiment)


# Links with conflicting settings


def test_a_task_says_more_than_a_topology() -> None:
    opened = from_params({"task": "echo", "topology": "one-to-one"})
    assert (opened.experiment.task, opened.experiment.topology) == ("echo", "many-to-many")
    assert len(opened.adjusted) == 1
    assert "Echo does not fit a one-to-one network" in opened.adjusted[0]


def test_a_topology_alone_picks_a_task_that_fits() -> None:
    opened = from_params({"topology": "one-to-many"})
    assert (opened.experiment.topology, opened.experiment.task) == ("one-to-many", "waves")


def test_a_length_in_the_link_is_kept_by_shortening_the_delay() -> None:
    opened = from_params({"task": "echo", "topology": "many-to-many", "T": "8", "delay": "20"})
    assert (opened.experiment.seq_len, opened.experiment.delay) == (8, 7)
    assert opened.adjusted == ["With T = 8 the delay was reduced to 7."]


def test_an_own_text_that_is_missing_is_said() -> None:
    opened = from_params({"task": "characters", "topology": "many-to-many", "corpus": "own"})
    assert opened.experiment.corpus == Experiment().corpus
    assert "text must have between" in opened.adjusted[0]


def test_an_own_series_that_is_missing_is_said() -> None:
    opened = from_params({"task": "series", "series": "own"})
    assert opened.experiment.series == Experiment().series
    assert "data must have between" in opened.adjusted[0]
