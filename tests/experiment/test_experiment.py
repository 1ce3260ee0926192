"""An Experiment is valid, comparable, and its errors say what is wrong."""

from __future__ import annotations

import math
import pickle
from dataclasses import FrozenInstanceError, fields, replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rnnviz import TASKS, TOPOLOGIES, Experiment
from rnnviz.experiment import Choice, choices
from rnnviz.tasks import Task

NUMBERS = {name: choice for name, choice in choices().items() if choice.kind in ("integer", "number")}
INTEGERS = [name for name, choice in NUMBERS.items() if choice.kind == "integer"]
REALS = [name for name, choice in NUMBERS.items() if choice.kind == "number"]
NAMES = [name for name, choice in choices().items() if choice.kind == "name"]

# A task and topology in which a field can take its bounds, where the defaults do not allow them.
ROOM: dict[str, dict[str, Any]] = {
    "delay": {"task": "echo", "topology": "many-to-many", "seq_len": 200},
    "items": {"task": "copy", "topology": "sequence-to-sequence", "seq_len": 200},
}


def fitting(task: Task, topology: str) -> Experiment:
    return Experiment(task=task.name, topology=topology, seq_len=task.usual_length)


def test_defaults_are_those_that_callers_rely_on() -> None:
    e = Experiment()
    assert (e.topology, e.task, e.cell, e.activation) == ("many-to-one", "recall", "vanilla", "tanh")
    assert (e.init, e.gain, e.optimizer, e.learning_rate) == ("orthogonal", 1.0, "adam", 3e-3)
    assert (e.hidden_size, e.layers, e.clip_norm, e.batch_size, e.seed) == (32, 1, 1.0, 32, 0)


def test_every_field_says_what_it_accepts_under_its_own_url_name() -> None:
    assert list(choices()) == [f.name for f in fields(Experiment)]
    urls = [choice.url for choice in choices().values()]
    assert len(set(urls)) == len(urls)
    expected = ["topology", "task", "T", "H", "layers", "cell", "activation", "init", "gain"]
    expected += ["optimizer", "lr", "clip", "bptt", "batch", "seed"]
    assert urls[: len(expected)] == expected


def test_every_default_is_accepted_by_its_own_choice() -> None:
    for f in fields(Experiment):
        assert choices()[f.name].check(f.name, f.default) == f.default


@pytest.mark.parametrize("name", NUMBERS)
def test_bounds_belong_to_the_range(name: str) -> None:
    choice = NUMBERS[name]
    kind = int if choice.kind == "integer" else float
    for bound in (choice.low, choice.high):
        e = Experiment(**{**ROOM.get(name, {}), name: kind(bound)})
        assert getattr(e, name) == bound
        assert type(getattr(e, name)) is kind


@pytest.mark.parametrize("name", NUMBERS)
def test_values_just_outside_are_refused(name: str) -> None:
    choice = NUMBERS[name]
    if choice.kind == "integer":
        outside: list[float] = [int(choice.low) - 1, int(choice.high) + 1]
    else:
        outside = [math.nextafter(choice.low, -math.inf), math.nextafter(choice.high, math.inf)]
    for value in outside:
        with pytest.raises(ValueError, match=f"^{name} must be a .*number between .* and .*; got "):
            Experiment(**{name: value})  # type: ignore[arg-type]


def test_the_message_says_expected_and_got() -> None:
    with pytest.raises(ValueError, match=r"^seq_len must be a whole number between 1 and 200; got 9999\.$"):
        Experiment(seq_len=9999)
    with pytest.raises(
        ValueError, match=r"^clip_norm must be a number between 0\.001 and 1000 or none; got 0\.$"
    ):
        Experiment(clip_norm=0)
    with pytest.raises(
        ValueError, match=r"^activation must be one of tanh, relu, sigmoid, linear; got 'Tanh'\.$"
    ):
        Experiment(activation="Tanh")
    with pytest.raises(ValueError, match=r"^feedback must be true or false; got 1\.$"):
        Experiment(feedback=1)  # type: ignore[arg-type]


WRONG_EVERYWHERE = [
    math.nan, math.inf, -math.inf, np.nan, 1j, b"tanh", [], [1], (), {}, object(), np.array([1.0]),
    np.zeros(3), 10**400, -(10**400), 10**5000, Fraction(10**400, 3), np.datetime64(1, "D"),
    np.timedelta64(20, "D"), len,
]  # fmt: skip


