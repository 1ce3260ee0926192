"""Series: real and simulated data as published, encoded as changes, split in time, scored in their unit."""

from __future__ import annotations

import csv
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from rnnviz import TASKS, Experiment
from rnnviz.tasks import Batch
from rnnviz.tasks.series import (
    DATA,
    Series,
    SeriesTask,
    airline_series,
    check_data,
    own_series,
    stock_series,
    sunspot_series,
    to_data,
)
from tests.plain_rnn import Array

WAVES = "".join(f"{100 + 30 * np.sin(n / 3) + n % 7:.4f} " for n in range(120))  # max < 2 min
GROWING = " ".join(f"{50 * 1.02**n * (1 + 0.1 * (n % 5)):.6g}" for n in range(160))
CROSSING = to_data(np.random.default_rng(5).normal(0.0, 4.0, 90).cumsum())  # through zero and back
OWN = {"waves": WAVES, "growing": GROWING, "crossing": CROSSING}


def forecasting(task: str = "series", topology: str = "many-to-many", **fields: Any) -> Experiment:
    return Experiment(**{"task": task, "topology": topology, "seq_len": 8, **fields})


def own(data: str, **fields: Any) -> Experiment:
    return forecasting(series="own", data=data, **fields)


EXPERIMENTS = {
    "airline": forecasting(),
    "stock": forecasting(series="stock"),
    "sunspots": forecasting("sunspots"),
    **{name: own(data) for name, data in OWN.items()},
}
both = pytest.mark.parametrize("topology", ["many-to-many", "many-to-one"])
every = pytest.mark.parametrize("name", EXPERIMENTS)


def task(e: Experiment) -> SeriesTask:
    found = TASKS[e.task]
    assert isinstance(found, SeriesTask)
    return found


# The data


