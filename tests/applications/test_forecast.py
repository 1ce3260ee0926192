"""Forecasts: each looks at nothing that comes later, and is compared with baselines worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from rnnviz import TASKS, Experiment, Params, train
from rnnviz.applications.forecast import naive, one_step, rollout, seasonal_naive, series_of
from rnnviz.tasks.series import Series, to_data
from tests.plain_rnn import StepByStep

WALK = to_data(20.0 + np.random.default_rng(3).normal(0.0, 1.0, 80).cumsum() / 3)  # changes
GROWTH = to_data(10.0 * np.exp(0.05 * np.arange(80) + np.random.default_rng(4).normal(0.0, 0.1, 80)))


def experiment(**fields: Any) -> Experiment:
    fixed = {"task": "series", "topology": "many-to-many", "seq_len": 6, "hidden_size": 8}
    return Experiment(**{**fixed, **fields})


EXPERIMENTS = {
    "root": experiment(task="sunspots"),
    "change": experiment(series="own", data=WALK),
    "log-change": experiment(series="own", data=GROWTH),
    "airline": experiment(),
    "at the end": experiment(topology="many-to-one"),
    "layers": experiment(layers=2, activation="relu"),
    "fed back": experiment(feedback=True),
    "walk, fed back": experiment(series="own", data=WALK, feedback=True),
    "lstm": experiment(cell="lstm", layers=2),
    "gru": experiment(cell="gru", feedback=True),
}
every = pytest.mark.parametrize("name", EXPERIMENTS)


def weights(e: Experiment) -> Params:
    """Weights anywhere, as large as training makes them."""
    zero = e.init(np.random.default_rng(0))
    return zero.with_flat(np.random.default_rng(1).normal(0.0, 0.4, zero.count))


def answer(e: Experiment, params: Params, window: list[float]) -> float:
    """The network's last output after a window, neuron by neuron; with feedback it reads each value twice."""
    network, output = StepByStep(params, 1, e.cell, e.activation), 0.0
    for t, value in enumerate(window):
        output = float(network.read(np.array([[value, value if t else 0.0][: 1 + e.feedback]]))[0, 0])
    return output


def as_value(s: Series, known: list[float], output: float) -> float:
    """The value after those known, when the network says ``output``."""
    moved, before = s.scale * output, known[-1]
    if s.sees == "root":
        return max(moved, 0.0) ** 2
    if s.sees == "change":
        return before + moved
    season = known[-s.season] / known[-s.season - 1] if s.sees == "seasonal-log-change" else 1.0
    return before * season * np.exp(moved)


def as_seen(s: Series, values: list[float]) -> list[float]:
    """What a network sees at all values but the first ones."""
    if s.sees == "root":
        return [now**0.5 / s.scale for now in values]
    if s.sees == "change":
        return [(now - before) / s.scale for before, now in pairwise(values)]
    changes = [np.log(now / before) for before, now in pairwise(values)]
    if s.sees == "seasonal-log-change":
        changes = [now - then for then, now in zip(changes, changes[s.season :], strict=False)]
    return [change / s.scale for change in changes]


def test_the_kinds_are_those_that_these_tests_speak_of() -> None:
    for kind in ("root", "change", "log-change"):
        assert series_of(EXPERIMENTS[kind]).sees == kind
    assert series_of(EXPERIMENTS["airline"]).sees == "seasonal-log-change"


# Baselines


HAND = Series(
    "By hand",
    "value",
    np.array([3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0]),
    np.arange(8.0),
    5,
    0,
    "change",
    1.0,
)


def test_the_naive_forecast_by_hand() -> None:
    assert naive(HAND).tolist() == [5.0, 9.0, 2.0]


def test_the_seasonal_forecast_by_hand() -> None:
    assert seasonal_naive(HAND, 1).tolist() == naive(HAND).tolist()
    assert seasonal_naive(HAND, 2).tolist() == [1.0, 5.0, 9.0]
    assert seasonal_naive(HAND, 5).tolist() == [3.0, 1.0, 4.0]


@pytest.mark.parametrize("season", [0, -1, 6, 100])
def test_a_season_that_reaches_before_the_series_is_refused(season: int) -> None:
    with pytest.raises(ValueError, match=rf"^season must be between 1 and 5; got {season}\.$"):
        seasonal_naive(HAND, season)


def test_other_tasks_have_no_series() -> None:
    with pytest.raises(
        ValueError, match=r"^forecasts need a task about a series \(sunspots, series\); got 'sine'\.$"
    ):
        series_of(Experiment(task="sine", topology="many-to-many"))


# One step ahead