@pytest.mark.parametrize("name", [f.name for f in fields(Experiment)])
@pytest.mark.parametrize("value", WRONG_EVERYWHERE, ids=lambda value: type(value).__name__)
def test_what_no_field_can_mean_is_refused_by_name(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"^{name} must be .*; got "):
        Experiment(**{name: value})


@pytest.mark.parametrize("name", [name for name in choices() if name not in ("clip_norm", "truncate")])
def test_none_is_refused_where_it_means_nothing(name: str) -> None:
    with pytest.raises(ValueError, match=f"^{name} must be .*; got None"):
        Experiment(**{name: None})  # type: ignore[arg-type]


def test_no_clipping_and_no_truncation_are_none() -> None:
    assert Experiment(clip_norm=None).clip_norm is None
    assert Experiment().truncate is None


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("value", [True, False, np.True_, "1", "3", np.timedelta64(3)], ids=repr)
def test_numbers_are_neither_truths_nor_texts(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"^{name} must be"):
        Experiment(**{name: value})


@pytest.mark.parametrize("name", INTEGERS)
@pytest.mark.parametrize("value", [20.0, 2.5, np.float64(3.0), Fraction(7, 2)], ids=repr)
def test_whole_numbers_are_no_floats(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"^{name} must be a whole number"):
        Experiment(**{name: value})


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", ["", "no such thing", " tanh", 0, True, "many to one"], ids=repr)
def test_unknown_names_are_refused_with_the_known_ones(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"^{name} must be one of {', '.join(choices()[name].names)}; got"):
        Experiment(**{name: value})


@pytest.mark.parametrize("value", [np.int8(4), np.int64(4), np.uint16(4), 4])
def test_numpy_integers_become_plain_ones(value: Any) -> None:
    e = Experiment(seq_len=value, symbols=value, gain=value)
    assert (type(e.seq_len), type(e.gain)) == (int, float)
    assert e == Experiment(seq_len=4, symbols=4, gain=4.0)


HALVES = [np.float32(0.5), np.float64(0.5), np.float16(0.5), np.longdouble(0.5), Fraction(1, 2)]


@pytest.mark.parametrize("value", HALVES, ids=lambda value: type(value).__name__)
def test_numpy_floats_become_plain_ones(value: Any) -> None:
    e = Experiment(gain=value, noise=value, clip_norm=value)
    assert (type(e.gain), type(e.noise), type(e.clip_norm)) == (float, float, float)
    assert e == Experiment(gain=0.5, noise=0.5, clip_norm=0.5)


def test_numpy_switches_and_strings_become_plain_ones() -> None:
    e = Experiment(
        task=np.str_("echo"),
        topology="many-to-many",
        feedback=np.bool_(True),  # type: ignore[arg-type]
    )
    assert (type(e.task), type(e.feedback)) == (str, bool)


def test_long_wrong_values_are_cut_in_the_message() -> None:
    for value in ("x" * 10**6, list(range(10**5)), 10**5000):
        with pytest.raises(ValueError, match="must be") as caught:
            Experiment(activation=value)  # type: ignore[arg-type]
        assert len(str(caught.value)) < 200


def test_experiments_are_values() -> None:
    one, same, other = Experiment(seed=1), Experiment(seed=1), Experiment(seed=2)
    assert one == same
    assert hash(one) == hash(same)
    assert one != other
    assert len({one, same, other}) == 2
    assert pickle.loads(pickle.dumps(one)) == one  # noqa: S301
    with pytest.raises(FrozenInstanceError):
        one.seed = 3  # type: ignore[misc]


def test_replacing_a_field_validates_again() -> None:
    with pytest.raises(ValueError, match=r"^gain must be"):
        replace(Experiment(), gain=-1.0)