def test_airline_passengers_as_published() -> None:
    """Box and Jenkins 1976, Series G."""
    with (DATA / "airline.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    values = airline_series().values
    np.testing.assert_array_equal(values, [float(row["passengers"]) for row in rows])
    assert (len(values), rows[0]["month"], rows[-1]["month"]) == (144, "1949-01", "1960-12")
    assert values[:12].tolist() == [112, 118, 132, 129, 121, 135, 148, 148, 136, 119, 104, 118]
    assert values[-12:].tolist() == [417, 391, 419, 461, 472, 535, 622, 606, 508, 461, 390, 432]
    assert values.sum() == 40363
    yearly = values.reshape(12, 12).sum(axis=1)
    assert yearly[[0, 11]].tolist() == [1520, 5714]
    np.testing.assert_allclose(airline_series().times, np.arange(1949, 1961, 1 / 12), atol=1e-9)
    assert (airline_series().season, airline_series().held_out) == (12, 108), "three years are held out"


def test_the_simulated_price_is_a_random_walk() -> None:
    s = stock_series()
    changes = np.diff(np.log(s.values))
    assert (len(s.values), s.values[0], s.held_out, s.season) == (600, pytest.approx(100.0), 400, 0)
    assert changes.std() == pytest.approx(0.01, rel=0.08)
    assert abs(changes.mean()) < 3 * 0.01 / np.sqrt(600)
    centred = changes - changes.mean()
    for lag in range(1, 11):
        correlation = (centred[:-lag] * centred[lag:]).mean() / centred.var()
        assert abs(correlation) < 3 / np.sqrt(600), "nothing of tomorrow is in the past"


def test_the_simulated_price_is_the_same_every_time() -> None:
    first = stock_series().values
    stock_series.cache_clear()
    np.testing.assert_array_equal(stock_series().values, first)


# How a network sees them


def test_what_each_series_is_seen_as() -> None:
    assert sunspot_series().sees == "root"
    assert airline_series().sees == "seasonal-log-change"
    assert stock_series().sees == "log-change"
    assert {name: own_series(data).sees for name, data in OWN.items()} == {
        "waves": "change",
        "growing": "log-change",
        "crossing": "change",
    }


@pytest.mark.parametrize(("largest", "sees"), [(19.9, "change"), (20.0, "log-change"), (200.0, "log-change")])
def test_a_series_that_doubles_is_followed_in_relative_changes(largest: float, sees: str) -> None:
    values = np.full(40, 10.0)
    values[7], values[20] = 11.0, largest
    assert own_series(to_data(values)).sees == sees
    assert own_series(to_data(values - 10.0)).sees == "change", "there is no logarithm of 0"


def by_definition(s: Series) -> Array:
    """The series encoded by definition, step by step; what is not known at its beginning is 0."""
    seen = []
    for n, value in enumerate(s.values):
        if n < first_known(s):
            seen.append(0.0)
        elif s.sees == "root":
            seen.append(value**0.5 / s.scale)
        elif s.sees == "change":
            seen.append((value - s.values[n - 1]) / s.scale)
        else:
            change = np.log(value / s.values[n - 1])
            if s.sees == "seasonal-log-change":
                change -= np.log(s.values[n - s.season] / s.values[n - s.season - 1])
            seen.append(change / s.scale)
    return np.array(seen)


def first_known(s: Series) -> int:
    """The first row whose difference is known."""
    return {"root": 0, "change": 1, "log-change": 1, "seasonal-log-change": s.season + 1}[s.sees]


def expected(s: Series, n: int, output: float) -> float:
    """The value in row n, forecast from those before it when the network says ``output``."""
    moved, before = s.scale * output, s.values[n - 1]
    if s.sees == "root":
        return max(moved, 0.0) ** 2
    if s.sees == "change":
        return before + moved
    season = s.values[n - s.season] / s.values[n - s.season - 1] if s.sees == "seasonal-log-change" else 1.0
    return before * season * np.exp(moved)


@every
def test_the_true_next_change_gives_back_the_true_next_value(name: str) -> None:
    s = task(EXPERIMENTS[name]).series(EXPERIMENTS[name])
    np.testing.assert_allclose(s.seen(), by_definition(s), rtol=1e-9, atol=1e-11)
    first = first_known(s)
    np.testing.assert_allclose(s.forecast(s.base[first:-1], s.seen()[first:]), s.values[first:], rtol=1e-11)
    for n in (first + 1, len(s.values) - 1):
        assert s.forecast(s.base[n], np.array(0.3)) == pytest.approx(expected(s, n, 0.3), rel=1e-11)
    assert s.unknown == first


@every
def test_the_network_sees_numbers_near_one(name: str) -> None:
    s = task(EXPERIMENTS[name]).series(EXPERIMENTS[name])
    known = s.seen()[first_known(s) : s.held_out]
    assert 0.1 < np.abs(known).max() < 10.0
    if s.sees != "root":
        assert known.std() == pytest.approx(1.0, rel=1e-9), "scaled by training values alone"


STEADY = {
    "ramp": 0.1 * np.arange(40),
    "raised ramp": 50.0 + 0.1 * np.arange(60),
    "counting": np.arange(40.0),
    "growth": 1.1 ** np.arange(60),
    "decay": 3.0 * 0.9 ** np.arange(50),
}


@pytest.mark.parametrize("values", STEADY.values(), ids=STEADY)
def test_a_steady_series_is_no_noise(values: Array) -> None:
    """Equal changes differ by rounding only; scaled by that, the network would see numbers of 10^14."""
    s = own_series(to_data(values))
    np.testing.assert_allclose(np.abs(s.seen()[1:]), 1.0, rtol=1e-6)
    np.testing.assert_allclose(s.forecast(s.base[1:-1], s.seen()[1:]), s.values[1:], rtol=1e-9)


def test_overflow_is_a_number_and_no_error() -> None:
    wild = np.array([np.inf, -np.inf, np.nan, 1e308, -1e308, 0.0])
    for s in (sunspot_series(), airline_series(), own_series(WAVES)):
        for before in (100.0, 0.0, np.inf):
            assert s.forecast(np.full(6, before), wild).shape == (6,)


# User series


@pytest.mark.parametrize(("n", "held_out"), [(30, 7), (31, 7), (32, 8), (100, 25), (1000, 250)])
def test_a_quarter_of_ones_own_series_is_held_out(n: int, held_out: int) -> None:
    values = np.arange(n, dtype=float) % 7
    s = own_series(to_data(values))
    np.testing.assert_array_equal(s.values, values)
    np.testing.assert_array_equal(s.times, np.arange(1, n + 1))
    assert len(s.values) - s.held_out == held_out
    assert s.season == 0


def test_numbers_survive_the_way_into_an_experiment_and_back() -> None:
    values = np.array([0.0, -1.5, 1 / 3, 1e-12, 123456789.0, 2e11, 299792.458, -0.001])
    np.testing.assert_allclose([float(word) for word in to_data(values).split()], values, rtol=1e-9)
    assert to_data(np.array([1.0, 2.5])) == "1 2.5"


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ("", r"data must have between 30 and 100,000 numbers; got 0\. Choose a series of that length\."),
        ("1 2 " * 14, r"data must have between 30 and 100,000 numbers; got 28\."),
        ("1 2 " * 50_001, r"data must have between 30 and 100,000 numbers; got 100,002\."),
        ("1 2 " * 20 + "three", r"data must be numbers separated by blanks; got something else in between\."),
        ("1,5 2,5 " * 20, r"data must be numbers separated by blanks"),
        ("1 2 " * 20 + "nan", r"data must be finite numbers below 1e12 in size; got others among them\."),
        ("1 2 " * 20 + "-inf", r"data must be finite numbers"),
        ("1 2 " * 20 + "1e13", r"data must be finite numbers"),
        ("1 2 " * 20 + "1e999", r"data must be finite numbers"),
        ("5 " * 40, r"data must change within its first 30 values; got 5 throughout\. There "),
        ("0 " * 40, r"data must change within its first 30 values; got 0 throughout\."),
        ("5 " * 30 + "6 7 " * 5, r"data must change within its first 30 values; got 5 throughout\."),
    ],
    ids=["nothing", "short", "long", "a word", "decimal commas", "nan", "inf", "large", "overflow",
         "constant", "zeros", "constant while trained on"],
)  # fmt: skip
def test_what_cannot_be_learned_from_is_refused_in_a_sentence(data: str, problem: str) -> None:
    with pytest.raises(ValueError, match=f"^{problem}") as refused:
        check_data(data)
    assert str(refused.value).endswith(".")
    assert len(str(refused.value)) < 200
    with pytest.raises(ValueError, match=f"^{problem}"):
        own(data)
    Experiment(series="own", data=data)  # allowed where no series is read


