"""Forecasts of a series with a trained network, and the two simplest ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnnviz.experiment import Experiment
from rnnviz.model.arrays import Array
from rnnviz.model.network import Params
from rnnviz.tasks import TASKS
from rnnviz.tasks.series import Series, SeriesTask


def series_of(e: Experiment) -> Series:
    """Return the series that an experiment forecasts.

    Raises
    ------
    ValueError
        If its task is none about series.
    """
    task = TASKS[e.task]
    if not isinstance(task, SeriesTask):
        raise ValueError(f"forecasts need a task about a series (sunspots, series); got {e.task!r}.")
    return task.series(e)


MOST = 1000
"""Values of a held-out part that are forecast at most: its first ones."""

FREE_STEPS = 200
"""Steps that a forecast runs free at most."""

FUTURE_SHARE = 0.4
"""How far beyond the last value is forecast, as a share of the held-out part."""


def naive(series: Series) -> Array:
    """Return the naive forecast, like the last value, for every held-out value, (m,)."""
    return series.values[series.held_out - 1 : -1][:MOST]


def seasonal_naive(series: Series, season: int) -> Array:
    """Return the forecast "like one season ago" for every held-out value, (m,).

    Raises
    ------
    ValueError
        If the season is not between 1 and the number of values before the held-out part.
    """
    if not 1 <= season <= series.held_out:
        raise ValueError(f"season must be between 1 and {series.held_out}; got {season}.")
    return series.values[series.held_out - season : len(series.values) - season][:MOST]


def one_step(e: Experiment, params: Params) -> Array:
    """Return the forecast of every held-out value, made when all values before it are known, (m,).

    Each comes from the last output of a window of T steps that ends just before it; the first windows reach
    back into the training part.
    """
    series, T = series_of(e), e.seq_len
    targets = np.arange(series.held_out, len(series.values))[:MOST]
    seen = series.seen()[np.arange(-T, 0)[:, None] + targets]
    return series.forecast(series.base[targets], _last_output(e, params, seen))


def rollout(e: Experiment, params: Params, steps: int, start: int | None = None) -> Array:
    """Return forecasts of ``steps`` values from row ``start`` on, (steps,), each made from those before it.

    The network reads the window of T values before ``start``; then every forecast is its next input, and
    its state is carried along. Nothing after ``start`` is looked at (default: where the held-out part
    begins). Numbers that overflow show as inf or NaN.

    Raises
    ------
    ValueError
        If there is no whole window before ``start``.
    """
    series, network = series_of(e), e.network()
    start = series.held_out if start is None else start
    if not e.seq_len <= start <= len(series.values):
        raise ValueError(f"start must be between {e.seq_len} and {len(series.values)}; got {start}.")
    window = series.seen()[start - e.seq_len : start, None]
    known = series.scaled[start - series.unknown : start][::-1]  # the newest first
    made = np.empty(steps)
    with np.errstate(over="ignore", invalid="ignore"):
        outputs, traces = network.forward(params, _as_inputs(e, window))
        output = outputs[-1]
        states = [tuple(array[-1] for array in trace.states) for trace in traces]
        for k in range(steps):
            base = -series.weights[1:] @ known
            made[k] = series.forecast(base, output[0, 0])
            if k + 1 < steps:
                place = series.place(base, output)
                known = np.append(place, known)[: series.unknown]
                output = (place - base) / series.scale
                output, states = network.step(params, np.repeat(output, 1 + e.feedback, axis=1), states)
    return made


def _as_inputs(e: Experiment, windows: Array) -> Array:
    """Return windows (T, B) of values as inputs (T, B, I); with feedback each value comes twice."""
    inputs = windows[:, :, None]
    if not e.feedback:
        return inputs
    fed = np.zeros_like(inputs)
    fed[1:] = inputs[1:]  # the output before is the value that then came, as in training
    return np.concatenate([inputs, fed], axis=2)


def _last_output(e: Experiment, params: Params, windows: Array) -> Array:
    """Return the last output (B,) for windows (T, B) of values as the network sees them."""
    with np.errstate(over="ignore", invalid="ignore"):
        return e.network().forward(params, _as_inputs(e, windows))[0][-1, :, 0]


def free_steps(series: Series) -> int:
    """Return for how many held-out values forecasts run free."""
    return min(FREE_STEPS, MOST, len(series.values) - series.held_out)


@dataclass(frozen=True, eq=False)
class NetworkForecasts:
    """All forecasts of a network.

    ahead : (m,), of every held-out value, one step ahead. free : (k,), of the first held-out values,
    free-running. future : (n,), free-running, of what comes after the last value.
    """

    ahead: Array
    free: Array
    future: Array


def forecast(e: Experiment, params: Params) -> NetworkForecasts:
    """Return a network's forecasts of the held-out part and of the future."""
    series = series_of(e)
    n, held_out = len(series.values), len(series.values) - series.held_out
    steps = max(1, min(FREE_STEPS, int(FUTURE_SHARE * held_out)))
    return NetworkForecasts(
        one_step(e, params),
        rollout(e, params, free_steps(series)),
        rollout(e, params, steps, start=n),
    )