@pytest.mark.parametrize("topology", TOPOLOGIES)
@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS.keys())
def test_a_task_goes_with_its_own_topologies_only(task: Task, topology: str) -> None:
    if topology in task.fits:
        assert fitting(task, topology).topology == topology
    else:
        with pytest.raises(
            ValueError, match=f"^task '{task.name}' fits topology .*{task.fits[0]}.*; got '{topology}'"
        ):
            fitting(task, topology)


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS.keys())
def test_lengths_at_the_bounds_work_and_beyond_them_do_not(task: Task) -> None:
    for topology in task.fits:
        e = fitting(task, topology)
        low, high = task.lengths(e)
        for seq_len in {low, high}:
            rng = np.random.default_rng(0)
            assert replace(e, seq_len=seq_len).sample(rng, 2).inputs.shape[:2] == (seq_len, 2)
        for seq_len in (low - 1, high + 1):
            with pytest.raises(ValueError, match=f"^seq_len must be .*; got {seq_len}"):
                replace(e, seq_len=seq_len)


def test_delay_and_items_have_to_fit_into_the_sequence() -> None:
    with pytest.raises(ValueError, match=r"^seq_len must be between 21 and 200 for task 'echo' .*; got 20\."):
        Experiment(task="echo", topology="many-to-many", seq_len=20, delay=20)
    with pytest.raises(ValueError, match=r"^seq_len must be between 10 and 200 for task 'copy' .*; got 9\."):
        Experiment(task="copy", topology="sequence-to-sequence", seq_len=9, items=5)


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_feedback_needs_an_output_before_the_last_step(topology: str) -> None:
    task = next(task for task in TASKS.values() if topology in task.fits)
    e = fitting(task, topology)
    if TOPOLOGIES[topology].can_feed_back:
        assert replace(e, feedback=True).feedback
    else:
        with pytest.raises(ValueError, match=f"^feedback needs an output .*{topology}"):
            replace(e, feedback=True)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "got 0"),
        ("too short", "got 9"),
        ("x" * 2001, "got 2,001"),
        ("a" * 50, "different characters; got only 'a'"),
    ],
)
def test_a_text_of_ones_own_is_checked_when_it_is_used(text: str, complaint: str) -> None:
    Experiment(text=text)
    Experiment(text=text, corpus="own")
    with pytest.raises(ValueError, match=f"^text must have .*{complaint}"):
        Experiment(task="characters", topology="many-to-many", corpus="own", text=text)


def test_streams_of_random_numbers_depend_on_seed_and_purpose() -> None:
    def first(e: Experiment, stream: str) -> float:
        return float(e.rng(stream).random())

    streams = ("weights", "training", "held-out", "probe")
    values = {first(Experiment(seed=seed), stream) for seed in (0, 1) for stream in streams}
    assert len(values) == 8
    assert first(Experiment(), "weights") == first(Experiment(hidden_size=64), "weights")


ANYTHING = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary(), st.complex_numbers(),
    st.fractions(), st.decimals(), st.integers(10**300, 10**320), st.lists(st.integers()),
    st.dictionaries(st.text(), st.none()),
    st.sampled_from([np.float64("nan"), np.int64(3), np.array([1, 2])]),
)  # fmt: skip


def plausible(choice: Choice) -> st.SearchStrategy[Any]:
    """Values of the right kind, mostly in range."""
    if choice.kind == "name":
        return st.sampled_from(sorted(choice.names))
    if choice.kind == "switch":
        return st.booleans()
    if choice.kind == "text":
        return st.text(max_size=50)
    if choice.kind == "integer":
        return st.integers(int(choice.low) - 1, min(int(choice.high), 250) + 1)
    return st.floats(choice.low, choice.high)


@settings(max_examples=150, deadline=None, database=None)
@given(garbage=st.dictionaries(st.sampled_from(sorted(choices())), ANYTHING, min_size=1, max_size=5))
def test_garbage_is_refused_with_a_value_error(garbage: dict[str, Any]) -> None:
    try:
        e = Experiment(**garbage)
    except ValueError:
        return
    assert hash(e) == hash(Experiment(**{f.name: getattr(e, f.name) for f in fields(e)}))


@settings(max_examples=150, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    choice=st.fixed_dictionaries({}, optional={name: plausible(choice) for name, choice in choices().items()})
)
def test_whatever_is_accepted_can_be_run(choice: dict[str, Any]) -> None:
    # An accepted experiment that cannot draw a batch would break a page, not a form.
    try:
        e = Experiment(**choice)
    except ValueError:
        return
    network = e.network()
    batch = e.sample(e.rng("training"), 2)
    params = e.init(e.rng("weights"))
    assert network.loss_and_gradients(params, batch).outputs.shape == (
        e.seq_len,
        2,
        TASKS[e.task].sizes(e)[1],
    )