@every
def test_a_forecast_is_the_last_output_of_the_window_before_it(name: str) -> None:
    e = EXPERIMENTS[name]
    s, params = series_of(e), weights(e)
    ahead = one_step(e, params)
    assert len(ahead) == len(s.values) - s.held_out
    for k, forecast in enumerate(ahead):
        known = s.values[: s.held_out + k].tolist()
        window = as_seen(s, known)[-e.seq_len :]
        assert forecast == pytest.approx(as_value(s, known, answer(e, params, window)), rel=1e-9)


@pytest.mark.parametrize("data", [WALK, GROWTH], ids=["changes", "relative changes"])
def test_what_comes_later_changes_no_forecast(data: str) -> None:
    values = np.array(data.split(), float)
    later = values.copy()
    later[70:] *= 1.3
    one, other = (experiment(series="own", data=to_data(v)) for v in (values, later))
    assert (series_of(one).scale, series_of(one).sees) == (series_of(other).scale, series_of(other).sees)
    params = weights(one)
    before, after = one_step(one, params), one_step(other, params)
    # the first value held out is number 60; that of row 70 is forecast from those before it
    np.testing.assert_array_equal(before[:11], after[:11])
    assert (before[11:] != after[11:]).all()
    np.testing.assert_array_equal(rollout(one, params, 20), rollout(other, params, 20))
    np.testing.assert_array_equal(rollout(one, params, 8, start=70), rollout(other, params, 8, start=70))
    assert not np.array_equal(rollout(one, params, 8, start=71), rollout(other, params, 8, start=71))


# Running free


@every
def test_running_free_goes_on_from_its_own_forecasts(name: str) -> None:
    e = EXPERIMENTS[name]
    s, params = series_of(e), weights(e)
    for start in (s.held_out, e.seq_len + 20, len(s.values)):
        values, made = s.values[start - e.seq_len - s.unknown : start].tolist(), []
        for _ in range(12):  # reads everything from the first window on again, which the library need not do
            values.append(as_value(s, values, answer(e, params, as_seen(s, values))))
            made.append(values[-1])
        np.testing.assert_allclose(rollout(e, params, 12, start), made, rtol=1e-7)


@every
def test_the_first_free_forecast_is_the_one_step_forecast(name: str) -> None:
    e = EXPERIMENTS[name]
    s, params = series_of(e), weights(e)
    ahead = one_step(e, params)
    assert rollout(e, params, 3)[0] == pytest.approx(ahead[0], rel=1e-12)
    for k in (1, 5, len(ahead) - 1):
        assert rollout(e, params, 1, start=s.held_out + k)[0] == pytest.approx(ahead[k], rel=1e-12)


def test_a_free_run_needs_a_whole_window_before_it() -> None:
    e = EXPERIMENTS["airline"]
    for start in (-3, 0, 5, 145):
        with pytest.raises(ValueError, match=rf"^start must be between 6 and 144; got {start}\.$"):
            rollout(e, weights(e), 3, start)


@pytest.mark.parametrize("name", ["root", "change", "log-change", "walk, fed back"])
@pytest.mark.parametrize("factor", [30.0, 1e150])
def test_what_overflows_shows_as_such_and_is_no_error(name: str, factor: float) -> None:
    e = replace(EXPERIMENTS[name], activation="linear")
    params = weights(e)
    broken = params.with_flat(params.flat() * factor)
    made = rollout(e, broken, 60)
    assert len(made) == 60
    assert not (np.isfinite(made) & (np.abs(made) < 1e12)).all()
    assert len(one_step(e, broken)) == len(series_of(e).values) - series_of(e).held_out


# What can be learned


def test_a_trained_network_beats_the_naive_forecast_of_sunspots() -> None:
    e = Experiment(task="sunspots", topology="many-to-many", seq_len=24, hidden_size=32, learning_rate=1e-3)
    s, params = series_of(e), train(e, 400).params
    missed = np.mean(np.abs(one_step(e, params) - s.values[s.held_out :]))
    assert missed < 0.75 * np.mean(np.abs(np.diff(s.values[s.held_out - 1 :])))


def test_forecasts_of_whole_windows_score_what_the_metric_says() -> None:
    """The metric of many to one is measured on the same windows, from the first whole one on."""
    e = EXPERIMENTS["at the end"]
    s, params, task = series_of(e), weights(e), TASKS["series"]
    batch = task.held_out(e)
    metric = task.score(e, e.network().forward(params, batch.inputs)[0], batch)
    late = slice(e.seq_len, None)
    missed = np.abs(one_step(e, params) - s.values[s.held_out :])[late]
    assert metric == pytest.approx(missed.mean(), rel=1e-9)
