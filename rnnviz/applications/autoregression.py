"""Plain forecasts that a network has to beat: repetition, and autoregression fitted by least squares."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from rnnviz.applications.forecast import MOST, free_steps, naive, seasonal_naive
from rnnviz.model.arrays import Array, Indices
from rnnviz.tasks.series import ENCODINGS, Series

MOST_LAGS = 24

ROWS_PER_WEIGHT = 2
"""Training rows for each weight at least; with fewer the order is lower."""

NAMES = {
    "level": "",
    "root": " on square roots",
    "change": " on changes",
    "root-change": " on changes of square roots",
    "log-change": " on relative changes",
    "seasonal-change": " on seasonal differences",
    "seasonal-log-change": " on seasonal differences",
}
"""What an autoregression works on, by encoding."""


@dataclass(frozen=True, eq=False)
class Autoregression:
    """A forecast that is linear in what is seen of the newest values.

    series : encoded. weights : (1 + p,), the constant, then one for each of the last p values, newest first.
    """

    series: Series
    weights: Array

    @property
    def order(self) -> int:
        """The number p of values that it looks back on."""
        return len(self.weights) - 1

    def ahead(self) -> Array:
        """Return the forecast of every held-out value when all values before it are known, (m,)."""
        s = self.series
        rows = np.arange(s.held_out, len(s.values))[:MOST]
        return s.forecast(s.base[rows], _lagged(s, rows, self.order) @ self.weights)

    def free(self, steps: int) -> Array:
        """Return forecasts of the first ``steps`` held-out values, each made from those before it."""
        s = self.series
        seen = s.seen()[: s.held_out][::-1][: self.order]  # the newest first
        known = s.scaled[: s.held_out][::-1][: s.unknown]
        made = np.empty(steps)
        with np.errstate(over="ignore", invalid="ignore"):
            for k in range(steps):
                base = -s.weights[1:] @ known
                output = self.weights[0] + self.weights[1:] @ seen
                made[k] = s.forecast(base, output)
                place = s.place(base, output)
                seen = np.append((place - base) / s.scale, seen)[: self.order]
                known = np.append(place, known)[: s.unknown]
        return made


def fit(series: Series, order: int) -> Autoregression:
    """Return the autoregression of an order, fitted by least squares to the values before the split."""
    rows = np.arange(series.unknown + order, series.held_out)
    weights = np.linalg.lstsq(_lagged(series, rows, order), series.seen()[rows], rcond=None)[0]
    return Autoregression(series, weights.astype(np.float64))


def best_order(series: Series) -> int:
    """Return the order with the least mean absolute error on the end of the values before the split.

    Every order is fitted to the same rows, those that the highest one can use.
    """
    s = series.validation()
    spare = s.held_out - s.unknown - ROWS_PER_WEIGHT
    highest = max(0, min(MOST_LAGS, spare // (ROWS_PER_WEIGHT + 1)))
    known = np.arange(s.unknown + highest, s.held_out)
    new = np.arange(s.held_out, len(s.values))
    lagged, wanted, later = _lagged(s, known, highest), s.seen()[known], _lagged(s, new, highest)
    products, sums = lagged.T @ lagged, lagged.T @ wanted
    errors = []
    for p in range(highest + 1):
        weights = np.linalg.lstsq(products[: p + 1, : p + 1], sums[: p + 1], rcond=None)[0]
        made = s.forecast(s.base[new], later[:, : p + 1] @ weights)
        errors.append(float(np.abs(made - s.values[new]).mean()))
    return int(np.argmin(errors))


def _lagged(s: Series, rows: Indices, order: int) -> Array:
    """Return a 1 and what is seen of the values before each row, newest first, (n, 1 + order)."""
    return np.column_stack([np.ones(len(rows)), *(s.seen()[rows - k] for k in range(1, order + 1))])


@dataclass(frozen=True, eq=False)
class PlainForecast:
    """What a plain method forecasts.

    ahead : (m,), of every held-out value, one step ahead. free : (k,), when none of them is known.
    """

    ahead: Array
    free: Array


@lru_cache(maxsize=32)
def plain_forecasts(series: Series, season: int) -> dict[str, PlainForecast]:
    """Return the forecasts of all plain methods by name; season : 0 for none, then some are left out."""
    steps = free_steps(series)
    last = np.full(steps, series.values[series.held_out - 1])
    made = {"naive forecast": PlainForecast(naive(series), last)}
    if season:
        year = series.values[series.held_out - season : series.held_out]
        made["seasonal naive"] = PlainForecast(seasonal_naive(series, season), np.resize(year, steps))
        if season + 1 < series.held_out:
            made["seasonal naive on changes"] = _made(_same_change(series, season), steps)
    sees = ["change" if ENCODINGS[series.sees].differences else "level", series.sees]
    if ENCODINGS[series.sees].seasonal:
        sees.insert(1, "log-change")
    for encoding in dict.fromkeys(sees):
        encoded = series.encoded(encoding)
        found = fit(encoded, best_order(encoded))
        made[f"AR({found.order}){NAMES[encoding]}"] = _made(found, steps)
    return made


def _same_change(series: Series, season: int) -> Autoregression:
    """Return the forecast that the series changes as it did one season ago."""
    log = ENCODINGS[series.sees].scale.there is np.log
    sees = "seasonal-log-change" if log else "seasonal-change"
    return Autoregression(replace(series, season=season).encoded(sees), np.zeros(1))


def _made(found: Autoregression, steps: int) -> PlainForecast:
    return PlainForecast(found.ahead(), found.free(steps))
