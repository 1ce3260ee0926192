"""Conflicting settings: those with priority are kept, and every change is reported."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnviz import CELLS, TASKS, TOPOLOGIES, Experiment
from rnnviz.experiment import choices
from rnnviz.experiment.fitting import changed, nearest
from rnnviz.tasks.corpora import check_text
from tests.experiment.test_links import EXPERIMENTS, WISHES, values

PAIRS = list(itertools.product(TASKS, TOPOLOGIES))


# Task and topology


@pytest.mark.parametrize(("task", "topology"), PAIRS)
def test_the_task_is_kept_when_it_matters_most(task: str, topology: str) -> None:
    e, notes = nearest({"task": task, "topology": topology}, first={"task"})
    assert e.task == task
    if topology in TASKS[task].fits:
        assert (e.topology, notes) == (topology, [])
    else:
        assert e.topology == TASKS[task].fits[0]
        title, now = TASKS[task].title, e.topology
        assert notes == [f"{title} does not fit a {topology} network, so the type is now {now}."]


@pytest.mark.parametrize(("task", "topology"), PAIRS)
def test_the_topology_is_kept_when_it_matters_most(task: str, topology: str) -> None:
    e, notes = nearest({"task": task, "topology": topology}, first={"topology"})
    assert e.topology == topology
    assert topology in TASKS[e.task].fits
    if topology in TASKS[task].fits:
        assert (e.task, notes) == (task, [])
    else:
        needed, title = " or ".join(TASKS[task].fits), TASKS[task].title
        assert notes == [f"{title} needs a {needed} network, so the task is now {TASKS[e.task].title}."]


@pytest.mark.parametrize("task", TASKS)
def test_a_task_comes_with_its_usual_length(task: str) -> None:
    assert nearest({"task": task}, first={"task"})[0].seq_len == TASKS[task].usual_length


@given(task=st.sampled_from(list(TASKS)), seq_len=st.integers(2, 200))
def test_a_change_of_task_keeps_the_length_where_it_fits(task: str, seq_len: int) -> None:
    e, notes = nearest({"task": task}, first={"task"}, base=Experiment(seq_len=seq_len))
    low, high = TASKS[task].lengths(e)
    assert e.seq_len == (seq_len if low <= seq_len <= high else TASKS[task].usual_length)
    assert not any(note.startswith("T is") for note in notes)


def test_a_length_that_is_asked_for_is_kept() -> None:
    e, notes = nearest({"task": "echo", "seq_len": 33}, first={"task"})
    assert (e.seq_len, notes) == (
        33,
        ["Echo does not fit a many-to-one network, so the type is now many-to-many."],
    )


# Length against delay and items


@given(seq_len=st.integers(1, 200), delay=st.integers(0, 150))
def test_the_delay_gives_way_to_the_length(seq_len: int, delay: int) -> None:
    wanted = {"task": "echo", "topology": "many-to-many", "seq_len": seq_len, "delay": delay}
    e, notes = nearest(wanted, first={"seq_len"})
    assert (e.seq_len, e.delay) == (seq_len, min(delay, seq_len - 1))
    assert notes == ([f"With T = {seq_len} the delay was reduced to {e.delay}."] if e.delay != delay else [])


@given(seq_len=st.integers(1, 200), delay=st.integers(0, 150))
def test_the_length_gives_way_to_the_delay(seq_len: int, delay: int) -> None:
    wanted = {"task": "echo", "topology": "many-to-many", "seq_len": seq_len, "delay": delay}
    e, notes = nearest(wanted, first={"delay"})
    assert (e.seq_len, e.delay) == (max(seq_len, delay + 1), delay)
    assert [note.split(":")[0] for note in notes] == ([f"T is {e.seq_len}"] if e.seq_len != seq_len else [])


@given(seq_len=st.integers(1, 200), items=st.integers(1, 20), task=st.sampled_from(["copy", "reverse"]))
def test_the_items_give_way_to_the_length_as_far_as_they_can(seq_len: int, items: int, task: str) -> None:
    wanted = {"task": task, "topology": "sequence-to-sequence", "seq_len": seq_len, "items": items}
    e, notes = nearest(wanted, first={"seq_len"})
    assert (e.seq_len, e.items) == (max(seq_len, 2), min(items, max(1, seq_len // 2)))
    assert len(notes) == (e.items != items) + (e.seq_len != seq_len)


def test_a_task_of_a_single_step_has_one() -> None:
    e, notes = nearest({"task": "digits", "topology": "one-to-one", "seq_len": 9}, first={"task"})
    assert e.seq_len == 1
    assert len(notes) == 1
    assert "single step" in notes[0]


# Feedback and text


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_feedback_gives_way_where_nothing_can_be_fed_back(topology: str) -> None:
    e, notes = nearest({"topology": topology, "feedback": True}, first={"topology"})
    able = TOPOLOGIES[topology].can_feed_back
    assert e.feedback is able
    assert any("fed back" in note for note in notes) is not able


@pytest.mark.parametrize("text", ["", "a", "aaaaaaaaaaaaaaaaaaaa", "ab" * 5000])
def test_a_text_that_cannot_be_learned_from_is_not_used(text: str) -> None:
    base = Experiment(task="characters", topology="many-to-many")
    e, notes = changed(base, corpus="own", text=text)
    assert e.corpus == base.corpus
    assert len(notes) == 1
    assert notes[0].startswith("Your text was not used: text must have")


@pytest.mark.parametrize("data", ["", "1 2 3", "1 2 x " * 20, "5 " * 50])
def test_a_series_that_cannot_be_learned_from_is_not_used(data: str) -> None:
    base = Experiment(task="series", topology="many-to-many", series="stock")
    e, notes = changed(base, series="own", data=data)
    assert e == base
    assert len(notes) == 1
    assert notes[0].startswith("Your series was not used: data must ")


def test_a_series_too_short_for_the_window_shortens_it() -> None:
    base = Experiment(task="series", topology="many-to-many", seq_len=24)
    e, notes = changed(base, series="own", data=" ".join(str(n * n % 17) for n in range(40)))
    assert (e.series, e.seq_len) == ("own", 9), "ten of forty values are held out, one follows the window"
    assert notes == ["T is 9: Series needs 2 to 9 steps."]


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_a_gated_cell_and_another_activation_do_not_go_together(cell: str) -> None:
    title = CELLS[cell].title
    with pytest.raises(ValueError, match=rf"^activation must be 'tanh' for cell {cell!r}.*; got 'relu'\.$"):
        Experiment(cell=cell, activation="relu")
    e, notes = changed(Experiment(activation="relu"), cell=cell)
    assert (e.cell, e.activation) == (cell, "tanh")
    assert notes == [f"{title} has its own activation, so ReLU is not used."]
    e, notes = changed(Experiment(cell=cell), activation="relu")
    assert (e.cell, e.activation) == ("vanilla", "relu")
    assert notes == [f"{title} has no activation ReLU: the cell is now Simple RNN."]


# Arbitrary settings


@settings(max_examples=150, deadline=None)
@given(wanted=WISHES, first=st.sets(st.sampled_from(sorted(choices()))), base=EXPERIMENTS)
def test_whatever_is_wanted_something_near_can_be_run(
    wanted: dict[str, Any], first: set[str], base: Experiment
) -> None:
    e, notes = nearest(wanted, first=first, base=base)
    negotiable = {"task", "topology", "seq_len", "delay", "items", "feedback"}
    negotiable |= {"corpus", "text", "series", "data"}
    cell = CELLS[wanted.get("cell", base.cell)]
    for name in ("activation", "init"):
        if wanted.get(name, getattr(base, name)) not in getattr(cell, f"{name}s"):
            negotiable |= {"cell", "activation", "init"}
    for name in set(choices()) - negotiable:
        assert getattr(e, name) == wanted.get(name, getattr(base, name)), f"{name} changed for no reason"
    gave_way = {name for name in wanted if getattr(e, name) != wanted[name]}
    assert bool(gave_way) <= bool(notes), f"{gave_way} gave way silently"
    assert all(note.endswith(".") for note in notes)
    assert nearest(vars(e), base=e) == (e, []), "the nearest experiment to a good one is itself"


@settings(max_examples=200, deadline=None)
@given(base=EXPERIMENTS, data=st.data())
def test_one_change_is_kept_whatever_it_contradicts(base: Experiment, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(choices())))
    value = data.draw(values(name, choices()[name]))
    e, notes = changed(base, **{name: value})
    others = [n for n in choices() if n != name and getattr(e, n) != getattr(base, n)]
    if getattr(e, name) != value:
        assert notes, f"{name}={value!r} was refused silently"
    if name in ("task", "topology"):
        assert getattr(e, name) == value
    elif others:
        assert notes, f"{others} gave way to {name}={value!r} silently"


def test_a_change_to_the_same_value_changes_nothing() -> None:
    e = Experiment(seq_len=150)
    assert changed(e, task="recall", seed=0) == (e, [])


def test_a_change_that_fits_says_nothing() -> None:
    assert changed(Experiment(), seq_len=50) == (replace(Experiment(), seq_len=50), [])


def test_a_value_out_of_its_own_bounds_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"seq_len must be a whole number between 1 and 200; got 9999\."):
        nearest({"seq_len": 9999})


def test_the_text_that_is_used_can_be_learned_from() -> None:
    base = Experiment(task="characters", topology="many-to-many")
    e, notes = changed(base, corpus="own", text="to be, or not to be")
    check_text(e.text)
    assert (e.corpus, notes) == ("own", [])