@pytest.mark.parametrize("data", OWN.values(), ids=OWN)
def test_what_can_be_learned_from_is_accepted(data: str) -> None:
    check_data(data)
    assert own(data).data == data


# Windows


@both
@every
def test_training_sees_the_past_and_the_metric_the_future(name: str, topology: str) -> None:
    e = replace(EXPERIMENTS[name], topology=topology)
    s, T = task(e).series(e), e.seq_len
    first = first_known(s)
    seen = by_definition(s)

    place = {tuple(s.values[n : n + T]): n for n in range(len(seen) - T)}
    assert len(place) == len(seen) - T, "no window comes twice in these series"

    def rows(batch: Batch) -> set[int]:
        """Where the windows begin; each has to be a piece of the series in time order."""
        assert batch.newest is not None
        begun = set()
        for b in range(batch.inputs.shape[1]):
            start = place[tuple(batch.newest[:, b, 0])]
            np.testing.assert_allclose(batch.inputs[:, b, 0], seen[start : start + T], atol=1e-9)
            wanted = seen[start + 1 : start + T + 1].copy()
            if topology == "many-to-one":
                wanted[:-1] = 0.0
            np.testing.assert_allclose(batch.targets[:, b, 0], wanted, atol=1e-9)
            begun.add(start)
        return begun

    trained = rows(task(e).sample(e, np.random.default_rng(0), 150))
    assert min(trained) >= first
    assert max(trained) + T < s.held_out, "the last answer is before the held-out part"
    measured = rows(task(e).held_out(e))
    assert measured == set(range(s.held_out, len(s.values) - T)), "every window of the held-out part"


@both
@every
def test_every_training_window_is_in_use(name: str, topology: str) -> None:
    e = replace(EXPERIMENTS[name], topology=topology)
    s = task(e).series(e)
    before = task(e).sample(e, np.random.default_rng(0), 12_000).newest
    assert before is not None
    first = first_known(s)
    last = s.held_out - e.seq_len
    wanted = {tuple(s.values[n : n + e.seq_len]) for n in range(first, last)}
    assert {tuple(column) for column in before[:, :, 0].T} == wanted


@both
@every
def test_chance_is_the_error_of_repeating_the_last_value(name: str, topology: str) -> None:
    e = replace(EXPERIMENTS[name], topology=topology)
    s, T = task(e).series(e), e.seq_len
    values = s.values.tolist()
    missed, squared = [], []
    for start in range(s.held_out, len(values) - T):
        for t in range(T) if topology == "many-to-many" else [T - 1]:
            now, then = values[start + t], values[start + t + 1]
            missed.append(abs(then - now))
            there = {"root": np.sqrt, "change": float}.get(s.sees, np.log)
            squared.append(((there(then) - there(now)) / s.scale) ** 2)
    assert task(e).chance(e) == pytest.approx(np.mean(missed), rel=1e-9)
    assert task(e).chance_loss(e) == pytest.approx(np.mean(squared), rel=1e-9)


@both
@every
def test_the_metric_is_the_mean_error_in_the_unit_of_the_data(name: str, topology: str) -> None:
    e = replace(EXPERIMENTS[name], topology=topology)
    s, batch = task(e).series(e), task(e).held_out(e)
    outputs = batch.targets + 0.01
    assert batch.newest is not None
    missed = []
    for t in np.flatnonzero(task(e).masks(e).writes):
        for b in range(batch.inputs.shape[1]):
            start = s.held_out + b
            n = start + t + 1
            missed.append(abs(expected(s, n, outputs[t, b, 0]) - s.values[n]))
    assert task(e).score(e, outputs, batch) == pytest.approx(np.mean(missed), rel=1e-9)


@every
def test_the_longest_window_leaves_one_to_train_on_and_one_to_measure(name: str) -> None:
    e = EXPERIMENTS[name]
    low, high = task(e).lengths(e)
    s = task(e).series(e)
    assert (low, high) == (
        2,
        min(200, len(s.values) - s.held_out - 1, s.held_out - max(first_known(s), 1) - 1),
    )
    for seq_len in (low, high):
        at_bound = replace(e, seq_len=seq_len)
        trained, measured = task(e).sample(at_bound, np.random.default_rng(0), 50), task(e).held_out(at_bound)
        assert trained.inputs.shape == (seq_len, 50, 1)
        assert measured.inputs.shape[1] == len(s.values) - s.held_out - seq_len >= 1
    with pytest.raises(ValueError, match=rf"^seq_len must be between 2 and {high} for task"):
        replace(e, seq_len=high + 1)


def test_noise_is_added_to_what_is_trained_on_and_to_nothing_else() -> None:
    e = replace(EXPERIMENTS["airline"], jitter=0.5)
    plain = replace(e, jitter=0.0)
    noisy, clean = (task(e).sample(x, np.random.default_rng(0), 400) for x in (e, plain))
    np.testing.assert_array_equal(noisy.targets, clean.targets)
    noise = noisy.inputs - clean.inputs
    assert noise.std() == pytest.approx(0.5, rel=0.05)
    assert abs(noise.mean()) < 0.05
    np.testing.assert_array_equal(task(e).held_out(e).inputs, task(plain).held_out(plain).inputs)


@every
def test_settings_are_chosen_on_the_end_of_what_is_trained_on(name: str) -> None:
    s = task(EXPERIMENTS[name]).series(EXPERIMENTS[name])
    v = s.validation()
    np.testing.assert_array_equal(v.values, s.values[: s.held_out])
    np.testing.assert_array_equal(v.times, s.times[: s.held_out])
    assert v.held_out == s.held_out - s.held_out // 4


def test_feedback_brings_the_value_that_then_came() -> None:
    e = replace(EXPERIMENTS["airline"], feedback=True)
    batch = task(e).held_out(e)
    assert not batch.inputs[0, :, 1].any()
    np.testing.assert_array_equal(batch.inputs[1:, :, 1], batch.inputs[1:, :, 0])
